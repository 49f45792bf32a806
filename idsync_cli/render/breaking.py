"""Where lines are broken: at spaces, and words longer than a line at `_`, `-`, `@` and `.`."""

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from rich.text import Text

_PIECE: Final = re.compile(r"\s+|\d{4}-\d\d-\d\d(?!\S)|[^\s_\-@.]*[_\-@.]+|[^\s_\-@.]+")


def broken(whole: "Text", width: int, indent: int = 0) -> "Text":
    """A text on as many lines as it takes; those after the first may be indented.

    Without an indent, a line that is indented itself goes on below its first word.
    """
    from rich.text import Text

    lines: list[Text] = []
    for line in whole.split("\n", allow_blank=True):
        begins = len(line.plain) - len(line.plain.lstrip(" "))
        below = indent or min(begins, width // 2)
        offsets = _offsets(line.plain, width, below)
        for number, piece in enumerate(line.divide(offsets)):
            piece.rstrip()
            lines.append(Text(" " * below if number else "").append_text(piece))
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
    offset, used = 0, 0
    for piece in _words(line, width - indent):
        wide = cell_len(piece)
        if used and used + wide > width and not piece.isspace():
            offsets.append(offset)
            used = indent
        if used + wide > width and not piece.isspace():
            *full, rest = chop_cells(piece, max(1, width - indent)) or [""]
            start = offset
            for part in full:
                start += len(part)
                offsets.append(start)
            used, wide = indent if full else used, cell_len(rest)
        used += wide
        offset += len(piece)
    return offsets


def _words(line: str, width: int) -> list[str]:
    """A line's words and spaces; a word that is too long for a line comes in its pieces."""
    from rich.cells import cell_len

    found: list[str] = []
    for word in re.findall(r"\s+|\S+", line):
        found += [word] if cell_len(word) <= width else _PIECE.findall(word)
    return found


def longest_piece(line: str) -> int:
    """The columns of the longest piece of a line that is never broken, but cut through."""
    from rich.cells import cell_len

    return max(map(cell_len, _PIECE.findall(line)), default=0)


def widest(*texts: "Text") -> int:
    """The columns of the longest line of texts."""
    from rich.cells import cell_len

    lines = (line for each in texts for line in each.plain.split("\n"))
    return max(map(cell_len, lines), default=0)
