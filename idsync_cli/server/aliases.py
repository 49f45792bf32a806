"""The alias route: what one profile did is another's, too (section 10)."""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from idsync_cli.core.codes import AliasFault
from idsync_cli.core.decision import Refusal
from idsync_cli.server.answers import BAD_REQUEST, json_response, said_of
from idsync_cli.server.api import Api, sent_with
from idsync_cli.server.bodies import json_of
from idsync_cli.server.requests import Json, check_mpid, kept_for_history, object_in
from idsync_cli.wire.members import invalid_request

_KIND: Final = "alias"
_MEMBERS: Final = ("source_mpid", "destination_mpid", "start_unixtime_ms", "end_unixtime_ms")
_SAID: Final = {
    AliasFault.NO_ALIASING: "the strategy of this workspace does not allow aliases",
    AliasFault.SAME_PROFILE: "source and destination are the same profile",
    AliasFault.UNKNOWN_PROFILE: "there is no profile with one of the MPIDs",
    AliasFault.KNOWN_SOURCE: "the source is known and the destination is not",
    AliasFault.INVALID_WINDOW: "the window ends before it starts, or is longer than 90 days",
}


class AliasRoute:
    """The handler of the alias route."""

    def __init__(self, api: Api) -> None:
        self._api: Final = api

    async def alias(self, request: Request) -> Response:
        """Handle an alias, as applications send it."""
        sent = await sent_with(request, request.path_params["key"])
        caller = self._api.credentials.app(sent)
        self._api.check_rate(caller)
        try:
            asked = _asked(caller.workspace, json_of(request, sent.body))
        except Refusal as refusal:
            self._api.log.refused(_KIND, 400, refusal.code.value)
            return _refused(400, f"{refusal.code.value}: {refusal.message}")
        answer = await self._api.answer(asked)
        outcome = answer.outcome
        status = 202
        if isinstance(outcome, Refusal) and outcome.fault is not AliasFault.ALIASED_BEFORE:
            status = 403 if outcome.fault is AliasFault.NO_ALIASING else 400
        self._api.log.answered(_KIND, status, answer, asked)
        if status == 202 or not isinstance(outcome, Refusal):
            return Response(status_code=202)
        said = said_of(outcome) if outcome.fault is None else _SAID[outcome.fault]
        return _refused(status, f"{outcome.code.value}: {said}")


def _asked(workspace: str, body: object) -> Json:
    """The alias of a body; `data.scope` and what nobody names is passed over."""
    members = object_in(body)
    data = members.get("data")
    if not isinstance(data, dict):
        raise invalid_request("data must be a JSON object, between { and }", ("data",))
    for name in ("source_mpid", "destination_mpid"):
        check_mpid(name, data.get(name), may_be_none=False)
    asked: Json = {"type": _KIND, "workspace": workspace, **kept_for_history(members)}
    return asked | {name: data[name] for name in _MEMBERS if name in data}


def _refused(status: int, message: str) -> Response:
    return json_response({"code": BAD_REQUEST, "message": message}, status)
