"""A table in which some cells of a row stand on lines of their own below it.

Rich is imported with this module, so only what draws a table imports it.
"""

from collections.abc import Iterable, Sequence
from typing import cast

from rich.console import Console, ConsoleOptions, RenderResult
from rich.segment import Segment
from rich.table import Table
from rich.text import Text


class Stacked(Table):
    """A table with texts below its heading and below each of its rows."""

    below: Sequence[Sequence[Text]] = ()
    """What stands below the heading, and then below each row."""

    @property
    def is_stacked(self) -> bool:
        """Whether any column stands below its rows."""
        return any(self.below)

    def row_heights(self) -> list[int]:
        """How many lines each row takes, without what stands below it."""
        rows = zip(*(column.cells for column in self.columns), strict=True)
        return [max(str(cell).count("\n") + 1 for cell in row) for row in rows]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw the lines of the table, with what stands below a row behind those of the row."""
        drawn = cast("Iterable[Segment]", super().__rich_console__(console, options))
        lines = list(Segment.split_lines(drawn))
        heights = self.row_heights()
        rule = len(lines) - sum(heights) - 1
        yield from _drawn(lines[:rule])
        yield from self.below[0]
        yield from _drawn(lines[rule : rule + 1])
        index = rule + 1
        for height, below in zip(heights, self.below[1:], strict=True):
            yield from _drawn(lines[index : index + height])
            yield from below
            index += height


def _drawn(lines: Sequence[list[Segment]]) -> list[Segment]:
    return [segment for line in lines for segment in (*line, Segment.line())]
