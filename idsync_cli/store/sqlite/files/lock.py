"""Taking turns at a store: whoever asks first writes first, however many there are.

With SQLite alone, waiting processes try again and again, and the quickest wins. A process could
wait for ever beside a replay, which begins its next transaction as soon as the last one has ended.
Here every process draws a number. A number is a byte of the file `<store>-lock`, which the process
keeps locked. Its turn comes when no other process has a lower byte locked. When a process ends, in
whatever way, the system unlocks its bytes.

Usually nobody else is there. A process that can lock all numbers up to the next one at once has
its turn without drawing: nobody is writing or waiting, and others now draw numbers after these.

This only makes waiting fair. It is SQLite that keeps two processes from writing at once.
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
_TOO_MANY = 2**62  # at a thousand draws a millisecond, reached in a hundred thousand years
_WORD = 8  # two words of so many bytes: the next number, and the process whose turn it is


class Lock:
    """The turns at one store. They exclude other processes, not other threads of this one.

    The lock file is not made before the first turn. `wait_seconds` is how long to wait for a turn;
    None is as long as anyone waits.
    """

    def __init__(self, store: Path) -> None:
        self.wait_seconds: float | None = None
        self._path = Path(f"{store}{SUFFIX}")
        self._name = str(self._path)
        self._file: int | None = None
        self._is_at = 0, 0  # inode and device of that file

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for the turn of this process, and have it while the block runs.

        Raises:
            StoreFault: another process's turn takes too long, or the lock cannot be used.
        """
        until = time.monotonic() + self._patience()
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
                    f"{self._patience():.0f} seconds",
                    FaultCode.STORE_BUSY,
                    hint=Hint.TRY_AGAIN,
                    kept=Kept.NOTHING_CHANGED,
                    process=holder,
                )
            time.sleep(_LOOK_AGAIN_SECONDS)

    def _patience(self) -> float:
        return WAIT_SECONDS if self.wait_seconds is None else self.wait_seconds

    def _opened(self) -> int:
        """The file that is at the path now; it is made if there is none."""
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
    """The number to draw next; the first one if the file has no valid number."""
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
