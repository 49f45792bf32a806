"""The core's look-ups, answered by the cache."""

from collections.abc import Sequence

from idsync_cli.core.config.rules import ScopeRules
from idsync_cli.core.data.values import Alias
from idsync_cli.core.identity import Identifier, IdentityType
from idsync_cli.core.lookup import CarriedOut, Lookup
from idsync_cli.core.profile import ProfileView
from idsync_cli.store.sqlite.cache.aliases import Aliases
from idsync_cli.store.sqlite.cache.batch_ids import ERASED, UNKNOWN, BatchIds
from idsync_cli.store.sqlite.cache.cached_profiles import CachedProfile, Scope
from idsync_cli.store.sqlite.cache.profile_cache import ProfileCache


class CachedLookup(Lookup):
    """Look-ups in one scope under some rules; the scope is None if the store does not have it."""

    __slots__ = ("_aliases", "_batch_ids", "_cache", "_scope", "rules")

    def __init__(
        self,
        cache: ProfileCache,
        batch_ids: BatchIds,
        aliases: Aliases,
        scope: Scope | None,
        rules: ScopeRules,
    ) -> None:
        self._cache = cache
        self._aliases = aliases
        self._batch_ids = batch_ids
        self._scope = scope
        self.rules = rules

    def known(self, identifier: Identifier, limit: int | None = None) -> Sequence[ProfileView]:
        """Known profiles of the scope that hold exactly this identifier, at most `limit`."""
        scope = self._scope
        if scope is None:
            return ()
        found = self._cache.known(scope, identifier, limit)
        return [each.view() for each in found] if found else ()

    def anonymous(
        self,
        identifiers: Sequence[Identifier],
        limit: int | None = None,
        lacking: Identifier | None = None,
    ) -> Sequence[ProfileView]:
        """Anonymous profiles that hold all the identifiers: newest first, at most `limit`."""
        scope = self._scope
        if scope is None:
            return ()
        if len(identifiers) > 1 or lacking is not None:
            found = self._cache.anonymous_with_all(scope, identifiers, limit, lacking)
            return [each.view() for each in found]
        found = self._cache.anonymous(scope, identifiers[0], limit)
        if len(found) <= 1:
            return [found[0].view()] if found else ()
        return [each.view() for each in reversed(found)]

    def count_known(self, identifier: Identifier, limit: int, types: int | None = None) -> int:
        """How many `known` finds; with `types`, how many of them have a bit of these."""
        scope = self._scope
        if scope is None:
            return 0
        found = self._cache.known(scope, identifier, limit)
        if types is None:
            return len(found)
        count = 0
        for each in found:
            if each.types & types:
                count += 1
        return count

    def count_anonymous(self, identifiers: Sequence[Identifier], limit: int) -> int:
        """How many `anonymous` finds."""
        scope = self._scope
        if scope is None:
            return 0
        if len(identifiers) > 1:
            return len(self._cache.anonymous_with_all(scope, identifiers, limit, None))
        return len(self._cache.anonymous(scope, identifiers[0], limit))

    def profile(self, mpid: int) -> ProfileView | None:
        """The profile of the scope that has the MPID."""
        profile = self._cache.profile(mpid)
        return profile.view() if profile is not None and profile.scope is self._scope else None

    def holds(self, profile: ProfileView, identifier: Identifier) -> bool:
        """Whether a profile of the scope holds exactly this identifier."""
        return self._cache.holds(self._cache.at(profile.created_seq), identifier)

    def values_of(self, profile: ProfileView, identity_type: IdentityType) -> Sequence[str]:
        """The values of one type that a profile of the scope holds, oldest first."""
        return self._cache.values_of(self._cache.at(profile.created_seq), identity_type)

    def identifiers_of(self, profile: ProfileView) -> tuple[Identifier, ...]:
        """All that a profile of the scope holds, in the order in which it was added."""
        return self._cache.identifiers_of(self._cache.at(profile.created_seq))

    def was_given_out(self, mpid: int) -> bool:
        """Whether any profile of the whole store has, or ever had, the MPID."""
        return self._cache.was_given_out(mpid)

    def carried_out(self, digest: bytes) -> CarriedOut | None:
        """The batch whose id the digest stands for, if it was carried out."""
        created_seq = self._batch_ids.profile_of(digest)
        if created_seq == UNKNOWN:
            return None
        if created_seq == ERASED:
            return CarriedOut(None)
        return CarriedOut(self._cache.at(created_seq).view())

    def aliases_from(self, profile: ProfileView) -> Sequence[Alias]:
        """The aliases of which a profile of the scope is the source, oldest first."""
        return self._aliases.by_source(profile.created_seq)

    def aliases_to(self, profile: ProfileView) -> Sequence[Alias]:
        """The aliases of which a profile of the scope is the destination, oldest first."""
        return self._aliases.by_destination(profile.created_seq)

    def count_events(self, profile: ProfileView, start_ms: int, end_ms: int) -> int:
        """How many events a profile of the scope has from one time to another, both included."""
        return self._aliases.count_events(profile.created_seq, start_ms, end_ms)


class JudgingLookup(CachedLookup):
    """The same under rules with other login types than `holders` was last written for.

    Then every holder has to be judged, known or not.
    """

    def known(self, identifier: Identifier, limit: int | None = None) -> Sequence[ProfileView]:
        """Known profiles of the scope that hold exactly this identifier, at most `limit`."""
        return [each.view() for each in self._judged(identifier, known=True)[:limit]]

    def anonymous(
        self,
        identifiers: Sequence[Identifier],
        limit: int | None = None,
        lacking: Identifier | None = None,
    ) -> Sequence[ProfileView]:
        """Anonymous profiles that hold all the identifiers: newest first, at most `limit`."""
        cache = self._cache
        first, *others = identifiers
        judged = [
            each
            for each in self._judged(first, known=False)
            if all(cache.holds(each, other) for other in others)
            and not (lacking and cache.holds(each, lacking))
        ]
        return [each.view() for each in judged[:limit]]

    def count_known(self, identifier: Identifier, limit: int, types: int | None = None) -> int:
        """How many `known` finds; with `types`, how many of them have a bit of these."""
        return Lookup.count_known(self, identifier, limit, types)

    def count_anonymous(self, identifiers: Sequence[Identifier], limit: int) -> int:
        """How many `anonymous` finds."""
        return Lookup.count_anonymous(self, identifiers, limit)

    def _judged(self, identifier: Identifier, *, known: bool) -> list[CachedProfile]:
        """The holders that are known, or anonymous, by the rules: newest first."""
        scope, cache = self._scope, self._cache
        if scope is None:
            return []
        everyone = cache.known(scope, identifier, None)
        everyone = everyone + cache.anonymous(scope, identifier, None)
        found = [each for each in everyone if self.rules.is_known(each.view()) is known]
        return sorted(found, key=_newest_first)


def lookup(
    cache: ProfileCache,
    batch_ids: BatchIds,
    aliases: Aliases,
    scope: Scope | None,
    rules: ScopeRules,
) -> CachedLookup:
    """Look-ups in a scope under some rules."""
    if scope is None or scope.login_bits == rules.login_bits:
        return CachedLookup(cache, batch_ids, aliases, scope, rules)
    return JudgingLookup(cache, batch_ids, aliases, scope, rules)


def _newest_first(profile: CachedProfile) -> int:
    return -profile.created_seq
