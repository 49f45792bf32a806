"""The file that takes the answers of a replay, and can be cut back to what was committed."""

import gzip
import os
import zlib
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum, auto
from hashlib import blake2b
from pathlib import Path
from typing import BinaryIO

from idsync_cli import wire
from idsync_cli.core.decision import Answer
from idsync_cli.errors import FaultCode, Hint, StoreFault, UsageFault, printable, quoted
from idsync_cli.files.gzip_mark import GZIP, is_packed
from idsync_cli.files.outputs import ensure_writable, is_kept, open_plain
from idsync_cli.files.packed import is_to_be_packed, member

_PIECE = 2**20


@dataclass(frozen=True, slots=True)
class Written:
    """How far the file of answers got: its length, and a digest of what it contains."""

    bytes: int
    digest: str


class Over(Enum):
    """What a replay that begins may write over; what it appends to is another matter."""

    NOTHING = auto()
    ITS_OWN = auto()  # what it began to write, and was ended before anything was committed
    ANY_FILE = auto()


class AnswersFile:
    """The file that takes the answers, one per line; packed if its name says so.

    Of a packed one each batch of answers is packed by itself, so that the file is whole behind it,
    and can be cut there. It is not touched before the first answers are written, which happens in
    the transaction that has made sure that nobody else is replaying the same. `named` is what
    messages call it.
    """

    def __init__(
        self,
        path: str,
        *,
        explain: bool,
        named: str = "the answers file",
        over: Over = Over.NOTHING,
    ) -> None:
        self._path = path
        self._named = named
        self._over = over
        self._shown = f"{named} {quoted(path)}"
        self._explain = explain
        self._is_packed = is_to_be_packed(path)
        self._is_empty = True
        self._file: BinaryIO | None = None
        self._behind: Written | None = None
        self._hash = blake2b(digest_size=16)
        self._before = self._hash, 0

    def check(self) -> None:
        """See whether the file can be written, before anything is done.

        Raises:
            UsageFault: it cannot.
        """
        ensure_writable(self._named, self._path)

    def go_on_behind(self, written: Written) -> None:
        """Keep what a replay wrote before; whatever follows it will be cut off."""
        self._behind = written

    @property
    def can_be_cut(self) -> bool:
        """Whether it is a file: what went to a pipe or a device cannot be taken back."""
        path = Path(self._path)
        return path.is_file() or not path.exists()

    def lines(self, answers: Iterable[Answer], file: str | None = None) -> bytes:
        """The lines of answers, which name the file where there are several."""
        explain = self._explain
        return b"".join([wire.answer_line(each, explain=explain, file=file) for each in answers])

    @property
    def path(self) -> str:
        """The path of the file, as it was given."""
        return self._path

    @property
    def number(self) -> int | None:
        """The file's number to the system; None as long as it is not open."""
        return None if self._file is None else self._file.fileno()

    def write(self, data: bytes, *, until_on_disk: bool = True) -> Written | None:
        """Write lines of answers, and give how far the file got.

        They are on the disk then, unless that is seen to elsewhere.

        None where it is no file.

        Raises:
            UsageFault: the file does not hold what was written before, or must not be written over.
            StoreFault: they cannot be written.
        """
        try:
            if self._file is None:
                self._file = self._open(data)
            if self._is_packed:
                data = member(data) if data or self._is_empty else b""
            self._file.write(data)
            self._is_empty = False
            self._file.flush()
            if not self.can_be_cut:
                return None
            if until_on_disk:
                os.fsync(self._file.fileno())
            self._before = self._hash.copy(), self._file.tell() - len(data)
            self._hash.update(data)
            return Written(self._file.tell(), self._hash.hexdigest())
        except OSError as error:
            raise StoreFault(
                f"the answers cannot be written to {printable(self._path)}: {error.strerror}",
                FaultCode.OUTPUT_UNWRITABLE,
                path=self._path,
            ) from None

    def take_back(self) -> None:
        """Cut off what was written last: it was not kept, and is to be repeated."""
        if self._file is not None:
            self._hash, length = self._before
            self._file.truncate(length)
            self._file.seek(length)

    def close(self) -> None:
        """Close the file, if it was opened."""
        if self._file is not None:
            with suppress(OSError):  # what could not be written has been reported
                self._file.close()

    def _open(self, data: bytes) -> BinaryIO:
        path = Path(self._path)
        if self._behind is None or self._behind.bytes == 0:
            if self._over is Over.ITS_OWN and is_kept(self._path):
                self._check_own(data)
            is_new = self._over is Over.NOTHING
            return open_plain(self._named, self._path, must_be_new=is_new)
        if not path.exists():
            raise self._not_ours("does not exist")
        file = path.open("r+b")
        self._is_packed = is_packed(file.read(2))  # the file goes on as it began, whatever its name
        file.seek(0)
        left = self._behind.bytes
        while left and (piece := file.read(min(_PIECE, left))):
            self._hash.update(piece)
            left -= len(piece)
        if self._hash.hexdigest() != self._behind.digest:
            file.close()
            raise self._not_ours("does not begin with the answers written so far")
        self._is_empty = False
        file.truncate(self._behind.bytes)
        file.seek(self._behind.bytes)
        return file

    def _check_own(self, data: bytes) -> None:
        """See whether the file begins as these answers do, however long it or they are."""
        if not data.startswith(self._there(max(len(data), 1))):
            raise UsageFault(
                f"{self._shown} does not contain the answers of this replay",
                FaultCode.FILE_EXISTS,
                hint=Hint.REPLACE_FILE,
                path=self._path,
            )

    def _there(self, size: int) -> bytes:
        """What the file begins with, unpacked; of a packed one as far as it is whole."""
        with Path(self._path).open("rb") as file:
            beginning = file.read(len(GZIP))
            file.seek(0)
            if not self._is_packed:
                return file.read(size)
            if len(beginning) < len(GZIP) and GZIP.startswith(beginning):
                return b""
            if not is_packed(beginning):
                return file.read(size)
            there = b""
            with suppress(OSError, EOFError, zlib.error), gzip.open(file) as unpacked:
                while len(there) < size and (piece := unpacked.read1(size - len(there))):
                    there += piece
            return there

    def _not_ours(self, what: str) -> UsageFault:
        return UsageFault(
            f"{self._shown} {what}; name the file that the replay was started with",
            FaultCode.OUTPUT_CHANGED,
            path=self._path,
        )
