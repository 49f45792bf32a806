"""Nobody but who has the token, at this machine and on the explorer's own page, gets in."""

import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest

from idsync_cli.server.explorer.guard import SECURITY_HEADERS
from tests.explored import CONFIG, KEY, STORY, Explored, exploring
from tests.http_api import serving
from tests.program import Program, assert_refused

DATA = (
    ("GET", "overview"),
    ("POST", "ask"),
    ("POST", "compare"),
    ("GET", "profile/1"),
    ("GET", "profile/1/story"),
    ("GET", "configuration"),
    ("GET", "audiences"),
    ("GET", "members?scope=shop&name=buyers"),
    ("GET", "live"),
    ("GET", "live/1"),
)
FILES = ("/", "/explorer/main.js", "/explorer/explorer.css", "/explorer/page.css")


@pytest.fixture(name="ask", scope="module")
def an_explorer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Explored]:
    program = Program(tmp_path_factory.mktemp("guarded"))
    program.write("idsync.yaml", CONFIG)
    program.replay(*STORY, arguments=("--seed", "1"))
    with exploring(program, "--allow-writes") as running:
        yield running


NEW = {"type": "login", "known_identities": {"customer_id": "NEW"}, "dry_run": False}


def is_written(ask: Explored) -> bool:
    search = {"type": "search", "known_identities": {"customer_id": "NEW"}}
    return bool(ask("ask", search).json()["answer"]["status"] != "not_found")


def body_for(method: str) -> object:
    return NEW if method == "POST" else None


@pytest.mark.parametrize(("method", "path"), DATA)
@pytest.mark.parametrize("token", ["", "x", "A" * 43, "ä"])
def test_without_the_token_no_data_are_given(
    ask: Explored, method: str, path: str, token: str
) -> None:
    headers = {"x-idsync-token": token, "authorization": f"Bearer {ask.token}"}
    reply = ask(f"{path}{'&' if '?' in path else '?'}token={ask.token}", body_for(method), headers)
    assert (reply.status, reply.json()["error"]["code"]) == (401, "TOKEN_NEEDED")
    assert not is_written(ask)


FOREIGN = (
    {"host": "evil.example"},
    {"host": "evil.example:80"},
    {"host": "127.0.0.1.evil.example"},
    {"host": "localhost.evil.example"},
    {"host": "user@127.0.0.1"},
    {"host": "127.0.0.1/x"},
    {"host": "127.0.0.1:x"},
    {"host": "[::1"},
    {"host": "0x7f000001"},
    {"host": " "},
    {"origin": "https://evil.example"},
    {"origin": "null"},
    {"origin": "http://127.0.0.1:1"},
    {"origin": "http://localhost"},
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
)


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
@pytest.mark.parametrize(("method", "path"), DATA)
def test_another_site_or_name_gets_nothing_even_with_the_token(
    ask: Explored, method: str, path: str, headers: dict[str, str]
) -> None:
    reply = ask(path, body_for(method), headers)
    assert reply.status in (400, 403, 421)
    assert b"shop" not in reply.body
    assert not is_written(ask)


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
@pytest.mark.parametrize("path", FILES)
def test_another_site_or_name_gets_no_file_either(
    ask: Explored, path: str, headers: dict[str, str]
) -> None:
    reply = ask.server("GET", path, headers=headers)
    assert reply.status in (400, 403, 421)
    assert b"idsync explorer" not in reply.body


def test_a_link_of_another_site_opens_the_page_and_frames_it_not(ask: Explored) -> None:
    link = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    assert ask.server("GET", "/", headers=link | {"sec-fetch-dest": "document"}).status == 200
    assert ask.server("GET", "/", headers=link | {"sec-fetch-dest": "iframe"}).status == 403
    assert ask("overview", None, link | {"sec-fetch-dest": "document"}).status == 403


def test_two_hosts_tokens_or_origins_are_none(ask: Explored) -> None:
    own = f"{ask.server.host}:{ask.server.port}"
    for doubled in (
        [("host", own), ("host", own)],
        [("host", own), ("x-idsync-token", ask.token), ("x-idsync-token", ask.token)],
        [("host", own), ("x-idsync-token", ask.token), *[("origin", f"http://{own}")] * 2],
        [("x-idsync-token", ask.token)],
    ):
        connection = HTTPConnection(ask.server.host, ask.server.port, timeout=20)
        connection.putrequest("GET", "/explorer/api/overview", skip_host=True)
        for name, value in doubled:
            connection.putheader(name, value)
        connection.endheaders()
        reply = connection.getresponse()
        assert reply.status in (400, 401, 403, 421)
        assert b"shop" not in reply.read()
        connection.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST.", "[::1]:99", "10.0.0.7"])
def test_an_address_and_the_name_of_this_machine_are_its_own(ask: Explored, host: str) -> None:
    own = {"host": host, "origin": f"http://{host}", "sec-fetch-site": "same-origin"}
    assert ask("overview", None, own).status == 200


@pytest.mark.parametrize("path", [*FILES, "/explorer/api/overview", "/explorer/none", "/explorer/"])
def test_no_page_of_another_origin_may_read_it(ask: Explored, path: str) -> None:
    for method in ("GET", "OPTIONS"):
        asked = {"access-control-request-method": "POST", "x-idsync-token": ask.token}
        reply = ask.server(method, path, headers=asked)
        assert not [name for name in reply.headers if name.startswith("access-control")]
        for name, value in SECURITY_HEADERS.items():
            assert reply.headers[name.lower()] == value
        assert method == "GET" or reply.status in (404, 405)
    policy = SECURITY_HEADERS["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "script-src 'self';" in policy


def test_the_api_is_as_it_was(ask: Explored) -> None:
    reply = ask.server("POST", "/v1/search", {"known_identities": {"email": "x@y"}}, KEY)
    assert reply.status == 404
    assert reply.headers["access-control-allow-origin"] == "*"
    assert "content-security-policy" not in reply.headers
    assert ask.server("GET", "/healthz", headers={"host": "evil.example"}).status == 200
    assert "/explorer" not in ask.server("GET", "/openapi.json").body.decode()


@pytest.mark.parametrize(
    "path", ["../guard.py", "..%2fguard.py", "%2e%2e/guard.py", "page/main.js", "api", "main.js/"]
)
def test_no_other_file_is_served(ask: Explored, path: str) -> None:
    reply = ask.server("GET", f"/explorer/{path}")
    assert reply.status == 404
    assert b"hmac" not in reply.body


def test_every_script_and_style_is_a_file_of_the_page(ask: Explored) -> None:
    page = ask.server("GET", "/").body.decode()
    assert "<style" not in page
    assert " style=" not in page
    assert "onclick" not in page
    assert page.count("<script") == page.count('<script type="module" src="/explorer/') == 1
    assert "//" not in page.replace("http://", "//").replace("<!DOCTYPE", "")


def test_a_token_that_is_nearly_right_is_wrong(ask: Explored) -> None:
    for token in ("", "x", ask.token[:-1], ask.token[:-1] + "~", ask.token + "x"):
        assert ask("overview", None, {"x-idsync-token": token}).status == 401


def test_on_another_address_the_explorer_is_there_if_it_is_asked_for(tmp_path: Path) -> None:
    program = Program(tmp_path)
    program.write("idsync.yaml", CONFIG)
    with serving(program, "--host", "0.0.0.0") as server:
        assert server("GET", "/").status == 404
        assert server("GET", "/explorer/api/overview").status == 404
        server.stop()
    with serving(program, "--no-explorer") as server:
        assert server("GET", "/").status == 404
        server.stop()
    with exploring(program, "--host", "0.0.0.0", "--explorer") as ask:
        assert ask("overview").status == 200
        assert ask("overview", None, {"host": "evil.example"}).status == 421
        _, said = ask.server.stop()
    assert "note: anyone who can listen in on the way to 0.0.0.0 can read the token" in said


def test_writes_are_for_an_explorer(tmp_path: Path) -> None:
    program = Program(tmp_path)
    program.write("idsync.yaml", CONFIG)
    for arguments in (("--no-explorer",), ("--host", "0.0.0.0")):
        refused = program("serve", "--port", "0", "--allow-writes", *arguments)
        assert_refused(refused, 2, "add --explorer")


def test_the_token_is_new_each_time_and_in_no_log(tmp_path: Path) -> None:
    program = Program(tmp_path)
    program.write("idsync.yaml", CONFIG)
    tokens = set()
    for _ in range(2):
        with exploring(program, "--log-values") as ask:
            ask("overview")
            ask("overview", None, {"x-idsync-token": "wrong"})
            ask("ask", NEW)
            time.sleep(0.1)
            _, said = ask.server.stop()
        assert ask.token not in said
        assert "NEW" not in said
        tokens.add(ask.token)
    assert len(tokens) == 2
