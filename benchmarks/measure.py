"""Measuring: sides in turns, as processes or as calls, and what came of them as rows."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Protocol, TypeVar

Result_co = TypeVar("Result_co", covariant=True)
LAUNCHER = Path(__file__).with_name("launch.py")
PROGRAMS = Path(sys.executable).parent
Side = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Spread:
    """The median of so many samples, the least and the most."""

    median: float
    low: float
    high: float
    samples: int

    @classmethod
    def of(cls, values: Iterable[float]) -> "Spread":
        """The spread of values."""
        taken = list(values)
        return cls(median(taken), min(taken), max(taken), len(taken))

    def times(self, factor: float) -> "Spread":
        """The same in another unit."""
        return replace(
            self, median=self.median * factor, low=self.low * factor, high=self.high * factor
        )


@dataclass(frozen=True, slots=True)
class Row:
    """A measure: ours in a unit, against a yardstick or by itself, and the most it may be.

    `as_stated` says whether it was taken at the size that the goal names.
    """

    goal: int
    what: str
    unit: str
    ours: Spread
    yardstick: Spread | None
    most: float
    as_stated: bool
    note: str = ""

    @property
    def figure(self) -> float:
        """What the goal limits: the ratio of the medians, or the measure itself."""
        return self.ours.median / self.yardstick.median if self.yardstick else self.ours.median

    @property
    def met(self) -> bool:
        """Whether the figure is within the goal."""
        return self.figure <= self.most


@dataclass(frozen=True, slots=True)
class Sizes:
    """How large everything is."""

    requests: tuple[int, ...]
    watched: int  # requests of the replay beside which goal 5 waits
    stored: int  # requests in the store of goal 6
    crowd: int
    gathered: int
    gathered_events: int
    scenarios: int
    calls: int  # of one side in a round
    starts: int  # of one program
    events: int  # in the store of goal 12
    seconds: int  # of load in goal 14
    profiles: int  # in the store of goal 15


@dataclass(frozen=True, slots=True)
class Bench:
    """One run: what is measured, how often, and where its files are."""

    folder: Path
    sizes: Sizes
    rounds: int
    goals: frozenset[int]
    say: Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Run:
    """A process that has ended."""

    seconds: float
    peak_bytes: int
    processor_seconds: float
    output: str


class Numbered(Protocol[Result_co]):
    """One side of a comparison, which is told the number of the round."""

    def __call__(self, number: int, /) -> Result_co:
        """Do it once."""


def run(folder: Path, program: str, *arguments: object, fine: tuple[int, ...] = (0,)) -> Run:
    """Run an installed program from its start to its end.

    Raises:
        RuntimeError: its exit status is not one of those that are fine.
    """
    command = [str(PROGRAMS / program), *map(str, arguments)]
    said = folder / "said.txt"
    launched = subprocess.run(
        [sys.executable, "-I", "-S", str(LAUNCHER), str(said), *command],
        check=True,
        capture_output=True,
        cwd=folder,
        env={name: value for name, value in os.environ.items() if not name.startswith("IDSYNC_")},
    )
    seconds, peak, worked, status = json.loads(launched.stdout)
    output = said.read_text(encoding="utf-8")
    if status not in fine:
        raise RuntimeError(f"{program} {arguments[0]} ended with {status}: {output[-1000:]}")
    return Run(seconds, peak, worked, output)


def in_turns(rounds: int, *sides: Numbered[Result_co]) -> list[list[Result_co]]:
    """Do each side once a round, another one first each time; what came of each side."""
    results: list[list[Result_co]] = [[] for _ in sides]
    for number in range(rounds):
        for place in range(len(sides)):
            turn = (place + number) % len(sides)
            results[turn].append(sides[turn](number))
    return results


def calls_in_turns(
    bench: Bench, *sides: Side, seconds: float = 1.0, calls: int | None = None
) -> list[Spread]:
    """Call each side many times a round; the spread of each side's medians over the rounds.

    A round ends early when it has taken so many seconds.
    """
    for side in sides:
        side()  # once unmeasured: statements are prepared, pages read
    most = calls or bench.sizes.calls
    medians: list[list[float]] = [[] for _ in sides]
    for _ in range(bench.rounds):
        taken: list[list[float]] = [[] for _ in sides]
        deadline = time.perf_counter() + seconds
        while len(taken[0]) < most and (not taken[0] or time.perf_counter() < deadline):
            for place, side in enumerate(sides):
                started = time.perf_counter()
                side()
                taken[place].append(time.perf_counter() - started)
        for place, times in enumerate(taken):
            medians[place].append(median(times))
    return [Spread.of(each) for each in medians]
