"""Errors: what they carry, that they can be sent elsewhere, and that they say only what is so."""

import ast
import os
import pickle
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

import idsync_cli
from idsync_cli.cli import hints
from idsync_cli.cli.app import _COMMANDS
from idsync_cli.core.codes import ErrorCode
from idsync_cli.core.decision import Refusal
from idsync_cli.errors import (
    Busy,
    FaultCode,
    Hint,
    IdsyncError,
    Kept,
    OutputClosed,
    Stopped,
    StoreFault,
    Terminated,
    UsageFault,
)
from idsync_cli.file_faults import Fault, FileFault
from idsync_cli.foresight.asking import NoSuchLine
from idsync_cli.foresight.comparing.compare import NothingRecorded
from idsync_cli.store.sqlite import OldStore, open_store
from idsync_cli.store.sqlite.files.faults import unusable
from idsync_cli.store.sqlite.files.location import StoreLocation
from idsync_cli.store.sqlite.health.opening import Damaged
from tests.faults import day, export, fed_replay, limited, text
from tests.program import (  # noqa: F401 - the fixture
    Program,
    assert_refused,
    program_in_a_fresh_folder,
    without_excerpts,
)

SOURCES = Path(idsync_cli.__file__).parent
NAMES_OF_REPORTS = {"idsync check", "idsync config lint", "Made by idsync "}
"""What reports call the tool that made them: no instruction to anybody."""

ALL = (
    UsageFault("asked for what cannot be", FaultCode.FILE_EXISTS, hint=Hint.REPLACE_FILE, path="a"),
    Busy("too many wait"),
    Stopped("it was stopped"),
    StoreFault("cannot be used", hint=Hint.RUN_DOCTOR, kept=Kept.NOTHING_CHANGED, store="a.db"),
    OldStore("is old", FaultCode.OLD_STORE, hint=Hint.UPDATE_STORE, store="a.db"),
    FileFault(["a line", Fault("a.yaml", "no such file", 1, 2, Hint.MAKE_CONFIGURATION)]),
    Refusal(ErrorCode.OLD_VALUE_MISMATCH, "holds no such value", Hint.SHOW_PROFILE),
    Damaged("not a database"),
    OutputClosed(),
    Terminated(15),
    NoSuchLine("the file has no such line"),
    NothingRecorded("no line has a response"),
)


@pytest.mark.parametrize("error", ALL, ids=lambda error: type(error).__name__)
def test_every_error_can_be_pickled(error: BaseException) -> None:
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
    assert type(again) is type(error)
    assert (str(again), again.args, vars(again)) == (str(error), error.args, vars(error))


def test_no_kind_of_error_is_missing_above() -> None:
    public = {IdsyncError}
    for kind in public.copy():
        public |= set(kind.__subclasses__()) | {
            each for below in kind.__subclasses__() for each in below.__subclasses__()
        }
    named = {each for each in public if each.__module__.startswith("idsync_cli.")}
    assert named - {type(each) for each in ALL} == {IdsyncError}


def test_an_error_of_another_process_is_the_same_error() -> None:
    for error in ALL[:3]:
        assert isinstance(error, IdsyncError)
        again = type(error).told_of(error.as_values())
        assert (str(again), vars(again)) == (str(error), vars(error))


def test_the_command_line_has_words_for_every_hint() -> None:
    for hint in Hint:
        said = hints.lines(StoreFault("it is so", hint=hint, store="a {b}.db"))
        assert len(said) == 1
        assert said[0].startswith("it is so; ")
    missing = Fault("a.yaml", "no such file", hint=Hint.MAKE_CONFIGURATION)
    told = "a.yaml: no such file; create one with: idsync init --config a.yaml"
    assert hints.lines(FileFault([missing])) == [told]
    usual = missing._replace(path="idsync.yaml")
    assert hints.lines(FileFault([usual]))[0].endswith("create one with: idsync init")
    for store, option in (("idsync.db", ""), ("a b.db", " --store 'a b.db'")):
        fault = StoreFault("there is none", hint=Hint.MAKE_STORE, store=store)
        assert hints.lines(fault) == [f"there is none; create one with: idsync init{option}"]


# Nobody but the command line knows commands and options


def literals(path: Path) -> Iterator[tuple[int, str]]:
    """The texts and bytes in a source file that are not its documentation."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    passed_over = {
        id(each.value)
        for each in ast.walk(tree)
        if isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant)
    }
    for each in ast.walk(tree):
        if not isinstance(each, ast.Constant) or id(each) in passed_over:
            continue
        if isinstance(each.value, str):
            yield each.lineno, each.value
        elif isinstance(each.value, bytes):
            yield each.lineno, each.value.decode("latin-1")


def test_no_message_outside_the_command_line_names_a_command_or_an_option() -> None:
    commands = "|".join(map(re.escape, _COMMANDS))
    option = r"(?<!var\()(?<![{;\w-])--(?:[a-z]|$)"  # and no property of a style sheet
    named = re.compile(rf"{option}|\bidsync\s+(?:{commands})\b|\bidsync\s+$")
    passed_over = {SOURCES / "cli", SOURCES / "render" / "html" / "styles.py"}
    found = [
        f"{path.relative_to(SOURCES)}:{line}: {literal}"
        for path in sorted(SOURCES.rglob("*.py"))
        if passed_over.isdisjoint([path, *path.parents])
        for line, literal in literals(path)
        if named.search(literal) and literal not in NAMES_OF_REPORTS
    ]
    assert found == []


def test_answers_in_json_name_no_command(idsync: Program) -> None:
    change = {"identity_type": "email", "old_value": "b@x", "new_value": "c@x"}
    lines = (
        {"type": "identify", "known_identities": {"email": "a@x"}, "label": "a"},
        {"type": "modify", "mpid": "@a", "identity_changes": [change]},
    )
    [_, refused] = idsync.answers(*lines)
    assert refused["errors"] == [
        {"code": "OLD_VALUE_MISMATCH", "message": "the profile holds no email 'b@x'"}
    ]
    mpid = refused["mpid"] if "mpid" in refused else idsync.answers(lines[0])[0]["mpid"]
    told = idsync("modify", f"--mpid={mpid}", "--change", "email:b@x:c@x")
    assert f"email 'b@x'; to see it, run: idsync profile show --mpid {mpid}\n" in told.stderr


# What is said of the work is so


def test_a_request_for_which_there_is_no_room_changes_nothing(idsync: Program) -> None:
    idsync.write("day.jsonl", text(day(500)))
    assert idsync("replay", "day.jsonl", "--quiet").status == 0
    before = export(idsync)
    refused = limited(idsync, 33_000, "identify", "--idfv", "new")
    assert (refused.status, refused.stdout) == (3, "")
    assert refused.stderr.endswith("; nothing was changed; free some space, then try again\n")
    assert "committed" not in refused.stderr
    assert export(idsync) == before


def test_a_replay_says_of_earlier_batches_that_they_are_whole_if_there_were_any(
    idsync: Program,
) -> None:
    idsync.write("day.jsonl", text(day(1000)))
    idsync.make_store()
    size = (idsync.folder / "idsync.db").stat().st_size
    replay = ("replay", "day.jsonl", "--quiet", "--chunk-size")
    first = limited(idsync, max(size, 8192), *replay, "1000")
    assert (first.status, first.stdout) == (3, "")
    assert first.stderr.endswith("; nothing was changed; free some space, then try again\n")
    assert export(idsync) == ""
    later = limited(idsync, size + 60_000, *replay, "5")
    assert (later.status, later.stdout) == (3, "")
    assert "nothing was changed" not in later.stderr
    assert later.stderr.endswith(
        "; everything committed before is intact; free some space, then continue with --resume\n"
    )
    assert export(idsync) != ""


def test_a_dry_run_for_whose_answers_there_is_no_room_does_not_go_on(idsync: Program) -> None:
    """In earnest it does: see tests/test_faults_room.py."""
    idsync.write("day.jsonl", text(day(3000)))
    idsync.make_store()
    replay = ("replay", "day.jsonl", "--quiet", "--chunk-size", "50", "--explain", "--dry-run")
    stopped = limited(idsync, 400_000, *replay, "--output", "a.jsonl")
    assert stopped.status == 3
    told = "idsync: the answers cannot be written to a.jsonl: File too large; nothing was changed\n"
    assert stopped.stderr == told
    assert export(idsync) == ""


def test_an_interrupted_dry_run_does_not_go_on(idsync: Program) -> None:
    for more, words in (((), "; use --resume to continue\n"), (("--dry-run",), "\n")):
        idsync.make_store()
        with fed_replay(idsync, *more) as replay:
            replay.ask(day(1)[0])
            replay._process.send_signal(2)
            stopped = replay.end()
        assert stopped.status == 130
        assert f"interrupted after 1 request{words}" in stopped.stderr


def test_a_store_that_is_damaged_under_a_replay_is_not_called_whole(idsync: Program) -> None:
    idsync.write("day.jsonl", text(day(4000)))
    assert idsync("replay", "day.jsonl", "--quiet", "--store", "other.db").status == 0
    assert idsync("export", "--store", "other.db", "--output", "profiles.jsonl").status == 0
    assert idsync("import", "profiles.jsonl").status == 0
    with fed_replay(idsync) as replay:
        assert replay.ask(day(1)[0])
        with (idsync.folder / "idsync.db").open("r+b") as file:
            size = os.fstat(file.fileno()).st_size
            file.seek(4096)
            file.write(b"\xff" * (size - 4096))
        asked = ({"type": "login", "known_identities": {"email": f"{n}@x"}} for n in range(4000))
        while (request := next(asked, None)) and replay.ask(request):
            pass
        stopped = replay.end()
    assert stopped.status == 3, stopped
    assert "to see what is wrong, run: idsync doctor --store idsync.db" in stopped.stderr
    assert "whole" not in stopped.stderr
    assert "nothing was changed" not in stopped.stderr


def test_a_store_that_is_replaced_says_where_the_work_is(idsync: Program) -> None:
    idsync.make_store("a.db")
    idsync.make_store("b.db")
    idsync.make_store("c.db")
    old = "what was done here is in the original file, not in the one that replaced it"
    with fed_replay(idsync, "--store", "a.db") as replay:
        assert replay.ask(day(1)[0])
        (idsync.folder / "b.db").rename(idsync.folder / "a.db")
        assert replay.ask(day(2)[1]) is None
        stopped = replay.end()
    assert stopped.status == 3
    assert stopped.stderr.endswith(f"was removed or replaced while it was in use; {old}\n")
    store = open_store(str(idsync.folder / "a.db"), write=True)
    assert store is not None
    with store:
        (idsync.folder / "c.db").rename(idsync.folder / "a.db")
        with pytest.raises(StoreFault) as refused, store.writing():
            pass
    assert str(refused.value).endswith("while it was in use; nothing was changed")


def _error(code: int, message: str = "disk I/O error") -> sqlite3.Error:
    error = sqlite3.OperationalError(message)
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(
    ("code", "committing", "kind", "hint", "kept"),
    [
        (sqlite3.SQLITE_FULL, True, FaultCode.DISK_FULL, Hint.MAKE_ROOM, True),
        (sqlite3.SQLITE_IOERR_WRITE, True, FaultCode.DISK_FULL, Hint.MAKE_ROOM, True),
        (sqlite3.SQLITE_BUSY, True, FaultCode.STORE_BUSY, Hint.WAIT_AND_TRY_AGAIN, True),
        (sqlite3.SQLITE_IOERR_READ, False, FaultCode.DISK_FAILS, Hint.RUN_DOCTOR, True),
        (sqlite3.SQLITE_IOERR_READ, True, FaultCode.DISK_FAILS, Hint.RUN_DOCTOR, False),
        (sqlite3.SQLITE_IOERR_FSYNC, True, FaultCode.DISK_FAILS, Hint.RUN_DOCTOR, False),
        (sqlite3.SQLITE_IOERR_SHORT_READ, True, FaultCode.STORE_DAMAGED, Hint.RUN_DOCTOR, False),
        (sqlite3.SQLITE_CORRUPT, False, FaultCode.STORE_DAMAGED, Hint.RUN_DOCTOR, True),
        (sqlite3.SQLITE_CORRUPT, True, FaultCode.STORE_DAMAGED, Hint.RUN_DOCTOR, False),
    ],
)
def test_only_a_transaction_that_is_surely_undone_changed_nothing(
    code: int, committing: bool, kind: FaultCode, hint: Hint, kept: bool
) -> None:
    fault = unusable(_error(code), StoreLocation("a.db"), committing=committing)
    assert (fault.code, fault.hint) == (kind, hint)
    assert fault.kept == (Kept.NOTHING_CHANGED if kept else None)
    assert ("may be full" in str(fault)) == (code == sqlite3.SQLITE_IOERR_WRITE)
    assert "--resume" not in hints.lines(fault)[0]


def test_a_restore_that_cannot_be_leaves_nothing_behind(
    idsync: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("idsync_cli.store.sqlite.backup.BUSY_SECONDS", 0.2)
    assert idsync("identify", "--idfv", "1").status == 0
    assert idsync("backup", "monday.db").status == 0
    with closing(sqlite3.connect(idsync.folder / "idsync.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        before = sorted(path.name for path in idsync.folder.iterdir())
        refused = idsync.process("restore", "monday.db")
        after = sorted(path.name for path in idsync.folder.iterdir())
    assert_refused(refused, 3, "the store")
    assert after == before


def test_a_system_that_refuses_is_told_of_and_nothing_more(
    idsync: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What became of the work is not known where nobody saw to it."""
    idsync.make_store()

    def refuse() -> int:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("idsync_cli.cli.requests.now_ms", refuse)
    monkeypatch.setattr("idsync_cli.cli.app._give_up_stdout", lambda: None)
    outcome = idsync("identify", "--idfv", "1")
    assert (outcome.status, outcome.stderr) == (
        3,
        "idsync: system error: Input/output error\n",
    )


# The way out fits the fault


@pytest.mark.parametrize("file", ["idsync.yaml", "nowhere.db", "."])
def test_what_cannot_be_restored_is_not_mended_by_another_store(idsync: Program, file: str) -> None:
    idsync.make_store()
    refused = idsync("restore", file)
    assert refused.status == 3
    assert "name a FILE that idsync backup has written" in refused.stderr
    assert "--store" not in refused.stderr


def test_a_profile_that_is_imported_twice_is_there_whatever_its_number(idsync: Program) -> None:
    idsync("identify", "--email", "a@example.com")
    idsync("export", "--output", "profiles.jsonl")
    again = idsync("import", "profiles.jsonl")
    assert again.status == 2
    assert "is already in the store; remove the line" in again.stderr
    assert "created_seq" not in "".join(without_excerpts(again.stderr.splitlines()))


def test_a_value_that_yaml_cannot_begin_with_is_to_be_put_between_quotes(idsync: Program) -> None:
    steps = "steps:\n  - identify: {email: a}\n    as: @visitor\n"
    idsync.write("story.yaml", f"config: idsync.yaml\n{steps}")
    outcome = idsync("check", "story.yaml")
    assert outcome.status == 2
    assert "story.yaml:4:9: " in outcome.stderr
    assert "between quotes" in outcome.stderr
