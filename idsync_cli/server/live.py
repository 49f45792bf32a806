"""The latest requests of a running server, for those who look on (`server/explorer`)."""

import asyncio
from collections import deque
from collections.abc import Callable
from itertools import islice
from typing import Final, NamedTuple

from idsync_cli.core.decision import Answer

KEPT: Final = 100
"""How many requests are kept; older ones are forgotten."""


class LiveRequest(NamedTuple):
    """A request that came: its number since the server began, when, and what became of it.

    `answer` is None where it was refused before anything was decided; then `status` is that of
    HTTP, and `code` says why.
    """

    number: int
    time_ms: int
    kind: str
    answer: Answer | None = None
    status: int | None = None
    code: str | None = None


class LiveRequests:
    """The latest requests. It belongs to the event loop: nothing here waits or draws."""

    def __init__(self, now: Callable[[], int]) -> None:
        self._now: Final = now
        self._kept: deque[LiveRequest] = deque(maxlen=KEPT)
        self._number = 0
        self._bell = asyncio.Event()
        self.is_over = False

    def take(self, answer: Answer) -> None:
        """Keep a request that was answered, with what every tier did if the answer has it."""
        kind = "?" if answer.kind is None else answer.kind.value
        self._keep(LiveRequest(self._next(), self._now(), kind, answer))

    def refused(self, kind: str, status: int, code: str) -> None:
        """Keep a request that was refused before anything was decided."""
        self._keep(LiveRequest(self._next(), self._now(), kind, None, status, code))

    def after(self, number: int) -> list[LiveRequest]:
        """What is kept of the requests after one, the oldest first."""
        kept = self._kept
        wanted = min(len(kept), max(0, self._number - number))
        return list(islice(kept, len(kept) - wanted, None))

    def one(self, number: int) -> LiveRequest | None:
        """The request of a number, if it is still kept."""
        return next((each for each in self._kept if each.number == number), None)

    async def wait(self, seconds: float) -> None:
        """Wait until a request comes, or all is over, at most so long."""
        if self.is_over:
            return
        self._bell.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._bell.wait()
        except TimeoutError:
            return

    def forget(self) -> None:
        """Keep nothing of what came: somebody was erased, whose requests may be among it."""
        self._kept.clear()

    def end(self) -> None:
        """No more will come: whoever waits is told at once."""
        self.is_over = True
        self._bell.set()

    def _next(self) -> int:
        self._number += 1
        return self._number

    def _keep(self, request: LiveRequest) -> None:
        self._kept.append(request)
        self._bell.set()
