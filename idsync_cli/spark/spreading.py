"""Rows over tasks: whole components, and a task of its own for each large one (section 13)."""

from typing import TYPE_CHECKING

from idsync_cli.spark.rows import Kind
from idsync_cli.spark.tables import ORDER, ROWS

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


class Spreading:
    """Spreads rows over tasks, which are partitions."""

    def __init__(self, spark: "SparkSession") -> None:
        self._spark = spark
        self._keys: dict[int, DataFrame] = {}  # by the number of partitions

    def spread(
        self,
        lines: "DataFrame",
        state: "DataFrame",
        sizes: "DataFrame",
        count: int,
        tasks: int,
    ) -> "DataFrame":
        """The rows of lines and of the state, each partition sorted as a task takes it.

        Both have their component. `sizes` says how many of the `count` lines each has; whatever has
        more than a task's share gets one of its own beside the `tasks`.
        """
        from pyspark.sql import functions as f

        of_lines = lines.select(
            f.lit(Kind.LINE.value).alias("kind"), "seq", "data", "node",
            f.lit(0).alias("section"), f.lit(0).alias("rank"), f.lit(0).cast("long").alias("age"),
            f.coalesce("place", f.lit(b"")).alias("place"), f.lit(None).cast("long").alias("mpid"),
            f.lit(None).cast("long").alias("other"), f.lit(None).cast("binary").alias("key"),
            f.lit(False).alias("was_known"), "file", "line", "component",
        )  # fmt: skip
        large, total = self._large(sizes, count, tasks)
        rows = of_lines.unionAll(state.select(of_lines.columns)).join(large, "component", "left")
        by_hash = f.pmod(f.hash("component"), f.lit(tasks)) + (total - tasks)
        rows = rows.withColumn("bucket", f.coalesce("bucket", by_hash))
        if total > 1:
            keys = self._keys.get(total)
            if keys is None:
                keys = self._keys[total] = self._keys_of(total)
            rows = rows.join(f.broadcast(keys), "bucket").repartition(total, "partition_key")
        else:
            rows = rows.coalesce(1)
        columns = [column.split()[0] for column in ROWS.split(", ")]
        return rows.select(*columns).sortWithinPartitions(*ORDER)

    def _large(self, sizes: "DataFrame", count: int, tasks: int) -> tuple["DataFrame", int]:
        """The large components, with a task of its own for each; and how many tasks there are."""
        from pyspark.sql import functions as f

        large = sizes.where(f.col("count") * tasks > count)
        found = large.orderBy(f.desc("count"), "component").select("component").collect()
        rows = [(component, number) for number, (component,) in enumerate(found)]
        table = self._spark.createDataFrame(rows, "component long, bucket int")
        return f.broadcast(table), len(rows) + tasks

    def _keys_of(self, total: int) -> "DataFrame":
        """For each bucket a key that Spark's own hash leads to a partition of its own."""
        from pyspark.sql import functions as f

        candidates = self._spark.range(total * 64).select(
            f.col("id").alias("partition_key"),
            f.pmod(f.hash("id"), f.lit(total)).alias("bucket"),
        )
        keys = candidates.groupBy("bucket").agg(f.min("partition_key").alias("partition_key"))
        return self._spark.createDataFrame(
            [(row["bucket"], row["partition_key"]) for row in keys.collect()],
            "bucket int, partition_key long",
        )
