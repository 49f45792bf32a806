"""What can go wrong outside the rules, grouped by what the user can do about it."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import NamedTuple

LONGEST_QUOTE = 80
"""How many characters of a foreign value an error shows."""


class IdsyncError(Exception):
    """A fault that the user can mend; its exit status follows section 8."""

    exit_status = 2


class UsageFault(IdsyncError):
    """The command asks for something that cannot be."""


class Fault(NamedTuple):
    """What is wrong with a file, and where: counted from 1, or None for the whole of it."""

    path: str
    message: str
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        places = [str(place) for place in (self.line, self.column) if place is not None]
        return ":".join([printable(self.path), *places]) + f": {self.message}"


class FileFault(IdsyncError):
    """A configuration or scenario file cannot be used: every fault in it, a line each."""

    def __init__(self, faults: Iterable[Fault | str]) -> None:
        self.found = tuple(faults)
        self.faults = tuple(map(str, self.found))
        super().__init__("\n".join(self.faults))


class StoreFault(IdsyncError):
    """The store cannot be used: locked, damaged, newer than this version, or no store at all."""

    exit_status = 3


class Busy(IdsyncError):
    """More is being asked at once than may wait; nothing was done, and it can be asked again."""

    exit_status = 3


class Stopped(IdsyncError):
    """Whatever was to answer has been stopped; nothing was done."""

    exit_status = 3


class Terminated(BaseException):
    """Somebody asked the process to end: no more an error to pass over than Ctrl-C is."""


class OutputClosed(Exception):
    """Whoever read standard output has gone; what was committed is whole."""


def printable(text: str) -> str:
    """Show every character that could move a cursor or turn text around as an escape."""
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text
    )


def quoted(value: object) -> str:
    """A foreign value for an error message: one line, bounded, between quotes."""
    text = printable(str(value)[: LONGEST_QUOTE + 1])
    return f"'{text}'" if len(text) <= LONGEST_QUOTE else f"'{text[:LONGEST_QUOTE]}…'"


def nearest(word: str, known: Iterable[str]) -> str:
    """A hint at the nearest right word, ready to be put behind a message; or nothing."""
    close = get_close_matches(word[:LONGEST_QUOTE], list(known), n=1)
    return f"; did you mean '{printable(close[0])}'?" if close else ""
