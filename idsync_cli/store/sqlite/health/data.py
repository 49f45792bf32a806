"""What batches brought: whether it is what was written, and what its history says."""

import sqlite3
from collections.abc import Iterator

from idsync_cli.store.file_values import FindingCode, Sign
from idsync_cli.store.sqlite.rows.data import DELETE, SET, checksum_of_event


def of_events(connection: sqlite3.Connection) -> Iterator[Sign]:
    """Events that are not what was written."""
    for its_sum, *event in connection.execute(_EVENTS):
        if its_sum != checksum_of_event(*event):
            yield Sign(FindingCode.CHECKSUM, f"events {event[0]}")


def of_attributes(connection: sqlite3.Connection) -> Iterator[Sign]:
    """Attributes that are not as they were changed last, and changes that cannot have been."""
    for (created_seq,) in connection.execute(_UNTOLD, {"set": SET}):
        yield Sign(
            FindingCode.ATTRIBUTES, f"an attribute of the profile created by request {created_seq}"
        )
    for seq, place in connection.execute(_IMPOSSIBLE, {"set": SET, "delete": DELETE}):
        yield Sign(FindingCode.ATTRIBUTES, f"change {place} of request {seq} is impossible")


_EVENTS = """
    SELECT checksum, event_id, created_seq, seq, place, time_ms, event_type, name, event
    FROM events
"""
_UNTOLD = """
    WITH last AS (
        SELECT created_seq, name, op, value, seq FROM (
            SELECT *,
                row_number() OVER (PARTITION BY created_seq, name ORDER BY seq DESC, place DESC)
                    AS age
            FROM attribute_changes
        )
        WHERE age = 1
    )
    SELECT a.created_seq
    FROM attributes AS a LEFT JOIN last USING (created_seq, name)
    WHERE last.op IS NOT :set OR last.value IS NOT a.value OR last.seq IS NOT a.seq
    UNION ALL
    SELECT last.created_seq
    FROM last LEFT JOIN attributes AS a USING (created_seq, name)
    WHERE last.op = :set AND a.seq IS NULL
"""
_IMPOSSIBLE = """
    SELECT seq, place FROM (
        SELECT seq, place, op, value,
            lag(op) OVER its AS op_before, lag(value) OVER its AS value_before
        FROM attribute_changes
        WINDOW its AS (PARTITION BY created_seq, name ORDER BY seq, place)
    )
    WHERE op NOT IN (:set, :delete) OR (op = :set) != (value IS NOT NULL)
        OR (op = :delete AND op_before IS NOT :set) OR (op = :set AND value = value_before)
"""
