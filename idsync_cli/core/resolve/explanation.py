"""What every tier did, and who came near: told beside the decision, never asked by it (section 8).

Every request to a server whose explorer is on is explained, and nearly none of these explanations
is looked at. So this asks of a store what the tiers did not ask already, and no holder one by one:
a known profile that none of the request's login IDs leads to is ineligible for a reason that its
types alone tell.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from idsync_cli.core.codes import Reason, TierOutcome
from idsync_cli.core.identity import Identifier
from idsync_cli.core.profile import ProfileView
from idsync_cli.core.resolve.eligibility import Eligibility, Named
from idsync_cli.core.tiers import COUNTED_TO, NEAR_COUNTED_TO, NONE_INELIGIBLE, NearMiss, Tier

SEVERAL: Final = 2
"""So many candidates are as good as any higher number: one decides, two or more do not."""

_TOO_MANY: Final = COUNTED_TO + 1
_REASONS: Final = tuple(Reason)
_LOGIN_PROTECTION: Final = Reason.LOGIN_PROTECTION
_IMMUTABLE_SEARCH: Final = Reason.IMMUTABLE_SEARCH
_IMMUTABLE_PROTECTION: Final = Reason.IMMUTABLE_PROTECTION


class Explanation:
    """What the tiers of one request did, one after another.

    `named` has all known profiles that a login ID of the request leads to, by MPID; whoever
    consults the tiers fills it before.
    """

    __slots__ = ("_candidates", "_request", "_tiers", "named")

    def __init__(self, request: Eligibility) -> None:
        self.named: dict[int, Named] = {}
        self._request = request
        self._candidates = 0  # after the tiers so far, up to _TOO_MANY
        self._tiers: list[Tier] = []

    def add(
        self,
        number: int,
        identifier: Identifier,
        found: Sequence[ProfileView],
        anonymous: Sequence[ProfileView],
        anonymous_with: tuple[Identifier, ...] | None,
        *,
        lost_known: bool,
    ) -> None:
        """Tell of the tier of an identifier, which was consulted.

        It found these known candidates, and these anonymous ones, up to SEVERAL. `lost_known` says
        that it did not find all known candidates there were. `anonymous_with` is what all anonymous
        candidates hold so far; it is None if there can be none, and empty before any tier has found
        somebody.
        """
        request = self._request
        shape, lookup = request.shape, request.lookup
        requested = shape.requested_types[number]
        its_anonymous, before, count = 0, self._candidates, len(found) + len(anonymous)
        if not requested.is_login:  # whose holders are known
            if anonymous_with is None or anonymous_with or len(anonymous) == SEVERAL:
                its_anonymous = lookup.count_anonymous((identifier,), _TOO_MANY)
            else:
                its_anonymous = len(anonymous)
        outcome = TierOutcome.NO_EFFECT
        if count == 1:
            outcome = TierOutcome.DECIDED
        elif count == 0:
            if before == 0:
                outcome = TierOutcome.NO_CANDIDATES
        elif (
            before == 0
            or lost_known
            or (anonymous_with and lookup.anonymous(anonymous_with, 1, lacking=identifier))
        ):
            outcome = TierOutcome.NARROWED
        if count:
            self._candidates = count
            if len(anonymous) == SEVERAL:
                more = its_anonymous
                if anonymous_with:
                    more = lookup.count_anonymous((*anonymous_with, identifier), _TOO_MANY)
                self._candidates = len(found) + more
        known, eligible, ineligible = self._holders(identifier, its_anonymous)
        assert requested.rank is not None
        self._tiers.append(
            Tier(
                requested.rank,
                requested.identity_type,
                requested.settings,
                outcome,
                identifier.value,
                min(known + its_anonymous, COUNTED_TO),
                min(eligible, COUNTED_TO),
                ineligible,
                min(self._candidates, COUNTED_TO),
                max(known + its_anonymous, self._candidates) > COUNTED_TO,
            )
        )

    def tiers(self) -> tuple[Tier, ...]:
        """A tier for every type of the priority, also for those that were passed over."""
        request, told = self._request, self._tiers
        shape = request.shape
        tiers = shape.tiers_not_in_request()
        for number, identifier in enumerate(request.identifiers):
            requested = shape.requested_types[number]
            rank = requested.rank
            if rank is None:
                break  # behind the priority
            if number < len(told):
                tiers[rank - 1] = told[number]
            else:
                kind, settings = requested.identity_type, requested.settings
                outcome = TierOutcome.NOT_CONSULTED
                tiers[rank - 1] = Tier(rank, kind, settings, outcome, identifier.value)
        return tuple(tiers)

    def _holders(
        self, identifier: Identifier, anonymous: int
    ) -> tuple[int, int, Mapping[Reason, int]]:
        """How many known profiles hold it; how many of all holders may be the answer, or why not.

        Only the counts by reason stop at COUNTED_TO.
        """
        request = self._request
        shape, lookup = request.shape, request.lookup
        counted: dict[Reason, int] = {}
        eligible = 0
        known = lookup.count_known(identifier, _TOO_MANY + len(self.named))
        if known:
            others, protected = known, 0
            bits = shape.immutable_bits
            if bits:
                protected = lookup.count_known(identifier, _TOO_MANY + len(self.named), bits)
            for profile, reason in self.named.values():
                if not lookup.holds(profile, identifier):
                    continue
                others -= 1
                if profile.types & bits:
                    protected -= 1
                if reason is None:
                    eligible += 1
                else:
                    _count(counted, reason, 1)
            if shape.wants_immutable_id:
                _count(counted, _IMMUTABLE_SEARCH, others)
            else:
                _count(counted, _IMMUTABLE_PROTECTION, protected)
                _count(counted, _LOGIN_PROTECTION, others - protected)
        if anonymous:
            why = shape.reason_of_the_anonymous
            if why is None:
                eligible += anonymous
            else:
                _count(counted, why, anonymous)
        return known, eligible, _in_order(counted, COUNTED_TO)


def near_misses(request: Eligibility) -> tuple[NearMiss, ...]:
    """Who holds what the request names in the priority, and may not be the answer (section 8)."""
    shape, lookup = request.shape, request.lookup
    why = shape.reason_of_the_anonymous
    found: list[NearMiss] = []
    for number, identifier in enumerate(request.identifiers):
        requested = shape.requested_types[number]
        if requested.rank is None:
            break  # behind the priority
        counted: dict[Reason, int] = {}
        known = lookup.known(identifier, NEAR_COUNTED_TO)
        for profile in known:
            reason = request.ineligibility(profile)
            if reason is not None:
                _count(counted, reason, 1)
        anonymous = 0
        if not requested.is_login:  # whose holders are known
            anonymous = lookup.count_anonymous((identifier,), NEAR_COUNTED_TO)
            if why is not None:
                _count(counted, why, anonymous)
        if counted:
            held_by = min(len(known) + anonymous, NEAR_COUNTED_TO)
            ineligible = _in_order(counted, NEAR_COUNTED_TO)
            found.append(NearMiss(identifier, held_by, ineligible))
    return tuple(found)


def _count(counted: dict[Reason, int], reason: Reason, more: int) -> None:
    if more > 0:
        counted[reason] = counted.get(reason, 0) + more


def _in_order(counted: dict[Reason, int], most: int) -> Mapping[Reason, int]:
    """Counts by reason, in the order of the reasons, none higher than `most`."""
    if not counted:
        return NONE_INELIGIBLE
    return {reason: min(counted[reason], most) for reason in _REASONS if reason in counted}
