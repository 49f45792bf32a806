"""Replays on Spark, against `idsync replay` (section 13): skipped where Spark or Java is missing.

`sh scripts/test.sh spark` runs them. All share one session; the first query warms it up.
"""

import gzip
import json
import os
import random
import shutil
import signal
import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from subprocess import run
from threading import Thread
from time import sleep
from typing import Any

import pytest

from benchmarks import workload
from idsync_cli.spark import windows
from idsync_cli.spark.components import components
from idsync_cli.store import sqlite
from tests.in_tasks import Job, Leaders, serially
from tests.program import CONFIG, TWO_SCOPES, Program, program_in_a_fresh_folder  # noqa: F401
from tests.test_spark_tasks import jobs_of, of_world

MISSING = None
try:
    import pyspark  # noqa: F401 - whether it is there
except ImportError:
    MISSING = "PySpark is not installed: sh scripts/test.sh spark installs it"
else:
    if shutil.which("java") is None:
        MISSING = "there is no Java: apt-get install openjdk-17-jre-headless"

pytestmark = [
    pytest.mark.skipif(MISSING is not None, reason=str(MISSING)),
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning"),
]

LINES = int(os.environ.get("IDSYNC_SPARK_LINES", "3000"))


@pytest.fixture(scope="module")
def spark() -> Iterator[Any]:
    """A session on two cores, in which a task is tried three times."""
    os.environ |= {"PYSPARK_PYTHON": sys.executable, "SPARK_LOCAL_IP": "127.0.0.1"}
    from pyspark.sql import SparkSession

    options = {
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.shuffle.partitions": "3",
        "spark.default.parallelism": "2",
        "spark.sql.files.maxPartitionBytes": "200k",  # a file is in several pieces
    }
    session = SparkSession.builder.master("local[2,3]").config(map=options).getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    yield session
    session.stop()


def replayed(idsync: Program, *files: str, seed: str = "7", store: str = "serial.db") -> str:
    """The answers of a replay."""
    outcome = idsync("replay", *files, "--seed", seed, "--store", store, "--output", "-", "--quiet")
    assert outcome.status in (0, 1), outcome
    return outcome.stdout


def parts(folder: Path) -> str:
    """The part files of a folder, in the order of their names."""
    return "".join(path.read_text() for path in sorted(folder.glob("part-*")))


def without_times(lines: str) -> str:
    """An export, but for times that were the clock's."""
    return "\n".join(line for line in lines.splitlines() if '"record": "times"' not in line)


# ---- In a notebook


def test_jobs_and_windows_come_to_what_one_store_does(
    spark: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from idsync_cli.spark import outputs, replay, replaying
    from tests.in_tasks import NOW_MS

    monkeypatch.setattr(replaying, "time", lambda: NOW_MS / 1000)
    world = of_world(1)
    jobs = [Job(each.organization, [[*chain(*each.files)]]) for each in jobs_of(world)]
    with sqlite.temporary(world.seed) as store:
        expected = serially(store, jobs)
    state = None
    answers: list[str] = []
    history: list[str] = []
    for job in jobs:
        data = [*enumerate(job.files[0], 1)]
        state = replay(
            spark,
            spark.createDataFrame(data, "line long, data binary"),
            config=job.organization,
            seed=world.seed,
            state=state,
            window=40,
        )
        answers += [row.answer for row in state.answers.orderBy("seq").collect()]
        history += [row.entry for row in state.history.orderBy("seq", "place").collect()]
    assert state is not None
    order = ["section", "seq", "rank", "age", "place"]
    export = outputs._with_keys(state.profiles).orderBy(*order, "turn").collect()
    assert answers == [each.decode() for each in expected.answers]
    assert history == expected.history
    assert [row.profile for row in export] == expected.export


def test_components_are_those_of_a_walk(spark: Any) -> None:
    rng = random.Random(3)
    edges = [(rng.randrange(300), rng.randrange(300)) for _ in range(250)]
    edges += [(number + 1, number) for number in range(1000, 1040)]  # a long path
    leaders = Leaders()
    for one, other in edges:
        leaders.tie(one, other)
    pairs = [(max(pair), min(pair)) for pair in edges]
    table = spark.createDataFrame(pairs, "node long, lower long")
    found = components(table, lambda kept, _: kept.localCheckpoint())
    component = {row.node: row.component for row in found.collect()}
    nodes = sorted({node for pair in edges for node in pair})
    lowest: dict[object, int] = {}
    for node in nodes:
        lowest.setdefault(leaders.of(node), node)
    assert {n: component.get(n, n) for n in nodes} == {n: lowest[leaders.of(n)] for n in nodes}


# ---- The command

NASTY: list[bytes] = [
    b'\xef\xbb\xbf{"type": "identify", "scope": "consumers", "known_identities": {"email": "a"}}\r',
    b"",
    b"  \t",
    (
        b'{"type": "login", "scope": "consumers", "label": "l",'
        b' "known_identities": {"customer_id": "1", "email": "a"}}'
    ),
    b'{"type": "identify", "scope": "consumers", "label": "l", "known_identities": {"email": "b"}}',
    b'{"type": "modify", "scope": "consumers", "mpid": "@l", "known_identities": {"email": "c"}}',
    b'{"type": "identify", "scope": "couriers", "known_identities": {"email": "a\xe2\x80\xa8b"}}',
    b"not json \xff\xfe",
    b'{"type": "identify", "scope": "consumers", "known_identities": {"email": "'
    + b"x" * 2**20
    + b'"}}',
    b'{"type": "nothing", "label": "l"}',
    b'{"type": "modify", "scope": "consumers", "mpid": "@l", "known_identities": {"email": "d"}}',
    (
        b'{"type": "batch", "scope": "consumers", "user_identities": {"email": "c"},'
        b' "source_request_id": "1", "user_attributes": {"a": "\xc3\xa9"},'
        b' "timestamp_unixtime_ms": 1700000000000}'
    ),
    (
        b'{"type": "batch", "scope": "consumers", "user_identities": {"email": "zz"},'
        b' "source_request_id": "1", "timestamp_unixtime_ms": 1700000000001}'
    ),
    b'{"type": "search", "scope": "consumers", "known_identities": {"email": "c"}}',
]


def test_a_chain_of_jobs_is_a_replay(
    spark: Any, idsync: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nasty lines, two files, one of them packed; then another day, on the state of the first."""
    monkeypatch.setattr(windows, "LINES_OF_A_TASK", LINES // 4)  # several tasks
    idsync.write("idsync.yaml", TWO_SCOPES)
    day = [json.dumps(each).encode() for each in workload.requests(LINES)]
    day = [line.replace(b'"type"', b'"scope": "consumers", "type"', 1) for line in day]
    (idsync.folder / "a.jsonl").write_bytes(b"\n".join([*NASTY, *day[: LINES // 2]]))
    (idsync.folder / "b.jsonl.gz").write_bytes(gzip.compress(b"\n".join([*NASTY[3:], b""])))
    (idsync.folder / "c.jsonl").write_bytes(b"\n".join([*day[LINES // 2 :], *NASTY[:8]]))
    answers = replayed(idsync, "a.jsonl", "b.jsonl.gz")
    spark_replay = ("spark-replay", "--output")
    first = idsync(*spark_replay, "one", "a.jsonl", "b.jsonl.gz", "--seed", "7", "--jsonl")
    assert first.status == 0, first
    assert parts(idsync.folder / "one" / "answers") == answers
    export = idsync("export", "--store", "serial.db").stdout
    assert without_times(parts(idsync.folder / "one" / "profiles")) == without_times(export)
    answers = replayed(idsync, "c.jsonl")
    window = str(LINES // 3)
    second = idsync(*spark_replay, "two", "c.jsonl", "--state", "one", "--window", window)
    assert second.status == 0, second
    assert len(second.json()["windows"]) == 2
    table = spark.read.parquet(str(idsync.folder / "two" / "answers")).orderBy("seq")
    assert "".join(f"{row.answer}\n" for row in table.select("answer").collect()) == answers
    assert idsync("load", "one", "two", "--store", "loaded.db").status == 0
    for command in (("stats", "--json"), ("profiles", "--json")):
        loaded = idsync(*command, "--store", "loaded.db")
        assert loaded == idsync(*command, "--store", "serial.db")
    export = idsync("export", "--store", "serial.db").stdout
    assert without_times(idsync("export", "--store", "loaded.db").stdout) == without_times(export)
    assert idsync("doctor", "--store", "loaded.db").status == 0
    again = idsync(*spark_replay, "two", "c.jsonl", "--state", "one")
    assert (again.status, "a job finished in" in again.stderr) == (2, True)


def test_a_job_may_begin_with_an_export(spark: Any, idsync: Program) -> None:
    """It is as if that had been imported; what was erased stays so."""
    idsync.write("idsync.yaml", CONFIG)
    people = [{"email": "a"}, {"email": "b", "ios_idfv": "1"}, {"email": "c"}]
    requests = [{"type": "identify", "known_identities": each} for each in people]
    ids = {"user_identities": {"email": "b"}, "source_request_id": "1"}
    requests.append({"type": "batch", **ids, "user_attributes": {"x": 1}})
    idsync.write("before.jsonl", "".join(json.dumps(each) + "\n" for each in requests))
    replayed(idsync, "before.jsonl", seed="3", store="before.db")
    assert idsync("erase", "--email", "a", "--store", "before.db").status == 0
    idsync("export", "--store", "before.db", "--output", "export.jsonl")
    idsync.write("day.jsonl", "".join(json.dumps(each) + "\n" for each in [*requests, requests[0]]))
    assert idsync("import", "export.jsonl", "--store", "serial.db", "--seed", "3").status == 0
    answers = replayed(idsync, "day.jsonl", seed="3")
    job = ("spark-replay", "day.jsonl", "--output", "out", "--state", "export.jsonl", "--jsonl")
    assert "needs a seed" in idsync(*job).stderr
    done = idsync(*job, "--seed", "3")
    assert done.status == 0, done
    assert parts(idsync.folder / "out" / "answers") == answers
    assert '"duplicate"' in answers
    assert "--state" in idsync("load", "out", "--store", "loaded.db").stderr
    loaded = idsync("load", "out", "--state", "export.jsonl", "--store", "loaded.db")
    assert loaded.status == 0, loaded
    export = idsync("export", "--store", "serial.db").stdout
    assert '"erasure"' in export
    assert without_times(idsync("export", "--store", "loaded.db").stdout) == without_times(export)
    assert without_times(parts(idsync.folder / "out" / "profiles")) == without_times(export)


def test_what_is_refused_before_any_work(spark: Any, idsync: Program) -> None:
    idsync.write("idsync.yaml", CONFIG)
    line = '{"type": "identify", "known_identities": {"email": "a"}}\n'
    idsync.write("day.jsonl", line)
    idsync.write("day.jsonl.bz2", line)
    idsync.write("plain.gz", line)
    (idsync.folder / "packed.jsonl").write_bytes(gzip.compress(line.encode()))
    idsync.write("foreign/notes.txt", "mine")
    idsync.write("erase.jsonl", line + '{"type": "erase", "known_identities": {"email": "a"}}\n')

    def fault(*arguments: str, output: str = "out") -> str:
        outcome = idsync("spark-replay", *arguments, "--output", output, "--seed", "1")
        assert outcome.status == 2, outcome
        assert not (idsync.folder / output / "_SUCCESS").exists()
        return outcome.stderr

    assert "unpack it" in fault("day.jsonl.bz2")
    assert "rename it" in fault("plain.gz")
    assert "rename it" in fault("packed.jsonl")
    assert "no job wrote" in fault("day.jsonl", output="foreign")
    assert (idsync.folder / "foreign" / "notes.txt").read_text() == "mine"
    assert "at least 1" in fault("day.jsonl", "--window", "0")
    assert "--max-share" in fault("day.jsonl", "--max-share", "0")
    assert "given twice" in fault("day.jsonl", "day.jsonl")
    assert "neither an export" in fault("day.jsonl", "--state", "gone")
    assert "line 2 is an erasure" in fault("erase.jsonl")
    without_seed = idsync("spark-replay", "day.jsonl", "--output", "out")
    assert "needs a seed" in without_seed.stderr
    # What a job that was killed has left is cleared.
    idsync.write("out/_idsync-job", "{}")
    idsync.write("out/_work/0001-lines/part-0.parquet", "half")
    idsync.write("out/answers/part-0.parquet", "half")
    assert idsync("spark-replay", "day.jsonl", "--output", "out", "--seed", "1").status == 0
    assert not (idsync.folder / "out" / "_work").exists()
    assert not (idsync.folder / "out" / "answers" / "part-0.parquet").exists()
    other = idsync("spark-replay", "day.jsonl", "--output", "next", "--seed", "2", "--state", "out")
    assert "the seed 1, and not 2" in other.stderr


def test_a_kiosk_does_not_put_all_into_one_task(spark: Any, tmp_path: Path) -> None:
    """One kiosk is on 2 % of all lines, and people use strangers' devices."""
    from idsync_cli.spark import replay

    path = tmp_path / "day.jsonl"
    workload.write_requests(path, workload.requests(LINES))
    config = tmp_path / "idsync.yaml"
    config.write_text(workload.CONFIG)
    done = replay(spark, str(path), config=str(config), seed=1, window=LINES)
    [window] = done.report["windows"]
    assert 0.01 < window["share"] < 0.5
    [kiosk, *_] = window["commonest"]
    assert kiosk["value"] == workload.device(workload.KIOSK, workload.SEED)
    assert window["components"] > LINES / 10


# ---- Faults


def test_a_worker_that_is_killed_changes_nothing(spark: Any, idsync: Program) -> None:
    """A task whose process was killed is done again."""
    idsync.write("idsync.yaml", CONFIG)
    requests = [
        {"type": "identify", "known_identities": {"email": f"{number % 700}@example.com"}}
        for number in range(5000)
    ]
    idsync.write("day.jsonl", "".join(json.dumps(each) + "\n" for each in requests))
    answers = replayed(idsync, "day.jsonl")
    killed: list[int] = []
    stop: list[bool] = []

    def kill() -> None:
        while not stop and len(killed) < 2:
            for pid in workers():
                os.kill(pid, signal.SIGKILL)
                killed.append(pid)
                sleep(1)
                break
            sleep(0.05)

    killer = Thread(target=kill)
    killer.start()
    try:
        for turn in range(4):
            outcome = idsync(
                "spark-replay", "day.jsonl", "--output", "out", "--seed", "7", "--jsonl"
            )
            if outcome.status == 0:
                break
            assert not (idsync.folder / "out" / "_SUCCESS").exists(), turn
            assert "the same command again" in outcome.stderr
    finally:
        stop.append(True)
        killer.join()
    assert killed
    assert outcome.status == 0
    assert parts(idsync.folder / "out" / "answers") == answers


def workers() -> list[int]:
    """Processes in which tasks of this session run Python."""
    listed = run(["ps", "-eo", "pid,ppid,args"], capture_output=True, text=True, check=True)
    rows = [line.split(None, 2) for line in listed.stdout.splitlines()[1:]]
    children: dict[int, list[int]] = {}
    words = {int(pid): args for pid, _, args in rows}
    for pid, parent, _ in rows:
        children.setdefault(int(parent), []).append(int(pid))
    found: list[int] = []
    waiting = [os.getpid()]
    while waiting:
        for child in children.get(waiting.pop(), []):
            waiting.append(child)
            if "pyspark" in words[child] and "daemon" in words[child]:
                found.append(child)
    return [pid for pid in found if pid not in children]  # the daemon itself has those for children
