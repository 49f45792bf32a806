"""Requests as the iOS, Android and Roku SDKs make them: fixtures/http (section 10)."""

import gzip
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from idsync_cli.files.config_file import load
from idsync_cli.store import sqlite as store
from tests.console_blocks import ROOT
from tests.http_api import Application, Json, Reply, signed
from tests.test_http_scenarios import application

STORIES = sorted((ROOT / "fixtures" / "http").glob("*.json"))
KEY, SECRET = "app-key", "sesame"
CONFIG = """\
scopes:
  shop:
    strategy: profile_link
    priority:
      [customer_id, email, ios_idfv, android_uuid, roku_advertising_id, device_application_stamp]
    identities: {customer_id: {login: true, unique: true}, email: {unique: true}}
    audiences:
      known: {id: 5, any: [{known: true}]}
accounts:
  main:
    workspaces:
      app: {scope: shop, api_key: app-key, api_secret: sesame}
"""
ZONES = {"EST": -5, "CET": 1, "AEST": 10, "GMT+05:30": 5.5}


@pytest.fixture(name="ask")
def an_application(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    folder = tmp_path_factory.mktemp("native")
    configuration = folder / "idsync.yaml"
    configuration.write_text(CONFIG)
    path = folder / "idsync.db"
    store.create(str(path), 1).close()
    with application(load(configuration).organization, path) as app:
        app.path = str(path)  # type: ignore[attr-defined]
        yield app


def date_of(style: str, zone: str) -> str:
    """The time, as an SDK writes it."""
    now = datetime.now(UTC)
    if style == "iso":
        return now.strftime("%Y-%m-%dT%H:%M:%SZ")
    if style == "gmt":
        return format_datetime(now, usegmt=True)
    there = now + timedelta(hours=ZONES[zone])
    return format_datetime(there, usegmt=True).replace("GMT", zone)


def with_mpids(value: Any, known: dict[str, str], kind: str) -> Any:
    """A value with the MPIDs that were remembered in the place of their names."""
    if isinstance(value, dict):
        return {name: with_mpids(each, known, kind) for name, each in value.items()}
    if isinstance(value, list):
        return [with_mpids(each, known, kind) for each in value]
    if isinstance(value, str) and value.startswith("@"):
        mpid = known[value[1:]]
        return int(mpid) if kind == "number" else mpid
    return value


def in_path(path: str, known: dict[str, str]) -> str:
    for name, mpid in known.items():
        path = path.replace(f"@{name}", mpid)
    return path


def sent(
    ask: Application, story: Json, step: Json, known: dict[str, str], zone: str, secret: str
) -> Reply:
    method = step.get("method", "POST")
    body = b""
    if "body" in step:
        body = json.dumps(with_mpids(step["body"], known, story["mpids"])).encode()
    date, path = date_of(story["date"], zone), in_path(step["signed_path"], known)
    headers = {**signed(KEY, secret, date, path, body, method), "content-type": "application/json"}
    if not step["key_header"]:
        del headers["x-mp-key"]
    if step["gzip"]:
        body, headers["content-encoding"] = gzip.compress(body), "gzip"
    return ask(method, in_path(step["path"], known), body, headers)


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("path", STORIES, ids=lambda path: path.stem)
def test_a_native_sdk_is_answered_as_it_expects(ask: Application, path: Any, zone: str) -> None:
    story = json.loads(path.read_text(encoding="utf-8"))
    known: dict[str, str] = {}
    answers: dict[str, Reply] = {}
    for step in story["steps"]:
        reply = sent(ask, story, step, known, zone, SECRET)
        assert reply.status == step["status"], (step["name"], reply.body)
        answers[step["name"]] = reply
        if "remember" in step:
            known[step["remember"]] = reply.json()["mpid"]
    login = answers["login"].json()
    assert login["is_logged_in"]
    assert known["visitor"] != known["customer"]
    assert {each["identity_type"] for each in answers["modify"].json()["change_results"]} == {
        "email", "push_token",
    }  # fmt: skip
    assert answers["events"].json()["dt"] == "rh"
    assert not answers["logout"].json()["is_logged_in"]
    if "audience" in answers:
        assert answers["config"].json()["dt"] == "ac"
        assert answers["audience"].json()["audience_memberships"] == [{"audience_id": 5}]
    opened = store.open_store(ask.path, write=False)  # type: ignore[attr-defined]
    assert opened is not None
    with opened, opened.reading() as transaction:
        data = transaction.data_of(int(known["customer"]))
    assert data is not None
    assert [each.event_type for each in data.events] == [
        "session_start", "application_state_transition", "screen_view", "custom_event",
        "commerce_event", "user_attribute_change", "session_end",
    ]  # fmt: skip
    assert dict(data.attributes)["city"] == "Bern"


@pytest.mark.parametrize("path", STORIES, ids=lambda path: path.stem)
def test_a_wrong_secret_opens_nothing(ask: Application, path: Any) -> None:
    story = json.loads(path.read_text(encoding="utf-8"))
    known = {"visitor": "5", "customer": "6"}
    for step in story["steps"]:
        if step["name"] != "config":
            reply = sent(ask, story, step, known, "CET", "wrong")
            assert (reply.status, reply.body) == (401, b"")
