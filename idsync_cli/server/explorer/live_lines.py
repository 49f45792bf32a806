"""A live request as a line, and explained."""

from idsync_cli.server.explorer.views import Json, answer_shown, drawn
from idsync_cli.server.live import LiveRequest
from idsync_cli.server.log import decided
from idsync_cli.wire import time_text


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
