"""Taking turns at a store: whoever asks first writes first, however many there are.

SQLite lets those who wait try again and again, and the quickest wins: one may starve beside a
replay that begins its next transaction as soon as it has ended the last. Here everyone draws a
number. A number is a byte of the file `<store>-lock` that its drawer keeps locked, and one's turn
has come once no lower byte is locked by anyone else. The system unlocks what a process held when
it ends, however it ends.

Most often nobody else is there. Who can lock all numbers up to the next one at once has the turn
without drawing: nobody writes, and nobody waits; who comes then draws a number behind these.

This only makes waits even. That two never write at once is SQLite's own doing.
"""

import errno
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from idsync_cli.errors import FaultCode, Hint, Kept, StoreFault, printable

WAIT_SECONDS = 10.0
"""How long a process waits for its turn."""

SUFFIX = "-lock"
"""What the name of a store's lock ends with."""

_LOOK_AGAIN_SECONDS = 0.0005
_DRAWING = 0  # the byte that is locked while a number is drawn
_FIRST = 1
_TOO_MANY = 2**62  # whoever draws a thousand a millisecond gets there in a hundred years
_WORD = 8  # at 0 stands the number to draw next, behind it the process whose turn it is


class Lock:
    """The turns at one store. They exclude other processes, not other threads of this one.

    Nothing is touched before the first turn.
    """

    def __init__(self, store: Path) -> None:
        self._path = store.with_name(store.name + SUFFIX)
        self._name = str(self._path)
        self._file: int | None = None
        self._is_at = 0, 0  # which file that is, by its number and its device

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for one's turn, and have it as long as the block lasts.

        Raises:
            StoreFault: someone else's takes too long, or the lock cannot be used.
        """
        until = time.monotonic() + WAIT_SECONDS
        try:
            file = self._opened()
            words = os.pread(file, 2 * _WORD, 0)
            number = 0
            if not _locked(file, fcntl.LOCK_EX, _next(words), _FIRST):
                number = self._draw(file, until)
        except OSError as error:
            raise self._fault(error) from None
        try:
            if number:
                self._wait_until(until, file, fcntl.LOCK_SH, number - _FIRST, _FIRST)
            mine = os.getpid().to_bytes(_WORD, "big")
            if number or words[_WORD:] != mine:
                os.pwrite(file, mine, _WORD)
            yield
        finally:
            if self._file is not None:  # an interruption may leave this for after the close
                fcntl.lockf(file, fcntl.LOCK_UN, 0, _FIRST)  # all from there on

    def close(self) -> None:
        """Close the file, if there ever was a turn."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _draw(self, file: int, until: float) -> int:
        self._wait_until(until, file, fcntl.LOCK_EX, 1, _DRAWING)
        try:
            number = _next(os.pread(file, _WORD, 0))
            while not _locked(file, fcntl.LOCK_EX, 1, number):
                number += 1  # the file was emptied while it was in use
            os.pwrite(file, (number + 1).to_bytes(_WORD, "big"), 0)
        except BaseException:
            fcntl.lockf(file, fcntl.LOCK_UN, 0, _FIRST)
            raise
        finally:
            fcntl.lockf(file, fcntl.LOCK_UN, 1, _DRAWING)
        return number

    def _wait_until(self, until: float, file: int, kind: int, length: int, start: int) -> None:
        while length and not _locked(file, kind, length, start):
            if time.monotonic() > until:
                holder = int.from_bytes(os.pread(file, _WORD, _WORD), "big")
                raise StoreFault(
                    f"the store cannot be used: the process {holder} has held it for more than "
                    f"{WAIT_SECONDS:.0f} seconds",
                    FaultCode.STORE_BUSY,
                    hint=Hint.TRY_AGAIN,
                    kept=Kept.NOTHING_CHANGED,
                    process=holder,
                )
            time.sleep(_LOOK_AGAIN_SECONDS)

    def _opened(self) -> int:
        """The file as it is at its path now, created if there is none."""
        if self._file is not None:
            with suppress(FileNotFoundError):
                there = os.stat(self._name)  # noqa: PTH116 - a Path takes half as long again
                if (there.st_ino, there.st_dev) == self._is_at:
                    return self._file
            self.close()
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        self._file = os.open(self._path, flags, 0o600)
        found = os.fstat(self._file)
        self._is_at = found.st_ino, found.st_dev
        if found.st_mode & 0o777 != 0o600:  # a umask may have taken more away
            with suppress(OSError):
                os.fchmod(self._file, 0o600)
        return self._file

    def _fault(self, error: OSError) -> StoreFault:
        cause = "its folder does not exist" if error.errno == errno.ENOENT else error.strerror
        return StoreFault(
            f"the store cannot be used: the lock {printable(str(self._path))} cannot be acquired: "
            f"{cause}",
            FaultCode.STORE_UNWRITABLE,
            kept=Kept.NOTHING_CHANGED,
        )


def _next(words: bytes) -> int:
    """The number to draw next; the first where what it contains cannot be one of ours."""
    number = int.from_bytes(words[:_WORD], "big")
    return number if _FIRST <= number < _TOO_MANY else _FIRST


def _locked(file: int, kind: int, length: int, start: int) -> bool:
    """Lock bytes of the file at once, or not at all."""
    try:
        fcntl.lockf(file, kind | fcntl.LOCK_NB, length, start)
    except OSError as error:
        if error.errno in {errno.EACCES, errno.EAGAIN}:
            return False
        raise
    return True
