"""The writer that has another process write a batch while the next one is decided."""

import os
from collections.abc import Generator
from contextlib import suppress
from dataclasses import dataclass
from typing import Self

from idsync_cli.files.answers_file import AnswersFile
from idsync_cli.replay.batches import LineBatch
from idsync_cli.replay.pace import Pace, is_worth_a_process, pause
from idsync_cli.replay.state import ReplayState
from idsync_cli.replay.write_jobs import WriteJob
from idsync_cli.replay.writer_process import NoWriterProcess, WriterProcess
from idsync_cli.replay.writers import BatchWriter, Decide, Decided, Done, WriteOutcome, with_answers
from idsync_cli.store.sqlite import SqliteStore
from idsync_cli.store.sqlite.ahead import Deciding, RowBatch, TablesBehind
from idsync_cli.store.sqlite.queries.replays import ReplayRow

_ALONE_AGAIN = 10
"""How many batches this process writes itself after one that the other could not write."""

_PATIENCE = 0.0
"""How many seconds to wait for the other process to start, however short the pause is."""


def processors() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@dataclass(frozen=True, slots=True)
class _UnderWay:
    """A batch that the other process is writing, and how far the replay was before it."""

    decided: Decided
    before: ReplayRow


class AheadWriter(BatchWriter):
    """Has each batch decided while another process writes the one before.

    It takes over once that is worth it (`takes_over`). It gives back when lines have to be decided
    again: someone else has written to the store, or tables had to be asked that are not up to date.
    If the other process cannot be started it never takes over. Use it in a `with`. `to_start` is
    what a process takes to start, in seconds of a processor.
    """

    def __init__(
        self,
        store: SqliteStore,
        answers: AnswersFile | None,
        state: ReplayState,
        to_start: float,
    ) -> None:
        self._store = store
        self._answers = answers
        self._state = state
        self._to_start = to_start
        self._processors = processors()
        self._process: WriterProcess | None = None
        self._ahead: Deciding | None = None
        self._under_way: _UnderWay | None = None
        self._alone_for = 0
        self._is_possible = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.close()

    def takes_over(self, pace: Pace | None, left: int, held: float) -> bool:
        """Whether the next batch is to be written by the other process; asked before each.

        It is started when it is worth it: by the pace of a batch that one process did, and by how
        many lines are likely left. Until it is ready batches are written as before, but others get
        the store between them: the last one held it for `held` seconds.

        Raises:
            StoreFault: the other process cannot use the store.
        """
        if self._ahead is not None:
            return True
        if pace is None or not self._is_possible:
            return False
        if self._alone_for > 0:
            self._alone_for -= 1
            return False
        if self._process is None and not is_worth_a_process(
            pace, left, to_start=self._to_start, processors=self._processors
        ):
            return False
        try:
            self._ahead = self._begun(held)
        except NoWriterProcess:
            self._is_possible = False
        return self._ahead is not None

    def write(
        self, decide: Decide, batch: LineBatch, row: ReplayRow
    ) -> Generator[Done, None, WriteOutcome]:
        """Have lines decided while the batch before is written, and hand over what they change."""
        assert self._ahead is not None
        assert self._process is not None
        decided: Decided | None = None
        rows: RowBatch | None = None
        with suppress(TablesBehind), self._ahead.transaction() as transaction:
            decided = decide(transaction, batch)
            rows = transaction.drain()
        before, self._under_way, held = self._under_way, None, None
        if before is not None:
            held = self._wait(before)
            if held is None:
                if decided is not None:
                    self._state.undo(decided.changes)
                return self._in_vain(before, batch)
            yield before.decided.done
        if decided is None or rows is None:
            return self._go_back(WriteOutcome(row, anew=(batch,)))
        after = with_answers(row, decided, self._answers, until_on_disk=False)
        changes = decided.changes
        self._process.send(WriteJob(rows, row, after, changes.labels, changes.pairs))
        sent = _UnderWay(decided, row)
        if not batch.finished:
            self._under_way = sent
            return WriteOutcome(after, held=held)
        held = self._wait(sent)
        if held is None:
            return self._in_vain(sent)
        yield decided.done
        return WriteOutcome(after, held=held)

    def _wait(self, sent: _UnderWay) -> tuple[int, float] | None:
        """How many lines a batch had, and how long its transaction took; None if it failed."""
        assert self._process is not None
        seconds = self._process.wait()
        return None if seconds is None else (len(sent.decided.batch.lines), seconds)

    def _in_vain(self, sent: _UnderWay, *after: LineBatch) -> WriteOutcome:
        """Go back: a batch was not written, so it and the lines after it must be decided again."""
        self._state.undo(sent.decided.changes)
        if self._answers:
            self._answers.take_back()
        return self._go_back(WriteOutcome(sent.before, anew=(sent.decided.batch, *after)))

    def _go_back(self, outcome: WriteOutcome) -> WriteOutcome:
        """Drop the cache of the store, and leave some batches to the direct writer."""
        self._store.forget()
        self._ahead = None
        self._alone_for = max(_ALONE_AGAIN, len(outcome.anew))
        return outcome

    def _begun(self, held: float) -> Deciding | None:
        """Have the other process begin; None while it is not ready, or someone else writes.

        Raises:
            NoWriterProcess: there is none.
            StoreFault: it cannot use the store.
        """
        if self._process is None:
            location, answers = self._store.location, self._answers
            assert location is not None
            self._process = WriterProcess(location.path, answers.number if answers else None)
        if not self._process.is_ready(max(_PATIENCE, pause(held, 0.0, self._to_start))):
            return None
        ahead = Deciding(self._store)
        if not ahead.is_current():
            return None
        self._process.begin()
        return ahead if ahead.is_current() else None  # unless somebody wrote until it began
