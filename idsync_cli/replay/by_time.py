"""Files that are replayed in the order of time: as one, which the store knows by all their names.

Their rows are entered with its first batch, each as replayed: nobody may replay one of them once
more by itself. How far the whole got stands in a row of its own.
"""

from collections.abc import Sequence
from typing import NamedTuple

from idsync_cli.errors import FaultCode, Hint, UsageFault, quoted
from idsync_cli.files.answers_file import AnswersFile, Written
from idsync_cli.files.sorted_requests import SortedLines, SortedRequests
from idsync_cli.files.source import Source
from idsync_cli.replay.options import Options, check_options
from idsync_cli.replay.resumption import (
    NOT_ENTERED,
    Mode,
    Start,
    check_answers,
    check_brings_nothing_back,
    check_by_itself,
    check_file,
    check_that_none_comes_twice,
    path_of,
    position_of,
    replay_of,
)
from idsync_cli.store.sqlite import SqliteStore
from idsync_cli.store.sqlite.queries.replays import (
    ReplayRow,
    labels_of,
    name_by_time,
    names_by_time,
    replays,
)

Files = Sequence[tuple[str, Source]]


class Wanted(NamedTuple):
    """Which files are to be sorted, and which are done and passed over."""

    files: Files
    done: Sequence[str]


def choose(
    files: Files,
    store: SqliteStore,
    answers: AnswersFile | None,
    mode: Mode,
    *,
    options: Options = (),
    forced: bool = False,
) -> Wanted:
    """Which of the files that are named are to be sorted and replayed.

    Raises:
        UsageFault: one of them must not be, or not with these.
    """
    with store.reading() as transaction:
        rows = replays(transaction)
    under_way = [row for row in rows if names_by_time(row) and not row.finished]
    for name, _ in files if mode is Mode.ONCE else ():
        check_by_itself(name, rows, mode)
    check_that_none_comes_twice(files, mode)
    for name, source in files if mode is Mode.AGAIN and not forced else ():
        check_brings_nothing_back(name, source, store)
    if mode is Mode.AGAIN or any(row.name == _name_of(files) for row in under_way):
        return Wanted(files, ())
    wanted: list[tuple[str, Source]] = []
    done: list[str] = []
    for name, source in files:
        is_under_way = any(path_of(name) in names_by_time(row) for row in under_way)
        found = replay_of(source, rows)
        check_file(
            *(name, found, rows, answers, mode),
            options=options,
            is_one_of_several=len(files) > 1,
        )
        if found is None or is_under_way:
            wanted.append((name, source))
        elif found.finished:
            done.append(name)
            _go_on_behind(name, found, rows, answers)
        else:
            raise UsageFault(
                f"{quoted(name)} was replayed in the order of its lines up to line {found.lines}",
                FaultCode.REPLAYED_BEFORE,
                hint=Hint.RESUME_NOT_BY_TIME,
                path=name,
            )
    for row in under_way:
        names = {path_of(name) for name, _ in wanted} & set(names_by_time(row))
        if names and row.name != _name_of(wanted):
            check_by_itself(next(name for name, _ in wanted if path_of(name) in names), rows, mode)
    return Wanted(wanted, done)


def find_start_by_time(
    files: Files,
    lines: SortedLines,
    store: SqliteStore,
    answers: AnswersFile | None,
    mode: Mode,
    *,
    options: Options = (),
) -> Start | None:
    """Where the replay of sorted files begins or goes on; None where nothing is left to do.

    Raises:
        UsageFault: they have changed since it began, or it was begun with other answers.
    """
    name, source = _name_of(files), lines.source
    source.rewind()
    with store.reading() as transaction:
        rows = replays(transaction)
        under_way = [row for row in rows if row.name == name and not row.finished]
        if mode is not Mode.AGAIN and under_way:
            row = under_way[-1]
            requests = SortedRequests(source)
            if not requests.pass_over(position_of(row)):
                raise UsageFault(
                    f"one of the files has changed since their replay began: {_shown(files)}",
                    FaultCode.FILE_CHANGED,
                    hint=Hint.RESUME_OR_REPLAY_AGAIN,
                )
            check_options(_shown(files), row, options)
            check_answers(_shown(files), row, answers)
            if answers and row.answers_bytes is not None:
                answers.go_on_behind(Written(row.answers_bytes, row.answers_digest))
            return Start(row, labels_of(transaction, row.replay_id), len(rows), requests)
    row = ReplayRow(NOT_ENTERED, name, 0, 0, "", None, "", finished=False, options=options)
    each = [
        ReplayRow(
            *(NOT_ENTERED, path_of(file), end.lines, end.bytes, end.digest, None, "", True),
            options=options,
        )
        for (file, _), end in zip(files, lines.ends, strict=True)
        if end.bytes
    ]
    return Start(row, {}, len(rows), SortedRequests(source), tuple(each))


def _name_of(files: Files) -> str:
    return name_by_time([path_of(name) for name, _ in files])


def _shown(files: Files) -> str:
    return ", ".join(quoted(name) for name, _ in files)


def _go_on_behind(
    name: str, found: ReplayRow, rows: Sequence[ReplayRow], answers: AnswersFile | None
) -> None:
    """Let answers follow those of a file that is done, by itself or sorted with others."""
    its_rows = [row for row in rows if path_of(name) in names_by_time(row)]
    for row in (found, *its_rows):
        if answers and row.answers_bytes is not None:
            answers.go_on_behind(Written(row.answers_bytes, row.answers_digest))
