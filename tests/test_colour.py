"""Colour: where there is any, what it adds to, and that it says nothing by itself."""

import io
import re
from collections.abc import Mapping

import pytest

from idsync_cli.render.theme import STYLES, Look
from tests.program import (  # noqa: F401 - the fixture
    Program,
    program_in_a_fresh_folder,
)

ESCAPE = "\x1b["
SGR = re.compile(r"\x1b\[[0-9;]*m")
IDENTIFY = ("identify", "--email", "a@example.com", "--idfv", "9876", "--dry-run")
ALWAYS = ("--color", "always")


@pytest.mark.parametrize("more", [(), ("--explain",)])
def test_color_is_taken_before_the_command_and_behind_it(
    idsync: Program, more: tuple[str, ...]
) -> None:
    idsync.make_store()  # whose seed stays, so that MPIDs do
    plain = idsync(*IDENTIFY, *more, "--color", "never").stdout
    for arguments in ((*ALWAYS, *IDENTIFY, *more), (*IDENTIFY, *more, *ALWAYS)):
        coloured = idsync(*arguments).stdout
        assert ESCAPE in coloured
        shown = "\n".join(line.rstrip() for line in SGR.sub("", coloured).split("\n"))
        assert re.sub(r"-?\d{6,}", "MPID", shown) == re.sub(r"-?\d{6,}", "MPID", plain)


@pytest.mark.parametrize(
    ("environment", "arguments", "expected"),
    [
        ({}, (), False),
        ({"FORCE_COLOR": "1"}, (), True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, (), False),
        ({"FORCE_COLOR": "1", "TERM": "dumb"}, (), True),
        ({"FORCE_COLOR": "1"}, ("--color", "never"), False),
        ({"NO_COLOR": "1"}, ALWAYS, True),
        ({"TERM": "dumb"}, ALWAYS, True),
        ({"NO_COLOR": ""}, ALWAYS, True),
        ({}, ("--color", "auto"), False),
    ],
)
def test_who_asks_for_colour_comes_before_what_the_surroundings_say(
    idsync: Program, environment: Mapping[str, str], arguments: tuple[str, ...], expected: bool
) -> None:
    for command in (IDENTIFY, (*IDENTIFY, "--explain"), ("config", "show"), ("--help",)):
        outcome = idsync(*arguments, *command, environment=environment)
        assert outcome.status == 0
        assert (ESCAPE in outcome.stdout) == expected, command


def test_errors_and_help_have_colour_too(idsync: Program) -> None:
    error = idsync("identify", "--config", "none.yaml", "--email", "x", *ALWAYS)
    assert error.stderr.startswith("\x1b[31m\x1b[1midsync:\x1b[0m none.yaml: no such file")
    for command in (["--help"], ["identify", "--help"], ["config", "--help"]):
        shown = idsync(*ALWAYS, *command).stdout
        assert "\x1b[1mUsage: \x1b[0m" in shown
        assert SGR.sub("", shown) == idsync(*command).stdout


@pytest.mark.parametrize(
    "wrong",
    [
        ("identify", "--emial", "a"),
        ("identfy",),
        ("profile", "shwo"),
        ("identify", "--email"),
        ("identify", "--email", "a", "extra"),
        ("stats", "--json", "--json"),
    ],
)
def test_a_wrong_word_is_told_in_the_colour_that_is_asked_for(
    idsync: Program, wrong: tuple[str, ...]
) -> None:
    first, *rest = wrong
    for arguments in ((*ALWAYS, *wrong), (first, "--color=always", *rest), (*wrong, *ALWAYS)):
        told = idsync(*arguments)
        assert told.status == 2
        assert told.stderr.startswith("\x1b[31m\x1b[1midsync:\x1b[0m ")
        never = ["never" if each == "always" else each for each in arguments]
        never = [each.replace("=always", "=never") for each in never]
        plain = idsync(*never, environment={"FORCE_COLOR": "1"})
        assert plain.stderr == SGR.sub("", told.stderr)


def test_json_never_has_colour(idsync: Program) -> None:
    idsync.make_store()
    for command in ([*IDENTIFY, "--json"], ["stats", "--json"], ["config", "show", "--json"]):
        assert ESCAPE not in idsync(*command, *ALWAYS).stdout


def test_a_colour_that_is_none_is_refused(idsync: Program) -> None:
    outcome = idsync(*IDENTIFY, "--color", "sometimes")
    assert (outcome.status, outcome.stdout) == (2, "")
    assert "'always', 'never', 'auto'" in outcome.stderr


def test_the_deciding_tier_has_a_mark_and_a_style_of_its_own(idsync: Program) -> None:
    idsync.make_store()
    assert idsync("identify", "--idfv", "9876").status == 0
    shown = idsync(*IDENTIFY, "--explain", *ALWAYS).stdout
    [line] = [each for each in shown.splitlines() if "decided" in each]
    assert SGR.sub("", line).startswith("▶ 3 ios_idfv")
    assert "\x1b[1;32m▶ 3" in line


def test_every_look_has_its_style() -> None:
    assert set(STYLES) == set(Look)


# Errors at their place

FAULTY = """\
version: 1
scopes:
  shop:
    strategy: profile_conversoin
    priority: [customer_id, "emial", idfv]
"""


def test_a_fault_of_a_configuration_is_shown_at_its_place(idsync: Program) -> None:
    idsync.write("idsync.yaml", FAULTY)
    lines = idsync("config", "show").stderr.splitlines()
    assert lines[0].startswith("idsync: idsync.yaml:4:15: unknown strategy 'profile_conversoin'")
    assert lines[1:3] == [
        "   4 |     strategy: profile_conversoin",
        "     |               ^^^^^^^^^^^^^^^^^^",
    ]
    assert lines[3].startswith("idsync: idsync.yaml:5:29: unknown identity type 'emial'")
    assert lines[4:] == [
        '   5 |     priority: [customer_id, "emial", idfv]',
        "     |                             ^^^^^^^",
    ]


def test_a_fault_of_a_scenario_is_shown_at_its_place(idsync: Program) -> None:
    idsync.write("story.yaml", "name: x\nconfig: idsync.yaml\nstepps: []\n")
    outcome = idsync("check", "story.yaml")
    assert "   3 | stepps: []\n     | ^^^^^^\n" in outcome.stderr
    assert "^^^" not in idsync("check", "story.yaml", "--format", "tap").stdout


def test_a_long_line_and_a_hostile_one_are_bounded_and_escaped(idsync: Program) -> None:
    hostile = "\x1b[31m\u202e字" * 300
    escaped = "".join(f"\\U{ord(each):08x}" for each in hostile)
    idsync.write("idsync.yaml", f'version: 1\nscopes: {{"{escaped}": {{strategy: nope}}}}\n')
    idsync.write(
        "raw.yaml", f"version: 1\n# {'字' * 500}\nscopes: {{'{'字' * 90}': {{a: nope}}}}\n"
    )
    for name in ("idsync.yaml", "raw.yaml"):
        error = idsync("config", "show", "--config", name).stderr
        assert error.replace("\n", "").isprintable()
        for line in error.splitlines():
            assert line.startswith("idsync: ") or len(line) <= 101


def test_a_refused_line_is_shown_with_its_word(idsync: Program) -> None:
    lines = (
        b'{"type": "identify", "known_identities": {"emial": "x"}}\n'
        b'{"type": "identify", "known_identities": {"email": "x"}\n'
        b'{"type": "modify", "mpid": "5", "known_identities": {"email": "x"}}\n'
    )
    shown = idsync("replay", "-", stdin=lines).stdout
    assert "     |                                           ^^^^^^^\n" in shown
    assert (
        '   2 | {"type": "identify", "known_identities": {"email": "x"}\n'
        "     |                                                        ^\n"
    ) in shown
    assert "     |                             ^^^\n" in shown or '"5"' in shown


# What a replay explains


@pytest.mark.parametrize(
    ("options", "lines"),
    [
        ((), [1, 2, 3, 4]),
        (("--line", "2", "--line", "4"), [2, 4]),
        (("--status", "created"), [1]),
        (("--status", "error", "--status", "created"), [1, 4]),
        (("--rule", "identifier"), [2]),
        (("--type", "search"), [3]),
        (("--type", "identify", "--status", "matched"), [2]),
        (("--line", "9"), []),
    ],
)
def test_a_replay_explains_what_is_asked_for(
    idsync: Program, options: tuple[str, ...], lines: list[int]
) -> None:
    device = b'"known_identities": {"idfv": "1"}}\n'
    requests = (
        b'{"type": "identify", ' + device,
        b'{"type": "identify", ' + device,
        b'{"type": "search", "known_identities": {"idfv": "2"}}\n',
        b'{"type": "identify"}\n',
    )
    outcome = idsync(
        "replay", "-", "--dry-run", "--explain", "--quiet", *options, stdin=b"".join(requests)
    )
    found = re.findall(r"^(?:.*, )?line (\d+)", outcome.stdout, re.MULTILINE)
    assert sorted(map(int, found)) == lines


def test_choices_of_what_is_explained_need_an_explanation(idsync: Program) -> None:
    for more in ((), ("--explain", "--output", "answers.jsonl")):
        outcome = idsync("replay", "-", "--line", "1", *more)
        assert outcome.status == 2
        assert "--explain" in outcome.stderr


# On a terminal


class _Terminal(io.TextIOWrapper):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("columns", [40, 60, 80])
def test_an_error_on_a_terminal_is_as_wide_as_that_and_in_a_pipe_one_line(
    idsync: Program, monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    idsync.write("idsync.yaml", FAULTY)
    narrow = Program(idsync.folder, columns)
    piped = narrow("config", "show").stderr.splitlines()
    assert [line.startswith("idsync: idsync.yaml:") for line in piped] == [True, False, False] * 2
    monkeypatch.setattr("tests.program._captured", lambda: _Terminal(io.BytesIO(), "utf-8"))
    shown = SGR.sub("", narrow("config", "show").stderr)
    assert max(map(len, shown.splitlines())) <= columns
    for sentence in piped[::3]:
        assert " ".join(sentence.split()) in " ".join(shown.split())
    assert shown.count("^\n") == 2


def test_what_cannot_be_read_is_red_and_what_is_well_green(idsync: Program) -> None:
    idsync.write("bad.yaml", "name: x\nscope: {strategy: default}\nsteps: []\n")
    check = idsync("check", "bad.yaml", "none.yaml", *ALWAYS).stderr
    assert "\x1b[31m\x1b[1mbad.yaml:1:1:\x1b[0m no steps" in check
    assert "\x1b[31m\x1b[1mnone.yaml:\x1b[0m no such file or folder" in check
    idsync.make_store()
    assert idsync("config", "lint", *ALWAYS).stdout == "\x1b[32mno warnings\x1b[0m\n"
