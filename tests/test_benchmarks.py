"""The benchmark runs as its command says, and its workload is what it says. No time is asserted."""

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from benchmarks import busy, workload
from benchmarks.agreement import differences
from tests.program import Program, program_in_a_fresh_folder  # noqa: F401 - the fixture

ROOT = Path(__file__).parent.parent
SIZE = 20_000


def test_the_small_benchmark_is_complete(tmp_path: Path) -> None:
    written = tmp_path / "results.json"
    options = ("--sizes", "small", "--rounds", "1", "--json", str(written))
    done = subprocess.run(
        ["sh", str(ROOT / "benchmarks" / "run.sh"), *options, "--folder", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "BENCHMARK_PYTHON": sys.executable},
    )
    assert done.returncode == 0, done.stderr
    results = json.loads(written.read_text(encoding="utf-8"))
    rows = results["rows"]
    goals = set(range(1, 16)) - (set() if shutil.which("wrk") else {14})  # which needs it
    assert {row["goal"] for row in rows} == goals
    assert Counter(row["goal"] for row in rows)[7] == 14
    busy = Counter(row["goal"] for row in rows if "processors busy" in row["what"])
    assert busy == {1: 1, 2: 1, 5: 3}
    for row in rows:
        assert row["ours"]["low"] <= row["ours"]["median"] <= row["ours"]["high"]
        assert row["met"] == (row["figure"] <= row["most"])
        assert row["what"].split()[0] in done.stdout
        if row["goal"] == 2 and "busy" not in row["what"]:
            assert row["note"].startswith("0 of ")  # no request of the workload is refused
    assert all(results["machine"].values())
    assert {"sqlite-utils", "typer"} <= results["versions"].keys()
    assert [path.name for path in tmp_path.iterdir()] == ["results.json"]


def test_one_goal_can_be_chosen(tmp_path: Path) -> None:
    written = tmp_path / "results.json"
    command = [sys.executable, "-m", "benchmarks", "--sizes", "small", "--rounds", "2"]
    command += ["--only", "8", "--json", str(written)]
    subprocess.run(command, check=True, capture_output=True, cwd=ROOT)
    rows = json.loads(written.read_text(encoding="utf-8"))["rows"]
    assert [row["goal"] for row in rows] == [8, 8]
    assert {row["ours"]["samples"] for row in rows} == {2}


@pytest.fixture(scope="module")
def requests() -> list[dict[str, object]]:
    return list(workload.requests(SIZE, seed=7))


def identities(request: dict[str, object]) -> dict[str, str]:
    found = request["known_identities"]
    assert isinstance(found, dict)
    return found


def test_the_workload_is_the_same_every_time(requests: list[dict[str, object]]) -> None:
    assert list(workload.requests(SIZE, seed=7)) == requests
    assert list(workload.requests(SIZE, seed=8)) != requests
    longer = islice(workload.requests(10**12, seed=7), SIZE)  # nothing is made before it is asked
    assert list(longer) == requests


def test_the_workload_has_the_shares_it_names(requests: list[dict[str, object]]) -> None:
    kinds = Counter(request["type"] for request in requests)
    assert kinds == {"identify": 12_000, "login": 5_000, "logout": 2_000, "modify": 1_000}
    held = {"identify": {"ios_idfv"}, "logout": {"ios_idfv"}, "modify": {"email"}}
    for request in requests:
        login = {"customer_id", "email", "ios_idfv"}
        assert identities(request).keys() == held.get(str(request["type"]), login)


def test_devices_are_shared_as_often_as_it_says(requests: list[dict[str, object]]) -> None:
    used = Counter(identities(request).get("ios_idfv") for request in requests)
    assert 0.015 < used[workload.device(workload.KIOSK, 7)] / SIZE < 0.025
    users = len(used.keys() - {None, workload.device(workload.KIOSK, 7)})
    assert 2.5 < SIZE / users < 3.5
    logins = [identities(request) for request in requests if request["type"] == "login"]
    own = {workload.customer_id(user): workload.device(user, 7) for user in range(SIZE)}
    kiosk = workload.device(workload.KIOSK, 7)
    foreign = sum(each["ios_idfv"] not in (own[each["customer_id"]], kiosk) for each in logins)
    assert 0.012 < foreign / len(logins) < 0.03


def test_a_modify_names_a_label_that_was_given_before(requests: list[dict[str, object]]) -> None:
    given = set()
    for request in requests:
        if request["type"] == "modify":
            assert str(request["mpid"]).removeprefix("@") in given
        given.add(request.get("label"))


@pytest.mark.parametrize("with_ids", [False, True])
def test_the_batches_are_the_same_requests_with_an_event_each(
    requests: list[dict[str, object]], with_ids: bool
) -> None:
    made = list(workload.with_events(SIZE, seed=7, with_ids=with_ids))
    ids = set()
    for request, batch in zip(requests, made, strict=True):
        if request["type"] not in ("identify", "login"):
            assert batch == request
            continue
        held: dict[str, str] = {}
        for part in (batch.get("user_identities"), batch.get("device_info")):
            held |= part if isinstance(part, dict) else {}
        assert (batch["type"], held) == ("batch", request["known_identities"])
        assert batch.get("label") == request.get("label")
        assert isinstance(batch["events"], list)
        assert len(batch["events"]) == 1
        ids.add(batch.get("source_request_id"))
    assert len(ids) == (17_000 if with_ids else 1)


@pytest.mark.skipif(
    not (hasattr(os, "sched_getaffinity") and Path("/proc/self/task").exists()),
    reason="this system does not tell",
)
def test_processors_are_kept_busy_and_let_go_of() -> None:
    places = sorted(os.sched_getaffinity(0))
    with busy.processors() as number:
        children = _children()
        assert number == len(places) == len(children)
        assert sorted(os.sched_getaffinity(each).pop() for each in children) == places
        assert all(len(os.sched_getaffinity(each)) == 1 for each in children)
    assert not _children()


def _children() -> list[int]:
    found = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()
    return [int(each) for each in found]


def test_what_a_busy_server_answered_is_held_against_the_reference_model(idsync: Program) -> None:
    """A wrong answer, a wrong merge and a profile that is left otherwise are each found."""
    asked = [
        {"type": kind, "workspace": "load", "known_identities": identities}
        for kind, identities in [
            ("search", {"customerid": "c1"}), ("identify", {"ios_idfv": "d1"}),
            ("login", {"ios_idfv": "d1", "customerid": "c1", "email": "e1"}),
            ("search", {"customerid": "c1"}), ("identify", {"ios_idfv": "d2"}),
            ("login", {"ios_idfv": "d2", "customerid": "c2", "email": "e1"}),
            ("logout", {"ios_idfv": "d1"}), ("identify", {"ios_idfv": "d1"}),
        ]
    ]  # fmt: skip
    config = workload.CONFIG + "accounts: {a: {workspaces: {load: consumers}}}\n"
    idsync.write("idsync.yaml", config)
    answers = idsync.answers(*asked)
    record: list[dict[str, Any]] = [
        {**request, "response": {"mpid": answer["mpid"]}}
        for request, answer in zip(asked, answers, strict=True)
    ]
    export = idsync("export").stdout.splitlines()

    def found(record: list[dict[str, Any]], export: list[str]) -> list[str]:
        return list(differences(workload.RULES, map(json.dumps, record), export))

    assert found(record, export) == []
    assert len({str(each["response"]) for each in record}) == 4
    for place, line in enumerate(record):
        for mpid in {answers[each]["mpid"] for each in (1, 5, 6)} | {"77"}:
            if mpid != answers[place]["mpid"] and line["type"] != "search":
                wrong = [*record]
                wrong[place] = {**line, "response": {"mpid": mpid}}
                assert found(wrong, export), (place, mpid)
    wrong = [*record]
    wrong[3] = {**record[3], "response": {"mpid": "77"}}
    assert found(wrong, export)
    for place, text in enumerate(export):
        assert found(record, [each for each in export if each is not text]), place
        changed = [*export]
        changed[place] = text.replace('"d', '"x')
        assert found(record, changed) or changed == export
