"""Lines of a request file, read fast where they are plain, and by `decoding` where they are not.

Most lines are plain: objects of a few known members, nothing escaped, nothing twice. With msgspec
installed those are read straight into a `PlainLine`. Of every other line, and without msgspec of
all, `decode` says what it is; what a line means never depends on how it was read.
"""

from collections.abc import Sequence
from typing import Any, Final

from idsync_cli.core.decision import Refusal
from idsync_cli.core.identity import MPID_MAX, MPID_MIN
from idsync_cli.core.value import Value
from idsync_cli.wire.decoding import MAX_LINE_BYTES, Json, decode
from idsync_cli.wire.plain import PlainChange, plain_decoder

LONGEST_LINE = MAX_LINE_BYTES + 2
"""How much of a line is kept: a carriage return, and one byte that shows it to be too long."""


class Incoming(Value):
    """One request as it came: a JSON value, or why it is none; and its line in a replay."""

    __match_args__ = ("request", "line")
    __slots__ = __match_args__

    def __init__(self, request: object | Refusal, line: int | None = None) -> None:
        self.request: Final = request
        self.line: Final = line


class PlainLine:
    """A request whose members are texts and integers as they must be; one that is absent is None.

    What they mean has still to be seen.
    """

    __slots__ = (
        "environment", "identity_changes", "known_identities", "label", "mpid", "previous_mpid",
        "request_id", "request_timestamp_ms", "scope", "type", "workspace",
    )  # fmt: skip

    def __init__(self, members: tuple[Any, ...]) -> None:
        self.type: str = members[0]
        self.known_identities: dict[str, str | None] | None = members[1]
        self.scope: str | None = members[2]
        self.workspace: str | None = members[3]
        self.label: str | None = members[4]
        self.previous_mpid: str | int | None = members[5]
        self.mpid: str | int | None = members[6]
        self.identity_changes: Sequence[PlainChange] | None = members[7]
        self.request_id: str | None = members[8]
        self.request_timestamp_ms: int | None = members[9]
        self.environment: str | None = members[10]

    def as_json(self) -> Json:
        """The JSON value that it was; what was absent is null."""
        members = {name: getattr(self, name) for name in _MEMBERS}
        if self.identity_changes is not None:
            members["identity_changes"] = [
                {name: getattr(change, name) for name in _CHANGE_MEMBERS}
                for change in self.identity_changes
            ]
        return members


_CHANGE_MEMBERS = ("identity_type", "old_value", "new_value")
_MEMBERS = (
    "type", "scope", "workspace", "label", "known_identities", "previous_mpid", "mpid",
    "request_id", "request_timestamp_ms",
)  # fmt: skip


_BACKSLASH: Final = ord("\\")
_QUOTE: Final = ord('"')
_NEVER: Final = MAX_LINE_BYTES

NumberedLine = tuple[int, bytes]
"""A line of a file that is not blank, behind its number from 1."""


def not_blank(lines: Sequence[bytes], first: int) -> list[NumberedLine]:
    """Those of some lines that are not blank; they begin with line `first` of their file."""
    return [
        (number, line)
        for number, line in enumerate(lines, start=first)
        if line and not (line.isspace() and len(line) < LONGEST_LINE)
    ]


class LineReader:
    """Reads the lines of request files."""

    def __init__(self) -> None:
        self._plain = plain_decoder()

    def requests(self, lines: Sequence[NumberedLine]) -> list[Incoming]:
        """The requests of lines."""
        return [Incoming(self.request(line), number) for number, line in lines]

    def request(self, line: bytes) -> object:
        """The request of a line: a `PlainLine`, a JSON value, or why it is neither."""
        if line.endswith(b"\r"):
            line = line[:-1]
        if self._plain is not None and _BACKSLASH not in line and len(line) <= MAX_LINE_BYTES:
            decode_plain, members_of, faults = self._plain
            try:
                members = members_of(decode_plain(line))
            except faults:
                pass
            else:
                plain = PlainLine(members)
                if _is_whole(plain, line):
                    return plain
        try:
            return decode(line)
        except Refusal as refusal:
            return refusal.with_traceback(None)


def _is_whole(found: PlainLine, line: bytes) -> bool:
    """Whether the line, in which nothing is escaped, holds what was found in it and no more.

    Then every quote begins or ends a text. A member that stands twice, or is null, leaves more of
    them than belong to what was found.
    """
    texts = 2
    known, changes = found.known_identities, found.identity_changes
    if known is not None:
        texts += 1 + 2 * len(known)
        if None in known.values():
            texts -= sum([value is None for value in known.values()])
    if found.label is not None:
        texts += 2
    if found.mpid is not None:
        texts += _texts_of(found.mpid)
    if found.previous_mpid is not None:
        texts += _texts_of(found.previous_mpid)
    if found.request_timestamp_ms is not None:
        texts += _texts_of(found.request_timestamp_ms)
    for text in (found.scope, found.workspace, found.request_id, found.environment):
        if text is not None:
            texts += 2
    if changes is not None:
        texts += 1
        for change in changes:
            texts += 2
            if change.old_value is not None:
                texts += 2
            if change.new_value is not None:
                texts += 2
    return line.count(_QUOTE) == 2 * texts


def _texts_of(number: str | int) -> int:
    """How many texts a member comes to that is an integer, or that is one itself.

    What is no integer of 64 bits is left to `decode`: no line has so many texts.
    """
    if isinstance(number, str):
        return 2
    return 1 if MPID_MIN <= number <= MPID_MAX else _NEVER
