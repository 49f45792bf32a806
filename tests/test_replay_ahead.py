"""A long replay, of which another process writes each batch while the next one is decided.

Whoever looks at what comes of it cannot tell: not from the answers, not from the store, not where
others write in between, and not where either process ends before its time. What makes a replay a
long one is lowered here, so that the other process has much to write of files that are short.

Where idsync is compiled, `scripts/test.sh` runs all of this on the compiled copy, which the
processes that are started here run anyway, and a share of it on the sources (`tests/many.py`).
"""

import errno
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager, nullcontext, suppress
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from idsync_cli.core.identity import derive_mpid
from idsync_cli.engine.engine import Engine
from idsync_cli.files.answers_file import AnswersFile
from idsync_cli.files.request_file import open_requests
from idsync_cli.replay import ahead, batches, writers
from idsync_cli.replay.ahead import AheadWriter
from idsync_cli.replay.loop import Replay
from idsync_cli.replay.pace import Pace, pause
from idsync_cli.replay.resumption import Mode
from idsync_cli.replay.write_jobs import WriteJob
from idsync_cli.replay.writer_process import WriterProcess
from idsync_cli.replay.writers import DirectWriter
from idsync_cli.store.sqlite import create, open_store
from idsync_cli.store.sqlite.cache import prefetch, working_set
from idsync_cli.store.sqlite.cache import tables as cached_tables
from tests.comparison import organization
from tests.faults import DEADLINE, export, history, is_sound, timeless
from tests.many import many
from tests.program import Outcome, Program, ended
from tests.test_faults_room import small_disk
from tests.test_profile_cache import (
    CROWDS,
    DEVICES_FIRST,
    SCOPE,
    SIZES,
    Story,
    and_then,
    both,
    crowd_of_all_kinds,
    some_in_common,
)
from tests.worlds import World, config_yaml, random_world

Json = dict[str, Any]
Whole = tuple[bytes, list[tuple[object, ...]], dict[str, list[str]]]
"""The export of a store, its history, and its tables."""

ROOT = Path(__file__).parent.parent
KILLS = int(os.environ.get("IDSYNC_KILLS", "3"))
"""How often each of the three signals ends a replay."""

WORLDS = int(os.environ.get("IDSYNC_WORLDS", "2000")) // 250
"""How many random worlds are replayed."""

BATCH = 250
"""How many requests a batch has in processes of their own."""


class Watch:
    """What was done to the batches of the replays in this process, in order.

    `sent` to the other process, and then `written` or `in vain`; `behind`: it needs the tables;
    `here`: written by this process. `at` is called at many moments and may do anything.
    """

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.at: Callable[[str], None] = lambda _: None


@pytest.fixture(name="watch")
def the_real_thing_watched(monkeypatch: pytest.MonkeyPatch) -> Watch:
    watch = Watch()
    begin, send, wait = WriterProcess.begin, WriterProcess.send, WriterProcess.wait
    write, go_back = DirectWriter._write, AheadWriter._go_back

    def beginning(process: WriterProcess) -> None:
        watch.at("before begin")
        begin(process)
        watch.at("begun")

    def sending(process: WriterProcess, job: WriteJob) -> None:
        watch.at("before send")
        send(process, job)
        watch.seen.append("sent")
        watch.at("sent")

    def waiting(process: WriterProcess) -> float | None:
        watch.at("before wait")
        seconds = wait(process)
        watch.seen.append("in vain" if seconds is None else "written")
        watch.at("waited")
        return seconds

    def committing(self: DirectWriter, *arguments: Any) -> Any:
        watch.at("before commit")
        found = write(self, *arguments)
        watch.seen.append("here")
        watch.at("committed")
        return found

    def going_back(self: AheadWriter, outcome: writers.WriteOutcome) -> writers.WriteOutcome:
        if watch.seen[-1] != "in vain":
            watch.seen.append("behind")
        return go_back(self, outcome)

    monkeypatch.setattr(WriterProcess, "begin", beginning)
    monkeypatch.setattr(WriterProcess, "send", sending)
    monkeypatch.setattr(WriterProcess, "wait", waiting)
    monkeypatch.setattr(DirectWriter, "_write", committing)
    monkeypatch.setattr(AheadWriter, "_go_back", going_back)
    return watch


@pytest.fixture(name="idsync")
def program_with_the_sample_configuration(tmp_path: Path) -> Program:
    program = Program(tmp_path)
    shutil.copy(ROOT / "sample_config.yaml", tmp_path / "idsync.yaml")
    return program


_HOLDER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
for statement in sys.stdin:
    connection.execute(statement)
    print("done", flush=True)
"""
"""A process of its own: SQLite's locks are those of a process, and what closes a file ends them."""


@contextmanager
def the_other_process_lags(watch: Watch, store: str) -> Iterator[None]:
    """Each batch is decided before the one before is in the tables."""
    holder = subprocess.Popen(
        [sys.executable, "-c", _HOLDER, store], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    statements = {"before send": b"BEGIN IMMEDIATE\n", "before wait": b"ROLLBACK\n"}

    def hold(moment: str) -> None:
        if moment in statements:
            assert holder.stdin is not None
            assert holder.stdout is not None
            holder.stdin.write(statements[moment])
            holder.stdin.flush()
            assert holder.stdout.readline() == b"done\n"

    watch.at = hold
    try:
        yield
    finally:
        watch.at = lambda _: None
        holder.communicate()


def in_batches_of(monkeypatch: pytest.MonkeyPatch, size: int, alone: int = 0) -> None:
    """Let batches have so many requests, and so many be written here after one that was not."""
    monkeypatch.setattr(ahead, "is_worth_a_process", lambda *_, **__: True)
    monkeypatch.setattr(ahead, "_PATIENCE", 60.0)
    monkeypatch.setattr(batches, "FIRST", size)
    monkeypatch.setattr(batches, "MOST", size)
    monkeypatch.setattr(batches, "HOLD_SECONDS", 60.0)  # however slow the machine is
    monkeypatch.setattr(ahead, "_ALONE_AGAIN", alone)


def a_day(lines: int | None = None) -> list[bytes]:
    return (ROOT / "fixtures" / "requests.jsonl").read_bytes().splitlines(keepends=True)[:lines]


def a_day_of_data(lines: int) -> list[bytes]:
    """The beginning of a day, in which every identify and login is an event batch."""
    found = []
    for number, line in enumerate(a_day(lines)):
        request = json.loads(line) if line.strip().endswith(b"}") else None
        if request and request.get("type") in ("identify", "login"):
            line = json.dumps(as_batch(request, number)).encode() + b"\n"  # noqa: PLW2901
        found.append(line)
    return found


def as_batch(request: Json, number: int) -> Json:
    """An event batch with the identifiers of a request, some of it as what came before."""
    known = request.pop("known_identities", {})
    data: Json = {"event_name": f"e{number % 7}", "number": number}
    if number % 3:
        data["timestamp_unixtime_ms"] = 1_700_000_000_000 + number
    batch = request | {"type": "batch", "user_identities": known}
    batch["events"] = [{"event_type": "custom_event", "data": data}] * (number % 4)
    batch["user_attributes"] = {f"a{number % 5}": number % 2, "last": number, "é": None}
    batch["deleted_user_attributes"] = [f"a{(number + 1) % 5}"]
    if number % 2:
        batch["source_request_id"] = f"s{number - number % 50 + number % 10}"
        batch["device_info"] = {"platform": ["iOS", "web"][number % 9 // 8]}
    if number % 11 == 0:
        batch |= {
            "consent_state": {"gdpr": {"n": number % 3}},
            "attribution_info": {"publisher": "p"},
        }
        batch["events"].append({"event_type": "opt_out", "data": {"is_opted_out": number % 2 == 0}})
    return batch


def tables(path: Path) -> dict[str, list[str]]:
    """Every row of a store but for times and folders, which some checksums have in them."""
    but_for = {
        "requests": {"time_ms", "checksum"},
        "replays": {"name", "answers_bytes", "answers_digest", "checksum"},
        "profiles": {"first_seen_ms", "last_stored_ms", "checksum"},
        "events": {"time_ms", "checksum"},
        "aliases": {"start_ms", "end_ms", "checksum"},
        "erasures": {"time_ms", "rewriting", "checksum"},
    }
    found = {}
    with closing(sqlite3.connect(path)) as connection:
        listed = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        for (table,) in listed.fetchall():
            if table.startswith("sqlite_") or table == "kept_files":  # paths, which differ
                continue
            left_out = but_for.get(table, set())
            described = connection.execute(f"PRAGMA table_info({table})").fetchall()
            columns = ", ".join(row[1] for row in described if row[1] not in left_out)
            rows = connection.execute(f"SELECT {columns} FROM {table}").fetchall()
            found[table] = sorted(map(repr, rows))
    return found


def assert_same(idsync: Program, name: str, other: str, *but: str) -> None:
    """Two stores have the same export, the same history, and the same in every table."""
    found = whole_of(idsync, name)
    whole = (idsync.folder / f"{other}.db").read_bytes()
    wanted = _WHOLE.get(whole) or _WHOLE.setdefault(whole, whole_of(idsync, other))
    assert found[0].splitlines() == wanted[0].splitlines()
    assert found[1] == wanted[1]
    assert list(found[2]) == list(wanted[2])
    for table, rows in wanted[2].items():
        assert table in but or found[2][table] == rows, table
    assert idsync("doctor", "--store", f"{name}.db").status == 0


_WHOLE: dict[bytes, Whole] = {}
"""What is in stores that others are compared with, by their bytes: some are asked often."""


def whole_of(idsync: Program, name: str) -> Whole:
    """All that a store holds: its export, its history, its tables."""
    store = f"{name}.db"
    lines = timeless(export(idsync, store).encode())
    return lines, history(idsync, store), tables(idsync.folder / store)


def run(idsync: Program, name: str, *options: str, files: tuple[str, ...] = ("day.jsonl",)) -> None:
    """Replay into the store of this name, and write the answers to a file of this name."""
    into = ("--store", f"{name}.db", "--output", f"{name}.jsonl")
    done = idsync("replay", *files, "--seed", "7", "--quiet", *into, *options)
    assert done.status in (0, 1), done.stderr
    assert done.stderr == ""


def assert_as_in_chunks(
    idsync: Program,
    watch: Watch,
    *options: str,
    files: tuple[str, ...] = ("day.jsonl",),
    chunk: int = 1000,
) -> None:
    """By two processes or in chunks, all of it comes to the same."""
    run(idsync, "chunks", "--chunk-size", str(chunk), *options, files=files)
    watch.seen.clear()
    run(idsync, "ahead", *options, files=files)
    answers = timeless((idsync.folder / "ahead.jsonl").read_bytes())
    assert answers == timeless((idsync.folder / "chunks.jsonl").read_bytes())
    assert_same(idsync, "ahead", "chunks")


# ---- By two processes or by one


@pytest.mark.parametrize("options", many([(), ("--explain",)]), ids=["", "explained"])
def test_a_day_comes_to_the_same(
    idsync: Program, watch: Watch, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...]
) -> None:
    in_batches_of(monkeypatch, 250)
    idsync.write("day.jsonl", b"".join(a_day()))
    assert_as_in_chunks(idsync, watch, *options)
    assert watch.seen.count("written") > 10
    if not options:  # an account counts whole crowds, for which the tables may be needed
        assert watch.seen == ["here", *["sent", "written"] * 20]


@pytest.mark.parametrize("lags", [False, True])
def test_a_day_of_data_comes_to_the_same(
    idsync: Program, watch: Watch, monkeypatch: pytest.MonkeyPatch, lags: bool
) -> None:
    in_batches_of(monkeypatch, 150)
    idsync.write("day.jsonl", b"".join(a_day_of_data(2500)))
    run(idsync, "chunks", "--chunk-size", "170")
    watch.seen.clear()
    assert idsync("init", "--store", "ahead.db", "--seed", "7").status == 0
    with the_other_process_lags(watch, str(idsync.folder / "ahead.db")) if lags else nullcontext():
        run(idsync, "ahead")
    assert watch.seen.count("written") > 10
    assert "in vain" not in watch.seen
    answers = timeless((idsync.folder / "ahead.jsonl").read_bytes())
    assert answers == timeless((idsync.folder / "chunks.jsonl").read_bytes())
    for status in (b"duplicate", b"matched", b"created", b"error"):
        assert b'"status": "' + status in answers
    assert_same(idsync, "ahead", "chunks", "replays", "replay_labels")
    found = tables(idsync.folder / "ahead.db")
    for table in ("events", "attributes", "attribute_changes", "devices", "batch_ids"):
        assert len(found[table]) > 100, table
    assert len(found["profile_states"]) > 20


def test_a_batch_grows_until_the_other_process_is_worth_it(
    idsync: Program, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_batches_of(monkeypatch, 10)
    asked: list[tuple[Pace, int]] = []

    def is_worth_it(pace: Pace, left: int, *, to_start: float, processors: int) -> bool:
        asked.append((pace, left))
        return len(asked) > 2

    monkeypatch.setattr(ahead, "is_worth_a_process", is_worth_it)
    monkeypatch.setattr(batches, "MOST", 320)
    idsync.write("day.jsonl", b"".join(a_day(1000)))
    assert_as_in_chunks(idsync, watch)
    # After 10, 20 and 40 requests the fourth batch has 80.
    assert watch.seen == ["here"] * 3 + ["sent", "written"] * 5
    assert all(pace.deciding > 0 and pace.writing > 0 for pace, _ in asked)
    for (_, left), lines in zip(asked, (990, 970, 930), strict=True):
        assert 0.5 * lines < left < 2 * lines


def test_it_writes_here_until_the_other_process_has_started(
    idsync: Program, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_batches_of(monkeypatch, 10)
    monkeypatch.setattr(ahead, "_PATIENCE", 0.0)
    is_ready = WriterProcess.is_ready
    asked = iter([False] * 4 + [True] * 1000)
    waits: list[float | None] = []

    def ready_at_last(process: WriterProcess, seconds: float | None = None) -> bool:
        waits.append(seconds)
        return next(asked) and is_ready(process, None)

    monkeypatch.setattr(WriterProcess, "is_ready", ready_at_last)
    idsync.write("day.jsonl", b"".join(a_day(200)))
    assert_as_in_chunks(idsync, watch)
    assert watch.seen[:5] == ["here"] * 5
    assert set(watch.seen[5:]) == {"sent", "written"}
    for seconds in waits[:5]:  # in which others get the store
        assert seconds is not None
        assert 0 < seconds <= 0.12


def test_it_leaves_the_store_free_between_batches_out_of_the_time_that_it_waited(
    idsync: Program, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_batches_of(monkeypatch, 10)
    sent: list[float] = []
    written: list[float] = []

    def note(moment: str) -> None:
        if moment == "before send":
            if not sent:
                time.sleep(0.3)  # which it waits
            sent.append(time.monotonic())
        elif moment == "waited":
            written.append(time.monotonic())

    watch.at = note
    idsync.write("day.jsonl", b"".join(a_day(200)))
    assert_as_in_chunks(idsync, watch)
    assert written[6] - sent[0] >= 6 * pause(0, 0, 1)


def test_where_no_other_process_can_be_started_one_does_it_all(
    idsync: Program, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_batches_of(monkeypatch, 10)
    tried = []

    def none_is_left(*_: object, **__: object) -> None:
        tried.append("a process")
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    monkeypatch.setattr(subprocess, "Popen", none_is_left)
    idsync.write("day.jsonl", b"".join(a_day(200)))
    assert_as_in_chunks(idsync, watch)
    assert set(watch.seen) == {"here"}
    assert len(tried) == 1


@pytest.mark.parametrize("executable", ["no/such/python", "false"])
def test_where_the_other_process_does_not_come_up_one_does_it_all(
    idsync: Program, watch: Watch, monkeypatch: pytest.MonkeyPatch, executable: str
) -> None:
    in_batches_of(monkeypatch, 10)
    idsync.write("day.jsonl", b"".join(a_day(200)))
    monkeypatch.setattr(sys, "executable", shutil.which(executable) or executable)
    assert_as_in_chunks(idsync, watch)
    assert set(watch.seen) == {"here"}


def test_where_the_other_process_ends_before_it_is_given_anything_one_does_it_all(
    idsync: Program, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_batches_of(monkeypatch, 10)
    begin = WriterProcess.begin

    def killed_before(process: WriterProcess) -> None:
        process._process.kill()
        process._process.wait()
        begin(process)

    monkeypatch.setattr(WriterProcess, "begin", killed_before)
    idsync.write("day.jsonl", b"".join(a_day(200)))
    assert_as_in_chunks(idsync, watch)
    assert set(watch.seen) == {"here"}


@pytest.mark.many
def test_several_files_come_to_the_same_and_each_has_labels_of_its_own(
    idsync: Program, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_batches_of(monkeypatch, 40)
    lines = a_day(1000)
    idsync.write("a.jsonl", b"".join(lines[:400]))
    idsync.write("b.jsonl", b"".join(lines[400:401]))
    idsync.write("c.jsonl", b"".join(lines[401:]))
    assert_as_in_chunks(idsync, watch, files=("a.jsonl", "b.jsonl", "c.jsonl"))
    assert watch.seen.count("written") >= 9 + 14
    assert "in vain" not in watch.seen


def a_world(rng: random.Random, *, crowd: bool, scopes: int = 2) -> World:
    """A world whose configuration does not change."""
    while True:
        world = random_world(rng, crowd=crowd)
        if world.later_scopes is None and len(world.scopes) == scopes:
            return world


@pytest.mark.parametrize("number", many(range(WORLDS)))
def test_a_random_world_comes_to_the_same(
    tmp_path: Path, watch: Watch, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    rng = random.Random(f"ahead {number}")
    world = a_world(rng, crowd=number % 2 == 0, scopes=1 if number % 4 == 3 else 2)
    in_batches_of(monkeypatch, rng.choice([7, 30, 90]), alone=rng.choice([0, 2]))
    idsync = Program(tmp_path)
    idsync.write("idsync.yaml", config_yaml(world.scopes, world.workspaces))
    lines = [
        json.dumps(request) + "\n"
        for request in world.requests
        if number % 2 == 0 or '"type": "erase"' not in json.dumps(request)  # done here, not ahead
    ]
    size = len(lines)
    for _ in range(3 if number % 2 == 0 else 10):
        lines += rng.sample(lines, size)
    idsync.write("day.jsonl", "".join(lines))
    assert_as_in_chunks(idsync, watch, chunk=rng.choice([50, 400]))
    assert "written" in watch.seen


# ---- Where it is not used


@pytest.mark.parametrize(
    "options",
    [("--chunk-size", "50"), ("--stop-on-error",), ("--dry-run",), ("--output", "answers.fifo")],
    ids=lambda each: each[0],
)
def test_no_other_process_writes(
    idsync: Program, watch: Watch, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...]
) -> None:
    in_batches_of(monkeypatch, 50)
    idsync.write("day.jsonl", b"".join(a_day(400)))
    run(idsync, "whole", "--chunk-size", "400")
    watch.seen.clear()
    os.mkfifo(idsync.folder / "answers.fifo")
    read: list[bytes] = []
    reader = threading.Thread(
        target=lambda: read.append((idsync.folder / "answers.fifo").read_bytes())
    )
    reader.start()
    if "--output" not in options:
        with (idsync.folder / "answers.fifo").open("wb"):
            pass
        options += ("--output", "-")
    done = idsync("replay", "day.jsonl", "--seed", "7", "--quiet", "--store", "a.db", *options)
    reader.join()
    assert (done.status, done.stderr) == (0, "")
    answers = done.stdout.encode() + b"".join(read)
    assert answers == (idsync.folder / "whole.jsonl").read_bytes()
    assert len(watch.seen) >= 8
    assert set(watch.seen) == {"here"}


# ---- Where somebody else writes in between

_SOMEBODY = """
import json, sys
from pathlib import Path
from idsync_cli import wire
from idsync_cli.core.decision import Refusal
from idsync_cli.engine.engine import Engine
from idsync_cli.files.config_file import load
from idsync_cli.store.sqlite import open_store
with open_store(sys.argv[1], write=True) as store:
    engine = Engine(load(Path("idsync.yaml")).organization, store, now=lambda: 0)
    for line in sys.stdin:
        answer = engine.one_shot(json.loads(line))
        refused = isinstance(answer.outcome, Refusal)
        counts = not refused and answer.outcome.changes_the_store
        print(json.dumps([counts, wire.answer_json(answer, explain=False)]), flush=True)
"""


class Somebody:
    """Somebody else at the store of a replay, who makes requests one by one.

    `counted` has those that took a sequence number, with their answers.
    """

    def __init__(self, idsync: Program, store: str) -> None:
        self._idsync, self._store = idsync, store
        self._process: subprocess.Popen[bytes] | None = None
        self.counted: list[tuple[bytes, Json]] = []

    def ask(self, request: Json) -> None:
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _SOMEBODY, self._store],
                cwd=self._idsync.folder,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        line = json.dumps(request).encode() + b"\n"
        self._process.stdin.write(line)
        self._process.stdin.flush()
        counts, answer = json.loads(self._process.stdout.readline())
        if counts:
            self.counted.append((line, answer))

    def go(self) -> None:
        if self._process is not None:
            self._process.communicate()
            assert self._process.returncode == 0


@contextmanager
def somebody_at(idsync: Program, store: str) -> Iterator[Somebody]:
    somebody = Somebody(idsync, store)
    try:
        yield somebody
    finally:
        somebody.go()


def foreign_requests(rng: random.Random, lines: list[bytes]) -> Iterator[Json]:
    """Requests about the users of these lines, with some of their identifiers."""
    while True:
        with suppress(ValueError):
            request = json.loads(rng.choice(lines))
            if isinstance(request, dict) and request.get("type") != "modify":
                names = ("type", "workspace", "scope", "known_identities", "request_id")
                yield {name: request[name] for name in names if name in request}


def plain(answers: list[Json]) -> list[Json]:
    """Answers but for the numbers of their lines, and what is timeless."""
    own = {"line", "time", "files"}
    return [{name: value for name, value in each.items() if name not in own} for each in answers]


def answers_of(idsync: Program, name: str) -> list[Json]:
    return [json.loads(each) for each in (idsync.folder / f"{name}.jsonl").read_text().splitlines()]


def assert_as_one_replay_of_all(idsync: Program, lines: list[bytes], others: Somebody) -> None:
    """Every line is answered once, as if the requests of others had been lines among them."""
    answers = answers_of(idsync, "ahead")
    assert [each["line"] for each in answers] == list(range(1, len(lines) + 1))
    foreign = [(answer["seq"], line, answer) for line, answer in others.counted]
    own = [(each["seq"], line, each) for each, line in zip(answers, lines, strict=True)]
    everything = sorted(foreign + own, key=lambda each: each[0])
    assert [seq for seq, _, _ in everything] == list(range(1, len(everything) + 1))
    assert [each["seq"] for each in answers] == sorted(each["seq"] for each in answers)
    idsync.write("all.jsonl", b"".join(line for _, line, _ in everything))
    run(idsync, "merged", "--chunk-size", "1000", files=("all.jsonl",))
    wanted = plain(answers_of(idsync, "merged"))
    for (_, line, found), answer in zip(everything, wanted, strict=True):
        assert plain([found]) == [answer], line
    assert_same(idsync, "ahead", "merged", "replays")


@pytest.mark.parametrize("seed", many(range(8), share=2))
def test_whenever_somebody_else_writes_nothing_is_lost_or_done_twice(
    idsync: Program, watch: Watch, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    rng = random.Random(f"somebody {seed}")
    in_batches_of(monkeypatch, rng.choice([15, 25, 40]), alone=seed % 3)
    lines = a_day(1500)
    if seed % 2:  # whose few labels stand for one profile after another
        world = a_world(rng, crowd=False)
        idsync.write("idsync.yaml", config_yaml(world.scopes, world.workspaces))
        lines = [json.dumps(each).encode() + b"\n" for each in world.requests]
        lines = rng.choices(lines, k=600)
    idsync.write("day.jsonl", b"".join(lines))
    asked = foreign_requests(rng, lines)
    hit: set[str] = set()
    with somebody_at(idsync, "ahead.db") as somebody:

        def sometimes(moment: str) -> None:
            if "here" in watch.seen and rng.random() < (0.1 if seed < 4 else 0.3):
                before = len(somebody.counted)
                for _ in range(rng.choice([1, 1, 3])):
                    somebody.ask(next(asked))
                if len(somebody.counted) > before:
                    hit.add(moment)

        watch.at = sometimes
        run(idsync, "ahead")
        watch.at = lambda _: None
    assert watch.seen.count("written") >= 2
    if seed % 2 == 0:
        assert watch.seen.count("in vain") >= 2
        assert len(hit) >= 2
    assert_as_one_replay_of_all(idsync, lines, somebody)


@pytest.mark.parametrize(
    "moment",
    many(
        ["before send", "before begin", "begun", "sent", "before wait", "waited", "committed"],
        share=2,
    ),
)
def test_somebody_else_writes_at_this_moment(
    idsync: Program, watch: Watch, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    in_batches_of(monkeypatch, 30, alone=1)
    lines = a_day(600)
    idsync.write("day.jsonl", b"".join(lines))
    times = iter(range(1, 1000))
    with somebody_at(idsync, "ahead.db") as somebody:

        def in_the_middle(now: str) -> None:
            if now == moment and watch.seen and next(times) in (1, 4):
                identities = {"customer_id": f"new {len(somebody.counted)}"}
                request = {"type": "login", "scope": "consumers", "known_identities": identities}
                somebody.ask(request)

        watch.at = in_the_middle
        run(idsync, "ahead")
        watch.at = lambda _: None
    assert len(somebody.counted) >= 1
    assert "written" in watch.seen
    if moment in ("before send", "waited"):
        assert "in vain" in watch.seen
    assert_as_one_replay_of_all(idsync, lines, somebody)


@pytest.mark.many
def test_it_goes_on_here_for_a_while_and_then_ahead_again(
    idsync: Program, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_batches_of(monkeypatch, 20, alone=ahead._ALONE_AGAIN)
    lines = a_day(1000)
    idsync.write("day.jsonl", b"".join(lines))
    with somebody_at(idsync, "ahead.db") as somebody:

        def several_in_a_row(moment: str) -> None:
            after = watch.seen.count("written")
            is_first = after == 4 and "in vain" not in watch.seen
            if (moment == "before send" and is_first) or (
                moment == "committed" and 2 < watch.seen.count("here") < 9
            ):
                number = len(somebody.counted)
                identities = {"customer_id": f"new {number}"}
                somebody.ask(
                    {"type": "login", "scope": "consumers", "known_identities": identities}
                )

        watch.at = several_in_a_row
        run(idsync, "ahead")
        watch.at = lambda _: None
    assert len(somebody.counted) >= 7
    assert watch.seen[:11] == ["here", *["sent", "written"] * 4, "sent", "in vain"]
    vain = watch.seen.index("in vain")
    assert watch.seen[vain + 1 : vain + 12] == ["here"] * 10 + ["sent"]
    assert watch.seen[vain + 12 :].count("written") > 20
    assert watch.seen.count("in vain") == 1
    assert_as_one_replay_of_all(idsync, lines, somebody)


# ---- Crowds


def stories() -> list[Story]:
    """Crowds of several sizes, and what makes them larger, smaller, or known."""
    found = [story(size) for size in SIZES for story in ALONE]
    found += [two_crowds(scope, holds) for scope in (SCOPE, DEVICES_FIRST) for holds in CROWDS]
    found += [two_crowds(SCOPE, holds, 210) for holds in (both, some_in_common)]
    found += [wandering(), many_identifiers(), and_then(crowd_of_all_kinds(100))]
    return found


def leaving(size: int) -> Story:
    story = Story()
    for number in range(size):
        story.anonymous(f"m{number}", ios_idfv="d", mobile_number=f"{number}")
    story.begin()
    for step in range(15):
        story.ask("identify", ios_idfv="d")
        left = size - 1 - step
        if step % 3 == 0:
            story.set(f"m{left}", ios_idfv=None)
        elif step % 3 == 1:
            story.ask("login", "", f"m{left}", email=f"e{step}", ios_idfv="d")
        else:
            story.change(f"m{left}", ("ios_idfv", "d", "x"))
        story.ask("search", ios_idfv="d")
    return story


def becoming_known(size: int) -> Story:
    story = Story()
    for number in range(size):
        story.anonymous(f"m{number}", ios_idfv="d", mobile_number=f"{number}")
    story.begin()
    for number in range(size - 1, 0, -1):
        story.ask("login", "", f"m{number}", email=f"e{number}", ios_idfv="d")
    story.ask("identify", ios_idfv="d")
    story.ask("login", "last", email="e0", ios_idfv="d")
    story.ask("identify", "new", ios_idfv="d")
    story.ask("login", email="e5", ios_idfv="d", android_aaid="g")
    story.set("new", ios_idfv=None)
    story.ask("search", ios_idfv="d")
    return story


def coming_back(size: int) -> Story:
    story = Story()
    for number in range(size):
        story.anonymous(f"m{number}", ios_idfv="d", mobile_number=f"{number}")
    story.begin()
    for number in (0, 1, 2):
        story.set(f"m{number}", ios_idfv=None)
        story.ask("identify", mobile_number=f"{number}", ios_idfv="d")
        story.change(f"m{number}", ("ios_idfv", "d", None), ("ios_idfv", None, "d"))
    for number in range(size - 1, 1, -1):
        story.change(f"m{number}", ("ios_idfv", "d", None))
        if number % 10 == 0:
            story.ask("search", ios_idfv="d")
    story.ask("login", "", "m0", ios_idfv="d", email="f")
    return story


def known_unnamed(size: int) -> Story:
    """Members become known, or come to hold more, by requests that do not name what they hold."""
    story = Story()
    for number in range(size):
        story.anonymous(f"m{number}", ios_idfv=f"d{number // 3}", mobile_number=f"{number}")
    story.begin()
    for number in range(size - 1, 6, -3):
        story.set(f"m{number}", email=f"e{number}")
        story.set(f"m{number - 1}", android_aaid="g")
        for _ in range(2):
            story.ask("search", mobile_number=f"{number}")
        story.ask("identify", ios_idfv=f"d{number // 3}")
        story.ask("identify", "", f"m{number - 1}", ios_idfv=f"d{number // 3}", android_aaid="g")
        story.set(f"m{number - 1}", customer_id=f"c{number}")
        story.ask("login", "", f"m{number - 2}", email=f"f{number}")
        story.ask("search", "", f"m{number - 3}", ios_idfv=f"d{number // 3 - 1}")
        story.ask("identify", ios_idfv=f"d{number // 3}")
        story.ask("search", android_aaid="g", mobile_number=f"{number - 1}")
        story.ask("search", mobile_number=f"{number - 2}")
    return story


ALONE = [leaving, becoming_known, coming_back, known_unnamed]


def two_crowds(scope: Json, holds: Callable[[int, int], dict[str, str]], size: int = 70) -> Story:
    story = Story(scope)
    for number in range(size):
        story.anonymous(f"m{number}", mobile_number=f"{number}", **holds(number, size))
    two = {"ios_idfv": "d", "android_aaid": "g"}
    story.begin()
    for kind in ("search", "identify"):
        story.ask(kind, **two)
        story.ask(kind, "", "m3", **two)
    for number in [number for number in range(size) if len(holds(number, size)) == 2][-3:]:
        story.set(f"m{number}", android_aaid=None)
        story.ask("search", **two)
    story.ask("login", "", "m3", email="e", **two)
    story.ask("identify", **two)
    story.ask("identify", "", "m1", **two)
    return story


def wandering() -> Story:
    """A unique identifier goes from one to another by `modify`."""
    story = Story()
    for number in range(80):
        story.anonymous(f"m{number}", ios_idfv="d", mobile_number=f"{number}")
    story.anonymous("first", other="o")
    story.begin()
    for number in range(0, 80, 5):
        story.set(f"m{number}", other="o")
        story.ask("search", other="o", ios_idfv="d")
        story.ask("identify", "", f"m{number + 1}", mobile_number=f"{number + 1}", other="o")
        story.set(f"m{number + 2}", other="o", email=f"e{number}")
        story.ask("login", email=f"e{number}", customer_id="c", other="o")
        story.change(f"m{number + 3}", ("email", None, f"e{number}"), ("customer_id", None, "c"))
    return story


def many_identifiers() -> Story:
    """Profiles that hold a lot, and give it away again."""
    story = Story()
    for number in range(12):
        story.anonymous(f"m{number}", ios_idfv=f"d{number}")
        for value in range(30):
            story.change(f"m{number}", ("mobile_number", None, f"{number}-{value}"))
            story.change(f"m{number}", ("android_aaid", None, f"g{value}"))
    story.begin()
    for number in range(0, 12, 2):
        story.ask("login", "", f"m{number}", mobile_number=f"{number}-3", email=f"e{number}")
        story.change(f"m{number}", *(("android_aaid", f"g{value}", None) for value in range(20)))
        story.set(f"m{number + 1}", mobile_number=None)
        story.ask("identify", android_aaid=f"g{number}", mobile_number=f"{number + 1}-5")
        story.ask("search", android_aaid="g25", ios_idfv=f"d{number}")
    return story


def told_together(rng: random.Random, told: list[Story], *, by_turns: bool) -> World:
    """Stories, each in a scope of its own, one after another or all of them at once."""
    left = []
    for number, story in enumerate(told):
        of_its_own = json.dumps(story.requests).replace('"@', f'"@{number} ')
        left.append(json.loads(of_its_own))
        for request in left[-1]:
            request["scope"] = f"s{number}"
            if "label" in request:
                request["label"] = f"{number} {request['label']}"
    scopes = {f"s{number}": story.scope for number, story in enumerate(told)}
    requests: list[object] = []
    if not by_turns:
        requests = [request for each in left for request in each]
    while by_turns and (some := [each for each in left if each]):
        for each in rng.sample(some, len(some)):
            count = rng.choice([1, 1, 4, 15])
            requests += each[:count]
            del each[:count]
    return World(scopes, {}, requests, seed=7)


def know_little(monkeypatch: pytest.MonkeyPatch, newest: int, remembered: int) -> None:
    """Let less be read of a crowd, and let all that was read be forgotten sooner."""
    monkeypatch.setattr(working_set, "_REMEMBERED", remembered)
    asked = cached_tables._HOLDERS_OF_EACH
    assert asked.count(f"OFFSET {cached_tables.NEWEST - 1}") == 1
    asked = asked.replace(f"OFFSET {cached_tables.NEWEST - 1}", f"OFFSET {newest - 1}")
    monkeypatch.setattr(cached_tables, "_HOLDERS_OF_EACH", asked)
    monkeypatch.setattr(cached_tables, "NEWEST", newest)
    monkeypatch.setattr(prefetch, "NEWEST", newest)


def prepare_world(idsync: Program, world: World) -> None:
    idsync.write("idsync.yaml", config_yaml(world.scopes))
    idsync.write("day.jsonl", "".join(json.dumps(each) + "\n" for each in world.requests))


def go_on_ahead(idsync: Program, *batches: int) -> None:
    """Replay a day in several goes, of so many batches each, but the last until its end.

    Each has the store opened anew: what was there before is in the tables, and not in memory.
    """
    rules = organization(json.loads((idsync.folder / "idsync.yaml").read_text())["scopes"], {})
    path, day = (str(idsync.folder / name) for name in ("ahead.db", "day.jsonl"))
    for count in (*batches, None):
        output = AnswersFile(str(idsync.folder / "ahead.jsonl"), explain=False)
        opened = open_store(path, write=True)
        assert opened is not None
        with opened as storage, closing(output), open_requests(day) as source:
            engine = Engine(rules, storage, now=lambda: 0)
            one = Replay(engine, storage, mode=Mode.RESUME, answers=output)
            done = one.run(day, source)
            assert isinstance(done, Generator)
            with closing(done):
                for _ in islice(done, count):
                    pass


@pytest.mark.parametrize(
    ("by_turns", "size", "newest", "remembered", "batches", "lags"),
    [
        pytest.param(*each, marks=pytest.mark.many)
        for each in (
            (False, 60, 64, 300_000, [4] * 15, False),
            (True, 150, 64, 300_000, [9] * 4, True),
            (True, 40, 3, 300_000, [6] * 12, True),
            (False, 40, 3, 60, [], True),
            (True, 60, 5, 500, [], False),
        )
    ],
)
def test_stories_of_crowds_come_to_the_same(
    idsync: Program,
    watch: Watch,
    monkeypatch: pytest.MonkeyPatch,
    by_turns: bool,
    size: int,
    newest: int,
    remembered: int,
    batches: list[int],
    lags: bool,
) -> None:
    rng = random.Random(f"crowds {size} {newest}")
    prepare_world(idsync, told_together(rng, stories(), by_turns=by_turns))
    run(idsync, "chunks", "--chunk-size", "100")
    know_little(monkeypatch, newest, remembered)
    in_batches_of(monkeypatch, size)
    watch.seen.clear()
    create(str(idsync.folder / "ahead.db"), 7).close()
    with the_other_process_lags(watch, str(idsync.folder / "ahead.db")) if lags else nullcontext():
        go_on_ahead(idsync, *batches)
    assert_same_but_its_name(idsync)
    assert watch.seen.count("written") >= 15
    assert "behind" in watch.seen


def assert_same_but_its_name(idsync: Program) -> None:
    answers = timeless((idsync.folder / "ahead.jsonl").read_bytes())
    assert answers == timeless((idsync.folder / "chunks.jsonl").read_bytes())
    assert_same(idsync, "ahead", "chunks")


@pytest.mark.parametrize(("newest", "lags"), [(64, True), (8, False)])
@pytest.mark.parametrize("story", many(ALONE))
@pytest.mark.parametrize("size", many(SIZES))
def test_a_crowd_that_was_there_before_comes_to_the_same(
    idsync: Program,
    watch: Watch,
    monkeypatch: pytest.MonkeyPatch,
    story: Callable[[int], Story],
    size: int,
    newest: int,
    lags: bool,
) -> None:
    told = story(size)
    prepare_world(idsync, told_together(random.Random(0), [told], by_turns=False))
    run(idsync, "chunks", "--chunk-size", "100")
    know_little(monkeypatch, newest, 300_000)
    in_batches_of(monkeypatch, 4)
    watch.seen.clear()
    create(str(idsync.folder / "ahead.db"), 7).close()
    with the_other_process_lags(watch, str(idsync.folder / "ahead.db")) if lags else nullcontext():
        go_on_ahead(idsync, told.begins // 4)
    assert_same_but_its_name(idsync)
    assert "written" in watch.seen
    if newest == 8 and story is not becoming_known:
        assert "behind" in watch.seen


# ---- MPIDs that were given out before


@pytest.mark.many
def test_an_mpid_that_was_given_out_before_is_passed_over(
    idsync: Program, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    seed = 7
    taken = {seq: derive_mpid(seed, seq, lambda _: False) for seq in (40, 41, 95, 150)}
    for name in ("ahead", "chunks"):
        assert idsync("init", "--seed", str(seed), "--store", f"{name}.db").status == 0
        profiles = [
            {"scope": "couriers", "mpid": str(mpid), "created_seq": number, "identities": {}}
            for number, mpid in enumerate(taken.values(), start=1)
        ]
        for profile in profiles:
            profile["identities"] = {"email": [f"{profile['mpid']}@example.com"]}
        idsync.write("profiles.jsonl", "".join(json.dumps(each) + "\n" for each in profiles))
        imported = idsync("import", "profiles.jsonl", "--store", f"{name}.db")
        assert imported.status == 0, imported.stderr
    requests = [
        {"type": "identify", "scope": "consumers", "known_identities": {"ios_idfv": f"d{number}"}}
        for number in range(200)
    ]
    idsync.write("day.jsonl", "".join(json.dumps(each) + "\n" for each in requests))
    in_batches_of(monkeypatch, 10)
    assert_as_in_chunks(idsync, watch, chunk=7)
    mpids = {each["seq"]: int(each["mpid"]) for each in answers_of(idsync, "ahead")}
    assert len({*mpids.values(), *taken.values()}) == 200 + len(taken)
    for seq, mpid in taken.items():
        assert mpids[seq] == derive_mpid(seed, seq, {mpid}.__contains__)
    assert watch.seen.count("in vain") == 3  # for 40 and 41 are in one batch
    assert watch.seen.count("written") > 8


# ---- Processes that end before their time

_EAGER = f"""
import os, resource, sys
from idsync_cli.replay import ahead, batches
ahead.is_worth_a_process, ahead._PATIENCE = lambda *_, **__: True, 60.0
batches.FIRST, batches.MOST, batches.HOLD_SECONDS = {BATCH}, {BATCH}, 60.0
if limit := int(sys.argv.pop(1)):
    sys.dont_write_bytecode = True  # half of what it compiles would be left to others
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
from idsync_cli.__main__ import main
main()
"""
"""The program, whose files may not grow beyond a limit, with another process as soon as can be."""


def eager(
    idsync: Program, *options: str, limit: int = 0, output: str = "a.jsonl", store: str = "a.db"
) -> subprocess.Popen[bytes]:
    """Begin or go on with a replay as a process of its own."""
    command = ("replay", "days.jsonl", "--seed", "7", "--quiet", "--store", store)
    return subprocess.Popen(
        [sys.executable, "-c", _EAGER, str(limit), *command, "--output", output, *options],
        cwd=idsync.folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


@pytest.fixture(name="once", scope="module")
def days_and_what_comes_of_them(tmp_path_factory: pytest.TempPathFactory) -> Program:
    """Some days, and what comes of them where one process does it all and nothing happens."""
    program = Program(tmp_path_factory.mktemp("once"))
    shutil.copy(ROOT / "sample_config.yaml", program.folder / "idsync.yaml")
    program.write("days.jsonl", b"".join(a_day()) * (1 + KILLS))
    run(program, "whole", "--chunk-size", "2000", files=("days.jsonl",))
    return program


@pytest.fixture(name="days")
def days_in_a_folder_of_ones_own(once: Program, tmp_path: Path) -> Program:
    shutil.copytree(once.folder, tmp_path, dirs_exist_ok=True)
    return Program(tmp_path)


def writer_of(process: subprocess.Popen[bytes]) -> int | None:
    """The process that writes for a replay, if it has been started."""
    try:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        for child in children:
            if b"job_writer" in Path(f"/proc/{child}/cmdline").read_bytes():
                return int(child)
    except (FileNotFoundError, ProcessLookupError):
        pass
    return None


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in "ZX"


def must_see_processes() -> None:
    if not Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").exists():
        pytest.skip("this system does not tell which process began which")


def wait_for_answers(idsync: Program, process: subprocess.Popen[bytes], length: float) -> int:
    """Wait until so much of the answers is written, and give the other process that writes."""
    answers = idsync.folder / "a.jsonl"
    deadline = time.monotonic() + DEADLINE
    while True:
        assert process.poll() is None, "it has ended too soon"
        assert time.monotonic() < deadline, "it does not get on"
        writer = writer_of(process)
        if writer is not None and answers.exists() and answers.stat().st_size >= length:
            return writer
        time.sleep(0.001)


def wait_until_gone(pid: int) -> None:
    deadline = time.monotonic() + DEADLINE
    while is_alive(pid):
        assert time.monotonic() < deadline, "it does not end"
        time.sleep(0.001)


@pytest.mark.many
def test_of_a_long_file_another_process_writes_without_being_asked_to(idsync: Program) -> None:
    must_see_processes()
    idsync.write("days.jsonl", b"".join(a_day()) * 20)
    command = ("replay", "days.jsonl", "--seed", "7", "--quiet", "--output", "a.jsonl")
    process = subprocess.Popen(
        [sys.executable, "-m", "idsync_cli", *command], cwd=idsync.folder, stderr=subprocess.PIPE
    )
    wait_until_gone(wait_for_answers(idsync, process, 0))
    outcome = ended(process)
    assert (outcome.status, outcome.stderr) == (1, "")


def assert_a_beginning(idsync: Program) -> int:
    """What was committed is whole, a beginning of all there is to be; gives its length."""
    done, whole = history(idsync, "a.db"), history(idsync, "whole.db")
    assert done == whole[: len(done)]
    assert is_sound(idsync.folder / "a.db")
    answers = (
        (idsync.folder / "a.jsonl").read_bytes() if (idsync.folder / "a.jsonl").exists() else b""
    )
    assert (idsync.folder / "whole.jsonl").read_bytes().startswith(answers)
    return len(done)


def assert_goes_on_to_its_end(idsync: Program, *options: str) -> None:
    done = ended(eager(idsync, "--resume", *options))
    assert (done.status, done.stdout, done.stderr) == (1, "", "")
    answers = (idsync.folder / "a.jsonl").read_bytes()
    assert answers == (idsync.folder / "whole.jsonl").read_bytes()
    assert_same(idsync, "a", "whole")


@pytest.mark.many
@pytest.mark.parametrize(
    "killed_by", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT], ids=lambda each: each.name
)
def test_killed_at_random_moments_and_resumed_it_is_as_if_it_ran_through(
    days: Program, killed_by: signal.Signals
) -> None:
    must_see_processes()
    rng = random.Random(f"ahead {killed_by}")
    length = (days.folder / "whole.jsonl").stat().st_size
    for number in range(KILLS):
        process = eager(days, "--resume")
        until = length * (number + 0.1 + 0.6 * rng.random()) / KILLS
        writer = wait_for_answers(days, process, until)
        time.sleep(rng.random() * 0.02)
        process.send_signal(killed_by)
        process.wait(DEADLINE)  # and not for the end of its errors, which both may write
        if killed_by is not signal.SIGKILL:  # it sees to it before it ends itself
            assert not is_alive(writer)
        wait_until_gone(writer)
        outcome = ended(process)
        assert outcome.status in (-killed_by, 128 + killed_by), outcome
        if killed_by is not signal.SIGKILL:
            assert "Traceback" not in outcome.stderr
        assert_no_gap(days)
    assert_goes_on_to_its_end(days)


def assert_no_gap(idsync: Program) -> None:
    """What is in the store is the beginning of what was to come, and its answers are there."""
    done, whole = history(idsync, "a.db"), history(idsync, "whole.db")
    assert 0 < len(done) <= len(whole)
    assert done == whole[: len(done)]
    with closing(sqlite3.connect(idsync.folder / "a.db")) as connection:
        [[lines, size]] = connection.execute("SELECT lines, answers_bytes FROM replays").fetchall()
    answers = (idsync.folder / "a.jsonl").read_bytes()
    assert len(answers) >= size
    wanted = (idsync.folder / "whole.jsonl").read_bytes()
    assert answers[:size] == wanted[:size]
    assert wanted[:size].count(b"\n") == lines


@pytest.mark.many
def test_without_the_process_that_writes_it_stops_whole_and_goes_on(days: Program) -> None:
    must_see_processes()
    rng = random.Random("the writer process")
    length = (days.folder / "whole.jsonl").stat().st_size
    for number in range(KILLS):
        process = eager(days, "--resume")
        until = length * (number + 0.1 + 0.6 * rng.random()) / KILLS
        writer = wait_for_answers(days, process, until)
        os.kill(writer, signal.SIGKILL)
        outcome = ended(process)
        assert (outcome.status, outcome.stdout) == (3, ""), outcome
        assert outcome.stderr.count("\n") == 1
        assert "--resume" in outcome.stderr
        assert_no_gap(days)
    assert_goes_on_to_its_end(days)


# ---- No room, and readers who have gone


def assert_stopped_for_want_of_room(idsync: Program, outcome: Outcome) -> None:
    assert (outcome.status, outcome.stdout) == (3, ""), outcome
    assert outcome.stderr.count("\n") == 1
    assert "everything committed before is intact" in outcome.stderr
    assert "--resume" in outcome.stderr
    assert_no_gap(idsync)


@pytest.mark.many
@pytest.mark.parametrize("part", [0.3, 0.6, 0.9])
def test_a_store_that_may_not_grow_on_stops_whole_and_goes_on(days: Program, part: float) -> None:
    limit = int((days.folder / "whole.db").stat().st_size * part)
    stopped = ended(eager(days, limit=limit, output="-"))
    assert stopped.status == 3
    assert stopped.stderr.count("\n") == 1
    assert "the store cannot be used" in stopped.stderr
    assert "everything committed before is intact" in stopped.stderr
    assert "--resume" in stopped.stderr
    assert 0 < assert_a_beginning(days) < len(history(days, "whole.db"))
    rest = ended(eager(days, "--resume", output="-"))
    assert (rest.status, rest.stderr) == (1, "")
    assert (stopped.stdout + rest.stdout).encode() == (days.folder / "whole.jsonl").read_bytes()
    assert_same(days, "a", "whole", "replays")


@pytest.mark.many
def test_answers_that_may_not_grow_on_stop_whole_and_go_on(idsync: Program) -> None:
    idsync.write("days.jsonl", b"".join(a_day()))
    run(idsync, "whole", "--chunk-size", "2000", "--explain", files=("days.jsonl",))
    limit = (idsync.folder / "whole.jsonl").stat().st_size * 3 // 5  # the store has less by then
    stopped = ended(eager(idsync, "--explain", limit=limit))
    assert "the answers cannot be written to a.jsonl: File too large" in stopped.stderr
    assert_stopped_for_want_of_room(idsync, stopped)
    assert_goes_on_to_its_end(idsync, "--explain")


@pytest.mark.many
def test_a_store_on_a_full_disk_stops_whole_and_goes_on(days: Program) -> None:
    with small_disk(days.folder / "disk", "2m") as resize:
        stopped = ended(eager(days, store="disk/a.db"))
        resize("200m")
        (days.folder / "a.db").symlink_to(days.folder / "disk" / "a.db")
        assert_stopped_for_want_of_room(days, stopped)
        done = ended(eager(days, "--resume", store="disk/a.db"))
        assert (done.status, done.stderr) == (1, "")
        answers = (days.folder / "a.jsonl").read_bytes()
        assert answers == (days.folder / "whole.jsonl").read_bytes()
        assert_same(days, "a", "whole")
        (days.folder / "a.db").unlink()


@pytest.mark.many
@pytest.mark.parametrize("lines", [0, 1, 3000])
def test_a_replay_whose_reader_has_gone_is_whole_and_goes_on(days: Program, lines: int) -> None:
    process = eager(days, output="-")
    assert process.stdout is not None
    read = b"".join(process.stdout.readline() for _ in range(lines))
    process.stdout.close()
    process.stdout = None
    outcome = ended(process)
    assert (outcome.status, outcome.stderr) == (141, "")
    wanted = (days.folder / "whole.jsonl").read_bytes()
    assert wanted.startswith(read)
    assert 0 < assert_a_beginning(days) < len(history(days, "whole.db"))
    with closing(sqlite3.connect(days.folder / "a.db")) as connection:
        [[done]] = connection.execute("SELECT lines FROM replays").fetchall()
    rest = ended(eager(days, "--resume", output="-"))
    assert (rest.status, rest.stderr) == (1, "")
    assert rest.stdout.encode() == b"".join(wanted.splitlines(keepends=True)[done:])
    assert_same(days, "a", "whole", "replays")


@pytest.mark.many
@pytest.mark.parametrize("output", ["-", "/dev/stdout"])
def test_answers_to_standard_output_are_all_there(days: Program, output: str) -> None:
    if output != "-" and not Path(output).exists():
        pytest.skip("this system has no /dev/stdout")
    done = ended(eager(days, output=output))
    assert (done.status, done.stderr) == (1, "")
    assert done.stdout.encode() == (days.folder / "whole.jsonl").read_bytes()
    assert_same(days, "a", "whole", "replays")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_all_processes_does_not_meet_one_that_is_only_starting(
    idsync: Program, number: signal.Signals, capfd: pytest.CaptureFixture[str]
) -> None:
    path = idsync.folder / "starting.db"
    create(str(path), 7).close()
    for milliseconds in (0, 1, 5, 20, 60):
        with WriterProcess(path, None) as process:
            time.sleep(milliseconds / 1000)
            os.kill(process._process.pid, number)
            process.begin()
        assert process._process.returncode == 0
    assert capfd.readouterr() == ("", "")
