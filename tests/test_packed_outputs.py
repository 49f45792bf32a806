"""Outputs whose names end with `.gz` are packed, and a replay goes on behind packed answers."""

import gzip
import json
import os
import random
import signal
import zlib
from pathlib import Path

import pytest

from tests.faults import day, text
from tests.program import (  # noqa: F401 - the fixture
    Program,
    assert_refused,
    program_in_a_fresh_folder,
)

DAY = text(day(1300))
PLAIN = ("replay", "day.jsonl", "--seed", "1", "--quiet", "--output")


@pytest.fixture(name="prepared")
def program_with_a_day(idsync: Program) -> Program:
    idsync.write("day.jsonl", DAY)
    return idsync


def answers_of_a_whole_replay(prepared: Program) -> bytes:
    assert prepared(*PLAIN, "whole.jsonl", "--store", "whole.db").status == 0
    return (prepared.folder / "whole.jsonl").read_bytes()


def unpacked(prepared: Program, name: str = "a.jsonl.gz") -> bytes:
    return gzip.decompress((prepared.folder / name).read_bytes())


@pytest.mark.parametrize("name", ["a.jsonl.gz", "A.JSONL.GZ"])
def test_answers_are_packed_if_their_name_says_so(prepared: Program, name: str) -> None:
    whole = answers_of_a_whole_replay(prepared)
    for chunk in ("1000000", "100"):
        store = ("--store", f"{chunk}.db", "--force", "--chunk-size", chunk)
        assert prepared(*PLAIN, name, *store).status == 0
        assert unpacked(prepared, name) == whole
    assert (prepared.folder / name).stat().st_size < len(whole) / 3


def test_no_answers_are_a_packed_file_without_content(idsync: Program) -> None:
    idsync.write("none.jsonl", "\n")
    idsync.write("one.jsonl", text(day(1)))
    assert idsync("replay", "none.jsonl", "--output", "a.gz", "--quiet").status == 0
    assert unpacked(idsync, "a.gz") == b""
    some = ("replay", "none.jsonl", "one.jsonl", "--output", "b.gz", "--quiet")
    assert idsync(*some, "--store", "b.db").status == 0
    assert unpacked(idsync, "b.gz").count(b"\n") == 1


@pytest.mark.parametrize("name", ["p.jsonl.gz", "p.csv.gz", "P.CSV.GZ"])
def test_exports_are_packed_if_their_name_says_so(prepared: Program, name: str) -> None:
    assert prepared(*PLAIN, "a.jsonl").status == 0
    form = "csv" if "csv" in name.lower() else "jsonl"
    assert prepared("export", "--output", name).status == 0
    assert unpacked(prepared, name).decode() == prepared("export", "--format", form).stdout
    assert prepared("import", name, "--store", "b.db").status == 0
    assert prepared("export", "--store", "b.db").stdout == prepared("export").stdout
    assert_refused(prepared("export", "--output", name), 2, "already exists")


def test_equal_answers_are_packed_into_equal_bytes(prepared: Program) -> None:
    found = set()
    for name in ("a.gz", "b.gz"):
        chunked = ("--store", f"{name}.db", "--chunk-size", "500")
        assert prepared(*PLAIN, name, *chunked).status == 0
        found.add((prepared.folder / name).read_bytes())
    assert len(found) == 1


@pytest.mark.parametrize("left", [b"", b"cut", b"\x1f\x8b\x08\x00 and more"])
def test_a_resumed_replay_goes_on_behind_packed_answers(prepared: Program, left: bytes) -> None:
    """Whatever stands behind them of a batch that was not committed."""
    whole = answers_of_a_whole_replay(prepared)
    lines = DAY.splitlines(keepends=True)
    prepared.write("day.jsonl", "".join(lines[:700]) + "{\n" + "".join(lines[700:]))
    stopped = prepared(*PLAIN, "a.jsonl.gz", "--stop-on-error")
    assert stopped.status == 1
    prepared.write("day.jsonl", DAY)
    answers = prepared.folder / "a.jsonl.gz"
    answers.write_bytes(answers.read_bytes() + left)
    resumed = prepared(*PLAIN, "a.jsonl.gz", "--resume")
    assert (resumed.status, resumed.stderr) == (0, "")
    assert unpacked(prepared) == whole


def test_packed_answers_go_on_by_no_other_file(prepared: Program) -> None:
    lines = DAY.splitlines(keepends=True)
    prepared.write("day.jsonl", "".join(lines[:700]) + "{\n" + "".join(lines[700:]))
    assert prepared(*PLAIN, "a.jsonl.gz", "--stop-on-error").status == 1
    plain = prepared.write("a.jsonl", unpacked(prepared))
    foreign = prepared.write("other.gz", gzip.compress(b"yesterday\n" * 100_000))
    prepared.write("day.jsonl", DAY)
    before = prepared.files()
    for path in (plain, foreign):
        refused = prepared(*PLAIN, path.name, "--resume")
        assert_refused(refused, 2, "does not begin with the answers written so far")
    assert prepared.files() == before


def test_answers_go_on_as_they_were_begun_whatever_their_name(prepared: Program) -> None:
    """An earlier version wrote plain text under any name."""
    whole = answers_of_a_whole_replay(prepared)
    lines = DAY.splitlines(keepends=True)
    prepared.write("day.jsonl", "".join(lines[:700]) + "{\n" + "".join(lines[700:]))
    assert prepared(*PLAIN, "a.jsonl", "--stop-on-error").status == 1
    (prepared.folder / "a.jsonl").rename(prepared.folder / "a.jsonl.gz")
    prepared.write("day.jsonl", DAY)
    assert prepared(*PLAIN, "a.jsonl.gz", "--resume").status == 0
    assert (prepared.folder / "a.jsonl.gz").read_bytes() == whole


@pytest.mark.parametrize("length", [0, 1, 2, 9, 400, 10**6])
def test_packed_answers_of_a_replay_ended_before_its_first_commit_are_its_own(
    prepared: Program, length: int
) -> None:
    whole = answers_of_a_whole_replay(prepared)
    for pieces in (whole, whole[:200]):
        packed = gzip.compress(pieces, mtime=0)[:length]
        prepared.write("a.jsonl.gz", packed)
        store = ("--store", f"{len(pieces)}.db", "--resume")
        assert prepared(*PLAIN, "a.jsonl.gz", *store).status == 0
        assert unpacked(prepared) == whole


@pytest.mark.parametrize(
    "foreign", [b"three days of work\n", gzip.compress(b"three days\n", mtime=0)]
)
def test_what_is_not_its_own_is_left_alone(prepared: Program, foreign: bytes) -> None:
    path = prepared.write("a.jsonl.gz", foreign)
    refused = prepared(*PLAIN, "a.jsonl.gz", "--resume")
    assert_refused(refused, 2, "does not contain the answers of this replay")
    assert path.read_bytes() == foreign


def test_killed_at_random_moments_packed_answers_are_those_of_one_run(prepared: Program) -> None:
    """They are also a packed file, whole, behind every commit."""
    rng = random.Random(2)
    whole = answers_of_a_whole_replay(prepared)
    answers = prepared.folder / "a.jsonl.gz"
    command = (*PLAIN, "a.jsonl.gz", "--chunk-size", "3", "--resume")
    for number in range(4):
        length = len(whole) / 6 * (number + rng.random()) / 5
        with prepared.start(*command) as process:
            while process.poll() is None and not (
                answers.exists() and answers.stat().st_size >= length
            ):
                pass
            process.send_signal(signal.SIGKILL)
        there = b""
        unpacking = zlib.decompressobj(wbits=31)
        rest = answers.read_bytes()
        while rest:
            there += unpacking.decompress(rest)
            rest, unpacking = unpacking.unused_data, zlib.decompressobj(wbits=31)
        assert whole.startswith(there)
    done = prepared(*PLAIN, "a.jsonl.gz", "--resume")
    assert done.status == 0
    assert unpacked(prepared) == whole


def test_a_pipe_of_that_name_gets_packed_answers(prepared: Program, tmp_path: Path) -> None:
    prepared.write("day.jsonl", text(day(20)))
    os.mkfifo(tmp_path / "pipe.gz")
    reader = os.open(tmp_path / "pipe.gz", os.O_RDONLY | os.O_NONBLOCK)
    try:
        assert prepared(*PLAIN, "pipe.gz").status == 0
        answers = gzip.decompress(os.read(reader, 2**20)).splitlines()
        assert [json.loads(line)["seq"] for line in answers] == list(range(1, 21))
    finally:
        os.close(reader)
