"""What a task gives, written by the task itself into the folders of the output (section 13)."""

import zlib
from collections.abc import Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final, NamedTuple, Self

from idsync_cli.spark.job_folder import ANSWERS, HISTORY, PROFILES, SEEN
from idsync_cli.spark.keeping import (
    OnThisMachine,
    ParquetPart,
    PartFile,
    Run,
    do,
    rows_written,
)
from idsync_cli.spark.loading import DECISIONS
from idsync_cli.spark.rows import RowKind, Section
from idsync_cli.spark.tables import RESULTS, ROWS, Batches, Made, arrow_of, empty

if TYPE_CHECKING:
    import pyarrow
    from pyspark.sql import DataFrame, SparkSession

_ANSWERS: Final = "file string, seq long, line long, answer string"
_HISTORY: Final = "seq long, place int, entry string"
_PROFILES: Final = (
    "created_seq long, profile string, node long, section int, seq long, rank int, age long, "
    "place binary, mpid long, other long, key binary, was_known boolean"
)
_KEPT_OF_LINES: Final = ("kind", "seq", "mpid")
_AS_GZIP: Final = 31
_FAST: Final = 1


def runs_here(spark: "SparkSession") -> bool:
    """Whether all tasks of a session run on this machine, and it does not talk to a server."""
    from pyspark.sql.utils import is_remote

    return not is_remote() and spark.sparkContext.master.startswith("local")


class PartingTasks(OnThisMachine):
    """Its tasks write what came of the lines of each window into the output.

    Kept are the rows of the state, and of lines what later windows need of them; those of the last
    window are written into the output, too. `files` are the names that answers have, by number.
    """

    def __init__(
        self, spark: "SparkSession", folder: str, output: str, files: Sequence[str]
    ) -> None:
        super().__init__(spark, folder)
        self._output = output
        self._files = files
        self._windows = 0

    def results(self, table: "DataFrame", run: Run, name: str, *, is_last: bool) -> "DataFrame":
        """Keep what tasks give (`RESULTS`); of the last window nothing is left to keep."""
        self._windows += 1
        path = None if is_last else self._path(name)
        do(table, parting(run, Folders(self._output, path, self._files, self._windows)))
        return empty(self._spark, RESULTS) if path is None else self._read(path, RESULTS)


class Folders(NamedTuple):
    """Where the tasks of a window write: the output, and a folder for what is kept, if anything."""

    output: str
    kept: str | None
    files: Sequence[str]
    window: int


def parting(run: Run, folders: Folders) -> Run:
    """The function that writes what a function makes (`RESULTS`)."""

    def write(batches: Batches) -> Made:
        with ExitStack() as parts:
            enter = parts.enter_context
            answers = enter(_part(folders, ANSWERS, _ANSWERS))
            history = enter(_part(folders, HISTORY, _HISTORY))
            decisions = enter(DecisionsPart(folders))
            if folders.kept is None:
                state: StatePart | ParquetPart = enter(StatePart(folders))
            else:
                state = enter(ParquetPart(folders.kept, RESULTS))
            for batch in run(batches):
                if not len(batch) or batch.column("kind")[0].as_py() == RowKind.STATE:
                    state.add(batch)
                    continue
                answers.add(_answers(batch, folders.files))
                history.add(_history(batch))
                decisions.add(batch.column("decision"))
                if isinstance(state, ParquetPart):
                    state.add(_without_texts(batch))
        yield rows_written(answers.rows)

    return write


def _part(folders: Folders, name: str, schema: str) -> ParquetPart:
    return ParquetPart(
        f"{folders.output}/{name}", schema, compression="snappy", group=folders.window
    )


def _answers(batch: "pyarrow.RecordBatch", files: Sequence[str]) -> "pyarrow.RecordBatch":
    import pyarrow
    import pyarrow.compute as pc

    text = pyarrow.string()
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


class StatePart(ExitStack):
    """A part of the state behind a job: what an export says, and the rest."""

    def __init__(self, folders: Folders) -> None:
        super().__init__()
        self._profiles = self.enter_context(_part(folders, PROFILES, _PROFILES))
        self._seen = self.enter_context(_part(folders, SEEN, ROWS))

    def add(self, batch: "pyarrow.RecordBatch") -> None:
        """Add rows of the state."""
        import pyarrow.compute as pc

        is_alone = pc.equal(batch.column("section"), Section.TIMES_ALONE.value)
        self._profiles.add(_profiles(batch.filter(pc.invert(is_alone))))
        self._seen.add(batch.filter(is_alone).select(arrow_of(ROWS).names))


def _profiles(batch: "pyarrow.RecordBatch") -> "pyarrow.RecordBatch":
    import pyarrow
    import pyarrow.compute as pc

    is_profile = pc.equal(batch.column("section"), Section.PROFILE.value)
    nothing = pyarrow.scalar(None, pyarrow.int64())
    created_seq = pc.if_else(is_profile, batch.column("seq"), nothing)
    schema = arrow_of(_PROFILES)
    columns = [created_seq, batch.column("data").cast(pyarrow.string())]
    columns += [batch.column(name) for name in schema.names[2:]]
    return pyarrow.RecordBatch.from_arrays(columns, schema=schema)


class DecisionsPart:
    """A part of the decisions, a line each, packed by gzip; it is there when the block ends."""

    def __init__(self, folders: Folders) -> None:
        self._folders = folders

    def __enter__(self) -> Self:
        folder = f"{self._folders.output}/{DECISIONS}"
        self._part = PartFile(folder, ".txt.gz", self._folders.window)
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
