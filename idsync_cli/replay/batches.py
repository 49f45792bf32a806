"""The lines of a file in batches, and how large the next batch should be."""

from collections.abc import Iterator
from dataclasses import dataclass

from idsync_cli import wire
from idsync_cli.files.request_file import Position, RequestFile

HOLD_SECONDS = 0.2
"""How long a transaction of a replay should take, because other writers wait for it."""

FIRST, MOST = 500, 16_000
"""How many requests the first transaction has, and the most that any may have."""

_BLOCK = 200
"""How many requests are in memory at once."""


def fitting_size(size: int, lines: int, seconds: float) -> int:
    """How many requests fit into a transaction, if `lines` of them took so many seconds.

    At most twice `size`, which was the size before.
    """
    return max(1, min(int(lines * HOLD_SECONDS / max(seconds, 0.001)), 2 * size, MOST))


@dataclass(frozen=True, slots=True)
class LineBatch:
    """Lines of the file, and the position after them.

    `begins` has the position of each line, if the replay may have to stop before it.
    """

    lines: list[wire.NumberedLine]
    end: Position
    finished: bool
    begins: tuple[Position, ...] = ()

    def __iter__(self) -> Iterator[list[wire.Incoming]]:
        """Their requests, parsed in blocks, so that few are in memory."""
        reader = wire.LineReader()
        for first in range(0, len(self.lines), _BLOCK):
            yield reader.requests(self.lines[first : first + _BLOCK])

    def up_to(self, index: int) -> "LineBatch":
        """The lines before the one at an index."""
        return LineBatch(self.lines[:index], self.begins[index], finished=False)


class Batches:
    """The lines of a file in batches, of such a size that transactions take a suitable time.

    With `size`, every batch has so many lines. With `may_stop`, the position of each line is kept.
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
        """The next batch: lines that have to be done again, or else the next ones of the file."""
        if self._anew:
            return self._anew.pop(0)
        begins: list[Position] = []
        lines: list[wire.NumberedLine] = []
        if self._may_stop:
            while len(lines) < self.size:
                begins.append(self._requests.position)
                if not (some := self._requests.next_lines(1)):
                    break
                lines += some
        else:
            lines = self._requests.next_lines(self.size)
        end = self._requests.position
        return LineBatch(lines, end, len(lines) < self.size, tuple(begins))

    def fit(self, lines: int, seconds: float) -> None:
        """Choose the size of the next batch: the last one had so many lines and took so long.

        A batch that was done again, or that ends the file, may be smaller than the size chosen.
        """
        if not self._is_fixed:
            self.size = fitting_size(self.size, lines, seconds)

    def do_anew(self, *batches: LineBatch) -> None:
        """Let batches come again, before all others."""
        self._anew = [*batches, *self._anew]
