"""Whatever comes in a file: refused by name, alone and in its place, or taken exactly as it stands.

Each file of `fixtures/input` is given to the program as `expected.yaml` beside them says. What is
too large to be kept, such as a line of 100 MB, is made here.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.program import CONFIG, Outcome, Program, program_in_a_fresh_folder, without_excerpts

__all__ = ["program_in_a_fresh_folder"]

ROOT = Path(__file__).resolve().parent.parent
FIXTURES = ROOT / "fixtures" / "input"
EXPECTED: dict[str, dict[str, Any]] = yaml.safe_load(
    (FIXTURES / "expected.yaml").read_text("utf-8")
)

Run = Callable[[Program, str], Outcome]

RUNS: dict[str, Run] = {
    "requests": lambda idsync, name: idsync("replay", name, "--output", "-"),
    "profiles": lambda idsync, name: idsync("import", name),
    "configurations": lambda idsync, name: idsync("config", "lint", "--config", name),
    "scenarios": lambda idsync, name: idsync("check", name),
    "arguments": lambda idsync, name: idsync(*arguments_in(idsync.folder / name)),
}
"""How a file of each folder is given to the program."""


def arguments_in(path: Path) -> list[str]:
    """A line for each, as the system hands them over: whatever is no UTF-8 comes as surrogates."""
    return [os.fsdecode(line) for line in path.read_bytes().split(b"\n")[:-1]]


def test_every_file_is_in_the_table_and_every_row_of_it_has_its_file() -> None:
    files = {
        path.relative_to(FIXTURES).as_posix() for path in FIXTURES.rglob("*") if path.is_file()
    }
    assert files - {"expected.yaml"} == set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_a_file_comes_to_what_the_table_says(tmp_path: Path, name: str) -> None:
    expected = EXPECTED[name]
    idsync = in_a_folder_with_a_store(tmp_path)
    folder, _, file = name.partition("/")
    shutil.copy(FIXTURES / name, idsync.folder / file)
    outcome = RUNS[folder](idsync, file)
    assert_nothing_acts(outcome)
    assert outcome.status == expected["status"]
    if "answers" in expected:  # the other lines are answered as ever
        assert [status_or_code(answer) for answer in outcome.lines()] == expected["answers"]
    told = outcome.stderr if folder == "requests" else outcome.stderr + outcome.stdout
    for words in expected["says"]:
        assert words in told
    if folder != "requests":  # whose summary says more; no other complaint is left unexpected
        assert len(complaints_of(outcome)) == len(expected["says"])
    exported = idsync("export").profiles()
    emails = [value for line in exported for value in line["identities"].get("email", ())]
    assert emails == expected.get("emails", [])


def status_or_code(answer: Any) -> str:
    errors = answer.get("errors")
    return str(errors[0]["code"] if errors else answer["status"])


def complaints_of(outcome: Outcome) -> list[str]:
    """The first line of each: not the line of the file, the caret or the way out behind it."""
    lines = without_excerpts(outcome.stderr.splitlines())
    return [line for line in lines if not is_way_out(line)]


def is_way_out(line: str) -> bool:
    """Whether a line only goes on with what the one before it began."""
    return line.startswith(("try: ", "idsync: nothing was imported", "next: "))


def in_a_folder_with_a_store(folder: Path) -> Program:
    idsync = Program(folder, columns=1000)
    idsync.write("idsync.yaml", CONFIG)
    idsync.make_store()
    return idsync


def assert_nothing_acts(outcome: Outcome) -> None:
    """No traceback, and nothing but printable lines."""
    for text in (outcome.stdout, outcome.stderr):
        assert "Traceback" not in text
        assert "fault of idsync" not in text
        assert [line for line in text.split("\n") if not line.isprintable()] == []


# What is too large to be kept

A = b'{"type": "identify", "known_identities": {"email": "a@example.com"}}\n'
PROFILE = b'{"mpid": "%d", "identities": {"email": ["a%d@example.com"]}}\n'
CSV = b"mpid,email\n1,a@example.com\n"
SCOPE = "scope: {strategy: best_match, priority: [email, ios_idfv]}\n"
CONFIGURATION = (
    "version: 1\nscopes:\n  consumers: {strategy: best_match, priority: [email, ios_idfv]}\n"
)
HUNDRED_MB = 10**8

_MEASURED = """
import resource, subprocess, sys
done = subprocess.run([sys.executable, "-m", "idsync_cli", *sys.argv[1:]])
most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
unit = 1 if sys.platform == "darwin" else 1024
sys.stderr.write(f"\\n{most * unit}")
sys.exit(done.returncode)
"""
# A process of its own in between: a child of this one would count this one's memory as its own.


def measured(idsync: Program, *arguments: str) -> tuple[Outcome, int]:
    """Run the program as a process of its own, and say how many bytes of memory it had at most."""
    kept = {name: each for name, each in os.environ.items() if not name.startswith("IDSYNC_")}
    done = subprocess.run(
        [sys.executable, "-c", _MEASURED, *arguments],
        cwd=idsync.folder,
        env=kept | {"PYTHONPATH": str(ROOT), "COLUMNS": "1000"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    stderr, _, most = done.stderr.rpartition("\n")
    return Outcome(done.stdout, stderr, done.returncode), int(most)


def written(path: Path, pieces: Iterable[bytes]) -> None:
    with path.open("wb") as file:
        file.writelines(pieces)


def long(before: bytes, behind: bytes, each: bytes = b"x" * 10**6) -> Iterable[bytes]:
    """100 MB between something, made piece by piece."""
    yield before
    for _ in range(HUNDRED_MB // len(each)):
        yield each
    yield behind


@pytest.mark.parametrize(
    ("name", "pieces", "arguments", "status", "says", "left"),
    [
        pytest.param(
            "line.jsonl",
            long(A, b"\n" + A),
            ("replay", "line.jsonl"),
            1,
            [":2: INVALID_JSON: the line is longer than 1 MiB"],
            ["3 requests, 1 profile created, 0 orphaned, 1 rejected line"],
            id="a line of requests",
        ),
        pytest.param(
            "value.jsonl",
            long(A[:-4], b'"}}\n' + A),
            ("replay", "value.jsonl"),
            1,
            [":1: INVALID_JSON: the line is longer than 1 MiB"],
            ["2 requests, 1 profile created, 0 orphaned, 1 rejected line"],
            id="a value of a request",
        ),
        pytest.param(
            "blank.jsonl",
            long(A, b"\n" + A, b" " * 10**6),
            ("replay", "blank.jsonl"),
            1,
            [":2: INVALID_JSON: the line is longer than 1 MiB"],
            ["3 requests, 1 profile created, 0 orphaned, 1 rejected line"],
            id="white space",
        ),
        pytest.param(
            "line.jsonl",
            long(PROFILE % (1, 1), b"\n" + PROFILE % (1, 1)),
            ("import", "line.jsonl"),
            2,
            [
                "line.jsonl:2: the line is longer than 16 MiB",
                "line.jsonl:3: the MPID 1 is already in use",
                "nothing was imported",
            ],
            [],
            id="a line of profiles",
        ),
        pytest.param(
            "row.csv",
            long(CSV + b"2,", b"\n"),
            ("import", "row.csv"),
            2,
            ["row.csv:3: the row is longer than 16 MiB", "nothing was imported"],
            [],
            id="a row",
        ),
        pytest.param(
            "quoted.csv",
            long(CSV + b'2,"', b"", (b"x" * 999 + b"\n") * 1000),
            ("import", "quoted.csv"),
            2,
            ["quoted.csv:3: the row is longer than 16 MiB; look for an unclosed quotation mark"],
            [],
            id="a quotation mark that is never closed",
        ),
        pytest.param(
            "large.yaml",
            long(b"version: 1\n", b""),
            ("config", "lint", "--config", "large.yaml"),
            2,
            ["large.yaml: larger than 1 MiB; split it into several files"],
            [],
            id="a configuration",
        ),
        pytest.param(
            "large.yaml",
            long(b"steps:\n", b"", b"  - identify: {email: a}\n" * 40000),
            ("check", "large.yaml"),
            2,
            ["large.yaml: larger than 1 MiB; split it into several files"],
            ["0 passed, 0 failed, 1 unreadable"],
            id="scenarios",
        ),
    ],
)
def test_100_mb_are_refused_in_less_than_100_mb_of_memory(
    tmp_path: Path,
    name: str,
    pieces: Iterable[bytes],
    arguments: tuple[str, ...],
    status: int,
    says: list[str],
    left: list[str],
) -> None:
    idsync = in_a_folder_with_a_store(tmp_path)
    written(idsync.folder / name, pieces)
    outcome, memory = measured(idsync, *arguments)
    (idsync.folder / name).unlink()
    assert_nothing_acts(outcome)
    assert outcome.status == status
    for words in (*says, *left):
        assert words in outcome.stdout + outcome.stderr
    assert 10**7 < memory < HUNDRED_MB


def test_a_row_that_never_ends_is_not_collected(
    idsync: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("idsync_cli.files.profile_csv.LONGEST_LINE", 2**16)  # less to wait for
    idsync.write("row.csv", CSV + b"2," + b'"\n",' * 2**15 + b"\n3,a\n")
    outcome = idsync("import", "row.csv")
    assert_nothing_acts(outcome)
    assert "row.csv:3: the row is longer than 16 MiB" in outcome.stderr
    assert outcome.status == 2


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(b"[" * 100_000, id="lists"),
        pytest.param(b'{"a":' * 100_000, id="objects"),
        pytest.param(b"[" * 100_000 + b"]" * 100_000, id="closed lists"),
        pytest.param(A[:-3] + b', "idfv": ' + b"[" * 100_000, id="in a value"),
    ],
)
def test_a_line_that_is_nested_100_000_deep_is_refused_alone(idsync: Program, line: bytes) -> None:
    outcome = idsync("replay", "-", "--output", "-", stdin=A + line + b"\n" + A)
    assert_nothing_acts(outcome)
    assert [status_or_code(each) for each in outcome.lines()] == [
        *("created", "INVALID_JSON", "matched"),
    ]
    assert ":2: INVALID_JSON: nested too deeply to read" in outcome.stderr
    profiles = PROFILE % (1, 1) + line + b"\n" + PROFILE % (2, 2)
    outcome = idsync("import", "-", "--store", "other.db", stdin=profiles)
    assert_nothing_acts(outcome)
    assert [*without_excerpts(outcome.stderr.splitlines())] == [
        "idsync: standard input:2: nested too deeply to read; flatten it",
        "idsync: nothing was imported",
    ]
    assert outcome.status == 2
    assert not (idsync.folder / "other.db").exists()


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("[" * 100_000, id="lists"),
        pytest.param("{a: " * 100_000, id="mappings"),
        pytest.param("- " * 100_000, id="dashes"),
        pytest.param("? " * 100_000, id="keys"),
        pytest.param("[" * 100_000 + "]" * 100_000, id="closed lists"),
        pytest.param("".join(f"{' ' * n}a:\n" for n in range(1000)), id="indented"),
    ],
)
def test_yaml_that_is_nested_too_deeply_is_refused_at_its_place(idsync: Program, text: str) -> None:
    for content, arguments in (
        (CONFIGURATION + "organization: " + text, ("config", "lint", "--config", "deep.yaml")),
        (SCOPE + "steps:\n" + text, ("check", "deep.yaml")),
    ):
        idsync.write("deep.yaml", content)
        outcome = idsync(*arguments)
        assert_nothing_acts(outcome)
        assert outcome.status == 2
        assert "deep.yaml:" in outcome.stderr
        assert (
            "nested more than 50 levels deep" in outcome.stderr or "broken YAML" in outcome.stderr
        )


KEYS = 60_000


def many(line: str) -> str:
    return "".join(line.replace("%d", str(number)) for number in range(KEYS))


@pytest.mark.parametrize(
    ("content", "status", "says"),
    [
        pytest.param(
            CONFIGURATION.replace("consumers", "c")
            + "accounts:\n a:\n  workspaces:\n"
            + many("   %d: c\n"),
            0,
            "no warnings",
            id="right ones",
        ),
        pytest.param(many("k%d: x\n"), 2, "unknown key 'k0'", id="unknown ones"),
        pytest.param(
            CONFIGURATION.replace("email", ",".join(f"emai{n}" for n in range(KEYS))),
            2,
            "unknown identity type 'emai0'; did you mean 'email'?",
            id="unknown types",
        ),
        pytest.param(CONFIGURATION + many("k: %d\n"), 2, "'k' appears twice", id="twice"),
        pytest.param("- &a [*a]\n" * KEYS, 2, "aliases are not supported", id="aliases"),
        pytest.param("- !a b\n" * KEYS, 2, "remove the tag '!a'", id="tags"),
        pytest.param("--- a\n" * KEYS, 2, "the configuration is 'a'", id="documents"),
        pytest.param(
            "[" + "[]," * KEYS * 5 + "]", 2, "more than 150,000 keys and values", id="empty lists"
        ),
    ],
)
def test_60_000_keys_are_read_or_refused_soon_and_shortly(
    idsync: Program, content: str, status: int, says: str
) -> None:
    idsync.write("many.yaml", content)
    begun = time.process_time()
    outcome = idsync("config", "lint", "--config", "many.yaml")
    assert time.process_time() - begun < 10  # without a limit, minutes
    assert_nothing_acts(outcome)
    assert outcome.status == status
    assert says in outcome.stdout + outcome.stderr
    assert len(complaints_of(outcome)) <= 101
    if len(complaints_of(outcome)) > 100:
        assert "and more errors; fix these 100 first\n" in outcome.stderr
    outcome = idsync("check", "many.yaml")
    assert_nothing_acts(outcome)
    assert outcome.status == 2
    assert len(complaints_of(outcome)) <= 101


def test_an_alias_bomb_does_not_go_off(idsync: Program) -> None:
    names = [f"a{n}" for n in range(100)]
    levels = [
        f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n" for before, name in pairwise(names)
    ]
    idsync.write("bomb.yaml", "a0: &a0 [x]\n" + "".join(levels))
    for arguments in (("config", "lint", "--config", "bomb.yaml"), ("check", "bomb.yaml")):
        outcome = idsync(*arguments)
        assert outcome.status == 2
        assert "bomb.yaml:2:10: aliases are not supported; write the value out" in outcome.stderr
        assert "and more errors; fix these 100 first" in outcome.stderr


def test_warnings_are_all_told_however_many_they_are(idsync: Program) -> None:
    scopes = [f"  s{n}: {{strategy: best_match, priority: [email]}}\n" for n in range(150)]
    idsync.write("many.yaml", "version: 1\nscopes:\n" + "".join(scopes))
    outcome = idsync("config", "lint", "--config", "many.yaml")
    assert (outcome.status, outcome.stdout.count("many.yaml:")) == (0, 150)


def test_what_looks_like_something_else_in_yaml_is_text(idsync: Program) -> None:
    words = ["0o17", "0123", "12:30:45", "1_000", "0x1F", ".inf", "2001-01-01", "NO", "1e3"]
    scopes = "".join(
        f"  {word}: {{strategy: best_match, priority: [ios_idfv]}}\n" for word in words
    )
    idsync.write("idsync.yaml", "version: 1\nscopes:\n" + scopes)
    assert list(idsync("config", "show", "--json").json()["scopes"]) == words
