"""Pages of help: headings and names stand out, and a narrow terminal gets lines of its own."""

import re
from collections.abc import Iterator
from textwrap import wrap

from idsync_cli.render.theme import Line, Look

_HEADING = re.compile(
    r"[A-Z][A-Z_ -]+(?=[:,]|$)"  # of a part of a page
    r"|(Means|Why|Do|Scenarios?|Topics|Commands|Option)(?=:)"
    r"|\S+(?=  \()"  # the word that is explained
)
_NAMES = re.compile(r"( {2,4})([a-z_0-9]+(?:, [a-z_0-9]+)*)(,?)")
_LISTED = re.compile(r"( {2,4})(\S+(?: \S+)*)( {2,})(\S.*)")


_BELOW = 6
"""How far it is indented what a name stands for, below a name that leaves no room beside it."""

_FURTHER = 4
"""How much further a line of an example is indented where it goes on."""


def page_lines(page: str, width: int | None) -> Iterator[Line]:
    """The lines of a page; where it has only so many columns, wrapped below themselves."""
    lines = page.split("\n")
    if " " not in lines[0]:  # a word that is explained, too long for what it is beside it
        yield [(lines.pop(0), Look.HEADING)]
    for line in lines if width is None else _narrowed(lines, width):
        yield _in_colour(line)


def _in_colour(line: str) -> Line:
    if found := _HEADING.match(line):
        return [(found[0], Look.HEADING), line[found.end() :]]
    if found := _LISTED.fullmatch(line):
        return [found[1], (found[2], Look.OPTION), found[3] + found[4]]
    if found := _NAMES.fullmatch(line):
        return [found[1], (found[2], Look.OPTION), found[3]]
    return [line]


def _narrowed(lines: list[str], width: int) -> Iterator[str]:
    """Lines that fit: of a list, what a name stands for goes on where it began."""
    index, is_named = 0, False
    while index < len(lines):
        line = lines[index]
        index += 1
        found = _LISTED.fullmatch(line)
        column = found.start(4) if found else len(line) - len(line.lstrip())
        is_listed = found is not None or (is_named and column > _BELOW)  # by a line of its own
        if is_listed or (line and not column):
            while index < len(lines) and _goes_on(lines[index], column, is_listed=is_listed):
                line += f" {lines[index].strip()}"
                index += 1
        is_named = _NAMES.fullmatch(line) is not None
        if found and column > width * 2 // 3:
            yield found[1] + found[2]
            line, column = " " * _BELOW + line[column:], _BELOW
        is_example = column > 0 and not is_listed
        yield from wrap(
            line,
            width,
            subsequent_indent=" " * (column + (_FURTHER if is_example else 0)),
            break_on_hyphens=False,
            break_long_words=False,
            replace_whitespace=False,
            drop_whitespace=True,
        ) or [""]


def _goes_on(line: str, column: int, *, is_listed: bool) -> bool:
    """Whether a line goes on with what began above it."""
    indent = len(line) - len(line.lstrip())
    if not line or _LISTED.fullmatch(line):
        return False
    return indent == column if is_listed else not indent and not _HEADING.match(line)
