"""Connections to databases, and reading a database's file without SQLite meanwhile.

If a process closes any handle of a file, it loses all its locks on that file, also those of SQLite.
Another process may then take the store for closed, and delete the log that is being written. So a
handle stays open until the process has no connection to the file any more.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from typing import BinaryIO
from weakref import WeakKeyDictionary

BUSY_SECONDS = 5.0
"""How long a request waits for another process to finish with the store."""

_at_a_time = RLock()
"""Held while a connection is opened or closed, by one thread at a time."""

_to_be_closed: dict[str, list[BinaryIO]] = {}


class _Connection(sqlite3.Connection):
    def close(self) -> None:
        with _at_a_time:
            path = _open.pop(self, "")
            super().close()
            _close_handles(path)


_open: "WeakKeyDictionary[_Connection, str]" = WeakKeyDictionary()
"""The connections of this process, and the file of each."""


def connect(database: str | Path, *, uri: bool = False) -> sqlite3.Connection:
    """Open a database; transactions begin and end only by explicit statements."""
    with _at_a_time:
        connection = sqlite3.connect(
            database, timeout=BUSY_SECONDS, isolation_level=None, uri=uri, factory=_Connection
        )
        path = connection.execute("PRAGMA database_list").fetchone()[2]
        if path:
            _open[connection] = path
        return connection


def _close_handles(path: str) -> None:
    if path not in _open.values():
        for file in _to_be_closed.pop(path, ()):
            file.close()


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
        with _at_a_time:
            _to_be_closed.setdefault(str(path), []).append(file)
            _close_handles(str(path))
