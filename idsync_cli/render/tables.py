"""How every table is laid out: what gives way first, and what stands below its row.

A table is as wide as what it says. Where the terminal is narrower, columns give way in the order
of `GIVE_WAY`, and a column that is not named there never does: an MPID, a number or the code of a
reason is never broken. Words break at spaces, and behind `_`, `-`, `@` and `.`; a piece that is
longer than its column is cut through only if nothing else helps, and a date stays whole.
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

from idsync_cli.render.breaking import broken, longest_piece, widest
from idsync_cli.render.theme import Line, text

if TYPE_CHECKING:
    from rich.text import Text

    from idsync_cli.render.stacked import Stacked

AT_ONCE: Final = ("What it means", "Settings", "Outcome", "Share")
"""The headings of columns that get as narrow as their longest word before any other does."""

GIVE_WAY: Final = (
    *AT_ONCE,
    "Added (UTC)",
    "Time (UTC)",
    "First identifiers",
    "Identifier",
    "Details",
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
    *("Value", "Identifier", "Details", "Device", "Name", "Attribute", "What", "Event"),
    *("First identifiers", "By", "Change", "Most shared", "Audience", "Workspaces"),
)
"""The headings of columns whose words are cut through, if nothing else helps."""

LAST_RESORT: Final = ("Scope", "State", "Most shared")
"""The headings of columns whose words are cut through if not even that helps."""

RIGHT: Final = frozenset(
    (
        *("#", "Held by", "Eligible", "Left", "Seq", "Ids", "Number", "Requests", "Holders"),
        *("Profiles", "Known", "Anonymous", "Orphaned", "Identifiers", "Mean", "Most"),
        *("In", "Values", "Decided", "Profiles per value", "Values per profile"),
        *("Members", "Opted out", "A", "B", "Recorded"),
    )
)
"""The headings of columns of numbers; one in which something stands below a number is left."""

BELOW: Final = ("By", "Value", "First identifiers", "Most shared", "Settings", "Event", "Audience")
"""The headings of columns that move below their rows, the first one first.

They move where a word would be cut through, or where a table is tall and gets shorter by a third.
"""

SIDE_BY_SIDE: Final = ("By", "First identifiers", "Most shared")
"""The headings of columns whose lines are lists: they stand side by side where there is room."""

NOT_IF_EMPTY: Final = ("Settings",)
"""The headings of columns that a table without room does not have if they say nothing."""

_TALL: Final = 12
"""From how many lines on a table is tall."""

_INDENT: Final = 2
_NARROW_FIRST: Final = 8
"""What stands below a row is indented as the second column is, if the first one is narrower."""

_EMPTY: Final = ("", "-")

_SHORT: Final = {"login": "log", "unique": "uniq", "immutable": "immut"}
"""Settings, where there is no room for the words."""

_STEPS: Final = (20, 12, 8)
"""How narrow columns get, one after the other, before any of them gets narrower."""

_KEPT: Final = {"By": len("sent 2026-03-02 02:02:02")}
"""How wide columns stay as long as others can give way: narrower, each row takes two lines more."""

_NARROWEST: Final = 4
"""How narrow the columns of the last resort get."""

_COMMA: Final = ", "


WIDE: Final = 10**6
"""The columns to draw with for a page, which breaks lines itself, and puts nothing side by side."""


def laid_out(headings: Sequence[str], rows: Iterable[Sequence[Any]], width: int) -> "Stacked":
    """A table of texts, no wider than `width` unless it cannot be narrower."""
    cells = [[text(each) if isinstance(each, str) else each for each in row] for row in rows]
    headings, cells = _without_empty(headings, cells, width)
    beside, is_whole = _table(headings, cells, width, [])
    if is_whole and height(beside) < _TALL:
        return beside
    below: list[int] = []
    movable = [headings.index(each) for each in BELOW if each in headings[1:]]
    for column in movable:
        below.append(column)
        stacked, is_stacked_whole = _table(headings, cells, width, below)
        if is_stacked_whole:
            is_shorter = 2 * height(beside) > 3 * height(stacked)
            return stacked if is_shorter or not is_whole else beside
    return beside


def _table(
    headings: Sequence[str], cells: Sequence[Sequence["Text"]], width: int, below: Sequence[int]
) -> "tuple[Stacked, bool]":
    """A table with some columns below its rows; and whether it fits with no word cut through."""
    from rich import box

    from idsync_cli.render.stacked import Stacked

    kept = [column for column in range(len(headings)) if column not in below]
    names = [headings[column] for column in kept]
    heads = [text(name) for name in names]
    rows = [[row[column] for column in kept] for row in cells]
    widths = [widest(heads[n], *(row[n] for row in rows)) for n in range(len(heads))]
    room = width - (len(widths) - 1)
    if sum(widths) > room:
        _abbreviate(names, rows, widths)
        _fit(names, [heads, *rows], widths, room)
    elif width < WIDE:
        _put_side_by_side(names, rows, widths, room)
    table = Stacked(box=box.SIMPLE_HEAD, padding=0, pad_edge=False, show_edge=False)
    table.width = sum(widths) + len(widths) - 1
    several = {name for n, name in enumerate(names) if any("\n" in row[n].plain for row in rows)}
    numeric = RIGHT - several
    for name, head, column in zip(names, heads, widths, strict=True):
        table.add_column(
            broken(head, column),
            width=column,
            no_wrap=True,
            overflow="fold",
            justify="right" if name in numeric else "left",
        )
    for row in rows:
        table.add_row(*(broken(cell, column) for cell, column in zip(row, widths, strict=True)))
    indent = widths[0] + 1 if widths[0] < _NARROW_FIRST else _INDENT
    table.below = [
        [
            _indented(row[column], width, indent)
            for column in below
            if row[column].plain not in _EMPTY
        ]
        for row in ([text(heading) for heading in headings], *cells)
    ]
    pieces = (max(map(_longest, column)) for column in zip(heads, *rows, strict=True))
    fits = all(piece <= column for piece, column in zip(pieces, widths, strict=True))
    return table, fits and sum(widths) <= room


def _without_empty(
    headings: Sequence[str], cells: list[list["Text"]], width: int
) -> tuple[Sequence[str], list[list["Text"]]]:
    """What is in a table: where there is no room, not the columns that say nothing."""
    columns = [
        [text(heading), *(row[column] for row in cells)] for column, heading in enumerate(headings)
    ]
    if sum(widest(*column) + 1 for column in columns) - 1 <= width:
        return headings, cells
    kept = [
        column
        for column, heading in enumerate(headings)
        if heading not in NOT_IF_EMPTY or any(row[column].plain not in _EMPTY for row in cells)
    ]
    return [headings[column] for column in kept], [
        [row[column] for column in kept] for row in cells
    ]


def _put_side_by_side(
    headings: Sequence[str], rows: list[list["Text"]], widths: list[int], room: int
) -> None:
    """Let lists take the room that is left, on fewer lines."""
    for column in (headings.index(each) for each in SIDE_BY_SIDE if each in headings):
        most = widths[column] + room - sum(widths)
        for row in rows:
            row[column] = _filled(row[column], most)
        widths[column] = widest(text(headings[column]), *(row[column] for row in rows))


def _filled(listed: "Text", width: int) -> "Text":
    """The lines of a list, as many side by side as there is room for."""
    from rich.cells import cell_len

    lines = listed.split("\n")
    filled = [lines[0]]
    for line in lines[1:]:
        if cell_len(filled[-1].plain) + len(_COMMA) + cell_len(line.plain) <= width:
            filled[-1] = text(_COMMA).join([filled[-1], line])
        else:
            filled.append(line)
    return text("\n").join(filled)


def _indented(whole: "Text", width: int, indent: int) -> "Text":
    """Lines that all begin at a column; several are one where there is room."""
    from rich.cells import cell_len

    joined = text(_COMMA).join(whole.split("\n"))
    if cell_len(joined.plain) <= width - indent:
        whole = joined
    return text("\n").join(
        text(" " * indent).append_text(line)
        for line in broken(whole, width - indent).split("\n", allow_blank=True)
    )


def _longest(cell: "Text") -> int:
    return max(map(longest_piece, cell.plain.split("\n")))


def _abbreviate(headings: Sequence[str], cells: list[list["Text"]], widths: list[int]) -> None:
    """Shorten settings, before anything is broken over lines."""
    if "Settings" not in headings:
        return
    column = headings.index("Settings")
    for row in cells:
        shown = row[column]
        short = [_SHORT.get(word, word) for word in shown.plain.split(" ")]
        row[column] = text(" ".join(short))
        row[column].style = shown.style
        for span in shown.spans[:1]:  # a setting looks like its row
            row[column].stylize(span.style)
    widths[column] = widest(text(headings[column]), *(row[column] for row in cells))


def _fit(
    headings: Sequence[str], rows: Sequence[Sequence["Text"]], widths: list[int], room: int
) -> None:
    """Let columns give way until the table fits, or none can any more."""
    heads, *cells = rows
    order = [headings.index(each) for each in GIVE_WAY if each in headings]
    longest = {column: max(_longest(row[column]) for row in rows) for column in order}
    at_once = [column for column in order if headings[column] in AT_ONCE]
    for column in range(len(headings)):  # a heading of several words stands on several lines
        if column not in order:
            longest[column] = max(
                longest_piece(heads[column].plain), widest(*(row[column] for row in cells))
            )
            at_once.append(column)
    for column in at_once:
        spare = max(0, widths[column] - longest[column])
        widths[column] -= max(0, min(spare, sum(widths) - room))
    kept = {column: _KEPT.get(headings[column], 0) for column in order}
    for through, floors in ((False, kept), (False, {}), (True, {})):
        for step in _STEPS:
            for column in order:
                is_cut = through and headings[column] in CUT_THROUGH
                least = max(step, 0 if is_cut else longest[column], floors.get(column, 0))
                excess = sum(widths) - room
                if excess <= 0:
                    return
                widths[column] = max(min(widths[column], least), widths[column] - excess)
    for column in (headings.index(each) for each in LAST_RESORT if each in headings):
        excess = max(0, sum(widths) - room)
        widths[column] = max(min(widths[column], _NARROWEST), widths[column] - excess)


def height(table: "Stacked") -> int:
    """How many lines the rows of a table take."""
    below = sum(line.plain.count("\n") + 1 for row in table.below[1:] for line in row)
    return sum(table.row_heights()) + below


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
