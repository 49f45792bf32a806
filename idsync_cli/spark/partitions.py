"""Rows into the partitions that are meant for them: Spark itself goes by a hash, or by samples."""

from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame, SparkSession

_KEY: Final = "partition_key"

_MOST: Final = 200
"""How many partitions a table has at most, where Spark has no number of its own."""


def most_partitions(spark: "SparkSession") -> int:
    """How many partitions a table has at most."""
    most = spark.conf.get("spark.sql.shuffle.partitions") or ""
    return int(most) if most.isdigit() else _MOST  # "auto" on Databricks


def placed(table: "DataFrame", partition: "Column", count: int) -> "DataFrame":
    """A table in so many partitions, of which each row says by its number where it belongs."""
    from pyspark.sql import functions as f

    if count == 1:
        return table.coalesce(1)
    keys = f.array(*[f.lit(key).cast("long") for key in _keys_of(table.sparkSession, count)])
    return table.withColumn(_KEY, keys[partition]).repartition(count, _KEY).drop(_KEY)


@lru_cache
def _keys_of(spark: "SparkSession", count: int) -> list[int]:
    """For each partition a key that Spark's own hash leads to it."""
    from pyspark.sql import functions as f

    def found() -> Iterator[tuple[int, int]]:
        candidates = spark.range(0, count * 64, numPartitions=1)
        rows = candidates.select(f.pmod(f.hash("id"), f.lit(count)), "id").collect()
        yield from ((partition, key) for partition, key in reversed(rows))

    lowest = dict(found())
    return [lowest[partition] for partition in range(count)]
