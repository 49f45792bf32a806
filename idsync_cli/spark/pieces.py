"""Small files of this machine: this process counts their lines, and tasks read them themselves.

So neither goes through Java. As elsewhere (`counting`), the lines have to be the same both times.
"""

import gzip
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple
from zlib import crc32

from idsync_cli.files.contents import BYTE_ORDER_MARK
from idsync_cli.files.request_file import Source, open_requests
from idsync_cli.spark.counting import FileChanged, is_blank
from idsync_cli.spark.reading import is_gzip
from idsync_cli.spark.tables import Values
from idsync_cli.wire.lines import LONGEST_LINE

_PIECE: Final = 8 * 2**20
_AT_ONCE: Final = 2**20


class Piece(NamedTuple):
    """Whole lines of a file, unpacked: `size` bytes from `begin` on, with their `sum`.

    `seq` is the number of its first line that is not blank, and `line` says where in the file it
    begins. Behind the last piece nothing follows.
    """

    file: int
    begin: int
    size: int
    sum: int
    seq: int
    line: int
    is_last: bool


class Share(NamedTuple):
    """What a task reads: a piece, or all pieces of a file that is packed."""

    path: str
    pieces: Sequence[Piece]


def shares_of(names: Sequence[str], last_seq: int) -> list[Share]:
    """Files in shares for tasks, their lines numbered behind a number.

    Raises:
        UsageFault: one cannot be read.
    """
    shares: list[Share] = []
    seq = last_seq + 1
    for file, name in enumerate(names):
        pieces: list[Piece] = []
        begin, line = 0, 1
        with open_requests(name) as source:
            for data, is_last in _cut(source):
                lines = _lines_in(data, is_first=begin == 0)
                pieces.append(Piece(file, begin, len(data), crc32(data), seq, line, is_last))
                begin += len(data)
                line += len(lines)
                seq += len(lines) - _blank_among(lines)
        path = str(Path(name).absolute())
        its = [pieces] if is_gzip(name) else [[piece] for piece in pieces]
        shares += [Share(path, some) for some in its]
    return shares


def _cut(source: Source) -> Iterator[tuple[bytes, bool]]:
    """A file in pieces that end with lines, each with whether it is the last; there is one."""
    parts: list[bytes] = []
    size = 0
    while part := source.read(_AT_ONCE):
        parts.append(part)
        size += len(part)
        if size < _PIECE:
            continue
        data = b"".join(parts)
        end = data.rfind(b"\n") + 1
        if 0 < end < len(data):  # else more may follow, or not
            yield data[:end], False
            data = data[end:]
        parts, size = [data], len(data)
    yield b"".join(parts), True


def _lines_in(data: bytes, *, is_first: bool) -> list[bytes]:
    """The lines of a piece; without the mark that a file may begin with."""
    lines = data.split(b"\n")
    if not lines[-1]:
        lines.pop()
    if is_first and lines:
        lines[0] = lines[0].removeprefix(BYTE_ORDER_MARK)
    return lines


def _blank_among(lines: Sequence[bytes]) -> int:
    """How many are blank (`counting.is_blank`)."""
    empty = lines.count(b"")
    return empty + sum(len(each) < LONGEST_LINE for each in filter(bytes.isspace, lines))


def reader_of(shares: Sequence[Share]) -> Callable[[Iterator[Values]], Iterator[Values]]:
    """The function that gives the lines of shares, of which it gets the numbers.

    Blank lines are left out. It raises FileChanged where a file is not as it was when it was
    counted.
    """

    def read(rows: Iterator[Values]) -> Iterator[Values]:
        for (number,) in rows:
            yield from _read(shares[number])

    return read


def _read(share: Share) -> Iterator[Values]:
    path, pieces = share
    try:
        with gzip.open(path) if is_gzip(path) else Path(path).open("rb") as stream:
            stream.seek(pieces[0].begin)
            for piece in pieces:
                data = stream.read(piece.size)
                if len(data) != piece.size or crc32(data) != piece.sum:
                    raise FileChanged(piece.file)
                if piece.is_last and stream.read(1):
                    raise FileChanged(piece.file)
                yield from _numbered(piece, data)
    except (OSError, EOFError, zlib.error):
        raise FileChanged(pieces[0].file) from None


def _numbered(piece: Piece, data: bytes) -> Iterator[Values]:
    seq = piece.seq
    lines = _lines_in(data, is_first=piece.begin == 0)
    for line, whole in enumerate(lines, start=piece.line):
        text = whole[:LONGEST_LINE]
        if not is_blank(text):
            yield seq, piece.file, line, text
            seq += 1
