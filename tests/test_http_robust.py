"""What a server survives: slow, silent and hostile senders on every route (section 10)."""

import gzip
import re
import signal
import sys
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.http_api import Json, Server, basic, serving, signed
from tests.program import Program, assert_refused
from tests.test_http_profiles import CONFIG, RESOLVE, USER, bearer, with_a_user

ADMIN, SERVER = basic("adm", "word"), basic("web-key", "sesame")
BODIES = [
    b"", b"{", b"[]", b"null", b"\xff\xfe", b'"\\ud800"', b'{"a": 1, "a": 2}', b"[" * 100_000,
    b'{"a": ' * 30_000, b" " * 300_000, b"1e999999", b'{"": {"": {"": []}}}', b"NaN", b"\0" * 50,
]  # fmt: skip
TAKES_ALL = ("/v3/JS/web-key/events", "/v1/JS/web-key/Forwarding")
ROUTES: list[tuple[str, Json]] = [
    ("/v1/identify", {"x-mp-key": "web-key"}),
    ("/v1/search", SERVER),
    (f"/v1/{USER}/modify", {"x-mp-key": "web-key"}),
    ("/v1/identity/web-key/alias", {}),
    ("/v2/events", SERVER),
    ("/v2/bulkevents", SERVER),
    ("/v2/web-key/events", {}),
    (RESOLVE, {"bearer": "adm"}),
    ("/oauth/token", {}),
    ("/v3/requests", ADMIN),
    *((path, {}) for path in TAKES_ALL),
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(with_a_user(Program(tmp_path_factory.mktemp("robust")))) as running:
        yield running


def memory_of(server: Server) -> int:
    """The bytes of memory that the server has."""
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    assert found
    return int(found[1]) * 1024


@pytest.mark.parametrize(("path", "headers"), ROUTES)
def test_a_hostile_body_is_a_client_error_on_every_route(
    server: Server, path: str, headers: Json
) -> None:
    sent = {**(bearer(server) if "bearer" in headers else headers)}
    for body in BODIES:
        for more, encoded in (({}, body), ({"content-encoding": "gzip"}, gzip.compress(body))):
            reply = server("POST", path, encoded, {**sent, **more})
            assert 200 <= reply.status < 500, (path, body[:20])
            if reply.status >= 400:
                assert reply.status in (400, 413)
                error = reply.json()
                assert error["message"] if "alias" in path else error["errors"][0]["message"]
            else:
                assert path in TAKES_ALL or body in (b"[]", b'{"": {"": {"": []}}}')
            assert b"Traceback" not in reply.body
            assert reply.headers["access-control-allow-origin"] == "*"
    assert server("GET", "/healthz").json() == {"status": "ok"}


def test_gzip_may_have_several_members(server: Server) -> None:
    headers = {**SERVER, "content-encoding": "gzip"}
    body = b'{"known_identities": {"email": "of-members"}}'
    members = [gzip.compress(each) for each in (body[:7], b"", body[7:])]
    whole = b"".join(members)
    assert server("POST", "/v1/identify", whole, headers).status == 200
    for wrong in (whole[:-1], whole + b"x", whole + members[0][:5], members[0], b""):
        assert server("POST", "/v1/identify", wrong, headers).status == 400
    large = gzip.compress(b" " * 200_000)
    assert server("POST", "/v1/identify", large + large, headers).status == 413
    assert server("POST", "/v1/identify", members[1] * 60_000, headers).status == 413


@pytest.mark.parametrize("name", ["x-mp-key", "authorization", "x-mp-signature"])
def test_credentials_that_are_sent_twice_must_be_the_same(server: Server, name: str) -> None:
    right = {"x-mp-key": "web-key", **SERVER}
    for second, wanted in (("same", 200), ("other", 401)):
        value = right.get(name, "0" * 64) if second == "same" else "ios-key"
        connection = HTTPConnection(server.host, server.port, timeout=20)
        connection.putrequest("POST", "/v1/identify")
        for each, its in right.items():
            connection.putheader(each, its)
        connection.putheader(name, value)
        body = b'{"known_identities": {"email": "twice"}}'
        connection.putheader("content-length", str(len(body)))
        connection.endheaders(body)
        status = connection.getresponse().status
        connection.close()
        assert status == (wanted if name in right else 401)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_bombs_and_floods_cost_a_bounded_memory(server: Server) -> None:
    bomb = gzip.compress(b" " * 200_000_000)
    before = memory_of(server)
    for path, headers in ROUTES[:6] * 3:
        reply = server("POST", path, bomb, {**headers, "content-encoding": "gzip"})
        assert reply.status == 413
    assert memory_of(server) - before < 60_000_000


def test_a_content_type_that_is_not_json_is_told_of(server: Server) -> None:
    """But where a browser sends what it likes."""
    for path, headers in ROUTES:
        sent = bearer(server) if "bearer" in headers else headers
        for kind in ("text/html", "application/x-www-form-urlencoded", "multipart/form-data"):
            reply = server("POST", path, b"{}", {**sent, "content-type": kind})
            if path in TAKES_ALL:
                assert reply.status == 202
                continue
            assert reply.status == 400, path
            told = reply.json()
            message = told["message"] if "alias" in path else told["errors"][0]["message"]
            assert "send application/json" in message
            if path.endswith("/modify"):
                assert (told["mpid"], told["is_logged_in"]) == (USER, True)


def test_a_byte_order_mark_is_passed_over(server: Server) -> None:
    body = b'\xef\xbb\xbf{"known_identities": {"email": "marked"}}'
    assert server("POST", "/v1/identify", body, {"x-mp-key": "web-key"}).status == 200
    assert server("POST", "/v2/events", b'\xef\xbb\xbf{"mp_deviceid": "d"}', SERVER).status == 202


# ---- Credentials that contradict each other


IOS, COURIER = {"x-mp-key": "ios-key"}, basic("courier-key", "box")
STALE = signed("web-key", "sesame", "20200101T000000Z", "/v2/events", b"{}")


@pytest.mark.parametrize(
    ("path", "headers", "wanted"),
    [
        ("/v1/identify", {**SERVER, **IOS}, 401),
        ("/v1/identify", {**SERVER, "x-mp-signature": "0" * 64}, 401),
        ("/v1/identify", {"x-mp-key": "web-key", **COURIER}, 401),
        ("/v2/events", {**SERVER, **IOS}, 403),
        ("/v2/events", {**SERVER, **STALE}, 403),
        ("/v2/events", {**COURIER, "x-mp-key": "courier-key"}, 400),
        ("/v3/JS/web-key/events", IOS, 401),
        ("/v3/JS/web-key/events", COURIER, 401),
        ("/v3/JS/web-key/events", {"x-mp-signature": "0" * 64}, 401),
        ("/v3/JS/web-key/events", {"x-mp-key": "web-key"}, 202),
        ("/v3/JS/web-key/events", SERVER, 202),
        ("/v2/web-key/events", IOS, 401),
        ("/v1/identity/web-key/alias", COURIER, 401),
        ("/v3/requests", {**ADMIN, **IOS}, 401),
        ("/v3/requests", {**ADMIN, "x-mp-signature": "0" * 64}, 401),
        ("/v3/requests", {**ADMIN, "x-mp-key": "web-key"}, 400),
    ],
)
def test_all_credentials_that_are_sent_are_judged(
    server: Server, path: str, headers: Json, wanted: int
) -> None:
    reply = server("POST", path, b"{}", headers)
    assert reply.status == wanted
    if wanted in (401, 403):
        assert reply.body == b""


# ---- Secrets


def test_a_secret_is_shown_nowhere(tmp_path: Path) -> None:
    program = with_a_user(Program(tmp_path))
    secrets = ("sesame", "apple", "whip", "from-outside")
    text = CONFIG.replace("admin_secret: word", "admin_secret_env: SHOP_ADMIN")
    program.write("idsync.yaml", text)
    with serving(
        program, "--log-values", "--record", "day.jsonl", environment={"SHOP_ADMIN": "from-outside"}
    ) as running:
        shown = [
            running("GET", "/openapi.json").body,
            running("GET", "/healthz", b"", basic("adm", "from-outside")).body,
            running("POST", "/v1/identify", {"known_identities": {"email": "z"}}, SERVER).body,
            running("POST", "/v2/events", {}, basic("web-key", "wrong")).body,
            running("POST", "/oauth/token", {"client_id": "adm", "client_secret": 5}).body,
        ]
        running.process.send_signal(signal.SIGHUP)
        time.sleep(0.3)
        _, said = running.stop()
    shown += [said.encode(), (program.folder / "day.jsonl").read_bytes()]
    shown += [
        (outcome.stdout + outcome.stderr).encode()
        for outcome in (
            program("config", "show"), program("config", "show", "--json"),
            program("config", "lint"), program("config", "plan"), program("history"),
            program("export"), program("stats"), program("doctor"),
        )
    ]  # fmt: skip
    shown.append(b"".join(each or b"" for name, each in program.files().items() if ".db" in name))
    for each in shown:
        for secret in secrets:
            assert secret.encode() not in each, each[:200]


# ---- What cannot be served


BASE = """\
scopes:
  s: {strategy: profile_conversion, priority: [customer_id]}
accounts:
  main:
    workspaces:
      web: {scope: s, api_key: k, %s}
      ios: {scope: s, %s}
"""


@pytest.mark.parametrize(
    ("web", "ios", "words"),
    [
        ("key_only: true", "api_key: k", ("the api_key of the workspace 'ios' is also",)),
        ('api_secret: ""', "api_key: j", ("api_secret is empty",)),
        ("admin_key: k, admin_secret: w", "api_key: j", ("admin_key", "is also the api_key")),
        ("admin_key: a, admin_secret: w", "admin_key: a, admin_secret: v", ("is also",)),
        ("admin_key: a", "api_key: j", ("admin_key of 'web' has no secret",)),
        ("rate: 0", "api_key: j", ("rate is",)),
        ("rate: 5", "key_only: true", ("key_only", "add api_key")),
        ("api_secret: [a, b, c]", "api_key: j", ("lists 3 secrets",)),
        (
            "admin_key: a, admin_secret_env: IDSYNC_NOT_THERE", "api_key: j",
            ("IDSYNC_NOT_THERE", "is not set"),
        ),
        ("api_secret_env: IDSYNC_EMPTY", "api_key: j", ("IDSYNC_EMPTY", "is empty")),
    ],
)  # fmt: skip
def test_a_faulty_workspace_is_told_before_anything_listens(
    tmp_path: Path, web: str, ios: str, words: tuple[str, ...]
) -> None:
    program = Program(tmp_path)
    program.write("idsync.yaml", BASE % (web, ios))
    outcome = program.process("serve", "--port", "0", environment={"IDSYNC_EMPTY": ""})
    assert_refused(outcome, 2, *words)
    assert set(program.files()) == {"idsync.yaml"}


def test_a_certificate_that_does_not_fit_its_key_is_told(tmp_path: Path) -> None:
    import trustme

    program = Program(tmp_path)
    program.write("idsync.yaml", CONFIG)
    one, other = (trustme.CA().issue_cert("localhost") for _ in range(2))
    program.write("cert.pem", b"".join(each.bytes() for each in one.cert_chain_pems))
    program.write("key.pem", other.private_key_pem.bytes())
    outcome = program.process("serve", "--tls-cert", "cert.pem", "--tls-key", "key.pem")
    assert_refused(outcome, 2, "cert.pem", "key.pem", "does not belong to the key")
