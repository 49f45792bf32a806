"""The pieces that every table is made of."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.table import Table


def new_table(*columns: str) -> "Table":
    """A table without a frame, whose columns fold what they cannot hold."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, padding=0, pad_edge=False, show_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def plain(text: str) -> Any:
    """Text for a cell or a line, in which nothing is taken for markup."""
    from rich.text import Text

    return Text(text)
