"""What stands where the store should be, and what happens to it: told of, and left as it was."""

import os
import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from idsync_cli.errors import StoreFault
from idsync_cli.store.sqlite import open_store
from tests.faults import day, export, fed_replay, is_sound, names, text, unprivileged
from tests.program import (  # noqa: F401 - the fixture
    Outcome,
    Program,
    program_in_a_fresh_folder,
)

IDENTIFY = ("identify", "--idfv", "phone 0")
READING = [("search", "--idfv", "phone 0"), ("export",), ("stats",), (*IDENTIFY, "--dry-run")]
WRITING = [
    ("login", "--idfv", "phone 1"),
    ("replay", "day.jsonl"),
    ("import", "profiles.jsonl"),
]
COMMANDS = [*READING, *WRITING, ("init",), ("backup", "copy.db"), ("restore", "whole.db")]
PROFILE = '{"mpid": "5", "scope": "consumers", "identities": {"email": ["p@x"]}}\n'


@pytest.fixture(name="filled")
def program_with_something_to_do(idsync: Program) -> Program:
    """A folder with a store, `whole.db`, and files to replay and to import; no `idsync.db`."""
    idsync.write("day.jsonl", text(day(3)))
    idsync.write("profiles.jsonl", PROFILE)
    assert idsync(*IDENTIFY, "--store", "whole.db").status == 0
    return idsync


def listed(folder: Path) -> dict[str, tuple[int, int, bytes | None]]:
    """What is in a folder: kinds and permissions, times, bytes; no file but files is opened."""
    return {
        path.relative_to(folder).as_posix(): (
            path.lstat().st_mode,
            path.lstat().st_mtime_ns if not path.is_dir() else 0,
            path.read_bytes() if stat.S_ISREG(path.lstat().st_mode) else None,
        )
        for path in folder.rglob("*")
    }


def assert_told(outcome: Outcome, *words: str) -> None:
    """Status three and one line."""
    assert (outcome.status, outcome.stdout) == (3, ""), outcome
    assert outcome.stderr.count("\n") == 1
    assert outcome.stderr.startswith("idsync: ")
    for word in words:
        assert word in outcome.stderr


# Row 7: what is no file that could be a store


def _folder(path: Path) -> None:
    path.mkdir()


def _loop(path: Path) -> None:
    path.symlink_to(path)


def _second_name(path: Path) -> None:
    os.link(path.with_name("whole.db"), path)


NO_STORES = {
    "a folder": (_folder, "is a folder"),
    "a pipe": (os.mkfifo, "not a regular file"),
    "a dangling link": (lambda path: path.symlink_to("nowhere.db"), "a broken link"),
    "a looping link": (_loop, "symbolic link"),
    "a hard link": (_second_name, "has 2 names"),
    "a device": (lambda path: path.symlink_to("/dev/null"), "not a regular file"),
}


@pytest.mark.parametrize("what", NO_STORES)
def test_what_cannot_be_a_store_is_told_of_and_nothing_is_made(filled: Program, what: str) -> None:
    make, words = NO_STORES[what]
    make(filled.folder / "idsync.db")
    before = listed(filled.folder)
    for command in COMMANDS:
        if what == "a hard link" and "whole.db" in command:
            continue  # that is its other name
        assert_told(filled(*command), words)
        assert listed(filled.folder) == before, command
    assert_told(filled.process(*IDENTIFY), words)


@pytest.mark.parametrize(
    ("path", "words"), [("", "is empty"), (":memory:", "lost at once"), ("-", "standard")]
)
def test_a_path_that_names_no_file_is_told_of(filled: Program, path: str, words: str) -> None:
    before = listed(filled.folder)
    for command in COMMANDS:
        assert_told(filled(*command, "--store", path), words)
        assert listed(filled.folder) == before


def test_both_names_of_a_store_work_once_one_of_them_is_gone(filled: Program) -> None:
    _second_name(filled.folder / "idsync.db")
    assert_told(filled(*IDENTIFY, "--store", "whole.db"), "remove the others")
    (filled.folder / "whole.db").unlink()
    assert filled(*IDENTIFY).status == 0


def test_a_link_leads_to_the_store_and_its_log_and_its_turns(filled: Program) -> None:
    (filled.folder / "elsewhere").mkdir()
    (filled.folder / "elsewhere" / "link.db").symlink_to("../whole.db")
    with fed_replay(filled, "--store", "elsewhere/link.db") as replay:
        replay.ask(day(2)[1])
        assert names(filled.folder / "elsewhere") == {"link.db"}
        assert filled(*IDENTIFY, "--store", "whole.db").status == 0
        assert replay.end().status == 0
    assert not {name for name in names(filled.folder) if "link" in name}


# Row 7: what may not be read or written. Permissions do not count for root, who gives that up.


def _is_refused_its_permissions(idsync: Program) -> bool:
    secret = idsync.write("secret.yaml", "")
    secret.chmod(0)
    outcome = unprivileged(idsync, "config", "lint", "--config", "secret.yaml")
    secret.unlink()
    return "ermission denied" in outcome.stderr


@pytest.mark.parametrize(
    ("file", "folder"), [(0o400, 0o700), (0o600, 0o500), (0o400, 0o500)], ids=str
)
def test_a_store_that_may_only_be_read_is_read_and_nothing_else(
    filled: Program, file: int, folder: int
) -> None:
    if not _is_refused_its_permissions(filled):
        pytest.skip("this system lets the tests read and write whatever the permissions say")
    place = filled.folder / "place"
    place.mkdir()
    (filled.folder / "whole.db").rename(place / "idsync.db")
    (place / "idsync.db").chmod(file)
    place.chmod(folder)
    before = listed(filled.folder)
    try:
        for command in READING[:2]:
            outcome = unprivileged(filled, *command, "--store", "place/idsync.db")
            assert outcome.status == 0, outcome
            assert listed(filled.folder) == before, command
        for command in WRITING[:2]:
            outcome = unprivileged(filled, *command, "--store", "place/idsync.db")
            assert_told(outcome, "not writable")
            assert listed(filled.folder) == before, command
        assert unprivileged(filled, "backup", "b.db", "--store", "place/idsync.db").status == 0
    finally:
        place.chmod(0o700)
    assert export(filled, "b.db") == export(filled, "place/idsync.db")


@pytest.mark.parametrize(("file", "folder"), [(0, 0o700), (0o600, 0), (0o200, 0o700)], ids=str)
def test_a_store_without_access_is_told_of(filled: Program, file: int, folder: int) -> None:
    if not _is_refused_its_permissions(filled):
        pytest.skip("this system lets the tests read and write whatever the permissions say")
    place = filled.folder / "place"
    place.mkdir()
    (filled.folder / "whole.db").rename(place / "idsync.db")
    (place / "idsync.db").chmod(file)
    place.chmod(folder)
    try:
        outcomes = [
            unprivileged(filled, *command, "--store", "place/idsync.db")
            for command in (READING[0], WRITING[0], ("backup", "b.db"))
        ]
    finally:
        place.chmod(0o700)
    for outcome in outcomes:
        assert_told(outcome, "ermission denied")
    assert names(place) == {"idsync.db"}


def test_where_no_store_may_be_made_none_is(filled: Program) -> None:
    if not _is_refused_its_permissions(filled):
        pytest.skip("this system lets the tests read and write whatever the permissions say")
    place = filled.folder / "place"
    place.mkdir(mode=0o500)
    for command in (WRITING[0], ("init",)):
        outcome = unprivileged(filled, *command, "--store", "place/idsync.db")
        assert_told(outcome, "place/idsync.db", "not writable")
    assert names(place) == set()


# Row 8: other people's files


def _csv(_whole: bytes) -> bytes:
    return b"mpid,email\n5,a@example.com\n"


def _of_another_program(_whole: bytes) -> bytes:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE store (seed)")
        connection.execute("INSERT INTO store VALUES (1)")
        connection.commit()
        return connection.serialize()


FOREIGN: dict[str, Callable[[bytes], bytes]] = {
    "CSV": _csv,
    "16 zeros": lambda whole: b"\0" * 16 + whole[16:],
    "100 zeros": lambda whole: b"\0" * 100 + whole[100:],
    "another program's": _of_another_program,
    "nothing": lambda _whole: b"",
}


@pytest.mark.parametrize("what", FOREIGN)
def test_another_file_is_refused_and_stays_as_it_is(filled: Program, what: str) -> None:
    content = FOREIGN[what]((filled.folder / "whole.db").read_bytes())
    filled.write("idsync.db", content)
    before = listed(filled.folder)
    for command in COMMANDS:
        assert_told(filled(*command), "idsync.db is not an idsync store and was left unchanged")
        assert listed(filled.folder) == before, command
    assert_told(filled("restore", "idsync.db", "--store", "whole.db"), "not an idsync store")
    assert listed(filled.folder) == before | {
        name: entry for name, entry in listed(filled.folder).items() if name.endswith("-lock")
    }


def test_another_program_s_database_and_its_log_are_left_alone(filled: Program) -> None:
    with closing(sqlite3.connect(filled.folder / "idsync.db")) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE theirs (value)")
        before = listed(filled.folder)
        assert "idsync.db-wal" in before
        for command in COMMANDS:
            assert_told(filled(*command), "not an idsync store")
            assert listed(filled.folder) == before, command


# What somebody killed left behind


def test_the_log_of_a_store_that_is_gone_is_not_played_into_a_new_one(filled: Program) -> None:
    with fed_replay(filled) as replay:
        replay.ask(day(1)[0])
        replay.kill()
    log = filled.folder / "idsync.db-wal"
    assert log.stat().st_size > 0
    store = (filled.folder / "idsync.db").read_bytes()
    (filled.folder / "idsync.db").unlink()
    for command in (*WRITING, ("init",), ("restore", "whole.db")):
        assert_told(filled(*command), "idsync.db-wal", "log", "remove")
    assert not (filled.folder / "idsync.db").exists()
    filled.write("idsync.db", store)
    assert len(export(filled).splitlines()) == 1
    (filled.folder / "idsync.db").unlink()
    log.unlink(missing_ok=True)
    assert filled(*IDENTIFY).status == 0


def test_the_drafts_of_killed_processes_are_cleared_away(filled: Program) -> None:
    drafts = [".idsync.db.999999999.new", ".idsync.db.999999999.new-wal"]
    strangers = [
        f".idsync.db.{os.getppid()}.new",
        ".idsync.db.new",
        ".idsync.dbx.999999999.new",
        ".idsync.db.999999999.news",
    ]
    for name in (*drafts, *strangers):
        filled.write(name, "left behind")
    assert filled(*IDENTIFY).status == 0
    there = names(filled.folder)
    assert not there & set(drafts)
    assert set(strangers) <= there


# Row 11: what happens to the file while a replay runs


def test_a_store_that_was_removed_is_missed_before_anything_is_reported(filled: Program) -> None:
    with fed_replay(filled) as replay:
        replay.ask(day(1)[0])
        (filled.folder / "idsync.db").unlink()
        assert replay.ask(day(2)[1]) is None
        assert_told(replay.end(), "removed or replaced while it was in use")
    assert not (filled.folder / "idsync.db").exists()


def test_a_store_that_was_moved_has_all_that_was_committed(filled: Program) -> None:
    with fed_replay(filled) as replay:
        replay.ask(day(1)[0])
        (filled.folder / "idsync.db").rename(filled.folder / "moved.db")
        assert replay.ask(day(2)[1]) is None
        assert_told(replay.end(), "removed or replaced while it was in use")
    assert len(export(filled, "moved.db").splitlines()) == 1
    assert is_sound(filled.folder / "moved.db")


def test_a_store_that_was_replaced_stays_as_it_is_and_takes_no_log(filled: Program) -> None:
    expected = export(filled, "whole.db")
    with fed_replay(filled) as replay:
        replay.ask(day(1)[0])
        (filled.folder / "whole.db").replace(filled.folder / "idsync.db")
        assert replay.ask(day(2)[1]) is None
        assert_told(replay.end(), "removed or replaced while it was in use")
    assert export(filled) == expected
    assert is_sound(filled.folder / "idsync.db")


def test_a_store_that_was_restored_is_not_written_on_as_if_it_was_not(filled: Program) -> None:
    expected = export(filled, "whole.db")
    with fed_replay(filled) as replay:
        replay.ask(day(1)[0])
        assert filled.process("restore", "whole.db").status == 0
        assert replay.ask(day(2)[1]) is None
        assert_told(replay.end(), "was restored", "while it was in use")
    assert export(filled) == expected


def test_whoever_writes_misses_a_store_that_goes_meanwhile(filled: Program) -> None:
    store = open_store(str(filled.folder / "whole.db"), write=True)
    assert store is not None
    with (
        store,
        pytest.raises(StoreFault, match="removed or replaced"),
        store.writing(),
    ):
        (filled.folder / "whole.db").unlink()


# A transaction whose first read fails


@pytest.mark.parametrize("writes", [False, True], ids=["reading", "writing"])
def test_a_transaction_that_fails_as_it_begins_is_not_left_open(
    filled: Program, *, writes: bool
) -> None:
    """The file cannot be read for a moment; nobody waits for it afterwards, and it goes on."""
    path = filled.folder / "whole.db"
    whole = path.read_bytes()
    assert not path.with_name("whole.db-wal").exists()
    store = open_store(str(path), write=True)
    assert store is not None
    with store:
        begin = store.writing if writes else store.reading
        store.connection.execute("PRAGMA shrink_memory")
        path.write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096))
        with pytest.raises(StoreFault, match="damaged"), begin():
            pass
        assert not store.connection.in_transaction
        path.write_bytes(whole)
        store.connection.execute("PRAGMA shrink_memory")
        assert filled("login", "--idfv", "phone 1", "--store", "whole.db").status == 0
        with begin() as transaction:
            assert transaction.last_seq == 2
