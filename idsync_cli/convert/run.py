"""A file, whatever it holds, to request lines: one by one, so that its size does not matter."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import NamedTuple, Self

from idsync_cli.convert import har, objects
from idsync_cli.convert.columns import Columns, RowKind, Target
from idsync_cli.convert.lines import CannotUse
from idsync_cli.convert.objects import FoundRequest
from idsync_cli.convert.report import SHOWN, Converted, LineEnd, Unusable
from idsync_cli.convert.variants import Variants
from idsync_cli.core.identity import Identifier
from idsync_cli.errors import UsageFault, number_of, quoted
from idsync_cli.files.contents import LINES, Contents, check
from idsync_cli.files.foreign_text import ForeignText, is_text
from idsync_cli.files.json_pieces import JsonPieces, Piece
from idsync_cli.files.looks import path_of_list
from idsync_cli.files.table import TableRow, rows

_IN_LINES = (*LINES, Contents.REQUESTS, Contents.BATCHES, Contents.PREFIXED)
_TAKEN = (
    *_IN_LINES,
    Contents.CSV,
    Contents.ARRAY,
    Contents.LAID_OUT,
    Contents.WRAPPED,
    Contents.COMMAS,
    Contents.ON_ONE_LINE,
    Contents.HAR,
    Contents.CARRIAGE_RETURNS,
)
_WANTED = "requests are converted from CSV, JSON and browser recordings (HAR)"
_BEGINS_AN_OBJECT = re.compile(r'\{\s*"')


class ConvertSource(NamedTuple):
    """What is converted: the name of the file, its text, and what was said of it."""

    name: str
    text: ForeignText
    said: Mapping[str, Target]
    default: RowKind


class Conversion:
    """One conversion. Use it in a `with`; `requests` gives the lines, then `report` tells of them.

    Raises:
        UsageFault: the file holds nothing that is known, or its header names no identifier.
    """

    def __init__(self, source: ConvertSource) -> None:
        self._source = source
        self._columns = Columns(source.said, source.default)
        self._variants = Variants()
        self._written = self._passed_over = self._unusable = self._line_ends = 0
        self._first: list[Unusable] = []
        self._first_line_ends: list[LineEnd] = []
        self._contents = source.text.holds
        check(source.name, self._contents, _TAKEN, _WANTED)
        self._rows: Iterator[TableRow] = iter(())
        self._header: list[str] = []
        self._nameless: set[int] = set()
        if self._is_table():
            self._contents = Contents.CSV
            self._rows = rows(source.text.lines())
            self._header = self._read_header()
        elif self._contents is Contents.TEXT and not _has_objects(source.text.head()):
            raise UsageFault(f"{quoted(source.name)} {self._contents}, but {_WANTED}")

    def __enter__(self) -> Self:
        self._variants.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._variants.__exit__(None, None, None)

    def requests(self) -> Iterator[str]:
        """The request lines, in the order of the file."""
        for line, found in self._found():
            try:
                request = found()
            except CannotUse as fault:
                self._note(line, fault.why, fault.lines)
                continue
            if request is None:
                self._passed_over += 1
                continue
            for what in request.left_out:
                self._note(line, what)
            self._variants.add(line, request.identifiers)
            self._look_for_line_ends(line, request.identifiers)
            self._written += 1
            yield request.line
        if not self._header:
            self._columns.check_said()

    def report(self) -> Converted:
        """What it came to, when all was read."""
        variants, first_variants = self._variants.found()
        return Converted(
            self._contents,
            self._written,
            self._passed_over,
            self._unusable,
            tuple(self._first),
            self._columns.unused,
            variants,
            first_variants,
            self._line_ends,
            tuple(self._first_line_ends),
        )

    def _note(self, line: int, why: str, lines: int = 1) -> None:
        self._unusable += lines
        if len(self._first) < SHOWN:
            self._first.append(Unusable(line, why, lines))

    def _look_for_line_ends(self, line: int, identifiers: Sequence[Identifier]) -> None:
        for each in identifiers:
            if "\n" in each.value or "\r" in each.value:
                self._line_ends += 1
                if len(self._first_line_ends) < SHOWN:
                    self._first_line_ends.append(LineEnd(line, each.type, each.value))

    def _is_table(self) -> bool:
        if self._contents is not Contents.CARRIAGE_RETURNS:
            return self._contents is Contents.CSV
        return not self._source.text.head().lstrip().startswith(("{", "["))

    def _found(self) -> Iterator[tuple[int, Callable[[], FoundRequest | None]]]:
        text = self._source.text
        if self._header:
            for row in self._rows:
                yield row.line, partial(self._of_row, row)
        elif self._contents is Contents.HAR:
            for piece in JsonPieces(text.pieces()).entries():
                yield piece.line, partial(_of_entry, piece)
        elif self._contents in _IN_LINES:
            for number, line in enumerate(text.lines(), start=1):
                if line.strip():
                    yield number, partial(self._of_line, line)
        elif self._contents is Contents.WRAPPED:
            path = path_of_list(text.head().encode())
            for piece in JsonPieces(text.pieces()).inside(path):
                yield piece.line, partial(self._of_piece, piece)
        else:
            for piece in JsonPieces(text.pieces()).values():
                yield piece.line, partial(self._of_piece, piece)

    def _read_header(self) -> list[str]:
        header = next(self._rows, None)
        assert header is not None
        if header.fault:
            raise UsageFault(f"{quoted(self._source.name)} is {header.fault}")
        names = [cell.strip() for cell in header.cells]
        self._columns.check(self._source.name, [name for name in names if name])
        return names

    def _of_row(self, row: TableRow) -> FoundRequest:
        if row.fault:
            raise CannotUse(row.fault, row.lines)
        cells, names = row.cells, self._header
        for index, cell in enumerate(cells):
            if not is_text(cell):
                where = quoted(names[index]) if index < len(names) else str(index + 1)
                raise CannotUse(f"not UTF-8, in the column {where}; save the file as UTF-8")
        if len(cells) > len(names) and not any(cells[len(names) :]):
            cells = cells[: len(names)]
        if len(cells) != len(names):
            raise CannotUse(f"{number_of(len(cells), 'cell')}, but the header has {len(names)}")
        for index, (name, cell) in enumerate(zip(names, cells, strict=True)):
            if cell and not name and index not in self._nameless:
                self._nameless.add(index)
                what = f"holds {quoted(cell)}; name it in the header"
                self._note(row.line, f"column {index + 1} has no name, and {what}")
        made = self._columns.request_of(
            (name, cell) for name, cell in zip(names, cells, strict=True) if name
        )
        return FoundRequest(made.line, (), made.identifiers)

    def _of_line(self, line: str) -> FoundRequest | None:
        if self._contents is Contents.PREFIXED:
            return self._of_prefixed(line)
        return objects.request_of(line.strip(), self._columns, self._source.default)

    def _of_prefixed(self, line: str) -> FoundRequest | None:
        """A line of a log, up to whose end an object goes; None where it has none."""
        begin = _BEGINS_AN_OBJECT.search(line)
        if begin is None:
            return None
        rest = line[begin.start() :].strip()
        return objects.request_of(rest, self._columns, self._source.default)

    def _of_piece(self, piece: Piece) -> FoundRequest:
        which = f"(value {piece.number:,} of the file)"  # all may stand in one line
        if not piece.text:
            raise CannotUse(f"{quoted(piece.skipped)} is not an object {which}")
        if not piece.ended:
            raise CannotUse(f"the file ends within it {which}")
        try:
            return objects.request_of(piece.text, self._columns, self._source.default)
        except CannotUse as fault:
            raise CannotUse(f"{fault.why} {which}") from None


def _has_objects(head: str) -> bool:
    """Whether a JSON object stands in a line behind the first, which is then no object."""
    lines = [line for line in map(str.strip, head.split("\n")) if line][1:3]
    return any(line.startswith("{") for line in lines)


def _of_entry(piece: Piece) -> FoundRequest | None:
    if not piece.ended:
        raise CannotUse("the file ends within it")
    return har.request_of(piece.text)
