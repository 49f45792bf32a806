"""Write docs/commands.md: the help of every command, as the program gives it.

python docs/make_commands.py            write it
python docs/make_commands.py --check    say whether it is up to date, and end with 1 if not

The help comes from the commands themselves, laid out for 80 columns, whatever the terminal.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import typer
from typer.core import TyperGroup

from idsync_cli.cli import colour
from idsync_cli.cli.app import app

COMMANDS = Path(__file__).resolve().parent / "commands.md"

WIDTH = 78
"""How wide help is laid out on a terminal of 80 columns: it leaves two of them free."""

HEAD = """\
# Commands

The output of `idsync COMMAND --help` for every command, in the order of `idsync --help`.
[rules.md](rules.md) explains the rules and every code, [formats.md](formats.md) the files.

Made by `python docs/make_commands.py`; do not edit.
"""


def helps() -> Iterator[tuple[str, str]]:
    """Every command, by the words that call it, and its help; a group before what is in it."""
    colour.ask("never")
    command = typer.main.get_command(app)
    yield from _helps(command.context_class(command, info_name="idsync", terminal_width=WIDTH))


def _helps(context: typer.Context) -> Iterator[tuple[str, str]]:
    group = context.command
    yield context.command_path, group.get_help(context)
    if not isinstance(group, TyperGroup):
        return
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is not None and not command.hidden:
            made = command.context_class(
                command, parent=context, info_name=name, terminal_width=WIDTH
            )
            yield from _helps(made)


def text() -> str:
    """All of docs/commands.md."""
    sections = [f"## {path}\n\n```text\n{help_}\n```\n" for path, help_ in helps()]
    return "\n".join([HEAD, *sections])


def main() -> int:
    """Write the file, or only look at it."""
    parser = argparse.ArgumentParser(description="Write docs/commands.md.")
    parser.add_argument("--check", action="store_true", help="only say whether it is up to date")
    if not parser.parse_args().check:
        COMMANDS.write_text(text(), encoding="utf-8")
    elif not COMMANDS.exists() or COMMANDS.read_text(encoding="utf-8") != text():
        print(
            "docs/commands.md is out of date; write it: python docs/make_commands.py",
            file=sys.stderr,
        )
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
