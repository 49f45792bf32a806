"""Live requests as lines, as server-sent events, and explained."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Final

from idsync_cli.server.explorer.views import Json, answer_shown, drawn
from idsync_cli.server.live import LiveRequest, LiveRequests
from idsync_cli.server.log import decided
from idsync_cli.wire import time_text

SILENT_SECONDS: Final = 15.0
"""After what time a comment is sent to those who listen, so that the connection stays."""

PACE_SECONDS: Final = 0.5
"""How often those who listen are told at most: what comes meanwhile comes together."""


def live_line(live: LiveRequest) -> Json:
    """What came, when, and what became of it, without a value of an identifier."""
    answer = live.answer
    line: Json = {
        "number": live.number,
        "time": time_text(live.time_ms),
        "type": live.kind,
    }
    if answer is None:
        return line | {"status": "rejected", "code": live.code, "http_status": live.status}
    mpid = answer.mpid
    return line | {
        "status": answer.status.value,
        "scope": answer.scope,
        "mpid": None if mpid is None else str(mpid),
        "decided": decided(answer),
    }


def live_shown(live: LiveRequest) -> Json:
    """The explanation of a request; one that was rejected unread has only its code."""
    if live.answer is None:
        return {"shown": drawn([f"Rejected: {live.code}, HTTP status {live.status}"])}
    return answer_shown(live.answer)


async def live_events(live: LiveRequests, after: int, page: str) -> AsyncIterator[str]:
    """What comes, and that all is to be forgotten that came before."""
    forgotten = live.forgotten
    while not live.is_over:
        if live.forgotten != forgotten:
            forgotten = live.forgotten
            after = max(after, forgotten)
            yield _event("forgotten", after, None)
        found = live.after(after)
        if found:
            after = found[-1].number
            live.viewer(page).send(found)
            yield _event("requests", after, [live_line(each) for each in found])
            await asyncio.sleep(PACE_SECONDS)
        else:
            await live.wait(SILENT_SECONDS)
            if live.number == after:
                yield ": still here\n\n"


async def live_counts(live: LiveRequests, after: int) -> AsyncIterator[str]:
    """How many have come since one, for a page that pauses."""
    told, forgotten = -1, live.forgotten
    while not live.is_over:
        if live.forgotten != forgotten:
            forgotten = live.forgotten
            after = max(after, forgotten)
            yield _event("forgotten", after, None)
        if live.number - after != told:
            told = live.number - after
            yield _event("came", after, told)
            await asyncio.sleep(PACE_SECONDS)
        else:
            await live.wait(SILENT_SECONDS)
            if live.number - after == told:
                yield ": still here\n\n"


def _event(name: str, number: int, data: object) -> str:
    """A server-sent event; a page that comes back says the number, and what followed is sent."""
    return f"id: {number}\nevent: {name}\ndata: {json.dumps(data)}\n\n"
