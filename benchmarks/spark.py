"""What a replay on Spark costs beside `idsync replay`, on one machine; and whether they are equal.

    PYTHON -m benchmarks.spark --lines 1000000 --masters 'local[1],local[2]'
    PYTHON -m benchmarks.spark --lines 1000000 --one-component --masters 'local[2]'

PYTHON has idsync, compiled, and what `idsync[spark]` brings. A figure a line, as JSON. `--equal`
compares answers, profiles and history with those of the replay, which takes a while; `--floor` also
measures what a job costs that does next to nothing (`spark_floor.py`).
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory
from typing import Any, Final

from benchmarks import workload

_EVERY: Final = 0.1
_TICKS: Final = os.sysconf("SC_CLK_TCK")
_LINES_A_USER: Final = 12


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--masters", default="local[1],local[2]")
    parser.add_argument("--one-component", action="store_true")
    parser.add_argument("--equal", action="store_true")
    parser.add_argument("--no-replay", action="store_true")
    parser.add_argument("--floor", action="store_true")
    parser.add_argument("--window", type=int)
    asked = parser.parse_args()
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "idsync.yaml").write_text(workload.CONFIG)
        requests = one_component if asked.one_component else workload.requests
        workload.write_requests(folder / "day.jsonl", requests(asked.lines))
        common = ("day.jsonl", "--seed", "1")
        if not asked.no_replay:
            plain = ("replay", *common, "--quiet", "--store", "plain.db")
            tell("replay", measured(folder, *plain))
            answering = ("replay", *common, "--quiet", "--store", "s.db", "--output", "a.jsonl")
            tell("replay with answers", measured(folder, *answering))
        window = () if asked.window is None else ("--window", str(asked.window))
        masters = asked.masters.split(",")
        if asked.floor:
            tell_floor(folder, masters[-1])
        for master in masters:
            rmtree(folder / "out", ignore_errors=True)
            job = ("spark-replay", *common, "--output", "out", "--master", master)
            found = measured(folder, *job, *window)
            report = json.loads((folder / "out" / "report.json").read_text())
            tell(f"spark-replay {master}", found | {each: report[each] for each in KEPT})
        if asked.equal:
            tell("equal", compared(folder))


KEPT: Final = ("stages", "windows")


def tell(what: str, found: dict[str, Any]) -> None:
    """Print a figure."""
    sys.stdout.write(json.dumps({"what": what} | found) + "\n")
    sys.stdout.flush()  # each is there when it is known, also in a pipe


def one_component(lines: int) -> Iterator[dict[str, Any]]:
    """Requests of people who all come to one kiosk sooner or later."""
    for number in range(lines):
        user = number // _LINES_A_USER
        known = {"email": f"{user}@example.com", "ios_idfv": workload.device(user)}
        if number % _LINES_A_USER == 0:
            known["ios_idfv"] = workload.device(workload.KIOSK)
        yield {"type": "login" if number % 3 else "identify", "known_identities": known}


# ---- A process and all that it starts


def tell_floor(folder: Path, master: str) -> None:
    """Measure jobs that do next to nothing, and print."""
    floor = "benchmarks.spark_floor"
    tell(f"start of {master}", measured(folder, master, module=floor))
    once = measured(folder, master, "day.jsonl", "floor", module=floor)
    tell(f"once through {master}", once)


def measured(folder: Path, *arguments: str, module: str = "idsync_cli") -> dict[str, Any]:
    """Run idsync, and give seconds, processor seconds, and the most memory of a Python process.

    `tasks_mb` is that of a Python process that Spark started, `own_mb` that of idsync itself.
    """
    began = time.monotonic()
    command = [sys.executable, "-m", module, *arguments]
    environment = dict(os.environ)
    if module != "idsync_cli":  # it is not installed
        paths = [str(Path(__file__).absolute().parent.parent), os.environ.get("PYTHONPATH", "")]
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, env=environment)
        cpu = 0.0
        most: dict[int, tuple[str, float]] = {}
        while process.poll() is None:
            tree = [*family(process.pid)]
            cpu = max(cpu, sum(each for _, each in tree))
            for pid, _ in tree:
                if (memory := memory_of(pid)) is not None:
                    most[pid] = memory
            time.sleep(_EVERY)
    assert process.returncode in (0, 1), (folder / "log").read_text()[-2000:]
    seconds = time.monotonic() - began
    own = most.pop(process.pid)[1]
    of_tasks = [each for name, each in most.values() if name.startswith("python")]
    found = {"seconds": round(seconds, 1), "cpu": round(cpu, 1), "own_mb": round(own)}
    return found | ({"tasks_mb": round(max(of_tasks))} if of_tasks else {})


def family(pid: int) -> Iterator[tuple[int, float]]:
    """A process and its descendants, each with its processor seconds and those of the reaped."""
    parents: dict[int, list[int]] = {}
    seconds: dict[int, float] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        its = int(path.parent.name)
        parents.setdefault(int(fields[1]), []).append(its)
        seconds[its] = sum(map(int, fields[11:15])) / _TICKS
    waiting = [pid]
    while waiting:
        each = waiting.pop()
        if each in seconds:
            yield each, seconds[each]
        waiting += parents.get(each, [])


def memory_of(pid: int) -> tuple[str, float] | None:
    """The name of a process, and the most memory that it had by now, in megabytes."""
    try:
        text = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return None
    values = dict(line.split(":", 1) for line in text.splitlines())
    if "VmHWM" not in values:
        return None
    return values["Name"].strip(), int(values["VmHWM"].split()[0]) * 1024 / 1e6


# ---- Equal?


def compared(folder: Path) -> dict[str, Any]:
    """Whether what the last job wrote is, in its order, what the replay gives."""
    with (folder / "a.jsonl").open("rb") as answers:
        expected = {"answers": digest(answers)}
    expected["profiles"] = digest(idsync(folder, "export", "--store", "s.db"))
    expected["history"] = digest(history(folder / "s.db"))
    found = {part: digest(lines_in(folder / "out" / part, *ORDERS[part])) for part in expected}
    return {part: found[part] == expected[part] for part in expected}


def idsync(folder: Path, *arguments: str) -> Iterator[bytes]:
    """What idsync prints, line by line."""
    command = [sys.executable, "-m", "idsync_cli", *arguments]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        yield from process.stdout


def history(path: Path) -> Iterator[bytes]:
    """The history of a store, an entry a line."""
    from idsync_cli import wire
    from idsync_cli.render.store_json import entry_json
    from idsync_cli.store.sqlite import open_store

    store = open_store(str(path), write=False)
    assert store is not None
    with store, store.reading() as transaction:
        for entry in transaction.history():
            yield wire.encode(entry_json(entry)).encode("ascii") + b"\n"


ORDERS: Final = {
    "answers": ("answer", ["seq"]),
    "profiles": ("profile", ["section", "seq", "rank", "age", "place"]),
    "history": ("entry", ["seq", "place"]),
}
"""In which column each table has its lines, and what those are sorted by."""


def lines_in(folder: Path, column: str, order: list[str]) -> Iterator[bytes]:
    """The lines of a table, sorted."""
    from pyarrow import parquet

    table = parquet.read_table(folder, columns=[column, *order])
    for batch in table.sort_by([(each, "ascending") for each in order]).to_batches(10_000):
        for line in batch.column(column).to_pylist():
            yield line.encode() + b"\n"


def digest(lines: Iterable[bytes]) -> tuple[int, str]:
    """How many lines there are, and their digest; but for times, which are the clock's."""
    found = blake2b()
    count = 0
    for line in lines:
        count += 1
        found.update(without_time(line) if b'"time": ' in line else line)
    return count, found.hexdigest()


def without_time(line: bytes) -> bytes:
    """An entry of the history without its time."""
    entry = json.loads(line)
    entry.pop("time", None)
    return json.dumps(entry).encode()


if __name__ == "__main__":
    main()
