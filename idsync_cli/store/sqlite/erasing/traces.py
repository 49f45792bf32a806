"""Where a profile stands in the history: found for one, or for many from one reading of it.

No index says it, for requests are written a million times more often than one is erased. To find
one profile reads the whole history; after a few, numbers are laid out beside it for as long as
the connection lasts, and each one more costs nothing.
"""

from sqlite3 import Connection
from typing import Any, NamedTuple

_READINGS = 5
"""So often the history is read as a whole before it is laid out, which takes about as long."""

_SOUGHT = {
    "requests": "seq",
    "changes": "seq, place, identifier_id",
    "attribute_changes": "seq, place",
    "batch_ids": "digest, seq",
}
"""What is wanted of the rows of a profile, by table; each has `seq` and `created_seq`."""


class Trace(NamedTuple):
    """What tells of a profile.

    `answered` are the requests that were answered with it, `changes` its changes by number, place
    and identifier, `attribute_changes` those of its attributes by number and place, and
    `batch_ids` the digests of its batches with their numbers.
    """

    answered: list[int]
    changes: list[tuple[int, int, int]]
    attribute_changes: list[tuple[int, int]]
    batch_ids: list[tuple[bytes, int]]


class Traces:
    """The traces of profiles, as long as nobody else writes and the history only grows."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._readings = 0
        self._laid_out_to = 0
        self._latest: tuple[int, Trace] | None = None

    def forget_latest(self) -> None:
        """The history has grown, or something of it was removed."""
        self._latest = None

    def of(self, created_seq: int) -> Trace:
        """The trace of the profile made by a request."""
        if self._latest is None or self._latest[0] != created_seq:
            self._readings += 1
            is_laid_out = self._readings > _READINGS and self._lay_out()
            rows = [self._rows(table, created_seq, is_laid_out) for table in _SOUGHT]
            answered = [seq for (seq,) in rows[0]]
            self._latest = created_seq, Trace(answered, *rows[1:])
        return self._latest[1]

    def _rows(self, table: str, created_seq: int, is_laid_out: bool) -> list[Any]:
        execute, columns = self._connection.execute, _SOUGHT[table]
        found: list[Any] = []
        before = 0
        if is_laid_out:
            before = self._laid_out_to
            query = f"SELECT {columns} FROM temp.traced_{table} WHERE created_seq = ?"
            found += execute(query, (created_seq,))
        query = f"SELECT {columns} FROM main.{table} WHERE seq > ? AND created_seq = ?"
        return found + execute(query, (before, created_seq)).fetchall()

    def _lay_out(self) -> bool:
        """Lay the history out, up to now, unless that was done; not where nothing may be written.

        What was laid out in a transaction that was rolled back is gone with it.
        """
        execute = self._connection.execute
        if execute("PRAGMA query_only").fetchone()[0]:
            return False
        there = execute("SELECT 1 FROM sqlite_temp_schema WHERE name = 'traced_requests'")
        if self._laid_out_to and there.fetchone():
            return True
        bound = int(execute("SELECT max(seq) FROM main.requests").fetchone()[0] or 0)
        for table, columns in _SOUGHT.items():
            execute(f"DROP TABLE IF EXISTS temp.traced_{table}")
            execute(
                f"CREATE TEMP TABLE traced_{table} (created_seq, {columns},"
                f" PRIMARY KEY (created_seq, {columns})) WITHOUT ROWID"
            )
            execute(
                f"INSERT INTO temp.traced_{table} SELECT created_seq, {columns} FROM main.{table}"
                f" WHERE created_seq NOT NULL AND seq <= ? ORDER BY created_seq, {columns}",
                (bound,),
            )
        self._laid_out_to = bound
        return True
