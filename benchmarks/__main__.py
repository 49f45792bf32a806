"""Measure how fast idsync is, goal by goal."""

import json
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console

from benchmarks import (
    audiences,
    batches,
    calls,
    erasures,
    http_load,
    programs,
    replays,
    report,
    threads,
)
from benchmarks.measure import Bench, Row, Sizes

_MEDIUM = Sizes(
    requests=(10_000, 100_000),
    watched=100_000,
    stored=100_000,
    crowd=100_000,
    gathered=10_000,
    gathered_events=100_000,
    scenarios=1_000,
    calls=200,
    starts=25,
    events=100_000,
    seconds=20,
    profiles=100_000,
)
SIZES = {
    "full": replace(
        _MEDIUM,
        requests=(100_000, 1_000_000, 5_000_000),
        watched=1_000_000,
        stored=1_000_000,
        crowd=1_000_000,
        events=1_000_000,
        seconds=60,
        profiles=1_000_000,
    ),
    "medium": _MEDIUM,
    "small": Sizes(
        requests=(1_000, 2_000),
        watched=2_000,
        stored=1_000,
        crowd=1_000,
        gathered=200,
        gathered_events=500,
        scenarios=50,
        calls=5,
        starts=1,
        events=2_000,
        seconds=1,
        profiles=1_000,
    ),
}
MEASURES: tuple[tuple[frozenset[int], Callable[[Bench], Iterator[Row]]], ...] = (
    (frozenset({1, 2, 3, 4}), replays.replaying),
    (frozenset({1, 2}), replays.replaying_beside_others),
    (frozenset({5}), replays.holding),
    (frozenset({6}), calls.single),
    (frozenset({7}), calls.crowds),
    (frozenset({8}), calls.gathered),
    (frozenset({9}), programs.starting),
    (frozenset({10}), programs.checking),
    (frozenset({11}), threads.threads),
    (frozenset({12}), audiences.audiences),
    (frozenset({13}), batches.replaying),
    (frozenset({13}), batches.gathered),
    (frozenset({14}), http_load.load),
    (frozenset({15}), erasures.erasures),
)
"""What takes the measures of which goals."""

GOALS = frozenset[int]().union(*(goals for goals, _ in MEASURES))
WIDTH_IN_A_PIPE = 160


def numbers(text: str) -> tuple[int, ...]:
    """Read numbers with commas between them.

    Raises:
        ArgumentTypeError: they are none.
    """
    try:
        return tuple(int(each.replace("_", "")) for each in text.split(","))
    except ValueError:
        raise ArgumentTypeError(f"{text} is no list of numbers, such as 1,2") from None


def main() -> None:
    """Take the measures that are asked for, and show and write what came of them."""
    parser = ArgumentParser("sh benchmarks/run.sh", description=__doc__)
    add = parser.add_argument
    add("--only", type=numbers, metavar="GOALS", help="such as 1,2; all goals unless given")
    add("--sizes", choices=SIZES, default="full", help="of files, stores and crowds; full")
    add("--requests", type=numbers, metavar="SIZES", help="of the files of goals 1 to 4 instead")
    add("--crowd", type=int, metavar="SIZE", help="of the crowds of goal 7 instead")
    add("--rounds", type=int, default=5, help="of each measure; 5, but 3 for a million requests")
    add("--json", type=Path, default=Path("build/benchmarks.json"), help="build/benchmarks.json")
    add("--folder", type=Path, help="on the disk to measure; the system's folder for such files")
    given = parser.parse_args()
    goals = frozenset(given.only or GOALS)
    if goals - GOALS or given.rounds < 1 or min(given.requests or (1,)) < 1:
        parser.error("goals are 1 to 15, and rounds and requests at least 1")
    sizes = SIZES[given.sizes]
    sizes = replace(
        sizes, requests=given.requests or sizes.requests, crowd=given.crowd or sizes.crowd
    )
    talk = Console(stderr=True, highlight=False, soft_wrap=True)
    with TemporaryDirectory(prefix="idsync-benchmarks-", dir=given.folder) as folder:
        bench = Bench(Path(folder).resolve(), sizes, given.rounds, goals, talk.print)
        rows = list(measured(bench))
    given.json.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(report.as_json(rows, bench), indent=1)
    given.json.write_text(text + "\n", encoding="utf-8")
    paper = Console(highlight=False, markup=False)
    if not paper.is_terminal:
        paper = Console(highlight=False, markup=False, width=WIDTH_IN_A_PIPE)
    paper.print(report.heading(bench), report.table(rows), report.FOOTNOTE, sep="\n")


def measured(bench: Bench) -> Iterator[Row]:
    """The rows of the goals that are asked for, in their order."""
    rows = [row for goals, measure in MEASURES if goals & bench.goals for row in measure(bench)]
    yield from (row for row in sorted(rows, key=lambda row: row.goal) if row.goal in bench.goals)


if __name__ == "__main__":
    main()
