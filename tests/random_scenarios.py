"""Random stories of one store, told through the command line, with the reference model beside it.

A story is a list of steps, each with a seed of its own; a step that can do nothing at the moment
does nothing, so that any of them can be left out. After every step the program's answers, export,
history and the findings of `doctor` must be what the model says.
"""

import copy
import gc
import json
import random
import signal
import sqlite3
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.comparison import lines_of, plain
from tests.program import Outcome, Program
from tests.reference_model import CANONICAL, TYPES, Json, Model, Profile
from tests.shrinking import step_of, write
from tests.worlds import Asker, config_yaml, crowd_type, random_scope, random_world

SCOPES = ("scope-0", "scope-1")
CHUNK_SIZES = (1, 1, 2, 3, 7, 1000)
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
DEADLINE = 120
SEEDS = (0, 1, -7, 2**130 + 5)

Step = tuple[str, int]
"""What is done, and the seed that all chance in it follows from."""


class Disagreement(AssertionError):
    """The program does not do what the model says."""


@dataclass
class Begun:
    """A replay of a file that did not come to its end."""

    number: int
    requests: list[object]
    blanks: list[int]
    explain: bool
    to_file: bool
    done: int = 0
    labels: dict[str, int] = field(default_factory=dict)
    answers: list[Json] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The file of the requests."""
        return f"requests-{self.number}.jsonl"

    @property
    def output(self) -> str:
        """The file of the answers."""
        return f"answers-{self.number}.jsonl"

    def content(self) -> bytes:
        """The lines; before some of them stands a blank one."""
        lines = [lines_of([request]) for request in self.requests]
        return b"".join(
            b" \r\n" * (place in self.blanks) + line for place, line in enumerate(lines)
        )

    def line(self, place: int) -> int:
        """The number of the line that a request stands in."""
        return place + 1 + sum(blank <= place for blank in self.blanks)

    def place_behind(self, lines: int) -> int:
        """How many requests are done where so many lines are."""
        return sum(self.line(place) <= lines for place in range(len(self.requests)))


@dataclass
class State:
    """What the store should hold: everything that a restore takes back."""

    model: Model
    begun: Begun | None = None

    @property
    def history(self) -> list[tuple[object, ...]]:
        """Every change that is left of the history; a value that was erased is None."""
        return [
            (each.seq, each.op, each.mpid, each.type, each.value)
            for each in self.model.erasures.history
        ]

    @property
    def taken(self) -> set[int]:
        """The numbers under which anything was done."""
        brought = {seq for its in self.model.brought.values() for seq, _, _ in its}
        return self.model.erasures.taken() | brought

    def labels_of(self, begun: Begun) -> dict[str, int]:
        """What labels of a replay stand for, now that some may have been erased since."""
        erased = self.model.erasures.erased
        return {label: mpid for label, mpid in begun.labels.items() if mpid not in erased}


@dataclass
class Story:
    """One store and what should be in it."""

    folder: Path
    seed: int
    counts: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        rng = random.Random(self.seed)
        names = SCOPES[: rng.choice([1, 2, 2])]
        self.all_scopes = {name: random_scope(rng) for name in names}
        self.all_workspaces = {f"shop-{place}": name for place, name in enumerate(names)}
        self.files = 0
        self.program = Program(self.folder)
        self.saved: dict[str, State] = {}
        seed = rng.choice(SEEDS)
        self.state = State(Model(self.all_scopes, seed, self.all_workspaces))
        self.configure()
        need(self.run("init", "--seed", str(seed)).status == 0, "init")

    @property
    def model(self) -> Model:
        """The model of the store as it is now."""
        return self.state.model

    def run(self, *arguments: str, stdin: bytes = b"") -> Outcome:
        """Run a command; whatever it is, it ends as it should."""
        outcome = self.program(*arguments, stdin=stdin)
        gc.enable()  # a replay goes without, and does not expect to live on
        self.counts["commands"] += 1
        need(outcome.status in {0, 1, 2}, f"{arguments}: {outcome}")
        need("Traceback" not in outcome.stderr, f"{arguments}: {outcome}")
        return outcome

    def configure(self) -> None:
        """Write the rules of the model's scopes."""
        self.program.write("idsync.yaml", config_yaml(self.scopes(), self.model.workspaces))

    def scopes(self) -> dict[str, Json]:
        """The scopes that the configuration names at the moment."""
        return {name: self.all_scopes[name] for name in self.model.rules}

    def asker(self, rng: random.Random) -> Asker:
        """Makes requests that mean something; what it tries out does not count."""
        model = copy.deepcopy(self.model)
        model.labels = {}
        return Asker(rng, model)

    # ---- Steps

    def one_shot(self, rng: random.Random) -> None:
        """A request by options, perhaps as a dry run."""
        request, arguments = command_of(self.a_request(rng), rng)
        dry, explain = rng.random() < 0.2, rng.random() < 0.3
        explain = explain and request["type"] != "erase"
        options = ["--dry-run"] * dry + ["--explain"] * explain + ["--json"]
        outcome = self.run(*arguments, *options)
        self.model.labels = {}
        asked = copy.deepcopy(self.model) if dry else self.model
        expected = plain(asked.answer(request, line=None, explain=explain))
        found = plain(outcome.json())
        same(found, expected, f"{arguments}")
        codes = expected.get("errors", [])
        status = 1 if codes == ["MPID_NOT_FOUND"] else 2 if codes else 0
        status = 1 if expected["status"] == "not_found" else status
        need(outcome.status == status, f"{arguments} ended with {outcome.status}, not {status}")
        self.counts["one-shot requests"] += 1

    def a_request(self, rng: random.Random) -> Json:
        """A request that options can say, and whose answer does not depend on the clock."""
        while (request := self.asker(rng).request())["type"] in ("batch", "alias"):
            pass
        return request

    def replay(self, rng: random.Random) -> None:
        """A small file in chunks of any size, to its end, or to the first line refused."""
        begun = self.a_file(rng, rng.randint(1, 12))
        dry = rng.random() < 0.15
        stops = not dry and rng.random() < 0.15
        output = ["--output", begun.output] if begun.to_file else ["--output", "-"]
        options = [*output, *self.sizes(rng), *["--explain"] * begun.explain]
        options += ["--dry-run"] * dry + ["--stop-on-error"] * stops
        before = copy.deepcopy(self.state)
        upto = len(begun.requests)
        self.model.labels = {}
        while begun.done < upto:
            was = copy.deepcopy(self.model)
            expected = self.answer_next(begun)
            if stops and "errors" in expected:
                self.state.model = was
                begun.answers.pop()
                begun.done -= 1
                break
        begun.labels = dict(self.model.labels)
        outcome = self.run("replay", begun.name, *options, "--quiet")
        refused = any("errors" in each for each in begun.answers) or begun.done < upto
        need(outcome.status == int(refused), f"replay: {outcome}")
        written = self.written(begun) if begun.to_file else outcome.stdout.encode()
        if not (stops and begun.done == 0):
            compare_lines(written, begun.answers)
        if dry:
            self.state = before
        elif begun.done < upto:
            self.state.begun = begun if begun.done and begun.to_file else None
        self.counts["replays"] += 1

    def killed(self, rng: random.Random) -> None:
        """A replay in a process that a signal ends at any moment; what it did is whole."""
        self.go_on(self.a_file(rng, rng.randint(20, 60), to_file=True), rng)

    def killed_again(self, rng: random.Random) -> None:
        """The same of one that is gone on with."""
        if self.state.begun:
            self.go_on(self.state.begun, rng)
            self.counts["resumes"] += 1

    def resume(self, rng: random.Random) -> None:
        """Go on with what was begun, to its end."""
        begun = self.state.begun
        if begun is None:
            return
        options = [
            "--force",
            "--output",
            begun.output,
            *self.sizes(rng),
            *["--explain"] * begun.explain,
        ]
        outcome = self.run("replay", begun.name, *options, "--resume", "--quiet")
        self.model.labels = self.state.labels_of(begun)
        left = len(begun.requests) - begun.done
        while begun.done < len(begun.requests):
            self.answer_next(begun)
        refused = any("errors" in each for each in begun.answers[-left:] if left)
        need(outcome.status == int(refused), f"resume: {outcome}")
        compare_lines(self.written(begun), begun.answers)
        self.state.begun = None
        self.counts["resumes"] += 1

    def other_rules(self, rng: random.Random) -> None:
        """Another strategy, another priority, other login types."""
        for name in self.model.rules:
            priority = self.model.rules[name].priority[:5]
            rng.shuffle(priority)
            self.all_scopes[name] = random_scope(rng, rng.choice([None, priority]))
        self.model.reconfigure(self.scopes())
        self.configure()
        self.counts["changes of the configuration"] += 1

    def leave_out_a_scope(self, rng: random.Random) -> None:
        """Or bring it back."""
        named = sorted(self.all_scopes)
        if len(self.model.rules) == len(named) and len(named) > 1:
            named = [rng.choice(named)]
        self.name_scopes(named)

    def name_scopes(self, named: list[str]) -> None:
        """Let the configuration name these scopes and no others."""
        self.model.reconfigure({name: self.all_scopes[name] for name in named})
        self.model.workspaces = {
            shop: name for shop, name in self.all_workspaces.items() if name in named
        }
        self.configure()
        self.counts["changes of the configuration"] += 1

    def backup(self, rng: random.Random) -> None:
        """Keep a copy, and what should be in it."""
        name = rng.choice(["monday.db", "friday.db"])
        need(self.run("backup", name, "--force").status == 0, "backup")
        self.saved[name] = copy.deepcopy(self.state)
        self.counts["backups"] += 1

    def restore(self, rng: random.Random) -> None:
        """Go back to a copy; the configuration stays as it is."""
        if not self.saved:
            return
        name = rng.choice(sorted(self.saved))
        outcome = self.run("restore", name, *["--discard"] * (rng.random() < 0.5))
        need(outcome.status == 0, f"restore: {outcome}")
        named = list(self.model.rules)
        erasures = self.model.erasures
        self.state = copy.deepcopy(self.saved[name])
        self.model.carry_out_again(erasures)
        self.name_scopes(named)
        self.counts["restores"] += 1

    def move(self, rng: random.Random) -> None:
        """Export everything and import it into a new store, which then has the same profiles.

        Guard rails that came later would keep some of it out.
        """
        exported = self.run("export", "--output", "profiles.jsonl", "--force")
        need(exported.status == 0, f"export: {exported}")
        (self.folder / "moved.db").unlink(missing_ok=True)
        (self.folder / "moved.db-lock").unlink(missing_ok=True)
        moved = ("--store", "moved.db")
        outcome = self.run("import", "profiles.jsonl", "--seed", "1", "--no-extensions", *moved)
        lines = (self.folder / "profiles.jsonl").read_text().splitlines()
        profiles = [json.loads(line) for line in lines]
        can_be = self.can_be_moved()
        need((outcome.status == 0) is can_be, f"import: {outcome}; expected: {can_be}")
        if can_be and profiles:
            again = self.run("export", *moved).stdout
            need(again.splitlines() == lines, "what was moved differs")
        self.counts["moves"] += 1

    def can_be_moved(self) -> bool:
        """Whether no profile breaks a rule of today, each as it comes after the others."""
        return all(
            profile.scope in self.model.rules and not self.several_immutable(profile)
            for profile in self.model.profiles.values()
        ) and not any(self.shared_unique())

    def import_some(self, rng: random.Random) -> None:
        """Import a few profiles; they come in together, or none does."""
        scope = rng.choice(sorted(self.model.rules))
        self.take(rng, [self.profile_line(rng, scope) for _ in range(rng.randint(1, 3))])

    def import_crowd(self, rng: random.Random) -> None:
        """Import more holders of one identifier than are read at once."""
        scope = rng.choice(sorted(self.model.rules))
        rules = self.model.rules[scope]
        shared = crowd_type(rules)
        if shared is None:
            return
        own = [kind for kind in (*rules.priority, "push_token") if kind != shared]
        numbers = rng.sample(range(1, 10**6), rng.randint(105, 120))
        self.take(
            rng,
            [
                {
                    "mpid": str(number),
                    "scope": scope,
                    "known": rng.random() < 0.1,
                    "identities": {shared: ["a"], rng.choice(own): [f"m{number}"]},
                }
                for number in numbers
            ],
        )
        self.counts["crowds"] += 1

    def take(self, rng: random.Random, lines: list[Json]) -> None:
        """Import profiles, which the model takes or refuses as well."""
        after = copy.deepcopy(self.state)
        fits = all(take_in(after, line) for line in lines)
        dry = rng.random() < 0.2
        options = ["--dry-run"] * dry
        outcome = self.run("import", "-", *options, stdin=lines_of(list(lines)))
        need((outcome.status == 0) is fits, f"{lines[:5]}: {outcome}; expected: {fits}")
        if fits and not dry:
            self.state = after
        self.counts["imports"] += 1

    def profile_line(self, rng: random.Random, scope: str) -> Json:
        """A profile that is mostly new."""
        types = rng.sample(TYPES[:2] + self.model.rules[scope].priority[:4], 2)
        identities = {
            type_: rng.sample("abcdefgh", rng.choice([1, 1, 1, 2]))
            for type_ in dict.fromkeys(types)
        }
        line: Json = {"mpid": str(rng.randint(1, 10**6)), "scope": scope, "identities": identities}
        if self.model.profiles and rng.random() < 0.1:
            line["mpid"] = str(rng.choice(sorted(self.model.profiles)))
        if rng.random() < 0.3:
            line["created_seq"] = self.model.counter + rng.randint(-2, 5)
            line = {n: v for n, v in line.items() if n != "created_seq" or v > 0}
        if rng.random() < 0.3:
            line["known"] = rng.random() < 0.5
        return line

    def check(self, rng: random.Random) -> None:
        """A scenario that the model wrote passes, whatever the store is."""
        world = random_world(rng)
        world.seed, world.later_scopes, world.change_at = 0, None, None
        world.requests = [each for each in world.requests if step_of(each) and can_be_said(each)]
        place = self.folder / "scenarios"
        paths = write(world, place, f"story-{rng.getrandbits(32)}")
        outcome = self.run("check", str(paths[0]))
        need(outcome.status == 0, f"check {paths[0]}: {outcome}")
        self.counts["scenarios"] += 1

    def look(self, rng: random.Random) -> None:
        """Commands that only look must not fail, nor change anything."""
        commands = [["profiles"], ["stats", "--json"]]
        if self.model.profiles:
            mpid = str(rng.choice(sorted(self.model.profiles)))
            commands += [["history", f"--mpid={mpid}"], ["profile", "show", f"--mpid={mpid}"]]
        for arguments in commands:
            outcome = self.run(*arguments)
            need(outcome.status == 0, f"{arguments}: {outcome}")

    def reopen_killed(self, rng: random.Random) -> None:
        """Kill a single command, which is done as a whole or not at all."""
        request, arguments = command_of(self.a_request(rng), rng)
        process = self.program.start(*arguments, "--json")
        time.sleep(rng.random() * 0.4)
        how = rng.choice(SIGNALS)
        process.send_signal(how)
        stdout, stderr = process.communicate(timeout=DEADLINE)
        if process.returncode != 2:  # refused
            need_a_good_end(process.returncode, how, stderr)
        self.counts["kills of single commands"] += 1
        self.model.labels = {}
        after = copy.deepcopy(self.model)
        expected = plain(after.answer(request, line=None))
        if self.last_seq() == after.counter:
            self.state.model = after
        if process.returncode == 0:
            same(plain(json.loads(stdout)), expected, f"{arguments}")
            need(self.last_seq() == after.counter, f"{arguments}: said to be done, and is not")

    # ---- What steps share

    def a_file(self, rng: random.Random, length: int, *, to_file: bool | None = None) -> Begun:
        """Requests that name labels set before, and begin as no other file does."""
        self.files += 1
        asker = self.asker(rng)
        scope = min(self.model.rules)
        first = {"type": "search", "scope": scope, "request_id": f"file {self.files}"}
        asker.ask(first | {"known_identities": {"email": "a"}})
        for _ in range(length):
            asker.ask_something()
        blanks = rng.sample(range(length + 1), rng.choice([0, 0, 1, 2]))
        begun = Begun(
            self.files,
            asker.requests,
            [place for place in blanks if place <= length],
            explain=rng.random() < 0.2,
            to_file=rng.random() < 0.6 if to_file is None else to_file,
        )
        self.program.write(begun.name, begun.content())
        return begun

    def sizes(self, rng: random.Random) -> list[str]:
        """How many requests a transaction has; perhaps as the program thinks fit."""
        return rng.choice([[], ["--chunk-size", str(rng.choice(CHUNK_SIZES))]])

    def answer_next(self, begun: Begun) -> Json:
        """The model's answer to the next request of a file."""
        request, line = begun.requests[begun.done], begun.line(begun.done)
        expected = plain(self.model.answer(request, line=line, explain=begun.explain))
        begun.done += 1
        begun.answers.append(expected)
        self.counts["replayed requests"] += 1
        return expected

    def go_on(self, begun: Begun, rng: random.Random) -> None:
        """Run a replay until a signal ends it, and let the model follow as far as it got."""
        size = str(rng.choice([1, 1, 2, 3, 7]))
        options = ["--force", "--output", begun.output, "--chunk-size", size, "--quiet", "--resume"]
        options += ["--explain"] * begun.explain
        how = rng.choice(SIGNALS)
        process = self.program.start("replay", begun.name, *options)
        if rng.random() < 0.8:
            self.wait_for(process, begun, rng.randint(begun.done, len(begun.requests)))
        else:
            time.sleep(rng.random() * 0.5)
        process.send_signal(how)
        _, stderr = process.communicate(timeout=DEADLINE)
        need_a_good_end(process.returncode, how, stderr)
        was_killed = process.returncode not in {0, 1} or b"KeyboardInterrupt" in stderr
        self.counts["kills"] += was_killed
        lines, is_there = self.lines_done(begun)
        need(is_there or was_killed, "a replay that came to its end has left no trace")
        self.model.labels = self.state.labels_of(begun)
        upto = begun.place_behind(lines) if is_there else begun.done
        need(upto >= begun.done, "a replay has gone back")
        while begun.done < upto:
            self.answer_next(begun)
        begun.labels = dict(self.model.labels)
        if is_there:
            written = self.written(begun).splitlines(keepends=True)[: len(begun.answers)]
            compare_lines(b"".join(written), begun.answers)
        self.state.begun = begun if is_there and begun.done < len(begun.requests) else None

    def wait_for(self, process: subprocess.Popen[bytes], begun: Begun, answers: int) -> None:
        """Wait until so many answers are written."""
        path, until = self.folder / begun.output, time.monotonic() + DEADLINE
        while process.poll() is None:
            if path.exists() and path.read_bytes().count(b"\n") >= answers:
                return
            need(time.monotonic() < until, "a replay hangs")
            time.sleep(0.001)

    def written(self, begun: Begun) -> bytes:
        """The file of answers."""
        return (self.folder / begun.output).read_bytes()

    def lines_done(self, begun: Begun) -> tuple[int, bool]:
        """How many lines of the file the store says are done, and whether it knows of it."""
        path = str((self.folder / begun.name).resolve())
        rows = self.rows("SELECT lines FROM replays WHERE name = ?", path)
        return (int(rows[-1][0]), True) if rows else (0, False)

    def last_seq(self) -> int:
        """The store's counter."""
        return int(self.rows("SELECT last_seq FROM store")[0][0])

    def rows(self, query: str, *values: object) -> list[Any]:
        """What the store holds, read behind the program's back."""
        with closing(sqlite3.connect(self.folder / "idsync.db")) as connection:
            return connection.execute(query, values).fetchall()

    # ---- What must hold after every step

    def compare(self, rng: random.Random) -> None:
        """Export, counter, history and doctor."""
        exported = self.run("export")
        need(exported.status == 0, f"export: {exported}")
        found = exported.profiles() + [
            {name: value for name, value in line.items() if name != "time_ms"}
            for line in exported.lines()
            if line.get("record") == "erasure"
        ]
        expected = self.expected_export() + self.model.erasures.lines()
        for wanted, got in zip(expected, found, strict=False):
            same(got, wanted, "export")
        need(len(expected) == len(found), f"{len(found)} profiles, not {len(expected)}")
        need(self.last_seq() == self.model.counter, "the counter differs")
        query = "SELECT seq, op, mpid, identity_type, value FROM history"
        history = self.rows(query)
        need(history == self.state.history, f"history {history}\nnot     {self.state.history}")
        held: dict[int, list[tuple[str, str]]] = {mpid: [] for mpid in self.model.profiles}
        for _, op, mpid, kind, value in history:
            if value is not None:
                (held[mpid].append if op == "add" else held[mpid].remove)((kind, value))
        for mpid, profile in self.model.profiles.items():
            need(held[mpid] == profile.held, f"the history of {mpid} adds up to {held[mpid]}")
        if rng.random() < 0.5:
            self.see_the_doctor()

    def expected_export(self) -> list[Json]:
        """The model's; of a scope that is not named, no more is known than what it was left as."""
        lines = self.model.export()
        for line in lines:
            if line["scope"] not in self.model.rules:
                profile = self.model.profiles[int(line["mpid"])]
                kinds = [kind for kind in TYPES if profile.values(kind)]
                line |= {"known": profile.was_known, "orphaned": not profile.held}
                line["identities"] = {kind: profile.values(kind) for kind in kinds}
        return lines

    def see_the_doctor(self) -> None:
        """Doctor finds what a changed configuration leaves behind, and nothing else."""
        found = self.run("doctor", "--json")
        said = {each["code"]: each for each in found.json()["findings"]}
        worse = {code for code, each in said.items() if each["level"] != "note"}
        expected = set()
        if self.rows("SELECT 1 FROM erasures WHERE NOT finished"):
            expected.add("unfinished_erasure")
        if any(self.shared_unique()):
            expected.add("shared_unique")
        named = [p for p in self.model.profiles.values() if p.scope in self.model.rules]
        if any(map(self.several_immutable, named)):
            expected.add("several_immutable")
        need(worse == expected, f"doctor says {found.stdout}\nand not {expected}")
        need(found.status == int(bool(expected)), f"doctor ended with {found.status}")
        orphans = sum(line["orphaned"] for line in self.expected_export())
        count = said["orphan"]["count"] if "orphan" in said else 0
        need(count == orphans, f"doctor counts {count} orphans, and there are {orphans}")
        self.counts["doctor's visits"] += 1

    def shared_unique(self) -> Iterator[tuple[str, str, str]]:
        """The unique identifiers of today that several profiles of a scope hold."""
        held = Counter(
            (profile.scope, *pair)
            for profile in self.model.profiles.values()
            if profile.scope in self.model.rules
            for pair in profile.of(self.model.rules[profile.scope].unique)
        )
        return (each for each, times in held.items() if times > 1)

    def several_immutable(self, profile: Profile) -> bool:
        """Whether a profile holds several values of a type that is immutable today."""
        immutable = self.model.rules[profile.scope].immutable
        return any(len(profile.values(kind)) > 1 for kind in immutable)


def can_be_said(request: object) -> bool:
    """Whether a scenario says the same: it has no place for a member that is null."""
    return isinstance(request, dict) and None not in request.values()


def need(condition: object, what: str) -> None:
    """Raise a Disagreement unless it holds."""
    if not condition:
        raise Disagreement(what)


def need_a_good_end(status: int, how: signal.Signals, stderr: bytes) -> None:
    """Raise unless a process ended by itself or as a signal has it end.

    Python itself has its own words for an interruption before it comes to idsync.
    """
    by_python = how == signal.SIGINT and b"KeyboardInterrupt" in stderr
    by_python = by_python and b"idsync_cli" not in stderr
    well = status in {0, 1, -how, 128 + how} and b"Traceback" not in stderr
    need(well or by_python, f"ended with {status} by {how.name}: {stderr.decode()}")


def same(found: Json, expected: Json, what: str) -> None:
    """Compare JSON values; the order of the members counts, too."""
    need(
        json.dumps(found) == json.dumps(expected),
        f"{what}\nmodel    {json.dumps(expected)}\nprogram  {json.dumps(found)}",
    )


def compare_lines(written: bytes, answers: list[Json]) -> None:
    """Compare a file of answers with the model's."""
    found = [plain(json.loads(line)) for line in written.splitlines()]
    for got, wanted in zip(found, answers, strict=False):
        same(got, wanted, "a replay")
    need(len(found) == len(answers), f"{len(found)} answers, and not {len(answers)}")


def take_in(state: State, line: Json) -> bool:
    """Let the model take in an imported profile; false where it breaks a rule."""
    model = state.model
    mpid, scope = int(line["mpid"]), line["scope"]
    seq = line.get("created_seq") or model.counter + 1
    rules = model.rules[scope]
    profile = Profile(mpid, scope, seq)
    pairs = [
        (CANONICAL[name], value)
        for name in sorted(line["identities"], key=list(line["identities"]).index)
        for value in line["identities"][name]
    ]
    profile.held = model.admit(scope, pairs)
    others = {pair for p in model.profiles.values() if p.scope == scope for pair in p.held}
    if (
        mpid in model.profiles
        or mpid in model.erasures.erased
        or seq in state.taken | {p.seq for p in model.profiles.values()}
        or any(len(profile.values(kind)) > 1 for kind in rules.immutable)
        or profile.of(rules.unique) & others
    ):
        return False
    profile.was_known = bool(line.get("known")) or profile.known(rules)
    model.put(profile)
    model.counter = max(model.counter, seq)
    changes = [
        {"op": "add", "mpid": str(mpid), "identity_type": kind, "value": value}
        for kind, value in profile.held
    ]
    model.erasures.note(seq, scope, mpid, changes)
    return True


def says_something(change: Json) -> bool:
    """Whether there is an option for a change: none is there for one that changes nothing."""
    return bool(change.get("old_value") or change.get("new_value"))


def command_of(request: Json, rng: random.Random) -> tuple[Json, list[str]]:
    """A request as far as options can say it, and the options."""
    kind = request["type"]
    asked: Json = {"type": kind}
    arguments = [kind]
    named = {"modify": ["mpid"], "erase": ["mpid", "request_id"]}.get(kind, ["previous_mpid"])
    for name in ("scope", "workspace", *named):
        if request.get(name) is not None:
            asked[name] = str(request[name])
            arguments.append(f"--{name.replace('_', '-')}={asked[name]}")
    if request.get("identity_changes") is not None:
        changes = [each for each in request["identity_changes"] if says_something(each)]
        asked["identity_changes"] = changes or [{"identity_type": "email", "new_value": "a"}]
        for change in asked["identity_changes"]:
            old, new = (
                (change.get(which) or "").replace("\\", "\\\\").replace(":", "\\:")
                for which in ("old_value", "new_value")
            )
            arguments.append(f"--change={change['identity_type']}:{old}:{new}")
        return asked, arguments
    if kind == "erase" and "known_identities" not in request:
        return asked, arguments
    asked["known_identities"] = {}
    for name, value in request["known_identities"].items():
        if value:
            option = name.replace("_", "-")
            by_name = f"--{option}={value}"
            arguments.append(rng.choice([by_name, f"--identity={name}={value}"]))
        elif kind == "modify":
            arguments.append(f"--remove={name}")
        else:
            continue
        asked["known_identities"][name] = value or None
    return asked, arguments


# ---- Stories

Move = Callable[[Story, random.Random], None]
STEPS: dict[str, tuple[int, Move]] = {
    "one shot": (30, Story.one_shot),
    "replay": (12, Story.replay),
    "killed": (5, Story.killed),
    "killed again": (4, Story.killed_again),
    "resume": (6, Story.resume),
    "other rules": (5, Story.other_rules),
    "leave out a scope": (3, Story.leave_out_a_scope),
    "backup": (4, Story.backup),
    "restore": (4, Story.restore),
    "move": (2, Story.move),
    "import": (6, Story.import_some),
    "crowd": (2, Story.import_crowd),
    "check": (1, Story.check),
    "look": (2, Story.look),
    "killed command": (2, Story.reopen_killed),
}
"""What can happen, how often, and how."""


def random_steps(seed: str, length: int) -> list[Step]:
    """A story that follows from a seed."""
    rng = random.Random(seed)
    names = list(STEPS)
    weights = [STEPS[name][0] for name in names]
    return [(name, rng.getrandbits(32)) for name in rng.choices(names, weights, k=length)]


def tell(seed: int, steps: list[Step], counts: Counter[str] | None = None) -> str | None:
    """Let a story happen; what goes wrong in it, or None."""
    with TemporaryDirectory() as folder:
        happened = Counter[str]() if counts is None else counts
        begun: list[str] = []
        try:
            story = Story(Path(folder), seed, happened)
            for name, its_seed in steps:
                begun.append(name)
                rng = random.Random(its_seed)
                STEPS[name][1](story, rng)
                story.compare(rng)
                happened["stateful steps"] += 1
        except Exception as error:  # noqa: BLE001 - whatever it is, the story has found it
            kind = "" if isinstance(error, Disagreement) else f"{type(error).__name__}: "
            return f"step {len(begun)}, {begun[-1] if begun else 'init'}: {kind}{error}"
    return None


def smallest(seed: int, steps: list[Step], most: int = 150) -> list[Step]:
    """A story that still goes wrong, with as much left out as can be."""
    size = len(steps)
    while size := size // 2:
        start = 0
        while start < len(steps):
            most -= 1
            fewer = steps[:start] + steps[start + size :]
            if most > 0 and fewer and tell(seed, fewer):
                steps = fewer
            else:
                start += size
    return steps
