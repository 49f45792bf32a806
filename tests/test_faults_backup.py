"""Backups and restores while others write, read and are killed: all of one state or of the other.

IDSYNC_ROUNDS=150 runs the long version: how many backups are made beside writers, and how often
a restore is killed.
"""

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from tests.faults import DEADLINE, export, fed_replay, history, is_sound, names
from tests.program import (  # noqa: F401 - the fixture
    Outcome,
    Program,
    assert_refused,
    ended,
    program_in_a_fresh_folder,
)

ROUNDS = int(os.environ.get("IDSYNC_ROUNDS", "5"))

PEOPLE = 400


@pytest.fixture(name="filled")
def program_with_a_store_and_another(idsync: Program) -> Program:
    """A store of many people, `idsync.db`, and a backup of another, `other.db`."""
    people = [
        {"mpid": str(number), "scope": "consumers", "identities": {"email": [f"{number}@x"]}}
        for number in range(1, PEOPLE + 1)
    ]
    idsync.write("people.jsonl", "".join(json.dumps(each) + "\n" for each in people))
    assert idsync("import", "people.jsonl", "--seed", "1").status == 0
    assert idsync("identify", "--idfv", "other", "--store", "another.db").status == 0
    assert idsync("backup", "other.db", "--store", "another.db").status == 0
    return idsync


def beside(folder: Path) -> set[str]:
    """What stands beside the files of the fixture."""
    return (
        names(folder)
        - {"idsync.yaml", "people.jsonl", "idsync.db", "idsync.db-lock", "other.db"}
        - {
            "another.db",
            "another.db-lock",
        }
    )


# Backups


def test_a_backup_is_a_store_for_its_owner_alone(filled: Program) -> None:
    outcome = filled.process("backup", "b.db", "--json", umask=0)
    size = (filled.folder / "b.db").stat().st_size
    assert outcome.json() == {"store": "idsync.db", "file": "b.db", "bytes": size}
    assert beside(filled.folder) == {"b.db"}
    assert (filled.folder / "b.db").stat().st_mode & 0o777 == 0o600
    assert export(filled, "b.db") == export(filled)
    assert history(filled, "b.db") == history(filled)
    assert filled("identify", "--idfv", "more", "--store", "b.db").status == 0
    assert filled("search", "--idfv", "more").status == 1


def test_a_backup_has_what_only_the_log_has_so_far(filled: Program) -> None:
    with fed_replay(filled) as replay:
        replay.ask({"type": "identify", "known_identities": {"idfv": "in the log"}})
        assert (filled.folder / "idsync.db-wal").stat().st_size > 0
        assert filled("backup", "b.db").status == 0
    assert filled("search", "--idfv", "in the log", "--store", "b.db").status == 0


def test_backups_beside_writers_are_whole(filled: Program) -> None:
    with fed_replay(filled, "--explain") as replay:
        for number in range(ROUNDS):
            process = filled.start("backup", f"{number}.db")
            asked = 0
            while process.poll() is None:
                request = {"type": "identify", "known_identities": {"idfv": f"{number} {asked}"}}
                assert replay.ask(request)["status"] == "created"
                asked += 1
            assert ended(process).status == 0
            assert is_sound(filled.folder / f"{number}.db")
        assert replay.end().status == 0
    whole, lines = history(filled), export(filled).splitlines()
    for number in range(ROUNDS):
        done = history(filled, f"{number}.db")
        assert whole[: len(done)] == done
        kept = export(filled, f"{number}.db").splitlines()
        assert lines[: len(kept)] == kept
        assert len(kept) > PEOPLE / 2


def test_a_backup_replaces_nothing_unless_it_is_told_to(filled: Program) -> None:
    before = (filled.folder / "other.db").read_bytes()
    assert_refused(filled("backup", "other.db"), 2, "other.db", "already exists", "--force")
    assert_refused(filled("backup", "idsync.db", "--force"), 2, "is the store idsync.db")
    assert_refused(filled("backup", ".", "--force"), 2, "it is a folder")
    assert_refused(filled("backup", "no/such.db"), 2, "no/such.db", "its folder does not exist")
    assert_refused(
        filled("backup", "b.db", "--store", "none.db"), 3, "there is no store at none.db"
    )
    assert (filled.folder / "other.db").read_bytes() == before
    filled.write("b.db-wal", "the log of another store")
    assert_refused(filled("backup", "b.db"), 3, "b.db-wal", "log", "name another file")
    assert beside(filled.folder) == {"b.db-wal"}
    assert filled("backup", "other.db", "--force").status == 0
    assert export(filled, "other.db") == export(filled)


def test_a_damaged_store_is_not_backed_up(filled: Program) -> None:
    path = filled.folder / "idsync.db"
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    outcome = filled("backup", "b.db")
    assert_refused(outcome, 3, "idsync.db")
    assert beside(filled.folder) == set()


DAMAGED = {
    "a row that is not as it was written": "UPDATE profiles SET known_seq = known_seq + 1",
    "a request": "UPDATE requests SET time_ms = time_ms + 1 WHERE seq = 1",
    "a value": "UPDATE identifiers SET value = value || 'x' WHERE identifier_id = 1",
    "a hash": "UPDATE identifier_hashes SET hash = hash + 1",
    "a holder": "DELETE FROM holders WHERE identifier_id = 1",
    "the row of the store": "UPDATE store SET last_seq = last_seq + 1",
}
"""Damage that SQLite cannot see, each as a statement."""


def tamper(path: Path, *statements: str) -> bytes:
    """Damage a store, and give what is in its file then."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        name = "requests_are_only_appended_1"
        asked = connection.execute("SELECT sql FROM sqlite_master WHERE name = ?", (name,))
        [[no_updates]] = asked.fetchall()
        for statement in (f"DROP TRIGGER {name}", *statements, no_updates):
            connection.execute(statement)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return path.read_bytes()


@pytest.mark.parametrize("statement", DAMAGED.values(), ids=DAMAGED)
def test_what_doctor_calls_damaged_is_not_backed_up(filled: Program, statement: str) -> None:
    before = tamper(filled.folder / "idsync.db", statement)
    there = (filled.folder / "other.db").read_bytes()
    assert filled("doctor").status == 1
    for file, force in (("b.db", ()), ("other.db", ("--force",))):
        outcome = filled("backup", file, *force)
        assert_refused(outcome, 3, "idsync.db is damaged", "nothing was changed")
        assert "run: idsync doctor --store idsync.db" in outcome.stderr
    assert (filled.folder / "other.db").read_bytes() == there
    assert (filled.folder / "idsync.db").read_bytes() == before
    assert beside(filled.folder) == set()


@pytest.mark.parametrize("statement", DAMAGED.values(), ids=DAMAGED)
def test_what_doctor_calls_damaged_is_not_restored(filled: Program, statement: str) -> None:
    before = export(filled), history(filled)
    there = tamper(filled.folder / "other.db", statement)
    for store in ("idsync.db", "new.db"):
        outcome = filled("restore", "other.db", "--store", store)
        assert_refused(outcome, 3, "other.db is damaged", "nothing was changed")
        assert "run: idsync doctor --store other.db" in outcome.stderr
    assert (export(filled), history(filled)) == before
    assert (filled.folder / "other.db").read_bytes() == there
    assert beside(filled.folder) == set()


def test_what_another_program_put_in_a_store_is_not_copied(filled: Program) -> None:
    for path in ("idsync.db", "other.db"):
        tamper(
            filled.folder / path,
            "CREATE TRIGGER mine AFTER INSERT ON profiles BEGIN DELETE FROM holders; END",
        )
    told = "is not as idsync created it: schema: trigger mine is not from idsync"
    assert_refused(filled("backup", "b.db"), 3, f"the store idsync.db {told}")
    assert_refused(filled("restore", "other.db"), 3, f"the store other.db {told}")
    assert beside(filled.folder) == set()


def test_a_damaged_store_is_replaced_by_a_sound_one(filled: Program) -> None:
    tamper(filled.folder / "idsync.db", *DAMAGED.values())
    assert filled("restore", "other.db").status == 0
    assert export(filled) == export(filled, "other.db")
    assert filled("doctor").status == 0
    assert filled("doctor", "--store", "idsync.db.before-restore").status == 1


# Restores


def test_a_restore_puts_back_what_was_saved_and_keeps_what_was_there(filled: Program) -> None:
    before, saved = export(filled), export(filled, "other.db")
    outcome = filled("restore", "other.db", "--json")
    kept = "idsync.db.before-restore"
    assert outcome.json() == {
        "store": "idsync.db",
        "file": "other.db",
        "kept": kept,
        "erased_again": 0,
    }
    assert beside(filled.folder) == {kept}
    assert (filled.folder / kept).stat().st_mode & 0o777 == 0o600
    assert (export(filled), export(filled, kept)) == (saved, before)
    outcome = filled("restore", kept)
    assert outcome.stdout.splitlines() == [
        f"restored the store idsync.db from {kept}",
        f"kept the old store as {kept}-1",
    ]
    assert (export(filled), export(filled, f"{kept}-1")) == (before, saved)
    assert filled("restore", "other.db", "--discard").stdout.count("\n") == 1
    assert beside(filled.folder) == {kept, f"{kept}-1"}
    assert filled("identify", "--idfv", "more").status == 0


def test_a_restore_makes_a_store_where_there_is_none(filled: Program) -> None:
    outcome = filled.process("restore", "other.db", "--store", "new.db", "--json", umask=0o277)
    assert outcome.json() == {
        "store": "new.db",
        "file": "other.db",
        "kept": None,
        "erased_again": 0,
    }
    assert (filled.folder / "new.db").stat().st_mode & 0o777 == 0o600
    assert (filled.folder / "new.db-lock").stat().st_mode & 0o777 == 0o600
    assert export(filled, "new.db") == export(filled, "other.db")


def test_only_a_whole_store_of_this_version_is_restored(filled: Program) -> None:
    before = export(filled)
    other = (filled.folder / "other.db").read_bytes()
    filled.write("cut.db", other[: len(other) // 2])
    filled.write("scribbled.db", other[:8192] + b"\xa5" * 8192 + other[16384:])
    filled.write("newer.db", other[:60] + (1000).to_bytes(4, "big") + other[64:])
    filled.write("people.csv", "mpid,email\n")
    made = names(filled.folder)
    for file, word in {
        "cut.db": "cut.db",
        "scribbled.db": "scribbled.db",
        "newer.db": "schema version 1000",
        "people.csv": "not an idsync store",
        "none.db": "there is no store at none.db",
        "idsync.db": "",
    }.items():
        outcome = filled("restore", file)
        assert_refused(outcome, 2 if file == "idsync.db" else 3, word)
        assert names(filled.folder) == made, file
        assert export(filled) == before


def test_a_store_that_can_no_more_be_written_is_moved_aside(filled: Program) -> None:
    with fed_replay(filled) as replay:
        replay.ask({"type": "identify", "known_identities": {"idfv": "in the log"}})
        replay.kill()
    path = filled.folder / "idsync.db"
    damaged = path.read_bytes()[:20_000]
    path.write_bytes(damaged)
    log = (filled.folder / "idsync.db-wal").read_bytes()
    assert filled("restore", "other.db").status == 0
    assert export(filled) == export(filled, "other.db")
    assert is_sound(path)
    kept = filled.folder / "idsync.db.before-restore"
    assert kept.exists()
    if kept.read_bytes() == damaged:  # else SQLite could still make something of it and its log
        assert kept.with_name(kept.name + "-wal").read_bytes() == log


def test_a_log_that_somebody_killed_left_is_not_played_into_what_is_restored(
    filled: Program,
) -> None:
    with fed_replay(filled) as replay:
        for number in range(20):
            replay.ask({"type": "identify", "known_identities": {"idfv": f"in the log {number}"}})
        replay.kill()
    assert (filled.folder / "idsync.db-wal").stat().st_size > 0
    assert filled.process("restore", "other.db").status == 0
    assert export(filled) == export(filled, "other.db")
    assert is_sound(filled.folder / "idsync.db")
    assert (
        filled("search", "--idfv", "in the log 19", "--store", "idsync.db.before-restore").status
        == 0
    )


def test_whoever_reads_during_restores_sees_one_state_or_the_other(filled: Program) -> None:
    states = {export(filled), export(filled, "other.db")}
    assert filled("backup", "day.db").status == 0
    reader = (
        "import sys, time\nfrom idsync_cli.store.sqlite import open_store\n"
        "until, seen = time.time() + float(sys.argv[1]), set()\n"
        "with open_store('idsync.db', write=False) as store:\n"
        "  while time.time() < until:\n"
        "    with store.reading() as session:\n"
        "      seen.add(len(list(session.profiles({}))))\n"
        "print(sorted(seen))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", reader, "4"],
        cwd=filled.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        until = time.monotonic() + 3.5
        while time.monotonic() < until:
            for name in ("other.db", "day.db"):
                assert filled.process("restore", name, "--discard").status == 0
        outcome = ended(process)
    assert (outcome.status, outcome.stderr) == (0, "")
    counts = sorted(len(state.splitlines()) for state in states)
    assert set(outcome.json()) <= set(counts)
    assert export(filled) in states


def test_a_killed_restore_leaves_one_state_or_the_other(filled: Program) -> None:
    rng = random.Random(11)
    states = {export(filled), export(filled, "other.db")}
    assert filled("backup", "day.db").status == 0
    for number in range(ROUNDS):
        process = filled.start("restore", "day.db" if number % 2 else "other.db", "--discard")
        time.sleep(rng.uniform(0.05, 0.4))
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=DEADLINE)
        assert export(filled) in states
        assert is_sound(filled.folder / "idsync.db")
    assert filled.process("restore", "other.db", "--discard").status == 0
    assert export(filled) == export(filled, "other.db")
    # What was being read when it was killed may have an empty log beside it.
    assert beside(filled.folder) - {"day.db-wal", "day.db-shm"} == {"day.db"}
    log = filled.folder / "day.db-wal"
    assert not log.exists() or log.stat().st_size == 0


def test_a_restore_waits_for_no_other_program_for_ever(filled: Program) -> None:
    before = export(filled)
    with closing(sqlite3.connect(filled.folder / "idsync.db", isolation_level=None)) as foreign:
        foreign.execute("BEGIN IMMEDIATE")
        refused: Outcome = filled.process("restore", "other.db")
    assert_refused(refused, 3, "another program has locked it")
    assert export(filled) == before
    assert beside(filled.folder) <= {"idsync.db.before-restore"}
