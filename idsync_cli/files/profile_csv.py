"""Profiles as CSV, one per row, for people with spreadsheets; every value comes back exactly.

The columns are mpid, scope, created_seq, source_mpid, known and orphaned, then one for each
identifier type that occurs. A cell of identifiers, and a scope, is read by its first character:

- nothing in it: the profile has no identifier of the type;
- `[`: a JSON list of values, in the order in which they were added;
- `'`: the one value is the rest of the cell;
- any other: the one value is the cell.

A value that a spreadsheet would take for a formula, or that itself begins with an apostrophe, is
therefore written behind an apostrophe; one that begins with `[`, or holds a character that is not
printable, such as a line feed, is written as a list, in which such characters are escapes. So are
the separators that other spreadsheets know, where a formula would begin behind one of them.
"""

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from idsync_cli import wire
from idsync_cli.core.codes import ErrorCode
from idsync_cli.core.config.rules import Organization
from idsync_cli.core.decision import Refusal
from idsync_cli.core.everyday_names import type_hint
from idsync_cli.core.identity import TYPES_BY_NAME, IdentityType
from idsync_cli.errors import Hint, nearest, number_of, quoted
from idsync_cli.file_faults import Excerpt
from idsync_cli.files.csv_excerpts import cell_excerpt, quotation_excerpt, row_excerpt
from idsync_cli.files.profile_lines import (
    LONGEST_LINE,
    AnyLine,
    BadLine,
    ProfileFile,
    read_profile,
)

COLUMNS = ("mpid", "scope", "created_seq", "source_mpid", "known", "orphaned")
"""The columns before those of the identifier types."""

_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "vertical bars"}
"""What other programs put between columns."""

_APOSTROPHE = "'"
_LIST = "["
# A formula begins with one of these, with their wide sisters in some languages, and to spreadsheets
# that trim cells behind white space, too.
_BEGINS_A_FORMULA = r"\s*[=+\-@＝＋－＠]"
_BEHIND_AN_APOSTROPHE = re.compile(rf"{_BEGINS_A_FORMULA}|{_APOSTROPHE}")
# Where numbers have a comma, cells are often read as separated by another character.
_SEPARATES_A_FORMULA = re.compile(rf"[;|](?=[\s\"']*{_BEGINS_A_FORMULA})")
_KEPT_OF_A_ROW = 2**20
"""How many bytes of a row are kept to be shown: where one never ends, it is all of the file."""


def header(types: Sequence[IdentityType]) -> str:
    """The first line, without its end."""
    return _row([*COLUMNS, *(kind.value for kind in types)])


def row(profile: Mapping[str, Any], types: Sequence[IdentityType]) -> str:
    """The row of a profile that is given as an export holds it, without its end."""
    source = profile["source_mpid"]
    return _row(
        [
            profile["mpid"],
            _cell([profile["scope"]]),
            str(profile["created_seq"]),
            "" if source is None else source,
            json.dumps(profile["known"]),
            json.dumps(profile["orphaned"]),
            *(_cell(profile["identities"].get(kind.value, ())) for kind in types),
        ]
    )


def _row(cells: Iterable[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(cells)
    return text.getvalue()


def _cell(values: Sequence[str]) -> str:
    if not values:
        return ""
    [first, *more] = values
    if (
        more
        or first.startswith(_LIST)
        or not first.isprintable()
        or _SEPARATES_A_FORMULA.search(first)
    ):
        return _SEPARATES_A_FORMULA.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(values))
    return _APOSTROPHE + first if _BEHIND_AN_APOSTROPHE.match(first) else first


def read_csv(source: ProfileFile, organization: Organization) -> Iterator[AnyLine]:
    """The profiles of a CSV file; a fault of its form, or of its header, ends the reading."""
    csv.field_size_limit(LONGEST_LINE)
    rows = _rows(source)
    first = next(rows, None)
    if first is None:
        what = f"no header; the first line names the columns: {','.join(COLUMNS)},…"
        yield BadLine(1, what, Excerpt(1, "", 1))
        return
    if isinstance(first, BadLine):
        yield first
        return
    number, names, written = first
    faults = [
        BadLine(number, what, cell_excerpt(number, written, index), hint)
        for what, index, hint in _header_faults(names)
    ]
    if faults:
        yield from faults
        return
    for each in rows:
        if isinstance(each, BadLine):
            yield each
        else:
            number, cells, written = each
            excerpt = partial(row_excerpt, number, names, written)
            yield read_profile(number, partial(_object, names, cells), organization, excerpt)


Row = tuple[int, list[str], list[str]]
"""The number of a row's first line, its cells, and its lines as they are written."""


def _rows(source: ProfileFile) -> Iterator[Row | BadLine]:
    """The rows; lines without anything are passed over."""
    lines = _Lines(source)
    reader = csv.reader(lines, strict=True)
    while True:
        number = reader.line_num + 1
        lines.begin_row()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except UnicodeDecodeError as error:
            number = reader.line_num + 1
            line, index = error.object, len(error.object[: error.start].decode("utf-8"))
            what = "not UTF-8; save the file as CSV in UTF-8"
            yield BadLine(number, what, wire.excerpt_of(number, line, index))
            return
        except csv.Error as error:
            what = f"not CSV: {error}; look for an unclosed quotation mark"
            yield BadLine(number, what, quotation_excerpt(number, lines.row))
            return
        except _TooLong:
            what = "the row is longer than 16 MiB; look for an unclosed quotation mark"
            yield BadLine(number, what, quotation_excerpt(number, lines.row))
            return
        if cells:
            yield number, cells, lines.row


class _TooLong(Exception):
    """A row has more than LONGEST_LINE bytes, which may be those of many lines."""


class _Lines:
    """The lines of a file as text; `row` has the first of the row that is being read.

    Where a row goes on in further lines, they are all read, as bytes, before the first is given: to
    collect a cell that never ends takes four times as many.
    """

    def __init__(self, source: ProfileFile) -> None:
        self._lines = source.lines()
        self._row_bytes = self._kept_bytes = 0
        self.row: list[str] = []

    def begin_row(self) -> None:
        """What is read from here on belongs to another row."""
        self._row_bytes = self._kept_bytes = 0
        self.row = []

    def __iter__(self) -> Iterator[str]:
        for _, line in self._lines:
            for each in self._row_from(line):
                self._keep(each)
                yield each.decode("utf-8")

    def _row_from(self, line: bytes) -> list[bytes]:
        """A line with those that its row goes on in, as far as they can be read.

        Raises:
            _TooLong: they are too long.
        """
        found, is_open = [line], _is_open(line)
        self._count(found)
        while is_open and (after := next(self._lines, None)) is not None:
            found.append(after[1])
            self._count(found)
            is_open = _is_open(b'"' + after[1])
        return found

    def _count(self, found: list[bytes]) -> None:
        self._row_bytes += len(found[-1])
        if self._row_bytes > LONGEST_LINE:
            for each in found:
                self._keep(each)
            raise _TooLong

    def _keep(self, line: bytes) -> None:
        kept = line[: max(0, _KEPT_OF_A_ROW - self._kept_bytes)]
        self._kept_bytes += len(kept)
        if kept:
            self.row.append(kept.decode("utf-8", "replace"))


def _is_open(line: bytes) -> bool:
    """Whether a line that begins a row ends in a cell, between quotation marks.

    Of one that is no text the reader will tell.
    """
    if b'"' not in line:
        return False
    try:
        text = line.decode("utf-8")
        next(csv.reader([text], strict=True), None)
    except UnicodeDecodeError:
        return False
    except csv.Error as error:
        return "unexpected end of data" in str(error)
    return False


def _header_faults(names: Sequence[str]) -> Iterator[tuple[str, int, Hint | None]]:
    """What is wrong with the header, and with which of its cells; the way out if it is not said."""
    [first, *more] = names
    separators = [each for each in _SEPARATORS if each in first]
    if separators and not more:
        yield f"columns are separated by commas, not by {_SEPARATORS[separators[0]]}", 0, None
        return
    unknown = [name for name in names if name not in COLUMNS and name not in TYPES_BY_NAME]
    for index, name in enumerate(names):
        if not name.strip():
            yield f"column {index + 1} has no name; remove it, or the comma too many", index, None
        elif name in unknown:
            close = nearest(name, COLUMNS) or type_hint(name)
            listed = f"; a column is an identity type, or one of {', '.join(COLUMNS)}"
            what = f"unknown column {quoted(name)}{close or listed}"
            yield what, index, None if close else Hint.LIST_TYPES
        elif name in names[:index]:
            yield f"the column {name} appears twice; keep one", index, None
    if "mpid" not in names and not any(nearest(name, ["mpid"]) for name in unknown):
        yield "no column mpid; every profile needs one", len(names), Hint.CONVERT_ROWS


def _object(names: Sequence[str], cells: Sequence[str]) -> wire.Json:
    """A row as the JSON object that a profile line would hold, so that it is read as one."""
    if len(cells) != len(names):
        raise Refusal(
            ErrorCode.INVALID_REQUEST,
            f"{number_of(len(cells), 'cell')}, but the header has {len(names)}; they must match",
            word=min(len(cells), len(names)),
        )
    given = {name: cell for name, cell in zip(names, cells, strict=True) if cell}
    profile: wire.Json = {name: _member(name, given[name]) for name in COLUMNS if name in given}
    profile["identities"] = {
        name: _values(name, cell) for name, cell in given.items() if name not in COLUMNS
    }
    return profile


def _member(name: str, cell: str) -> object:
    if name == "scope":  # is written as a value is, for its name is as free
        values = _values(name, cell)
        return values[0] if isinstance(values, list) and len(values) == 1 else values
    text = cell.removeprefix(_APOSTROPHE)
    if name == "known" and text.lower() in ("true", "false"):  # a spreadsheet's are in capitals
        return text.lower() == "true"
    if name == "created_seq" and text.isascii() and text.isdigit() and len(text) <= 16:
        return int(text)
    return text


def _values(name: str, cell: str) -> object:
    if not cell.startswith(_LIST):
        return [cell.removeprefix(_APOSTROPHE)]
    try:
        values = wire.decode_json(cell.encode(), wire.OF_CELL)
    except Refusal as refusal:
        raise Refusal(
            refusal.code, f"column {name}: a list of values is {refusal.message}", word=name
        ) from None
    if isinstance(values, list) and all(isinstance(each, str) for each in values):
        return values
    return wire.read_again(cell.encode()) or values  # it will be refused, as it is written
