"""SQLite's own check of the file, and whether the schema is that of idsync."""

import sqlite3
from collections.abc import Iterator
from itertools import chain

from idsync_cli.store.file_values import FindingCode, Sign
from idsync_cli.store.sqlite.lifecycle.opening import temporary

_SQLITE_SAYS = 10


def of_sqlite(connection: sqlite3.Connection) -> Iterator[Sign]:
    """What SQLite's own check of pages, indexes and columns finds."""
    for (told,) in connection.execute(f"PRAGMA integrity_check({_SQLITE_SAYS})"):
        for line in str(told).split("\n"):
            if line != "ok" and not line.startswith("*** in database"):
                yield Sign(FindingCode.SQLITE, line)


def of_schema(connection: sqlite3.Connection) -> Iterator[Sign]:
    """Tables, indexes, views, triggers and fixed rows that differ from those of a new store."""
    with temporary(0) as template:
        for query in _FIXED:
            wanted, there = (
                {tuple(map(str, row[:2])): tuple(row) for row in each.execute(query)}
                for each in (template.connection, connection)
            )
            for key in chain(wanted, there.keys() - wanted.keys()):
                if wanted.get(key) != there.get(key):
                    what = (
                        "is missing"
                        if key not in there
                        else ("is not from idsync" if key not in wanted else "is different")
                    )
                    yield Sign(FindingCode.SCHEMA, f"{' '.join(key)} {what}")


_FIXED = (
    "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_stat%'",
    "SELECT 'type', name, identity_type_id FROM identity_types",
    "SELECT 'migration', name, id, migration_set, applied_at FROM _sqlite_migrations",
    "SELECT 'PRAGMA', 'encoding', encoding FROM pragma_encoding",
)
