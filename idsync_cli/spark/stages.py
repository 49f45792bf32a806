"""The stages of a job: named in Spark's own pages, and how long each took."""

from time import monotonic
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_PREFIX = "idsync: "


class Stages:
    """Is told what is done next; names it where there is a SparkContext, and takes the time."""

    def __init__(self, spark: "SparkSession") -> None:
        from pyspark.sql.utils import is_remote

        self._context: Any = None if is_remote() else spark.sparkContext
        self._done: list[tuple[str, float]] = []
        self._stage: str | None = None
        self._began = 0.0

    def __call__(self, stage: str) -> None:
        """A stage begins, and the one before has ended."""
        self.end()
        self._stage = stage
        if self._context is not None:
            self._context.setJobDescription(_PREFIX + stage)

    def end(self) -> None:
        """No stage is under way any more."""
        now = monotonic()
        if self._stage is not None:
            self._done.append((self._stage, now - self._began))
            if self._context is not None:
                self._context.setJobDescription(None)
        self._stage = None
        self._began = now

    def as_json(self) -> list[dict[str, Any]]:
        """As they stand in a report, with their seconds."""
        return [{"stage": stage, "seconds": round(seconds, 1)} for stage, seconds in self._done]
