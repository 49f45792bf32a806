"""`/openapi.json`: what is told of the routes, and what they do, are one thing (section 10)."""

import json
import re
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.http_api import Json, Server, basic, serving
from tests.program import Program
from tests.test_http_profiles import FIELDS, USER, bearer, with_a_user
from tests.test_http_subject_requests import wanted

METHODS = {"get", "post", "delete"}
SECTION = ("docs", "specification.md")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(with_a_user(Program(tmp_path_factory.mktemp("described")))) as running:
        yield running


@pytest.fixture(scope="module")
def described(server: Server) -> Json:
    reply = server("GET", "/openapi.json")
    assert (reply.status, reply.headers["content-type"]) == (
        200, "application/json; charset=utf-8",
    )  # fmt: skip
    told: Json = reply.json()
    return told


def operations(described: Json) -> Iterator[tuple[str, str, Json]]:
    for path, item in described["paths"].items():
        for method, operation in item.items():
            yield method, path, operation


def test_it_is_openapi(described: Json) -> None:
    assert described["openapi"] == "3.1.0"
    names = [each["operationId"] for _, _, each in operations(described)]
    assert len(set(names)) == len(names)
    for method, path, operation in operations(described):
        assert method in METHODS
        in_path = {each["name"] for each in operation["parameters"] if each["in"] == "path"}
        assert in_path == set(re.findall(r"\{(\w+)\}", path))
        assert all(each["description"] for each in operation["responses"].values())
    for schema in described["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    known = described["components"]["schemas"]
    referred = re.findall(r'"#/components/schemas/(\w+)"', json.dumps(described))
    assert set(referred) == set(known)


def test_a_validator_that_others_wrote_finds_nothing(described: Json) -> None:
    if find_spec("openapi_spec_validator") is None:
        pytest.skip("openapi-spec-validator is not installed")
    from openapi_spec_validator import validate  # type: ignore[import-not-found]

    validate(described)


def test_it_has_every_route_and_no_other(described: Json) -> None:
    from idsync_cli.core.config.rules import Organization
    from idsync_cli.server.api import Api, ServerSettings
    from idsync_cli.server.app import routes_of
    from idsync_cli.server.carrying_out import CarryingOut
    from idsync_cli.server.credentials import Credentials
    from idsync_cli.server.log import Log

    nobody = Organization(None, {}, {})
    service: Any = None  # it is not asked
    api = Api(service, nobody, Credentials(nobody, {}), ServerSettings(), Log(None, values=False))
    served = {
        (method.lower(), route.path.replace("{word}", "alias"))
        for route in routes_of(api, CarryingOut(api, 0, _no_bug))
        for method in route.methods or ()
        if method != "HEAD"
    }
    assert {(method, path) for method, path, _ in operations(described)} == served
    assert len(served) > 40


def _no_bug(error: Exception) -> None:
    raise error


def test_every_route_of_the_specification_is_in_it(described: Json) -> None:
    from tests.console_blocks import ROOT

    text = ROOT.joinpath(*SECTION).read_text(encoding="utf-8")
    section = text[text.index("## 10. HTTP API") : text.index("## 11. ")]
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| ")]
    named = {path for row in rows for path in re.findall(r"`(/[^`]*)`", row)}
    paths = {re.sub(r"\{\w+\}", "{}", path) for path in described["paths"]}
    for path in named - {"/historical"}:
        assert re.sub(r"\{\w+\}", "{}", path.partition("?")[0]) in paths, path
    assert "/v2/events/historical" in paths
    assert len(named) > 20


PROFILE = f"/userprofile/v1/o/a/web/{USER}"
RESOLVE = "/userprofile/v1/resolve/o/a/web"
KEY, SERVER, ADMIN = {"x-mp-key": "web-key"}, basic("web-key", "sesame"), basic("adm", "word")
VISIT: Json = {"known_identities": {"device_application_stamp": "d1"}}
TOKEN: Json = {"client_id": "adm", "client_secret": "word"}
CUSTOMER: Json = {"identity": {"type": "customer_id", "value": "c1"}}
EXAMPLES: list[tuple[str, str, str, object, Json]] = [
    ("post", "/v1/identify", "/v1/identify", VISIT, KEY),
    ("post", "/v1/identify", "/v1/identify?explain=true", VISIT, SERVER),
    ("post", "/v1/identify", "/v1/identify", {"known_identities": {}}, KEY),
    ("post", "/v1/identify", "/v1/identify", b"{", KEY),
    ("post", "/v1/identify", "/v1/identify", b" " * 300_000, KEY),
    ("post", "/v1/identify", "/v1/identify", VISIT, {}),
    ("post", "/v1/search", "/v1/search", {"known_identities": {"email": "nobody"}}, KEY),
    ("post", "/v1/{mpid}/modify", f"/v1/{USER}/modify", {"known_identities": {"email": "n@b.c"}},
     SERVER),
    ("post", "/v1/{mpid}/modify", "/v1/5/modify", {"known_identities": {"email": "n"}}, KEY),
    ("post", "/v1/identity/{key}/alias", "/v1/identity/web-key/Alias", {"data": {}}, {}),
    ("post", "/v2/events", "/v2/events", {"mp_deviceid": "d"}, SERVER),
    ("post", "/v2/events", "/v2/events", {"events": [{}]}, SERVER),
    ("post", "/v2/events", "/v2/events", {}, basic("web-key", "wrong")),
    ("post", "/v2/bulkevents", "/v2/bulkevents", {}, SERVER),
    ("post", "/v3/JS/{key}/events", "/v3/JS/web-key/events", b"{", {}),
    ("post", "/v2/{key}/events", "/v2/web-key/events", {"dt": "h", "das": "d"}, {}),
    ("get", "/v1/{key}/audience", f"/v1/web-key/audience?mpid={USER}", b"", {}),
    ("get", "/v1/{key}/audience", f"/v1/ios-key/audience?mpid={USER}", b"", {}),
    ("get", "/v4/{key}/config", "/v4/web-key/config", b"", {}),
    ("get", "/JS/v2/{key}/config", "/JS/v2/web-key/config", b"", {}),
    ("post", "/v1/JS/{key}/Forwarding", "/v1/JS/web-key/Forwarding", [], {}),
    ("post", "/oauth/token", "/oauth/token", TOKEN, {}),
    ("post", "/oauth/token", "/oauth/token", {}, {}),
    ("get", "/userprofile/v1/{org}/{account}/{workspace}/{mpid}", f"{PROFILE}?fields={FIELDS}",
     b"", {"bearer": "adm"}),
    ("get", "/userprofile/v1/{org}/{account}/{workspace}/{mpid}", PROFILE, b"",
     {"bearer": "adm"}),
    ("post", "/userprofile/v1/resolve/{org}/{account}/{workspace}",
     f"{RESOLVE}?fields={FIELDS},events", CUSTOMER, {"bearer": "adm"}),
    ("post", "/v3/requests", "/v3/requests", wanted("access"), ADMIN),
    ("post", "/v3/requests", "/v3/requests", {}, ADMIN),
    ("get", "/v3/requests", "/v3/requests?group_id=g", b"", ADMIN),
    ("get", "/v3/requests/{id}", "/v3/requests/x", b"", ADMIN),
    ("delete", "/v3/requests/{id}", "/v3/requests/x", b"", ADMIN),
    ("get", "/v3/requests/{id}/results", "/v3/requests/x/results", b"", {}),
    ("get", "/v3/discovery", "/v3/discovery", b"", ADMIN),
    ("get", "/healthz", "/healthz", b"", ADMIN),
    ("get", "/openapi.json", "/openapi.json", b"", {}),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "asked", "body", "headers"), EXAMPLES)
def test_what_is_answered_is_what_is_told(
    server: Server, described: Json, method: str, path: str, asked: str, body: object,
    headers: Json,
) -> None:  # fmt: skip
    sent = bearer(server) if "bearer" in headers else headers
    reply = server(method.upper(), asked, body, sent)
    told = described["paths"][path][method]["responses"]
    assert str(reply.status) in told
    content = told[str(reply.status)].get("content")
    if content is None:
        assert reply.body == b""
        return
    [(kind, described_as)] = content.items()
    assert reply.headers["content-type"].startswith(kind)
    schema = described_as["schema"] | {"components": described["components"]}
    Draft202012Validator(schema).validate(reply.json())


def test_the_examples_are_of_all_kinds(described: Json) -> None:
    kinds = {
        re.sub(r"^/(identity|webevents|nativeevents|config|tags)(?=/[vJ])", "", path)
        for _, path, _ in operations(described)
    }
    told = {path for _, path, *_ in EXAMPLES}
    alike = {"/v1/login", "/v1/logout", "/v2/events/historical", "/v2/bulkevents/historical",
             "/v2/JS/{key}/Forwarding", "/v3/requests/", "/v3/discovery/"}  # fmt: skip
    assert kinds - told == alike
