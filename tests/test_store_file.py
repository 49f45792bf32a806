"""The store as a file: who may read it, what it refuses, several at once, and its tables."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sqlite_utils import Database

from tests.program import (  # noqa: F401 - the fixture
    TWO_SCOPES,
    Program,
    assert_refused,
    ended,
    mpid_of,
    program_in_a_fresh_folder,
)

IDENTIFY = ("identify", "--email", "a@example.com")


@contextmanager
def connected(idsync: Program, name: str = "idsync.db") -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(idsync.folder / name, isolation_level=None)) as connection:
        yield connection


def modes(folder: Path) -> dict[str, str]:
    """The permissions of every file of the store."""
    return {path.name: f"{path.stat().st_mode & 0o777:o}" for path in folder.glob("idsync.db*")}


# Who may read it


@pytest.mark.parametrize(
    ("maker", "umask"),
    [(IDENTIFY, 0o022), (IDENTIFY, 0), (IDENTIFY, 0o777), (("init",), 0), (("replay", "-"), 0)],
)
def test_a_store_is_readable_by_its_owner_alone(
    idsync: Program, maker: tuple[str, ...], umask: int
) -> None:
    assert idsync.process(*maker, umask=umask).status == 0
    assert modes(idsync.folder) == {"idsync.db": "600", "idsync.db-lock": "600"}


@pytest.mark.parametrize(("umask", "there"), [(0, False), (0, True), (0o022, False)])
def test_the_files_beside_an_open_store_are_readable_by_its_owner_alone(
    idsync: Program, umask: int, there: bool
) -> None:
    if there:
        idsync.make_store()
    arguments = ("replay", "-", "--chunk-size", "1", "--output", "-")
    with idsync.start(*arguments, umask=umask) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b'{"type": "identify", "known_identities": {"email": "a"}}\n')
        process.stdin.flush()
        assert process.stdout.readline()
        while_open = modes(idsync.folder)
        assert ended(process).status == 0
    assert while_open == dict.fromkeys(
        ["idsync.db", "idsync.db-wal", "idsync.db-shm", "idsync.db-lock"], "600"
    )
    assert modes(idsync.folder) == {"idsync.db": "600", "idsync.db-lock": "600"}


# What it refuses


def test_a_store_says_whose_it_is_and_of_which_version(idsync: Program) -> None:
    idsync("init")
    assert (idsync.folder / "idsync.db").read_bytes()[68:72] == b"idsy"
    with connected(idsync) as connection:
        assert connection.execute("PRAGMA application_id").fetchone()[0] == 0x69647379
        assert connection.execute("PRAGMA user_version").fetchone()[0] > 0
        assert connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"


@pytest.mark.parametrize(
    ("pragma", "words"),
    [
        ("user_version = 1000", ["schema version 1000", "use the version of idsync"]),
        ("user_version = -1", ["version"]),
        ("application_id = 1", ["not an idsync store", "left unchanged", "--store"]),
    ],
)
def test_a_store_of_a_newer_version_or_another_program_is_left_as_it_is(
    idsync: Program, pragma: str, words: list[str]
) -> None:
    idsync.make_store()
    idsync(*IDENTIFY)
    with connected(idsync) as connection:
        connection.execute(f"PRAGMA {pragma}")
    before = idsync.files()
    for arguments in (
        IDENTIFY,
        ("search", "--email", "a"),
        ("export",),
        ("init",),
        ("replay", "-"),
    ):
        assert_refused(idsync(*arguments), 3, "idsync.db", *words)
        assert idsync.files() == before


@pytest.mark.parametrize("kept", [100, 4096, 20_000])
def test_a_store_that_was_cut_short_is_told_of_by_status_three(idsync: Program, kept: int) -> None:
    idsync.make_store()
    path = idsync.folder / "idsync.db"
    path.write_bytes(path.read_bytes()[:kept])
    for arguments in (IDENTIFY, ("search", "--email", "a"), ("export",), ("replay", "-")):
        outcome = idsync(*arguments)
        assert_refused(outcome, 3, "store")


def test_a_store_whose_pages_are_overwritten_is_told_of_by_status_three(idsync: Program) -> None:
    idsync.make_store()
    path = idsync.folder / "idsync.db"
    path.write_bytes(path.read_bytes()[:4096] + b"\xa5" * (path.stat().st_size - 4096))
    for arguments in (IDENTIFY, ("export",)):
        assert_refused(idsync(*arguments), 3, "store")


def test_a_locked_store_is_told_of_and_does_not_keep_a_search_from_reading(
    idsync: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("idsync_cli.store.sqlite.files.handles.BUSY_SECONDS", 0.5)
    idsync.make_store()
    idsync(*IDENTIFY)
    with connected(idsync) as connection:
        connection.execute("BEGIN IMMEDIATE")
        assert idsync("search", "--email", "a@example.com").status == 0
        assert idsync(*IDENTIFY, "--idfv", "x", "--dry-run").status == 0
        assert_refused(idsync(*IDENTIFY, "--idfv", "x"), 3, "locked", "nothing was changed")
        connection.execute("ROLLBACK")
    assert "x" not in idsync("export").stdout.replace("example", "")
    assert idsync(*IDENTIFY, "--idfv", "x").status == 0


# Several at once


def test_requests_at_once_for_one_new_customer_make_one_profile(idsync: Program) -> None:
    idsync.make_store()
    login = ("login", "--customer-id", "new", "--json")
    running = [idsync.start(*login, "--idfv", f"phone {number}") for number in range(6)]
    outcomes = [ended(process) for process in running]
    assert [(outcome.status, outcome.stderr) for outcome in outcomes] == [(0, "")] * 6
    answers = [outcome.json() for outcome in outcomes]
    assert sorted(answer["seq"] for answer in answers) == [1, 2, 3, 4, 5, 6]
    assert sorted(answer["status"] for answer in answers) == ["created", *["matched"] * 5]
    assert {answer["mpid"] for answer in answers} == {mpid_of(1, 1)}
    assert len(idsync("export").json()["identities"]["ios_idfv"]) == 6


def test_first_runs_at_once_make_one_store(idsync: Program) -> None:
    running = [idsync.start(*IDENTIFY, "--idfv", f"phone {n}", "--json") for n in range(8)]
    outcomes = [ended(process) for process in running]
    assert [(outcome.status, outcome.stderr) for outcome in outcomes] == [(0, "")] * 8
    assert len({outcome.json()["mpid"] for outcome in outcomes}) == 1
    assert set(idsync.files()) == {"idsync.yaml", "idsync.db"}
    assert len(idsync("export").json()["identities"]["ios_idfv"]) == 8


# What it is made of

TABLES = {
    "scopes": {"scope_id", "name", "login_types"},
    "identity_types": {"identity_type_id", "name"},
    "profiles": {"created_seq", "mpid", "scope_id", "source_mpid", "known_seq", "types"},
    "identifiers": {"identifier_id", "scope_id", "identity_type_id", "value"},
    "holders": {"identifier_id", "known", "created_seq", "identity_type_id", "added_seq", "place"},
    "outcomes": {"outcome_id", "scope_id", "type", "status", "rule", "identity_type"},
    "requests": {
        *("seq", "time_ms", "outcome_id", "created_seq", "request_id", "request_timestamp_ms"),
    },
    "changes": {"seq", "place", "op", "created_seq", "identifier_id"},
    "store": {"id", "seed", "last_seq"},
}
VIEWS = {
    "profile_identifiers": {"mpid", "scope", "identity_type", "value", "was_known", "source_mpid"},
    "history": {
        *("seq", "time", "type", "scope", "op", "mpid", "identity_type", "value", "rule"),
        *("decided_by", "request_id", "request_timestamp_ms"),
    },
}


@pytest.fixture(name="lived")
def program_with_a_history(idsync: Program) -> Program:
    """Eight lines of which five change the store, among them one of each op and two scopes."""
    idsync.write("idsync.yaml", TWO_SCOPES)
    idsync.make_store()
    user = {"customer_id": "C", "idfv": "phone"}
    stamp = {"request_id": "r-1", "request_timestamp_ms": 1763800000000}
    consumers: list[dict[str, object]] = [
        {"type": "identify", "label": "a", "known_identities": {"idfv": "phone"}, **stamp},
        {"type": "login", "known_identities": user},
        {"type": "search", "known_identities": user},
        {"type": "modify", "mpid": "@a", "known_identities": {"idfv": "tablet", "email": "a"}},
        {"type": "modify", "mpid": "@a", "known_identities": {"email": "a"}},
        {"type": "login"},
        {"type": "logout", "known_identities": {"idfv": "tablet"}},
    ]
    courier = {"type": "login", "scope": "couriers", "known_identities": user}
    requests = [*({"scope": "consumers"} | request for request in consumers), courier]
    answers = idsync.answers(*requests)
    assert [answer["status"] for answer in answers].count("error") == 1
    return idsync


def test_tables_and_views_are_named_in_the_words_of_the_specification(lived: Program) -> None:
    with connected(lived) as connection:
        database = Database(connection)
        for name, columns in TABLES.items():
            assert columns <= database[name].columns_dict.keys()
        for name, columns in VIEWS.items():
            assert columns <= database[name].columns_dict.keys()
        assert VIEWS.keys() <= set(database.view_names())
        assert "-- " in database["profiles"].schema  # the columns are commented in the file itself


def test_the_view_of_identifiers_shows_what_an_export_shows(lived: Program) -> None:
    with connected(lived) as connection:
        rows = list(Database(connection).query("SELECT * FROM profile_identifiers"))
    shown: dict[str, dict[str, list[str]]] = {}
    for row in rows:
        profile = shown.setdefault(str(row["mpid"]), {})
        profile.setdefault(row["identity_type"], []).append(row["value"])
    assert shown == {line["mpid"]: line["identities"] for line in lived("export").lines()}
    assert {row["scope"] for row in rows} == {"consumers", "couriers"}


def test_history_has_every_change_in_order_with_its_reason(lived: Program) -> None:
    with connected(lived) as connection:
        rows = list(Database(connection).query("SELECT * FROM history"))
    told = [
        (row["seq"], row["type"], row["op"], row["identity_type"], row["value"]) for row in rows
    ]
    assert told == [
        (1, "identify", "add", "ios_idfv", "phone"),
        (2, "login", "add", "customer_id", "C"),
        (4, "modify", "add", "email", "a"),
        (4, "modify", "remove", "ios_idfv", "phone"),
        (4, "modify", "add", "ios_idfv", "tablet"),
        (7, "logout", "add", "ios_idfv", "tablet"),
        (8, "login", "add", "customer_id", "C"),
        (8, "login", "add", "ios_idfv", "phone"),
    ]
    assert [row["rule"] for row in rows[:4]] == ["no_match", "identifier", "mpid", "mpid"]
    assert rows[1]["decided_by"] == "ios_idfv"
    assert (rows[0]["request_id"], rows[0]["request_timestamp_ms"]) == ("r-1", 1763800000000)
    assert rows[0]["time"].endswith("Z")
    assert rows[0]["mpid"] == int(mpid_of(1, 1))


def test_history_told_from_its_beginning_gives_the_profiles(lived: Program) -> None:
    held: dict[str, list[tuple[str, str]]] = {}
    with connected(lived) as connection:
        for row in Database(connection).query("SELECT * FROM history"):
            identifiers = held.setdefault(str(row["mpid"]), [])
            change = identifiers.append if row["op"] == "add" else identifiers.remove
            change((row["identity_type"], row["value"]))
    assert {mpid: sorted(identifiers) for mpid, identifiers in held.items()} == {
        line["mpid"]: sorted(
            (kind, value) for kind, values in line["identities"].items() for value in values
        )
        for line in lived("export").lines()
    }


@pytest.mark.parametrize("table", ["requests", "changes"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET seq = seq", "DELETE FROM {}"])
def test_history_is_only_ever_appended_to(lived: Program, table: str, statement: str) -> None:
    with (
        connected(lived) as connection,
        pytest.raises(sqlite3.IntegrityError, match="only ever appended"),
    ):
        connection.execute(statement.format(table))


@pytest.mark.parametrize("table", ["requests", "changes"])
def test_history_cannot_be_replaced_either(lived: Program, table: str) -> None:
    with connected(lived) as connection:
        [before] = connection.execute(f"SELECT count(*), sum(seq) FROM {table}")
        with pytest.raises(sqlite3.IntegrityError):
            connection.execute(f"REPLACE INTO {table} SELECT * FROM {table}")
        assert connection.execute(f"SELECT count(*), sum(seq) FROM {table}").fetchone() == before


def test_a_store_is_sound_by_sqlite_s_own_measure(lived: Program) -> None:
    with connected(lived) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []


def test_the_seed_and_the_counter_stand_in_the_store(idsync: Program) -> None:
    seed = str(2**200)
    idsync("init", "--seed", seed)
    idsync("replay", "-", stdin=json.dumps({"type": "nonsense"}).encode())
    with connected(idsync) as connection:
        [row] = Database(connection).query("SELECT * FROM store")
    assert (row["seed"], row["last_seq"]) == (seed, 1)
