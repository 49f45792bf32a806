"""Lines of a request file, read fast where they are plain, and by `decoding` where they are not.

Most lines are plain: objects of known members that hold texts and integers, nothing escaped,
nothing twice. Those are read by msgspec straight into a `PlainLine`. An event batch, which may hold
anything, is plain where nothing in it is escaped or stands twice. Of every other line `decode` says
what it is; what a line means never depends on how it was read.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from types import GenericAlias
from typing import Any, Final, NamedTuple

from idsync_cli.core.codes import RequestKind
from idsync_cli.core.decision import Refusal
from idsync_cli.core.identity import MPID_MAX, MPID_MIN
from idsync_cli.core.value import Value
from idsync_cli.wire.batches import BatchLine
from idsync_cli.wire.decoding import MAX_DEPTH, MAX_LINE_BYTES, Json, check_depth, decode
from idsync_cli.wire.members import CHANGE_MEMBERS, MEMBERS, Members, PlainChanges

LONGEST_LINE = MAX_LINE_BYTES + 2
"""How much of a line is kept: a carriage return, and one byte that shows it to be too long."""


class Incoming(Value):
    """One request as it came: a JSON value, or why it is none; and its line in a replay."""

    __match_args__ = ("request", "line")
    __slots__ = __match_args__

    def __init__(self, request: object | Refusal, line: int | None = None) -> None:
        self.request: Final = request
        self.line: Final = line


class PlainLine(Value):
    """A request whose members hold what they must; what they mean has still to be seen."""

    __match_args__ = ("members",)
    __slots__ = __match_args__

    def __init__(self, members: Members) -> None:
        self.members: Final = members

    def as_json(self) -> Json:
        """The JSON value that it was; what was absent is null."""
        members = dict(zip(MEMBERS, self.members, strict=True))
        if members["identity_changes"] is not None:
            members["identity_changes"] = [
                dict(zip(CHANGE_MEMBERS, change, strict=True))
                for change in members["identity_changes"]
            ]
        return members


def type_named_by(request: object) -> object:
    """What a request says its type is, whatever that is; None where it says nothing."""
    if isinstance(request, PlainLine):
        return request.members[_TYPE]
    if isinstance(request, BatchLine):
        return _BATCH
    return request.get("type") if isinstance(request, dict) else None


def response_of(request: object) -> object:
    """What a request says that another system answered; None where it says nothing."""
    if isinstance(request, PlainLine):
        return request.members[_RESPONSE]
    if isinstance(request, BatchLine):
        return request.batch.get("response")
    return request.get("response") if isinstance(request, dict) else None


_BATCH: Final = RequestKind.BATCH.value
_NAMES_A_BATCH: Final = b'"batch"'
_BACKSLASH: Final = ord("\\")
_CARRIAGE_RETURN: Final = ord("\r")
_QUOTE: Final = ord('"')
_SPACE: Final = ord(" ")
_CHANGES: Final = MEMBERS["identity_changes"].index
_TYPE: Final = MEMBERS["type"].index
_RESPONSE: Final = MEMBERS["response"].index
_NAME_OF_THE_TYPE: Final = 0

NumberedLine = tuple[int, bytes]
"""A line of a file that is not blank, behind its number from 1."""


def not_blank(lines: Sequence[bytes], first: int) -> list[NumberedLine]:
    """Those of some lines that are not blank; they begin with line `first` of their file."""
    return [
        (number, line)
        for number, line in enumerate(lines, start=first)
        if line and (line[0] > _SPACE or not (line.isspace() and len(line) < LONGEST_LINE))
    ]


class LineReader:
    """Reads the lines of request files."""

    def __init__(self) -> None:
        decoder = _decoder()
        self._most_bytes = MAX_LINE_BYTES
        self._decode, self._members_of, self._faults = decoder[:3]
        self._decode_any, self._events_of = decoder[3:]

    def requests(self, lines: Sequence[NumberedLine]) -> list[Incoming]:
        """The requests of lines."""
        return [Incoming(self.request(line), number) for number, line in lines]

    def request(self, line: bytes) -> object:
        """The request of a line: plain, or an event batch, or a JSON value, or why it is none."""
        if line and line[-1] == _CARRIAGE_RETURN:
            line = line[:-1]
        if _BACKSLASH not in line and len(line) <= self._most_bytes:
            members = self._plain(line)
            if members is not None and members[_TYPE] != _BATCH:
                return PlainLine(members)
            batch = self._plain_batch(line) if _NAMES_A_BATCH in line else None
            if batch is not None:
                return BatchLine(batch, self._events(line), line)
        try:
            request = decode(line)
            if isinstance(request, dict) and request.get("type") == _BATCH:
                check_depth(request)
                return BatchLine(request, self._events(line), line)
        except Refusal as refusal:
            return refusal.with_traceback(None)
        return request

    def _plain_batch(self, line: bytes) -> Json | None:
        """The event batch of a line in which nothing is escaped; None where it is not plain."""
        try:
            batch = self._decode_any(line)
        except self._faults:
            return None
        if not isinstance(batch, dict) or batch.get("type") != _BATCH:
            return None
        return batch if line.count(_QUOTE) == 2 * _texts_in(batch, MAX_DEPTH) else None

    def _events(self, line: bytes) -> Sequence[str] | None:
        """The events of a batch as they stand in its line; None where they are no list."""
        try:
            events = self._events_of(line).events
        except self._faults:
            return None
        return None if events is None else [str(event, "utf-8") for event in events]

    def _plain(self, line: bytes) -> Members | None:
        """The members of a line in which nothing is escaped; None where it is not plain."""
        try:
            members = self._members_of(self._decode(line))
        except self._faults:
            return None
        changes = members[_CHANGES]
        if changes is not None:
            changes = [self._members_of(each) for each in changes]
            if any(change[_NAME_OF_THE_TYPE] is None for change in changes):
                return None
            members = (*members[:_CHANGES], changes, *members[_CHANGES + 1 :])
        return members if _is_whole(members, line) else None


def _is_whole(members: Members, line: bytes) -> bool:
    """Whether the line, in which nothing is escaped, holds what was found in it and no more.

    Then every quote begins or ends a text. A member that appears twice, or is null, leaves more of
    them than belong to what was found.
    """
    texts = 0
    for value in members:
        if value is None:
            continue
        if isinstance(value, str):
            texts += 2  # its name, and itself
        elif isinstance(value, dict):
            texts += 1 + 2 * len(value)
            for each in value.values():
                if each is None:
                    texts -= 1
        elif isinstance(value, int):
            if not MPID_MIN <= value <= MPID_MAX or (value == 0 and b"-0" in line):
                return False  # `decode` has words for it, or it is shown as it stands there
            texts += 1
        else:
            texts += 1
            for change in value:
                for each in change:
                    if each is not None:
                        texts += 2
    return line.count(_QUOTE) == 2 * texts


_NOT_PLAIN: Final = -(2**40)
"""Fewer texts than any line has: stands for what `decode` has to read, or refuse."""


def _texts_in(value: object, levels: int) -> int:
    """How many texts there are in a value of some levels, names of members among them."""
    if isinstance(value, str):
        return 1
    texts = 0
    if isinstance(value, (dict, list)) and levels == 0:
        return _NOT_PLAIN
    if isinstance(value, dict):
        texts = len(value)
        for each in value.values():
            if isinstance(each, str):
                texts += 1
            elif each is not None:
                texts += _texts_in(each, levels - 1)
    elif isinstance(value, list):
        for each in value:
            texts += _texts_in(each, levels - 1)
    elif isinstance(value, int) and not MPID_MIN <= value <= MPID_MAX:
        return _NOT_PLAIN
    return texts


class _Decoder(NamedTuple):
    """What msgspec has for lines: how to read a plain one, what that gives, and what it raises.

    `decode_any` reads any JSON, and `events_of` gives the events of a batch as they stand there.
    """

    decode: Callable[[bytes], Any]
    members_of: Callable[[Any], Members]
    faults: tuple[type[Exception], ...]
    decode_any: Callable[[bytes], Any]
    events_of: Callable[[bytes], Any]


@cache
def _decoder() -> _Decoder:
    """Make what reads plain lines, of the table of members.

    It is imported here because the commands for one request never need it.
    """
    import msgspec

    def struct(name: str, members: Mapping[str, Any]) -> Any:
        fields = [(each, plain | None, None) for each, plain in members.items()]
        return msgspec.defstruct(name, fields, forbid_unknown_fields=True, gc=False)

    change = struct("Change", {name: kind.plain for name, kind in CHANGE_MEMBERS.items()})
    plain = {name: member.kind.plain for name, member in MEMBERS.items()}
    changes = GenericAlias(list, change)
    its_changes = {name: changes for name, each in plain.items() if each is PlainChanges}
    line = struct("Line", plain | its_changes)
    faults = msgspec.MsgspecError, ValueError, RecursionError
    events = msgspec.defstruct("Events", [("events", list[msgspec.Raw] | None, None)], gc=False)
    return _Decoder(
        msgspec.json.Decoder(line).decode,
        msgspec.structs.astuple,
        faults,
        msgspec.json.Decoder().decode,
        msgspec.json.Decoder(events).decode,
    )
