"""What each thing looks like: names for styles, and lines made of parts that have one.

A style only adds to what the words say: whatever is told is told without colour, too. Colours
are the sixteen that every terminal sets to be read on its own background.
"""

from collections.abc import Sequence
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from rich.text import Text
    from rich.theme import Theme


class Look(StrEnum):
    """The name of a style: what a part of a line is."""

    PLAIN = "plain"
    HEADLINE = "headline"
    HEADING = "heading"
    ASIDE = "aside"
    DECIDED = "decided"
    NOT_CONSULTED = "not_consulted"
    INELIGIBLE = "ineligible"
    OK = "ok"
    FAILED = "failed"
    WARNING = "warning"
    ADDED = "added"
    REMOVED = "removed"
    NOTE = "note"
    MPID = "mpid"
    TYPE = "type"
    KNOWN = "known"
    ANONYMOUS = "anonymous"
    ORPHANED = "orphaned"
    BAR = "bar"
    OPTION = "option"
    POSITION = "position"
    CARET = "caret"


class Style(NamedTuple):
    """A style: one of the sixteen colours, `default` for the terminal's own, and how it is set."""

    colour: str | None = None
    bold: bool = False
    dim: bool = False
    italic: bool = False


STYLES = {
    Look.PLAIN: Style(),
    Look.HEADLINE: Style(bold=True),
    Look.HEADING: Style(bold=True),
    Look.ASIDE: Style(dim=True),
    Look.DECIDED: Style("green", bold=True),
    Look.NOT_CONSULTED: Style("default", dim=True),  # a dim colour is hard to read
    Look.INELIGIBLE: Style("yellow"),
    Look.OK: Style("green"),
    Look.FAILED: Style("red", bold=True),
    Look.WARNING: Style("yellow"),
    Look.ADDED: Style("green"),
    Look.REMOVED: Style("red"),
    Look.NOTE: Style("yellow"),
    Look.MPID: Style("magenta"),
    Look.TYPE: Style("cyan"),
    Look.KNOWN: Style(bold=True),
    Look.ANONYMOUS: Style(italic=True),
    Look.ORPHANED: Style("yellow", italic=True),
    Look.BAR: Style("blue"),
    Look.OPTION: Style("cyan"),
    Look.POSITION: Style(bold=True),
    Look.CARET: Style("red", bold=True),
}

DECIDING_MARK = "▶"
"""Stands in front of the tier that decided."""

DIFFERING_MARK = "≠"
"""Stands in front of the first tier in which two explanations differ."""

Part = tuple[str, Look]
Line = Sequence[str | Part]
"""A line of text for people: parts with a style, and parts without one."""


def words(line: Line) -> str:
    """A line without its styles."""
    return "".join(part if isinstance(part, str) else part[0] for part in line)


def text(*line: str | Part) -> "Text":
    """A line for a table or a terminal, in which nothing is taken for markup."""
    from rich.text import Text

    made = Text()
    for part in line:
        shown, look = (part, Look.PLAIN) if isinstance(part, str) else part
        made.append(shown, None if look is Look.PLAIN else look.value)
    return made


def warned(sentence: str) -> Line:
    """A sentence that warns, its first part in colour: a whole one is hard to read."""
    first, comma, rest = sentence.partition(",")
    return [(first, Look.WARNING), comma + rest]


def state(*, known: bool, orphaned: bool) -> list[Part]:
    """What a profile is: known or anonymous, and orphaned."""
    parts: list[Part] = [("known", Look.KNOWN) if known else ("anonymous", Look.ANONYMOUS)]
    return [*parts, (", ", Look.PLAIN), ("orphaned", Look.ORPHANED)] if orphaned else parts


@cache
def rich_theme() -> "Theme":
    """The styles for Rich, by their names."""
    from rich.style import Style as RichStyle
    from rich.theme import Theme

    return Theme(
        {
            look.value: RichStyle(
                color=style.colour, bold=style.bold, dim=style.dim, italic=style.italic
            )
            for look, style in STYLES.items()
        }
        | {"table.header": RichStyle(bold=True)},
        inherit=False,
    )
