"""What the core asks of a store in memory."""

from collections.abc import Sequence

from idsync_cli.core.config.rules import ScopeRules
from idsync_cli.core.data.values import Alias
from idsync_cli.core.identity import Identifier, IdentityType
from idsync_cli.core.lookup import CarriedOut, Lookup
from idsync_cli.core.profile import ProfileView
from idsync_cli.store.memory.world import KeptProfile, World


class MemoryLookup(Lookup):
    """What the rules ask about one scope; who is known is judged profile by profile."""

    __slots__ = ("_rules", "_scope", "_world")

    def __init__(self, world: World, scope: str, rules: ScopeRules) -> None:
        self._world = world
        self._scope = scope
        self._rules = rules

    def known(self, identifier: Identifier, limit: int | None = None) -> Sequence[ProfileView]:
        """Known profiles of the scope that hold exactly this identifier; the newest `limit`."""
        rules = self._rules
        return self._newest(
            [each for each in self._holding(identifier) if rules.is_known(each.view)], limit
        )

    def anonymous(
        self,
        identifiers: Sequence[Identifier],
        limit: int | None = None,
        lacking: Identifier | None = None,
    ) -> Sequence[ProfileView]:
        """Anonymous profiles that hold all the identifiers: newest first, at most `limit`."""
        rules = self._rules
        found = [each for each in self._holding(identifiers[0]) if not rules.is_known(each.view)]
        for other in identifiers[1:]:
            found = [each for each in found if other in each.held]
        if lacking is not None:
            found = [each for each in found if lacking not in each.held]
        return self._newest(found, limit)

    def profile(self, mpid: int) -> ProfileView | None:
        """The profile of the scope that has the MPID."""
        kept = self._world.profiles.get(mpid)
        return kept.view if kept is not None and kept.scope == self._scope else None

    def holds(self, profile: ProfileView, identifier: Identifier) -> bool:
        """Whether a profile of the scope holds exactly this identifier."""
        return identifier in self.identifiers_of(profile)

    def values_of(self, profile: ProfileView, identity_type: IdentityType) -> Sequence[str]:
        """The values of one type that a profile of the scope holds, oldest first."""
        held = self.identifiers_of(profile)
        return [each.value for each in held if each.type is identity_type]

    def identifiers_of(self, profile: ProfileView) -> tuple[Identifier, ...]:
        """All that a profile of the scope holds, in the order in which it was added."""
        return self._world.profiles[profile.mpid].held

    def was_given_out(self, mpid: int) -> bool:
        """Whether any profile of the whole store has the MPID, or had it until it was erased."""
        return mpid in self._world.profiles or mpid in self._world.erasures

    def carried_out(self, digest: bytes) -> CarriedOut | None:
        """The batch whose id the digest stands for, if it was carried out."""
        found = self._world.digests.get(digest)
        if found is None:
            return None
        return CarriedOut(None if found.mpid is None else self._world.profiles[found.mpid].view)

    def aliases_from(self, profile: ProfileView) -> Sequence[Alias]:
        """The aliases of which a profile of the scope is the source, oldest first."""
        return [each for each in self._world.aliases if each.source_mpid == profile.mpid]

    def aliases_to(self, profile: ProfileView) -> Sequence[Alias]:
        """The aliases of which a profile of the scope is the destination, oldest first."""
        return [each for each in self._world.aliases if each.destination_mpid == profile.mpid]

    def count_events(self, profile: ProfileView, start_ms: int, end_ms: int) -> int:
        """How many events a profile of the scope has from one time to another, both included."""
        its = [each for mpid, each in self._world.events if mpid == profile.mpid]
        return sum([start_ms <= each.time_ms <= end_ms for each in its])

    def _holding(self, identifier: Identifier) -> list[KeptProfile]:
        return self._world.holding(self._scope, identifier)

    def _newest(self, oldest_first: list[KeptProfile], limit: int | None) -> list[ProfileView]:
        found = [each.view for each in reversed(oldest_first)]
        return found if limit is None else found[:limit]
