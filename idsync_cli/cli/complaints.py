"""Errors as they are told to people: a line for each, and the place in the file below it."""

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from idsync_cli.cli.environment import say, say_line, terminal_width
from idsync_cli.cli.hints import lines, with_hints
from idsync_cli.errors import Excerpt, Fault, FileFault, IdsyncError

if TYPE_CHECKING:
    from rich.text import Text

_WIDTH_IN_A_PIPE = 100


def complain(error: IdsyncError, *, prefix: str = "", guarded: Callable[[str], str] = str) -> None:
    """Tell an error; `guarded` makes a line harmless for whoever reads the log."""
    if not isinstance(error, FileFault):
        for line in lines(error):
            say(guarded(f"{prefix}{line}"))
        return
    for fault in with_hints(error).found:
        say(guarded(f"{prefix}{fault}"))
        if isinstance(fault, Fault) and fault.excerpt is not None:
            say_excerpt(fault.excerpt, guarded=guarded)


def excerpt_shown(number: int, line: bytes, word: str | int | None) -> "list[Text]":
    """A line of a request file with a caret, to be drawn."""
    from idsync_cli.render.excerpts import excerpt_lines, request_excerpt
    from idsync_cli.render.theme import text

    width = terminal_width()
    return [text(*each) for each in excerpt_lines(request_excerpt(number, line, word), width)]


def say_excerpt(excerpt: Excerpt, *, guarded: Callable[[str], str] = str) -> None:
    """Show a line of a file with a caret under the word that is at fault."""
    from idsync_cli.render.excerpts import excerpt_lines

    width = terminal_width() if sys.stderr.isatty() else _WIDTH_IN_A_PIPE
    for line in excerpt_lines(excerpt, width):
        say_line([guarded(part) if isinstance(part, str) else part for part in line])
