"""Jobs on Spark that are disturbed, or cannot be (section 13): equal to a replay, or not finished.

Skipped where Spark or Java is missing; `sh scripts/test.sh spark` runs them.
"""

import bz2
import gzip
import json
import os
import signal
from collections.abc import Callable
from itertools import product
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest

from idsync_cli.errors import FaultCode, UsageFault
from idsync_cli.spark import counting, pieces, reading, windows
from tests.faults import limited
from tests.on_spark import MARKS, let, parts, replayed, spark_session  # noqa: F401
from tests.program import CONFIG, Program, program_in_a_fresh_folder  # noqa: F401
from tests.spark_workers import KILL

pytestmark = MARKS
LINES = 5000
JOB = ("spark-replay", "day.jsonl", "--output", "out", "--seed", "7", "--jsonl")


def day(idsync: Program, lines: int = LINES) -> str:
    """Write a day of requests, and give the answers to it."""
    idsync.write("idsync.yaml", CONFIG)
    requests = [
        {"type": "identify", "known_identities": {"email": f"{number % 700}@example.com"}}
        for number in range(lines)
    ]
    idsync.write("day.jsonl", "".join(json.dumps(each) + "\n" for each in requests))
    return replayed(idsync, "day.jsonl")


def is_finished(idsync: Program) -> bool:
    return (idsync.folder / "out" / "_SUCCESS").exists()


def test_a_worker_that_is_killed_changes_nothing(
    spark: Any, idsync: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the middle of the lines of its task, which is then done again, and writes again."""
    monkeypatch.setattr(windows, "LINES_OF_A_TASK", LINES // 3)
    answers = day(idsync)
    asked = let(KILL)
    outcome = idsync(*[each for each in JOB if each != "--jsonl"])
    assert outcome.status == 0, outcome
    assert not asked.exists()
    table = spark.read.parquet(str(idsync.folder / "out" / "answers")).orderBy("seq")
    assert "".join(f"{row.answer}\n" for row in table.select("answer").collect()) == answers
    assert not [*(idsync.folder / "out").glob("*/.draft*")]
    assert idsync("load", "out", "--store", "loaded.db").status == 0
    exports = [idsync("export", "--store", each).stdout for each in ("loaded.db", "serial.db")]
    assert exports[0] == exports[1]


@pytest.mark.parametrize(("at", "by"), [("lines", signal.SIGINT), ("resolved", signal.SIGKILL)])
def test_a_driver_that_is_killed_leaves_nothing_finished(
    spark: Any, idsync: Program, at: str, by: signal.Signals
) -> None:
    """And the same command again finishes."""
    answers = day(idsync)
    with idsync.start(*JOB) as process:
        limit = monotonic() + 300
        while not [*(idsync.folder / "out").glob(f"_work/*/*-{at}")]:
            assert process.poll() is None
            assert monotonic() < limit
            sleep(0.02)
        process.send_signal(by)
        told = process.communicate()[1].decode()
    assert not is_finished(idsync)
    if by is signal.SIGINT:
        assert process.returncode == 130
        assert told.splitlines()[-1] == (
            "idsync: interrupted; nothing is finished, and the same command again begins anew"
        )
        assert "Traceback" not in told
    assert "did not finish" in idsync("load", "out").stderr or not report_of(idsync).exists()
    assert idsync(*JOB).status == 0
    assert is_finished(idsync)
    assert parts(idsync.folder / "out" / "answers") == answers
    assert not (idsync.folder / "out" / "_work").exists()


def report_of(idsync: Program) -> Path:
    return idsync.folder / "out" / "report.json"


def test_a_full_disk_is_named(idsync: Program) -> None:
    day(idsync, 8 * LINES)
    outcome = limited(idsync, 400_000, *JOB)  # what Java unpacks for itself is smaller
    assert outcome.status == 3, outcome
    assert not is_finished(idsync)
    assert "no room left" in outcome.stderr
    assert "free some space" in outcome.stderr
    assert "@example.com" not in outcome.stderr.rpartition("idsync: ")[2]


def test_a_file_that_changes_while_it_is_read_is_refused(
    spark: Any, idsync: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    day(idsync)
    path = idsync.folder / "day.jsonl"
    before, looks = path.read_bytes(), path.stat()

    def of_other_bytes() -> None:
        """Neither the size nor the time tells."""
        path.write_bytes(before.replace(b"email", b"yahoo", 1))
        os.utime(path, ns=(looks.st_atime_ns, looks.st_mtime_ns))

    def longer() -> None:
        path.write_bytes(before + b"{}\n")

    def shorter() -> None:
        path.write_bytes(b"")

    def behind(count: Callable[..., Any], change: Callable[[], None]) -> Callable[..., Any]:
        def run(*arguments: Any) -> Any:
            found = count(*arguments)
            change()
            return found

        return run

    ways = (pieces, "shares_of", "day.jsonl"), (counting, "with_counts", f"file://{path}")
    for (module, count, name), change in product(ways, (of_other_bytes, longer, shorter)):
        path.write_bytes(before)
        monkeypatch.setattr(module, count, behind(getattr(module, count), change))
        refused = idsync("spark-replay", name, "--output", "out", "--seed", "7")
        assert refused.status == 2
        assert "was changed while it was read; nothing was resolved; run the" in refused.stderr
        assert not is_finished(idsync)
        monkeypatch.undo()
    path.unlink()
    with pytest.raises(UsageFault) as gone:
        reading.check_there(spark, [str(path)])
    assert gone.value.code is FaultCode.FILE_UNREADABLE


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

    assert "decompress it" in fault("day.jsonl.bz2")
    assert "rename it" in fault("plain.gz")
    assert "rename it" in fault("packed.jsonl")
    assert "no job wrote" in fault("day.jsonl", output="foreign")
    assert (idsync.folder / "foreign" / "notes.txt").read_text() == "mine"
    assert "at least 1" in fault("day.jsonl", "--window", "0")
    assert "--max-share" in fault("day.jsonl", "--max-share", "0")
    assert "given twice" in fault("day.jsonl", "day.jsonl")
    elsewhere = f"file://{idsync.folder}"
    assert "is a folder" in fault(elsewhere)
    assert "cannot be read" in fault(f"{elsewhere}/gone.jsonl")
    assert "neither an export" in fault("day.jsonl", "--state", "gone")
    assert "inside the state" in fault("day.jsonl", "--state", ".", output="a/b")
    assert "line 2 is an erasure" in fault("erase.jsonl")
    # What Spark alone can reach is looked at as well.
    (idsync.folder / "really.jsonl").write_bytes(bz2.compress(line.encode()))
    (idsync.folder / "half.gz").write_bytes(gzip.compress(line.encode() * 9)[:-12])
    idsync.write("_hidden.jsonl", line)
    for name, why in (
        ("packed.jsonl", "does not end with .gz; rename it"),
        ("plain.gz", "its name ends with .gz; rename it"),
        ("really.jsonl", "compressed with bzip2"),
        ("half.gz", "is damaged: gzip cannot unpack it to its end; get a whole copy"),
        ("_hidden.jsonl", "passes over names that begin with _"),
        ("foreign", "is a folder"),
    ):
        assert why in fault(f"{elsewhere}/{name}"), name
    idsync.write("nothing.jsonl", "")
    outcome = idsync("spark-replay", f"{elsewhere}/nothing.jsonl", "--output", "no", "--seed", "1")
    assert outcome.status == 0, outcome
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


def test_a_state_that_is_not_as_its_job_left_it_is_refused(spark: Any, idsync: Program) -> None:
    """Else the people in a part that is not there would be strangers."""
    day(idsync, 300)
    assert idsync(*JOB[:-1]).status == 0
    state = idsync.folder / "out"

    def refused(name: str = "out") -> str:
        outcome = idsync("spark-replay", "day.jsonl", "--output", "next", "--state", name)
        assert outcome.status == 2, outcome
        assert not (idsync.folder / "next").exists()
        return outcome.stderr

    report = state / "report.json"
    told = report.read_text()
    for text in ("[]", "{}", json.dumps(json.loads(told) | {"last_seq": "x"})):
        report.write_text(text)
        assert "says of its job cannot be read" in refused()
    report.write_text(told)
    for part in ("seen", "profiles"):
        path = max((state / part).glob("part-*"), key=lambda each: each.stat().st_size)
        whole = path.read_bytes()
        path.write_bytes(whole[:-9])
        assert f"is not as its job left it: {part}/ has" in refused()
        assert f"is not as its job left it: {part}/ has" in refused(f"file://{state}")
        path.unlink()
        assert "run the job again" in refused()
        path.write_bytes(whole)
    outcome = idsync("spark-replay", "day.jsonl", "--output", "a", "--state", f"file://{state}")
    assert outcome.status == 0, outcome


def test_a_folder_may_have_any_name(spark: Any, idsync: Program) -> None:
    """It is no pattern, and leads to no other folder."""
    day(idsync, 300)
    name = "o{a,b}* [1]\nnew"
    (idsync.folder / "oa [1]\nnew").mkdir()
    first, lines, last = name, f"{name} as lines", f"{name} again"
    for options in (
        ("--seed", "7", "--window", "100", "--output", first),
        ("--state", first, "--jsonl", "--output", lines),
        ("--state", lines, "--output", last),
    ):
        outcome = idsync(*JOB[:2], *options)
        assert outcome.status == 0, outcome
    assert idsync("load", first, lines, last, "--store", "s.db").status == 0
