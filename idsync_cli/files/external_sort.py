"""Sorting more lines than there is memory for: parts are sorted in memory and merged from files.

Lines are compared as bytes, so that a key in front of each, of one length, is what they are sorted
by. Temporary files take as much room as the lines, and for a moment twice as much.
"""

import heapq
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from itertools import islice
from tempfile import TemporaryFile
from typing import IO, Self

MEMORY = 2**26
"""How many bytes of lines are sorted at once."""

_MOST_FILES = 64
_OVERHEAD = 90  # what Python takes for a line besides its bytes
_PIECE = 2000


class ExternalSort:
    """Lines to be sorted. Use it in a `with`, which lets go of its files.

    Every method may raise OSError, where there is no room for them.
    """

    def __init__(self) -> None:
        self._lines: list[bytes] = []
        self._bytes = 0
        self._files: list[IO[bytes]] = []
        self._opened = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    def add(self, line: bytes) -> None:
        """Take a line, without a line feed in it or behind it."""
        self._lines.append(line)
        self._bytes += len(line) + _OVERHEAD
        if self._bytes > MEMORY:
            self._put_aside()

    def sorted(self) -> Iterator[bytes]:
        """All lines in their order, once."""
        self._lines.sort()
        if not self._files:
            return iter(self._lines)
        return heapq.merge(*map(_lines_of, self._files), self._lines)

    def _put_aside(self) -> None:
        self._lines.sort()
        self._files.append(self._written(self._lines))
        self._lines, self._bytes = [], 0
        if len(self._files) == _MOST_FILES:
            merged = self._written(heapq.merge(*map(_lines_of, self._files)))
            for file in self._files:
                file.close()
            self._files = [merged]

    def _written(self, lines: Iterable[bytes]) -> IO[bytes]:
        file = self._opened.enter_context(TemporaryFile())  # noqa: SIM115 - it is one
        write_lines(file, lines)
        return file


def write_lines(file: IO[bytes], lines: Iterable[bytes]) -> None:
    """Write lines to a file, many at once."""
    them = iter(lines)
    while some := list(islice(them, _PIECE)):
        file.write(b"\n".join([*some, b""]))


def _lines_of(file: IO[bytes]) -> Iterator[bytes]:
    file.seek(0)
    return (line[:-1] for line in file)
