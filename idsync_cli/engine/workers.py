"""The thread that writes, and those that read."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from time import monotonic
from typing import Final

from idsync_cli import wire
from idsync_cli.core.codes import Status
from idsync_cli.core.decision import Answer
from idsync_cli.engine.engine import Engine
from idsync_cli.engine.jobs import CheckJob, JobQueue, QuestionJob, ReloadJob, RequestJob, TaskJob
from idsync_cli.engine.labels import Labels
from idsync_cli.engine.worker import Current, OpenStore, Worker
from idsync_cli.errors import StoreFault
from idsync_cli.store.api import MpidTaken, Transaction

MOST_AT_ONCE = 256
"""How many requests share a transaction at most; other writers wait until it ends."""

LOOK_AGAIN_SECONDS = 0.1
"""How often a thread that reads checks whether the store was replaced."""


class WriterThread(Worker[RequestJob]):
    """The thread that writes, with one commit for all waiting requests."""

    def __init__(
        self,
        queue: JobQueue[RequestJob | TaskJob | ReloadJob | CheckJob],
        open_store: OpenStore,
        current: Current,
        now: Callable[[], int],
    ) -> None:
        super().__init__("idsync-writer", queue, open_store, current, now)

    def _serve(self) -> bool:
        jobs: list[RequestJob | TaskJob | ReloadJob | CheckJob] = self._next_jobs(MOST_AT_ONCE)
        requests: list[RequestJob] = []
        for job in jobs:
            if isinstance(job, RequestJob):
                requests.append(job)
                continue
            self._do(requests)
            requests = []
            if job.future.set_running_or_notify_cancel():
                if isinstance(job, TaskJob):
                    self._call(job)
                    continue
                if isinstance(job, ReloadJob):
                    self._current.organization = job.organization
                else:
                    self._check()
                job.future.set_result(None)
        self._do(requests)
        return bool(jobs)

    def _call(self, job: TaskJob) -> None:
        try:
            result = job.do(self._engine_at_hand(), self._store_at_hand())
        except StoreFault as fault:
            self._close_store()
            job.future.set_exception(fault)
        except BaseException as error:  # noqa: BLE001 - it is told to whoever asked
            job.future.set_exception(error)
        else:
            job.future.set_result(result)

    def _check(self) -> None:
        """See whether the store is still usable; if not, reopen it before the next job."""
        try:
            with self._engine_at_hand().writing():
                pass
        except Exception:  # noqa: BLE001 - the next request reports what is wrong
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
        if any(answer.status is Status.ERASED for answer in answers):
            with suppress(StoreFault):  # it is answered; whoever writes next does what is owed
                self._store_at_hand().finish_erasures()
        return answers

    def _close_store(self) -> None:
        super()._close_store()
        self._current.openings += 1  # so that the readers reopen it as well


class ReaderThread(Worker[RequestJob | QuestionJob]):
    """A thread that reads: searches, dry runs and questions.

    `have_it_checked` asks the thread that writes to check its store.
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
        jobs = self._next_jobs(self._most)
        self._do(jobs)
        return bool(jobs)

    def _results(self, jobs: Sequence[RequestJob | QuestionJob]) -> Sequence[object]:
        while True:
            self._look_for_another_store()
            engine, rules = self._engine_at_hand(), self._rules
            results = self._read(engine, jobs)
            if self._current.organization is rules:  # else do it again with the new ones
                return results

    def _look_for_another_store(self) -> None:
        now = monotonic()
        if self._current.openings == self._opening:
            if now - self._looked_at < LOOK_AGAIN_SECONDS:
                return
            self._looked_at = now
            if self._store_at_hand().is_the_same:
                return
            self._have_it_checked()  # or the old store's log might be taken for the new one's
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
    """The result of a request or a question that writes nothing."""
    if isinstance(job, QuestionJob):
        return job.ask(transaction)
    reading = _read(engine, job)
    return engine.answer(reading, transaction, Labels(), decide_only=True, explain=job.explain)


def _read(engine: Engine, job: RequestJob) -> wire.Reading:
    reading = engine.read(job.request, from_app=job.from_app)
    reading.spares_known = job.spare_known
    return reading
