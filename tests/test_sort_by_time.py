"""`replay --sort-by-time`: the lines of all files in the order of their own times (issue 15)."""

import json
import random
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from idsync_cli.files import external_sort, sorted_requests
from idsync_cli.files.external_sort import ExternalSort
from tests.faults import export
from tests.program import (  # noqa: F401 - the fixture
    Program,
    assert_refused,
    program_in_a_fresh_folder,
)

SORTED = ("--sort-by-time", "--seed", "1", "--quiet", "--output")


def asked(email: str, at: int | None = None, **members: Any) -> str:
    request = {"type": "identify", "known_identities": {"email": email}, **members}
    return json.dumps(request if at is None else request | {"request_timestamp_ms": at})


def write(idsync: Program, name: str, *lines: str) -> None:
    idsync.write(name, "".join(line + "\n" for line in lines))


def places(answers: str) -> list[tuple[str | None, int]]:
    found = [json.loads(line) for line in answers.splitlines()]
    return [(each.get("file"), each["line"]) for each in found]


def in_order(idsync: Program, *files: str, arguments: tuple[str, ...] = ()) -> Any:
    outcome = idsync("replay", *files, *SORTED, "-", "--dry-run", *arguments)
    return places(outcome.stdout)


# The order


def test_lines_come_by_their_own_times_and_keep_their_numbers(idsync: Program) -> None:
    write(idsync, "a.jsonl", asked("1", 30), "", asked("2", 10), asked("3", -5), asked("4", 20))
    assert in_order(idsync, "a.jsonl") == [(None, 4), (None, 3), (None, 5), (None, 1)]


def test_equal_times_keep_the_order_of_the_files_and_of_their_lines(idsync: Program) -> None:
    write(idsync, "a.jsonl", asked("1", 5), asked("2", 5), asked("3", 4))
    write(idsync, "b.jsonl", asked("4", 5), asked("5", 4), asked("6", 5))
    assert in_order(idsync, "b.jsonl", "a.jsonl") == [
        *(("b.jsonl", 2), ("a.jsonl", 3)),
        *(("b.jsonl", 1), ("b.jsonl", 3), ("a.jsonl", 1), ("a.jsonl", 2)),
    ]


def test_a_line_without_a_time_keeps_to_the_line_before_it(idsync: Program) -> None:
    lines = [asked("1"), asked("2", 30), asked("3"), "{", asked("5", 10)]
    wrong = [
        '{"type": "identify", "request_timestamp_ms": "5"}',
        '{"type": "identify", "request_timestamp_ms": 99999999999999999999}',
        '{"type": "identify", "request_timestamp_ms": 1.5}',
        '{"type": "identify", "request_timestamp_ms": null}',
    ]
    write(idsync, "a.jsonl", *lines, *wrong)
    write(idsync, "b.jsonl", asked("6", 20))
    outcome = idsync("replay", "a.jsonl", "b.jsonl", "--sort-by-time", "--output", "-")
    assert places(outcome.stdout) == [
        *(("a.jsonl", line) for line in (1, 5, 6, 7, 8, 9)),
        *(("b.jsonl", 1), ("a.jsonl", 2), ("a.jsonl", 3), ("a.jsonl", 4)),
    ]
    assert "note: 7 lines without a time, sorted right after the line before" in outcome.stderr


def test_the_time_of_a_batch_is_its_own(idsync: Program) -> None:
    batch = {"type": "batch", "user_identities": {"email": "1"}, "timestamp_unixtime_ms": 30}
    write(
        idsync,
        "a.jsonl",
        json.dumps(batch),
        asked("2", 20),
        json.dumps(batch | {"timestamp_unixtime_ms": None, "request_timestamp_ms": 10}),
        json.dumps(batch | {"timestamp_unixtime_ms": 25, "request_timestamp_ms": 1}),
        json.dumps({"type": "identify", "timestamp_unixtime_ms": 5}),
    )
    assert in_order(idsync, "a.jsonl") == [(None, line) for line in (3, 2, 4, 5, 1)]


def test_lines_are_carried_out_as_if_they_had_stood_so(idsync: Program) -> None:
    rng = random.Random(5)
    lines = [
        asked(f"e{rng.randrange(90)}", rng.randrange(50) * 1000, scope="consumers")
        for _ in range(700)
    ]
    files = {f"{place}.jsonl": lines[place::3] for place in range(3)}
    for name, its_lines in files.items():
        write(idsync, name, *its_lines)
    by_time = sorted(
        (json.loads(line)["request_timestamp_ms"], name, number, line)
        for name, its_lines in files.items()
        for number, line in enumerate(its_lines, 1)
    )
    write(idsync, "whole.jsonl", *(line for *_, line in by_time))
    one = ("--seed", "1", "--quiet", "--store", "one.db", "--output", "one.out")
    assert idsync("replay", "whole.jsonl", *one).status == 0
    for chunk in ("1000000", "7"):
        store = ("--store", f"{chunk}.db", "--force", "--chunk-size", chunk)
        assert idsync("replay", *files, *SORTED, "a.out", *store).status == 0
        answers = (idsync.folder / "a.out").read_text()
        assert places(answers) == [(name, number) for _, name, number, _ in by_time]
        assert export(idsync, f"{chunk}.db") == export(idsync, "one.db")
        for line, plain in zip(
            answers.splitlines(), (idsync.folder / "one.out").read_text().splitlines(), strict=True
        ):
            mine, other = json.loads(line), json.loads(plain)
            del mine["file"], mine["line"], other["line"]
            assert mine == other


@pytest.mark.parametrize("name", ["a.jsonl", "-"])
def test_whatever_stands_in_a_file_is_told_of_its_own_line(idsync: Program, name: str) -> None:
    long = '{"type": "identify", "known_identities": {"email": "' + "x" * 2**20 + '"}}'
    lines = ["\ufeff" + asked("1", 9), asked("2", 8) + "\r", "nonsense", long, asked("5", 7)]
    data = "\n".join([*lines, " \t", asked("7", 6)])
    idsync.write("a.jsonl", data)
    outcome = idsync("replay", name, *SORTED, "-", stdin=data.encode())
    codes = [
        (answer["line"], *(error["code"] for error in answer.get("errors", ())))
        for answer in outcome.lines()
    ]
    wrong = "INVALID_JSON"
    assert codes == [(7,), (5,), (2,), (3, wrong), (4, wrong), (1,)]


def test_rejected_lines_are_listed_by_file_and_line_with_their_text(idsync: Program) -> None:
    write(idsync, "a.jsonl", asked("1", 9), asked("2", 7, emial="x"))
    write(idsync, "b.jsonl", asked("3", 8, emial="y"))
    outcome = idsync("replay", "a.jsonl", "b.jsonl", "--sort-by-time")
    told = outcome.stdout
    assert told.index("a.jsonl:2: INVALID_REQUEST") < told.index("b.jsonl:1: INVALID_REQUEST")
    assert told.count("emial") >= 4
    summary = idsync("replay", "a.jsonl", "b.jsonl", "--sort-by-time", "--again", "--json").json()
    assert [(each["file"], each["line"]) for each in summary["first_refused"]] == [
        ("a.jsonl", 2),
        ("b.jsonl", 1),
    ]


def test_it_stops_before_a_rejected_line_and_goes_on(idsync: Program) -> None:
    write(idsync, "a.jsonl", asked("1", 9), asked("2", 3))
    write(idsync, "b.jsonl", asked("3", 5, emial="x"), asked("4", 4))
    stopped = idsync("replay", "a.jsonl", "b.jsonl", *SORTED, "a.out", "--stop-on-error")
    assert stopped.status == 1
    told = idsync("replay", "a.jsonl", "b.jsonl", "--sort-by-time", "--resume", "--stop-on-error")
    assert_refused(told, 2, "was started with a file for its answers")
    write(idsync, "b.jsonl", asked("3", 5), asked("4", 4))
    resumed = idsync("replay", "a.jsonl", "b.jsonl", *SORTED, "a.out", "--resume")
    assert resumed.status == 0
    answers = (idsync.folder / "a.out").read_text()
    assert places(answers) == [("a.jsonl", 2), ("b.jsonl", 2), ("b.jsonl", 1), ("a.jsonl", 1)]


# Labels


@pytest.mark.parametrize("chunk", ["1", "2", "100"])
def test_each_file_has_its_own_labels(idsync: Program, chunk: str) -> None:
    def changed(at: int) -> str:
        return json.dumps(
            {
                "type": "modify",
                "mpid": "@who",
                "request_timestamp_ms": at,
                "known_identities": {"das": f"device {at}"},
            }
        )

    write(idsync, "a.jsonl", asked("a", 1, label="who"), changed(5), changed(9))
    write(idsync, "b.jsonl", changed(0), asked("b", 2, label="who"), changed(6))
    write(idsync, "c.jsonl", asked("c", 3))
    outcome = idsync(
        *("replay", "a.jsonl", "b.jsonl", "c.jsonl"), *SORTED, "-", "--chunk-size", chunk
    )
    by_place = {(each["file"], each["line"]): each for each in outcome.lines()}
    assert by_place["b.jsonl", 1]["errors"][0]["code"] == "UNKNOWN_LABEL"
    for name, lines in (("a.jsonl", (1, 2, 3)), ("b.jsonl", (2, 3))):
        assert len({by_place[name, line]["mpid"] for line in lines}) == 1
    assert by_place["a.jsonl", 1]["mpid"] != by_place["b.jsonl", 2]["mpid"]


@pytest.mark.parametrize("chunk", ["1", "2", "100"])
def test_a_label_of_any_file_stands_for_an_erased_profile_no_more(
    idsync: Program, chunk: str
) -> None:
    erase = json.dumps({"type": "erase", "mpid": "@me", "request_timestamp_ms": 4})
    change = {"type": "modify", "mpid": "@you", "known_identities": {"das": "d"}}
    write(idsync, "a.jsonl", asked("one", 1, label="me"), erase, asked("c", 6, label="x"))
    write(idsync, "b.jsonl", asked("one", 2, label="you"), json.dumps(change))
    arguments = (*SORTED, "-", "--chunk-size", chunk)
    outcome = idsync("replay", "a.jsonl", "b.jsonl", *arguments)
    by_place = {(each["file"], each["line"]): each for each in outcome.lines()}
    assert by_place["b.jsonl", 1]["mpid"] == by_place["a.jsonl", 1]["mpid"]
    assert by_place["b.jsonl", 2]["status"] == "modified"  # it keeps to the line before it
    assert by_place["a.jsonl", 2]["status"] == "erased"
    later = json.dumps(change | {"request_timestamp_ms": 5})
    write(idsync, "b.jsonl", asked("one", 2, label="you"), later)
    again = idsync("replay", "a.jsonl", "b.jsonl", *arguments, "--store", "new.db")
    by_place = {(each["file"], each["line"]): each for each in again.lines()}
    assert by_place["b.jsonl", 2]["errors"][0]["code"] == "UNKNOWN_LABEL"


def test_what_was_sorted_before_an_erasure_is_not_brought_back(idsync: Program) -> None:
    erase = {"type": "erase", "known_identities": {"email": "1"}, "request_timestamp_ms": 9}
    write(idsync, "a.jsonl", asked("1", 1), asked("2", 5))
    write(idsync, "b.jsonl", asked("3", 2), json.dumps(erase))
    files = ("a.jsonl", "b.jsonl")
    assert idsync("replay", *files, *SORTED, "a.out").status == 0
    before = idsync.files()
    for arguments in (("a.jsonl",), ("b.jsonl",), (*files, "--sort-by-time"), (*files,)):
        refused = idsync("replay", *arguments, "--again")
        assert_refused(refused, 2, "was replayed before a profile was erased", "--force")
        assert idsync.files() == before
    forced = idsync("replay", *files, "--sort-by-time", "--again", "--force", "--json")
    assert (forced.status, forced.json()["requests"]) == (0, 4)
    outcome = idsync("erase", "--email", "2", "--json")
    told = sorted(each["path"].rpartition("/")[2] for each in outcome.json()["files"])
    assert told == ["a.jsonl", "a.out", "b.jsonl"]


# Interrupted and resumed


def days(rng: random.Random, count: int) -> list[str]:
    lines = []
    for number in range(count):
        label = rng.choice(("x", "y", "z"))
        request: dict[str, Any] = {"request_timestamp_ms": rng.randrange(10**6)}
        if rng.random() < 0.3:
            request |= {"type": "modify", "mpid": f"@{label}"}
            request["known_identities"] = {"das": f"d{number}"}
        else:
            request |= {"type": "identify", "label": label}
            request["known_identities"] = {"email": f"e{rng.randrange(300)}"}
        lines.append(json.dumps(request))
    return lines


@pytest.mark.parametrize("by_signal", [signal.SIGKILL, signal.SIGINT])
def test_killed_at_random_moments_and_resumed_it_is_as_if_it_ran_through(
    tmp_path: Path, by_signal: signal.Signals
) -> None:
    rng = random.Random(7)
    whole, broken = Program(tmp_path / "whole"), Program(tmp_path / "broken")
    days_of = {name: days(rng, 900) for name in ("a.jsonl", "b.jsonl")}
    for idsync in (whole, broken):
        idsync.folder.mkdir()
        idsync.write(
            "idsync.yaml", (Path(__file__).parent.parent / "sample_config.yaml").read_bytes()
        )
        for name, lines in days_of.items():
            write(idsync, name, *lines)
    command = ("replay", *days_of, *SORTED, "out.jsonl", "--scope", "consumers")
    assert whole(*command).status == 1
    length = (whole.folder / "out.jsonl").stat().st_size
    out = broken.folder / "out.jsonl"
    for number in range(4):
        wanted = length * (number + rng.random()) / 5
        with broken.start(*command, "--chunk-size", "3", "--resume") as process:
            until = time.monotonic() + 60
            while process.poll() is None and time.monotonic() < until:
                if out.exists() and out.stat().st_size >= wanted:
                    break
            process.send_signal(by_signal)
            process.communicate()
    assert broken(*command, "--resume").status in (0, 1)
    assert out.read_bytes() == (whole.folder / "out.jsonl").read_bytes()
    assert export(broken) == export(whole)
    assert broken("doctor").status == 0


def begun(idsync: Program) -> None:
    """Two files of which a sorted replay is not finished, and a third."""
    write(idsync, "a.jsonl", asked("1", 9), asked("2", 3))
    write(idsync, "b.jsonl", asked("3", 5, emial="x"), asked("4", 4))
    write(idsync, "c.jsonl", asked("5", 1))
    stopped = idsync("replay", "a.jsonl", "b.jsonl", "--sort-by-time", "--stop-on-error")
    assert stopped.status == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("a.jsonl",),
        ("a.jsonl", "--resume"),
        ("c.jsonl", "b.jsonl", "--resume"),
        ("a.jsonl", "b.jsonl", "--sort-by-time"),
        ("b.jsonl", "a.jsonl", "--sort-by-time", "--resume"),
        ("a.jsonl", "--sort-by-time", "--resume"),
        ("a.jsonl", "b.jsonl", "c.jsonl", "--sort-by-time", "--resume"),
    ],
    ids=" ".join,
)
def test_what_is_not_finished_goes_on_with_the_same_files_and_not_otherwise(
    idsync: Program, arguments: tuple[str, ...]
) -> None:
    begun(idsync)
    before = idsync.files()
    refused = idsync("replay", *arguments)
    assert_refused(refused, 2, "sorted by time is not finished", "--resume and --sort-by-time")
    assert idsync.files() == before


def test_a_file_that_changed_meanwhile_is_told_of(idsync: Program) -> None:
    begun(idsync)
    write(idsync, "a.jsonl", asked("1", 9), asked("2 and more", 3))
    before = idsync.files()
    refused = idsync("replay", "a.jsonl", "b.jsonl", "--sort-by-time", "--resume")
    assert_refused(refused, 2, "has changed since", "'a.jsonl', 'b.jsonl'")
    assert idsync.files() == before


def test_it_may_be_begun_again(idsync: Program) -> None:
    begun(idsync)
    write(idsync, "b.jsonl", asked("3", 5), asked("4", 4))
    again = ("replay", "a.jsonl", "b.jsonl", "--sort-by-time", "--again", "--json")
    assert idsync(*again).json()["requests"] == 4


def test_what_is_done_is_replayed_by_no_other_way(idsync: Program) -> None:
    write(idsync, "a.jsonl", asked("1", 9), asked("2", 3))
    write(idsync, "b.jsonl", asked("3", 5))
    write(idsync, "c.jsonl", asked("5", 1))
    files = ("a.jsonl", "b.jsonl")
    assert idsync("replay", *files, *SORTED, "a.out").status == 0
    for arguments in (("a.jsonl",), ("c.jsonl", "b.jsonl"), (*files, "--sort-by-time")):
        refused = idsync("replay", *arguments)
        assert_refused(refused, 2, "has already been replayed into this store")
    nothing = idsync("replay", *files, "--sort-by-time", "--resume")
    assert nothing.status == 0
    assert nothing.stderr.splitlines() == [f"nothing left to replay in {name}" for name in files]
    more = idsync("replay", *files, "c.jsonl", *SORTED, "a.out", "--resume")
    assert more.status == 0
    assert places((idsync.folder / "a.out").read_text())[-1] == ("c.jsonl", 1)
    assert len((idsync.folder / "a.out").read_text().splitlines()) == 4


def test_what_was_replayed_in_part_by_its_lines_goes_on_so(idsync: Program) -> None:
    write(idsync, "a.jsonl", asked("1", 9), asked("2", 3, emial="x"))
    assert idsync("replay", "a.jsonl", "--stop-on-error").status == 1
    refused = idsync("replay", "a.jsonl", "--sort-by-time", "--resume")
    assert_refused(refused, 2, "in the order of its lines", "without --sort-by-time")


# Pipes, and bounded memory


def test_standard_input_is_sorted_if_it_fits(
    idsync: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = f"{asked('1', 9)}\n{asked('2', 3)}\n".encode()
    outcome = idsync.process("replay", "-", *SORTED, "-", stdin=data)
    assert places(outcome.stdout) == [(None, 2), (None, 1)]
    before = idsync.files()
    much = asked("x", 1).encode() + b"\n"
    for process in (idsync.process("replay", "-", *SORTED, "-", stdin=much * 900_000),):
        assert_refused(process, 2, "standard input holds more than 64 MiB", "save it to a file")
    assert idsync.files() == before


@pytest.mark.parametrize(("memory", "files"), [(1, 2), (3000, 3), (20_000, 64), (2**26, 64)])
def test_more_lines_than_memory_are_sorted_alike(
    monkeypatch: pytest.MonkeyPatch, memory: int, files: int
) -> None:
    monkeypatch.setattr(external_sort, "MEMORY", memory)
    monkeypatch.setattr(external_sort, "_MOST_FILES", files)
    rng = random.Random(memory)
    lines = [rng.randbytes(rng.randrange(60)).replace(b"\n", b"") for _ in range(1500)]
    with ExternalSort() as sort:
        for line in lines:
            sort.add(line)
        assert list(sort.sorted()) == sorted(lines)


def test_a_replay_sorts_in_bounded_memory(idsync: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(3)
    write(idsync, "a.jsonl", *(asked(f"e{n}", rng.randrange(10**6)) for n in range(2000)))
    plain = idsync("replay", "a.jsonl", *SORTED, "-", "--store", "a.db").stdout
    monkeypatch.setattr(external_sort, "MEMORY", 20_000)
    monkeypatch.setattr(external_sort, "_MOST_FILES", 4)
    assert idsync("replay", "a.jsonl", *SORTED, "-", "--store", "b.db").stdout == plain


def test_a_full_disk_for_temporary_files_is_told_of(
    idsync: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(sorted_requests, "write_lines", full)
    write(idsync, "a.jsonl", asked("1", 9))
    before = idsync.files()
    refused = idsync("replay", "a.jsonl", "--sort-by-time")
    assert_refused(refused, 3, "the lines cannot be sorted: No space left", "TMPDIR")
    assert idsync.files() == before
