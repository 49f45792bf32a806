"""No byte of what only an erased profile held is left: the files of a store are read as bytes."""

import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.program import Program, program_in_a_fresh_folder  # noqa: F401 - the fixture

RULES = """\
version: 1
scopes:
  consumers:
    strategy: profile_conversion
    priority: [customer_id, email, mobile_number, ios_idfv, device_application_stamp]
    identities:
      customer_id: {login: true, unique: true}
      mobile_number: {unique: true}
"""
MARK = "zq7"
"""Is in every value of who is to be erased, and in nothing else."""

CUSTOMER = f"{MARK}-customer"
LATER_EMAIL = f"{MARK}-later@example.com"
LONG = f"{MARK}-{'x' * 4000}"
NUMBER = f"+1555{MARK}0100"
Json = dict[str, Any]


def fillers(first: int, last: int) -> list[Json]:
    """Others, so that what is moved and split between pages is moved often."""
    return [
        {
            "type": "login",
            "known_identities": {"customer_id": f"c{each * 7919 % 9973}", "idfv": f"d{each}"},
            "request_id": f"r{each}",
        }
        for each in range(first, last)
    ]


def batch(number: int, **more: Any) -> Json:
    return {
        "type": "batch",
        "user_identities": {"customer_id": CUSTOMER},
        "source_request_id": f"{MARK}-batch-{number}",
        "timestamp_unixtime_ms": 1_700_000_000_000 + number,
        **more,
    }


LIFE: list[Json] = [
    {"type": "identify", "known_identities": {"mobile_number": NUMBER, "das": "other-stamp"}},
    *fillers(0, 300),
    {
        "type": "login",
        "known_identities": {"customer_id": CUSTOMER, "email": f"{MARK}-first@example.com"},
        "request_id": f"{MARK}-request-1",
        "label": "l1",
    },
    {"type": "login", "known_identities": {"customer_id": CUSTOMER, "mobile_number": NUMBER}},
    {
        "type": "modify",
        "mpid": "@l1",
        "identity_changes": [
            {
                "identity_type": "email",
                "old_value": f"{MARK}-first@example.com",
                "new_value": f"{MARK}-second@example.com",
            },
            {"identity_type": "other", "new_value": LONG},
        ],
    },
    *fillers(300, 500),
    batch(
        1,
        user_attributes={f"{MARK}-name": "x", "city": f"{MARK}-ville", "tags": [f"{MARK}-tag"]},
        device_info={"ios_idfv": f"{MARK}-phone", "device_model": f"{MARK}-model"},
        ip="192.0.2.1",
        consent_state={"gdpr": {f"{MARK}-purpose": {"consented": True}}},
        events=[
            {
                "event_type": "custom_event",
                "data": {"event_name": f"{MARK}-event", "custom_attributes": {"a": f"{MARK}-a"}},
            },
            {
                "event_type": "screen_view",
                "data": {"screen_name": "s", "note": f"{MARK}-{'s' * 3000}"},
            },
        ],
    ),
    batch(2, user_attributes={"city": f"{MARK}-burg"}, deleted_user_attributes=[f"{MARK}-name"]),
    {
        "type": "modify",
        "mpid": "@l1",
        "known_identities": {"email": LATER_EMAIL, "other": None},
        "request_id": f"{MARK}-request-2",
    },
    *fillers(500, 900),
]
"""A life in which values come, go, and are written over; and the lives of others."""


def lines(requests: list[Json]) -> str:
    return "".join(json.dumps(each) + "\n" for each in requests)


def left(program: Program) -> list[str]:
    """The files of the store, and what stands beside it, in which a byte of it is left."""
    files = [
        path
        for path in sorted(program.folder.iterdir())
        if path.name.lstrip(".").startswith("idsync.db")
    ]
    return [path.name for path in files if MARK.encode() in path.read_bytes()]


def owed(program: Program) -> int:
    """How many erasures still owe it to the file that it is written anew."""
    with closing(sqlite3.connect(program.folder / "idsync.db")) as it:
        (number,) = it.execute("SELECT count(*) FROM erasures WHERE rewriting = 0").fetchone()
    return int(number)


def sql(program: Program, *statements: str) -> None:
    """Another program at the store, which overwrites nothing that it deletes."""
    with closing(sqlite3.connect(program.folder / "idsync.db", isolation_level=None)) as it:
        it.execute("PRAGMA secure_delete = OFF")
        for statement in statements:
            it.execute(statement)


@pytest.fixture(name="lived")
def a_store_with_a_life(idsync: Program) -> Program:
    idsync.write("idsync.yaml", RULES)
    assert idsync("init", "--seed", "1").status == 0
    path = f"requests-{MARK}-customer.jsonl"
    idsync.write(path, lines(LIFE))
    outcome = idsync("replay", path, "--output", f"answers-{MARK}-customer.jsonl", "--json")
    assert (outcome.status, outcome.json()["errors"]) == (0, {})
    return idsync


def erase(program: Program, *arguments: str) -> Any:
    outcome = program("erase", "--customer-id", CUSTOMER, "--json", *arguments)
    assert (outcome.status, outcome.stderr) == (0, "")
    return outcome.json()


def of_others(program: Program) -> tuple[list[Json], int]:
    """What others have, without what was taken from one of them."""
    profiles = [each for each in program("export").lines() if "identities" in each]
    return [each for each in profiles if MARK not in json.dumps(each)], len(profiles)


def test_nothing_is_left_in_the_files_of_the_store(lived: Program) -> None:
    before, number = of_others(lived)
    sql(
        lived,
        "CREATE TABLE mine (value TEXT)",
        f"INSERT INTO mine SELECT '{MARK} of another program' || seq FROM requests",
        "DROP TABLE mine",
    )
    lived.write(".idsync.db.999999999.new", MARK)
    lived.write(".idsync.db.v3-backup.999999999.new-wal", MARK)
    assert "idsync.db" in left(lived)
    erased = erase(lived)
    assert left(lived) == []
    assert erased["counts"] == {
        "identifiers": 4,
        "values": 7,
        "history": 10,
        "attributes": 2,
        "devices": 1,
        "events": 2,
    }
    assert erased["shown_by"]["free_pages"] == erased["shown_by"]["log_bytes"] == 0
    [source] = erased["taken_from"]
    paths = [Path(each["path"]).name for each in erased["files"]]
    assert paths == [f"answers-{MARK}-customer.jsonl", f"requests-{MARK}-customer.jsonl"]
    assert of_others(lived) == (before, number - 1)
    doctor = lived("doctor", "--json").json()
    assert [each["code"] for each in doctor["findings"]] == ["orphan"] * bool(doctor["findings"])
    assert doctor["sound"]
    told = lived("history", "--mpid", source, "--json").lines()
    assert [(each["value"], each.get("erased")) for each in told] == [
        (None, True), ("other-stamp", None), (None, True),
    ]  # fmt: skip
    assert "(erased)" in lived("history", "--mpid", source).stdout
    assert "(erased)" in lived("profile", "show", "--mpid", source, "--story").stdout
    assert "taken by a profile that was erased" in " ".join(
        lived("profile", "show", "--mpid", source, "--story").stdout.split()
    )
    for path in paths:  # named, and as they were
        assert MARK in (lived.folder / path).read_text()


def test_paths_tell_no_value_any_more(lived: Program) -> None:
    erase(lived)
    other = lived("erase", "--customer-id", "c0", "--json").json()
    assert [Path(each["path"]).name for each in other["files"]] == [
        "answers-[erased].jsonl",
        "requests-[erased].jsonl",
    ]
    assert lived("doctor").status == 0


def test_a_label_that_stood_for_it_is_gone_and_others_stay(lived: Program) -> None:
    stopped: list[Json] = [
        {"type": "search", "known_identities": {"customer_id": CUSTOMER}, "label": f"{MARK}-l"},
        {"type": "search", "known_identities": {"customer_id": "c0"}, "label": "another"},
        {"type": "nonsense"},
        {"type": "modify", "mpid": "@another", "known_identities": {"email": "n@example.com"}},
        {"type": "modify", "mpid": f"@{MARK}-l", "known_identities": {"email": "n@example.com"}},
    ]
    lived.write("stopped.jsonl", lines(stopped))
    assert lived("replay", "stopped.jsonl", "--stop-on-error").status == 1
    sql(lived, "ANALYZE")
    erase(lived)
    assert left(lived) == []
    assert lived("doctor").status == 0
    outcome = lived("replay", "stopped.jsonl", "--resume", "--output", "-")
    assert [each["status"] for each in outcome.lines()] == ["error", "modified", "error"]
    assert outcome.lines()[2]["errors"][0]["code"] == "UNKNOWN_LABEL"


def test_a_hundred_in_one_file_leave_nothing_and_the_file_is_written_anew_once(
    lived: Program,
) -> None:
    names = [f"c{each * 7919 % 9973}" for each in range(100)]
    file = [{"type": "erase", "known_identities": {"customer_id": each}} for each in names]
    file.append({"type": "erase", "known_identities": {"customer_id": CUSTOMER}})
    lived.write("erase.jsonl", lines(file))
    outcome = lived("replay", "erase.jsonl", "--json", "--chunk-size", "7")
    assert outcome.status == 0
    assert outcome.json()["types"] == {"erase": {"erased": 101}}
    assert left(lived) == []
    with closing(sqlite3.connect(lived.folder / "idsync.db")) as it:
        rows = it.execute("SELECT DISTINCT rewriting, finished FROM erasures").fetchall()
        assert rows == [(1, 1)]
        texts = [text for (text,) in it.execute("SELECT value FROM identifiers")]
    assert not {*names} & {*texts}
    assert lived("doctor").status == 0


@contextmanager
def reading(program: Program) -> Iterator[subprocess.Popen[bytes]]:
    """Another program that reads the store, and goes on seeing what it saw."""
    code = (
        "import sqlite3, sys; it = sqlite3.connect('idsync.db', isolation_level=None);"
        "it.execute('BEGIN'); it.execute('SELECT count(*) FROM requests').fetchone();"
        "print('reading', flush=True); sys.stdin.read()"
    )
    with (
        pytest.MonkeyPatch.context() as here,
        subprocess.Popen(
            [sys.executable, "-c", code],
            cwd=program.folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        ) as process,
    ):
        here.setattr("idsync_cli.store.sqlite.files.handles.BUSY_SECONDS", 0.5)
        assert process.stdout is not None
        assert process.stdout.readline() == b"reading\n"
        yield process
        assert process.stdin is not None
        process.stdin.close()


def test_with_a_reader_in_the_way_it_is_not_done_and_the_next_who_writes_finishes(
    lived: Program,
) -> None:
    with reading(lived):
        outcome = lived(
            "erase", "--customer-id", CUSTOMER, "--json", "--certificate", "certificate.json"
        )
        assert outcome.status == 3
        assert outcome.json()["status"] == "erased"
        assert outcome.json()["shown_by"] is None
        for words in (
            "not finished",
            "another program is reading",
            "certificate.json' was not written",
        ):
            assert words in outcome.stderr
        assert left(lived) != []
        assert not (lived.folder / "certificate.json").exists()
        [finding] = [
            each for each in lived("doctor", "--json").json()["findings"]
            if each["code"] != "orphan"
        ]  # fmt: skip
        assert (finding["code"], finding["level"]) == ("unfinished_erasure", "warning")
        meanwhile = lived("login", "--customer-id", "meanwhile")
        assert meanwhile.status == 0
        assert "still hold bytes of what was erased" in meanwhile.stderr
        assert left(lived) != []
    outcome = lived("login", "--customer-id", "next")
    assert (outcome.status, outcome.stderr) == (0, "")
    assert left(lived) == []
    assert lived("doctor").status == 0


def test_a_replay_with_a_reader_in_the_way_says_so_too(lived: Program) -> None:
    request = {"type": "erase", "known_identities": {"customer_id": CUSTOMER}}
    with reading(lived):
        outcome = lived.replay(request)
        assert outcome.status == 3
        assert outcome.lines()[0]["status"] == "erased"
        assert "not finished" in outcome.stderr
    assert lived("modify", "--mpid", "5", "--email", "e@example.com").status == 1
    assert left(lived) == []


def test_what_a_killed_replay_owes_is_done_by_the_next_who_writes(lived: Program) -> None:
    file = [
        {"type": "erase", "known_identities": {"customer_id": CUSTOMER}},
        *fillers(1000, 40_000),
    ]
    lived.write("killed.jsonl", lines(file))
    process = lived.start("replay", "killed.jsonl", "--chunk-size", "1", "--quiet")
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        with closing(sqlite3.connect(lived.folder / "idsync.db")) as it:
            if it.execute("SELECT count(*) FROM erasures").fetchone() == (1,):
                break
        time.sleep(0.01)
    process.kill()
    process.communicate()
    assert owed(lived) == 1
    assert lived("login", "--customer-id", "next").status == 0
    assert owed(lived) == 0
    assert left(lived) == []
    resumed = lived("replay", "killed.jsonl", "--resume", "--quiet")
    assert resumed.status == 0
    assert left(lived) == []
    assert lived("doctor").status == 0
    assert lived("search", "--customer-id", CUSTOMER).status == 1


@pytest.mark.parametrize("at", ["rewrite", "empty_log"])
def test_a_process_that_dies_at_it_leaves_it_owed(
    lived: Program, at: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = (
        "import os, sys; from idsync_cli.store.sqlite.erasing import rewriting;"
        f"rewriting.{at} = lambda *_, **__: os._exit(9);"
        "from idsync_cli.cli.app import run;"
        f"sys.argv = ['idsync', 'erase', '--customer-id', {CUSTOMER!r}]; run()"
    )
    monkeypatch.chdir(lived.folder)
    folder = str(Path(__file__).resolve().parent.parent)
    environment = {**os.environ, "PYTHONPATH": folder}
    died = subprocess.run([sys.executable, "-c", code], env=environment, check=False)
    assert died.returncode == 9
    assert left(lived) != []
    assert lived("login", "--customer-id", "next").status == 0
    assert left(lived) == []
    assert lived("doctor").status == 0


def test_a_dry_run_shows_the_same_and_writes_nothing(lived: Program) -> None:
    before = lived.files()
    outcome = lived("erase", "--customer-id", CUSTOMER, "--dry-run", "--json")
    assert outcome.status == 0
    assert lived.files()["idsync.db"] == before["idsync.db"]
    erased = erase(lived)
    for member in ("mpid", "seq", "counts", "taken_from", "made_from_it", "files"):
        assert outcome.json()[member] == erased[member]


def test_a_backup_of_a_store_that_owes_has_nothing_of_it(lived: Program) -> None:
    with reading(lived):
        assert lived("erase", "--customer-id", CUSTOMER).status == 3
        assert lived("backup", "idsync.db-monday").status == 0
    assert MARK.encode() not in (lived.folder / "idsync.db-monday").read_bytes()
    assert lived("doctor", "--store", "idsync.db-monday").status == 0
