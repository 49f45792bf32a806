"""Where requests come in: to the explorer, or to the API behind it."""

from typing import Final

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from idsync_cli.server.answers import json_response
from idsync_cli.server.explorer.guard import SECURITY_HEADERS
from idsync_cli.server.later import Later
from idsync_cli.server.outermost import ReportBug, answer

PREFIX: Final = "/explorer/"


class Front:
    """Has the explorer answer what is asked of it, and hands on all else, if there is more."""

    def __init__(
        self, explorer: Later[ASGIApp], report_bug: ReportBug, behind: ASGIApp | None = None
    ) -> None:
        self._explorer: Final = explorer
        self._report_bug: Final = report_bug
        self._behind: Final = behind

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        path = scope.get("path", "")
        is_own = path == "/" or path.startswith(PREFIX)
        if scope["type"] != "http" or not is_own:
            if self._behind is not None:
                await self._behind(scope, receive, send)
                return
            if scope["type"] != "http":
                return
        await answer(
            self._explored,
            scope,
            receive,
            send,
            headers=_HEADERS,
            report_bug=self._report_bug,
            of_a_bug=_of_a_bug,
        )

    async def _explored(self, scope: Scope, receive: Receive, send: Send) -> None:
        explorer = await self._explorer.get()
        await explorer(scope, receive, send)


_HEADERS: Final = [
    (name.lower().encode("ascii"), value.encode("ascii"))
    for name, value in SECURITY_HEADERS.items()
]


def _of_a_bug() -> Response:
    error = {"code": "INTERNAL_ERROR", "message": "a bug in idsync; the server's log says where"}
    return json_response({"error": error}, 500)
