"""Rows over tasks: whole components, and a task of its own for each large one (section 13)."""

from typing import TYPE_CHECKING

from idsync_cli.spark.partitions import placed
from idsync_cli.spark.rows import Kind
from idsync_cli.spark.tables import COLUMNS, OF_STATE, ORDER

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame


def spread(
    lines: "DataFrame", state: "DataFrame", found: "DataFrame", count: int, tasks: int
) -> "DataFrame":
    """The rows of lines and of the state, spread over tasks, each partition as a task takes it.

    Both have their component. `found` says how many of the `count` lines each has, as
    `walking.GROUPED`: whatever has more than a task's share gets a task of its own beside the
    `tasks`.
    """
    from pyspark.sql import functions as f

    of_state = state.select(
        *("component", "kind", "seq", "data", "place", "file", "line"),
        f.struct(*OF_STATE).alias("of_state"),
    )
    kinds = ", ".join(f"{name}: {COLUMNS[name]}" for name in OF_STATE)
    of_lines = lines.select(
        "component", f.lit(Kind.LINE.value).alias("kind"), "seq", "data",
        f.coalesce("place", f.lit(b"")).alias("place"), "file", "line",
        f.lit(None).cast(f"struct<{kinds}>").alias("of_state"),
    )  # fmt: skip
    rows = of_lines.unionAll(of_state)
    large = _large(found, count, tasks)
    bucket: Column = f.pmod(f.hash("component"), f.lit(tasks)) + len(large)
    if large:
        own = f.create_map(*[f.lit(each) for pair in large.items() for each in pair])
        bucket = f.coalesce(own[f.col("component")], bucket)
    its_seq = f.when(f.col("kind") == Kind.LINE.value, f.col("seq")).otherwise(0)
    order = [f"of_state.{name}" if name in OF_STATE else name for name in ORDER]
    parts = placed(rows, bucket, len(large) + tasks).drop("component")
    return parts.sortWithinPartitions(its_seq, *order)


def _large(found: "DataFrame", count: int, tasks: int) -> dict[int, int]:
    """The large components, of which there are fewer than tasks, each with a task of its own."""
    from pyspark.sql import functions as f

    large = found.where((f.col("node") == f.col("component")) & (f.col("lines") * tasks > count))
    rows = large.orderBy(f.desc("lines"), "component").select("component").collect()
    return {component: number for number, (component,) in enumerate(rows)}
