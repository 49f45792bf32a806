"""Stores as files: making them, opening them, and refusing every other file untouched."""

import os
import secrets
import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing
from functools import cache
from pathlib import Path

from idsync_cli.errors import StoreFault, printable
from idsync_cli.store.store import Store

APPLICATION_ID = 0x69647379
"""Tells an idsync store from another program's SQLite file: the bytes `idsy`."""

SCHEMA_VERSION = 1
"""How many migrations a store of this version has."""

BUSY_SECONDS = 5.0
"""How long a request waits for another process to finish with the store."""

_HEADER_BYTES = 100
_MAGIC = b"SQLite format 3\0"


def open_store(path: str, *, write: bool) -> Store | None:
    """Open a store that is there; None where there is none.

    Without `write` the store cannot be changed through what is returned.

    Raises:
        StoreFault: the path or the file cannot be a store of this version.
    """
    place = _checked_path(path)
    header = _read_header(place)
    if header is None:
        return None
    _check_header(place, header)
    try:
        connection = _connect(f"{place.absolute().as_uri()}?mode=rw", uri=True)
        try:
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA secure_delete = ON")
            if not write:
                connection.execute("PRAGMA query_only = ON")
            return Store(connection)
        except sqlite3.OperationalError:
            connection.close()
            if write or _has_log(place):
                raise
            # Beside a store nobody is writing, where no log can be made either, it can be read.
            return Store(_connect(f"{place.absolute().as_uri()}?immutable=1", uri=True))
    except sqlite3.Error as error:
        writable = os.access(place, os.W_OK) and os.access(place.absolute().parent, os.W_OK)
        hint = "" if writable else "; the file or its folder may not be written"
        raise StoreFault(f"the store {_shown(place)} cannot be used: {error}{hint}") from None


def create(path: str, seed: int) -> Store:
    """Make a store where there is none, and open it for writing.

    It is made whole under another name and then linked to its own, so that nobody ever sees half
    a store, and of several who make it at once one wins and the others open what it made.

    Raises:
        StoreFault: no file can be made there.
    """
    _publish(path, lambda connection: _make_schema(connection, seed))
    store = open_store(path, write=True)
    if store is None:
        raise StoreFault(f"the store {printable(path)} vanished as soon as it was made")
    return store


def save(store: Store, path: str) -> bool:
    """Give a store that is in memory a file of its own; False where there is one by now.

    Raises:
        StoreFault: no file can be made there.
    """
    return _publish(path, store.connection.backup)


def memory(seed: int) -> Store:
    """A store of its own that is gone when it is closed; it spills to an unnamed file."""
    connection = _connect("")
    connection.execute("PRAGMA journal_mode = MEMORY")  # there is nothing to recover after a crash
    template = _template()
    template.backup(connection)
    connection.execute("UPDATE store SET seed = ?", (str(seed),))
    return Store(connection)


def copy_of(store: Store) -> Store:
    """A throwaway copy of a store, for what must change nothing."""
    connection = _connect("")
    store.connection.backup(connection)
    return Store(connection)


def _publish(path: str, fill: Callable[[sqlite3.Connection], None]) -> bool:
    """Fill a file and give it its name once it is whole; False where the name is taken.

    Raises:
        StoreFault: no file can be made there.
    """
    place = _checked_path(path)
    draft = place.with_name(f".{place.name}.{secrets.token_hex(8)}.new")
    try:
        os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        try:
            with closing(_connect(str(draft))) as connection:
                fill(connection)
                connection.execute("PRAGMA journal_mode = WAL")
            os.link(draft, place)
        except FileExistsError:
            return False  # somebody else has just made it
        finally:
            draft.unlink()
    except (OSError, sqlite3.Error) as error:
        cause = error.strerror if isinstance(error, OSError) else error
        if isinstance(error, FileNotFoundError):
            cause = "its folder is not there"
        raise StoreFault(f"no store can be made at {_shown(place)}: {cause}") from None
    return True


def _has_log(place: Path) -> bool:
    """Whether changes may stand beside the store that are not in its file yet."""
    log = place.with_name(f"{place.name}-wal")
    return log.exists() and log.stat().st_size > 0


def _checked_path(path: str) -> Path:
    if path == "":
        raise StoreFault("the store's path is empty; name a file with --store")
    if path == ":memory:":
        raise StoreFault("':memory:' would be lost at once; name a file, or use --dry-run")
    if "\0" in path:
        raise StoreFault("the store's path holds a NUL character; name a file with --store")
    return Path(path)


def _read_header(place: Path) -> bytes | None:
    """The first bytes of the file, read without SQLite, which would touch what it opens."""
    try:
        mode = place.stat().st_mode
        if stat.S_ISDIR(mode):
            raise StoreFault(f"the store {_shown(place)} is a folder; name a file in it")
        if not stat.S_ISREG(mode):
            raise StoreFault(f"the store {_shown(place)} is no regular file; name one")
        with place.open("rb") as file:
            return file.read(_HEADER_BYTES)
    except FileNotFoundError:
        if place.is_symlink():
            raise StoreFault(f"the store {_shown(place)} is a link that leads nowhere") from None
        return None
    except OSError as error:
        raise StoreFault(f"the store {_shown(place)} cannot be read: {error.strerror}") from None


def _check_header(place: Path, header: bytes) -> None:
    """Refuse what is no idsync store of this version, by the numbers that SQLite keeps for that."""
    if not header.startswith(_MAGIC) or int.from_bytes(header[68:72], "big") != APPLICATION_ID:
        raise StoreFault(
            f"{_shown(place)} is no idsync store and is left as it is; name another with --store"
        )
    version = int.from_bytes(header[60:64], "big")
    if version != SCHEMA_VERSION:
        raise StoreFault(
            f"the store {_shown(place)} has schema version {version}, and this idsync knows "
            f"{SCHEMA_VERSION}; use the version of idsync that wrote it"
        )


def _make_schema(connection: sqlite3.Connection, seed: int) -> None:
    from sqlite_utils import Database  # heavy, and needed only where a store is made

    from idsync_cli.store.schema import migrations

    connection.execute("BEGIN IMMEDIATE")  # else every statement would be on the disk by itself
    migrations.apply(Database(connection, execute_plugins=False, recursive_triggers=False))
    connection.execute("INSERT INTO store VALUES (1, ?, 0)", (str(seed),))
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    connection.execute("COMMIT")


@cache
def _template() -> sqlite3.Connection:
    """An empty store to copy, for a copy is made a hundred times faster than a schema."""
    connection = _connect(":memory:")
    _make_schema(connection, seed=0)
    return connection


def _connect(database: str, *, uri: bool = False) -> sqlite3.Connection:
    return sqlite3.connect(database, timeout=BUSY_SECONDS, isolation_level=None, uri=uri)


def _shown(place: Path) -> str:
    return printable(str(place))
