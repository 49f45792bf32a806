"""Request files: their lines, and how far they were read."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b

from idsync_cli import wire
from idsync_cli.files.contents import BYTE_ORDER_MARK, LINES, Contents, check
from idsync_cli.files.looks import look
from idsync_cli.files.source import STANDARD_STREAM, Source, open_source

__all__ = [
    "STANDARD_STREAM",
    "Position",
    "RequestFile",
    "Source",
    "check_beginning",
    "open_requests",
]

_TAKEN = (*LINES, Contents.REQUESTS)
_WANTED = "requests are JSON, one object per line"
_PIECE = 2**18
_LONGEST = wire.LONGEST_LINE


@dataclass(frozen=True, slots=True)
class Position:
    """How far a file was read: lines and bytes, and a digest of those bytes."""

    lines: int
    bytes: int
    digest: str


class RequestFile:
    """The lines of a file of requests.

    Lines end at line feeds only; blank ones are counted and passed over. What is read ahead of the
    lines taken has no part in the position.
    """

    def __init__(self, source: Source, longest: int | None = None) -> None:
        self._source = source
        self._longest = longest or _LONGEST
        self._hash = blake2b(digest_size=16)
        self._lines = 0
        self._bytes = 0
        self._ahead: list[bytes] = []
        self._next = 0
        self._added_up = 0
        self._rest = b""

    def next_lines(self, most: int) -> list[wire.NumberedLine]:
        """The next lines with requests, as many as asked for unless the file ends before."""
        found: list[wire.NumberedLine] = []
        while len(found) < most and (self._next < len(self._ahead) or self._read_ahead()):
            lines = self._ahead[self._next : self._next + most - len(found)]
            self._next += len(lines)
            found += wire.not_blank(lines, self._lines + 1)
            self._lines += len(lines)
        return found

    @property
    def position(self) -> Position:
        """How far it was read."""
        self._add_up()
        return Position(self._lines, self._bytes, self._hash.hexdigest())

    def pass_over(self, position: Position) -> bool:
        """Read on to a position that was reached before; whether all up to there is as it was."""
        while self._bytes < position.bytes:
            piece = self._source.read(min(_PIECE, position.bytes - self._bytes))
            if not piece:
                return False
            self._took(piece)
        self._lines = position.lines
        return self._hash.hexdigest() == position.digest

    def is_at_end(self) -> bool:
        """Whether nothing follows; what it looks at is not read again."""
        return not self._source.read(1)

    def _read_ahead(self) -> bool:
        """Read more lines, once all that were read are taken; whether there are any."""
        self._add_up()
        is_first = self._bytes == 0
        data = self._rest
        while len(data) <= len(BYTE_ORDER_MARK) + self._longest and b"\n" not in data:
            piece = self._source.read(_PIECE)
            if not piece:
                break
            data += piece
        if is_first and data.startswith(BYTE_ORDER_MARK):
            self._took(BYTE_ORDER_MARK)
            data = data.removeprefix(BYTE_ORDER_MARK)
        *self._ahead, self._rest = data.split(b"\n")
        self._next = self._added_up = 0
        if not self._ahead and self._rest:
            self._ahead = [self._rest[: self._longest]]
            self._take_to_its_end()
        return bool(self._ahead)

    def _take_to_its_end(self) -> None:
        """Pass over a line of which no end was found: the last one, or one that is too long."""
        piece, end = self._rest, b""
        while piece and not end:
            head, end, self._rest = piece.partition(b"\n")
            self._took(head + end)
            piece = b"" if end else self._source.read(_PIECE)
        self._added_up = 1

    def _add_up(self) -> None:
        """Count the lines that were taken into the position."""
        lines = self._ahead[self._added_up : self._next]
        if lines:
            self._took(b"\n".join([*lines, b""]))
            self._added_up = self._next

    def _took(self, piece: bytes) -> None:
        self._hash.update(piece)
        self._bytes += len(piece)


def check_beginning(name: str, head: bytes) -> None:
    """Check by how a file begins that it holds requests.

    Raises:
        UsageFault: it holds something else than lines of JSON.
    """
    check(name, look(head), _TAKEN, _WANTED)


@contextmanager
def open_requests(name: str, shown: str | None = None) -> Iterator[Source]:
    """Open a request file: a path or `-` for standard input, packed by gzip or not.

    Messages call it by its name, unless it is `shown` by another.

    Raises:
        UsageFault: it cannot be opened, or holds something else than lines of JSON.
    """
    shown = name if shown is None else shown
    with open_source(name, "requests", shown) as source:
        check(shown, source.look(), _TAKEN, _WANTED)
        yield source
