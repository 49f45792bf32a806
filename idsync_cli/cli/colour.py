"""Whether there is colour: `--color`, before or after a command, or what the environment says.

What a person asks for comes first, then NO_COLOR, then FORCE_COLOR; else there is colour for a
terminal that is not dumb. Help has it, too.
"""

import os
import re
import sys
from collections.abc import Sequence
from contextlib import suppress
from enum import StrEnum
from textwrap import fill
from typing import TYPE_CHECKING, Any, TextIO

import typer
from typer._click._compat import strip_ansi
from typer._click.core import Context  # Typer carries its own Click, without a front door
from typer._click.exceptions import ClickException
from typer._click.formatting import HelpFormatter
from typer._types import TyperChoice
from typer.core import TyperOption

if TYPE_CHECKING:
    from typer._click.core import Command  # with a command or a group, which is one, this is mixed

    from idsync_cli.render.theme import Line, Look
else:
    Command = object


class When(StrEnum):
    """When there is colour."""

    ALWAYS = "always"
    NEVER = "never"
    AUTO = "auto"


class _Asked:
    """What the command line asks for; a process has one command line."""

    when = When.AUTO


def ask(when: str) -> None:
    """Take what `--color` says."""
    _Asked.when = When(when)


def is_wanted(stream: TextIO) -> bool:
    """Whether what goes to a stream has colour."""
    if _Asked.when is not When.AUTO:
        return _Asked.when is When.ALWAYS
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def painted(line: "Line") -> str:
    """A line with the colours of its parts, without Rich: for what draws no table."""
    return "".join(part if isinstance(part, str) else styled(*part) for part in line)


def styled(shown: str, look: "Look") -> str:
    """Some words in a style."""
    from idsync_cli.render.theme import STYLES

    style = STYLES[look]
    if not any(style) or not shown:
        return shown
    given = {name: True for name in ("bold", "dim", "italic") if getattr(style, name)}
    colour = "reset" if style.colour == "default" else style.colour
    return typer.style(shown, fg=colour, **given)


def without(shown: str) -> str:
    """Words without any colour."""
    return strip_ansi(shown)


def _told(_context: Any, _option: Any, when: str | None) -> None:
    if when is not None:
        ask(when)


_OPTION = TyperOption(
    param_decls=["--color"],
    type=TyperChoice(list(When)),
    metavar="WHEN",
    help="Colour: always, never, or auto (the default).",
    expose_value=False,
    is_eager=True,
    callback=_told,
)


_KEPT_TOGETHER, _HYPHEN = "\u00a0", "\u2011"
"""A space and a hyphen at which no line is broken."""

_ASIDE = re.compile(
    r"(?P<end>\.?) +\[(?:default: (?P<default>[^\];]*))?(?:; )?"
    r"(?:x>=\d+|(?P<least>\d+)<=x<=(?P<most>\d+))?\]$"
)
_ENDLESS = 10**6
"""From here on, the most that an option takes is not worth telling."""


class _Formatter(HelpFormatter):
    """Help, of which headings and options stand out."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self._has_colour = is_wanted(sys.stdout)

    def _styled(self, shown: str, look: str) -> str:
        if not self._has_colour:
            return shown
        from idsync_cli.render.theme import Look

        return styled(shown, Look(look))

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        """Write how the command is called."""
        super().write_usage(prog, args, self._styled(prefix or "Usage: ", "heading"))

    def write_heading(self, heading: str) -> None:
        """Write what a list is of."""
        super().write_heading(self._styled(heading, "heading"))

    def write_text(self, text: str) -> None:
        """Write a paragraph; an option such as --fail-on stays on one line."""
        indent = " " * self.current_indent
        paragraph = fill(
            text,
            self.width,
            initial_indent=indent,
            subsequent_indent=indent,
            break_on_hyphens=False,
        )
        self.write(f"{paragraph}\n")

    def write_dl(self, rows: Any, *arguments: Any, **settings: Any) -> None:
        """Write a list of options or commands."""
        told = [(self._styled(first, "option"), _in_words(second)) for first, second in rows]
        whole = [(first, second.replace("-", _HYPHEN)) for first, second in told]
        super().write_dl(whole, *arguments, **settings)

    def write(self, string: str) -> None:
        """Write text as it stands."""
        super().write(string.replace(_KEPT_TOGETHER, " ").replace(_HYPHEN, "-"))


def _in_words(told: str) -> str:
    """What is told of an option: its default, and its bounds where they are worth it, in words."""
    found = _ASIDE.search(told)
    if found is None:
        return told
    asides = []
    if "default" in told[: found.start()]:
        return f"{told[: found.start()]}{found['end']}"
    if found["default"] is not None:
        asides.append(f"default:{_KEPT_TOGETHER}{found['default']}")
    if found["most"] and int(found["most"]) < _ENDLESS:
        asides.append(f"{found['least']}{_KEPT_TOGETHER}to{_KEPT_TOGETHER}{int(found['most']):,}")
    aside = f" ({', '.join(asides)})" if asides else ""
    return f"{told[: found.start()]}{aside}{found['end']}"


class _Context(Context):
    formatter_class = _Formatter

    def make_formatter(self) -> HelpFormatter:
        self.color = is_wanted(sys.stdout)
        return super().make_formatter()


def _asked_in(args: Sequence[str]) -> str | None:
    """What `--color` says among words that may be wrong otherwise."""
    for word, value in zip(args, [*args[1:], None], strict=False):
        if word == "--":
            break
        if word == "--color":
            return value
        if word.startswith("--color="):
            return word.removeprefix("--color=")
    return None


class TakesColour(Command):
    """What a command or a group becomes that takes `--color`, and whose help has colour."""

    context_class: type[Context] = _Context

    def get_short_help_str(self, limit: int = 0) -> str:
        """The line for a list of commands: all of it, however narrow the terminal."""
        del limit
        return super().get_short_help_str(_ENDLESS)

    def get_params(self, ctx: Any) -> list[Any]:
        """The parameters, of which `--color` comes just before `--help`."""
        *params, help_option = super().get_params(ctx)
        return [*params, _OPTION, help_option]

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the arguments; `--color` first, because help and errors depend on it."""
        asked = None
        with suppress(ClickException):  # is told below, in the colour that is asked for
            options, _, _ = self.make_parser(ctx).parse_args(args=list(args))
            asked = options.get("color")
        asked = asked or _asked_in(args)
        if asked in list(When):
            ask(asked)
        return super().parse_args(ctx, args)
