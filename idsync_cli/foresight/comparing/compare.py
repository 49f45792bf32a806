"""Compare: what would become of the same requests under two configurations (section 12)."""

from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from itertools import accumulate
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from idsync_cli.errors import Hint, UsageFault
from idsync_cli.file_faults import Fault
from idsync_cli.foresight.comparing.comparison import (
    Comparison,
    Difference,
    DifferingLine,
    Example,
    GroupCounts,
    Limits,
)
from idsync_cli.foresight.comparing.groups import NEVER, Grouped, ProfileGroup, group
from idsync_cli.foresight.comparing.process import SideProcess, results
from idsync_cli.foresight.comparing.recorded import RecordedSide, responses
from idsync_cli.foresight.comparing.sides import Side, Way, read_side
from idsync_cli.foresight.comparing.telling import Known, telling_groups, telling_profiles
from idsync_cli.foresight.comparing.work import Advance, File, Held, SideJob, SideReplay
from idsync_cli.graph.compared import joined
from idsync_cli.graph.values import Graph, SideName

Progress = Callable[[str], AbstractContextManager[Advance]]
"""Shows how far both sides are with what it is told they do."""


def _unseen(_noun: str) -> AbstractContextManager[Advance]:
    return nullcontext(lambda _bytes, _requests: None)


class Compared:
    """Both sides replayed: what it comes to, and the lines that differ.

    `wrong` counts responses that are wrong (`INVALID_REQUEST`), and `first_wrong` has the first.
    `graph` has what was split and merged, if that was asked for.
    """

    def __init__(
        self, comparison: Comparison, grouped: Grouped, both: "_Both", graph: Graph | None = None
    ) -> None:
        self.comparison = comparison
        self.graph = graph
        self.wrong = 0
        self.first_wrong: Sequence[Fault] = ()
        self._grouped = grouped
        self._both = both

    def exit_status(self, limits: Limits) -> int:
        """That of the comparison; 1 if a response is wrong, whatever the limits."""
        return 1 if self.wrong else self.comparison.exit_status(limits)

    def differing_lines(self) -> Iterator[DifferingLine]:
        """Every line that differs, in order."""
        a, b = self._both.sides
        for index in self._grouped.differing:
            file, line = self._both.where(index)
            yield DifferingLine(
                self._both.files[file].name,
                line,
                a.known_ways[a.ways[index]],
                b.known_ways[b.ways[index]],
                a.mpids[index] or None,
                b.mpids[index] or None,
            )


class _Both(NamedTuple):
    """What both sides recorded; lines are counted from 0 over all files."""

    sides: tuple[Side, Side]
    files: tuple[File, ...]
    ends: tuple[int, ...]

    def where(self, index: int) -> tuple[int, int]:
        """The number of the file, from 0, and the line in it."""
        file = bisect_right(self.ends, index)
        return file, self.sides[0].lines[index]

    def cause(self, index: int) -> tuple[Way, Way]:
        """What decided on each side."""
        a, b = self.sides
        return a.known_ways[a.ways[index]], b.known_ways[b.ways[index]]


def compare(
    a: SideJob, b: SideJob, *, examples: int, progress: Progress = _unseen, in_graph: int = 0
) -> Compared:
    """Replay the same files under both, and set the answers against one another.

    Each side has a process and a temporary store of its own. A graph of what was split and merged
    is made with at most `in_graph` profiles of each side.

    Raises:
        UsageFault: a file cannot be read.
        StoreFault: there is no room.
    """
    with TemporaryDirectory(prefix="idsync-compare-") as folder, ExitStack() as opened:
        jobs = []
        for name, job in (("a", a), ("b", b)):
            Path(folder, name).mkdir()
            jobs.append(job._replace(folder=str(Path(folder, name))))
        processes = [opened.enter_context(SideProcess(job)) for job in jobs]
        with progress("requests") as advance:
            replayed: list[SideReplay] = results(processes, advance)
        sides = [
            read_side(Path(job.folder), its.ways) for job, its in zip(jobs, replayed, strict=True)
        ]
        both = _Both((sides[0], sides[1]), a.files, tuple(accumulate(replayed[0].lines)))
        return _compared(
            both, processes, (replayed[0].held, replayed[1].held), examples, progress, in_graph
        )


class NothingRecorded(UsageFault):
    """No line says what another system answered."""


def compare_recorded(job: SideJob, *, examples: int, progress: Progress = _unseen) -> Compared:
    """Replay files, and set the answers against what another system answered.

    Raises:
        NothingRecorded: there is nothing to compare with.
        UsageFault: a file cannot be read.
        StoreFault: there is no room.
    """
    with TemporaryDirectory(prefix="idsync-compare-") as folder:
        job = job._replace(folder=folder)
        recorded = RecordedSide(job.files)
        with SideProcess(job) as process:
            with progress("requests") as advance:

                def go_on(size: int, requests: int) -> None:
                    recorded.add(requests)
                    advance(size, requests)

                [replayed] = results([process], go_on)
            if not recorded.responses and not recorded.wrong:
                raise NothingRecorded(
                    "no line has a response, which says what production answered",
                    hint=Hint.CONVERT_RECORDED,
                )
            sides = read_side(Path(folder), replayed.ways), recorded.side()
            both = _Both(sides, job.files, tuple(accumulate(replayed.lines)))
            found = _compared(both, [process], (replayed.held, None), examples, progress)
            found.wrong, found.first_wrong = recorded.wrong, recorded.first_wrong
            return found


def _compared(
    both: "_Both",
    processes: Sequence[SideProcess],
    held: tuple[Held, Held | None],
    examples: int,
    progress: Progress,
    in_graph: int = 0,
) -> Compared:
    """What it comes to; `processes` are those of the sides that are replayed."""
    grouped = group(*both.sides)
    known = _known(processes, grouped)
    graph = _graph(processes, grouped, known, both, in_graph) if in_graph else None
    chosen = telling_groups(grouped, known, both.cause, examples)
    indices = {each.parted_at for each in chosen}
    if grouped.first != NEVER:
        indices.add(grouped.first)
    told: Mapping[int, Difference] = {}
    if indices:
        with progress("requests in a second pass") as advance:
            told = _differences(processes, both, indices, advance)
    comparison = Comparison(
        requests=both.ends[-1] if both.ends else 0,
        compared=grouped.compared,
        elsewhere=grouped.elsewhere,
        unrecorded=grouped.unrecorded,
        held=held,
        refused=grouped.refused,
        found=grouped.found,
        split=_counts(grouped.split, known),
        merged=_counts(grouped.merged, None if held[1] is None else known),
        pairs=grouped.pairs,
        first_difference=told.get(grouped.first),
        examples=tuple(
            Example(each.part, each.lines, each in known, told[each.parted_at]) for each in chosen
        ),
        several_files=len(both.files) > 1,
    )
    return Compared(comparison, grouped, both, graph)


def _known(processes: Sequence[SideProcess], grouped: Grouped) -> Known:
    groups = (grouped.split, grouped.merged)[: len(processes)]
    for process, parted in zip(processes, groups, strict=True):
        process.ask_for_known(array("q", [each.mpid for each in parted]))
    told = results(processes, lambda _bytes, _requests: None)
    return frozenset(
        each
        for parted, known in zip(groups, told, strict=True)
        for each, is_known in zip(parted, known, strict=True)
        if is_known
    )


def _counts(groups: Sequence[ProfileGroup], known: Known | None) -> GroupCounts:
    lines = sum(each.lines for each in groups)
    its = None if known is None else sum(each in known for each in groups)
    return GroupCounts(len(groups), lines, its)


def _graph(
    processes: Sequence[SideProcess], grouped: Grouped, known: Known, both: _Both, most: int
) -> Graph:
    """The profiles of the most telling groups, and those of the other side that they part into."""
    chosen, left_out = telling_profiles(grouped, known, both.sides, most)
    for process, side, mpids in zip(processes, SideName, chosen, strict=True):
        process.ask_for_graph(side, mpids)
    return joined(results(processes, lambda _bytes, _requests: None), left_out)


def _differences(
    processes: Sequence[SideProcess], both: _Both, indices: set[int], advance: Advance
) -> Mapping[int, Difference]:
    """The explained answers of both sides to some lines."""
    wanted: dict[int, set[int]] = {}
    where = {index: both.where(index) for index in indices}
    for file, line in where.values():
        wanted.setdefault(file, set()).add(line)
    lines = {file: frozenset(its) for file, its in wanted.items()}
    for process in processes:
        process.ask_to_explain(lines)
    told = results(processes, advance)
    if len(told) == 1:
        told.append(responses(both.files, lines))
    a, b = told
    return {
        index: Difference(both.files[file].name, line, a[file, line], b[file, line])
        for index, (file, line) in where.items()
    }
