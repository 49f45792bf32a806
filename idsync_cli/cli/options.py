"""Options that several commands share, and the rule that each is given once."""

import inspect
import os
from collections.abc import Callable
from functools import cache, wraps
from typing import Annotated, Any

import typer
from typer._click.exceptions import UsageError  # Typer carries its own Click, without a front door
from typer.core import TyperCommand, TyperGroup

from idsync_cli.cli import completion
from idsync_cli.cli.colour import TakesColour
from idsync_cli.core.identity import DEVICE_TYPES, IdentityType, names_of
from idsync_cli.errors import UsageFault, quoted

Config = Annotated[
    str,
    typer.Option("--config", envvar="IDSYNC_CONFIG", metavar="FILE", help="The identity strategy."),
]
StorePath = Annotated[
    str,
    typer.Option("--store", envvar="IDSYNC_STORE", metavar="FILE", help="The store."),
]
Scope = Annotated[
    str | None,
    typer.Option(
        "--scope",
        metavar="NAME",
        help="The identity scope that the request is for.",
        autocompletion=completion.scopes,
    ),
]
Workspace = Annotated[
    str | None,
    typer.Option(
        "--workspace",
        metavar="NAME",
        help="A workspace, in place of its scope.",
        autocompletion=completion.workspaces,
    ),
]
Force = Annotated[bool, typer.Option("--force", help="Replace a file that is there already.")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON in place of text and tables.")]
Seed = Annotated[
    str | None,
    typer.Option(
        "--seed",
        metavar="N",
        help="The integer that a new store's MPIDs follow from; left out, 128 random bits. "
        "A seed that can be guessed is for tests.",
    ),
]
DEFAULT_CONFIG, DEFAULT_STORE = "idsync.yaml", "idsync.db"


def present_config() -> str:
    """The configuration of a call that has no option for it."""
    return os.environ.get("IDSYNC_CONFIG") or DEFAULT_CONFIG


def present_store() -> str:
    """The store of a call that has no option for it."""
    return os.environ.get("IDSYNC_STORE") or DEFAULT_STORE


Pairs = list[tuple[str, str]]
"""Names of identifier types with their values, as they were given."""


class OnceEach(TakesColour, TyperCommand):
    """A command that refuses an option given twice, instead of taking the last one."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the arguments, and raise UsageError for an option that stands there twice."""
        _, _, order = self.make_parser(ctx).parse_args(args=list(args))
        for option in order:
            if ctx.resilient_parsing:  # a shell asks what may come next, and wants no complaint
                break
            if order.count(option) > 1 and not option.multiple and option.nargs == 1:
                names = " or ".join(option.opts)
                raise UsageError(f"Option {names} is given twice; give it once.", ctx)
        return list(super().parse_args(ctx, args))


class Group(TakesColour, TyperGroup):
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
                raise UsageFault(f"the value of {quoted(name)} is empty; give one, or leave it out")
        return command(identities=pairs, **options)

    own = inspect.signature(command)
    parameters = [each for each in own.parameters.values() if each.name != "identities"]
    with_identities.__signature__ = own.replace(  # type: ignore[attr-defined]  # inspect reads it
        parameters=[*parameters, *_identity_options(), _IDENTITY]
    )
    return with_identities


@cache  # five commands share them
def _identity_options() -> tuple[inspect.Parameter, ...]:
    return tuple(map(_identity_option, IdentityType))


def _identity_option(kind: IdentityType) -> inspect.Parameter:
    names = map(_flag, names_of(kind))
    group = "device" if kind in DEVICE_TYPES else "user"
    option = typer.Option(*names, metavar="VALUE", help=f"The {group} identity {kind}.")
    return inspect.Parameter(
        kind.value,
        inspect.Parameter.KEYWORD_ONLY,
        default=None,
        annotation=Annotated[str | None, option],
    )


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
