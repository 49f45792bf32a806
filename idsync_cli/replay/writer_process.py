"""Another process that writes batches to a store, while the next one is being decided here.

It writes a batch only if nobody else has written since the batch before. Its transactions are those
of any other writer: it waits for its turn, and all of a batch is kept, or nothing.
"""

import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from select import select
from typing import Any, Self

from idsync_cli.errors import FaultCode, StoreFault, UsageFault
from idsync_cli.replay.write_jobs import (
    NOT_OF_THE_WRITER,
    STORE_FAULT,
    USAGE_FAULT,
    WRITTEN,
    WriteJob,
    get,
    put,
    row_values,
)

_START = """\
import sys
root = sys.argv.pop(1)
if root not in sys.path:
    sys.path.insert(0, root)
from idsync_cli.replay.job_writer import main
main(*sys.argv[1:])
"""


class NoWriterProcess(Exception):
    """The other process cannot be started, or ended while it had nothing to write."""


class _Ended(Exception):
    """The other process ended."""


class WriterProcess:
    """The other process, for the process that decides. Close it, or use it in a `with`."""

    def __init__(self, store: Path, answers: int | None) -> None:
        """Start it; `answers` is an open file that has to be on the disk before each commit.

        Raises:
            NoWriterProcess: it cannot be started.
        """
        root = Path(__file__).resolve().parents[2]
        path, files = str(store.resolve()), () if answers is None else (answers,)
        # Ctrl-C goes to all processes, and must not reach this one before it ignores the signal.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, NOT_OF_THE_WRITER)
        try:
            self._process = subprocess.Popen(
                # -P: nothing in the folder that the user is in may stand in for a module.
                [sys.executable, "-P", "-c", _START, str(root), path, *map(str, files)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                pass_fds=files,
            )
        except OSError:
            raise NoWriterProcess from None
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        self._is_ready = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def is_ready(self, seconds: float | None = None) -> bool:
        """Whether it has started, now or within that many seconds; None waits until it has.

        Raises:
            NoWriterProcess: it has ended.
            StoreFault: it cannot use the store.
        """
        if not self._is_ready:
            assert self._process.stdout is not None
            readable, _, _ = select([self._process.stdout], [], [], seconds)
            if readable:
                try:
                    self._outcome()
                except _Ended:
                    raise NoWriterProcess from None
                self._is_ready = True
        return self._is_ready

    def begin(self) -> None:
        """Take note of the store as it is now: the next batch is decided on this state.

        Raises:
            NoWriterProcess: it has ended.
            StoreFault: the store cannot be used.
        """
        self.is_ready()
        try:
            self._send((None,))
            self._outcome()
        except _Ended:
            raise NoWriterProcess from None

    def send(self, job: WriteJob) -> None:
        """Have a batch written; `wait` says whether it was.

        Raises:
            StoreFault: the process has ended; nothing of the batch was written.
        """
        batch, before, after, *changes = job
        try:
            self._send((batch.as_values(), row_values(before), row_values(after), *changes))
        except _Ended:
            raise _ended() from None

    def wait(self) -> float | None:
        """How many seconds the transaction of the last batch took.

        None if the batch was not written, because somebody else has written to the store, or one of
        its new MPIDs is taken.

        Raises:
            StoreFault: the store cannot be written; nothing of the batch was. Or the process has
                ended; the batch was written whole, or not at all.
            UsageFault: another process is continuing the same replay.
        """
        try:
            return self._outcome()
        except _Ended:
            raise _ended() from None

    def close(self) -> None:
        """Let it finish its batch, and end it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with suppress(OSError):  # what it could not be given whole is not done
            self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()

    def _outcome(self) -> float | None:
        what, detail = self._receive()
        if what == STORE_FAULT:
            raise StoreFault.told_of(detail)
        if what == USAGE_FAULT:
            raise UsageFault.told_of(detail)
        return float(detail) if what == WRITTEN else None

    def _send(self, message: tuple[Any, ...]) -> None:
        assert self._process.stdin is not None
        try:
            put(self._process.stdin, message)
        except OSError:
            raise _Ended from None

    def _receive(self) -> tuple[str, Any]:
        assert self._process.stdout is not None
        message = get(self._process.stdout)
        if message is None:
            raise _Ended
        return message[0], message[1]


def _ended() -> StoreFault:
    return StoreFault(
        "the process that writes to the store ended unexpectedly", FaultCode.WRITER_ENDED
    )
