"""What the rules ask of a SQLite store, and what is in memory to answer it."""

import sqlite3
from abc import abstractmethod
from collections.abc import Iterable, Mapping

from idsync_cli.core.config.rules import ScopeRules
from idsync_cli.core.identity import Identifier
from idsync_cli.core.profile import ProfileView
from idsync_cli.store.sqlite.cache.aliases import Aliases
from idsync_cli.store.sqlite.cache.batch_ids import BatchIds
from idsync_cli.store.sqlite.cache.lookup import CachedLookup, lookup
from idsync_cli.store.sqlite.cache.pending import PendingChanges
from idsync_cli.store.sqlite.cache.prefetch import Prefetch
from idsync_cli.store.sqlite.cache.profile_cache import ProfileCache
from idsync_cli.store.sqlite.cache.scopes import Scopes
from idsync_cli.store.sqlite.cache.tables import Tables
from idsync_cli.store.sqlite.cache.working_set import WorkingSet
from idsync_cli.store.sqlite.questions import SqliteQuestions

_BEGIN = "SELECT seed, last_seq, scope_id, name, login_types FROM store LEFT JOIN scopes"


class SqliteLookups(SqliteQuestions):
    """A SQLite store that the rules ask.

    What was read serves the transactions that follow, as long as nobody else writes and none is
    rolled back.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        super().__init__(connection)
        self._tables = tables = Tables(connection)
        self._pending = pending = PendingChanges(connection)
        self._memory = memory = WorkingSet(pending)
        self._scopes = Scopes(memory)
        self._cache = ProfileCache(tables, memory, pending)
        self._batch_ids = BatchIds(tables)
        self._aliases = Aliases(connection, self._bring_up_to_date)
        self._prefetch = Prefetch(tables, memory, pending, self._cache)
        self._lookups: dict[str, CachedLookup] = {}
        self._seed = ""
        self._found_seq = 0
        rows: list[tuple[str, int, int | None, str | None, int | None]]
        rows = connection.execute(_BEGIN).fetchall()
        for self._seed, self._found_seq, number, name, bits in rows:
            if number is not None and name is not None and bits is not None:
                self._scopes.read(number, name, bits)

    @abstractmethod
    def _bring_up_to_date(self) -> None:
        """Write everything that was decided to the tables."""

    @property
    def seed(self) -> int:
        """The seed of the store (section 7)."""
        return int(self._seed)

    @property
    def new_mpids_are_free(self) -> bool:
        """Whether new MPIDs are taken to be free; else the store is asked (see `ProfileCache`)."""
        return self._cache.new_mpids_are_free

    @new_mpids_are_free.setter
    def new_mpids_are_free(self, taken_to_be: bool) -> None:
        self._cache.new_mpids_are_free = taken_to_be

    def lookup(self, scope: str, rules: ScopeRules) -> CachedLookup:
        """What is known about a scope under its rules; it need not have any profile."""
        found = self._lookups.get(scope)
        if found is None or found.rules is not rules:
            its = self._scopes.by_name.get(scope)
            found = lookup(self._cache, self._batch_ids, self._aliases, its, rules)
            if its is not None:
                self._lookups[scope] = found
        return found

    def view(self, mpid: int) -> tuple[str, ProfileView] | None:
        """The profile that has the MPID, without what it holds, with its scope."""
        found = self._cache.profile(mpid)
        if found is None:
            return None
        return self._scopes.name_of(found.scope), found.view()

    def stale_scopes(self, rules: Mapping[str, ScopeRules]) -> tuple[str, ...]:
        """The scopes that were written under other login types than those of these rules."""
        return self._scopes.stale(rules)

    def align(self, rules: Mapping[str, ScopeRules]) -> tuple[str, ...]:
        """Let `holders` tell known from anonymous by these rules; gives the scopes concerned.

        Nothing needs to be done unless a scope has other login types than when it was written.
        """
        stale = self.stale_scopes(rules)
        if not stale:
            return ()
        from idsync_cli.store.sqlite.cache.alignment import align_holders

        for name in stale:
            align_holders(self.connection, self._scopes.by_name[name], name, rules[name].login_bits)
            self._lookups.pop(name, None)
            self._memory.clear()  # what it knows of who is known is no longer so
        return stale

    def prefetch(
        self,
        scope: str,
        rules: ScopeRules,
        identifiers: Iterable[Identifier],
        mpids: Iterable[int],
        digests: Iterable[bytes] = (),
    ) -> None:
        """Read at once what look-ups of a scope will soon be about."""
        its = self._scopes.by_name.get(scope)
        if its is not None:
            self._prefetch.read(its, identifiers, mpids, rules)
        self._batch_ids.look_up(digests)
