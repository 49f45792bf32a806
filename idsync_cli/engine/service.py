"""A service: answers the requests of many threads over one store."""

from collections.abc import Callable
from concurrent.futures import Future
from types import TracebackType
from typing import Self, TypeVar

from idsync_cli import wire
from idsync_cli.core.codes import RequestKind
from idsync_cli.core.config.rules import Organization
from idsync_cli.core.decision import Answer, Refusal
from idsync_cli.engine.engine import Engine
from idsync_cli.engine.jobs import CheckJob, JobQueue, QuestionJob, ReloadJob, RequestJob, TaskJob
from idsync_cli.engine.worker import Current, OpenStore
from idsync_cli.engine.workers import MOST_AT_ONCE, ReaderThread, WriterThread
from idsync_cli.store.api import Store, Transaction

CAPACITY = 1024
"""How many requests may wait for each of the threads."""

ResultT = TypeVar("ResultT")


class Service:
    """Answers one-shot requests of many threads over one store. Close it, or use it in a `with`.

    One thread writes. It answers all waiting requests in one transaction, each as if it came alone
    (section 7), and gives out no answer before the commit. A second thread answers searches and dry
    runs, and a third answers questions, which may take long. A read sees everything that was
    answered before it was submitted. More threads would only get in each other's way, because the
    interpreter runs one at a time.

    `open_writing` and `open_reading` open the store; each thread calls them for a connection of its
    own. `now` gives milliseconds since 1970, UTC, for the history. Any thread may call any method.
    Callbacks of the futures run in these threads, so they must be short.

    Raises:
        StoreFault: the store cannot be opened.
    """

    def __init__(
        self,
        organization: Organization,
        open_writing: OpenStore,
        open_reading: OpenStore,
        *,
        now: Callable[[], int],
        capacity: int = CAPACITY,
    ) -> None:
        current = Current(organization)
        self._changes: JobQueue[RequestJob | TaskJob | ReloadJob | CheckJob] = JobQueue(capacity)
        self._looks: JobQueue[RequestJob | QuestionJob] = JobQueue(capacity)
        self._questions: JobQueue[RequestJob | QuestionJob] = JobQueue(capacity)
        reading = open_reading, current, now
        self._workers = (
            WriterThread(self._changes, open_writing, current, now),
            ReaderThread("idsync-reader", MOST_AT_ONCE, self._check, self._looks, *reading),
            ReaderThread("idsync-questions", 1, self._check, self._questions, *reading),
        )
        try:
            for worker in self._workers:
                worker.start()
        except BaseException:
            self.close()
            raise

    def submit(
        self,
        request: object | Refusal,
        *,
        dry_run: bool = False,
        explain: bool = False,
        spare_known: bool = False,
        from_app: bool = False,
    ) -> Future[Answer]:
        """Have a request answered; with `explain`, the answer has what every tier did.

        With `spare_known`, a modify that would take an identifier from another known profile is
        rejected as PROTECTED_IDENTITY. With `from_app`, the ids of batches are counted apart from
        those of servers (section 10).

        Labels are not shared between requests. The future may be cancelled as long as the request
        waits. It raises StoreFault if the store could not be used, and the fault says what became
        of the request. Any other exception is a bug in idsync.

        Raises:
            Busy: too many requests are waiting.
            Stopped: the service has been closed.
        """
        job = RequestJob(request, explain=explain, spare_known=spare_known, from_app=from_app)
        if dry_run or wire.type_named_by(request) == RequestKind.SEARCH:
            self._looks.put(job)
        else:
            self._changes.put(job)
        return job.future

    def look(self, ask: Callable[[Transaction], ResultT]) -> Future[ResultT]:
        """Call a function with a transaction of the store; it must return values only.

        If the rules change meanwhile, it is called again.

        Raises:
            Busy: too many requests are waiting.
            Stopped: the service has been closed.
        """
        job = QuestionJob(ask)
        self._questions.put(job)
        return job.future

    def do(self, task: Callable[[Engine, Store], ResultT]) -> Future[ResultT]:
        """Call a function with the engine and the store that is written, between two transactions.

        It is called once, and must return values only. If it raises a StoreFault, the store is
        reopened afterwards.

        Raises:
            Busy: too many requests are waiting.
            Stopped: the service has been closed.
        """
        job = TaskJob(task)
        self._changes.put(job)
        return job.future

    def reload(self, organization: Organization) -> Future[None]:
        """Use other rules from now on; they are in force when the future is done.

        Requests submitted before are answered by the old rules, but searches and dry runs that are
        still waiting then by the new ones.

        Raises:
            Busy: too many requests are waiting.
            Stopped: the service has been closed.
        """
        job = ReloadJob(organization)
        self._changes.put(job)
        return job.future

    def close(self) -> None:
        """Accept no more requests, answer those that were accepted, and close the store."""
        self._changes.close()
        self._looks.close()
        self._questions.close()
        for worker in self._workers:
            worker.join()

    def _check(self) -> None:
        job = CheckJob()
        self._changes.put(job)
        job.future.result()

    def __enter__(self) -> Self:
        """The service itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it."""
        self.close()
