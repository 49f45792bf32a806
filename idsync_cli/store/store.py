"""An open store: its seed, and transactions over it."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from idsync_cli.errors import StoreFault
from idsync_cli.store.session import Session


class Store:
    """An open store. Close it, or use it in a `with`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self.seed = int(connection.execute("SELECT seed FROM store").fetchone()[0])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self.connection.close()

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A transaction that sees one state of the store and changes nothing."""
        with self._transaction("BEGIN DEFERRED") as session:
            try:
                yield session
            finally:
                session.connection.execute("ROLLBACK")

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A transaction that holds the store alone from its first read to its commit.

        Everything is kept when the block ends, and nothing if it raises. It begins at once as a
        writer, for two requests that both read before they write would make one user twice.
        """
        with self._transaction("BEGIN IMMEDIATE") as session:
            try:
                yield session
                session.keep_counter()
            except BaseException:
                if session.connection.in_transaction:
                    session.connection.execute("ROLLBACK")
                raise
            session.connection.execute("COMMIT")

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[Session]:
        try:
            self.connection.execute(begin)
            yield Session(self.connection)
        except sqlite3.Error as error:
            busy = getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY
            hint = "; another process holds it, try again" if busy else ""
            raise StoreFault(
                f"the store cannot be used: {error}; nothing was changed{hint}"
            ) from error
