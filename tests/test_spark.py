"""Replays on Spark, against `idsync replay` (section 13): skipped where Spark or Java is missing.

`sh scripts/test.sh spark` runs them, and those of faults. All share one session; the first query
warms it up.
"""

import gzip
import json
import os
import random
from collections import Counter
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from benchmarks import workload
from benchmarks.spark import history as history_of
from idsync_cli.errors import UsageFault
from idsync_cli.spark import components, naming, pieces, reading, windows
from idsync_cli.spark.choosing import _counted
from idsync_cli.spark.keeping import WithExecutors
from idsync_cli.store import sqlite
from tests.in_tasks import Job, Leaders, serially
from tests.on_spark import MARKS, let, parts, replayed, spark_session, without_times  # noqa: F401
from tests.program import CONFIG, TWO_SCOPES, Program, program_in_a_fresh_folder  # noqa: F401
from tests.test_spark_tasks import jobs_of, of_world

pytestmark = MARKS

SEED = 1
LINES = int(os.environ.get("IDSYNC_SPARK_LINES", "3000"))


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
    assert state.profiles.columns == ["created_seq", "profile"]
    order = ["section", "seq", "rank", "age", "place"]
    export = outputs._with_keys(outputs.profiles_of(state.state)).orderBy(*order, "turn").collect()
    assert answers == [each.decode() for each in expected.answers]
    assert history == expected.history
    assert [row.profile for row in export] == expected.export


def test_a_table_of_something_else_is_refused(spark: Any) -> None:
    from idsync_cli.spark import replay

    with pytest.raises(UsageFault, match="line and data, and this one has 'id'"):
        replay(spark, spark.range(3), config=jobs_of(of_world(1))[0].organization, seed=1)


@pytest.mark.parametrize(
    ("numbers", "told"),
    [([1, None], "nothing in its column line"), ([*range(90), 7, 95], "have the number 7 in its")],
)
def test_a_table_whose_lines_have_no_order_is_refused(
    spark: Any, numbers: list[int | None], told: str
) -> None:
    from idsync_cli.spark import replay

    table = spark.createDataFrame([(n, b"{}") for n in numbers], "line long, data binary")
    with pytest.raises(UsageFault, match=told):
        replay(spark, table, config=jobs_of(of_world(1))[0].organization, seed=1)


@pytest.mark.parametrize("at_hand", [components.AT_HAND, 700, 0])
def test_components_are_those_of_a_walk(
    spark: Any, monkeypatch: pytest.MonkeyPatch, at_hand: int
) -> None:
    monkeypatch.setattr(components, "AT_HAND", at_hand)
    rng = random.Random(3)
    named: list[tuple[int, list[int], int | None]]
    named = [(node, [rng.randrange(300), rng.randrange(300)], None) for node in range(250)]
    named += [(node, [node, node + 1], None) for node in range(1000, 1040)]  # a long path
    named += [(2000, [], None), (2001, [7777], 2**60), (2002, [], 2**61)]  # on their own
    leaders = Leaders()
    for node, names, new in named:
        for name in names if new is None else [*names, new]:
            leaders.tie(node, f"name {name}")
    named += [(node, [10 * node, 10 * node + 1], None) for node in range(3000, 3200)]  # so, too
    assert sum(len(names) for _, names, _ in named) > 700
    table = spark.createDataFrame(named, naming.NAMED)
    new_names = naming.names_of_new_mpids
    found = components.components(table, SEED, WithExecutors(), new_names, 20)
    told = found.told
    members: dict[object, list[int]] = {}
    for node, *_ in named:
        members.setdefault(leaders.of(node), []).append(node)
    expected = {
        (node, min(each), sum(one % 4 == 0 for one in each))
        for each in members.values()
        for node in each
        if len(each) > 1
    }
    nodes = {(row.node, row.component, row.lines) for row in found.nodes.collect()}
    assert nodes == expected
    sizes = Counter({component: lines for _, component, lines in expected})
    assert (told.total, told.several) == (len(expected), len(+sizes))
    assert told.tied == sum(node % 4 == 0 for node, *_ in expected)
    [(largest, its_lines)] = sizes.most_common(1)
    assert (told.largest, told.its_lines) == (largest, its_lines)
    assert [*told.large] == [each for each, lines in sizes.most_common() if lines > 20]
    assert found.tells_names == (at_hand > 700)
    lines = [(node // 4, names) for node, names, _ in named if node % 4 == 0]
    counted = Counter(
        name
        for seq, names in lines
        if (4 * seq, largest, its_lines) in expected
        for name in {*names}
    )
    by_query = _counted(found, spark.createDataFrame(lines, "seq long, names array<long>"))
    for commonest in [by_query, told.commonest] if found.tells_names else [by_query]:
        assert len(commonest) > 5
        assert [lines for _, lines, _ in commonest[:5]] == [
            lines for _, lines in counted.most_common(5)
        ]
        for name, count, first in commonest:
            assert counted[name] == count
            assert first == min(4 * seq for seq, names in lines if name in names)


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
    monkeypatch.setattr(pieces, "_PIECE", 30 * LINES)
    idsync.write("idsync.yaml", TWO_SCOPES)
    day = [json.dumps(each).encode() for each in workload.requests(LINES)]
    day = [line.replace(b'"type"', b'"scope": "consumers", "type"', 1) for line in day]
    (idsync.folder / "a.jsonl").write_bytes(b"\n".join([*NASTY, *day[: LINES // 2]]))
    (idsync.folder / "b.jsonl.gz").write_bytes(gzip.compress(b"\n".join([*NASTY[3:], b""])))
    blank = [b"\xef\xbb\xbf \t", b"\xef\xbb\xbf \t"]  # a mark, and then what is no mark
    (idsync.folder / "c.jsonl").write_bytes(b"\n".join([*blank, *day[LINES // 2 :], *NASTY[:8]]))
    answers = replayed(idsync, "a.jsonl", "b.jsonl.gz")
    spark_replay = ("spark-replay", "--output")
    first = idsync(*spark_replay, "one", "a.jsonl", "b.jsonl.gz", "--seed", "7", "--jsonl")
    assert first.status == 0, first
    assert parts(idsync.folder / "one" / "answers") == answers
    export = idsync("export", "--store", "serial.db").stdout
    assert without_times(parts(idsync.folder / "one" / "profiles")) == without_times(export)
    answers = replayed(idsync, "c.jsonl")
    window = str(LINES // 3)
    small = reading._SMALL
    monkeypatch.setattr(reading, "_SMALL", 0)  # so Spark reads it, in blocks
    second = idsync(*spark_replay, "two", "c.jsonl", "--state", "one", "--window", window)
    assert second.status == 0, second
    assert len(second.json()["windows"]) == 2
    table = spark.read.parquet(str(idsync.folder / "two" / "answers")).orderBy("seq")
    assert "".join(f"{row.answer}\n" for row in table.select("answer").collect()) == answers
    assert len([*(idsync.folder / "two" / "decisions").glob("part-*")]) > 2  # one of each task
    profiles = spark.read.parquet(str(idsync.folder / "two" / "profiles"))
    order = ["section", "seq", "rank", "age", "place"]
    its = [row.profile for row in profiles.orderBy(*order).select("profile").collect()]
    exported = idsync("export", "--store", "serial.db").stdout.splitlines()
    its = [each for each in its if '"record": "times"' not in each]
    assert its == [each for each in exported if '"times"' not in each and "digest_key" not in each]
    entries = spark.read.parquet(str(idsync.folder / "two" / "history")).orderBy("seq", "place")
    found = [json.loads(row.entry) for row in entries.select("entry").collect()]
    history = [json.loads(line) for line in history_of(idsync.folder / "serial.db")]
    history = [each for each in history if each["seq"] >= second.json()["first_seq"]]
    assert len(history) > LINES // 4
    assert [each | {"time": ""} for each in found] == [each | {"time": ""} for each in history]
    monkeypatch.setattr(reading, "_SMALL", small)
    answers = replayed(idsync, "b.jsonl.gz", "--again")
    third = idsync(*spark_replay, "three", "b.jsonl.gz", "--state", "two", "--jsonl")
    assert third.status == 0, third
    assert parts(idsync.folder / "three" / "answers") == answers
    assert idsync("load", "one", "two", "three", "--store", "loaded.db").status == 0
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
