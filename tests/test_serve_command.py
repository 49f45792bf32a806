"""`idsync serve` as a process: how it starts, what it survives, and how it ends (section 10)."""

import gzip
import json
import os
import re
import signal
import socket
import ssl
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path

import pytest

from idsync_cli.server.cors import Cors, check_origin
from tests.http_api import Server, basic, raw, serving
from tests.program import Program, assert_refused, ended

CONFIG = """\
scopes:
  consumers:
    strategy: profile_conversion
    priority: [customer_id, email, device_application_stamp]
    identities: {customer_id: {login: true, unique: true}}
accounts:
  main:
    workspaces:
      web: {scope: consumers, api_key: web-key, api_secret: top-secret, key_only: true}
      slow: {scope: consumers, api_key: slow-key, key_only: true, rate: 2}
"""
KEY = {"x-mp-key": "web-key", "content-type": "application/json"}


def visit(number: int) -> bytes:
    return json.dumps({"known_identities": {"device_application_stamp": f"d{number}"}}).encode()


@pytest.fixture
def program(tmp_path: Path) -> Program:
    made = Program(tmp_path)
    made.write("idsync.yaml", CONFIG)
    made.make_store()
    return made


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    made = Program(tmp_path_factory.mktemp("server"))
    made.write("idsync.yaml", CONFIG)
    with serving(made) as running:
        yield running


def test_it_answers_and_stops_with_what_it_accepted_done(program: Program) -> None:
    with serving(program, "--log") as running:
        assert running("POST", "/v1/identify", visit(1), KEY).status == 200
        assert running("POST", "/v1/identify", visit(1), {"x-mp-key": "nobody"}).status == 401
        status, said = running.stop()
    assert status == 0
    lines = said.splitlines()
    assert lines[0].startswith("identify  200  created  no_match  ")
    assert lines[1].startswith("identify  401  credentials  ")
    assert lines[-1] == "stopped; every request that was accepted has been answered"
    assert "d1" not in said
    assert program("search", "--das", "d1").status == 0


def test_every_request_has_one_line_with_what_it_took(program: Program) -> None:
    asked = [
        ("POST", "/v1/identify", visit(1), KEY, "identify  200  created  no_match"),
        ("POST", "/v1/search", {}, KEY, "search  400  error  NO_IDENTITIES"),
        ("POST", "/v1/identify", b"{", KEY, "identify  400  INVALID_JSON"),
        ("POST", "/v1/identify", b" " * 300_000, KEY, "identify  413  BAD_REQUEST"),
        ("POST", "/v1/5/modify", {"known_identities": {"email": "a"}}, KEY,
         "modify  400  error  MPID_NOT_FOUND"),
        ("POST", "/v3/JS/web-key/events", {"mp_deviceid": "d"}, {},
         "batch  202  created  no_match"),
        ("POST", "/v3/JS/web-key/events", {}, {}, "batch  202  NO_IDENTITIES"),
        ("POST", "/v2/bulkevents", [], basic("web-key", "top-secret"), "bulkEvents  202"),
        ("GET", "/v4/web-key/config", b"", {}, "nativeConfig  200"),
        ("POST", "/v1/JS/web-key/Forwarding", [], {}, "forwardingV1  202"),
        ("GET", "/v3/discovery", b"", {}, "discovery  404  credentials"),
        ("GET", "/healthz", b"", {}, "health  200"),
        ("GET", "/no/d1/such", b"", {}, "?  404"),
        ("PUT", "/v1/identify", b"", {}, "identify  405"),
    ]  # fmt: skip
    with serving(program, "--log") as running:
        for method, path, body, headers, _ in asked:
            running(method, path, body, headers)
        _, said = running.stop()
    lines = said.splitlines()[:-1]
    assert all(re.search(r"  \d+\.\d ms$", line) for line in lines), lines
    assert [re.sub(r"  \S+ ms$", "", line) for line in lines] == [each[-1] for each in asked]
    assert "d1" not in said


def test_a_second_interrupt_is_not_needed(program: Program) -> None:
    with serving(program) as running:
        assert running.stop(signal.SIGINT)[0] == 0


def test_a_value_is_logged_only_if_that_is_asked_for(program: Program) -> None:
    with serving(program, "--log-values") as running:
        running("POST", "/v1/identify", visit(77), KEY)
        assert "d77" in running.stop()[1]


def test_the_configuration_is_read_again_and_a_bad_one_is_not_taken(program: Program) -> None:
    with serving(program) as running:
        assert running("POST", "/v1/identify", visit(1), {"x-mp-key": "new-key"}).status == 401
        program.write("idsync.yaml", CONFIG.replace("web-key", "new-key"))
        assert reloaded(running, {"x-mp-key": "new-key"}) == 200
        assert running("POST", "/v1/identify", visit(1), KEY).status == 401
        program.write("idsync.yaml", CONFIG.replace("strategy", "strategie"))
        running.process.send_signal(signal.SIGHUP)
        time.sleep(0.5)
        assert running("POST", "/v1/identify", visit(1), {"x-mp-key": "new-key"}).status == 200
        _, said = running.stop()
    assert "strategie" in said
    assert "the old one is still in force" in said
    assert "top-secret" not in said


def test_no_half_of_an_answer_waits_for_the_client_to_confirm_the_other() -> None:
    from idsync_cli.server.run import listen

    with (
        listen("127.0.0.1", 0) as listening,
        socket.create_connection(listening.getsockname()),
        listening.accept()[0] as accepted,
    ):
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def reloaded(running: Server, headers: dict[str, str]) -> int:
    running.process.send_signal(signal.SIGHUP)
    for _ in range(100):
        status = running("POST", "/v1/identify", visit(1), headers).status
        if status == 200:
            break
        time.sleep(0.05)
    return status


def test_what_is_recorded_is_replayed_to_the_same_answers(program: Program) -> None:
    with serving(program, "--record", "day.jsonl") as running:
        first = running("POST", "/v1/identify", visit(1), KEY).json()["mpid"]
        person = {"known_identities": {"device_application_stamp": "d1", "customerid": "c1"}}
        running("POST", "/v1/login", person, KEY)
        running("POST", f"/v1/{first}/modify", {"known_identities": {"email": "a@b.c"}}, KEY)
        running("POST", "/v1/5/modify", {"known_identities": {"email": "a@b.c"}}, KEY)
        running("POST", "/v1/search", {"known_identities": {"email": "nobody"}}, KEY)
        running.stop()
    text = (program.folder / "day.jsonl").read_text()
    recorded = [json.loads(line) for line in text.splitlines()]
    assert [each["response"] for each in recorded] == [
        {"mpid": first}, {"mpid": first}, {"mpid": first}, {"error": "MPID_NOT_FOUND"},
        {"mpid": None},
    ]  # fmt: skip
    replayed = program("replay", "day.jsonl", "--output", "-", "--store", "new.db", "--seed", "1")
    assert [each.get("mpid") for each in replayed.lines()] == [first, first, first, None, None]
    erased = program("erase", "--customer-id", "c1", "--dry-run", "--json").json()
    assert ("recording", str(program.folder / "day.jsonl")) in {
        (each["kind"], each["path"]) for each in erased["files"]
    }


def test_a_replay_of_a_record_finds_the_duplicates_that_the_server_found(program: Program) -> None:
    """The IDs of an application's batches are counted apart from those of servers (section 9)."""
    server, sent = basic("web-key", "top-secret"), []

    def send(path: str, its_id: object, number: int, headers: dict[str, str]) -> None:
        sent.append(number)
        batch = {"source_request_id": its_id, "user_identities": {"email": f"e{number}"}}
        running("POST", path, json.dumps(batch).encode(), headers)

    with serving(program, "--record", "day.jsonl") as running:
        for its_id in ("a", "b", "a", "", None, "x" * 300, 5):
            send("/v2/events", its_id, len(sent), server)
            send("/v3/JS/web-key/events", its_id, len(sent), {})
            send("/v3/JS/web-key/events", its_id, len(sent), {})
    recorded = [
        json.loads(line) for line in (program.folder / "day.jsonl").read_text().splitlines()
    ]
    assert len(recorded) == len(sent)
    answers = program(
        "replay", "day.jsonl", "--store", "again.db", "--map-mpids", "--output", "-"
    ).lines()
    mpids: dict[str, str] = {}
    for line, answer in zip(recorded, answers, strict=True):
        response = line["response"]
        if "error" in response:
            assert response["error"] == answer["errors"][0]["code"]
        else:
            assert mpids.setdefault(response["mpid"], answer["mpid"]) == answer["mpid"]
    statuses = [each["status"] for each in answers]
    wanted = ["created", "created", "duplicate"]
    assert statuses == [*wanted * 2, *["duplicate"] * 3, *["created"] * 6, *["error"] * 6]
    assert len(set(mpids.values())) == len(mpids) == 10


def test_what_was_refused_for_who_asked_is_not_recorded(program: Program) -> None:
    """Nobody asks for an application in a replay: it would take what the server kept."""
    server = basic("web-key", "top-secret")
    with serving(program, "--record", "day.jsonl") as running:
        victim = {"known_identities": {"customerid": "c1"}}
        running("POST", "/v1/identify", victim, server)
        other = running("POST", "/v1/identify", visit(2), KEY).json()["mpid"]
        reply = running("POST", f"/v1/{other}/modify", victim, KEY)
        assert (reply.status, reply.code) == (400, "LOOKUP_ERROR")
        assert running("POST", "/v1/5/modify", victim, KEY).status == 400
        running.stop()
    text = (program.folder / "day.jsonl").read_text()
    kinds = [json.loads(line)["type"] for line in text.splitlines()]
    assert kinds == ["identify", "identify", "modify"]
    replayed = program("replay", "day.jsonl", "--store", "new.db", "--seed", "1")
    assert replayed.status == 1  # the profile 5 is not there
    assert kept(program, "new.db") == kept(program, "idsync.db")


def kept(program: Program, store: str) -> list[object]:
    """Who holds what in a store, times apart."""
    return [
        (each["mpid"], each["known"], each["identities"])
        for each in program("profiles", "--json", "--store", store).lines()
    ]


def test_a_packed_recording_stays_packed_and_is_replayed_with_other_mpids(
    program: Program,
) -> None:
    for name in ("day.jsonl.gz", "day.jsonl"):
        with serving(program, "--record", name) as running:
            first = running("POST", "/v1/identify", visit(1), KEY).json()["mpid"]
            change = {"known_identities": {"email": f"{name}@b.c"}}
            running("POST", f"/v1/{first}/modify", change, KEY)
            running.stop()
        path = program.folder / name
        assert path.read_bytes().startswith(b"\x1f\x8b")
        with gzip.open(path) as file:
            assert [json.loads(line)["response"]["mpid"] for line in file][-2:] == [first, first]
        path.rename(program.folder / "day.jsonl")  # from here on the name says something else
    new = ("--store", "new.db", "--seed", "9")
    replayed = program("replay", "day.jsonl", "--map-mpids", "--output", "-", *new)
    statuses = [each["status"] for each in replayed.lines()]
    assert statuses == ["created", "modified", "matched", "modified"]


def certificate_of(connection: HTTPSConnection) -> dict[str, object]:
    """What a certificate says that was checked."""
    assert isinstance(connection.sock, ssl.SSLSocket)
    found = connection.sock.getpeercert()
    assert found
    return dict(found)


def test_an_own_certificate_is_made_and_its_key_is_nowhere(program: Program) -> None:
    with serving(program, "--tls") as running:
        authority = program.folder / "idsync.db.ca.pem"
        context = ssl.create_default_context(cafile=str(authority))
        connection = HTTPSConnection("localhost", running.port, timeout=20, context=context)
        connection.request("POST", "/v1/identify", visit(1), KEY)
        assert connection.getresponse().status == 200
        told = certificate_of(connection)
        connection.close()
        good = [ssl.cert_time_to_seconds(str(told[each])) for each in ("notBefore", "notAfter")]
        assert good[0] < time.time() < good[1]
        assert good[1] - good[0] < 825 * 86_400  # or iOS does not trust it
        assert not [
            name for name, each in program.files().items() if b"PRIVATE KEY" in (each or b"")
        ]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--port", "70000"), ("--port 70000", "65535")),
        (("--host", "no.such.host.invalid"), ("no.such.host.invalid", "--host")),
        (("--tls-cert", "a.pem"), ("--tls-key",)),
        (("--tls-cert", "a.pem", "--tls-key", "b.pem"), ("a.pem", "cannot be read")),
        (("--tls-cert", "idsync.yaml", "--tls-key", "idsync.yaml"), ("PEM",)),
        (("--max-age", "-1"), ("--max-age -1",)),
        (("--dsr-delay", "-1"), ("--dsr-delay -1", "seconds")),
        (("--dsr-delay", "999999999"), ("--dsr-delay 999999999", "seconds")),
        (("--record", "idsync.db"), ("--record", "idsync.db")),
        (("--record", "idsync.yaml"), ("--record", "the configuration")),
    ],
)
def test_what_cannot_be_served_is_told_in_a_line(
    program: Program, arguments: tuple[str, ...], words: tuple[str, ...]
) -> None:
    assert_refused(program.process("serve", *arguments), 2, *words)


def test_a_port_in_use_is_told(program: Program) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        outcome = program.process("serve", "--port", port)
    assert_refused(outcome, 2, f"cannot listen on '127.0.0.1', port {port}: Address already in use")
    assert outcome.stderr.endswith("--port (--port 0 picks a free one)\n")
    assert outcome.stderr.count(port) == 1


def test_a_secret_from_the_environment_must_be_there(program: Program) -> None:
    program.write("idsync.yaml", CONFIG.replace("api_secret: top-secret", "api_secret_env: SHOP"))
    assert_refused(program.process("serve", "--port", "0"), 2, "'SHOP'", "'web'")
    with serving(program, environment={"SHOP": "from-outside"}) as running:
        assert (
            running("POST", "/v1/identify", visit(1), basic("web-key", "from-outside")).status
            == 200
        )


def test_without_the_extra_it_says_what_to_install(program: Program) -> None:
    blocked = program.write("blocked/sitecustomize.py", "import sys; sys.modules['uvicorn'] = None")
    process = program.start("serve", environment={"PYTHONPATH": os.pathsep.join(
        [str(blocked.parent), *sys.path]
    )})  # fmt: skip
    assert_refused(ended(process), 2, "uvicorn", "pip install 'idsync[serve]'")


def test_a_rate_is_kept(server: Server) -> None:
    replies = [server("POST", "/v1/identify", visit(1), {"x-mp-key": "slow-key"}) for _ in range(5)]
    refused = [each for each in replies if each.status == 429]
    assert refused
    assert all(each.headers["retry-after"].isdigit() for each in refused)
    assert {each.code for each in refused} == {"TOO_MANY_REQUESTS"}
    assert server("POST", "/v1/identify", visit(1), KEY).status == 200


@pytest.mark.parametrize(
    ("body", "headers", "wanted"),
    [
        (b"", {}, 400),
        (b"{", {}, 400),
        (b"[]", {}, 400),
        (b"null", {}, 400),
        (b'"text"', {}, 400),
        (b'{"known_identities": []}', {}, 400),
        (b'{"known_identities": {"email": 5}}', {}, 400),
        (b'{"known_identities": {"email": "\xff"}}', {}, 400),
        (b"[" * 200_000, {}, 400),
        (b"{" + b" " * 300_000 + b"}", {}, 413),
        (gzip.compress(b" " * 50_000_000, mtime=0), {"content-encoding": "gzip"}, 413),
        (gzip.compress(visit(1), mtime=0)[:-3], {"content-encoding": "gzip"}, 400),
        (gzip.compress(visit(1), mtime=0) + b"more", {"content-encoding": "gzip"}, 400),
        (visit(1), {"content-encoding": "gzip"}, 400),
        (visit(1), {"content-encoding": "br"}, 400),
        (visit(1), {"content-type": "application/x-www-form-urlencoded"}, 400),
        (visit(1), {"content-type": "image/png"}, 400),
        (gzip.compress(visit(1), mtime=0), {"content-encoding": "gzip"}, 200),
        (visit(1), {"content-type": "text/plain;charset=UTF-8"}, 200),
        (b'{"known_identities": {"email": 1e400}}', {}, 400),
        (b'{"known_identities": {"email": "a", "email": "b"}}', {}, 400),
    ],
)
def test_a_bad_body_is_an_error_of_the_documented_form(
    server: Server, body: bytes, headers: dict[str, str], wanted: int
) -> None:
    reply = server("POST", "/v1/identify", body, {**KEY, **headers})
    assert reply.status == wanted
    if wanted != 200:
        error = reply.json()
        assert error["Errors"] == error["errors"]
        assert {"code", "message"} == set(error["Errors"][0])
        assert error["StatusCode"] == wanted
        assert "Traceback" not in reply.body.decode()
    assert server("POST", "/v1/identify", visit(1), KEY).status == 200


@pytest.mark.parametrize(
    ("method", "path", "wanted"),
    [
        ("GET", "/v1/identify", 405), ("PUT", "/v1/identify", 405), ("DELETE", "/healthz", 405),
        ("POST", "/v1/unknown", 404), ("GET", "/none", 404), ("POST", "/v1/identify/", 404),
        ("POST", "//v1/identify", 404), ("POST", "/v1/../v1/identify", 404),
        ("POST", "/v1/%2e%2e/identify", 404), ("POST", "/v1/x/modify", 400),
        ("POST", "/v1/0/modify", 400), ("POST", "/v1/%00/modify", 400),
        ("POST", "/identity/identity/v1/identify", 404),
    ],
)  # fmt: skip
def test_paths_and_methods_that_are_none(
    server: Server, method: str, path: str, wanted: int
) -> None:
    reply = server(method, path, b"{}", KEY)
    assert reply.status == wanted
    assert reply.json()["StatusCode"] == wanted
    assert reply.headers["access-control-allow-origin"] == "*"


def test_a_preflight_is_answered(server: Server) -> None:
    asked = {"Origin": "https://shop.example", "Access-Control-Request-Headers": "x-mp-key"}
    reply = server("OPTIONS", "/identity/v1/identify", b"", asked)
    assert reply.status == 204
    assert reply.headers["access-control-allow-methods"] == "GET, POST"
    assert "x-mp-key" in reply.headers["access-control-allow-headers"]
    assert reply.headers["access-control-expose-headers"] == "X-MP-Max-Age"


def test_only_allowed_origins_may_read_where_they_are_named(program: Program) -> None:
    with serving(program, "--allow-origin", "https://shop.example") as running:
        assert b"access-control-allow-origin" not in raw(running, b"nonsense\r\n\r\n").lower()
        for origin, wanted in (
            ("https://shop.example", "https://shop.example"),
            ("https://x", None),
        ):
            reply = running("POST", "/v1/identify", visit(1), {**KEY, "Origin": origin})
            assert reply.headers.get("access-control-allow-origin") == wanted
            assert reply.headers["vary"] == "Origin"


@pytest.mark.parametrize(
    ("given", "way_out"),
    [
        ("foo", "such as https://shop.example.com"),
        ("", "such as https://"),
        ("*", "such as https://"),
        ("shop.example", "such as https://"),
        ("https://", "such as https://"),
        ("https://müller.example", "such as https://"),
        ("https://a b", "such as https://"),
        ("https://shop.example/", "give https://shop.example\n"),
        ("https://Shop.example/page?q", "give https://shop.example\n"),
        ("https://shop.example:443", "give https://shop.example\n"),
        ("http://shop.example:443/", "give http://shop.example:443\n"),
    ],
)
def test_what_is_no_origin_is_told_before_anything_listens(
    program: Program, given: str, way_out: str
) -> None:
    outcome = program.process("serve", "--port", "0", "--allow-origin", given)
    assert_refused(outcome, 2, "--allow-origin", "is not an origin", way_out)


@pytest.mark.parametrize(
    "given", ["null", "http://localhost:3000", "http://[::1]:8080", "capacitor://localhost"]
)
def test_what_browsers_send_is_an_origin(given: str) -> None:
    check_origin("--allow-origin", given)
    name = b"access-control-allow-origin"
    assert (name, given.encode()) in Cors((given,)).headers_for(given.encode())
    assert name not in dict(Cors((given,)).headers_for(b"https://other.example"))


def test_the_sdks_get_what_lets_them_start(server: Server) -> None:
    native = server("GET", "/config/v4/web-key/config?av=1.0")
    assert (native.status, native.json()["dt"], native.json()["flags"]) == (200, "ac", {})
    again = server("GET", "/v4/web-key/config", b"", {"if-none-match": native.headers["etag"]})
    assert (again.status, again.body) == (304, b"")
    assert server("GET", "/tags/JS/v2/web-key/config?env=1").json() == {}
    assert server("POST", "/webevents/v2/JS/web-key/Forwarding", b"[]").status == 202
    assert server("GET", "/healthz").json() == {"status": "ok"}


def test_many_connections_that_say_nothing_keep_nobody_else_out(server: Server) -> None:
    with ExitStack() as stack:
        for number in range(600):
            silent = stack.enter_context(socket.create_connection((server.host, server.port)))
            if number % 3 == 0:
                silent.sendall(b"POST /v1/identify HTTP/1.1\r\nHost: x\r\n")
            elif number % 3 == 1:
                silent.sendall(
                    b"POST /v1/identify HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n{"
                )
        assert server("POST", "/v1/identify", visit(1), KEY).status == 200


def test_nothing_that_was_answered_is_lost_when_the_process_is_killed(program: Program) -> None:
    with serving(program) as running, ThreadPoolExecutor(16) as pool:
        answered: list[tuple[int, str]] = []

        def ask(worker: int) -> None:
            with closing(HTTPConnection(running.host, running.port, timeout=20)) as connection:
                for number in range(10_000):
                    its = worker * 10_000 + number
                    try:
                        connection.request("POST", "/v1/identify", visit(its), KEY)
                        response = connection.getresponse().read()
                        answered.append((its, json.loads(response)["mpid"]))
                    except (OSError, HTTPException, ValueError):
                        return

        asking = [pool.submit(ask, worker) for worker in range(16)]
        while len(answered) < 300:
            assert not any(each.done() for each in asking)
            time.sleep(0.01)
        running.process.kill()
        for each in asking:
            each.result()
    held = {
        profile["identities"]["device_application_stamp"][0]: profile["mpid"]
        for profile in program("export").lines()
    }
    assert len(answered) >= 300
    assert all(held[f"d{number}"] == mpid for number, mpid in answered)
    assert program("doctor").status == 0
