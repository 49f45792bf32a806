"""Rows over tasks: whole components, and a task of its own for each large one (section 13)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from idsync_cli.spark.partitions import placed
from idsync_cli.spark.rows import RowKind
from idsync_cli.spark.tables import COLUMNS, OF_STATE, ORDER

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame


def spread(lines: "DataFrame", state: "DataFrame", large: Sequence[int], tasks: int) -> "DataFrame":
    """The rows of lines and of the state, spread over tasks, each partition as a task takes it.

    Both have their component; a `large` one gets a task of its own beside the `tasks`.
    """
    from pyspark.sql import functions as f

    of_state = state.select(
        *("component", "kind", "seq", "data", "place", "file", "line"),
        f.struct(*OF_STATE).alias("of_state"),
    )
    kinds = ", ".join(f"{name}: {COLUMNS[name]}" for name in OF_STATE)
    of_lines = lines.select(
        "component", f.lit(RowKind.LINE.value).alias("kind"), "seq", "data",
        f.coalesce("place", f.lit(b"")).alias("place"), "file", "line",
        f.lit(None).cast(f"struct<{kinds}>").alias("of_state"),
    )  # fmt: skip
    rows = of_lines.unionAll(of_state)
    bucket: Column = f.pmod(f.hash("component"), f.lit(tasks)) + len(large)
    if large:
        own = f.create_map(*[f.lit(each) for pair in enumerate(large) for each in reversed(pair)])
        bucket = f.coalesce(own[f.col("component")], bucket)
    its_seq = f.when(f.col("kind") == RowKind.LINE.value, f.col("seq")).otherwise(0)
    order = [f"of_state.{name}" if name in OF_STATE else name for name in ORDER]
    parts = placed(rows, bucket, len(large) + tasks).drop("component")
    return parts.sortWithinPartitions(its_seq, *order)
