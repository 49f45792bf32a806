"""Who writes what a replay decides: one interface, and the writer that commits at once."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from time import monotonic

from idsync_cli.core.decision import Answer
from idsync_cli.engine.engine import Engine
from idsync_cli.files.answers_file import AnswersFile
from idsync_cli.replay.batches import LineBatch
from idsync_cli.replay.pace import Pace
from idsync_cli.replay.resumption import NOT_ENTERED, Start
from idsync_cli.replay.state import Changes, ReplayState
from idsync_cli.replay.summary import Tally
from idsync_cli.store.api import MpidTaken, Transaction
from idsync_cli.store.sqlite import SqliteTransaction
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
    """Since this replay looked how far its file was replayed before, another got further."""


@dataclass(slots=True)
class Done:
    """What a batch came to: its answers counted and, where they are asked for, as they are."""

    tally: Tally
    answers: list[Answer]
    lines: list[bytes]


@dataclass(frozen=True, slots=True)
class Decided:
    """A batch that was decided, and is not kept yet; `changes` are those of the replay's state."""

    taken: LineBatch
    done: Done
    changes: Changes


Decide = Callable[[Transaction, LineBatch], Decided]
"""What decides lines in a transaction. If it raises, the replay's state is as it was before."""


@dataclass(frozen=True, slots=True)
class WriteOutcome:
    """What became of batches when a writer was given the next one.

    `row` says how far the replay got by what is kept, and by what is still being written. `anew`
    are lines that must be decided once more, oldest first. `held` says how many lines were written
    at once, and for how many seconds they held the store; None where none were. `pace` is what a
    line took, where one process did it all.
    """

    row: ReplayRow
    anew: tuple[LineBatch, ...] = ()
    held: tuple[int, float] | None = None
    pace: Pace | None = None


class BatchWriter(ABC):
    """Has batches decided, one after another, and writes them with how far the replay got."""

    @abstractmethod
    def write(
        self, decide: Decide, taken: LineBatch, row: ReplayRow
    ) -> Generator[Done, None, WriteOutcome]:
        """Have lines decided, and write what they change: now, or while the next are decided.

        `row` says how far the replay got before them. What a batch came to comes when it is kept.
        With the last lines of a file all is kept.

        Raises:
            StoreFault: the store or the answers cannot be written; what was kept is whole.
            UsageFault: somebody else goes on with the same replay.
        """


def with_answers(
    row: ReplayRow, decided: Decided, answers: AnswersFile | None, *, until_on_disk: bool
) -> ReplayRow:
    """Write the answers of a batch out, and give how far it brings the replay.

    Raises:
        StoreFault: they cannot be written.
    """
    taken = decided.taken
    end = taken.end
    row = replace(row, lines=end.lines, bytes=end.bytes, digest=end.digest, finished=taken.finished)
    if answers is None:
        return row
    written = answers.write(b"".join(decided.done.lines), until_on_disk=until_on_disk)
    if written is None:
        return row
    return replace(row, answers_bytes=written.bytes, answers_digest=written.digest)


class DirectWriter(BatchWriter):
    """Decides a batch and commits it, in one transaction."""

    def __init__(
        self, engine: Engine, answers: AnswersFile | None, state: ReplayState, start: Start
    ) -> None:
        self._engine = engine
        self._answers = answers
        self._state = state
        self._start = start

    def write(
        self, decide: Decide, taken: LineBatch, row: ReplayRow
    ) -> Generator[Done, None, WriteOutcome]:
        """Have lines decided, write what they change, and commit it.

        Raises:
            Overtaken: another process went on with the same replay before this one began to.
        """
        done, outcome = self._write(decide, taken, row)
        yield done
        return outcome

    def _write(self, decide: Decide, taken: LineBatch, row: ReplayRow) -> tuple[Done, WriteOutcome]:
        try:
            return self._commit(decide, taken, row, trust_new_mpids=True)
        except MpidTaken:
            return self._commit(decide, taken, row, trust_new_mpids=False)

    def _commit(
        self, decide: Decide, taken: LineBatch, row: ReplayRow, *, trust_new_mpids: bool
    ) -> tuple[Done, WriteOutcome]:
        decided: Decided | None = None
        try:
            with self._engine.writing(trust_new_mpids=trust_new_mpids) as transaction:
                began = monotonic()
                decided = decide(transaction, taken)
                decided_at = monotonic()
                transaction.flush()
                held = monotonic() - began  # what follows depends little on the size
                after = self._keep_progress(transaction, decided, row)
        except BaseException:
            if decided:
                self._state.undo(decided.changes)
            raise
        self._state.kept()
        lines = max(1, len(taken.lines))
        pace = Pace((decided_at - began) / lines, (monotonic() - decided_at) / lines)
        return decided.done, WriteOutcome(after, held=(lines, held), pace=pace)

    def _keep_progress(
        self, transaction: Transaction, decided: Decided, row: ReplayRow
    ) -> ReplayRow:
        """Keep in the transaction of a batch how far it brings the replay, and give that."""
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
            for row_of_a_file in self._start.also:
                begin(transaction, row_of_a_file)
        else:
            advance(transaction, after)
        self._state.keep(transaction, after, decided.changes)
        return after
