"""What an error of SQLite's means: what kind of fault it is, and what became of the work."""

import sqlite3

from idsync_cli.errors import FaultCode, Hint, Kept, StoreFault
from idsync_cli.store.sqlite.files.location import StoreLocation

_DAMAGE = {
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_IOERR_SHORT_READ,
    sqlite3.SQLITE_IOERR_CORRUPTFS,
}
_NO_ROOM = {
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR_WRITE,
    sqlite3.SQLITE_IOERR_TRUNCATE,
    sqlite3.SQLITE_IOERR_SHMSIZE,
}
_NOT_BEGUN = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_AUTH,
}


class UnknownCode(sqlite3.DatabaseError):
    """A row has a word that no idsync wrote there: the store is damaged."""


def is_damage(error: Exception) -> bool:
    """Whether an error tells that a file is not what SQLite wrote."""
    return _quotes_no_text(error) or not _DAMAGE.isdisjoint(_codes(error))


def _quotes_no_text(error: Exception) -> bool:
    """Whether an error is about a text that idsync never wrote.

    Its message may quote what stands beside it, an identifier's value; nobody is to see that.
    """
    is_told = str(error).startswith("Could not decode to")
    return is_told or isinstance(error, (UnicodeDecodeError, UnknownCode))


def is_undone(error: Exception) -> bool:
    """Whether a transaction that could not be committed for this reason is surely undone.

    It is where its end could not be written. Where the disk failed to keep what was written, or
    to give back what it had, nobody knows.
    """
    return not (_NO_ROOM | _NOT_BEGUN).isdisjoint(_codes(error))


def unusable(error: Exception, place: StoreLocation | None, *, committing: bool) -> StoreFault:
    """What is said of an error in a transaction, which had come to its commit or not."""
    what, code, hint = told(error)
    return StoreFault(
        f"the store cannot be used: {what}",
        code,
        hint=None if place is None and hint is Hint.RUN_DOCTOR else hint,
        kept=Kept.NOTHING_CHANGED if not committing or is_undone(error) else None,
        store=str(place),
    )


def told(error: Exception) -> tuple[str, FaultCode, Hint | None]:
    """What an error says, what kind of fault it is, and the way out."""
    codes = _codes(error)
    if _quotes_no_text(error):
        return "it is damaged", FaultCode.STORE_DAMAGED, Hint.RUN_DOCTOR
    if is_damage(error):
        return f"{error}; it is damaged", FaultCode.STORE_DAMAGED, Hint.RUN_DOCTOR
    if not _NO_ROOM.isdisjoint(codes):
        may_be = " (the disk may be full, or file sizes limited)"
        is_told = sqlite3.SQLITE_FULL in codes
        return f"{error}{'' if is_told else may_be}", FaultCode.DISK_FULL, Hint.MAKE_ROOM
    if sqlite3.SQLITE_BUSY in codes:
        return str(error), FaultCode.STORE_BUSY, Hint.WAIT_AND_TRY_AGAIN
    if sqlite3.SQLITE_IOERR in codes:
        return str(error), FaultCode.DISK_FAILS, Hint.RUN_DOCTOR
    return str(error), FaultCode.STORE_UNUSABLE, None


def _codes(error: Exception) -> set[int]:
    """The code of an error, and the more general one that it is a kind of."""
    code = getattr(error, "sqlite_errorcode", 0)
    return {code, code & 0xFF}
