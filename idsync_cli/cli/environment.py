"""The environment of a command: its streams, the clock and randomness.

The streams serve `idsync --help`, too; tables are imported where they are drawn.
"""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from shutil import get_terminal_size
from typing import TYPE_CHECKING, Any, TextIO

from idsync_cli.cli import colour
from idsync_cli.errors import (
    FaultCode,
    OutputClosed,
    StoreFault,
    Terminated,
    UsageFault,
    printable,
    quoted,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from rich.console import RenderableType

    from idsync_cli.render.theme import Line


_LONGEST_SEED = 4000  # Python reads few more digits, and 40 are more than can be guessed

_NARROWEST = 40
"""How many columns a table gets even where the terminal has fewer: it could show nothing else."""


def now_ms() -> int:
    """The time in milliseconds since 1970, UTC."""
    return time.time_ns() // 1_000_000


def new_seed() -> int:
    """128 random bits: MPIDs follow from the seed, and must not be guessed (section 7)."""
    return int.from_bytes(os.urandom(16))


def parse_seed(text: str | None) -> int | None:
    """Read `--seed`.

    Raises:
        UsageFault: it is not an integer.
    """
    if text is None:
        return None
    digits = text.removeprefix("-")
    if len(digits) > _LONGEST_SEED:
        raise UsageFault(f"--seed has {len(digits):,} digits; the limit is {_LONGEST_SEED:,}")
    if not (digits.isascii() and digits.isdigit()):
        raise UsageFault(f"--seed {quoted(text)} is not an integer; give digits, such as --seed 42")
    return int(text)


_BEGINNINGS = {"idsync:": "failed", "note:": "note", "dry run:": "note"}
"""What a message may begin with, and the style of that."""


def say(message: str, *, begins: str = "") -> None:
    """Send a message to the user, on standard error; if nobody can read it, the work continues.

    What it `begins` with looks like a failure, if it does.
    """
    looks = {begins: "failed"} if begins else _BEGINNINGS
    for line in message.split("\n"):
        begins = next(filter(line.startswith, looks), "")
        if not (colour.is_wanted(sys.stderr) or sys.stderr.isatty()):
            _talk(printable(line))
            continue
        from idsync_cli.render.theme import Look

        rest = printable(line.removeprefix(begins))
        say_line([(begins, Look(looks.get(begins, "plain"))), rest])


def say_line(line: "Line", *, indent: int = 2) -> None:
    """Write a message of printable parts: on a terminal as wide as that, in a pipe as one line."""
    if sys.stderr.isatty():
        from idsync_cli.render.breaking import broken
        from idsync_cli.render.theme import text

        for shown in drawn(
            broken(text(*line), terminal_width(to_stderr=True), indent), to_stderr=True
        ):
            _talk(shown)
        return
    from idsync_cli.render.theme import words

    _talk(colour.painted(line) if colour.is_wanted(sys.stderr) else words(line))


def _talk(line: str) -> None:
    with suppress(OSError):
        sys.stderr.write(line + "\n")
        sys.stderr.flush()


def write(text: str, *, to_stderr: bool = False) -> None:
    """Write data, on standard output unless it is busy with other data.

    Raises:
        OutputClosed: its reader has gone.
        StoreFault: it cannot be written.
    """
    try:
        stream = sys.stderr if to_stderr else sys.stdout
        stream.write(text + "\n")
        stream.flush()
    except BrokenPipeError:
        raise OutputClosed from None
    except OSError as error:
        raise StoreFault(
            f"standard output cannot be written: {error.strerror}", FaultCode.OUTPUT_UNWRITABLE
        ) from None


@contextmanager
def told_if_interrupted(what: "Callable[[], str]") -> Iterator[None]:
    """If somebody ends the command, say what of its work was done, as far as that is certain."""
    try:
        yield
    except (KeyboardInterrupt, Terminated) as end:
        how = "interrupted" if isinstance(end, KeyboardInterrupt) else "terminated"
        if isinstance(end, Terminated):
            end.is_told = True
        say(f"idsync: {how}; {what()}")
        raise


def write_lines(lines: "Iterable[Line]") -> None:
    """Write lines of parts: on a terminal broken at its width, in a pipe each as one line.

    This takes Rich only where a line has no room.
    """
    from idsync_cli.render.theme import words

    told = list(lines)
    if sys.stdout.isatty() and not all(map(_has_room, map(words, told))):
        from idsync_cli.render.breaking import broken
        from idsync_cli.render.theme import text

        draw(*[broken(text(*line), terminal_width(), indent=2) for line in told])
        return
    shown = colour.painted if colour.is_wanted(sys.stdout) else words
    write("\n".join(map(shown, told)))


def _has_room(line: str) -> bool:
    """Whether a line fits the terminal for sure; some characters take two columns."""
    return len(line) * (1 if line.isascii() else 2) <= terminal_width()


def write_utf8(text: str) -> None:
    """Write lines on standard output as UTF-8, whatever the terminal's own encoding is.

    Raises:
        OutputClosed: its reader has gone.
        StoreFault: it cannot be written.
    """
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write((text + "\n").encode("utf-8"))
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise OutputClosed from None
    except OSError as error:
        raise StoreFault(
            f"standard output cannot be written: {error.strerror}", FaultCode.OUTPUT_UNWRITABLE
        ) from None


def write_json(value: Any, *, to_stderr: bool = False) -> None:
    """Write one JSON value in ASCII, so that nothing in it can act on a terminal."""
    import json

    write(json.dumps(value), to_stderr=to_stderr)


def draw(*pieces: "RenderableType | str", to_stderr: bool = False) -> None:
    """Write tables and text: as wide as the terminal, plain in a pipe or with NO_COLOR."""
    write("\n".join(drawn(*pieces, to_stderr=to_stderr)), to_stderr=to_stderr)


def drawn(*pieces: "RenderableType | str", to_stderr: bool = False) -> list[str]:
    """The lines of tables and text, with colour only where it is wanted."""
    from idsync_cli.render.paper import lines

    stream = sys.stderr if to_stderr else sys.stdout
    has_colour = colour.is_wanted(stream)
    width = max(_NARROWEST, terminal_width(to_stderr=to_stderr))
    shown = lines(pieces, width, has_colour=has_colour)
    return shown if _draws_lines(stream) else [each.translate(_IN_ASCII) for each in shown]


# Whatever is shown of a value has none of these: `visible` makes escapes of them.
_IN_ASCII = str.maketrans(dict.fromkeys("█▉▊▋▌▍▎▏", "#") | {"▶": ">", "─": "-", "…": "~", "≠": "!"})


def _draws_lines(stream: TextIO) -> bool:
    """Whether a stream takes what tables are drawn with."""
    try:
        "▶█─…≠".encode(stream.encoding)
    except UnicodeEncodeError:
        return False
    return True


_WIDTH_IN_A_PIPE = 100
_WIDTH_OF_A_TABLE = 80


def width_of_excerpts(stream: TextIO) -> int:
    """How much of the line of a file is shown on a stream: in a pipe more than a table takes."""
    is_stderr = stream is sys.stderr
    return terminal_width(to_stderr=is_stderr) if stream.isatty() else _WIDTH_IN_A_PIPE


def terminal_width(*, to_stderr: bool = False) -> int:
    """How many columns a table may take: the terminal's, or 80 in a pipe; COLUMNS overrules.

    A stream may have a terminal while the other is a file.
    """
    usual = get_terminal_size(fallback=(_WIDTH_OF_A_TABLE, 24)).columns
    if not to_stderr or os.environ.get("COLUMNS"):
        return usual
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns or _WIDTH_OF_A_TABLE
    except (OSError, ValueError):
        return _WIDTH_OF_A_TABLE
