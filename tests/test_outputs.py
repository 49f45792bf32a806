"""No command writes over a store, what stands beside it, or another file of the same call."""

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import typer

from idsync_cli.cli.app import app
from idsync_cli.errors import UsageFault
from idsync_cli.files.outputs import Outputs, open_plain
from tests.faults import day, history, text
from tests.program import (  # noqa: F401 - the fixture
    Outcome,
    Program,
    assert_refused,
    program_in_a_fresh_folder,
)

SCENARIO = """\
config: idsync.yaml
steps:
  - identify: {email: a@example.com}
    expect: {status: matched}
"""

PARTS = {
    "idsync.db": "the store",
    "idsync.db-wal": "the log of the store",
    "idsync.db-shm": "the shared memory of the store",
    "idsync.db-journal": "the journal of the store",
    "idsync.db-lock": "the lock of the store",
    "idsync.db.v1-backup": "a kept copy of the store",
    "idsync.db.v1-backup-1": "a kept copy of the store",
    "idsync.db.v12-backup-30": "a kept copy of the store",
    "idsync.db.before-restore": "a kept copy of the store",
    "idsync.db.before-restore-2": "a kept copy of the store",
    "idsync.db.before-restore-wal": "a kept copy of the store",
    "idsync.db.v1-backup-journal": "a kept copy of the store",
    ".idsync.db.1.new": "a draft of the store",
    ".idsync.db.before-restore.1.new-wal": "a draft of the store",
}
CONFIGURATION = {"idsync.yaml": "the configuration"}
OTHERS = {"other.yaml": "the input", "day.jsonl": "the input"}
REQUESTS = {"day.jsonl": "the input", "night.jsonl": "the input"}
ONE_FILE = {"day.jsonl": "the input"}
SUBJECT = {"subject.json": "the input"}
KEYS = {"cert.pem": "the input", "key.pem": "the input"}
BACKUP = {"monday.db": "the input"}
SCENARIOS = {"s/1.yaml": "the input"}

COMMANDS: dict[str, tuple[tuple[str, ...], dict[str, str]]] = {
    "export": (("export", "--output", "{}"), PARTS | CONFIGURATION),
    "export as csv": (("export", "--format", "csv", "--output", "{}"), PARTS | CONFIGURATION),
    "replay": (
        ("replay", "day.jsonl", "night.jsonl", "--output", "{}"),
        PARTS | CONFIGURATION | REQUESTS,
    ),
    "replay again": (
        ("replay", "day.jsonl", "night.jsonl", "--again", "--dry-run", "--output", "{}"),
        PARTS | CONFIGURATION | REQUESTS,
    ),
    "replay with a page": (
        ("replay", "day.jsonl", "--html", "{}", "--force"),
        PARTS | CONFIGURATION | ONE_FILE,
    ),
    "replay with events": (
        ("replay", "day.jsonl", "--enrich", "{}", "--force"),
        PARTS | CONFIGURATION | ONE_FILE,
    ),
    "compare": (
        ("compare", "--with", "other.yaml", "day.jsonl", "--output", "{}", "--force"),
        PARTS | CONFIGURATION | OTHERS,
    ),
    "compare with a page": (
        ("compare", "--with", "other.yaml", "day.jsonl", "--html", "{}", "--force"),
        PARTS | CONFIGURATION | OTHERS,
    ),
    "graph": (("graph", "idfv=1", "--output", "{}", "--force"), PARTS | CONFIGURATION),
    "graph of two configurations": (
        (
            *("graph", "--compare", "other.yaml", "other.yaml", "day.jsonl"),
            *("--output", "{}", "--force"),
        ),
        PARTS | CONFIGURATION | OTHERS,
    ),
    "audience": (("audience", "all", "--output", "{}", "--force"), PARTS | CONFIGURATION),
    "translate": (
        ("translate", "--to", "idfv", "day.jsonl", "--output", "{}", "--force"),
        PARTS | CONFIGURATION | ONE_FILE,
    ),
    "convert": (
        ("convert", "day.jsonl", "--output", "{}", "--force"),
        PARTS | CONFIGURATION | ONE_FILE,
    ),
    "erase": (("erase", "--idfv", "1", "--certificate", "{}", "--force"), PARTS | CONFIGURATION),
    "erase for a subject": (
        ("erase", "--dsr", "subject.json", "--certificate", "{}", "--force"),
        PARTS | CONFIGURATION | SUBJECT,
    ),
    "access": (
        ("erase", "--dsr", "access.json", "--output", "{}"),
        PARTS | CONFIGURATION | {"access.json": "the input"},
    ),
    "serve": (
        ("serve", "--tls-cert", "cert.pem", "--tls-key", "key.pem", "--record", "{}"),
        PARTS | CONFIGURATION | KEYS,
    ),
    "spark-replay": (
        ("spark-replay", "day.jsonl", "--seed", "1", "--state", "old", "--output", "{}"),
        PARTS | CONFIGURATION | ONE_FILE,
    ),
    "login": (("login", "--customer-id", "2", "--svg", "{}"), PARTS | CONFIGURATION),
    "logout": (("logout", "--idfv", "2", "--svg", "{}"), PARTS | CONFIGURATION),
    "search": (("search", "--idfv", "2", "--svg", "{}"), PARTS | CONFIGURATION),
    "track": (("track", "--idfv", "2", "--event", "e", "--svg", "{}"), PARTS | CONFIGURATION),
    "backup": (("backup", "{}"), PARTS | CONFIGURATION),
    "backup by force": (("backup", "{}", "--force"), PARTS | CONFIGURATION),
    "restore": (
        ("restore", "monday.db", "--discard", "--store", "{}"),
        {name: part for name, part in PARTS.items() if name != "idsync.db"}
        | CONFIGURATION
        | BACKUP,
    ),
    "identify": (("identify", "--idfv", "2", "--svg", "{}"), PARTS | CONFIGURATION),
    "modify by force": (
        ("modify", "--mpid", "1", "--idfv", "2", "--force", "--svg", "{}"),
        PARTS | CONFIGURATION,
    ),
    "init": (("init", "--config", "{}"), PARTS),
    "check": (("check", "s", "--junit", "{}"), PARTS | CONFIGURATION | SCENARIOS),
    "check with a page": (("check", "s", "--html", "{}"), PARTS | CONFIGURATION | SCENARIOS),
    "check --update": (("check", "--update", "{}"), PARTS | CONFIGURATION),
    "check --init": (("check", "--init", "{}"), PARTS | CONFIGURATION),
}
"""Every command that writes a file, and the files that it must not write."""

READ = {
    *("--config", "--store", "--with", "--state", "--dsr", "--tls-cert", "--tls-key"),
    *("replay FILE...", "compare FILE...", "lint [FILE...]", "convert FILE", "check PATH..."),
    *("why-not [FILE]", "translate [FILE]", "import FILE", "restore FILE", "spark-replay FILE..."),
    "load DIR...",
}
"""Options and arguments that name what is read, or the store of the call."""

AUDIENCE = """\
    audiences:
      all: {id: 1, any: [{identity: ios_idfv, operator: exists}]}
"""
ALL_NAMINGS = ("export", "restore", "backup by force", "check --update")
"""Commands to which every naming is tried: the others ask the same rule."""

Namings = Iterator[tuple[str, str]]


@pytest.fixture(name="filled")
def program_with_a_log_in_use(idsync: Program) -> Iterator[Program]:
    """A store that somebody reads, so that what was committed is in its log alone."""
    idsync.write("day.jsonl", text(day(3)))
    idsync.write("night.jsonl", text(day(2)))
    idsync.write("s/1.yaml", SCENARIO)
    for name, kind in (("subject.json", "erasure"), ("access.json", "access")):
        idsync.write(name, json.dumps(subject_request(kind)))
    for name in ("cert.pem", "key.pem"):
        idsync.write(name, "a secret")
    (idsync.folder / "old").mkdir()
    (idsync.folder / "sub").mkdir()
    (idsync.folder / "other").symlink_to(idsync.folder, target_is_directory=True)
    assert idsync("init").status == 0
    rules = (idsync.folder / "idsync.yaml").read_text()
    for name in ("idsync.yaml", "other.yaml"):
        idsync.write(name, rules.replace("accounts:\n", f"{AUDIENCE}accounts:\n"))
    assert idsync("backup", "monday.db").status == 0
    with closing(sqlite3.connect(idsync.folder / "idsync.db")) as reader:
        reader.execute("PRAGMA query_only = ON")
        reader.execute("SELECT * FROM store").fetchall()
        assert idsync("identify", "--idfv", "1").status == 0
        yield idsync


def subject_request(kind: str) -> dict[str, object]:
    """A request of whoever has the customer ID 1."""
    return {
        "regulation": "gdpr",
        "subject_request_id": "a7551968-d5d6-44b2-9831-815ac9017798",
        "subject_request_type": kind,
        "submitted_time": "2026-10-02T15:00:00Z",
        "subject_identities": {"controller_customer_id": {"value": "1", "encoding": "raw"}},
        "api_version": "3.0",
    }


def namings(folder: Path, name: str, *, every: bool) -> Namings:
    """Ways to name one file, each with what makes it, if that can be."""
    there = (folder / name).exists()
    yield "as it is", name
    if not every:
        yield "through a link to the folder", f"other/{name}"
        return
    yield "with a dot", f"./{name}"
    yield "by way of a folder", f"sub/../{name}"
    yield "from the root", str(folder / name)
    yield "through a link to the folder", f"other/{name}"
    link = folder / "sub" / "link"
    link.symlink_to(folder / name)
    yield "a link", "sub/link"
    link.unlink()
    if there:
        os.link(folder / name, link)
        yield "a second name", "sub/link"
        link.unlink()
    elif name.upper() != name:
        yield "in capitals", name.upper()


def contents(folder: Path) -> dict[str, bytes | None]:
    """Every file and every folder, the lock too."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
        if not path.is_symlink()
    }


def assert_nothing_was_done(
    idsync: Program, command: tuple[str, ...], written: str, what: str, before: object
) -> None:
    outcome = idsync(*(part.format(written) for part in command))
    assert_refused(outcome, 2, f"'{written[:80]}", f" is {what} ")
    assert outcome.stderr.count("\n") == 1
    assert contents(idsync.folder) == before, (command, written)


@pytest.mark.parametrize("made", [False, True], ids=["not there", "there"])
@pytest.mark.parametrize("name", COMMANDS)
def test_no_command_writes_over_what_is_not_its_own(filled: Program, name: str, made: bool) -> None:
    command, protected = COMMANDS[name]
    for file in PARTS:
        if made and not (filled.folder / file).exists():
            filled.write(file, b"" if "-" in file else b"something")
    for file, what in protected.items():
        if made or not (filled.folder / file).exists():
            for naming, written in namings(filled.folder, file, every=name in ALL_NAMINGS):
                if name == "restore" and naming in {"a second name", "in capitals"}:
                    continue  # no store is named beside this one: the name alone tells
                before = contents(filled.folder)
                assert_nothing_was_done(filled, command, written, what, before)
    assert len(history(filled)) == 1


def files_named() -> Iterator[tuple[str, str]]:
    """Every option, and every argument, of every command that names files or folders."""

    def walk(command: Any, path: tuple[str, ...]) -> Iterator[tuple[str, str]]:
        for name, each in getattr(command, "commands", {}).items():
            group = typer.Context(command)
            yield from walk(command.get_command(group, name) or each, (*path, name))
        for each in command.params:
            metavar = each.metavar or ""
            if path and any(word in metavar for word in ("FILE", "DIR", "PATH")):
                is_option = each.param_type_name == "option"
                yield " ".join(path), max(each.opts, key=len) if is_option else metavar

    return walk(typer.main.get_command(app), ())


def test_every_command_that_writes_a_file_is_here() -> None:
    named = [(command, option) for command, option in files_named() if option not in READ]
    missing = [
        (command, option)
        for command, option in named
        if f"{command} {option}" not in READ
        and not any(
            " ".join(arguments).startswith(command)
            and (option in arguments or not option.startswith("-"))
            for arguments, _ in COMMANDS.values()
        )
    ]
    assert ("graph", "--output") in named
    assert missing == []


def test_the_authority_of_a_server_takes_no_place_of_anything_else(filled: Program) -> None:
    rules = (filled.folder / "idsync.yaml").read_bytes()
    filled.write("idsync.db.ca.pem", rules)
    (filled.folder / "seen.jsonl").hardlink_to(filled.folder / "idsync.db.ca.pem")
    before = contents(filled.folder)
    for arguments, what in (
        (("--config", "idsync.db.ca.pem"), "is the configuration"),
        (("--record", "idsync.db.ca.pem"), "is the file that --record"),
        (("--record", "seen.jsonl"), "is the file that --record"),
    ):
        outcome = filled("serve", "--tls", *arguments)
        assert_refused(outcome, 2, "the file of the authority 'idsync.db.ca.pem'", what)
        assert contents(filled.folder) == before


def test_what_was_committed_is_in_the_log_and_stays_there(filled: Program) -> None:
    outcome = filled("export", "--output", "idsync.db-wal")
    assert outcome == Outcome(
        "",
        "idsync: --output 'idsync.db-wal' is the log of the store idsync.db; name another file\n",
        2,
    )
    assert filled("search", "--idfv", "1").status == 0


@pytest.mark.parametrize(
    "command",
    [
        ("replay", "day.jsonl", "--store", "new.db", "--output"),
        ("replay", "day.jsonl", "--store", "no/../new.db", "--output"),
    ],
)
@pytest.mark.parametrize(
    "name", ["new.db", "new.db-wal", "NEW.DB-wal", "new.db-lock", "sub/../new.db"]
)
def test_a_store_that_is_yet_to_be_made_is_protected(
    idsync: Program, command: tuple[str, ...], name: str
) -> None:
    idsync.write("day.jsonl", text(day(3)))
    (idsync.folder / "sub").mkdir()
    before = contents(idsync.folder)
    assert_refused(idsync(*command, name), 2, f"--output '{name}'", "the store")
    assert contents(idsync.folder) == before


@pytest.mark.parametrize("name", ["idsync.db-wal", "idsync.db-journal", "idsync.db-lock"])
@pytest.mark.parametrize(
    "command",
    [
        ("init",),
        ("identify", "--idfv", "1"),
        ("replay", "day.jsonl"),
        ("import", "profiles.jsonl"),
        ("restore", "monday.db"),
    ],
)
def test_no_store_is_made_where_another_has_its_files(
    filled: Program, command: tuple[str, ...], name: str
) -> None:
    profile = '{"mpid": "5", "scope": "consumers", "identities": {"email": ["p@x"]}}\n'
    filled.write("profiles.jsonl", profile)
    (filled.folder / "idsync.db").rename(filled.folder / "other.db")  # it has no files so far
    (filled.folder / "monday.db").rename(filled.folder / "idsync.db")
    filled("backup", "monday.db")
    for left in filled.folder.glob("idsync.db-*"):
        left.unlink()
    before = contents(filled.folder)
    assert_refused(filled(*command, "--store", name), 2, name, "of the store idsync.db")
    assert contents(filled.folder) == before


def test_other_stores_are_protected_from_all_but_a_backup_by_force(filled: Program) -> None:
    filled.make_store("other.db")
    before = contents(filled.folder)
    for name in ("other.db", "other.db-wal", "other.db.before-restore"):
        for command in (
            ("export", "--output"),
            ("replay", "day.jsonl", "--output"),
            ("check", "s", "--junit"),
            ("init", "--config"),
        ):
            assert_refused(filled(*command, name), 2, f"'{name}' is ", "store other.db")
    for name in ("other.db-wal", "other.db.before-restore"):
        assert_refused(filled("backup", "--force", name), 2, f"'{name}' is ", "store other.db")
    assert_refused(filled("backup", "other.db"), 2, "already exists", "use --force to replace it")
    assert contents(filled.folder) == before
    assert filled("backup", "other.db", "--force").status == 0


def test_standard_input_is_an_input(filled: Program) -> None:
    before = contents(filled.folder)
    with (filled.folder / "day.jsonl").open("rb") as file:
        command = [sys.executable, "-m", "idsync_cli", "replay", "-", "--output", "./day.jsonl"]
        done = subprocess.run(
            command, stdin=file, cwd=filled.folder, capture_output=True, text=True, check=False
        )
    assert (done.returncode, done.stdout) == (2, "")
    assert "--output './day.jsonl' is standard input; name another file" in done.stderr
    assert contents(filled.folder) == before


def test_what_only_looks_alike_may_be_written(filled: Program) -> None:
    for name in (
        "idsync.db2",
        "idsync.db-wal2",
        "xidsync.db-wal",
        "idsync.db.before",
        "sub/idsync.db-wal",
    ):
        assert filled("export", "--output", name).status == 0, name
    assert filled("export", "--output", "/dev/null").status == 0
    assert filled("replay", "day.jsonl", "--output", "/dev/null").status == 0


def test_two_outputs_of_one_call_are_two_files(tmp_path: Path) -> None:
    first = tmp_path / "first"
    outputs = Outputs()
    outputs.check("--output", str(first))
    for other in (first, tmp_path / "x" / ".." / "first", tmp_path / "FIRST"):
        with pytest.raises(UsageFault, match="is the file that --output"):
            outputs.check("--junit", str(other))
    first.write_text("there")
    (tmp_path / "second").hardlink_to(first)
    with pytest.raises(UsageFault, match="is the file that --output"):
        outputs.check("--junit", str(tmp_path / "second"))
    outputs.check("--junit", str(tmp_path / "third"))


def test_what_a_restore_keeps_is_never_written_over(idsync: Program) -> None:
    """A damaged store is moved aside with its log, for which there must be room as well."""
    assert idsync("identify", "--idfv", "1").status == 0
    assert idsync("backup", "monday.db").status == 0
    kept = idsync.write("idsync.db.before-restore-wal", "the log of an earlier one")
    with (idsync.folder / "idsync.db").open("r+b") as file:
        file.truncate(5000)
    idsync.write("idsync.db-wal", "no log of SQLite's")
    outcome = idsync("restore", "monday.db")
    assert outcome.status == 0, outcome
    assert kept.read_text() == "the log of an earlier one"
    assert (idsync.folder / "idsync.db.before-restore-1").stat().st_size == 5000
    assert idsync("search", "--idfv", "1").status == 0


# What is there already

A_BATCH = '{"type": "batch", "user_identities": {"email": "a@example.com"}, "events": []}\n'
WRITING = {
    "export": ("export", "--output"),
    "export as csv": ("export", "--format", "csv", "--output"),
    "replay": ("replay", "day.jsonl", "--output"),
    "replay, dry": ("replay", "day.jsonl", "--dry-run", "--output"),
    "backup": ("backup",),
    "identify": ("identify", "--idfv", "1", "--dry-run", "--svg"),
    "replay with a page": ("replay", "day.jsonl", "--html"),
    "replay with events": ("replay", "day.jsonl", "--enrich"),
    "compare with a page": ("compare", "--with", "other.yaml", "day.jsonl", "--html"),
    "graph": ("graph", "idfv=1", "--output"),
    "audience": ("audience", "all", "--output"),
    "translate": ("translate", "--to", "idfv", "names.txt", "--output"),
    "convert": ("convert", "people.csv", "--output"),
}


TO_NO_STREAM = {
    "replay with a page": ("replay", "day.jsonl", "--html"),
    "replay with events": ("replay", "day.jsonl", "--enrich"),
    "compare": ("compare", "--with", "other.yaml", "day.jsonl", "--output"),
    "erase": ("erase", "--idfv", "1", "--certificate"),
    "identify": ("identify", "--idfv", "2", "--svg"),
    "check": ("check", "s", "--junit"),
    "serve": ("serve", "--record"),
    "backup": ("backup",),
    "init": ("init", "--config"),
}


@pytest.mark.parametrize("command", TO_NO_STREAM.values(), ids=TO_NO_STREAM)
def test_no_file_is_made_that_is_called_as_standard_output_is(
    filled: Program, command: tuple[str, ...]
) -> None:
    before = contents(filled.folder)
    assert_refused(filled(*command, "-"), 2, "cannot go to standard output ('-'); name a file")
    assert contents(filled.folder) == before


@pytest.mark.parametrize("command", WRITING.values(), ids=WRITING)
def test_a_name_that_no_file_can_have_is_told_before_anything_is_done(
    filled: Program, command: tuple[str, ...]
) -> None:
    filled.write("people.csv", "email\na@example.com\n")
    filled.write("names.txt", "idfv=1\n")
    filled.write("day.jsonl", A_BATCH)
    (filled.folder / "loop").symlink_to("loop")
    before = contents(filled.folder)
    long = "x" * 300
    for name, cause in ((long, "File name too long"), ("loop", "Too many levels of symbolic")):
        outcome = filled(*command, name)
        assert outcome.status in (2, 3)
        assert outcome.stdout == ""
        assert outcome.stderr.count("\n") == 1
        assert f"{name[:80]}" in outcome.stderr
        assert cause in outcome.stderr
    now = contents(filled.folder)
    assert now.keys() == before.keys()
    assert {**now, "idsync.db-shm": None} == {**before, "idsync.db-shm": None}  # marks of readers


@pytest.mark.parametrize("content", [b"", b"three days of work\n"], ids=["empty", "full"])
@pytest.mark.parametrize("command", WRITING.values(), ids=WRITING)
def test_a_file_that_is_there_is_replaced_by_force_alone(
    filled: Program, command: tuple[str, ...], content: bytes
) -> None:
    filled.write("there", content)
    filled.write("people.csv", "email\na@example.com\n")
    filled.write("names.txt", "idfv=1\n")
    filled.write("day.jsonl", A_BATCH)
    (filled.folder / "sub" / "link").symlink_to(filled.folder / "there")
    before = contents(filled.folder)
    for name in ("there", "sub/link") if command != ("backup",) else ("there",):
        assert_refused(
            filled(*command, name), 2, f"{name}", "already", "; use --force to replace it"
        )
    assert contents(filled.folder) == before
    assert filled(*command, "there", "--force").status == 0
    assert (filled.folder / "there").read_bytes() not in (b"", content)


def test_a_link_that_leads_nowhere_is_written_through(filled: Program) -> None:
    (filled.folder / "link").symlink_to("target")
    assert filled("export", "--output", "link").status == 0
    assert (filled.folder / "target").read_bytes().startswith(b"{")


def test_pipes_devices_and_the_streams_of_the_process_are_no_files_to_protect(
    filled: Program,
) -> None:
    commands = (("export", "--output"), ("replay", "day.jsonl", "--again", "--output"))
    for command in commands:
        assert filled(*command, "/dev/null").status == 0
        os.mkfifo(filled.folder / "pipe")
        process = filled.start(*command, "pipe")
        assert (filled.folder / "pipe").read_bytes().startswith(b"{")
        assert process.wait(60) == 0
        process.communicate()
        (filled.folder / "pipe").unlink()
        for name in ("/dev/stdout", "/dev/fd/1"):
            process = filled.start(*command, name)
            stdout, stderr = process.communicate(timeout=60)
            assert (process.returncode, b"{" in stdout) == (0, True), stderr
            with (filled.folder / "log").open("wb") as log:
                process = filled.start(*command, name, stdout=log)
                _, stderr = process.communicate(timeout=60)
            assert (process.returncode, b"already" in stderr) == (0, False), stderr
            assert b"{" in (filled.folder / "log").read_bytes()


def test_what_goes_to_standard_output_is_data_alone_by_whatever_name(filled: Program) -> None:
    filled.write("foreign.csv", "type,email\nsearch,a@example.com\n")
    for command in (
        ("export",),
        ("convert", "foreign.csv"),
        ("replay", "day.jsonl", "--again", "--dry-run", "--json"),
        ("replay", "day.jsonl", "--again", "--dry-run"),
    ):
        wanted, *others = (
            filled.start(*command, "--output", name).communicate(timeout=60)
            for name in ("-", "/dev/stdout", "/dev/fd/1")
        )
        assert wanted[0].startswith(b"{"), command
        assert [stdout for stdout, _ in others] == [wanted[0]] * 2, command


def test_a_resumed_replay_goes_on_with_its_own_answers_and_no_others(filled: Program) -> None:
    into = ("--output", "answers.jsonl", "--quiet")
    resumed = ("replay", "day.jsonl", *into, "--resume")
    assert filled("replay", "night.jsonl", *into).status == 0
    others = (filled.folder / "answers.jsonl").read_bytes()
    else_held = "--output 'answers.jsonl' does not contain the answers"
    assert_refused(filled(*resumed), 2, else_held, "use --force to replace it")
    assert (filled.folder / "answers.jsonl").read_bytes() == others
    assert filled(*resumed, "--force").status == 0
    answers = (filled.folder / "answers.jsonl").read_bytes()
    assert answers not in (b"", others)
    assert filled(*resumed).status == 0  # done already
    assert (filled.folder / "answers.jsonl").read_bytes() == answers


@pytest.mark.parametrize("length", [0, 1, 150, 10**6])
def test_what_a_replay_wrote_that_was_ended_before_its_first_commit_is_its_own(
    idsync: Program, length: int
) -> None:
    idsync.write("day.jsonl", text(day(3)))
    idsync.make_store()
    into = ("--output", "answers.jsonl", "--quiet")
    assert idsync("replay", "day.jsonl", *into, "--dry-run").status == 0
    path = idsync.folder / "answers.jsonl"
    answers = path.read_bytes()
    path.write_bytes(answers[:length])
    for size in ("1", "100"):
        sized = (*into, "--dry-run", "--resume", "--chunk-size", size)
        assert idsync("replay", "day.jsonl", *sized).status == 0
        assert path.read_bytes() == answers
    path.write_bytes(answers[:-5] + b"\0\0\0\0\0")
    assert_refused(idsync("replay", "day.jsonl", *into, "--resume"), 2, "does not contain")
    idsync.write("none.jsonl", "")
    assert_refused(idsync("replay", "none.jsonl", *into, "--resume"), 2, "does not contain")


def test_a_file_that_somebody_makes_meanwhile_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "new"
    Outputs().check("--output", str(path), must_be_new=True)
    path.write_text("somebody's")
    with pytest.raises(UsageFault, match="already exists"):
        open_plain("--output", str(path), must_be_new=True)
    with open_plain("--output", str(path), must_be_new=False) as file:
        file.write(b"mine")
    assert path.read_text() == "mine"
