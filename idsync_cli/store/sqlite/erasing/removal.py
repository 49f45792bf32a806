"""Removing all rows of a profile, and whatever it alone had from all other rows.

Here, and nowhere else, something is taken back from the history; triggers prevent it everywhere
else (schema/erasure_tables.py). What is removed here may stay in pages of the file and in its log:
`rewriting.py` sees to that, once for all erasures of a command.
"""

import json
from collections.abc import Collection, Iterable
from sqlite3 import Connection
from typing import NamedTuple

from idsync_cli.core.erasure import (
    ERASED_VALUE,
    Erasure,
    ErasureCounts,
    ErasureReport,
)
from idsync_cli.store.sqlite.erasing import entries, kept_files, subject_requests
from idsync_cli.store.sqlite.erasing.data_rows import DataCounts, aliased_with, remove_data
from idsync_cli.store.sqlite.erasing.traces import Trace, Traces
from idsync_cli.store.sqlite.rows.checksums import checksum_of_request, identifier_hash


class _Lost(NamedTuple):
    """An identifier that a profile holds or held, and that no other profile holds now."""

    identifier_id: int
    scope_id: int
    identity_type_id: int
    value: str


def survey(connection: Connection, traces: Traces, erasure: Erasure) -> ErasureReport:
    """What the erasure of a profile of the store removes, and which files it has to name."""
    created_seq = _created_seq(connection, erasure.mpid)
    trace = traces.of(created_seq)
    held = _held(connection, created_seq)
    lost = _lost(connection, created_seq, [*held, *(number for _, _, number in trace.changes)])
    made = connection.execute(
        "SELECT mpid FROM profiles WHERE source_mpid = ? ORDER BY mpid", (erasure.mpid,)
    )
    taken = connection.execute(
        "SELECT DISTINCT mpid FROM json_each(?1) AS answered"
        " CROSS JOIN changes ON changes.seq = answered.value AND op < 0"
        " CROSS JOIN profiles ON profiles.created_seq = changes.created_seq"
        " WHERE profiles.created_seq != ?2 ORDER BY mpid",
        (json.dumps(trace.answered), created_seq),
    )
    data = DataCounts(connection, created_seq)
    return ErasureReport(
        erasure,
        ErasureCounts(
            identifiers=len(held),
            values=len(lost),
            history=len(trace.changes),
            attributes=data.attributes,
            devices=data.devices,
            events=data.events,
        ),
        made_from_it=tuple(mpid for (mpid,) in made),
        taken_from=tuple(mpid for (mpid,) in taken),
        files=tuple(kept_files.kept_files(connection)),
        aliased_with=aliased_with(connection, created_seq),
    )


def remove(connection: Connection, traces: Traces, erasure: Erasure) -> None:
    """Remove a profile that is there, and enter its erasure."""
    created_seq = _created_seq(connection, erasure.mpid)
    trace = traces.of(created_seq)
    held = _held(connection, created_seq)
    lost = _lost(connection, created_seq, [*held, *(number for _, _, number in trace.changes)])
    entries.enter(connection, erasure, created_seq)
    _remove_from_history(connection, created_seq, trace)
    remove_data(connection, created_seq, trace)
    connection.execute("DELETE FROM holders WHERE created_seq = ?", (created_seq,))
    connection.execute("DELETE FROM past_holders WHERE created_seq = ?", (created_seq,))
    connection.execute("DELETE FROM profiles WHERE created_seq = ?", (created_seq,))
    connection.execute("DELETE FROM replay_labels WHERE mpid = ?", (erasure.mpid,))
    connection.execute("DELETE FROM recorded_mpids WHERE mpid = ?", (erasure.mpid,))
    _let_go_of_values(connection, lost)
    kept_files.take_out(connection, [each.value for each in lost])
    subject_requests.let_go_of(connection, erasure.mpid)
    _remove_from_statistics(connection)
    entries.rows_are_gone(connection, erasure.mpid)
    traces.forget_latest()


def _created_seq(connection: Connection, mpid: int) -> int:
    [number] = connection.execute(
        "SELECT created_seq FROM profiles WHERE mpid = ?", (mpid,)
    ).fetchone()
    return int(number)


def _held(connection: Connection, created_seq: int) -> list[int]:
    query = "SELECT identifier_id FROM holders WHERE created_seq = ?"
    return [number for (number,) in connection.execute(query, (created_seq,))]


def _lost(connection: Connection, created_seq: int, numbers: Iterable[int]) -> list[_Lost]:
    found = connection.execute(
        "SELECT i.identifier_id, scope_id, i.identity_type_id, i.value FROM json_each(?1) AS k"
        " CROSS JOIN identifiers AS i ON i.identifier_id = k.value"
        " WHERE i.value != ?3 AND NOT EXISTS (SELECT * FROM holders AS h"
        "  WHERE h.identifier_id = i.identifier_id AND h.created_seq != ?2)",
        (json.dumps(sorted(set(numbers))), created_seq, ERASED_VALUE),
    )
    return [_Lost(*row) for row in found]


def _remove_from_history(connection: Connection, created_seq: int, trace: Trace) -> None:
    """Remove the changes of a profile, and the requests of which no change is left.

    Where a request also changed others, their changes stay, and of the request only what kind it
    was, when it came, and what decided it.
    """
    connection.executemany(
        "DELETE FROM changes WHERE seq = ? AND place = ?",
        [(seq, place) for seq, place, _ in trace.changes],
    )
    for seq in sorted({*trace.answered, *(seq for seq, _, _ in trace.changes)}):
        left = connection.execute(
            "SELECT place, op, created_seq, identifier_id FROM changes WHERE seq = ?"
            " ORDER BY place",
            (seq,),
        ).fetchall()
        row = connection.execute(
            "SELECT seq, time_ms, outcome_id, created_seq, request_id, request_timestamp_ms"
            " FROM requests WHERE seq = ?",
            (seq,),
        ).fetchone()
        if row[3] == created_seq:
            row = (*row[:3], None, None, row[5])
        if left or row[3] is not None:
            connection.execute(
                "UPDATE requests SET created_seq = ?2, request_id = ?3, checksum = ?4"
                " WHERE seq = ?1",
                (seq, row[3], row[4], checksum_of_request(row, left)),
            )
        else:
            connection.execute("DELETE FROM requests WHERE seq = ?", (seq,))


def _let_go_of_values(connection: Connection, lost: Collection[_Lost]) -> None:
    """Remove values and what they are found by; in the history of others their places stay.

    A hash without a value vouches for the rest of the row.
    """
    connection.executemany(
        "DELETE FROM identifier_hashes WHERE hash = ? AND identifier_id = ?",
        [
            (identifier_hash(each.scope_id, each.identity_type_id, each.value), each.identifier_id)
            for each in lost
        ],
    )
    connection.executemany(
        "INSERT INTO identifier_hashes VALUES (?, ?)",
        [
            (identifier_hash(each.scope_id, each.identity_type_id, ERASED_VALUE), each[0])
            for each in lost
        ],
    )
    connection.executemany(
        "UPDATE identifiers SET value = ? WHERE identifier_id = ?",
        [(ERASED_VALUE, each.identifier_id) for each in lost],
    )


def remove_unnamed(connection: Connection) -> None:
    """Remove the emptied rows of erased values to which no history refers.

    It reads all of the history, and so is done once for many erasures.
    """
    erased = {
        number: (scope_id, type_id)
        for number, scope_id, type_id in connection.execute(
            "SELECT identifier_id, scope_id, identity_type_id FROM identifiers WHERE value = ?",
            (ERASED_VALUE,),
        )
    }
    named = connection.execute(
        "SELECT DISTINCT identifier_id FROM changes"
        " WHERE identifier_id IN (SELECT value FROM json_each(?))",
        (json.dumps(list(erased)),),
    )
    for (number,) in named.fetchall():
        del erased[number]
    connection.executemany(
        "DELETE FROM identifier_hashes WHERE hash = ? AND identifier_id = ?",
        [(identifier_hash(*of, ERASED_VALUE), number) for number, of in erased.items()],
    )
    connection.executemany(
        "DELETE FROM identifiers WHERE identifier_id = ?", [(number,) for number in erased]
    )


def _remove_from_statistics(connection: Connection) -> None:
    """Remove samples of keys that SQLite's ANALYZE may have taken, if somebody had it run."""
    query = "SELECT name FROM sqlite_schema WHERE name IN ('sqlite_stat3', 'sqlite_stat4')"
    for (table,) in connection.execute(query).fetchall():
        connection.execute(f"DELETE FROM {table}")
