"""Identify, login, logout and search: who is this, and what follows (section 4)."""

from collections.abc import Mapping
from dataclasses import dataclass

from idsync_cli.core.codes import (
    ErrorCode,
    NoteCode,
    OnConflictingLogin,
    OnLogout,
    RequestKind,
    Rule,
    Status,
)
from idsync_cli.core.decision import DecidedBy, Decision, NewProfile, Note, Refusal
from idsync_cli.core.identity import Identifier, IdentityType, derive_mpid
from idsync_cli.core.ledger import Ledger
from idsync_cli.core.match import Inquiry, Knowledge, Match
from idsync_cli.core.profile import Profile
from idsync_cli.core.request import IdentityRequest
from idsync_cli.core.rules import Rules


@dataclass(frozen=True, slots=True)
class Turn:
    """The request's sequence number, and the seed of its store (section 7)."""

    seq: int
    seed: int


def resolve(request: IdentityRequest, rules: Rules, knowledge: Knowledge, turn: Turn) -> Decision:
    """Decide a request against the store as it stands before it.

    Raises:
        Refusal: the strategy does not allow the request, or every identifier that could be
            looked up belongs to a profile that it may not be answered with.
    """
    asked, set_aside = _admit(request, rules)
    inquiry = Inquiry(request.kind, asked, rules, knowledge)
    return _Resolution(request, asked, rules, knowledge, turn, inquiry, list(set_aside)).decide()


def _admit(
    request: IdentityRequest, rules: Rules
) -> tuple[Mapping[IdentityType, str], tuple[Note, ...]]:
    """Step 1: refuse what the strategy does not allow; leave out a logout's login IDs."""
    strategy, kind = rules.strategy, request.kind
    if kind in (RequestKind.LOGIN, RequestKind.LOGOUT) and not strategy.logins:
        raise Refusal(
            ErrorCode.UNSUPPORTED_BY_STRATEGY,
            f"the strategy {strategy.name} knows no {kind}; send an identify instead",
        )
    given = request.known_identities
    login_ids = [login_type for login_type in rules.login_types if login_type in given]
    if kind is RequestKind.LOGIN and strategy.login_needs_login_id and not login_ids:
        raise Refusal(
            ErrorCode.LOGIN_ID_REQUIRED,
            f"the strategy {strategy.name} wants a login ID in a login; "
            f"give one of: {', '.join(rules.login_types) or '(the scope has no login type)'}",
        )
    if kind is not RequestKind.LOGOUT:
        return given, ()
    asked = {each: value for each, value in given.items() if each not in login_ids}
    return asked, tuple(Note(NoteCode.SET_ASIDE_ON_LOGOUT, each) for each in login_ids)


@dataclass(slots=True)
class _Resolution:
    """One request on its way through section 4; `asked` is what step 1 left of its identifiers."""

    request: IdentityRequest
    asked: Mapping[IdentityType, str]
    rules: Rules
    knowledge: Knowledge
    turn: Turn
    inquiry: Inquiry
    notes: list[Note]

    def decide(self) -> Decision:
        kind = self.request.kind
        if not any(map(self.rules.is_lookup, self.asked)):
            return self._without_lookup()
        if kind is RequestKind.LOGOUT and self.rules.strategy.on_logout is OnLogout.CREATE:
            return self._new_profile(Rule.LOGOUT, self.inquiry.consult_none())
        match = self.inquiry.consult()
        if match.candidates:
            return self._answer_with(*self._choose(match), match)
        if kind is RequestKind.SEARCH:
            return self._not_found(match)
        if self.rules.new_known_users_get_a_new_record and self.inquiry.carries_login_id:
            return self._new_profile(Rule.NEW_KNOWN_USER, match)
        return self._new_profile(Rule.NO_MATCH, match)

    def _without_lookup(self) -> Decision:
        """Step 1: a profile made from these identifiers could never be found again."""
        if self.request.kind is RequestKind.SEARCH:
            return self._not_found(self.inquiry.consult_none())
        set_aside, usable = "", self.rules.priority
        if self.request.kind is RequestKind.LOGOUT:
            set_aside = ", for the login IDs of a logout are set aside" if self.notes else ""
            usable = tuple(kind for kind in usable if kind not in self.rules.login_types)
        raise Refusal(
            ErrorCode.NO_LOOKUP_IDENTITY,
            f"no identifier is left that is in the scope's priority{set_aside}; "
            f"give one of: {', '.join(usable) or '(the scope has none)'}",
        )

    def _not_found(self, match: Match) -> Decision:
        return Decision(Status.NOT_FOUND, DecidedBy(Rule.NO_MATCH), tiers=match.tiers)

    def _choose(self, match: Match) -> tuple[Profile, DecidedBy]:
        """Step 4: one candidate, or the previous MPID's, or the newest."""
        tier = match.deciding_tier
        if tier:
            return match.candidates[0], DecidedBy(Rule.IDENTIFIER, tier.rank, tier.identity_type)
        for candidate in match.candidates:
            if candidate.mpid == self.request.previous_mpid:
                return candidate, DecidedBy(Rule.PREVIOUS_MPID)
        self.notes.append(Note(NoteCode.TIE))
        return match.candidates[-1], DecidedBy(Rule.NEWEST)

    def _answer_with(self, profile: Profile, decided_by: DecidedBy, match: Match) -> Decision:
        """The answer is a profile that was there; all but a search bring it up to date."""
        joining = self.rules.on_conflicting_login is OnConflictingLogin.JOIN
        conflict = self.inquiry.conflicting_login(profile)
        if joining and conflict:
            self.notes.append(Note(NoteCode.JOINED_CONFLICTING_LOGIN, conflict))
        ledger = Ledger(self.rules)
        if self.request.kind is not RequestKind.SEARCH:
            self._bring_up_to_date(profile, ledger)
        return self._decision(Status.MATCHED, profile, decided_by, ledger, match)

    def _new_profile(self, rule: Rule, match: Match) -> Decision:
        """Steps 4 and 5: a profile of the request's own, with what it may take.

        Raises:
            Refusal: all that the request names belongs to profiles that it may not see.
        """
        new = NewProfile(
            mpid=derive_mpid(self.turn.seed, self.turn.seq, self.knowledge.was_given_out),
            created_seq=self.turn.seq,
            source_mpid=self._source() if rule is Rule.NEW_KNOWN_USER else None,
        )
        profile = Profile(new.mpid, new.created_seq, new.source_mpid, False, ())
        ledger = Ledger(self.rules)
        self._bring_up_to_date(profile, ledger)
        if not self.rules.holds_lookup(ledger.after(profile).identifiers):
            raise Refusal(
                ErrorCode.PROTECTED_IDENTITY,
                "every identifier that could be looked up is held by a profile that this request "
                "may not be answered with; name what protects it, an immutable ID or a login ID, "
                "or add an identifier that nobody else holds",
            )
        return self._decision(Status.CREATED, profile, DecidedBy(rule), ledger, match, new)

    def _decision(
        self,
        status: Status,
        profile: Profile,
        decided_by: DecidedBy,
        ledger: Ledger,
        match: Match,
        created: NewProfile | None = None,
    ) -> Decision:
        held = [Identifier(kind, self.asked[kind]) for kind in self.rules.in_order(self.asked)]
        after = ledger.after(profile)
        return Decision(
            status=status,
            decided_by=decided_by,
            profile=after,
            is_logged_in=self.rules.holds_login_id(after.identifiers),
            matched=tuple(
                each
                for each in held
                if self.rules.is_lookup(each.type) and each in profile.identifiers
            ),
            created=created,
            changes=tuple(ledger.changes),
            orphaned=ledger.orphaned(),
            became_known=ledger.became_known(),
            notes=tuple(self.notes),
            tiers=match.tiers,
        )

    def _bring_up_to_date(self, profile: Profile, ledger: Ledger) -> None:
        """Step 5: add each identifier that the profile lacks, and that it may have."""
        for kind in self.rules.in_order(self.asked):
            identifier = Identifier(kind, self.asked[kind])
            settings = self.rules.settings_of(kind)
            values = profile.values_of(kind)
            if identifier.value in values:
                continue
            if settings.immutable and values:
                self.notes.append(Note(NoteCode.KEPT_IMMUTABLE, kind))
                continue
            if settings.unique:  # every immutable type is unique, too
                others = self.inquiry.holders(identifier)
                if others and (settings.immutable or any(map(self.inquiry.ineligibility, others))):
                    self.notes.append(Note(NoteCode.HELD_ELSEWHERE, kind))
                    continue
                ledger.take_away(identifier, others)
            if settings.login and values:
                self.notes.append(Note(NoteCode.SECOND_LOGIN_ID, kind))
            ledger.add(profile, identifier)

    def _source(self) -> int | None:
        """The anonymous profile that a new known user comes from, where the strategy links."""
        if not self.rules.strategy.links:
            return None
        if self.request.previous_mpid is not None:
            previous = self.knowledge.profile(self.request.previous_mpid)
            if previous and not self.rules.is_known(previous):
                return previous.mpid
        anonymous = {
            kind: value for kind, value in self.asked.items() if kind not in self.rules.login_types
        }
        inquiry = Inquiry(RequestKind.IDENTIFY, anonymous, self.rules, self.knowledge)
        candidates = inquiry.consult().candidates
        return candidates[-1].mpid if candidates else None
