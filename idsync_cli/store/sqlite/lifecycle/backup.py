"""Whole copies of a store, and a store put back from one."""

import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from itertools import count
from pathlib import Path

from idsync_cli.errors import StoreFault, UsageFault, printable, quoted
from idsync_cli.store.sqlite.files.handles import BUSY_SECONDS, connect
from idsync_cli.store.sqlite.files.place import Place
from idsync_cli.store.sqlite.lifecycle.drafts import draft_of, put_in_place
from idsync_cli.store.sqlite.lifecycle.header import is_there
from idsync_cli.store.sqlite.lifecycle.opening import is_free, open_store
from idsync_cli.store.sqlite.store import SqliteStore

KEPT_SUFFIX = ".before-restore"
"""What is put behind the name of a store that another was restored over."""

_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


def back_up(path: str, file: str, *, replace: bool) -> int:
    """Copy a store as it is at one moment, whoever goes on writing; say how many bytes it has.

    Raises:
        UsageFault: there is something at the file's place already.
        StoreFault: there is no store, it is damaged, or the copy cannot be written.
    """
    target = _target(file, path)
    if os.path.lexists(target.given) and not (replace and target.path.is_file()):
        hint = "" if target.path.is_dir() else "; --force replaces it"
        raise UsageFault(f"{target} is there already{hint}")
    for log in target.logs():
        raise StoreFault(
            f"{printable(str(log))} is the log of another store, and would be played into the "
            f"backup {target}; name another file"
        )
    with _existing(path) as store, _failing_as(lambda error: _unwritten(target, error)):
        with draft_of(target.path) as draft:
            _copy(store, draft)
            put_in_place(draft, target.path)
        return target.path.stat().st_size


def restore(path: str, file: str, *, keep: bool) -> Path | None:
    """Put a copy of a store where a store is, or where there is none.

    Everybody who has that one open sees all of the old one or all of the new one. With `keep`,
    what was there gets a file of its own beside it, which is returned.

    Raises:
        UsageFault: the two are one file.
        StoreFault: one of them is no whole store of this version, or cannot be written.
    """
    place = _target(path, file)
    is_there(place)  # or else it is nothing to write over
    if not place.path.parent.is_dir():
        raise StoreFault(f"no store can be made at {place}: its folder is not there")
    with (
        _existing(file) as source,
        _failing_as(lambda error: _unrestored(place, error)),
        draft_of(place.path) as draft,
    ):
        _copy(source, draft)
        with closing(place.lock), place.lock.turn():
            if not is_there(place):
                if is_free(place):
                    put_in_place(draft, place.path)
                return None
            kept = _free_name(place) if keep else None
            try:
                _replace_content(place, draft, kept)
            except sqlite3.DatabaseError as error:
                if error.sqlite_errorcode & 0xFF not in _DAMAGED:
                    raise
                _replace_damaged(place, draft, kept)
            return kept and (kept if place.given.is_symlink() else place.given.with_name(kept.name))


def _replace_content(place: Place, draft: Path, kept: Path | None) -> None:
    """Let SQLite itself write the new content over the old, in one transaction."""
    with closing(connect(place.path)) as old:
        if kept:
            with draft_of(kept) as copy:
                with closing(connect(copy)) as connection:
                    _back_up(old, connection)
                    connection.execute("PRAGMA journal_mode = WAL")
                put_in_place(copy, kept)
        [page_size] = old.execute("PRAGMA page_size").fetchone()
        with closing(connect(draft)) as new:
            if new.execute("PRAGMA page_size").fetchone()[0] != page_size:
                new.execute("PRAGMA journal_mode = DELETE")
                new.execute(f"PRAGMA page_size = {page_size}")
                new.execute("VACUUM")
            _back_up(new, old)
        old.execute("PRAGMA busy_timeout = 0")  # readers may go on with the log, and nobody waits
        old.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _replace_damaged(place: Place, draft: Path, kept: Path | None) -> None:
    """Move a file aside that SQLite cannot write any more, with its log, or remove it."""
    for suffix in ("", "-wal", "-journal", "-shm"):
        file = place.beside(suffix)
        if not file.exists():
            continue
        if kept and suffix != "-shm":
            file.rename(kept.with_name(kept.name + suffix))
        else:
            file.unlink()
    put_in_place(draft, place.path)


def _copy(store: SqliteStore, draft: Path) -> None:
    """Copy a store at one moment into a file of its own, and see whether it is whole there."""
    with closing(connect(draft)) as copy:
        _back_up(store.connection, copy)
        copy.execute("PRAGMA journal_mode = WAL")
        [found] = copy.execute("PRAGMA quick_check(1)").fetchone()
    if found != "ok":
        raise StoreFault(f"the store {store.place} is damaged: {printable(found)}")
    if not is_there(Place(str(draft))):
        raise StoreFault(f"the store {store.place} is empty")


def _back_up(source: sqlite3.Connection, target: sqlite3.Connection) -> None:
    """Copy all pages in one step, so that nobody writes in between; SQLite would wait for ever."""
    until = time.monotonic() + BUSY_SECONDS

    def progress(status: int, _remaining: int, _total: int) -> None:
        if status in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED} and time.monotonic() > until:
            raise StoreFault(
                "the store cannot be used: another program holds it; nothing was changed, try again"
            )

    source.backup(target, progress=progress)


def _target(path: str, other: str) -> Place:
    """Where something is written, which is not where it is read.

    Raises:
        UsageFault: it is.
    """
    place = Place(path)
    with suppress(OSError, ValueError):
        if Path(path).samefile(other):
            raise UsageFault(f"{quoted(path)} and {quoted(other)} are one file; name another")
    return place


def _existing(path: str) -> SqliteStore:
    store = open_store(path, write=False)
    if store is None:
        raise StoreFault(f"there is no store at {printable(path)}")
    return store


def _free_name(place: Place) -> Path:
    """A name beside the store that nothing bears."""
    names = (place.beside(KEPT_SUFFIX + (f"-{number}" if number else "")) for number in count())
    return next(name for name in names if not os.path.lexists(name))


@contextmanager
def _failing_as(fault: Callable[[Exception], StoreFault]) -> Iterator[None]:
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        raise fault(error) from None


def _unwritten(place: Place, error: Exception) -> StoreFault:
    cause = error.strerror if isinstance(error, OSError) else error
    return StoreFault(f"the backup {place} cannot be written: {cause}; the store is as it was")


def _unrestored(place: Place, error: Exception) -> StoreFault:
    cause = error.strerror if isinstance(error, OSError) else error
    return StoreFault(f"the store {place} cannot be restored: {cause}; it is as it was")
