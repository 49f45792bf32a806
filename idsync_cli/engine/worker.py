"""A thread that does jobs over a store of its own: taking them, and telling what goes wrong."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from threading import Thread, current_thread
from typing import Any, Final, Generic

from idsync_cli.core.config.rules import Organization
from idsync_cli.engine.engine import Engine
from idsync_cli.engine.jobs import JobQueue, JobT
from idsync_cli.errors import Stopped, StoreFault
from idsync_cli.store.api import Store

LINGER_SECONDS = 0.002
"""How long a thread waits for as many jobs as it had the last time (see `Worker`)."""

OpenStore = Callable[[], Store]
"""Opens a store, in the thread that is to use it."""


class Current:
    """What all threads of a service share: the rules, and how often the store was reopened.

    The thread that writes counts `openings`, so that the others reopen the store as well.
    """

    __slots__ = ("openings", "organization")

    def __init__(self, organization: Organization) -> None:
        self.organization = organization
        self.openings = 0


class Worker(ABC, Generic[JobT]):
    """A thread with a store of its own, which does all waiting jobs in one transaction.

    Callers who got their answers together probably ask again together. So the thread waits a moment
    until there are as many jobs as the last time, because each transaction is expensive. A single
    caller never has to wait.

    If something goes wrong, the jobs concerned fail, and the thread goes on. After a fault of the
    store, it is reopened: it may have been replaced, or be usable again.
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
        self._under_way: list[Any] = []
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
            for job in [*self._under_way, *self._queue.get_all()]:
                if not job.future.done():
                    job.future.set_exception(Stopped("the service ended before it could answer"))
            self._close_store()

    @abstractmethod
    def _serve(self) -> bool:
        """Wait for jobs and do them; False when the queue is closed and empty."""

    @abstractmethod
    def _results(self, jobs: Sequence[JobT]) -> Sequence[object]:
        """Do jobs in one transaction, and give the result of each after it has ended."""

    def _next_jobs(self, most: int) -> list[Any]:
        """Wait for jobs, and take at most so many."""
        self._under_way = self._queue.get(most, self._last_time, LINGER_SECONDS)
        self._last_time = len(self._under_way)
        return self._under_way

    def _do(self, jobs: Sequence[JobT]) -> None:
        """Do those jobs that were not cancelled."""
        self._do_together([job for job in jobs if job.future.set_running_or_notify_cancel()])

    def _do_together(self, jobs: list[JobT]) -> None:
        """Do jobs together; if one fails, do the others without it."""
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
                break  # one of them may have caused it
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
        """The engine for the present rules and store."""
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
            with suppress(Exception):  # its fault was reported already
                store.close()
