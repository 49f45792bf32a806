"""Jobs for the threads of a service, and the queue in which they wait."""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from threading import Condition, Lock
from typing import Any, Final, Generic, TypeVar

from idsync_cli.core.config.rules import Organization
from idsync_cli.core.decision import Refusal
from idsync_cli.engine.engine import Engine
from idsync_cli.errors import Busy, Stopped
from idsync_cli.store.api import Store, Transaction


class Job:
    """Something to be done, and the future of its result."""

    __slots__ = ("future",)

    def __init__(self) -> None:
        self.future: Final[Future[Any]] = Future()


class RequestJob(Job):
    """Answer a request; with `explain`, the answer has what every tier did.

    With `spare_known`, a modify takes nothing from another known profile. With `from_app`, the
    ids of batches are counted apart.
    """

    __slots__ = ("explain", "from_app", "request", "spare_known")

    def __init__(
        self,
        request: object | Refusal,
        *,
        explain: bool = False,
        spare_known: bool = False,
        from_app: bool = False,
    ) -> None:
        super().__init__()
        self.request: Final = request
        self.explain: Final = explain
        self.spare_known: Final = spare_known
        self.from_app: Final = from_app


class QuestionJob(Job):
    """Call a function with a transaction."""

    __slots__ = ("ask",)

    def __init__(self, ask: Callable[[Transaction], object]) -> None:
        super().__init__()
        self.ask: Final = ask


class TaskJob(Job):
    """Call a function with the engine and the store that is written; it has transactions itself."""

    __slots__ = ("do",)

    def __init__(self, do: Callable[[Engine, Store], object]) -> None:
        super().__init__()
        self.do: Final = do


class ReloadJob(Job):
    """Use other rules from now on."""

    __slots__ = ("organization",)

    def __init__(self, organization: Organization) -> None:
        super().__init__()
        self.organization: Final = organization


class CheckJob(Job):
    """See whether the store that is being written is still the one at its path."""

    __slots__ = ()


JobT = TypeVar("JobT", bound=Job)


class JobQueue(Generic[JobT]):
    """A queue of at most `capacity` jobs: many threads put them in, one takes them out."""

    def __init__(self, capacity: int) -> None:
        self._capacity: Final = capacity
        self._jobs: deque[JobT] = deque()
        self._bell = Condition(Lock())
        self._wanted = 1  # the waiting thread is woken when there are so many
        self._is_closed = False

    def put(self, job: JobT) -> None:
        """Put a job at the end of the queue.

        Raises:
            Busy: too many are waiting.
            Stopped: the queue is closed.
        """
        jobs = self._jobs
        with self._bell:
            if self._is_closed:
                raise Stopped("the service has stopped; nothing was done")
            if len(jobs) >= self._capacity:
                raise Busy(
                    f"the service is busy: {self._capacity:,} requests are already waiting; "
                    "nothing was done, try again"
                )
            jobs.append(job)
            if len(jobs) >= self._wanted:
                self._bell.notify()

    def get(self, most: int, expected: int = 1, linger: float = 0) -> list[JobT]:
        """Wait for jobs and take at most `most`; none, once the queue is closed and empty.

        If there are fewer than `expected`, wait for the others, at most `linger` seconds.
        """
        jobs = self._jobs
        with self._bell:
            while not (jobs or self._is_closed):
                self._bell.wait()
            if len(jobs) < expected and not self._is_closed:
                self._wanted = expected
                self._bell.wait(linger)
                self._wanted = 1
            return [jobs.popleft() for _ in range(min(most, len(jobs)))]

    def get_all(self) -> list[JobT]:
        """Take all jobs, without waiting."""
        with self._bell:
            jobs = list(self._jobs)
            self._jobs.clear()
            return jobs

    def close(self) -> None:
        """Accept no more jobs; those that wait can still be taken."""
        with self._bell:
            self._is_closed = True
            self._bell.notify()
