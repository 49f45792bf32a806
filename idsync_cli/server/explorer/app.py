"""The explorer as an application of its own."""

from typing import Any, Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ExceptionHandler, Receive, Scope, Send

from idsync_cli.core.decision import Refusal
from idsync_cli.errors import StoreFault, UsageFault
from idsync_cli.file_faults import FileFault
from idsync_cli.server.answers import Problem, json_response
from idsync_cli.server.explorer.files import PAGE, page_files
from idsync_cli.server.explorer.front import PREFIX
from idsync_cli.server.explorer.guard import Guard
from idsync_cli.server.explorer.routes import ExplorerRoutes
from idsync_cli.server.explorer.views import faults
from idsync_cli.server.later import Handler

_DATA: Final = "/explorer/api"
_WAY_ON: Final = "put a store there, and try again, or start idsync with another store"


class Explorer:
    """Serves the page and its data."""

    def __init__(self, routes: ExplorerRoutes, guard: Guard) -> None:
        self._guard: Final = guard
        self._files: Final = page_files()
        self._app: Final = self._application(routes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        await self._app(scope, receive, send)

    def _application(self, routes: ExplorerRoutes) -> Starlette:
        of_data: list[tuple[str, str, Handler]] = [
            ("GET", "overview", routes.overview),
            ("GET", "store", routes.store),
            ("POST", "ask", routes.ask),
            ("POST", "compare", routes.compare),
            ("GET", "profile/{mpid}", routes.profile),
            ("GET", "profile/{mpid}/story", routes.story),
            ("GET", "profile/{mpid}/graph", routes.graph),
            ("GET", "configuration", routes.configuration),
            ("GET", "audiences", routes.audiences),
            ("GET", "members", routes.members),
            ("GET", "live", routes.live),
            ("GET", "live/{number:int}", routes.live_one),
        ]
        app = Starlette(
            routes=[
                Route("/", self._page),
                *(
                    Route(f"{_DATA}/{path}", self._guarded(handler), methods=[method])
                    for method, path, handler in of_data
                ),
                Route(f"{PREFIX}{{name}}", self._file),
            ],
            exception_handlers=_HANDLERS,
        )
        app.router.redirect_slashes = False
        return app

    def _guarded(self, handler: Handler) -> Handler:
        async def handle(request: Request) -> Response:
            self._guard.check_data(request)
            return await handler(request)

        return handle

    async def _page(self, request: Request) -> Response:
        return self._served(request, PAGE)

    async def _file(self, request: Request) -> Response:
        return self._served(request, request.path_params["name"])

    def _served(self, request: Request, name: str) -> Response:
        self._guard.check_page(request)
        found = self._files.get(name)
        if found is None:
            raise HTTPException(404)
        return Response(found.content, media_type=found.media_type)


def _error(status: int, code: str, message: str, **more: Any) -> Response:
    return json_response({"error": {"code": code, "message": message, **more}}, status)


async def _problem(_request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    why = error.__cause__
    if isinstance(why, StoreFault):  # whoever has the token may know more than an application
        return _error(error.status, error.code, f"{why}; {_WAY_ON}")
    return _error(error.status, error.code, error.message)


async def _refusal(_request: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)
    return _error(400, error.code.value, error.message)


async def _usage(_request: Request, error: Exception) -> Response:
    return _error(400, "BAD_REQUEST", str(error))


async def _file_fault(_request: Request, error: Exception) -> Response:
    assert isinstance(error, FileFault)
    shown = faults(error.found)
    return _error(400, "INVALID_FILE", "the configuration cannot be used", shown=shown)


async def _unroutable(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return _error(error.status_code, "NOT_FOUND", error.detail)


_HANDLERS: Final[dict[Any, ExceptionHandler]] = {
    Problem: _problem,
    Refusal: _refusal,
    UsageFault: _usage,
    FileFault: _file_fault,
    HTTPException: _unroutable,
}
