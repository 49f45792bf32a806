"""What is known of a profile over HTTP: the Profile API, and the audiences of a device's user.

Both ask what `idsync profile query` asks (sections 9 and 10).
"""

from collections.abc import Mapping
from time import monotonic
from typing import Any, Final
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import Response

from idsync_cli import wire
from idsync_cli.core.identity import Identifier, mpid_rule, parse_mpid, value_fault
from idsync_cli.errors import UsageFault
from idsync_cli.inspect.query import Field, ProfileAnswer, by_identifier, by_mpid
from idsync_cli.render.profile_query import query_json
from idsync_cli.server.answers import Problem, json_response
from idsync_cli.server.api import Api, sent_with
from idsync_cli.server.bodies import json_of
from idsync_cli.server.credentials import Caller, Means, Refused, Sent
from idsync_cli.server.requests import object_in
from idsync_cli.server.tokens import LIFE_SECONDS, Tokens
from idsync_cli.store.api import Transaction

_GRANT: Final = "client_credentials"
_NO_PROFILE: Final = "there is no such profile"


class ProfileRoutes:
    """The handlers of the routes that tell of profiles."""

    def __init__(self, api: Api) -> None:
        self._api: Final = api
        self._tokens: Final = Tokens(monotonic)

    async def audience(self, request: Request) -> Response:
        """List the audiences of a device's user; a profile that is not there is in none."""
        sent = await sent_with(request, request.path_params["key"])
        caller = self._api.credentials.app(sent)
        if caller.means is Means.BARE_KEY and not caller.access.audiences:
            raise Refused(403)
        self._api.check_rate(caller)
        named = request.query_params.get("mpid")
        mpid = parse_mpid(named)
        if mpid is None:
            raise Problem(400, f"the query names no mpid{mpid_rule(named)}")
        asked = [Field.AUDIENCE_MEMBERSHIPS]
        found = (await self._by_mpid(caller, mpid, asked)).found
        ids = [] if found is None else found.audience_ids
        return json_response(
            {
                "dt": "ar",
                "id": str(uuid4()),
                "ct": self._api.now(),
                "audience_memberships": [{"audience_id": number} for number, _ in ids],
            }
        )

    async def token(self, request: Request) -> Response:
        """Give a token to whoever has a pair of administration."""
        sent = await sent_with(request)
        self._api.credentials.check_admin()
        body = _object_in(request, sent)
        key, secret = body.get("client_id"), body.get("client_secret")
        if not isinstance(key, str) or not isinstance(secret, str):
            raise Problem(400, "client_id and client_secret must be text")
        if body.get("grant_type", _GRANT) != _GRANT:
            raise Problem(400, f"grant_type must be {_GRANT}")
        caller, token = self._tokens.issue(self._api.credentials, key, secret)
        self._api.check_rate(caller)
        told = {"access_token": token, "expires_in": LIFE_SECONDS, "token_type": "Bearer"}
        return json_response(told, headers={"Cache-Control": "no-store"})

    async def by_mpid(self, request: Request) -> Response:
        """Show the profile that has an MPID."""
        caller = self._caller(request)
        asked = _fields(request.query_params)
        mpid = parse_mpid(request.path_params["mpid"])
        if mpid is None:
            rule = mpid_rule(request.path_params["mpid"])
            raise Problem(400, f"the path names no MPID{rule}")
        return self._answered(await self._by_mpid(caller, mpid, asked))

    async def resolve(self, request: Request) -> Response:
        """Tell of the profile that holds an immutable identifier."""
        sent = await sent_with(request)
        caller = self._caller(request)
        asked = _fields(request.query_params)
        identifier = _identifier(_object_in(request, sent))
        organization, now = self._api.organization, self._api.now()
        scope = organization.workspaces[caller.workspace]

        def ask(transaction: Transaction) -> ProfileAnswer:
            return by_identifier(transaction, organization, scope, identifier, asked, now)

        try:
            answer = await self._api.look(ask)
        except UsageFault as fault:
            raise Problem(400, fault.message) from None
        return self._answered(answer)

    def _caller(self, request: Request) -> Caller:
        """Who has a token, which opens the path of its own workspace alone.

        Raises:
            Refused: 401, or 403 for another workspace.
        """
        header = request.headers.get("authorization")
        caller = self._tokens.judge(self._api.credentials, header)
        if request.path_params["workspace"] != caller.workspace:
            raise Refused(403)
        self._api.check_rate(caller)
        return caller

    async def _by_mpid(self, caller: Caller, mpid: int, fields: list[Field]) -> ProfileAnswer:
        organization, now = self._api.organization, self._api.now()
        scope = organization.workspaces[caller.workspace]

        def ask(transaction: Transaction) -> ProfileAnswer:
            return by_mpid(transaction, organization, mpid, fields, now, scope)

        return await self._api.look(ask)

    def _answered(self, answer: ProfileAnswer) -> Response:
        """The answer, with the MPID as a number, as the Profile API documents it."""
        found = answer.found
        if found is None:
            raise Problem(400, _NO_PROFILE)
        mpid = found.profile.profile.mpid
        return json_response({**query_json(found, answer.fields), "mpid": mpid})


def _object_in(request: Request, sent: Sent) -> Mapping[str, Any]:
    return object_in(json_of(request, sent.body))


def _fields(query: Mapping[str, str]) -> list[Field]:
    """The fields that are asked for, in their own order.

    Raises:
        Problem: 400; none is named, or one is not known.
    """
    fields = {field.value: field for field in Field}
    names = [name.strip() for name in query.get("fields", "").split(",")]
    if any(name not in fields for name in names):
        raise Problem(400, f"fields must name some of: {', '.join(fields)}")
    return [field for name, field in fields.items() if name in names]


def _identifier(body: Mapping[str, Any]) -> Identifier:
    """The identifier that a body names.

    Raises:
        Problem: 400; it names none.
        Refusal: its type is not known.
    """
    named = body.get("identity")
    kind, value = (named.get("type"), named.get("value")) if isinstance(named, dict) else (0, 0)
    if not isinstance(kind, str) or not isinstance(value, str):
        raise Problem(400, 'identity must be an object such as {"type": "…", "value": "…"}')
    fault = value_fault(value)
    if fault is not None:
        raise Problem(400, f"the value of the identity {fault}")
    return Identifier(wire.identity_type_of(kind), value)
