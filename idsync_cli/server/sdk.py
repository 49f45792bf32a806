"""What lets an SDK start and go on that has nothing to do with identity (section 10)."""

import hashlib
import json
from time import time
from typing import Final
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import Response

from idsync_cli.server.answers import json_response

_ALIAS_WINDOW_DAYS: Final = 90


async def native_config(request: Request) -> Response:
    """The configuration that the native SDKs fetch before they start."""
    body = {"dt": "ac", "flags": {}, "amw": _ALIAS_WINDOW_DAYS}
    tag = '"' + hashlib.sha256(json.dumps(body).encode()).hexdigest()[:32] + '"'
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers={"ETag": tag})
    stamped = {"id": str(uuid4()), "ct": int(time() * 1000), **body}
    return json_response(stamped, headers={"ETag": tag})


async def web_config(_request: Request) -> Response:
    """The configuration that the web SDK fetches: nothing, so that its own holds."""
    return json_response({})


async def forwarding(request: Request) -> Response:
    """Statistics of kits, which nobody here needs; what was sent is not read."""
    del request
    return Response(status_code=202)
