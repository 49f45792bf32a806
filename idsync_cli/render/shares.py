"""Shares, drawn as bars."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from idsync_cli.render.tables import laid_out
from idsync_cli.render.theme import Line, Look, text

if TYPE_CHECKING:
    from rich.text import Text

    from idsync_cli.render.stacked import Stacked

_BAR_WIDTH: Final = 20


def bar(number: int, of: int) -> "Text":
    """A share as a bar with its percentage; whatever is more than nothing has a bit of a bar."""
    share = number / of if of else 0.0
    eighths = max(round(share * _BAR_WIDTH * 8), int(number > 0))
    drawn = "█" * (eighths // 8) + ("", *"▏▎▍▌▋▊▉")[eighths % 8]
    percent = "<1" if 0 < share < 0.01 else str(round(share * 100))
    return text(f"{percent:>3}% ", (drawn, Look.BAR))


def shares(heading: str, counted: Iterable[tuple[Line, int]], of: int, width: int) -> "Stacked":
    """A table of how often each thing came, with the share that it has."""
    rows = [[text(*what), f"{number:,}", bar(number, of)] for what, number in counted]
    return laid_out([heading, "Number", "Share"], rows, width)
