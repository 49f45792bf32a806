"""Requests of data subjects (OpenDSR): each workspace has its own ids, and uses each once."""

from collections.abc import Iterable
from sqlite3 import Connection
from typing import NamedTuple

from idsync_cli.core.codes import SubjectRequestState
from idsync_cli.store.sqlite.connected import Connected
from idsync_cli.store.sqlite.rows.checksums import checksum

_COLUMNS = (
    "subject_request_id, type, state, time_ms, due_ms, mpid, is_of_somebody,"
    " coalesce(workspace, ''), group_id"  # before schema 8 there were some without
)


class SubjectRequestRow(NamedTuple):
    """A request; schema/erasure_tables.py says what each column has.

    `state` is one of `SubjectRequestState`. `mpid` is None where it fitted nobody, or where that
    profile was erased. `workspace` is "" of one that did not come over HTTP.
    """

    subject_request_id: str
    type: str
    state: str
    time_ms: int
    due_ms: int
    mpid: int | None
    is_of_somebody: int = 1
    workspace: str = ""
    group_id: str | None = None


def find(
    transaction: Connected, workspace: str, subject_request_id: str
) -> SubjectRequestRow | None:
    """The request that had an id in a workspace."""
    condition = "workspace = ? AND subject_request_id = ?"
    found = _rows(transaction.connection, condition, workspace, subject_request_id)
    return found[0] if found else None


def of_id(transaction: Connected, subject_request_id: str) -> list[SubjectRequestRow]:
    """The requests that had an id, whatever their workspace, oldest first."""
    return _rows(transaction.connection, "subject_request_id = ?", subject_request_id)


def of_group(transaction: Connected, workspace: str, group_id: str) -> list[SubjectRequestRow]:
    """The requests of a group that came from a workspace, oldest first."""
    return _rows(transaction.connection, "workspace = ? AND group_id = ?", workspace, group_id)


def pending(transaction: Connected) -> list[SubjectRequestRow]:
    """The requests that are to be carried out, those first that are due first."""
    found = _rows(transaction.connection, "state = ?", SubjectRequestState.PENDING.value)
    return sorted(found, key=lambda row: (row.due_ms, row.subject_request_id))


def all_of_them(connection: Connection) -> list[SubjectRequestRow]:
    """Every request, oldest first."""
    return _rows(connection, "TRUE")


def put(transaction: Connected, row: SubjectRequestRow) -> None:
    """Enter a request, or let it be another, within the transaction at hand."""
    _put(transaction.connection, [row])


def let_go_of(connection: Connection, mpid: int) -> None:
    """Detach the requests about a profile that is being erased from it; their ids stay used."""
    _put(connection, [row._replace(mpid=None) for row in _rows(connection, "mpid = ?", mpid)])


def _put(connection: Connection, rows: Iterable[SubjectRequestRow]) -> None:
    connection.executemany(
        "INSERT OR REPLACE INTO subject_requests VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [(*row, checksum(*row)) for row in rows],
    )


def _rows(connection: Connection, condition: str, *values: object) -> list[SubjectRequestRow]:
    found = connection.execute(
        f"SELECT {_COLUMNS} FROM subject_requests WHERE {condition}"
        " ORDER BY time_ms, subject_request_id",
        values,
    )
    return [SubjectRequestRow(*row) for row in found]
