"""A store of schema 3, which knew of no events: brought up to date, with nothing lost."""

import json
import sqlite3
from contextlib import closing

import pytest

from idsync_cli.store.sqlite.lifecycle.header import SCHEMA_VERSION
from tests.old_store import OF_SCHEMA_3 as OF_3
from tests.old_store import put_store_of_schema_3
from tests.program import Program, program_in_a_fresh_folder  # noqa: F401 - the fixture
from tests.test_upgrade import dump, version


@pytest.fixture(name="old")
def program_with_a_store_of_schema_3(idsync: Program) -> Program:
    put_store_of_schema_3(idsync)
    return idsync


def test_it_is_brought_up_to_date_after_a_backup_and_has_all_that_it_had(old: Program) -> None:
    before = dump(old.folder / "idsync.db")
    outcome = old("init")
    assert "kept as idsync.db.v3-backup" in outcome.stderr
    assert version(old.folder / "idsync.db") == SCHEMA_VERSION
    assert dump(old.folder / "idsync.db.v3-backup") == before
    assert old("export").stdout.encode() == (OF_3 / "export.jsonl").read_bytes()
    assert old("doctor").stdout.startswith("no problems found")


def test_it_then_has_the_tables_of_a_new_store(old: Program) -> None:
    assert old("init").status == 0
    assert old("init", "--store", "new.db").status == 0
    query = "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY name"
    found = []
    for name in ("idsync.db", "new.db"):
        with closing(sqlite3.connect(old.folder / name)) as connection:
            rows = connection.execute(query).fetchall()
            found.append([*rows, *connection.execute("SELECT * FROM _sqlite_migrations")])
    assert found[0] == found[1]


def test_it_then_says_of_each_profile_when_it_was_first_seen_and_last_stored(old: Program) -> None:
    with closing(sqlite3.connect(old.folder / "idsync.db")) as connection:
        requests = connection.execute(
            "SELECT created_seq, time_ms, request_timestamp_ms FROM requests"
        ).fetchall()
    times: dict[int, list[int]] = {}
    for seq, clock, own in requests:
        times.setdefault(seq, []).append(clock if own is None else own)
    assert old("init").status == 0
    with closing(sqlite3.connect(old.folder / "idsync.db")) as connection:
        found = connection.execute(
            "SELECT created_seq, first_seen_ms, last_stored_ms FROM profiles"
        ).fetchall()
    assert {row[0]: row[1:] for row in found} == {
        seq: (min(each), max(each)) for seq, each in times.items()
    }
    assert any(len(set(each)) > 1 for each in times.values())


def test_what_was_damaged_before_is_found_afterwards_too(old: Program) -> None:
    with closing(sqlite3.connect(old.folder / "idsync.db", isolation_level=None)) as connection:
        connection.execute("UPDATE profiles SET source_mpid = 77 WHERE created_seq = 3")
    assert "checksum" in old("doctor", "--json").stdout or old("doctor").status != 0
    assert old("init").status == 0
    found = json.loads(old("doctor", "--json").stdout)["findings"]
    assert "profiles 3" in json.dumps(found)


def test_it_then_knows_since_which_request_each_profile_is_known(old: Program) -> None:
    assert old("init").status == 0
    with closing(sqlite3.connect(old.folder / "idsync.db")) as connection:
        found = connection.execute(
            "SELECT created_seq, known_seq FROM profiles WHERE known_seq != 0"
        ).fetchall()
        logins = dict(
            connection.execute(
                "SELECT created_seq, min(seq) FROM changes JOIN identifiers USING (identifier_id)"
                " JOIN scopes USING (scope_id)"
                " WHERE op = 1 AND login_types & (1 << identity_type_id) GROUP BY created_seq"
            )
        )
        imports = connection.execute(
            "SELECT seq FROM requests JOIN outcomes USING (outcome_id) WHERE type = 'import'"
        ).fetchall()
    were_known = json.loads(f"[{','.join((OF_3 / 'export.jsonl').read_text().splitlines())}]")
    wanted = {each["created_seq"] for each in were_known if each["known"]}
    assert {seq for seq, _ in found} <= wanted
    for seq, known_seq in found:
        assert known_seq == (seq if (seq,) in imports else logins.get(seq, seq))
    assert any(seq != known_seq for seq, known_seq in found)
