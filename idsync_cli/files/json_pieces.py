"""JSON that is too large for memory, or laid out by others: its values one by one, as text.

Read are the values that stand one behind another, those of a list, or the entries of a HAR. Where
one ends is told by brackets and quotes alone; whether it is JSON has to be seen by whoever reads
it. Commas between values are passed over.
"""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from idsync_cli.errors import FaultCode, UsageFault

LONGEST = 2**26
"""How many characters a value may have."""

_BRACKET = re.compile(r'["\[\]{}]')
_IN_TEXT = re.compile(r'["\\]')
_BEGINS = re.compile(r"[\[{]")
_NOT_SPACE = re.compile(r"[^\s,:]")
_ENDS_SCALAR = re.compile(r"[,}\]\s]")
_NOTHING = " \t\r\n,]"
_KEPT = 2**20


class Piece(NamedTuple):
    """A value as it stands in a file, and the line in which it begins.

    Of what is neither a list nor an object the text is empty, and `skipped` is what stands there.
    `ended` is false where the file ends within it, and `number` counts the values from 1.
    """

    line: int
    text: str
    skipped: str = ""
    ended: bool = True
    number: int = 0


class JsonPieces:
    """Reads values from the pieces of a text. What was taken of it is let go of."""

    def __init__(self, pieces: Iterator[str]) -> None:
        self._pieces = pieces
        self._text = ""
        self._at = 0
        self._line = 1

    def values(self) -> Iterator[Piece]:
        """Lists and objects one behind another; of a list that comes first, what it holds.

        Raises:
            UsageFault: one is too long.
        """
        if self._next() == "[":
            self._cut(self._at + 1)
        number = 0
        while (begin := self._search(_BEGINS, self._at)) is not None:
            for piece in self._skipped(begin.start(), number):
                yield piece
                number = piece.number
            number += 1
            yield self._value()._replace(number=number)
        yield from self._skipped(len(self._text), number)

    def inside(self, path: Sequence[str]) -> Iterator[Piece]:
        """What the list at a path of members holds, and nothing of what is around it.

        Raises:
            UsageFault: one is too long.
        """
        if all(map(self._enter, path)) and self._next() == "[":
            self._cut(self._at + 1)
            number = 0
            while (first := self._next()) not in ("", "]", "}"):
                number += 1
                if first in ("{", "["):
                    yield self._value()._replace(number=number)
                else:
                    yield self._scalar()._replace(number=number)

    def _scalar(self) -> Piece:
        """What is at hand, and is neither a list nor an object."""
        line = self._line
        if self._text[self._at] == '"':
            end = self._end_of_text(self._at + 1)
        else:
            found = self._search(_ENDS_SCALAR, self._at + 1)
            end = -1 if found is None else found.start()
        return Piece(line, "", self._cut(len(self._text) if end < 0 else end))

    def _skipped(self, end: int, number: int) -> Iterator[Piece]:
        """What stands up to an end, between commas, and is neither a list nor an object."""
        line = self._line
        for each in self._cut(end).split(","):
            if skipped := each.strip(_NOTHING):
                number += 1
                yield Piece(
                    line + each[: each.index(skipped)].count("\n"), "", skipped, True, number
                )
            line += each.count("\n")

    def entries(self) -> Iterator[Piece]:
        """The entries of a HAR: what the list `entries` of the object `log` holds.

        Raises:
            UsageFault: one is too long.
        """
        if self._enter("log") and self._enter("entries") and self._next() == "[":
            self._cut(self._at + 1)
            while self._next() == "{":
                yield self._value()

    def _enter(self, wanted: str) -> bool:
        """Go into the object at hand, up to the value of a member; whether it has that."""
        if self._next() != "{":
            return False
        self._cut(self._at + 1)
        while self._next() == '"':
            end = self._end_of_text(self._at + 1)
            name = self._cut(len(self._text) if end < 0 else end)
            if name == f'"{wanted}"':
                return True
            self._pass_over()
        return False

    def _pass_over(self) -> None:
        """Pass over a value, however long it is."""
        if self._next() in ("[", "{"):
            self._end_of_value(is_kept=False)
            return
        if self._next() == '"':
            end = self._end_of_text(self._at + 1)
        else:
            found = self._search(_ENDS_SCALAR, self._at)
            end = -1 if found is None else found.start()
        self._cut(len(self._text) if end < 0 else end)

    def _value(self) -> Piece:
        """The list or object at hand."""
        line, end = self._line, self._end_of_value()
        text = self._cut(len(self._text) if end < 0 else end)
        return Piece(line, text, ended=end >= 0)

    def _next(self) -> str:
        """The next character that is neither white space nor between values; empty at the end."""
        found = self._search(_NOT_SPACE, self._at)
        self._cut(len(self._text) if found is None else found.start())
        return "" if found is None else found[0]

    def _end_of_value(self, *, is_kept: bool = True) -> int:
        """Where the list or object at hand ends; -1 where the text ends in it."""
        depth, at = 0, self._at
        while (found := self._search(_BRACKET, at)) is not None:
            at = found.end()
            if found[0] == '"':
                at = self._end_of_text(at)
                if at < 0:
                    return -1
            else:
                depth += 1 if found[0] in "[{" else -1
                if depth <= 0:
                    self._cut(self._at if is_kept else at)
                    return at
            if not is_kept:
                self._cut(at)
                at = self._at
            elif at - self._at > LONGEST:
                raise UsageFault(
                    f"the value that begins in line {self._line} is longer than "
                    f"{LONGEST // 2**20} MiB",
                    FaultCode.INVALID_FILE,
                )
        return -1

    def _end_of_text(self, at: int) -> int:
        """Where a text ends whose content begins here; -1 if the file ends before that."""
        while (found := self._search(_IN_TEXT, at)) is not None:
            if found[0] == '"':
                return found.end()
            at = found.end() + 1
            while at > len(self._text):
                if not self._read():
                    return -1
        return -1

    def _search(self, pattern: re.Pattern[str], at: int) -> re.Match[str] | None:
        """The next place of one character that fits; more is read until there is one."""
        while (found := pattern.search(self._text, at)) is None:
            at = len(self._text)
            if not self._read():
                return None
        return found

    def _read(self) -> bool:
        piece = next(self._pieces, "")
        self._text += piece
        return bool(piece)

    def _cut(self, end: int) -> str:
        """What stands up to an end, which is passed by it."""
        piece = self._text[self._at : end]
        self._line += piece.count("\n")
        self._at = end
        if self._at > _KEPT:
            self._text, self._at = self._text[self._at :], 0
        return piece
