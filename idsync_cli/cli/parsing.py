"""How a command line is parsed, and what is said if it cannot be.

Every start imports this module, so it imports nothing of idsync but the errors.
"""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from typer._click.exceptions import (  # Typer has its own Click
    BadOptionUsage,
    BadParameter,
    ClickException,
    MissingParameter,
    NoSuchOption,
    UsageError,
)
from typer._click.parser import _OptionParser

from idsync_cli.errors import did_you_mean, nearest, printable

if TYPE_CHECKING:
    from typer._click.core import Command  # with a command or a group, which is one, this is mixed
else:
    Command = object

_NEGATIVE = re.compile(r"-[0-9]+")
_MAY_BE_MPIDS = ("mpid", "whom")
"""What arguments are called that may be an MPID."""

_ARE_IDENTIFIERS = ("identifier", "whom")
"""What arguments are called that are TYPE=VALUE."""

_IN_RANGE = re.compile(r"(\S+) is not in the range (\S+)<=x<=(\S+)\.")

USUAL_CONFIG, USUAL_STORE = "idsync.yaml", "idsync.db"
"""What --config and --store are where nobody names one."""


class _MpidParser(_OptionParser):
    """A parser that takes a negative number for an argument, and not for options."""

    def _process_opts(self, arg: str, state: Any) -> None:
        if _NEGATIVE.fullmatch(arg):
            state.largs.append(arg)
        else:
            super()._process_opts(arg, state)


class CommandParsing(Command):
    """For commands and groups: an option is given once, errors name the command, `-h` is help."""

    def get_help_option_names(self, ctx: Any) -> list[str]:
        """The names of the option for help."""
        del ctx
        return ["-h", "--help"]

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the arguments.

        Raises:
            UsageError: an option is given twice, or without its value.
        """
        try:
            self._check_options(ctx, args)
            return super().parse_args(ctx, args)
        except UsageError as error:
            error.ctx = error.ctx or ctx
            raise

    def make_parser(self, ctx: Any) -> Any:
        """A parser for which a negative number is an MPID, where the command takes one."""
        takes_mpid = any(
            each.param_type_name == "argument" and each.name in _MAY_BE_MPIDS
            for each in self.get_params(ctx)
        )
        if not takes_mpid:
            return super().make_parser(ctx)
        parser = _MpidParser(ctx)
        for each in self.get_params(ctx):
            each.add_to_parser(parser, ctx)
        return parser

    def _check_options(self, ctx: Any, args: list[str]) -> None:
        if ctx.resilient_parsing:  # a shell asks what may come next, and wants no error
            return
        _refuse_options_as_values(ctx, args)
        _, _, order = ctx.command.make_parser(ctx).parse_args(args=list(args))
        for option in order:
            if order.count(option) > 1 and not option.multiple and option.nargs == 1:
                names = " or ".join(option.opts)
                raise UsageError(f"option {names} is given twice; give it once", ctx)


def _refuse_options_as_values(ctx: Any, args: list[str]) -> None:
    """Refuse an option that would take the next option for its value."""
    options = {name: each for each in ctx.command.get_params(ctx) for name in each.opts}
    words = iter(args)
    for word in words:
        if word == "--" or (not word.startswith("-") and not ctx.allow_interspersed_args):
            return
        if word in options and not getattr(options[word], "is_flag", True):
            value = next(words, "")
            if value in options and value.startswith("--"):
                raise UsageError(
                    f"option {word} needs a value, but the option {value} follows; "
                    f"write {word}={value} if that is the value",
                    ctx,
                )


def command_of(error: ClickException) -> str:
    """The command, as it is called, that an error belongs to."""
    context = getattr(error, "ctx", None)
    return context.command_path if context else "idsync"


def usage_message(error: ClickException) -> str:
    """What is wrong with the words of a command, with the nearest right one where there is one."""
    context: Any = getattr(error, "ctx", None)
    if isinstance(error, NoSuchOption) and context:
        parameters = context.command.get_params(context)
        hint = _mpid_hint(error.option_name, parameters)
        hint = hint or _option_hint(error.option_name, parameters)
        return f"no such option: {printable(error.option_name)}{hint}"
    if isinstance(error, BadOptionUsage) and error.message.endswith("requires an argument."):
        name = error.option_name
        return f"option {name} needs a value: {command_of(error)} {name} VALUE"
    if isinstance(error, BadParameter) and error.param is not None:
        return _parameter_message(error, error.param)
    message = error.format_message()
    if message.startswith("No such command '") and context:
        name = message.removeprefix("No such command '").partition("'")[0]
        return f"no such command: {name}{nearest(name, context.command.list_commands(context))}"
    if message.startswith("Got unexpected extra argument"):
        words = message.partition("(s) (")[2].removesuffix(")")
        parameters = context.command.get_params(context) if context else ()
        hint = _mpid_hint(words, parameters)
        if not hint and _takes_identifiers(parameters):
            hint = "; write an identifier as TYPE=VALUE, such as email=a@example.com"
        return f"unexpected argument: {words}{hint}"
    return message[:1].lower() + message[1:]


def _mpid_hint(word: str, parameters: Sequence[Any]) -> str:
    """What is said of an MPID, or of the minus of one, that stands where no option names it."""
    is_number = word.removeprefix("-")[:1].isdecimal()
    has_mpid = any("--mpid" in parameter.opts for parameter in parameters)
    return "; for an MPID, use --mpid" if is_number and has_mpid else ""


def _takes_identifiers(parameters: Sequence[Any]) -> bool:
    """Whether a command takes TYPE=VALUE where others have an option for each type."""
    return any(parameter.name in _ARE_IDENTIFIERS for parameter in parameters)


def _option_hint(name: str, parameters: Sequence[Any]) -> str:
    """The options that may be meant, each by one of its names."""
    from idsync_cli.core.everyday_names import types_called
    from idsync_cli.core.identity import TYPES_BY_NAME
    from idsync_cli.nearest import folded, nearest_words

    by_option = {each: parameter for parameter in parameters for each in parameter.opts}
    if folded(name) == "mpid":  # no type is meant, however near its name may be
        return did_you_mean([each for each in by_option if each.endswith("-mpid")])
    word = name.removeprefix("--").replace("-", "_")
    if word in TYPES_BY_NAME and _takes_identifiers(parameters):
        return f"; write {word}=VALUE"
    meant = [f"--{kind.replace('_', '-')}" for kind in types_called(name)]
    meant += nearest_words(name, by_option)
    once = {by_option[each].name: each for each in reversed(meant) if each in by_option}
    return did_you_mean(list(reversed(once.values())))


def _parameter_message(error: BadParameter, parameter: Any) -> str:
    is_option = parameter.param_type_name == "option"
    name = parameter.opts[0] if is_option else parameter.make_metavar(error.ctx)
    if isinstance(error, MissingParameter):
        needed = f"{name} {parameter.make_metavar(error.ctx)}" if is_option else name
        return f"{name} is missing: {command_of(error)} {needed}"
    message = re.sub(r"is not a valid int\w*( range)?\.", "is not an integer", error.message)
    message = _IN_RANGE.sub(r"\1 is not between \2 and \3", message)
    return f"{name}: {printable(message.removesuffix('.'))}"
