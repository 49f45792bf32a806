"""Whole copies of a store, and a store put back from one."""

import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import NamedTuple

from idsync_cli.core.codes import FileKind
from idsync_cli.core.erasure import KeptFile
from idsync_cli.errors import FaultCode, Hint, Kept, StoreFault, UsageFault, printable
from idsync_cli.store.file_values import FindingCode
from idsync_cli.store.sqlite.erasing.kept_files import text_of
from idsync_cli.store.sqlite.files.faults import is_damage, is_undone
from idsync_cli.store.sqlite.files.handles import BUSY_SECONDS, connect
from idsync_cli.store.sqlite.files.location import StoreLocation
from idsync_cli.store.sqlite.health.examination import first_fault
from idsync_cli.store.sqlite.lifecycle.again import (
    CarriedOutErasures,
    carry_out_again,
    clean,
    erasures_of,
    keep_path_in,
)
from idsync_cli.store.sqlite.lifecycle.beside import RESTORED_SUFFIX, SUFFIXES
from idsync_cli.store.sqlite.lifecycle.drafts import draft_of, put_in_place
from idsync_cli.store.sqlite.lifecycle.header import SCHEMA_VERSION, is_there, schema_version
from idsync_cli.store.sqlite.lifecycle.keeping import keep_path
from idsync_cli.store.sqlite.lifecycle.opening import open_store
from idsync_cli.store.sqlite.lifecycle.vacancy import check_name, is_free, no_folder
from idsync_cli.store.sqlite.store import SqliteStore


def back_up(path: str, file: str, *, replace: bool) -> int:
    """Copy a store as it is at one moment, whoever goes on writing; say how many bytes it has.

    Whether the file may be written at all is for the caller to check (`files/outputs.py`).

    Raises:
        UsageFault: there is something at the file's place already.
        StoreFault: there is no store, it is not sound, or the copy cannot be written.
    """
    target = StoreLocation(file)
    if os.path.lexists(target.given) and not (replace and target.path.is_file()):
        raise UsageFault(
            f"{target} already exists",
            FaultCode.FILE_EXISTS,
            hint=None if target.path.is_dir() else Hint.REPLACE_FILE,
            path=file,
        )
    for log in target.logs():
        raise StoreFault(
            f"{printable(str(log))} is the log of another store and would be replayed into "
            f"the backup {target}; name another file",
            FaultCode.FILE_IN_USE,
            path=file,
        )
    with _existing(path) as store, _failing_as(lambda error: _unwritten(target, error)):
        with draft_of(target.path) as draft:
            _copy(store, draft)  # nothing is noted down in a damaged store
            keep_path(path, FileKind.BACKUP, file)
            put_in_place(draft, target.path)
        return target.path.stat().st_size


class Restored(NamedTuple):
    """What a restore came to.

    `kept` is the file that has the old store, and `erased_again` how many profiles of the backup
    the old store had erased; unless it was too damaged to be asked (`knew_erasures`).
    """

    kept: Path | None = None
    erased_again: int = 0
    knew_erasures: bool = True


def restore(path: str, file: str, *, keep: bool) -> Restored:
    """Put a copy of a store where a store is, or where there is none.

    Everyone who has that one open sees all of the old one or all of the new one. With `keep`,
    what was there gets a file of its own beside it. Profiles that the old store has erased are
    erased in the copy before it comes. Whether the store may be written over at all is for the
    caller to check (`files/outputs.py`).

    Raises:
        StoreFault: the copy is no sound store of this version, or the store cannot be written.
    """
    location = StoreLocation(path)
    is_there(location)  # or else it is nothing to write over
    check_name(location)
    if not location.path.parent.is_dir():
        raise no_folder(location)
    with (
        _backup_at(file) as source,
        _failing_as(lambda error: _unrestored(location, error, is_as_it_was=True)),
        draft_of(location.path) as draft,
    ):
        _copy(source, draft)
        keep_path_in(draft, KeptFile(FileKind.BACKUP, text_of(file)))
        erasures = erasures_of(location.path) if is_there(location) else CarriedOutErasures()
        erased = carry_out_again(draft, erasures)  # which may take long, and so is done first
        with closing(location.lock), location.lock.turn():
            if not is_there(location):
                if is_free(location):
                    put_in_place(draft, location.path)
                return Restored()
            erasures = erasures_of(location.path)
            erased += carry_out_again(draft, erasures)
            kept = _free_name(location) if keep else None
            if kept:
                keep_path_in(draft, KeptFile(FileKind.BACKUP, text_of(str(kept))))
            with _failing_as(
                lambda error: _unrestored(location, error, is_as_it_was=is_undone(error))
            ):
                try:
                    _replace_content(location, draft, kept)
                except sqlite3.DatabaseError as error:
                    if not is_damage(error):
                        raise
                    _replace_damaged(location, draft, kept)
            if kept and not location.given.is_symlink():
                kept = location.given.with_name(kept.name)
            return Restored(kept, erased, erasures.is_readable)


def _replace_content(location: StoreLocation, draft: Path, kept: Path | None) -> None:
    """Let SQLite itself write the new content over the old, in one transaction."""
    with closing(connect(location.path)) as old:
        if kept:
            with draft_of(kept) as copy:
                with closing(connect(copy)) as connection:
                    _back_up(old, connection)
                    connection.execute("PRAGMA journal_mode = WAL")
                    _clean(connection)
                put_in_place(copy, kept)
        [page_size] = old.execute("PRAGMA page_size").fetchone()
        with closing(connect(draft)) as new:
            if new.execute("PRAGMA page_size").fetchone()[0] != page_size:
                new.execute("PRAGMA journal_mode = DELETE")
                new.execute(f"PRAGMA page_size = {page_size}")
                new.execute("VACUUM")
            try:
                _back_up(new, old)
            except (StoreFault, sqlite3.Error) as error:
                if kept and (isinstance(error, StoreFault) or is_undone(error)):
                    kept.unlink(missing_ok=True)  # the store has all of it still
                raise
        with suppress(sqlite3.Error):  # then it stays in the log
            old.execute("PRAGMA busy_timeout = 0")  # readers may go on with it, and nobody waits
            old.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _replace_damaged(location: StoreLocation, draft: Path, kept: Path | None) -> None:
    """Move a file aside that SQLite cannot write any more, with its log, or remove it."""
    for suffix in ("", "-wal", "-journal", "-shm"):
        file = location.beside(suffix)
        if not file.exists():
            continue
        if kept and suffix != "-shm":
            file.rename(kept.with_name(kept.name + suffix))
        else:
            file.unlink()
    put_in_place(draft, location.path)


def _copy(store: SqliteStore, draft: Path) -> None:
    """Copy a store at one moment into a file of its own, and see whether all of it is sound there.

    All is checked that doctor checks, but for the rules of the scopes. What the store owes of
    erasures is done in the copy.

    Raises:
        StoreFault: it is not sound.
    """
    try:
        with closing(connect(draft)) as copy:
            _back_up(store.connection, copy)
            copy.execute("PRAGMA journal_mode = WAL")
            clean(copy)
    except sqlite3.Error as error:
        if not is_damage(error):
            raise
        raise _unsound(store, f"is damaged: {error}") from None
    if not is_there(StoreLocation(str(draft))):
        raise StoreFault(
            f"the store {store.location} is empty", FaultCode.NOT_A_STORE, store=str(store.location)
        )
    found = first_fault(draft)
    if found is not None:
        what = (
            "is damaged" if found.code is not FindingCode.SCHEMA else "is not as idsync created it"
        )
        raise _unsound(store, f"{what}: {found.code}: {printable(found.where)}")


def _unsound(store: SqliteStore, what: str) -> StoreFault:
    return StoreFault(
        f"the store {store.location} {what}",
        FaultCode.STORE_DAMAGED,
        hint=Hint.RUN_DOCTOR,
        kept=Kept.NOTHING_CHANGED,
        store=str(store.location),
    )


def _back_up(source: sqlite3.Connection, target: sqlite3.Connection) -> None:
    """Copy all pages in one step, so that nobody writes in between; SQLite would wait for ever."""
    until = time.monotonic() + BUSY_SECONDS

    def progress(status: int, _remaining: int, _total: int) -> None:
        if status in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED} and time.monotonic() > until:
            raise StoreFault(
                "the store cannot be used: another program has locked it",
                FaultCode.STORE_BUSY,
                hint=Hint.TRY_AGAIN,
                kept=Kept.NOTHING_CHANGED,
            )

    source.backup(target, progress=progress)


def _clean(connection: sqlite3.Connection) -> None:
    """Clean a copy (`again.clean`), unless it is of an earlier version."""
    if schema_version(connection) == SCHEMA_VERSION:
        clean(connection)


def _existing(path: str) -> SqliteStore:
    store = open_store(path, write=False)
    if store is None:
        raise StoreFault(
            f"there is no store at {printable(path)}",
            FaultCode.NO_STORE,
            hint=Hint.NAME_ANOTHER_STORE,
            store=path,
        )
    return store


def _backup_at(file: str) -> SqliteStore:
    """Open what is to be restored; if it is no store, another file has to be named."""
    try:
        return _existing(file)
    except StoreFault as fault:
        if fault.code in (FaultCode.NO_STORE, FaultCode.NOT_A_STORE, FaultCode.INVALID_PATH):
            fault.hint = Hint.NAME_BACKUP
        raise


def _free_name(location: StoreLocation) -> Path:
    """A name beside the store that is free, also for the files that would belong to it."""
    names = (
        location.beside(RESTORED_SUFFIX + (f"-{number}" if number else "")) for number in count()
    )
    return next(
        name
        for name in names
        if not any(os.path.lexists(name.with_name(name.name + suffix)) for suffix in SUFFIXES)
    )


@contextmanager
def _failing_as(fault: Callable[[Exception], StoreFault]) -> Iterator[None]:
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        raise fault(error) from None


def _unwritten(location: StoreLocation, error: Exception) -> StoreFault:
    cause = error.strerror if isinstance(error, OSError) else error
    return StoreFault(
        f"the backup {location} cannot be written: {cause}",
        FaultCode.OUTPUT_UNWRITABLE,
        kept=Kept.STORE_AS_IT_WAS,
        path=str(location),
    )


def _unrestored(location: StoreLocation, error: Exception, *, is_as_it_was: bool) -> StoreFault:
    cause = error.strerror if isinstance(error, OSError) else error
    return StoreFault(
        f"the store {location} cannot be restored: {cause}",
        FaultCode.STORE_UNWRITABLE,
        kept=Kept.STORE_AS_IT_WAS if is_as_it_was else None,
        store=str(location),
    )
