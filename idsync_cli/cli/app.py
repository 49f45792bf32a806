"""The command line as a whole, and how it ends (section 8, exit status)."""

import os
import sys
import traceback
from pathlib import Path
from typing import Annotated

import typer
from typer._click.exceptions import ClickException, NoArgsIsHelpError  # Typer has its own Click

from idsync_cli import __version__
from idsync_cli.cli import (
    check,
    config,
    exchange,
    looking,
    replay,
    requests,
    stores,
    topics,
    upkeep,
)
from idsync_cli.cli.options import OnceEach
from idsync_cli.cli.surroundings import say, write
from idsync_cli.errors import IdsyncError, OutputClosed, StoreFault, Terminated

EXIT_BUG = 70
EXIT_INTERRUPTED = 130
EXIT_TERMINATED = 143
EXIT_OUTPUT_CLOSED = 141  # what a shell reports of a program that a closed pipe ended

app = typer.Typer(
    name="idsync",
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
  idsync init                                        a strategy and a store
  idsync identify --email a@example.com --explain    a request, and what decided it
  idsync replay requests.jsonl                       a whole file of requests

All commands: idsync --help. What files hold: idsync help"""


@app.callback()
def _root(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="The version.")
    ] = False,
) -> None:
    del version  # its callback has answered
    if context.invoked_subcommand is None:
        write(_BEGIN)


app.command("init", cls=OnceEach)(stores.init)
for _kind, _command in requests.COMMANDS.items():
    app.command(_kind.value, cls=OnceEach)(_command)
app.command("replay", cls=OnceEach)(replay.replay)
app.command("check", cls=OnceEach)(check.check)
app.command("profiles", cls=OnceEach)(looking.profiles)
app.command("whois", cls=OnceEach)(looking.whois)
app.add_typer(looking.profile_app, name="profile", help="Look at a profile.")
app.command("history", cls=OnceEach)(looking.history)
app.command("stats", cls=OnceEach)(looking.stats)
app.command("export", cls=OnceEach)(exchange.export)
app.command("import", cls=OnceEach)(exchange.import_)
app.command("backup", cls=OnceEach)(upkeep.backup)
app.command("restore", cls=OnceEach)(upkeep.restore)
app.add_typer(config.app, name="config", help="Look at the configuration.")
app.command("help", cls=OnceEach)(topics.help_)


def run() -> int:
    """Run the command line and give its exit status."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        return int(app(prog_name="idsync", standalone_mode=False) or 0)
    except SystemExit as ended:  # Typer's own way out of all that has to do with completion
        return ended.code if isinstance(ended.code, int) else 0
    except NoArgsIsHelpError as error:
        say(error.format_message())
        return 2
    except ClickException as error:
        say(f"idsync: {error.format_message()}")
        say(f"try: {_help_for(error)}")
        return 2
    except IdsyncError as error:
        say("\n".join(f"idsync: {line}" for line in str(error).split("\n")))
        return error.exit_status
    except (KeyboardInterrupt, typer.Abort):
        say("idsync: interrupted; what was committed is whole")
        return EXIT_INTERRUPTED
    except Terminated:
        say("idsync: terminated; what was committed is whole")
        return EXIT_TERMINATED
    except (OutputClosed, BrokenPipeError):
        _give_up_stdout()
        return EXIT_OUTPUT_CLOSED
    except OSError as error:
        _give_up_stdout()
        say(f"idsync: the system refused: {error.strerror}; what was committed is whole")
        return StoreFault.exit_status
    except Exception as error:  # noqa: BLE001 - the last resort, told apart by its exit status
        _report_bug(error)
        return EXIT_BUG


def _give_up_stdout() -> None:
    """What Python would still flush at its end has nowhere to go."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _help_for(error: ClickException) -> str:
    context = getattr(error, "ctx", None)
    return f"{context.command_path if context else 'idsync'} --help"


def _report_bug(error: Exception) -> None:
    """Tell where it happened, and neither values nor messages, which may hold personal data."""
    say(f"idsync: a fault of idsync itself ({type(error).__name__}); please report these lines:")
    for frame in traceback.extract_tb(error.__traceback__):
        say(f"  {Path(frame.filename).name}:{frame.lineno} in {frame.name}")
    say(f"  idsync {__version__}, Python {sys.version.split()[0]}")
