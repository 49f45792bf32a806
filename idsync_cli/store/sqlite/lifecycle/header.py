"""What the header of a file says before SQLite opens it: whether it is a store, and its schema."""

import sqlite3
import stat

from idsync_cli.errors import FaultCode, Hint, StoreFault
from idsync_cli.store.sqlite.files.handles import reading
from idsync_cli.store.sqlite.files.location import StoreLocation

APPLICATION_ID = 0x69647379
"""Distinguishes a store from another program's SQLite file: the bytes `idsy`."""


SCHEMA_VERSION = 8
"""The schema version of this idsync: the number of migrations."""


HEADER_BYTES = 100
"""The length of the header of an SQLite file."""

_MAGIC = b"SQLite format 3\0"


class OldStore(StoreFault):
    """A store of an earlier version was opened for reading, which does not migrate it."""


def is_of_a_store(header: bytes) -> bool:
    """Whether a file with this header is an idsync store, of any version."""
    return header.startswith(_MAGIC) and int.from_bytes(header[68:72], "big") == APPLICATION_ID


def is_there(location: StoreLocation) -> bool:
    """Whether there is a store, of this version or an earlier one.

    Raises:
        StoreFault: there is something else.
    """
    header = _read_header(location)
    if header is None:
        return False
    if not is_of_a_store(header):
        raise StoreFault(
            f"{location} is not an idsync store and was left unchanged",
            FaultCode.NOT_A_STORE,
            hint=Hint.NAME_ANOTHER_STORE,
            store=str(location),
        )
    check_version(location, int.from_bytes(header[60:64], "big"))
    return True


def check_version(location: StoreLocation, version: int) -> None:
    """Reject a store that this version cannot read.

    Raises:
        StoreFault: it is newer.
    """
    if not 0 < version <= SCHEMA_VERSION:
        raise StoreFault(
            f"the store {location} has schema version {version}, but this idsync supports "
            f"only {SCHEMA_VERSION}; use the version of idsync that wrote it",
            FaultCode.NEWER_STORE,
            store=str(location),
        )


def old_store(location: StoreLocation, version: int) -> OldStore:
    """The fault for a store of an earlier version that is opened only for reading."""
    return OldStore(
        f"the store {location} was written by an earlier version of idsync (schema version "
        f"{version}; this one needs {SCHEMA_VERSION})",
        FaultCode.OLD_STORE,
        hint=Hint.UPDATE_STORE,
        store=str(location),
    )


def schema_version(connection: sqlite3.Connection) -> int:
    """The schema version as SQLite sees it; the log may have a newer one than the file's header."""
    [version] = connection.execute("PRAGMA user_version").fetchone()
    return int(version)


def _read_header(location: StoreLocation) -> bytes | None:
    """The first bytes of the file, read without SQLite, which might write to it."""
    try:
        found = location.find()
        if stat.S_ISDIR(found.st_mode):
            raise _no_file(location, "is a folder; name a file in it")
        if not stat.S_ISREG(found.st_mode):
            raise _no_file(location, "is not a regular file; name one")
        if found.st_nlink > 1:
            raise _no_file(
                location,
                f"has {found.st_nlink} names (hard links), each of which would have its own log; "
                "keep one of them and remove the others",
            )
        with reading(location.path) as file:
            return file.read(HEADER_BYTES)
    except FileNotFoundError:
        if location.given.is_symlink():
            raise _no_file(location, "is a broken link") from None
        return None
    except OSError as error:
        raise StoreFault(
            f"the store {location} cannot be read: {error.strerror}", store=str(location)
        ) from None


def _no_file(location: StoreLocation, what: str) -> StoreFault:
    return StoreFault(f"the store {location} {what}", FaultCode.NOT_A_STORE, store=str(location))
