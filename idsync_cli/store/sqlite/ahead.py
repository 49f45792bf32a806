"""Two processes at one store: one decides, and the other one writes what was decided.

Everything that this needs of a store is here and in cache/handed_over.py. The process that decides
goes by its cache, which has the store as it was and what it handed over since. So nobody else may
write in between, and the process that writes checks that nobody did.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from sqlite3 import Error

from idsync_cli.store.sqlite.cache.handed_over import TablesBehind
from idsync_cli.store.sqlite.rows.batch import RowBatch, Rows, batch_of
from idsync_cli.store.sqlite.store import SqliteStore
from idsync_cli.store.sqlite.transaction import SqliteTransaction

__all__ = ["Deciding", "NotAlone", "RowBatch", "Rows", "TablesBehind", "Writing", "batch_of"]

_CACHE_KIB = 16_384
"""A small page cache: it becomes worthless whenever the other process writes."""


class NotAlone(Exception):
    """Someone else has written to the store."""


class Deciding:
    """A store for the process that decides."""

    def __init__(self, store: SqliteStore) -> None:
        store.connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        self._store = store

    def is_current(self) -> bool:
        """Whether there is a cache of the store, and nobody has written since."""
        return self._store.cached() is not None

    @contextmanager
    def transaction(self) -> Iterator[SqliteTransaction]:
        """A transaction in which a batch is decided, and taken out with `drain`.

        It does not check whether others have written.

        Raises:
            TablesBehind: the tables would have to be read, and lack what was handed over before.
                The cache is empty then.
            StoreFault: the store cannot be used.
        """
        with self._store.going_on() as transaction:
            transaction.new_mpids_are_free = True
            transaction.hand_over()
            yield transaction


class Writing:
    """A store for the process that writes.

    SQLite's log grows until `empty_log` is called, which should not be while others wait.
    """

    def __init__(self, store: SqliteStore) -> None:
        store.connection.execute("PRAGMA wal_autocheckpoint = 0")
        self._store = store
        self._current: SqliteTransaction | None = None

    def begin(self) -> None:
        """Take note of the store as it is now: the next batch is decided on this state."""
        with self._store.reading() as self._current:
            pass

    @contextmanager
    def transaction(self) -> Iterator[SqliteTransaction]:
        """A transaction in which a batch is written (`SqliteTransaction.write_rows`).

        Raises:
            NotAlone: someone else has written since the last one, or since it began.
            StoreFault: the store cannot be written; nothing of it is kept.
        """
        with self._store.writing() as transaction:
            if transaction is not self._current:  # it is the same as long as nobody else writes
                raise NotAlone
            yield transaction

    def empty_log(self) -> None:
        """Copy the log into the file, as far as readers allow it."""
        with suppress(Error):  # then it stays in the log, and the next writer finds out
            self._store.connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
