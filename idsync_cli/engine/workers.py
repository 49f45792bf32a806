"""Threads that do jobs over stores of their own: the one that writes, and those that read."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from threading import Thread, current_thread
from time import monotonic
from typing import Any, Final, Generic

from idsync_cli import wire
from idsync_cli.core.config.rules import Organization
from idsync_cli.core.decision import Answer
from idsync_cli.engine.engine import Engine
from idsync_cli.engine.jobs import CheckJob, JobQueue, JobT, QuestionJob, ReloadJob, RequestJob
from idsync_cli.engine.labels import Labels
from idsync_cli.errors import Stopped, StoreFault
from idsync_cli.store.api import MpidTaken, Store, Transaction

MOST_AT_ONCE = 256
"""How many requests share a transaction at most: whoever else would write waits for its end."""

LINGER_SECONDS = 0.002
"""How long a thread waits for as many requests as it had the last time; see `Worker`."""

LOOK_AGAIN_SECONDS = 0.1
"""How often a thread that reads looks whether another store is there by now."""

OpenStore = Callable[[], Store]
"""Opens a store, in the thread that is to use it."""


class Current:
    """What holds for all threads of a service by now: the rules, and which store it is.

    `openings` counts how often the thread that writes had to open the store again.
    """

    __slots__ = ("openings", "organization")

    def __init__(self, organization: Organization) -> None:
        self.organization = organization
        self.openings = 0


class Worker(ABC, Generic[JobT]):
    """A thread with a store of its own, which does all that waits for it in one transaction.

    Those who got their answers together are likely to ask again together. So it waits a moment for
    as many as there were the last time: a transaction for each of a few is what costs. Who asks
    alone is never waited for.

    Whatever goes wrong is told to those that it happened to, and the thread goes on. After a fault
    of the store it is reopened: another may be there by now, or it may be in order again.
    """

    def __init__(
        self,
        name: str,
        queue: JobQueue[Any],
        open_store: OpenStore,
        current: Current,
        now: Callable[[], int],
    ) -> None:
        self._current: Final = current
        self._queue: Final = queue
        self._open_store: Final = open_store
        self._now: Final = now
        self._store: Store | None = None
        self._engine: Engine | None = None
        self._rules: Organization | None = None  # those of the engine
        self._taken: list[Any] = []
        self._at_hand: JobT | None = None
        self._has_begun = False
        self._last_time = 1  # how many jobs there were
        self._opened: Final[Future[None]] = Future()
        self._thread: Final = Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Start the thread, and wait until it has its store.

        Raises:
            StoreFault: the store cannot be opened.
        """
        self._thread.start()
        self._opened.result()

    def join(self) -> None:
        """Wait until the thread has ended, if it was started and is not this one."""
        if self._thread.ident is not None and self._thread is not current_thread():
            self._thread.join()

    def _run(self) -> None:
        try:
            self._store_at_hand()
        except BaseException as error:  # noqa: BLE001 - it is told to whoever starts the thread
            self._opened.set_exception(error)
            return
        self._opened.set_result(None)
        try:
            while self._serve():
                pass
        finally:
            self._queue.close()
            for job in [*self._taken, *self._queue.take_all()]:
                if not job.future.done():
                    job.future.set_exception(Stopped("the service ended before it could answer"))
            self._close_store()

    @abstractmethod
    def _serve(self) -> bool:
        """Wait for jobs and do them; False once there will be no more."""

    @abstractmethod
    def _results(self, jobs: Sequence[JobT]) -> Sequence[object]:
        """Do jobs in one transaction; what came of each, once that has ended."""

    def _take(self, most: int) -> list[Any]:
        """Wait for jobs, and take at most that many."""
        self._taken = self._queue.take(most, self._last_time, LINGER_SECONDS)
        self._last_time = len(self._taken)
        return self._taken

    def _do(self, jobs: Sequence[JobT]) -> None:
        """Do those jobs that were not cancelled."""
        self._do_together([job for job in jobs if job.future.set_running_or_notify_cancel()])

    def _do_together(self, jobs: list[JobT]) -> None:
        """Do jobs together; where one fails, the others are done without it."""
        while jobs:
            self._at_hand, self._has_begun = None, False
            try:
                results = self._results(jobs)
            except StoreFault as fault:
                self._close_store()
                if not self._has_begun or len(jobs) == 1:
                    for job in jobs:
                        job.future.set_exception(StoreFault(str(fault)))
                    return
                break  # one of them may have brought it about
            except BaseException as error:  # noqa: BLE001 - it is told to whoever asked
                culprit = jobs[0] if len(jobs) == 1 else self._at_hand
                if culprit is None:
                    break
                culprit.future.set_exception(error)
                jobs = [job for job in jobs if job is not culprit]
            else:
                for job, result in zip(jobs, results, strict=True):
                    job.future.set_result(result)
                return
        for job in jobs:
            self._do_together([job])

    def _engine_at_hand(self) -> Engine:
        """The engine for the rules and the store that hold by now."""
        store, rules = self._store_at_hand(), self._current.organization
        if self._engine is None or self._rules is not rules:
            self._engine = Engine(rules, store, now=self._now)
            self._rules = rules
        return self._engine

    def _store_at_hand(self) -> Store:
        if self._store is None:
            self._store = self._open_store()
        return self._store

    def _close_store(self) -> None:
        store, self._store, self._engine = self._store, None, None
        if store is not None:
            with suppress(Exception):  # what was wrong with it has been reported
                store.close()


class Writer(Worker[RequestJob]):
    """The thread that writes: one commit for all requests that it finds waiting."""

    def __init__(
        self,
        queue: JobQueue[RequestJob | ReloadJob | CheckJob],
        open_store: OpenStore,
        current: Current,
        now: Callable[[], int],
    ) -> None:
        super().__init__("idsync-writer", queue, open_store, current, now)

    def _serve(self) -> bool:
        taken: list[RequestJob | ReloadJob | CheckJob] = self._take(MOST_AT_ONCE)
        requests: list[RequestJob] = []
        for job in taken:
            if isinstance(job, RequestJob):
                requests.append(job)
                continue
            self._do(requests)
            requests = []
            if job.future.set_running_or_notify_cancel():
                if isinstance(job, ReloadJob):
                    self._current.organization = job.organization
                else:
                    self._check()
                job.future.set_result(None)
        self._do(requests)
        return bool(taken)

    def _check(self) -> None:
        """See whether the store is still there; if not, it is reopened before the next job."""
        try:
            with self._engine_at_hand().writing():
                pass
        except Exception:  # noqa: BLE001 - whatever is wrong, the next request is told
            self._close_store()

    def _results(self, jobs: Sequence[RequestJob]) -> Sequence[Answer]:
        try:
            return self._answers(jobs, trust_new_mpids=True)
        except MpidTaken:
            return self._answers(jobs, trust_new_mpids=False)

    def _answers(self, jobs: Sequence[RequestJob], *, trust_new_mpids: bool) -> list[Answer]:
        engine = self._engine_at_hand()
        readings, answers = [], []
        for job in jobs:
            self._at_hand = job
            readings.append(_read(engine, job))
        self._at_hand = None
        with engine.writing(trust_new_mpids=trust_new_mpids) as transaction:
            self._has_begun = True
            if len(jobs) > 1:
                engine.prefetch(readings, transaction)
            for job, reading in zip(jobs, readings, strict=True):
                self._at_hand = job
                answers.append(engine.answer(reading, transaction, Labels(), explain=job.explain))
            self._at_hand = None
        return answers

    def _close_store(self) -> None:
        super()._close_store()
        self._current.openings += 1  # so that those who read reopen it, too


class Reader(Worker[RequestJob | QuestionJob]):
    """A thread that reads: searches, dry runs, and questions to one state of the store.

    `have_it_checked` has the thread that writes see whether its store is still there.
    """

    def __init__(
        self,
        name: str,
        most_at_once: int,
        have_it_checked: Callable[[], None],
        queue: JobQueue[RequestJob | QuestionJob],
        open_store: OpenStore,
        current: Current,
        now: Callable[[], int],
    ) -> None:
        super().__init__(name, queue, open_store, current, now)
        self._most: Final = most_at_once
        self._have_it_checked: Final = have_it_checked
        self._opening = 0
        self._looked_at = 0.0

    def _serve(self) -> bool:
        taken = self._take(self._most)
        self._do(taken)
        return bool(taken)

    def _results(self, jobs: Sequence[RequestJob | QuestionJob]) -> Sequence[object]:
        while True:
            self._look_for_another_store()
            engine, rules = self._engine_at_hand(), self._rules
            results = self._read(engine, jobs)
            if self._current.organization is rules:  # else what was read may come from other rules
                return results

    def _look_for_another_store(self) -> None:
        now = monotonic()
        if self._current.openings == self._opening:
            if now - self._looked_at < LOOK_AGAIN_SECONDS:
                return
            self._looked_at = now
            if self._store_at_hand().is_the_same:
                return
            self._have_it_checked()  # else the log of the old one may be taken for the new one's
        self._close_store()
        self._opening = self._current.openings

    def _read(self, engine: Engine, jobs: Sequence[RequestJob | QuestionJob]) -> list[object]:
        results: list[object] = []
        with engine.reading() as transaction:
            self._has_begun = True
            for job in jobs:
                self._at_hand = job
                results.append(_looked_up(engine, job, transaction))
            self._at_hand = None
        return results


def _looked_up(engine: Engine, job: RequestJob | QuestionJob, transaction: Transaction) -> object:
    """What a request, or a question, comes to where nothing is kept."""
    if isinstance(job, QuestionJob):
        return job.ask(transaction)
    reading = _read(engine, job)
    return engine.answer(reading, transaction, Labels(), decide_only=True, explain=job.explain)


def _read(engine: Engine, job: RequestJob) -> wire.Reading:
    reading = engine.read(job.request)
    reading.spares_known = job.spare_known
    return reading
