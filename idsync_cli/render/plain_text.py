"""Explanations as plain lines for files and logs, whatever the terminal is and can."""

from collections.abc import Sequence
from io import StringIO
from typing import TYPE_CHECKING

from idsync_cli.check.run import CheckOutcome, Result
from idsync_cli.render import answers

if TYPE_CHECKING:
    from rich.console import RenderableType

WIDTH = 100
"""The columns of what is kept in reports, the same on every machine."""


def explained(outcome: CheckOutcome) -> list[str]:
    """What a scenario expected and found, with the table of each step that differs."""
    if not isinstance(outcome, Result) or outcome.passed:
        return []
    return plain_lines(answers.mismatches(outcome, WIDTH), WIDTH)


def plain_lines(pieces: "Sequence[RenderableType]", width: int) -> list[str]:
    """Tables and text as lines without colour; a table that needs more columns gets them."""
    from rich.console import Console

    paper = StringIO()
    console = Console(
        file=paper,
        force_terminal=False,
        color_system=None,
        width=max([width, *(getattr(piece, "width", None) or 0 for piece in pieces)]),
        markup=False,
        emoji=False,
        highlight=False,
    )
    for piece in pieces:
        console.print(piece)
    return [line.rstrip() for line in paper.getvalue().rstrip("\n").split("\n")]
