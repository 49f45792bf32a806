"""A fault at its place: the line that it is in, with a caret under the word, as compilers do."""

import json
import re
from collections.abc import Iterable

from idsync_cli.errors import Excerpt, printable
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


def request_excerpt(number: int, line: bytes, word: str | int | None) -> Excerpt:
    """A line of requests, and where in it the word that a refusal names stands.

    A word that stands there more than once is meant as a key, if it is one.
    """
    shown = line.decode("utf-8", "replace").removesuffix("\r")
    if isinstance(word, int):
        return Excerpt(number, shown, word + 1)
    if word is not None:
        for written in dict.fromkeys(
            (json.dumps(word, ensure_ascii=False), json.dumps(word), word)
        ):
            if not written or written not in shown:
                continue
            key = re.search(re.escape(written) + r"\s*:", shown)
            is_key = key is not None and shown.count(written) > 1
            at = key.start() if key is not None and is_key else shown.index(written)
            return Excerpt(number, shown, at + 1, len(written))
    return Excerpt(number, shown)


def _fitting(characters: Iterable[str], room: int) -> str:
    """As many characters as have room."""
    from rich.cells import cell_len

    fitting = ""
    for each in characters:
        if cell_len(fitting + each) > room:
            break
        fitting += each
    return fitting
