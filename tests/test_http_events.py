"""Events and aliases over HTTP, as servers, browsers and the native SDKs send them (section 10)."""

import json
from collections.abc import Iterator

import pytest

from idsync_cli.files.config_file import load
from idsync_cli.store import sqlite as store
from idsync_cli.store.api import Transaction
from tests.http_api import Application, Json, basic, signed
from tests.test_http_credentials import written_now
from tests.test_http_scenarios import application

CONFIG = """\
scopes:
  consumers:
    strategy: profile_link
    priority: [customer_id, email, device_application_stamp]
  isolated:
    strategy: profile_isolation
    priority: [customer_id, email, device_application_stamp]
accounts:
  main:
    workspaces:
      web: {scope: consumers, api_key: web-key, api_secret: sesame, key_only: true,
            admin_key: adm, admin_secret: word}
      ios: {scope: consumers, api_key: ios-key, api_secret: apple}
      island: {scope: isolated, api_key: island-key, key_only: true}
"""
NOW = 1_767_225_600_000
SERVER = basic("web-key", "sesame")


@pytest.fixture(name="ask")
def an_application(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    folder = tmp_path_factory.mktemp("events")
    configuration = folder / "idsync.yaml"
    configuration.write_text(CONFIG)
    path = folder / "idsync.db"
    store.create(str(path), 1).close()
    with application(load(configuration).organization, path) as app:
        app.path = str(path)  # type: ignore[attr-defined]
        yield app


def batch(device: str = "d1", name: str = "hello", **more: object) -> Json:
    event = {
        "event_type": "custom_event",
        "data": {"event_name": name, "custom_event_type": "other"},
    }
    return {"mp_deviceid": device, "environment": "production", "events": [event], **more}


def names(ask: Application, **identities: str) -> list[str | None]:
    """The names of the events of the profile that is found by identities."""
    found = ask("POST", "/v1/search", {"known_identities": identities}, SERVER)
    assert found.status == 200

    def look(transaction: Transaction) -> list[str | None]:
        data = transaction.data_of(int(found.json()["mpid"]))
        assert data is not None
        return [each.name for each in data.events]

    opened = store.open_store(ask.path, write=False)  # type: ignore[attr-defined]
    assert opened is not None
    with opened, opened.reading() as transaction:
        return look(transaction)


def test_a_server_sends_a_batch_or_a_hundred(ask: Application) -> None:
    assert ask("POST", "/v2/events", batch(), SERVER).status == 202
    many = [batch("d2", f"n{number}") for number in range(100)]
    assert ask("POST", "/v2/bulkevents", many, SERVER).status == 202
    assert ask("POST", "/v2/bulkevents", [*many, batch()], SERVER).status == 400
    assert ask("POST", "/v2/bulkevents", batch(), SERVER).status == 400
    assert ask("POST", "/v2/events", many, SERVER).status == 400
    assert names(ask, device_application_stamp="d1") == ["hello"]
    assert len(names(ask, device_application_stamp="d2")) == 100


def test_missing_and_wrong_credentials_of_a_server_are_told_apart(ask: Application) -> None:
    for path in ("/v2/events", "/v2/bulkevents", "/v2/events/historical"):
        assert ask("POST", path, batch()).status == 401
        assert ask("POST", path, batch(), basic("web-key", "wrong")).status == 403
        assert ask("POST", path, batch(), {"x-mp-key": "web-key"}).status == 401


def test_of_many_batches_the_wrong_ones_are_counted(ask: Application) -> None:
    wrong = batch(events=[{"data": {}}])
    assert ask("POST", "/v2/bulkevents", [wrong, batch("d3"), 5], SERVER).status == 202
    assert names(ask, device_application_stamp="d3") == ["hello"]
    health = ask("GET", "/healthz", b"", basic("adm", "word")).json()
    assert health["refused"] == {"web": {"INVALID_BATCH": 1, "INVALID_REQUEST": 1}}
    refused = ask("POST", "/v2/events", wrong, SERVER)
    assert (refused.status, refused.code) == (400, "BAD_REQUEST")
    assert "event_type" in refused.json()["Errors"][0]["message"]


@pytest.mark.parametrize(
    "body",
    [
        batch(events=[{}]),
        [],
        5,
        None,
        batch(mpid="77"),
        b'{"a": 1, "a": 2}',
        b'{"pad": "%s"}' % (b"x" * 300_000),
    ],
)
def test_a_browser_is_answered_well_whatever_is_json(ask: Application, body: object) -> None:
    """The web SDK keeps what got a 400 for ever, and drops all that waits after a 413."""
    headers = {"content-type": "text/plain;charset=UTF-8"}
    assert ask("POST", "/v3/JS/web-key/events", body, headers).status == 202
    assert ask("POST", "/webevents/v3/JS/web-key/events", batch("w1"), headers).status == 202
    assert names(ask, device_application_stamp="w1") == ["hello"]
    refused = ask("GET", "/healthz", b"", basic("adm", "word")).json()["refused"]["web"]
    assert sum(refused.values()) == 1


@pytest.mark.parametrize("depth", [900, 1_100, 30_000])
@pytest.mark.parametrize("form", [('{"[": ', "}"), ("[", ", 1]")])
def test_no_depth_makes_json_of_a_browser_a_bad_request(
    ask: Application, depth: int, form: tuple[str, str]
) -> None:
    begin, end = form
    body = f'{{"events": {begin * depth}2{end * depth}}}'.encode()
    assert ask("POST", "/v3/JS/web-key/events", body, {}).status == 202
    refused = ask("GET", "/healthz", b"", basic("adm", "word")).json()["refused"]["web"]
    assert refused == {"INVALID_JSON": 1}
    for wrong in (body[:-1], body + b"]", body.replace(b"2", b"2 2"), body.replace(b"2", b'"')):
        assert ask("POST", "/v3/JS/web-key/events", wrong, {}).status == 400


def test_a_browser_sends_json_under_a_key_that_is_open(ask: Application) -> None:
    assert ask("POST", "/v3/JS/web-key/events", b"{", {}).status == 400
    for key in ("ios-key", "nobody"):
        assert ask("POST", f"/v3/JS/{key}/events", batch(), {}).status == 401


def test_a_batch_comes_once_but_an_app_uses_up_no_id_of_a_server(ask: Application) -> None:
    once = batch("d4", source_request_id="r1")
    assert ask("POST", "/v3/JS/web-key/events", once, {}).status == 202
    for _ in range(2):
        assert ask("POST", "/v2/events", once, SERVER).status == 202
    assert names(ask, device_application_stamp="d4") == ["hello", "hello"]


def test_a_label_or_a_scope_of_the_body_means_nothing(ask: Application) -> None:
    assert ask("POST", "/v2/events", batch("d5", scope="isolated", label="x"), SERVER).status == 202
    assert names(ask, device_application_stamp="d5") == ["hello"]
    assert ask("POST", "/v2/events", batch(mpid="@x"), SERVER).status == 400


def test_an_upload_of_a_native_sdk_is_read_as_a_batch(ask: Application) -> None:
    upload = {
        "dt": "h", "id": "u1", "ct": NOW, "das": "phone", "sdk": "5.0", "mpid": 0,
        "ui": [{"n": 7, "i": "a@example.com"}, {"n": 1, "i": "c1"}],
        "ua": {"city": "Bern"}, "uad": ["old"], "di": {"dp": "iOS"},
        "msgs": [
            {"dt": "ss", "id": "m1", "ct": NOW, "sid": "s"},
            {"dt": "v", "ct": NOW + 1, "n": "Home"},
            {"dt": "e", "ct": NOW + 2, "n": "Tapped", "et": "Navigation", "attrs": {"a": "b"}},
            {"dt": "cm", "ct": NOW + 3, "cu": "EUR", "pd": {"an": "purchase", "tr": 9.5}},
            {"dt": "zz", "ct": NOW + 4, "odd": 1},
            {"dt": "se", "ct": NOW + 5, "sl": 5},
        ],
    }  # fmt: skip
    body = json.dumps(upload).encode()
    date = written_now()
    for path in ("/v2/ios-key/events", "/nativeevents/v2/ios-key/events"):
        headers = signed("ios-key", "apple", date, "/v2/ios-key/events", body)
        del headers["x-mp-key"]  # Android has it in the path alone
        reply = ask("POST", path, body, headers)
        assert reply.status == 202
        assert {"dt": "rh", "msgs": []}.items() <= reply.json().items()
    assert names(ask, email="a@example.com", customer_id="c1") == [
        None, "Home", "Tapped", "purchase", None, None,
    ]  # fmt: skip
    assert ask("POST", "/v2/ios-key/events", body, {"x-mp-key": "ios-key"}).status == 401
    wrong = json.dumps({**upload, "id": "u2", "ui": [{"n": 99, "i": "x"}]}).encode()
    headers = signed("ios-key", "apple", date, "/v2/ios-key/events", wrong)
    assert ask("POST", "/v2/ios-key/events", wrong, headers).status == 400


def visit(ask: Application, key: str, identities: Json, kind: str = "identify") -> str:
    reply = ask("POST", f"/v1/{kind}", {"known_identities": identities}, {"x-mp-key": key})
    assert reply.status == 200
    return str(reply.json()["mpid"])


def test_an_alias_copies_and_a_second_one_does_nothing(ask: Application) -> None:
    visitor = visit(ask, "web-key", {"device_application_stamp": "v"})
    customer = visit(ask, "web-key", {"device_application_stamp": "v", "customerid": "c"}, "login")
    assert visitor != customer
    ask("POST", "/v3/JS/web-key/events", batch("v", mpid=visitor), {})
    data = {"source_mpid": visitor, "destination_mpid": int(customer), "scope": "device"}
    body = {"request_id": "r", "request_type": "alias", "api_key": "web-key", "data": data}
    for path in ("/v1/identity/web-key/Alias", "/webevents/v1/identity/web-key/alias"):
        reply = ask("POST", path, body, {"content-type": "application/json"})
        assert (reply.status, reply.body) == (202, b"")
    assert names(ask, customer_id="c") == ["hello"]


@pytest.mark.parametrize(
    ("key", "data", "status"),
    [
        ("web-key", {"source_mpid": "5", "destination_mpid": "6"}, 400),
        ("web-key", {"source_mpid": "5", "destination_mpid": "5"}, 400),
        ("web-key", {"source_mpid": "x", "destination_mpid": "6"}, 400),
        ("web-key", {"source_mpid": "@a", "destination_mpid": "6"}, 400),
        ("web-key", {"destination_mpid": "6"}, 400),
        ("web-key", None, 400),
        ("island-key", {"source_mpid": "5", "destination_mpid": "6"}, 403),
        ("ios-key", {"source_mpid": "5", "destination_mpid": "6"}, 401),
        ("nobody", {"source_mpid": "5", "destination_mpid": "6"}, 401),
    ],
)
def test_an_alias_that_cannot_be(
    ask: Application, key: str, data: Json | None, status: int
) -> None:
    reply = ask("POST", f"/v1/identity/{key}/alias", {"request_type": "alias", "data": data}, {})
    assert reply.status == status
    if status != 401:
        assert set(reply.json()) == {"code", "message"}
    assert ask("POST", f"/v1/identity/{key}/other", {}, {}).status == 404
