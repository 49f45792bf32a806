"""Replay: files of requests through the engine, each line once, however often it is interrupted.

How far a replay got is kept in the transaction of the work itself. Its answers are written, and
on the disk, before that transaction is committed; what stands behind the length that it names
belongs to a batch that never was, and is cut off when the replay continues.

Batches are decided here, one after another. They are written by one of two writers
(`replay/writers.py`): one that commits each at once, and, of a long replay, one that has another
process write it while the next is being decided (`replay/ahead.py`).
"""

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import nullcontext
from functools import partial

from idsync_cli import wire
from idsync_cli.core.codes import FileKind
from idsync_cli.core.decision import Answer, Refusal
from idsync_cli.core.erasure import KeptFile
from idsync_cli.engine.engine import Engine
from idsync_cli.errors import FaultCode, IdsyncError, UsageFault
from idsync_cli.files.answers_file import AnswersFile
from idsync_cli.files.request_file import STANDARD_STREAM, Source
from idsync_cli.files.sorted_requests import SortedLines
from idsync_cli.replay.ahead import AheadWriter
from idsync_cli.replay.batches import Batches, LineBatch
from idsync_cli.replay.by_time import Wanted, choose, find_start_by_time
from idsync_cli.replay.options import options_of
from idsync_cli.replay.origins import OneFile, Origin, SortedFiles
from idsync_cli.replay.pace import lines_left
from idsync_cli.replay.progress import ReplayProgress
from idsync_cli.replay.recorded import ReplayedMpids
from idsync_cli.replay.resumption import NOT_ENTERED, Mode, Start, check_files, find_start
from idsync_cli.replay.state import ReplayState
from idsync_cli.replay.summary import Tally
from idsync_cli.replay.writers import BatchWriter, Decided, DirectWriter, Done, Overtaken
from idsync_cli.store.api import Transaction
from idsync_cli.store.sqlite import SqliteStore
from idsync_cli.store.sqlite.erasing.kept_files import may_hold_data, text_of

_TRIES = 2
"""How often a replay looks where to begin: of one that was killed a batch may still be written."""


class _RefusedOne(Exception):
    """A request of the batch at hand was refused, and the replay is to stop before it."""

    def __init__(self, index: int, answer: Answer) -> None:
        super().__init__()
        self.index = index
        self.answer = answer


class Replay:
    """The replay of one or several files into one store.

    `stopped_by` is what was counted of the rejected request that stopped it, if one did.
    With `recorded` the MPIDs of recorded responses stand for ours (section 12). `to_start` is what
    it takes to start a process, in seconds of a processor. `output` is the path of the answers, and
    `page` that of a report, if they go to files. With `forced` a file is replayed again even if
    that brings back what was erased.
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
        recorded: ReplayedMpids | None = None,
        output: str | None = None,
        page: str | None = None,
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
        self._recorded = recorded
        self._options = options_of(
            maps_mpids=recorded is not None, enriches=engine.companion is not None
        )
        self._several_files = several_files
        self._outputs = [each for each in (output, page) if each is not None]
        self._forced = forced
        self._progress = ReplayProgress()
        self._started: Start | None = None
        self._state: ReplayState | None = None
        self._origin: Origin = OneFile("")
        self._labels_are_by_file = False
        self.stopped_by: Tally | None = None

    def check(self, files: Sequence[tuple[str, Source]]) -> None:
        """See, before the first file is begun, whether the others may be replayed as well.

        Raises:
            UsageFault: one of them must not be replayed, or is another of them.
        """
        store, answers, options = self._store, self._answers, self._options
        check_files(files, store, answers, self.mode, options=options, forced=self._forced)

    def by_file(self, answers: list[Answer]) -> Iterable[tuple[str | None, list[Answer]]]:
        """Answers by the file that they name; None where there is only one (section 8)."""
        for file, some in self._origin.by_file(answers):
            yield file if self._several_files else None, some

    def to_sort(self, files: Sequence[tuple[str, Source]]) -> Wanted:
        """Which of the files are to be replayed in the order of time, and which are done.

        Raises:
            UsageFault: one of them must not be replayed, or not with the others.
        """
        store, answers, options = self._store, self._answers, self._options
        return choose(files, store, answers, self.mode, options=options, forced=self._forced)

    def run_by_time(
        self, files: Sequence[tuple[str, Source]], lines: SortedLines
    ) -> Generator[Done, None, None]:
        """Replay files whose lines were sorted, as `run` does one.

        Raises:
            UsageFault: the files have changed since, or another replays them.
            StoreFault: the store or the answers cannot be written; what came before is kept.
        """
        self._origin = SortedFiles([name for name, _ in files])
        self._labels_are_by_file = len(lines.with_labels) > 1

        def start() -> Start | None:
            store, answers, mode = self._store, self._answers, self.mode
            return find_start_by_time(files, lines, store, answers, mode, options=self._options)

        return self._run(start, lines.source)

    def run(self, name: str, source: Source) -> Generator[Done, None, None]:
        """Replay one file; what came of each batch is given out when it is kept.

        Nothing is given out for a file that is done already and is to be resumed. With
        `stop_on_error`, the rejected request that ended the replay is left in `stopped_by`; nothing
        of it is done.

        Raises:
            UsageFault: the file was replayed before, or has changed since.
            StoreFault: the store or the answers cannot be written; what came before is kept.
        """
        self._origin = OneFile(name)
        several = self._several_files

        def start() -> Start | None:
            store, answers, mode = self._store, self._answers, self.mode
            return find_start(
                name,
                source,
                store,
                answers,
                mode,
                options=self._options,
                is_one_of_several=several,
                forced=self._forced,
            )

        return self._run(start, source)

    def _run(
        self, find_its_start: Callable[[], Start | None], source: Source
    ) -> Generator[Done, None, None]:
        self._store.expect_many()
        for tries_left in reversed(range(_TRIES)):
            try:
                start = find_its_start()
                if start is None:
                    return
                self._started = start
                for done in self._go_on(start, source):
                    self._progress.tell(done)
                    yield done
            except Overtaken as by:
                if not tries_left or not source.can_be_read_again:
                    fault = UsageFault(str(by), FaultCode.REPLAYED_ELSEWHERE)
                    self._progress.say_what_is_kept(fault, self._store)
                    raise fault from None
            except IdsyncError as fault:
                self._progress.say_what_is_kept(fault, self._store)
                raise
            else:
                return

    def untold(self) -> list[Done]:
        """What was kept but not given out, because something else ended the replay.

        Ask when what `run` gave is closed.
        """
        start = self._started
        return [] if start is None else self._progress.untold(self._store, start)

    def _go_on(self, start: Start, source: Source) -> Iterator[Done]:
        by_file = self._labels_are_by_file
        self._state = state = ReplayState(start, self._recorded, labels_by_file=by_file)
        batches = Batches(start.requests, size=self._chunk_size, may_stop=self._stop_on_error)
        direct = DirectWriter(self._engine, self._answers, state, start, self._files())
        row, pace, held = start.row, None, 0.0
        with self._ahead(state) or nullcontext() as ahead:
            while not row.finished:
                left = lines_left(row.lines, row.bytes, source.size)
                writer: BatchWriter = direct
                if ahead is not None and ahead.takes_over(pace, left, held):
                    writer = ahead
                batch = batches.next()
                if not batch.lines and row.replay_id == NOT_ENTERED:
                    if self._answers:
                        self._answers.write(b"")  # no requests, no answers: an empty file
                    return
                try:
                    outcome = yield from writer.write(self._decide, batch, row)
                except _RefusedOne as refused:
                    self.stopped_by = Tally()
                    self._count(self.stopped_by, [refused.answer], [batch.lines[refused.index]])
                    if refused.index:
                        before_it = batch.up_to(refused.index)
                        yield from writer.write(self._decide, before_it, row)
                    return
                row, pace = outcome.row, outcome.pace or pace
                if outcome.held:
                    batches.fit(*outcome.held)
                    held = outcome.held[1]
                batches.do_anew(*outcome.anew)

    def _files(self) -> list[KeptFile]:
        """The files of this replay whose paths the store keeps."""
        paths = [(FileKind.REQUESTS, name) for name in self._origin.files]
        paths += [(FileKind.OUTPUT, each) for each in self._outputs if may_hold_data(each)]
        return [KeptFile(kind, text_of(path)) for kind, path in paths if path != STANDARD_STREAM]

    def _ahead(self, state: ReplayState) -> AheadWriter | None:
        """The writer that may take over, unless one process has to do everything.

        Another process cannot see a store in memory. If a size was asked for, or the replay has to
        stop before a rejected line, each batch must be in the store before the next is read. And
        what went to a pipe or a device cannot be taken back.
        """
        answers = self._answers
        if self._store.location is None or self._chunk_size is not None or self._stop_on_error:
            return None
        if self._engine.companion is not None:
            return None
        if answers and not answers.can_be_cut:
            return None
        return AheadWriter(self._store, answers, state, self._to_start)

    def _decide(self, transaction: Transaction, batch: LineBatch) -> Decided:
        """Answer the requests of a batch, and count the answers."""
        done, state = Done(Tally(), [], []), self._state
        assert state is not None
        state.begin(transaction)
        try:
            for blocks, labels in state.with_labels(batch):
                self._engine.answer_blocks(blocks, labels, transaction, partial(self._add, done))
        except BaseException:
            state.undo()
            raise
        self._count(done.tally, [], batch.lines)
        state.count(done.tally, self._origin.file_and_line)
        decided = Decided(batch, done, state.changes())
        self._progress.decide(decided)
        return decided

    def _count(
        self, tally: Tally, answers: list[Answer], lines: Sequence[wire.NumberedLine]
    ) -> None:
        """Count answers, and keep those lines that are rejected and listed."""
        for file, some in self._origin.by_file(answers):
            tally.count_all(some, file)
        if tally.refused:
            for file, its_lines in self._origin.lines_by_file(lines):
                tally.keep_lines(its_lines, file)

    def _add(self, done: Done, answers: list[Answer]) -> None:
        """Take the answers of a block; with `stop_on_error`, see whether one is a refusal."""
        if self._stop_on_error:
            for index, answer in enumerate(answers, start=done.tally.requests):
                if isinstance(answer.outcome, Refusal):
                    raise _RefusedOne(index, answer)
        self._count(done.tally, answers, [])
        if self._answers:
            for file, some in self.by_file(answers):
                done.lines.append(self._answers.lines(some, file))
        if self._keep_answers:
            done.answers += answers
