"""Reading what many requests name at once, in a few statements."""

from collections.abc import Iterable

from idsync_cli.core.config.rules import ScopeRules
from idsync_cli.core.identity import Identifier
from idsync_cli.store.sqlite.cache.cached_profiles import (
    TYPES,
    CachedIdentifier,
    CachedProfile,
    HolderRow,
    Scope,
)
from idsync_cli.store.sqlite.cache.pending import PendingChanges
from idsync_cli.store.sqlite.cache.profile_cache import ProfileCache
from idsync_cli.store.sqlite.cache.tables import NEWEST, Tables
from idsync_cli.store.sqlite.cache.working_set import WorkingSet
from idsync_cli.store.sqlite.rows.checksums import hash_behind


class Prefetch:
    """Reads the tables for a batch of requests, so that their look-ups find it in memory.

    Of each identifier it reads the number and the newest holders, of each profile that will
    probably be asked about what it holds.
    """

    __slots__ = ("_cache", "_memory", "_pending", "_tables")

    def __init__(
        self, tables: Tables, memory: WorkingSet, pending: PendingChanges, cache: ProfileCache
    ) -> None:
        self._tables = tables
        self._memory = memory
        self._pending = pending
        self._cache = cache

    def read(
        self,
        scope: Scope,
        identifiers: Iterable[Identifier],
        mpids: Iterable[int],
        rules: ScopeRules,
    ) -> None:
        """Read what requests of a scope name.

        Raises:
            TablesBehind: the tables lack some of it, which another process has yet to write.
        """
        anonymous_of: list[int] = []
        known_of: list[int] = []
        for cached, number in self._numbers(scope, identifiers):
            self._memory.found_number(cached, number)
            anonymous_of.append(number)
            settings = rules.settings_of(cached.identifier.type)
            if settings.login or settings.unique:
                known_of.append(number)
        likely = self._read_holders(anonymous_of, known=False)
        likely += self._read_holders(known_of, known=True)
        wanted = [mpid for mpid in mpids if mpid not in self._memory.by_mpid]
        if wanted:
            likely += [self._memory.profile_of(row) for row in self._tables.profiles(wanted)]
        self._read_held(likely)

    def _numbers(
        self, scope: Scope, identifiers: Iterable[Identifier]
    ) -> list[tuple[CachedIdentifier, int]]:
        """Identifiers that were not in memory, and the number of each, if the tables have it."""
        unread: dict[int, CachedIdentifier] = {}
        same_hash: list[CachedIdentifier] = []
        by_type = scope.identifiers
        for identifier in identifiers:
            if identifier.value in by_type[identifier.order]:
                continue
            cached = self._memory.add_identifier(scope, identifier)
            if not self._memory.may_be_stored(identifier):
                continue
            its_hash = hash_behind(scope.prefixes[identifier.order], identifier.value)
            if its_hash in unread:
                same_hash.append(cached)
            else:
                unread[its_hash] = cached
        found: list[tuple[CachedIdentifier, int]] = []
        if unread:
            for its_hash, its_scope, type_id, value, number in self._tables.identifiers_by_hash(
                unread
            ):
                cached = unread[its_hash]
                if its_scope == scope.number and cached.identifier == Identifier(
                    TYPES[type_id], value
                ):
                    found.append((cached, number))
        for cached in same_hash:
            self._cache.find_number(scope, cached)
        return found

    def _read_holders(self, numbers: list[int], *, known: bool) -> list[CachedProfile]:
        """Read the newest holders of each identifier, and give the two newest of each."""
        if not numbers:
            return []
        self._pending.handed_over.check_written(numbers)
        if not self._pending.moved_unread.isdisjoint(numbers):
            self._pending.write()
        lists = {number: self._memory.by_number[number].holder_list(known) for number in numbers}
        for number, row in self._tables.holders_of_each(numbers, known=known):
            lists[number].holders.append(self._memory.profile_of(row))
        newest: list[CachedProfile] = []
        for holder_list in lists.values():
            holders = holder_list.holders
            holder_list.floor = 0 if len(holders) < NEWEST else holders[0].created_seq
            newest += holders[-2:]
        return newest

    def _read_held(self, profiles: list[CachedProfile]) -> None:
        """Read which identifiers each profile holds."""
        unread = {
            each.created_seq: each
            for each in profiles
            if not each.is_read and not self._pending.has_profile(each)
        }
        if not unread:
            return
        for profile in unread.values():
            profile.is_read = True
        for seq, number, type_id, added_seq, place in self._tables.held_by_each(unread):
            profile = unread[seq]
            profile.newest = HolderRow(number, type_id, added_seq, place, profile.newest)
