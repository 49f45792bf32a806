"""The application: its routes, and what becomes of whatever goes wrong in them (section 10)."""

from typing import Any, Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from idsync_cli.core.decision import Refusal
from idsync_cli.server.answers import Problem, error_response, json_response, refused
from idsync_cli.server.api import Api
from idsync_cli.server.carrying_out import CarryingOut
from idsync_cli.server.cors import Cors, preflight
from idsync_cli.server.credentials import Refused
from idsync_cli.server.later import Handler, Rest
from idsync_cli.server.log import Log
from idsync_cli.server.outermost import ReportBug, answer
from idsync_cli.server.routes import Opens, Operation, operations

_CODES: Final = {404: "NOT_FOUND_ERROR", 405: "METHOD_NOT_ALLOWED"}
_OF_ALIASES: Final = "/alias"
_OF_SUBJECT_REQUESTS: Final = ("/v3/requests", "/v3/discovery")


def make_app(api: Api, report_bug: ReportBug, carrying_out: CarryingOut | None = None) -> ASGIApp:
    """The application; `report_bug` is told of what must not happen.

    `carrying_out` runs beside it, or nothing that is due is carried out.
    """
    routes = routes_of(api, carrying_out or CarryingOut(api, 0, report_bug))
    router = Router(routes, redirect_slashes=False)
    return _Outside(router, Cors(api.settings.allowed_origins), api.log, report_bug)


def routes_of(api: Api, carrying_out: CarryingOut) -> list[Route]:
    """Every route, as it is served."""
    return [
        Route(path, _Endpoint(each.handler, api.log), methods=[each.method], name=each.name)
        for each in _with_description(operations(api, carrying_out), api.rest)
        for path in each.paths
    ]


def _with_description(operations: list[Operation], rest: Rest) -> list[Operation]:
    """The same operations, and the one that tells of them all, itself among them."""

    def made() -> dict[str, Any]:
        from idsync_cli.server.description import openapi

        return openapi(described)

    description = rest.later(made)

    async def describe(_request: Request) -> Response:
        return json_response(await description.get())

    its_own = Operation(
        "description", "GET", "/openapi.json", describe, "Describe every route", Opens.NOTHING,
        {200: "Description"},
    )  # fmt: skip
    described = [*operations, its_own]
    return described


class _Endpoint:
    """A handler as an application, which answers what the handler raises, too.

    It raises before anything is sent.
    """

    def __init__(self, handler: Handler, log: Log) -> None:
        self._handler: Final = handler
        self._log: Final = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive, send)
        try:
            response = await self._handler(request)
        except (Problem, Refused, Refusal) as error:
            response = self._answer_to(request, error)
        await response(scope, receive, send)

    def _answer_to(self, request: Request, error: Problem | Refused | Refusal) -> Response:
        """What becomes of each kind of error; whoever watches is told of it."""
        kind = _kind_of(request.scope)
        if isinstance(error, Problem):
            self._log.refused(kind, error.status, error.code)
            return _error(request, error.status, error.code, error.message, error.headers)
        if isinstance(error, Refused):
            self._log.refused(kind, error.status, "credentials")
            if error.status == 404:
                return _error(request, 404, _CODES[404], "Not Found")
            return Response(status_code=error.status)
        self._log.refused(kind, 400, error.code.value)
        code, message = refused(error)
        return _error(request, 400, code, message)


def _unroutable(request: Request, error: HTTPException) -> Response:
    code = _CODES.get(error.status_code, "BAD_REQUEST")
    return _error(request, error.status_code, code, error.detail, dict(error.headers or {}))


def _error(
    request: Request,
    status: int,
    code: str,
    message: str,
    headers: dict[str, str] | None = None,
) -> Response:
    """An error in the form that clients of the route read."""
    if request.url.path.lower().endswith(_OF_ALIASES):
        return json_response({"code": code, "message": message}, status, headers)
    is_dsr = request.url.path.startswith(_OF_SUBJECT_REQUESTS)
    return error_response(status, code, message, headers, of_subject_request=is_dsr)


def _kind_of(scope: Scope) -> str:
    """The name of the operation that a request asked for."""
    route = scope.get("route")
    return route.name if isinstance(route, Route) else "?"


def _bug() -> Response:
    return error_response(500, "INTERNAL_ERROR", "a bug in idsync; the server's log says where")


class _Outside:
    """What every response passes: pages of other origins may read it, and no bug shows in it.

    Every request has its line in the log.
    """

    def __init__(self, router: Router, cors: Cors, log: Log, report_bug: ReportBug) -> None:
        self._router: Final = router
        self._cors: Final = cors
        self._log: Final = log
        self._report_bug: Final = report_bug

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._router(scope, receive, send)
            return
        headers = self._cors.headers_for(dict(scope["headers"]).get(b"origin", b""))
        if scope["method"] == "OPTIONS":
            await preflight(headers)(scope, receive, send)
            return
        scope["app"] = self  # then the router raises what it cannot route
        self._log.begin()
        status = await answer(
            self._routed,
            scope,
            receive,
            send,
            headers=headers,
            report_bug=self._report_bug,
            of_a_bug=_bug,
        )
        self._log.end(_kind_of(scope), status)

    async def _routed(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._router(scope, receive, send)
        except HTTPException as error:
            await _unroutable(Request(scope), error)(scope, receive, send)
