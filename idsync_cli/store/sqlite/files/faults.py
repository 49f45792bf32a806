"""Errors of SQLite: what kind of fault each is, and what became of the transaction."""

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
    """Whether an error says that the store is damaged."""
    return _quotes_no_text(error) or not _DAMAGE.isdisjoint(_codes(error))


def _quotes_no_text(error: Exception) -> bool:
    """Whether an error is about a text that idsync never wrote.

    Its message must not be shown: it may quote the text, with an identifier's value in it.
    """
    is_told = str(error).startswith("Could not decode to")
    return is_told or isinstance(error, (UnicodeDecodeError, UnknownCode))


def is_undone(error: Exception) -> bool:
    """Whether a transaction whose commit failed with this error was surely rolled back.

    That is so if the commit could not be written. If the disk failed in another way, nobody knows.
    """
    return not (_NO_ROOM | _NOT_BEGUN).isdisjoint(_codes(error))


def unusable(error: Exception, location: StoreLocation | None, *, committing: bool) -> StoreFault:
    """The fault for an error in a transaction; `committing` says that its commit had begun."""
    what, code, hint = told(error)
    return StoreFault(
        f"the store cannot be used: {what}",
        code,
        hint=None if location is None and hint is Hint.RUN_DOCTOR else hint,
        kept=Kept.NOTHING_CHANGED if not committing or is_undone(error) else None,
        store=str(location),
    )


def told(error: Exception) -> tuple[str, FaultCode, Hint | None]:
    """The message of an error, the code of its fault, and the way out."""
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
    """The extended code of an error, and its primary code."""
    code = getattr(error, "sqlite_errorcode", 0)
    return {code, code & 0xFF}
