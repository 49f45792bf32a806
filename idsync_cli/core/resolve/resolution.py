"""Identify, login, logout and search: who is this, and what follows (section 4)."""

from typing import Final

from idsync_cli.core.codes import (
    ErrorCode,
    NoteCode,
    RequestKind,
    Rule,
    Status,
)
from idsync_cli.core.config.rules import Rules
from idsync_cli.core.decision import (
    Change,
    DecidedBy,
    Decision,
    Left,
    Note,
    Refusal,
    Tier,
)
from idsync_cli.core.identity import Identifier, derive_mpid, mpid_of
from idsync_cli.core.lookup import Lookup, holders
from idsync_cli.core.profile import ProfileView, types_of
from idsync_cli.core.request import IdentityRequest
from idsync_cli.core.resolve.change_set import Ledger
from idsync_cli.core.resolve.matcher import Inquiry, Match
from idsync_cli.core.resolve.request_shape import form_of

_BY: Final = {rule: DecidedBy(rule) for rule in Rule}
_IDENTIFY: Final = RequestKind.IDENTIFY
_NO_MATCH: Final = Rule.NO_MATCH
_NEW_KNOWN_USER: Final = Rule.NEW_KNOWN_USER
_LOGOUT: Final = Rule.LOGOUT
_MATCHED: Final = Status.MATCHED
_CREATED: Final = Status.CREATED


def resolve(
    request: IdentityRequest,
    rules: Rules,
    lookup: Lookup,
    seq: int,
    seed: int,
    *,
    explain: bool = False,
) -> Decision:
    """Decide a request against the store as it stands before it.

    `seq` is its sequence number, `seed` that of the store (section 7).

    With `explain`, the decision has the account of every tier.

    Raises:
        Refusal: the strategy does not allow the request, or every identifier that could be
            looked up belongs to a profile that it may not be answered with.
    """
    identifiers = request.identifiers
    form = form_of(request.kind, types_of(identifiers), rules)
    if form.refusal:
        raise Refusal(*form.refusal)
    inquiry = Inquiry(form, identifiers, lookup)
    return _Resolution(request, inquiry, lookup, seq, seed).decide(explain=explain)


class _Resolution:
    """One request on its way through section 4, once step 1 has let it in."""

    __slots__ = ("form", "inquiry", "lookup", "notes", "request", "seed", "seq")

    def __init__(
        self,
        request: IdentityRequest,
        inquiry: Inquiry,
        lookup: Lookup,
        seq: int,
        seed: int,
    ) -> None:
        self.request = request
        self.inquiry = inquiry
        self.form = inquiry.form
        self.lookup = lookup
        self.seq = seq
        self.seed = seed
        self.notes = list(inquiry.form.set_aside)

    def decide(self, *, explain: bool) -> Decision:
        form, inquiry = self.form, self.inquiry
        if not form.has_lookup:  # a search: all others are refused
            return self._not_found(inquiry.consult_none(explain=explain).tiers)
        if form.makes_new_at_once:
            return self._new_profile(_LOGOUT, inquiry.consult_none(explain=explain).tiers)
        match = inquiry.consult(explain=explain)
        newest, decided_by, tiers = match.newest, match.decided_by, match.tiers
        if newest is not None:
            if decided_by is None:
                newest, decided_by = self._choose(match, newest)
            return self._answer_with(newest, decided_by, tiers)
        if form.is_search:
            return self._not_found(tiers)
        if form.new_known_users_get_a_new_record and form.login_types:
            return self._new_profile(_NEW_KNOWN_USER, tiers)
        return self._new_profile(_NO_MATCH, tiers)

    def _not_found(self, tiers: tuple[Tier, ...]) -> Decision:
        return Decision(Status.NOT_FOUND, _BY[_NO_MATCH], tiers=tiers)

    def _choose(self, match: Match, newest: ProfileView) -> tuple[ProfileView, DecidedBy]:
        """Step 4, of several candidates: the previous MPID's, or the newest."""
        if self.request.previous_mpid is not None:
            previous = self.lookup.profile(self.request.previous_mpid)
            if previous and self.inquiry.is_candidate(match, previous):
                return previous, _BY[Rule.PREVIOUS_MPID]
        self.notes.append(Note(NoteCode.TIE))
        return newest, _BY[Rule.NEWEST]

    def _answer_with(
        self, profile: ProfileView, decided_by: DecidedBy, tiers: tuple[Tier, ...]
    ) -> Decision:
        """The answer is a profile that was there; all but a search bring it up to date."""
        form, inquiry = self.form, self.inquiry
        if not form.separates_conflicting_logins:
            conflict = inquiry.conflicting_login(profile)
            if conflict:
                self.notes.append(Note(NoteCode.JOINED_CONFLICTING_LOGIN, conflict))
        lookup = self.lookup
        held = [lookup.holds(profile, identifier) for identifier in inquiry.identifiers]
        matched = tuple(
            [
                identifier
                for number, identifier in enumerate(inquiry.identifiers)
                if held[number] and form.places[number].rank is not None
            ]
        )
        if form.is_search:
            identifiers = lookup.identifiers_of(profile)
            return Decision(
                _MATCHED,
                decided_by,
                profile,
                profile.types & form.login_bits != 0,
                matched,
                notes=tuple(self.notes),
                identifiers=identifiers,
                types_in_order=tuple(form.rules.in_order({each.type for each in identifiers})),
                tiers=tiers,
            )
        ledger = None if all(held) else Ledger(form.rules, self.lookup)
        if ledger is not None:
            self._bring_up_to_date(profile, held, ledger)
        return self._decision(_MATCHED, profile, decided_by, matched, ledger, tiers)

    def _new_profile(self, rule: Rule, tiers: tuple[Tier, ...]) -> Decision:
        """Steps 4 and 5: a profile of the request's own, with what it may take.

        Raises:
            Refusal: all that the request names belongs to profiles that it may not see.
        """
        form = self.form
        seq, seed = self.seq, self.seed
        mpid = mpid_of(seed, seq, 0)
        if mpid == 0 or self.lookup.was_given_out(mpid):
            mpid = derive_mpid(seed, seq, self.lookup.was_given_out)
        source_mpid = self._source() if rule is _NEW_KNOWN_USER else None
        profile = ProfileView(mpid, seq, source_mpid, False, 0)
        ledger = Ledger(form.rules, self.lookup)
        self._bring_up_to_date(profile, [False] * len(form.places), ledger)
        if not ledger.types_after(profile) & form.lookup_bits:
            raise Refusal(
                ErrorCode.PROTECTED_IDENTITY,
                "every identifier that could be looked up is held by a profile that this request "
                "may not be answered with; name what protects it, an immutable ID or a login ID, "
                "or add an identifier that nobody else holds",
            )
        return self._decision(_CREATED, profile, _BY[rule], (), ledger, tiers)

    def _decision(
        self,
        status: Status,
        profile: ProfileView,
        decided_by: DecidedBy,
        matched: tuple[Identifier, ...],
        ledger: Ledger | None,
        tiers: tuple[Tier, ...],
    ) -> Decision:
        types = profile.types
        left: tuple[Left, ...] = ()
        orphaned: tuple[int, ...] = ()
        changes: tuple[Change, ...] = ()
        if ledger is not None:
            types = ledger.types_after(profile)
            outcome = ledger.outcome()
            left, orphaned = outcome.left, outcome.orphaned
            changes = tuple(ledger.changes)
        return Decision(
            status, decided_by, profile, types & self.form.login_bits != 0, matched,
            status is _CREATED, changes, orphaned, left, tuple(self.notes), (), (), tiers,
        )  # fmt: skip

    def _bring_up_to_date(self, profile: ProfileView, held: list[bool], ledger: Ledger) -> None:
        """Step 5: add each identifier that the profile lacks, and that it may have."""
        types, inquiry, form = profile.types, self.inquiry, self.form
        for number, identifier in enumerate(inquiry.identifiers):
            if held[number]:
                continue
            place = form.places[number]
            has_another = types & place.bit != 0
            if place.is_immutable and has_another:
                self.notes.append(Note(NoteCode.KEPT_IMMUTABLE, place.identity_type))
                continue
            if place.is_unique:  # every immutable type is unique, too
                others = holders(self.lookup, identifier)
                stays = place.is_immutable or not form.takes_unique_ids
                if others and (stays or any(map(inquiry.ineligibility, others))):
                    self.notes.append(Note(NoteCode.HELD_ELSEWHERE, place.identity_type))
                    continue
                if others:
                    ledger.take_away(identifier, others)
            if place.is_login and has_another:
                self.notes.append(Note(NoteCode.SECOND_LOGIN_ID, place.identity_type))
            ledger.add(profile, identifier)

    def _source(self) -> int | None:
        """The anonymous profile that a new known user comes from, where the strategy links."""
        rules = self.form.rules
        if not rules.strategy.links:
            return None
        if self.request.previous_mpid is not None:
            previous = self.lookup.profile(self.request.previous_mpid)
            if previous and not rules.is_known(previous):
                return previous.mpid
        left = [each for each in self.inquiry.identifiers if each.type not in rules.login_types]
        inquiry = Inquiry(form_of(_IDENTIFY, types_of(left), rules), left, self.lookup)
        newest = inquiry.consult().newest
        return newest.mpid if newest else None
