"""Lines of a request file, read fast where they are plain, and by `decoding` where they are not.

Most lines are plain: objects of a few known members, nothing escaped, nothing twice. With msgspec
installed those are read straight into a `PlainLine`. Of every other line, and without msgspec of
all, `decode` says what it is; what a line means never depends on how it was read.
"""

from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Protocol

from idsync_cli.core.decision import Refusal
from idsync_cli.core.identity import MPID_MAX, MPID_MIN
from idsync_cli.wire.decoding import MAX_LINE_BYTES, Json, decode


class PlainChange(Protocol):
    """An entry of `identity_changes`."""

    identity_type: str
    old_value: str | None
    new_value: str | None


class PlainLine:
    """A request whose members are texts and integers as they must be; one that is absent is None.

    What they mean has still to be seen.
    """

    __slots__ = ()
    if TYPE_CHECKING:
        type: str
        scope: str | None
        workspace: str | None
        label: str | None
        known_identities: dict[str, str | None] | None
        previous_mpid: str | int | None
        mpid: str | int | None
        identity_changes: Sequence[PlainChange] | None
        request_id: str | None
        request_timestamp_ms: int | None

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


def request_in(line: bytes) -> object:
    """The request that a line holds: a `PlainLine`, a JSON value, or why it is neither."""
    line = line.removesuffix(b"\r")
    if len(line) <= MAX_LINE_BYTES:
        plain = plain_reader()(line)
        if plain is not None:
            return plain
    try:
        return decode(line)
    except Refusal as refusal:
        return refusal.with_traceback(None)


@cache
def plain_reader() -> Callable[[bytes], PlainLine | None]:
    """What reads a line if it is a plain one, and gives None if it is not."""
    try:
        import msgspec
    except ImportError:
        return lambda _: None

    class Change(msgspec.Struct, forbid_unknown_fields=True, gc=False):
        identity_type: str
        old_value: str | None = None
        new_value: str | None = None

    class Line(PlainLine, msgspec.Struct, forbid_unknown_fields=True, gc=False):
        type: str
        known_identities: dict[str, str | None] | None = None
        scope: str | None = None
        workspace: str | None = None
        label: str | None = None
        previous_mpid: str | int | None = None
        mpid: str | int | None = None
        identity_changes: list[Change] | None = None
        request_id: str | None = None
        request_timestamp_ms: int | None = None
        environment: str | None = None

    parse, faults = msgspec.json.Decoder(Line).decode, (msgspec.MsgspecError, ValueError)

    def read(line: bytes) -> Line | None:
        if b"\\" in line:
            return None
        try:
            found = parse(line)
        except faults:
            return None
        for number in (found.request_timestamp_ms, found.previous_mpid, found.mpid):
            if isinstance(number, int) and not MPID_MIN <= number <= MPID_MAX:
                return None
        # As nothing is escaped, every quote begins or ends a text. A member that stands twice, or
        # is null, leaves more of them than belong to what was found.
        return found if line.count(b'"') == 2 * texts_of(found) else None

    def texts_of(found: Line) -> int:
        """How many texts the line has, the names of its members among them."""
        texts = 2
        if found.known_identities is not None:
            values = found.known_identities.values()
            texts += 1 + 2 * len(values) - (list(values).count(None) if None in values else 0)
        for text in (
            found.scope, found.workspace, found.label, found.request_id, found.environment,
        ):  # fmt: skip
            if text is not None:
                texts += 2
        for value in (found.previous_mpid, found.mpid, found.request_timestamp_ms):
            if value is not None:
                texts += 2 if isinstance(value, str) else 1
        if found.identity_changes is not None:
            texts += 1
            for change in found.identity_changes:
                texts += 2 + 2 * (change.old_value is not None) + 2 * (change.new_value is not None)
        return texts

    return read
