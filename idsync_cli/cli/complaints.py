"""Errors as they are shown to people: a line for each, and the place in the file below it."""

import sys
from collections.abc import Callable

from idsync_cli.cli.environment import say, say_line, width_of_excerpts
from idsync_cli.cli.hints import lines, with_hints
from idsync_cli.errors import IdsyncError
from idsync_cli.file_faults import Excerpt, Fault, FileFault


def complain(error: IdsyncError, *, prefix: str = "", guarded: Callable[[str], str] = str) -> None:
    """Report an error; `guarded` makes a line harmless for whoever reads the log.

    Either the prefix stands out, or the places of what is wrong.
    """
    if not isinstance(error, FileFault):
        for line in lines(error):
            say(guarded(f"{prefix}{line}"))
        return
    for fault in with_hints(error).found:
        say(guarded(f"{prefix}{fault}"), begins=_position(fault) if not prefix else "")
        if isinstance(fault, Fault) and fault.excerpt is not None:
            say_excerpt(fault.excerpt, guarded=guarded)


def _position(fault: Fault | str) -> str:
    return f"{fault.position}:" if isinstance(fault, Fault) else ""


def say_excerpt(excerpt: Excerpt, *, guarded: Callable[[str], str] = str) -> None:
    """Show a line of a file with a caret under the word that is at fault."""
    from idsync_cli.render.excerpts import excerpt_lines

    for line in excerpt_lines(excerpt, width_of_excerpts(sys.stderr)):
        say_line([guarded(part) if isinstance(part, str) else part for part in line])
