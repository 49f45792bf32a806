"""An open store: its seed, and transactions over it."""

import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from types import TracebackType

from idsync_cli.store.api import Store
from idsync_cli.store.sqlite.erased_bytes import ErasedBytes
from idsync_cli.store.sqlite.files.faults import unusable
from idsync_cli.store.sqlite.files.location import StoreLocation
from idsync_cli.store.sqlite.same_file import SameFile
from idsync_cli.store.sqlite.transaction import SqliteTransaction

_LOGGED_PAGES = 8192


class SqliteStore(Store):
    """An open store. Close it, or use it in a `with`.

    `location` is where its file is; a temporary store has none. `old_one_kept_as` is the backup
    of a store that had an earlier schema and was migrated as it was opened.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        location: StoreLocation | None = None,
        old_one_kept_as: Path | None = None,
    ) -> None:
        self.connection = connection
        self._cursor = connection.cursor()  # of what begins and ends every transaction
        self._seed = int(connection.execute("SELECT seed FROM store").fetchone()[0])
        self.location = location
        self.old_one_kept_as = old_one_kept_as
        self._file = SameFile(connection, self._cursor, location)
        self.erased_bytes = ErasedBytes(connection, self._file, location)
        self._current: SqliteTransaction | None = None  # its cache is good until others write
        self._current_is_of = 0
        self._expects_many, self._keeps_history = False, True
        self._changes_before = 0  # when the transaction began that reads
        self._is_committing = False

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
        if not self._file.is_in_place():
            return False
        try:
            return self._file.has_its_tables()
        except (sqlite3.Error, UnicodeDecodeError) as error:
            raise unusable(error, self.location, committing=False) from error

    def finish_erasures(self) -> bool:
        """Remove every byte of what was erased from the store's files; whether that is done.

        Raises:
            StoreFault: the store cannot be used, or there is no room.
        """
        return self.erased_bytes.remove()

    def close(self) -> None:
        """Close the file."""
        self._current = None
        self.connection.close()
        if self.location:
            self.location.lock.close()

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
            raise unusable(error, self.location, committing=False) from error

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
            raise unusable(another, self.location, committing=False) from another
        if isinstance(error, (sqlite3.Error, UnicodeDecodeError)):
            raise unusable(error, self.location, committing=False) from error

    @contextmanager
    def _writing(self, *, trust_new_mpids: bool) -> Iterator[SqliteTransaction]:
        with self.turn(), self._transaction("BEGIN IMMEDIATE") as transaction:
            try:
                self._check_unchanged()
                transaction.new_mpids_are_free = trust_new_mpids
                yield transaction
                transaction.write()
                self._file.check_in_place()
                self._is_committing = True
                transaction.connection.execute("COMMIT")
                self._file.has_committed = True
            except BaseException:
                self._roll_back()
                raise
            self._file.check_in_place()

    @contextmanager
    def passing(self) -> Iterator[SqliteTransaction]:
        """A transaction of which nothing stays, over a temporary store.

        The tables get no more than what memory has no room for.

        Raises:
            StoreFault: there is no room on the disk, either.
        """
        with self._transaction("BEGIN IMMEDIATE") as transaction:
            try:
                yield transaction
            finally:
                self.forget()
                self._roll_back()

    def cached(self) -> SqliteTransaction | None:
        """The last transaction with its cache, unless somebody else has written since."""
        if self._current and self._file.count_commits() == self._current_is_of:
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

    def expect_many(self, *, keeps_history: bool = True) -> None:
        """Prepare for many large transactions; without a history, for a store that is temporary."""
        if not self._expects_many:
            self.forget()  # what is cached from before did not expect many
        self._expects_many, self._keeps_history = True, keeps_history
        self.connection.execute(f"PRAGMA wal_autocheckpoint = {_LOGGED_PAGES}")

    def turn(self) -> AbstractContextManager[None]:
        """Wait for the turn to write, and have it while the block runs (see `lock`)."""
        return self.location.lock.turn() if self.location else nullcontext()

    def _check_unchanged(self) -> None:
        """Check at the beginning of a transaction that this is still the store that was opened.

        Raises:
            StoreFault: it was moved, or another was restored into its file.
        """
        self._file.check_unchanged()
        self._file.foreign_commits = self._current_is_of  # as `_at_hand` found it just now

    def _at_hand(self) -> SqliteTransaction:
        """The last transaction with its cache, or a new one if somebody else has written.

        SQLite's has just begun; if the first read fails, it ends.
        """
        try:
            commits = self._file.count_commits()
            if self._current is None or commits != self._current_is_of:
                self.forget()
                self._current, self._current_is_of = SqliteTransaction(self.connection), commits
                if self._expects_many:
                    self._current.expect_many(keeps_history=self._keeps_history)
            self._current.begin()
        except BaseException:
            self.forget()
            self._roll_back()
            raise
        return self._current

    def _roll_back(self) -> None:
        if self.connection.in_transaction:
            self._cursor.execute("ROLLBACK")

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
            raise unusable(error, self.location, committing=self._is_committing) from error


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
