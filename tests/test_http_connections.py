"""What a server does with connections that are silent, slow, cut, or no HTTP (section 10)."""

import asyncio
import json
import os
import re
import resource
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest
from starlette.types import Message

from idsync_cli.files.config_file import load
from idsync_cli.server import bodies
from idsync_cli.store import sqlite as store
from tests.http_api import Server, raw, serving
from tests.program import Program
from tests.test_http_profiles import CONFIG, with_a_user
from tests.test_http_scenarios import application


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(with_a_user(Program(tmp_path_factory.mktemp("connections")))) as running:
        yield running


@pytest.mark.parametrize(
    "sent",
    [
        b"nonsense\r\n\r\n",
        b"GET\r\n\r\n",
        b"POST /v1/identify HTTP/1.1\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n",
        b"A" * 100_000,
    ],
)
def test_what_is_no_http_is_told_in_the_documented_form(server: Server, sent: bytes) -> None:
    head, _, body = raw(server, sent).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert b"access-control-allow-origin: *" in head.lower()
    assert json.loads(body)["errors"][0]["code"] == "BAD_REQUEST"
    assert server("GET", "/healthz").status == 200


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_a_body_that_says_it_is_too_long_is_not_waited_for(server: Server, encoding: str) -> None:
    """The answer comes before any of it; what is answered with 202 whatever it is stays so."""
    for path, headers, wanted in (
        ("/v1/identify", "x-mp-key: web-key", b"413"),
        ("/v3/JS/web-key/events", "x-a: b", b"202"),
    ):
        head = (
            f"POST {path} HTTP/1.1\r\nHost: x\r\n{headers}\r\nContent-Encoding: {encoding}\r\n"
            f"Content-Length: 99999999999999\r\n\r\n"
        )
        with socket.create_connection((server.host, server.port), timeout=20) as connection:
            connection.sendall(head.encode())
            assert connection.recv(65536).startswith(b"HTTP/1.1 " + wanted)
    assert server("GET", "/healthz").status == 200


IDENTIFY = b"POST /v1/identify HTTP/1.1\r\nHost: x\r\nx-mp-key: web-key\r\n"
OLD = b"POST /v1/identify HTTP/1.0\r\nx-mp-key: web-key\r\n"
WHO = b'{"known_identities": {"email": "half"}}'
WHOLE = IDENTIFY + b"Content-Length: %d\r\n\r\n" % len(WHO) + WHO


def ended(server: Server, *sent: bytes, pause: float = 0) -> list[tuple[bytes, bytes]]:
    """Status line and body of each answer to a client that ends its side and goes on reading."""
    came = b""
    with socket.create_connection((server.host, server.port), timeout=20) as connection:
        for each in sent:
            connection.sendall(each)
            time.sleep(pause)
        connection.shutdown(socket.SHUT_WR)
        while chunk := connection.recv(65536):
            came += chunk
    answers = [b"HTTP/1.1 " + each for each in came.split(b"HTTP/1.1 ")[1:]]
    return [(each.partition(b"\r\n")[0], each.partition(b"\r\n\r\n")[2]) for each in answers]


@pytest.mark.parametrize(
    "cut",
    [
        b"Content-Length: 1000\r\n\r\n",
        b'Content-Length: 1000\r\n\r\n{"known_identities": {"email": "a',
        b"Transfer-Encoding: chunked\r\n\r\n5\r\n{}",
        b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
    ],
)
def test_a_body_that_is_cut_is_told_of(server: Server, cut: bytes) -> None:
    [(status, body)] = ended(server, IDENTIFY + cut)
    assert status == b"HTTP/1.1 400 Bad Request"
    assert json.loads(body)["Errors"][0]["message"] == "the body is incomplete"
    assert server("GET", "/healthz").status == 200


def test_who_sends_no_more_is_answered_all_the_same(server: Server) -> None:
    first, second = ended(server, WHOLE * 2)
    assert first[0] == second[0] == b"HTTP/1.1 200 OK"
    assert json.loads(first[1])["mpid"] == json.loads(second[1])["mpid"]
    assert ended(server, b"") == ended(server, IDENTIFY) == []


def test_what_is_no_http_behind_an_answer_ends_the_connection(server: Server) -> None:
    """The answer was written, and no second one may follow it."""
    chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"
    begun = IDENTIFY + b"Transfer-Encoding: chunked\r\n\r\n"
    for sent in (begun + 8 * chunk + b"zzz\r\n", begun + b"5\r\nhello\r\nzz\r\n"):
        with socket.create_connection((server.host, server.port), timeout=20) as connection:
            connection.sendall(sent)
            assert connection.recv(65536)[:12] in (b"HTTP/1.1 413", b"HTTP/1.1 400")
    assert server("GET", "/healthz").status == 200


@pytest.mark.parametrize("number", [1, 3])
@pytest.mark.parametrize(
    "wrong",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 70_000 + b"\r\n\r\n",
        IDENTIFY + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        IDENTIFY + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}}",
        IDENTIFY + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        IDENTIFY + b"Content-Length: 1000\r\n\r\n{",
    ],
)
def test_what_came_before_something_wrong_is_answered_first(
    server: Server, number: int, wrong: bytes
) -> None:
    *answers, last = ended(server, number * WHOLE + wrong + WHOLE)
    assert [status for status, _ in answers] == number * [b"HTTP/1.1 200 OK"]
    assert last[0] == b"HTTP/1.1 400 Bad Request"
    assert json.loads(last[1])["errors"][0]["code"] == "BAD_REQUEST"


LONG = b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-A: "


@pytest.mark.parametrize(
    ("head", "is_taken"),
    [
        (LONG + b"y" * 60_000, True),
        (LONG + b"y" * 70_000, False),
        (LONG + b"y\r\nX-A: " * 6_000, True),
        (LONG + b"y\r\nX-A: " * 20_000, False),
        (b"GET /healthz?" + b"y" * 60_000 + b" HTTP/1.1\r\nHost: x\r\nX: ", True),
        (b"GET /healthz?" + b"y" * 70_000 + b" HTTP/1.1\r\nHost: x\r\nX: ", False),
    ],
)
@pytest.mark.parametrize("pieces", [1, 50])
def test_a_head_has_a_longest_length(
    server: Server, head: bytes, is_taken: bool, pieces: int
) -> None:
    """However it comes: whole, or in pieces."""
    sent = head + b"\r\nConnection: close\r\n\r\n"
    size = -(-len(sent) // pieces)
    came = b""
    with socket.create_connection((server.host, server.port), timeout=20) as connection:
        with suppress(OSError):  # it does not read on once it has refused
            for at in range(0, len(sent), size):
                connection.sendall(sent[at : at + size])
                time.sleep(0.001)
        with suppress(ConnectionResetError):
            while chunk := connection.recv(65536):
                came += chunk
    if is_taken:
        assert came.startswith(b"HTTP/1.1 200 ")
    else:  # a client that is still writing may be reset before it reads why
        assert not came or came.startswith(b"HTTP/1.1 400 ")
        assert not came or b"longer than 64 KiB" in came
    assert server("GET", "/healthz").status == 200


def test_a_head_without_an_end_costs_a_bounded_memory(server: Server) -> None:
    with socket.create_connection((server.host, server.port), timeout=20) as connection:
        connection.sendall(LONG)
        with pytest.raises((ConnectionResetError, BrokenPipeError)):
            connection.sendall(b"y" * 64 * 1024 * 1024)
    assert server("GET", "/healthz").status == 200


def test_a_header_behind_the_body_counts_for_nothing(server: Server) -> None:
    sent = (
        b"POST /v1/identify HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"%x\r\n%b\r\n0\r\nx-mp-key: web-key\r\n\r\n" % (len(WHO), WHO)
    )
    first, second = ended(server, sent + WHOLE)
    assert first == (b"HTTP/1.1 401 Unauthorized", b"")
    assert second[0] == b"HTTP/1.1 200 OK"


def test_other_versions_are_answered(server: Server) -> None:
    [(status, body)] = ended(server, b"GET /healthz HTTP/1.0\r\n\r\n")
    assert (status, body) == (b"HTTP/1.1 200 OK", b'{"status": "ok"}')
    [(status, _)] = ended(server, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
    assert status == b"HTTP/1.1 400 Bad Request"


def test_a_whole_address_may_be_asked_for(server: Server) -> None:
    """A client that takes the server for a proxy does so; without a path it means the root."""
    for line, wanted in (
        (b"GET http://x/healthz", b"200"),
        (b"GET HTTP://x:80/healthz?a", b"200"),
        (b"GET http://x", b"200"),
        (b"GET http://x?a=/b", b"200"),
        (b"GET HTTPS://x:80", b"200"),
        (b"POST http://x", b"405"),
        (b"GET http://", b"400"),
        (b"GET http://x#y", b"400"),
        (b"GET x", b"400"),
        (b"CONNECT x:80", b"400"),
    ):
        [(status, body)] = ended(server, line + b" HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert status[9:12] == wanted, line
        if line == b"GET http://x":
            [(_, root)] = ended(server, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert body == root
            assert b"<title>" in body


UPGRADE = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMA\r\n"


@pytest.mark.parametrize("pause", [0, 0.05])
def test_an_upgrade_is_passed_over_and_its_body_is_read(server: Server, pause: float) -> None:
    """Java's own client asks for HTTP/2 with its first request, whatever that is."""
    length = b"Content-Length: %d\r\n\r\n" % len(WHO)
    chunks = b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(WHO), WHO)
    refused = IDENTIFY.replace(b"web-key", b"no-key") + UPGRADE + length + WHO
    get = b"GET /healthz HTTP/1.1\r\nHost: x\r\n" + UPGRADE.replace(b"h2c", b"websocket") + b"\r\n"
    sent = IDENTIFY + UPGRADE + length + WHO + refused + get + IDENTIFY + UPGRADE + chunks + WHOLE
    pieces = [sent] if not pause else [sent[:250], sent[250:]]
    answers = ended(server, *pieces, pause=pause)
    assert [status[9:12] for status, _ in answers] == [b"200", b"401", b"200", b"200", b"200"]
    assert answers[2][1] == b'{"status": "ok"}'
    assert {json.loads(answers[at][1])["mpid"] for at in (0, 3, 4)} == {
        json.loads(answers[0][1])["mpid"]
    }


def test_thousands_of_requests_at_once_are_answered_in_their_order(server: Server) -> None:
    """More comes at once than a head may have, and each piece of it ends within a head."""
    number = 4000
    line = b" /healthz HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 100 + b"\r\n\r\n"
    sent = [(b"OPTIONS" if at % 7 else b"GET") + line for at in range(number)]
    answers = ended(server, b"".join(sent))
    assert [status[9:12] for status, _ in answers] == [
        b"204" if at % 7 else b"200" for at in range(number)
    ]


def test_lines_behind_a_head_cost_a_bounded_memory(server: Server) -> None:
    """Such are those of chunks, and the headers behind the last one."""
    begun = IDENTIFY + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n"
    for line in (b"0\r\nX-A: ", b"0;", b"2;"):
        with socket.create_connection((server.host, server.port), timeout=20) as connection:
            connection.sendall(begun + line)
            with pytest.raises((ConnectionResetError, BrokenPipeError)):
                connection.sendall(b"y" * 32 * 1024 * 1024)
    assert server("GET", "/healthz").status == 200


@pytest.mark.parametrize("head", [IDENTIFY + b"Connection: close\r\n", OLD, IDENTIFY])
def test_who_still_sends_what_was_answered_reads_the_answer(server: Server, head: bytes) -> None:
    """Closed at once, the connection would be reset. What follows the last request is not read."""
    length = 4 * 1024 * 1024
    sent = head + b"Content-Length: %d\r\n\r\n" % length + b"x" * length
    answers = ended(server, sent + WHOLE)
    assert [status[9:12] for status, _ in answers] == (
        [b"413", b"200"] if head == IDENTIFY else [b"413"]
    )


def test_a_thousand_connections_that_say_nothing_keep_nobody_out(server: Server) -> None:
    soft, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most != resource.RLIM_INFINITY and most < 1500:
        pytest.skip(f"only {most} files may be open here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 1500), most))
    try:
        with ExitStack() as stack:
            for _ in range(1000):
                stack.enter_context(socket.create_connection((server.host, server.port)))
            assert server("GET", "/healthz").status == 200
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, most))


@contextmanager
def hurried(folder: Path) -> Iterator[Server]:
    """A server that waits for a second where others wait for thirty."""
    program = with_a_user(Program(folder))
    code = (
        "from idsync_cli.server import bodies, protocol;"
        "protocol.SILENT_SECONDS = bodies.SECONDS = 1;"
        "from idsync_cli.__main__ import main; main()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, "serve", "--port", "0"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=program.folder,
        env={**os.environ},
    )  # fmt: skip
    try:
        assert process.stdout is not None
        found = re.search(r"http://([^:/]+):(\d+)", process.stdout.readline().decode())
        assert found
        yield Server(process, found[1], int(found[2]))
    finally:
        process.kill()
        process.communicate()


def test_who_says_nothing_or_is_slow_is_let_go(tmp_path: Path) -> None:
    with hurried(tmp_path) as server:
        began = time.monotonic()
        address = (server.host, server.port)
        with (
            socket.create_connection(address, timeout=20) as silent,
            socket.create_connection(address, timeout=20) as headers,
            socket.create_connection(address, timeout=20) as body,
        ):
            headers.sendall(b"POST /v1/identify HTTP/1.1\r\nHost: x\r\n")
            body.sendall(
                b"POST /v1/identify HTTP/1.1\r\nHost: x\r\nx-mp-key: web-key\r\n"
                b"Content-Length: 99\r\n\r\n{"
            )
            assert silent.recv(10) == b""
            assert headers.recv(10) == b""
            assert body.recv(65536).startswith(b"HTTP/1.1 408 ")
        assert time.monotonic() - began < 15
        assert server("GET", "/healthz").status == 200


def test_who_reads_nothing_of_the_answers_is_let_go(tmp_path: Path) -> None:
    with hurried(tmp_path) as server, socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect((server.host, server.port))
        connection.settimeout(20)
        with pytest.raises((ConnectionResetError, BrokenPipeError)):
            connection.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * 800_000)
        assert server("GET", "/healthz").status == 200


def test_a_body_that_never_ends_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "SECONDS", 0.05)
    configuration = tmp_path / "idsync.yaml"
    configuration.write_text(CONFIG)
    path = tmp_path / "idsync.db"
    store.create(str(path), 1).close()
    with application(load(configuration).organization, path) as ask:
        sent: list[Message] = []

        async def receive() -> Message:
            await asyncio.sleep(0.01)
            return {"type": "http.request", "body": b" ", "more_body": True}

        async def send(message: Message) -> None:
            sent.append(message)

        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "scheme": "http",
            "method": "POST", "path": "/v1/identify", "raw_path": b"/v1/identify",
            "query_string": b"", "root_path": "", "headers": [(b"x-mp-key", b"web-key")],
        }  # fmt: skip
        ask.loop.run_until_complete(ask.app(scope, receive, send))
    assert sent[0]["status"] == 408
    assert json.loads(sent[1]["body"])["StatusCode"] == 408


def test_a_client_that_says_no_goodbye_does_not_hold_up_the_end(tmp_path: Path) -> None:
    """Over TLS it has to say so; one ended its side before, the other is silent."""
    context = ssl._create_unverified_context()
    with serving(with_a_user(Program(tmp_path)), "--tls") as server, ExitStack() as stack:
        for is_ended in (True, False):
            plain = socket.create_connection((server.host, server.port), timeout=20)
            connection = stack.enter_context(context.wrap_socket(plain))
            connection.sendall(WHOLE)
            assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
            if is_ended:
                connection.sendall(WHOLE)
                with pytest.raises(ssl.SSLError):  # an answer came behind the end
                    connection.unwrap()
        began = time.monotonic()
        status, said = server.stop()
    assert time.monotonic() - began < 20
    assert status == 0
    assert "Traceback" not in said


def test_head_and_body_of_an_answer_come_in_one_piece(server: Server) -> None:
    with socket.create_connection((server.host, server.port), timeout=20) as connection:
        for _ in range(20):
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            assert connection.recv(65536).endswith(b'\r\n\r\n{"status": "ok"}')
        long = b"GET /openapi.json HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        connection.sendall(long)
        came = b""
        while chunk := connection.recv(65536):
            came += chunk
    assert json.loads(came.partition(b"\r\n\r\n")[2])["openapi"] == "3.1.0"
