"""The lines of request files as a table, each with its sequence number (sections 7 and 13)."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from idsync_cli.errors import FaultCode, Hint, UsageFault, printable, quoted
from idsync_cli.files.contents import BYTE_ORDER_MARK
from idsync_cli.files.gzip_mark import is_packed
from idsync_cli.files.request_file import open_requests
from idsync_cli.spark.tables import Values, mapped
from idsync_cli.wire.lines import LONGEST_LINE

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame, SparkSession

_OTHER_PACKINGS: Final = (".bz2", ".zst", ".zstd", ".xz", ".lz4", ".lzo", ".snappy", ".deflate")
_PACKED: Final = ".gz"

_PIECES: Final = "file int, block long, nth long, number long, data binary, end boolean"
"""Lines by where they stand in their block of a file: among all lines, and among those that are
not blank. The end of a block has the numbers of both."""


def check_files(names: Sequence[str]) -> None:
    """See whether files can be read: as far as this process can, to what they hold.

    Raises:
        UsageFault: one is packed otherwise than by gzip, is no file of requests, or there twice.
    """
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise UsageFault(f"the file {quoted(name)} is given twice; name it once")
        seen.add(name)
        if name.endswith(_OTHER_PACKINGS):
            raise UsageFault(
                f"the file {quoted(name)} is packed in a way that idsync does not read; unpack it, "
                f"or pack it by gzip as NAME{_PACKED}"
            )
        if is_elsewhere(name):
            continue
        with open_requests(name):
            pass
        with Path(name).open("rb") as file:
            packed = is_packed(file.read(4))
        if packed != name.endswith(_PACKED):
            how = "packed by gzip, so its name must end" if packed else "not packed, though named"
            raise UsageFault(f"the file {quoted(name)} is {how} in {_PACKED}; rename it")


def is_elsewhere(name: str) -> bool:
    """Whether a name leads to another file system than this machine's."""
    return "://" in name or name.startswith("file:")


def location_of(name: str) -> str:
    """A name as Spark takes it: not as a pattern, and on this machine from its root."""
    found = name if is_elsewhere(name) else str(Path(name).absolute())
    return "".join(f"\\{each}" if each in "{}[]*?\\" else each for each in found)


class Look(NamedTuple):
    """By what it is noticed that a file was changed: its size, and when it was written."""

    size: int
    written: object


def looks_of(spark: "SparkSession", names: Sequence[str]) -> list[Look]:
    """How files look now.

    Raises:
        UsageFault: one is not there, or a folder.
    """
    return [_look_at(spark, name) for name in names]


def _look_at(spark: "SparkSession", name: str) -> Look:
    if not is_elsewhere(name):
        try:
            found = Path(name).stat()
        except OSError as error:
            raise UsageFault(
                f"the file {quoted(name)} cannot be read: {error.strerror}",
                FaultCode.FILE_UNREADABLE,
            ) from None
        return Look(found.st_size, found.st_mtime_ns)
    from pyspark.errors import AnalysisException

    try:
        files = spark.read.format("binaryFile").load(location_of(name))
        rows = files.select("path", "length", "modificationTime").limit(2).collect()
    except AnalysisException as error:
        if "PATH_NOT_FOUND" not in str(error):
            raise
        raise UsageFault(
            f"the file {quoted(name)} cannot be read: it is not there", FaultCode.FILE_UNREADABLE
        ) from None
    if len(rows) != 1 or rows[0][0].rpartition("/")[2] != name.rpartition("/")[2]:
        raise UsageFault(f"{quoted(name)} is a folder; name its files one by one")
    return Look(rows[0][1], rows[0][2])


def check_unchanged(spark: "SparkSession", names: Sequence[str], before: Sequence[Look]) -> None:
    """See whether files still look as they did before all of them were read.

    Raises:
        UsageFault: one does not.
    """
    for name, look in zip(names, before, strict=True):
        if _look_at(spark, name) != look:
            raise UsageFault(
                f"the file {quoted(name)} was changed while it was read; nothing was resolved",
                FaultCode.FILE_CHANGED,
                hint=Hint.RUN_AGAIN,
            )


def lines_of_files(spark: "SparkSession", names: Sequence[str]) -> "DataFrame":
    """The lines of files by their place in a block, as `numbered` takes them."""
    from pyspark.sql import functions as f

    tables = [
        spark.read.text(location_of(name), lineSep="\n").select(
            f.lit(number).alias("file"),
            f.col("_metadata.file_block_start").alias("block"),
            f.col("value").cast("binary").alias("data"),
        )
        for number, name in enumerate(names)
    ]
    table = tables[0]
    for each in tables[1:]:
        table = table.unionAll(each)
    return mapped(table, lambda: _in_blocks, _PIECES)


def _in_blocks(rows: Iterator[Values]) -> Iterator[Values]:
    """Count the lines of each block; a partition has whole blocks, one behind the other."""
    at: tuple[int, int] | None = None
    nth = number = 0
    for file, block, data in rows:
        if (file, block) != at:
            if at is not None:
                yield *at, nth, number, None, True
            at, nth, number = (file, block), 0, 0
        is_first = block == 0 and nth == 0
        line = (data.removeprefix(BYTE_ORDER_MARK) if is_first else data)[:LONGEST_LINE]
        if line and not (line.isspace() and len(line) < LONGEST_LINE):
            yield file, block, nth, number, line, False
            number += 1
        nth += 1
    if at is not None:
        yield *at, nth, number, None, True


def lines_of_table(lines: "DataFrame") -> "DataFrame":
    """The lines of a table, in the order of `line`, which stands for where they are in a file.

    Raises:
        UsageFault: it has other columns.
    """
    from pyspark.sql import functions as f

    if not {"line", "data"} <= set(lines.columns):
        told = ", ".join(lines.columns)
        raise UsageFault(
            f"a table of requests has the columns line and data, and this one has {quoted(told)}"
        )
    columns = f.col("line").cast("long"), f.col("data").cast("binary")
    sorted_lines = lines.select(*columns).orderBy("line")
    return mapped(sorted_lines, lambda: _in_partition, _PIECES)


def _in_partition(rows: Iterator[Values]) -> Iterator[Values]:
    from pyspark import TaskContext

    context = TaskContext.get()
    block = 0 if context is None else context.partitionId()
    number = 0
    for line, data in rows:
        text = b"" if data is None else data[:LONGEST_LINE]
        if text and not (text.isspace() and len(text) < LONGEST_LINE):
            yield 0, block, line - 1, number, text, False
            number += 1
    yield 0, block, 0, number, None, True


def numbered(pieces: "DataFrame", last_seq: int) -> "DataFrame":
    """Lines with their sequence numbers: how many there are before them, by file and block."""
    from pyspark.sql import Window
    from pyspark.sql import functions as f

    before_it = (Window.unboundedPreceding, -1)
    in_order = Window.partitionBy(f.lit(0)).orderBy("file", "block").rowsBetween(*before_it)
    in_file = Window.partitionBy("file").orderBy("block").rowsBetween(*before_it)

    def before(column: str, window: Any) -> "Column":
        return f.coalesce(f.sum(column).over(window), f.lit(0))

    ends = pieces.where("end").select(
        f.col("file").alias("of_file"),
        f.col("block").alias("of_block"),
        before("number", in_order).alias("numbers_before"),
        before("nth", in_file).alias("lines_before"),
    )
    lines = pieces.where("not end").join(
        f.broadcast(ends),
        (f.col("file") == f.col("of_file")) & (f.col("block") == f.col("of_block")),
    )
    return lines.select(
        (f.col("numbers_before") + f.col("number") + last_seq + 1).alias("seq"),
        "file",
        (f.col("lines_before") + f.col("nth") + 1).alias("line"),
        "data",
    )


def shown(names: Sequence[str] | None, file: int, line: int) -> str:
    """A place, for messages."""
    return f"line {line}" if names is None else f"{printable(names[file])}:{line}"
