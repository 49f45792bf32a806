"""Two processes at one store: one decides what the other one writes.

All that this needs of a store is here, and in cache/handed_over.py. The process that decides knows
the store as it was, and what it handed over since. So nobody else may write in between, and the
process that writes makes sure that nobody did.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from sqlite3 import Error

from idsync_cli.store.sqlite.cache.handed_over import TablesBehind
from idsync_cli.store.sqlite.rows.batch import Batch, Rows, batch_of
from idsync_cli.store.sqlite.store import SqliteStore
from idsync_cli.store.sqlite.transaction import SqliteTransaction

__all__ = ["Batch", "Deciding", "NotAlone", "Rows", "TablesBehind", "Writing", "batch_of"]

_CACHE_KIB = 16_384
"""What others write makes all pages in memory worthless: so few are kept."""


class NotAlone(Exception):
    """Someone else has written to the store."""


class Deciding:
    """A store for the process that decides."""

    def __init__(self, store: SqliteStore) -> None:
        store.connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        self._store = store

    def knows_the_store(self) -> bool:
        """Whether something is known of the store, and nobody has written since."""
        return self._store.known() is not None

    @contextmanager
    def transaction(self) -> Iterator[SqliteTransaction]:
        """A transaction in which a batch is decided, to be taken from it (`take`).

        Nobody looks here whether others have written.

        Raises:
            TablesBehind: tables are asked that lack what was taken before. Nothing is known then.
            StoreFault: the store cannot be used.
        """
        with self._store.going_on() as transaction:
            transaction.new_mpids_are_free = True
            transaction.hand_over()
            yield transaction


class Writing:
    """A store for the process that writes.

    SQLite's log grows until `empty_log`, which is not called while others wait for a transaction to
    end.
    """

    def __init__(self, store: SqliteStore) -> None:
        store.connection.execute("PRAGMA wal_autocheckpoint = 0")
        self._store = store
        self._current: SqliteTransaction | None = None

    def begin(self) -> None:
        """Take the store as it is now for what the next batch is decided on."""
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
            if transaction is not self._current:  # which lasts as long as nobody else writes
                raise NotAlone
            yield transaction

    def empty_log(self) -> None:
        """Bring what is in the log into the file, as far as nobody still reads there."""
        with suppress(Error):  # then it stays in the log, which whoever writes next notices
            self._store.connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
