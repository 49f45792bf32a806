"""A full disk, a limit on the size of files, and readers who have gone: what is committed is whole.

A real full disk needs the right to mount one, which root has; elsewhere these tests are skipped,
and the limit on the size of files stands in for it.
"""

import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.faults import day, export, history, is_sound, limited, names, text
from tests.program import CONFIG, Outcome, Program, ended

LINES = 2500
REPLAY = ("replay", "day.jsonl", "--seed", "1", "--chunk-size", "50", "--quiet")
FULL = Path("/dev/full")


@pytest.fixture(name="once", scope="module")
def a_day_and_what_comes_of_it(tmp_path_factory: pytest.TempPathFactory) -> Program:
    """A day to replay, and what comes of it where there is room."""
    idsync = Program(tmp_path_factory.mktemp("once"))
    idsync.write("idsync.yaml", CONFIG)
    idsync.write("day.jsonl", text(day(LINES)))
    done = idsync(*REPLAY, "--store", "whole.db", "--output", "whole.jsonl")
    assert (done.status, done.stderr) == (0, "")
    return idsync


@pytest.fixture(name="prepared")
def program_with_a_day(once: Program, tmp_path: Path) -> Program:
    """The same in a folder of one's own."""
    shutil.copytree(once.folder, tmp_path, dirs_exist_ok=True)
    return Program(tmp_path)


def assert_stopped_whole(idsync: Program, outcome: Outcome, store: str, answers: str) -> None:
    """It said so in one line, and a beginning of the whole is there."""
    assert (outcome.status, outcome.stdout) == (3, ""), outcome
    assert outcome.stderr.count("\n") == 1
    assert "everything committed before is intact" in outcome.stderr
    assert "nothing was changed" not in outcome.stderr
    assert "--resume" in outcome.stderr
    assert is_sound(idsync.folder / store)
    done = history(idsync, store)
    whole = history(idsync, "whole.db")
    assert 0 < len(done) < len(whole)
    assert done == whole[: len(done)]
    written = (idsync.folder / answers).read_bytes()
    assert (idsync.folder / "whole.jsonl").read_bytes().startswith(written)


def assert_goes_on(idsync: Program, store: str, answers: str, *options: str) -> None:
    """There is room again, and in the end all is as if there always had been."""
    done = idsync(*REPLAY, "--store", store, "--output", answers, "--resume", *options)
    assert (done.status, done.stderr) == (0, "")
    whole = (idsync.folder / "whole.jsonl").read_bytes()
    assert (idsync.folder / answers).read_bytes() == whole
    assert export(idsync, store) == export(idsync, "whole.db")
    assert history(idsync, store) == history(idsync, "whole.db")


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Callable[[str], None]]:
    """A disk of its own at a folder; what is given can be called to give it another size."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("nothing may be mounted here, so that no disk is full")

    def resize(larger: str) -> None:
        remount = ["mount", "-o", f"remount,size={larger}", str(folder)]
        subprocess.run(remount, check=True, capture_output=True)

    try:
        yield resize
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


# Row 6: a full disk


@pytest.mark.parametrize(
    ("store", "answers"),
    [("disk/a.db", "a.jsonl"), ("a.db", "disk/a.jsonl"), ("disk/a.db", "disk/a.jsonl")],
)
def test_a_replay_onto_a_full_disk_stops_whole_and_goes_on(
    prepared: Program, store: str, answers: str
) -> None:
    with small_disk(prepared.folder / "disk", "640k") as resize:
        stopped = prepared.process(*REPLAY, "--store", store, "--output", answers)
        resize("200m")
        assert_stopped_whole(prepared, stopped, store, answers)
        assert_goes_on(prepared, store, answers)


def fill(folder: Path) -> None:
    """Take all the room that is left on a disk."""
    with (folder / "filler").open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 4096)
        except OSError:
            pass


def test_commands_on_a_full_disk_say_so_and_change_nothing(prepared: Program) -> None:
    with small_disk(prepared.folder / "disk", "8m") as resize:
        for name in ("disk/a.db", "b.db"):
            assert prepared("identify", "--idfv", "1", "--store", name).status == 0
        before = export(prepared, "disk/a.db")
        fill(prepared.folder / "disk")
        for command in (
            ("identify", "--idfv", "2", "--store", "disk/a.db"),
            ("identify", "--idfv", "2", "--store", "disk/new.db"),
            ("init", "--store", "disk/new.db"),
            ("backup", "disk/copy.db", "--store", "b.db"),
            ("restore", "whole.db", "--store", "disk/a.db"),
            ("export", "--output", "disk/out.jsonl", "--store", "b.db"),
        ):
            outcome = prepared.process(*command)
            assert (outcome.status, outcome.stdout) == (3, ""), (command, outcome)
            assert outcome.stderr.count("\n") == 1, (command, outcome)
            assert not list((prepared.folder / "disk").glob(".*"))
            assert not (prepared.folder / "disk" / "new.db").exists()
            assert not (prepared.folder / "disk" / "copy.db").exists()
        resize("50m")
        assert export(prepared, "disk/a.db") == before
        assert prepared("identify", "--idfv", "2", "--store", "disk/a.db").status == 0


# Row 6: a limit on the size of files


def test_a_store_that_grows_into_a_limit_of_size_stops_whole_and_goes_on(prepared: Program) -> None:
    stopped = limited(prepared, 400_000, *REPLAY, "--store", "a.db")
    assert "the store cannot be used" in stopped.stderr
    prepared.write("a.jsonl", "")
    assert_stopped_whole(prepared, stopped, "a.db", "a.jsonl")
    assert prepared(*REPLAY, "--store", "a.db", "--resume").status == 0
    assert export(prepared, "a.db") == export(prepared, "whole.db")
    assert history(prepared, "a.db") == history(prepared, "whole.db")


def test_answers_that_grow_into_a_limit_of_size_stop_whole_and_go_on(prepared: Program) -> None:
    explained = (
        "replay",
        "day.jsonl",
        "--seed",
        "1",
        "--quiet",
        "--explain",
        "--force",
        "--output",
    )
    assert prepared(*explained, "whole.jsonl", "--store", "x.db").status == 0
    limit = (prepared.folder / "whole.jsonl").stat().st_size * 3 // 5  # after 1,000 lines
    stopped = limited(prepared, limit, *explained, "a.jsonl", "--store", "a.db")
    assert "the answers cannot be written to a.jsonl: File too large" in stopped.stderr
    assert_stopped_whole(prepared, stopped, "a.db", "a.jsonl")
    assert_goes_on(prepared, "a.db", "a.jsonl", "--explain")


def test_a_command_into_a_limit_of_size_says_so_and_changes_nothing(prepared: Program) -> None:
    before = export(prepared, "whole.db")
    outcome = limited(prepared, 8192, "identify", "--idfv", "new", "--store", "whole.db")
    assert (outcome.status, outcome.stdout) == (3, "")
    assert outcome.stderr.count("\n") == 1
    for command in (("init", "--store", "new.db"), ("backup", "b.db", "--store", "whole.db")):
        outcome = limited(prepared, 8192, *command)
        assert (outcome.status, outcome.stdout) == (3, ""), outcome
        assert outcome.stderr.count("\n") == 1
    assert not names(prepared.folder) & {"new.db", "b.db"}
    assert not [name for name in names(prepared.folder) if name.startswith(".")]
    assert export(prepared, "whole.db") == before


# Row 12: standard output


def _shell(idsync: Program, command: str) -> Outcome:
    program = f"{shlex.quote(sys.executable)} -m idsync_cli"
    script = f"({program} {command.replace(' | ', '; echo $? > status) | ')}"
    script += "" if " | " in command else "; echo $? > status)"
    with subprocess.Popen(
        ["sh", "-c", script],
        cwd=idsync.folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        outcome = ended(process)
    return Outcome(outcome.stdout, outcome.stderr, int((idsync.folder / "status").read_text()))


@pytest.mark.parametrize(
    ("into", "status", "error"),
    [
        (" | head -n 1", 141, ""),
        (" >&-", 141, ""),
        (
            " > /dev/full",
            3,
            (
                "idsync: standard output cannot be written: No space left on device; "
                "use --resume to continue\n"
            ),
        ),
    ],
)
def test_a_replay_whose_reader_has_gone_is_whole_and_goes_on(
    prepared: Program, into: str, status: int, error: str
) -> None:
    if "full" in into and not FULL.exists():
        pytest.skip("this system has no /dev/full")
    command = " ".join((*REPLAY, "--store", "a.db", "--output", "-"))
    outcome = _shell(prepared, command + into)
    assert (outcome.status, outcome.stderr) == (status, error)
    assert outcome.stdout.count("\n") == ("head" in into)
    done = history(prepared, "a.db")
    whole = history(prepared, "whole.db")
    assert 0 < len(done) < len(whole)
    assert done == whole[: len(done)]
    rest = prepared(*REPLAY, "--store", "a.db", "--output", "-", "--resume")
    assert (rest.status, rest.stderr) == (0, "")
    assert export(prepared, "a.db") == export(prepared, "whole.db")
    assert history(prepared, "a.db") == history(prepared, "whole.db")


@pytest.mark.parametrize("command", ["export", "profiles", "stats --json"])
@pytest.mark.parametrize(("into", "status"), [(" | head -n 1", 141), (" > /dev/full", 3)])
def test_looking_ends_without_a_traceback_where_nobody_reads(
    prepared: Program, command: str, into: str, status: int
) -> None:
    if "full" in into and not FULL.exists():
        pytest.skip("this system has no /dev/full")
    outcome = _shell(prepared, f"{command} --store whole.db{into}")
    assert outcome.status in ({status, 0} if "head" in into else {status})  # 0 if it was all read
    assert outcome.stderr.count("\n") == (status == 3)
    assert "Traceback" not in outcome.stderr


def test_a_request_whose_answer_nobody_reads_is_kept_all_the_same(prepared: Program) -> None:
    if not FULL.exists():
        pytest.skip("this system has no /dev/full")
    outcome = _shell(prepared, "identify --idfv new --store a.db > /dev/full")
    assert outcome.status == 3
    assert "standard output cannot be written" in outcome.stderr
    assert prepared("search", "--idfv", "new", "--store", "a.db").status == 0
