"""What is made after a start, because no identity request needs it: its modules take a while."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final, Generic, TypeVar

from starlette.requests import Request
from starlette.responses import Response

from idsync_cli.server.outermost import ReportBug

FIRST_SECONDS: Final = 1.0
"""How long a server that has begun leaves the rest for later: what is asked at once comes first."""

Handler = Callable[[Request], Awaitable[Response]]
T = TypeVar("T")


class Later(Generic[T]):
    """Something that is made in a thread, the first time that it is asked for.

    Meanwhile the event loop goes on. `make` imports what it needs.
    """

    def __init__(self, make: Callable[[], T]) -> None:
        self._make: Final = make
        self._made: T | None = None
        self._lock = asyncio.Lock()

    async def get(self) -> T:
        """What was made; if that failed, it is tried again."""
        if self._made is None:
            async with self._lock:
                if self._made is None:
                    self._made = await asyncio.to_thread(self._make)
        return self._made

    def of(self, which: Callable[[T], Handler]) -> Handler:
        """A handler of a route, which is one of what is made."""

        async def handle(request: Request) -> Response:
            return await which(await self.get())(request)

        return handle


class Rest:
    """All that is made later."""

    def __init__(self) -> None:
        self._all: Final[list[Later[Any]]] = []

    def later(self, make: Callable[[], T]) -> Later[T]:
        """Let something be made when it is asked for, or with the rest."""
        made = Later(make)
        self._all.append(made)
        return made

    async def make(self, report_bug: ReportBug) -> None:
        """Make all of it, one after another; what fails is reported, and all else is made."""
        for each in self._all:
            try:
                await each.get()
            except Exception as error:  # noqa: BLE001 - it is tried again when it is asked for
                report_bug(error)
