"""The bytes of a file that is read: of a path or a pipe, packed or not, once or again."""

import gzip
import io
import os
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import copyfileobj
from typing import IO, cast

from idsync_cli.errors import FaultCode, Hint, UsageFault, quoted
from idsync_cli.files import looks
from idsync_cli.files.contents import Contents
from idsync_cli.files.gzip_mark import GZIP, is_packed
from idsync_cli.files.looks import LOOKED_AT

STANDARD_STREAM = "-"

_PIECE = 2**18
_LOOKED_AT_ONCE = 2**16
_MAGIC = len(GZIP)


class Source:
    """The bytes of a file, unpacked, which can be read again from the beginning, even of a pipe.

    `what` is what messages call what is in it. `size` is how many bytes there are, or None if
    nobody knows: of a pipe, or of an archive. `size_of_file` and `position_in_file` are those of
    the file itself, packed as it may be.

    Every method raises UsageFault where the file cannot be read, or is a damaged archive.
    """

    def __init__(self, name: str, raw: IO[bytes], what: str = "requests") -> None:
        self._name = name
        self._what = what
        self._start = raw.tell() if raw.seekable() else None
        self._kept: IO[bytes] | None = None
        self._bytes_kept = self._of_kept = 0
        self.bytes_read = 0
        with self._guard():
            beginning, self._raw = _beginning(raw, self._start)
        self._is_packed = is_packed(beginning)
        self._stream = self._unpacked()

    @property
    def size_of_file(self) -> int | None:
        """How many bytes the file itself has; None of a pipe."""
        if self._start is None:
            return None
        try:
            return os.fstat(self._raw.fileno()).st_size - self._start
        except OSError:  # it is in memory
            return None

    @property
    def size(self) -> int | None:
        """How many bytes there are to be read."""
        return None if self._is_packed else self.size_of_file

    @property
    def position_in_file(self) -> int:
        """How far the file itself was read, or a little further."""
        return self._raw.tell() - self._start if self._start is not None else self.bytes_read

    @property
    def can_be_read_again(self) -> bool:
        """Whether all of it can, and not only what was kept."""
        return self._start is not None

    def read(self, size: int, /) -> bytes:
        """At most so many bytes, as soon as there are any; none at the end."""
        with self._guard():
            piece = b""
            if self._kept is not None and self._of_kept < self._bytes_kept:
                piece = self._kept.read(min(size, self._bytes_kept - self._of_kept))
                self._of_kept += len(piece)
            piece = piece or self._piece(size)
            self.bytes_read += len(piece)
            return piece

    def keep(self, size: int) -> None:
        """Make sure that so many bytes can be read again: of a pipe, they are set aside."""
        if self._start is None:
            while self._bytes_kept < size and self._keep_more(size - self._bytes_kept):
                pass

    def rewind(self) -> None:
        """Go back to the beginning, of a pipe to that of what was kept."""
        self.bytes_read = self._of_kept = 0
        with self._guard():
            if self._start is not None:
                self._raw.seek(self._start)
                self._stream = self._unpacked()
            elif self._kept is not None:
                self._kept.seek(0)

    def look(self) -> Contents:
        """What the file holds, by its beginning; it has to be rewound before and is so after."""
        head, is_all = b"", False
        while not (is_all or looks.is_enough(head)):
            size = min(_LOOKED_AT_ONCE, LOOKED_AT - len(head))
            is_all = self._start is None and not self._keep_more(size)
            piece = b"" if is_all else self.read(size)
            is_all = not piece
            head += piece
        self.rewind()
        return looks.look(head, is_all=is_all)

    def peek(self, size: int) -> bytes:
        """The first bytes, at most so many; it has to be rewound before and is so after."""
        self.keep(size)
        head = b""
        while len(head) < size and (piece := self.read(size - len(head))):
            head += piece
        self.rewind()
        return head

    def readline(self, size: int, /) -> bytes:
        """At most so many bytes of a line, of what can be read again."""
        with self._guard():
            return self._stream.readline(size)

    def _unpacked(self) -> IO[bytes]:
        return cast(IO[bytes], gzip.open(self._raw)) if self._is_packed else self._raw

    def _keep_more(self, size: int) -> bool:
        with self._guard():
            if self._kept is None:
                from tempfile import TemporaryFile

                self._kept = TemporaryFile()  # noqa: SIM115 - read until the source is let go of
            piece = self._piece(min(size, _PIECE))
            self._kept.seek(self._bytes_kept)
            self._kept.write(piece)
            self._bytes_kept += len(piece)
            self._kept.seek(self._of_kept)
            return bool(piece)

    def _piece(self, size: int) -> bytes:
        return cast(io.BufferedReader, self._stream).read1(size)

    @contextmanager
    def _guard(self) -> Iterator[None]:
        try:
            yield
        except (OSError, EOFError, zlib.error) as error:
            fault = unreadable(self._what, self._name, error)
            if isinstance(error, (gzip.BadGzipFile, EOFError, zlib.error)):
                fault.hint = Hint.GET_WHOLE_COPY
            raise fault from None


@contextmanager
def open_source(name: str, what: str, shown: str | None = None) -> Iterator[Source]:
    """Open a file to be read: a path, or `-` for standard input; `what` it holds is for messages.

    They call it by its name, unless it is `shown` by another.

    Raises:
        UsageFault: it cannot be opened.
    """
    if not name:
        raise UsageFault(
            f"the path of the {what} is empty; name a file, or - for standard input",
            FaultCode.INVALID_PATH,
        )
    if name == STANDARD_STREAM:
        yield Source(name, sys.stdin.buffer, what)
        return
    shown = name if shown is None else shown
    try:
        raw = Path(name).open("rb")  # noqa: SIM115 - by the `with` below, past what opening raises
    except (OSError, ValueError) as error:
        raise unreadable(what, shown, error) from None
    with raw:
        yield Source(shown, raw, what)


@contextmanager
def open_seekable(name: str, what: str) -> Iterator[IO[bytes]]:
    """Open a file in which one can go back: of a pipe, all that came through it.

    Raises:
        UsageFault: it cannot be opened, or the pipe cannot be read to its end.
    """
    if name == STANDARD_STREAM:
        with _seekable(name, what, sys.stdin.buffer) as stream:
            yield stream
        return
    try:
        raw = Path(name).open("rb")  # noqa: SIM115 - by the `with` below, past what opening raises
    except (OSError, ValueError) as error:
        raise unreadable(what, name, error) from None
    with raw, _seekable(name, what, raw) as stream:
        yield stream


@contextmanager
def _seekable(name: str, what: str, raw: IO[bytes]) -> Iterator[IO[bytes]]:
    if raw.seekable():
        yield raw
        return
    from tempfile import TemporaryFile

    with TemporaryFile() as spool:
        try:
            copyfileobj(raw, spool)
        except OSError as error:
            raise unreadable(what, name, error) from None
        yield spool


def unreadable(what: str, name: str, error: Exception) -> UsageFault:
    """What is said of a file that cannot be read, or not to its end."""
    cause = getattr(error, "strerror", None) or error
    return UsageFault(
        f"the {what} {quoted(name)} cannot be read: {cause}", FaultCode.FILE_UNREADABLE, path=name
    )


class _Unread(io.RawIOBase):
    """A pipe of which some bytes were read already, which come once more."""

    def __init__(self, read: bytes, rest: IO[bytes]) -> None:
        self._read = read
        self._rest = cast(io.BufferedReader, rest)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "io._WriteableBuffer", /) -> int:  # type: ignore[name-defined]
        view = memoryview(buffer)
        piece, self._read = self._read[: len(view)], self._read[len(view) :]
        piece = piece or self._rest.read1(len(view))
        view[: len(piece)] = piece
        return len(piece)


def _beginning(raw: IO[bytes], start: int | None) -> tuple[bytes, IO[bytes]]:
    """The first bytes of a stream, and a stream that still gives them."""
    found = raw.read(_MAGIC)
    if start is None:
        return found, io.BufferedReader(_Unread(found, raw), _PIECE)
    raw.seek(start)
    return found, raw
