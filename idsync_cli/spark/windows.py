"""Windows of lines: how large, into how many tasks, and what is told of them (section 13)."""

from typing import Any, Final, NamedTuple

LEAST_WINDOW: Final = 100_000
"""At so many lines, a window is no longer halved."""

LEAST_GAIN: Final = 0.1
"""If halving takes less than this off the largest component's share, it is not worth it."""

LINES_OF_A_TASK: Final = 20_000
"""About how many lines a task has, where they allow it."""

COMMONEST: Final = 5
"""How many values of the largest component are told."""


class WindowReport(NamedTuple):
    """What is told of a window before it is resolved.

    `refused` counts lines of a shape that is refused; `largest` the lines of the largest component,
    and `commonest` its commonest values, each with the number of lines that name it.
    """

    first_seq: int
    lines: int
    refused: int
    components: int
    largest: int
    commonest: tuple[tuple[str, str, int], ...]
    tasks: int

    @property
    def share(self) -> float:
        """The share of the lines that the largest component has."""
        return self.largest / self.lines if self.lines else 0.0

    def as_json(self) -> dict[str, Any]:
        """As it stands in a report."""
        return {
            "first_seq": self.first_seq,
            "lines": self.lines,
            "refused": self.refused,
            "components": self.components,
            "largest": self.largest,
            "share": round(self.share, 4),
            "commonest": [
                {"identity_type": kind, "value": value, "lines": lines}
                for kind, value, lines in self.commonest
            ],
            "tasks": self.tasks,
        }

    def told(self) -> str:
        """The same in a line, without any value."""
        text = (
            f"window from {self.first_seq:,}: {self.lines:,} lines, {self.refused:,} refused by "
            f"shape, {self.components:,} components; the largest has {self.largest:,} lines, "
            f"{self.share:.1%}"
        )
        if self.share * self.tasks > 1:
            text += f", and is one long task: {self.tasks} tasks cannot end before it"
        return text


def may_be_halved(lines: int, share: float, before: float | None, max_share: float) -> bool:
    """Whether a window is to be tried with half its lines.

    `share` is that of its largest component, `before` what it was with twice the lines.
    """
    if share <= max_share or lines <= LEAST_WINDOW:
        return False
    return before is None or share < before * (1 - LEAST_GAIN)


def tasks_for(lines: int, most: int) -> int:
    """Into how many tasks so many lines are spread, where Spark makes at most so many."""
    return max(1, min(most, -(-lines // LINES_OF_A_TASK)))
