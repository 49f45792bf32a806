"""Lines that are read twice: first to count them, which gives each its number (section 13).

Then they are read for good, and have to be the same; otherwise a file was changed meanwhile.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote
from zlib import crc32

from idsync_cli.errors import FaultCode, Hint, UsageFault, quoted
from idsync_cli.files.contents import BYTE_ORDER_MARK
from idsync_cli.spark.tables import Values
from idsync_cli.wire.lines import LONGEST_LINE

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def counted(lines: "DataFrame", last_seq: int) -> "DataFrame":
    """For each block what its lines begin with, `seq` and `line`, how many there are, and a sum.

    `numbers` are those that are not blank, as `is_blank` has it, `lines` are all. The sum shows
    whether the lines are the same when they are read again.
    """
    from pyspark.sql import Window
    from pyspark.sql import functions as f

    text = f.col("data").cast("string")
    mark = BYTE_ORDER_MARK.decode()
    size = f.octet_length("data")
    is_blank = (f.ltrim(text, f.lit(_SPACE)) == "") & (size < LONGEST_LINE)
    behind_mark = f.ltrim(f.substr(text, f.lit(2)), f.lit(_SPACE))
    is_marked_blank = (
        text.startswith(mark) & (behind_mark == "") & (size < LONGEST_LINE + len(BYTE_ORDER_MARK))
    )
    placed = lines.select(
        "file", "block", f.monotonically_increasing_id().alias("place"),
        f.when(is_blank, 0).otherwise(1).alias("number"), f.crc32("data").alias("sum"),
        is_marked_blank.alias("is_marked_blank"),
    )  # fmt: skip
    blocks = placed.groupBy("file", "block").agg(
        f.count("*").alias("lines"),
        f.sum("number").alias("numbers"),
        f.sum("sum").alias("sum"),
        f.min_by("is_marked_blank", "place").alias("begins_blank"),
    )
    is_less = f.when((f.col("block") == 0) & f.col("begins_blank"), 1).otherwise(0)
    blocks = blocks.withColumn("numbers", f.col("numbers") - is_less)
    before_it = (Window.unboundedPreceding, -1)
    in_order = Window.partitionBy(f.lit(0)).orderBy("file", "block").rowsBetween(*before_it)
    in_file = Window.partitionBy("file").orderBy("block").rowsBetween(*before_it)
    return blocks.select(
        "file", "block", "lines", "numbers", "sum",
        (f.coalesce(f.sum("numbers").over(in_order), f.lit(0)) + last_seq + 1).alias("seq"),
        (f.coalesce(f.sum("lines").over(in_file), f.lit(0)) + 1).alias("line"),
    )  # fmt: skip


_SPACE: Final = " \t\n\r\x0b\x0c"


def with_counts(lines: "DataFrame", blocks: "DataFrame") -> "DataFrame":
    """Lines with what was counted of their block, as `numbered_lines` takes them."""
    from pyspark.sql import functions as f

    return lines.join(f.broadcast(blocks), ["file", "block"], "left").select(
        "file", "block", "data", "seq", "line", "lines", "numbers", "sum"
    )


class FileChanged(Exception):
    """A block of a file has other lines than when they were counted; it tells the file's number."""


def numbered_lines(rows: Iterator[Values]) -> Iterator[Values]:
    """Lines that are not blank, with their numbers; a partition has whole blocks, in order.

    Raises:
        FileChanged: they are not those that were counted.
    """
    at: tuple[int, int] | None = None
    seq = line = total = 0
    expected: tuple[int | None, ...] = ()
    for file, block, data, first_seq, first_line, lines, numbers, its_sum in rows:
        is_first = False
        if (file, block) != at:
            _check_block(at, (line, seq, total), expected)
            if first_seq is None:
                raise FileChanged(file)
            at, seq, line, total = (file, block), first_seq, first_line, 0
            expected = first_line + lines, first_seq + numbers, its_sum
            is_first = block == 0
        total += crc32(data)
        text = (data.removeprefix(BYTE_ORDER_MARK) if is_first else data)[:LONGEST_LINE]
        if not is_blank(text):
            yield seq, file, line, text
            seq += 1
        line += 1
    _check_block(at, (line, seq, total), expected)


def _check_block(
    at: tuple[int, int] | None, found: tuple[int, int, int], expected: tuple[int | None, ...]
) -> None:
    if at is not None and found != expected:
        raise FileChanged(at[0])


def is_blank(text: bytes) -> bool:
    """Whether a line is passed over (section 7)."""
    return not text or (text.isspace() and len(text) < LONGEST_LINE)


def changed_file(error: Exception, names: Sequence[str]) -> UsageFault | None:
    """What is told of a file that changed; None if an error of Spark says something else.

    One that is shorter than it was, or is gone, Spark itself cannot read.
    """
    found = re.search(rf"{FileChanged.__name__}: (\d+)", str(error))
    if found is not None:
        return file_changed(names[int(found[1])])
    unread = re.search(r"\[FAILED_READ_FILE\b.* reading file (\S+)\.\s", str(error))
    path = "" if unread is None else unquote(unread[1])
    told = file_damaged if is_damage(error) else file_changed
    return next((told(name) for name in names if path.endswith(f"/{Path(name).name}")), None)


_OF_DAMAGE: Final = ("Unexpected end of input stream", "ZlibDecompressor", "GzipDecompressor")
"""What Java says of what gzip cannot unpack."""


def is_damage(error: Exception) -> bool:
    """Whether Spark ended because gzip cannot unpack a file."""
    return any(each in str(error) for each in _OF_DAMAGE)


def file_damaged(name: str) -> UsageFault:
    """What is told of such a file."""
    return UsageFault(
        f"the file {quoted(name)} is damaged: gzip cannot unpack it to its end; get a whole copy",
        FaultCode.FILE_UNREADABLE,
    )


def file_changed(name: str) -> UsageFault:
    """What is told of a file that changed."""
    return UsageFault(
        f"the file {quoted(name)} was changed while it was read; nothing was resolved",
        FaultCode.FILE_CHANGED,
        hint=Hint.RUN_AGAIN,
    )
