"""The latest requests of a running server, for those who look on (`server/explorer`)."""

import asyncio
from collections import deque
from collections.abc import Callable
from itertools import islice
from typing import Final, NamedTuple

from idsync_cli.core.decision import Answer

KEPT: Final = 100
"""How many requests are kept; older ones are forgotten."""

VIEWERS: Final = 16
"""For how many pages it is kept what they were sent last; for others no longer."""


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


class Viewer:
    """A page that looks on: what it shows stays for it, however many requests come meanwhile.

    Hundreds may come while somebody reaches for a line, and none is sent to a page that pauses.
    """

    def __init__(self) -> None:
        self._sent: Final[deque[LiveRequest]] = deque(maxlen=2 * KEPT)

    def send(self, requests: list[LiveRequest]) -> None:
        """Take note of what it is sent."""
        self._sent.extend(requests)

    def one(self, number: int) -> LiveRequest | None:
        """The request of a number, if it was sent lately."""
        return next((each for each in self._sent if each.number == number), None)

    def forget(self) -> None:
        """Keep nothing of what it was sent."""
        self._sent.clear()


_Kept = tuple[int, Answer | None, str, int | None, str | None]
"""A request as it is kept: when it came, and what became of it. Its number follows from its place;
thousands of them may come in a second, and nearly none is looked at."""


class LiveRequests:
    """The latest requests. It belongs to the event loop: nothing here waits or draws."""

    def __init__(self, now: Callable[[], int]) -> None:
        self._now: Final = now
        self._kept: Final[deque[_Kept]] = deque(maxlen=KEPT)
        self._viewers: Final[dict[str, Viewer]] = {}
        self._bell = asyncio.Event()
        self._last_erasure: int | None = None
        self.number = 0  # of the latest
        self.forgotten = 0  # the number of the last that somebody's erasure has had forgotten
        self.is_over = False

    def add(self, answer: Answer) -> None:
        """Keep a request that was answered, with what every tier did if the answer has it."""
        self.number += 1
        self._kept.append((self._now(), answer, "", None, None))
        self._bell.set()

    def refused(self, kind: str, status: int, code: str) -> None:
        """Keep a request that was refused before anything was decided."""
        self.number += 1
        self._kept.append((self._now(), None, kind, status, code))
        self._bell.set()

    def after(self, number: int) -> list[LiveRequest]:
        """What is kept of the requests after one, the oldest first."""
        kept = self._kept
        wanted = min(len(kept), max(0, self.number - number))
        first = self.number - wanted + 1
        found = islice(kept, len(kept) - wanted, None)
        return [_seen(first + index, each) for index, each in enumerate(found)]

    def one(self, number: int, viewer: str = "") -> LiveRequest | None:
        """The request of a number, if it is still kept, or was sent to a viewer lately."""
        index = number - self.number - 1  # from the end
        if -len(self._kept) <= index < 0:
            return _seen(number, self._kept[index])
        page = self._viewers.get(viewer)
        return None if page is None else page.one(number)

    def viewer(self, name: str) -> Viewer:
        """The page of a name, which it gave itself, as the latest of those that look on."""
        viewer = self._viewers.pop(name, None) or Viewer()
        self._viewers[name] = viewer
        while len(self._viewers) > VIEWERS:
            del self._viewers[next(iter(self._viewers))]
        return viewer

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

    def erased_until(self, seq: int) -> None:
        """Take note of the number of the store's latest erasure: after another one, forget."""
        before, self._last_erasure = self._last_erasure, seq
        if before not in (None, seq):
            self.forget()

    def forget(self) -> None:
        """Keep nothing of what came: somebody was erased, whose requests may be among it."""
        self._kept.clear()
        for viewer in self._viewers.values():
            viewer.forget()
        self.forgotten = self.number
        self._bell.set()

    def end(self) -> None:
        """No more will come: whoever waits is told at once."""
        self.is_over = True
        self._bell.set()


def _seen(number: int, kept: _Kept) -> LiveRequest:
    time_ms, answer, kind, status, code = kept
    if answer is not None:
        kind = "?" if answer.kind is None else answer.kind.value
    return LiveRequest(number, time_ms, kind, answer, status, code)
