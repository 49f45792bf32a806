"""OpenDSR over HTTP: accepted, carried out when due, and what is told of it (section 10)."""

import io
import json
import sqlite3
import time
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import pytest

from idsync_cli.erasure.requests import RESULTS_MS, is_over
from idsync_cli.store.sqlite.erasing.subject_requests import SubjectRequestRow
from idsync_cli.store.sqlite.lifecycle.again import erasures_of
from idsync_cli.store.sqlite.rows.checksums import checksum
from idsync_cli.store.sqlite.schema.erasure_tables import SUBJECT_REQUESTS
from tests.http_api import Json, Reply, Server, basic, serving
from tests.program import Program, assert_refused, mpid_of

CONFIG = """\
scopes:
  consumers:
    strategy: profile_conversion
    priority: [customer_id, email, ios_idfv, device_application_stamp]
    identities: {customer_id: {login: true, unique: true}}
accounts:
  main:
    workspaces:
      web: {scope: consumers, api_key: web-key, api_secret: sesame, key_only: true,
            admin_key: adm, admin_secret: word}
      ios: {scope: consumers, api_key: ios-key, key_only: true,
            admin_key: boss, admin_secret: whip}
"""
ADMIN, OTHER = basic("adm", "word"), basic("boss", "whip")
USER = mpid_of(1, 1)

NOBODYS = "1418b028-ade5-489e-aaeb-b217d3ba2bd7"
"""The ID of a request that nobody made."""


def with_users(program: Program, number: int = 4) -> Program:
    """Users c1, c2, …, each with an event; the first one's MPID is USER."""
    program.write("idsync.yaml", CONFIG)
    program.make_store()
    event = {"event_type": "custom_event", "data": {"event_name": "hello"}}
    answers = program.answers(
        *(
            {
                "type": "batch", "events": [event],
                "user_identities": {"customer_id": f"c{each}", "email": f"e{each}@example.com"},
            }
            for each in range(1, number + 1)
        )
    )  # fmt: skip
    assert [each["status"] for each in answers] == ["created"] * number
    return program


def wanted(kind: str, customer: str = "c1", **more: object) -> Json:
    identity = {"controller_customer_id": {"value": customer, "encoding": "raw"}}
    return {
        "regulation": "gdpr", "subject_request_id": str(uuid4()), "subject_request_type": kind,
        "submitted_time": "2026-10-02T15:00:00Z", "subject_identities": identity,
        "api_version": "3.0", "status_callback_urls": ["https://example.com/callback"], **more,
    }  # fmt: skip


def by_mpid(kind: str, mpid: str) -> Json:
    extension = {"subject_identities": {"mpid": {"value": mpid, "encoding": "raw"}}}
    body = wanted(kind, extensions={"opendsr.mparticle.com": extension})
    del body["subject_identities"]
    return body


def send(server: Server, body: object, headers: Json = ADMIN) -> Reply:
    return server("POST", "/v3/requests", body, {**headers, "content-type": "application/json"})


def status_of(server: Server, its_id: str, headers: Json = ADMIN) -> Reply:
    return server("GET", f"/v3/requests/{its_id}", b"", headers)


def completed(server: Server, its_id: str, headers: Json = ADMIN) -> Json:
    """What is told of a request, once it is completed."""
    for _ in range(200):
        told: Json = status_of(server, its_id, headers).json()
        if told["request_status"] == "completed":
            return told
        assert told["request_status"] in ("pending", "in_progress")
        time.sleep(0.05)
    raise AssertionError(told)


def carried_out(server: Server, body: Json) -> Json:
    assert send(server, body).status == 201
    return completed(server, body["subject_request_id"])


def results(server: Server, its_id: str, headers: Json = ADMIN) -> Reply:
    return server("GET", f"/v3/requests/{its_id}/results", b"", headers)


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return with_users(Program(tmp_path))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(with_users(Program(tmp_path_factory.mktemp("dsr")), 12)) as running:
        yield running


# ---- Accepted


def test_a_request_is_accepted_and_no_identity_given_back(server: Server) -> None:
    body = wanted("access", "c2")
    for path in ("/v3/requests", "/v3/requests/"):
        body = wanted("access", "c2")
        reply = server("POST", path, body, {**ADMIN, "content-type": "application/json"})
        assert reply.status == 201
        told = reply.json()
        assert told["subject_request_id"] == body["subject_request_id"]
        assert told["controller_id"] == "web"
        assert told["received_time"] == told["expected_completion_time"]
        assert told["encoded_request"] == ""
        assert b"c2" not in reply.body.replace(body["subject_request_id"].encode(), b"")
        completed(server, body["subject_request_id"])


def test_only_the_mpid_is_kept_of_whom_it_names(program: Program) -> None:
    by_identity = wanted("access", "c3")
    by_identity["subject_identities"] |= {
        "ios_vendor_id": {"value": "a-device-nobody-has", "encoding": "raw"}
    }
    with serving(program) as running:
        carried_out(running, by_identity)
        running.stop()
    assert b"a-device-nobody-has" not in b"".join(
        each or b"" for name, each in program.files().items() if name.startswith("idsync.db")
    )


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"subject_request_id": "5"}, "must be a UUID"),
        ({"regulation": "none"}, "regulation is 'none'"),
        ({"subject_request_type": None}, "no subject_request_type"),
        ({"submitted_time": "yesterday"}, "submitted_time"),
        ({"subject_identities": {}}, "name at least one identity"),
        ({"subject_identities": [{"identity_type": "email"}]}, "earlier versions of OpenDSR"),
        ({"subject_identities": {"emaill": {"value": "x"}}}, "unknown identity type 'emaill'"),
        ({"group_id": 5}, "group_id is '5', but must be text"),
        ({"api_version": "2.0"}, "must be 3.0"),
        ({"extensions": 5}, "not an object"),
    ],
)
def test_a_wrong_request_is_told_all_that_is_wrong(
    server: Server, changed: Json, words: str
) -> None:
    reply = send(server, {**wanted("erasure"), **changed})
    assert reply.status == 400
    body = reply.json()
    assert body["code"] == 400
    assert words in body["message"]
    [error] = body["errors"]
    assert {
        "domain": "Validation",
        "reason": "BAD_REQUEST",
        "message": body["message"],
    }.items() <= (error.items())
    assert body["Errors"] == body["errors"]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"5", b"[" * 100_000])
def test_what_is_no_request(server: Server, body: bytes) -> None:
    assert send(server, body).status == 400


def test_an_mpid_stands_alone(server: Server) -> None:
    body = by_mpid("access", USER)
    body["subject_identities"] = {"email": {"value": "x", "encoding": "raw"}}
    assert "give it alone" in send(server, body).json()["message"]
    assert carried_out(server, by_mpid("access", USER))["results_url"]


def test_one_that_fits_two_is_refused(server: Server) -> None:
    for _ in range(2):
        device = {"known_identities": {"ios_idfv": "shared"}}
        assert server("POST", "/v1/logout", device, {"x-mp-key": "web-key"}).status == 200
    shared = {"ios_vendor_id": {"value": "shared", "encoding": "raw"}}
    reply = send(server, {**wanted("erasure"), "subject_identities": shared})
    assert reply.status == 400
    assert reply.json()["message"].startswith("AMBIGUOUS: ")


def test_a_workspace_uses_an_id_once(server: Server) -> None:
    body = wanted("access", "c4")
    assert send(server, body).status == 201
    for again in (body, {**body, "subject_request_id": body["subject_request_id"].upper()}):
        reply = send(server, again)
        assert reply.status == 400
        assert "was already used" in reply.json()["message"]


def test_ids_tell_one_workspace_nothing_of_another(server: Server) -> None:
    """Both may use one, and each has its own request by it."""
    body = wanted("erasure", "c9")
    its_id = body["subject_request_id"]
    assert send(server, body).status == 201
    others = {**wanted("access", "c10"), "subject_request_id": its_id}
    assert send(server, others, OTHER).status == 201
    told = completed(server, its_id)
    assert (told["controller_id"], told["results_url"]) == ("web", None)
    told = completed(server, its_id, OTHER)
    assert told["controller_id"] == "ios"
    assert told["results_url"]
    assert results(server, its_id, OTHER).status == 200
    assert results(server, its_id).status == 404


def test_the_command_line_uses_no_id_of_any_workspace(program: Program) -> None:
    body = wanted("access", "c1")
    with serving(program) as running:
        carried_out(running, body)
        running.stop()
    program.write("request.json", json.dumps(body))
    assert_refused(program("erase", "--dsr", "request.json", "--output", "out"), 2, "already used")


def test_a_store_of_schema_7_keeps_its_requests_when_it_is_brought_up_to_date(
    program: Program,
) -> None:
    """A row that was damaged stays so, for doctor."""
    body = wanted("access", "c1")
    with serving(program) as running:
        carried_out(running, body)
        running.stop()
    path = program.folder / "idsync.db"
    rows = [("of-nobody", "access", "done", 1, 1, None, 0, None, None)]
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        rows += connection.execute("SELECT * FROM subject_requests").fetchall()
        table = SUBJECT_REQUESTS.replace("workspace TEXT NOT NULL", "workspace TEXT").replace(
            "PRIMARY KEY (workspace, subject_request_id)", "PRIMARY KEY (subject_request_id)"
        )
        for statement in (
            "DROP TABLE subject_requests", table, "PRAGMA user_version = 7",
            "DELETE FROM _sqlite_migrations WHERE name = 'm008_ids_of_workspaces'",
        ):  # fmt: skip
            connection.execute(statement)
        connection.executemany(
            "INSERT INTO subject_requests VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [(*row[:9], checksum(*row[:9])) for row in rows],
        )
        connection.execute(
            "INSERT INTO subject_requests VALUES ('spoilt', 'access', 'done', 1, 1, NULL, 0, NULL,"
            " NULL, 5)"
        )
    assert len(erasures_of(path).requests) == 3
    outcome = program("init")
    assert "was upgraded" in outcome.stderr
    told = program("doctor", "--json").json()["findings"]
    assert any("spoilt" in json.dumps(each) for each in told), told
    assert not any(body["subject_request_id"] in json.dumps(each) for each in told), told
    with serving(program) as running:
        assert completed(running, body["subject_request_id"])["controller_id"] == "web"


# ---- Credentials


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v3/requests"), ("GET", "/v3/requests?group_id=g"),
        ("GET", f"/v3/requests/{NOBODYS}"), ("DELETE", f"/v3/requests/{NOBODYS}"),
        ("GET", f"/v3/requests/{NOBODYS}/results"), ("GET", "/v3/discovery"),
    ],
)  # fmt: skip
def test_only_the_pair_of_administration_opens_it(server: Server, method: str, path: str) -> None:
    for headers in (
        {}, {"x-mp-key": "web-key"}, basic("web-key", "sesame"), basic("adm", "whip"),
        basic("nobody", "word"), {"authorization": "Bearer x"},
    ):  # fmt: skip
        reply = server(method, path, wanted("erasure"), headers)
        assert (reply.status, reply.body) == (401, b"")


def test_where_no_workspace_has_a_pair_there_are_no_such_routes(program: Program) -> None:
    plain = CONFIG.replace("admin_key: adm, admin_secret: word", "").replace(
        "admin_key: boss, admin_secret: whip", ""
    )
    program.write("idsync.yaml", plain)
    with serving(program) as running:
        for headers in ({}, ADMIN):
            assert send(running, wanted("erasure"), headers).status == 404


def test_what_another_workspace_asked_is_not_there(server: Server) -> None:
    body = wanted("access", "c5", group_id="ours")
    assert send(server, body).status == 201
    its_id = body["subject_request_id"]
    completed(server, its_id)
    for reply in (
        status_of(server, its_id, OTHER),
        results(server, its_id, OTHER),
        server("DELETE", f"/v3/requests/{its_id}", b"", OTHER),
        status_of(server, str(uuid4())),
        status_of(server, "nonsense"),
    ):
        assert (reply.status, reply.json()["code"]) == (404, 404)
    assert server("GET", "/v3/requests?group_id=ours", b"", OTHER).json() == []
    [told] = server("GET", "/v3/requests?group_id=ours", b"", ADMIN).json()
    assert told == status_of(server, its_id.upper()).json()
    assert server("GET", "/v3/requests", b"", ADMIN).status == 400


# ---- Carried out


def test_an_erasure_leaves_no_byte_and_the_mpid_stays_taken(program: Program) -> None:
    body = wanted("erasure")
    with serving(program, "--record", "day.jsonl") as running:
        told = carried_out(running, body)
        assert told["results_url"] is None
        assert results(running, body["subject_request_id"]).status == 404
        again = {**wanted("erasure"), "subject_request_id": body["subject_request_id"]}
        assert send(running, again).status == 400
        running.stop()
    store = b"".join(
        each or b"" for name, each in program.files().items() if name.startswith("idsync.db")
    )
    assert b"e1@example.com" not in store
    assert b"e2@example.com" in store
    assert program("profile", "show", "--mpid", USER).status == 1
    assert program("doctor").status == 0
    [line] = map(json.loads, (program.folder / "day.jsonl").read_text().splitlines())
    assert line == {
        "type": "erase", "scope": "consumers", "mpid": USER,
        "request_id": body["subject_request_id"], "response": {"mpid": USER},
    }  # fmt: skip


def test_results_are_an_archive_and_gone_with_an_erasure(server: Server) -> None:
    body = wanted("portability", "c6")
    told = carried_out(server, body)
    its_id = body["subject_request_id"]
    path = f"/v3/requests/{its_id}/results"
    assert told["results_url"] == f"http://{server.host}:{server.port}{path}"
    reply = results(server, its_id)
    assert (reply.status, reply.headers["content-type"]) == (200, "application/zip")
    with zipfile.ZipFile(io.BytesIO(reply.body)) as archive:
        assert archive.namelist() == ["profile.jsonl", "batches.jsonl"]
        [profile] = map(json.loads, archive.read("profile.jsonl").splitlines())
        [batch] = map(json.loads, archive.read("batches.jsonl").splitlines())
    assert profile["identities"]["email"] == ["e6@example.com"]
    assert batch["events"][0]["data"]["event_name"] == "hello"
    carried_out(server, wanted("erasure", "c6"))
    assert results(server, its_id).status == 410
    assert completed(server, its_id)["request_status"] == "completed"


def test_access_that_fits_nobody_has_no_results(server: Server) -> None:
    for body in (wanted("access", "nobody"), by_mpid("access", "5")):
        assert carried_out(server, body)["results_url"] is None
        assert results(server, body["subject_request_id"]).status == 404


def test_an_erasure_that_fits_nobody_is_completed(server: Server) -> None:
    for body in (wanted("erasure", "nobody"), by_mpid("erasure", "5")):
        assert carried_out(server, body)["request_status"] == "completed"


def test_a_known_profile_is_not_found_without_its_login_id(server: Server) -> None:
    email = {"email": {"value": "e7@example.com", "encoding": "raw"}}
    carried_out(server, {**wanted("erasure"), "subject_identities": email})
    found = server(
        "POST", "/v1/search", {"known_identities": {"customerid": "c7"}}, {"x-mp-key": "web-key"}
    )
    assert found.status == 200


# ---- Pending


def test_a_pending_request_can_be_cancelled_and_is_told_to_be_under_way(program: Program) -> None:
    with serving(program, "--dsr-delay", "3600") as running:
        body = wanted("erasure", "c2", group_id="g")
        accepted = send(running, body).json()
        assert accepted["received_time"] < accepted["expected_completion_time"]
        its_id = body["subject_request_id"]
        told = status_of(running, its_id).json()
        assert told == {
            "controller_id": "web", "subject_request_id": its_id, "group_id": "g",
            "request_status": "pending", "api_version": "3.0", "results_url": None,
            "expected_completion_time": accepted["expected_completion_time"], "extensions": None,
        }  # fmt: skip
        again = send(running, wanted("erasure", "c2"))
        assert (again.status, again.json()["code"]) == (409, 409)
        assert send(running, wanted("access", "c2")).status == 201
        assert send(running, wanted("erasure", "c2"), OTHER).status == 201  # not the same asker
        assert results(running, its_id).status == 404
        cancelled = running("DELETE", f"/v3/requests/{its_id}", b"", ADMIN)
        assert cancelled.status == 202
        assert cancelled.json().items() >= {
            "expected_completion_time": None, "subject_request_id": its_id, "controller_id": "web",
        }.items()  # fmt: skip
        told = status_of(running, its_id).json()
        assert (told["request_status"], told["expected_completion_time"]) == ("cancelled", None)
        assert running("DELETE", f"/v3/requests/{its_id}", b"", ADMIN).status == 400
        assert send(running, body).status == 400  # the id stays used
        assert send(running, wanted("erasure", "c2")).status == 201


def test_what_was_accepted_is_carried_out_by_the_next_server(program: Program) -> None:
    body, other = wanted("erasure", "c1"), wanted("erasure", "c2")
    with serving(program, "--dsr-delay", "4") as running:
        assert send(running, body).status == 201
        assert send(running, other).status == 201
        deleted = running("DELETE", f"/v3/requests/{other['subject_request_id']}", b"", ADMIN)
        assert deleted.status == 202
        running.process.kill()
    assert program("profile", "show", "--mpid", USER).status == 0
    with serving(program) as running:
        completed(running, body["subject_request_id"])
    assert program("profile", "show", "--mpid", USER).status == 1
    assert program("profile", "show", "--mpid", mpid_of(1, 2)).status == 0


def test_a_server_that_is_stopped_finishes_what_it_began_and_records_it(program: Program) -> None:
    body = wanted("erasure")
    with serving(program, "--record", "day.jsonl") as running:
        assert send(running, body).status == 201
        status, said = running.stop()
    assert (status, "bug" in said) == (0, False)
    is_erased = program("profile", "show", "--mpid", USER).status == 1
    recorded = (program.folder / "day.jsonl").read_text().splitlines()
    assert len(recorded) == int(is_erased)
    with serving(program) as running:
        completed(running, body["subject_request_id"])
    assert program("profile", "show", "--mpid", USER).status == 1


def test_one_whose_profile_was_erased_meanwhile_is_completed(program: Program) -> None:
    bodies = [wanted("erasure"), wanted("access")]
    with serving(program, "--dsr-delay", "4") as running:
        for body in bodies:
            assert send(running, body).status == 201
        assert program.process("erase", "--mpid", USER).status == 0
        for body in bodies:
            completed(running, body["subject_request_id"])
        assert results(running, bodies[1]["subject_request_id"]).status == 410
    assert program("doctor").status == 0


def test_it_is_in_progress_while_somebody_reads_what_was(program: Program) -> None:
    import sqlite3

    body = wanted("erasure")
    with serving(program) as running:
        reading = sqlite3.connect(program.folder / "idsync.db", isolation_level=None)
        reading.execute("BEGIN")
        reading.execute("SELECT count(*) FROM profiles").fetchone()
        assert send(running, body).status == 201
        for _ in range(400):
            told = status_of(running, body["subject_request_id"]).json()["request_status"]
            if told == "in_progress":
                break
            time.sleep(0.05)
        assert told == "in_progress"
        reading.close()
        completed(running, body["subject_request_id"])


def test_discovery_tells_what_is_understood(server: Server) -> None:
    for path in ("/v3/discovery", "/v3/discovery/"):
        told = server("GET", path, b"", ADMIN).json()
        assert told["api_version"] == "3.0"
        assert told["supported_subject_request_types"] == ["access", "portability", "erasure"]
        types = {
            each["identity_type"]: each["identity_format"] for each in told["supported_identities"]
        }
        assert types["controller_customer_id"] == types["mpid"] == "raw"


def test_results_are_given_for_seven_days() -> None:
    row = SubjectRequestRow("id", "access", "done", 0, 1_000, 5)
    assert not is_over(row, 1_000 + RESULTS_MS - 1)
    assert is_over(row, 1_000 + RESULTS_MS)
    assert is_over(row._replace(mpid=None), 1_000)  # erased since
    assert RESULTS_MS == 7 * 86_400_000


def test_a_restore_brings_back_no_request_that_was_cancelled_since(program: Program) -> None:
    """Nor does it lose one that was accepted since the backup."""
    before, after = wanted("erasure", "c1"), wanted("erasure", "c2")
    with serving(program, "--dsr-delay", "3600") as running:
        assert send(running, before).status == 201
        assert program.process("backup", "copy.db").status == 0
        its_id = before["subject_request_id"]
        assert running("DELETE", f"/v3/requests/{its_id}", b"", ADMIN).status == 202
        assert send(running, after).status == 201
        running.stop()
    assert program("restore", "copy.db").status == 0
    with serving(program, "--dsr-delay", "3600") as running:
        assert status_of(running, its_id).json()["request_status"] == "cancelled"
        told = status_of(running, after["subject_request_id"]).json()
        assert told["request_status"] == "pending"
    assert program("doctor").status == 0
