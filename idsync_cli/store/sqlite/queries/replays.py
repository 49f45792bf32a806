"""How far each replay got, written in the same transaction as its requests."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from idsync_cli.errors import FaultCode, UsageFault
from idsync_cli.store.sqlite.connected import Connected
from idsync_cli.store.sqlite.rows.checksums import checksum


@dataclass(frozen=True, slots=True)
class ReplayRow:
    """A replay: of which file, how far it got, and how much of its answers was written.

    `answers_bytes` is None if the answers are not written to a file. `answers_digest` is the digest
    of those bytes. `options` are those that it was started with, such as `MAP_MPIDS`.
    """

    replay_id: int
    name: str
    lines: int
    bytes: int
    digest: str
    answers_bytes: int | None
    answers_digest: str
    finished: bool
    options: tuple[str, ...] = ()


ENRICH = "enrich"
"""The option of a replay that writes its batches out again, with what their profiles know."""

MAP_MPIDS = "map_mpids"
"""The option of a replay that lets recorded MPIDs stand for ours."""

BY_TIME = "in the order of time"
"""The first line of the name of a replay whose other lines are the paths of its files."""


def name_by_time(paths: Sequence[str]) -> str:
    """The name of a replay of several files whose lines were put into the order of time."""
    return "\n".join([BY_TIME, *paths])


def names_by_time(row: ReplayRow) -> Sequence[str]:
    """The files of a replay in the order of time; none of any other."""
    first, *paths = row.name.split("\n")
    return paths if first == BY_TIME else ()


def replays(transaction: Connected) -> list[ReplayRow]:
    """All replays into the store, oldest first."""
    options = _options(transaction)
    rows = transaction.connection.execute(
        "SELECT replay_id, name, lines, bytes, digest, answers_bytes, answers_digest, finished"
        " FROM replays ORDER BY replay_id"
    )
    return [
        ReplayRow(
            *(number, name, lines, size, digest, written, written_digest, bool(finished)),
            options=tuple(options.get(number, ())),
        )
        for number, name, lines, size, digest, written, written_digest, finished in rows
    ]


def _options(transaction: Connected) -> dict[int, list[str]]:
    """The options of each replay that has some."""
    found: dict[int, list[str]] = {}
    for number, name in transaction.connection.execute(
        "SELECT replay_id, name FROM replay_options ORDER BY replay_id, name"
    ):
        found.setdefault(number, []).append(name)
    return found


def begin(transaction: Connected, row: ReplayRow) -> ReplayRow:
    """Enter a replay, in the transaction of its first requests, and give it its number."""
    cursor = transaction.connection.execute(
        "INSERT INTO replays"
        " (name, lines, bytes, digest, answers_bytes, answers_digest, finished, checksum)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (row.name, *_progress(row)),
    )
    number = cursor.lastrowid
    assert number is not None
    transaction.connection.executemany(
        "INSERT INTO replay_options VALUES (?, ?, ?)",
        [(number, name, checksum(number, name)) for name in row.options],
    )
    return replace(row, replay_id=number)


NOT_ALONE = "another process is running this replay; let it finish, or stop it first"


def check_unmoved(transaction: Connected, row: ReplayRow) -> None:
    """Check that the replay is still where this process left it.

    Raises:
        UsageFault: another process has gone on with it.
    """
    if not is_unmoved(transaction, row):
        raise UsageFault(NOT_ALONE, FaultCode.REPLAYED_ELSEWHERE)


def is_unmoved(transaction: Connected, row: ReplayRow) -> bool:
    """Whether the replay is still where it was, and not finished."""
    found = transaction.connection.execute(
        "SELECT 1 FROM replays WHERE replay_id = ? AND bytes = ? AND NOT finished",
        (row.replay_id, row.bytes),
    )
    return found.fetchone() is not None


def advance(transaction: Connected, row: ReplayRow) -> None:
    """Keep how far a replay got."""
    transaction.connection.execute(
        "UPDATE replays SET lines = ?, bytes = ?, digest = ?, answers_bytes = ?,"
        " answers_digest = ?, finished = ?, checksum = ? WHERE replay_id = ?",
        (*_progress(row), row.replay_id),
    )
    if row.finished:
        transaction.connection.execute(
            "DELETE FROM replay_labels WHERE replay_id = ?", (row.replay_id,)
        )


def _progress(row: ReplayRow) -> tuple[object, ...]:
    progress = (
        row.lines,
        row.bytes,
        row.digest,
        row.answers_bytes,
        row.answers_digest,
        int(row.finished),
    )
    return (*progress, checksum(row.name, *progress))


def keep_labels(transaction: Connected, replay_id: int, labels: Mapping[str, int | None]) -> None:
    """Store what labels stand for at this point; None removes a label."""
    many = transaction.connection.executemany
    many(
        "DELETE FROM replay_labels WHERE replay_id = ? AND label = ?",
        [(replay_id, label) for label, mpid in labels.items() if mpid is None],
    )
    many(
        "INSERT OR REPLACE INTO replay_labels VALUES (?, ?, ?, ?)",
        [
            (replay_id, label, mpid, checksum(replay_id, label, mpid))
            for label, mpid in sorted(labels.items())
            if mpid is not None
        ],
    )


def labels_of(transaction: Connected, replay_id: int) -> dict[str, int]:
    """What the labels of an unfinished replay stand for."""
    return dict(
        transaction.connection.execute(
            "SELECT label, mpid FROM replay_labels WHERE replay_id = ?", (replay_id,)
        )
    )
