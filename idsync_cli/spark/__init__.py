"""Replays beyond one machine, on Apache Spark (section 13); PySpark is imported when it is used."""

from typing import Any


def replay(*arguments: Any, **options: Any) -> Any:
    """Answer lines of requests on Spark: see `idsync_cli.spark.replaying.replay`."""
    from idsync_cli.spark.replaying import replay as on_spark

    return on_spark(*arguments, **options)
