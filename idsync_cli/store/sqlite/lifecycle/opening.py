"""Stores as files: making them, opening them, and refusing every other file untouched."""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from functools import cache
from pathlib import Path

from idsync_cli.errors import StoreFault, printable
from idsync_cli.store.sqlite.files.handles import connect
from idsync_cli.store.sqlite.files.place import Place
from idsync_cli.store.sqlite.files.quick_check import look_at
from idsync_cli.store.sqlite.lifecycle.drafts import draft_of, put_in_place
from idsync_cli.store.sqlite.lifecycle.header import (
    APPLICATION_ID,
    SCHEMA_VERSION,
    check_version,
    is_there,
    old_store,
    schema_version,
)
from idsync_cli.store.sqlite.rows.checksums import checksum
from idsync_cli.store.sqlite.store import SqliteStore

_CACHE_KIB = 65_536
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


def open_store(path: str, *, write: bool) -> SqliteStore | None:
    """Open a store that is there; None where there is none.

    Without `write` the store cannot be changed through what is returned.

    Raises:
        StoreFault: the path or the file cannot be a store of this version.
    """
    place = Place(path)
    if not is_there(place):
        return None
    try:
        if write and not os.access(place.path, os.W_OK):
            raise StoreFault(f"the store {place} cannot be used: the file may not be written")
        store = _opened(place, write=write)
    except sqlite3.Error as error:
        writable = os.access(place.path, os.W_OK) and os.access(place.path.parent, os.W_OK)
        hint = "" if writable else "; the file or its folder may not be written"
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGED:
            hint = f"; it is damaged, see what is wrong with: idsync doctor --store {place}"
        raise StoreFault(f"the store {place} cannot be used: {error}{hint}") from None
    except UnicodeDecodeError:  # from a message of SQLite's that quotes what is no text
        raise StoreFault(
            f"the store {place} cannot be used: it is damaged, see what is wrong with: "
            f"idsync doctor --store {place}"
        ) from None
    if not place.still_leads_to_it():
        store.close()
        raise StoreFault(f"the store {place} was replaced as it was opened; try again")
    return store


def create(path: str, seed: int) -> SqliteStore:
    """Make a store where there is none, and open it for writing.

    Of several who make it at once one does, and the others open what it made.

    Raises:
        StoreFault: no file can be made there.
    """
    _publish(path, lambda connection: _make_schema(connection, seed))
    store = open_store(path, write=True)
    if store is None:
        raise StoreFault(f"the store {printable(path)} vanished as soon as it was made")
    return store


def save(store: SqliteStore, path: str) -> bool:
    """Give a temporary store a file of its own; False where there is one by now.

    Raises:
        StoreFault: no file can be made there.
    """
    return _publish(path, store.connection.backup)


def temporary(seed: int) -> SqliteStore:
    """A store of its own that is gone when it is closed; it spills to an unnamed file."""
    connection = connect("")
    connection.execute("PRAGMA journal_mode = MEMORY")  # there is nothing to recover after a crash
    template = _template()
    template.backup(connection)
    connection.execute(
        "UPDATE store SET seed = ?, checksum = ?", (str(seed), checksum(str(seed), 0))
    )
    return SqliteStore(connection)


def copy_of(store: SqliteStore) -> SqliteStore:
    """A throwaway copy of a store, for what must change nothing."""
    connection = connect("")
    store.connection.backup(connection)
    return SqliteStore(connection)


def is_free(place: Place) -> bool:
    """Whether a store can get its name here; the caller has the turn, so that nobody else does.

    Raises:
        StoreFault: the log of another store lies there.
    """
    if os.path.lexists(place.path):
        return False  # somebody else has just made it
    for log in place.logs():
        raise StoreFault(
            f"no store can be made at {place}: {printable(log.name)} beside it is the log of one "
            "that is gone, and would be played into it; bring that store back, or remove the log"
        )
    return True


def cannot_be_made(place: Place, error: Exception) -> StoreFault:
    """What is said where the system or SQLite refused to make a store."""
    cause = error.strerror if isinstance(error, OSError) else error
    return StoreFault(f"no store can be made at {place}: {cause}")


def _publish(path: str, fill: Callable[[sqlite3.Connection], None]) -> bool:
    """Fill a file and give it its name once it is whole; False where the name is taken.

    Nobody ever sees half a store.

    Raises:
        StoreFault: no file can be made there.
    """
    place = Place(path)
    folder = place.path.parent
    if not folder.is_dir():
        raise StoreFault(f"no store can be made at {place}: its folder is not there")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise StoreFault(f"no store can be made at {place}: its folder may not be written")
    with closing(place.lock), place.lock.turn():
        return is_free(place) and _made(place, fill)


def _made(place: Place, fill: Callable[[sqlite3.Connection], None]) -> bool:
    try:
        with draft_of(place.path) as draft:
            with closing(connect(draft)) as connection:
                fill(connection)
                connection.execute("PRAGMA journal_mode = WAL")
            put_in_place(draft, place.path)
    except (OSError, sqlite3.Error) as error:
        raise cannot_be_made(place, error) from None
    return True


def _opened(place: Place, *, write: bool) -> SqliteStore:
    if not (write or os.access(place.path, os.W_OK) or place.beside("-wal").exists()):
        return _unchanging(place)  # SQLite would leave files behind that it can make, not remove
    connection = connect(f"{place.path.as_uri()}?mode=rw", uri=True)
    try:
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA secure_delete = ON")
        if not write:
            connection.execute("PRAGMA query_only = ON")
        kept = _brought_up_to_date(place, connection, write=write)
        if write:
            look_at(connection, place)
            # Identifiers and MPIDs come in no order, so that a batch changes pages everywhere: kept
            # in memory they are written once a batch, and from the log to their places more rarely.
            connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        return SqliteStore(connection, place, kept)
    except (StoreFault, sqlite3.Error, UnicodeDecodeError) as error:
        connection.close()
        if write or place.logs() or not isinstance(error, sqlite3.OperationalError):
            raise
        return _unchanging(place)


def _unchanging(place: Place) -> SqliteStore:
    """Open a store that nobody is writing, without making anything beside it."""
    connection = connect(f"{place.path.as_uri()}?immutable=1", uri=True)
    _brought_up_to_date(place, connection, write=False)
    return SqliteStore(connection, place)


def _brought_up_to_date(
    place: Place, connection: sqlite3.Connection, *, write: bool
) -> Path | None:
    """See that a store has this version's schema, and give the backup of one that had not."""
    version = schema_version(connection)
    if version == SCHEMA_VERSION:
        return None
    check_version(place, version)
    if not write:
        raise old_store(place, version)
    from idsync_cli.store.sqlite.lifecycle.migration import bring_up_to_date

    return bring_up_to_date(place, connection)


def _make_schema(connection: sqlite3.Connection, seed: int) -> None:
    from idsync_cli.store.sqlite.schema import (
        migrate,  # heavy, and needed only where a store is made
    )

    connection.execute("BEGIN IMMEDIATE")  # else every statement would be on the disk by itself
    migrate(connection)
    row = str(seed), 0
    connection.execute("INSERT INTO store VALUES (1, ?, ?, ?)", (*row, checksum(*row)))
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    connection.execute("COMMIT")


@cache
def _template() -> sqlite3.Connection:
    """An empty store to copy, for a copy is made a hundred times faster than a schema."""
    connection = connect(":memory:")
    _make_schema(connection, seed=0)
    return connection
