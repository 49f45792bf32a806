"""What the page asks for, one handler each; all but the files of the page need the token."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from idsync_cli.core.codes import RequestKind
from idsync_cli.core.identity import mpid_rule, parse_mpid
from idsync_cli.errors import UsageFault, quoted
from idsync_cli.files.config_file import read as read_configuration
from idsync_cli.server.answers import Problem, json_response
from idsync_cli.server.api import Api
from idsync_cli.server.bodies import check_content_type, read_body
from idsync_cli.server.explorer import views
from idsync_cli.server.explorer.live_lines import (
    live_counts,
    live_events,
    live_line,
    live_shown,
)
from idsync_cli.server.explorer.shown_rules import CurrentRules, ShownRules
from idsync_cli.server.explorer.views import Json
from idsync_cli.server.live import KEPT
from idsync_cli.store.api import Transaction
from idsync_cli.wire.decoding import OF_BODY, decode_json

KINDS: Final = (
    RequestKind.IDENTIFY, RequestKind.LOGIN, RequestKind.LOGOUT, RequestKind.SEARCH,
)  # fmt: skip
MEMBERS: Final = ("known_identities", "previous_mpid", "scope", "workspace")

MOST_BYTES: Final = 1024 * 1024
"""How long a body may be: a configuration goes with some."""

MOST_LISTENERS: Final = 16
LONGEST_NAME: Final = 40
"""How long the name may be that a page gives itself."""


class ExplorerRoutes:
    """The handlers."""

    def __init__(self, api: Api, rules: CurrentRules, *, may_write: bool, is_served: bool) -> None:
        self._rules: Final = rules
        self._api: Final = api
        self._may_write: Final = may_write
        self._is_served: Final = is_served
        self._listeners = 0

    @property
    def rules(self) -> ShownRules:
        """The configuration that holds."""
        return self._rules.shown

    async def overview(self, _request: Request) -> Response:
        """All that the first view needs."""

        def look(transaction: Transaction) -> Json:
            return views.overview(transaction, self.rules)

        more = {
            "kinds": [kind.value for kind in KINDS],
            "may_write": self._may_write,
            "is_served": self._is_served,
        }
        return json_response({**await self._seen(look), **more})

    async def ask(self, request: Request) -> Response:
        """Answer a request, or say what it would be answered; nothing is written unless asked."""
        body = await _object_in(request)
        asked = _request_in(body)
        is_dry = body.get("dry_run", True) is not False
        is_search = asked["type"] == RequestKind.SEARCH
        if not (is_dry or is_search or self._may_write):
            raise Problem(
                403,
                "this page is read-only, for idsync was started so; make it a dry run",
                "READ_ONLY",
            )
        if is_dry or is_search:
            answer = await self._api.decide(asked)
        else:
            answer = await self._api.answer(asked, explain=True)

        def look(transaction: Transaction) -> Json:
            return {"meant": views.meant(transaction, self.rules.organization, asked, answer)}

        shown = {**views.answer_shown(answer), "dry_run": is_dry and not is_search}
        return json_response({**await self._seen(look), **shown})

    async def compare(self, request: Request) -> Response:
        """What a request comes to under the present configuration and under another one."""
        body = await _object_in(request)
        asked, other = _request_in(body), body.get("configuration")
        if not isinstance(other, str):
            raise Problem(400, "configuration must be a string: the YAML of configuration B")
        organization = read_configuration(other, Path("other configuration")).organization
        now_ms = self._api.now()

        def look(transaction: Transaction) -> Json:
            both = self.rules.organization, organization
            return views.compared(transaction, both, asked, now_ms)

        return json_response(await self._seen(look))

    async def profile(self, request: Request) -> Response:
        """A profile, or that there is none."""
        mpid, now_ms = _mpid_in(request), self._api.now()

        def look(transaction: Transaction) -> Json:
            return views.profile(transaction, self.rules.organization, mpid, now_ms)

        return json_response(await self._seen(look))

    async def story(self, request: Request) -> Response:
        """The life of a profile."""
        mpid = _mpid_in(request)

        def look(transaction: Transaction) -> Json:
            return views.story(transaction, self.rules.organization, mpid)

        return json_response(await self._seen(look))

    async def graph(self, request: Request) -> Response:
        """A profile with its neighbours."""
        mpid = _mpid_in(request)

        def look(transaction: Transaction) -> Json:
            return views.graph(transaction, self.rules.organization, mpid)

        return json_response(await self._seen(look))

    async def store(self, _request: Request) -> Response:
        """Which store it is: a page that is left open asks now and then."""
        return json_response(await self._seen(lambda _: {}))

    async def configuration(self, _request: Request) -> Response:
        """The configuration in sentences, and what lint says of it."""
        return json_response(views.configuration(self.rules))

    async def audiences(self, _request: Request) -> Response:
        """Every audience with how many members it has."""
        now_ms = self._api.now()

        def look(transaction: Transaction) -> Json:
            return views.audiences(transaction, self.rules.organization, now_ms)

        return json_response(await self._seen(look))

    async def members(self, request: Request) -> Response:
        """The first members of an audience."""
        named = {name: request.query_params.get(name, "") for name in ("scope", "name")}
        now_ms = self._api.now()

        def look(transaction: Transaction) -> Json:
            return views.members(transaction, self.rules.organization, named, now_ms)

        return json_response(await self._seen(look))

    async def live_one(self, request: Request) -> Response:
        """One of the latest requests, explained."""
        number = request.path_params["number"]
        await self._api.forget_the_erased()
        page = request.query_params.get("page", "")
        found = None if self._api.live is None else self._api.live.one(number, page)
        if found is None:
            raise Problem(
                404,
                f"the request is no longer among the last {KEPT}; only those are kept",
                "NOT_KEPT",
            )
        return json_response({**live_line(found), **live_shown(found)})

    async def live(self, request: Request) -> Response:
        """The latest requests, and each as it comes, as server-sent events."""
        live = self._api.live
        if live is None:
            raise Problem(
                404,
                "no live requests: this page was started without the API",
                "NOT_SERVED",
            )
        if self._listeners >= MOST_LISTENERS:
            raise Problem(503, f"{MOST_LISTENERS} pages are listening; close one of them", "BUSY")
        await self._api.forget_the_erased()
        after = request.headers.get("last-event-id", "")
        number = int(after) if after.isdecimal() and len(after) < 20 else 0
        page = request.query_params.get("page", "")[:LONGEST_NAME]
        if request.query_params.get("paused") == "true":
            events = live_counts(live, number)
        else:
            events = live_events(live, number, page)
        return StreamingResponse(self._listening(events), media_type="text/event-stream")

    async def _listening(self, events: AsyncIterator[str]) -> AsyncIterator[str]:
        self._listeners += 1
        try:
            yield ": listening\n\n"
            async for each in events:
                yield each
        finally:
            self._listeners -= 1

    async def _seen(self, look: Callable[[Transaction], Json]) -> Json:
        """What a look finds, with which store that was."""

        def ask(transaction: Transaction) -> Json | UsageFault:
            try:
                return {**look(transaction), "store": views.state_of(transaction)}
            except UsageFault as fault:  # an error would have the transaction forgotten
                return fault

        found = await self._api.look(ask)
        if isinstance(found, UsageFault):
            raise found
        return found


async def _object_in(request: Request) -> dict[str, Any]:
    """The JSON object of a body.

    Raises:
        Problem: 400, 413.
        Refusal: it is no JSON.
    """
    check_content_type(request)
    found = decode_json(await read_body(request, MOST_BYTES), OF_BODY)
    if not isinstance(found, dict):
        raise Problem(400, "the body must be a JSON object, between { and }")
    return found


def _request_in(body: dict[str, Any]) -> Json:
    """A request of section 8, of a kind that the page asks.

    Raises:
        Problem: it is of another kind.
    """
    kind = body.get("type")
    if kind not in tuple(KINDS):
        raise Problem(400, f"type must be one of {', '.join(KINDS)}")
    asked = {name: body[name] for name in MEMBERS if body.get(name) is not None}
    return {"type": str(kind), **asked}


def _mpid_in(request: Request) -> int:
    named = request.path_params["mpid"]
    mpid = parse_mpid(named)
    if mpid is None:
        raise UsageFault(f"{quoted(named)} is not an MPID{mpid_rule(named)}")
    return mpid
