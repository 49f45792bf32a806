"""Events over HTTP: as servers, browsers and the native SDKs send them (section 10)."""

from asyncio import to_thread
from collections.abc import Mapping
from time import time
from typing import Any, Final
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import Response

from idsync_cli.core.decision import Refusal
from idsync_cli.server.answers import Problem, error_response, json_response, refused
from idsync_cli.server.api import Api, sent_with, signed_paths
from idsync_cli.server.bodies import decoded, is_json, json_of, read_body
from idsync_cli.server.credentials import Caller, Sent
from idsync_cli.server.native import batch_of
from idsync_cli.server.native_names import in_its_names
from idsync_cli.server.requests import Json, check_mpid, object_in

MOST_BATCHES: Final = 100
"""How many batches a request to the bulk route has at most."""

_KIND: Final = "batch"
_NOT_FROM_HERE: Final = ("type", "scope", "workspace", "label", "response")
"""Members of a line that mean nothing over HTTP, where the key says which scope is meant."""


class EventRoutes:
    """The handlers of the routes for events."""

    def __init__(self, api: Api) -> None:
        self._api: Final = api

    async def one(self, request: Request) -> Response:
        """Take one batch from a server."""
        sent = await sent_with(request)
        caller = self._api.credentials.basic(sent, wrong=403)
        self._api.check_rate(caller)
        refusal = await self._carry_out(caller, json_of(request, sent.body))
        return Response(status_code=202) if refusal is None else _refused(refusal)

    async def bulk(self, request: Request) -> Response:
        """Take many batches from a server; those that are refused do not keep the others out."""
        sent = await sent_with(request)
        caller = self._api.credentials.basic(sent, wrong=403)
        self._api.check_rate(caller)
        batches = json_of(request, sent.body)
        if not isinstance(batches, list):
            raise Problem(400, "the body must be a list of batches, between [ and ]")
        if len(batches) > MOST_BATCHES:
            raise Problem(400, f"{len(batches)} batches; at most {MOST_BATCHES} are taken at once")
        for each in batches:
            await self._carry_out(caller, each)
        return Response(status_code=202)

    async def web(self, request: Request) -> Response:
        """Take a batch from the web SDK.

        It keeps what was answered with 400 for ever, and drops all that waits after a 413: so
        whatever is JSON is answered with 202, and those who watch are told what was wrong.
        """
        try:
            body, is_too_long = await read_body(request), False
        except Problem as problem:
            if problem.status != 413:
                raise
            body, is_too_long = b"", True
        key = request.path_params["key"]
        sent = Sent(request.method, request.headers, signed_paths(request), body, key)
        caller = self._api.credentials.bare_key(sent)
        if is_too_long:
            self._count(caller, "TOO_LONG")
            return Response(status_code=202)
        self._api.check_rate(caller)
        try:
            batch = decoded(body)
        except Refusal as refusal:  # a batch for no strict reader, but JSON for another one
            if not await to_thread(is_json, body):  # up to half a second for a hostile one
                raise Problem(400, "the body is not JSON") from None
            self._count(caller, refusal.code.value)
            return Response(status_code=202)
        await self._carry_out(caller, batch)
        return Response(status_code=202)

    async def native(self, request: Request) -> Response:
        """Accept an upload of a native SDK."""
        sent = await sent_with(request, request.path_params["key"])
        caller = self._api.credentials.app(sent)
        self._api.check_rate(caller)
        try:
            upload = object_in(json_of(request, sent.body))
            batch = batch_of(upload)
        except Refusal as refusal:
            self._count(caller, refusal.code.value)
            return _refused(refusal)
        refusal_of_batch = await self._carry_out(caller, batch)
        if refusal_of_batch is not None:
            return _refused(in_its_names(refusal_of_batch, upload))
        return json_response(
            {"dt": "rh", "id": str(uuid4()), "ct": int(time() * 1000), "msgs": []}, 202
        )

    async def _carry_out(self, caller: Caller, batch: object) -> Refusal | None:
        """Have a batch carried out; why it is refused, if it is."""
        try:
            asked = _asked(caller, object_in(batch))
        except Refusal as refusal:
            self._count(caller, refusal.code.value)
            return refusal
        answer = await self._api.answer(asked, from_app=caller.is_app)
        if isinstance(answer.outcome, Refusal):
            self._count(caller, answer.outcome.code.value, was_asked=True)
            return answer.outcome
        self._api.log.answered(_KIND, 202, answer, asked)
        return None

    def _count(self, caller: Caller, code: str, *, was_asked: bool = False) -> None:
        """Let those who watch know of a batch that was refused."""
        self._api.refused_events[caller.workspace, code] += 1
        self._api.log.refused(_KIND, 202, code, was_asked=was_asked)


def _asked(caller: Caller, batch: Mapping[str, Any]) -> Json:
    check_mpid("mpid", batch.get("mpid"))
    kept = {name: value for name, value in batch.items() if name not in _NOT_FROM_HERE}
    return {"type": _KIND, "workspace": caller.workspace, **kept}


def _refused(refusal: Refusal) -> Response:
    code, message = refused(refusal)
    return error_response(400, code, message)
