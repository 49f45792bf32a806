"""When a replay is worth a second process, which writes what this one decides.

Pure functions of what was measured. No number of lines is fixed here, so that the answer is right
on fast machines and on slow ones.
"""

from dataclasses import dataclass

_MARGIN = 2
"""A second process must save that many times the cost of its start: it has to end, too."""


@dataclass(frozen=True, slots=True)
class Pace:
    """What a line took in the batch before, in seconds: to be decided, and to be committed."""

    deciding: float
    writing: float


def lines_left(lines: int, done: int, size: int | None) -> int:
    """How many lines are likely to follow the first `lines`, which have `done` bytes.

    `size` is that of the whole file in bytes, or None if nobody knows. Then as many are expected as
    have come so far.
    """
    if size is None or done == 0:
        return lines
    return max(0, size - done) * lines // done


def is_worth_a_process(pace: Pace, left: int, *, to_start: float, processors: int) -> bool:
    """Whether a second process should be started for the lines that are left.

    With two processes a line takes as long as the slower of deciding and writing, and no longer
    both together. `to_start` is what a process takes of a processor before it can do anything,
    in seconds; `processors` are those that this process may use.
    """
    saved = left * min(pace.deciding, pace.writing)
    return processors > 1 and saved > _MARGIN * to_start
