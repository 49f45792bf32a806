"""Where a profile stands in the history: found for one, or for many from one reading of it.

No index says it, for requests are written a million times more often than one is erased. To find
one profile reads the whole history; after a few, numbers are laid out beside it for as long as
the connection lasts, and each one more costs nothing.
"""

from sqlite3 import Connection
from typing import NamedTuple

_READINGS = 5
"""So often the history is read as a whole before it is laid out, which takes about as long."""

_IS_LAID_OUT = "SELECT 1 FROM sqlite_temp_schema WHERE name = 'answered_with'"
_LAY_OUT = (
    """
    CREATE TEMP TABLE answered_with (created_seq, seq, PRIMARY KEY (created_seq, seq)) WITHOUT ROWID
    """,
    """
    CREATE TEMP TABLE changed_by (
        created_seq, seq, place, identifier_id, PRIMARY KEY (created_seq, seq, place)
    ) WITHOUT ROWID
    """,
)
_FILL = (
    """
    INSERT INTO temp.answered_with
    SELECT created_seq, seq FROM main.requests WHERE created_seq NOT NULL AND seq > ?1
    ORDER BY created_seq, seq
    """,
    """
    INSERT INTO temp.changed_by
    SELECT created_seq, seq, place, identifier_id FROM main.changes WHERE seq > ?1
    ORDER BY created_seq, seq, place
    """,
)


class Trace(NamedTuple):
    """Requests that were answered with a profile, and its changes: number, place, identifier."""

    answered: list[int]
    changes: list[tuple[int, int, int]]


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
            self._latest = created_seq, self._read(created_seq)
        return self._latest[1]

    def _read(self, created_seq: int) -> Trace:
        execute = self._connection.execute
        self._readings += 1
        before = 0
        answered: list[int] = []
        changes: list[tuple[int, int, int]] = []
        if self._readings > _READINGS and self._is_laid_out():
            before = self._laid_out_to
            answered += _first(
                execute("SELECT seq FROM temp.answered_with WHERE created_seq = ?", (created_seq,))
            )
            changes += execute(
                "SELECT seq, place, identifier_id FROM temp.changed_by WHERE created_seq = ?",
                (created_seq,),
            )
        answered += _first(
            execute(
                "SELECT seq FROM main.requests WHERE seq > ? AND created_seq = ?",
                (before, created_seq),
            )
        )
        changes += execute(
            "SELECT seq, place, identifier_id FROM main.changes WHERE seq > ? AND created_seq = ?",
            (before, created_seq),
        )
        return Trace(answered, changes)

    def _is_laid_out(self) -> bool:
        """Lay the history out, up to now, unless that was done; not where nothing may be written.

        What a transaction laid out that was rolled back is gone with it.
        """
        execute = self._connection.execute
        if execute("PRAGMA query_only").fetchone()[0]:
            return False
        if self._laid_out_to and execute(_IS_LAID_OUT).fetchone():
            return True
        for table in ("answered_with", "changed_by"):
            execute(f"DROP TABLE IF EXISTS temp.{table}")
        for statement in _LAY_OUT:
            execute(statement)
        for statement in _FILL:
            execute(statement, (0,))
        highest = execute("SELECT max(seq) FROM main.requests").fetchone()[0]
        self._laid_out_to = int(highest or 0)
        return True


def _first(rows: object) -> list[int]:
    return [number for (number,) in rows]  # type: ignore[attr-defined]
