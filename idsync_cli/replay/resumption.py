"""Where the replay of a file begins or continues: what the store says of earlier replays of it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from hashlib import blake2b
from pathlib import Path

from idsync_cli.errors import FaultCode, Hint, UsageFault, quoted
from idsync_cli.files.answers_file import AnswersFile, Written
from idsync_cli.files.request_file import STANDARD_STREAM, Position, RequestFile, Source
from idsync_cli.replay.options import Options, check_options
from idsync_cli.store.sqlite import SqliteStore
from idsync_cli.store.sqlite.erasing.entries import last_replay_before_one
from idsync_cli.store.sqlite.queries.replays import ReplayRow, labels_of, names_by_time, replays

_PIECE = 2**18

NOT_ENTERED = 0
"""Stands for the number of a replay of which nothing is kept so far."""


class Mode(Enum):
    """What to do with a file that was replayed before, as a whole or in part."""

    ONCE = auto()
    RESUME = auto()
    AGAIN = auto()


@dataclass(frozen=True, slots=True)
class Start:
    """Where a replay begins or continues, and how many replays the store had by then.

    `also` are those that are entered with it: of files that it replays along with others.
    """

    row: ReplayRow
    labels: dict[str, int]
    seen: int
    requests: RequestFile
    also: tuple[ReplayRow, ...] = ()


def check_files(
    files: Sequence[tuple[str, Source]],
    store: SqliteStore,
    answers: AnswersFile | None,
    mode: Mode,
    *,
    options: Options = (),
    forced: bool = False,
) -> None:
    """See, before the first file is begun, whether the others may be replayed as well.

    Standard input is checked when it is reached: before, nobody knows where it ends.

    Raises:
        UsageFault: one of them must not be replayed, or is another of them.
    """
    readable = [(name, source) for name, source in files if source.can_be_read_again]
    check_that_none_comes_twice(readable, mode)
    with store.reading() as transaction:
        rows = replays(transaction)
    for name, source in readable:
        if rows and (name, source) != files[0]:
            if mode is Mode.AGAIN and not forced:
                check_brings_nothing_back(name, source, store)
            check_by_itself(name, rows, mode)
            found = replay_of(source, rows)
            check_file(*(name, found, rows, answers, mode), options=options, is_one_of_several=True)


def find_start(
    name: str,
    source: Source,
    store: SqliteStore,
    answers: AnswersFile | None,
    mode: Mode,
    *,
    options: Options = (),
    is_one_of_several: bool = False,
    forced: bool = False,
) -> Start | None:
    """Where to begin or continue; None where there is nothing left to do.

    What was replayed before an erasure is replayed again only if that is `forced`.

    Raises:
        UsageFault: by its mode the file must not be replayed, or not with these answers.
    """
    source.rewind()
    if mode is Mode.AGAIN and not forced:
        check_brings_nothing_back(name, source, store)
    with store.reading() as transaction:
        rows = replays(transaction)
        found = replay_of(source, rows)
        labels = labels_of(transaction, found.replay_id) if found else {}
    check_by_itself(name, rows, mode)
    check_file(
        *(name, found, rows, answers, mode), options=options, is_one_of_several=is_one_of_several
    )
    if found and mode is Mode.RESUME:
        if answers and found.answers_bytes is not None:
            answers.go_on_behind(Written(found.answers_bytes, found.answers_digest))
        if found.finished:
            return None
        requests = RequestFile(source)
        requests.pass_over(position_of(found))
        return Start(found, labels, len(rows), requests)
    row = ReplayRow(NOT_ENTERED, path_of(name), 0, 0, "", None, "", finished=False, options=options)
    return Start(row, {}, len(rows), RequestFile(source))


def check_file(
    name: str,
    found: ReplayRow | None,
    rows: Sequence[ReplayRow],
    answers: AnswersFile | None,
    mode: Mode,
    *,
    options: Options,
    is_one_of_several: bool,
) -> None:
    """See whether a file may be replayed of which so much was replayed before.

    Raises:
        UsageFault: it may not, or not with these answers or these options.
    """
    shown, path = quoted(name), path_of(name)
    if mode is Mode.ONCE and found:
        part = "" if found.finished else f"up to line {found.lines} "
        again = Hint.PASS_OVER_OR_REPLAY_AGAIN if is_one_of_several else Hint.REPLAY_AGAIN
        raise UsageFault(
            f"{shown} has already been replayed {part}into this store",
            FaultCode.REPLAYED_BEFORE,
            hint=again if found.finished else Hint.RESUME_REPLAY,
            path=name,
            line=found.lines,
        )
    changed = any(
        each.name == path and not each.finished for each in rows if path != STANDARD_STREAM
    )
    if changed and not found and mode is not Mode.AGAIN:
        raise UsageFault(
            f"{shown} has changed in the part that has already been replayed",
            FaultCode.FILE_CHANGED,
            hint=Hint.RESUME_OR_REPLAY_AGAIN,
            path=name,
        )
    if found and mode is Mode.RESUME:
        check_options(shown, found, options)
        if not found.finished:
            check_answers(shown, found, answers)


def check_by_itself(name: str, rows: Sequence[ReplayRow], mode: Mode) -> None:
    """See whether a file may be replayed by itself: it is not being replayed with others.

    Raises:
        UsageFault: it is, in the order of time.
    """
    path = path_of(name)
    under_way = (row for row in rows if not row.finished and path in names_by_time(row))
    if mode is not Mode.AGAIN and any(under_way):
        raise UsageFault(
            f"a replay of {quoted(name)} sorted by time is not finished",
            FaultCode.REPLAYED_BEFORE,
            hint=Hint.RESUME_BY_TIME,
            path=name,
        )


def check_brings_nothing_back(name: str, source: Source, store: SqliteStore) -> None:
    """See whether a file that is to be replayed again was not replayed before an erasure.

    Raises:
        UsageFault: it was.
    """
    with store.reading() as transaction:
        last_before = last_replay_before_one(transaction)
        rows = replays(transaction) if last_before else []
    if any(row.replay_id <= last_before for row in _replays_of(source, rows)):
        raise UsageFault(
            f"{quoted(name)} was replayed before a profile was erased; replaying it again may "
            "bring back what was erased",
            FaultCode.REPLAYED_BEFORE,
            hint=Hint.BRING_BACK,
            path=name,
        )
    source.rewind()


def check_answers(shown: str, found: ReplayRow, answers: AnswersFile | None) -> None:
    """See whether a replay that goes on writes its answers as it did.

    Raises:
        UsageFault: to a file, and not before, or the other way round.
    """
    in_a_file = answers is not None and answers.can_be_cut
    if in_a_file != (found.answers_bytes is not None):
        raise UsageFault(
            f"the replay of {shown} was started {'without' if in_a_file else 'with'} a file "
            "for its answers",
            FaultCode.OUTPUT_CHANGED,
            hint=Hint.RESUME_WITHOUT_OUTPUT if in_a_file else Hint.RESUME_WITH_OUTPUT,
        )


def path_of(name: str) -> str:
    """The path of a file as the store keeps it."""
    return name if name == STANDARD_STREAM else str(Path(name).resolve())


def check_that_none_comes_twice(files: Sequence[tuple[str, Source]], mode: Mode) -> None:
    """See whether two files have the same content, where their sizes make that possible.

    Raises:
        UsageFault: one does, and is to be replayed once.
    """
    by_size: dict[int, list[tuple[str, Source]]] = {}
    for name, source in files:
        if source.size_of_file and mode is Mode.ONCE:
            by_size.setdefault(source.size_of_file, []).append((name, source))
    for alike in by_size.values():
        first: dict[str, str] = {}
        for name, source in alike if len(alike) > 1 else ():
            digest = _digest_of(source)
            if digest in first:
                raise UsageFault(
                    f"{quoted(name)} holds the same requests as {quoted(first[digest])}",
                    FaultCode.REPLAYED_BEFORE,
                    hint=Hint.NAME_FILE_ONCE,
                    path=name,
                )
            first[digest] = name


def _digest_of(source: Source) -> str:
    digest = blake2b(digest_size=16)
    while piece := source.read(_PIECE):
        digest.update(piece)
    source.rewind()
    return digest.hexdigest()


def position_of(row: ReplayRow) -> Position:
    """How far a replay got in its file."""
    return Position(row.lines, row.bytes, row.digest)


def replay_of(source: Source, rows: Sequence[ReplayRow]) -> ReplayRow | None:
    """The latest replay of these bytes: all of them if it is finished, else their beginning."""
    return next(_replays_of(source, rows), None)


def _replays_of(source: Source, rows: Sequence[ReplayRow]) -> Iterator[ReplayRow]:
    """The replays of these bytes, latest first: of all if it is finished, else of the beginning."""
    source.keep(max((row.bytes for row in rows), default=-1) + 1)
    requests = RequestFile(source)
    shortest_first = sorted(rows, key=lambda row: row.bytes)
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
