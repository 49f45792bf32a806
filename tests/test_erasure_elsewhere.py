"""What an erasure means for all that is not the profile: what would bring it back, and who reads.

Exports and imports, restores, replays that go on or come again, the paths of files, other
processes at the same store, and the triggers of the history (section 9, Erase).
"""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from idsync_cli.engine.engine import Engine
from idsync_cli.engine.service import Service
from idsync_cli.errors import StoreFault
from idsync_cli.files.config_file import load
from idsync_cli.replay import ahead
from idsync_cli.store import sqlite as stores
from tests.old_store import put_old_store
from tests.program import (  # noqa: F401 - the fixture
    Program,
    assert_refused,
    mpid_of,
    program_in_a_fresh_folder,
)

FIRST, SECOND = mpid_of(1, 1), mpid_of(1, 2)
Json = dict[str, Any]


def login(number: int, **more: Any) -> Json:
    known = {"customer_id": f"c{number}", "email": f"user{number}@example.com"}
    return {"type": "login", "known_identities": known, **more}


@pytest.fixture(name="shop")
def store_with_three_users(idsync: Program) -> Program:
    idsync.make_store()
    idsync.write("day.jsonl", "".join(json.dumps(login(each)) + "\n" for each in (1, 2, 3)))
    assert idsync("replay", "day.jsonl", "--quiet").status == 0
    return idsync


def erase(program: Program, number: int = 1, *arguments: str) -> Any:
    outcome = program("erase", "--customer-id", f"c{number}", "--json", *arguments)
    assert (outcome.status, outcome.stderr) == (0, "")
    return outcome.json()


def files_named(program: Program, number: int = 1) -> list[tuple[str, str]]:
    """The kinds and names of files that an erasure would name."""
    found = erase(program, number, "--dry-run")["files"]
    assert all(Path(each["path"]).is_absolute() for each in found)
    return [(each["kind"], Path(each["path"]).name) for each in found]


# ---- Out by an export, and in by an import


def test_an_export_says_who_was_erased_and_an_import_takes_it(shop: Program) -> None:
    erase(shop, 1, "--request-id", "r-1")
    erase(shop, 3)
    exported = shop("export").stdout
    profile, *erasures = map(json.loads, exported.splitlines())
    assert profile["mpid"] == SECOND
    for line in erasures:
        assert 1_500_000_000_000 < line.pop("time_ms") < 5_000_000_000_000
    assert erasures == [
        {
            "record": "erasure",
            "mpid": FIRST,
            "seq": 4,
            "scope": "consumers",
            "request_id": "r-1",
        },
        {
            "record": "erasure",
            "mpid": mpid_of(1, 3),
            "seq": 5,
            "scope": "consumers",
            "request_id": None,
        },
    ]
    outcome = shop("import", "-", "--store", "new.db", "--json", stdin=exported.encode())
    counts = {"profiles": 1, "records": 0, "erasures": 2, "blocked": 0}
    assert outcome.json() == counts | {"dry_run": False}
    assert shop("export", "--store", "new.db").stdout == exported
    assert shop("doctor", "--store", "new.db").status == 0
    assert shop("login", "--customer-id", "n", "--store", "new.db", "--json").json()["seq"] == 6
    assert shop("history", "--mpid", FIRST, "--store", "new.db").status == 0


def test_people_read_how_many_erasures_came(shop: Program) -> None:
    erase(shop)
    exported = shop("export").stdout.encode()
    outcome = shop("import", "-", "--store", "new.db", stdin=exported)
    assert outcome.stdout == "imported 2 profiles, 1 erasure\n"


def test_a_table_for_spreadsheets_has_profiles_alone(shop: Program) -> None:
    erase(shop)
    assert len(shop("export", "--format", "csv").stdout.splitlines()) == 3


def test_an_export_of_one_scope_has_its_erasures(idsync: Program) -> None:
    idsync.write(
        "idsync.yaml",
        "version: 1\nscopes:\n  a: {strategy: best_match, priority: [email]}\n"
        "  b: {strategy: best_match, priority: [email]}\n",
    )
    idsync.make_store()
    for scope in ("a", "b"):
        idsync("identify", "--email", "e", "--scope", scope)
        idsync("erase", "--email", "e", "--scope", scope)
    [line] = idsync("export", "--scope", "b").lines()
    assert (line["record"], line["scope"]) == ("erasure", "b")


def test_an_import_refuses_whom_the_store_has_erased(shop: Program) -> None:
    exported = shop("export").stdout.splitlines()
    erase(shop)
    before = shop("export").stdout
    outcome = shop("import", "-", stdin=exported[0].encode())
    assert_refused(outcome, 2, "1: ERASED", FIRST, "by request 4", "nothing was imported")
    assert shop("export").stdout == before


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ({"record": "erasures"}, ["unknown record 'erasures'", "did you mean 'erasure'"]),
        ({"record": 5}, ["unknown record '5'"]),
        ({"record": "erasure", "seq": 9, "time_ms": 1}, ["no mpid"]),
        ({"record": "erasure", "mpid": "5", "time_ms": 1}, ["no seq"]),
        ({"record": "erasure", "mpid": "5", "seq": 9}, ["no time_ms"]),
        ({"record": "erasure", "mpid": "0", "seq": 9, "time_ms": 1}, ["mpid is '0'"]),
        ({"record": "erasure", "mpid": "5", "seq": 0, "time_ms": 1}, ["seq is '0'"]),
        ({"record": "erasure", "mpid": "5", "seq": 9, "time_ms": -1}, ["time_ms is '-1'"]),
        (
            {"record": "erasure", "mpid": "5", "seq": 9, "time_ms": 253_402_300_800_000},
            ["time_ms is '253402300800000'", "year 10000"],
        ),
        ({"record": "erasure", "mpid": "5", "seq": 9, "time_ms": 1, "x": 1}, ["unknown member"]),
        ({"record": "erasure", "mpid": FIRST, "seq": 9, "time_ms": 1}, ["is in the store"]),
        ({"record": "erasure", "mpid": "5", "seq": 3, "time_ms": 1}, ["seq 3 is already in use"]),
    ],
)
def test_a_line_that_is_no_erasure_is_refused(shop: Program, line: Json, words: list[str]) -> None:
    good = {"record": "erasure", "mpid": "7", "seq": 8, "time_ms": 1}
    stdin = f"{json.dumps(good)}\n{json.dumps(line)}\n".encode()
    assert_refused(shop("import", "-", stdin=stdin), 2, "standard input:2: ", *words)
    assert shop("import", "-", stdin=json.dumps(good).encode()).status == 0
    again = shop("import", "-", stdin=json.dumps(good | {"seq": 20}).encode())
    assert_refused(again, 2, "the erasure of the profile 7 is already in the store")


SHARED: dict[str, Json] = {
    "attribute": {"name": "a", "value": 1},
    "device": {"first_seq": 6, "identity_type": None, "value": None, "info": {}},
    "device, first": {"seq": 8, "first_seq": 7, "identity_type": None, "value": None, "info": {}},
    "state": {"consent_state": None, "is_opted_out": True, "attribution": None},
    "event": {
        "place": 1,
        "time_ms": 1_700_000_000_000,
        "event": {"event_type": "custom_event"},
    },
    "digest": {"digest": "00" * 16},
}
"""What else may stand in an export under a number, by the kind of its line."""


@pytest.mark.parametrize("kind", SHARED)
def test_an_erasure_shares_its_number_with_nothing(idsync: Program, kind: str) -> None:
    idsync.make_store()
    profile = {"mpid": "11", "scope": "consumers", "created_seq": 1, "identities": {"email": ["a"]}}
    key = {"record": "digest_key", "key": "00" * 32}
    it = {"record": kind.split(",", maxsplit=1)[0], "mpid": "11", "seq": 7} | SHARED[kind]
    erasure = {"record": "erasure", "mpid": "22", "seq": 7, "scope": "consumers", "time_ms": 1}
    for last in ([it, erasure], [erasure, it]):
        lines = "".join(f"{json.dumps(each)}\n" for each in (key, profile, *last))
        outcome = idsync("import", "-", stdin=lines.encode())
        assert_refused(outcome, 2, "standard input:4: ", "seq", "7 is", "nothing was imported")
    apart = "".join(f"{json.dumps(each)}\n" for each in (key, profile, it, erasure | {"seq": 9}))
    assert idsync("import", "-", stdin=apart.encode()).status == 0


@pytest.mark.parametrize("is_first", [True, False])
def test_an_id_of_a_batch_whose_profile_was_erased_takes_no_number(
    idsync: Program, is_first: bool
) -> None:
    idsync.make_store()
    key = {"record": "digest_key", "key": "00" * 32}
    digest = {"record": "digest", "mpid": None, "seq": 7, "digest": "00" * 16}
    erasure = {"record": "erasure", "mpid": "22", "seq": 7, "scope": "consumers", "time_ms": 1}
    both = [digest, erasure] if is_first else [erasure, digest]
    lines = "".join(f"{json.dumps(each)}\n" for each in (key, *both))
    assert idsync("import", "-", stdin=lines.encode()).status == 0
    exported = idsync("export").stdout
    assert idsync("import", "-", "--store", "n.db", stdin=exported.encode()).status == 0
    assert idsync("export", "--store", "n.db").stdout == exported


# ---- Restores


def test_a_restore_carries_out_again_what_the_store_knows(shop: Program) -> None:
    assert shop("backup", "monday.db").status == 0
    assert b"user1@example.com" in (shop.folder / "monday.db").read_bytes()
    later = shop("login", "--customer-id", "late", "--json").json()["mpid"]
    erase(shop, 1, "--request-id", "r-1")
    assert shop("erase", "--mpid", later).status == 0
    outcome = shop("restore", "monday.db", "--json")
    assert (outcome.status, outcome.json()["erased_again"]) == (0, 1)
    lines = shop("export").lines()
    assert [(each["mpid"], each.get("seq")) for each in lines] == [
        (SECOND, None), (mpid_of(1, 3), None), (FIRST, 5), (later, 6),
    ]  # fmt: skip
    assert lines[2]["request_id"] == "r-1"
    for name in ("idsync.db", "idsync.db-wal", "idsync.db.before-restore"):
        if (shop.folder / name).exists():
            assert b"user1@example.com" not in (shop.folder / name).read_bytes()
    assert shop("doctor").status == 0
    assert shop("login", "--customer-id", "c1", "--json").json()["seq"] == 7
    assert_refused(
        shop("import", "-", stdin=b'{"mpid": "%s", "identities": {}}' % FIRST.encode()), 2, "ERASED"
    )


def test_a_restore_tells_people_what_it_erased(shop: Program) -> None:
    shop("backup", "monday.db")
    erase(shop)
    assert "erased 1 profile again" in shop("restore", "monday.db").stdout
    shop("backup", "tuesday.db")
    assert "again" not in shop("restore", "tuesday.db").stdout


def test_a_number_that_the_backup_is_beyond_is_not_used_twice(shop: Program) -> None:
    for name in ("x", "y"):
        shop("login", "--customer-id", name)
    shop("backup", "monday.db")  # which is at 5
    assert shop("restore", "monday.db", "--discard").status == 0
    old = shop.folder / "old.db"
    shop("backup", "old.db")
    with closing(sqlite3.connect(old)) as it:  # a store that has gone another way, and is at 4
        it.execute("UPDATE store SET last_seq = 4")
    erase(shop)
    assert erase(shop, 2)["seq"] == 7
    shop("restore", "monday.db", "--discard")
    seqs = [each["seq"] for each in shop("export").lines() if "record" in each]
    assert seqs == [6, 7]


def test_what_the_store_knows_of_files_and_ids_outlasts_a_restore(shop: Program) -> None:
    shop("backup", "monday.db")
    shop("export", "--output", "later.jsonl")
    shop("restore", "monday.db")
    assert files_named(shop) == [
        ("requests", "day.jsonl"),
        ("backup", "idsync.db.before-restore"),
        ("output", "later.jsonl"),
        ("backup", "monday.db"),
    ]


def test_a_replay_under_way_notices_a_restore_and_not_an_erasure(shop: Program) -> None:
    """Both change SQLite's own count of changes of the schema."""
    organization = load(shop.folder / "idsync.yaml").organization
    shop("backup", "monday.db")
    opened = stores.open_store(str(shop.folder / "idsync.db"), write=True)
    assert opened is not None
    with opened:
        engine = Engine(organization, opened, now=lambda: 0)
        for number in (1, 2):
            erase(shop, number)
            assert opened.is_the_same
            assert engine.one_shot(login(10 + number)).seq == 3 + 2 * number
        found = engine.one_shot({"type": "search", "known_identities": {"customer_id": "c1"}})
        assert found.status == "not_found"
        shop("restore", "monday.db")
        assert not opened.is_the_same
        with pytest.raises(StoreFault, match="was restored"):
            engine.one_shot(login(20))


# ---- Replays


def test_a_file_replayed_before_an_erasure_comes_again_only_by_force(shop: Program) -> None:
    assert shop("replay", "day.jsonl", "--again", "--quiet").status == 0
    erase(shop)
    before = shop.files()
    for more in ([], ["--dry-run"]):
        outcome = shop("replay", "day.jsonl", "--again", "--quiet", *more)
        assert_refused(outcome, 2, "before a profile was erased", "--again --force")
    assert shop.files() == before
    shop.write("copy.jsonl", (shop.folder / "day.jsonl").read_bytes())
    assert_refused(shop("replay", "copy.jsonl", "--again"), 2, "before a profile was erased")
    assert shop("replay", "day.jsonl", "--again", "--force", "--quiet").status == 0
    assert shop("search", "--customer-id", "c1").status == 0
    assert_refused(shop("replay", "day.jsonl", "--again"), 2, "before a profile was erased")


def test_a_file_replayed_after_every_erasure_comes_again_freely(shop: Program) -> None:
    erase(shop)
    shop.write("later.jsonl", json.dumps(login(7)) + "\n")
    assert shop("replay", "later.jsonl", "--quiet").status == 0
    assert shop("replay", "later.jsonl", "--again", "--quiet").status == 0


@pytest.mark.parametrize("size", ["1", "100"])
def test_a_file_that_erases_needs_force_itself(shop: Program, size: str) -> None:
    lines = [login(8), {"type": "erase", "known_identities": {"customer_id": "c8"}}]
    shop.write("erases.jsonl", "".join(json.dumps(each) + "\n" for each in lines))
    assert shop("replay", "erases.jsonl", "--quiet", "--chunk-size", size).status == 0
    assert_refused(shop("replay", "erases.jsonl", "--again"), 2, "before a profile was erased")
    assert shop("doctor").status == 0


def test_a_replay_that_is_resumed_brings_nothing_of_its_done_lines_back(shop: Program) -> None:
    lines = [
        login(30, label="thirty"),
        login(31),
        {"type": "nonsense"},
        login(31, request_id="later"),
        {"type": "modify", "mpid": "@thirty", "known_identities": {"email": "n@example.com"}},
        login(30, request_id="new"),
    ]
    shop.write("half.jsonl", "".join(json.dumps(each) + "\n" for each in lines))
    assert shop("replay", "half.jsonl", "--stop-on-error", "--quiet").status == 1
    gone = [erase(shop, number)["mpid"] for number in (30, 31)]
    assert_refused(
        shop("replay", "half.jsonl", "--again", "--quiet"), 2, "before a profile was erased"
    )
    outcome = shop("replay", "half.jsonl", "--resume", "--output", "-")
    nonsense, new, unknown, newer = outcome.lines()
    assert nonsense["status"] == "error"
    assert (new["status"], newer["status"]) == ("created", "created")
    assert not {new["mpid"], newer["mpid"]} & {*gone}
    assert unknown["errors"][0]["code"] == "UNKNOWN_LABEL"
    assert len([each for each in shop("export").lines() if "identities" in each]) == 5
    assert shop("doctor").status == 0


def test_lines_of_a_long_replay_erase_while_another_process_writes(
    shop: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process that decides cannot erase, and leaves such lines to the other writer."""
    monkeypatch.setattr(ahead, "is_worth_a_process", lambda *_, **__: True)
    monkeypatch.setattr(ahead, "_PATIENCE", 30.0)
    monkeypatch.setattr(ahead, "_ALONE_AGAIN", 1)
    taken_over = []
    takes_over = ahead.AheadWriter.takes_over

    def seen(self: ahead.AheadWriter, *of: Any) -> bool:
        taken_over.append(takes_over(self, *of))
        return taken_over[-1]

    monkeypatch.setattr(ahead.AheadWriter, "takes_over", seen)
    lines: list[Json] = []
    for number in range(100, 4100):
        lines.append(login(number))
        if number % 500 == 250:
            lines.append({"type": "erase", "known_identities": {"customer_id": f"c{number - 5}"}})
    shop.write("long.jsonl", "".join(json.dumps(each) + "\n" for each in lines))
    outcome = shop("replay", "long.jsonl", "--json")
    assert outcome.status == 0
    assert outcome.json()["types"]["erase"] == {"erased": 8}
    assert any(taken_over)
    assert not all(taken_over[2:])
    content = (shop.folder / "idsync.db").read_bytes()
    assert b"user245@example.com" not in content
    assert b"user246@example.com" in content
    assert shop("doctor").status == 0


# ---- The paths of files


def test_the_store_keeps_the_paths_of_what_is_written_from_it(shop: Program) -> None:
    (shop.folder / "there").mkdir()
    assert shop("backup", "there/monday.db").status == 0
    assert shop("export", "--output", "there/profiles.jsonl").status == 0
    assert shop("export", "--output", "-").status == 0
    assert shop("login", "--customer-id", "s", "--svg", "picture.svg").status == 0
    shop.write("more.jsonl", json.dumps(login(5)) + "\n")
    assert shop("replay", "more.jsonl", "--output", "answers.jsonl", "--quiet").status == 0
    shop.replay(login(6))
    shop.write("names.txt", "customer_id=c1\n")
    assert shop("translate", "names.txt", "--to", "email", "--output", "emails.txt").status == 0
    assert shop("translate", "none.txt", "--to", "email", "--output", "nobody.txt").status == 2
    others = ("--with", "idsync.yaml", "--store", "idsync.db", "--output", "differing.jsonl")
    assert shop("compare", "more.jsonl", *others).status == 0
    assert shop("replay", "more.jsonl", "--again", "--enrich", "enriched.jsonl").status == 0
    assert files_named(shop) == [
        ("output", "answers.jsonl"),
        ("requests", "day.jsonl"),
        ("output", "differing.jsonl"),
        ("output", "emails.txt"),
        ("output", "enriched.jsonl"),
        ("requests", "more.jsonl"),
        ("output", "picture.svg"),
        ("backup", "monday.db"),
        ("output", "profiles.jsonl"),
    ]
    assert shop("doctor").status == 0
    assert shop("doctor", "--store", "there/monday.db").status == 0


def test_no_path_is_kept_of_a_dry_run_nor_of_what_was_refused(shop: Program) -> None:
    shop.write("more.jsonl", json.dumps(login(5)) + "\n")
    assert shop("replay", "more.jsonl", "--dry-run", "--quiet").status == 0
    told = shop("replay", "more.jsonl", "--dry-run", "--output", "a.jsonl", "--enrich", "e.jsonl")
    assert "no erasure will name 'a.jsonl' and 'e.jsonl'; delete" in told.stderr
    assert shop("login", "--customer-id", "s", "--svg", "p.svg", "--dry-run").status == 0
    assert shop("backup", "idsync.yaml").status == 2
    assert shop("export", "--output", "day.jsonl").status == 2
    assert shop("replay", "day.jsonl", "--output", "answers.jsonl").status == 2
    assert files_named(shop) == [("requests", "day.jsonl")]


def test_the_copy_of_a_store_that_was_upgraded_is_named(idsync: Program) -> None:
    put_old_store(idsync)
    assert idsync("init").status == 0
    [scope, *_] = idsync("stats", "--json").json()["scopes"]
    mpid = idsync("profiles", "--scope", scope, "--json").lines()[0]["mpid"]
    found = idsync("erase", "--mpid", mpid, "--scope", scope, "--dry-run", "--json").json()
    kept = [Path(each["path"]).name for each in found["files"] if each["kind"] == "backup"]
    assert kept == ["idsync.db.v1-backup"]


def test_a_store_that_may_only_be_read_is_exported_all_the_same(shop: Program) -> None:
    (shop.folder / "idsync.db").chmod(0o400)
    try:
        assert shop("export", "--output", "profiles.jsonl").status == 0
        assert shop("backup", "monday.db").status == 0
    finally:
        (shop.folder / "idsync.db").chmod(0o600)


def test_a_file_whose_name_is_no_text_is_named_all_the_same(shop: Program) -> None:
    name = b"caf\xe9.jsonl"
    process = shop.start("export", "--output", name)
    process.communicate()
    assert process.returncode == 0
    assert ("output", "caf\\xe9.jsonl") in files_named(shop)


# ---- The history is only ever appended to


HISTORY = ("requests", "changes", "attribute_changes")


@pytest.mark.parametrize("table", HISTORY)
@pytest.mark.parametrize("act", ["DELETE FROM {}", "UPDATE {} SET created_seq = created_seq"])
def test_nobody_else_takes_anything_back(shop: Program, table: str, act: str) -> None:
    batch = {"type": "batch", "user_identities": {"customer_id": "c1"}}
    shop.replay(batch | {"user_attributes": {"city": "Bern"}})
    erase(shop, 2)
    with closing(sqlite3.connect(shop.folder / "idsync.db")) as it:
        assert it.execute(f"SELECT count(*) FROM {table}").fetchone() != (0,)
        with pytest.raises(sqlite3.IntegrityError, match="only ever appended to"):
            it.execute(act.format(table))


def test_an_erasure_under_way_is_about_one_profile_alone(shop: Program) -> None:
    with closing(sqlite3.connect(shop.folder / "idsync.db")) as it:
        it.execute("INSERT INTO erasures VALUES (5, 9, 's', 0, NULL, 0, 1, 0, 0, 0)")
        it.execute("DELETE FROM changes WHERE created_seq = 1")
        with pytest.raises(sqlite3.IntegrityError, match="only ever appended to"):
            it.execute("DELETE FROM changes WHERE created_seq = 2")


# ---- Others at the same store


def test_a_service_erases_and_nothing_is_left_when_it_is_idle(shop: Program) -> None:
    organization = load(shop.folder / "idsync.yaml").organization
    path = str(shop.folder / "idsync.db")

    def opened(*, write: bool) -> Callable[[], stores.SqliteStore]:
        def open_it() -> stores.SqliteStore:
            found = stores.open_store(path, write=write)
            assert found is not None
            return found

        return open_it

    reading, writing = opened(write=False), opened(write=True)
    with Service(organization, writing, reading, now=lambda: 5) as service:
        request = {"type": "erase", "known_identities": {"customer_id": "c1"}, "request_id": "r"}
        shown = service.submit(request, dry_run=True).result()
        answer = service.submit(request).result()
        assert (shown.status, answer.status) == ("erased", "erased")
        search = {"type": "search", "known_identities": {"customer_id": "c1"}}
        assert service.submit(search).result().status == "not_found"
        others = [service.submit(login(each)) for each in range(50, 60)]
        assert {each.result().status for each in others} == {"created"}
        for name in ("idsync.db", "idsync.db-wal"):
            assert b"user1@example.com" not in (shop.folder / name).read_bytes()
    assert shop("doctor").status == 0


def test_two_processes_erase_at_once_and_a_third_goes_on(shop: Program) -> None:
    for number in range(40, 60):
        shop("login", "--customer-id", f"c{number}")
    processes = [
        shop.start("erase", "--customer-id", f"c{number}", "--json") for number in range(40, 44)
    ]
    logins = [shop.start("login", "--customer-id", f"n{number}") for number in range(3)]
    outcomes = [each.communicate() for each in (*processes, *logins)]
    statuses = [each.returncode for each in (*processes, *logins)]
    assert {*statuses} <= {0, 3}, outcomes  # one may read while another empties the log
    assert shop("login", "--customer-id", "last").status == 0
    assert shop("doctor").status == 0
    assert len([each for each in shop("export").lines() if "record" in each]) == 4
