"""The lines of several files of requests in the order of their own times.

A line's own time is its `request_timestamp_ms`, of an event batch its `timestamp_unixtime_ms` if
there is one. A line without a time keeps to the line before it. Of equal times the file
that was named first comes first, and of one file the line that comes first: nothing is random.

They are put into a temporary file. There each begins with the place of its file and its number.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import IO, Any

from idsync_cli import wire
from idsync_cli.errors import FaultCode, Hint, StoreFault, UsageFault
from idsync_cli.files.external_sort import ExternalSort, write_lines
from idsync_cli.files.request_file import Position, RequestFile
from idsync_cli.files.source import STANDARD_STREAM, Source

FITS = 2**26
"""How many bytes of a pipe are sorted: what came through it cannot be read again."""

_FIRST = -(2**63)  # a time that is before every other
_KEY = "{:020d} {:06d} {:015d} "
_TIME = slice(0, 21)
_LINES_AT_ONCE = 1000
_LONGEST = wire.LONGEST_LINE + 64  # with what stands before a line


@dataclass(frozen=True, slots=True)
class SortedLines:
    """Files in the order of time: as one source, and each file as it was read to its end.

    `with_labels` are the places of the files in which lines may name labels; `without_time` is how
    many lines have no time of their own.
    """

    source: Source
    ends: tuple[Position, ...]
    with_labels: frozenset[int]
    without_time: int


class SortedRequests(RequestFile):
    """The lines of files that were sorted: each has a number that tells its file, too."""

    def __init__(self, source: Source) -> None:
        super().__init__(source, _LONGEST)

    def next_lines(self, most: int) -> list[wire.NumberedLine]:
        """The next lines; see `file_and_line_of`."""
        return [_numbered(line) for _, line in super().next_lines(most)]


def file_and_line_of(number: int) -> tuple[int, int]:
    """Of a line's number, the place of its file and the line there."""
    line, file = divmod(number, _FILES)
    return file, line


_FILES = 10**6


def _numbered(line: bytes) -> wire.NumberedLine:
    file, number, rest = line.split(b" ", 2)
    return int(number) * _FILES + int(file), rest


@contextmanager
def sorted_by_time(
    files: Sequence[tuple[str, Source]], advance: Callable[[int, int], None]
) -> Iterator[SortedLines]:
    """Sort the lines of files; `advance` hears how many bytes and lines were read.

    Raises:
        UsageFault: a file cannot be read, or a pipe holds more than fits.
        StoreFault: there is no room for temporary files.
    """
    with ExitStack() as opened:
        try:
            file = opened.enter_context(TemporaryFile())
            found = _sort(files, file, advance)
        except OSError as error:
            raise StoreFault(
                f"the lines cannot be sorted: {error.strerror}",
                FaultCode.DISK_FULL,
                hint=Hint.MAKE_ROOM_FOR_TEMPORARY_FILES,
            ) from None
        yield found


def _sort(
    files: Sequence[tuple[str, Source]], file: IO[bytes], advance: Callable[[int, int], None]
) -> SortedLines:
    time_of = _time_reader()
    ends: list[Position] = []
    with_labels: set[int] = set()
    position = number = without_time = 0
    with ExternalSort() as sort:
        for file_index, (name, source) in enumerate(files):
            if not source.can_be_read_again:
                source.keep(FITS + 1)
            requests = RequestFile(source)
            time = _FIRST
            while lines := requests.next_lines(_LINES_AT_ONCE):
                for line, data in lines:
                    own = time_of(data)
                    time = time if own is None else own
                    without_time += own is None
                    if b'"label"' in data or b"\\" in data:
                        with_labels.add(file_index)
                    sort.add(_KEY.format(time - _FIRST, file_index, line).encode() + data)
                number += len(lines)
                if not source.can_be_read_again and source.bytes_read > FITS:
                    raise _too_long(name)
                advance(position + source.position_in_file, number)
            position += source.size_of_file or 0
            ends.append(requests.position)
        write_lines(file, (_with_file(line) for line in sort.sorted()))
    file.seek(0)
    source = Source("the sorted requests", file)
    return SortedLines(source, tuple(ends), frozenset(with_labels), without_time)


def _with_file(line: bytes) -> bytes:
    """A line that was sorted, without its time, and with its numbers as short as they are."""
    file, number, rest = line[_TIME.stop :].split(b" ", 2)
    return b"%d %d %b" % (int(file), int(number), rest)


def _too_long(name: str) -> UsageFault:
    what = "standard input" if name == STANDARD_STREAM else "a pipe"
    return UsageFault(
        f"{what} holds more than {FITS // 2**20} MiB, too much to sort by time",
        FaultCode.FILE_UNREADABLE,
        hint=Hint.SAVE_TO_A_FILE,
        path=name,
    )


def _time_reader() -> Callable[[bytes], int | None]:
    """Make what reads the own time of a line; None where it has none that can be read."""
    import msgspec

    times = msgspec.defstruct(
        "Times",
        [
            ("type", Any, None),
            ("request_timestamp_ms", int | None, None),
            ("timestamp_unixtime_ms", int | None, None),
        ],
        gc=False,
    )
    decode: Callable[[bytes], Any] = msgspec.json.Decoder(times).decode

    def time_of(line: bytes) -> int | None:
        try:
            found = decode(line)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return None
        time: int | None = found.timestamp_unixtime_ms if found.type == "batch" else None
        if time is None:
            time = found.request_timestamp_ms
        return time if time is not None and _FIRST <= time < -_FIRST else None

    return time_of
