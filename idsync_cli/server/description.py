"""The routes as OpenAPI 3.1 describes them (section 10)."""

import re
from collections.abc import Sequence
from typing import Any, Final

from idsync_cli import __version__
from idsync_cli.server.routes import Opens, Operation
from idsync_cli.server.schemas import PATH, QUERY, SCHEMAS

Json = dict[str, Any]

_SECURITY: Final[dict[Opens, list[Json]]] = {
    Opens.NOTHING: [{}],
    Opens.KEY_IN_PATH: [{}],
    Opens.APP: [{"signature": []}, {"key": [], "signature": []}, {}],
    Opens.APP_OR_BASIC: [{"key": []}, {"key": [], "signature": []}, {"basic": []}],
    Opens.BASIC: [{"basic": []}],
    Opens.ADMIN: [{"admin": []}],
    Opens.ADMIN_OR_NOTHING: [{}, {"admin": []}],
    Opens.ADMIN_IN_BODY: [{}],
    Opens.BEARER: [{"bearer": []}],
}  # fmt: skip
_SCHEMES: Final[Json] = {
    "key": {
        "type": "apiKey", "in": "header", "name": "x-mp-key",
        "description": "The API key of a workspace; alone only where it says key_only.",
    },
    "signature": {
        "type": "apiKey", "in": "header", "name": "x-mp-signature",
        "description": "HMAC-SHA256 under the secret of method, date, path and body; the date is "
        "that of the header Date, which proves nothing by itself.",
    },
    "basic": {"type": "http", "scheme": "basic", "description": "api_key and api_secret."},
    "admin": {"type": "http", "scheme": "basic", "description": "admin_key and admin_secret."},
    "bearer": {"type": "http", "scheme": "bearer", "description": "From /oauth/token."},
}  # fmt: skip
_WHY: Final = {
    200: "The answer", 201: "It was accepted", 202: "It was accepted", 304: "It has not changed",
    400: "The request is invalid", 401: "Missing or wrong credentials",
    403: "Not allowed with these credentials or in this workspace",
    404: "No such profile, request or route", 405: "Not allowed with this method",
    408: "The body did not arrive in time", 409: "The same request is already in progress",
    410: "It no longer exists",
    413: "The body is longer than 256 KiB", 429: "More requests per second than the workspace "
    "allows",
    500: "A bug in idsync", 503: "The store is busy; try again",
}  # fmt: skip
_ERRORS_OF_ITS_OWN: Final = ("SubjectRequestError", "AliasError")
_LIMITED: Final = (429, 503)
_OF_BODIES: Final = (400, 408, 413)
_TEXTS: Final = ("application/json", "text/plain")


def openapi(operations: Sequence[Operation]) -> Json:
    """The description of all operations; its order is theirs."""
    paths: dict[str, Json] = {}
    for each in operations:
        for index, path in enumerate(each.told_paths):
            name = each.name if index == 0 else f"{each.name}{_camel(each.prefixes[index])}"
            paths.setdefault(path, {})[each.method.lower()] = _operation(each, path, name)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "idsync",
            "version": __version__,
            "description": "The HTTP API of a local IDSync: what the mParticle SDKs send.",
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {"schemas": SCHEMAS, "securitySchemes": _SCHEMES},
    }


def _operation(operation: Operation, path: str, name: str) -> Json:
    told: Json = {
        "operationId": name,
        "summary": operation.summary,
        "parameters": [*_in_path(path), *_in_query(operation)],
        "responses": _responses(operation),
        "security": _SECURITY[operation.opens],
    }
    if operation.body is not None:
        content: Json = {"schema": _ref(operation.body)}
        told["requestBody"] = {
            "required": operation.body != "Anything",
            "content": dict.fromkeys(_TEXTS, content),
        }
    return told


def _in_path(path: str) -> list[Json]:
    return [
        {"name": name, "in": "path", "required": True, "schema": PATH[name]}
        for name in re.findall(r"\{(\w+)\}", path)
    ]


def _in_query(operation: Operation) -> list[Json]:
    return [
        {
            "name": name.lstrip("!"),
            "in": "query",
            "required": name.startswith("!"),
            "schema": QUERY[name.lstrip("!")],
        }
        for name in operation.query
    ]


def _responses(operation: Operation) -> Json:
    """What may be answered: what is peculiar to the operation, and what all of its kind have."""
    answers: dict[int, str | None] = dict(operation.answers)
    error = next((name for name in _ERRORS_OF_ITS_OWN if name in answers.values()), "Error")
    if operation.opens is not Opens.NOTHING:
        answers |= {401: None, **dict.fromkeys(_LIMITED, error)}
    if operation.opens in (Opens.ADMIN, Opens.ADMIN_IN_BODY, Opens.BEARER):
        answers[404] = error  # also where no workspace has a pair of administration
    if operation.body is not None and operation.opens is not Opens.NOTHING:
        for status in _OF_BODIES:
            answers.setdefault(status, error)
    answers[500] = error
    return {str(status): _response(status, answers[status]) for status in sorted(answers)}


def _response(status: int, schema: str | None) -> Json:
    told: Json = {"description": _WHY[status]}
    if schema is not None:
        kind = "application/zip" if schema == "Archive" else "application/json"
        told["content"] = {kind: {"schema": _ref(schema)}}
    if status in _LIMITED:
        told["headers"] = {"Retry-After": {"schema": {"type": "integer"}}}
    return told


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _camel(prefix: str) -> str:
    return prefix.strip("/").capitalize()
