"""What of a server is made later: once, in a thread, and again if that failed (section 10)."""

import asyncio
import threading
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from idsync_cli.server.later import Later, Rest


class Routes:
    def __init__(self) -> None:
        self.made_in: Final = threading.current_thread()

    async def tell(self, _request: Request) -> Response:
        return Response(b"told")


def test_it_is_made_once_and_the_loop_goes_on() -> None:
    may_end, made = threading.Event(), []

    def make() -> Routes:
        assert may_end.wait(20)
        made.append(Routes())
        return made[-1]

    async def run() -> None:
        later = Later(make)
        asked = [asyncio.ensure_future(later.get()) for _ in range(5)]
        await asyncio.sleep(0.01)
        may_end.set()  # the loop has come this far while it is being made
        found = await asyncio.gather(*asked)
        assert made == [found[0]]
        assert found == made * 5
        assert found[0].made_in is not threading.current_thread()
        assert await later.get() is made[0]
        handle = later.of(lambda it: it.tell)
        assert (await handle(Request({"type": "http"}))).body == b"told"

    asyncio.run(run())


def test_what_failed_is_told_and_tried_again() -> None:
    faults: list[Exception] = [ImportError("first")]
    told: list[Exception] = []

    def make() -> str:
        if faults:
            raise faults[0]
        return "made"

    async def run() -> None:
        rest = Rest()
        one, other = rest.later(make), rest.later(lambda: "other")
        await rest.make(told.append)
        assert told == faults
        assert await other.get() == "other"
        faults.clear()
        assert await one.get() == "made"

    asyncio.run(run())
