"""Opening a store for its examination, however damaged it is."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress

from idsync_cli.errors import FaultCode, Hint, StoreFault
from idsync_cli.store.sqlite.files.handles import connect
from idsync_cli.store.sqlite.files.location import StoreLocation
from idsync_cli.store.sqlite.lifecycle.header import (
    SCHEMA_VERSION,
    check_version,
    is_there,
    old_store,
    schema_version,
)

_CACHE_KIB = 32 * 1024
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


class Damaged(Exception):
    """A store so damaged that SQLite does not open it; the message is SQLite's."""


@contextmanager
def opened(path: str) -> Iterator[sqlite3.Connection]:
    """Open one state of a store; nothing is written, and its log is not replayed into the file.

    Raises:
        StoreFault: there is none, or it may not be read.
        Damaged: SQLite refuses it.
    """
    location = StoreLocation(path)
    if not is_there(location):
        raise StoreFault(
            f"there is no store at {location}",
            FaultCode.NO_STORE,
            hint=Hint.NAME_ANOTHER_STORE,
            store=str(location),
        )
    alone = not any(location.beside(suffix).exists() for suffix in ("-wal", "-shm"))
    try:
        with closing(_connected(location)) as connection:
            connection.text_factory = decoded
            connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
            connection.execute("BEGIN")
            version = schema_version(connection)
            check_version(location, version)
            if version < SCHEMA_VERSION:
                raise old_store(location, version)
            yield connection
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGED:
            raise Damaged(str(error)) from None
        raise StoreFault(
            f"the store {location} cannot be read: {error}", store=str(location)
        ) from None
    except UnicodeDecodeError:  # a name from a damaged schema, in a message of SQLite's
        raise Damaged("its schema is not text") from None
    finally:
        if alone:
            _tidy_up(location)


def _connected(location: StoreLocation) -> sqlite3.Connection:
    uri = location.path.as_uri()
    connection = connect(f"{uri}?mode=ro", uri=True)
    try:
        connection.execute("PRAGMA schema_version")
    except sqlite3.OperationalError:
        connection.close()
        if location.logs():
            raise
        connection = connect(f"{uri}?immutable=1", uri=True)  # as in files.py
    return connection


def decoded(text: bytes) -> str:
    """Text as it was read, even if it is not UTF-8."""
    return text.decode("utf-8", "surrogateescape")


def _tidy_up(location: StoreLocation) -> None:
    """Let SQLite remove the empty log that reading left, if nobody else has the store open."""
    if location.beside("-wal").exists() and not location.logs():
        with (
            suppress(sqlite3.Error),
            closing(connect(f"{location.path.as_uri()}?mode=rw", uri=True)) as it,
        ):
            it.execute("PRAGMA schema_version")
