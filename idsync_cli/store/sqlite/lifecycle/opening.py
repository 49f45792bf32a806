"""Making and opening stores as files. Any other file is rejected and left untouched."""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from functools import cache
from pathlib import Path

from idsync_cli.errors import FaultCode, Hint, StoreFault, printable
from idsync_cli.store.sqlite.files.faults import told
from idsync_cli.store.sqlite.files.handles import connect
from idsync_cli.store.sqlite.files.location import StoreLocation
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
from idsync_cli.store.sqlite.lifecycle.vacancy import cannot_be_made, check_name, is_free, no_folder
from idsync_cli.store.sqlite.rows.checksums import checksum
from idsync_cli.store.sqlite.store import SqliteStore

_CACHE_KIB = 65_536


def open_store(path: str, *, write: bool, finish_owed: bool = True) -> SqliteStore | None:
    """Open a store; None if there is none. Without `write`, it can only be read.

    A store that is opened for writing first finishes erasures that are owed, as far as that can be
    done, unless `finish_owed` is false.

    Raises:
        StoreFault: the path or the file cannot be a store of this version.
    """
    location = StoreLocation(path)
    if not is_there(location):
        return None
    try:
        if write and not os.access(location.path, os.W_OK):
            raise StoreFault(
                f"the store {location} cannot be used: the file is not writable",
                FaultCode.STORE_UNWRITABLE,
                store=str(location),
            )
        store = _opened(location, write=write)
    except (sqlite3.Error, UnicodeDecodeError) as error:
        what, code, hint = told(error)
        writable = os.access(location.path, os.W_OK) and os.access(location.path.parent, os.W_OK)
        if not writable and code is not FaultCode.STORE_DAMAGED:
            hint = Hint.ALLOW_WRITING
        raise StoreFault(
            f"the store {location} cannot be used: {what}", code, hint=hint, store=str(location)
        ) from None
    if not location.still_leads_to_it():
        store.close()
        raise replaced_as_opened(location)
    if write and finish_owed:
        try:
            store.erased_bytes.remove_at_once()
        except BaseException:
            store.close()
            raise
    return store


def create(path: str, seed: int) -> SqliteStore:
    """Create a store where there is none, and open it for writing.

    If several processes do so at once, one makes it, and the others open that one.

    Raises:
        StoreFault: no file can be created there.
    """
    _publish(path, lambda connection: _make_store(connection, seed))
    store = open_store(path, write=True)
    if store is None:
        raise StoreFault(
            f"the store {printable(path)} disappeared as soon as it was created",
            FaultCode.STORE_REPLACED,
            store=path,
        )
    return store


def save(store: SqliteStore, path: str) -> bool:
    """Save a temporary store to a file; False if there is one by now.

    Raises:
        StoreFault: no file can be created there.
    """
    return _publish(path, store.connection.backup)


def temporary(seed: int) -> SqliteStore:
    """A temporary store, which is gone when it is closed. It spills to an unnamed file."""
    connection = connect("")
    connection.execute("PRAGMA journal_mode = MEMORY")  # there is nothing to recover after a crash
    template = _template()
    template.backup(connection)
    connection.execute(
        "UPDATE store SET seed = ?, checksum = ?", (str(seed), checksum(str(seed), 0))
    )
    return SqliteStore(connection)


def copy_of(store: SqliteStore) -> SqliteStore:
    """A temporary copy of a store, for a dry run."""
    connection = connect("")
    store.connection.backup(connection)
    return SqliteStore(connection)


def discard_unused(path: str, seed: int) -> None:
    """Remove a store that was just made, if nothing was ever done in it: it was made in vain.

    One that somebody else has taken up meanwhile, or made with another seed, stays.
    """
    with suppress(StoreFault, sqlite3.Error, OSError):
        store = open_store(path, write=True)
        if store is None or store.location is None:
            return
        location = store.location
        with store, location.lock.turn():
            is_ours = location.still_leads_to_it() and store.seed == seed
            if is_ours and _is_unused(store.connection):
                store.connection.close()
                for suffix in ("-wal", "-shm", ""):
                    location.beside(suffix).unlink(missing_ok=True)


def _is_unused(connection: sqlite3.Connection) -> bool:
    [unused] = connection.execute(
        "SELECT last_seq = 0 AND NOT EXISTS (SELECT * FROM replays) FROM store"
    ).fetchone()
    return bool(unused)


def replaced_as_opened(location: StoreLocation) -> StoreFault:
    """The fault if the path leads to another file than a moment before."""
    return StoreFault(
        f"the store {location} was replaced while it was being opened",
        FaultCode.STORE_REPLACED,
        hint=Hint.TRY_AGAIN,
        store=str(location),
    )


def _publish(path: str, fill: Callable[[sqlite3.Connection], None]) -> bool:
    """Make a complete store under another name, then rename it; False if the name is taken.

    Raises:
        StoreFault: no file can be created there.
    """
    location = StoreLocation(path)
    check_name(location)
    folder = location.path.parent
    if not folder.is_dir():
        raise no_folder(location)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise StoreFault(
            f"no store can be created at {location}: its folder is not writable",
            FaultCode.STORE_UNWRITABLE,
            store=str(location),
        )
    with closing(location.lock), location.lock.turn():
        return is_free(location) and _made(location, fill)


def _made(location: StoreLocation, fill: Callable[[sqlite3.Connection], None]) -> bool:
    try:
        with draft_of(location.path) as draft:
            with closing(connect(draft)) as connection:
                fill(connection)
                connection.execute("PRAGMA journal_mode = WAL")
            put_in_place(draft, location.path)
    except (OSError, sqlite3.Error) as error:
        raise cannot_be_made(location, error) from None
    return True


def _opened(location: StoreLocation, *, write: bool) -> SqliteStore:
    if not (write or os.access(location.path, os.W_OK) or location.beside("-wal").exists()):
        return _unchanging(location)  # SQLite would leave files behind that it can make, not remove
    connection = connect(f"{location.path.as_uri()}?mode=rw", uri=True)
    try:
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA secure_delete = ON")
        if not write:
            connection.execute("PRAGMA query_only = ON")
        kept = _brought_up_to_date(location, connection, write=write)
        if write:
            try:
                look_at(connection, location)
            except StoreFault as fault:
                if kept is not None:  # it was brought up to date a moment ago
                    fault.kept = None
                raise
            # Identifiers and MPIDs come in no order, so a batch changes pages everywhere. While all
            # of these stay in memory, each is written only once a batch.
            connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        return SqliteStore(connection, location, kept)
    except (StoreFault, sqlite3.Error, UnicodeDecodeError) as error:
        connection.close()
        if write or location.logs() or not isinstance(error, sqlite3.OperationalError):
            raise
        return _unchanging(location)


def _unchanging(location: StoreLocation) -> SqliteStore:
    """Open a store that nobody is writing, without making files beside it."""
    connection = connect(f"{location.path.as_uri()}?immutable=1", uri=True)
    _brought_up_to_date(location, connection, write=False)
    return SqliteStore(connection, location)


def _brought_up_to_date(
    location: StoreLocation, connection: sqlite3.Connection, *, write: bool
) -> Path | None:
    """Migrate a store that has an older schema, and give the path of its backup, if it had one."""
    version = schema_version(connection)
    if version == SCHEMA_VERSION:
        return None
    check_version(location, version)
    if not write:
        raise old_store(location, version)
    from idsync_cli.store.sqlite.lifecycle.migration import bring_up_to_date

    return bring_up_to_date(location, connection)


def _make_store(connection: sqlite3.Connection, seed: int) -> None:
    from idsync_cli.store.sqlite.schema.tables import make_schema

    connection.execute("BEGIN IMMEDIATE")  # else each statement would be synced by itself
    make_schema(connection)
    row = str(seed), 0
    connection.execute("INSERT INTO store VALUES (1, ?, ?, ?)", (*row, checksum(*row)))
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    connection.execute("COMMIT")


@cache
def _template() -> sqlite3.Connection:
    """An empty store to copy: a hundred times faster than making a schema."""
    connection = connect(":memory:")
    _make_store(connection, seed=0)
    return connection
