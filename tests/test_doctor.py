"""`idsync doctor`: what it finds, what it says of it, and that it writes nothing."""

import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest

from idsync_cli.render import doctor
from idsync_cli.store.file_values import FindingCode
from idsync_cli.store.sqlite.rows.checksums import checksum, checksum_of_profile, identifier_hash
from tests.old_store import bring_data, put_old_store
from tests.program import (  # noqa: F401 - the fixture
    CONFIG,
    TWO_SCOPES,
    Program,
    assert_refused,
    program_in_a_fresh_folder,
)


@pytest.fixture(name="lived")
def program_with_all_kinds_of_rows(idsync: Program) -> Program:
    """A store in which no table is empty: it has an unfinished replay, imports, orphans."""
    put_old_store(idsync)
    assert idsync("init").status == 0
    bring_data(idsync, "visitors")
    return idsync


@contextmanager
def tampered(program: Program) -> Iterator[sqlite3.Connection]:
    """Change a store behind its back, so that only what is written twice can tell."""
    with closing(sqlite3.connect(program.folder / "idsync.db", isolation_level=None)) as it:
        it.create_function("checksum", -1, checksum)
        it.create_function("identifier_hash", 3, identifier_hash)
        it.create_function("checksum_of_profile", 8, checksum_of_profile)
        triggers = it.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'")
        for name, _ in (found := triggers.fetchall()):
            it.execute(f"DROP TRIGGER {name}")
        yield it
        for _, sql in found:
            it.execute(sql)


def findings(program: Program) -> dict[str, Any]:
    outcome = program("doctor", "--json")
    found = outcome.json()
    wrong = any(each["level"] != "note" for each in found["findings"])
    assert found["sound"] is not wrong
    assert outcome.status == int(wrong)
    return {each["code"]: each for each in found["findings"]}


def test_a_sound_store_is_told_with_what_was_looked_at(lived: Program) -> None:
    before = lived.files()
    outcome = lived("doctor")
    assert (outcome.status, outcome.stderr) == (0, "")
    assert outcome.stdout.startswith("no problems found in idsync.db\n")
    assert "42 profiles" in outcome.stdout
    assert "(orphan, 2)" in outcome.stdout
    assert lived.files() == before


def test_every_finding_has_a_meaning_and_a_way_out() -> None:
    assert doctor.FINDING_TEXTS.keys() == set(FindingCode)
    assert all(each.what and each.way_out for each in doctor.FINDING_TEXTS.values())


def test_an_empty_store_is_sound(idsync: Program) -> None:
    idsync.make_store()
    assert findings(idsync) == {}


def test_there_must_be_a_store(idsync: Program) -> None:
    assert_refused(idsync("doctor"), 3, "there is no store at idsync.db; name another with --store")
    idsync.write("idsync.db", b"name,email\n")
    assert_refused(idsync("doctor"), 3, "not an idsync store")
    assert idsync.files()["idsync.db"] == b"name,email\n"


def test_a_log_that_is_beside_a_store_is_read_and_left(lived: Program) -> None:
    with closing(sqlite3.connect(lived.folder / "idsync.db")) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM store").fetchall()
        assert lived("identify", "--scope", "consumers", "--email", "n").status == 0
        copy = Program(lived.folder / "copy")
        for name in ("idsync.db", "idsync.db-wal", "idsync.yaml"):
            copy.write(name, (lived.folder / name).read_bytes()).chmod(0o600)
    before = copy.files()
    outcome = copy("doctor", "--json")
    assert outcome.json()["checked"]["profiles"] == 43
    left = copy.files()
    assert {name: left[name] for name in before} == before


def test_a_read_only_folder_is_no_obstacle(lived: Program) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    lived.folder.chmod(0o500)
    try:
        assert lived("doctor").status == 0
    finally:
        lived.folder.chmod(0o700)


def test_it_goes_on_beside_a_writer(lived: Program) -> None:
    with closing(sqlite3.connect(lived.folder / "idsync.db", isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("UPDATE store SET last_seq = 0")
        assert findings(lived).keys() == {"orphan"}
        writer.execute("ROLLBACK")


# The files


def test_it_says_who_may_read_the_files(lived: Program) -> None:
    for name, mode in (("idsync.db", 0o644), ("idsync.db-lock", 0o660)):
        (lived.folder / name).chmod(mode)
    outcome = lived("doctor")
    assert outcome.status == 1
    for words in ("idsync.db has 644", "idsync.db-lock has 660", "chmod 600", "warning:"):
        assert words in outcome.stdout


def test_it_names_the_drafts_of_processes_that_are_gone(lived: Program) -> None:
    for name in (
        ".idsync.db.999999999.new",
        ".idsync.db.v1-backup.999999999.new-wal",
        f".idsync.db.{os.getppid()}.new",
        "idsync.db.1.new",
    ):
        lived.write(name, b"")
    found = findings(lived)["draft"]
    assert found["examples"] == [
        ".idsync.db.999999999.new",
        ".idsync.db.v1-backup.999999999.new-wal",
    ]


# What is written twice must agree

SUM_PROFILES = (
    "UPDATE profiles SET checksum = checksum_of_profile(created_seq, mpid, scope_id, source_mpid,"
    " known_seq, types, first_seen_ms, last_stored_ms)"
)
SUM_ATTRIBUTES = "UPDATE attributes SET checksum = checksum(created_seq, name, value, seq)"
SUM_ATTRIBUTE_CHANGES = (
    "UPDATE attribute_changes SET checksum = checksum(seq, place, created_seq, name, op, value)"
)
A_TAG_UNTOLD = "DELETE FROM attributes WHERE name = 'tag'"
HASH_AGAIN = (
    "UPDATE identifier_hashes SET hash = (SELECT identifier_hash(scope_id,"
    " identity_type_id, value) FROM identifiers WHERE identifier_id = 1) WHERE identifier_id = 1"
)
HELD_UNSAID = (
    "INSERT INTO holders SELECT identifier_id, 0, created_seq, 1, 1, 1"
    " FROM identifiers AS i JOIN profiles AS p USING (scope_id)"
    " WHERE NOT EXISTS (SELECT * FROM holders AS h WHERE"
    " h.identifier_id = i.identifier_id AND h.created_seq = p.created_seq) LIMIT 1"
)
AN_IDENTIFIER = "identifier_id = (SELECT min(identifier_id) FROM holders)"


@pytest.mark.parametrize(
    ("code", "statements"),
    [
        ("checksum", ["UPDATE store SET last_seq = last_seq + 1"]),
        ("checksum", ["UPDATE requests SET time_ms = time_ms + 1 WHERE seq = 1"]),
        ("checksum", ["UPDATE changes SET place = 9 WHERE seq = 1 AND place = 1"]),
        ("checksum", ["UPDATE scopes SET login_types = login_types + 1 WHERE scope_id = 1"]),
        ("checksum", ["UPDATE outcomes SET rule = 'newest' WHERE outcome_id = 1"]),
        ("checksum", ["UPDATE rules SET rules = rules || ' '"]),
        ("checksum", ["UPDATE replays SET lines = 0"]),
        ("checksum", ["UPDATE replay_labels SET mpid = mpid + 1"]),
        ("checksum", ["UPDATE profiles SET known_seq = known_seq + 1"]),
        ("hash", ["UPDATE identifiers SET value = value || 'x' WHERE identifier_id = 1"]),
        ("hash", ["UPDATE identifier_hashes SET hash = hash + 1"]),
        ("hash", ["INSERT INTO identifier_hashes VALUES (1, 1000)"]),
        (
            "value",
            [
                "UPDATE identifiers SET value = '' WHERE identifier_id = 1",
                HASH_AGAIN,
            ],
        ),
        (
            "twice",
            [
                "INSERT INTO identifiers VALUES (1000, 1, 1, 'em-1')",
                "INSERT INTO identifier_hashes VALUES (identifier_hash(1, 1, 'em-1'), 1000)",
            ],
        ),
        ("known", ["UPDATE holders SET known = 1 - known"]),
        ("holders", ["UPDATE holders SET place = place + 100"]),
        ("holders", ["UPDATE holders SET added_seq = added_seq + 1"]),
        ("holders", [f"DELETE FROM holders WHERE {AN_IDENTIFIER}"]),
        (
            "holders",
            [
                HELD_UNSAID,
            ],
        ),
        ("holders", ["UPDATE holders SET created_seq = 1000000 WHERE identifier_id = 1"]),
        ("type", ["UPDATE holders SET identity_type_id = 30 WHERE identity_type_id = 1"]),
        ("types", ["UPDATE profiles SET types = types | (1 << 30)", SUM_PROFILES]),
        ("profile", ["UPDATE profiles SET known_seq = 1 WHERE known_seq > 1", SUM_PROFILES]),
        ("mpid", ["UPDATE profiles SET mpid = 1 WHERE created_seq = 1", SUM_PROFILES]),
        ("checksum", ["UPDATE profiles SET first_seen_ms = first_seen_ms + 1"]),
        ("checksum", ["UPDATE events SET time_ms = time_ms + 1 WHERE event_id = 1"]),
        ("checksum", ["UPDATE events SET event = event || ' ' WHERE event_id = 2"]),
        ("checksum", ["UPDATE events SET name = 'basket' WHERE name = 'cart'"]),
        ("checksum", ["UPDATE attributes SET value = '1'"]),
        ("checksum", ["UPDATE attribute_changes SET op = 'delete'"]),
        ("checksum", ["UPDATE devices SET info = '{}'"]),
        ("checksum", ["UPDATE profile_states SET is_opted_out = 0"]),
        ("checksum", ["UPDATE batch_ids SET created_seq = NULL"]),
        ("attributes", ["UPDATE attributes SET value = '1'", SUM_ATTRIBUTES]),
        ("attributes", ["UPDATE attributes SET seq = 1", SUM_ATTRIBUTES]),
        ("attributes", [A_TAG_UNTOLD]),
        ("attributes", ["DELETE FROM attribute_changes WHERE name = 'tag'"]),
        ("attributes", ["UPDATE attribute_changes SET op = 'put'", SUM_ATTRIBUTE_CHANGES]),
        (
            "attributes",
            [
                "UPDATE attribute_changes SET value = '\"Bern\"' WHERE value = '\"Ulm\"'",
                SUM_ATTRIBUTE_CHANGES,
            ],
        ),
        ("reference", ["UPDATE events SET created_seq = 1000000 WHERE event_id = 1"]),
        ("counter", ["UPDATE store SET last_seq = 10, checksum = checksum(seed, 10)"]),
        ("history", ["DELETE FROM requests WHERE seq = 1"]),
        ("history", ["DELETE FROM profiles WHERE created_seq = 1", "DELETE FROM requests"]),
        ("reference", ["DELETE FROM outcomes WHERE outcome_id = 1"]),
        ("replay", ["UPDATE replays SET replay_id = 10 WHERE replay_id = 3"]),
        ("label", ["DELETE FROM replays WHERE NOT finished"]),
        ("schema", ["CREATE TABLE mine (a)"]),
        ("schema", ["CREATE TRIGGER mine AFTER INSERT ON profiles BEGIN SELECT 1; END"]),
        ("schema", ["DROP INDEX holders_by_profile"]),
        ("schema", ["UPDATE identity_types SET name = 'shoe_size' WHERE identity_type_id = 3"]),
        ("schema", ["DELETE FROM _sqlite_migrations WHERE name = 'm001_kernel'"]),
        ("store", ["DELETE FROM store"]),
    ],
)
def test_what_does_not_agree_is_found(lived: Program, code: str, statements: list[str]) -> None:
    with tampered(lived) as connection:
        for statement in statements:
            connection.execute(statement)
    found = findings(lived)
    assert code in found
    assert found[code]["level"] == "fault"
    assert found[code]["count"] >= len(found[code]["examples"]) > 0
    assert lived("doctor").status == 1


def test_it_finds_what_sqlite_finds_and_looks_no_further(lived: Program) -> None:
    with closing(sqlite3.connect(lived.folder / "idsync.db", isolation_level=None)) as it:
        it.execute("PRAGMA writable_schema = ON")
        it.execute(
            "UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM sqlite_schema"
            " WHERE name = 'profiles') WHERE name = 'requests'"
        )
    found = findings(lived)
    assert found.keys() == {"sqlite"}


# The rules

NO_RULES = CONFIG.replace("customer_id: {login: true, unique: true}", "customer_id: {}")
IMMUTABLE = CONFIG.replace("unique: true}", "unique: true, immutable: true}")


def two_holders(idsync: Program, value: str) -> None:
    idsync.write("idsync.yaml", NO_RULES)
    idsync.make_store()
    for device in ("1", "2"):
        request = {"customer_id": value, "device_application_stamp": device}
        assert idsync("identify", "--device-application-stamp", device).status == 0
        mpid = idsync("search", "--device-application-stamp", device, "--json").json()["mpid"]
        change = {"type": "modify", "mpid": mpid, "known_identities": request}
        assert idsync.replay(change).status == 0


def test_duplicates_of_what_has_become_unique_are_listed(idsync: Program) -> None:
    hostile = "C\x1b[31m\u202e\n"
    two_holders(idsync, hostile)
    assert findings(idsync) == {}
    idsync.write("idsync.yaml", CONFIG)
    found = findings(idsync)
    assert found.keys() == {"shared_unique", "login_types"}
    assert found["shared_unique"]["level"] == "warning"
    assert found["login_types"]["level"] == "note"
    [listed] = found["shared_unique"]["examples"]
    assert "customer_id C\\x1b[31m\\u202e\\n in consumers: 2 profiles, " in listed
    outcome = idsync("doctor")
    assert outcome.status == 1
    assert "a modify takes one from all others" in " ".join(outcome.stdout.split())
    assert not {"\x1b", "\u202e"} & set(outcome.stdout)
    mpid = listed.rsplit(" ", 1)[1]
    moved = {"type": "modify", "mpid": mpid, "identity_changes": [
        {"identity_type": "customer_id", "old_value": hostile},
    ]}  # fmt: skip
    assert idsync.replay(moved).status == 0
    assert findings(idsync) == {}


def test_several_values_of_what_has_become_immutable_are_listed(idsync: Program) -> None:
    idsync.write("idsync.yaml", CONFIG)
    idsync.make_store()
    for value in ("C", "D"):
        made = idsync("login", "--customer-id", value, "--email", value, "--json").json()
    change = [{"identity_type": "customer_id", "new_value": "E"}]
    assert (
        idsync.replay({"type": "modify", "mpid": made["mpid"], "identity_changes": change}).status
        == 0
    )
    idsync.write("idsync.yaml", IMMUTABLE)
    found = findings(idsync)
    assert found.keys() == {"several_immutable"}
    assert found["several_immutable"]["examples"] == [
        f"{made['mpid']} in consumers: 2 of customer_id"
    ]


def test_a_scope_without_rules_is_noted(idsync: Program) -> None:
    idsync.write("idsync.yaml", TWO_SCOPES)
    idsync.make_store()
    assert idsync("identify", "--scope", "couriers", "--email", "a").status == 0
    idsync.write("idsync.yaml", CONFIG)
    found = findings(idsync)
    assert found.keys() == {"unnamed_scope"}
    assert found["unnamed_scope"]["examples"] == ["'couriers'"]


def test_json_is_ascii_on_one_line(lived: Program) -> None:
    outcome = lived("doctor", "--json")
    assert outcome.stdout.isascii()
    assert outcome.stdout.count("\n") == 1
    assert json.loads(outcome.stdout)["store"] == "idsync.db"
