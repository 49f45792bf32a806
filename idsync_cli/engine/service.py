"""A service: answers the requests of many threads over one store."""

from collections.abc import Callable
from concurrent.futures import Future
from types import TracebackType
from typing import Self, TypeVar

from idsync_cli import wire
from idsync_cli.core.codes import RequestKind
from idsync_cli.core.config.rules import Organization
from idsync_cli.core.decision import Answer, Refusal
from idsync_cli.engine.jobs import CheckJob, JobQueue, QuestionJob, ReloadJob, RequestJob
from idsync_cli.engine.workers import MOST_AT_ONCE, Current, OpenStore, Reader, Writer
from idsync_cli.store.api import Transaction

CAPACITY = 1024
"""How many requests may wait for each of the threads."""

ResultT = TypeVar("ResultT")


class Service:
    """Answers one-shot requests of many threads over one store. Close it, or use it in a `with`.

    One thread writes. It answers the requests that wait in one transaction, each as if it came
    alone (section 7), and nobody hears of an answer before that is committed. Another answers
    searches and dry runs, and a third questions, which may take long. These two see all that was
    answered before they were asked. (More threads would only get into each other's way, for the
    interpreter runs one at a time.)

    `open_writing` and `open_reading` open the store, each time as one of its own, in the thread
    that is to use it; `now` gives milliseconds since 1970, UTC, for the history. Any thread may
    call any method. Callbacks of the futures must be short, for they run in these threads.

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
        self._changes: JobQueue[RequestJob | ReloadJob | CheckJob] = JobQueue(capacity)
        self._looks: JobQueue[RequestJob | QuestionJob] = JobQueue(capacity)
        self._questions: JobQueue[RequestJob | QuestionJob] = JobQueue(capacity)
        reading = open_reading, current, now
        self._workers = (
            Writer(self._changes, open_writing, current, now),
            Reader("idsync-reader", MOST_AT_ONCE, self._check, self._looks, *reading),
            Reader("idsync-questions", 1, self._check, self._questions, *reading),
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
    ) -> Future[Answer]:
        """Have a request answered; with `explain` the answer has the details of every tier.

        With `spare_known` a modify that would take an identifier from another known profile is
        refused, as PROTECTED_IDENTITY (section 10).

        A label that it gives or names is known to no other request. The future may be cancelled
        as long as the request waits. It raises StoreFault where the store could not be used, which
        says what became of the request; whatever else it raises is a fault of this program.

        Raises:
            Busy: too many requests are waiting.
            Stopped: the service has been closed.
        """
        job = RequestJob(request, explain=explain, spare_known=spare_known)
        if dry_run or wire.type_named_by(request) == RequestKind.SEARCH:
            self._looks.put(job)
        else:
            self._changes.put(job)
        return job.future

    def look(self, ask: Callable[[Transaction], ResultT]) -> Future[ResultT]:
        """Ask something of one state of the store; what is given back must not lead into it.

        It may be asked twice, where the rules change meanwhile.

        Raises:
            Busy: too many requests are waiting.
            Stopped: the service has been closed.
        """
        job = QuestionJob(ask)
        self._questions.put(job)
        return job.future

    def reload(self, organization: Organization) -> Future[None]:
        """Let other rules hold between two requests: when the future is done they do.

        Requests that were submitted before are answered by the old ones; searches and dry runs
        that still wait then, by these.

        Raises:
            Busy: too many requests are waiting.
            Stopped: the service has been closed.
        """
        job = ReloadJob(organization)
        self._changes.put(job)
        return job.future

    def close(self) -> None:
        """Accept no more, answer all that was accepted, and close the store."""
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
