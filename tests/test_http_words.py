"""What an error over HTTP says: the body in its sender's names, nothing of files or commands."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from idsync_cli.files.config_file import load
from idsync_cli.store import sqlite as store
from tests.http_api import Application, Reply, basic, encoded, signed
from tests.test_http_scenarios import application
from tests.test_http_subject_requests import wanted

CONFIG = """\
scopes:
  shop:
    strategy: profile_link
    priority: [customer_id, email, ios_idfv, device_application_stamp]
    identities: {customer_id: {login: true, unique: true, immutable: true}}
accounts:
  main:
    workspaces:
      app: {scope: shop, api_key: key, api_secret: sesame, key_only: true,
            admin_key: adm, admin_secret: word}
"""
SERVER, ADMIN, APP = basic("key", "sesame"), basic("adm", "word"), {"x-mp-key": "key"}
OF_FILES = re.compile(r"\b(?:lines?|files?|labels?|scope:|idsync [a-z]+|did you mean)\b|--[a-z]|@ ")
"""Words that mean something to whoever has files and a command line."""

NO_JSON: tuple[bytes, ...] = (
    b"", b"{", b"\xff", b'{"a": 1, "a": 2}', b"[NaN]", b"1e999", b"[" * 50_000, b"{'a': 1}",
    b"{} {}",
)  # fmt: skip
NO_OBJECTS: tuple[Any, ...] = ([], 5, None, "text")
WRONG_MPIDS: tuple[Any, ...] = ("abc", "@first", "007", 0.5, True, [], {}, 2**70, " 12", "")


KNOWN: tuple[Any, ...] = (
    {}, [], {"mail": "a"}, {"email": 5}, {"email": "\0"}, {"email": "x" * 5000}, {"google": "a"},
    {"customerid": "a", "customer_id": "b"}, {"email": "a@example.com"},
)  # fmt: skip
CHANGES: tuple[Any, ...] = ([], {}, [5], [{}], [{"identity_type": "mail", "new_value": "a"}])
BATCHES: tuple[Any, ...] = (
    {"events": 5}, {"events": [5]}, {"events": [{"event_type": 5}]}, {"user_identities": []},
    {"user_attributes": 5}, {"user_attributes": {"a": {}}}, {"device_info": "x"}, {"ip": {}},
    {"timestamp_unixtime_ms": 5}, {"source_request_id": "x" * 300}, {"known_identities": {}},
    {"user_identities": {"mail": "x"}},
)  # fmt: skip
SUBJECTS: tuple[Any, ...] = (
    {"regulation": "gdprr"}, {"subject_request_type": "acess"}, {"subject_request_id": 5},
    {"subject_identities": {"emial": {"value": "a"}}}, {"subject_identities": []},
    {"api_version": "2.0"}, {"submitted_time": "x"},
)  # fmt: skip


def bodies() -> Iterator[tuple[str, str, Any, dict[str, str]]]:
    """Wrong requests of every route that has a body."""
    posts = [
        *[(f"/v1/{kind}", APP) for kind in ("identify", "login", "logout", "search", "5/modify")],
        ("/v1/identity/key/alias", APP), ("/v2/events", SERVER), ("/v2/bulkevents", SERVER),
        ("/v3/JS/key/events", {}), ("/v2/key/events", {}), ("/v3/requests", ADMIN),
        ("/oauth/token", {}),
    ]  # fmt: skip
    for path, headers in posts:
        for body in (*NO_JSON, *NO_OBJECTS, {}):
            yield "POST", path, body, headers
    for mpid in WRONG_MPIDS:
        known = {"known_identities": {"email": "a"}}
        yield "POST", "/v1/identify", {**known, "previous_mpid": mpid}, APP
        yield "POST", "/v2/events", {"mpid": mpid}, SERVER
        for data in (
            {"source_mpid": mpid, "destination_mpid": "5"},
            {"source_mpid": 5, "destination_mpid": mpid},
        ):
            yield "POST", "/v1/identity/key/alias", {"data": data}, APP
        if isinstance(mpid, str) and mpid.isascii() and " " not in mpid:
            yield "POST", f"/v1/{mpid}/modify", known, APP
        extension = {"subject_identities": {"mpid": {"value": mpid}}}
        yield (
            "POST",
            "/v3/requests",
            wanted(
                "access", subject_identities=None, extensions={"opendsr.mparticle.com": extension}
            ),
            ADMIN,
        )
    for known_identities in KNOWN:
        for kind in ("identify", "login", "logout", "search", "5/modify"):
            yield "POST", f"/v1/{kind}", {"known_identities": known_identities}, APP
    for changes in CHANGES:
        yield "POST", "/v1/5/modify", {"identity_changes": changes}, APP
    for more in ({"start_unixtime_ms": "x"}, {"end_unixtime_ms": 5}, {"start_unixtime_ms": True}):
        data = {"source_mpid": 5, "destination_mpid": 6, **more}
        yield "POST", "/v1/identity/key/alias", {"data": data}, APP
    for wrong in BATCHES:
        yield "POST", "/v2/events", {"events": [], **wrong}, SERVER
    for wrong in SUBJECTS:
        yield "POST", "/v3/requests", {**wanted("access"), **wrong}, ADMIN


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    folder = tmp_path_factory.mktemp("words")
    configuration = folder / "idsync.yaml"
    configuration.write_text(CONFIG)
    path = folder / "idsync.db"
    store.create(str(path), 1).close()
    with application(load(configuration).organization, path) as app:
        yield app


def said(reply: Reply) -> str:
    """What an error says."""
    told = reply.json()
    return str(told["message"] if "message" in told else told["Errors"][0]["message"])


def test_no_error_speaks_of_files_or_commands(ask: Application) -> None:
    seen = set()
    for method, path, body, headers in bodies():
        reply = ask(method, path, body, headers)
        if reply.status in (202, 200, 201, 404, 401):
            continue
        assert reply.status == 400, (path, body, reply)
        message = said(reply)
        sent = encoded(body).decode("latin-1")
        assert not OF_FILES.search(message.replace("'@first'", "")), (path, sent[:200], message)
        assert "device_application_stamp" not in message  # the strategy is nobody's business
        seen.add(message)
    assert len(seen) > 60  # they did go wrong in many ways


# ---- Native uploads

TIME = 1_700_000_000_000


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"ua": {"a": {}}}, "ua.a is an object"),
        ({"ua": 5}, "ua is '5', but must be an object"),
        ({"ua": {"n" * 300: 1}}, "in ua has 300 characters"),
        ({"ua": {"user_attributes": {}}}, "ua.user_attributes is an object"),
        ({"ua": {"l": [[]]}}, "ua.l[0] is"),
        ({"uad": [5]}, "uad[0] is '5'"),
        ({"uad": "x"}, "uad is 'x', but must be a list"),
        ({"ui": {}}, "ui must be a list"),
        ({"ui": [{"n": 99}]}, "ui[0]: n must be the number"),
        ({"di": 5}, "di is '5'"),
        ({"di": {"ios_idfv": "a", "android_uuid": "b"}, "das": "x", "ui": 5}, "ui must be"),
        ({"di": {"device_application_stamp": "a"}, "das": "b"}, "di and das have two values of"),
        ({"con": []}, "con is '[]'"),
        ({"id": "x" * 300}, "id has 300 characters"),
        ({"id": 5}, "id is '5', but must be text"),
        ({"ct": 5}, "ct is '5'"),
        ({"mpid": "@first"}, "mpid is '@first', but must be an MPID"),
        ({"msgs": {}}, "msgs must be a list"),
        ({"msgs": [{}]}, "msgs[0]: a message is an object with dt"),
        ({"msgs": [{"dt": "d" * 300}]}, "msgs[0].dt has 300 characters"),
        ({"msgs": [{"dt": "v"}, {"dt": "e", "ct": 5}]}, "msgs[1].ct is '5'"),
        ({"msgs": [{"dt": "e", "n": "n" * 300}]}, "msgs[0].n has 300 characters"),
        ({"msgs": [{"dt": "v", "n": "n" * 300}]}, "msgs[0].n has 300 characters"),
        ({"msgs": [{"dt": "cm", "pd": {"an": "n" * 300}}]}, "msgs[0].pd.an has 300"),
        ({"msgs": [{"dt": "uac", "d": True, "n": "n" * 300}]}, "msgs[0].n has 300"),
        ({"msgs": [{"dt": "e", "attrs": {"k": "v" * 5000}}]}, "msgs[0].attrs.k has 5,000"),
        ({"msgs": [{"dt": "e", "attrs": {"k" * 300: 1}}]}, "in msgs[0].attrs has 300"),
        ({"msgs": [{"dt": "e", "attrs": dict.fromkeys(map(str, range(101)))}]}, "attrs has 101"),
        ({"das": None}, "no identifiers given; name at least one in ui or di"),
    ],
)  # fmt: skip
def test_a_native_upload_is_told_of_in_its_own_names(
    ask: Application, wrong: dict[str, Any], says: str
) -> None:
    upload = {"dt": "h", "id": "u", "ct": TIME, "das": "d1", "msgs": [], **wrong}
    reply = ask("POST", "/v2/key/events", upload)
    assert reply.status == 400
    message = said(reply)
    assert says in message
    theirs = encoded(wrong).decode()
    for ours in ("user_attributes", "user_identities", "device_info", "events[", "event_type",
                 "mp_deviceid", "timestamp_unixtime_ms", "source_request_id", "custom_attributes",
                 "consent_state", "deleted_user_attributes", "event_name"):  # fmt: skip
        assert ours not in message or ours in theirs
    date = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    path, sent = "/v2/key/events", encoded(upload)
    again = ask("POST", path, sent, signed("key", "sesame", date, path, sent))
    assert said(again) == message
