"""Identify, login, logout and search: who is this, and what follows (section 4)."""

from collections.abc import Sequence
from typing import Final

from mypy_extensions import mypyc_attr

from idsync_cli.core.codes import (
    ErrorCode,
    NoteCode,
    RequestKind,
    Rule,
    Status,
)
from idsync_cli.core.config.rules import ScopeRules
from idsync_cli.core.decision import (
    KNOWN_IDENTITIES,
    Change,
    DecidedBy,
    Decision,
    Note,
    ProfileUpdate,
    Refusal,
)
from idsync_cli.core.identity import TYPE_ORDER, Identifier, derive_mpid, mpid_of
from idsync_cli.core.lookup import Lookup
from idsync_cli.core.profile import ProfileView, types_of
from idsync_cli.core.request import IdentityRequest
from idsync_cli.core.resolve.additions import add_what_it_lacks
from idsync_cli.core.resolve.change_set import ChangeSet
from idsync_cli.core.resolve.matcher import Match, Matcher
from idsync_cli.core.resolve.request_shape import shape_of
from idsync_cli.core.screening import nothing_left, screen
from idsync_cli.core.tiers import NearMiss, Tier

_BY: Final = {rule: DecidedBy(rule) for rule in Rule}
_IDENTIFY: Final = RequestKind.IDENTIFY
_NO_MATCH: Final = Rule.NO_MATCH
_NEW_KNOWN_USER: Final = Rule.NEW_KNOWN_USER
_LOGOUT: Final = Rule.LOGOUT
_MATCHED: Final = Status.MATCHED
_CREATED: Final = Status.CREATED


def resolve(
    request: IdentityRequest,
    rules: ScopeRules,
    lookup: Lookup,
    seq: int,
    seed: int,
    *,
    explain: bool = False,
    near: bool = False,
    own_notes: Sequence[Note] = (),
) -> Decision:
    """Decide a request against the store as it is before it.

    `seq` is its sequence number, and `seed` is the store's (section 7). With `explain`, the
    decision has what every tier did. With `near`, it has the near misses, if no profile was found.
    `own_notes` are what there was to note before: they come first, in the order of section 2.

    Raises:
        Refusal: guard rails leave nothing of the request, the strategy does not allow it, or every
            identifier that could be looked up belongs to a profile that it may not be answered
            with.
    """
    identifiers = request.identifiers
    notes: list[Note] = []
    rails = rules.guard_rails
    if rails.screens_values and not rails.leave(identifiers):
        screened = screen(identifiers, rails, lookup)
        identifiers, notes = screened.identifiers, screened.notes()
        if not identifiers:
            raise nothing_left(screened.blocked)
    if own_notes:
        notes = sorted([*notes, *own_notes], key=_type_order)
    shape = shape_of(request.kind, types_of(identifiers), rules)
    if shape.refusal:
        raise Refusal(*shape.refusal, word=KNOWN_IDENTITIES)
    matcher = Matcher(shape, identifiers, lookup)
    notes += shape.notes
    its = _Resolution(request, matcher, notes, lookup, seq, seed, explain=explain, near=near)
    return its.decide()


def _type_order(note: Note) -> int:
    assert note.identity_type is not None
    return TYPE_ORDER[note.identity_type]


@mypyc_attr(free_list_len=1)
class _Resolution:
    """One request on its way through section 4, after step 1 has accepted it."""

    __slots__ = (
        "explain", "lookup", "matcher", "near", "notes", "request", "seed", "seq", "shape"
    )  # fmt: skip

    def __init__(
        self,
        request: IdentityRequest,
        matcher: Matcher,
        notes: list[Note],
        lookup: Lookup,
        seq: int,
        seed: int,
        *,
        explain: bool,
        near: bool,
    ) -> None:
        self.request = request
        self.matcher = matcher
        self.notes = notes
        self.shape = matcher.shape
        self.lookup = lookup
        self.seq = seq
        self.seed = seed
        self.explain = explain
        self.near = near

    def decide(self) -> Decision:
        shape, matcher, explain = self.shape, self.matcher, self.explain
        if not shape.has_lookup:  # a search: all others are refused
            return self._not_found(matcher.consult_none(explain=explain).tiers)
        if shape.makes_new_at_once:
            return self._new_profile(_LOGOUT, matcher.consult_none(explain=explain).tiers)
        match = matcher.consult(explain=explain)
        newest, decided_by, tiers = match.newest, match.decided_by, match.tiers
        if newest is not None:
            if decided_by is None:
                newest, decided_by = self._choose(match, newest)
            return self._answer_with(newest, decided_by, tiers)
        if shape.is_search:
            return self._not_found(tiers)
        if shape.new_known_users_get_a_new_record and shape.login_types:
            return self._new_profile(_NEW_KNOWN_USER, tiers)
        return self._new_profile(_NO_MATCH, tiers)

    def _not_found(self, tiers: tuple[Tier, ...]) -> Decision:
        notes = tuple(self.notes)
        return Decision(
            Status.NOT_FOUND, _BY[_NO_MATCH], notes=notes, tiers=tiers, near=self._near()
        )

    def _near(self) -> tuple[NearMiss, ...]:
        return self.matcher.near_misses() if self.near else ()

    def _choose(self, match: Match, newest: ProfileView) -> tuple[ProfileView, DecidedBy]:
        """Step 4: choose one of several candidates, the previous MPID's or else the newest."""
        if self.request.previous_mpid is not None:
            previous = self.lookup.profile(self.request.previous_mpid)
            if previous and self.matcher.is_candidate(match, previous):
                return previous, _BY[Rule.PREVIOUS_MPID]
        self.notes.append(Note(NoteCode.TIE))
        return newest, _BY[Rule.NEWEST]

    def _answer_with(
        self, profile: ProfileView, decided_by: DecidedBy, tiers: tuple[Tier, ...]
    ) -> Decision:
        """Answer with an existing profile; all requests but a search bring it up to date."""
        shape, matcher = self.shape, self.matcher
        if not shape.separates_conflicting_logins:
            conflict = matcher.conflicting_login(profile)
            if conflict:
                self.notes.append(Note(NoteCode.JOINED_CONFLICTING_LOGIN, conflict))
        lookup = self.lookup
        held = [lookup.holds(profile, identifier) for identifier in matcher.identifiers]
        matched = tuple(
            [
                identifier
                for number, identifier in enumerate(matcher.identifiers)
                if held[number] and shape.requested_types[number].rank is not None
            ]
        )
        if shape.is_search:
            return Decision(
                _MATCHED,
                decided_by,
                profile,
                profile.types & shape.login_bits != 0,
                matched,
                notes=tuple(self.notes),
                identifiers=lookup.identifiers_of(profile),
                types_in_order=shape.rules.listed(profile.types),
                tiers=tiers,
            )
        change_set: ChangeSet | None = None
        if False in held:
            change_set = ChangeSet(shape.login_bits, shape.lookup_bits, lookup)
            add_what_it_lacks(profile, held, matcher, lookup, change_set, self.notes, self.explain)
        return self._decision(_MATCHED, profile, decided_by, matched, change_set, tiers)

    def _new_profile(self, rule: Rule, tiers: tuple[Tier, ...]) -> Decision:
        """Steps 4 and 5: make a new profile, with the identifiers that it may have.

        Raises:
            Refusal: it may have none of those in the priority.
        """
        shape = self.shape
        seq, seed = self.seq, self.seed
        mpid = mpid_of(seed, seq, 0)
        if mpid == 0 or self.lookup.was_given_out(mpid):
            mpid = derive_mpid(seed, seq, self.lookup.was_given_out)
        source_mpid = self._source() if rule is _NEW_KNOWN_USER else None
        profile = ProfileView(mpid, seq, source_mpid, False, 0)
        change_set = ChangeSet(shape.login_bits, shape.lookup_bits, self.lookup)
        held = [False] * len(shape.requested_types)
        add_what_it_lacks(
            profile, held, self.matcher, self.lookup, change_set, self.notes, self.explain
        )
        if not change_set.types_after(profile) & shape.lookup_bits:
            raise Refusal(
                ErrorCode.PROTECTED_IDENTITY,
                "every identifier in the priority is held by a profile that this request may not "
                "be answered with; add the immutable ID or login ID that protects it, or an "
                "identifier that nobody holds",
                tiers=tiers,
                notes=tuple(self.notes) if self.explain else (),
                word=KNOWN_IDENTITIES,
            )
        near = () if rule is _LOGOUT else self._near()
        return self._decision(_CREATED, profile, _BY[rule], (), change_set, tiers, near)

    def _decision(
        self,
        status: Status,
        profile: ProfileView,
        decided_by: DecidedBy,
        matched: tuple[Identifier, ...],
        change_set: ChangeSet | None,
        tiers: tuple[Tier, ...],
        near: tuple[NearMiss, ...] = (),
    ) -> Decision:
        types = profile.types
        updates: tuple[ProfileUpdate, ...] = ()
        orphaned: tuple[int, ...] = ()
        changes: tuple[Change, ...] = ()
        if change_set is not None:
            types = change_set.types_after(profile)
            consequences = change_set.consequences()
            updates, orphaned = consequences.updates, consequences.orphaned
            changes = tuple(change_set.changes)
        return Decision(
            status, decided_by, profile, types & self.shape.login_bits != 0, matched,
            status is _CREATED, changes, orphaned, updates, tuple(self.notes), (), (), tiers, near,
        )  # fmt: skip

    def _source(self) -> int | None:
        """The anonymous profile that a new known user comes from, if the strategy links."""
        rules = self.shape.rules
        if not rules.strategy.links:
            return None
        if self.request.previous_mpid is not None:
            previous = self.lookup.profile(self.request.previous_mpid)
            if previous and not rules.is_known(previous):
                return previous.mpid
        others = [each for each in self.matcher.identifiers if each.type not in rules.login_types]
        matcher = Matcher(shape_of(_IDENTIFY, types_of(others), rules), others, self.lookup)
        newest = matcher.consult().newest
        return newest.mpid if newest else None
