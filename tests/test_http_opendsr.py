"""A client that is made from what mParticle publishes of its OpenDSR API (section 10).

`fixtures/http/opendsr.yaml` says what that is. The client is made of it as it is read: it sends
nothing that does not fit, and takes nothing else. tests/clients has one from a generator.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode
from uuid import UUID, uuid4

import pytest
import yaml
from jsonschema import Draft202012Validator, FormatChecker

from tests.console_blocks import ROOT
from tests.http_api import Json, Reply, Server, basic, encoded, serving
from tests.program import Program, mpid_of
from tests.test_http_subject_requests import ADMIN, OTHER, USER, with_users

DESCRIPTION = ROOT / "fixtures" / "http" / "opendsr.yaml"
BASE = "/v3"
FORMATS = FormatChecker(formats=())


@FORMATS.checks("uuid", raises=ValueError)
def is_uuid(value: object) -> bool:
    return not isinstance(value, str) or str(UUID(value)) == value


@FORMATS.checks("date-time", raises=ValueError)
def is_time(value: object) -> bool:
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


def plain(schema: Any) -> Any:
    """A schema of OpenAPI 3.0 in the words of JSON Schema."""
    if isinstance(schema, list):
        return [plain(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    made = {name: plain(each) for name, each in schema.items() if name != "nullable"}
    return {"anyOf": [made, {"type": "null"}]} if schema.get("nullable") is True else made


@dataclass(frozen=True, slots=True)
class Client:
    """One method for each operation of the description: `call`, by its name."""

    server: Server
    described: Json
    headers: Json

    def call(self, name: str, body: Json | None = None, **parameters: str) -> Reply:
        path, method, operation = next(
            (path, method, item[method])
            for path, item in self.described["paths"].items()
            for method in item
            if method != "parameters" and item[method]["operationId"] == name
        )
        in_query = {
            each["name"]: parameters.pop(each["name"]) for each in operation.get("parameters", ())
        }
        for each, value in parameters.items():
            path = path.replace(f"{{{each}}}", quote(value))
        assert "{" not in path
        query = f"?{urlencode(in_query)}" if in_query else ""
        headers = dict(self.headers)
        if body is not None:
            self._check(operation["requestBody"], body)
            headers["content-type"] = "application/json"
        sent = b"" if body is None else encoded(body)
        reply = self.server(method.upper(), f"{BASE}{path}{query}", sent, headers)
        answer = operation["responses"][str(reply.status)]
        answer = self.described["components"]["responses"].get(
            answer.get("$ref", "").rpartition("/")[2], answer
        )
        if "content" in answer:
            assert reply.headers["content-type"].startswith("application/json")
            self._check(answer, reply.json())
        return reply

    def _check(self, place: Json, value: object) -> None:
        schema = place["content"]["application/json"]["schema"]
        root = {**plain(schema), "components": plain(self.described["components"])}
        Draft202012Validator(root, format_checker=FORMATS).validate(value)


@pytest.fixture(scope="module")
def described() -> Json:
    read: Json = yaml.safe_load(DESCRIPTION.read_text(encoding="utf-8"))
    return read


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(with_users(Program(tmp_path_factory.mktemp("opendsr")), 9)) as running:
        yield running


@pytest.fixture
def client(server: Server, described: Json) -> Client:
    return Client(server, described, ADMIN)


def raw(value: str) -> Json:
    return {"value": value, "encoding": "raw"}


def request(kind: str, customer: str, **more: object) -> Json:
    """A request with all that the tables of fields name."""
    return {
        "regulation": "ccpa", "subject_request_id": str(uuid4()), "subject_request_type": kind,
        "submitted_time": "2021-11-01T15:00:00Z",
        "subject_identities": {"controller_customer_id": raw(customer)}, "api_version": "3.0",
        "status_callback_urls": ["https://exampleurl.com/opendsr/callbacks"],
        "group_id": "my-group", "skip_waiting_period": True,
        "extensions": {"opendsr.mparticle.com": {
            "skip_waiting_period": False, "subject_identities": {"other6": raw("EA7583CD")},
        }},
        **more,
    }  # fmt: skip


def completed(client: Client, its_id: str) -> Json:
    for _ in range(200):
        told: Json = client.call("statusOfRequest", request_id=its_id).json()
        if told["request_status"] == "completed":
            return told
        time.sleep(0.05)
    raise AssertionError(told)


@pytest.mark.parametrize("kind", ["access", "portability", "erasure"])
def test_a_request_from_its_submission_to_its_results(client: Client, kind: str) -> None:
    number = {"access": 1, "portability": 2, "erasure": 3}[kind]
    body = request(kind, f"c{number}", group_id=f"group of {kind}")
    reply = client.call("submitRequest", body)
    assert (reply.status, reply.json()["subject_request_id"]) == (201, body["subject_request_id"])
    told = completed(client, body["subject_request_id"])
    assert (told["group_id"], told["controller_id"]) == (f"group of {kind}", "web")
    assert client.call("statusesOfGroup", group_id=f"group of {kind}").json() == [told]
    assert (told["results_url"] is None) == (kind == "erasure")
    if kind != "erasure":
        path = told["results_url"].partition(f":{client.server.port}")[2]
        assert client.server("GET", path, b"", ADMIN).body.startswith(b"PK")


def test_each_identity_that_is_named_is_taken(client: Client, described: Json) -> None:
    """Alone, in its place, and of nobody."""
    schemas = described["components"]["schemas"]
    for name in schemas["Identities"]["properties"]:
        body = request("access", "", subject_identities={name: raw("nobody's")}, extensions={})
        assert client.call("submitRequest", body).status == 201, name
    for name in schemas["MoreIdentities"]["properties"]:
        body = request("access", "")
        del body["subject_identities"], body["skip_waiting_period"]
        value = mpid_of(1, 9) if name == "mpid" else "nobody's"
        more = {"opendsr.mparticle.com": {"subject_identities": {name: raw(value)}}}
        assert client.call("submitRequest", {**body, "extensions": more}).status == 201, name


def test_what_is_required_is_enough(client: Client, described: Json) -> None:
    required = described["components"]["schemas"]["Request"]["required"]
    body = request("access", "c4")
    least = {name: body[name] for name in [*required, "subject_identities"]}
    assert client.call("submitRequest", least).status == 201
    told = completed(client, least["subject_request_id"])
    assert told["group_id"] is None


@pytest.mark.parametrize(("customer", "skip"), [("c6", True), ("c7", "false"), ("c8", None)])
def test_the_waiting_period_is_passed_over_however_it_is_written(
    server: Server, customer: str, skip: object
) -> None:
    body = request("access", customer)
    body["extensions"]["opendsr.mparticle.com"]["skip_waiting_period"] = skip
    body["skip_waiting_period"] = skip
    headers = {**ADMIN, "content-type": "application/json"}
    assert server("POST", "/v3/requests", body, headers).status == 201


def test_every_error_of_the_table(client: Client, described: Json) -> None:
    body = request("access", "c5")
    assert client.call("submitRequest", body).status == 201
    assert client.call("submitRequest", body).status == 400  # it exists already
    both = request("access", "c5")
    both["extensions"]["opendsr.mparticle.com"]["subject_identities"] = {"mpid": raw(USER)}
    assert client.call("submitRequest", both).status == 400  # an mpid is alone
    nobody = request("access", "c5", subject_identities={}, extensions={})
    reply = client.call("submitRequest", nobody)
    assert (reply.status, reply.json()["code"]) == (400, 400)
    completed(client, body["subject_request_id"])
    reply = client.call("cancelRequest", request_id=body["subject_request_id"])
    assert reply.status == 400  # it is not pending any more
    for name in ("statusOfRequest", "cancelRequest"):
        assert client.call(name, request_id=str(uuid4())).status == 404
    stranger = Client(client.server, described, basic("adm", "wrong"))
    assert stranger.call("submitRequest", request("access", "c5")).status == 401
    other = Client(client.server, described, OTHER)
    assert other.call("statusOfRequest", request_id=body["subject_request_id"]).status == 404


def test_one_that_waits_can_be_cancelled_and_is_not_asked_twice(
    tmp_path_factory: pytest.TempPathFactory, described: Json
) -> None:
    program = with_users(Program(tmp_path_factory.mktemp("waiting")), 1)
    with serving(program, "--dsr-delay", "3600") as running:
        client = Client(running, described, ADMIN)
        body = request("erasure", "c1")
        its_id = body["subject_request_id"]
        assert client.call("submitRequest", body).status == 201
        assert client.call("submitRequest", request("erasure", "c1")).status == 409
        assert client.call("statusOfRequest", request_id=its_id).json()["request_status"] == (
            "pending"
        )
        assert client.call("cancelRequest", request_id=its_id).status == 202
        told = client.call("statusOfRequest", request_id=its_id).json()
        assert (told["request_status"], told["expected_completion_time"]) == ("cancelled", None)
        assert client.call("submitRequest", request("erasure", "c1")).status == 201


def test_what_is_discovered_is_what_is_described(client: Client, described: Json) -> None:
    told = client.call("discover").json()
    schemas = described["components"]["schemas"]
    types = {each["identity_type"] for each in told["supported_identities"]}
    assert {*schemas["Identities"]["properties"], *schemas["MoreIdentities"]["properties"]} <= types
    kinds = schemas["Request"]["properties"]["subject_request_type"]["enum"]
    assert set(told["supported_subject_request_types"]) == set(kinds)


def test_errors_are_wrapped_too_as_the_framework_has_them(client: Client) -> None:
    """The framework's own specification says `error`, mParticle's pages do not."""
    told = client.call("statusOfRequest", request_id=str(uuid4())).json()
    assert told["error"] == {name: told[name] for name in ("code", "message", "errors")}
