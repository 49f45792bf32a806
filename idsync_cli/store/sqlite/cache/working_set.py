"""What is in memory of a store, and which of it is let go when it becomes too much."""

from idsync_cli.core.identity import Identifier
from idsync_cli.store.sqlite.cache.bloom_filter import BloomFilter
from idsync_cli.store.sqlite.cache.cached_profiles import (
    TYPES,
    CachedIdentifier,
    CachedProfile,
    Scope,
)
from idsync_cli.store.sqlite.cache.pending import PendingChanges
from idsync_cli.store.sqlite.rows.checksums import NO_TIME, ProfileRow

_REMEMBERED = 300_000
"""How many profiles and identifiers are kept in memory before some of them are dropped."""

_GENERATIONS = 8
"""A generation ends after this share of them; what was not named lately goes first."""


class WorkingSet:
    """The profiles and identifiers that are in memory: there are never two of one.

    `profiles` has them by the request that made each, `by_mpid` by their MPIDs, `by_number` the
    identifiers by their numbers in the tables. A scope has its own identifiers by their values.
    """

    def __init__(self, pending: PendingChanges) -> None:
        self.profiles: dict[int, CachedProfile] = {}
        self.by_mpid: dict[int, CachedProfile] = {}
        self.by_number: dict[int, CachedIdentifier] = {}
        self.generation = 0
        self._pending = pending
        self._scopes: dict[int, Scope] = {}
        self._most = _REMEMBERED
        self._in_a_generation = _REMEMBERED // _GENERATIONS
        self._identifier_count = self._generation_began = 0
        self._bloom_filter: BloomFilter | None = None

    def add_scope(self, number: int, login_bits: int) -> Scope:
        """Take in a scope that the store has, or is about to have."""
        scope = self._scopes[number] = Scope(number, login_bits)
        return scope

    def expect_many(self) -> None:
        """Prepare for many identifiers that the store, which has none, has never seen."""
        self._bloom_filter = BloomFilter()

    def may_be_stored(self, identifier: Identifier) -> bool:
        """Whether the tables may have an identifier; of most new ones it is known that not."""
        return self._bloom_filter is None or self._bloom_filter.may_have(identifier.value)

    def add_profile(self, profile: CachedProfile) -> None:
        """Take in a profile that was just created."""
        self.profiles[profile.created_seq] = self.by_mpid[profile.mpid] = profile

    def profile_of(self, row: ProfileRow) -> CachedProfile:
        """The profile of a row of the tables."""
        created_seq = row[0]
        profile = self.profiles.get(created_seq)
        if profile is None:
            _, mpid, scope_id, source_mpid, known_seq, types, first, last = row
            scope = self._scopes.get(scope_id) or self.add_scope(scope_id, 0)
            profile = CachedProfile(
                created_seq, mpid, scope, source_mpid, known_seq, types,
                NO_TIME if first is None else first, NO_TIME if last is None else last,
            )  # fmt: skip
            self.profiles[created_seq] = self.by_mpid[mpid] = profile
        return profile

    def add_identifier(self, scope: Scope, identifier: Identifier) -> CachedIdentifier:
        """Take in an identifier of a scope, of which nothing has been read yet."""
        cached = CachedIdentifier(identifier, self.generation)
        scope.identifiers[identifier.order][identifier.value] = cached
        self._identifier_count += 1
        return cached

    def give_number(self, cached: CachedIdentifier, number: int) -> None:
        """Give an identifier that the tables lack the number that it will have there."""
        cached.identifier_id = number
        self.by_number[number] = cached
        if self._bloom_filter is not None:
            self._bloom_filter.add(cached.identifier.value)

    def found_number(self, cached: CachedIdentifier, number: int) -> None:
        """Note the number that an identifier has in the tables; its holders are not read yet."""
        cached.identifier_id = number
        cached.is_whole = False
        self.by_number[number] = cached

    def clear(self) -> None:
        """Begin with nothing in memory; all that was changed must have been written."""
        self.profiles = {}
        self.by_mpid = {}
        self.by_number = {}
        for scope in self._scopes.values():
            scope.identifiers = [{} for _ in TYPES]
        self._identifier_count = self._generation_began = 0
        self._pending.clear()

    def trim(self) -> None:
        """Between two requests: drop something, once there is too much of it in memory."""
        if self._identifier_count - self._generation_began > self._in_a_generation:
            self.generation += 1
            self._generation_began = self._identifier_count
        if len(self.profiles) + self._identifier_count <= self._most:
            return
        if self._pending.handed_over.goes_on:
            if not self._pending.exist:  # else it has to wait for the next batch
                self._shed()
            return
        self._pending.write()
        self._shed()
        if len(self.profiles) + self._identifier_count > self._most:
            self.clear()

    def _shed(self) -> None:
        """Drop what was written, and not named in this generation or the one before.

        Nothing may have changed since the last batch was handed over. A profile stays as long as
        one of its identifiers does, so that there are never two of one.
        """
        oldest, under_way = self.generation - 1, self._pending.handed_over.numbers
        everyone, self.profiles, self.by_mpid = self.profiles, {}, {}
        self.by_number = {}
        self._identifier_count = 0
        for scope in self._scopes.values():
            kept: list[dict[str, CachedIdentifier]] = [{} for _ in TYPES]
            for type_id, by_value in enumerate(scope.identifiers):
                for value, cached in by_value.items():
                    number = cached.identifier_id
                    if cached.generation >= oldest or (number is not None and number in under_way):
                        kept[type_id][value] = cached
                        self._keep(cached)
            scope.identifiers = kept
        for seq in self._pending.handed_over.profiles:
            self.add_profile(everyone[seq])
        self._generation_began = self._identifier_count

    def _keep(self, cached: CachedIdentifier) -> None:
        self._identifier_count += 1
        if cached.identifier_id is not None:
            self.by_number[cached.identifier_id] = cached
        if cached.only is not None:
            self.add_profile(cached.only)
        for holder_list in (cached.known, cached.anonymous):
            if holder_list is not None:
                for profile in holder_list.holders:
                    self.add_profile(profile)
