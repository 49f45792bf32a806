"""What the terminal shows, as elements of a page: the same tables and lines, with the same looks.

Whatever draws on a terminal makes its pieces once; `tables.WIDE` is the width to ask them with, at
which nothing is broken over lines: a page does that itself.
"""

from collections.abc import Iterable, Iterator
from itertools import chain, pairwise, zip_longest
from typing import TYPE_CHECKING, Any
from xml.etree.ElementTree import Element

from idsync_cli.render.html.elements import element
from idsync_cli.render.html.styles import look_class
from idsync_cli.render.theme import Line, text

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table
    from rich.text import Text

_FEW = 2

_ROLES = {
    "table": "table",
    "thead": "rowgroup",
    "tbody": "rowgroup",
    "tr": "row",
    "th": "columnheader",
    "td": "cell",
}
"""What elements of a table are: a browser forgets it of one that is shown as records."""


def line(*parts: Line) -> Element:
    """Lines as one paragraph."""
    return element("p", chain.from_iterable(map(spans, parts)), class_="line")


def typed(lines: Iterable[Element]) -> Element:
    """Lines in which every character is as wide as any other, and which are not broken."""
    return element("div", lines, class_="typed", tabindex="0", role="group", aria_label="line")


def spans(parts: Line) -> Iterator[Element | str]:
    """The parts of a line, with their looks."""
    return _spans(text(*parts))


def shown(pieces: "Iterable[RenderableType | str]") -> list[Element]:
    """Pieces for a terminal as elements of a page; what a blank line stands before is set apart."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    made: list[Element] = []
    is_apart = False
    for piece in pieces:
        if isinstance(piece, (str, Text)):
            one = text(piece) if isinstance(piece, str) else piece
            if not one.plain.strip():
                is_apart = True
                continue
            these = [element("p", _spans(one), class_="line")]
        elif isinstance(piece, Group):
            these = shown(piece.renderables)
        elif isinstance(piece, Table):
            these = [_table(piece) if piece.show_header else _beside(piece)]
        else:
            raise TypeError(f"a page cannot show a {type(piece).__name__}")
        if is_apart and these:
            these[0].set("class", f"{these[0].get('class')} apart")
            is_apart = False
        made += these
    return made


def _beside(grid: "Table") -> Element:
    """What stands side by side, where there is room."""
    cells = chain.from_iterable(zip(*(column.cells for column in grid.columns), strict=True))
    return element("div", (element("div", shown([each])) for each in cells), class_="beside")


def _table(drawn: "Table") -> Element:
    """A table; where it is wider than the page it scrolls by itself, with the keyboard, too."""
    columns = drawn.columns
    is_number = [column.justify == "right" for column in columns]
    heads = [column.header for column in columns]
    rows = zip_longest(*(list(column.cells) for column in columns), fillvalue="")
    return table(heads, rows, is_number, ", ".join(map(str, heads)))


def table(
    heads: Iterable[Any], rows: Iterable[Iterable[Any]], is_number: list[bool], name: str
) -> Element:
    """A table of texts; `name` tells those who do not see it what it is.

    On a narrow screen, one of several columns that are more than numbers is a list of records; so
    is one whose numbers stand beside more than a few others.
    """
    heads = list(heads)
    labels = list(map(str, heads))
    count = sum(is_number)
    is_several = len(heads) > _FEW and count * 2 < len(heads)
    is_wide = (is_several or len(heads) - count > _FEW) and "Share" not in labels
    numbers = ["number" if each else None for each in is_number]
    roles = _ROLES if is_wide else {}

    def made(name: str, *content: Any, **attributes: Any) -> Element:
        return element(name, *content, role=roles.get(name), **attributes)

    head = (
        made("th", _cell(each), scope="col", class_=number)
        for each, number in zip(heads, numbers, strict=True)
    )
    body = (
        made(
            "tr",
            (
                made(
                    "td",
                    element("div", _cell(each), class_="cell"),
                    class_=number,
                    data_label=label,
                )
                for each, number, label in zip(row, numbers, labels, strict=True)
            ),
        )
        for row in rows
    )
    whole = made("table", made("thead", made("tr", head)), made("tbody", body))
    class_ = "table records" if is_wide else "table"
    return element("div", whole, class_=class_, tabindex="0", role="group", aria_label=name)


def _cell(cell: Any) -> "Iterator[Element | str]":
    return _spans(text(cell) if isinstance(cell, str) else cell)


def _spans(whole: "Text") -> Iterator[Element | str]:
    """A text in pieces that have one look each, or none."""
    bounds = {0, len(whole.plain)}
    for span in whole.spans:
        bounds |= {max(0, span.start), min(len(whole.plain), span.end)}
    ends = sorted(bounds)
    for begin, end in pairwise(ends):
        looks = [whole.style, *(s.style for s in whole.spans if s.start <= begin and end <= s.end)]
        classes = " ".join(filter(None, (look_class(str(each)) for each in looks)))
        piece = whole.plain[begin:end]
        yield element("span", piece, class_=classes) if classes else piece
