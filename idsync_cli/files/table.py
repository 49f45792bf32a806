"""Tables that others wrote: CSV with whatever separates their cells, and ends their lines."""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from idsync_cli.core.identity import TYPES_BY_NAME

LONGEST = 2**24
"""How many characters a cell may have."""

_SAYS_SEPARATOR = re.compile(r'"?sep=([,;\t|])"?', re.IGNORECASE)
_SEPARATORS = ",;\t|"
_COLUMNS = {*TYPES_BY_NAME, "mpid", "user_id", "customer", "phone", "phone_number", "mobile"}


class TableRow(NamedTuple):
    """The cells of a row, and its first line; what is wrong where it cannot be read.

    `lines` is how many lines such a fault makes useless: all from this one on.
    """

    line: int
    cells: list[str]
    fault: str | None = None
    lines: int = 1


def rows(lines: Iterator[str]) -> Iterator[TableRow]:
    """The rows of a table, the header first; a row that cannot be read is the last.

    Lines without anything are passed over, and before the header comments and what Excel writes of
    the separator (`sep=;`). What separates the header separates all. A quotation
    mark at a wrong place is a fault: nobody knows which of the rows around it stand in a cell.
    """
    import csv

    csv.field_size_limit(LONGEST)
    passed, separator = 0, None
    for first in lines:
        if said := _SAYS_SEPARATOR.fullmatch(first.rstrip("\r\n")):
            separator = said[1]
        elif first.strip() and not is_comment(first):
            break
        passed += 1
    else:
        return
    separator = separator or separator_of(first)
    reader = csv.reader(_behind(first, lines), delimiter=separator, strict=True)
    while True:
        line = passed + reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            useless = passed + reader.line_num + 1 - line + sum(1 for each in lines if each.strip())
            yield TableRow(line, [], _not_csv(error, useless), useless)
            return
        if cells:
            yield TableRow(line, cells)


def _not_csv(error: Exception, useless: int) -> str:
    behind = f"; {useless:,} lines from here on are not used" if useless > 1 else ""
    return f"not CSV: {error}; look for an unclosed quotation mark{behind}"


def _behind(first: str, lines: Iterator[str]) -> Iterator[str]:
    yield first
    yield from lines


def separator_of(header: str) -> str:
    """What separates the cells of a table: what makes columns that are known of its header.

    Where none does, it is what stands there most.
    """

    def merit(separator: str) -> tuple[int, int]:
        cells = _cells(header, separator)
        return names_columns(cells), len(cells)

    return max(_SEPARATORS, key=merit)


def is_comment(line: str) -> bool:
    """Whether a line before a header is a comment; one may name columns, the first of them `#`."""
    return line.lstrip().startswith("#") and not names_columns(_cells(line, separator_of(line)))


def says_separator(line: str) -> bool:
    """Whether a line is what Excel writes before a header: `sep=;`."""
    return _SAYS_SEPARATOR.fullmatch(line.strip()) is not None


def names_columns(cells: Sequence[str]) -> int:
    """How many columns that are known a header names, in any case and with anything between."""
    return len({_plain(cell) for cell in cells} & _COLUMNS)


def cells_of(lines: Sequence[str]) -> list[list[str]]:
    """The cells of lines, by what separates those of the first."""
    separator = separator_of(lines[0])
    return [_cells(line, separator) for line in lines]


def _cells(line: str, separator: str) -> list[str]:
    import csv

    try:
        return next(csv.reader([line], delimiter=separator), [])
    except csv.Error:
        return [line]


def _plain(cell: str) -> str:
    """The heading of a column as the name of a type would be written."""
    return re.sub(r"[\W_]+", "_", cell.strip().lower()).strip("_")
