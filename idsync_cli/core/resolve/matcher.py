"""Who a request may be answered with, tier by tier (section 4, steps 2 and 3).

An identifier may have a million holders: a shared device, say, on which a million people signed in.
Two facts keep such a request as cheap as any other. A known profile is eligible only if the request
carries one of its login IDs, so it is looked up by that login ID and not among all the holders. And
all anonymous profiles are judged alike, so it is enough to look at the newest ones.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from mypy_extensions import mypyc_attr

from idsync_cli.core.codes import Reason, TierOutcome
from idsync_cli.core.decision import COUNTED_TO, NEAR_COUNTED_TO, DecidedBy, NearMiss, Tier
from idsync_cli.core.identity import TYPE_BITS, Identifier, IdentityType
from idsync_cli.core.lookup import Lookup
from idsync_cli.core.profile import ProfileView
from idsync_cli.core.resolve.request_shape import RequestShape
from idsync_cli.core.value import Value

_SEVERAL: Final = 2
"""So many candidates are as good as any higher number: one decides, two or more do not."""

_TOO_MANY: Final = COUNTED_TO + 1


@mypyc_attr(free_list_len=1)
class Match(Value):
    """The candidates that remain after the tiers were consulted.

    `newest` is the newest candidate, or None if there is none. If an identifier left only one,
    `decided_by` says which. Otherwise the candidates are the profiles of `known`, and all anonymous
    profiles that hold all of `anonymous_with`; if that is None, no anonymous profile is one.
    """

    __match_args__ = ("newest", "decided_by", "known", "anonymous_with", "tiers")
    __slots__ = __match_args__

    def __init__(
        self,
        newest: ProfileView | None = None,
        decided_by: DecidedBy | None = None,
        known: Sequence[ProfileView] = (),
        anonymous_with: Sequence[Identifier] | None = None,
        tiers: tuple[Tier, ...] = (),
    ) -> None:
        self.newest: Final = newest
        self.decided_by: Final = decided_by
        self.known: Final = known
        self.anonymous_with: Final = anonymous_with
        self.tiers: Final = tiers


@mypyc_attr(free_list_len=1)
class Matcher:
    """Finds the profiles that one request may be answered with.

    `identifiers` are those that step 1 keeps of the request's, in the order of step 5.
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

        With `explain`, the result has what every tier did. With `most`, no more tiers are asked
        than that many of those that the request carries.
        """
        shape, lookup = self.shape, self._lookup
        known: list[ProfileView] = self._eligible_known() if shape.login_types else []
        anonymous_with: tuple[Identifier, ...] | None = (
            () if shape.reason_of_the_anonymous is None else None
        )
        newest: ProfileView | None = None
        decided_by: DecidedBy | None = None
        explained: dict[IdentityType, Tier] = {}
        for number, identifier in enumerate(self.identifiers):
            requested = shape.requested_types[number]
            rank = requested.rank
            if rank is None or number == most:
                break  # behind the priority
            found = [each for each in known if lookup.holds(each, identifier)] if known else known
            narrower: tuple[Identifier, ...] | None = None
            anonymous: Sequence[ProfileView] = ()
            if anonymous_with is not None and not requested.is_login:  # its holders are known
                narrower = (*anonymous_with, identifier)
                anonymous = lookup.anonymous(narrower, _SEVERAL)
            count = len(found) + len(anonymous)
            before = (
                _Candidates(known, anonymous_with, exist=newest is not None) if explain else None
            )
            if count:
                known, anonymous_with = found, narrower if anonymous else None
                newest = _newest(found, anonymous)
            if before is not None:
                after = _Candidates(known, anonymous_with, exist=newest is not None)
                explained[requested.identity_type] = self._explained(
                    rank, identifier, before, after, found=count
                )
            if count == 1:
                decided_by = requested.decided_by
                break
        tiers = self._all_tiers(explained) if explain else ()
        return Match(newest, decided_by, known, anonymous_with, tiers)

    def is_candidate(self, match: Match, profile: ProfileView) -> bool:
        """Whether the profile is one of the remaining candidates."""
        if any(each.mpid == profile.mpid for each in match.known):
            return True
        anonymous_with = match.anonymous_with
        if not anonymous_with or self._rules.is_known(profile):
            return False
        return all(self._lookup.holds(profile, each) for each in anonymous_with)

    def near_misses(self) -> tuple[NearMiss, ...]:
        """Who holds what the request names in the priority, and may not be the answer (section 8).

        If an identifier has many holders, only the newest known and anonymous ones are counted.
        """
        found: list[NearMiss] = []
        for number, identifier in enumerate(self.identifiers):
            if self.shape.requested_types[number].rank is None:
                break  # behind the priority
            known = self._lookup.known(identifier, NEAR_COUNTED_TO)
            anonymous = self._lookup.anonymous((identifier,), NEAR_COUNTED_TO)
            counted = Counter(map(self.ineligibility, known))
            counted[self.shape.reason_of_the_anonymous] += len(anonymous)
            ineligible = {
                reason: min(counted[reason], NEAR_COUNTED_TO)
                for reason in Reason
                if counted[reason]
            }
            if ineligible:
                held_by = min(len(known) + len(anonymous), NEAR_COUNTED_TO)
                found.append(NearMiss(identifier, held_by, ineligible))
        return tuple(found)

    def consult_none(self, *, explain: bool = False) -> Match:
        """The result for a request that consults no tier (section 4, step 1)."""
        return Match(tiers=self._all_tiers({}) if explain else ())

    def _all_tiers(self, consulted: Mapping[IdentityType, Tier]) -> tuple[Tier, ...]:
        """A tier for every type of the priority, also for those that were passed over."""
        values = {identifier.type: identifier.value for identifier in self.identifiers}
        tiers = []
        for rank, kind in enumerate(self._rules.priority, start=1):
            outcome = TierOutcome.NOT_CONSULTED if kind in values else TierOutcome.NOT_IN_REQUEST
            settings = self._rules.settings_of(kind)
            passed_over = Tier(rank, kind, settings, outcome, value=values.get(kind))
            tiers.append(consulted.get(kind, passed_over))
        return tuple(tiers)

    def _explained(
        self,
        rank: int,
        identifier: Identifier,
        before: "_Candidates",
        after: "_Candidates",
        *,
        found: int,
    ) -> Tier:
        """What a tier did that found so many candidates (`found`, up to _SEVERAL)."""
        rules, lookup = self._rules, self._lookup
        known = lookup.known(identifier, _TOO_MANY)
        anonymous = len(lookup.anonymous((identifier,), _TOO_MANY))
        counted = Counter(map(self.ineligibility, known))
        # Only the newest holders were read, and those that are eligible may be older.
        named = sum([lookup.holds(each, identifier) for each in self._eligible_known()])
        counted[None] = max(counted[None], named)
        counted[self.shape.reason_of_the_anonymous] += anonymous
        remaining = self._count(after)
        outcome = self._outcome(identifier, before, after, found)
        return Tier(
            rank=rank,
            identity_type=identifier.type,
            settings=rules.settings_of(identifier.type),
            outcome=outcome,
            value=identifier.value,
            held_by=min(len(known) + anonymous, COUNTED_TO),
            eligible=min(counted[None], COUNTED_TO),
            ineligible={
                reason: min(counted[reason], COUNTED_TO) for reason in Reason if counted[reason]
            },
            candidates=min(remaining, COUNTED_TO),
            stopped_counting=max(len(known) + anonymous, remaining) > COUNTED_TO,
        )

    def _count(self, candidates: "_Candidates") -> int:
        if not candidates.exist:
            return 0
        anonymous_with = candidates.anonymous_with
        anonymous = self._lookup.anonymous(anonymous_with, _TOO_MANY) if anonymous_with else ()
        return len(candidates.known) + len(anonymous)

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
        if not before.anonymous_with:
            return TierOutcome.NO_EFFECT
        lost = self._lookup.anonymous(before.anonymous_with, 1, lacking=identifier)
        return TierOutcome.NARROWED if lost else TierOutcome.NO_EFFECT


class _Candidates(NamedTuple):
    """The candidates before or after a tier, as in `Match`.

    Until a tier finds somebody there are none (`exist`), and the next tier looks at all profiles.
    """

    known: Sequence[ProfileView]
    anonymous_with: Sequence[Identifier] | None
    exist: bool


def _newest(known: Sequence[ProfileView], anonymous: Sequence[ProfileView]) -> ProfileView:
    """The newest of known profiles in any order and anonymous ones, which come newest first."""
    newest = anonymous[0] if anonymous else known[0]
    for profile in known:
        if profile.created_seq > newest.created_seq:
            newest = profile
    return newest
