"""What a start costs: nothing is imported that the command at hand does not need.

No time is measured here, but what takes it: the modules that a process of its own imports.
"""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.core import TyperGroup

from idsync_cli.cli.app import app, listed
from idsync_cli.cli.options import CommandGroup
from idsync_cli.core.config.diff import Shift
from idsync_cli.messages import SHIFTS
from tests.program import Program, program_in_a_fresh_folder

__all__ = ["program_in_a_fresh_folder"]

FRONT_DOOR = {
    "idsync_cli",
    "idsync_cli.__main__",
    "idsync_cli.cli",
    "idsync_cli.cli.app",
    "idsync_cli.cli.colour",
    "idsync_cli.cli.environment",
    "idsync_cli.cli.parsing",
    "idsync_cli.errors",
    "idsync_cli.interrupts",
}
"""The modules of idsync that every start takes."""

PAGE_OF_HELP = {
    "idsync_cli.cli.help_topics",
    "idsync_cli.render",
    "idsync_cli.render.help_page",
    "idsync_cli.render.theme",
}
"""What it takes to show a page of help, as `idsync` alone does."""

WATCHED = """\
import atexit, sys
atexit.register(lambda: sys.stderr.write("\\n".join(["", *map("imported {}".format, sys.modules)])))
from idsync_cli.__main__ import main
main()
"""


def imported(program: Program, *arguments: str, completing: bool = False) -> set[str]:
    """The modules that are there when a whole run ends."""
    environment = {"PYTHONPATH": str(Path(__file__).parent.parent), "PATH": "", "COLUMNS": "80"}
    if completing:
        environment |= {
            "_IDSYNC_COMPLETE": "complete_bash",
            "COMP_WORDS": " ".join(["idsync", *arguments]),
            "COMP_CWORD": str(len(arguments)),
        }
    done = subprocess.run(
        [sys.executable, "-c", WATCHED, *arguments],
        cwd=program.folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "fault of idsync" not in done.stderr
    return set(re.findall(r"^imported (\S+)$", done.stderr, re.MULTILINE))


def of_idsync(modules: set[str]) -> set[str]:
    return {name for name in modules if name.partition(".")[0] == "idsync_cli"}


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], [], ["identfy"]])
def test_the_front_door_imports_no_command(idsync: Program, arguments: list[str]) -> None:
    modules = imported(idsync, *arguments) - {"idsync_cli.nearest"}  # for a word that is wrong
    assert of_idsync(modules) == FRONT_DOOR | (set() if arguments else PAGE_OF_HELP)
    assert not modules & {"rich", "yaml", "sqlite3", "sqlite_utils", "json", "dataclasses"}


def test_to_complete_a_command_imports_none(idsync: Program) -> None:
    assert of_idsync(imported(idsync, "i", completing=True)) == FRONT_DOOR


@pytest.mark.parametrize("store_is_there", [False, True])
@pytest.mark.parametrize("command", ["identify", "search"])
def test_a_request_imports_what_answers_it(
    idsync: Program, command: str, store_is_there: bool
) -> None:
    if store_is_there:
        idsync.make_store()
    modules = imported(idsync, command, "--email", "a@example.com", "--json")
    assert "idsync_cli.engine.engine" in modules
    assert {name for name in modules if name.startswith("idsync_cli.cli.")} == {
        f"idsync_cli.cli.{name}"
        for name in (
            *("answer_shown", "app", "colour", "completion", "environment", "opening", "options"),
            *("parsing", "request_options", "requests"),
        )
    }
    needless = ("render", "replay", "check", "core.config.diff", "inspect", "transfer")
    assert not modules & {f"idsync_cli.{name}" for name in needless}
    assert not modules & {"rich", "pydantic"}
    assert not modules & {"idsync_cli.nearest", "idsync_cli.core.everyday_names"}
    if store_is_there:  # sqlite-utils makes stores, and brings these along
        assert not modules & {"sqlite_utils", "click", "csv", "gzip", "tempfile"}


def test_a_plain_answer_takes_no_rich_even_in_colour(idsync: Program) -> None:
    modules = imported(idsync, "identify", "--email", "a@example.com", "--color", "always")
    assert "idsync_cli.render.theme" in modules
    assert not modules & {"rich", "rich.text", "rich.cells"}


def test_a_check_imports_nothing_of_sqlite(idsync: Program) -> None:
    scenario = Path(__file__).parent.parent / "fixtures" / "scenarios" / "search.yaml"
    modules = imported(idsync, "check", str(scenario))
    assert "idsync_cli.store.memory" in modules
    assert not {name for name in modules if name.startswith("idsync_cli.store.sqlite")}
    assert not modules & {"sqlite3", "sqlite_utils"}


@pytest.mark.parametrize(
    ("module", "command"),
    [
        ("inspect", "profiles"),
        ("profile", "profile show --mpid 1"),
        ("inspect", "whois email=e"),
        ("inspect", "history email=e"),
        ("stats", "stats"),
        ("doctor", "doctor"),
        ("config", "config show"),
        ("config", "config plan"),
        ("transfer", "import profiles.jsonl"),
        ("replay", "replay requests.jsonl"),
        ("maintenance", "backup copy.db"),
    ],
)
def test_json_is_written_without_what_draws_tables(
    idsync: Program, module: str, command: str
) -> None:
    idsync.make_store()
    idsync.write("profiles.jsonl", '{"mpid": 1, "identities": {"email": ["e"]}}\n')
    assert idsync("import", "profiles.jsonl").status == 0
    idsync.write("profiles.jsonl", '{"mpid": 2, "identities": {"email": ["g"]}}\n')
    idsync.write("requests.jsonl", '{"type": "identify", "email": "f"}\n')
    modules = imported(idsync, *command.split(), "--json")
    assert f"idsync_cli.cli.{module}" in modules
    assert "json" in modules
    assert not modules & {"rich", "idsync_cli.render.store", "idsync_cli.render.answers"}


# The table of the commands


@pytest.fixture(name="group")
def the_group_of_all_commands() -> TyperGroup:
    group = typer.main.get_command(app)
    assert isinstance(group, TyperGroup)
    return group


def real_commands(group: TyperGroup, context: Any) -> dict[str, Any]:
    return {name: group.get_command(context, name) for name in group.list_commands(context)}


def test_every_line_begins_the_help_of_its_command(group: TyperGroup) -> None:
    commands = real_commands(group, typer.Context(group))
    assert {name: each.help.partition("\n")[0] for name, each in commands.items()} == {
        name: each.help for name, each in group.commands.items()
    }
    assert [each.name for each in commands.values()] == list(commands)
    assert not any(each.hidden or each.deprecated for each in commands.values())


@pytest.mark.parametrize("width", [40, 60, 78, 200])
def test_the_listing_is_that_of_the_commands_themselves(group: TyperGroup, width: int) -> None:
    context = typer.Context(
        group,
        info_name="idsync",
        terminal_width=width,
        max_content_width=width,
        help_option_names=["-h", "--help"],
    )
    eager = CommandGroup(
        name=group.name,
        help=group.help,
        params=group.params,
        commands=listed(real_commands(group, context)),
        rich_markup_mode=None,
    )
    assert group.get_help(context) == eager.get_help(context)


def test_the_shell_is_offered_what_the_commands_themselves_say(group: TyperGroup) -> None:
    names = ["-h", "--help"]
    context = typer.Context(group, info_name="idsync", help_option_names=names)
    eager = CommandGroup(
        name=group.name, params=group.params, commands=real_commands(group, context)
    )
    eager_context = typer.Context(eager, info_name="idsync", help_option_names=names)
    for word in ("", "i", "hist", "-", "--v", "x"):
        offered = [(each.value, each.help) for each in group.shell_complete(context, word)]
        expected = eager.shell_complete(eager_context, word)
        assert sorted(offered) == sorted((each.value, each.help) for each in expected)


def test_a_command_is_built_once(group: TyperGroup) -> None:
    context = typer.Context(group)
    assert group.get_command(context, "stats") is group.get_command(context, "stats")
    assert group.get_command(context, "stat") is None


def test_a_command_that_is_misspelt_is_told_the_nearest(idsync: Program) -> None:
    outcome = idsync("identfy")
    assert (outcome.status, outcome.stdout) == (2, "")
    assert "no such command: identfy; did you mean 'identify'?" in outcome.stderr


# What is known by name alone


def test_every_shift_has_its_sentence() -> None:
    assert set(SHIFTS) == set(Shift)
