"""A job: lines and a state into answers and a state, window by window (section 13)."""

from collections.abc import Callable, Iterator, Mapping
from functools import reduce
from operator import xor
from typing import TYPE_CHECKING, NamedTuple

from idsync_cli.errors import Hint, UsageFault
from idsync_cli.spark import naming, windows
from idsync_cli.spark.choosing import Order, StateSoFar, Window, WindowChooser
from idsync_cli.spark.keeping import Keeper, Run
from idsync_cli.spark.partitions import most_partitions
from idsync_cli.spark.reading import shown
from idsync_cli.spark.rows import RowKind
from idsync_cli.spark.spreading import spread
from idsync_cli.spark.state import seen_by
from idsync_cli.spark.tables import (
    RESULTS,
    ROWS,
    Batches,
    Made,
    Mapped,
    Values,
    empty,
    of_rows,
    results_of,
    row_of,
    rows_in,
    values_of,
)
from idsync_cli.spark.task import TaskWork, run
from idsync_cli.spark.windows import WindowReport

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


class _Read(NamedTuple):
    """Of the lines how many each file has, a sum of all, and how many are refused by shape."""

    by_file: dict[int, int]
    fingerprint: int
    refused: int


class JobResult(NamedTuple):
    """What a job came to: rows of answers, history and decisions, and the state behind it."""

    results: "DataFrame"
    state: "DataFrame"
    lines: int
    last_seq: int
    fingerprint: int
    windows: list[WindowReport]


class JobRun:
    """Works through the lines; `keeper` keeps tables, `tell` is called with each window's report.

    `stage` is told what is done next, and `check` how many lines of each file were read, before any
    is resolved.
    """

    def __init__(
        self,
        spark: "SparkSession",
        order: Order,
        keeper: Keeper,
        tell: Callable[[WindowReport], None],
        stage: Callable[[str], None],
        check: Callable[[Mapping[int, int]], None],
    ) -> None:
        self._spark = spark
        self._order = order
        self._keeper = keeper
        self._tell = tell
        self._stage = stage
        self._check = check
        self._most_tasks = most_partitions(spark)

    def run(
        self,
        lines: "DataFrame",
        numbered: Callable[[Iterator[Values]], Iterator[Values]],
        state: "DataFrame",
        last_seq: int,
        *,
        by_other_rules: bool,
    ) -> JobResult:
        """Answer lines on a state that ends with a number, and was maybe seen by other rules.

        `numbered` gives the lines their numbers (`naming.named_lines`).

        Raises:
            UsageFault: a line is an erasure.
        """
        from pyspark.sql import functions as f

        order = self._order
        if by_other_rules:
            self._stage("what the state says by the rules")
            state = self._keeper.made(state, self._by_these_rules(), ROWS, "state")
        self._stage("reading lines and what they name")
        keys = [
            bytes(key)
            for (key,) in state.select("key").where("key IS NOT NULL").distinct().collect()
        ]
        names_in = naming.reading_names(numbered, order.rules, order.seed, keys)
        lines = self._keeper.made(lines, names_in, naming.LINES, "lines")
        read = self._look_over(lines)
        count = sum(read.by_file.values())
        end = last_seq + count
        self._check(read.by_file)
        chooser = WindowChooser(
            order, lines, self._keeper, self._stage, self._most_tasks, read.refused
        )
        labels = empty(self._spark, "file int, label binary, mpid long")
        names = empty(self._spark, naming.NAMED)
        if last_seq:
            names = self._keeper.table(naming.names_of_state(state, order.rules), "known")
        so_far = StateSoFar(state, names, labels)
        results: list[DataFrame] = []
        reports: list[WindowReport] = []
        first = last_seq + 1
        size = order.window or max(count, 1)
        while first <= end:
            window, report = chooser.choose(so_far, first, min(size, end - first + 1))
            reports.append(report)
            self._tell(report)
            size = window.length
            found = self._resolve(window, so_far.state, first - 1, is_last=first + size > end)
            results.append(found.where(f.col("kind") == RowKind.LINE.value))
            first += window.length
            so_far = self._so_far_after(window, so_far, found, is_last=first > end)
        nothing = empty(self._spark, RESULTS)
        every = reduce(lambda one, other: one.unionAll(other), results, nothing)
        return JobResult(every, so_far.state, count, end, read.fingerprint, reports)

    def _by_these_rules(self) -> Run:
        rules = self._order.rules

        def make() -> Mapped:
            organization = rules.organization()

            def read(rows: Iterator[Values]) -> Iterator[Values]:
                for values in rows:
                    yield values_of(seen_by(row_of(values), organization))

            return read

        return of_rows(make, ROWS)

    def _look_over(self, lines: "DataFrame") -> _Read:
        """What is there.

        Raises:
            UsageFault: a line is an erasure.
        """
        from pyspark.sql import functions as f

        erasure = f.min(f.when(f.col("erases"), f.col("seq")))
        fingerprint = f.expr("bit_xor(xxhash64(seq, data))")
        refused = f.sum(f.col("is_refused").cast("int"))
        found = lines.groupBy("file").agg(f.count("*"), fingerprint, refused, erasure).collect()
        erasures = [seq for *_, seq in found if seq is not None]
        if erasures:
            [(file, line)] = (
                lines.where(f.col("seq") == min(erasures)).select("file", "line").collect()
            )
            where = shown(self._order.files, file, line)
            raise UsageFault(
                f"{where} is an erasure, which a job on a cluster does not carry out; nothing was "
                "done",
                hint=Hint.ERASE_WHEN_LOADED,
            )
        by_file = {file: count for file, count, *_ in found}
        return _Read(
            by_file, reduce(xor, [each[2] for each in found], 0), sum(each[3] for each in found)
        )

    def _resolve(
        self, window: Window, state: "DataFrame", last_seq: int, *, is_last: bool
    ) -> "DataFrame":
        """All that the tasks of a window give."""
        order = self._order
        self._stage(f"resolving {window.length:,} lines from {window.first:,}")
        work = TaskWork(order.rules, order.seed, last_seq, order.now_ms, order.files)
        tasks = windows.tasks_for(window.length, self._most_tasks)
        of_state = state.join(window.touched, "node")
        rows = spread(window.lines, of_state, window.found.told.large, tasks)

        def answer(batches: Batches) -> Made:
            return results_of(run(work, rows_in(batches)))

        return self._keeper.results(rows, answer, "resolved", is_last=is_last)

    # ---- What goes on

    def _so_far_after(
        self, window: Window, so_far: StateSoFar, found: "DataFrame", *, is_last: bool
    ) -> StateSoFar:
        """What the next window comes upon; of the last one the state alone is asked for."""
        from pyspark.sql import functions as f

        self._stage(f"the state behind {window.first + window.length - 1:,}")
        touched = window.touched.select("node")
        columns = so_far.state.columns
        given_back = found.where(f.col("kind") == RowKind.STATE.value).select(columns)
        untouched = so_far.state.join(touched, "node", "left_anti").select(columns)
        is_new = window.first == 1  # so nothing was there before
        state = given_back
        if not is_new:
            state = self._keeper.table(untouched.unionAll(given_back), "state")
        if is_last:
            return so_far._replace(state=state)
        new = naming.names_of_state(given_back, self._order.rules)
        names = so_far.names.join(touched, "node", "left_anti").unionAll(new)
        names = self._keeper.table(names, "known")
        return StateSoFar(state, names, self._labels_after(window, so_far.labels, found))

    def _labels_after(self, window: Window, before: "DataFrame", found: "DataFrame") -> "DataFrame":
        """What each label of the file that goes on stands for behind the window."""
        from pyspark.sql import Window as Over
        from pyspark.sql import functions as f

        files = window.lines.agg(f.max("file").alias("file"))
        answers = found.where(f.col("kind") == RowKind.LINE.value).select("seq", "mpid")
        sets = window.lines.where("sets IS NOT NULL").select("seq", "file", "sets")
        new = sets.join(answers, "seq").select("file", f.col("sets").alias("label"), "mpid", "seq")
        every = new.unionAll(before.withColumn("seq", f.lit(0).cast("long")))
        latest = Over.partitionBy("file", "label").orderBy(f.desc("seq"))
        by_now = every.withColumn("place", f.row_number().over(latest)).where("place = 1")
        return self._keeper.table(
            by_now.join(f.broadcast(files), "file").select("file", "label", "mpid"), "labels"
        )
