"""Who a request may be answered with, tier by tier (section 4, steps 2 and 3).

An identifier may be held by a crowd: a device on which a million people once signed in, or
by which a million visitors were seen. Two facts keep such a request as cheap as any other. A
known profile is eligible only if the request carries one of its login IDs, so that it is reached
through that login ID and never through the crowd. And all anonymous profiles are judged alike,
for nothing of theirs counts but that they are anonymous: of them the newest ones are enough.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from idsync_cli.core.codes import Reason, TierOutcome
from idsync_cli.core.decision import COUNTED_TO, NEAR_COUNTED_TO, DecidedBy, NearMiss, Tier
from idsync_cli.core.identity import TYPE_BITS, Identifier, IdentityType
from idsync_cli.core.lookup import Lookup
from idsync_cli.core.profile import ProfileView
from idsync_cli.core.resolve.request_shape import RequestShape
from idsync_cli.core.value import Value

_SEVERAL: Final = 2
"""How many candidates are as good as any number: one decides, more do not."""

_TOO_MANY: Final = COUNTED_TO + 1


class Match(Value):
    """What the tiers left.

    `decided_by` says which identifier left one candidate, and `newest` is that one, or
    the newest of several; None without candidates. Of several, `known` are those that are known,
    and the others are the anonymous profiles that hold all of `crowd`, unless it is None.
    """

    __match_args__ = ("newest", "decided_by", "known", "crowd", "tiers")
    __slots__ = __match_args__

    def __init__(
        self,
        newest: ProfileView | None = None,
        decided_by: DecidedBy | None = None,
        known: Sequence[ProfileView] = (),
        crowd: Sequence[Identifier] | None = None,
        tiers: tuple[Tier, ...] = (),
    ) -> None:
        self.newest: Final = newest
        self.decided_by: Final = decided_by
        self.known: Final = known
        self.crowd: Final = crowd
        self.tiers: Final = tiers


class Matcher:
    """One request set against what the store knows.

    `identifiers` are the request's as step 1 left them, in the order of step 5.
    """

    __slots__ = ("_lookup", "_rules", "identifiers", "shape")

    def __init__(
        self, shape: RequestShape, identifiers: Sequence[Identifier], lookup: Lookup
    ) -> None:
        self.shape = shape
        self.identifiers = shape.arranged(identifiers)
        self._rules = shape.rules
        self._lookup = lookup

    def ineligibility(self, profile: ProfileView) -> Reason | None:
        """Why the profile may not be the answer, or None if it may (section 4, step 2)."""
        shape, types = self.shape, profile.types
        if not profile.was_known and types & shape.login_bits == 0:
            return shape.reason_of_the_anonymous
        if (shape.wants_immutable_id or types & shape.immutable_bits) and not self._names_one_of(
            shape.immutable_types, profile
        ):
            if shape.wants_immutable_id:
                return Reason.IMMUTABLE_SEARCH
            return Reason.IMMUTABLE_PROTECTION
        if not self._names_one_of(shape.login_types, profile):
            return Reason.LOGIN_PROTECTION
        if shape.separates_conflicting_logins and self.conflicting_login(profile):
            return Reason.CONFLICTING_LOGIN
        return None

    def _names_one_of(self, types: Sequence[IdentityType], profile: ProfileView) -> bool:
        """Whether an identifier of one of the types is among the request's and the profile's."""
        for identifier in self.identifiers:
            if identifier.type in types and self._lookup.holds(profile, identifier):
                return True
        return False

    def conflicting_login(self, profile: ProfileView) -> IdentityType | None:
        """The highest ranked login type that both carry, if they disagree on its value."""
        types, login_types = profile.types, self.shape.login_types
        for identifier in self.identifiers:
            kind = identifier.type
            if kind in login_types and types & TYPE_BITS[kind]:
                return None if self._lookup.holds(profile, identifier) else kind
        return None

    def _eligible_known(self) -> list[ProfileView]:
        """The known profiles that may be the answer, each reached through a login ID."""
        found: dict[int, ProfileView] = {}
        for number, identifier in enumerate(self.identifiers):
            if self.shape.requested_types[number].is_login:
                for profile in self._lookup.known(identifier):
                    if profile.mpid not in found and self.ineligibility(profile) is None:
                        found[profile.mpid] = profile
        return list(found.values())

    def consult(self, *, explain: bool = False, most: int | None = None) -> Match:
        """Ask the tiers in order until one candidate is left (section 4, step 3).

        With `explain`, the account of every tier comes with it. With `most`, no more tiers are
        asked than that many of those that the request carries.
        """
        shape, lookup = self.shape, self._lookup
        known: list[ProfileView] = self._eligible_known() if shape.login_types else []
        crowd: tuple[Identifier, ...] | None = () if shape.reason_of_the_anonymous is None else None
        newest: ProfileView | None = None
        decided_by: DecidedBy | None = None
        accounts: dict[IdentityType, Tier] = {}
        for number, identifier in enumerate(self.identifiers):
            requested = shape.requested_types[number]
            rank = requested.rank
            if rank is None or number == most:
                break  # behind the priority
            found = [each for each in known if lookup.holds(each, identifier)] if known else known
            wider: tuple[Identifier, ...] | None = None
            unnamed: Sequence[ProfileView] = ()
            if (
                crowd is not None and not requested.is_login
            ):  # who holds a login ID is not anonymous
                wider = (*crowd, identifier)
                unnamed = lookup.anonymous(wider, _SEVERAL)
            count = len(found) + len(unnamed)
            before = _Candidates(known, crowd, exist=newest is not None) if explain else None
            if count:
                known, crowd = found, wider if unnamed else None
                newest = _newest(found, unnamed)
            if before is not None:
                after = _Candidates(known, crowd, exist=newest is not None)
                accounts[requested.identity_type] = self._account(
                    rank, identifier, before, after, found=count
                )
            if count == 1:
                decided_by = requested.decided_by
                break
        tiers = self._all_tiers(accounts) if explain else ()
        return Match(newest, decided_by, known, crowd, tiers)

    def is_candidate(self, match: Match, profile: ProfileView) -> bool:
        """Whether the profile is among the candidates that the tiers left."""
        if any(each.mpid == profile.mpid for each in match.known):
            return True
        crowd = match.crowd
        if not crowd or self._rules.is_known(profile):
            return False
        return all(self._lookup.holds(profile, each) for each in crowd)

    def near_misses(self) -> tuple[NearMiss, ...]:
        """Who holds what the request names in the priority, and may not be the answer (section 8).

        Of a crowd, the newest known and the newest anonymous profiles stand for all.
        """
        found: list[NearMiss] = []
        for number, identifier in enumerate(self.identifiers):
            if self.shape.requested_types[number].rank is None:
                break  # behind the priority
            known = self._lookup.known(identifier, NEAR_COUNTED_TO)
            unnamed = self._lookup.anonymous((identifier,), NEAR_COUNTED_TO)
            counted = Counter(map(self.ineligibility, known))
            counted[self.shape.reason_of_the_anonymous] += len(unnamed)
            ineligible = {
                reason: min(counted[reason], NEAR_COUNTED_TO)
                for reason in Reason
                if counted[reason]
            }
            if ineligible:
                held_by = min(len(known) + len(unnamed), NEAR_COUNTED_TO)
                found.append(NearMiss(identifier, held_by, ineligible))
        return tuple(found)

    def consult_none(self, *, explain: bool = False) -> Match:
        """The account of a request for which no tier is consulted (section 4, step 1)."""
        return Match(tiers=self._all_tiers({}) if explain else ())

    def _all_tiers(self, consulted: Mapping[IdentityType, Tier]) -> tuple[Tier, ...]:
        """The account of every type of the priority, also of those that were passed over."""
        values = {identifier.type: identifier.value for identifier in self.identifiers}
        tiers = []
        for rank, kind in enumerate(self._rules.priority, start=1):
            outcome = TierOutcome.NOT_CONSULTED if kind in values else TierOutcome.NOT_IN_REQUEST
            settings = self._rules.settings_of(kind)
            passed_over = Tier(rank, kind, settings, outcome, value=values.get(kind))
            tiers.append(consulted.get(kind, passed_over))
        return tuple(tiers)

    def _account(
        self,
        rank: int,
        identifier: Identifier,
        before: "_Candidates",
        after: "_Candidates",
        *,
        found: int,
    ) -> Tier:
        """What a tier did that found some of the candidates before it (`found` up to several)."""
        rules, lookup = self._rules, self._lookup
        known = lookup.known(identifier, _TOO_MANY)
        unnamed = len(lookup.anonymous((identifier,), _TOO_MANY))
        counted = Counter(map(self.ineligibility, known))
        # Of a crowd only the newest were read: those that are eligible may be older.
        named = sum([lookup.holds(each, identifier) for each in self._eligible_known()])
        counted[None] = max(counted[None], named)
        counted[self.shape.reason_of_the_anonymous] += unnamed
        left = self._count(after)
        outcome = self._outcome(identifier, before, after, found)
        return Tier(
            rank=rank,
            identity_type=identifier.type,
            settings=rules.settings_of(identifier.type),
            outcome=outcome,
            value=identifier.value,
            held_by=min(len(known) + unnamed, COUNTED_TO),
            eligible=min(counted[None], COUNTED_TO),
            ineligible={
                reason: min(counted[reason], COUNTED_TO) for reason in Reason if counted[reason]
            },
            candidates=min(left, COUNTED_TO),
            stopped_counting=max(len(known) + unnamed, left) > COUNTED_TO,
        )

    def _count(self, candidates: "_Candidates") -> int:
        if not candidates.exist:
            return 0
        crowd = candidates.crowd
        unnamed = self._lookup.anonymous(crowd, _TOO_MANY) if crowd else ()
        return len(candidates.known) + len(unnamed)

    def _outcome(
        self,
        identifier: Identifier,
        before: "_Candidates",
        after: "_Candidates",
        found: int,
    ) -> TierOutcome:
        if found == 1:
            return TierOutcome.DECIDED
        if found == 0:
            return TierOutcome.NO_EFFECT if before.exist else TierOutcome.NO_CANDIDATES
        if not before.exist or len(after.known) < len(before.known):
            return TierOutcome.NARROWED
        if not before.crowd:
            return TierOutcome.NO_EFFECT
        lost = self._lookup.anonymous(before.crowd, 1, lacking=identifier)
        return TierOutcome.NARROWED if lost else TierOutcome.NO_EFFECT


class _Candidates(NamedTuple):
    """Candidates: some known profiles, and the anonymous ones that hold all of `crowd`.

    Before the first tier that finds anybody they do not exist: then all profiles are meant.
    """

    known: Sequence[ProfileView]
    crowd: Sequence[Identifier] | None
    exist: bool


def _newest(known: Sequence[ProfileView], unnamed: Sequence[ProfileView]) -> ProfileView:
    """The newest of some known profiles and of anonymous ones that stand newest first."""
    newest = unnamed[0] if unnamed else known[0]
    for profile in known:
        if profile.created_seq > newest.created_seq:
            newest = profile
    return newest
