"""identify, login, logout, search and modify over HTTP (section 10)."""

from collections.abc import Awaitable, Callable
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from idsync_cli.core.codes import RequestKind, Status
from idsync_cli.core.decision import Answer, Refusal
from idsync_cli.core.identity import mpid_rule, parse_mpid
from idsync_cli.server.answers import (
    NOT_FOUND_ERROR,
    error_response,
    identity_body,
    is_made,
    json_response,
    modify_body,
    refused,
)
from idsync_cli.server.api import Api, is_asked, sent_with
from idsync_cli.server.bodies import json_of
from idsync_cli.server.credentials import Caller, Means
from idsync_cli.server.requests import Json, identity_request, modify_request
from idsync_cli.store.api import Transaction
from idsync_cli.wire.members import invalid_request

Handler = Callable[[Request], Awaitable[Response]]

_NO_QUERY: Final[dict[str, str]] = {}
_MAX_AGE: Final = "X-MP-Max-Age"


class IdentityRoutes:
    """The handlers of the identity routes."""

    def __init__(self, api: Api) -> None:
        self._api: Final = api

    def of(self, kind: RequestKind) -> Handler:
        """The handler of one kind of identity request."""

        async def handle(request: Request) -> Response:
            caller, body = await self._judged(request)
            try:
                asked = identity_request(kind.value, caller.workspace, json_of(request, body))
            except Refusal as refusal:
                return self._refused(kind, refusal)
            return await self._answered(request, caller, kind, asked)

        return handle

    async def modify(self, request: Request) -> Response:
        """Handle a modify; an error says, too, whether the profile is logged in."""
        caller, body = await self._judged(request)
        kind, named = RequestKind.MODIFY, request.path_params["mpid"]
        mpid = parse_mpid(named)
        try:
            if mpid is None:
                raise invalid_request(f"the path names no MPID{mpid_rule(named)}", ("mpid",))
            asked = modify_request(caller.workspace, mpid, json_of(request, body))
        except Refusal as refusal:
            state = await self._state_of(caller, mpid, named)
            return self._refused(kind, refusal, state=state)
        return await self._answered(request, caller, kind, asked, mpid)

    async def _judged(self, request: Request) -> tuple[Caller, bytes]:
        """Who asks, and the body that was sent."""
        sent = await sent_with(request)
        caller = self._api.credentials.app_or_basic(sent)
        self._api.check_rate(caller)
        return caller, sent.body

    async def _answered(
        self,
        request: Request,
        caller: Caller,
        kind: RequestKind,
        asked: Json,
        mpid: int | None = None,
    ) -> Response:
        api = self._api
        query = request.query_params if request.scope["query_string"] else _NO_QUERY
        explain = caller.means is Means.BASIC and is_asked(query, "explain")
        read_only = is_asked(query, "read_only")
        spare_known = caller.is_app and not caller.access.modify_takes
        answer = await api.answer(
            asked, read_only=read_only, explain=explain, spare_known=spare_known
        )
        outcome = answer.outcome
        if isinstance(outcome, Refusal):
            state = None
            if kind is RequestKind.MODIFY:
                state = await self._state_of(caller, mpid, str(mpid))
            return self._refused(kind, outcome, answer, state)
        if answer.status is Status.NOT_FOUND or (read_only and is_made(answer)):
            api.log.answered(kind.value, 404, answer, asked)
            return error_response(404, NOT_FOUND_ERROR, "no profile was found for these identities")
        make = modify_body if kind is RequestKind.MODIFY else identity_body
        api.log.answered(kind.value, 200, answer, asked)
        return json_response(
            make(answer, explain=explain), headers={_MAX_AGE: str(api.settings.max_age)}
        )

    def _refused(
        self,
        kind: RequestKind,
        refusal: Refusal,
        answer: Answer | None = None,
        state: Json | None = None,
    ) -> Response:
        code, message = refused(refusal)
        if answer is None:
            self._api.log.refused(kind.value, 400, refusal.code.value)
        else:
            self._api.log.answered(kind.value, 400, answer)
        return error_response(400, code, message, more=state)

    async def _state_of(self, caller: Caller, mpid: int | None, named: str) -> Json:
        """What the web SDK needs in an error of a modify: without it, it logs itself out."""
        if mpid is None:
            return {"mpid": named, "is_logged_in": False}
        number = mpid
        scope = self._api.organization.workspaces.get(caller.workspace)
        rules = None if scope is None else self._api.organization.scopes[scope]

        def is_logged_in(transaction: Transaction) -> bool:
            found = transaction.find(number)
            if found is None or rules is None or found[0] != scope:
                return False
            return rules.holds_login_id(found[1].types)

        return {"mpid": str(mpid), "is_logged_in": await self._api.look(is_logged_in)}
