"""A fault at its place: the line that it is in, with a caret under the word, as compilers do."""

from idsync_cli.errors import printable
from idsync_cli.file_faults import Excerpt
from idsync_cli.render.theme import Line, Look

_LEAST = 20
"""How much of a line is shown on however narrow a terminal."""


def excerpt_lines(excerpt: Excerpt, width: int) -> list[Line]:
    """The line of a fault, and below it the caret; without one where no word is at fault.

    What has no room in `width` columns gives way to an ellipsis, the fault itself last.
    """
    from rich.cells import cell_len

    gutter = f"{excerpt.line:>4} | "
    room = max(_LEAST, width - len(gutter) - 2)  # the ellipses
    begin = 0 if excerpt.column is None else excerpt.column - 1
    end = begin + excerpt.length
    word = _fitting(printable(excerpt.text[begin : min(end, begin + room)]), room)
    wanted = printable(excerpt.text[max(0, begin - room) : begin])
    behind_it = cell_len(printable(excerpt.text[end : end + room]))
    wanted_behind = min(behind_it, room // 4)
    most = max(room // 2, room - cell_len(word) - wanted_behind)
    before = _fitting(wanted[::-1], most)[::-1]
    left = room - cell_len(before)
    behind = _fitting(printable(excerpt.text[begin : begin + room + 1]), left)
    is_cut = cell_len(printable(excerpt.text[begin : begin + room + 1])) > left
    start = "" if len(before) == len(wanted) and begin <= room else "…"
    shown = f"{start}{before}{behind}{'…' if is_cut else ''}"
    found: list[Line] = [[(gutter, Look.ASIDE), shown]]
    if excerpt.column is not None:
        blank = " " * (len(gutter) - 2) + "| "
        under = " " * cell_len(start + before)
        carets = "^" * min(max(1, cell_len(word)), max(1, left))
        found.append([(blank, Look.ASIDE), under, (carets, Look.CARET)])
    return found


def _fitting(characters: str, room: int) -> str:
    """As many characters as have room."""
    from rich.cells import cell_len

    if cell_len(characters) <= room:
        return characters
    fitting = ""
    for each in characters:
        if cell_len(fitting + each) > room:
            break
        fitting += each
    return fitting
