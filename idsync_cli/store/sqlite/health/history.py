"""Requests and changes: their checksums, and whether they fit together."""

import sqlite3
from collections.abc import Iterator

from idsync_cli.core.codes import Import, Status
from idsync_cli.core.identity import derive_mpid
from idsync_cli.store.file_values import FindingCode, Sign
from idsync_cli.store.sqlite.health.rows import side_by_side
from idsync_cli.store.sqlite.rows.checksums import checksum_of_request


def of_history(connection: sqlite3.Connection) -> Iterator[Sign]:
    """Requests and changes with a wrong checksum, or that do not fit together."""
    seed = int(connection.execute("SELECT seed FROM store").fetchone()[0])
    [last_erasure] = connection.execute("SELECT coalesce(max(seq), 0) FROM erasures").fetchone()

    def was_given_out(mpid: int) -> bool:
        return mpid != its_mpid and bool(connection.execute(_TAKEN, (mpid,)).fetchone())

    requests = connection.execute(_REQUESTS)
    changes = connection.execute(
        "SELECT seq, place, op, created_seq, identifier_id FROM changes ORDER BY seq, place"
    )
    for seq, request, (made,) in side_by_side(requests, changes):
        if request is None:
            yield Sign(FindingCode.HISTORY, f"changes of request {seq}, which does not exist")
            continue
        *row, its_sum, kind, status, scope_id, its_mpid, its_scope_id = request
        if its_sum != checksum_of_request(row, [change[1:] for change in made]):
            yield Sign(FindingCode.CHECKSUM, f"request {seq} or its changes")
            continue
        places = [each[1] for each in made]
        if places != [*range(1, len(made) + 1)] and not seq < last_erasure:
            yield Sign(FindingCode.HISTORY, f"request {seq} is missing changes")
        if row[3] is None:  # it was answered with a profile that was erased
            if not seq < last_erasure:
                yield Sign(FindingCode.HISTORY, f"request {seq} was answered with no profile")
            continue
        if its_scope_id != scope_id:
            yield Sign(
                FindingCode.HISTORY, f"request {seq} was answered with a profile of another scope"
            )
        if (status == Status.CREATED) != (row[3] == seq):
            yield Sign(FindingCode.HISTORY, f"request {seq}: its profile and its status disagree")
        elif row[3] != seq or kind == Import.IMPORT:
            continue
        elif derive_mpid(seed, seq, was_given_out) != its_mpid:
            yield Sign(FindingCode.MPID, f"the profile created by request {seq}")


_TAKEN = """
    SELECT 1 FROM profiles WHERE mpid = ?1 UNION ALL SELECT 1 FROM erasures WHERE mpid = ?1
"""
_REQUESTS = """
    SELECT seq, time_ms, outcome_id, r.created_seq, request_id, request_timestamp_ms, r.checksum,
        o.type, o.status, o.scope_id, p.mpid, p.scope_id
    FROM requests AS r
    LEFT JOIN outcomes AS o USING (outcome_id)
    LEFT JOIN profiles AS p ON p.created_seq = r.created_seq
    ORDER BY seq
"""
