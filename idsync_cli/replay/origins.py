"""Where the lines of a batch come from: one file, or several of which the lines were sorted.

A number of a line that was sorted tells its file, too. What is counted, written and shown of an
answer is told by the line and the file as their author knows them.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from idsync_cli import wire
from idsync_cli.core.decision import Answer
from idsync_cli.files.sorted_requests import file_and_line_of

Answers = list[Answer]


class Origin(ABC):
    """Tells the file of each line; `files` are all of them, by their names."""

    def __init__(self, files: Sequence[str]) -> None:
        self.files = files

    @abstractmethod
    def by_file(self, answers: Answers) -> Iterable[tuple[str, Answers]]:
        """Answers in their order, with their lines and the file of each run of them."""

    @abstractmethod
    def lines_by_file(
        self, lines: Sequence[wire.NumberedLine]
    ) -> Iterable[tuple[str, Sequence[wire.NumberedLine]]]:
        """The same of lines."""

    @abstractmethod
    def file_and_line(self, number: int) -> tuple[str, int]:
        """The file of a line's number, and its number there."""


class OneFile(Origin):
    """All lines are of one file."""

    def __init__(self, file: str) -> None:
        super().__init__([file])
        self._file = file

    def by_file(self, answers: Answers) -> Iterable[tuple[str, Answers]]:
        """The answers, as they are."""
        return ((self._file, answers),)

    def lines_by_file(
        self, lines: Sequence[wire.NumberedLine]
    ) -> Iterable[tuple[str, Sequence[wire.NumberedLine]]]:
        """The lines, as they are."""
        return ((self._file, lines),)

    def file_and_line(self, number: int) -> tuple[str, int]:
        """The file, and the number."""
        return self._file, number


class SortedFiles(Origin):
    """Lines of several files, sorted."""

    def by_file(self, answers: Answers) -> Iterator[tuple[str, Answers]]:
        """Answers by the lines of their own files."""
        for file_index, some in groupby(answers, lambda each: file_and_line_of(each.line or 0)[0]):
            yield (
                self.files[file_index],
                [
                    Answer(
                        each.seq,
                        file_and_line_of(each.line or 0)[1],
                        each.kind,
                        each.scope,
                        each.outcome,
                    )
                    for each in some
                ],
            )

    def lines_by_file(
        self, lines: Sequence[wire.NumberedLine]
    ) -> Iterator[tuple[str, list[wire.NumberedLine]]]:
        """Lines by the numbers that they have in their own files."""
        for file_index, some in groupby(lines, lambda each: file_and_line_of(each[0])[0]):
            yield (
                self.files[file_index],
                [(file_and_line_of(number)[1], line) for number, line in some],
            )

    def file_and_line(self, number: int) -> tuple[str, int]:
        """The file of a line, and its number there."""
        file_index, line = file_and_line_of(number)
        return self.files[file_index], line
