"""How every table is laid out: what gives way first, and where words break.

A table is as wide as what it says. Where the terminal is narrower, columns give way in the order
of `GIVE_WAY`, and a column that is not named there never does: an MPID, a number or the code of a
reason is never broken. Words break at spaces, and behind `_`, `-`, `@` and `.`; a piece that is
longer than its column is cut through only if nothing else helps, and a date stays whole.
"""

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

from idsync_cli.render.theme import Line, Look, text

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

AT_ONCE: Final = ("What it means", "Settings", "Outcome", "Share")
"""The headings of columns that get as narrow as their longest word before any other does."""

GIVE_WAY: Final = (
    *AT_ONCE,
    "Added (UTC)",
    "Time (UTC)",
    "First identifiers",
    "Identifier",
    "Known of it",
    "Value",
    "Most shared",
    "Device",
    "Name",
    "Attribute",
    "What",
    "Event",
    "Change",
    "Audience",
    "Scope",
    "State",
    "Workspaces",
    "Type",
    "Identifies a",
    "By",
)
"""The headings of the columns that give way, the first one first."""

CUT_THROUGH: Final = (
    *(
        "Value",
        "Identifier",
        "Known of it",
        "Device",
        "Name",
        "Attribute",
        "What",
        "Event",
        "First identifiers",
        "By",
        "Change",
        "Most shared",
        "Audience",
        "Workspaces",
    ),
)
"""The headings of columns whose words are cut through, if nothing else helps."""

LAST_RESORT: Final = ("Scope", "State", "Most shared")
"""The headings of columns whose words are cut through if not even that helps."""

RIGHT: Final = frozenset(
    (
        *("#", "Held by", "Left", "Seq", "Ids", "Number", "Requests", "Holders", "Profiles"),
        *("Known", "Anonymous", "Orphaned", "Identifiers", "Mean", "Most"),
        *("Members", "Opted out", "A", "B", "Recorded"),
    )
)
"""The headings of columns of numbers."""

_SHORT: Final = {"login": "log", "unique": "uniq", "immutable": "immut"}
"""Settings, where there is no room for the words."""

_STEPS: Final = (20, 12, 8)
"""How narrow columns get, one after the other, before any of them gets narrower."""

_KEPT: Final = {"By": len("sent 2026-03-02 02:02:02")}
"""How wide columns stay as long as others can give way: narrower, each row takes two lines more."""

_NARROWEST: Final = 4
"""How narrow the columns of the last resort get."""

_PIECE: Final = re.compile(r"\s+|\d{4}-\d\d-\d\d(?!\S)|[^\s_\-@.]*[_\-@.]+|[^\s_\-@.]+")
_BAR_WIDTH: Final = 20


def laid_out(headings: Sequence[str], rows: Iterable[Sequence[Any]], width: int) -> "Table":
    """A table of texts, no wider than `width` unless it cannot be narrower."""
    from rich import box
    from rich.table import Table

    cells = [[text(each) if isinstance(each, str) else each for each in row] for row in rows]
    heads = [text(heading) for heading in headings]
    widths = [_widest(heads[n], *(row[n] for row in cells)) for n in range(len(heads))]
    room = width - (len(widths) - 1)
    if sum(widths) > room:
        _abbreviate(headings, cells, widths)
        _fit(headings, [heads, *cells], widths, room)
    table = Table(box=box.SIMPLE_HEAD, padding=0, pad_edge=False, show_edge=False)
    table.width = sum(widths) + len(widths) - 1
    for heading, head, column in zip(headings, heads, widths, strict=True):
        table.add_column(
            broken(head, column),
            width=column,
            no_wrap=True,
            overflow="fold",
            justify="right" if heading in RIGHT else "left",
        )
    for row in cells:
        table.add_row(*(broken(cell, column) for cell, column in zip(row, widths, strict=True)))
    return table


def _abbreviate(headings: Sequence[str], cells: list[list["Text"]], widths: list[int]) -> None:
    """Shorten settings, before anything is broken over lines."""
    if "Settings" not in headings:
        return
    place = headings.index("Settings")
    for row in cells:
        shown = row[place]
        short = [_SHORT.get(word, word) for word in shown.plain.split(" ")]
        row[place] = text(" ".join(short))
        row[place].style = shown.style
        for span in shown.spans[:1]:  # a setting looks like its row
            row[place].stylize(span.style)
    widths[place] = _widest(text(headings[place]), *(row[place] for row in cells))


def _fit(
    headings: Sequence[str], rows: Sequence[Sequence["Text"]], widths: list[int], room: int
) -> None:
    """Let columns give way until the table fits, or none can any more."""
    heads, *cells = rows
    order = [headings.index(each) for each in GIVE_WAY if each in headings]
    longest = {
        place: max(_longest_piece(line) for row in rows for line in row[place].plain.split("\n"))
        for place in order
    }
    at_once = [place for place in order if headings[place] in AT_ONCE]
    for place in range(len(headings)):  # a heading of several words stands on several lines
        if place not in order:
            longest[place] = max(
                _longest_piece(heads[place].plain), _widest(*(row[place] for row in cells))
            )
            at_once.append(place)
    for place in at_once:
        spare = max(0, widths[place] - longest[place])
        widths[place] -= max(0, min(spare, sum(widths) - room))
    kept = {place: _KEPT.get(headings[place], 0) for place in order}
    for through, floors in ((False, kept), (False, {}), (True, {})):
        for step in _STEPS:
            for place in order:
                is_cut = through and headings[place] in CUT_THROUGH
                least = max(step, 0 if is_cut else longest[place], floors.get(place, 0))
                excess = sum(widths) - room
                if excess <= 0:
                    return
                widths[place] = max(min(widths[place], least), widths[place] - excess)
    for place in (headings.index(each) for each in LAST_RESORT if each in headings):
        excess = max(0, sum(widths) - room)
        widths[place] = max(min(widths[place], _NARROWEST), widths[place] - excess)


def height(table: "Table") -> int:
    """How many lines the rows of a table take."""
    rows = zip(*(column.cells for column in table.columns), strict=True)
    return sum(max(str(cell).count("\n") + 1 for cell in row) for row in rows)


def _longest_piece(line: str) -> int:
    from rich.cells import cell_len

    return max(map(cell_len, _PIECE.findall(line)), default=0)


def _widest(*texts: "Text") -> int:
    from rich.cells import cell_len

    lines = (line for each in texts for line in each.plain.split("\n"))
    return max(map(cell_len, lines), default=0)


def broken(whole: "Text", width: int, indent: int = 0) -> "Text":
    """A text on as many lines as it takes; those after the first may be indented."""
    from rich.text import Text

    lines: list[Text] = []
    for line in whole.split("\n", allow_blank=True):
        offsets = _offsets(line.plain, width, indent)
        for number, piece in enumerate(line.divide(offsets)):
            piece.rstrip()
            lines.append(Text(" " * indent if number else "").append_text(piece))
    made = Text("\n").join(lines)
    made.style = whole.style
    made.no_wrap, made.overflow = True, "fold"
    return made


def _offsets(line: str, width: int, indent: int) -> list[int]:
    """Where a line is divided so that no piece is wider than `width`."""
    from rich.cells import cell_len, chop_cells

    if cell_len(line) <= width:
        return []
    offsets: list[int] = []
    place, used = 0, 0
    for piece in _words(line, width - indent):
        wide = cell_len(piece)
        if used and used + wide > width and not piece.isspace():
            offsets.append(place)
            used = indent
        if used + wide > width and not piece.isspace():
            *full, rest = chop_cells(piece, max(1, width - indent)) or [""]
            start = place
            for part in full:
                start += len(part)
                offsets.append(start)
            used, wide = indent if full else used, cell_len(rest)
        used += wide
        place += len(piece)
    return offsets


def _words(line: str, width: int) -> list[str]:
    """A line's words and spaces; a word that is too long for a line comes in its pieces."""
    from rich.cells import cell_len

    found: list[str] = []
    for word in re.findall(r"\s+|\S+", line):
        found += [word] if cell_len(word) <= width else _PIECE.findall(word)
    return found


def grid(rows: Sequence[tuple[Line, Line]], width: int, indent: int = 0) -> "list[Text]":
    """Names and what they stand for, side by side; what does not fit goes on below itself."""
    from rich.cells import cell_len

    names = [text(*name) for name, _ in rows]
    beside = min(max(cell_len(name.plain) for name in names) + 1, width // 2)
    lines = []
    for name, (_, what) in zip(names, rows, strict=True):
        shown = text(" " * indent).append_text(name)
        shown.append(" " * max(1, beside - cell_len(name.plain)))
        lines.append(broken(shown.append_text(text(*what)), width, indent + beside))
    return lines


def bar(number: int, of: int) -> "Text":
    """A share as a bar with its percentage; whatever is more than nothing has a bit of a bar."""
    share = number / of if of else 0.0
    eighths = max(round(share * _BAR_WIDTH * 8), int(number > 0))
    drawn = "█" * (eighths // 8) + ("", *"▏▎▍▌▋▊▉")[eighths % 8]
    percent = "<1" if 0 < share < 0.01 else str(round(share * 100))
    return text(f"{percent:>3}% ", (drawn, Look.BAR))


def shares(heading: str, counted: Iterable[tuple[Line, int]], of: int, width: int) -> "Table":
    """A table of how often each thing came, with the share that it has."""
    rows = [[text(*what), f"{number:,}", bar(number, of)] for what, number in counted]
    return laid_out([heading, "Number", "Share"], rows, width)
