"""Migrating a store of an earlier version: first a backup, then all migrations or none."""

import filecmp
import os
import sqlite3
from contextlib import closing, suppress
from itertools import count
from pathlib import Path

from idsync_cli.core.codes import FileKind
from idsync_cli.core.erasure import KeptFile
from idsync_cli.errors import FaultCode, Hint, Kept, StoreFault, printable
from idsync_cli.store.sqlite.erasing.kept_files import put, text_of
from idsync_cli.store.sqlite.files.faults import is_undone
from idsync_cli.store.sqlite.files.handles import connect
from idsync_cli.store.sqlite.files.location import StoreLocation
from idsync_cli.store.sqlite.lifecycle.beside import MIGRATED_SUFFIX, SUFFIXES, StorePart, part_of
from idsync_cli.store.sqlite.lifecycle.drafts import draft_of, put_in_place
from idsync_cli.store.sqlite.lifecycle.header import SCHEMA_VERSION, schema_version


def bring_up_to_date(location: StoreLocation, connection: sqlite3.Connection) -> Path | None:
    """Back a store up, then migrate it in one transaction; give the path of the backup.

    None if another process has migrated it by now. A process that is killed meanwhile leaves the
    old store or the new one.

    Raises:
        StoreFault: it cannot be migrated.
    """
    from idsync_cli.store.sqlite.schema.migrations import migrate

    committing = False
    with location.lock.turn():
        try:
            connection.execute("BEGIN IMMEDIATE")
            version = schema_version(connection)
            if version == SCHEMA_VERSION:
                connection.execute("ROLLBACK")
                return None
            kept = _keep(location, version)
            migrate(connection)
            _keep_paths_of_copies(connection, location.path)
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            _check_in_place(location)
            committing = True
            connection.execute("COMMIT")
        except BaseException as error:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            if isinstance(error, (OSError, sqlite3.Error)):
                is_as_it_was = not committing or is_undone(error)
                raise _not_brought(location, error, is_as_it_was=is_as_it_was) from None
            raise
        with suppress(sqlite3.Error):  # without waiting for readers
            connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
    return kept


def _keep(location: StoreLocation, version: int) -> Path:
    """Copy the store to a file beside it, unless an earlier copy is the same."""
    name, names = location.path, _names(location, version)
    with (
        draft_of(next(names)) as draft,
        closing(connect(f"{location.path.as_uri()}?mode=ro", uri=True)) as old,
    ):
        with closing(connect(draft)) as copy:
            old.backup(copy)
            copy.execute("PRAGMA journal_mode = WAL")
            [found] = copy.execute("PRAGMA quick_check(1)").fetchone()
        if found != "ok":
            raise StoreFault(
                f"the store {location} is damaged and was not upgraded: {printable(found)}",
                FaultCode.STORE_DAMAGED,
                store=str(location),
            )
        for name in _names(location, version):
            if not os.path.lexists(name):
                put_in_place(draft, name)
            elif not _same(draft, name):
                continue
            break
    return location.given.with_name(name.name) if not location.given.is_symlink() else name


def _keep_paths_of_copies(connection: sqlite3.Connection, store: Path) -> None:
    """Keep the paths of copies that bear the store's name, this one's too."""
    for file in sorted(store.parent.iterdir()):
        if part_of(file, store) is StorePart.COPY and not file.name.endswith(SUFFIXES[1:]):
            put(connection, KeptFile(FileKind.BACKUP, text_of(str(file))))


def _names(location: StoreLocation, version: int) -> "map[Path]":
    suffix = MIGRATED_SUFFIX.format(version)
    return map(location.beside, (suffix + (f"-{number}" if number else "") for number in count()))


def _same(draft: Path, name: Path) -> bool:
    """Whether an existing copy is the same: an earlier attempt, which was killed, made it."""
    return name.is_file() and filecmp.cmp(draft, name, shallow=False)


def _check_in_place(location: StoreLocation) -> None:
    if not location.still_leads_to_it():
        raise StoreFault(
            f"the store {location} was replaced while it was being opened",
            FaultCode.STORE_REPLACED,
            hint=Hint.TRY_AGAIN,
            store=str(location),
        )


def _not_brought(location: StoreLocation, error: Exception, *, is_as_it_was: bool) -> StoreFault:
    cause = error.strerror if isinstance(error, OSError) else error
    return StoreFault(
        f"the store {location} cannot be upgraded to this version of idsync: {cause}",
        FaultCode.STORE_UNUSABLE,
        kept=Kept.STORE_AS_IT_WAS if is_as_it_was else None,
        store=str(location),
    )
