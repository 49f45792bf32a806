"""The routes of section 10, and what becomes of whatever goes wrong in them."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, ExceptionHandler, Message, Receive, Scope, Send

from idsync_cli.core.codes import RequestKind
from idsync_cli.core.decision import Refusal
from idsync_cli.server import sdk
from idsync_cli.server.aliases import AliasRoute
from idsync_cli.server.answers import Problem, error_response, json_response, refused
from idsync_cli.server.api import Api, sent_with
from idsync_cli.server.credentials import Refused
from idsync_cli.server.events import EventRoutes
from idsync_cli.server.identity import IdentityRoutes

_HEADERS: Final = b"x-mp-key, content-type, authorization, x-mp-signature, date"
_EXPOSED: Final = b"X-MP-Max-Age"
_PREFLIGHT_SECONDS: Final = b"86400"
_ALIAS_PREFIXES: Final = ("", "/identity", "/webevents", "/nativeevents")
_CODES: Final = {404: "NOT_FOUND_ERROR", 405: "METHOD_NOT_ALLOWED"}
_IDENTITY_KINDS: Final = (
    RequestKind.IDENTIFY, RequestKind.LOGIN, RequestKind.LOGOUT, RequestKind.SEARCH,
)  # fmt: skip

ReportBug = Callable[[Exception], None]
Handler = Callable[[Request], Awaitable[Response]]


def make_app(api: Api, report_bug: ReportBug) -> ASGIApp:
    """The application; `report_bug` is told of what must not happen.

    Every route of an SDK stands also under the prefix that SDKs with a domain of their own use.
    """
    identity, events = IdentityRoutes(api), EventRoutes(api)
    routes = [
        *_routes(
            "POST",
            [(f"/v1/{kind}", identity.of(kind)) for kind in _IDENTITY_KINDS],
            ("", "/identity"),
        ),
        *_routes("POST", [("/v1/{mpid}/modify", identity.modify)], ("", "/identity")),
        *_routes("GET", [("/v4/{key}/config", sdk.native_config)], ("", "/config")),
        *_routes("GET", [("/JS/v2/{key}/config", sdk.web_config)], ("", "/tags")),
        *_routes(
            "POST",
            [(f"/v{each}/JS/{{key}}/Forwarding", sdk.forwarding) for each in (1, 2)],
            ("", "/webevents"),
        ),
        *_routes("POST", [("/v1/identity/{key}/{word}", _alias_of(api))], _ALIAS_PREFIXES),
        *_routes("POST", [("/v2/events", events.one), ("/v2/events/historical", events.one)]),
        *_routes("POST", [("/v2/bulkevents", events.bulk)]),
        *_routes("POST", [("/v2/bulkevents/historical", events.bulk)]),
        *_routes("POST", [("/v3/JS/{key}/events", events.web)], ("", "/webevents")),
        *_routes("POST", [("/v2/{key}/events", events.native)], ("", "/nativeevents")),
        *_routes("GET", [("/healthz", _health_of(api))]),
    ]
    starlette = Starlette(
        routes=routes,
        exception_handlers=_handlers_of(api),
    )
    starlette.router.redirect_slashes = False
    return _Outside(starlette, api.settings.allowed_origins, report_bug)


def _routes(
    method: str, handlers: Iterable[tuple[str, Handler]], prefixes: Sequence[str] = ("",)
) -> list[Route]:
    return [
        Route(prefix + path, handler, methods=[method])
        for path, handler in handlers
        for prefix in prefixes
    ]


def _alias_of(api: Api) -> Handler:
    route = AliasRoute(api)

    async def alias(request: Request) -> Response:
        """Handle an alias; SDKs differ in how they write the last word of the path."""
        if request.path_params["word"].lower() != "alias":
            raise HTTPException(404)
        return await route.alias(request)

    return alias


def _health_of(api: Api) -> Handler:
    async def health(request: Request) -> Response:
        """Say that the server is there; to its administrator also what was refused unseen."""
        if "authorization" not in request.headers:
            return json_response({"status": "ok"})
        caller = api.credentials.admin(await sent_with(request))
        refused_here: dict[str, int] = {
            code: count
            for (workspace, code), count in sorted(api.refused_events.items())
            if workspace == caller.workspace
        }
        return json_response({"status": "ok", "refused": {caller.workspace: refused_here}})

    return health


async def _unroutable(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = _CODES.get(error.status_code, "BAD_REQUEST")
    headers = dict(error.headers or {})
    return error_response(error.status_code, code, error.detail, headers)


def _handlers_of(api: Api) -> dict[Any, ExceptionHandler]:
    """What becomes of each kind of error; whoever watches is told of it."""

    async def problem(request: Request, error: Exception) -> Response:
        assert isinstance(error, Problem)
        api.log.refused(_route_of(request), error.status, error.code)
        return error_response(error.status, error.code, error.message, error.headers)

    async def without_body(request: Request, error: Exception) -> Response:
        assert isinstance(error, Refused)
        api.log.refused(_route_of(request), error.status, "credentials")
        if error.status == 404:
            return error_response(404, "NOT_FOUND_ERROR", "Not Found")
        return Response(status_code=error.status)

    async def refusal(request: Request, error: Exception) -> Response:
        assert isinstance(error, Refusal)
        api.log.refused(_route_of(request), 400, error.code.value)
        code, message = refused(error)
        return error_response(400, code, message)

    return {
        HTTPException: _unroutable,
        Problem: problem,
        Refused: without_body,
        Refusal: refusal,
        Exception: _bug,
    }


def _route_of(request: Request) -> str:
    """The route that a request took, without what it named there."""
    route = request.scope.get("route")
    return route.path if isinstance(route, Route) else "?"


async def _bug(_request: Request, _error: Exception) -> Response:
    return error_response(500, "INTERNAL_ERROR", "a bug in idsync; it was reported")


class _Outside:
    """What every response passes: pages of other origins may read it, and no bug shows in it."""

    def __init__(
        self, app: ASGIApp, allowed_origins: tuple[str, ...], report_bug: ReportBug
    ) -> None:
        self._app: Final = app
        self._allowed: Final = frozenset(allowed_origins)
        self._report_bug: Final = report_bug

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = self._headers_for(scope)
        if scope["method"] == "OPTIONS":
            await _preflight(headers)(scope, receive, send)
            return
        has_begun = False

        async def send_with_headers(message: Message) -> None:
            nonlocal has_begun
            if message["type"] == "http.response.start":
                has_begun = True
                message["headers"] = [*message.get("headers", ()), *headers]
            await send(message)

        try:
            await self._app(scope, receive, send_with_headers)
        except Exception as error:  # noqa: BLE001 - the last resort of a server that goes on
            self._report_bug(error)
            if not has_begun:
                response = await _bug(Request(scope), error)
                await response(scope, receive, send_with_headers)

    def _headers_for(self, scope: Scope) -> list[tuple[bytes, bytes]]:
        if not self._allowed:
            allowed = [(b"access-control-allow-origin", b"*")]
        else:
            origin = dict(scope["headers"]).get(b"origin", b"")
            is_allowed = origin.decode("latin-1") in self._allowed
            allowed = [(b"access-control-allow-origin", origin)] if is_allowed else []
            allowed.append((b"vary", b"Origin"))
        return [*allowed, (b"access-control-expose-headers", _EXPOSED)]


def _preflight(headers: list[tuple[bytes, bytes]]) -> Response:
    response = Response(status_code=204)
    response.raw_headers += [
        *headers,
        (b"access-control-allow-methods", b"GET, POST"),
        (b"access-control-allow-headers", _HEADERS),
        (b"access-control-max-age", _PREFLIGHT_SECONDS),
    ]
    return response
