"""Goals 9 and 10: whole programs, from their start to their end."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measure import Bench, Row, Spread, in_turns, run
from benchmarks.stores import fresh, written

MILLISECONDS = 1e3
PROJECT = Path(__file__).resolve().parent.parent
_COUNTED = re.compile(r"^(\d[\d,]*) passed, 0 failed$", re.MULTILINE)


def starting(bench: Bench) -> Iterator[Row]:
    """Goal 9: commands that start, do next to nothing and end."""
    bench.say(f"goal 9: {bench.sizes.starts} starts of each program")
    target = ("--config", written(bench), "--store", fresh(bench) / "store.db")

    def milliseconds(program: str, *arguments: object) -> float:
        return run(bench.folder, program, *arguments).seconds * MILLISECONDS

    def identify(_number: int) -> float:
        return milliseconds("idsync", "identify", "--email", "a@example.com", "--json", *target)

    def helping(_number: int) -> float:
        return milliseconds("idsync", "--help")

    def version(_number: int) -> float:
        return milliseconds("sqlite-utils", "--version")

    sides = (identify, helping, version)
    in_turns(1, *sides)  # the store is made, and what is compiled once is compiled
    identified, helped, versioned = map(Spread.of, in_turns(bench.sizes.starts, *sides))
    yield Row(9, "idsync identify --json", "ms", identified, versioned, 0.85, True)
    yield Row(9, "idsync --help", "ms", helped, versioned, 1.0, True)


def checking(bench: Bench) -> Iterator[Row]:
    """Goal 10: a check of many scenarios, all of this project's, over and over."""
    wanted = bench.sizes.scenarios
    bench.say(f"goal 10: {wanted:,} scenarios")
    one = _copies(bench, 1)
    there = _passed(run(bench.folder, "idsync", "check", *one).output)
    folders = _copies(bench, -(-wanted // there))
    runs = [run(bench.folder, "idsync", "check", *folders) for _ in range(bench.rounds)]
    number = _passed(runs[0].output)
    each = Spread.of(done.seconds * MILLISECONDS / number for done in runs)
    yield Row(10, f"check of {number:,} scenarios, each", "ms", each, None, 3, wanted >= 1000)


def _copies(bench: Bench, number: int) -> list[Path]:
    """Folders with all scenarios of this project; they name configurations beside them."""
    top = bench.folder / "checked"
    folders = []
    for copy in range(number):
        place = top / f"{copy:03d}"
        folders.append(place / "fixtures" / "scenarios")
        if not place.exists():
            shutil.copytree(PROJECT / "fixtures" / "scenarios", folders[-1])
            shutil.copy(PROJECT / "sample_config.yaml", place)
    return folders


def _passed(output: str) -> int:
    found = _COUNTED.search(output)
    if found is None:
        raise RuntimeError(f"scenarios failed: {output[-1000:]}")
    return int(found[1].replace(",", ""))
