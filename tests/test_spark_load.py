"""A store that was loaded is the one that a serial replay makes (section 13)."""

import gzip
import json
import random
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from idsync_cli.errors import UsageFault
from idsync_cli.files import config_file
from idsync_cli.spark.beginning import import_into, imported
from idsync_cli.spark.decision_files import merged
from idsync_cli.spark.loading import FinishedJob, check_chain, finished_job, load
from idsync_cli.spark.part_files import part_files_in
from idsync_cli.spark.rules import rules_of
from idsync_cli.store import sqlite
from idsync_cli.store.sqlite import SqliteStore
from tests.comparison import lines_of, organization
from tests.in_tasks import NOW_MS, InTasks, Job, exported, serially
from tests.program import CONFIG, Program, program_in_a_fresh_folder  # noqa: F401 - the fixture
from tests.test_spark_tasks import jobs_of, of_world, tasks_of
from tests.worlds import random_world


def tables_of(store: SqliteStore) -> dict[str, list[object]]:
    """Every table of a store, whole."""
    names = store.connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
    return {
        name: sorted(store.connection.execute(f"SELECT * FROM {name}"), key=repr)
        for (name,) in names.fetchall()
        if not name.startswith("sqlite_")
    }


def written(
    folder: Path, job: Job, number: int, lines: list[bytes], last: int, seed: int
) -> FinishedJob:
    """What a job leaves behind: its decisions in two files, and what it says of itself."""
    its = folder / str(number)
    decisions = its / "decisions"
    decisions.mkdir(parents=True)
    half = len(lines) // 2
    for part, some in enumerate((lines[:half], lines[half:])):
        with gzip.open(decisions / f"part-{part:05}.txt.gz", "wb") as file:
            file.writelines(line + b"\n" for line in some)
    state = {"job": f"job {number - 1}"} if number else None
    parts = {"decisions": part_files_in(decisions)._asdict()}
    report = {
        "job": f"job {number}",
        "state": state,
        "seed": str(seed),
        "last_seq": last,
        "parts": parts,
    }
    (its / "report.json").write_text(json.dumps(report))
    rules = rules_of(job.organization)
    (its / "rules.json").write_text(
        json.dumps({"scopes": rules.scopes, "workspaces": rules.workspaces})
    )
    (its / "_SUCCESS").touch()
    return finished_job(str(its))


@pytest.mark.parametrize("number", range(4))
def test_a_loaded_store_is_the_same_table_by_table(number: int, tmp_path: Path) -> None:
    world = of_world(number)
    jobs = jobs_of(world)
    tasks = tasks_of(number)
    done = []
    for place, job in enumerate(jobs):
        tasks.decisions.clear()
        tasks.run([job])
        lines = [*tasks.decisions]
        done.append(written(tmp_path, job, place, lines, tasks.last_seq, world.seed))
    check_chain(done, None)
    with sqlite.temporary(world.seed) as expected, sqlite.temporary(world.seed) as store:
        serially(expected, jobs)
        loaded = load(done, store)
        assert loaded.decisions > 10
        assert tables_of(store) == tables_of(expected)


@pytest.mark.parametrize("seed", range(8))
def test_decisions_in_several_files_come_by_their_numbers(seed: int, tmp_path: Path) -> None:
    """Those of a window are in a file for each task, and each file is in order."""
    rng = random.Random(seed)
    lines = [b'[%d,"x"]' % number for number in sorted(rng.sample(range(1, 10**6), 300))]
    ends = sorted([0, *rng.sample(range(1, 300), 2), 300])
    paths = []
    for window, (begin, end) in enumerate(pairwise(ends)):
        tasks = rng.randint(1, 7)
        its: list[list[bytes]] = [[] for _ in range(tasks + 1)]  # one of them with nothing
        for line in lines[begin:end]:
            its[rng.randrange(tasks)].append(line + b"\n")
        for task, some in enumerate(its):
            paths.append(tmp_path / f"part-{window:05}-{task:05}.txt.gz")
            paths[-1].write_bytes(gzip.compress(b"".join(some)))
    rng.shuffle(paths)
    assert [*merged(paths)] == lines


def test_decisions_that_are_none_are_damaged(tmp_path: Path) -> None:
    path = tmp_path / "part-00000.txt.gz"
    path.write_bytes(gzip.compress(b"[1,2]\nnothing\n"))
    with pytest.raises(UsageFault, match="damaged"):
        [*merged([path])]


# ---- The command


def job_folder(idsync: Program, name: str, lines: list[object]) -> Job:
    """The output of a job in the folder of a program, and the job."""
    job = Job(config_file.load(idsync.folder / "idsync.yaml").organization, [encoded(lines)])
    its = InTasks(7, lambda: 3, 4, random.Random(name))
    its.run([job])
    written(idsync.folder / name, job, 0, [*its.decisions], its.last_seq, 7)
    return job


LINES: list[object] = [
    {"type": "identify", "known_identities": {"email": "a@example.com"}, "label": "a"},
    {"type": "login", "known_identities": {"email": "a@example.com", "customer_id": "1"}},
    {"type": "modify", "mpid": "@a", "known_identities": {"email": "b@example.com"}},
    {"type": "nothing"},
]


def test_it_makes_a_store_that_every_command_takes(idsync: Program) -> None:
    idsync.write("idsync.yaml", CONFIG)
    job_folder(idsync, "out", LINES)
    assert idsync("load", "out/0", "--store", "new.db").stdout == (
        "loaded 1 job with 3 requests that changed something\n"
    )
    idsync.write("day.jsonl", "".join(json.dumps(each) + "\n" for each in LINES))
    idsync("replay", "day.jsonl", "--seed", "7", "--store", "serial.db")
    for command in (("export",), ("profiles", "--json"), ("stats", "--json")):
        found = idsync(*command, "--store", "new.db")
        assert found == idsync(*command, "--store", "serial.db"), command
    assert idsync("doctor", "--store", "new.db").status == 0
    more = {"type": "identify", "known_identities": {"ios_idfv": "1"}}
    idsync.write("more.jsonl", json.dumps(more) + "\n")
    replayed = [
        idsync("replay", "more.jsonl", "--store", name, "--output", "-").stdout
        for name in ("new.db", "serial.db")
    ]
    assert replayed[0] == replayed[1]


def test_the_script_for_spark_submit_is_the_command(idsync: Program) -> None:
    script = idsync("spark-replay", "--script").stdout.strip()
    ran = subprocess.run(
        [sys.executable, script, "--help"],
        cwd=idsync.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "Replay files on Apache Spark into a folder." in ran.stdout


def test_what_it_refuses(idsync: Program) -> None:
    idsync.write("idsync.yaml", CONFIG)
    job_folder(idsync, "out", LINES)

    def fault(*arguments: str) -> str:
        outcome = idsync("load", *arguments, "--store", "new.db")
        assert outcome.status == 2
        assert not (idsync.folder / "new.db").exists()
        return outcome.stderr

    assert "no output of spark-replay" in fault("gone")
    report = idsync.folder / "out" / "0" / "report.json"
    told = json.loads(report.read_text())
    report.write_text(json.dumps(told | {"state": {"job": "another"}}))
    assert "oldest first" in fault("out/0")
    report.write_text(json.dumps(told | {"state": {"export": "abc"}}))
    assert "--state" in fault("out/0")
    for name, broken in (("last_seq", "x"), ("state", "x"), ("parts", {}), ("parts", None)):
        report.write_text(json.dumps(told | {name: broken}))
        assert "cannot be read" in fault("out/0")
    for text in ("{", "[]", "{}", "1"):
        report.write_text(text)
        assert "cannot be read" in fault("out/0")
    report.write_text(json.dumps(told))
    rules = idsync.folder / "out" / "0" / "rules.json"
    rules_before = rules.read_text()
    rules.write_text('{"scopes": {"consumers": "x"}, "workspaces": {}}')
    assert "says of its job cannot be read" in fault("out/0")
    rules.write_text(rules_before)
    (idsync.folder / "out" / "0" / "_SUCCESS").unlink()
    assert "did not finish" in fault("out/0")
    (idsync.folder / "out" / "0" / "_SUCCESS").touch()
    part = idsync.folder / "out" / "0" / "decisions" / "part-00001.txt.gz"
    whole = part.read_bytes()
    part.write_bytes(whole[:-9])
    assert "is not as its job left it: decisions/ has 2 files with" in fault("out/0")
    part.unlink()
    assert "has 1 file with" in fault("out/0")
    part.write_bytes(whole[:-9] + bytes(9))
    assert "damaged" in fault("out/0")


def test_a_store_that_is_there_stays(idsync: Program) -> None:
    idsync.write("idsync.yaml", CONFIG)
    job_folder(idsync, "out", LINES)
    idsync("init", "--store", "shop.db")
    before = (idsync.folder / "shop.db").read_bytes()
    outcome = idsync("load", "out/0", "--store", "shop.db")
    assert outcome.status == 2
    assert "load creates a new one" in outcome.stderr
    assert (idsync.folder / "shop.db").read_bytes() == before


@pytest.mark.parametrize("number", [5, 9, 10])
def test_a_chain_may_begin_with_an_export(number: int, tmp_path: Path) -> None:
    """Erasures in it stay erased."""
    world = random_world(random.Random(f"export {number}"))
    rules = organization(world.scopes, world.workspaces)
    with sqlite.temporary(world.seed) as first:
        serially(first, [Job(rules, [encoded(world.requests)])])
        assert [*_erasures(first)]
        path = tmp_path / "export.jsonl"
        path.write_text("".join(f"{line}\n" for line in exported(first, rules)))
    later = [each for each in world.requests if not _erases(each)]
    jobs = [Job(rules, [encoded(later)])]
    seed = world.seed + 1  # so that digests of batches' ids are under another key
    with sqlite.temporary(seed) as expected, sqlite.temporary(seed) as store:
        import_into(expected, str(path), rules, NOW_MS)
        serial = serially(expected, jobs)
        its = InTasks(seed, lambda: 20, 30, random.Random(number))
        with imported(str(path), rules, seed, NOW_MS) as export:
            its.rows, its.last_seq = [*export.rows], export.last_seq
        assert its.run(jobs) == serial
        import_into(store, str(path), rules, NOW_MS)
        lines = [*its.decisions]
        load([written(tmp_path, jobs[0], 0, lines, its.last_seq, seed)], store)
        assert tables_of(store) == tables_of(expected)


def _erasures(store: SqliteStore) -> list[object]:
    with store.reading() as transaction:
        return [*transaction.erasures()]


def _erases(request: object) -> bool:
    return isinstance(request, dict) and request.get("type") == "erase"


def encoded(requests: list[object]) -> list[bytes]:
    return lines_of(requests).split(b"\n")
