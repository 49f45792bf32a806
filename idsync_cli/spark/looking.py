"""Looking at a window before it is resolved: what in it belongs together (section 13)."""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from idsync_cli.spark import naming, windows
from idsync_cli.spark.components import Keep, components
from idsync_cli.spark.naming import Said
from idsync_cli.spark.rows import Section
from idsync_cli.spark.rules import JobRules
from idsync_cli.spark.ties import shown_names
from idsync_cli.spark.windows import COMMONEST, WindowReport

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


class Order(NamedTuple):
    """What a job is asked for; `window` and `max_share` as in section 13."""

    rules: JobRules
    seed: int
    now_ms: int
    files: Sequence[str] | None
    window: int | None
    max_share: float


class Known(NamedTuple):
    """What a window comes upon: the state with its names, and what labels stand for by now."""

    state: "DataFrame"
    names: "DataFrame"
    labels: "DataFrame"


class Window(NamedTuple):
    """A window that was looked at.

    `lines` have their component and the labels of earlier windows. `said` is what they say.
    `touched` has the nodes of the state that they may reach, with their component, and `sizes` how
    many lines each component has; `largest` is one that has the most.
    """

    lines: "DataFrame"
    said: "DataFrame"
    touched: "DataFrame"
    sizes: "DataFrame"
    found: "DataFrame"
    first: int
    length: int
    largest: int
    its_lines: int
    components: int

    @property
    def share(self) -> float:
        """The share of the lines that the largest component has."""
        return self.its_lines / self.length


class Looking:
    """Looks at windows of lines, of which `said` tells what they name."""

    def __init__(
        self,
        order: Order,
        lines: "DataFrame",
        said: "DataFrame",
        keep: Keep,
        stage: Callable[[str], None],
        most_tasks: int,
    ) -> None:
        self._order = order
        self._lines = lines
        self._said = said
        self._keep = keep
        self._stage = stage
        self._most_tasks = most_tasks

    def choose(self, known: Known, first: int, count: int) -> tuple[Window, WindowReport]:
        """A window from a number on, halved as long as its largest component is too large."""
        before: float | None = None
        while True:
            window = self._look(known, first, count)
            share = window.share
            may = windows.may_be_halved(window.length, share, before, self._order.max_share)
            if self._order.window is not None or not may:
                return window, self._report(window)
            before, count = share, -(-window.length // 2)

    def _look(self, known: Known, first: int, count: int) -> Window:
        """A window with its components."""
        from pyspark.sql import functions as f

        self._stage(f"components of {count:,} lines from {first:,}")
        in_window = f.col("seq").between(first, first + count - 1)
        lines, said = self._lines.where(in_window), self._said.where(in_window)
        edges, earlier = naming.ties_of_labels(said, known.labels)
        found = components(self._shared(known, said, earlier).unionAll(edges), self._keep)
        own = f.coalesce("component", "node").alias("component")
        nodes = lines.select((f.col("seq") * 4).alias("node")).join(found, "node", "left")
        sizes = self._keep(nodes.select(own).groupBy("component").count(), "sizes")
        largest = f.max(f.struct("count", (-f.col("component")).alias("lowest")))
        (its_lines, lowest), every = sizes.agg(largest, f.count("*")).collect()[0]
        of_window = (
            lines.withColumn("node", f.col("seq") * 4)
            .join(found, "node", "left")
            .join(naming.labels_given(earlier), "seq", "left")
            .select("seq", "file", "line", "data", "node", own, "place")
        )
        of_state = known.state.select("node").distinct().join(found, "node", "left")
        touched = of_state.select("node", own).join(sizes.select("component"), "component")
        touched = self._keep(touched, "touched")
        return Window(
            of_window, said, touched, sizes, found, first, count, -lowest, its_lines, every
        )

    def _shared(self, known: Known, said: "DataFrame", earlier: "DataFrame") -> "DataFrame":
        """Edges to the lowest of all that have a name in common."""
        from pyspark.sql import Window as Over
        from pyspark.sql import functions as f

        of_lines = said.where(f.col("said") == Said.NAMES.value).select(
            (f.col("seq") * 4).alias("node"), "name"
        )
        of_labels = naming.names_of_mpids(earlier.select((f.col("seq") * 4).alias("node"), "mpid"))
        is_profile = f.col("section") == Section.PROFILE.value
        is_erasure = f.col("node") % 4 == 2
        taken = known.state.where(is_profile | is_erasure).select("mpid")
        new = naming.names_of_new_mpids(said, taken, self._order.seed, self._keep)
        names = of_lines.unionAll(of_labels).unionAll(new).unionAll(known.names)
        lowest = f.min("node").over(Over.partitionBy("name")).alias("lower")
        return names.select("node", lowest).where("lower < node")

    def _report(self, window: Window) -> WindowReport:
        from pyspark.sql import functions as f

        refused = window.said.where(f.col("said") == Said.IS_REFUSED.value).count()
        return WindowReport(
            window.first,
            window.length,
            refused,
            window.components,
            window.its_lines,
            tuple(self._commonest(window)) if window.its_lines > 1 else (),
            windows.tasks_for(window.length, self._most_tasks),
        )

    def _commonest(self, window: Window) -> Iterator[tuple[str, str, int]]:
        """The values that most lines of the largest component name."""
        from pyspark.sql import functions as f

        its = window.found.where(f.col("component") == window.largest).select("node")
        names = window.said.where(f.col("said") == Said.NAMES.value).select(
            (f.col("seq") * 4).alias("node"), "seq", "name"
        )
        of_lowest = names.where(f.col("node") == window.largest)
        counted = (
            names.join(its, "node", "left_semi")
            .unionAll(of_lowest)
            .groupBy("name")
            .agg(f.count("*").alias("lines"), f.min("seq").alias("seq"))
            .orderBy(f.desc("lines"), "seq", "name")
            .limit(2 * COMMONEST)
            .collect()
        )
        its_lines = self._lines.where(f.col("seq").isin([each["seq"] for each in counted]))
        data = {row["seq"]: bytes(row["data"]) for row in its_lines.select("seq", "data").collect()}
        told = 0
        for name, count, seq in counted:
            texts = shown_names(data[seq], self._order.rules.organization(), self._order.seed)
            if bytes(name) in texts and told < COMMONEST:
                told += 1
                yield *texts[bytes(name)], count
