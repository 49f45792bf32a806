"""What a job on Spark costs at least, whatever it does: `spark.py` runs this, and measures it.

PYTHON -m benchmarks.spark_floor MASTER              starts Spark, and asks it for nothing
PYTHON -m benchmarks.spark_floor MASTER FILE FOLDER  also reads lines, sends each to a partition,
                                                     through Python as they are, and writes them
"""

import sys
from collections.abc import Iterator
from typing import Any

from idsync_cli.spark.session import session


def main() -> None:
    """Start Spark, and do it."""
    master, *places = sys.argv[1:]
    spark = session(master, places[:1])
    if not places:
        spark.range(1).count()
        return
    from pyspark.sql import functions as f

    name, folder = places
    lines = spark.read.text(name, lineSep="\n").select(f.col("value").cast("binary").alias("data"))
    most = int(spark.conf.get("spark.sql.shuffle.partitions") or 8)
    spread = lines.withColumn("key", f.xxhash64("data")).repartition(most, "key")
    spread.mapInArrow(as_it_is, spread.schema).write.mode("overwrite").parquet(folder)


def as_it_is(batches: Iterator[Any]) -> Iterator[Any]:
    """Give back what came."""
    yield from batches


if __name__ == "__main__":
    main()
