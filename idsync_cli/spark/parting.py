"""What a task gives, written by the task itself into the folders of the output (section 13)."""

import zlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, NamedTuple, Self

from idsync_cli.spark.keeping import (
    OnThisMachine,
    ParquetPart,
    Part,
    Run,
    do,
    rows_written,
)
from idsync_cli.spark.loading import DECISIONS
from idsync_cli.spark.places import ANSWERS, HISTORY
from idsync_cli.spark.rows import Kind
from idsync_cli.spark.tables import RESULTS, Batches, Made, arrow_of

if TYPE_CHECKING:
    import pyarrow
    from pyspark.sql import DataFrame, SparkSession

_ANSWERS: Final = "file string, seq long, line long, answer string"
_HISTORY: Final = "seq long, place int, entry string"
_KEPT_OF_LINES: Final = ("kind", "seq", "mpid")
_AS_GZIP: Final = 31
_FAST: Final = 1


class PartingTasks(OnThisMachine):
    """Its tasks write what came of the lines of each window into the output, too.

    Kept are the rows of the state, and of lines what later windows need of them. `files` are the
    names that answers have, by number, if they have any.
    """

    def __init__(
        self, spark: "SparkSession", folder: str, output: str, files: Sequence[str] | None
    ) -> None:
        super().__init__(spark, folder)
        self._output = output
        self._files = files
        self._windows = 0

    def results(self, table: "DataFrame", run: Run, name: str) -> "DataFrame":
        """Keep what tasks give (`RESULTS`)."""
        self._windows += 1
        path = self._path(name)
        do(table, parting(run, Folders(self._output, path, self._files, self._windows)))
        return self._read(path, RESULTS)


class Folders(NamedTuple):
    """Where the tasks of a window write: the output, and a folder for what is kept."""

    output: str
    kept: str
    files: Sequence[str] | None
    window: int


def parting(run: Run, folders: Folders) -> Run:
    """The function that writes what a function makes (`RESULTS`)."""

    def write(batches: Batches) -> Made:
        answers = _part(folders, ANSWERS, _ANSWERS)
        history = _part(folders, HISTORY, _HISTORY)
        decisions, kept = DecisionsPart(folders), ParquetPart(folders.kept, RESULTS)
        with answers, history, decisions, kept:
            for batch in run(batches):
                if len(batch) and batch.column("kind")[0].as_py() == Kind.LINE:
                    answers.add(_answers(batch, folders.files))
                    history.add(_history(batch))
                    decisions.add(batch.column("decision"))
                    kept.add(_without_texts(batch))
                else:
                    kept.add(batch)
        yield rows_written(answers.rows)

    return write


def _part(folders: Folders, name: str, schema: str) -> ParquetPart:
    return ParquetPart(
        f"{folders.output}/{name}", schema, compression="snappy", group=folders.window
    )


def _answers(batch: "pyarrow.RecordBatch", files: Sequence[str] | None) -> "pyarrow.RecordBatch":
    import pyarrow
    import pyarrow.compute as pc

    text = pyarrow.string()
    if files is None:
        names = pyarrow.nulls(len(batch), text)
    else:
        names = pc.take(pyarrow.array(files, text), batch.column("file"))
    columns = names, batch.column("seq"), batch.column("line"), batch.column("answer").cast(text)
    return pyarrow.RecordBatch.from_arrays([*columns], schema=arrow_of(_ANSWERS))


def _history(batch: "pyarrow.RecordBatch") -> "pyarrow.RecordBatch":
    import pyarrow
    import pyarrow.compute as pc

    batch = batch.filter(pc.is_valid(batch.column("entries")))
    entries = pc.split_pattern(batch.column("entries").cast(pyarrow.string()), "\n")
    its = pc.list_parent_indices(entries).cast(pyarrow.int64())
    begins = pc.take(entries.offsets[:-1], its)
    ones = pyarrow.array(range(len(its)), pyarrow.int32())
    places = pc.subtract(ones, begins)
    columns = pc.take(batch.column("seq"), its), places, pc.list_flatten(entries)
    return pyarrow.RecordBatch.from_arrays([*columns], schema=arrow_of(_HISTORY))


def _without_texts(batch: "pyarrow.RecordBatch") -> "pyarrow.RecordBatch":
    import pyarrow

    schema = arrow_of(RESULTS)
    arrays = [
        batch.column(each.name)
        if each.name in _KEPT_OF_LINES
        else pyarrow.nulls(len(batch), each.type)
        for each in schema
    ]
    return pyarrow.RecordBatch.from_arrays(arrays, schema=schema)


class DecisionsPart:
    """A part of the decisions, a line each, packed by gzip; it is there when the block ends."""

    def __init__(self, folders: Folders) -> None:
        self._folders = folders

    def __enter__(self) -> Self:
        folder = f"{self._folders.output}/{DECISIONS}"
        self._part = Part(folder, ".txt.gz", self._folders.window)
        self._file = open(self._part.draft, "wb")  # noqa: PTH123 - a path as text
        self._packer = zlib.compressobj(_FAST, zlib.DEFLATED, _AS_GZIP)
        return self

    def add(self, decisions: "pyarrow.Array") -> None:
        """Add those of some lines, in order; there is nothing for a line that changed nothing."""
        lines = [*decisions.drop_null().to_pylist(), b""]
        self._file.write(self._packer.compress(b"\n".join(lines)))

    def __exit__(self, kind: object, error: object, traceback: object) -> None:
        with self._file:
            if error is None:
                self._file.write(self._packer.flush())
        if error is None:
            self._part.put_in_place()
        else:
            self._part.forget()
