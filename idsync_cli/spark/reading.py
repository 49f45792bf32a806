"""The lines of request files as a table, each with its sequence number (sections 7 and 13)."""

import re
from collections.abc import Iterator, Sequence
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn
from urllib.parse import unquote

from idsync_cli.errors import FaultCode, UsageFault, printable, quoted
from idsync_cli.files.gzip_mark import is_packed
from idsync_cli.files.request_file import check_beginning, open_requests
from idsync_cli.spark.counting import file_damaged, is_blank, is_damage
from idsync_cli.spark.locations import is_elsewhere, location_of
from idsync_cli.spark.spark_faults import name_of_fault
from idsync_cli.spark.tables import Values, mapped
from idsync_cli.wire.lines import LONGEST_LINE

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame, SparkSession

_OTHER_PACKINGS: Final = (".bz2", ".zst", ".zstd", ".xz", ".lz4", ".lzo", ".snappy", ".deflate")
_PACKED: Final = ".gz"

_PASSED_OVER: Final = ("_", ".")
_LOOKED_AT: Final = 64 * 2**10
"""How many bytes of a line show what a file holds."""

_SMALL: Final = 512 * 2**20
"""Files of fewer bytes in all are small."""

_PACKS: Final = 10
"""About how many times smaller gzip makes requests."""

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
                f"the file {quoted(name)} is compressed in a way that idsync does not read; "
                f"decompress it, or compress it with gzip as NAME{_PACKED}"
            )
        if is_elsewhere(name):
            continue
        with open_requests(name):
            pass
        with Path(name).open("rb") as file:
            packed = is_packed(file.read(4))
        if packed != is_gzip(name):
            raise _misnamed(name, is_packed=packed)


def _misnamed(name: str, *, is_packed: bool) -> UsageFault:
    how = (
        f"compressed with gzip, but its name does not end with {_PACKED}"
        if is_packed
        else f"not compressed, but its name ends with {_PACKED}"
    )
    return UsageFault(f"the file {quoted(name)} is {how}; rename it")


def is_gzip(name: str) -> bool:
    """Whether a name says that a file is packed by gzip."""
    return name.endswith(_PACKED)


def are_small(names: Sequence[str]) -> bool:
    """Whether files are on this machine, and small."""
    if any(is_elsewhere(name) for name in names):
        return False
    sizes = [Path(name).stat().st_size * (_PACKS if is_gzip(name) else 1) for name in names]
    return sum(sizes) < _SMALL


def check_there(spark: "SparkSession", names: Sequence[str]) -> None:
    """See whether files are there.

    Raises:
        UsageFault: one is not, or is a folder.
    """
    for name in names:
        if is_elsewhere(name):
            _check_elsewhere(spark, name)
        elif not Path(name).is_file():
            _raise_unreadable(name, "it is not there")


def _check_elsewhere(spark: "SparkSession", name: str) -> None:
    """The same of a file that Spark alone can reach: by its name, and by how it begins.

    Raises:
        UsageFault: it cannot be read, or holds something else than requests.
    """
    from pyspark.sql import functions as f

    last = name.rpartition("/")[2]
    if last.startswith(_PASSED_OVER):
        _raise_unreadable(name, f"Spark passes over names that begin with {last[0]}")
    try:
        text = spark.read.text(location_of(name), lineSep="\n")
        files = text.inputFiles()
        beginning = f.substring(f.col("value").cast("binary"), 1, _LOOKED_AT)
        first = text.select(beginning).limit(2).collect() if len(files) == 1 else []
    except Exception as error:
        if name_of_fault(error) is None:
            raise
        if "PATH_NOT_FOUND" in str(error):
            _raise_unreadable(name, "it is not there")
        if "not a gzip file" in str(error):
            raise _misnamed(name, is_packed=False) from None
        if is_damage(error):
            raise file_damaged(name) from None
        _raise_unreadable(name, f"Spark says {name_of_fault(error)}")
    if len(files) != 1 or unquote(files[0]).rpartition("/")[2] != last:
        raise UsageFault(f"{quoted(name)} is a folder; name its files one by one")
    lines = [bytes(line) for (line,) in first]
    head = b"".join([line if len(line) == _LOOKED_AT else line + b"\n" for line in lines])
    if is_packed(head):
        raise _misnamed(name, is_packed=True)
    check_beginning(name, head)


def _raise_unreadable(name: str, why: str) -> NoReturn:
    raise UsageFault(f"the file {quoted(name)} cannot be read: {why}", FaultCode.FILE_UNREADABLE)


def lines_in(spark: "SparkSession", names: Sequence[str]) -> "DataFrame":
    """The lines of files, as they are, with the block of the file that they begin in."""
    from pyspark.sql import functions as f

    tables = [
        spark.read.text(location_of(name), lineSep="\n").select(
            f.lit(number).alias("file"),
            f.col("_metadata.file_block_start").alias("block"),
            f.col("value").cast("binary").alias("data"),
        )
        for number, name in enumerate(names)
    ]
    return reduce(lambda one, other: one.unionAll(other), tables)


# ---- A table


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


class LineWithoutNumber(Exception):
    """A table has a line that does not say where it stands."""


class SameNumber(Exception):
    """A table has two lines with the same number, which it tells: neither comes first."""


def _in_partition(rows: Iterator[Values]) -> Iterator[Values]:
    from pyspark import TaskContext

    context = TaskContext.get()
    block = 0 if context is None else context.partitionId()
    number = 0
    before: int | None = None
    for line, data in rows:  # of a number, all lines are in one partition
        if line is None:
            raise LineWithoutNumber
        if line == before:
            raise SameNumber(line)
        before = line
        text = b"" if data is None else data[:LONGEST_LINE]
        if not is_blank(text):
            yield 0, block, line - 1, number, text, False
            number += 1
    yield 0, block, 0, number, None, True


def table_fault(error: Exception) -> UsageFault | None:
    """What is told of a table whose lines have no order; None if an error of Spark is another."""
    if LineWithoutNumber.__name__ in str(error):
        return UsageFault("a line of the table has nothing in its column line")
    found = re.search(rf"{SameNumber.__name__}: (-?\d+)", str(error))
    if found is None:
        return None
    return UsageFault(
        f"two lines of the table have the number {found[1]} in its column line; number each line"
    )


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
