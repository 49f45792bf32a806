"""Requests of data subjects (OpenDSR): an id that was used is never used again."""

from sqlite3 import Connection
from typing import NamedTuple

from idsync_cli.store.sqlite.connected import Connected
from idsync_cli.store.sqlite.rows.checksums import checksum


class SubjectRequestRow(NamedTuple):
    """A request that was carried out; `mpid` is None where that profile was erased later."""

    subject_request_id: str
    type: str
    time_ms: int
    mpid: int | None


def find(transaction: Connected, subject_request_id: str) -> SubjectRequestRow | None:
    """The request that had an id."""
    row = transaction.connection.execute(
        "SELECT subject_request_id, type, time_ms, mpid FROM subject_requests"
        " WHERE subject_request_id = ?",
        (subject_request_id,),
    ).fetchone()
    return None if row is None else SubjectRequestRow(*row)


def all_of_them(connection: Connection) -> list[SubjectRequestRow]:
    """Every request that was carried out, by its id."""
    found = connection.execute(
        "SELECT subject_request_id, type, time_ms, mpid FROM subject_requests"
        " ORDER BY subject_request_id"
    )
    return [SubjectRequestRow(*row) for row in found]


def enter(transaction: Connected, row: SubjectRequestRow) -> None:
    """Enter a request that was carried out, within the transaction at hand; its id was not used."""
    values = *row, checksum(*row)
    transaction.connection.execute("INSERT INTO subject_requests VALUES (?, ?, ?, ?, ?)", values)


def let_go_of(connection: Connection, mpid: int) -> None:
    """Let requests be nobody's that were about a profile that is being erased; ids stay used."""
    found = connection.execute(
        "SELECT subject_request_id, type, time_ms FROM subject_requests WHERE mpid = ?", (mpid,)
    ).fetchall()
    connection.executemany(
        "UPDATE subject_requests SET mpid = NULL, checksum = ?2 WHERE subject_request_id = ?1",
        [(row[0], checksum(*row, None)) for row in found],
    )
