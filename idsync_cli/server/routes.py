"""All routes of section 10, in one place: what is served and what `/openapi.json` tells of it."""

from collections.abc import Iterator
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from idsync_cli.core.codes import RequestKind
from idsync_cli.server import sdk
from idsync_cli.server.aliases import AliasRoute
from idsync_cli.server.api import Api
from idsync_cli.server.carrying_out import CarryingOut
from idsync_cli.server.events import EventRoutes
from idsync_cli.server.health import health_of
from idsync_cli.server.identity import IdentityRoutes
from idsync_cli.server.later import Handler, Later

if TYPE_CHECKING:
    from idsync_cli.server.profiles import ProfileRoutes
    from idsync_cli.server.subject_requests import SubjectRequestRoutes


class Opens(StrEnum):
    """The credentials that open a route."""

    NOTHING = "nothing"
    KEY_IN_PATH = "key_in_path"
    APP = "app"
    APP_OR_BASIC = "app_or_basic"
    BASIC = "basic"
    ADMIN = "admin"
    ADMIN_OR_NOTHING = "admin_or_nothing"
    ADMIN_IN_BODY = "admin_in_body"
    BEARER = "bearer"


class Operation(NamedTuple):
    """One method of one route, and what is told of it.

    `body`, and each of `answers` by its status, is the name of a schema in `schemas.py`, or None
    where there is none. `query` has the members of the query that mean something; those that
    begin with ! must be there. Where a path is matched otherwise than it is told, `told_path` is
    what is told.
    """

    name: str
    method: str
    path: str
    handler: Handler
    summary: str
    opens: Opens
    answers: dict[int, str | None]
    body: str | None = None
    query: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ("",)
    told_path: str | None = None

    @property
    def paths(self) -> list[str]:
        """Every path that it is served under."""
        return [prefix + self.path for prefix in self.prefixes]

    @property
    def told_paths(self) -> list[str]:
        """The same as they are told."""
        return [prefix + (self.told_path or self.path) for prefix in self.prefixes]


_IDENTITY: Final = ("", "/identity")
_WEB_EVENTS: Final = ("", "/webevents")
_NATIVE_EVENTS: Final = ("", "/nativeevents")
_ALIAS: Final = ("", "/identity", "/webevents", "/nativeevents")
_ASKED: Final = ("read_only", "explain")
_KINDS: Final = (
    RequestKind.IDENTIFY, RequestKind.LOGIN, RequestKind.LOGOUT, RequestKind.SEARCH,
)  # fmt: skip
_MEANS: Final = {
    RequestKind.IDENTIFY: "Find or create the profile of a user with these identities",
    RequestKind.LOGIN: "Find or create the profile of a user who logs in",
    RequestKind.LOGOUT: "Find or create an anonymous profile when a user logs out",
    RequestKind.SEARCH: "Find a profile, and create none",
}


def operations(api: Api, carrying_out: CarryingOut) -> list[Operation]:
    """Every operation there is; of two whose paths fit a request, the first one is meant."""

    def profiles() -> "ProfileRoutes":
        from idsync_cli.server.profiles import ProfileRoutes

        return ProfileRoutes(api)

    def subject_requests() -> "SubjectRequestRoutes":
        from idsync_cli.server.subject_requests import SubjectRequestRoutes

        return SubjectRequestRoutes(api, carrying_out)

    return [
        *_of_identity(IdentityRoutes(api)),
        *_of_aliases(AliasRoute(api)),
        *_of_events(EventRoutes(api)),
        *_of_profiles(api.rest.later(profiles)),
        *_of_subject_requests(api.rest.later(subject_requests)),
        *_of_sdks(api),
    ]


def _of_identity(routes: IdentityRoutes) -> Iterator[Operation]:
    for kind in _KINDS:
        answers: dict[int, str | None] = {200: "Identity", 400: "Error", 404: "Error"}
        yield Operation(
            kind.value, "POST", f"/v1/{kind.value}", routes.of(kind), _MEANS[kind],
            Opens.APP_OR_BASIC, answers, "IdentityRequest", _ASKED, _IDENTITY,
        )  # fmt: skip
    yield Operation(
        "modify", "POST", "/v1/{mpid}/modify", routes.modify, "Change the identities of a profile",
        Opens.APP_OR_BASIC, {200: "Modified", 400: "ModifyError"}, "ModifyRequest", _ASKED,
        _IDENTITY,
    )  # fmt: skip


def _of_aliases(route: AliasRoute) -> Iterator[Operation]:
    async def alias(request: Request) -> Response:
        """Handle an alias; SDKs differ in how they write the last word of the path."""
        if request.path_params["word"].lower() != "alias":
            raise HTTPException(404)
        return await route.alias(request)

    yield Operation(
        "alias", "POST", "/v1/identity/{key}/{word}", alias,
        "Copy the events of one profile to another", Opens.APP,
        {202: None, 400: "AliasError", 403: "AliasError"}, "AliasRequest", (), _ALIAS,
        "/v1/identity/{key}/alias",
    )  # fmt: skip


def _of_events(routes: EventRoutes) -> Iterator[Operation]:
    for path, name in (("/v2/events", "events"), ("/v2/events/historical", "historicalEvents")):
        yield Operation(
            name, "POST", path, routes.one, "Accept a batch of events from a server", Opens.BASIC,
            {202: None, 400: "Error", 403: None}, "Batch",
        )  # fmt: skip
    for path, name in (
        ("/v2/bulkevents", "bulkEvents"), ("/v2/bulkevents/historical", "historicalBulkEvents"),
    ):  # fmt: skip
        yield Operation(
            name, "POST", path, routes.bulk, "Accept many batches of events from a server",
            Opens.BASIC, {202: None, 400: "Error", 403: None}, "Batches",
        )  # fmt: skip
    yield Operation(
        "webEvents", "POST", "/v3/JS/{key}/events", routes.web,
        "Accept a batch of events from a browser", Opens.KEY_IN_PATH, {202: None, 400: "Error"},
        "AnyBatch", (), _WEB_EVENTS,
    )  # fmt: skip
    yield Operation(
        "nativeEvents", "POST", "/v2/{key}/events", routes.native,
        "Accept an upload of a native SDK", Opens.APP, {202: "NativeAnswer", 400: "Error"},
        "NativeUpload", (), _NATIVE_EVENTS,
    )  # fmt: skip


def _of_profiles(routes: "Later[ProfileRoutes]") -> Iterator[Operation]:
    yield Operation(
        "audience", "GET", "/v1/{key}/audience", routes.of(lambda it: it.audience),
        "List the audiences of a device's user", Opens.APP,
        {200: "AudienceAnswer", 400: "Error", 403: None}, None, ("!mpid",), _NATIVE_EVENTS,
    )  # fmt: skip
    yield Operation(
        "token", "POST", "/oauth/token", routes.of(lambda it: it.token),
        "Get a token for the Profile API",
        Opens.ADMIN_IN_BODY, {200: "Token", 400: "Error"}, "TokenRequest",
    )  # fmt: skip
    told: dict[int, str | None] = {200: "Profile", 400: "Error", 403: None}
    yield Operation(
        "resolveProfile", "POST", "/userprofile/v1/resolve/{org}/{account}/{workspace}",
        routes.of(lambda it: it.resolve), "Show the profile that holds an immutable identity",
        Opens.BEARER, told, "ResolveRequest", ("!fields",),
    )  # fmt: skip
    for method, name in (("GET", "profile"), ("POST", "profileByPost")):
        yield Operation(
            name, method, "/userprofile/v1/{org}/{account}/{workspace}/{mpid}",
            routes.of(lambda it: it.by_mpid), "Show the profile that has an MPID", Opens.BEARER,
            told, None, ("!fields",),
        )  # fmt: skip


def _of_subject_requests(routes: "Later[SubjectRequestRoutes]") -> Iterator[Operation]:
    error: str | None = "SubjectRequestError"
    slash = ("", "/")  # clients write both
    for end in slash:
        named = "Slash" if end else ""
        yield Operation(
            f"acceptSubjectRequest{named}", "POST", f"/v3/requests{end}",
            routes.of(lambda it: it.accept), "Accept a request of a data subject", Opens.ADMIN,
            {201: "SubjectRequestAccepted", 400: error, 409: error}, "SubjectRequest",
        )  # fmt: skip
        yield Operation(
            f"subjectRequests{named}", "GET", f"/v3/requests{end}",
            routes.of(lambda it: it.statuses), "Show the state of a group's requests", Opens.ADMIN,
            {200: "SubjectRequestStatuses", 400: error}, None, ("!group_id",),
        )  # fmt: skip
        yield Operation(
            f"discovery{named}", "GET", f"/v3/discovery{end}",
            routes.of(lambda it: it.discovery),
            "List the kinds of data subject requests that are supported", Opens.ADMIN,
            {200: "Discovery", 400: error},
        )  # fmt: skip
    yield Operation(
        "subjectRequest", "GET", "/v3/requests/{id}", routes.of(lambda it: it.status),
        "Show the state of a request", Opens.ADMIN,
        {200: "SubjectRequestStatus", 400: error},
    )  # fmt: skip
    yield Operation(
        "cancelSubjectRequest", "DELETE", "/v3/requests/{id}", routes.of(lambda it: it.cancel),
        "Cancel a pending request", Opens.ADMIN,
        {202: "SubjectRequestCancelled", 400: error},
    )  # fmt: skip
    yield Operation(
        "subjectRequestResults", "GET", "/v3/requests/{id}/results",
        routes.of(lambda it: it.results),
        "Download all that is known of a profile, as a ZIP archive", Opens.ADMIN,
        {200: "Archive", 400: error, 410: error},
    )  # fmt: skip


def _of_sdks(api: Api) -> Iterator[Operation]:
    yield Operation(
        "nativeConfig", "GET", "/v4/{key}/config", sdk.native_config,
        "Configure a native SDK", Opens.NOTHING, {200: "NativeConfig", 304: None}, None, (),
        ("", "/config"),
    )  # fmt: skip
    yield Operation(
        "webConfig", "GET", "/JS/v2/{key}/config", sdk.web_config, "Configure the web SDK",
        Opens.NOTHING, {200: "WebConfig"}, None, (), ("", "/tags"),
    )  # fmt: skip
    for version in (1, 2):
        yield Operation(
            f"forwardingV{version}", "POST", f"/v{version}/JS/{{key}}/Forwarding", sdk.forwarding,
            "Accept statistics of kits, which are ignored", Opens.NOTHING, {202: None}, "Anything",
            (), _WEB_EVENTS,
        )  # fmt: skip
    yield Operation(
        "health", "GET", "/healthz", health_of(api), "Show that the server is up",
        Opens.ADMIN_OR_NOTHING, {200: "Health"},
    )  # fmt: skip
