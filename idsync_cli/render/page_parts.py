"""Tables and text as JSON, for a page that draws them: words with the names of their styles.

A page draws no markup of it: whatever a value says is a word among others.
"""

from collections.abc import Iterable
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from idsync_cli.render.tables import GIVE_WAY, RIGHT
from idsync_cli.render.theme import Look, text

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table
    from rich.text import Text

Json = dict[str, Any]

WIDTH: Final = 10**6
"""How many columns pieces for a page are laid out in: a page breaks lines itself."""

_LOOKS: Final = frozenset(Look)


def parts_json(pieces: "Iterable[RenderableType]") -> list[Json]:
    """Each piece as `{"text": LINE}` or `{"table": {"headings", "rows"}}`.

    A line, and each cell, is a list of parts: `[words]`, or `[words, style]`, which is a name of
    `render.theme.Look`. A heading is `{"text": words}`, of a column of numbers with `"numbers"`,
    and of one whose words may be broken with `"gives_way"` (`render.tables`).
    """
    from rich.table import Table
    from rich.text import Text

    found: list[Json] = []
    for piece in pieces:
        if isinstance(piece, Table):
            found.append({"table": _table_json(piece)})
        else:
            line = piece if isinstance(piece, Text) else text(str(piece))
            found.append({"text": _parts(line)})
    return found


def _table_json(table: "Table") -> Json:
    names = [" ".join(_cell_text(column.header).plain.split()) for column in table.columns]
    columns = [[_cell(each) for each in column.cells] for column in table.columns]
    headings = [
        {
            "text": name,
            **({"numbers": True} if name in RIGHT else {}),
            **({"gives_way": True} if name in GIVE_WAY else {}),
        }
        for name in names
    ]
    return {"headings": headings, "rows": [list(row) for row in zip(*columns, strict=True)]}


def _cell(cell: "RenderableType") -> list[list[str]]:
    return _parts(_cell_text(cell))


def _cell_text(cell: "RenderableType") -> "Text":
    from rich.text import Text

    return cell if isinstance(cell, Text) else text(str(cell))


def _parts(line: "Text") -> list[list[str]]:
    """The words between the places where a style begins or ends, each with the last of its own."""
    whole = line.plain
    its_own = str(line.style)
    edges = {0, len(whole)}
    for span in line.spans:
        edges |= {max(0, span.start), min(len(whole), span.end)}
    places = sorted(edges)
    parts: list[list[str]] = []
    for begin, end in pairwise(places):
        styles = [str(span.style) for span in line.spans if span.start <= begin < span.end]
        style = next((each for each in reversed([its_own, *styles]) if each in _LOOKS), "")
        part = [whole[begin:end], style] if style else [whole[begin:end]]
        if parts and parts[-1][1:] == part[1:] and style != Look.MPID:
            parts[-1][0] += part[0]
        else:
            parts.append(part)
    return parts
