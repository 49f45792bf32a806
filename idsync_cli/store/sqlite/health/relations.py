"""What refers to something else: rows to rows, numbers to the counter, replays to their file."""

import sqlite3
from collections.abc import Iterator

from idsync_cli.store.sqlite.health.findings import FindingCode, Sign


def of_references(connection: sqlite3.Connection) -> Iterator[Sign]:
    """Rows that refer to others that are not there."""
    for table, row, parent, _ in connection.execute("PRAGMA foreign_key_check"):
        where = table if row is None else f"{table} {row}"
        yield Sign(FindingCode.REFERENCE, f"{where} refers to {parent}")


def of_numbers(connection: sqlite3.Connection) -> Iterator[Sign]:
    """Numbers that are beyond the counter, or that cannot be."""
    [last_seq] = connection.execute("SELECT last_seq FROM store").fetchone()
    for table, column in (
        ("requests", "seq"),
        ("profiles", "created_seq"),
        ("holders", "added_seq"),
    ):
        [highest] = connection.execute(f"SELECT max({column}) FROM {table}").fetchone()
        if highest is not None and highest > last_seq:
            yield Sign(FindingCode.COUNTER, f"{highest} in {table}")
    for (seq,) in connection.execute(
        "SELECT created_seq FROM profiles WHERE mpid = 0 OR was_known NOT IN (0, 1)"
    ):
        yield Sign(FindingCode.PROFILE, f"the profile created by request {seq}")


def of_replays(connection: sqlite3.Connection) -> Iterator[Sign]:
    """Replays whose progress cannot be; labels and recorded MPIDs that stand for nothing."""
    rows = connection.execute(
        "SELECT replay_id, lines, bytes, digest, answers_bytes, answers_digest, finished"
        " FROM replays ORDER BY replay_id"
    )
    for place, (number, lines, size, digest, written, written_digest, finished) in enumerate(
        rows, start=1
    ):
        if (
            number != place  # none is ever removed
            or not 0 <= lines <= size
            or (written is not None and (written < 0 or not written_digest))
            or not digest
            or finished not in (0, 1)
        ):
            yield Sign(FindingCode.REPLAY, f"replay {number}")
    for number, label in connection.execute(
        "SELECT replay_id, label FROM replay_labels LEFT JOIN replays USING (replay_id)"
        " WHERE finished IS NOT 0 OR mpid NOT IN (SELECT mpid FROM profiles)"
    ):
        yield Sign(FindingCode.LABEL, f"label {label} of replay {number}")
    for (recorded,) in connection.execute(
        "SELECT recorded FROM recorded_mpids WHERE mpid NOT IN (SELECT mpid FROM profiles)"
    ):
        yield Sign(FindingCode.LABEL, f"the recorded MPID {recorded}")
