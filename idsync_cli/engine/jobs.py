"""Jobs that wait for a thread: requests, questions, and other rules; and the queue of them."""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from threading import Condition, Lock
from typing import Any, Final, Generic, TypeVar

from idsync_cli.core.config.rules import Organization
from idsync_cli.core.decision import Refusal
from idsync_cli.errors import Busy, Stopped
from idsync_cli.store.api import Transaction


class Job:
    """Something to be done, and the future that hears what came of it."""

    __slots__ = ("future",)

    def __init__(self) -> None:
        self.future: Final[Future[Any]] = Future()


class RequestJob(Job):
    """A request, and whether its answer shall have the details of every tier.

    With `spare_known` a modify takes nothing from another profile that is known.
    """

    __slots__ = ("explain", "request", "spare_known")

    def __init__(
        self, request: object | Refusal, *, explain: bool = False, spare_known: bool = False
    ) -> None:
        super().__init__()
        self.request: Final = request
        self.explain: Final = explain
        self.spare_known: Final = spare_known


class QuestionJob(Job):
    """A question to one state of the store."""

    __slots__ = ("ask",)

    def __init__(self, ask: Callable[[Transaction], object]) -> None:
        super().__init__()
        self.ask: Final = ask


class ReloadJob(Job):
    """Rules that hold from here on."""

    __slots__ = ("organization",)

    def __init__(self, organization: Organization) -> None:
        super().__init__()
        self.organization: Final = organization


class CheckJob(Job):
    """To see whether the store that is written is still the one that its users find."""

    __slots__ = ()


JobT = TypeVar("JobT", bound=Job)


class JobQueue(Generic[JobT]):
    """Jobs in the order in which they came, from many threads, for the one that takes them.

    At most `capacity` of them wait.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity: Final = capacity
        self._jobs: deque[JobT] = deque()
        self._bell = Condition(Lock())
        self._wanted = 1  # how many have to be there before the thread that waits is woken
        self._is_closed = False

    def put(self, job: JobT) -> None:
        """Let a job wait behind the others.

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

    def take(self, most: int, expected: int = 1, linger: float = 0) -> list[JobT]:
        """Wait for jobs, and take them; none, once the queue is closed and empty.

        Where more than one is expected at once they are waited for, `linger` seconds at most.
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

    def take_all(self) -> list[JobT]:
        """Take whatever waits, without waiting."""
        with self._bell:
            left = list(self._jobs)
            self._jobs.clear()
            return left

    def close(self) -> None:
        """Take no more jobs; those that wait are still given out."""
        with self._bell:
            self._is_closed = True
            self._bell.notify()
