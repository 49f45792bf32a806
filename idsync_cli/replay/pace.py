"""When a second process is worth starting, to write what this one decides.

These are pure functions of measured times. No number of lines is fixed, so the answer is right on
fast machines and on slow ones.
"""

from dataclasses import dataclass
from math import inf

_MARGIN = 2
"""A second process must save so many times the cost of its start, because it also has to end."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How long a line of the last batch took, in seconds: to decide it, and to commit it."""

    deciding: float
    writing: float


def lines_left(lines: int, done: int, size: int | None) -> int:
    """How many lines probably follow the first `lines`, which have `done` bytes.

    `size` is the size of the whole file in bytes, or None if it is unknown. Then as many lines are
    expected as have come so far.
    """
    if size is None or done == 0:
        return lines
    return max(0, size - done) * lines // done


def is_worth_a_process(pace: Pace, left: int, *, to_start: float, processors: int) -> bool:
    """Whether a second process should be started for the remaining lines.

    With two processes, a line takes as long as the slower of deciding and writing, instead of both
    together. `to_start` is the processor time, in seconds, that a process needs to start.
    `processors` is how many this process may use.
    """
    saved = left * min(pace.deciding, pace.writing)
    return processors > 1 and saved > _MARGIN * to_start


def pause(held: float, free: float, most: float) -> float:
    """How long the store should still be left free before the next transaction, in seconds.

    The last one held it for `held` seconds, and it has been free since for `free`. Whoever waits
    for it by SQLite's own means asks again after pauses that grow with the wait. The store is free
    for as long as such a pause, so that everyone asks once. It is `most` seconds at most: what can
    be spared, or a replay would be held up.
    """
    needed = next(pause for below, pause in _SQLITE_PAUSES if held < below)
    return max(0.0, min(needed - free, most))


_SQLITE_PAUSES = ((0.128, 0.03), (0.228, 0.06), (inf, 0.12))
"""How long SQLite pauses for one who has waited for less than so many seconds.

It is 25, 50 and 100 ms; pauses are a little longer than they should be, and so are these.
"""
