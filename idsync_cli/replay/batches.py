"""Which lines of a file come next, and how many of them are done at once."""

from collections.abc import Iterator
from dataclasses import dataclass

from idsync_cli import wire
from idsync_cli.files.request_file import Position, RequestFile

HOLD_SECONDS = 0.25
"""How long a transaction of a replay is meant to take: others wait for it."""

FIRST, MOST = 500, 20_000
"""How many requests the first transaction has, and the most that one may have."""

_BLOCK = 200
"""How many requests are in memory at once."""


def fitting_size(size: int, lines: int, seconds: float) -> int:
    """How many requests fit into a transaction, given how long that many lines held the store.

    At most twice as many as before, which is `size`.
    """
    return max(1, min(int(lines * HOLD_SECONDS / max(seconds, 0.001)), 2 * size, MOST))


@dataclass(frozen=True, slots=True)
class LineBatch:
    """Lines that were taken from the file, and how far that brings it.

    `begins` has where each of them begins, if it may have to stop there.
    """

    lines: list[wire.NumberedLine]
    end: Position
    finished: bool
    begins: tuple[Position, ...] = ()

    def __iter__(self) -> Iterator[list[wire.Incoming]]:
        """Their requests, read a block at a time: so what is read is never much."""
        reader = wire.LineReader()
        for first in range(0, len(self.lines), _BLOCK):
            yield reader.requests(self.lines[first : first + _BLOCK])

    def up_to(self, place: int) -> "LineBatch":
        """The lines before one of them."""
        return LineBatch(self.lines[:place], self.begins[place], finished=False)


class Batches:
    """The lines of a file, some at once: so many that the store is held for a fitting time.

    With `size` it is always so many. With `may_stop` it is known of every line where it begins.
    """

    def __init__(
        self, requests: RequestFile, *, size: int | None = None, may_stop: bool = False
    ) -> None:
        self._requests = requests
        self._is_fixed = size is not None
        self._may_stop = may_stop
        self._anew: list[LineBatch] = []
        self.size = size or FIRST

    def next(self) -> LineBatch:
        """The next lines: such as have to be repeated, else some of the file."""
        if self._anew:
            return self._anew.pop(0)
        begins: list[Position] = []
        lines: list[wire.NumberedLine] = []
        if self._may_stop:
            while len(lines) < self.size:
                begins.append(self._requests.position)
                if not (taken := self._requests.take(1)):
                    break
                lines += taken
        else:
            lines = self._requests.take(self.size)
        end = self._requests.position
        return LineBatch(lines, end, len(lines) < self.size, tuple(begins))

    def fit(self, lines: int, seconds: float) -> None:
        """Let the next batch have a fitting size, given how long that many lines held the store.

        Lines that were repeated, or end the file, may be fewer than it had been meant to have.
        """
        if not self._is_fixed:
            self.size = fitting_size(self.size, lines, seconds)

    def do_anew(self, *taken: LineBatch) -> None:
        """Let lines that were taken come once more before all others."""
        self._anew = [*taken, *self._anew]
