"""A store of an earlier version: brought up to date after a backup, all of it or nothing."""

import json
import os
import random
import shutil
import signal
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from idsync_cli.store.sqlite.lifecycle.header import SCHEMA_VERSION
from tests.old_store import (
    FIXTURES,
    put_large_old_store,
    put_old_store,
    put_store_of_schema_3,
)
from tests.program import (  # noqa: F401 - the fixture
    Program,
    assert_refused,
    ended,
    program_in_a_fresh_folder,
)

KILLS = int(os.environ.get("IDSYNC_UPGRADE_KILLS", "8"))
"""How often a process is killed while it brings a store up to date."""

BACKUP = "idsync.db.v1-backup"
IDENTIFY = ("identify", "--scope", "consumers", "--email", "new@example.com")


@pytest.fixture(name="old")
def program_with_an_old_store(idsync: Program) -> Program:
    put_old_store(idsync)
    return idsync


def version(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])


def dump(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return list(connection.iterdump())


def without_messages(lines: bytes) -> list[Any]:
    answers = [json.loads(line) for line in lines.decode().splitlines()]
    for answer in answers:
        for coded in (*answer.get("errors", ()), *answer.get("notes", ())):
            del coded["message"]
    return answers


def test_a_store_is_brought_up_to_date_by_whoever_writes_and_says_so(old: Program) -> None:
    before = dump(old.folder / "idsync.db")
    outcome = old(*IDENTIFY)
    assert outcome.status == 0
    assert outcome.stderr.startswith("note: the store idsync.db was upgraded")
    assert f"kept as {BACKUP}" in outcome.stderr
    assert (version(old.folder / "idsync.db"), version(old.folder / BACKUP)) == (SCHEMA_VERSION, 1)
    assert dump(old.folder / BACKUP) == before
    assert (old.folder / BACKUP).stat().st_mode & 0o777 == 0o600
    again = old(*IDENTIFY)
    assert (again.status, again.stderr) == (0, "")


def test_init_brings_it_up_to_date_and_changes_nothing_else(old: Program) -> None:
    outcome = old("init")
    assert outcome.status == 0
    assert "was upgraded" in outcome.stderr
    assert "kept the store" in outcome.stderr
    assert old("export").stdout.encode() == (FIXTURES / "export.jsonl").read_bytes()
    assert old("doctor").stdout.startswith("no problems found")


@pytest.mark.parametrize(
    "arguments",
    [("export",), ("doctor",), ("search", "--scope", "consumers", "--email", "a"), ("stats",)],
)
def test_an_old_store_that_is_only_read_stays_as_it_is(
    old: Program, arguments: tuple[str, ...]
) -> None:
    before = old.files()
    assert_refused(old(*arguments), 3, "earlier version", "idsync init --store idsync.db")
    assert old.files() == before


def test_nothing_is_lost_and_everything_is_answered_as_before(old: Program) -> None:
    assert old("init").status == 0
    written = (FIXTURES / "second-answers.jsonl").read_bytes()
    old.write("second.jsonl", (FIXTURES / "second.jsonl").read_bytes())
    old.write("requests.jsonl", (FIXTURES / "requests.jsonl").read_bytes())
    old.write("second-answers.jsonl", b"".join(written.splitlines(keepends=True)[:6]))
    resumed = old("replay", "second.jsonl", "--resume", "--output", "second-answers.jsonl")
    assert resumed.status == 1  # it has refused lines
    assert "54 requests" in resumed.stdout
    answered = (old.folder / "second-answers.jsonl").read_bytes()
    assert without_messages(answered) == without_messages(written)
    more = old("replay", "requests.jsonl", "--output", "answers.jsonl")
    assert (more.status, more.stderr) == (1, "")
    answered = (old.folder / "answers.jsonl").read_bytes()
    assert without_messages(answered) == without_messages((FIXTURES / "answers.jsonl").read_bytes())
    assert old("export").stdout.encode() == (FIXTURES / "export-after.jsonl").read_bytes()
    assert old("doctor").stdout.startswith("no problems found")


def test_a_new_store_and_one_brought_up_to_date_have_the_same_tables(old: Program) -> None:
    assert old("init").status == 0
    assert old("init", "--store", "new.db").status == 0
    queries = (
        "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY name",
        "SELECT * FROM _sqlite_migrations",
        "SELECT * FROM identity_types",
        "SELECT * FROM pragma_application_id, pragma_user_version, pragma_page_size",
    )
    found = []
    for name in ("idsync.db", "new.db"):
        with closing(sqlite3.connect(old.folder / name)) as connection:
            found.append([connection.execute(query).fetchall() for query in queries])
    assert found[0] == found[1]


def test_a_new_store_has_no_trace_of_an_earlier_schema(idsync: Program) -> None:
    assert idsync("init").status == 0
    with closing(sqlite3.connect(idsync.folder / "idsync.db")) as connection:
        [free] = connection.execute("PRAGMA freelist_count").fetchone()
    assert free == 0


def test_an_earlier_backup_is_never_overwritten(old: Program) -> None:
    old.write(BACKUP, b"something else")
    assert f"kept as {BACKUP}-1" in old(*IDENTIFY).stderr
    assert (old.folder / BACKUP).read_bytes() == b"something else"
    assert version(old.folder / f"{BACKUP}-1") == 1


def test_it_is_not_brought_up_to_date_where_no_backup_can_be_made(
    old: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("idsync_cli.store.sqlite.lifecycle.migration.put_in_place", full)
    before = dump(old.folder / "idsync.db")
    assert_refused(old(*IDENTIFY), 3, "cannot be upgraded", "No space left", "unchanged")
    assert dump(old.folder / "idsync.db") == before
    assert not (old.folder / BACKUP).exists()


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE identifiers SET identity_type = 'shoe_size' WHERE identifier_id = 5",
        "UPDATE profiles SET mpid = 5 WHERE created_seq = 1",
    ],
)
def test_what_does_not_fit_together_is_not_brought_up_to_date(old: Program, damage: str) -> None:
    with closing(sqlite3.connect(old.folder / "idsync.db", isolation_level=None)) as connection:
        connection.execute(damage)
    before = dump(old.folder / "idsync.db")
    assert_refused(old(*IDENTIFY), 3, "cannot be upgraded", "unchanged")
    assert dump(old.folder / "idsync.db") == before
    assert dump(old.folder / BACKUP) == before


def test_a_log_that_has_the_new_schema_counts_before_the_header_of_the_file(old: Program) -> None:
    """As after a kill between the commit and the moment when the log is played into the file."""
    with closing(sqlite3.connect(old.folder / "idsync.db")) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM store").fetchone()
        assert old("init").status == 0
        header = (old.folder / "idsync.db").read_bytes()[60:64]
        assert int.from_bytes(header, "big") == 1
        copy = Program(old.folder / "copy")
        copy.folder.mkdir()
        for name in ("idsync.db", "idsync.db-wal", "idsync.yaml"):
            shutil.copy(old.folder / name, copy.folder / name)
    assert copy("export").stdout.encode() == (FIXTURES / "export.jsonl").read_bytes()
    assert copy("doctor").stdout.startswith("no problems found")
    outcome = copy(*IDENTIFY)
    assert (outcome.status, outcome.stderr) == (0, "")


def test_a_store_that_is_newer_by_its_log_is_refused(idsync: Program) -> None:
    idsync.make_store()
    with closing(sqlite3.connect(idsync.folder / "idsync.db")) as connection:
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
        for arguments in (IDENTIFY, ("export",), ("doctor",)):
            newer = f"schema version {SCHEMA_VERSION + 1}"
            assert_refused(idsync(*arguments), 3, newer, "use the version of idsync")


def test_of_two_at_once_one_brings_it_up_to_date(old: Program) -> None:
    running = [old.start(*IDENTIFY) for _ in range(4)]
    outcomes = [ended(process) for process in running]
    assert [outcome.status for outcome in outcomes] == [0] * 4
    assert sum("was upgraded" in outcome.stderr for outcome in outcomes) == 1
    assert [path.name for path in old.folder.glob("*backup*")] == [BACKUP]


def test_a_process_killed_at_it_leaves_the_old_store_or_the_new_one(idsync: Program) -> None:
    put_large_old_store(idsync, 2500)
    old = (idsync.folder / "idsync.db").read_bytes()
    before = dump(idsync.folder / "idsync.db")
    began = time.monotonic()
    assert idsync.process(*IDENTIFY).status == 0
    lasts = time.monotonic() - began
    wanted = idsync("export").stdout
    rng = random.Random(5)
    left = []
    for _ in range(KILLS):
        for path in idsync.folder.glob("*idsync.db*"):
            path.unlink()
        idsync.write("idsync.db", old).chmod(0o600)
        with idsync.start(*IDENTIFY) as process:
            time.sleep(rng.uniform(0.2, 1.1) * lasts)
            process.send_signal(signal.SIGKILL)
            process.communicate()
        store = idsync.folder / "idsync.db"
        left.append(version(store))
        if left[-1] == 1:
            assert dump(store) == before
        backups = list(idsync.folder.glob("*-backup"))
        for backup in backups:
            assert dump(backup) == before
        assert backups or left[-1] == 1
        outcome = idsync(*IDENTIFY)
        assert outcome.status == 0
        assert ("the store idsync.db was upgraded" in outcome.stderr) == (left[-1] == 1)
        assert idsync("export").stdout == wanted
        assert idsync("doctor").status == 0
        assert {path.name for path in idsync.folder.iterdir()} == {
            *("idsync.yaml", "idsync.db", "idsync.db-lock", BACKUP)
        }
    assert 1 in left


def test_a_store_that_does_not_know_of_aliases_learns_of_them(idsync: Program) -> None:
    path = put_store_of_schema_3(idsync)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("DELETE FROM identity_types WHERE name = 'alias'")
        connection.execute("DELETE FROM _sqlite_migrations WHERE name >= 'm003'")
        connection.execute("PRAGMA user_version = 2")
    outcome = idsync(*IDENTIFY, "--alias", "wolf")
    assert outcome.status == 0
    assert "kept as idsync.db.v2-backup" in outcome.stderr
    assert version(path) == SCHEMA_VERSION
    *_, profile = [json.loads(line) for line in idsync("export").stdout.splitlines()]
    assert profile["identities"] == {"email": ["new@example.com"], "alias": ["wolf"]}
    assert "wolf" in idsync("history", "alias=wolf").stdout
    assert profile["mpid"] in idsync("whois", "alias=wolf").stdout
    assert idsync("doctor").stdout.startswith("no problems found")
