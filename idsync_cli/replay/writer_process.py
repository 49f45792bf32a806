"""Another process that writes batches to a store, while the next one is being decided here.

It writes a batch only if nobody else has written since the batch before. Its transactions are those
of any other writer: it waits for its turn, and all of a batch is kept, or nothing.
"""

import gc
import marshal
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from select import select
from time import monotonic, sleep
from typing import IO, Any, NamedTuple, Self

from idsync_cli.errors import FaultCode, StoreFault, UsageFault, printable
from idsync_cli.replay.pace import pause
from idsync_cli.store.api import MpidTaken
from idsync_cli.store.sqlite.ahead import NotAlone, RowBatch, Rows, Writing, batch_of
from idsync_cli.store.sqlite.lifecycle.opening import open_store
from idsync_cli.store.sqlite.queries.recorded import keep_recorded
from idsync_cli.store.sqlite.queries.replays import ReplayRow, advance, check_unmoved, keep_labels

_START = """\
import sys
root = sys.argv.pop(1)
if root not in sys.path:
    sys.path.insert(0, root)
from idsync_cli.replay.writer_process import main
main(*sys.argv[1:])
"""
_LENGTH = 8
_NOT_ITS_OWN = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_LOGGED_BATCHES = 8
"""How many batches the log takes before it is emptied, so that most pages are copied once."""

_WITHOUT_REFERENCES = 2  # this version of marshal does not look for values that came before
_WRITTEN, _NOT_ALONE, _STORE_FAULT, _USAGE_FAULT = "written", "not alone", "store", "usage"


class WriteJob(NamedTuple):
    """A batch of a replay: what it changes, and how far the replay is before it and after it.

    `labels` and `pairs` say what the labels and recorded MPIDs that it changed stand for by now.
    """

    batch: RowBatch
    before: ReplayRow
    after: ReplayRow
    labels: dict[str, int | None]
    pairs: dict[int, int | None]


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
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _NOT_ITS_OWN)
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
            self._send((batch.as_values(), _values(before), _values(after), *changes))
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
        if what == _STORE_FAULT:
            raise StoreFault.told_of(detail)
        if what == _USAGE_FAULT:
            raise UsageFault.told_of(detail)
        return float(detail) if what == _WRITTEN else None

    def _send(self, message: tuple[Any, ...]) -> None:
        assert self._process.stdin is not None
        try:
            _put(self._process.stdin, message)
        except OSError:
            raise _Ended from None

    def _receive(self) -> tuple[str, Any]:
        assert self._process.stdout is not None
        message = _get(self._process.stdout)
        if message is None:
            raise _Ended
        return message[0], message[1]


def _ended() -> StoreFault:
    return StoreFault(
        "the process that writes to the store ended unexpectedly", FaultCode.WRITER_ENDED
    )


def _values(row: ReplayRow) -> tuple[Any, ...]:
    return tuple(getattr(row, name) for name in ReplayRow.__slots__)


def _put(stream: IO[bytes], message: Any) -> None:
    data = marshal.dumps(message, _WITHOUT_REFERENCES)
    stream.write(len(data).to_bytes(_LENGTH, "big") + data)
    stream.flush()


def _get(stream: IO[bytes]) -> Any:
    length = stream.read(_LENGTH)
    size = int.from_bytes(length, "big")
    data = stream.read(size) if length else b""
    if not data or len(data) < size:  # it has ended, perhaps in the middle of a message
        return None
    return marshal.loads(data)


def main(path: str, answers: str | None = None) -> None:
    """The other process: write the batches that come, until there are no more."""
    gc.disable()  # rows have no cycles
    for ignored in _NOT_ITS_OWN:  # the process that decides handles them, and ends this one
        signal.signal(ignored, signal.SIG_IGN)
    gone = StoreFault(
        f"the store {printable(path)} no longer exists", FaultCode.STORE_REPLACED, store=path
    )
    try:
        store = open_store(path, write=True, finish_owed=False)
    except StoreFault as fault:
        store, gone = None, fault
    if store is None:
        _put(sys.stdout.buffer, (_STORE_FAULT, gone.as_values()))
        return
    with store:
        _Worker(Writing(store), None if answers is None else int(answers)).work(
            sys.stdin.buffer, sys.stdout.buffer
        )


class _Worker:
    def __init__(self, store: Writing, answers: int | None) -> None:
        self._store = store
        self._answers = answers
        self._done = 0
        self._held = self._ended = 0.0
        self._spare = 0.0

    def work(self, jobs: IO[bytes], replies: IO[bytes]) -> None:
        with suppress(BrokenPipeError):  # the other one was killed, and can be resumed
            _put(replies, (_WRITTEN, 0.0))  # it has started
            while message := self._next(jobs):
                _put(replies, self._do(message))
                self._done += 1
                if self._done % _LOGGED_BATCHES == 0:
                    self._store.empty_log()

    def _next(self, jobs: IO[bytes]) -> Any:
        began = monotonic()
        message = _get(jobs)
        self._spare += monotonic() - began
        return message

    def _let_others(self) -> None:
        seconds = pause(self._held, monotonic() - self._ended, self._spare)
        self._spare -= seconds
        sleep(seconds)

    def _do(self, message: tuple[Any, ...]) -> tuple[str, Any]:
        try:
            if message[0] is None:
                self._store.begin()
                return _WRITTEN, 0.0
            return _WRITTEN, self._write(message)
        except (NotAlone, MpidTaken):
            return _NOT_ALONE, None
        except StoreFault as fault:
            return _STORE_FAULT, fault.as_values()
        except UsageFault as fault:
            return _USAGE_FAULT, fault.as_values()

    def _write_answers_to_disk(self, answers: int) -> None:
        try:
            os.fsync(answers)
        except OSError as error:
            raise StoreFault(
                f"the answers cannot be written: {error.strerror}", FaultCode.OUTPUT_UNWRITABLE
            ) from None

    def _write(self, message: tuple[Any, ...]) -> float:
        values, before, after, labels, pairs = message
        row = ReplayRow(*after)
        if self._answers is not None:
            self._write_answers_to_disk(self._answers)
        rows = Rows(batch_of(values))
        self._let_others()
        with self._store.transaction() as transaction:
            began = monotonic()
            check_unmoved(transaction, ReplayRow(*before))
            transaction.write_rows(rows)
            advance(transaction, row)
            if not row.finished:
                keep_labels(transaction, row.replay_id, labels)
            if pairs:
                keep_recorded(transaction, pairs, anew=False)
        self._ended = monotonic()
        self._held = self._ended - began
        return self._held
