"""What the explorer tells its page: the JSON behind each view."""

import json
import re
import signal
import socket
import struct
import time
from collections.abc import Generator, Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from idsync_cli.server.explorer.routes import MOST_LISTENERS
from tests.console_blocks import ROOT
from tests.explored import CONFIG, KEY, STORY, Explored, exploring, words
from tests.http_api import Server, basic, serving
from tests.program import Program, assert_refused, ended


def a_program(folder: Path, seed: str = "1") -> Program:
    made = Program(folder)
    made.write("idsync.yaml", CONFIG)
    made.replay(*STORY, arguments=("--seed", seed))
    return made


@pytest.fixture(name="program", scope="module")
def the_program(tmp_path_factory: pytest.TempPathFactory) -> Program:
    return a_program(tmp_path_factory.mktemp("explored"))


@pytest.fixture(name="ask", scope="module")
def an_explorer(program: Program) -> Iterator[Explored]:
    with exploring(program) as running:
        yield running


@pytest.fixture(name="writes")
def one_that_writes(tmp_path: Path) -> Iterator[Explored]:
    with exploring(a_program(tmp_path), "--allow-writes") as running:
        yield running


def mpid_of(program: Program, customer: str) -> str:
    return str(program("search", "--customer-id", customer, "--json").json()["mpid"])


def test_the_first_view_takes_one_request(ask: Explored, program: Program) -> None:
    found = ask("overview").json()
    assert found["scopes"] == {
        "shop": ["customer_id", "email", "ios_idfv", "device_application_stamp"]
    }
    assert (found["may_write"], found["is_served"]) == (False, True)
    assert found["kinds"] == ["identify", "login", "logout", "search"]
    told = words(found["shown"])
    newest = [mpid_of(program, "XYZ789"), mpid_of(program, "ABC123")]
    assert sorted(told.index(each) for each in newest) == [told.index(each) for each in newest]


REQUEST = {"type": "identify", "known_identities": {"customer_id": "XYZ789", "ios_idfv": "9876"}}


def test_an_answer_is_what_the_command_tells(ask: Explored, program: Program) -> None:
    found = ask("ask", REQUEST).json()
    command = ("identify", "--customer-id", "XYZ789", "--idfv", "9876", "--dry-run", "--explain")
    assert found["answer"] == program(*command, "--json").json()
    told = words(found["shown"])
    for line in program(*command).stdout.splitlines():
        for word in re.findall(r"[\w]+", line):
            assert word in told
    assert found["dry_run"] is True


def test_nothing_is_written_unless_it_is_allowed(ask: Explored, program: Program) -> None:
    before = program("stats", "--json").json()["last_seq"]
    new = {"type": "login", "known_identities": {"customer_id": "NEW"}}
    assert ask("ask", new).json()["answer"]["status"] == "created"
    reply = ask("ask", new | {"dry_run": False})
    assert (reply.status, reply.json()["error"]["code"]) == (403, "READ_ONLY")
    assert "read-only" in reply.json()["error"]["message"]
    assert program("stats", "--json").json()["last_seq"] == before


def test_with_leave_a_request_is_carried_out_unless_it_is_a_dry_run(writes: Explored) -> None:
    new = {"type": "login", "known_identities": {"customer_id": "NEW"}}
    assert writes("ask", new).json()["dry_run"] is True
    search = {"type": "search", "known_identities": {"customer_id": "NEW"}}
    assert writes("ask", search).json()["answer"]["status"] == "not_found"
    made = writes("ask", new | {"dry_run": False}).json()
    assert (made["dry_run"], made["answer"]["status"]) == (False, "created")
    assert writes("ask", search).json()["answer"]["mpid"] == made["answer"]["mpid"]
    assert made["answer"]["tiers"]


@pytest.mark.parametrize("dry", [0, "", None, "false", [], 1])
def test_only_false_itself_carries_out_a_request(writes: Explored, dry: object) -> None:
    new = {"type": "login", "known_identities": {"customer_id": "NEW"}, "dry_run": dry}
    assert writes("ask", new).json()["dry_run"] is True


@pytest.mark.parametrize(
    "body",
    [
        {"type": "erase", "scope": "shop", "mpid": "1"},
        {"type": "modify", "mpid": "1", "known_identities": {}},
        {"type": "batch", "user_identities": {"email": "a"}},
        {"known_identities": {}},
        [],
        b"{",
        b"",
        b'{"type": "login", "type": "login"}',
    ],
)
def test_other_requests_are_not_asked(writes: Explored, body: object) -> None:
    reply = writes("ask", body)
    assert reply.status == 400
    assert reply.json()["error"]["message"]


def test_a_request_that_is_refused_says_why(ask: Explored) -> None:
    found = ask("ask", {"type": "identify", "known_identities": {}}).json()
    assert found["answer"]["errors"][0]["code"] == "NO_IDENTITIES"
    assert "NO_IDENTITIES" in words(found["shown"])


def test_a_search_that_finds_nobody_says_who_may_be_meant(ask: Explored) -> None:
    found = ask("ask", {"type": "search", "known_identities": {"email": "A@Example.com"}}).json()
    assert found["answer"]["status"] == "not_found"
    [meant] = found["meant"]
    assert "'a@example.com' is held, which differs only in letter case" in meant


def test_a_profile_is_told_as_the_commands_tell_it(ask: Explored, program: Program) -> None:
    mpid = mpid_of(program, "ABC123")
    found = ask(f"profile/{mpid}").json()
    assert (found["mpid"], found["scope"], found["held"]) == (mpid, "shop", 3)
    for view, command in (
        ([*found["shown"], *found["data"]], ("profile", "show", "--mpid", mpid)),
        (
            ask(f"profile/{mpid}/story").json()["shown"],
            ("profile", "show", "--mpid", mpid, "--story"),
        ),
    ):
        told = " ".join(words(view).split())
        for line in program(*command).stdout.splitlines():
            for word in re.findall(r"[\w@.]+", line):
                assert word in told, (word, command)
    assert "buyers" in words(found["comes_to"])
    assert "orders" in words(found["comes_to"])


def test_a_profile_that_is_not_there_says_so_and_which_may_be_meant(
    ask: Explored, program: Program
) -> None:
    found = ask("profile/5").json()
    assert words(found["not_there"]).strip() == "no profile has the MPID 5"
    mpid = int(mpid_of(program, "ABC123"))
    rounded = int(float(mpid))
    if rounded != mpid:
        assert str(mpid) in words(ask(f"profile/{rounded}").json()["not_there"])
    for name in ("x", "99999999999999999999", "1%2F2"):
        reply = ask(f"profile/{name}")
        assert reply.status in (400, 404)
        assert reply.json()["error"]["message"]


def test_a_profile_that_was_erased_is_told_as_such(writes: Explored, tmp_path: Path) -> None:
    program = Program(tmp_path)
    mpid = mpid_of(program, "XYZ789")
    assert program("erase", "--mpid", mpid).status == 0
    assert "was erased by request" in words(writes(f"profile/{mpid}").json()["not_there"])
    assert writes(f"profile/{mpid}/story").json()["shown"] == []


def test_two_configurations_decide_one_request(ask: Explored) -> None:
    other = CONFIG.replace("[customer_id, email, ios_idfv", "[ios_idfv, customer_id, email")
    found = ask("compare", REQUEST | {"configuration": other}).json()
    a, b = found["sides"]
    assert a["answer"] == ask("ask", REQUEST).json()["answer"]
    assert [each["tiers"][0]["identity_type"] for each in (a["answer"], b["answer"])] == [
        "customer_id",
        "ios_idfv",
    ]
    assert found["differ"] is True
    assert "≠" in words(a["shown"])
    same = ask("compare", REQUEST | {"configuration": CONFIG}).json()
    assert same["differ"] is False
    assert same["sides"][0] == same["sides"][1]


def test_other_login_types_are_told_by_the_other_configuration_too(ask: Explored) -> None:
    """The store is written for those of its own configuration."""
    other = CONFIG.replace("profile_link", "profile_conversion").replace(
        "{customer_id: {login: true, unique: true}}", "{ios_idfv: {login: true, unique: true}}"
    )
    asked = {"type": "search", "known_identities": {"ios_idfv": "9876"}}
    _, b = ask("compare", asked | {"configuration": other}).json()["sides"]
    assert b["answer"]["is_logged_in"] is True


def test_a_configuration_with_faults_shows_each_at_its_place(ask: Explored) -> None:
    wrong = CONFIG.replace("strategy:", "strategie:").replace("email", "emial")
    reply = ask("compare", REQUEST | {"configuration": wrong})
    assert reply.status == 400
    told = words(reply.json()["error"]["shown"])
    assert "did you mean 'strategy'" in told
    assert "did you mean 'email'" in told
    assert "^^^^^" in told
    for configuration in ("", "a: [", "scopes: {}", "- x", None, 5):
        reply = ask("compare", REQUEST | {"configuration": configuration})
        assert reply.status == 400


def test_the_configuration_is_told_in_sentences_and_without_secrets(
    ask: Explored, program: Program
) -> None:
    reply = ask("configuration")
    found = reply.json()
    assert found["configuration"] == program("config", "show", "--json").json()
    assert "there is an event 'purchase'" in words(found["shown"])
    assert "not-a-secret" not in reply.body.decode()
    assert "api_secret: xxxxxxxxxxxx" in found["text"]
    assert ask("compare", REQUEST | {"configuration": found["text"]}).status == 200


def test_lint_is_told_and_a_new_configuration_holds(tmp_path: Path) -> None:
    program = a_program(tmp_path)
    with exploring(program) as ask:
        assert ask("configuration").json()["warnings"] == []
        program.write("idsync.yaml", CONFIG.replace("{login: true, unique: true}", "{login: true}"))
        ask.server.process.send_signal(signal.SIGHUP)
        for _ in range(100):
            told = words(ask("configuration").json()["warnings"])
            if told:
                break
            time.sleep(0.05)
        assert told.split() == program("config", "lint").stdout.split()
        kinds = [
            (name, attributes["class"])
            for name, attributes, *_ in ask("configuration").json()["warnings"]
        ]
        assert ("div", "typed") in kinds  # the line with the caret, which no page may break
        assert "login: true}" in ask("configuration").json()["text"]


def test_audiences_are_counted_and_their_members_listed(ask: Explored, program: Program) -> None:
    found = ask("audiences").json()
    assert found["audiences"] == program("audience", "--json").lines()
    told = words(ask("members?scope=shop&name=buyers").json()["shown"])
    assert "1 member" in told
    assert mpid_of(program, "ABC123") in told
    reply = ask("members?scope=shop&name=buyer")
    assert (reply.status, "did you mean 'buyers'" in reply.body.decode()) == (400, True)


# ---- Live requests


def lived(ask: Explored, after: str = "", query: str = "") -> Generator[tuple[str, Any]]:
    """What the server sends of requests, with the id of each event."""
    connection = HTTPConnection(ask.server.host, ask.server.port, timeout=20)
    headers = {"x-idsync-token": ask.token} | ({"last-event-id": after} if after else {})
    connection.request("GET", f"/explorer/api/live{query}", headers=headers)
    response = connection.getresponse()
    assert response.headers["content-type"].startswith("text/event-stream")
    try:
        name = ""
        for line in response:
            if line.startswith(b"id: "):
                name = line[4:].decode().strip()
            if line.startswith(b"data: "):
                yield name, json.loads(line[6:])
    finally:
        response.close()
        connection.close()


def visit(number: int) -> bytes:
    return json.dumps({"known_identities": {"device_application_stamp": f"d{number}"}}).encode()


def test_a_page_that_is_closed_listens_no_more(writes: Explored) -> None:
    """More than may listen at once, one after another."""
    writes.server("POST", "/v1/identify", visit(1), KEY)
    for _ in range(MOST_LISTENERS + 4):
        events = lived(writes)
        assert next(events)[1][0]["type"] == "identify"
        events.close()


def test_live_requests_come_as_they_are_answered_each_with_its_explanation(
    writes: Explored,
) -> None:
    first = writes.server("POST", "/v1/identify", visit(1), KEY).json()["mpid"]
    writes.server("POST", "/v1/identify", visit(1), {"x-mp-key": "nobody"})
    events = lived(writes)
    _, found = next(events)
    assert [each["type"] for each in found] == ["identify", "identify"]
    assert (found[0]["mpid"], found[0]["status"], found[0]["decided"]) == (
        first,
        "created",
        "no_match",
    )
    assert (found[1]["status"], found[1]["code"], found[1]["http_status"]) == (
        "rejected",
        "credentials",
        401,
    )
    writes.server("POST", "/v1/login", visit(1), KEY)
    last, [new] = next(events)
    assert (new["type"], new["mpid"]) == ("login", first)
    shown = writes(f"live/{new['number']}").json()
    assert shown["answer"]["tiers"]
    assert "device_application_stamp" in words(shown["shown"])
    assert "401" in words(writes(f"live/{found[1]['number']}").json()["shown"])
    writes.server("POST", "/v1/search", visit(2), KEY)
    _, [after] = next(lived(writes, last))
    assert (after["type"], after["status"]) == ("search", "not_found")
    assert "d1" not in json.dumps([found, new, after])


def test_a_batch_that_is_refused_comes_once(writes: Explored) -> None:
    writes.server("POST", "/v3/JS/web-key/events", {"mpid": "5"}, KEY)
    writes.server("POST", "/v3/JS/web-key/events", {"mpid": {}}, KEY)
    _, found = next(lived(writes))
    assert [each["status"] for each in found] == ["error", "rejected"]


def test_the_last_hundred_are_kept(writes: Explored) -> None:
    for number in range(120):
        writes.server("POST", "/v1/identify", visit(number), KEY)
    name, found = next(lived(writes))
    assert (name, len(found)) == ("120", 100)
    assert [each["number"] for each in found] == list(range(21, 121))
    reply = writes("live/20")
    assert (reply.status, reply.json()["error"]["code"]) == (404, "NOT_KEPT")


def test_what_a_page_was_sent_is_explained_however_many_come_meanwhile(writes: Explored) -> None:
    writes.server("POST", "/v1/identify", visit(1), KEY)
    events = lived(writes, query="?page=one")
    last, found = next(events)
    assert [each["number"] for each in found] == [1]
    shown = writes("live/1?page=one").json()
    events.close()
    counts = lived(writes, last, query="?page=one&paused=true")
    assert next(counts) == ("1", 0)
    for number in range(150):
        writes.server("POST", "/v1/identify", visit(number), KEY)
    came = 0
    while came < 150:
        name, came = next(counts)
        assert name == "1"
    counts.close()
    assert writes("live/1").status == 404
    assert writes("live/1?page=other").status == 404
    assert writes("live/1?page=one").json() == shown
    name, found = next(lived(writes, last, query="?page=one"))
    assert (name, [each["number"] for each in found]) == ("151", list(range(52, 152)))
    assert writes("live/1?page=one").json() == shown
    for number in range(110):
        writes.server("POST", "/v1/identify", visit(number), KEY)
    assert len(next(lived(writes, name, query="?page=one"))[1]) == 100
    assert writes("live/1?page=one").status == 404, "it is long out of sight"


def test_of_many_pages_the_latest_are_kept(writes: Explored) -> None:
    writes.server("POST", "/v1/identify", visit(1), KEY)
    for page in range(MOST_LISTENERS + 1):
        events = lived(writes, query=f"?page={page}")
        next(events)
        events.close()
    for number in range(100):
        writes.server("POST", "/v1/identify", visit(number), KEY)
    assert writes("live/1?page=0").status == 404
    assert writes("live/1?page=1").status == 200


def test_an_erasure_has_them_forgotten(tmp_path: Path) -> None:
    program = Program(tmp_path)
    admin = "api_secret: not-a-secret, admin_key: boss, admin_secret: of-all,"
    program.write("idsync.yaml", CONFIG.replace("api_secret: not-a-secret,", admin))
    with exploring(program) as ask:
        ask.server("POST", "/v1/login", {"known_identities": {"customerid": "c1"}}, KEY)
        assert ask("live/1").status == 200
        listening, paused = lived(ask, query="?page=a"), lived(ask, query="?page=b&paused=true")
        assert [next(listening)[0], next(paused)[1]] == ["1", 1]
        assert ask("live/1?page=a").status == 200
        wanted = {
            "regulation": "gdpr",
            "subject_request_id": "a7551968-d5d6-44b2-9831-815ac9017798",
            "subject_request_type": "erasure",
            "submitted_time": "2024-03-01T12:00:00Z",
            "subject_identities": {
                "controller_customer_id": {"value": "c1", "encoding": "raw"},
            },
        }
        reply = ask.server("POST", "/v3/requests", wanted, basic("boss", "of-all"))
        assert reply.status == 201, reply.body
        for _ in range(100):
            if ask("live/1").status == 404:
                break
            time.sleep(0.05)
        assert ask("live/1").status == 404
        assert ask("live/1?page=a").status == 404
        assert next(listening) == next(paused) == ("1", None), "that pages forget them, too"
        assert next(paused) == ("1", 0)
        ask.server("POST", "/v1/identify", visit(3), KEY)
        assert [each["number"] for each in next(listening)[1]] == [2]
        assert next(paused) == ("1", 1)


def test_an_erasure_by_another_process_has_them_forgotten(tmp_path: Path) -> None:
    program = a_program(tmp_path)
    with exploring(program) as ask:
        ask.server("POST", "/v1/login", {"known_identities": {"customerid": "ABC123"}}, KEY)
        events = lived(ask, query="?page=a")
        assert next(events)[0] == "1"
        assert ask("live/1?page=a").status == 200
        assert program.process("erase", "--customer-id", "ABC123").status == 0
        assert ask("live/1?page=a").status == 404
        assert next(events) == ("1", None)


def test_the_server_ends_at_once_while_somebody_listens(program: Program) -> None:
    with exploring(program) as ask:
        ask.server("POST", "/v1/search", visit(1), KEY)
        events = lived(ask)
        next(events)
        began = time.monotonic()
        status, said = ask.server.stop()
        assert (status, time.monotonic() - began < 10) == (0, True)
        assert "stopped" in said
        assert list(events) == []


def test_no_more_than_a_few_may_listen(writes: Explored) -> None:
    writes.server("POST", "/v1/search", visit(1), KEY)
    listening = [lived(writes) for _ in range(16)]
    for each in listening:
        next(each)
    assert writes("live").status == 503
    for each in listening:
        each.close()


def live_request(ask: Explored, version: str = "1.1") -> bytes:
    token = f"Host: localhost\r\nx-idsync-token: {ask.token}\r\n\r\n"
    return f"GET /explorer/api/live HTTP/{version}\r\n{token}".encode()


def test_an_old_client_is_sent_no_chunks(writes: Explored) -> None:
    """HTTP/1.0 has none: the answer ends with the connection, which an end of the server ends."""
    with socket.create_connection((writes.server.host, writes.server.port), timeout=20) as old:
        old.sendall(live_request(writes, "1.0"))
        came = b""
        while b"listening" not in came:
            came += old.recv(65536)
        writes.server("POST", "/v1/search", visit(1), KEY)
        while b"]\n\n" not in came:
            piece = old.recv(65536)
            assert piece
            came += piece
    head, _, body = came.partition(b"\r\n\r\n")
    assert b"transfer-encoding" not in head.lower()
    assert b"connection: close" in head.lower()
    assert body.startswith(b": listening\n\nid: ")
    assert re.fullmatch(rb'.*\ndata: \[\{"number": .*\}\]\n\n', body, re.DOTALL)


def test_what_waits_behind_live_requests_goes_with_its_connection(tmp_path: Path) -> None:
    """It is never answered, nobody goes on listening for it, and the server ends at once."""
    visit_it = visit(7)
    behind = b"POST /v1/identify HTTP/1.1\r\nHost: x\r\nx-mp-key: web-key\r\n"
    behind += b"Content-Length: %d\r\n\r\n%b" % (len(visit_it), visit_it)
    program = a_program(tmp_path)
    with exploring(program) as ask:
        before = ask("overview").json()["store"]["last_seq"]
        for number in range(40):  # more than may listen at once
            address = ask.server.host, ask.server.port
            with socket.create_connection(address, timeout=20) as connection:
                connection.sendall(live_request(ask) + behind * 3)
                came = connection.recv(65536)
                assert came.startswith(b"HTTP/1.1 200 ")
                reset = struct.pack("ii", number % 2, 0)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
        assert ask("overview").json()["store"]["last_seq"] == before
        began = time.monotonic()
        status, said = ask.server.stop()
    assert (status, time.monotonic() - began < 10) == (0, True)
    assert "bug" not in said


# ---- The store


def test_a_store_that_is_replaced_is_told_by_what_every_answer_has(tmp_path: Path) -> None:
    program = a_program(tmp_path)
    assert program("backup", "before.db").status == 0
    with exploring(program, "--allow-writes") as ask:
        before = ask("overview").json()["store"]
        new = {"type": "login", "known_identities": {"customer_id": "NEW"}, "dry_run": False}
        assert ask("ask", new).json()["store"]["last_seq"] == before["last_seq"] + 1
        assert program("restore", "before.db").status == 0
        assert ask("overview").json()["store"] == before
        other = a_program(tmp_path / "other", seed="2")
        assert other("backup", "other.db").status == 0
        assert program("restore", "other/other.db").status == 0
        found = ask("overview").json()["store"]
        assert found["id"] != before["id"]


def test_a_store_that_is_gone_or_no_store_is_told_with_the_way_on(tmp_path: Path) -> None:
    program = a_program(tmp_path)
    store, kept = tmp_path / "idsync.db", tmp_path / "kept.db"
    with exploring(program) as ask:
        store.rename(kept)
        time.sleep(0.3)  # which is when it looks whether the store is still there
        for told in (ask("overview"), ask("profile/1"), ask("ask", REQUEST)):
            assert told.status == 503
            message = told.json()["error"]["message"]
            assert message.startswith("the store ")
            assert " is gone; " in message
            assert "start idsync with another store" in message
        assert "idsync.db" not in ask.server("POST", "/v1/search", visit(1), KEY).body.decode()
        store.write_bytes(b"no database" * 100)
        assert "not an idsync store" in ask("overview").json()["error"]["message"]
        kept.replace(store)
        assert ask("overview").status == 200


def test_explore_serves_the_page_without_the_api(program: Program) -> None:
    process = program.start("explore")
    try:
        assert process.stdout is not None
        assert b"on this machine only" in process.stdout.readline()
        address = process.stdout.readline().decode()
        found = re.search(r"http://127\.0\.0\.1:(\d+)/#token=([\w-]+)", address)
        assert found
        ask = Explored(Server(process, "127.0.0.1", int(found[1])), found[2])
        assert ask("overview").json()["is_served"] is False
        assert ask("ask", REQUEST).json()["answer"]["status"] == "matched"
        assert ask("ask", REQUEST | {"dry_run": False}).status == 403
        assert ask("live").status == 404
        assert ask.server("POST", "/v1/search", visit(1), KEY).status == 404
        assert ask.server("GET", "/openapi.json").status == 404
        assert ask.server.stop()[0] == 0
    finally:
        process.kill()
        process.communicate()


def test_explore_makes_no_store_and_needs_a_configuration(tmp_path: Path) -> None:
    program = Program(tmp_path)
    assert_refused(ended(program.start("explore")), 2, "idsync init")
    program.write("idsync.yaml", CONFIG)
    assert_refused(ended(program.start("explore")), 3, "there is no store")
    assert_refused(ended(program.start("explore", "--port", "99999")), 2, "--port 99999")
    assert sorted(program.files()) == ["idsync.yaml"]


def test_a_configuration_that_names_secrets_of_the_environment_is_explored_without(
    tmp_path: Path,
) -> None:
    program = a_program(tmp_path)
    program.write("idsync.yaml", CONFIG.replace("api_secret: ", "api_secret_env: "))
    process = program.start("explore")
    assert process.stdout is not None
    assert process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    assert ended(process).status == 0


def test_the_page_makes_every_part_of_a_graph_that_it_is_given(
    ask: Explored, program: Program
) -> None:
    mpid = program("search", "--customer-id", "ABC123", "--json").json()["mpid"]
    page = ROOT / "idsync_cli" / "server" / "explorer" / "page" / "draw.js"
    kept = re.search("ATTRIBUTES = /(.*)/;", page.read_text("utf-8"))
    assert kept
    parts = list(ask(f"profile/{mpid}/graph").json()["shown"])
    names = set()
    while parts:
        name, attributes, *content = parts.pop()
        names.add(name)
        assert [each for each in attributes if not re.fullmatch(kept[1], each)] == []
        parts += [each for each in content if isinstance(each, list)]
    assert {"path", "text", "input"} <= names


def test_a_profile_has_a_graph_of_its_neighbours(ask: Explored, program: Program) -> None:
    mpid = mpid_of(program, "ABC123")
    found = ask(f"profile/{mpid}/graph").json()
    assert found["graph"] == program("graph", mpid, "--json").json()
    assert mpid_of(program, "XYZ789") in words(found["shown"])
    assert ask("profile/5/graph").json()["shown"] == []


def test_every_answer_is_the_same_with_the_explorer_and_without(tmp_path: Path) -> None:
    asked = (
        ("login", {"customerid": "ABC123", "ios_idfv": "9876"}),
        ("identify", {"ios_idfv": "9876", "email": "a@example.com"}),
        ("login", {"customerid": "new", "ios_idfv": "9876"}),
        ("search", {"email": "nobody"}),
        ("search", {"customerid": "XYZ789"}),
        ("logout", {"ios_idfv": "9876"}),
        ("identify", {"nonsense": "x"}),
    )

    def answers(folder: Path, *options: str) -> list[tuple[int, bytes]]:
        with serving(a_program(folder), "--seed", "1", *options) as server:
            replies = [
                server("POST", f"/v1/{kind}", {"known_identities": its}, KEY) for kind, its in asked
            ]
        return [(each.status, re.sub(rb'"RequestId": "[^"]*"', b"", each.body)) for each in replies]

    with_it, without = tmp_path / "with", tmp_path / "without"
    with_it.mkdir()
    without.mkdir()
    found = answers(with_it)
    assert {status for status, _ in found} == {200, 400, 404}
    assert found == answers(without, "--no-explorer")
