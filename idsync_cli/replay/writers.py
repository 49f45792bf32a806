"""Writing what a replay decides: the interface, and the writer that commits at once."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from time import monotonic

from idsync_cli.core.decision import Answer
from idsync_cli.core.erasure import KeptFile
from idsync_cli.engine.engine import Engine
from idsync_cli.files.answers_file import AnswersFile
from idsync_cli.replay.batches import LineBatch
from idsync_cli.replay.pace import Pace
from idsync_cli.replay.resumption import NOT_ENTERED, Start
from idsync_cli.replay.state import Changes, ReplayState
from idsync_cli.replay.summary import Tally
from idsync_cli.store.api import MpidTaken, Transaction
from idsync_cli.store.sqlite import SqliteTransaction
from idsync_cli.store.sqlite.erasing.entries import cover_replay
from idsync_cli.store.sqlite.erasing.kept_files import keep
from idsync_cli.store.sqlite.queries.replays import (
    NOT_ALONE,
    ReplayRow,
    advance,
    begin,
    check_unmoved,
    is_unmoved,
    replays,
)


class Overtaken(Exception):
    """Another process has gone on with this replay since its progress was looked up."""


@dataclass(slots=True)
class Done:
    """The results of a batch: the counts of its answers and, if asked for, the answers."""

    tally: Tally
    answers: list[Answer]
    lines: list[bytes]


@dataclass(frozen=True, slots=True)
class Decided:
    """A batch that was decided, and is not committed yet; `changes` are of the replay's state."""

    batch: LineBatch
    done: Done
    changes: Changes


Decide = Callable[[Transaction, LineBatch], Decided]
"""Decides lines in a transaction. If it raises, the replay's state is as it was before."""


@dataclass(frozen=True, slots=True)
class WriteOutcome:
    """What happened when a writer was given the next batch.

    `row` says how far the replay got with what is committed or still being written. `anew` are
    batches that must be decided again, oldest first. `held` says how many lines were written in one
    transaction, and how many seconds that took; None if none were written. `pace` is how long a
    line took, if one process did it all.
    """

    row: ReplayRow
    anew: tuple[LineBatch, ...] = ()
    held: tuple[int, float] | None = None
    pace: Pace | None = None


class BatchWriter(ABC):
    """Has batches decided, one after another, and writes them with how far the replay got."""

    @abstractmethod
    def write(
        self, decide: Decide, batch: LineBatch, row: ReplayRow
    ) -> Generator[Done, None, WriteOutcome]:
        """Have lines decided, and write what they change: now, or while the next are decided.

        `row` says how far the replay got before them. The results of a batch are yielded when it is
        committed. With the last lines of a file, everything is committed.

        Raises:
            StoreFault: the store or the answers cannot be written; what was committed is intact.
            UsageFault: another process has gone on with the same replay.
        """


def with_answers(
    row: ReplayRow, decided: Decided, answers: AnswersFile | None, *, until_on_disk: bool
) -> ReplayRow:
    """Write the answers of a batch, and give how far the replay gets with it.

    Raises:
        StoreFault: they cannot be written.
    """
    batch = decided.batch
    end = batch.end
    row = replace(row, lines=end.lines, bytes=end.bytes, digest=end.digest, finished=batch.finished)
    if answers is None:
        return row
    written = answers.write(b"".join(decided.done.lines), until_on_disk=until_on_disk)
    if written is None:
        return row
    return replace(row, answers_bytes=written.bytes, answers_digest=written.digest)


class DirectWriter(BatchWriter):
    """Decides a batch and commits it, in one transaction.

    The first transaction also keeps the paths of `files` in the store, before any erasure that is
    to name them.
    """

    def __init__(
        self,
        engine: Engine,
        answers: AnswersFile | None,
        state: ReplayState,
        start: Start,
        files: Sequence[KeptFile],
    ) -> None:
        self._files = files
        self._engine = engine
        self._answers = answers
        self._state = state
        self._start = start

    def write(
        self, decide: Decide, batch: LineBatch, row: ReplayRow
    ) -> Generator[Done, None, WriteOutcome]:
        """Have lines decided, write what they change, and commit it.

        Raises:
            Overtaken: another process continued the same replay before this one began to.
        """
        done, outcome = self._write(decide, batch, row)
        yield done
        return outcome

    def _write(self, decide: Decide, batch: LineBatch, row: ReplayRow) -> tuple[Done, WriteOutcome]:
        try:
            return self._commit(decide, batch, row, trust_new_mpids=True)
        except MpidTaken:
            return self._commit(decide, batch, row, trust_new_mpids=False)

    def _commit(
        self, decide: Decide, batch: LineBatch, row: ReplayRow, *, trust_new_mpids: bool
    ) -> tuple[Done, WriteOutcome]:
        decided: Decided | None = None
        try:
            with self._engine.writing(trust_new_mpids=trust_new_mpids) as transaction:
                began = monotonic()
                self._keep_paths(transaction)
                first_seq = transaction.last_seq + 1
                decided = decide(transaction, batch)
                decided_at = monotonic()
                transaction.flush()
                held = monotonic() - began  # the rest takes about as long for any size
                after = self._keep_progress(transaction, decided, row, first_seq)
            self._files = ()
        except BaseException:
            if decided:
                self._state.undo(decided.changes)
            raise
        self._state.kept()
        lines = max(1, len(batch.lines))
        pace = Pace((decided_at - began) / lines, (monotonic() - decided_at) / lines)
        return decided.done, WriteOutcome(after, held=(lines, held), pace=pace)

    def _keep_paths(self, transaction: Transaction) -> None:
        assert isinstance(transaction, SqliteTransaction)
        for file in self._files:
            keep(transaction, file)

    def _keep_progress(
        self, transaction: Transaction, decided: Decided, row: ReplayRow, first_seq: int
    ) -> ReplayRow:
        """Write, in the transaction of a batch, how far the replay gets with it, and give that."""
        assert isinstance(transaction, SqliteTransaction)
        is_new = row.replay_id == NOT_ENTERED
        if is_new and len(replays(transaction)) != self._start.seen:
            raise Overtaken(NOT_ALONE)
        if not is_new:
            if row is self._start.row and not is_unmoved(transaction, row):
                raise Overtaken(NOT_ALONE)
            check_unmoved(transaction, row)
        after = with_answers(row, decided, self._answers, until_on_disk=True)
        if is_new:
            after = begin(transaction, after)
            last = after.replay_id
            for row_of_a_file in self._start.also:
                last = begin(transaction, row_of_a_file).replay_id
        else:
            advance(transaction, after)
            last = after.replay_id
        cover_replay(transaction, last, first_seq)
        self._state.keep(transaction, after, decided.changes)
        return after
