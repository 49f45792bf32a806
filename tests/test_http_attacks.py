"""Whoever has a browser's key, which any visitor can read, gets and takes nothing (section 10)."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from idsync_cli.files.config_file import load
from idsync_cli.store import sqlite as store
from tests.http_api import Application, Json, Reply, basic, signed
from tests.test_http_credentials import written_now
from tests.test_http_scenarios import application

CONFIG = """\
scopes:
  shop:
    strategy: profile_link
    priority: [customer_id, email, device_application_stamp]
    identities: {customer_id: {login: true, unique: true}, email: {unique: true}}
    audiences:
      known: {id: 1, any: [{known: true}]}
      of_bern: {id: 2, all: [{attribute: city, operator: equals, value: Bern}]}
      false: {id: 3, any: [{event: "false"}]}
accounts:
  main:
    workspaces:
      web: {scope: shop, api_key: web-key, api_secret: sesame, key_only: true}
"""
KEY, SERVER = {"x-mp-key": "web-key"}, basic("web-key", "sesame")
EMAIL, CUSTOMER = "victim@example.com", "customer-of-the-victim"
PHONE = "phone-of-the-victim"


@pytest.fixture(name="ask")
def an_application(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    folder = tmp_path_factory.mktemp("attack")
    configuration = folder / "idsync.yaml"
    configuration.write_text(CONFIG)
    path = folder / "idsync.db"
    store.create(str(path), 1).close()
    with application(load(configuration).organization, path) as app:
        yield app


@pytest.fixture
def victim(ask: Application) -> str:
    """The MPID of a known user, with an attribute and an event."""
    batch = {
        "user_identities": {"customer_id": CUSTOMER, "email": EMAIL}, "mp_deviceid": PHONE,
        "user_attributes": {"city": "Bern"}, "events": [event("bought")],
    }  # fmt: skip
    assert ask("POST", "/v2/events", batch, SERVER).status == 202
    return str(of_victim(ask)["mpid"])


def event(name: str) -> Json:
    return {"event_type": "custom_event", "data": {"event_name": name}}


def of_victim(ask: Application) -> Any:
    """What a server finds for the victim: the answer to a search with the login ID."""
    identities = {"customerid": CUSTOMER, "email": EMAIL, "device_application_stamp": PHONE}
    return ask("POST", "/v1/search", {"known_identities": identities}, SERVER).json()


def audiences_of(ask: Application, mpid: str) -> list[int]:
    """What a device with the secret is told: which attributes and events somebody has."""
    path = f"/v1/web-key/audience?mpid={mpid}"
    reply = ask("GET", path, b"", signed("web-key", "sesame", written_now(), path, method="GET"))
    return sorted(each["audience_id"] for each in reply.json()["audience_memberships"])


def visitor(ask: Application, device: str = "attacker") -> str:
    body = {"known_identities": {"device_application_stamp": device}}
    return str(ask("POST", "/v1/identify", body, KEY).json()["mpid"])


def assert_nothing_is_told(reply: Reply, victim: str) -> None:
    for told in (victim, CUSTOMER, "Bern", "bought"):
        assert told not in reply.body.decode()
    assert not {"near", "hint", "notes", "tiers"} & set(reply.json() if reply.body else {})


def test_a_modify_takes_no_identifier(ask: Application, victim: str) -> None:
    before, attacker = of_victim(ask), visitor(ask)
    for body in (
        {"known_identities": {"email": EMAIL}},
        {"identity_changes": [{"identity_type": "email", "old_value": None, "new_value": EMAIL}]},
        {"known_identities": {"customerid": CUSTOMER}},
    ):
        reply = ask("POST", f"/v1/{attacker}/modify", body, KEY)
        assert (reply.status, reply.code) == (400, "LOOKUP_ERROR")
        assert victim not in reply.body.decode()
    assert of_victim(ask) == before


@pytest.mark.parametrize("kind", ["identify", "login", "logout", "search"])
@pytest.mark.parametrize("query", ["", "?read_only=true", "?explain=true", "?return_matches=true"])
def test_an_email_or_a_device_alone_leads_to_nobody_known(
    ask: Application, victim: str, kind: str, query: str
) -> None:
    before = of_victim(ask)
    for identities in ({"email": EMAIL}, {"device_application_stamp": PHONE}):
        reply = ask("POST", f"/v1/{kind}{query}", {"known_identities": identities}, KEY)
        assert reply.status in (200, 404, 400)
        assert_nothing_is_told(reply, victim)
    assert of_victim(ask)["mpid"] == before["mpid"]


def test_read_only_gives_no_mpid_that_will_be(ask: Application, victim: str) -> None:
    body = {"known_identities": {"device_application_stamp": "new"}}
    reply = ask("POST", "/v1/identify?read_only=true", body, KEY)
    assert reply.status == 404
    next_one = ask("POST", "/v1/identify", body, KEY).json()["mpid"]
    assert str(next_one) not in reply.body.decode()


def test_an_alias_gets_a_visitor_nothing(ask: Application, victim: str) -> None:
    data = {"source_mpid": victim, "destination_mpid": visitor(ask)}
    reply = ask("POST", "/v1/identity/web-key/alias", {"data": data}, {})
    assert reply.status == 400
    assert_nothing_is_told(reply, victim)


def test_audiences_are_not_told(ask: Application, victim: str) -> None:
    reply = ask("GET", f"/v1/web-key/audience?mpid={victim}", b"", {})
    assert (reply.status, reply.body) == (403, b"")


def test_a_batch_with_an_email_changes_nobody_known(ask: Application, victim: str) -> None:
    before = of_victim(ask)
    assert audiences_of(ask, victim) == [1, 2]
    batch = {
        "user_identities": {"email": EMAIL}, "mp_deviceid": "attacker",
        "user_attributes": {"city": "nowhere"}, "events": [event("false")],
    }  # fmt: skip
    upload = {
        "dt": "h", "das": "attacker", "ui": [{"n": 7, "i": EMAIL}], "ua": {"city": "nowhere"},
        "msgs": [{"dt": "e", "n": "false"}],
    }  # fmt: skip
    assert ask("POST", "/v3/JS/web-key/events", batch, {}).status == 202
    reply = ask("POST", "/v2/web-key/events", upload, {})
    assert reply.status == 202
    assert_nothing_is_told(reply, victim)
    assert audiences_of(ask, visitor(ask)) == [3]  # it is the attacker's own
    assert (of_victim(ask), audiences_of(ask, victim)) == (before, [1, 2])


def test_no_message_names_what_was_not_sent(ask: Application, victim: str) -> None:
    """Whatever is wrong, and whoever's it is: neither a value nor an MPID, nor the strategy."""
    own, before = visitor(ask), of_victim(ask)
    change = {"identity_type": "email", "old_value": "guessed", "new_value": EMAIL}
    data = {"source_mpid": own, "destination_mpid": "5"}
    asked: list[tuple[str, Any]] = [
        ("/v1/identify", {"known_identities": {"google": EMAIL}}),
        ("/v1/identify", {"known_identities": {"emial": EMAIL}}),
        ("/v1/identify", {"known_identities": {"email": EMAIL}, "previous_mpid": own}),
        ("/v1/login", {"known_identities": {"email": EMAIL}}),
        ("/v1/login", {"known_identities": {"email": EMAIL, "customerid": "mine"}}),
        ("/v1/logout", {"known_identities": {"customerid": "mine"}}),
        ("/v1/search", {"known_identities": {"email": EMAIL.upper()}}),
        (f"/v1/{own}/modify", {"identity_changes": [change]}),
        (f"/v1/{own}/modify", {"identity_changes": [{**change, "old_value": None}]}),
        (f"/v1/{own}/modify", {"known_identities": {"customerid": CUSTOMER[:-1]}}),
        ("/v1/5/modify", {"known_identities": {"email": EMAIL}}),
        ("/v1/identity/web-key/alias", {"data": data}),
        ("/v1/identity/web-key/alias", {"data": {**data, "destination_mpid": own}}),
        ("/v2/web-key/events", {"dt": "h", "ui": [{"n": 7, "i": EMAIL}]}),
        ("/v2/web-key/events", {"dt": "h", "mpid": 5}),
    ]
    refused = 0
    for path, body in asked:
        reply = ask("POST", path, body, KEY)
        assert_nothing_is_told(reply, victim)
        if reply.status != 400:
            continue
        refused += 1
        told = reply.json()
        message = told["message"] if "alias" in path else told["Errors"][0]["message"]
        sent = f"{path} {json.dumps(body)}"
        for name in (EMAIL, PHONE, own, "device_application_stamp", "customer_id", "email"):
            assert name in sent or name not in message, message
    assert refused > 8
    assert of_victim(ask) == before


def test_a_dedupe_id_that_was_seen_first_keeps_no_servers_batch_out(
    ask: Application, victim: str
) -> None:
    stolen = {"mp_deviceid": "attacker", "source_request_id": "order-1"}
    assert ask("POST", "/v3/JS/web-key/events", stolen, {}).status == 202
    attributes = {"user_attributes": {"paid": True}}
    order = {"user_identities": {"customer_id": CUSTOMER}, "source_request_id": "order-1"}
    assert ask("POST", "/v2/events", {**order, **attributes}, SERVER).status == 202
    again = ask("POST", "/v3/JS/web-key/events", {**stolen, **attributes}, {})
    assert again.status == 202  # a duplicate of the attacker's own
    assert of_victim(ask)["mpid"] == victim


def test_a_server_alone_is_told_the_tiers(ask: Application, victim: str) -> None:
    body = {"known_identities": {"customerid": CUSTOMER}}
    assert "tiers" in ask("POST", "/v1/search?explain=true", body, SERVER).json()
    assert "tiers" not in ask("POST", "/v1/search?explain=true", body, KEY).json()


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v3/requests"), ("GET", "/v3/discovery"), ("POST", "/v2/events"),
        ("POST", "/v2/bulkevents"), ("POST", "/oauth/token"),
        ("GET", "/userprofile/v1/o/a/web/5?fields=events"),
    ],
)  # fmt: skip
def test_what_is_for_servers_and_administrators_is_closed(
    ask: Application, victim: str, method: str, path: str
) -> None:
    credentials = {"client_id": "web-key", "client_secret": "sesame"}
    reply = ask(method, path, credentials, KEY)
    assert reply.status in (401, 404)  # nobody has a pair of administration here
    assert_nothing_is_told(reply, victim)
