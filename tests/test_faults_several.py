"""Several processes at one store: one profile, one schema, even waits, each line once.

IDSYNC_ROUNDS=150 IDSYNC_FAULT_SECONDS=30 runs the long version: how often eight processes meet
the same new customer (and, for every four of these rounds, make a store once), and how long
writers and commands run beside one another. It wants the machine for itself: nobody may wait
longer than a second then, while the short version grants what else is going on another second.
"""

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.faults import day, export, fed_replay, history, is_sound, names, text
from tests.program import (  # noqa: F401 - the fixture
    CONFIG,
    Outcome,
    Program,
    assert_refused,
    ended,
    mpid_of,
    program_in_a_fresh_folder,
)

ROUNDS = int(os.environ.get("IDSYNC_ROUNDS", "3"))
SECONDS = float(os.environ.get("IDSYNC_FAULT_SECONDS", "3"))
EIGHT = range(8)

LONGEST_WAIT = 1.0 if SECONDS >= 30 else 2.0

_WRITER = """
import json, sys, time
from contextlib import contextmanager
from pathlib import Path
from idsync_cli.engine.engine import Engine
from idsync_cli.files.config_file import load
from idsync_cli.store.sqlite import open_store
from idsync_cli.store.sqlite.files.lock import Lock

turn, waits = Lock.turn, []

@contextmanager
def timed(lock):
    asked = time.monotonic()
    with turn(lock):
        waits.append(time.monotonic() - asked)
        yield

Lock.turn = timed
name, seconds = sys.argv[1], float(sys.argv[2])
with open_store("idsync.db", write=True) as store:
    engine = Engine(load(Path("idsync.yaml")).organization, store, now=lambda: 0)
    print("ready", flush=True)
    sys.stdin.readline()
    done, end = 0, time.monotonic() + seconds
    while time.monotonic() < end:
        known = {"idfv": f"{name} {done}"}
        engine.one_shot({"type": "identify", "known_identities": known})
        done += 1
print(json.dumps({"done": done, "longest": max(waits)}))
"""
"""A process that writes one request after another without pause, and says how long it waited."""


def writers(idsync: Program, count: int) -> list[subprocess.Popen[bytes]]:
    """Writers that all begin at one moment, once all are loaded."""
    running = [
        subprocess.Popen(
            [sys.executable, "-c", _WRITER, f"writer {number}", str(SECONDS)],
            cwd=idsync.folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for number in range(count)
    ]
    for process in running:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
    for process in running:
        assert process.stdin is not None
        process.stdin.write(b"begin\n")
        process.stdin.flush()
    return running


# One new customer, one new store


def test_eight_processes_that_meet_a_new_customer_make_one_profile(idsync: Program) -> None:
    idsync.make_store()
    for number in range(ROUNDS):
        login = ("login", "--customer-id", f"customer {number}", "--json")
        running = [idsync.start(*login, "--idfv", f"phone {number} {n}") for n in EIGHT]
        outcomes = [ended(process) for process in running]
        assert [(each.status, each.stderr) for each in outcomes] == [(0, "")] * 8
        assert len({each.json()["mpid"] for each in outcomes}) == 1
    assert len(export(idsync).splitlines()) == ROUNDS
    assert is_sound(idsync.folder / "idsync.db")


def test_eight_first_runs_make_one_store(tmp_path: Path) -> None:
    for number in range(max(2, ROUNDS * 40 // 150)):
        idsync = Program(tmp_path / str(number))
        idsync.write("idsync.yaml", CONFIG)
        login = ("login", "--customer-id", "new", "--json")
        running = [idsync.start(*login, "--idfv", f"phone {n}", umask=0) for n in EIGHT]
        outcomes = [ended(process) for process in running]
        assert [(each.status, each.stderr) for each in outcomes] == [(0, "")] * 8
        assert len({each.json()["mpid"] for each in outcomes}) == 1
        assert sorted(each.json()["seq"] for each in outcomes) == [1, 2, 3, 4, 5, 6, 7, 8]
        assert names(idsync.folder) == {"idsync.yaml", "idsync.db", "idsync.db-lock"}
        assert is_sound(idsync.folder / "idsync.db")


# Even waits


def test_eight_writers_without_pause_all_get_on(idsync: Program) -> None:
    idsync.make_store()
    outcomes = [ended(process) for process in writers(idsync, 8)]
    assert [(each.status, each.stderr) for each in outcomes] == [(0, "")] * 8
    done = [each.json()["done"] for each in outcomes]
    assert max(each.json()["longest"] for each in outcomes) < LONGEST_WAIT
    assert min(done) > max(done) / 2
    assert len(export(idsync).splitlines()) == sum(done)


def test_commands_beside_a_replay_neither_fail_nor_wait_long(idsync: Program) -> None:
    idsync.make_store()
    replay = idsync.start("replay", "-", "--quiet")
    fed, goes_on = 0, True

    def feed() -> None:
        nonlocal fed
        assert replay.stdin is not None
        while goes_on:
            lines = [
                {"type": "identify", "known_identities": {"idfv": f"replayed {fed + n}"}}
                for n in range(1000)
            ]
            replay.stdin.write(text(lines).encode())
            fed += 1000
        replay.stdin.close()

    feeder = threading.Thread(target=feed)
    feeder.start()
    beside = writers(idsync, 2)
    commands = 0
    try:
        while any(process.poll() is None for process in beside):
            begun = time.monotonic()
            outcome = idsync.process("identify", "--idfv", f"one-shot {commands}")
            assert (outcome.status, outcome.stderr) == (0, "")
            assert time.monotonic() - begun < LONGEST_WAIT + 4  # it must be loaded, too
            commands += 1
    finally:
        goes_on = False
    outcomes = [ended(process) for process in beside]
    feeder.join()
    replay.stdin = None  # the feeder has closed it
    assert ended(replay) == Outcome("", "", 0)
    assert [(each.status, each.stderr) for each in outcomes] == [(0, "")] * 2
    assert max(each.json()["longest"] for each in outcomes) < LONGEST_WAIT
    written = sum(each.json()["done"] for each in outcomes)
    assert min(commands, written, fed) > 0
    assert len(export(idsync).splitlines()) == commands + written + fed


@pytest.mark.parametrize("words", [b"", b"garbage", b"\xff" * 16, (2**62).to_bytes(8, "big")])
def test_whatever_stands_in_a_lock_a_turn_can_be_had(idsync: Program, words: bytes) -> None:
    idsync.make_store()
    for number in range(3):
        (idsync.folder / "idsync.db-lock").write_bytes(words)
        for attempt in "ab":
            assert idsync("identify", "--idfv", f"{number}{attempt}").status == 0
    assert len(export(idsync).splitlines()) == 6


def test_whoever_waits_too_long_is_told_who_holds_the_store(idsync: Program) -> None:
    idsync.make_store()
    code = (
        "import sys; from pathlib import Path; from idsync_cli.store.sqlite.files import lock;"
        "held = lock.Lock(Path('idsync.db')).turn(); held.__enter__();"
        "print('held', flush=True); sys.stdin.read()"
    )
    wait_less = (
        "import sys; from idsync_cli.store.sqlite.files import lock; lock.WAIT_SECONDS = 0.2;"
        "from idsync_cli.__main__ import main; main()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=idsync.folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        refused = subprocess.run(
            [sys.executable, "-c", wait_less, "identify", "--idfv", "1"],
            cwd=idsync.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert idsync("search", "--idfv", "1").status == 1  # reading waits for nobody
        holder.kill()
    assert (refused.returncode, refused.stdout) == (3, "")
    assert f"the process {holder.pid} has held it" in refused.stderr
    assert idsync("identify", "--idfv", "1").status == 0  # what a killed process held is free


# A file and its replays


def test_two_replays_of_one_file_at_once_apply_every_line_once(idsync: Program) -> None:
    idsync.write("day.jsonl", text(day(1000)))
    idsync("replay", "day.jsonl", "--store", "alone.db", "--seed", "1", "--output", "alone.jsonl")
    for number in range(max(1, ROUNDS // 10)):
        store = f"shared-{number}.db"
        command = ("replay", "day.jsonl", "--store", store, "--seed", "1", "--chunk-size", "20")
        running = [idsync.start(*command, "--output", f"{n}.jsonl") for n in range(2)]
        outcomes = [ended(process) for process in running]
        by_status = sorted(outcomes, key=lambda each: each.status)
        assert [each.status for each in by_status] == [0, 2]
        assert "replay" in by_status[1].stderr
        winner = outcomes.index(by_status[0])
        answers = (idsync.folder / f"{winner}.jsonl").read_bytes()
        assert answers == (idsync.folder / "alone.jsonl").read_bytes()
        assert export(idsync, store) == export(idsync, "alone.db")
        assert history(idsync, store) == history(idsync, "alone.db")


@pytest.mark.parametrize("mode", ["--resume", "--quiet"])
def test_a_file_that_changed_between_the_runs_is_refused(idsync: Program, mode: str) -> None:
    requests = day(300)
    requests[250] = {"type": "nonsense"}
    idsync.write("day.jsonl", text(requests))
    options = ("--chunk-size", "100", "--stop-on-error")
    assert idsync("replay", "day.jsonl", *options).status == 1
    before = export(idsync)
    requests[250] = day(251)[250]
    requests[10]["known_identities"] = {"idfv": "another"}
    idsync.write("day.jsonl", text(requests))
    assert_refused(idsync("replay", "day.jsonl", mode), 2, "has changed", "--again")
    assert export(idsync) == before
    requests[10] = day(11)[10]
    idsync.write("day.jsonl", text(requests))
    assert idsync("replay", "day.jsonl", "--resume").status == 0
    idsync("replay", "day.jsonl", "--store", "alone.db", "--seed", "1")
    assert len(export(idsync).splitlines()) == len(export(idsync, "alone.db").splitlines())


def test_a_killed_writer_keeps_nobody_waiting(idsync: Program) -> None:
    idsync.make_store()
    with fed_replay(idsync) as replay:
        assert replay.ask(day(1)[0])["mpid"] == mpid_of(1, 1)
        replay.kill()
    begun = time.monotonic()
    assert json.loads(idsync("identify", "--idfv", "phone 0", "--json").stdout)["mpid"] == mpid_of(
        1, 1
    )
    assert time.monotonic() - begun < LONGEST_WAIT
