"""Choosing the windows in which lines are resolved: what in one belongs together (section 13)."""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from idsync_cli.spark import naming, windows
from idsync_cli.spark.components import Components, components
from idsync_cli.spark.keeping import Keeper
from idsync_cli.spark.rows import seq_of
from idsync_cli.spark.rules import JobRules
from idsync_cli.spark.ties import shown_names
from idsync_cli.spark.windows import COMMONEST, WindowReport

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


_AT_HAND: Final = 1_000_000
"""So many nodes are sent to all executors, which saves sorting the lines by theirs."""


class Order(NamedTuple):
    """What a job is asked for; `window` and `max_share` as in section 13."""

    rules: JobRules
    seed: int
    now_ms: int
    files: Sequence[str] | None
    window: int | None
    max_share: float


class StateSoFar(NamedTuple):
    """What a window comes upon: the state with its names, and what labels stand for by now."""

    state: "DataFrame"
    names: "DataFrame"
    labels: "DataFrame"


class Window(NamedTuple):
    """A window, with what in it belongs together.

    `lines` have their component, how many lines that has, and the labels of earlier windows.
    `found` has the nodes that are tied to others; of `components` are also lines on their own.
    """

    lines: "DataFrame"
    found: Components
    first: int
    length: int
    components: int

    @property
    def its_lines(self) -> int:
        """How many lines the largest component has."""
        return max(self.found.told.its_lines, 1)

    @property
    def share(self) -> float:
        """The share of the lines that the largest component has."""
        return self.its_lines / self.length

    @property
    def touched(self) -> "DataFrame":
        """The nodes of the state that its lines may reach, with their component."""
        return self.found.nodes.where("lines > 0 AND node % 4 != 0")


class WindowChooser:
    """Chooses windows of lines (`naming.LINES`), of which so many are refused by shape."""

    def __init__(
        self,
        order: Order,
        lines: "DataFrame",
        keeper: Keeper,
        stage: Callable[[str], None],
        most_tasks: int,
        refused: int,
    ) -> None:
        self._order = order
        self._lines = lines
        self._keeper = keeper
        self._stage = stage
        self._most_tasks = most_tasks
        self._refused = refused

    def choose(self, so_far: StateSoFar, first: int, count: int) -> tuple[Window, WindowReport]:
        """A window from a number on, halved as long as its largest component is too large."""
        before: float | None = None
        while True:
            window = self._look(so_far, first, count)
            share = window.share
            may = windows.may_be_halved(window.length, share, before, self._order.max_share)
            if self._order.window is not None or not may:
                return window, self._report(window)
            before, count = share, -(-window.length // 2)

    def _look(self, so_far: StateSoFar, first: int, count: int) -> Window:
        """A window with its components."""
        from pyspark.sql import functions as f

        self._stage(f"components of {count:,} lines from {first:,}")
        lines = self._lines.where(f.col("seq").between(first, first + count - 1))
        ties, earlier = naming.ties_of_labels(lines, so_far.labels)
        of_labels = naming.names_of_mpids(earlier.select((f.col("seq") * 4).alias("node"), "mpid"))
        named = (
            naming.names_of_lines(lines)
            .unionAll(ties)
            .unionAll(of_labels)
            .unionAll(so_far.names)
            .unionAll(naming.given_out(so_far.state))
        )
        share = count / windows.tasks_for(count, self._most_tasks)
        new_names = naming.names_of_new_mpids
        found = components(named, self._order.seed, self._keeper, new_names, share)
        tied_to = found.nodes.select("node", "component", "lines")
        if found.told.total <= _AT_HAND:
            tied_to = f.broadcast(tied_to)
        of_window = (
            lines.withColumn("node", f.col("seq") * 4)
            .join(tied_to, "node", "left")
            .join(naming.labels_given(earlier), "seq", "left")
            .select(
                *("seq", "file", "line", "data", "place", "sets", "is_refused"),
                f.coalesce("component", "node").alias("component"),
                f.coalesce("lines", f.lit(1)).alias("lines"),
            )
        )
        every = count - found.told.tied + found.told.several
        return Window(of_window, found, first, count, every)

    def _report(self, window: Window) -> WindowReport:
        from pyspark.sql import functions as f

        last = window.first + window.length - 1
        lines = self._lines.where(f.col("seq").between(window.first, last))
        return WindowReport(
            window.first,
            window.length,
            lines.where("is_refused").count() if self._refused else 0,
            window.components,
            window.its_lines,
            tuple(self._commonest(window, lines)) if window.its_lines > 1 else (),
            windows.tasks_for(window.length, self._most_tasks),
        )

    def _commonest(self, window: Window, lines: "DataFrame") -> Iterator[tuple[str, str, int]]:
        """The values that most lines of the largest component name."""
        from pyspark.sql import functions as f

        found = window.found
        commonest = found.told.commonest if found.tells_names else _counted(found, lines)
        counted = [(name, count, seq_of(node)) for name, count, node in commonest]
        its_lines = lines.where(f.col("seq").isin([seq for *_, seq in counted]))
        data = {row["seq"]: bytes(row["data"]) for row in its_lines.select("seq", "data").collect()}
        told = 0
        for name, count, seq in counted:
            texts = shown_names(data[seq], self._order.rules.organization(), self._order.seed)
            if name in texts and told < COMMONEST:
                told += 1
                yield *texts[name], count


def _counted(found: Components, lines: "DataFrame") -> Sequence[tuple[int, int, int]]:
    """The commonest names of the largest component, where no walk has told of them."""
    from pyspark.sql import functions as f

    its = found.nodes.where(f.col("component") == found.told.largest).select("node")
    if found.told.its_lines <= _AT_HAND:
        its = f.broadcast(its)
    counted = (
        lines.select("names", (f.col("seq") * 4).alias("node"))
        .join(its, "node", "left_semi")
        .select("node", f.explode(f.array_distinct("names")).alias("name"))
        .groupBy("name")
        .agg(f.count("*").alias("lines"), f.min("node").alias("first"))
        .orderBy(f.desc("lines"), "first", "name")
        .limit(2 * COMMONEST)
    )
    return [tuple(each) for each in counted.select("name", "lines", "first").collect()]
