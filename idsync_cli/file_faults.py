"""What is wrong with a file that people write, and where: every fault of it, each at its place."""

from collections.abc import Iterable
from typing import NamedTuple

from idsync_cli.errors import FaultCode, Hint, IdsyncError, printable


class Excerpt(NamedTuple):
    """A line of a file, for people: its number and text, and the word in it that is at fault.

    The column counts from 1 and is None where no word of the line is at fault; the length is in
    characters. The text is untrusted.
    """

    line: int
    text: str
    column: int | None = None
    length: int = 1


class Fault(NamedTuple):
    """What is wrong with a file, and where: counted from 1, or None for the whole of it."""

    path: str
    message: str
    line: int | None = None
    column: int | None = None
    hint: Hint | None = None
    excerpt: Excerpt | None = None

    @property
    def position(self) -> str:
        """The file, and where in it."""
        numbers = [str(position) for position in (self.line, self.column) if position is not None]
        return ":".join([printable(self.path), *numbers])

    def __str__(self) -> str:
        return f"{self.position}: {self.message}"


class FileFault(IdsyncError):
    """A configuration or scenario file cannot be used: every fault in it, one per line."""

    default_code = FaultCode.INVALID_FILE

    def __init__(self, faults: Iterable[Fault | str]) -> None:
        self.found = tuple(faults)
        self.faults = tuple(map(str, self.found))
        super().__init__("\n".join(self.faults))

    def __reduce__(self) -> tuple[type["FileFault"], tuple[tuple[Fault | str, ...]]]:
        return type(self), (self.found,)
