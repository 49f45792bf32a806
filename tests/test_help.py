"""`idsync help` and shell completion: what is said is true, and what is offered is there."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest
import typer
from typer.core import TyperGroup

from idsync_cli.cli.app import app
from idsync_cli.cli.help_topics import LISTS, TOPICS
from idsync_cli.core import codes
from idsync_cli.core.config.lint import LintCode
from idsync_cli.core.config.strategy import PRESETS
from idsync_cli.core.identity import TYPES_BY_NAME
from idsync_cli.errors import FaultCode
from idsync_cli.foresight.linting.findings import LintFinding
from idsync_cli.store.file_values import FindingCode
from tests.program import TWO_SCOPES, Program, program_in_a_fresh_folder

__all__ = ["program_in_a_fresh_folder"]


def text_of(topic: str) -> str:
    return files("idsync_cli").joinpath("help", f"{topic}.txt").read_text(encoding="utf-8")


def blocks(topic: str, begins: str) -> Iterator[str]:
    """The examples that begin with a word: indented by two columns, up to a line that is not."""
    lines = text_of(topic).split("\n")
    for place, line in enumerate(lines):
        if line.startswith(f"  {begins}"):
            rest = lines[place:]
            end = next(at for at, each in enumerate(rest) if each and not each.startswith("  "))
            yield "\n".join(each.removeprefix("  ") for each in rest[:end]).strip() + "\n"


def json_lines(topic: str) -> list[str]:
    """The examples of JSON, each on one line again."""
    found: list[str] = []
    for line in text_of(topic).split("\n"):
        if line.startswith("  {"):
            found.append(line.strip())
        elif found and line.startswith("      ") and found[-1].count("{") > found[-1].count("}"):
            found[-1] += " " + line.strip()
    return found


# The texts


@pytest.mark.parametrize("topic", TOPICS)
def test_every_topic_has_a_page_that_fits_a_terminal(idsync: Program, topic: str) -> None:
    outcome = idsync("help", topic)
    assert (outcome.status, outcome.stdout, outcome.stderr) == (0, text_of(topic), "")
    assert outcome.stdout.startswith(topic.replace("-", " ").upper())
    assert all(len(line) <= 80 and line == line.rstrip() for line in outcome.stdout.split("\n"))
    assert outcome.stdout.isascii()
    for named in re.findall(r"idsync help ([\w-]+)", outcome.stdout):
        assert named in (*TOPICS, *LISTS, "login_protection", "workspaces")


def test_no_page_is_without_its_topic() -> None:
    pages = {Path(each.name).stem for each in files("idsync_cli").joinpath("help").iterdir()}
    assert pages == {*TOPICS, "rules"}


def test_without_a_topic_the_topics_are_told(idsync: Program) -> None:
    outcome = idsync("help")
    assert outcome.status == 0
    assert all(f"idsync help {topic} " in outcome.stdout for topic in (*TOPICS, *LISTS))
    assert all(len(line) <= 80 for line in outcome.stdout.split("\n"))


@pytest.mark.parametrize(
    ("topic", "words"),
    [
        ("request", "did you mean 'requests'?"),
        ("Exit-Status", "did you mean 'exit-status'?"),
        ("logn", "did you mean 'login'?"),
        ("login_protections", "did you mean 'login_protection'?"),
        ("check", "'check' is a command; for its help, run: idsync check --help"),
        ("\x1b[31m", "no help on '\\x1b[31m'; the topics are: requests, answers"),
        ("../starter", "the topics are"),
        ("", "no help on ''"),
    ],
)
def test_an_unknown_topic_is_told_the_way_out(idsync: Program, topic: str, words: str) -> None:
    outcome = idsync("help", topic)
    assert (outcome.status, outcome.stdout) == (2, "")
    assert words in outcome.stderr
    assert outcome.stderr.isprintable() or outcome.stderr.rstrip("\n").isprintable()


# Their examples


@pytest.fixture(name="begun")
def folder_where_init_was_run(idsync: Program) -> Program:
    (idsync.folder / "idsync.yaml").unlink()
    assert idsync("init", "--seed", "42").status == 0
    return idsync


def test_every_request_is_accepted(begun: Program) -> None:
    lines = json_lines("requests")
    outcome = begun("replay", "-", "--output", "-", stdin="\n".join(lines).encode())
    assert [line["type"] for line in outcome.lines()] == [
        "identify",
        "login",
        "modify",
        "modify",
        "search",
        "logout",
        "batch",
        "erase",
    ]
    assert outcome.status == 0


def test_the_answer_is_the_answer(begun: Program) -> None:
    request, answer = json_lines("answers")
    outcome = begun("replay", "-", "--output", "-", stdin=request.encode())
    assert outcome.lines() == [json.loads(answer)]


def test_every_scenario_passes(idsync: Program) -> None:
    [text] = blocks("scenarios", "name:")
    idsync.write("story.yaml", text)
    outcome = idsync("check", "story.yaml")
    assert (outcome.status, outcome.stderr) == (0, "")


def test_every_configuration_loads(idsync: Program) -> None:
    for first, number in (("version:", 1), ("scopes:", 3)):
        found = list(blocks("config", first))
        assert len(found) == number
        for text in found:
            idsync.write("idsync.yaml", text)
            assert idsync("config", "show").status == 0


def test_every_command_ends_as_told(begun: Program) -> None:
    told = re.findall(r"^  \$ idsync (.*?) +# (\d+)$", text_of("exit-status"), re.MULTILINE)
    assert {status for _, status in told} == {"0", "1", "2", "3"}
    for command, status in told:
        assert (command, begun(*command.split()).status) == (command, int(status))


@pytest.mark.parametrize(
    ("topic", "words"),
    [
        ("requests", [*codes.RequestKind]),
        (
            "answers",
            [
                *(*codes.Status, *codes.Rule, *codes.NoteCode, *codes.TierOutcome),
                *(*codes.Reason, *codes.ErrorCode),
            ],
        ),
        ("scenarios", [*codes.RequestKind, *codes.Status]),
        ("config", [*PRESETS, *codes.OnConflictingLogin, *codes.OnLogout, *codes.OnNewKnownUser]),
    ],
)
def test_every_word_of_a_format_is_on_its_page(topic: str, words: list[str]) -> None:
    missing = [word for word in words if not re.search(rf"\b{word}\b", text_of(topic))]
    assert missing == []


def test_what_lint_says_is_not_said_by_heart() -> None:
    assert not any(code in text_of("config") for code in LintCode)


# Completion


def offered(program: Program, *words: str, shell: str = "bash") -> list[str]:
    """What the shell offers for the last of the words, by the protocol that it speaks."""
    environment_of = {
        "_IDSYNC_COMPLETE": f"complete_{shell}",
        "COMP_WORDS": "\n".join(["idsync", *words]),
        "COMP_CWORD": str(len(words)),
        "_TYPER_COMPLETE_ARGS": " ".join(["idsync", *words]),
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
    }
    outcome = program(environment=environment_of)
    assert (outcome.status, outcome.stderr) == (0, "")
    return outcome.stdout.split("\n")[:-1] if outcome.stdout.strip() else []


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["identify", "--scope", ""], ["consumers", "couriers"]),
        (["replay", "--scope", "co"], ["consumers", "couriers"]),
        (["export", "--scope", "cour"], ["couriers"]),
        (["stats", "--scope", "x"], []),
        (["login", "--workspace", ""], ["shop", "courier-app"]),
        (["login", "--workspace", "s"], ["shop"]),
        (["identify", "--identity", ""], ["customer_id=", "email=", "ios_idfv=", "amp_id="]),
        (["identify", "--scope", "couriers", "--identity", "a"], ["amp_id="]),
        (["identify", "--workspace", "shop", "--identity", "e"], ["email="]),
        (["identify", "--identity", "idf"], ["idfa=", "idfv="]),
        (["identify", "--identity", "email=a"], []),
        (["modify", "--remove", "em"], ["email"]),
        (["modify", "--change", "em"], ["email:"]),
        (["modify", "--change", "email:a"], []),
        (["profiles", "--with", "cust"], ["customer_id"]),
        (["identify", "--scope", "x", "--scope", "cons"], ["consumers"]),
        (["help", ""], [*TOPICS, *LISTS]),
        (["help", "conf"], ["config", "conflicting_login"]),
        (["help", "idf"], ["idfa", "idfv"]),
        (["config", ""], ["show", "lint", "plan"]),
    ],
)
def test_names_are_offered_from_the_configuration_at_hand(
    idsync: Program, words: list[str], expected: list[str]
) -> None:
    text = TWO_SCOPES.replace(
        "profile_isolation, priority: [customer_id, email, ios_idfv",
        "profile_isolation, priority: [customer_id, email, ios_idfv, amp_id",
    )
    idsync.write("idsync.yaml", text)
    assert offered(idsync, *words) == expected


def test_the_configuration_at_hand_is_the_one_that_is_named(idsync: Program) -> None:
    idsync.write("other.yaml", "scopes:\n  elsewhere: {strategy: default}\n")
    assert offered(idsync, "identify", "--config", "other.yaml", "--scope", "") == ["elsewhere"]


@pytest.mark.parametrize("content", [None, "scopes: [", "", b"\xff", "scopes: {s: {}}\n"])
def test_a_broken_configuration_is_passed_over_in_silence(
    idsync: Program, content: str | bytes | None
) -> None:
    (idsync.folder / "idsync.yaml").unlink()
    if content is not None:
        idsync.write("idsync.yaml", content)
    assert offered(idsync, "identify", "--scope", "") == []
    assert offered(idsync, "identify", "--workspace", "") == []
    assert offered(idsync, "identify", "--identity", "ios") == ["ios_idfa=", "ios_idfv="]


def test_a_name_that_could_act_is_not_offered(idsync: Program) -> None:
    idsync.write("idsync.yaml", 'scopes:\n  "a\\eb": {strategy: default}\n')
    assert offered(idsync, "identify", "--scope", "") == []


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_are_offered_the_same(idsync: Program, shell: str) -> None:
    [line] = offered(idsync, "identify", "--scope", "c", shell=shell)
    assert "consumers" in line


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_bash_completes_with_the_script_that_is_shown(idsync: Program) -> None:
    # Else the shell that this test was started from would be asked for.
    named = {"_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    script = idsync.process("--show-completion", "bash", environment=named)
    assert script.status == 0
    program = idsync.write("bin/idsync", f'#!/bin/sh\nexec "{sys.executable}" -m idsync_cli "$@"\n')
    program.chmod(0o755)
    asked = (
        f"{script.stdout}\n"
        "COMP_WORDS=(idsync identify --scope co); COMP_CWORD=3\n"
        "_idsync_completion idsync; printf '%s\\n' \"${COMPREPLY[@]}\"\n"
    )
    done = subprocess.run(
        ["bash", "--norc", "-c", asked],
        cwd=idsync.folder,
        env={
            **os.environ,
            "PATH": f"{program.parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(Path(__file__).parent.parent),
        },
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "consumers\n"


def test_completion_costs_the_help_two_options_and_no_more(idsync: Program) -> None:
    told = idsync("--help").stdout
    assert "--install-completion" in told
    assert "--show-completion" in told
    assert "--install-completion" not in idsync("identify", "--help").stdout


# The rule book


ROOT = Path(__file__).parent.parent


def test_the_package_has_the_rule_book_as_it_is_documented() -> None:
    packaged = files("idsync_cli").joinpath("help", "rules.md").read_bytes()
    assert packaged == (ROOT / "docs" / "rules.md").read_bytes()


CODES = [
    *(*codes.Status, *codes.Rule, *codes.NoteCode, *codes.TierOutcome),
    *(*codes.Reason, *codes.ErrorCode, *LintCode, *LintFinding, *FaultCode, *FindingCode),
]
SETTINGS = [
    *(*PRESETS, *codes.OnConflictingLogin, *codes.OnLogout, *codes.OnNewKnownUser),
    *("login", "unique", "immutable", "priority", "scopes", "accounts", "workspaces", "strategy"),
    *("identities", "version", "organization", "links", "aliasing", "on_unique_held", "take"),
]
CONFIGURATION = json.loads((ROOT / "docs/schema/configuration.schema.json").read_text())


def keys_of(schema: object) -> Iterator[str]:
    """Every key that a schema names."""
    if isinstance(schema, dict):
        yield from schema.get("properties", {})
        schema = list(schema.values())
    for each in schema if isinstance(schema, list) else ():
        yield from keys_of(each)


@pytest.mark.parametrize(
    "word", sorted({*CODES, *SETTINGS, *keys_of(CONFIGURATION), *TYPES_BY_NAME})
)
def test_every_word_is_explained(idsync: Program, word: str) -> None:
    outcome = idsync("help", word)
    assert (outcome.status, outcome.stderr) == (0, "")
    assert len(outcome.stdout.splitlines()) > 2
    assert all(len(line) <= 80 and line == line.rstrip() for line in outcome.stdout.split("\n"))
    assert not re.search(r"\*\*|\]\(|`|\.\./", outcome.stdout)


def test_an_entry_is_that_of_the_rule_book(idsync: Program) -> None:
    told = idsync("help", "login_protection").stdout
    assert told.startswith("login_protection  (Reasons: why a profile was not eligible)\n\nMeans: ")
    assert "\n\nDo: Usually nothing" in told
    assert "Scenarios: a device alone does not open a known profile; a profile" in told
    assert idsync("help", "LOGIN-PROTECTION").stdout == told
    assert "held by" not in idsync("help", "tie").stdout


def test_a_word_of_several_meanings_is_told_with_all(idsync: Program) -> None:
    kept = idsync("help", "keep").stdout
    assert kept.startswith("on_new_known_user  (")
    assert "\n\non_unique_held  (" in kept
    assert idsync("help", "login").stdout.endswith("also a command: idsync login --help\n")
    assert "Option: --idfv VALUE" in idsync("help", "idfv").stdout


@pytest.mark.parametrize(
    ("word", "topic"),
    [
        *((each, "answers") for each in ("near", "tiers", "changes", "attributes_set", "shown_by")),
        *((each, "requests") for each in ("known_identities", "batch", "mp_deviceid")),
        *((each, "scenarios") for each in ("given", "expect", "as", "steps")),
    ],
)
def test_a_member_is_explained_by_the_page_that_it_is_on(
    idsync: Program, word: str, topic: str
) -> None:
    assert idsync("help", word).stdout == text_of(topic)


def test_what_doctor_finds_is_explained_with_the_way_out(idsync: Program) -> None:
    told = idsync("help", "shared_unique").stdout
    assert told.startswith(
        "shared_unique  (Health: what doctor finds in a store)\n\nMeans: Several "
    )
    assert "\n\nDo: This happens when a type becomes unique later; " in told
    both = idsync("help", "known").stdout
    assert both.index("(Profile members: ") < both.index("(Health: ")


def test_all_codes_and_all_types_are_listed(idsync: Program) -> None:
    listed = set(re.findall(r"[\w]+", idsync("help", "codes").stdout))
    assert {str(code) for code in CODES} <= listed
    listed = set(re.findall(r"[\w]+", idsync("help", "types").stdout))
    assert set(TYPES_BY_NAME) <= listed


# The help of the commands


def commands() -> Iterator[tuple[str, ...]]:
    yield ()
    here = typer.main.get_command(app)
    assert isinstance(here, TyperGroup)
    for name in here.list_commands(typer.Context(here)):
        command = here.get_command(typer.Context(here), name)
        yield (name,)
        if isinstance(command, TyperGroup):
            yield from ((name, each) for each in command.list_commands(typer.Context(command)))


@pytest.mark.parametrize("words", list(commands()), ids=" ".join)
def test_the_help_of_a_command_fits_one_screen(idsync: Program, words: tuple[str, ...]) -> None:
    outcome = idsync(*words, "-h")
    assert (outcome.status, outcome.stderr) == (0, "")
    lines = outcome.stdout.rstrip("\n").split("\n")
    assert len(lines) <= (36 if words else 42)
    assert max(map(len, lines)) <= 80
    assert not any(line.endswith("...") and "Usage" not in line for line in lines)
    assert idsync(*words, "--help").stdout == outcome.stdout
    example = next((at for at, line in enumerate(lines) if line.startswith("  Example: ")), None)
    assert example in (None, 2)
    assert (example is None) == (words in ((), ("profile",), ("config",)))


def test_a_narrow_terminal_cuts_no_line_of_the_help(idsync: Program) -> None:
    narrow = Program(idsync.folder, 60)
    for words in commands():
        wide, told = (program(*words, "--help").stdout for program in (idsync, narrow))
        assert told.split() == wide.split(), words
        assert max(map(len, told.splitlines())) <= 60, words


def test_defaults_and_bounds_are_told_in_words(idsync: Program) -> None:
    for words in commands():
        told = idsync(*words, "--help").stdout
        assert "x<=" not in told, words
        assert "x>=" not in told, words
        assert "[default" not in told, words
        assert "default:\n" not in told, words
        assert "\u00a0" not in told, words
    assert "At most N examples (default: 10, 0 to 1,000).\n" in idsync("compare", "-h").stdout
    assert "The port; 0 picks a free one (default: 8080).\n" in idsync("serve", "-h").stdout
    assert "default: - for stdout" in idsync("convert", "-h").stdout


def test_an_option_may_stand_before_the_command(idsync: Program) -> None:
    idsync.write("other.yaml", TWO_SCOPES)
    asked = ("identify", "--email", "a@example.com", "--scope", "couriers", "--json")
    outcome = idsync("-c", "other.yaml", "-s", "other.db", *asked)
    assert outcome.status == 0
    assert (idsync.folder / "other.db").exists()
    assert not (idsync.folder / "idsync.db").exists()
    there = idsync("--store=other.db", "profiles", "-c", "other.yaml", "--json")
    assert [each["scope"] for each in there.lines()] == ["couriers"]
    named = {"IDSYNC_CONFIG": "nowhere.yaml"}
    assert idsync("--config", "other.yaml", "config", "show", environment=named).status == 0
    assert offered(idsync, "-c", "other.yaml", "identify", "--scope", "co") == [
        "consumers",
        "couriers",
    ]


def test_the_way_out_of_an_empty_request_is_one_among_several_scopes(idsync: Program) -> None:
    idsync.write("idsync.yaml", TWO_SCOPES)
    alone = idsync("identify").stderr
    assert "no scope; name a scope or a workspace" in alone
    assert alone.endswith("\ntry: idsync identify --help\n")
    assert "try:" not in idsync("identify", "--email", "a@example.com").stderr
    assert "try:" not in idsync("track", "--mpid", "x", "--scope", "consumers").stderr
    idsync.make_store()
    alone = idsync("why-not", "--scope", "consumers").stderr
    assert alone.endswith("name at least one; for an example, run: idsync why-not --help\n")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["identify"], "try: idsync identify --email a@example.com, or idsync identify --help"),
        (["erase"], "try: idsync erase --email a@example.com, or idsync erase --help"),
        (["login", "--email"], "option --email needs a value: idsync login --email VALUE"),
        (["login", "-s"], "option -s needs a value: idsync login -s VALUE"),
        (["login", "--email", "--idfv", "1"], "write --email=--idfv if that is the value"),
        (["-c"], "option -c needs a value: idsync -c VALUE"),
        (["-c", "a", "-c", "b", "stats"], "option --config or -c is given twice"),
        (["-c", "a", "stats", "-c", "b"], "option --config or -c is given twice"),
        (["restore"], "FILE is missing: idsync restore FILE"),
        (["profile", "show"], "--mpid is missing: idsync profile show --mpid MPID"),
        (["identfy"], "no such command: identfy; did you mean 'identify'?"),
        (["config", "plam"], "no such command: plam; did you mean 'plan'?"),
        (["search", "--emial", "a"], "no such option: --emial; did you mean '--email'?"),
        (["whois", "--idfv", "9876"], "no such option: --idfv; write idfv=VALUE"),
        (["graph", "--other-id-2", "a"], "no such option: --other-id-2; write other_id_2=VALUE"),
        (["history", "--limti", "1"], "no such option: --limti; did you mean '--limit'?"),
        (
            ["history", "email", "a@example.com"],
            "unexpected argument: a@example.com; write an identifier as TYPE=VALUE, such as email=",
        ),
        (["stats", "x"], "unexpected argument: x"),
        (["erase", "5412"], "unexpected argument: 5412; for an MPID, use --mpid"),
        (["profile", "show", "-5412"], "no such option: -5; for an MPID, use --mpid"),
        (["history", "-5412"], "no such option: -5; for an MPID, use --mpid"),
        (["stats", "-5412"], "no such option: -5"),
        (["profiles", "--limit", "x"], "--limit: 'x' is not an integer"),
        (["profiles", "--limit", "0"], "--limit: 0 is not between 1 and 1000000000"),
        (
            ["check", "--format", "x", "."],
            "--format: 'x' is not one of 'text', 'github', 'tap', 'junit'",
        ),
    ],
)
def test_what_is_wrong_with_a_command_is_told_with_the_command(
    idsync: Program, arguments: list[str], told: str
) -> None:
    outcome = idsync(*arguments)
    assert (outcome.status, outcome.stdout) == (2, "")
    assert told in outcome.stderr
    named = [each for each in arguments if each.isalpha() and each not in ("a", "b", "x")]
    command = " ".join(["idsync", *named]) if told.startswith("option -s") else "idsync"
    assert f"{command} " in outcome.stderr.split("\n")[1]


def test_a_value_may_look_like_an_option_where_it_is_said(idsync: Program) -> None:
    answer = idsync("identify", "--email=--idfv", "--json").json()
    assert [each["value"] for each in answer["changes"]] == ["--idfv"]
