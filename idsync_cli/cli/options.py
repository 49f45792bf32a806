"""Options that several commands share, and the rule that each is given once."""

import inspect
import os
from collections.abc import Callable
from functools import cache, wraps
from textwrap import wrap
from typing import Annotated, Any

import typer
from typer._click.globals import get_current_context  # Typer has its own Click
from typer.core import TyperCommand, TyperGroup

from idsync_cli.cli import completion
from idsync_cli.cli.colour import TakesColour
from idsync_cli.cli.parsing import USUAL_CONFIG, USUAL_STORE, CommandParsing
from idsync_cli.core.identity import DEVICE_TYPES, IdentityType, names_of
from idsync_cli.errors import UsageFault, quoted

DEFAULT_CONFIG, DEFAULT_STORE = USUAL_CONFIG, USUAL_STORE

Config = Annotated[
    str,
    typer.Option(
        "--config",
        "-c",
        envvar="IDSYNC_CONFIG",
        show_envvar=False,
        show_default=False,
        metavar="FILE",
        help=f"Configuration (default IDSYNC_CONFIG, or {DEFAULT_CONFIG})",
    ),
]
StorePath = Annotated[
    str,
    typer.Option(
        "--store",
        "-s",
        envvar="IDSYNC_STORE",
        show_envvar=False,
        show_default=False,
        metavar="FILE",
        help=f"Store (default IDSYNC_STORE, or {DEFAULT_STORE})",
    ),
]
Scope = Annotated[
    str | None,
    typer.Option(
        "--scope",
        metavar="NAME",
        help="Identity scope, if there are several.",
        autocompletion=completion.scopes,
    ),
]
Workspace = Annotated[
    str | None,
    typer.Option(
        "--workspace",
        metavar="NAME",
        help="Workspace, instead of a scope.",
        autocompletion=completion.workspaces,
    ),
]
Force = Annotated[bool, typer.Option("--force", help="Replace an existing file.")]
NoExtensions = Annotated[
    bool, typer.Option("--no-extensions", help="Ignore the extensions of the scopes.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of text and tables.")]
Seed = Annotated[
    str | None,
    typer.Option(
        "--seed",
        metavar="N",
        help="Seed for the MPIDs of a new store (default: random).",
    ),
]


def present_config() -> str:
    """The configuration of a call that has no option for it."""
    return before_the_command("config") or os.environ.get("IDSYNC_CONFIG") or DEFAULT_CONFIG


def present_store() -> str:
    """The store of a call that has no option for it."""
    return before_the_command("store") or os.environ.get("IDSYNC_STORE") or DEFAULT_STORE


def before_the_command(option: str) -> str | None:
    """The value of an option that was given before the command, which holds for any command."""
    context = get_current_context(silent=True)
    return None if context is None else context.find_root().params.get(option)


_IDENTITIES = "Identities: --TYPE VALUE (other names: idsync help types)"

Pairs = list[tuple[str, str]]
"""Names of identifier types with their values, as they were given."""


class OnceEach(TakesColour, CommandParsing, TyperCommand):
    """A command whose options are given once each, before the command or after it.

    Its help begins with the example, and lists the identity types below the other options.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the arguments, and options before the command as if they followed it."""
        own = {each.name for each in self.params} & {"config", "store"}
        before = ctx.find_root().params.items()
        given = [f"--{name}={value}" for name, value in before if name in own and value is not None]
        return super().parse_args(ctx, [*given, *args])

    def format_help_text(self, ctx: Any, formatter: Any) -> None:
        """Write the example, and then what the command does."""
        del ctx
        paragraphs = inspect.cleandoc(self.help or "").split("\n\n")
        paragraphs.sort(key=lambda each: not each.startswith("Example: "))
        for paragraph in paragraphs:
            formatter.write_paragraph()
            with formatter.indentation():
                formatter.write_text(" ".join(paragraph.split()))

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """List arguments and options, a line or two each, and those of a panel side by side."""
        records: dict[str, list[tuple[str, str]]] = {"Arguments": [], "Options": []}
        panels: dict[str, list[str]] = {}
        indent = " " * 4
        for each in self.get_params(ctx):
            panel, words = getattr(each, "rich_help_panel", None), getattr(each, "help", None)
            if panel:
                panels.setdefault(panel, []).extend([words] if words else [])
            elif record := each.get_help_record(ctx):
                records[f"{each.param_type_name.capitalize()}s"].append(record)
        for heading, rows in records.items():
            if rows:
                with formatter.section(heading):
                    formatter.write_dl(rows)
        if not panels:
            return
        with formatter.section(_IDENTITIES):
            for panel, names in panels.items():
                lines = wrap(
                    f"{panel}: {', '.join(names)}",
                    formatter.width,
                    initial_indent=indent[2:],
                    subsequent_indent=indent,
                    break_on_hyphens=False,
                )
                formatter.write("\n".join(lines) + "\n")


class CommandGroup(TakesColour, CommandParsing, TyperGroup):
    """A command that has commands of its own."""


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def takes_identities(command: Callable[..., int]) -> Callable[..., int]:
    """Give a command an option for every name of every identifier type (section 2).

    What is given reaches it as `identities`, a list of names and values.
    """

    @wraps(command)
    def with_identities(identity: list[str] | None = None, **options: Any) -> int:
        given = [(kind.value, options.pop(kind.value)) for kind in IdentityType]
        pairs = [(name, value) for name, value in given if value is not None]
        pairs += map(_split_identity, identity or ())
        for name, value in pairs:
            if value == "":
                raise UsageFault(
                    f"the value of {quoted(name)} is empty; give one, or omit the option"
                )
        return command(identities=pairs, **options)

    own = inspect.signature(command)
    parameters = [each for each in own.parameters.values() if each.name != "identities"]
    parameters += [*_identity_options(), _IDENTITY]
    made: Any = with_identities
    made.__signature__ = own.replace(parameters=parameters)  # of which Typer makes the options
    return with_identities


@cache  # five commands share them
def _identity_options() -> tuple[inspect.Parameter, ...]:
    return tuple(map(_identity_option, IdentityType))


def _identity_option(kind: IdentityType) -> inspect.Parameter:
    group = "device" if kind in DEVICE_TYPES else "user"
    option = typer.Option(
        *map(_flag, names_of(kind)),
        metavar="VALUE",
        help=_in_words(kind),
        rich_help_panel=group,
    )
    return inspect.Parameter(
        kind.value,
        inspect.Parameter.KEYWORD_ONLY,
        default=None,
        annotation=Annotated[str | None, option],
    )


def _in_words(kind: IdentityType) -> str:
    """A type as an option without its dashes; `other_id_2` stands for all of its kind."""
    name = _flag(kind.value).removeprefix("--")
    if kind is IdentityType.OTHER_ID_2:
        return "other-id-2 to other-id-10"
    return "" if name.startswith("other-id-") else name


_IDENTITY = inspect.Parameter(
    "identity",
    inspect.Parameter.KEYWORD_ONLY,
    default=None,
    annotation=Annotated[
        list[str] | None,
        typer.Option(
            "--identity",
            metavar="TYPE=VALUE",
            help="An identity by any name of its type; repeatable.",
            autocompletion=completion.types_with_value,
        ),
    ],
)


def _split_identity(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise UsageFault(
            f"--identity {quoted(text)} is not TYPE=VALUE, such as email=a@example.com"
        )
    return name, value
