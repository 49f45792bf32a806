"""However a replay ends: what was committed is summed up, and it is said what ended it and how to
go on; and where nothing was committed, nothing is left (sections 7 and 8)."""

import gzip
import json
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from idsync_cli.store.sqlite import discard_unused
from tests.faults import day, export, fed_replay, limited, text
from tests.program import (  # noqa: F401 - the fixture
    Outcome,
    Program,
    assert_refused,
    program_in_a_fresh_folder,
)

FULL = Path("/dev/full")
DONE = '{"type": "identify", "known_identities": {"email": "ida@example.com"}}\n'
TWO = text(day(2))


def committed(idsync: Program, store: str = "idsync.db") -> int:
    """How many lines were carried out, by the store itself."""
    with closing(sqlite3.connect(idsync.folder / store)) as connection:
        return int(connection.execute("SELECT last_seq FROM store").fetchone()[0])


def assert_told(
    idsync: Program, outcome: Outcome, status: int, code: str, *words: str, in_json: bool
) -> None:
    """Summed up, with what ended it and the way out; `words` stand in what is said of the end."""
    assert "Traceback" not in outcome.stderr
    assert outcome.status == status
    number = committed(idsync)
    assert number > 0
    if in_json:
        summary = outcome.json()
        assert summary["requests"] == number
        assert summary["ended_by"]["code"] == code
        told = json.dumps(summary["ended_by"]) + outcome.stderr
    else:
        assert outcome.stdout.startswith(f"{number:,} request")
        assert "\nended early; everything counted here is committed\n" in outcome.stdout
        told = outcome.stderr
    for word in words:
        assert word in told, word
    assert "--resume" in told


in_both_forms = pytest.mark.parametrize("form", [(), ("--json",)], ids=["text", "json"])


@in_both_forms
def test_a_damaged_archive_behind_other_files(idsync: Program, form: tuple[str, ...]) -> None:
    idsync.write("good.jsonl", TWO)
    whole = gzip.compress(text(day(40)).encode())
    idsync.write("cut.jsonl.gz", whole[:-40])
    outcome = idsync("replay", "good.jsonl", "cut.jsonl.gz", "--seed", "1", *form)
    assert_told(
        idsync,
        outcome,
        2,
        "FILE_UNREADABLE",
        "'cut.jsonl.gz' cannot be read",
        "everything committed before is intact",
        "whole copy",
        in_json=bool(form),
    )
    idsync.write("cut.jsonl.gz", whole)
    resumed = idsync("replay", "good.jsonl", "cut.jsonl.gz", "--resume")
    assert (resumed.status, committed(idsync)) == (0, 42)


@in_both_forms
def test_an_archive_that_is_damaged_further_on(idsync: Program, form: tuple[str, ...]) -> None:
    whole = gzip.compress(text(day(4000)).encode())
    idsync.write("cut.jsonl.gz", whole[: len(whole) // 2])
    outcome = idsync("replay", "cut.jsonl.gz", "--chunk-size", "100", *form)
    assert_told(idsync, outcome, 2, "FILE_UNREADABLE", "cannot be read", in_json=bool(form))
    assert committed(idsync) >= 1000
    idsync.write("cut.jsonl.gz", whole)
    assert idsync("replay", "cut.jsonl.gz", "--resume").status == 0
    assert committed(idsync) == 4000


def test_a_damaged_archive_alone_leaves_nothing(idsync: Program) -> None:
    idsync.write("cut.jsonl.gz", gzip.compress(TWO.encode())[:-12])
    before = idsync.files()
    assert_refused(idsync("replay", "cut.jsonl.gz"), 2, "cannot be read")
    assert idsync.files() == before


# Files are looked at before the first is begun


def test_a_file_that_was_replayed_is_seen_before_the_first_is_begun(idsync: Program) -> None:
    idsync.write("done.jsonl", DONE)
    idsync.write("good.jsonl", TWO)
    assert idsync("replay", "done.jsonl").status == 0
    before = idsync.files()
    refused = idsync("replay", "good.jsonl", "done.jsonl")
    assert_refused(refused, 2, "'done.jsonl' has already been replayed", "--resume", "--again")
    assert idsync.files() == before
    assert idsync("replay", "good.jsonl", "done.jsonl", "--resume").status == 0
    assert committed(idsync) == 3


def test_a_file_of_which_a_part_was_replayed_is_seen_before_the_first_is_begun(
    idsync: Program,
) -> None:
    idsync.write("part.jsonl", DONE + "{\n")
    idsync.write("good.jsonl", TWO)
    assert idsync("replay", "part.jsonl", "--stop-on-error").status == 1
    before = idsync.files()
    refused = idsync("replay", "good.jsonl", "part.jsonl")
    assert_refused(refused, 2, "'part.jsonl' has already been replayed up to line 1", "--resume")
    idsync.write("part.jsonl", DONE.replace("ida", "ada") + DONE)
    before = idsync.files()
    for more in ((), ("--resume",)):
        refused = idsync("replay", "good.jsonl", "part.jsonl", *more)
        assert_refused(refused, 2, "'part.jsonl' has changed")
        assert idsync.files() == before


def test_a_file_that_is_not_there_or_begins_damaged_is_seen_before_the_first_is_begun(
    idsync: Program,
) -> None:
    idsync.write("good.jsonl", TWO)
    idsync.write("bad.gz", b"\x1f\x8b\x08\x00 no archive")
    before = idsync.files()
    for name in ("nowhere.jsonl", "bad.gz", "."):
        assert_refused(idsync("replay", "good.jsonl", name), 2, f"'{name}' cannot be read")
        assert idsync.files() == before


@pytest.mark.parametrize("other", ["good.jsonl", "./good.jsonl", "link.jsonl", "copy.jsonl"])
def test_a_file_that_is_named_twice_is_seen_before_it_is_begun(idsync: Program, other: str) -> None:
    idsync.write("good.jsonl", TWO)
    idsync.write("copy.jsonl", TWO)
    idsync.write("as-long.jsonl", TWO.replace("phone 0", "phone x"))
    (idsync.folder / "link.jsonl").symlink_to("good.jsonl")
    before = idsync.files()
    files = ("as-long.jsonl", "good.jsonl", other)
    refused = idsync("replay", *files)
    assert_refused(refused, 2, f"'{other}' holds the same requests as 'good.jsonl'", "--resume")
    assert idsync.files() == before
    assert idsync("replay", *files, "--resume").status == 0
    assert committed(idsync) == 4
    assert idsync("replay", *files, "--again").status == 0
    assert committed(idsync) == 10


@in_both_forms
def test_a_file_that_comes_twice_unseen(idsync: Program, form: tuple[str, ...]) -> None:
    """Once plain and once packed: that they are the same shows only in their lines."""
    idsync.write("good.jsonl", TWO)
    idsync.write("good.jsonl.gz", gzip.compress(TWO.encode()))
    outcome = idsync("replay", "good.jsonl", "good.jsonl.gz", *form)
    assert_told(idsync, outcome, 2, "REPLAYED_BEFORE", "already been replayed", in_json=bool(form))
    assert committed(idsync) == 2


# Signals


@in_both_forms
@pytest.mark.parametrize(
    ("number", "status", "code", "words"),
    [
        (signal.SIGINT, 130, "INTERRUPTED", "interrupted after 3 requests; use --resume"),
        (signal.SIGTERM, 143, "TERMINATED", "terminated after 3 requests; use --resume"),
        (signal.SIGHUP, 129, "TERMINATED", "terminated after 3 requests; use --resume"),
    ],
)
def test_a_signal(
    idsync: Program, number: int, status: int, code: str, words: str, form: tuple[str, ...]
) -> None:
    with idsync.start("replay", "-", "--chunk-size", "1", *form) as process:
        assert process.stdin is not None
        process.stdin.write(text(day(3)).encode())
        process.stdin.flush()
        while not (idsync.folder / "idsync.db").exists() or committed(idsync) < 3:
            pass
        process.send_signal(number)
        stdout, stderr = process.communicate(timeout=60)
    outcome = Outcome(stdout.decode(), stderr.decode(), process.returncode)
    assert_told(idsync, outcome, status, code, words, in_json=bool(form))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_what_is_summed_up_is_what_was_committed_whenever_the_signal_comes(
    idsync: Program, number: int
) -> None:
    """A signal may come in a commit, and of a long replay while another process writes."""
    idsync.write("day.jsonl", text(day(60_000)))
    for place, size in enumerate((2_000, 9_000, 20_000, 45_000)):
        store, answers = f"{place}.db", idsync.folder / f"{place}.jsonl"
        command = ("replay", "day.jsonl", "--json", "--store", store, "--output", answers.name)
        with idsync.start(*command) as process:
            while process.poll() is None and not (
                answers.exists() and answers.stat().st_size > size * 300
            ):
                pass
            process.send_signal(number)
            stdout, _ = process.communicate(timeout=60)
        assert json.loads(stdout)["requests"] == committed(idsync, store)


# Faults of the store and of outputs


@in_both_forms
def test_a_file_that_may_grow_no_further(idsync: Program, form: tuple[str, ...]) -> None:
    idsync.write("day.jsonl", text(day(500)))
    idsync.make_store()
    size = (idsync.folder / "idsync.db").stat().st_size
    outcome = limited(idsync, size + 60_000, "replay", "day.jsonl", "--chunk-size", "5", *form)
    assert_told(idsync, outcome, 3, "DISK_FULL", "free some space", in_json=bool(form))


@pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")
def test_a_summary_for_which_there_is_no_room_goes_to_standard_error(idsync: Program) -> None:
    idsync.write("day.jsonl", TWO)
    with FULL.open("wb") as full, idsync.start("replay", "day.jsonl", stdout=full) as process:
        _, stderr = process.communicate(timeout=60)
    assert process.returncode == 3
    assert stderr.decode().startswith("2 requests, 2 profiles created")
    assert "standard output cannot be written: No space left on device" in stderr.decode()


def test_a_store_that_goes_meanwhile(idsync: Program) -> None:
    idsync.make_store("a.db")
    idsync.make_store("b.db")
    with fed_replay(idsync, "--store", "a.db") as replay:
        assert replay.ask(day(1)[0])
        (idsync.folder / "b.db").rename(idsync.folder / "a.db")
        assert replay.ask(day(2)[1]) is None
        stopped = replay.end()
    assert stopped.status == 3
    assert "1 request" not in stopped.stderr  # quiet is quiet


# What was begun in vain is not left


@pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")
def test_a_replay_whose_answers_find_no_room_leaves_no_store(idsync: Program) -> None:
    idsync.write("day.jsonl", TWO)
    before = idsync.files()
    refused = idsync("replay", "day.jsonl", "--output", "/dev/full")
    assert_refused(refused, 3, "/dev/full", "nothing was changed")
    assert idsync.files() == before


def test_a_resumed_replay_whose_answers_are_not_its_own_leaves_no_store(idsync: Program) -> None:
    idsync.write("day.jsonl", TWO)
    idsync.write("a.jsonl", "yesterday\n")
    before = idsync.files()
    refused = idsync("replay", "day.jsonl", "--resume", "--output", "a.jsonl")
    assert_refused(refused, 2, "does not contain the answers of this replay")
    assert idsync.files() == before


def test_a_replay_that_is_interrupted_before_its_first_commit_leaves_no_store(
    idsync: Program,
) -> None:
    before = idsync.files()
    for number, status in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
        with idsync.start("replay", "-") as process:
            assert process.stdin is not None
            process.stdin.write(TWO.encode())
            process.stdin.flush()
            while not (idsync.folder / "idsync.db").exists():
                pass
            process.send_signal(number)
            stdout, _ = process.communicate(timeout=60)
        assert (process.returncode, stdout) == (status, b"")
        assert idsync.files() == before


def test_a_store_that_was_there_stays_whatever_ends_the_replay(idsync: Program) -> None:
    idsync.write("day.jsonl", TWO)
    idsync.write("a.jsonl", "yesterday\n")
    idsync.make_store()
    before = idsync.files()
    refused = idsync("replay", "day.jsonl", "--resume", "--output", "a.jsonl")
    assert_refused(refused, 2, "does not contain the answers of this replay")
    assert idsync.files() == before


def test_a_store_that_others_took_up_meanwhile_stays(idsync: Program) -> None:
    with idsync.start("replay", "-") as process:
        assert process.stdin is not None
        process.stdin.write(TWO.encode())
        process.stdin.flush()
        while not (idsync.folder / "idsync.db").exists():
            pass
        assert idsync("identify", "--email", "x@example.com").status == 0
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    assert '"x@example.com"' in export(idsync)


def test_a_store_that_another_made_in_vain_stays(idsync: Program) -> None:
    idsync.make_store()
    discard_unused(str(idsync.folder / "idsync.db"), 2)
    assert (idsync.folder / "idsync.db").exists()
    discard_unused(str(idsync.folder / "idsync.db"), 1)  # the seed of that store
    assert not (idsync.folder / "idsync.db").exists()
    discard_unused(str(idsync.folder / "idsync.db"), 1)


def test_a_replay_that_ran_to_its_end_was_ended_by_nothing(idsync: Program) -> None:
    idsync.write("day.jsonl", "{\n" + TWO)
    summary = idsync("replay", "day.jsonl", "--json").json()
    assert (summary["stopped"], summary["ended_by"]) == (False, None)
    assert "ended early" not in idsync("replay", "day.jsonl", "--again").stdout


def test_a_dry_run_that_ended_early_says_nothing_of_commits(idsync: Program) -> None:
    idsync.write("good.jsonl", TWO)
    idsync.write("cut.jsonl.gz", gzip.compress(text(day(40)).encode())[:-40])
    outcome = idsync("replay", "good.jsonl", "cut.jsonl.gz", "--dry-run")
    assert outcome.status == 2
    assert "dry run: nothing was written to the store\nended early\n" in outcome.stdout
    assert "committed" not in outcome.stderr
