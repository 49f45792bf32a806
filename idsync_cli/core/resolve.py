"""Identify, login, logout and search: who is this, and what follows (section 4)."""

from collections.abc import Sequence
from typing import NamedTuple

from idsync_cli.core.codes import (
    ErrorCode,
    NoteCode,
    RequestKind,
    Rule,
    Status,
)
from idsync_cli.core.decision import DecidedBy, Decision, NewProfile, Note, Refusal
from idsync_cli.core.form import form_of
from idsync_cli.core.identity import Identifier, derive_mpid
from idsync_cli.core.ledger import Ledger
from idsync_cli.core.match import Inquiry, Knowledge, Match, holders
from idsync_cli.core.profile import Holder, Profile
from idsync_cli.core.request import IdentityRequest
from idsync_cli.core.rules import Rules

_new = tuple.__new__
_BY = {rule: DecidedBy(rule) for rule in Rule}
_SEARCH, _NO_MATCH = RequestKind.SEARCH, Rule.NO_MATCH


class Turn(NamedTuple):
    """The request's sequence number, and the seed of its store (section 7)."""

    seq: int
    seed: int


def resolve(
    request: IdentityRequest,
    rules: Rules,
    knowledge: Knowledge,
    turn: Turn,
    *,
    explain: bool = False,
) -> Decision:
    """Decide a request against the store as it stands before it.

    With `explain`, the decision has the account of every tier.

    Raises:
        Refusal: the strategy does not allow the request, or every identifier that could be
            looked up belongs to a profile that it may not be answered with.
    """
    form = form_of(request.kind, request.known_identities, rules)
    if form.refusal:
        raise Refusal(*form.refusal)
    inquiry = Inquiry(form, request.known_identities, knowledge)
    return _Resolution(request, inquiry, knowledge, turn).decide(explain=explain)


class _Resolution:
    """One request on its way through section 4, once step 1 has let it in."""

    __slots__ = ("form", "inquiry", "knowledge", "notes", "request", "rules", "turn")

    def __init__(
        self, request: IdentityRequest, inquiry: Inquiry, knowledge: Knowledge, turn: Turn
    ) -> None:
        self.request = request
        self.inquiry = inquiry
        self.form = inquiry.form
        self.rules = inquiry.form.rules
        self.knowledge = knowledge
        self.turn = turn
        self.notes = list(inquiry.form.set_aside)

    def decide(self, *, explain: bool) -> Decision:
        form, inquiry = self.form, self.inquiry
        if not form.has_lookup:  # a search: all others are refused
            return self._not_found(inquiry.consult_none(explain=explain))
        if form.makes_new_at_once:
            return self._new_profile(Rule.LOGOUT, inquiry.consult_none(explain=explain))
        match = inquiry.consult(explain=explain)
        if match.newest is not None:
            return self._answer_with(*self._choose(match, match.newest), match)
        if form.kind is _SEARCH:
            return self._not_found(match)
        if self.rules.new_known_users_get_a_new_record and form.login_types:
            return self._new_profile(Rule.NEW_KNOWN_USER, match)
        return self._new_profile(_NO_MATCH, match)

    def _not_found(self, match: Match) -> Decision:
        return Decision(Status.NOT_FOUND, DecidedBy(Rule.NO_MATCH), tiers=match.tiers)

    def _choose(self, match: Match, newest: Holder) -> tuple[Holder, DecidedBy]:
        """Step 4: one candidate, or the previous MPID's, or the newest."""
        if match.decided_by:
            return newest, match.decided_by
        if self.request.previous_mpid is not None:
            previous = self.knowledge.profile(self.request.previous_mpid)
            if previous and self.inquiry.is_candidate(match, previous):
                return previous, DecidedBy(Rule.PREVIOUS_MPID)
        self.notes.append(Note(NoteCode.TIE))
        return newest, DecidedBy(Rule.NEWEST)

    def _answer_with(self, profile: Holder, decided_by: DecidedBy, match: Match) -> Decision:
        """The answer is a profile that was there; all but a search bring it up to date."""
        rules = self.rules
        if not rules.separates_conflicting_logins:
            conflict = self.inquiry.conflicting_login(profile)
            if conflict:
                self.notes.append(Note(NoteCode.JOINED_CONFLICTING_LOGIN, conflict))
        held = list(map(profile.holds, self.inquiry.identifiers))
        matched = tuple(
            each
            for each, place, holds in zip(
                self.inquiry.identifiers, self.form.places, held, strict=True
            )
            if holds and place.rank is not None
        )
        if self.form.kind is _SEARCH:
            return Decision(
                Status.MATCHED,
                decided_by,
                profile,
                rules.holds_login_id(profile.types),
                matched,
                notes=tuple(self.notes),
                identifiers=profile.identifiers,
                tiers=match.tiers,
            )
        ledger = Ledger(rules)
        if False in held:
            self._bring_up_to_date(profile, held, ledger)
        return self._decision(Status.MATCHED, profile, decided_by, matched, ledger, match, None)

    def _new_profile(self, rule: Rule, match: Match) -> Decision:
        """Steps 4 and 5: a profile of the request's own, with what it may take.

        Raises:
            Refusal: all that the request names belongs to profiles that it may not see.
        """
        seq, seed = self.turn
        mpid = derive_mpid(seed, seq, self.knowledge.was_given_out)
        source_mpid = self._source() if rule is Rule.NEW_KNOWN_USER else None
        new = _new(NewProfile, (mpid, seq, source_mpid))
        profile = _new(Profile, (mpid, seq, source_mpid, False, ()))
        ledger = Ledger(self.rules)
        self._bring_up_to_date(profile, (False,) * len(self.form.places), ledger)
        if not self.rules.holds_lookup(ledger.types_after(profile)):
            raise Refusal(
                ErrorCode.PROTECTED_IDENTITY,
                "every identifier that could be looked up is held by a profile that this request "
                "may not be answered with; name what protects it, an immutable ID or a login ID, "
                "or add an identifier that nobody else holds",
            )
        return self._decision(Status.CREATED, profile, _BY[rule], (), ledger, match, new)

    def _decision(
        self,
        status: Status,
        profile: Holder,
        decided_by: DecidedBy,
        matched: tuple[Identifier, ...],
        ledger: Ledger,
        match: Match,
        created: NewProfile | None,
    ) -> Decision:
        left, orphaned = ledger.outcome()
        is_logged_in = self.rules.holds_login_id(ledger.types_after(profile))
        changes, notes = tuple(ledger.changes), tuple(self.notes)
        found = (
            status, decided_by, profile, is_logged_in, matched, created, changes, orphaned, left,
            notes, (), match.tiers,
        )  # fmt: skip
        return _new(Decision, found)

    def _bring_up_to_date(self, profile: Holder, held: Sequence[bool], ledger: Ledger) -> None:
        """Step 5: add each identifier that the profile lacks, and that it may have."""
        types, inquiry = profile.types, self.inquiry
        places = zip(inquiry.identifiers, self.form.places, held, strict=True)
        for identifier, (kind, _, bit, settings, _), holds in places:
            if holds:
                continue
            has_another = types & bit
            if settings.immutable and has_another:
                self.notes.append(Note(NoteCode.KEPT_IMMUTABLE, kind))
                continue
            if settings.unique:  # every immutable type is unique, too
                others = holders(self.knowledge, identifier, self.rules)
                if others and (settings.immutable or any(map(inquiry.ineligibility, others))):
                    self.notes.append(Note(NoteCode.HELD_ELSEWHERE, kind))
                    continue
                if others:
                    ledger.take_away(identifier, others)
            if settings.login and has_another:
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
            kind: value
            for kind, value in self.inquiry.identifiers
            if kind not in self.rules.login_types
        }
        form = form_of(RequestKind.IDENTIFY, anonymous, self.rules)
        inquiry = Inquiry(form, anonymous, self.knowledge)
        newest = inquiry.consult().newest
        return newest.mpid if newest else None
