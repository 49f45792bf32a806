"""An open store: its seed, and transactions over it."""

import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final

from idsync_cli.errors import FaultCode, Hint, Kept, StoreFault
from idsync_cli.store.api import Store
from idsync_cli.store.sqlite.erasing import entries
from idsync_cli.store.sqlite.files.faults import told, unusable
from idsync_cli.store.sqlite.files.leftovers import left_drafts
from idsync_cli.store.sqlite.files.location import StoreLocation
from idsync_cli.store.sqlite.transaction import SqliteTransaction

if TYPE_CHECKING:
    from idsync_cli.store.sqlite.erasing.rewriting import Evidence

_LOGGED_PAGES = 8192
_TABLES: Final = "PRAGMA schema_version"
_FOREIGN_COMMITS: Final = "PRAGMA data_version"


class SqliteStore(Store):
    """An open store. Close it, or use it in a `with`.

    `place` is the location of its file; a temporary store has none. `old_one_kept_as` is the backup
    of a store that had an earlier schema and was migrated as it was opened.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        place: StoreLocation | None = None,
        old_one_kept_as: Path | None = None,
    ) -> None:
        self.connection = connection
        self._cursor = connection.cursor()  # of what begins and ends every transaction
        self._seed = int(connection.execute("SELECT seed FROM store").fetchone()[0])
        self.place = place
        self.old_one_kept_as = old_one_kept_as
        self._tables = self._number(_TABLES)
        self._rewritings = entries.rewritings(connection)
        self._foreign_commits = self._number(_FOREIGN_COMMITS)
        self._current: SqliteTransaction | None = None  # its cache is good until others write
        self._current_is_of = 0
        self._expects_many = False
        self._changes_before = 0  # when the transaction began that reads
        self._is_committing = False
        self._has_committed = False

    @property
    def seed(self) -> int:
        """What the MPIDs of new profiles follow from (section 7)."""
        return self._seed

    @property
    def is_the_same(self) -> bool:
        """Whether the path still leads to this file, with the tables that it had.

        Raises:
            StoreFault: the file cannot be read.
        """
        if self.place is not None and not self.place.still_leads_to_it():
            return False
        try:
            return self._has_its_tables()
        except (sqlite3.Error, UnicodeDecodeError) as error:
            raise unusable(error, self.place, committing=False) from error

    @property
    def owes_erasures(self) -> bool:
        """Whether bytes of what was erased may still be in the store's files."""
        return self.place is not None and entries.is_owed(self.connection)

    def finish_erasures(self) -> bool:
        """Let no byte of what was erased be left in the store's files; whether that is done.

        The file is rewritten, once for all that was erased, and its log is cut off, which has to
        wait for those who read what was.

        Raises:
            StoreFault: the store cannot be used, or there is no room.
        """
        try:
            return self._finish(patiently=True)
        except sqlite3.Error as error:
            what, code, hint = told(error)
            raise StoreFault(
                f"what was erased is still in the files of the store {self.place}: {what}",
                code,
                hint=hint,
                store=str(self.place),
            ) from error

    def evidence(self) -> "Evidence":
        """What shows that no byte of what was erased is left, once that is finished."""
        from idsync_cli.store.sqlite.erasing import rewriting

        assert self.place is not None
        return rewriting.evidence(self.connection, self.place.beside("-wal"))

    def finish_what_is_owed(self) -> bool:
        """The same as far as it can be done at once, before anything else is written.

        Raises:
            StoreFault: another process writes, for too long.
        """
        try:
            return self._finish(patiently=False)
        except sqlite3.Error:
            return False  # it stays owed, and what is to be written meets the same, or not

    def _finish(self, *, patiently: bool) -> bool:
        if not self.owes_erasures:
            return True
        from idsync_cli.store.sqlite.erasing import rewriting

        with self.turn():
            self.check_unchanged()
            rewriting.rewrite(self.connection)
            self._has_its_tables()
            assert self.place is not None
            for draft in left_drafts(self.place.path):
                draft.unlink(missing_ok=True)
            return rewriting.empty_log(self.connection, patiently=patiently)

    def close(self) -> None:
        """Close the file."""
        self._current = None
        self.connection.close()
        if self.place:
            self.place.lock.close()

    def reading(self) -> AbstractContextManager[SqliteTransaction]:
        """A transaction that sees one state of the store and changes nothing."""
        return _Reading(self)

    def writing(
        self, *, trust_new_mpids: bool = False
    ) -> AbstractContextManager[SqliteTransaction]:
        """A transaction that has the store alone from its first read to its commit.

        Everything is kept when the block ends, and nothing if it raises. It begins as a writer:
        two requests that both read before either writes could make one user twice.

        Raises:
            StoreFault: the store cannot be written, or was moved or replaced.
            MpidTaken: a new MPID was taken to be free, and is not; nothing is kept.
        """
        return self._writing(trust_new_mpids=trust_new_mpids)

    def begin_reading(self) -> SqliteTransaction:
        """Begin a transaction that reads, which `end_reading` ends.

        Raises:
            StoreFault: the store cannot be read.
        """
        try:
            self._cursor.execute("BEGIN DEFERRED")
            self._changes_before = self.connection.total_changes
            return self._at_hand()
        except (sqlite3.Error, UnicodeDecodeError) as error:
            raise unusable(error, self.place, committing=False) from error

    def end_reading(self, error: BaseException | None) -> None:
        """End a transaction that reads, which an error may have ended; nothing of it stays.

        Raises:
            StoreFault: the store cannot be read.
        """
        try:
            its, changes = self._current, self.connection.total_changes
            is_changed = its is not None and (its.has_changes or its.as_of is not None)
            if error is not None or is_changed or changes != self._changes_before:
                self.forget()
            self._roll_back()
        except sqlite3.Error as another:
            raise unusable(another, self.place, committing=False) from another
        if isinstance(error, (sqlite3.Error, UnicodeDecodeError)):
            raise unusable(error, self.place, committing=False) from error

    @contextmanager
    def _writing(self, *, trust_new_mpids: bool) -> Iterator[SqliteTransaction]:
        with self.turn(), self._transaction("BEGIN IMMEDIATE") as transaction:
            try:
                self.check_unchanged()
                transaction.new_mpids_are_free = trust_new_mpids
                yield transaction
                transaction.write()
                self.check_in_place()
                self._is_committing = True
                transaction.connection.execute("COMMIT")
                self._has_committed = True
            except BaseException:
                self._roll_back()
                raise
            self.check_in_place()

    def cached(self) -> SqliteTransaction | None:
        """The last transaction with its cache, unless somebody else has written since."""
        if self._current and self._number(_FOREIGN_COMMITS) == self._current_is_of:
            return self._current
        return None

    @contextmanager
    def going_on(self) -> Iterator[SqliteTransaction]:
        """A transaction that reads, and uses the cache whoever has written since (`ahead.py`)."""
        assert self._current is not None
        with self._transaction("BEGIN DEFERRED", self._current) as transaction:
            try:
                transaction.begin()
                yield transaction
            finally:
                self._roll_back()

    def forget(self) -> None:
        """Drop everything that is cached of the store."""
        if self._current is not None:
            self._current.close()
            self._current = None

    def expect_many(self) -> None:
        """Prepare for many large transactions: empty the log less often."""
        if not self._expects_many:
            self.forget()  # what is cached from before did not expect many
        self._expects_many = True
        self.connection.execute(f"PRAGMA wal_autocheckpoint = {_LOGGED_PAGES}")

    def turn(self) -> AbstractContextManager[None]:
        """Wait for the turn to write, and have it while the block runs (see `lock`)."""
        return self.place.lock.turn() if self.place else nullcontext()

    def check_unchanged(self) -> None:
        """Check at the beginning of a transaction that this is still the store that was opened.

        Raises:
            StoreFault: it was moved, or another was restored into its file.
        """
        self.check_in_place()
        if not self._has_its_tables():
            raise StoreFault(
                f"the store {self.place} was restored, or its tables were changed, while it was "
                "in use; nothing was changed after that",
                FaultCode.STORE_REPLACED,
                hint=Hint.LOOK_AND_TRY_AGAIN,
                store=str(self.place),
            )
        self._foreign_commits = self._current_is_of  # as `_at_hand` found it in this transaction

    def check_in_place(self) -> None:
        """Check that the store's path still leads to the file that is open.

        Raises:
            StoreFault: it was removed or replaced; nobody would see what this process writes.
        """
        if self.place is None or self.place.still_leads_to_it():
            return
        self._roll_back()
        with suppress(sqlite3.Error):
            if self._number(_FOREIGN_COMMITS) == self._foreign_commits:
                # The log belongs to the old file, and must never be replayed into the new one.
                self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        raise StoreFault(
            f"the store {self.place} was removed or replaced while it was in use",
            FaultCode.STORE_REPLACED,
            kept=Kept.ALL_IS_IN_OLD_FILE if self._has_committed else Kept.NOTHING_CHANGED,
            store=str(self.place),
        )

    def _at_hand(self) -> SqliteTransaction:
        """A transaction: the last one with its cache, or a new one if somebody else has written."""
        commits = self._number(_FOREIGN_COMMITS)
        if self._current is None or commits != self._current_is_of:
            self.forget()
            self._current, self._current_is_of = SqliteTransaction(self.connection), commits
            if self._expects_many:
                self._current.expect_many()
        self._current.begin()
        return self._current

    def _has_its_tables(self) -> bool:
        """Whether the tables are those that were opened, also if the file was rewritten since.

        Whoever rewrites it counts that, as SQLite does. Another store in its place counts otherwise
        (`lifecycle/backup.py`).
        """
        tables = self._number(_TABLES)
        if tables != self._tables:
            count = entries.rewritings(self.connection)
            if not 0 < tables - self._tables == count - self._rewritings:
                return False
            self._tables, self._rewritings = tables, count
        return True

    def _roll_back(self) -> None:
        if self.connection.in_transaction:
            self._cursor.execute("ROLLBACK")

    def _number(self, pragma: str) -> int:
        return int(self._cursor.execute(pragma).fetchone()[0])

    @contextmanager
    def _transaction(
        self, begin: str, transaction: SqliteTransaction | None = None
    ) -> Iterator[SqliteTransaction]:
        self._is_committing = False
        try:
            self._cursor.execute(begin)
            transaction = transaction or self._at_hand()
            try:
                yield transaction
            except BaseException:
                self.forget()  # its cache may have what was never committed
                raise
        except (sqlite3.Error, UnicodeDecodeError) as error:
            raise unusable(error, self.place, committing=self._is_committing) from error


class _Reading:
    """A transaction that reads, in a `with`.

    A generator in its place would take a tenth of the time of a whole search.
    """

    def __init__(self, store: SqliteStore) -> None:
        self._store = store

    def __enter__(self) -> SqliteTransaction:
        return self._store.begin_reading()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._store.end_reading(error)
