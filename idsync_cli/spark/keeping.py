"""How a job keeps the tables that it reads again: with the executors, by Spark, or by its tasks."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol, Self

from idsync_cli.spark.locations import location_of
from idsync_cli.spark.tables import RESULTS, Batches, Made, arrow_of, mapped_batches

if TYPE_CHECKING:
    import pyarrow
    from pyspark.sql import DataFrame, SparkSession

Run = Callable[[Batches], Made]
"""What makes batches of others, in a task."""

WRITTEN: Final = "rows long"
"""The schema of what a task gives that has written its rows itself: how many there were."""

DRAFT: Final = ".draft-"
"""What the names of files begin with that a task has not finished."""

_COMPRESSION: Final = "lz4_raw"
_BYTES_AT_ONCE: Final = 16 * 2**20
"""About how many bytes a task gathers before it writes them."""


class Keeper(Protocol):
    """Computes tables and keeps them, under a name, so that nothing before is computed again."""

    def table(self, table: "DataFrame", name: str) -> "DataFrame":
        """Keep a table."""

    def made(self, table: "DataFrame", run: Run, schema: str, name: str) -> "DataFrame":
        """Keep what a function makes of the batches of each partition of a table."""

    def results(self, table: "DataFrame", run: Run, name: str, *, is_last: bool) -> "DataFrame":
        """Keep what the tasks of a window give (`RESULTS`), after which none may follow."""


class WithExecutors:
    """Keeps tables where they were computed, until the session ends."""

    def table(self, table: "DataFrame", name: str) -> "DataFrame":
        """Keep a table."""
        del name
        return table.localCheckpoint(eager=True)

    def made(self, table: "DataFrame", run: Run, schema: str, name: str) -> "DataFrame":
        """Keep what a function makes of the batches of each partition of a table."""
        return self.table(mapped_batches(table, run, schema), name)

    def results(self, table: "DataFrame", run: Run, name: str, *, is_last: bool) -> "DataFrame":
        """Keep what the tasks of a window give (`RESULTS`)."""
        del is_last
        return self.made(table, run, RESULTS, name)


class InFolder:
    """Keeps tables in a folder, of whatever file system, which Spark writes."""

    def __init__(self, spark: "SparkSession", folder: str) -> None:
        self._spark = spark
        self._folder = folder
        self._tables = 0

    def table(self, table: "DataFrame", name: str) -> "DataFrame":
        """Keep a table."""
        path = self._path(name)
        table.write.mode("overwrite").options(**_OPTIONS).parquet(path)
        return self._read(path, table.schema)

    def made(self, table: "DataFrame", run: Run, schema: str, name: str) -> "DataFrame":
        """Keep what a function makes of the batches of each partition of a table."""
        return self.table(mapped_batches(table, run, schema), name)

    def results(self, table: "DataFrame", run: Run, name: str, *, is_last: bool) -> "DataFrame":
        """Keep what the tasks of a window give (`RESULTS`)."""
        del is_last
        return self.made(table, run, RESULTS, name)

    def _path(self, name: str) -> str:
        self._tables += 1
        return f"{self._folder}/{self._tables:04}-{name}"

    def _read(self, path: str, schema: Any) -> "DataFrame":
        return self._spark.read.schema(schema).parquet(location_of(path))


_OPTIONS: Final = {"compression": _COMPRESSION, "parquet.enable.dictionary": "false"}
"""How tables are written that are read once or twice, and removed when the job is done."""


class OnThisMachine(InFolder):
    """Keeps tables in a folder of this machine, on which all tasks run: they write it themselves.

    So what they make need not go through Java.
    """

    def made(self, table: "DataFrame", run: Run, schema: str, name: str) -> "DataFrame":
        """Keep what a function makes of the batches of each partition of a table."""
        path = self._path(name)
        Path(path).mkdir(parents=True)  # a table may have no partition
        do(table, writing(run, schema, path))
        return self._read(path, schema)


def do(table: "DataFrame", run: Run) -> None:
    """Let tasks do something (`WRITTEN`)."""
    mapped_batches(table, run, WRITTEN).write.format("noop").mode("overwrite").save()


def writing(run: Run, schema: str, folder: str) -> Run:
    """The function that writes what a function makes, as a Parquet file for each partition."""

    def write(batches: Batches) -> Made:
        with ParquetPart(folder, schema) as part:
            for batch in run(batches):
                part.add(batch)
        yield rows_written(part.rows)

    return write


def rows_written(count: int) -> "pyarrow.RecordBatch":
    """The only batch of a task that has written its rows itself."""
    import pyarrow

    return pyarrow.RecordBatch.from_arrays([[count]], schema=arrow_of(WRITTEN))


def task_number() -> int:
    """The number of the partition that this task is for."""
    from pyspark import TaskContext

    context = TaskContext.get()
    assert context is not None
    return int(context.partitionId())


class PartFile:
    """A file that a task writes into a folder of this machine: whole, or it is not there.

    A task that is done again, or twice at once, writes the same once more. `group` is told apart
    by the name, too.
    """

    def __init__(self, folder: str, suffix: str, group: int = 0) -> None:
        Path(folder).mkdir(parents=True, exist_ok=True)
        self._path = Path(folder) / f"part-{group:05}-{task_number():05}{suffix}"
        self.draft = str(self._path.with_name(f"{DRAFT}{os.getpid()}-{self._path.name}"))

    def put_in_place(self) -> None:
        """The draft is whole."""
        os.replace(self.draft, self._path)  # noqa: PTH105 - a path as text

    def forget(self) -> None:
        """The draft will not be whole."""
        Path(self.draft).unlink(missing_ok=True)


class ParquetPart:
    """A part of a table, as Parquet; it is there when the block ends."""

    def __init__(
        self, folder: str, schema: str, *, compression: str = "lz4", group: int = 0
    ) -> None:
        self._folder = folder
        self._group = group
        self._schema = arrow_of(schema)
        self._compression = compression
        self._waiting: list[pyarrow.RecordBatch] = []
        self._bytes = 0
        self.rows = 0

    def __enter__(self) -> Self:
        from pyarrow.parquet import ParquetWriter

        self._part = PartFile(self._folder, ".parquet", self._group)
        self._writer = ParquetWriter(
            self._part.draft, self._schema, compression=self._compression, use_dictionary=False
        )
        return self

    def add(self, batch: "pyarrow.RecordBatch") -> None:
        """Add rows."""
        if not len(batch):
            return
        self._waiting.append(batch)
        self._bytes += batch.nbytes
        self.rows += len(batch)
        if self._bytes >= _BYTES_AT_ONCE:
            self._write()

    def _write(self) -> None:
        import pyarrow

        self._writer.write_table(pyarrow.Table.from_batches(self._waiting, self._schema))
        self._waiting, self._bytes = [], 0

    def __exit__(self, kind: object, error: object, traceback: object) -> None:
        if error is None:
            self._write()
        self._writer.close()
        if error is None:
            self._part.put_in_place()
        else:
            self._part.forget()
