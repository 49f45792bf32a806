"""Rewriting a store's file, so that no byte is left of rows that were removed.

SQLite overwrites what is deleted, but what was moved within a page or between pages may have left
a copy behind, the log has pages as they were, and another program may have deleted without
overwriting. Once the file is rewritten, from its rows alone, and the log is empty, there is
nothing of all that.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from idsync_cli.store.file_values import Evidence
from idsync_cli.store.sqlite.erasing import entries
from idsync_cli.store.sqlite.erasing.removal import remove_unnamed

_IN_A_HURRY_MS = 50


def evidence(connection: sqlite3.Connection, log: Path) -> Evidence:
    """What the file and its log are like."""
    pages, free_pages = (
        int(connection.execute(f"PRAGMA {name}").fetchone()[0])
        for name in ("page_count", "freelist_count")
    )
    return Evidence(pages, free_pages, log.stat().st_size if log.exists() else 0)


def rewrite(connection: sqlite3.Connection) -> None:
    """Rewrite the file if that is owed. Call it in no transaction, while it is this process's turn.

    If the process is killed meanwhile, it stays owed.
    """
    if entries.rewriting_is_owed(connection):
        number = entries.rewritings(connection) + 1
        with _transaction(connection):
            remove_unnamed(connection)
        connection.execute("VACUUM")
        with _transaction(connection):
            entries.was_rewritten(connection, number)


def empty_log(connection: sqlite3.Connection, *, patiently: bool) -> bool:
    """Copy all of the log into the file and cut it off; False if somebody still reads the old one.

    With `patiently`, readers are waited for as long as another writer would be.
    """
    [before] = connection.execute("PRAGMA busy_timeout").fetchone()
    if not patiently:
        connection.execute(f"PRAGMA busy_timeout = {_IN_A_HURRY_MS}")
    try:
        if not _cut_off(connection):
            return False
        with _transaction(connection):
            entries.are_finished(connection)
        _cut_off(connection)  # this, too, if nobody has begun to read meanwhile
        return True
    finally:
        connection.execute(f"PRAGMA busy_timeout = {before}")


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _cut_off(connection: sqlite3.Connection) -> bool:
    is_busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    return not is_busy
