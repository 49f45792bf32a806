"""What a terminal shows: the whole program with one, as a process of its own."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.program import (  # noqa: F401 - the fixture
    SURROUNDINGS,
    Program,
    program_in_a_fresh_folder,
)

CONTROLS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
ROOT = Path(__file__).parents[1]
REQUESTS = b"""\
{"type": "identify", "known_identities": {"idfv": "9876"}}
{"type": "login", "known_identities": {"email": "a@example.com", "idfv": "9876"}}
{"type": "identify", "known_identities": {"emial": "x"}}
"""


class Shown(NamedTuple):
    """What a terminal was sent, and how the program ended."""

    screen: str
    status: int

    @property
    def lines(self) -> Sequence[str]:
        """The lines, without colours and without a bar that was there meanwhile."""
        lines = self.screen.replace("\r\n", "\n").rstrip("\n").split("\n")
        return [CONTROLS.sub("", line.rpartition("\x1b[2K")[2]).rstrip() for line in lines]


def on_a_terminal(
    folder: Path,
    *arguments: str,
    columns: int = 80,
    output: str | None = None,
    kind: str = "xterm-256color",
) -> Shown:
    """Run the program on a terminal of so many columns; its standard output may be a file."""
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(SURROUNDINGS)
    }
    stdout = its if output is None else os.open(folder / output, os.O_WRONLY | os.O_CREAT)
    process = subprocess.Popen(
        [sys.executable, "-m", "idsync_cli", *arguments],
        cwd=folder,
        env={**inherited, "PYTHONPATH": str(ROOT), "TERM": kind},
        stdin=its,
        stdout=stdout,
        stderr=its,
    )
    os.close(its)
    if output is not None:
        os.close(stdout)
    screen = bytearray()
    while True:
        try:
            sent = os.read(ours, 65536)
        except OSError:  # Linux says so once nobody has the other end
            break
        if not sent:
            break
        screen += sent
    os.close(ours)
    return Shown(screen.decode(), process.wait(timeout=60))


def test_answers_go_to_the_file_though_the_bar_is_on_the_terminal(idsync: Program) -> None:
    (idsync.folder / "requests.jsonl").write_bytes(REQUESTS)
    replay = ("replay", "requests.jsonl", "--dry-run", "--seed", "1", "--output", "-")
    shown = on_a_terminal(idsync.folder, *replay, output="answers.jsonl")
    assert shown.status == 1
    assert (idsync.folder / "answers.jsonl").read_text() == idsync(*replay).stdout
    assert "requests, " in shown.screen
    assert "3 requests, 1 profile created, 0 orphaned, 1 rejected line" in shown.lines


@pytest.mark.parametrize("columns", [60, 80, 140])
def test_a_replay_explains_on_a_terminal(idsync: Program, columns: int) -> None:
    (idsync.folder / "requests.jsonl").write_bytes(REQUESTS)
    replay = ("replay", "requests.jsonl", "--dry-run", "--seed", "1", "--explain")
    shown = on_a_terminal(idsync.folder, *replay, columns=columns)
    assert shown.status == 1
    assert max(map(len, shown.lines)) <= columns
    piped = Program(idsync.folder, columns)(*replay).stdout.partition("3 requests,")[0]
    assert " ".join(shown.lines).partition("3 requests,")[0].split() == piped.split()
    assert "a second" not in shown.screen


@pytest.mark.parametrize("columns", [40, 80])
def test_sentences_of_a_plain_answer_wrap_at_words_on_a_terminal(
    idsync: Program, columns: int
) -> None:
    idsync.make_store()
    assert idsync("login", "--customer-id", "C-1", "--email", "a@example.com").status == 0
    logout = ("logout", "--idfv", "9876", "--dry-run")
    piped = idsync(*logout).stdout
    assert max(map(len, piped.splitlines())) > 80
    shown = on_a_terminal(idsync.folder, *logout, columns=columns).lines
    assert max(map(len, shown)) <= columns
    assert " ".join(piped.split()) in " ".join(" ".join(shown).split())


@pytest.mark.parametrize("page", [(), ("help",), ("help", "config"), ("help", "types")])
def test_pages_of_help_fit_a_narrow_terminal(idsync: Program, page: tuple[str, ...]) -> None:
    shown = on_a_terminal(idsync.folder, *page, columns=60).lines
    assert max(map(len, shown)) <= 60
    piped = idsync(*page).stdout
    assert " ".join(shown).split() == piped.split()
    assert max(map(len, piped.splitlines())) <= 80


def test_a_comparison_names_its_second_pass_and_shows_how_far_it_is(idsync: Program) -> None:
    idsync.make_store()
    text = (idsync.folder / "idsync.yaml").read_text("utf-8")
    idsync.write("new.yaml", text.replace("profile_conversion", "profile_link"))
    login = '{"type": "login", "known_identities": {"customerid": "C-1", "idfv": "9"}}\n'
    idsync.write("r.jsonl", login.replace('"customerid": "C-1", ', "").replace("login", "identify"))
    with (idsync.folder / "r.jsonl").open("a", encoding="utf-8") as file:
        file.write(login)
    shown = on_a_terminal(idsync.folder, "compare", "--with", "new.yaml", "r.jsonl").screen
    assert "4 requests, " in shown
    assert "4 requests in a second pass, " in shown


def test_a_refused_line_without_tiers_takes_no_empty_lines(idsync: Program) -> None:
    idsync.write("bad.jsonl", '{"type": "identify", "known_identities": {"emial": "x"}}\n' * 2)
    shown = idsync("replay", "bad.jsonl", "--dry-run", "--explain", "--quiet").stdout
    assert "\n\n\n" not in shown
    assert shown.count("UNKNOWN_IDENTITY_TYPE") == 2


def test_messages_are_as_wide_as_their_terminal_while_the_output_is_a_file(idsync: Program) -> None:
    idsync.write("people.csv", "Customer ID,E-Mail,Signed up\nC1,a@example.com,2020\n")
    (idsync.folder / "requests.jsonl").write_bytes(REQUESTS)
    columns = 60
    replay = ("replay", "requests.jsonl", "--dry-run", "--seed", "1", "--output", "-")
    for command in (("convert", "people.csv"), replay):
        shown = on_a_terminal(idsync.folder, *command, columns=columns, output="written.jsonl")
        assert shown.status > 0
        assert columns - 15 < max(map(len, shown.lines)) <= columns


def test_a_dumb_terminal_gets_the_lines_and_no_bar(idsync: Program) -> None:
    (idsync.folder / "requests.jsonl").write_bytes(REQUESTS)
    replay = ("replay", "requests.jsonl", "--dry-run", "--seed", "1")
    shown = on_a_terminal(idsync.folder, *replay, kind="dumb")
    assert shown.lines[0].startswith("3 requests, ")
    assert "\x1b" not in shown.screen
