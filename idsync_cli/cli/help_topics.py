"""Help that belongs to no single command: formats, codes, words of a configuration, types."""

import re
import sys
from importlib.resources import files
from typing import Annotated

import typer

from idsync_cli.cli.environment import terminal_width, write_lines
from idsync_cli.errors import UsageFault, did_you_mean, nearest, quoted

TOPICS = {
    "requests": "what a line of a request file contains",
    "answers": "what an answer contains, and every code in it",
    "scenarios": "stories with expected results, for idsync check",
    "config": "the identity strategy: scopes, settings, strategies",
    "exit-status": "how idsync ends, and what that means",
}
"""The pages, each a file."""

LISTS = {
    "codes": "every code and word of the rule book",
    "types": "identifier types and all their names",
}
"""The pages that are generated from the program."""

_ON_PAGE = {"version": "config", "organization": "config"}
"""Words that are explained by the page they are on."""

_WIDEST = 80


def _words(incomplete: str) -> list[str]:
    """Topics first; words and types once something of them is typed."""
    topics = [each for each in (*TOPICS, *LISTS) if each.startswith(incomplete)]
    if not incomplete:
        return topics
    from idsync_cli.render import rule_book

    found = (each for each in rule_book.words() if each.startswith(incomplete))
    return list(dict.fromkeys([*topics, *found]))


def help_(
    context: typer.Context,
    word: Annotated[
        str | None,
        typer.Argument(
            metavar="[WORD]",
            help=f"One of {', '.join((*TOPICS, *LISTS))}, a code, a word of the configuration "
            "or an identifier type.",
            autocompletion=_words,
        ),
    ] = None,
) -> int:
    """Explain a format, a code or a word of the configuration.

    Example: idsync help login_protection
    """
    if word is None:
        show(_overview())
        return 0
    word = _ON_PAGE.get(word, word)
    if word in TOPICS:
        show(_page(word))
        return 0
    from idsync_cli.render import rule_book

    width = min(terminal_width(), _WIDEST)
    if word in LISTS:
        if word == "types":
            page = rule_book.types_page(width)
            show(f"{page}\n\nEvery name is an option, such as --customer-id VALUE")
        else:
            show(f"{rule_book.codes_page(width)}\n\nEach is explained by: idsync help WORD")
        return 0
    from idsync_cli.core.everyday_names import meant_by, types_called
    from idsync_cli.core.identity import TYPES_BY_NAME

    text = rule_book.explanation(word, width)
    commands = getattr(context.find_root().command, "commands", {})
    if text is None:
        if word in commands:
            raise UsageFault(
                f"{quoted(word)} is a command; for its help, run: idsync {word} --help"
            )
        if word and (topic := _topic_with(word)):
            show(_page(topic))
            return 0
        hint = nearest(word, [*TOPICS, *LISTS, *commands, *rule_book.words()])
        if types_called(word):
            hint = did_you_mean(meant_by(word))
        topics = ", ".join((*TOPICS, *LISTS))
        raise UsageFault(f"no help on {quoted(word)}{hint or f'; the topics are: {topics}'}")
    show(text)
    if word in TYPES_BY_NAME:
        show(f"\nOption: --{word.replace('_', '-')} VALUE")
    if word in commands:
        show(f"\n{word} is also a command: idsync {word} --help")
    return 0


def _page(topic: str) -> str:
    page = files("idsync_cli").joinpath("help", f"{topic}.txt").read_text(encoding="utf-8")
    return page.rstrip("\n")


def _topic_with(word: str) -> str | None:
    """The topic that explains a word in a line of its own, such as a member of an answer."""
    line = re.compile(rf"^ +(\w+, )*{re.escape(word)}(, \w+)*(  |$)", re.MULTILINE)
    return next((topic for topic in TOPICS if line.search(_page(topic))), None)


def show(page: str) -> None:
    """Show a page of help, which is laid out for 80 columns, on whatever terminal there is."""
    from idsync_cli.render.help_page import page_lines

    is_wide = not sys.stdout.isatty() or terminal_width() >= _WIDEST
    write_lines(page_lines(page, None if is_wide else terminal_width()))


def _overview() -> str:
    width = max(map(len, (*TOPICS, *LISTS)))
    lines = ["Topics:"]
    for name, what in {**TOPICS, **LISTS}.items():
        lines.append(f"  idsync help {name:<{width}}  {what}")
    return "\n".join(
        [
            *lines,
            "",
            "Any code, word of the configuration or identifier type:",
            "  idsync help login_protection",
            "",
            "Commands: idsync --help, idsync COMMAND --help",
        ]
    )
