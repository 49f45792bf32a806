"""Request files: lines of JSON from a file, a pipe or an archive, and how far they were read."""

import gzip
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, cast

from idsync_cli import wire
from idsync_cli.core.decision import Refusal
from idsync_cli.errors import UsageFault, quoted

STANDARD_STREAM = "-"

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_PIECE = 2**20


@dataclass(frozen=True, slots=True)
class Position:
    """How far a file was read: lines and bytes, and a digest of those bytes."""

    lines: int
    bytes: int
    digest: str


class RequestFile:
    """The requests of a file of JSON lines.

    Lines end at line feeds only; blank ones are counted and passed over. A line that is no request
    comes as its refusal.
    """

    def __init__(self, source: "Source") -> None:
        self._source = source
        self._hash = blake2b(digest_size=16)
        self._lines = 0
        self._bytes = 0

    def __iter__(self) -> Iterator[wire.Incoming]:
        while (line := self._next_line()) is not None:
            if len(line) <= wire.MAX_LINE_BYTES and not line.strip():
                continue
            try:
                yield wire.Incoming(wire.decode(line), self._lines)
            except Refusal as refusal:
                yield wire.Incoming(refusal, self._lines)

    @property
    def position(self) -> Position:
        """How far it was read."""
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

    def _next_line(self) -> bytes | None:
        """A line without its end; of one that is too long, no more than shows that it is."""
        limit = wire.MAX_LINE_BYTES + 2  # the carriage return and the line feed do not count
        mark = b"" if self._bytes else _BYTE_ORDER_MARK
        piece = line = self._source.readline(limit + len(mark))
        if not line:
            return None
        self._took(piece)
        while piece and not piece.endswith(b"\n"):
            piece = self._source.readline(limit)
            self._took(piece)
        self._lines += 1
        return line.removeprefix(mark).removesuffix(b"\n").removesuffix(b"\r")

    def _took(self, piece: bytes) -> None:
        self._hash.update(piece)
        self._bytes += len(piece)


class Source:
    """The bytes of a request file, which can be read again from the beginning, even of a pipe.

    Every method raises UsageFault where the file cannot be read, or is a damaged archive.
    """

    def __init__(self, name: str, stream: IO[bytes]) -> None:
        self._name = name
        self._stream = stream
        self._start = stream.tell() if stream.seekable() else None
        self._head: IO[bytes] | None = None
        self.bytes_read = 0

    def readline(self, limit: int, /) -> bytes:
        """The rest of the line, or as much of it as the limit allows."""
        with self._guard():
            line = self._head.readline(limit) if self._head else b""
            if not line.endswith(b"\n") and len(line) < limit:
                line += self._stream.readline(limit - len(line))
            self.bytes_read += len(line)
            return line

    def read(self, size: int, /) -> bytes:
        """At most so many bytes; none at the end."""
        with self._guard():
            piece = (self._head.read(size) if self._head else b"") or self._stream.read(size)
            self.bytes_read += len(piece)
            return piece

    def keep(self, size: int) -> None:
        """Make sure that so many bytes can be read again: of a pipe, they are set aside."""
        if self._start is not None:
            return
        with self._guard():
            self._head = TemporaryFile()  # noqa: SIM115 - lives as long as the source
            while size > 0 and (piece := self._stream.read(min(_PIECE, size))):
                self._head.write(piece)
                size -= len(piece)
            self._head.seek(0)

    def rewind(self) -> None:
        """Go back to the beginning, of a pipe to that of what was kept."""
        self.bytes_read = 0
        with self._guard():
            if self._start is not None:
                self._stream.seek(self._start)
            elif self._head:
                self._head.seek(0)

    @contextmanager
    def _guard(self) -> Iterator[None]:
        try:
            yield
        except (OSError, EOFError, zlib.error) as error:
            raise _unreadable(self._name, error) from None


@contextmanager
def open_requests(name: str) -> Iterator[Source]:
    """Open a request file: a path, one that ends in `.gz`, or `-` for standard input.

    Raises:
        UsageFault: it cannot be opened.
    """
    if not name:
        raise UsageFault("the path of the requests is empty; name a file, or - for standard input")
    if name == STANDARD_STREAM:
        yield Source(name, sys.stdin.buffer)
        return
    try:
        stream = _open(name)
    except (OSError, ValueError) as error:
        raise _unreadable(name, error) from None
    with stream:
        source = Source(name, stream)
        if name.endswith(".gz"):
            source.read(1)  # tells a broken archive before a store is made for it
            source.rewind()
        yield source


def _open(name: str) -> IO[bytes]:
    if name.endswith(".gz"):
        return cast(IO[bytes], gzip.open(name, "rb"))
    return Path(name).open("rb")


def _unreadable(name: str, error: Exception) -> UsageFault:
    cause = getattr(error, "strerror", None) or error
    return UsageFault(f"the requests {quoted(name)} cannot be read: {cause}")
