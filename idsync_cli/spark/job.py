"""A job: lines and a state into answers and a state, window by window (section 13)."""

from collections.abc import Callable, Iterator, Sequence
from functools import reduce
from typing import TYPE_CHECKING, Final, NamedTuple

from idsync_cli.errors import Hint, UsageFault
from idsync_cli.spark import naming, windows
from idsync_cli.spark.components import Keep, components
from idsync_cli.spark.naming import Said
from idsync_cli.spark.reading import shown
from idsync_cli.spark.rows import Kind, Section
from idsync_cli.spark.rules import JobRules
from idsync_cli.spark.spreading import Spreading
from idsync_cli.spark.state import seen_by
from idsync_cli.spark.tables import ROWS, Mapped, Values, empty, mapped, row_of, values_of
from idsync_cli.spark.task import TaskWork, run
from idsync_cli.spark.ties import shown_names
from idsync_cli.spark.windows import COMMONEST, WindowReport

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


_MOST_TASKS: Final = 200
"""Into how many tasks a window is spread at most, where Spark has no number of its own."""


class Order(NamedTuple):
    """What a job is asked for; `window` and `max_share` as in section 13."""

    rules: JobRules
    seed: int
    now_ms: int
    files: Sequence[str] | None
    window: int | None
    max_share: float


class Done(NamedTuple):
    """What a job came to: rows of answers, history and decisions, and the state behind it."""

    results: "DataFrame"
    state: "DataFrame"
    lines: int
    last_seq: int
    fingerprint: int
    windows: list[WindowReport]


class _Window(NamedTuple):
    """A window that was looked at: its lines with the component of each, and of the state."""

    lines: "DataFrame"
    said: "DataFrame"
    touched: "DataFrame"
    sizes: "DataFrame"
    first: int
    length: int
    largest: int
    components: int


class Job:
    """Works through the lines; `keep` computes tables, `tell` is called with each window's report.

    `stage` is told what is done next.
    """

    def __init__(
        self,
        spark: "SparkSession",
        order: Order,
        keep: Keep,
        tell: Callable[[WindowReport], None],
        stage: Callable[[str], None],
    ) -> None:
        self._spark = spark
        self._order = order
        self._keep = keep
        self._tell = tell
        self._stage = stage
        self._tables = 0
        self._spreading = Spreading(spark)
        most = spark.conf.get("spark.sql.shuffle.partitions") or ""
        self._most_tasks = int(most) if most.isdigit() else _MOST_TASKS  # "auto" on Databricks

    def _kept(self, table: "DataFrame", name: str) -> "DataFrame":
        self._tables += 1
        return self._keep(table, f"{self._tables:04}-{name}")

    def run(
        self, lines: "DataFrame", state: "DataFrame", last_seq: int, *, by_other_rules: bool
    ) -> Done:
        """Answer numbered lines, on a state that ends with a number, maybe seen by other rules.

        Raises:
            UsageFault: a line is an erasure.
        """
        from pyspark.sql import functions as f

        order = self._order
        if by_other_rules:
            self._stage("what the state says by the rules")
            state = self._kept(self._by_these_rules(state), "state")
        self._stage("what lines name")
        keys = [
            bytes(key)
            for (key,) in state.select("key").where("key IS NOT NULL").distinct().collect()
        ]
        lines = self._kept(lines, "lines")
        said = self._kept(naming.names_of_lines(lines, order.rules, order.seed, keys), "names")
        self._check_erasures(lines, said)
        count, last, fingerprint = lines.agg(
            f.count("*"), f.max("seq"), f.expr("bit_xor(xxhash64(seq, data))")
        ).collect()[0]
        end = last_seq if last is None else last
        handed_on = empty(self._spark, "file int, label binary, mpid long")
        results: list[DataFrame] = []
        reports: list[WindowReport] = []
        first = last_seq + 1
        size = order.window or max(count, 1)
        while first <= end:
            window, report = self._choose(lines, said, state, handed_on, first, size, end)
            reports.append(report)
            self._tell(report)
            size = window.length
            found = self._resolve(window, state, first - 1)
            results.append(found.where(f.col("kind") > Kind.LINE.value))
            state = self._state_after(window, state, found)
            first += window.length
            if first <= end:
                handed_on = self._handed_on(window, handed_on, found)
        nothing = empty(self._spark, ROWS)
        every = reduce(lambda one, other: one.unionAll(other), results, nothing)
        return Done(every, state, count, end, fingerprint or 0, reports)

    def _by_these_rules(self, state: "DataFrame") -> "DataFrame":
        rules = self._order.rules

        def make() -> Mapped:
            organization = rules.organization()

            def read(rows: Iterator[Values]) -> Iterator[Values]:
                for values in rows:
                    yield values_of(seen_by(row_of(values), organization))

            return read

        return mapped(state, make, ROWS)

    def _check_erasures(self, lines: "DataFrame", said: "DataFrame") -> None:
        from pyspark.sql import functions as f

        erasures = said.where(f.col("said") == Said.ERASES.value).select("seq")
        found = erasures.join(lines, "seq").select("file", "line").orderBy("seq").limit(1).collect()
        for file, line in found:
            where = shown(self._order.files, file, line)
            raise UsageFault(
                f"{where} is an erasure, which a job on a cluster does not carry out; nothing was "
                "done",
                hint=Hint.ERASE_WHEN_LOADED,
            )

    # ---- Windows

    def _choose(
        self,
        lines: "DataFrame",
        said: "DataFrame",
        state: "DataFrame",
        handed_on: "DataFrame",
        first: int,
        size: int,
        end: int,
    ) -> tuple[_Window, WindowReport]:
        """A window from a number on, halved as long as its largest component is too large."""
        before: float | None = None
        count = min(size, end - first + 1)
        while True:
            window = self._look(lines, said, state, handed_on, first, count)
            share = window.largest / window.length
            may = windows.may_be_halved(window.length, share, before, self._order.max_share)
            if self._order.window is not None or not may:
                return window, self._report(window)
            before, count = share, -(-window.length // 2)

    def _look(
        self,
        lines: "DataFrame",
        said: "DataFrame",
        state: "DataFrame",
        handed_on: "DataFrame",
        first: int,
        count: int,
    ) -> _Window:
        """A window with its components."""
        from pyspark.sql import functions as f

        self._stage(f"components of {count:,} lines from {first:,}")
        in_window = f.col("seq").between(first, first + count - 1)
        lines, said = lines.where(in_window), said.where(in_window)
        of_lines = said.where(f.col("said") == Said.NAMES.value).select(
            (f.col("seq") * 4).alias("node"), "name"
        )
        edges, earlier = naming.ties_of_labels(said, handed_on)
        of_labels = naming.names_of_mpids(earlier.select((f.col("seq") * 4).alias("node"), "mpid"))
        is_profile = f.col("section") == Section.PROFILE.value
        is_erasure = f.col("node") % 4 == 2
        taken = state.where(is_profile | is_erasure).select("mpid")
        new = naming.names_of_new_mpids(said, taken, self._order.seed, self._kept)
        of_state = naming.names_of_state(state, self._order.rules)
        names = self._kept(
            of_lines.unionAll(of_labels).unionAll(new).unionAll(of_state).distinct(), "members"
        )
        lowest = names.groupBy("name").agg(f.min("node").alias("lower"), f.count("*").alias("of"))
        shared = names.join(lowest.where("of > 1"), "name").where("node != lower")
        found = components(shared.select("node", "lower").unionAll(edges), self._kept)
        own = f.coalesce("component", "node").alias("component")
        with_labels = naming.labels_given(earlier)
        of_window = self._kept(
            lines.withColumn("node", f.col("seq") * 4)
            .join(found, "node", "left")
            .join(with_labels, "seq", "left")
            .select("seq", "file", "line", "data", "node", own, "place"),
            "window",
        )
        sizes = self._kept(of_window.groupBy("component").count(), "sizes")
        nodes = state.select("node").distinct().join(found, "node", "left").select("node", own)
        touched = self._kept(nodes.join(sizes.select("component"), "component"), "touched")
        largest, components_in_it = sizes.agg(f.max("count"), f.count("*")).collect()[0]
        return _Window(of_window, said, touched, sizes, first, count, largest, components_in_it)

    def _report(self, window: _Window) -> WindowReport:
        from pyspark.sql import functions as f

        refused = window.said.where(f.col("said") == Said.IS_REFUSED.value).count()
        return WindowReport(
            window.first,
            window.length,
            refused,
            window.components,
            window.largest,
            tuple(self._commonest(window)) if window.largest > 1 else (),
            windows.tasks_for(window.length, self._most_tasks),
        )

    def _commonest(self, window: _Window) -> Iterator[tuple[str, str, int]]:
        """The values that most lines of the largest component name."""
        from pyspark.sql import functions as f

        its = window.sizes.orderBy(f.desc("count"), "component").limit(1).select("component")
        lines = window.lines.join(f.broadcast(its), "component").select("seq", "data")
        names = window.said.where(f.col("said") == Said.NAMES.value).select("seq", "name")
        counted = (
            names.join(lines.select("seq"), "seq")
            .groupBy("name")
            .agg(f.count("*").alias("lines"), f.min("seq").alias("seq"))
            .orderBy(f.desc("lines"), "seq", "name")
            .limit(2 * COMMONEST)
        )
        told = 0
        for name, count, data in (
            counted.join(lines, "seq")
            .select("name", "lines", "data")
            .orderBy(f.desc("lines"), "seq", "name")
            .collect()
        ):
            texts = shown_names(bytes(data), self._order.rules.organization(), self._order.seed)
            if bytes(name) in texts and told < COMMONEST:
                told += 1
                yield *texts[bytes(name)], count

    def _resolve(self, window: _Window, state: "DataFrame", last_seq: int) -> "DataFrame":
        """All that the tasks of a window give."""
        order = self._order
        self._stage(f"resolving {window.length:,} lines from {window.first:,}")
        work = TaskWork(order.rules, order.seed, last_seq, order.now_ms, order.files)
        tasks = windows.tasks_for(window.length, self._most_tasks)
        spread = self._spreading.spread(
            window.lines, state.join(window.touched, "node"), window.sizes, window.length, tasks
        )

        def make() -> Mapped:
            def answer(values: Iterator[Values]) -> Iterator[Values]:
                return map(values_of, run(work, map(row_of, values)))

            return answer

        return self._kept(mapped(spread, make, ROWS), "resolved")

    # ---- What goes on

    def _state_after(self, window: _Window, state: "DataFrame", found: "DataFrame") -> "DataFrame":
        from pyspark.sql import functions as f

        self._stage(f"the state behind {window.first + window.length - 1:,}")
        untouched = state.join(window.touched.select("node"), "node", "left_anti")
        given_back = found.where(f.col("kind") == Kind.STATE.value)
        return self._kept(untouched.select(given_back.columns).unionAll(given_back), "state")

    def _handed_on(self, window: _Window, before: "DataFrame", found: "DataFrame") -> "DataFrame":
        """What each label of the file that goes on stands for behind the window."""
        from pyspark.sql import Window
        from pyspark.sql import functions as f

        files = window.lines.agg(f.max("file").alias("file"))
        answers = found.where(f.col("kind") == Kind.ANSWER.value).select("seq", "mpid")
        sets = window.said.where(f.col("said") == Said.SETS.value)
        new = sets.join(answers, "seq").select("file", f.col("name").alias("label"), "mpid", "seq")
        every = new.unionAll(before.withColumn("seq", f.lit(0).cast("long")))
        latest = Window.partitionBy("file", "label").orderBy(f.desc("seq"))
        by_now = every.withColumn("place", f.row_number().over(latest)).where("place = 1")
        return self._kept(
            by_now.join(f.broadcast(files), "file").select("file", "label", "mpid"), "labels"
        )
