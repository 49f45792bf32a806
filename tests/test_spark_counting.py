"""Lines are read twice, and have to be the same (section 13, spark/counting.py); needs no Spark."""

from pathlib import Path
from zlib import crc32

import pytest

from idsync_cli.spark.counting import FileChanged, changed_file, numbered_lines
from idsync_cli.spark.reading import _SMALL, are_small

BLOCKS = [[b"\xef\xbb\xbf a", b"", b" \t\r", b"b"], [b"\xef\xbb\xbf", b"c"]]
NUMBERS = [2, 2]
"""How many lines of each block are not blank."""


def rows(blocks: list[list[bytes]]) -> list[tuple[object, ...]]:
    """The lines of blocks, with what was counted of `BLOCKS`."""
    found: list[tuple[object, ...]] = []
    seq, line = 11, 1
    for number, (counted, numbers) in enumerate(zip(BLOCKS, NUMBERS, strict=True)):
        counts = seq, line, len(counted), numbers, sum(map(crc32, counted))
        found += [(0, number * 100, data, *counts) for data in blocks[number]]
        seq, line = seq + numbers, line + len(counted)
    return found


def test_lines_that_are_not_blank_are_numbered() -> None:
    """The mark at the beginning of a file is none of its text; elsewhere it is."""
    assert [*numbered_lines(iter(rows(BLOCKS)))] == [
        (11, 0, 1, b" a"),
        (12, 0, 4, b"b"),
        (13, 0, 5, b"\xef\xbb\xbf"),
        (14, 0, 6, b"c"),
    ]


@pytest.mark.parametrize(
    "changed",
    [
        [[*BLOCKS[0][:3], b"x"], BLOCKS[1]],
        [BLOCKS[0], [*BLOCKS[1], b"d"]],
        [BLOCKS[0], BLOCKS[1][:1]],
        [BLOCKS[0][:3], BLOCKS[1]],
    ],
)
def test_lines_that_are_others_when_they_are_read_again_are_noticed(
    changed: list[list[bytes]],
) -> None:
    with pytest.raises(FileChanged) as raised:
        [*numbered_lines(iter(rows(changed)))]
    told = changed_file(Exception(f"in a task: FileChanged: {raised.value}"), ["day.jsonl"])
    assert "'day.jsonl' was changed while it was read" in str(told)
    assert changed_file(Exception("something else"), ["day.jsonl"]) is None


def test_a_file_that_spark_cannot_read_again_was_changed() -> None:
    said = "[FAILED_READ_FILE.NO_HINT] Encountered error while reading file file:///x/{}.  SQLSTATE"
    its_own = Exception(said.format("out/_work/0001-lines/part-0.parquet"))
    assert changed_file(its_own, ["day 1.jsonl"]) is None
    told = changed_file(Exception(said.format("day%201.jsonl")), ["a.jsonl", "x/day 1.jsonl"])
    assert "'x/day 1.jsonl' was changed" in str(told)


def test_a_block_that_was_not_counted_is_noticed() -> None:
    with pytest.raises(FileChanged):
        [*numbered_lines(iter([(0, 0, b"a", None, None, None, None, None)]))]


def test_java_is_told_whether_it_lives_long(tmp_path: Path) -> None:
    def file(name: str, size: int) -> str:
        with (tmp_path / name).open("wb") as its:
            its.truncate(size)
        return str(tmp_path / name)

    assert are_small([file("a.jsonl", 1000), file("b.jsonl", _SMALL - 1001)])
    assert not are_small([file("a.jsonl", 1000), file("b.jsonl", _SMALL - 1000)])
    assert not are_small([file("c.jsonl.gz", _SMALL // 9)])
    assert not are_small(["s3://bucket/a.jsonl"])
