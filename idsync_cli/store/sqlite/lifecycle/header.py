"""What a store's file says of itself before SQLite opens it: whose it is, and its schema."""

import sqlite3
import stat

from idsync_cli.errors import FaultCode, Hint, StoreFault
from idsync_cli.store.sqlite.files.handles import reading
from idsync_cli.store.sqlite.files.location import StoreLocation

APPLICATION_ID = 0x69647379
"""Tells an idsync store from another program's SQLite file: the bytes `idsy`."""


SCHEMA_VERSION = 4
"""How many migrations a store of this version has."""


HEADER_BYTES = 100
"""So many bytes SQLite keeps for itself at the beginning of a file."""

_MAGIC = b"SQLite format 3\0"


class OldStore(StoreFault):
    """A store of an earlier version, which is brought up to date only to be written."""


def is_of_a_store(header: bytes) -> bool:
    """Whether a file that begins like this is a store of ours, of whatever version."""
    return header.startswith(_MAGIC) and int.from_bytes(header[68:72], "big") == APPLICATION_ID


def is_there(place: StoreLocation) -> bool:
    """Whether there is a store, of this version or an earlier one.

    Raises:
        StoreFault: there is something else.
    """
    header = _read_header(place)
    if header is None:
        return False
    if not is_of_a_store(header):
        raise StoreFault(
            f"{place} is not an idsync store and was left unchanged",
            FaultCode.NOT_A_STORE,
            hint=Hint.NAME_ANOTHER_STORE,
            store=str(place),
        )
    check_version(place, int.from_bytes(header[60:64], "big"))
    return True


def check_version(place: StoreLocation, version: int) -> None:
    """Refuse a store that this version cannot read.

    Raises:
        StoreFault: it is newer.
    """
    if not 0 < version <= SCHEMA_VERSION:
        raise StoreFault(
            f"the store {place} has schema version {version}, but this idsync supports "
            f"only {SCHEMA_VERSION}; use the version of idsync that wrote it",
            FaultCode.NEWER_STORE,
            store=str(place),
        )


def old_store(place: StoreLocation, version: int) -> OldStore:
    """What is said of a store of an earlier version that is only to be read."""
    return OldStore(
        f"the store {place} was written by an earlier version of idsync (schema version {version}; "
        f"this one needs {SCHEMA_VERSION})",
        FaultCode.OLD_STORE,
        hint=Hint.UPDATE_STORE,
        store=str(place),
    )


def schema_version(connection: sqlite3.Connection) -> int:
    """How far a store has been migrated; its header may not know yet what its log has."""
    [version] = connection.execute("PRAGMA user_version").fetchone()
    return int(version)


def _read_header(place: StoreLocation) -> bytes | None:
    """The first bytes of the file, read without SQLite, which would touch what it opens."""
    try:
        found = place.find()
        if stat.S_ISDIR(found.st_mode):
            raise _no_file(place, "is a folder; name a file in it")
        if not stat.S_ISREG(found.st_mode):
            raise _no_file(place, "is not a regular file; name one")
        if found.st_nlink > 1:
            raise _no_file(
                place,
                f"has {found.st_nlink} names (hard links), each of which would have its own log; "
                "keep one of them and remove the others",
            )
        with reading(place.path) as file:
            return file.read(HEADER_BYTES)
    except FileNotFoundError:
        if place.given.is_symlink():
            raise _no_file(place, "is a broken link") from None
        return None
    except OSError as error:
        raise StoreFault(
            f"the store {place} cannot be read: {error.strerror}", store=str(place)
        ) from None


def _no_file(place: StoreLocation, what: str) -> StoreFault:
    return StoreFault(f"the store {place} {what}", FaultCode.NOT_A_STORE, store=str(place))
