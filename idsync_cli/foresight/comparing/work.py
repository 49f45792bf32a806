"""The work of one side: replaying the files into a store that is thrown away (section 12)."""

import gc
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from idsync_cli import wire
from idsync_cli.core.config.rules import Organization
from idsync_cli.core.decision import Answer
from idsync_cli.engine.engine import Engine
from idsync_cli.errors import StoreFault, printable
from idsync_cli.files.request_file import open_requests
from idsync_cli.foresight.comparing.sides import SideRecorder, Way
from idsync_cli.graph.compared import SidePart, read_side_part
from idsync_cli.graph.values import SideName
from idsync_cli.replay.loop import Replay
from idsync_cli.replay.recorded import ReplayedMpids
from idsync_cli.replay.resumption import Mode
from idsync_cli.store import sqlite as stores
from idsync_cli.store.sqlite import SqliteStore
from idsync_cli.store.values import ProfileFilter

Advance = Callable[[int, int], None]
"""Is told how many bytes were read and how many requests answered since it was told last.

What was answered is recorded by then.
"""

Wanted = Mapping[int, frozenset[int]]
"""Lines by the number of their file, from 0."""


class File(NamedTuple):
    """A file of requests: what it is called, and where it is read."""

    name: str
    path: str


class SideJob(NamedTuple):
    """What a side is asked to do.

    `store` is one to begin with a copy of; without one it begins with nothing, and `seed`. Lines of
    other scopes than `scopes` are not compared. `now_ms` is the same for both sides. With
    `maps_mpids` recorded MPIDs stand for those that are given out here. With `writes_apart` a
    second process may write the store, which is then a file in the folder: for a side that nothing
    else is waiting for.
    """

    organization: Organization
    target: wire.Target
    files: tuple[File, ...]
    scopes: tuple[str, ...]
    seed: int
    store: str | None
    now_ms: int
    folder: str
    maps_mpids: bool = False
    writes_apart: bool = False


class Held(NamedTuple):
    """What the store of a side holds at the end."""

    profiles: int
    known: int
    orphaned: int


class SideReplay(NamedTuple):
    """What replaying came to: in which ways lines were answered, and the lines of each file."""

    ways: tuple[Way, ...]
    lines: tuple[int, ...]
    held: Held


class SideWork:
    """One side, and its store. Close it when it was asked everything."""

    def __init__(self, job: SideJob, advance: Advance) -> None:
        self._job = job
        self._advance = advance
        self._opened = ExitStack()
        self._store = self._opened.enter_context(_store(job))
        gc.disable()  # answers have no cycles, and looking for some takes a third

    def close(self) -> None:
        """Throw the store away."""
        self._opened.close()

    def replay(self) -> SideReplay:
        """Replay all files, and record the answers in the folder of the job.

        Raises:
            UsageFault: a file cannot be read.
            StoreFault: there is no room.
        """
        job = self._job
        recorder = SideRecorder(Path(job.folder), job.scopes)
        lines = [0] * len(job.files)
        for number, answers in self._answers(self._store, {}):
            recorder.record(answers)
            lines[number] += len(answers)
        rules = job.organization.scopes
        with self._store.reading() as transaction:
            held = Held(
                *(
                    transaction.count_profiles(rules, asked)
                    for asked in (
                        ProfileFilter(), ProfileFilter(known=True), ProfileFilter(orphaned=True)
                    )
                )
            )  # fmt: skip
        return SideReplay(recorder.close(), tuple(lines), held)

    def are_known(self, mpids: "array[int]") -> bytes:
        """Whether profiles are known at the end, a byte for each."""
        rules, known = self._job.organization.scopes, bytearray()
        with self._store.reading() as transaction:
            for mpid in mpids:
                found = transaction.view(mpid)
                its = None if found is None else rules.get(found[0])
                known.append(found is not None and its is not None and its.is_known(found[1]))
        return bytes(known)

    def part_of_graph(self, asked: tuple[SideName, Sequence[int]]) -> SidePart:
        """Some profiles with what they hold at the end, as parts of a graph."""
        side, mpids = asked
        with self._store.reading() as transaction:
            return read_side_part(transaction, self._job.organization, side, mpids)

    def explain(self, wanted: Wanted) -> dict[tuple[int, int], Answer]:
        """The answers to some lines with what every tier did, from another replay.

        They are those of the first replay, for all that it began with is the same. The store of the
        first is thrown away.
        """
        found: dict[tuple[int, int], Answer] = {}
        left = sum(map(len, wanted.values()))
        self.close()  # the first store was asked everything, and two would take twice the memory
        gc.collect()
        with _store(self._job) as store:
            for number, answers in self._answers(store, wanted):
                lines = wanted.get(number, frozenset())
                for answer in answers:
                    if answer.line is not None and answer.line in lines:
                        found[number, answer.line] = answer
                if len(found) == left:
                    self._advance(0, len(answers))  # the last ones, which nobody counts any more
                    break
        return found

    def _answers(self, store: SqliteStore, wanted: Wanted) -> Iterator[tuple[int, list[Answer]]]:
        """All answers in order, with the number of their file; the wanted ones are explained."""
        job = self._job
        engine = Engine(job.organization, store, now=self._now, target=job.target)
        recorded = ReplayedMpids(anew=True) if job.maps_mpids else None
        run = Replay(
            engine, store, mode=Mode.AGAIN, keep_answers=True, forced=True, recorded=recorded
        )
        for number, file in enumerate(job.files):
            engine.explain_lines(wanted.get(number, frozenset()))
            with open_requests(file.path, file.name) as source:
                before = 0
                for done in run.run(file.name, source):
                    yield number, done.answers  # which are recorded before they are counted
                    self._advance(source.position_in_file - before, done.tally.requests)
                    before = source.position_in_file

    def _now(self) -> int:
        return self._job.now_ms


@contextmanager
def _store(job: SideJob) -> Iterator[SqliteStore]:
    if job.store is None:
        path = str(Path(job.folder) / "side.db")
        with (
            stores.create(path, job.seed) if job.writes_apart else stores.temporary(job.seed)
        ) as made:
            yield made
        return
    opened = stores.open_store(job.store, write=False)
    if opened is None:
        raise StoreFault(f"the store {printable(job.store)} no longer exists", store=job.store)
    with opened:
        copy = stores.copy_of(opened)
    with copy:
        yield copy
