"""Replay: files of requests through the engine, each line once, however often it is interrupted.

How far a replay got is kept in the transaction of the work itself. Its answers are written, and
on the disk, before that transaction is committed; what stands behind the length that it names
belongs to a batch that never was, and is cut off when the replay continues.

Batches are decided here, one after another. They are written by one of two writers
(`replay/writers.py`): one that commits each at once, and, of a long replay, one that has another
process write it while the next is being decided (`replay/ahead.py`).
"""

from collections.abc import Iterator
from contextlib import nullcontext

from idsync_cli import wire
from idsync_cli.core.codes import FileKind
from idsync_cli.core.decision import Answer, Refusal
from idsync_cli.core.erasure import KeptFile
from idsync_cli.engine.engine import Engine
from idsync_cli.errors import FaultCode, Hint, Kept, StoreFault, UsageFault
from idsync_cli.files.answers_file import AnswersFile
from idsync_cli.files.request_file import STANDARD_STREAM, Source
from idsync_cli.replay.ahead import AheadWriter
from idsync_cli.replay.batches import Batches, LineBatch
from idsync_cli.replay.labels import ReplayLabels
from idsync_cli.replay.pace import lines_left
from idsync_cli.replay.resumption import NOT_ENTERED, Mode, Start, find_start
from idsync_cli.replay.summary import Tally
from idsync_cli.replay.writers import BatchWriter, Decided, DirectWriter, Done, Overtaken
from idsync_cli.store.api import Transaction
from idsync_cli.store.sqlite import SqliteStore
from idsync_cli.store.sqlite.erasing.kept_files import text_of

_TRIES = 2
"""How often a replay looks where to begin: of one that was killed a batch may still be written."""


_SPARES_THE_STORE = {
    FaultCode.DISK_FULL,
    FaultCode.OUTPUT_UNWRITABLE,
    FaultCode.STORE_BUSY,
    FaultCode.STORE_UNWRITABLE,
    FaultCode.WRITER_ENDED,
}
"""Faults that leave what was committed before as it is, from which it can continue."""


class _RefusedOne(Exception):
    """A request of the batch at hand was refused, and the replay is to stop before it."""

    def __init__(self, place: int, answer: Answer) -> None:
        super().__init__()
        self.place = place
        self.answer = answer


class Replay:
    """The replay of one or several files into one store; `file` is the one at hand.

    `to_start` is what it takes to start a process, in seconds of a processor. `output` is the path
    of the answers, if they go to a file. With `forced` a file is replayed again even if that brings
    back what was erased.
    """

    def __init__(
        self,
        engine: Engine,
        store: SqliteStore,
        *,
        mode: Mode = Mode.ONCE,
        chunk_size: int | None = None,
        answers: AnswersFile | None = None,
        stop_on_error: bool = False,
        keep_answers: bool = False,
        to_start: float = 0.1,
        several_files: bool = False,
        output: str | None = None,
        forced: bool = False,
    ) -> None:
        self._engine = engine
        self._store = store
        self.mode = mode
        self._chunk_size = chunk_size
        self._answers = answers
        self._stop_on_error = stop_on_error
        self._keep_answers = keep_answers
        self._to_start = to_start
        self._labels = ReplayLabels()
        self._several_files = several_files
        self._output = output
        self._forced = forced
        self._commits = 0
        self.file = ""
        self.stopped_by: Answer | None = None
        self.stopped_line: wire.NumberedLine | None = None

    @property
    def file_in_answers(self) -> str | None:
        """The file at hand as its answers name it; None where it is the only one (section 8)."""
        return self.file if self._several_files else None

    def run(self, name: str, source: Source) -> Iterator[Done]:
        """Replay one file; what each batch came to comes when it is kept.

        Nothing comes of a file that is done already and is to be resumed. With `stop_on_error`,
        the refused request that ended the replay is left in `stopped_by`; nothing is done of it.

        Raises:
            UsageFault: the file was replayed before, or has changed since.
            StoreFault: the store or the answers cannot be written; what came before is kept.
        """
        self.file = name
        self._store.expect_many()
        for tries_left in reversed(range(_TRIES)):
            start = find_start(
                name, source, self._store, self._answers, self.mode, forced=self._forced
            )
            if start is None:
                return
            try:
                for done in self._go_on(start, source):
                    self._commits += 1
                    yield done
            except Overtaken as by:
                if not tries_left or not source.can_be_read_again:
                    raise UsageFault(str(by), FaultCode.REPLAYED_ELSEWHERE) from None
            except StoreFault as fault:
                self._say_what_is_kept(fault)
                raise
            else:
                return

    def _say_what_is_kept(self, fault: StoreFault) -> None:
        """Let a fault say no more and no less than is known of all that was done so far.

        Whoever raised it knows of one transaction. Of those before it is known that they are whole
        where the fault is none of the store's own content.
        """
        if not self._commits or self._store.place is None:  # a copy is thrown away anyway
            if fault.code is FaultCode.OUTPUT_UNWRITABLE:
                fault.kept = Kept.NOTHING_CHANGED
        elif fault.code in _SPARES_THE_STORE:
            fault.kept = Kept.EARLIER_IS_WHOLE
            is_full = fault.hint is Hint.MAKE_ROOM
            fault.hint = Hint.MAKE_ROOM_AND_RESUME if is_full else Hint.RESUME
        elif fault.kept is Kept.NOTHING_CHANGED:
            is_elsewhere = fault.code is FaultCode.STORE_REPLACED
            fault.kept = Kept.ALL_IS_IN_OLD_FILE if is_elsewhere else None

    def _go_on(self, start: Start, source: Source) -> Iterator[Done]:
        self._labels = ReplayLabels(start.labels)
        batches = Batches(start.requests, size=self._chunk_size, may_stop=self._stop_on_error)
        files = self._files()
        direct = DirectWriter(self._engine, self._answers, self._labels, start, files)
        row, pace = start.row, None
        with self._ahead() or nullcontext() as ahead:
            while not row.finished:
                left = lines_left(row.lines, row.bytes, source.size)
                writer: BatchWriter = direct
                if ahead is not None and ahead.takes_over(pace, left):
                    writer = ahead
                taken = batches.next()
                if not taken.lines and row.replay_id == NOT_ENTERED:
                    if self._answers:
                        self._answers.write(b"")  # no requests, no answers: an empty file
                    return
                try:
                    outcome = yield from writer.write(self._decide, taken, row)
                except _RefusedOne as refused:
                    self.stopped_by = refused.answer
                    self.stopped_line = taken.lines[refused.place]
                    if refused.place:
                        before_it = taken.up_to(refused.place)
                        yield from writer.write(self._decide, before_it, row)
                    return
                row, pace = outcome.row, outcome.pace or pace
                if outcome.held:
                    batches.fit(*outcome.held)
                batches.do_anew(*outcome.anew)

    def _files(self) -> list[KeptFile]:
        """The files of this replay whose paths the store keeps."""
        paths = [(FileKind.REQUESTS, self.file), (FileKind.OUTPUT, self._output)]
        return [
            KeptFile(kind, text_of(path))
            for kind, path in paths
            if path is not None and path != STANDARD_STREAM
        ]

    def _ahead(self) -> AheadWriter | None:
        """The writer that may take over, unless everything has to be done by one process.

        Others find no store that is in memory. Batches of a size that was asked for, and lines
        before one that is refused, are in the store before the next is read. And what went to a
        pipe or a device cannot be taken back.
        """
        answers = self._answers
        if self._store.place is None or self._chunk_size is not None or self._stop_on_error:
            return None
        if self._engine.companion is not None:
            return None
        if answers and not answers.can_be_cut:
            return None
        return AheadWriter(self._store, answers, self._labels, self._to_start)

    def _decide(self, transaction: Transaction, taken: LineBatch) -> Decided:
        """Answer the requests of a batch, and count the answers."""
        done = Done(Tally(), [], [])

        def take(answers: list[Answer]) -> None:
            self._take_in(done, answers)

        self._labels.begin()
        try:
            self._engine.answer_blocks(taken, self._labels, transaction, take)
        except BaseException:
            self._labels.undo()
            raise
        done.tally.keep_lines(taken.lines, self.file)
        return Decided(taken, done, self._labels.by_now(), self._labels.touched)

    def _take_in(self, done: Done, answers: list[Answer]) -> None:
        """Take the answers of a block; with `stop_on_error`, see whether one is a refusal."""
        if self._stop_on_error:
            for place, answer in enumerate(answers, start=done.tally.requests):
                if isinstance(answer.outcome, Refusal):
                    raise _RefusedOne(place, answer)
        done.tally.count_all(answers, self.file)
        if self._answers:
            done.lines.append(self._answers.lines(answers, self.file_in_answers))
        if self._keep_answers:
            done.answers += answers
