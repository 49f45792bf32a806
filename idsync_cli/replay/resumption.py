"""Where the replay of a file begins or continues: what the store says of earlier replays of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from itertools import chain
from pathlib import Path

from idsync_cli.errors import FaultCode, Hint, UsageFault, quoted
from idsync_cli.files.answers_file import AnswersFile, Written
from idsync_cli.files.request_file import STANDARD_STREAM, Position, RequestFile, Source
from idsync_cli.store.sqlite import SqliteStore
from idsync_cli.store.sqlite.erasing.entries import last_replay_before_one
from idsync_cli.store.sqlite.queries.replays import ReplayRow, labels_of, replays

NOT_ENTERED = 0
"""Stands for the number of a replay of which nothing is kept so far."""


class Mode(Enum):
    """What to do with a file that was replayed before, as a whole or in part."""

    ONCE = auto()
    RESUME = auto()
    AGAIN = auto()


@dataclass(frozen=True, slots=True)
class Start:
    """Where a replay begins or continues, and how many replays the store had by then."""

    row: ReplayRow
    labels: dict[str, int]
    seen: int
    requests: RequestFile


def find_start(
    name: str,
    source: Source,
    store: SqliteStore,
    answers: AnswersFile | None,
    mode: Mode,
    *,
    forced: bool = False,
) -> Start | None:
    """Where to begin or continue; None where there is nothing left to do.

    What was replayed before an erasure is replayed again only if that is `forced`.

    Raises:
        UsageFault: by its mode the file must not be replayed, or not with these answers.
    """
    source.rewind()
    with store.reading() as transaction:
        known = replays(transaction)
        matching = _replays_of(source, known)
        found = next(matching, None)
        last_before = last_replay_before_one(transaction)
        labels = labels_of(transaction, found.replay_id) if found else {}
    shown = quoted(name)
    path = name if name == STANDARD_STREAM else str(Path(name).resolve())
    if mode is Mode.ONCE and found:
        part = "" if found.finished else f"up to line {found.lines} "
        raise UsageFault(
            f"{shown} has already been replayed {part}into this store",
            FaultCode.REPLAYED_BEFORE,
            hint=Hint.REPLAY_AGAIN if found.finished else Hint.RESUME_REPLAY,
            path=name,
            line=found.lines,
        )
    changed = any(
        each.name == path and not each.finished for each in known if path != STANDARD_STREAM
    )
    if changed and not found and mode is not Mode.AGAIN:
        raise UsageFault(
            f"{shown} has changed in the part that has already been replayed",
            FaultCode.FILE_CHANGED,
            hint=Hint.RESUME_OR_REPLAY_AGAIN,
            path=name,
        )
    if found and mode is Mode.AGAIN and last_before and not forced:
        if any(each.replay_id <= last_before for each in chain([found], matching)):
            raise UsageFault(
                f"{shown} was replayed before a profile was erased; to replay it again may bring "
                "back what was erased",
                FaultCode.REPLAYED_BEFORE,
                hint=Hint.BRING_BACK,
                path=name,
            )
        source.rewind()
    if found and mode is Mode.RESUME:
        in_a_file = answers is not None and answers.can_be_cut
        if not found.finished and in_a_file != (found.answers_bytes is not None):
            raise UsageFault(
                f"the replay of {shown} was started {'without' if in_a_file else 'with'} a file "
                "for its answers",
                FaultCode.OUTPUT_CHANGED,
                hint=Hint.RESUME_WITHOUT_OUTPUT if in_a_file else Hint.RESUME_WITH_OUTPUT,
                path=name,
            )
        if answers and found.answers_bytes is not None:
            answers.go_on_behind(Written(found.answers_bytes, found.answers_digest))
        if found.finished:
            return None
        requests = RequestFile(source)
        requests.pass_over(position_of(found))
        return Start(found, labels, len(known), requests)
    row = ReplayRow(NOT_ENTERED, path, 0, 0, "", None, "", finished=False)
    return Start(row, {}, len(known), RequestFile(source))


def position_of(row: ReplayRow) -> Position:
    """How far a replay got in its file."""
    return Position(row.lines, row.bytes, row.digest)


def _replays_of(source: Source, known: list[ReplayRow]) -> Iterator[ReplayRow]:
    """The replays of these bytes, latest first: of all if it is finished, else of the beginning."""
    source.keep(max((row.bytes for row in known), default=-1) + 1)
    requests = RequestFile(source)
    shortest_first = sorted(known, key=lambda row: row.bytes)
    matching = [row for row in shortest_first if requests.pass_over(position_of(row))]
    source.rewind()
    for row in sorted(matching, key=lambda row: row.replay_id, reverse=True):
        if not row.finished or _is_whole(source, row):
            yield row


def _is_whole(source: Source, row: ReplayRow) -> bool:
    requests = RequestFile(source)
    requests.pass_over(position_of(row))
    at_end = requests.is_at_end()
    source.rewind()
    return at_end
