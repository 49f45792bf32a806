"""Results of a service's threads, brought to the event loop (section 10)."""

import asyncio
from collections import deque
from concurrent.futures import Future
from typing import Any, Final, TypeVar

ResultT = TypeVar("ResultT")


class Results:
    """Wakes the event loop once for all results that came meanwhile.

    A transaction answers many requests at once. `asyncio.wrap_future` would wake the loop for each
    of them, and the two threads would take turns at the interpreter for each.
    """

    def __init__(self) -> None:
        self._came: Final[deque[tuple[asyncio.Future[Any], Future[Any]]]] = deque()
        self._is_called = False

    async def of(self, asked: Future[ResultT]) -> ResultT:
        """The result of a future of another thread; what it raises is raised here."""
        loop = asyncio.get_running_loop()
        waiting: asyncio.Future[ResultT] = loop.create_future()

        def came(done: Future[ResultT]) -> None:
            self._came.append((waiting, done))
            if not self._is_called:
                self._is_called = True
                loop.call_soon_threadsafe(self._deliver)

        asked.add_done_callback(came)
        try:
            return await waiting
        except asyncio.CancelledError:
            asked.cancel()  # if it still waits
            raise

    def _deliver(self) -> None:
        self._is_called = False  # first: what comes from now on calls again
        while self._came:
            waiting, done = self._came.popleft()
            if waiting.done():  # nobody waits any more
                continue
            if done.cancelled():
                waiting.cancel()
            elif (error := done.exception()) is not None:
                waiting.set_exception(error)
            else:
                waiting.set_result(done.result())
