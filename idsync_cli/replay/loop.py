"""Replay: files of requests through the engine, each line once, however often it is interrupted.

How far a replay got is kept in the transaction of the work itself. Its answers are written, and
on the disk, before that transaction is committed; what stands behind the length that it names
belongs to a batch that never was, and is cut off when the replay goes on.

A long replay decides a batch while another process writes the one before
(`replay/writer_process.py`). What that one could not write, because somebody else wrote in between,
is decided anew and written here.
"""

from collections.abc import Generator, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from time import monotonic

from idsync_cli.core.decision import Answer, Refusal
from idsync_cli.engine.engine import Engine, TakeAnswers
from idsync_cli.engine.labels import Labels
from idsync_cli.errors import FaultCode, Hint, Kept, StoreFault, UsageFault
from idsync_cli.files.answers_file import AnswersFile, Written
from idsync_cli.files.request_file import Source
from idsync_cli.replay.batches import Batches, Taken
from idsync_cli.replay.resumption import NOT_ENTERED, Mode, Start, find_start
from idsync_cli.replay.summary import Summary
from idsync_cli.replay.writer_process import Errand, Scribe
from idsync_cli.store.sqlite import Session, Store, TablesBehind
from idsync_cli.store.sqlite.queries.replays import (
    NOT_ALONE,
    ReplayRow,
    advance,
    begin,
    check_unmoved,
    is_unmoved,
    keep_labels,
    replays,
)

LONG = 8_000
"""After a transaction of so many requests another process is worth starting."""

_TRIES = 2
"""How often a replay looks where to begin: of one that was killed a batch may still be written."""

_ALONE_AGAIN = 10
"""How many transactions are made here after one of the other process was in vain."""


_SPARES_THE_STORE = {
    FaultCode.DISK_FULL,
    FaultCode.OUTPUT_UNWRITABLE,
    FaultCode.STORE_BUSY,
    FaultCode.STORE_UNWRITABLE,
    FaultCode.WRITER_ENDED,
}
"""Faults that leave what was committed before as it is, to be gone on from."""


class _Overtaken(Exception):
    """Since this replay looked how far its file was replayed before, another got further."""


class _RefusedOne(Exception):
    """A request of the batch at hand was refused, and the replay is to stop before it."""

    def __init__(self, place: int, answer: Answer) -> None:
        super().__init__()
        self.place = place
        self.answer = answer


@dataclass(slots=True)
class Done:
    """What a batch came to: its answers counted and, where they are asked for, as they are."""

    summary: Summary
    answers: list[Answer]
    lines: list[bytes]


@dataclass(frozen=True, slots=True)
class _UnderWay:
    """A batch that the other process was given to write."""

    taken: Taken
    row: ReplayRow
    done: Done
    touched: dict[str, int | None]


class Replay:
    """The replay of one or several files into one store; `file` is the one at hand."""

    def __init__(
        self,
        engine: Engine,
        store: Store,
        *,
        mode: Mode = Mode.ONCE,
        chunk_size: int | None = None,
        answers: AnswersFile | None = None,
        stop_on_error: bool = False,
        keep_answers: bool = False,
    ) -> None:
        self._engine = engine
        self._store = store
        self.mode = mode
        self._chunk_size = chunk_size
        self._answers = answers
        self._stop_on_error = stop_on_error
        self._keep_answers = keep_answers
        self._answered_at = 0.0
        self._commits = 0
        self._alone_for = 0
        self._scribe: Scribe | None = None
        self.file = ""
        self.stopped_by: Answer | None = None

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
            start = find_start(name, source, self._store, self._answers, self.mode)
            if start is None:
                return
            try:
                for done in self._go_on(start):
                    self._commits += 1
                    yield done
            except _Overtaken as by:
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
        if not self._commits or self._store.place is None:  # else it is a copy that goes anyway
            if fault.code is FaultCode.OUTPUT_UNWRITABLE:
                fault.kept = Kept.NOTHING_CHANGED
        elif fault.code in _SPARES_THE_STORE:
            fault.kept = Kept.EARLIER_IS_WHOLE
            is_full = fault.hint is Hint.MAKE_ROOM
            fault.hint = Hint.MAKE_ROOM_AND_RESUME if is_full else Hint.RESUME
        elif fault.kept is Kept.NOTHING_CHANGED:
            is_elsewhere = fault.code is FaultCode.STORE_REPLACED
            fault.kept = Kept.ALL_IS_IN_OLD_FILE if is_elsewhere else None

    def _go_on(self, start: Start) -> Iterator[Done]:
        self._engine.labels = Labels(start.labels)
        row = start.row
        batches = Batches(start.requests, size=self._chunk_size, may_stop=self._stop_on_error)
        self._alone_for, self._scribe = 0, None
        with ExitStack() as opened:
            while not row.finished:
                if self._may_go_ahead(row, batches, opened):
                    row = yield from self._ahead(row, batches)
                    continue
                self._alone_for -= 1
                taken = batches.next()
                if not taken.lines and row.replay_id == NOT_ENTERED:
                    if self._answers:
                        self._answers.write(b"")  # no requests, no answers: an empty file
                    return
                began = monotonic()
                try:
                    row, done = self._commit(taken, row, start)
                except _RefusedOne as refused:
                    self.stopped_by = refused.answer
                    if refused.place:
                        row, done = self._commit(taken.up_to(refused.place), row, start)
                        yield done
                    return
                batches.fit(self._answered_at - began)
                yield done

    def _may_go_ahead(self, row: ReplayRow, batches: Batches, opened: ExitStack) -> bool:
        """Whether another process can write from now on; it is started if it is worth it."""
        place = self._store.place
        if (
            place is None
            or self._chunk_size is not None
            or self._stop_on_error
            or (self._answers and not self._answers.can_be_cut)
            or batches.size < LONG // 4
            or row.replay_id == NOT_ENTERED
            or (self._answers is not None and self._answers.number is None)
        ):
            return False
        if self._scribe is None:  # by the time that it is needed it has started
            answers = self._answers.number if self._answers else None
            self._scribe = opened.enter_context(Scribe(place.path, answers))
            self._store.expect_others_to_write()
        if batches.size < LONG or batches.has_some_anew or self._alone_for > 0:
            return False
        if not self._engine.can_go_ahead:
            return False
        self._scribe.begin()
        return self._engine.can_go_ahead  # nobody else wrote until it began

    def _ahead(self, row: ReplayRow, batches: Batches) -> Generator[Done, None, ReplayRow]:
        """Decide each batch while the other process writes the one before.

        Ends with the file, or where something has to be done anew.
        """
        scribe = self._scribe
        assert scribe is not None
        before: _UnderWay | None = None
        while True:
            taken = batches.next()
            done, batch = self._begin(), None
            try:
                batch = self._engine.ahead(taken, partial(self._take_in, done))
            except TablesBehind:
                self._do_anew(batches, taken)
            if before is not None:
                seconds = scribe.wait()
                if seconds is None:
                    self._take_back(batches, before, taken)
                    return row
                batches.fit(seconds)
                row = before.row
                yield before.done
            if batch is None:
                return row
            reached = self._reached(row, taken, self._write_out(done, until_on_disk=False))
            before = _UnderWay(taken, reached, done, self._engine.labels.touched)
            scribe.send(Errand(batch, row, reached, self._engine.labels.by_now()))
            if taken.finished:
                if scribe.wait() is None:
                    self._take_back(batches, before)
                    return row
                self._store.set_aside()
                yield done
                return reached

    def _take_back(self, batches: Batches, before: _UnderWay, *after: Taken) -> None:
        """A batch was not written: do it anew, and what was decided after it."""
        self._engine.labels.undo()
        if after:
            self._engine.labels.undo(before.touched)
        if self._answers:
            self._answers.take_back()
        self._do_anew(batches, before.taken, *after)

    def _do_anew(self, batches: Batches, *taken: Taken) -> None:
        """Forget what is known of the store, and do some requests anew before all others."""
        self._store.forget()
        batches.do_anew(*taken)
        self._alone_for = _ALONE_AGAIN

    def _commit(self, taken: Taken, row: ReplayRow, start: Start) -> tuple[ReplayRow, Done]:
        """Answer a batch and keep it with how far it brings the replay."""
        reached, done = row, self._begin()

        def begin_batch() -> TakeAnswers:
            nonlocal done
            done = self._begin()
            return partial(self._take_in, done)

        def keep(session: Session) -> None:
            nonlocal reached
            self._answered_at = monotonic()  # how long the disk then takes depends little on size
            is_new = row.replay_id == NOT_ENTERED
            if is_new and len(replays(session)) != start.seen:
                raise _Overtaken(NOT_ALONE)
            if not is_new:
                if row is start.row and not is_unmoved(session, row):
                    raise _Overtaken(NOT_ALONE)
                check_unmoved(session, row)
            reached = self._reached(row, taken, self._write_out(done))
            if is_new:
                reached = begin(session, reached)
            else:
                advance(session, reached)
            if not taken.finished:
                keep_labels(session, reached.replay_id, self._engine.labels.by_now())

        self._engine.blocks(taken, begin_batch, keep)
        return reached, done

    def _begin(self) -> Done:
        return Done(Summary(), [], [])

    def _take_in(self, done: Done, answers: list[Answer]) -> None:
        """Take the answers of a block; with `stop_on_error`, see whether one is a refusal."""
        if self._stop_on_error:
            for place, answer in enumerate(answers, start=done.summary.requests):
                if isinstance(answer.outcome, Refusal):
                    raise _RefusedOne(place, answer)
        done.summary.count_all(answers, self.file)
        if self._answers:
            done.lines.append(self._answers.lines(answers))
        if self._keep_answers:
            done.answers += answers

    def _write_out(self, done: Done, *, until_on_disk: bool = True) -> Written | None:
        if self._answers is None:
            return None
        return self._answers.write(b"".join(done.lines), until_on_disk=until_on_disk)

    def _reached(self, row: ReplayRow, taken: Taken, written: Written | None) -> ReplayRow:
        """How far a batch brings the replay."""
        end = taken.end
        row = replace(
            row, lines=end.lines, bytes=end.bytes, digest=end.digest, finished=taken.finished
        )
        if written:
            row = replace(row, answers_bytes=written.bytes, answers_digest=written.digest)
        return row
