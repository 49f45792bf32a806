"""Rows of `erasures`: who was erased, and how far the file has been cleaned of them."""

from collections.abc import Collection, Iterator
from sqlite3 import Connection
from typing import NamedTuple

from idsync_cli.core.erasure import Erasure
from idsync_cli.store.sqlite.connected import Connected
from idsync_cli.store.sqlite.rows.checksums import checksum

_COLUMNS = "mpid, seq, scope, time_ms, request_id, last_replay, created_seq, rewriting, finished"


class ErasureRow(NamedTuple):
    """A row without its checksum; schema/erasure_tables.py says what it has."""

    mpid: int
    seq: int
    scope: str
    time_ms: int
    request_id: str | None
    last_replay: int
    created_seq: int | None
    rewriting: int
    finished: int

    def erasure(self) -> Erasure:
        """What it tells of who was erased."""
        return Erasure(self.mpid, self.seq, self.scope, self.time_ms, self.request_id)


def rows(connection: Connection, condition: str = "TRUE") -> list[ErasureRow]:
    """The rows that fulfil a condition, which holds nothing but numbers, by sequence number."""
    found = connection.execute(f"SELECT {_COLUMNS} FROM erasures WHERE {condition} ORDER BY seq")
    return [ErasureRow(*row) for row in found]


def erasures(connection: Connection, mpid: int | None = None) -> Iterator[Erasure]:
    """The erasures, or that of one profile, by sequence number."""
    for row in rows(connection, "TRUE" if mpid is None else f"mpid = {mpid}"):
        yield row.erasure()


def last_erasure(transaction: Connected) -> int:
    """The number of the latest erasure; 0 where there is none."""
    query = "SELECT max(seq) FROM erasures"
    return int(transaction.connection.execute(query).fetchone()[0] or 0)


def enter(connection: Connection, erasure: Erasure, created_seq: int | None) -> None:
    """Enter an erasure.

    If its profile is in the store, everything of that may be removed until `rows_are_gone`. If not,
    it was carried out elsewhere, and nothing is left to be done.
    """
    last_replay = connection.execute("SELECT max(replay_id) FROM replays").fetchone()[0] or 0
    row = ErasureRow(
        *(erasure.mpid, erasure.seq, erasure.scope, erasure.time_ms, erasure.request_id),
        last_replay,
        created_seq,
        rewriting=0 if created_seq is not None else rewritings(connection),
        finished=int(created_seq is None),
    )
    connection.execute(
        "INSERT INTO erasures VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", (*row, checksum(*row))
    )


def rows_are_gone(connection: Connection, mpid: int) -> None:
    """From now on nothing may be removed for an erasure any more; the file is to be rewritten."""
    for row in rows(connection, f"mpid = {mpid}"):
        _put(connection, row._replace(created_seq=None))


def cover_replay(transaction: Connected, replay_id: int, first_seq: int) -> None:
    """Say of erasures by lines of a replay, from a number on, that lines of it came before them."""
    connection = transaction.connection
    for row in rows(connection, f"seq >= {first_seq}"):
        _put(connection, row._replace(last_replay=max(row.last_replay, replay_id)))


def last_replay_before_one(transaction: Connected) -> int:
    """The highest number of a replay that has lines from before an erasure; 0 where none has."""
    query = "SELECT max(last_replay) FROM erasures"
    return int(transaction.connection.execute(query).fetchone()[0] or 0)


# How far it has come with the file.


def is_owed(connection: Connection) -> bool:
    """Whether bytes of what was erased may be left in the store's files."""
    query = "SELECT EXISTS (SELECT * FROM erasures WHERE NOT finished)"
    return bool(connection.execute(query).fetchone()[0])


def is_owed_for(transaction: Connected, request_id: str) -> bool:
    """Whether such bytes may be left of who was erased by a request of an id."""
    query = "SELECT EXISTS (SELECT * FROM erasures WHERE NOT finished AND request_id = ?)"
    return bool(transaction.connection.execute(query, (request_id,)).fetchone()[0])


def rewriting_is_owed(connection: Connection) -> bool:
    """Whether the file has to be rewritten; else only the log has to be emptied."""
    query = "SELECT EXISTS (SELECT * FROM erasures WHERE NOT finished AND rewriting = 0)"
    return bool(connection.execute(query).fetchone()[0])


def rewritings(connection: Connection) -> int:
    """How often the file was rewritten."""
    return int(connection.execute("SELECT max(rewriting) FROM erasures").fetchone()[0] or 0)


def was_rewritten(connection: Connection, number: int) -> None:
    """Note that the file was rewritten, for so many times, after the rows of some were gone."""
    for row in rows(connection, "NOT finished AND rewriting = 0"):
        _put(connection, row._replace(rewriting=number))


def are_finished(connection: Connection) -> None:
    """Note that no byte is left of any for whom the file was rewritten."""
    for row in rows(connection, "NOT finished AND rewriting != 0"):
        _put(connection, row._replace(finished=1))


def log_is_owed(connection: Connection, mpids: Collection[int]) -> None:
    """Note that the log may still have bytes of some who were erased."""
    for row in rows(connection):
        if row.mpid in mpids:
            _put(connection, row._replace(rewriting=max(1, row.rewriting), finished=0))


def keep_apart(connection: Connection, rewritings_of_another: int) -> None:
    """Make sure that nobody takes this store for another one that was rewritten once more.

    A process that has the other one open, and finds this one in its place, compares these numbers
    with SQLite's own.
    """
    latest = rewritings(connection)
    if latest == rewritings_of_another + 1:
        for row in rows(connection, f"rewriting = {latest}"):
            _put(connection, row._replace(rewriting=latest + 1))


def _put(connection: Connection, row: ErasureRow) -> None:
    connection.execute(
        "UPDATE erasures SET last_replay = ?2, created_seq = ?3, rewriting = ?4, finished = ?5,"
        " checksum = ?6 WHERE mpid = ?1",
        (
            *(row.mpid, row.last_replay, row.created_seq, row.rewriting, row.finished),
            checksum(*row),
        ),
    )
