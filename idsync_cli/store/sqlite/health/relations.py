"""References: of rows to rows, of numbers to the counter, of replays and of erasures."""

import sqlite3
from collections.abc import Iterator

from idsync_cli.store.file_values import FindingCode, Sign


def of_references(connection: sqlite3.Connection) -> Iterator[Sign]:
    """Rows that refer to missing rows."""
    for table, row, parent, _ in connection.execute("PRAGMA foreign_key_check"):
        where = table if row is None else f"{table} {row}"
        yield Sign(FindingCode.REFERENCE, f"{where} refers to {parent}")


def of_numbers(connection: sqlite3.Connection) -> Iterator[Sign]:
    """Numbers that are above the counter, or impossible."""
    [last_seq] = connection.execute("SELECT last_seq FROM store").fetchone()
    for table, column in (
        ("requests", "seq"),
        ("profiles", "created_seq"),
        ("holders", "added_seq"),
        ("events", "seq"),
        ("attribute_changes", "seq"),
        ("devices", "seq"),
        ("profile_states", "seq"),
        ("batch_ids", "seq"),
        ("erasures", "seq"),
    ):
        [highest] = connection.execute(f"SELECT max({column}) FROM {table}").fetchone()
        if highest is not None and highest > last_seq:
            yield Sign(FindingCode.COUNTER, f"{highest} in {table}")
    for (seq,) in connection.execute(
        "SELECT created_seq FROM profiles"
        " WHERE mpid = 0 OR known_seq != 0 AND known_seq < created_seq"
    ):
        yield Sign(FindingCode.PROFILE, f"the profile created by request {seq}")


def of_replays(connection: sqlite3.Connection) -> Iterator[Sign]:
    """Replays with impossible progress; labels and recorded MPIDs without replay or profile."""
    rows = connection.execute(
        "SELECT replay_id, lines, bytes, digest, answers_bytes, answers_digest, finished"
        " FROM replays ORDER BY replay_id"
    )
    for expected, (number, lines, size, digest, written, written_digest, finished) in enumerate(
        rows, start=1
    ):
        if (
            number != expected  # replays are never removed
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


def of_erasures(connection: sqlite3.Connection) -> Iterator[Sign]:
    """Erasures of what is there, or that are not finished."""
    for mpid, created_seq, finished, is_there, is_used in connection.execute(
        "SELECT mpid, created_seq, finished, mpid IN (SELECT mpid FROM profiles),"
        " seq IN (SELECT seq FROM requests) FROM erasures ORDER BY seq"
    ):
        where = f"the erasure of profile {mpid}"
        if is_there or is_used or created_seq is not None or mpid == 0 or finished not in (0, 1):
            yield Sign(FindingCode.ERASURE, where)
        elif not finished:
            yield Sign(FindingCode.UNFINISHED_ERASURE, where)
