"""Requests of data subjects are carried out when they are due (section 10)."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from idsync_cli.server.answers import Problem
from idsync_cli.server.api import Api
from idsync_cli.server.later import FIRST_SECONDS

if TYPE_CHECKING:
    from idsync_cli.server.due import DueRequests

_LOOK_AGAIN_SECONDS: Final = 5.0
"""After what time something is tried again that could not be done, for all else comes first."""

_LONGEST_SECONDS: Final = 60.0
"""How long it sleeps at most: others may have accepted a request over the same store."""


class CarryingOut:
    """A task that carries out what was accepted, `delay_ms` later, also by an earlier server."""

    def __init__(self, api: Api, delay_ms: int, report_bug: Callable[[Exception], None]) -> None:
        def due() -> "DueRequests":
            from idsync_cli.server.due import DueRequests

            return DueRequests(api, _LOOK_AGAIN_SECONDS)

        self._api: Final = api
        self.delay_ms: Final = delay_ms
        self._report_bug: Final = report_bug
        self._due: Final = api.rest.later(due)
        self._bell = asyncio.Event()

    def look(self) -> None:
        """Say that something was accepted."""
        self._bell.set()

    async def run(self) -> None:
        """Carry out what is due, until it is cancelled; begin once the server has begun."""
        await self._api.forget_the_erased()
        await self._wait(FIRST_SECONDS)
        while True:
            self._bell.clear()
            try:
                due = await self._due.get()
                seconds = await due.carry_out()
            except Problem:  # the store is busy
                seconds = _LOOK_AGAIN_SECONDS
            except Exception as error:  # noqa: BLE001 - it goes on, as the server does
                self._report_bug(error)
                seconds = _LOOK_AGAIN_SECONDS
            await self._wait(min(seconds, _LONGEST_SECONDS))

    async def _wait(self, seconds: float) -> None:
        """Wait so long, or until something was accepted."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._bell.wait()
