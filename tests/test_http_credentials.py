"""Whose requests are answered: keys, secrets, signatures and dates (section 10)."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from idsync_cli.files.config_file import load
from idsync_cli.server.signature import is_in_time
from tests.http_api import Application, basic, signed
from tests.test_http_scenarios import application

CONFIG = """\
scopes:
  consumers:
    strategy: profile_conversion
    priority: [customer_id, email, device_application_stamp]
    identities: {customer_id: {login: true, unique: true}, email: {unique: true}}
  others: {strategy: profile_conversion, priority: [email, device_application_stamp]}
accounts:
  main:
    workspaces:
      web: {scope: consumers, api_key: web-key, api_secret: [old, new], key_only: true}
      ios: {scope: consumers, api_key: ios-key, api_secret: sesame}
      bare: {scope: others, api_key: bare-key, key_only: true}
      mute: {scope: others, api_key: mute-key}
"""
BODY = b'{"known_identities": {"device_application_stamp": "d1"}}'
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def written_now(offset: timedelta = timedelta()) -> str:
    return (datetime.now(UTC) + offset).strftime("%Y%m%dT%H%M%SZ")


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    from idsync_cli.store import sqlite as store

    folder = tmp_path_factory.mktemp("credentials")
    configuration = folder / "idsync.yaml"
    configuration.write_text(CONFIG)
    path: Path = folder / "idsync.db"
    store.create(str(path), 1).close()
    with application(load(configuration).organization, path) as app:
        yield app


def status(
    ask: Application, headers: dict[str, str], path: str = "/v1/identify", body: bytes = BODY
) -> int:
    return ask("POST", path, body, headers).status


def test_a_bare_key_does_only_where_key_only_is_set(ask: Application) -> None:
    assert status(ask, {"x-mp-key": "web-key"}) == 200
    assert status(ask, {"x-mp-key": "bare-key"}) == 200
    for key in ("ios-key", "mute-key", "nobody", ""):
        assert status(ask, {"x-mp-key": key}) == 401
    assert status(ask, {}) == 401


def test_a_refusal_of_credentials_has_no_body(ask: Application) -> None:
    reply = ask("POST", "/v1/identify", BODY, {"x-mp-key": "nobody"})
    assert (reply.status, reply.body) == (401, b"")
    assert reply.headers["access-control-allow-origin"] == "*"


def test_basic_takes_each_of_the_secrets_and_nothing_else(ask: Application) -> None:
    for key, secret in (("web-key", "old"), ("web-key", "new"), ("ios-key", "sesame")):
        assert status(ask, basic(key, secret)) == 200
    for key, secret in (
        ("web-key", "sesame"), ("ios-key", ""), ("mute-key", ""), ("bare-key", ""), ("", ""),
        ("nobody", "a secret that is never right"), ("web-key", "old "),
    ):  # fmt: skip
        assert status(ask, basic(key, secret)) == 401
    for header in ("Basic", "Basic !!!", "Bearer web-key:old", "Basic d2ViLWtleQ==", ""):
        assert status(ask, {"authorization": header}) == 401


def test_credentials_that_are_sent_are_judged_though_the_bare_key_would_do(
    ask: Application,
) -> None:
    assert (
        status(ask, {"x-mp-key": "web-key", "x-mp-signature": "00", "date": written_now()}) == 401
    )
    assert status(ask, {"x-mp-key": "web-key", **basic("web-key", "wrong")}) == 401
    assert status(ask, {"x-mp-key": "ios-key", **basic("web-key", "old")}) == 401
    headers = signed("web-key", "wrong", written_now(), "/v1/identify", BODY)
    assert status(ask, {**headers, **basic("web-key", "old")}) == 401
    assert status(ask, {"x-mp-key": "web-key", **basic("web-key", "old")}) == 200


@pytest.mark.parametrize("upper", [False, True])
def test_a_signature_is_over_the_path_asked_for_or_the_canonical_one(
    ask: Application, upper: bool
) -> None:
    date = written_now()
    for signed_path, path in (
        ("/v1/identify", "/v1/identify"), ("/v1/identify", "/identity/v1/identify"),
        ("/identity/v1/identify", "/identity/v1/identify"), ("/v1/identify", "/v1/identify?cb=1"),
    ):  # fmt: skip
        headers = signed("ios-key", "sesame", date, signed_path, BODY)
        if upper:
            headers["x-mp-signature"] = headers["x-mp-signature"].upper()
        assert status(ask, headers, path) == 200
    for headers in (
        signed("ios-key", "sesame", date, "/v1/login", BODY),
        signed("ios-key", "sesame", date, "/v1/identify", BODY + b" "),
        signed("ios-key", "sesame", date, "/v1/identify", BODY, method="GET"),
        {**signed("ios-key", "sesame", date, "/v1/identify", BODY), "date": written_now() + " "},
    ):
        if headers["date"] != date:
            headers["date"] = written_now(timedelta(seconds=7))
        assert status(ask, headers) == 401
    assert status(ask, signed("web-key", "new", date, "/v1/identify", BODY)) == 200


def test_a_date_that_is_off_is_refused(ask: Application) -> None:
    for minutes, wanted in ((-14, 200), (14, 200), (-16, 401), (16, 401)):
        date = written_now(timedelta(minutes=minutes))
        assert status(ask, signed("ios-key", "sesame", date, "/v1/identify", BODY)) == wanted
    ends = ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00")
    for date in ("", "yesterday", "2026", *ends, "Fri, 31 Dec 9999 23:59:59 XYZ"):
        assert status(ask, signed("ios-key", "sesame", date, "/v1/identify", BODY)) == 401


@pytest.mark.parametrize(
    ("date", "wanted"),
    [
        ("20260301T120000Z", True),
        ("2026-03-01T12:00:00Z", True),
        ("2026-03-01T12:00:00.123Z", True),
        ("2026-03-01T14:00:00+02:00", True),
        ("2026-03-01T12:16:00Z", False),
        ("2026-03-01T12:00:00+02:00", False),
        ("Sun, 01 Mar 2026 12:00:00 GMT", True),
        ("Sun, 01 Mar 2026 13:00:00 GMT", False),
        ("Sun, 01 Mar 2026 14:00:00 GMT+02:00", True),
        ("Sun, 01 Mar 2026 14:00:00 +0200", True),
        ("Sun, 01 Mar 2026 12:00:00 +0200", False),
        ("Sun, 01 Mar 2026 08:00:00 EDT", True),
        ("Sun, 01 Mar 2026 20:00:00 CST", True),  # China's, or in America six hours before UTC
        ("Sun, 01 Mar 2026 13:00:00 CEST", True),
        ("Mon, 02 Mar 2026 02:00:00 XYZ", True),
        ("Mon, 02 Mar 2026 02:16:00 XYZ", False),
        ("Sat, 28 Feb 2026 23:44:00 XYZ", False),
        ("Sun, 31 Feb 2026 12:00:00 GMT", False),
        ("Sun, 01 Foo 2026 12:00:00 GMT", False),
        ("1772366400", False),
    ],
)
def test_dates_as_the_sdks_write_them(date: str, wanted: bool) -> None:
    assert is_in_time(date, NOW) is wanted


def test_a_date_as_python_writes_it_is_in_time() -> None:
    assert is_in_time(format_datetime(NOW, usegmt=True), NOW)
    assert is_in_time(format_datetime(NOW), NOW)


def test_the_key_decides_the_workspace_and_so_the_scope(ask: Application) -> None:
    body = {"known_identities": {"email": "a@example.com"}, "scope": "consumers", "label": "x"}
    made = ask("POST", "/v1/identify", body, {"x-mp-key": "bare-key"}).json()["mpid"]
    found = ask("POST", "/v1/search", body, {"x-mp-key": "bare-key"})
    assert found.json()["mpid"] == made
    assert ask("POST", "/v1/search", body, {"x-mp-key": "web-key"}).status == 404
    reply = ask("POST", f"/v1/{made}/modify", {"known_identities": {"email": "b@example.com"}},
                {"x-mp-key": "web-key"})  # fmt: skip
    assert (reply.status, reply.json()["is_logged_in"]) == (400, False)


def test_an_app_takes_nothing_from_a_known_profile(ask: Application) -> None:
    """Under the key of a browser a modify must not strip another user of an identifier."""
    person = {"known_identities": {"customerid": "c-1", "email": "known@example.com"}}
    assert ask("POST", "/v1/login", person, {"x-mp-key": "web-key"}).status == 200
    other = {"known_identities": {"device_application_stamp": "attacker"}}
    mpid = ask("POST", "/v1/identify", other, {"x-mp-key": "web-key"}).json()["mpid"]
    change = {"identity_changes": [
        {"identity_type": "email", "old_value": None, "new_value": "known@example.com"}
    ]}  # fmt: skip
    reply = ask("POST", f"/v1/{mpid}/modify", change, {"x-mp-key": "web-key"})
    assert (reply.status, reply.code) == (400, "LOOKUP_ERROR")
    message = reply.json()["Errors"][0]["message"]
    assert message.startswith("PROTECTED_IDENTITY: ")
    assert "c-1" not in message
    assert reply.json()["mpid"] == mpid
    taken = ask("POST", f"/v1/{mpid}/modify", change, basic("web-key", "old"))
    assert (taken.status, taken.json()["change_results"]) == (
        200, [{"identity_type": "email", "modified_mpid": mpid}],
    )  # fmt: skip


def test_read_only_makes_nothing_and_gives_no_mpid_that_will_be(ask: Application) -> None:
    body = {"known_identities": {"email": "nobody-yet@example.com"}}
    reply = ask("POST", "/v1/identify?read_only=true", body, {"x-mp-key": "web-key"})
    assert (reply.status, reply.code) == (404, "NOT_FOUND_ERROR")
    assert ask("POST", "/v1/search", body, {"x-mp-key": "web-key"}).status == 404
    made = ask("POST", "/v1/identify?return_matches=true", body, {"x-mp-key": "web-key"})
    again = ask("POST", "/v1/identify?read_only=true", body, {"x-mp-key": "web-key"})
    assert again.json()["mpid"] == made.json()["mpid"] not in reply.body.decode()


def test_tiers_are_told_to_servers_alone(ask: Application) -> None:
    path = "/v1/identify?explain=true"
    assert "tiers" in ask("POST", path, BODY, basic("web-key", "old")).json()
    assert set(ask("POST", path, BODY, {"x-mp-key": "web-key"}).json()) == {
        "context", "mpid", "matched_identities", "is_ephemeral", "is_logged_in",
    }  # fmt: skip


def test_what_sdks_send_without_meaning_is_passed_over(ask: Application) -> None:
    headers = {"x-mp-key": "web-key"}
    body = {
        "client_sdk": {"platform": "web"}, "context": None, "environment": "production",
        "request_id": 5, "request_timestamp_ms": "now", "previous_mpid": 0, "type": "logout",
        "response": "what", "device_details": {"a": 1},
        "known_identities": {"device_application_stamp": "d-sdk", "email": ""},
    }  # fmt: skip
    made = ask("POST", "/v1/identify", body, headers)
    assert made.status == 200
    path = f"/v1/{made.json()['mpid']}/modify"
    changes = [
        {"identity_type": "email", "old_value": "", "new_value": "sdk@example.com"},
        {"identity_type": "email", "old_value": "stale@example.com", "new_value": ""},
    ]
    changed = ask("POST", path, {"identity_changes": changes}, headers)
    assert [each["identity_type"] for each in changed.json()["change_results"]] == ["email"]
    nothing = ask("POST", path, {"identity_changes": changes[1:]}, headers)
    assert (nothing.status, nothing.json()["change_results"]) == (200, [])
    label = ask("POST", "/v1/identify", {**body, "previous_mpid": "@first"}, headers)
    assert label.status == 400
