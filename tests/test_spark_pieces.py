"""Small files are read in pieces, by tasks (section 13, spark/pieces.py); needs no Spark."""

import gzip
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from idsync_cli.errors import UsageFault
from idsync_cli.files.request_file import RequestFile, open_requests
from idsync_cli.spark import counting, pieces
from idsync_cli.spark.counting import FileChanged, changed_file
from idsync_cli.spark.pieces import Share, reader_of, shares_of
from idsync_cli.wire import lines

MARK = b"\xef\xbb\xbf"
LONGEST = 40
SOME = [b"", b" \t", b"\r", b"{}", b'{"a": 1}\r', MARK, MARK + b" ", b"\x00", b" " * 50, b"1" * 90]


@pytest.fixture(autouse=True)
def _short_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (pieces, counting, lines):
        monkeypatch.setattr(module, "LONGEST_LINE", LONGEST)
    monkeypatch.setattr(pieces, "_AT_ONCE", 5)


def read(shares: list[Share]) -> list[tuple[object, ...]]:
    """What tasks read, each its share, in order."""
    reader = reader_of(shares)
    return [each for number in range(len(shares)) for each in reader(iter([(number,)]))]


def as_a_replay_does(names: list[str]) -> list[tuple[object, ...]]:
    found: list[tuple[object, ...]] = []
    for file, name in enumerate(names):
        with open_requests(name) as source:
            its = RequestFile(source, LONGEST).next_lines(10_000)
        for line, text in its:
            found.append((len(found) + 11, file, line, text[:LONGEST]))
    return found


def files(folder: Path, rng: random.Random) -> list[str]:
    """Three files; the middle one is packed, in two parts."""
    names = [str(folder / name) for name in ("a.jsonl", "b.jsonl.gz", "c.jsonl")]
    for name in names:
        some = rng.choices(SOME, k=rng.randint(0, 30))
        text = rng.choice([b"", MARK]) + b"\n".join([b"{}", *some, *rng.choice([[], [b""]])])
        cut = rng.randrange(len(text))
        packed = gzip.compress(text[:cut]) + gzip.compress(text[cut:])
        Path(name).write_bytes(packed if name.endswith(".gz") else text)
    return names


@pytest.mark.parametrize("size", [1, 10, 70, 10_000])
@pytest.mark.parametrize("seed", range(20))
def test_lines_are_those_of_a_replay(
    seed: int, size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pieces, "_PIECE", size)
    names = files(tmp_path, random.Random(seed))
    shares = shares_of(names, 10)
    assert read(shares) == as_a_replay_does(names)
    assert all(sum(each.size for each in share.pieces) for share in shares)
    assert sum(share.path == names[1] for share in shares) == 1  # a packed file is read by one


def test_a_file_is_in_several_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "_PIECE", 4)
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"{}\n\n" * 6)
    shares = shares_of([str(path)], 0)
    assert len(shares) > 2
    assert [seq for seq, *_ in read(shares)] == [1, 2, 3, 4, 5, 6]
    path.write_bytes(b"")
    assert read(shares_of([str(path)], 0)) == []


@pytest.mark.parametrize("is_packed", [False, True])
@pytest.mark.parametrize(
    "change",
    [
        lambda data: data + b"{}\n",
        lambda data: data + b"\n",
        lambda data: data[:-1],
        lambda data: data.replace(b"1", b"2"),
        lambda _: b"",
        None,
    ],
)
def test_a_file_that_changes_is_noticed(
    change: Callable[[bytes], bytes] | None, tmp_path: Path, *, is_packed: bool
) -> None:
    path = tmp_path / ("a.jsonl.gz" if is_packed else "a.jsonl")
    pack = gzip.compress if is_packed else bytes
    data = b'{"a": 1}\n{}\n'
    path.write_bytes(pack(data))
    shares = shares_of([str(path)], 0)
    path.unlink()
    if change is not None:
        path.write_bytes(pack(change(data)))
    with pytest.raises(FileChanged) as raised:
        read(shares)
    told = changed_file(Exception(f"in a task: FileChanged: {raised.value}"), ["day.jsonl"])
    assert "'day.jsonl' was changed while it was read" in str(told)


def test_a_damaged_archive_is_told_of(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress(b"{}\n" * 10_000)[:-9])
    with pytest.raises(UsageFault, match="damaged"):
        shares_of([str(path)], 0)
    path.write_bytes(gzip.compress(b"{}\n"))
    shares = shares_of([str(path)], 0)
    path.write_bytes(b"\x1f\x8b\x08 of something else")
    with pytest.raises(FileChanged):
        read(shares)
