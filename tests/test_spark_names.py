"""Each kind of name that ties lines together is needed on Spark, too (section 13, spark/naming.py).

There it is found in ways of its own. Stories that need one kind of name each stand in one file,
told by several people at once, so that the tasks cannot all guess right. Skipped where Spark or
Java is missing; `sh scripts/test.sh spark` runs them.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from itertools import product
from typing import Any

import pytest

from idsync_cli.spark import naming, windows
from idsync_cli.store import sqlite
from tests.comparison import lines_of, organization
from tests.in_tasks import Job, serially
from tests.on_spark import MARKS, let, spark_session  # noqa: F401
from tests.spark_workers import SHORT
from tests.test_spark_ties import (
    MARY,
    PLAIN,
    SEED,
    STORIES,
    Json,
    Story,
    first,
    modify,
    strangers,
    with_short_mpids,
)

pytestmark = MARKS
TASKS = 6


@pytest.fixture(autouse=True)
def several_tasks(spark: Any) -> Iterator[None]:
    before = spark.conf.get("spark.sql.shuffle.partitions")
    spark.conf.set("spark.sql.shuffle.partitions", str(TASKS))
    yield
    spark.conf.set("spark.sql.shuffle.partitions", before)


TOLD: Sequence[str] = (
    *("identifiers", "values of modify", "named MPIDs", "new MPIDs", "previous MPIDs"),
    *(
        "ids of batches",
        "labels",
        "labels of refused lines",
        "state",
        "state: further values",
        "state: ids of batches",
    ),
    *("state: MPIDs", "labels across windows of one file"),
)
TELLERS = 6


def told() -> tuple[Job, int]:
    """The stories as one job of two windows; and how many lines the first has."""
    ours = STORIES | {
        "labels across windows of one file": Story(
            [[MARY | {"label": "m"}], [modify("@m", email="o")]]
        )
    }
    windows: list[list[str]] = [[], []]
    scopes: dict[str, Json] = {}
    first_of_second = 1 + TELLERS * sum(len(ours[name].windows[0]) for name in TOLD)
    for teller, name in product(range(TELLERS), TOLD):
        scope = f"{name} {teller}"
        scopes[scope] = PLAIN
        seqs: list[int] = []  # of its lines, which name MPIDs by them
        for number, window in enumerate(ours[name].windows):
            begins = (1, first_of_second)[number] + len(windows[number])
            seqs += range(begins, begins + len(window))
        for number, window in enumerate(ours[name].windows):
            for request in window:
                text = json.dumps(request | {"scope": scope})
                for local, seq in enumerate(seqs, 1):
                    text = text.replace(f'"{first(local)}"', f'"{first(seq)}"')
                text = text.replace('"label": "m"', f'"label": "{scope}"')
                windows[number].append(text.replace('"@m"', f'"@{scope}"'))
    lines = [line.encode() for window in windows for line in window]
    return Job(organization(scopes, {}), [lines]), first_of_second - 1


def test_each_kind_of_name_ties_on_spark(spark: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    job, window = told()
    monkeypatch.setattr(windows, "LINES_OF_A_TASK", 5)
    with sqlite.temporary(SEED) as store:
        expected = serially(store, [job]).answers
    assert answers_on_spark(spark, job, SEED, window) == expected
    for name, leave_out in LEFT_OUT_ON_SPARK.items():
        with monkeypatch.context() as patch:
            leave_out(patch)
            try:
                found = answers_on_spark(spark, job, SEED, window)
            except _of_a_task():
                continue  # what a task was to find is not there
            assert found != expected, name


def _of_a_task() -> type[Exception]:
    from pyspark.errors import PySparkException

    return PySparkException  # type: ignore[no-any-return]


def answers_on_spark(spark: Any, job: Job, seed: int, window: int) -> list[bytes]:
    from idsync_cli.spark import replay

    table = spark.createDataFrame([*enumerate(job.files[0], 1)], "line long, data binary")
    done = replay(spark, table, config=job.organization, seed=seed, window=window)
    assert len(done.report["windows"]) > 1
    assert all(each["tasks"] > TASKS // 2 for each in done.report["windows"])
    return [row.answer.encode() for row in done.answers.orderBy("seq").collect()]


def _nothing_of(name: str) -> Callable[[pytest.MonkeyPatch], None]:
    """Leave out the names that a function gives."""
    its = getattr(naming, name)
    return lambda patch: patch.setattr(
        naming, name, lambda *arguments: its(*arguments).where("false")
    )


def _without_edges_of_labels(patch: pytest.MonkeyPatch) -> None:
    its = naming.ties_of_labels

    def without(*arguments: Any) -> tuple[Any, Any]:
        edges, earlier = its(*arguments)
        return edges.where("false"), earlier

    patch.setattr(naming, "ties_of_labels", without)


def _without(column: str, nothing: str) -> Callable[[pytest.MonkeyPatch], None]:
    """Leave out one thing that lines name."""
    its = naming.names_of_lines

    def leave_out(patch: pytest.MonkeyPatch) -> None:
        from pyspark.sql import functions as f

        patch.setattr(
            naming, "names_of_lines", lambda lines: its(lines.withColumn(column, f.expr(nothing)))
        )

    return leave_out


LEFT_OUT_ON_SPARK: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "names of lines": _without("names", "CAST(array() AS array<long>)"),
    "names of the state": _nothing_of("names_of_state"),
    "new MPIDs": _without("new", "CAST(NULL AS long)"),
    "labels": _without_edges_of_labels,
    "labels across windows": _nothing_of("names_of_mpids"),
}


def test_new_mpids_that_are_taken_are_passed_over(
    spark: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = Job(organization({"people": PLAIN}, {}), [lines_of(strangers(1)).split(b"\n")])
    monkeypatch.setattr(windows, "LINES_OF_A_TASK", 50)
    with sqlite.temporary(1) as store:
        without_collisions = serially(store, [job]).answers
    with_short_mpids(monkeypatch)
    with sqlite.temporary(1) as store:
        expected = serially(store, [job]).answers
    short = let(SHORT)
    try:
        found = answers_on_spark(spark, job, 1, 300)
    finally:
        short.unlink()
    assert found == expected != without_collisions
