"""Whether the server is there, and what it refused unseen (section 10)."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from idsync_cli.server.answers import json_response
from idsync_cli.server.api import Api, sent_with
from idsync_cli.server.credentials import Refused


def health_of(api: Api) -> Callable[[Request], Awaitable[Response]]:
    """The handler of the route."""

    async def health(request: Request) -> Response:
        """Show that the server is up; to its administrator also what was refused unseen."""
        if "authorization" not in request.headers:
            return json_response({"status": "ok"})
        if not api.credentials.has_admin:
            raise Refused(401)
        caller = api.credentials.admin(await sent_with(request))
        refused_here: dict[str, int] = {
            code: count
            for (workspace, code), count in sorted(api.refused_events.items())
            if workspace == caller.workspace
        }
        return json_response({"status": "ok", "refused": {caller.workspace: refused_here}})

    return health
