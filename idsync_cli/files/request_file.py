"""Request files: lines from a file, a pipe or an archive, and how far they were read."""

import gzip
import os
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from io import BufferedReader, BytesIO
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, cast

from idsync_cli import wire
from idsync_cli.errors import FaultCode, UsageFault, quoted

STANDARD_STREAM = "-"

Stream = BufferedReader | gzip.GzipFile | BytesIO
"""What gives its bytes as they come (`read1`)."""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
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

    def __init__(self, source: "Source") -> None:
        self._source = source
        self._hash = blake2b(digest_size=16)
        self._lines = 0
        self._bytes = 0
        self._ahead: list[bytes] = []
        self._taken = 0
        self._added_up = 0
        self._rest = b""

    def take(self, most: int) -> list[wire.NumberedLine]:
        """The next lines with requests, as many as asked for unless the file ends before."""
        found: list[wire.NumberedLine] = []
        while len(found) < most and (self._taken < len(self._ahead) or self._read_ahead()):
            lines = self._ahead[self._taken : self._taken + most - len(found)]
            self._taken += len(lines)
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
        while len(data) <= len(_BYTE_ORDER_MARK) + _LONGEST and b"\n" not in data:
            piece = self._source.read(_PIECE)
            if not piece:
                break
            data += piece
        if is_first and data.startswith(_BYTE_ORDER_MARK):
            self._took(_BYTE_ORDER_MARK)
            data = data.removeprefix(_BYTE_ORDER_MARK)
        *self._ahead, self._rest = data.split(b"\n")
        self._taken = self._added_up = 0
        if not self._ahead and self._rest:
            self._ahead = [self._rest[:_LONGEST]]
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
        lines = self._ahead[self._added_up : self._taken]
        if lines:
            self._took(b"\n".join([*lines, b""]))
            self._added_up = self._taken

    def _took(self, piece: bytes) -> None:
        self._hash.update(piece)
        self._bytes += len(piece)


class Source:
    """The bytes of a request file, which can be read again from the beginning, even of a pipe.

    `size` is how many there are, or None if nobody knows: of a pipe, or of an archive.

    Every method raises UsageFault where the file cannot be read, or is a damaged archive.
    """

    def __init__(self, name: str, stream: Stream) -> None:
        self._name = name
        self._stream = stream
        self._start = stream.tell() if stream.seekable() else None
        self._head: IO[bytes] | None = None
        self.bytes_read = 0
        self.size: int | None = None
        if self._start is not None and isinstance(stream, BufferedReader):
            self.size = os.fstat(stream.fileno()).st_size - self._start

    @property
    def can_be_read_again(self) -> bool:
        """Whether all of it can, and not only what was kept."""
        return self._start is not None

    def read(self, size: int, /) -> bytes:
        """At most that many bytes, as soon as there are any; none at the end."""
        with self._guard():
            piece = (self._head.read(size) if self._head else b"") or self._stream.read1(size)
            self.bytes_read += len(piece)
            return piece

    def keep(self, size: int) -> None:
        """Make sure that that many bytes can be read again: of a pipe, they are set aside."""
        if self._start is not None:
            return
        with self._guard():
            self._head = TemporaryFile()  # noqa: SIM115 - read until the source is let go of
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
def open_requests(name: str, shown: str | None = None) -> Iterator[Source]:
    """Open a request file: a path, one that ends in `.gz`, or `-` for standard input.

    Messages call it by its name, unless it is `shown` by another.

    Raises:
        UsageFault: it cannot be opened.
    """
    if not name:
        raise UsageFault(
            "the path of the requests is empty; name a file, or - for standard input",
            FaultCode.INVALID_PATH,
        )
    if name == STANDARD_STREAM:
        yield Source(name, cast(Stream, sys.stdin.buffer))
        return
    shown = name if shown is None else shown
    try:
        stream = _open(name)
    except (OSError, ValueError) as error:
        raise _unreadable(shown, error) from None
    with stream:
        source = Source(shown, stream)
        if name.endswith(".gz"):
            source.read(1)  # tells a broken archive before a store is created for it
            source.rewind()
        yield source


def _open(name: str) -> Stream:
    if name.endswith(".gz"):
        return gzip.open(name, "rb")
    return Path(name).open("rb")


def _unreadable(name: str, error: Exception) -> UsageFault:
    cause = getattr(error, "strerror", None) or error
    return UsageFault(
        f"the requests {quoted(name)} cannot be read: {cause}",
        FaultCode.FILE_UNREADABLE,
        path=name,
    )
