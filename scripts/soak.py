"""The soak: random tests with new seeds, for as long as asked, and what they did and found.

`scripts/soak.sh` runs it. Rounds follow one another until the time is up. In each, tasks that each
keep one processor busy run two at a time, then one of the batches of fault tests runs alone,
because some of them measure how long others wait. A task is a process; whatever goes wrong in it is
a finding, which is kept in a folder and told with the command that repeats it.
"""

import argparse
import json
import os
import random
import secrets
import signal
import subprocess
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.comparison import first_difference, lines_of, model_answers, plain
from tests.faults import export, history, timeless
from tests.input_properties import TARGETS, fault_of, mutations
from tests.input_properties import smallest as smallest_input
from tests.program import Program
from tests.random_scenarios import Disagreement, need_a_good_end, random_steps, smallest, tell
from tests.shrinking import Fault, shrunk, write
from tests.worlds import World, config_yaml, random_world

ROOT = Path(__file__).resolve().parent.parent
MOST_FINDINGS = 20
"""How many findings end a soak: more of them would be the same ones."""

CHUNK_SIZES = (1, 2, 3, 7, 50, 1000)
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
STORY_STEPS = 30
INPUTS = 50
DEADLINE = 120


@dataclass
class Report:
    """How many of each were done, and what was found."""

    counts: Counter[str] = field(default_factory=Counter)
    findings: list[str] = field(default_factory=list)

    def add(self, other: "Report") -> None:
        """Take in what another task did."""
        self.counts.update(other.counts)
        self.findings += other.findings


class Wrong(Exception):
    """Something is not as it must be."""


# ---- Random worlds, asked of the program and of the model


def worlds(seed: str, folder: Path, report: Report) -> None:
    """Ask one world of both; every hundredth has a crowd."""
    rng = random.Random(seed)
    world = random_world(rng, crowd=rng.random() < 0.01)
    one_shot = rng.random() < 0.2
    fault: Fault = partial(first_difference, one_shot=one_shot, chunk_size=rng.choice(CHUNK_SIZES))
    report.counts["random worlds"] += 1
    report.counts["random worlds, one by one"] += one_shot
    report.counts["requests compared"] += len(world.requests)
    found = fault(world)
    if found:
        small = shrunk(world, fault)
        paths = write(small, folder, "world")
        raise Wrong("\n".join([fault(small) or found, *map(str, paths)]))


# ---- Replays that are killed and resumed


def kills(seed: str, folder: Path, report: Report) -> None:
    """Kill a replay at random moments, go on with it, and compare with one that ran through.

    What that gives is compared with the model, too.
    """
    rng = random.Random(seed)
    world = _without_change(random_world(rng, crowd=rng.random() < 0.3, sizes=(20, 60)))
    world.requests = world.requests * rng.randint(2, 1 + 500 // len(world.requests))
    explain = rng.random() < 0.3
    size = rng.choice([1, 2, 2, 3, 7, 50])
    (name, options) = "requests.jsonl", ["--chunk-size", str(size), "--output", "answers.jsonl"]
    options += ["--seed", str(world.seed), "--quiet", *(["--explain"] if explain else [])]
    programs = Program(folder / "whole"), Program(folder / "broken")
    for program in programs:
        program.write("idsync.yaml", config_yaml(world.scopes, world.workspaces))
        program.write(name, lines_of(world.requests))
    whole, broken = programs
    ran = whole("replay", name, *options)
    _need(ran.status in {0, 1}, f"the replay ended with {ran.status}: {ran.stderr}")
    answers, profiles = model_answers(world)
    found = [plain(json.loads(line)) for line in _read(whole).splitlines()]
    if not explain:
        answers = [{n: v for n, v in each.items() if n != "tiers"} for each in answers]
    for wanted, got in zip(answers, found, strict=True):
        _need(json.dumps(wanted) == json.dumps(got), f"model   {wanted}\nprogram {got}")
    exported = [json.loads(each) for each in export(whole).splitlines()]
    exported = [each for each in exported if "identities" in each]
    _need(exported == [each for each in profiles if "identities" in each], "export, model")
    report.counts["requests compared"] += len(answers)

    for number in range(rng.randint(2, 8)):
        how = rng.choice(SIGNALS)
        process = broken.start("replay", name, *options, "--resume")
        if rng.random() < 0.7:
            length = _length(whole) * rng.random()
            _wait_until(process, lambda length=length: _length(broken) >= length)  # type: ignore[misc]
        time.sleep(rng.choice([0, rng.random() * 0.3]))
        process.send_signal(how)
        _, stderr = process.communicate(timeout=DEADLINE)
        done = process.returncode in {0, 1} and b"KeyboardInterrupt" not in stderr
        report.counts["kills"] += not done
        report.counts[f"kills by {how.name}"] += not done
        report.counts["resumes"] += number > 0
        need_a_good_end(process.returncode, how, stderr)
        if rng.random() < 0.3 and (broken.folder / "idsync.db").exists():
            _need_sound(broken, report)
    last = broken("replay", name, *options, "--resume")
    report.counts["resumes"] += 1
    _need(last.status in {0, 1}, f"the last resume ended with {last.status}: {last.stderr}")
    left, right = (timeless(_read(each)) for each in (broken, whole))
    _need(left == right, "the answers differ from those of an uninterrupted run")
    left, right = (timeless(export(each).encode()) for each in (broken, whole))
    _need(left == right, "the export differs from that of an uninterrupted run")
    _need(history(broken) == history(whole), "the history differs")
    _need_sound(broken, report)


def _without_change(world: World) -> World:
    return replace(world, later_scopes=None, change_at=None)


def _read(program: Program) -> bytes:
    return (program.folder / "answers.jsonl").read_bytes()


def _length(program: Program) -> int:
    path = program.folder / "answers.jsonl"
    return path.stat().st_size if path.exists() else 0


def _wait_until(process: subprocess.Popen[bytes], reached: Callable[[], bool]) -> None:
    until = time.monotonic() + DEADLINE
    while process.poll() is None and not reached():
        _need(time.monotonic() < until, "the replay hangs")
        time.sleep(0.001)


def _need(condition: object, what: str) -> None:
    if not condition:
        raise Wrong(what)


def _need_sound(program: Program, report: Report) -> None:
    looked = program("doctor", "--json")
    report.counts["doctor's visits"] += 1
    _need(looked.status == 0, f"doctor: {looked.stdout}{looked.stderr}")


# ---- Stories of one store


def stories(seed: str, _folder: Path, report: Report) -> None:
    """Tell a story; one that goes wrong is told with as few steps as can be."""
    number = random.Random(seed).getrandbits(32)
    steps = random_steps(seed, STORY_STEPS)
    report.counts["stories"] += 1
    found = tell(number, steps, report.counts)
    if found:
        small = smallest(number, steps)
        raise Wrong(f"{tell(number, small) or found}\ntests.stories.tell({number}, {small})")


# ---- Inputs


def inputs(seed: str, folder: Path, report: Report) -> None:
    """Try changed fixtures on one of the readers."""
    target = random.Random(seed).choice(sorted(TARGETS))
    for data in islice(mutations(target, seed), INPUTS):
        report.counts["inputs"] += 1
        report.counts[f"inputs to {target}"] += 1
        found = fault_of(target, data)
        if found:
            small = smallest_input(target, data)
            (folder / target).write_bytes(small)
            raise Wrong(f"{target}: {small!r}: {fault_of(target, small) or found}")


def fuzzer() -> Path | None:
    """A Python that has the coverage-guided fuzzer, if sh scripts/fuzz.sh has made one."""
    default = ROOT / "build" / "fuzz" / "environment"
    python = Path(os.environ.get("IDSYNC_FUZZ_VENV", default)) / "bin" / "python"
    return Path(sys.executable) if find_spec("atheris") else python if python.exists() else None


def fuzz(python: Path, seed: str, seconds: float) -> Report:
    """Let the coverage-guided fuzzer try one of the readers, each of them in its turn."""
    targets = sorted(TARGETS)
    target = targets[int(seed.split(":")[1]) // 2 % len(targets)]
    command = [str(python), "-m", "scripts.fuzz", str(seconds), "--target", target, "--seed", seed]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    try:
        told = json.loads(ran.stdout.decode().splitlines()[-1])
    except (ValueError, IndexError):
        said = (ran.stdout + ran.stderr).decode(errors="replace")[-4000:]
        return Report(findings=[f"fuzzer, {target}: ended with {ran.returncode}\n{said}"])
    number = sum(told["inputs"].values())
    counts = {"inputs": number, f"inputs to {target}": number, "inputs by the fuzzer": number}
    return Report(Counter(counts), told["findings"])


# ---- What is run again and again in a process of its own


Once = Callable[[str, Path, Report], None]
"""Does something once that follows from a seed, in an empty folder; raises where it is wrong."""

AGAIN_AND_AGAIN: dict[str, Once] = {
    "worlds": worlds,
    "kills": kills,
    "stories": stories,
    "inputs": inputs,
}


def go_on(task: str, seed: str, seconds: float, folder: Path) -> Report:
    """Do one thing with seed after seed until the time is up."""
    report = Report()
    until = time.monotonic() + seconds
    number = 0
    while time.monotonic() < until and len(report.findings) < 3:
        once(task, f"{seed}:{number}", folder, report)
        number += 1
    return report


def once(task: str, seed: str, folder: Path, report: Report) -> None:
    """Do one thing once; the folder is kept if something is wrong."""
    place = folder / f"{task}-{seed.replace(':', '-')}"
    with TemporaryDirectory(dir=folder) as scratch:
        try:
            AGAIN_AND_AGAIN[task](seed, Path(scratch), report)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is a finding
            Path(scratch).rename(place)
            Path(scratch).mkdir()
            what = str(error) if isinstance(error, Wrong | Disagreement) else traceback.format_exc()
            report.findings.append(
                f"{task}: {what}\nits files: {place}\n"
                f"again: sh scripts/soak.sh --again {task} {seed}"
            )


# ---- Batches of fault tests


@dataclass(frozen=True)
class Batch:
    """Tests that are run by pytest, with settings that make them long."""

    tests: Sequence[str]
    settings: dict[str, str] = field(default_factory=dict)


BATCHES: dict[str, Batch] = {
    "resume": Batch(("test_resume.py",), {"IDSYNC_KILLS": "8"}),
    "damage": Batch(("test_damage.py",), {"IDSYNC_DAMAGE": "4"}),
    "backup": Batch(("test_faults_backup.py",), {"IDSYNC_ROUNDS": "25"}),
    "upgrade": Batch(("test_upgrade.py",), {"IDSYNC_UPGRADE_KILLS": "40"}),
    "several": Batch(
        ("test_faults_several.py",), {"IDSYNC_ROUNDS": "20", "IDSYNC_FAULT_SECONDS": "8"}
    ),
    "store": Batch(("test_store_stateful.py",)),
    "surroundings": Batch(
        ("test_faults_room.py", "test_faults_place.py", "test_faults_clock.py", "test_streams.py")
    ),
}


def run_batch(name: str, seed: str, folder: Path) -> Report:
    """Run one batch of the fault tests; each that fails is a finding."""
    batch = BATCHES[name]
    tally = folder / f"{name}.json"
    salt = {"IDSYNC_SALT": seed, "IDSYNC_TALLY": str(tally)}
    command = [
        *(sys.executable, "-m", "pytest", "-q", "-p", "tests.soak_seeds", "-p", "no:cacheprovider"),
        *(f"--hypothesis-seed={random.Random(seed).getrandbits(32)}", "--tb=short"),
        *(f"tests/{each}" for each in batch.tests),
    ]
    ran = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **batch.settings, **salt}, capture_output=True,
        check=False,
    )  # fmt: skip
    report = Report()
    if tally.exists():
        report.counts.update(json.loads(tally.read_text(encoding="utf-8")))
    if ran.returncode:
        log = folder / f"{name}-{seed.replace(':', '-')}.log"
        log.write_bytes(ran.stdout + ran.stderr)
        settings = " ".join(f"{n}={v}" for n, v in {**batch.settings, "IDSYNC_SALT": seed}.items())
        failed = [
            line
            for line in ran.stdout.decode().splitlines()
            if line.startswith(("FAILED", "ERROR"))
        ] or ["pytest ended with " + str(ran.returncode)]
        report.findings += [
            f"faults, {name}: {each}\nits output: {log}\n"
            f"again: {settings} python -m pytest -p tests.soak_seeds {each.split()[1]}"
            for each in failed
        ]
    return report


# ---- The soak as a whole


def in_a_process(task: str, seed: str, seconds: float, folder: Path) -> Report:
    """Run a task in a process of its own, whatever becomes of that."""
    command = [sys.executable, "-m", "scripts.soak", "--task", task, seed]
    command += ["--seconds", str(seconds), "--folder", str(folder)]
    try:
        ran = subprocess.run(
            command, cwd=ROOT, capture_output=True, check=False, timeout=seconds + 10 * DEADLINE
        )
        told: dict[str, Any] = json.loads(ran.stdout.decode().splitlines()[-1])
        return Report(Counter(told["counts"]), told["findings"])
    except subprocess.TimeoutExpired:
        return Report(findings=[f"{task} {seed}: hangs"])
    except (ValueError, IndexError):
        said = (ran.stdout + ran.stderr).decode(errors="replace")[-4000:]
        return Report(findings=[f"{task} {seed}: ended with {ran.returncode}\n{said}"])


@dataclass
class Soak:
    """Rounds until the time is up."""

    seed: int
    seconds: float
    folder: Path
    report: Report = field(default_factory=Report)

    def run(self) -> None:
        """Do rounds; what is begun is finished."""
        began = time.monotonic()
        until = began + self.seconds
        share = max(5.0, min(40.0, self.seconds / 6))
        for number, batch in enumerate(self._batches()):
            with ThreadPoolExecutor(max_workers=2) as two:
                for each in two.map(
                    lambda task, number=number: self._do(task, number, share), AGAIN_AND_AGAIN
                ):
                    self._take(each)
            if time.monotonic() < until:
                say(f"round {number + 1}: fault tests, {batch}")
                self._take(run_batch(batch, f"{self.seed}:{number}:{batch}", self.folder))
            self.report.counts["rounds"] += 1
            spent = time.monotonic() - began
            say(f"round {number + 1} done, {spent / 60:.1f} of {self.seconds / 60:g} minutes")
            if time.monotonic() >= until:
                return
            if len(self.report.findings) >= MOST_FINDINGS:
                say(f"{MOST_FINDINGS} findings are enough")
                return

    def _do(self, task: str, number: int, seconds: float) -> Report:
        seed, python = f"{self.seed}:{number}:{task}", fuzzer()
        if task == "inputs" and python and number % 2 == 0:
            return fuzz(python, seed, seconds)
        return in_a_process(task, seed, seconds, self.folder)

    def _batches(self) -> Iterator[str]:
        """The batches in an order of the seed's, over and over."""
        while True:
            yield from random.Random(self.seed).sample(sorted(BATCHES), len(BATCHES))

    def _take(self, report: Report) -> None:
        self.report.add(report)
        for finding in report.findings:
            say(f"FOUND: {finding}")


def say(text: str) -> None:
    """Tell how it goes on; the counts alone go to standard output."""
    print(text, file=sys.stderr, flush=True)


def closing(soak: Soak, seconds: float) -> str:
    """The counts and the findings, for people; the last line is the same as JSON."""
    counts = {name: soak.report.counts[name] for name in sorted(soak.report.counts)}
    lines = [f"soak of {seconds / 60:.1f} minutes, seed {soak.seed}"]
    lines += [f"{number:>12,}  {name}" for name, number in counts.items()]
    lines += [f"{len(soak.report.findings):>12,}  findings"]
    lines += [f"\n{finding}" for finding in soak.report.findings]
    told = {"seed": str(soak.seed), "seconds": round(seconds, 1), "counts": counts}
    return "\n".join([*lines, json.dumps(told | {"findings": soak.report.findings})])


def main() -> int:
    """Run a soak, or one task of it."""
    parser = argparse.ArgumentParser(prog="soak.sh", description="Random tests with new seeds.")
    parser.add_argument("minutes", nargs="?", type=float, default=20.0)
    parser.add_argument("--seed", type=int, help="of an earlier soak, to repeat it")
    parser.add_argument(
        "--again", nargs=2, metavar=("TASK", "SEED"), help="what a finding says it takes"
    )
    parser.add_argument("--task", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--seconds", type=float, default=10.0, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    seed = secrets.randbits(63) if options.seed is None else options.seed
    folder: Path = options.folder or ROOT / "build" / "soak" / str(seed)
    folder.mkdir(parents=True, exist_ok=True)
    if options.again:
        report = Report()
        task, its_seed = options.again
        once(task, its_seed, folder, report)
        print("\n".join(report.findings) or "nothing found")
        return 1 if report.findings else 0
    if options.task:
        task, its_seed = options.task
        report = go_on(task, its_seed, options.seconds, folder)
        print(json.dumps({"counts": report.counts, "findings": report.findings}))
        return 0
    soak = Soak(seed, options.minutes * 60, folder)
    say(f"soak of {options.minutes:g} minutes, seed {seed}")
    began = time.monotonic()
    try:
        soak.run()
    except KeyboardInterrupt:
        say("interrupted")
    print(closing(soak, time.monotonic() - began))
    return 1 if soak.report.findings else 0


if __name__ == "__main__":
    raise SystemExit(main())
