"""Where the fault in a row of CSV is: its line, with a caret under a cell or a quotation mark."""

import re
from collections.abc import Sequence

from idsync_cli.core.decision import Word
from idsync_cli.core.identity import TYPES_BY_NAME
from idsync_cli.file_faults import Excerpt

# A cell, unless it is quoted and the quotation mark is never closed.
_CELL = re.compile(r'"(?:[^"]|"")*+"|[^,\r\n]*+')
_AFTER_A_CELL = ("", ",", "\r", "\n")


def row_excerpt(
    number: int, names: Sequence[str], row: Sequence[str], word: Word | None
) -> Excerpt:
    """A row with a caret under the cell that a refusal names: by its place, its column or a key."""
    if isinstance(word, int):
        return cell_excerpt(number, row, word)
    keys = (word,) if isinstance(word, str) else word or ()
    for key in keys:
        kind = TYPES_BY_NAME.get(str(key))
        for index, name in enumerate(names):
            if name == key or (kind and TYPES_BY_NAME.get(name) is kind):
                return cell_excerpt(number, row, index)
    line = row[0].rstrip("\r\n")
    return Excerpt(number, line, 1, max(1, len(line)))


def cell_excerpt(number: int, row: Sequence[str], index: int) -> Excerpt:
    """A row with a caret under one of its cells, or behind the last."""
    text = "".join(row).rstrip("\r\n")
    at = 0
    for _ in range(index):
        at = min(_end_of_cell(text, at) + 1, len(text))
    return _part(number, text, at, _end_of_cell(text, at))


def _end_of_cell(text: str, at: int) -> int:
    cell = _CELL.match(text, at)
    return cell.end() if cell else at


def _part(number: int, text: str, at: int, end: int) -> Excerpt:
    """The line in which a part of a row begins, with carets under as much of it as is there."""
    begin = text.rfind("\n", 0, at) + 1
    line = text[begin:].partition("\n")[0].removesuffix("\r")
    length = max(1, min(end, begin + len(line)) - at)
    return Excerpt(number + text.count("\n", 0, begin), line, at - begin + 1, length)


def quotation_excerpt(number: int, row: Sequence[str]) -> Excerpt:
    """A row with a caret under the quotation mark that is never closed, or is closed too early."""
    text = "".join(row)
    at = 0
    while at < len(text):
        end = _end_of_cell(text, at)
        is_closed = end > at + 1 and text[end - 1] == '"' and text[end : end + 1] in _AFTER_A_CELL
        if text[at] == '"' and not is_closed:
            break
        at = end + 1
    return _part(number, text, min(at, len(text)), at + 1)
