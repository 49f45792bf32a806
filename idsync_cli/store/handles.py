"""Connections to databases, and reading a database's file without SQLite while they are open.

Closing any handle of a file gives up every lock that the process has on it, those of SQLite, too.
Another process may then take the store for closed, and throw away the log that is being written.
So a handle is closed at once only where no connection is open; else with the last of them.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

BUSY_SECONDS = 5.0
"""How long a request waits for another process to finish with the store."""

_IN_MEMORY = ("", ":memory:")
_open: set[int] = set()
_to_be_closed: list[BinaryIO] = []


class _Connection(sqlite3.Connection):
    def close(self) -> None:
        super().close()
        _open.discard(id(self))
        while _to_be_closed and not _open:
            _to_be_closed.pop().close()


def connect(database: str | Path, *, uri: bool = False) -> sqlite3.Connection:
    """Open a database; transactions begin and end only where that is said."""
    connection = sqlite3.connect(
        database, timeout=BUSY_SECONDS, isolation_level=None, uri=uri, factory=_Connection
    )
    if database not in _IN_MEMORY:
        _open.add(id(connection))
    return connection


@contextmanager
def reading(path: Path) -> Iterator[BinaryIO]:
    """Read a database's file as a file.

    Raises:
        OSError: it cannot be opened.
    """
    file = path.open("rb")
    try:
        yield file
    finally:
        if _open:
            _to_be_closed.append(file)
        else:
            file.close()
