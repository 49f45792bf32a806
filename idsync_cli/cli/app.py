"""The command line as a whole, and how it ends (section 8, exit status)."""

import os
import sys
import traceback
from collections.abc import Mapping
from copy import copy
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer
from typer._click.exceptions import ClickException, NoArgsIsHelpError  # Typer has its own Click
from typer.core import TyperCommand, TyperGroup

from idsync_cli import __version__
from idsync_cli.cli import colour
from idsync_cli.cli.environment import say, write
from idsync_cli.cli.parsing import CommandParsing, command_of, usage_message
from idsync_cli.errors import IdsyncError, OutputClosed, StoreFault, Terminated
from idsync_cli.interrupts import EXIT_INTERRUPTED, end_in_order_on_interrupt

EXIT_BUG = 70
EXIT_OUTPUT_CLOSED = 141  # what a shell reports of a program that a closed pipe ended

_COMMANDS = {
    "init": ("stores.init", "Create a starter configuration and the store."),
    "identify": (
        "requests.identify",
        "Find or create a user's profile at the start of a session.",
    ),
    "login": ("requests.login", "Find or create the profile of a user who signs in."),
    "logout": (
        "requests.logout",
        "Find or create an anonymous profile when a user signs out.",
    ),
    "search": ("requests.search", "Find a user's profile without changing anything."),
    "modify": ("requests.modify", "Change the identifiers of the profile with a given MPID."),
    "track": ("track.track", "Record an event or attributes on the user's profile."),
    "alias": ("alias.alias", "Copy one profile's events to another, within a window."),
    "erase": ("erase.erase", "Erase a profile, and every byte that only it held."),
    "replay": ("replay.replay", "Answer the requests in files and summarize the results."),
    "compare": ("compare.compare", "Compare how two configurations answer the same requests."),
    "lint": ("lint.lint", "Report where requests or a store do not fit the strategy."),
    "convert": ("convert.convert", "Convert CSV, JSON or a browser's recording to requests."),
    "serve": ("serve.serve", "Answer the mParticle SDKs over HTTP."),
    "explore": ("explore.explore", "Look into a store in the browser."),
    "check": ("check.check", "Run scenarios and report mismatches."),
    "profiles": ("inspect.profiles", "List profiles, oldest first."),
    "whois": ("inspect.whois", "Show who holds an identifier, and if a search finds them."),
    "why-not": (
        "why_not.why_not",
        "Say why a profile is not the answer, and what would help.",
    ),
    "graph": ("graph.graph", "Draw which profiles and identifiers belong together."),
    "history": ("inspect.history", "Show every change to a profile or an identifier."),
    "audience": ("audience.audience", "Count and list who is in an audience, and say why."),
    "stats": ("stats.stats", "Count profiles, identifiers, and what decided changes."),
    "export": ("transfer.export", "Write every profile, one per line, and its data."),
    "translate": ("translate.translate_", "Translate a list of identifiers into another type."),
    "import": (
        "transfer.import_",
        "Import whole profiles and their data: all or nothing.",
    ),
    "spark-replay": (
        "spark_replay.spark_replay",
        "Replay files on Apache Spark into a folder.",
    ),
    "load": ("load.load", "Create the store that a serial replay would create."),
    "backup": ("maintenance.backup", "Copy the store to a file that is itself a store."),
    "restore": ("maintenance.restore", "Replace the store with a backup, after checking it."),
    "doctor": ("doctor.doctor", "Check the whole store and report what is wrong."),
    "help": ("help_topics.help_", "Explain a format, a code or a word of the configuration."),
    "profile": ("profile_query.app", "Look at a profile."),
    "config": ("config.app", "Look at the configuration."),
}
"""Every command: where it is in `idsync_cli.cli`, and the line that begins its own help."""

_PAIRS = {
    ("serve", "explore"): "Answer the SDKs over HTTP; look in the browser.",
    ("stats", "doctor"): "Count what is in the store; check it for damage.",
    ("export", "import"): "Write all profiles with their data; read them back.",
    ("backup", "restore"): "Back up the store; restore a backup.",
    ("profile", "config"): "Look at a profile; look at the configuration.",
}
"""Commands that share a line of the list, which is to fit a screen."""


class _Lines(colour.TakesColour, CommandParsing, TyperGroup):
    """Commands, each with one line."""


class Commands(colour.TakesColour, CommandParsing, TyperGroup):
    """All commands: listed by their lines, imported and built only when one is asked for."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands = {
            name: TyperCommand(name, help=line, short_help=line)
            for name, (_, line) in _COMMANDS.items()
        }
        self._built: dict[str, Any] = {}

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command itself, with its parameters; None where there is none of that name."""
        del ctx
        if cmd_name in self.commands and cmd_name not in self._built:
            self._built[cmd_name] = _build(cmd_name)
            end_in_order_on_interrupt()  # a command is loaded, and may begin
        return self._built.get(cmd_name)

    def get_params(self, ctx: Any) -> list[Any]:
        """The options; what Typer tells of two of them would take three lines."""
        found = list(super().get_params(ctx))
        for each in found:
            if each.name == "install_completion":
                each.help = "Install shell completion; --show-completion prints it."
            elif each.name == "show_completion":
                each.hidden = True
        return found

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """List the commands for the help."""
        self._lines(listed(self.commands)).format_commands(ctx, formatter)

    def shell_complete(self, ctx: Any, incomplete: str) -> list[Any]:
        """What the shell may offer in place of a command."""
        of_lines = copy(ctx)
        of_lines.command = self._lines(self.commands)
        return list(of_lines.command.shell_complete(of_lines, incomplete))

    def _lines(self, commands: Mapping[str, Any]) -> TyperGroup:
        """A group that looks the same from outside, with no more than a line in each command."""
        return _Lines(name=self.name, params=self.params, commands={**commands})


def listed(commands: Mapping[str, Any]) -> dict[str, Any]:
    """The commands by what begins their lines in the list."""
    lines: dict[str, Any] = {}
    pairs = {first: (pair, line) for pair, line in _PAIRS.items() for first in pair}
    for name, command in commands.items():
        if name not in pairs:
            lines[name] = command
            continue
        pair, line = pairs[name]
        together = "/".join(pair)
        lines.setdefault(together, TyperCommand(together, help=line, short_help=line))
    return lines


def _build(name: str) -> Any:
    """Import a command, or a group of them, and have Typer build it."""
    from idsync_cli.cli.options import OnceEach

    where, line = _COMMANDS[name]
    module, _, attribute = where.partition(".")
    found = getattr(import_module(f"idsync_cli.cli.{module}"), attribute)
    parent = typer.Typer(rich_markup_mode=None)
    if isinstance(found, typer.Typer):
        parent.add_typer(found, name=name, help=line)
    else:
        parent.command(name, cls=OnceEach)(found)
    return typer.main.get_group(parent).commands[name]


app = typer.Typer(
    name="idsync",
    cls=Commands,
    help="Local identity resolution: who is this, and why?",
    invoke_without_command=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _version(wanted: bool) -> None:
    if wanted:
        write(f"idsync {__version__}")
        raise typer.Exit


_BEGIN = """\
idsync: local identity resolution. Who is this, and why?

Begin with:
  idsync init                                      a configuration and a store
  idsync identify --email a@example.com --explain  a request, and why
  idsync replay requests.jsonl                     a whole file of requests

All commands: idsync --help. Formats, codes and words: idsync help"""


@app.callback()
def _root(
    context: typer.Context,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
    config: Annotated[
        str | None,
        typer.Option("--config", "-c", metavar="FILE", help="Configuration, for any command."),
    ] = None,
    store: Annotated[
        str | None,
        typer.Option("--store", "-s", metavar="FILE", help="Store, for any command."),
    ] = None,
) -> None:
    del version, config, store  # a callback has answered; commands take the others themselves
    if context.invoked_subcommand is None:
        from idsync_cli.cli.help_topics import show

        show(_BEGIN)


def run() -> int:
    """Run the command line and give its exit status."""
    colour.ask(colour.When.AUTO)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        return int(app(prog_name="idsync", standalone_mode=False) or 0)
    except SystemExit as ended:  # Typer's own way out of all that has to do with completion
        return ended.code if isinstance(ended.code, int) else 0
    except NoArgsIsHelpError as error:
        told = error.format_message()
        write(told if colour.is_wanted(sys.stderr) else colour.without(told), to_stderr=True)
        return 2
    except ClickException as error:
        say(f"idsync: {usage_message(error)}")
        say(f"try: {command_of(error)} --help")
        return 2
    except IdsyncError as error:
        from idsync_cli.cli.complaints import complain

        complain(error, prefix="idsync: ")
        return error.exit_status
    except (KeyboardInterrupt, typer.Abort):
        say("idsync: interrupted; everything committed is intact")
        return EXIT_INTERRUPTED
    except Terminated as end:
        if not end.is_told:
            say("idsync: terminated; everything committed is intact")
        return end.exit_status
    except (OutputClosed, BrokenPipeError):
        _give_up_stdout()
        return EXIT_OUTPUT_CLOSED
    except OSError as error:
        _give_up_stdout()
        say(f"idsync: system error: {error.strerror}")
        return StoreFault.exit_status
    except Exception as error:  # noqa: BLE001 - a bug: it is told without the values in its message
        _report_bug(error)
        return EXIT_BUG


def _give_up_stdout() -> None:
    """What Python would still flush at its end has nowhere to go."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _report_bug(error: Exception) -> None:
    """Tell where it happened, and neither values nor messages, which may hold personal data."""
    say(f"idsync: a bug in idsync ({type(error).__name__}); please report these lines:")
    for frame in traceback.extract_tb(error.__traceback__):
        say(f"  {Path(frame.filename).name}:{frame.lineno} in {frame.name}")
    say(f"  idsync {__version__}, Python {sys.version.split()[0]}")
