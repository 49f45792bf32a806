"""Lines that name profiles: an MPID, TYPE=VALUE, a JSON object, or a row of a CSV file.

A profile as an export or an audience writes it, in JSON or CSV, names itself by its MPID; an
export's lines of data name nobody, and are passed over.
"""

import csv
from collections.abc import Container, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from idsync_cli import wire
from idsync_cli.core.decision import Refusal
from idsync_cli.core.identity import TYPES_BY_NAME, Identifier, parse_mpid, value_fault
from idsync_cli.errors import UsageFault, nearest, printable, quoted
from idsync_cli.files.contents import LINES, Contents, check
from idsync_cli.files.profile_lines import ProfileFile
from idsync_cli.files.source import open_seekable

_MPID = "mpid"
_SCOPE = "scope"
_WORKSPACE = "workspace"
_WHERE = (_SCOPE, _WORKSPACE)
_KNOWN = "known_identities"
_RECORD = "record"
_WHAT = "names"
_TAKEN = (
    *LINES,
    Contents.REQUESTS,
    Contents.PROFILES,
    Contents.ANSWERS,
    Contents.BATCHES,
    Contents.CSV,
    Contents.PREFIXED,
)
"""What may be lines of JSON or text, or CSV; what is wrong with a line is told of the line."""


class NamedProfile(NamedTuple):
    """Whom a line names: by an MPID or by an identifier, and in which scope, if it says so."""

    line: int
    mpid: int | None = None
    identifier: Identifier | None = None
    target: wire.Target = wire.Target()


class UnreadableName(NamedTuple):
    """A line that names nobody, and why."""

    line: int
    what: str


@contextmanager
def open_names(name: str) -> Iterator[ProfileFile]:
    """Open a file of such lines, packed by gzip or not; `-` is standard input.

    Raises:
        UsageFault: it cannot be opened, or holds no such lines.
    """
    with open_seekable(name, _WHAT) as raw:
        file = ProfileFile(name, raw, _WHAT)
        check(name, file.holds, _TAKEN, "a line names a profile: by its MPID, TYPE=VALUE, or CSV")
        yield file


def read_names(lines: Iterable[tuple[int, bytes]]) -> Iterator[NamedProfile | UnreadableName]:
    """Read numbered lines; the first says whether it is a CSV file with a column a type.

    Raises:
        UsageFault: the header of a CSV file names no type.
    """
    header: list[str] | None = None
    is_first = True
    for number, line in lines:
        text = line.decode("utf-8", "surrogateescape").strip()
        if not text:
            continue
        if is_first:
            is_first = False
            header = _header_in(text)
            if header is not None:
                continue
        try:
            of = _of_line(number, text) if header is None else _of_row(number, text, header)
        except Refusal as refusal:
            yield UnreadableName(number, refusal.message)
        except ValueError as error:
            yield UnreadableName(number, str(error))
        else:
            if of is not None:
                yield of


def _header_in(text: str) -> list[str] | None:
    """The columns of a CSV file, if the first line is its header."""
    if text.startswith("{") or "=" in text or parse_mpid(text) is not None:
        return None
    columns = next(csv.reader([text]))
    if _is_profile(columns):
        return [name if name in (_MPID, _SCOPE) else "" for name in columns]
    for name in columns:
        if name not in TYPES_BY_NAME and name not in (_MPID, *_WHERE):
            hint = nearest(name, [*TYPES_BY_NAME, _MPID, *_WHERE])
            raise UsageFault(
                f"the first line is neither an MPID, TYPE=VALUE, a JSON object, nor the header of "
                f"a CSV file: {quoted(name)} is not an identifier type{hint}"
            )
    return columns


def _is_profile(members: Container[str]) -> bool:
    """Whether these are members of a profile's line, and not of one that names a profile."""
    return _MPID in members and _SCOPE in members


def _of_row(number: int, text: str, header: list[str]) -> NamedProfile | UnreadableName:
    cells = next(csv.reader([text]))
    given = [(name, cell) for name, cell in zip(header, cells, strict=False) if name and cell]
    return _one_of(number, given)


def _of_line(number: int, text: str) -> NamedProfile | UnreadableName | None:
    if text.startswith("{"):
        value = wire.decode_json(text.encode("utf-8", "surrogateescape"))
        assert isinstance(value, dict)
        if _RECORD in value:
            return None
        members = value
        if _is_profile(value):
            members = {name: value[name] for name in (_MPID, _SCOPE)}
        elif isinstance(value.get(_KNOWN), dict):
            members = {name: value.get(name) for name in _WHERE} | value[_KNOWN]
        return _one_of(number, [(name, each) for name, each in members.items() if each is not None])
    name, equals, value = text.partition("=")
    if equals:
        return _one_of(number, [(name, value)])
    return _one_of(number, [(_MPID, text)])


def _one_of(number: int, named: Sequence[tuple[str, object]]) -> NamedProfile | UnreadableName:
    """What a line names by exactly one thing, in a scope or without saying in which."""
    given = [each for each in named if each[0] not in _WHERE]
    where = dict.fromkeys(_WHERE) | {name: each for name, each in named if name in _WHERE}
    for name, each in where.items():
        if each is not None and not wire.is_text(each):
            return UnreadableName(number, f"{name} is {quoted(wire.shown(each))}, but must be text")
    target = wire.Target(where[_SCOPE], where[_WORKSPACE])
    if len(given) != 1:
        what = f"names {len(given)} identifiers or MPIDs" if given else "names nobody"
        return UnreadableName(number, f"{what}; give one MPID or one identifier")
    name, value = given[0]
    if name == _MPID:
        mpid = parse_mpid(value)
        if mpid is None:
            what = f"{quoted(wire.shown(value))} is neither an MPID nor TYPE=VALUE"
            return UnreadableName(number, what)
        return NamedProfile(number, mpid=mpid, target=target)
    kind = TYPES_BY_NAME.get(name)
    if kind is None:
        hint = nearest(name, TYPES_BY_NAME)
        return UnreadableName(number, f"unknown identity type {quoted(name)}{hint}")
    fault = value_fault(value)
    if value == "" or fault is not None or not isinstance(value, str):
        return UnreadableName(number, f"the value of {printable(kind)} {fault or 'is empty'}")
    return NamedProfile(number, identifier=Identifier(kind, value), target=target)
