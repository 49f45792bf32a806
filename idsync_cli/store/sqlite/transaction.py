"""A transaction of a SQLite store: applying what was decided, and writing the rows."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from idsync_cli.core.codes import Status
from idsync_cli.core.config.rules import ScopeRules
from idsync_cli.core.decision import Decision
from idsync_cli.core.erasure import Erasure, ErasureReport
from idsync_cli.core.profile import Profile
from idsync_cli.store.sqlite.cache.applying import Applying
from idsync_cli.store.sqlite.cache.cached_profiles import Scope
from idsync_cli.store.sqlite.cache.edits import Edits
from idsync_cli.store.sqlite.cache.everyone import ProfileWithTimes, everyone
from idsync_cli.store.sqlite.cache.handed_over import TablesBehind
from idsync_cli.store.sqlite.cache.inserts import Inserts
from idsync_cli.store.sqlite.cache.pending_requests import PendingRequests
from idsync_cli.store.sqlite.erasing import entries
from idsync_cli.store.sqlite.erasing.traces import Traces
from idsync_cli.store.sqlite.lookups import SqliteLookups
from idsync_cli.store.sqlite.rows.batch import RowBatch, Rows, RowWriter
from idsync_cli.store.values import RequestEntry

if TYPE_CHECKING:
    from idsync_cli.core.records import DataRecord, TimesRecord

_ERASED: Final = Status.ERASED


class SqliteTransaction(SqliteLookups):
    """A SQLite store in a transaction.

    What was read serves the transactions that follow, as long as nobody else writes and none is
    rolled back.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        super().__init__(connection)
        tables, memory, pending, cache = self._tables, self._memory, self._pending, self._cache
        batch_ids, aliases = self._batch_ids, self._aliases
        edits, requests = Edits(tables, memory, pending, cache), PendingRequests(connection)
        self._requests = requests
        self._batch = RowBatch()  # what else is yet to be written: scopes, data and rules
        self._applying = Applying(
            connection, memory, cache, edits, requests, batch_ids, aliases, self._batch.data
        )
        self._inserts = Inserts(connection, memory, cache, edits, requests, batch_ids, aliases)
        self._last_seq = self._found_seq
        self._remembers_rules = False
        self._writer = RowWriter(connection)
        self._traces = Traces(connection)
        self._has_applied = False  # something that has yet to be written

    def begin(self) -> None:
        """Begin another transaction, on the store as the last one left it."""
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
        self._pending.is_in_memory = self._tables.are_empty()
        self._batch_ids.expect_many()

    def hand_over(self) -> None:
        """Prepare for others to write what `drain` gives (store/sqlite/ahead.py)."""
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

    def advance_to(self, seq: int) -> None:
        """Set the highest sequence number that was taken; it is not below `last_seq`."""
        self._last_seq = seq

    def apply(self, decision: Decision, scope: str, rules: ScopeRules, entry: RequestEntry) -> None:
        """Apply a decision in memory, and enter it in the history; `write` writes all of it."""
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
        self._inserts.profile(self._scope(scope, rules), profile, time_ms)

    def survey(self, erasure: Erasure) -> ErasureReport:
        """What erasing a profile of the store would remove, and which files it has to name.

        Raises:
            TablesBehind: another process has yet to write what the tables lack.
        """
        from idsync_cli.store.sqlite.erasing import removal

        self._write_here()
        return removal.survey(self.connection, self._traces, erasure)

    def insert_record(self, record: "TimesRecord | DataRecord", time_ms: int) -> bool:
        """Add something that an export has of a profile; whether there was none like it."""
        self._pending.is_in_memory = False
        return self._inserts.records(self._seed, self.is_taken).insert(record, time_ms)

    @property
    def other_batch_keys(self) -> Sequence[bytes]:
        """Keys of other stores under which digests of batches' ids came from there."""
        return self._inserts.records(self._seed, self.is_taken).writer.other_batch_keys

    @property
    def owes_data(self) -> bool:
        """Whether batches brought something that has yet to be written."""
        return self._batch.data.exist

    def everyone(self) -> Iterator[ProfileWithTimes] | None:
        """All profiles with their scopes and times, oldest first, if the store has nothing else.

        None if it has, or if anything was written: then the tables have to be asked.
        """
        if self.owes_data or not self._pending.is_in_memory:
            return None
        return everyone(self._memory, self._cache, self._scopes)

    def insert_erasure(self, erasure: Erasure) -> None:
        """Enter an erasure that was carried out elsewhere: its MPID stays taken."""
        self.write()
        self._pending.is_in_memory = False
        entries.enter(self.connection, erasure, None)

    def erase(self, erasure: Erasure) -> None:
        """Remove everything of a profile of the store but its erasure.

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

    def write(self) -> None:
        """Write all that was changed, and the sequence number reached, if it was advanced."""
        if self.has_changes:
            self.write_rows(Rows(self.drain()))

    def drain(self) -> RowBatch:
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
        """Write rows that `drain` gave, here or in another process."""
        self._writer.write(rows, self._seed)
        self._traces.forget_latest()

    def close(self) -> None:
        """Drop all that was read, which refers to itself in circles."""
        self._memory.clear()

    def _scope(self, name: str, rules: ScopeRules) -> Scope:
        scope = self._scopes.by_name.get(name)
        if scope is None:
            scope = self._scopes.create(name, rules.login_bits)
            self._batch.scopes.append((scope.number, name, scope.login_bits))
        return scope
