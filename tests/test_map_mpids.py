"""`replay --map-mpids`: recorded MPIDs stand for ours in later lines (section 12)."""

import gzip
import json
import random
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from idsync_cli.replay import recorded as recorded_module
from tests.faults import export, history
from tests.program import (  # noqa: F401 - the fixture
    Program,
    assert_refused,
    mpid_of,
    program_in_a_fresh_folder,
)
from tests.test_replay_ahead import _HOLDER, Watch, in_batches_of, the_real_thing_watched

__all__ = ["the_real_thing_watched"]

MAPPED = ("--map-mpids", "--seed", "1", "--output", "-", "--quiet")


def identify(email: str, recorded: object = "", **members: Any) -> dict[str, Any]:
    request = {"type": "identify", "known_identities": {"email": email}, **members}
    return request if recorded == "" else request | {"response": {"mpid": recorded}}


def change(mpid: object, device: str, **members: Any) -> dict[str, Any]:
    return {
        "type": "modify",
        "mpid": mpid,
        "known_identities": {"device_application_stamp": device},
        **members,
    }


def text(*lines: dict[str, Any]) -> bytes:
    return "".join(json.dumps(line) + "\n" for line in lines).encode()


def mapped(idsync: Program, *lines: dict[str, Any], arguments: tuple[str, ...] = ()) -> Any:
    return idsync("replay", "-", *MAPPED, *arguments, stdin=text(*lines)).lines()


OURS = mpid_of(1, 1)
NOW = "2026-03-01T12:30:00Z"


@pytest.mark.parametrize("chunk", ["1", "100"])
@pytest.mark.parametrize("recorded", ["6504934091054997508", 6504934091054997508, -7, "-7"])
def test_a_recorded_mpid_stands_for_the_profile_that_the_line_was_answered_with(
    idsync: Program, recorded: object, chunk: str
) -> None:
    lines = (
        change(recorded, "too early"),
        identify("a@x", recorded),
        change(recorded, "d1"),
        change(str(recorded), "d2"),
        identify("b@x", previous_mpid=recorded),
    )
    early, made, first, second, _ = mapped(idsync, *lines, arguments=("--chunk-size", chunk))
    assert early["errors"][0]["code"] == "MPID_NOT_FOUND"
    assert made["status"] == "created"
    assert {first["mpid"], second["mpid"]} == {made["mpid"]}
    assert idsync("export").lines()[0]["identities"]["device_application_stamp"] == ["d2"]


def test_without_the_option_a_response_changes_nothing(idsync: Program) -> None:
    lines = text(identify("a@x", "5"), change("5", "d"))
    answers = idsync("replay", "-", "--output", "-", stdin=lines).lines()
    assert answers[1]["errors"][0]["code"] == "MPID_NOT_FOUND"


def test_one_that_is_not_in_the_map_stands_for_itself(idsync: Program) -> None:
    lines = (identify("a@x"), change(mpid_of(1, 1), "d"), change("5", "d"))
    _, changed, unknown = mapped(idsync, *lines)
    assert changed["mpid"] == mpid_of(1, 1)
    assert unknown["errors"][0]["code"] == "MPID_NOT_FOUND"
    assert "the MPID 5" in unknown["errors"][0]["message"]


def test_the_latest_line_decides(idsync: Program) -> None:
    lines = (
        identify("a@x", "5"),
        change("5", "d"),
        identify("b@x", "5"),
        change("5", "d"),
        identify("a@x", "5"),
        change("5", "d"),
    )
    a, first, b, second, _, third = mapped(idsync, *lines)
    assert [each["mpid"] for each in (first, second, third)] == [a["mpid"], b["mpid"], a["mpid"]]


def test_an_answer_without_an_mpid_or_a_response_without_one_maps_nothing(idsync: Program) -> None:
    search = {"type": "search", "known_identities": {"email": "nobody"}, "response": {"mpid": "5"}}
    lines = (
        identify("a@x", "5"),
        search,
        identify("b@x", None),
        {"type": "identify", "response": {"mpid": "5"}},
        identify("c@x") | {"response": {"error": "LOOKUP_ERROR"}},
        change("5", "d"),
    )
    answers = mapped(idsync, *lines)
    assert answers[-1]["mpid"] == answers[0]["mpid"]


def test_the_previous_mpid_breaks_a_tie_by_what_it_stands_for(idsync: Program) -> None:
    """Recorded, it names one of two that hold the same; unknown, the newest would be the answer."""
    one = identify("a@x", "5", known_identities={"ios_idfv": "one", "email": "a@x"})
    two = identify("b@x", "6", known_identities={"ios_idfv": "two", "email": "b@x"})
    both = [
        {"type": "modify", "mpid": mpid, "known_identities": {"device_application_stamp": "d"}}
        for mpid in ("5", "6")
    ]
    asked = {
        "type": "identify",
        "previous_mpid": "5",
        "known_identities": {"device_application_stamp": "d"},
    }
    answers = mapped(idsync, one, two, *both, asked)
    assert answers[-1]["decided_by"] == {"rule": "previous_mpid"}
    assert answers[-1]["mpid"] == answers[0]["mpid"]


# Batches, aliases, erasures


def event(name: str, **members: Any) -> dict[str, Any]:
    data = {"event_name": name, "timestamp_unixtime_ms": 1772366400000}
    return {
        "type": "batch",
        "events": [{"event_type": "custom_event", "data": data}],
        **members,
    }


def test_a_batch_and_an_alias_name_profiles_by_recorded_mpids(idsync: Program) -> None:
    alias = {
        "type": "alias",
        "source_mpid": "5",
        "destination_mpid": "6",
        "start_unixtime_ms": 1772366300000,
        "end_unixtime_ms": 1772366500000,
    }
    by_batch = event("there", user_identities={"email": "b@x"}, response={"mpid": "6"})
    lines = (identify("a@x", "5"), event("here", mpid="5"), by_batch, alias)
    a, batch, b, aliased = mapped(idsync, *lines)
    assert batch["mpid"] == a["mpid"] != b["mpid"]
    assert (batch["status"], aliased["status"]) == ("matched", "aliased")
    assert aliased["mpid"] == b["mpid"]
    data = idsync("profile", "query", "--mpid", b["mpid"], "--fields", "events", "--now", NOW)
    assert "here" in data.stdout


@pytest.mark.parametrize(
    "response", [5, {"mpid": "x"}, {"mpid": "@who"}, {}, {"error": 5}], ids=str
)
def test_a_response_is_checked_whatever_the_request_is(idsync: Program, response: object) -> None:
    lines = (
        event("there", user_identities={"email": "b@x"}, response=response),
        {"type": "alias", "source_mpid": "5", "destination_mpid": "6", "response": response},
        identify("a@x") | {"response": response},
    )
    for answer in mapped(idsync, *lines):
        assert answer["errors"][0]["code"] == "INVALID_REQUEST"
        assert "response" in answer["errors"][0]["message"]


@pytest.mark.parametrize("chunk", ["1", "2", "100"])
def test_what_stood_for_an_erased_profile_stands_for_nobody(idsync: Program, chunk: str) -> None:
    lines = (
        identify("a@x", "5"),
        identify("a@x", "6"),
        identify("b@x", "7"),
        {"type": "erase", "mpid": "6"},
        change("5", "d"),
        change("6", "d"),
        change("7", "d"),
        identify("a@x", "5"),
        change("5", "e"),
    )
    answers = mapped(idsync, *lines, arguments=("--chunk-size", chunk))
    assert answers[3]["mpid"] == answers[0]["mpid"]
    codes = [each["errors"][0]["code"] for each in answers[4:6]]
    assert codes == ["MPID_NOT_FOUND", "MPID_NOT_FOUND"]
    assert answers[6]["mpid"] == answers[2]["mpid"]
    assert answers[8]["mpid"] == answers[7]["mpid"] != answers[0]["mpid"]
    with closing(sqlite3.connect(idsync.folder / "idsync.db")) as connection:
        pairs = connection.execute("SELECT recorded, mpid FROM recorded_mpids").fetchall()
    expected = {5: answers[7]["mpid"], 7: answers[2]["mpid"]}
    assert {recorded: str(mpid) for recorded, mpid in pairs} == expected


def test_an_erasure_between_two_calls_takes_the_pairs_with_it(idsync: Program) -> None:
    theirs = 6504934091054997508
    put(idsync, "one.jsonl", identify("a@x", theirs), identify("b@x", "6"))
    put(idsync, "two.jsonl", change(theirs, "d"), change("6", "d"))
    a, b = idsync("replay", "one.jsonl", *MAPPED).lines()
    stored = theirs.to_bytes(8, "big")
    assert stored in b"".join(path.read_bytes() for path in idsync.folder.glob("idsync.db*"))
    assert idsync("erase", "--mpid", a["mpid"]).status == 0
    assert stored not in b"".join(path.read_bytes() for path in idsync.folder.glob("idsync.db*"))
    first, second = idsync("replay", "one.jsonl", "two.jsonl", *MAPPED, "--resume").lines()
    assert first["errors"][0]["code"] == "MPID_NOT_FOUND"
    assert second["mpid"] == b["mpid"]
    assert idsync("doctor").status == 0


# Several files, and resumptions


def put(idsync: Program, name: str, *lines: dict[str, Any]) -> None:
    idsync.write(name, text(*lines))


def test_it_holds_for_all_files_of_a_call_and_no_longer(idsync: Program) -> None:
    put(idsync, "one.jsonl", identify("a@x", "5"))
    put(idsync, "two.jsonl", change("5", "d"))
    put(idsync, "three.jsonl", change("5", "e"))
    answers = idsync("replay", "one.jsonl", "two.jsonl", *MAPPED).lines()
    assert answers[1]["mpid"] == answers[0]["mpid"]
    anew = idsync("replay", "three.jsonl", *MAPPED).lines()
    assert anew[0]["errors"][0]["code"] == "MPID_NOT_FOUND"


def test_it_holds_over_resumptions_as_a_folder_grows(idsync: Program) -> None:
    put(idsync, "one.jsonl", identify("a@x", "5"))
    put(idsync, "two.jsonl", change("5", "d"))
    first = idsync("replay", "one.jsonl", *MAPPED).lines()
    more = idsync("replay", "one.jsonl", "two.jsonl", *MAPPED, "--resume").lines()
    assert more[0]["mpid"] == first[0]["mpid"]


@pytest.mark.parametrize("by_time", [(), ("--sort-by-time",)], ids=["in order", "by time"])
@pytest.mark.parametrize("by_signal", [signal.SIGKILL, signal.SIGTERM])
def test_killed_at_random_moments_and_resumed_it_is_as_if_it_ran_through(
    tmp_path: Path, by_signal: signal.Signals, by_time: tuple[str, ...]
) -> None:
    rng = random.Random(3)
    whole, broken = Program(tmp_path / "whole"), Program(tmp_path / "broken")
    files = {name: world(rng, 700) for name in ("a.jsonl", "b.jsonl")}
    for idsync in (whole, broken):
        idsync.folder.mkdir()
        idsync.write("idsync.yaml", CONFIG)
        for name, lines in files.items():
            put(idsync, name, *lines)
    command = ("replay", *files, "--map-mpids", "--seed", "1", "--quiet", "--output", "out.jsonl")
    assert whole(*command, *by_time).status in (0, 1)
    answers = (whole.folder / "out.jsonl").read_bytes()
    out = broken.folder / "out.jsonl"
    for number in range(5):
        wanted = len(answers) * (number + rng.random()) / 6
        with broken.start(*command, *by_time, "--chunk-size", "3", "--resume") as process:
            until = time.monotonic() + 60
            while process.poll() is None and time.monotonic() < until:
                if out.exists() and out.stat().st_size >= wanted:
                    break
            process.send_signal(by_signal)
            process.communicate()
    assert broken(*command, *by_time, "--resume").status in (0, 1)
    assert out.read_bytes() == answers
    assert export(broken) == export(whole)
    assert history(broken) == history(whole)
    assert pairs(broken) == pairs(whole)
    assert broken("doctor").status == 0


CONFIG = """\
version: 1
scopes:
  main:
    strategy: profile_conversion
    priority: [customer_id, email, ios_idfv, device_application_stamp]
    identities: {customer_id: {login: true, unique: true}}
"""


def world(rng: random.Random, count: int) -> list[dict[str, Any]]:
    """Lines of few users, whose recorded MPIDs now and then agree with nothing here."""
    lines: list[dict[str, Any]] = []
    for _ in range(count):
        user, recorded = rng.randrange(60), rng.randrange(1, 70)
        at = {"request_timestamp_ms": rng.randrange(1000)}
        if rng.random() < 0.4:
            lines.append(change(str(recorded), f"d{user}", **at))
        elif rng.random() < 0.3:
            lines.append(identify(f"e{user}", previous_mpid=recorded, **at))
        else:
            again = recorded if rng.random() < 0.2 else user + 1
            lines.append(identify(f"e{user}", str(again), **at))
    return lines


def pairs(idsync: Program, store: str = "idsync.db") -> list[tuple[int, int]]:
    with closing(sqlite3.connect(idsync.folder / store)) as connection:
        return connection.execute(
            "SELECT recorded, mpid FROM recorded_mpids ORDER BY recorded"
        ).fetchall()


# Against a plain model


def by_a_model(idsync: Program, lines: list[dict[str, Any]], store: str) -> list[Any]:
    """Line by line, each with the MPIDs that a dictionary knows by then."""
    known: dict[int, str] = {}
    answers = []
    for line in lines:
        asked = dict(line)
        response = asked.pop("response", {})
        for name in ("mpid", "previous_mpid"):
            if name in asked:
                asked[name] = known.get(int(asked[name]), asked[name])
        outcome = idsync(
            *("replay", "-", "--again", "--seed", "1", "--store", store, "--output", "-"),
            stdin=text(asked),
        )
        [answer] = outcome.lines()
        if response and answer.get("mpid"):
            known[int(response["mpid"])] = answer["mpid"]
        answers.append(answer)
    return answers


def met_twice(lines: list[dict[str, Any]], answers: list[Any]) -> list[tuple[int, str, str]]:
    known: dict[str, str] = {}
    found = []
    for number, (line, answer) in enumerate(zip(lines, answers, strict=True), 1):
        recorded, mpid = line.get("response", {}).get("mpid"), answer.get("mpid")
        if recorded and mpid and known.get(recorded) != mpid:
            if recorded in known or mpid in known.values():
                found.append((number, recorded, mpid))
            known[recorded] = mpid
    return found


@pytest.mark.parametrize("seed", range(3))
def test_it_agrees_with_a_dictionary(idsync: Program, seed: int) -> None:
    idsync.write("idsync.yaml", CONFIG)
    lines = world(random.Random(seed), 100)
    expected = by_a_model(idsync, lines, "model.db")
    idsync.write("lines.jsonl", text(*lines))
    for chunk in ("1", "7", "1000"):
        outcome = idsync(
            *("replay", "lines.jsonl", "--map-mpids", "--seed", "1", "--chunk-size", chunk),
            *("--store", f"{chunk}.db", "--output", f"{chunk}.jsonl", "--json"),
        )
        written = (idsync.folder / f"{chunk}.jsonl").read_text().splitlines()
        answers = [json.loads(line) for line in written]
        for answer, other in zip(answers, expected, strict=True):
            assert {**answer, "line": 1} == other
        assert export(idsync, f"{chunk}.db") == export(idsync, "model.db")
        summary, met = outcome.json(), met_twice(lines, answers)
        assert summary["met_twice"] == len(met) > 0
        first = summary["first_met_twice"]
        assert [(each["line"], each["recorded"], each["mpid"]) for each in first] == met[:20]
        assert {each["file"] for each in first} == {"lines.jsonl"}


def test_it_agrees_where_another_process_writes(
    idsync: Program, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tables are a batch behind then, and some batches are decided anew."""
    idsync.write("idsync.yaml", CONFIG)
    lines = world(random.Random(11), 3000)
    idsync.write("lines.jsonl", text(*lines))
    command = ("replay", "lines.jsonl", "--map-mpids", "--seed", "1", "--json", "--output")
    plain = idsync(*command, "plain.jsonl", "--chunk-size", "50", "--store", "plain.db").json()
    in_batches_of(monkeypatch, 50)
    sent = iter(range(10**6))
    idsync.write("none.jsonl", "")
    assert idsync("replay", "none.jsonl", "--seed", "1").status == 0
    other = subprocess.Popen(
        [sys.executable, "-c", _HOLDER, str(idsync.folder / "idsync.db")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert other.stdin is not None
    assert other.stdout is not None

    def somebody_writes(moment: str) -> None:
        if moment == "before send" and next(sent) % 5 == 4:
            assert other.stdin is not None
            assert other.stdout is not None
            other.stdin.write(b"REPLACE INTO rules VALUES ('x', '{}', abs(random() % 99))\n")
            other.stdin.flush()
            assert other.stdout.readline() == b"done\n"

    watch.at = somebody_writes
    try:
        summary = idsync(*command, "out.jsonl").json()
    finally:
        other.communicate()
    assert {"written", "in vain", "here"} <= set(watch.seen)
    answers = (idsync.folder / "out.jsonl").read_bytes()
    assert answers == (idsync.folder / "plain.jsonl").read_bytes()
    assert summary == plain
    assert pairs(idsync) == pairs(idsync, "plain.db")


def test_what_is_in_memory_is_bounded(idsync: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    idsync.write("idsync.yaml", CONFIG)
    lines = world(random.Random(12), 600)
    idsync.write("lines.jsonl", text(*lines))
    command = ("replay", "lines.jsonl", *MAPPED, "--chunk-size", "5")
    plain = idsync(*command, "--store", "a.db").stdout
    monkeypatch.setattr(recorded_module, "_IN_MEMORY", 3)
    assert idsync(*command, "--store", "b.db").stdout == plain


# Pairs that meet twice


def test_pairs_that_meet_twice_are_counted_and_the_first_named(idsync: Program) -> None:
    put(
        idsync,
        "day.jsonl",
        identify("a@x", "5"),
        identify("a@x", "5"),
        identify("b@x", "5"),
        identify("b@x", "6"),
        identify("b@x", "6"),
    )
    a, b = mpid_of(1, 1), mpid_of(1, 3)
    told = idsync("replay", "day.jsonl", "--map-mpids", "--seed", "1").stdout
    assert "2 pairs of a recorded MPID and one of ours contradict earlier pairs" in told
    told = " ".join(told.split())
    assert f"day.jsonl:3: 5 is {b} from here on, which was {a}" in told
    assert f"day.jsonl:4: 6 is {b} from here on, as is 5" in told
    summary = idsync("replay", "day.jsonl", "--map-mpids", "--dry-run", "--again", "--json").json()
    assert summary["met_twice"] == 2
    assert summary["first_met_twice"] == [
        {"file": "day.jsonl", "line": 3, "recorded": "5", "mpid": b, "before": a, "other": None},
        {"file": "day.jsonl", "line": 4, "recorded": "6", "mpid": b, "before": None, "other": "5"},
    ]


def test_the_first_twenty_are_named_and_the_others_counted(idsync: Program) -> None:
    lines = [identify("a@x", str(number)) for number in range(1, 41)]
    idsync.write("day.jsonl", text(*lines))
    told = idsync("replay", "day.jsonl", "--map-mpids").stdout
    assert "39 pairs of" in told
    assert told.count("as is") == 20
    assert "and 19 more pairs" in told


def test_without_the_option_there_are_none(idsync: Program) -> None:
    idsync.write("day.jsonl", text(identify("a@x", "5"), identify("b@x", "5")))
    summary = idsync("replay", "day.jsonl", "--json").json()
    assert (summary["met_twice"], summary["first_met_twice"]) == (0, [])
    assert pairs(idsync) == []


# The store


def test_a_dry_run_keeps_no_pair(idsync: Program) -> None:
    idsync.make_store()
    before = idsync.files()
    mapped(idsync, identify("a@x", "5"), change("5", "d"), arguments=("--dry-run",))
    assert idsync.files() == before


def test_doctor_finds_pairs_that_are_not_as_written_or_stand_for_nobody(idsync: Program) -> None:
    mapped(idsync, identify("a@x", "5"))
    for statement, code in (
        ("UPDATE recorded_mpids SET recorded = 6", "checksum"),
        ("UPDATE recorded_mpids SET mpid = 6", "label"),
    ):
        copy = idsync.folder / "copy.db"
        copy.unlink(missing_ok=True)
        assert idsync("backup", "copy.db").status == 0
        with closing(sqlite3.connect(copy)) as connection, connection:
            connection.execute(statement)
        report = idsync("doctor", "--store", "copy.db", "--json").json()
        assert code in {each["code"] for each in report["findings"]}
    assert idsync("doctor").status == 0


def test_a_refused_replay_leaves_the_pairs_of_the_last(idsync: Program) -> None:
    put(idsync, "one.jsonl", identify("a@x", "5"))
    assert idsync("replay", "one.jsonl", "--map-mpids").status == 0
    before = pairs(idsync)
    assert_refused(idsync("replay", "one.jsonl", "--map-mpids"), 2, "already been replayed")
    assert pairs(idsync) == before != []


# What it was started with, it goes on with


@pytest.mark.parametrize("others", [(), ("--sort-by-time",)])
@pytest.mark.parametrize("started_with", [True, False])
def test_a_replay_goes_on_as_it_was_started(
    idsync: Program, others: tuple[str, ...], started_with: bool
) -> None:
    """A line that is answered without the map could never be repaired."""
    idsync.write("a.jsonl", text(identify("a@x", "5"), {"type": "wrong"}, change("5", "d")))
    files = ("replay", "a.jsonl", "--output", "a.out", *others)
    option, other = (["--map-mpids"], []) if started_with else ([], ["--map-mpids"])
    stopped = idsync(*files, "--stop-on-error", *option)
    assert ("with --resume --map-mpids" in stopped.stdout) is started_with
    before = idsync.files()
    with_it = "with" if started_with else "without"
    assert_refused(
        idsync(*files, "--resume", *other), 2,
        f"was started {with_it} a map of recorded MPIDs", f"the same way, {with_it} --map-mpids",
    )  # fmt: skip
    assert idsync.files() == before
    assert idsync(*files, "--resume", *option).status == 1
    answers = [json.loads(line) for line in Path(idsync.folder, "a.out").read_text().splitlines()]
    assert (answers[2]["status"] == "modified") is started_with
    assert idsync("doctor").status == 0


def test_files_behind_one_that_is_done_go_on_as_it_was_started(idsync: Program) -> None:
    idsync.write("a.jsonl", text(identify("a@x", "5")))
    idsync.write("b.jsonl", gzip.compress(text(*[change("5", "d")] * 99))[:-9])
    call = ("replay", "a.jsonl", "b.jsonl", "--map-mpids")
    ended = idsync(*call)
    assert (ended.status, "--resume --map-mpids" in ended.stderr) == (2, True)
    idsync.write("b.jsonl", text(change("5", "d")))
    assert_refused(idsync(*call[:3], "--resume"), 2, "the same way, with --map-mpids")
    assert idsync(*call, "--resume").status == 0
    idsync.write("c.jsonl", text(identify("c@x")))
    assert idsync("replay", "c.jsonl", "--resume").status == 0


def test_an_interrupted_replay_names_what_it_goes_on_with(idsync: Program) -> None:
    idsync.write("a.jsonl", text(*[identify(f"{number}@x", number + 1) for number in range(500)]))
    replay = ("replay", "a.jsonl", "--map-mpids", "--chunk-size", "1", "--output", "-", "--quiet")
    process = subprocess.Popen(
        [sys.executable, "-m", "idsync_cli", *replay],
        cwd=idsync.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    _, told = process.communicate()
    assert b"use --resume --map-mpids to continue" in told
