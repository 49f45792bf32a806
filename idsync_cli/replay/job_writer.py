"""What the second process of a replay runs: it writes the batches that the first one decided."""

import gc
import os
import signal
import sys
from contextlib import suppress
from time import monotonic, sleep
from typing import IO, Any

from idsync_cli.errors import FaultCode, StoreFault, UsageFault, printable
from idsync_cli.replay.pace import pause
from idsync_cli.replay.write_jobs import (
    NOT_ALONE,
    NOT_OF_THE_WRITER,
    STORE_FAULT,
    USAGE_FAULT,
    WRITTEN,
    get,
    put,
)
from idsync_cli.store.api import MpidTaken
from idsync_cli.store.sqlite.ahead import NotAlone, Rows, Writing, batch_of
from idsync_cli.store.sqlite.lifecycle.opening import open_store
from idsync_cli.store.sqlite.queries.recorded import keep_recorded
from idsync_cli.store.sqlite.queries.replays import ReplayRow, advance, check_unmoved, keep_labels

_LOGGED_BATCHES = 8
"""How many batches the log takes before it is emptied, so that most pages are copied once."""


def main(path: str, answers: str | None = None) -> None:
    """The other process: write the batches that come, until there are no more."""
    gc.disable()  # rows have no cycles
    for ignored in NOT_OF_THE_WRITER:  # the process that decides handles them, and ends this one
        signal.signal(ignored, signal.SIG_IGN)
    gone = StoreFault(
        f"the store {printable(path)} no longer exists", FaultCode.STORE_REPLACED, store=path
    )
    try:
        store = open_store(path, write=True, finish_owed=False)
    except StoreFault as fault:
        store, gone = None, fault
    if store is None:
        put(sys.stdout.buffer, (STORE_FAULT, gone.as_values()))
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
        self._held = self._ended = self._spare = 0.0  # as `pause` takes them; seconds

    def work(self, jobs: IO[bytes], replies: IO[bytes]) -> None:
        with suppress(BrokenPipeError):  # the other one was killed, and can be resumed
            put(replies, (WRITTEN, 0.0))  # it has started
            while message := self._next(jobs):
                put(replies, self._do(message))
                self._done += 1
                if self._done % _LOGGED_BATCHES == 0:
                    self._store.empty_log()

    def _next(self, jobs: IO[bytes]) -> Any:
        began = monotonic()
        message = get(jobs)
        self._spare += monotonic() - began
        return message

    def _let_others(self) -> None:
        """Leave the store to those who wait for it by SQLite's own means."""
        seconds = pause(self._held, monotonic() - self._ended, self._spare)
        self._spare -= seconds
        sleep(seconds)

    def _do(self, message: tuple[Any, ...]) -> tuple[str, Any]:
        try:
            if message[0] is None:
                self._store.begin()
                return WRITTEN, 0.0
            return WRITTEN, self._write(message)
        except (NotAlone, MpidTaken):
            return NOT_ALONE, None
        except StoreFault as fault:
            return STORE_FAULT, fault.as_values()
        except UsageFault as fault:
            return USAGE_FAULT, fault.as_values()

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
