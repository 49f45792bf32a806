"""Replay: files of requests through the engine, each line once, however often it is interrupted.

How far a replay got is kept in the transaction of the work itself. Its answers are written, and
on the disk, before that transaction is committed; what stands behind the length that it names
belongs to a batch that never was, and is cut off when the replay goes on.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import Enum, auto
from itertools import islice
from pathlib import Path
from time import monotonic

from idsync_cli import wire
from idsync_cli.core.decision import Answer, Refusal
from idsync_cli.engine import Engine, Labels
from idsync_cli.errors import UsageFault, quoted
from idsync_cli.files.answers_file import AnswersFile, Written
from idsync_cli.files.request_file import STANDARD_STREAM, Position, RequestFile, Source
from idsync_cli.store import Session, Store
from idsync_cli.store.replays import (
    ReplayRow,
    advance,
    begin,
    check_unmoved,
    keep_labels,
    labels_of,
    replays,
)

HOLD_SECONDS = 0.25
"""How long a transaction of a replay is meant to take: others wait for it."""

_FIRST, _MOST = 500, 20_000
"""How many requests the first transaction has, and the most that one may have."""


class Mode(Enum):
    """What to do with a file that was replayed before, as a whole or in part."""

    ONCE = auto()
    RESUME = auto()
    AGAIN = auto()


class _Overtaken(Exception):
    """Another replay has begun since this one looked whether its file was replayed before."""


class _RefusedOne(Exception):
    """A request of the batch at hand was refused, and the replay is to stop before it."""

    def __init__(self, place: int, answer: Answer) -> None:
        super().__init__()
        self.place = place
        self.answer = answer


@dataclass(frozen=True, slots=True)
class _Start:
    """Where a replay begins or goes on, and how many replays the store had by then."""

    row: ReplayRow
    labels: dict[str, int]
    seen: int
    requests: RequestFile


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
    ) -> None:
        self._engine = engine
        self._store = store
        self.mode = mode
        self._chunk_size = chunk_size
        self._answers = answers
        self._stop_on_error = stop_on_error
        self._answered_at = 0.0
        self.file = ""
        self.stopped_by: Answer | None = None

    def run(self, name: str, source: Source) -> Iterator[list[Answer]]:
        """Replay one file; the answers of each batch come when it is kept.

        Nothing comes of a file that is done already and is to be resumed. With `stop_on_error`,
        the refused request that ended the replay is left in `stopped_by`; nothing is done of it.

        Raises:
            UsageFault: the file was replayed before, or has changed since.
            StoreFault: the store or the answers cannot be written; what came before is kept.
        """
        self.file = name
        overtaken = True
        while overtaken and (start := self._find_start(name, source)) is not None:
            overtaken = False
            try:
                yield from self._go_on(start)
            except _Overtaken:
                overtaken = True

    def _go_on(self, start: _Start) -> Iterator[list[Answer]]:
        self._engine.labels = Labels(start.labels)
        row, requests = start.row, start.requests
        size = self._chunk_size or _FIRST
        while not row.finished:
            chunk, positions = self._take(requests, size, _position(row))
            end, finished = requests.position, len(chunk) < size
            if not chunk and row.replay_id == _NOT_ENTERED:
                if self._answers:
                    self._answers.write([])  # no requests, no answers: an empty file
                return
            began = monotonic()
            try:
                row, answers = self._commit(chunk, row, end, start.seen, finished=finished)
            except _RefusedOne as refused:
                self.stopped_by = refused.answer
                if refused.place:
                    chunk, end = chunk[: refused.place], positions[refused.place]
                    row, answers = self._commit(chunk, row, end, start.seen, finished=False)
                    yield answers
                return
            if self._chunk_size is None:
                size = _next_size(size, self._answered_at - began)
            yield answers

    def _take(
        self, requests: RequestFile, size: int, begin: Position
    ) -> tuple[list[wire.Incoming], list[Position]]:
        """The next requests and, where it may have to stop at any of them, where each ends."""
        if not self._stop_on_error:
            return requests.take(size), []
        chunk: list[wire.Incoming] = []
        positions = [begin]
        while len(chunk) < size and (taken := requests.take(1)):
            chunk += taken
            positions.append(requests.position)
        return chunk, positions

    def _commit(
        self,
        chunk: list[wire.Incoming],
        row: ReplayRow,
        end: Position,
        seen: int,
        *,
        finished: bool,
    ) -> tuple[ReplayRow, list[Answer]]:
        """Answer a batch and keep it with how far it brings the replay."""
        reached = replace(
            row, lines=end.lines, bytes=end.bytes, digest=end.digest, finished=finished
        )

        def keep(session: Session, answers: list[Answer]) -> None:
            nonlocal reached
            self._answered_at = monotonic()  # how long the disk then takes depends little on size
            if self._stop_on_error:
                _stop_at_a_refusal(answers)
            is_new = row.replay_id == _NOT_ENTERED
            if is_new and len(replays(session)) != seen:
                raise _Overtaken
            if not is_new:
                check_unmoved(session, row)
            written = self._answers.write(answers) if self._answers else None
            if written:
                reached = replace(
                    reached, answers_bytes=written.bytes, answers_digest=written.digest
                )
            if is_new:
                reached = begin(session, reached)
            else:
                advance(session, reached)
            if not finished:
                labels = self._engine.labels
                touched = {label: labels.get(label) for label in labels.touched}
                keep_labels(session, reached.replay_id, touched)

        answers = self._engine.batch(chunk, keep)
        return reached, answers

    def _find_start(self, name: str, source: Source) -> _Start | None:
        """Where to begin or go on; None where there is nothing left to do."""
        with self._store.reading() as session:
            known = replays(session)
            found = _replay_of(source, known)
            labels = labels_of(session, found.replay_id) if found else {}
        shown = quoted(name)
        path = name if name == STANDARD_STREAM else str(Path(name).resolve())
        if self.mode is Mode.ONCE and found:
            way_out = "--again replays it once more" if found.finished else "--resume goes on"
            state = "is" if found.finished else f"up to line {found.lines} is"
            raise UsageFault(f"{shown} {state} replayed into this store already; {way_out}")
        changed = any(
            each.name == path and not each.finished for each in known if path != STANDARD_STREAM
        )
        if changed and not found and self.mode is not Mode.AGAIN:
            raise UsageFault(
                f"{shown} has changed in the part that is replayed already; bring back what it "
                "was and --resume, or replay it from its beginning with --again"
            )
        if found and self.mode is Mode.RESUME:
            in_a_file = self._answers is not None and self._answers.can_be_cut
            if not found.finished and in_a_file != (found.answers_bytes is not None):
                raise UsageFault(
                    f"the replay of {shown} began {'without' if in_a_file else 'with'} --output to "
                    "a file; go on in the same way"
                )
            if self._answers and found.answers_bytes is not None:
                self._answers.go_on_behind(Written(found.answers_bytes, found.answers_digest))
            if found.finished:
                return None
            requests = RequestFile(source)
            requests.pass_over(_position(found))
            return _Start(found, labels, len(known), requests)
        row = ReplayRow(_NOT_ENTERED, path, 0, 0, "", None, "", finished=False)
        return _Start(row, {}, len(known), RequestFile(source))


_NOT_ENTERED = 0
"""Stands for the number of a replay of which nothing is kept so far."""


def _position(row: ReplayRow) -> Position:
    return Position(row.lines, row.bytes, row.digest)


def _replay_of(source: Source, known: list[ReplayRow]) -> ReplayRow | None:
    """The latest replay of these bytes: all of them if it is finished, else their beginning."""
    source.keep(max((row.bytes for row in known), default=-1) + 1)
    requests = RequestFile(source)
    shortest_first = sorted(known, key=lambda row: row.bytes)
    matching = [row for row in shortest_first if requests.pass_over(_position(row))]
    source.rewind()
    for row in sorted(matching, key=lambda row: row.replay_id, reverse=True):
        if not row.finished or _is_whole(source, row):
            return row
    return None


def _is_whole(source: Source, row: ReplayRow) -> bool:
    requests = RequestFile(source)
    requests.pass_over(_position(row))
    at_end = requests.is_at_end()
    source.rewind()
    return at_end


def _stop_at_a_refusal(answers: list[Answer]) -> None:
    for place, answer in enumerate(answers):
        if isinstance(answer.outcome, Refusal):
            raise _RefusedOne(place, answer)


def _next_size(size: int, seconds: float) -> int:
    """How many requests to answer at once, after so many took so long."""
    fitting = int(size * HOLD_SECONDS / max(seconds, 0.001))
    return max(1, min(fitting, 2 * size, _MOST))


def answer_all(
    engine: Engine, requests: Iterable[wire.Incoming], *, chunk_size: int = 1000
) -> Iterator[list[Answer]]:
    """Answer requests in batches without keeping how far it got, for a store of its own."""
    requests = iter(requests)
    while chunk := list(islice(requests, chunk_size)):
        yield engine.batch(chunk)
