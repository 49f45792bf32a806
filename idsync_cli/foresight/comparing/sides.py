"""What a side answered, line by line, in a form that takes few bytes a line."""

from array import array
from collections.abc import Iterable
from enum import IntEnum
from pathlib import Path
from typing import NamedTuple

from idsync_cli.core.codes import ErrorCode
from idsync_cli.core.decision import Answer, DecidedBy, Refusal

MPIDS, WAYS, LINES = "mpids", "ways", "lines"
"""The files of a side: of each line its MPID, in which way it was answered, and its number."""

_TYPES = {MPIDS: "q", WAYS: "H", LINES: "L"}


class LineResult(IntEnum):
    """What came of a line: a profile, none, a refusal; or it is not compared.

    That is so of a scope that one side lacks, and where nobody recorded what was answered.
    """

    PROFILE = 0
    NOT_FOUND = 1
    REFUSED = 2
    ELSEWHERE = 3
    UNRECORDED = 4


class Way(NamedTuple):
    """One of the few ways in which lines are answered; what decided, or why it was refused."""

    kind: LineResult
    decided_by: DecidedBy | None = None
    error: str | None = None


class Side(NamedTuple):
    """All answers of one side. An MPID is 0 where there is none; `lines` are numbers in files."""

    mpids: "array[int]"
    ways: "array[int]"
    lines: "array[int]"
    known_ways: tuple[Way, ...]


class SideRecorder:
    """Writes answers, as they come, into files of a folder."""

    def __init__(self, folder: Path, scopes: Iterable[str]) -> None:
        self._files = {name: (folder / name).open("wb") for name in _TYPES}
        self._numbers: dict[Way, int] = {}
        self._scopes = frozenset(scopes)

    def record(self, answers: Iterable[Answer]) -> None:
        """Write answers behind those that came before."""
        mpids, ways, lines = (array(kind) for kind in _TYPES.values())
        for answer in answers:
            way, mpid = self._way_of(answer)
            mpids.append(mpid)
            ways.append(self._number_of(way))
            lines.append(answer.line or 0)
        for name, values in ((MPIDS, mpids), (WAYS, ways), (LINES, lines)):
            values.tofile(self._files[name])
            self._files[name].flush()  # whoever looks on may read it

    def _way_of(self, answer: Answer) -> tuple[Way, int]:
        outcome = answer.outcome
        if answer.scope is not None and answer.scope not in self._scopes:
            return Way(LineResult.ELSEWHERE), 0
        if isinstance(outcome, Refusal):
            return _REFUSED[outcome.code], 0
        mpid = answer.mpid
        if mpid is None:
            return Way(LineResult.NOT_FOUND, outcome.decided_by), 0
        return Way(LineResult.PROFILE, outcome.decided_by), mpid

    def _number_of(self, way: Way) -> int:
        number = self._numbers.get(way)
        if number is None:
            number = self._numbers[way] = len(self._numbers)
        return number

    def close(self) -> tuple[Way, ...]:
        """Close the files; which ways there were, in the order of their numbers."""
        for file in self._files.values():
            file.close()
        return tuple(self._numbers)


_REFUSED = {code: Way(LineResult.REFUSED, error=code.value) for code in ErrorCode}


def read_side(folder: Path, ways: tuple[Way, ...]) -> Side:
    """What a side has recorded in a folder."""
    mpids, numbers, lines = (
        _values(kind, (folder / name).read_bytes()) for name, kind in _TYPES.items()
    )
    return Side(mpids, numbers, lines, ways)


def _values(kind: str, data: bytes) -> "array[int]":
    values = array(kind)
    values.frombytes(data)
    return values


class Following:
    """Reads what a side records while it does so: its MPIDs, and the numbers of its ways."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._at = 0

    def next_answers(self, number: int) -> list[tuple[int, int]]:
        """So many further answers, which are recorded by now."""
        found = []
        for name in (MPIDS, WAYS):
            values = array(_TYPES[name])
            with (self._folder / name).open("rb") as file:
                file.seek(self._at * values.itemsize)
                values.frombytes(file.read(number * values.itemsize))
            found.append(values)
        self._at += number
        return list(zip(*found, strict=True))
