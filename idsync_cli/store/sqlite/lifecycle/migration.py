"""Bringing a store of an earlier version up to date: a backup first, then all of it or nothing."""

import filecmp
import os
import sqlite3
from contextlib import closing, suppress
from itertools import count
from pathlib import Path

from idsync_cli.errors import FaultCode, Hint, Kept, StoreFault, printable
from idsync_cli.store.sqlite.files.faults import is_undone
from idsync_cli.store.sqlite.files.handles import connect
from idsync_cli.store.sqlite.files.location import StoreLocation
from idsync_cli.store.sqlite.lifecycle.beside import MIGRATED_SUFFIX
from idsync_cli.store.sqlite.lifecycle.drafts import draft_of, put_in_place
from idsync_cli.store.sqlite.lifecycle.header import SCHEMA_VERSION, schema_version


def bring_up_to_date(place: StoreLocation, connection: sqlite3.Connection) -> Path | None:
    """Migrate a store in one transaction, and give the backup that was made of it before.

    None if someone else has brought it up to date by now. Whoever is killed at it leaves the
    old store or the new one.

    Raises:
        StoreFault: it cannot be.
    """
    from idsync_cli.store.sqlite.schema.migrations import migrate

    committing = False
    with place.lock.turn():
        try:
            connection.execute("BEGIN IMMEDIATE")
            version = schema_version(connection)
            if version == SCHEMA_VERSION:
                connection.execute("ROLLBACK")
                return None
            kept = _keep(place, version)
            migrate(connection)
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            _check_in_place(place)
            committing = True
            connection.execute("COMMIT")
        except BaseException as error:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            if isinstance(error, (OSError, sqlite3.Error)):
                is_as_it_was = not committing or is_undone(error)
                raise _not_brought(place, error, is_as_it_was=is_as_it_was) from None
            raise
        with suppress(sqlite3.Error):  # as far as readers let it, and without waiting for them
            connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
    return kept


def _keep(place: StoreLocation, version: int) -> Path:
    """Give what the store is now a file of its own beside it, unless an earlier one is the same."""
    name, names = place.path, _names(place, version)
    with (
        draft_of(next(names)) as draft,
        closing(connect(f"{place.path.as_uri()}?mode=ro", uri=True)) as old,
    ):
        with closing(connect(draft)) as copy:
            old.backup(copy)
            copy.execute("PRAGMA journal_mode = WAL")
            [found] = copy.execute("PRAGMA quick_check(1)").fetchone()
        if found != "ok":
            raise StoreFault(
                f"the store {place} is damaged and was not upgraded: {printable(found)}",
                FaultCode.STORE_DAMAGED,
                store=str(place),
            )
        for name in _names(place, version):
            if not os.path.lexists(name):
                put_in_place(draft, name)
            elif not _same(draft, name):
                continue
            break
    return place.given.with_name(name.name) if not place.given.is_symlink() else name


def _names(place: StoreLocation, version: int) -> "map[Path]":
    suffix = MIGRATED_SUFFIX.format(version)
    return map(place.beside, (suffix + (f"-{number}" if number else "") for number in count()))


def _same(draft: Path, name: Path) -> bool:
    """Whether an earlier try, killed before it could go on, kept the same already."""
    return name.is_file() and filecmp.cmp(draft, name, shallow=False)


def _check_in_place(place: StoreLocation) -> None:
    if not place.still_leads_to_it():
        raise StoreFault(
            f"the store {place} was replaced while it was being opened",
            FaultCode.STORE_REPLACED,
            hint=Hint.TRY_AGAIN,
            store=str(place),
        )


def _not_brought(place: StoreLocation, error: Exception, *, is_as_it_was: bool) -> StoreFault:
    cause = error.strerror if isinstance(error, OSError) else error
    return StoreFault(
        f"the store {place} cannot be upgraded to this version of idsync: {cause}",
        FaultCode.STORE_UNUSABLE,
        kept=Kept.STORE_AS_IT_WAS if is_as_it_was else None,
        store=str(place),
    )
