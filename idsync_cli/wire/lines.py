"""Lines of a request file, read fast where they are plain, and by `decoding` where they are not.

Most lines are plain: objects of a few known members, nothing escaped, nothing twice. With msgspec
installed those are read straight into a `PlainLine`. Of every other line, and without msgspec of
all, `decode` says what it is; what a line means never depends on how it was read.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from idsync_cli.core.decision import Refusal
from idsync_cli.core.identity import MPID_MAX, MPID_MIN
from idsync_cli.wire.decoding import MAX_LINE_BYTES, decode
from idsync_cli.wire.plain import PlainLine, plain_decoder

LONGEST_LINE = MAX_LINE_BYTES + 2
"""How much of a line is kept: a carriage return, and one byte that shows it to be too long."""

_new: Final = tuple.__new__


class Incoming(NamedTuple):
    """One request as it came: a JSON value, or why it is none; and its line in a replay."""

    request: object | Refusal
    line: int | None = None


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
        return [_new(Incoming, (self.request(line), number)) for number, line in lines]

    def request(self, line: bytes) -> object:
        """The request of a line: a `PlainLine`, a JSON value, or why it is neither."""
        if line.endswith(b"\r"):
            line = line[:-1]
        if self._plain is not None and b"\\" not in line and len(line) <= MAX_LINE_BYTES:
            try:
                plain = self._plain[0](line)
            except self._plain[1]:
                pass
            else:
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
        texts += 1
        for value in known.values():
            texts += 1 if value is None else 2
    for number in (found.previous_mpid, found.mpid, found.request_timestamp_ms):
        if isinstance(number, str):
            texts += 2
        elif number is not None:
            if not MPID_MIN <= number <= MPID_MAX:
                return False
            texts += 1
    for text in (found.label, found.scope, found.workspace, found.request_id, found.environment):
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
    return line.count(b'"') == 2 * texts
