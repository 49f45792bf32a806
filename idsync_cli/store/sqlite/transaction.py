"""A transaction of a SQLite store: look-ups, applying decisions, and writing the rows."""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from idsync_cli.core.codes import Import, Op, Status
from idsync_cli.core.config.rules import ScopeRules
from idsync_cli.core.decision import Decision
from idsync_cli.core.erasure import Erasure, ErasureReport
from idsync_cli.core.identity import Identifier
from idsync_cli.core.profile import Profile, ProfileView
from idsync_cli.store.sqlite.cache.aliases import Aliases
from idsync_cli.store.sqlite.cache.applying import Applying
from idsync_cli.store.sqlite.cache.batch_ids import BatchIds
from idsync_cli.store.sqlite.cache.cached_profiles import Scope
from idsync_cli.store.sqlite.cache.edits import Edits
from idsync_cli.store.sqlite.cache.handed_over import TablesBehind
from idsync_cli.store.sqlite.cache.lookup import CachedLookup, lookup
from idsync_cli.store.sqlite.cache.pending import PendingChanges
from idsync_cli.store.sqlite.cache.pending_requests import PendingRequests
from idsync_cli.store.sqlite.cache.prefetch import Prefetch
from idsync_cli.store.sqlite.cache.profile_cache import ProfileCache
from idsync_cli.store.sqlite.cache.tables import Tables
from idsync_cli.store.sqlite.cache.working_set import WorkingSet
from idsync_cli.store.sqlite.erasing import entries
from idsync_cli.store.sqlite.erasing.traces import Traces
from idsync_cli.store.sqlite.questions import SqliteQuestions
from idsync_cli.store.sqlite.rows.batch import RowBatch, Rows, RowWriter
from idsync_cli.store.values import RequestEntry

if TYPE_CHECKING:
    from idsync_cli.core.records import DataRecord, TimesRecord
    from idsync_cli.store.counting import Counting
    from idsync_cli.store.inspection import Inspection
    from idsync_cli.store.links import Links
    from idsync_cli.store.sqlite.cache.imports import RecordInserts

_ADD: Final = Op.ADD
_ERASED: Final = Status.ERASED
_BEGIN = "SELECT seed, last_seq, scope_id, name, login_types FROM store LEFT JOIN scopes"


class SqliteTransaction(SqliteQuestions):
    """A SQLite store in a transaction.

    What was read serves the transactions that follow, as long as nobody else writes and none is
    rolled back.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        super().__init__(connection)
        self._scopes: dict[str, Scope] = {}
        self._names: dict[int, str] = {}  # of scopes, by their numbers, as far as asked for
        self._tables = tables = Tables(connection)
        self._pending = pending = PendingChanges(connection)
        self._memory = memory = WorkingSet(pending)
        self._cache = cache = ProfileCache(tables, memory, pending)
        self._batch_ids = batch_ids = BatchIds(tables)
        self._aliases = aliases = Aliases(connection, self._bring_up_to_date)
        self._prefetch = Prefetch(tables, memory, pending, cache)
        self._edits = edits = Edits(tables, memory, pending, cache)
        self._requests = requests = PendingRequests(connection)
        self._batch = RowBatch()  # what else is yet to be written: scopes, data and rules
        self._applying = Applying(
            connection, memory, cache, edits, requests, batch_ids, aliases, self._batch.data
        )
        self._import: RecordInserts | None = None  # is made when records come in
        self._seed = ""
        self._found_seq = 0
        rows: list[tuple[str, int, int | None, str | None, int | None]]
        rows = connection.execute(_BEGIN).fetchall()
        for self._seed, self._found_seq, number, name, bits in rows:
            if number is not None and name is not None and bits is not None:
                self._scopes[name] = memory.add_scope(number, bits)
        self._last_seq = self._found_seq
        self._remembers_rules = False
        self._writer = RowWriter(connection)
        self._traces = Traces(connection)
        self._lookups: dict[str, CachedLookup] = {}
        self._has_applied = False  # something that has yet to be written

    def begin(self) -> None:
        """Another transaction begins, on the store as the last one left it."""
        self._remembers_rules = False
        self._cache.new_mpids_are_free = False
        self._memory.trim()

    def expect_many(self, *, keeps_history: bool = True) -> None:
        """Prepare for many identifiers that the store has never seen.

        Without a history, that of attributes and aliases alone is entered.
        """
        self._applying.enters_all = self._pending.keeps_past = keeps_history
        if self._tables.highest_identifier() == 0:
            self._memory.expect_many()
        self._batch_ids.expect_many()

    def hand_over(self) -> None:
        """From now on others write what is taken from here (store/sqlite/ahead.py)."""
        self._pending.handed_over.goes_on = True

    @property
    def has_changes(self) -> bool:
        """Whether there is anything that has yet to be written."""
        batch = self._batch
        pending = self._pending.exist or self._requests.exist
        return pending or self._last_seq != self._found_seq or bool(batch.scopes or batch.rules)

    @property
    def last_seq(self) -> int:
        """The highest sequence number that was taken; 0 in a new store (section 7)."""
        return self._last_seq

    @property
    def seed(self) -> int:
        """The seed of the store (section 7)."""
        return int(self._seed)

    def advance_to(self, seq: int) -> None:
        """Let a sequence number, not below `last_seq`, be the highest that was taken."""
        self._last_seq = seq

    def lookup(self, scope: str, rules: ScopeRules) -> CachedLookup:
        """What is known about a scope under its rules; it need not have any profile."""
        found = self._lookups.get(scope)
        if found is None or found.rules is not rules:
            its = self._scopes.get(scope)
            found = lookup(self._cache, self._batch_ids, self._aliases, its, rules)
            if its is not None:
                self._lookups[scope] = found
        return found

    @property
    def new_mpids_are_free(self) -> bool:
        """Whether new MPIDs are taken to be free; else the store is asked (see `ProfileCache`)."""
        return self._cache.new_mpids_are_free

    @new_mpids_are_free.setter
    def new_mpids_are_free(self, taken_to_be: bool) -> None:
        self._cache.new_mpids_are_free = taken_to_be

    def stale_scopes(self, rules: Mapping[str, ScopeRules]) -> tuple[str, ...]:
        """The scopes that were written under other login types than those of these rules."""
        return tuple(
            [
                name
                for name, its_rules in rules.items()
                if name in self._scopes and self._scopes[name].login_bits != its_rules.login_bits
            ]
        )

    def align(self, rules: Mapping[str, ScopeRules]) -> tuple[str, ...]:
        """Let `holders` tell known from anonymous by these rules; give the scopes where it did not.

        Nothing needs to be done unless a scope has other login types than when it was written.
        """
        stale = self.stale_scopes(rules)
        if not stale:
            return ()
        from idsync_cli.store.sqlite.cache.alignment import align_holders

        for name in stale:
            align_holders(self.connection, self._scopes[name], name, rules[name].login_bits)
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
        its = self._scopes.get(scope)
        if its is not None:
            self._prefetch.read(its, identifiers, mpids, rules)
        self._batch_ids.look_up(digests)

    def apply(self, decision: Decision, scope: str, rules: ScopeRules, entry: RequestEntry) -> None:
        """Keep what was decided, and that it was; all of it is written by `write`."""
        self._has_applied = True
        if decision.status is _ERASED:
            answered = decision.profile
            assert answered is not None
            self.erase(Erasure(answered.mpid, entry.seq, scope, entry.time_ms, entry.request_id))
            return
        its = self._scope(scope, rules)
        self._applying.apply(decision, its, entry)

    def _bring_up_to_date(self) -> None:
        """Write everything that was decided, so that the tables have it.

        Raises:
            TablesBehind: that is left to another process.
        """
        handed_over = self._pending.handed_over
        if handed_over.goes_on:
            handed_over.check_all_written(has_changes=self.has_changes)
        else:
            self.write()

    def insert(self, scope: str, profile: Profile, rules: ScopeRules, time_ms: int | None) -> None:
        """Add a whole profile to a scope; with a time it is entered in the history."""
        seq, edits, its = profile.created_seq, self._edits, self._scope(scope, rules)
        cached = edits.create(seq, profile.mpid, its, profile.source_mpid)
        edits.leave(cached, profile.types, profile.was_known, seq)
        if time_ms is not None:
            edits.store(cached, time_ms)
        numbers: list[int] = []
        for place, identifier in enumerate(profile.identifiers, start=1):
            numbers += (place, 1, seq, edits.add(cached, identifier, seq, place))
        if time_ms is not None:
            by = Import.IMPORT
            outcome = self._requests.outcome_id((its.number, by, Status.CREATED, by, None))
            self._requests.add([seq, time_ms, outcome, seq, *numbers])
        self._memory.trim()

    def survey(self, erasure: Erasure) -> ErasureReport:
        """What the erasure of a profile, which is there, would take away, and has to name.

        Raises:
            TablesBehind: another process has yet to write what the tables lack.
        """
        from idsync_cli.store.sqlite.erasing import removal

        self._write_here()
        return removal.survey(self.connection, self._traces, erasure)

    def insert_record(self, record: "TimesRecord | DataRecord", time_ms: int) -> bool:
        """Add something that an export has of a profile; whether there was none like it."""
        return self._record_import().insert(record, time_ms)

    @property
    def other_batch_keys(self) -> Sequence[bytes]:
        """Keys of other stores under which digests of batches' ids came from there."""
        return self._record_import().writer.other_batch_keys

    def _record_import(self) -> "RecordInserts":
        if self._import is None:
            from idsync_cli.store.sqlite.cache.imports import RecordInserts

            self._import = RecordInserts(
                self.connection,
                self._seed,
                self._cache,
                self._edits,
                self._batch_ids,
                self._aliases,
                self._requests,
                self.is_taken,
            )
        return self._import

    def view(self, mpid: int) -> tuple[str, ProfileView] | None:
        """The profile that has the MPID, without what it holds, with its scope."""
        found = self._cache.profile(mpid)
        if found is None:
            return None
        number = found.scope.number
        if number not in self._names:
            self._names = {each.number: name for name, each in self._scopes.items()}
        return self._names[number], found.view()

    def insert_erasure(self, erasure: Erasure) -> None:
        """Enter an erasure that was carried out elsewhere: its MPID stays taken."""
        self.write()
        entries.enter(self.connection, erasure, None)

    def erase(self, erasure: Erasure) -> None:
        """Let nothing be left of a profile, which is there, but its erasure.

        Raises:
            TablesBehind: another process has yet to write what the tables lack.
        """
        from idsync_cli.store.sqlite.erasing import removal

        self._write_here()
        removal.remove(self.connection, self._traces, erasure)
        self._memory.clear()
        self._batch_ids.forget()
        self._aliases.forget()
        self._lookups = {}

    def _write_here(self) -> None:
        """Write everything that was decided; no other process may have been given any of it.

        Raises:
            TablesBehind: another process has.
        """
        if self._pending.handed_over.goes_on:
            raise TablesBehind
        self.write()

    def is_taken(self, seq: int) -> bool:
        """Whether a profile was created, or anything changed, under the sequence number."""
        if self._has_applied:
            self.write()
        [taken] = self.connection.execute(
            "SELECT EXISTS (SELECT * FROM requests WHERE seq = ?1)"
            " OR EXISTS (SELECT * FROM profiles WHERE created_seq = ?1)"
            " OR EXISTS (SELECT * FROM erasures WHERE seq = ?1)",
            (seq,),
        ).fetchone()
        return bool(taken) or seq in self._memory.profiles

    def flush(self) -> None:
        """Write now, so that what is left is to commit.

        Raises:
            MpidTaken: a new MPID was taken to be free, and is not.
        """
        self.write()

    @property
    def remembers_rules(self) -> bool:
        """Whether `remember_rules` was called in this transaction."""
        return self._remembers_rules

    def remember_rules(self, rules: Mapping[str, str]) -> None:
        """Remember the rules of each scope, if they have changed."""
        self._remembers_rules = True
        if self.remembered_rules() != rules:
            self._batch.rules = dict(rules)

    def remembered_rules(self) -> dict[str, str]:
        """The rules of each scope, as the last request that changed the store had them."""
        if self._batch.rules is not None:
            return dict(self._batch.rules)
        return dict(self.connection.execute("SELECT scope, rules FROM rules"))

    def inspection(self) -> "Inspection":
        """Questions about single profiles and identifiers, until something is changed."""
        from idsync_cli.store.sqlite.looking.inspection import SqliteInspection

        self.write()
        return SqliteInspection(self)

    def counting(self) -> "Counting":
        """How many there are of what, until something is changed."""
        from idsync_cli.store.sqlite.looking.counting import SqliteCounting

        self.write()
        return SqliteCounting(self)

    def links(self) -> "Links":
        """Which profiles hold, or once held, which identifiers, until something is changed."""
        from idsync_cli.store.sqlite.looking.links import SqliteLinks

        self.write()
        return SqliteLinks(self)

    def write(self) -> None:
        """Write all that was changed, and the sequence number reached, if it was advanced."""
        if self.has_changes:
            self.write_rows(Rows(self.take()))

    def take(self) -> RowBatch:
        """All that was changed and has yet to be written; from now on it counts as written."""
        batch = self._batch
        self._has_applied = False
        self._pending.give_to(batch)
        self._batch_ids.hand_over()
        self._requests.give_to(batch)
        if self._last_seq != self._found_seq:
            batch.last_seq = self._found_seq = self._last_seq
        self._batch = RowBatch()
        self._applying.data = self._batch.data
        return batch

    def write_rows(self, rows: Rows) -> None:
        """Write what was taken, from here or from a transaction of another process."""
        self._writer.write(rows, self._seed)
        self._traces.forget_latest()

    def close(self) -> None:
        """Drop all that was read, which refers to itself in circles."""
        self._memory.clear()

    def _scope(self, name: str, rules: ScopeRules) -> Scope:
        scope = self._scopes.get(name)
        if scope is None:
            number = max([each.number for each in self._scopes.values()], default=0) + 1
            scope = self._scopes[name] = self._memory.add_scope(number, rules.login_bits)
            self._batch.scopes.append((number, name, scope.login_bits))
        return scope
