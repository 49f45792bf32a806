"""What every response of an application passes: it gets headers, and no bug shows in it."""

from collections.abc import Callable, Sequence

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

ReportBug = Callable[[Exception], None]
Headers = Sequence[tuple[bytes, bytes]]


async def answer(
    app: ASGIApp,
    scope: Scope,
    receive: Receive,
    send: Send,
    *,
    headers: Headers,
    report_bug: ReportBug,
    of_a_bug: Callable[[], Response],
) -> int:
    """Let an application answer a request; gives the status of the response.

    A bug is reported, and answered with `of_a_bug` unless a response has begun.
    """
    status = 0

    async def send_with_headers(message: Message) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]
            message["headers"] = [*message.get("headers", ()), *headers]
        await send(message)

    try:
        await app(scope, receive, send_with_headers)
    except Exception as error:  # noqa: BLE001 - the last resort of a server that goes on
        report_bug(error)
        if not status:
            await of_a_bug()(scope, receive, send_with_headers)
    return status
