"""The decisions of a job: several files, each in order, read as one (section 13)."""

import gzip
import zlib
from collections.abc import Iterable, Iterator
from heapq import heappop, heappush, heapreplace
from pathlib import Path

from idsync_cli.errors import UsageFault, quoted


def merged(paths: Iterable[Path]) -> Iterator[bytes]:
    """The lines of all files, by the number that each begins with.

    A file is opened when it is its turn: those of a later window have to wait.

    Raises:
        UsageFault: a file cannot be read to its end, or says something else.
    """
    firsts = ((next(_lines_of(path), None), path) for path in paths)
    waiting = sorted([(first[0], path) for first, path in firsts if first is not None])
    waiting.reverse()
    open_files: list[tuple[int, bytes, Iterator[tuple[int, bytes]]]] = []
    while waiting or open_files:
        while waiting and (not open_files or waiting[-1][0] < open_files[0][0]):
            file = _lines_of(waiting.pop()[1])
            heappush(open_files, (*next(file), file))
        _, line, file = open_files[0]
        yield line
        following = next(file, None)
        if following is None:
            heappop(open_files)
        else:
            heapreplace(open_files, (*following, file))


def _lines_of(path: Path) -> Iterator[tuple[int, bytes]]:
    try:
        with gzip.open(path) as file:
            for line in file:
                yield int(line[1 : line.index(b",")]), line[:-1]
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise UsageFault(f"the decisions {quoted(str(path))} are damaged: {error}") from None
