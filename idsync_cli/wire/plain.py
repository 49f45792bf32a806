"""Plain lines of a request file: what msgspec reads of them, where it is installed."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

from idsync_cli.wire.decoding import Json


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
        environment: str | None

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


class Decoder(NamedTuple):
    """What reads a line into a `PlainLine`, and what it raises where the line is none."""

    decode: Callable[[bytes], PlainLine]
    faults: tuple[type[Exception], ...]


def plain_decoder() -> Decoder | None:
    """What reads plain lines; None where msgspec is not installed."""
    try:
        import msgspec
    except ImportError:
        return None

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

    return Decoder(msgspec.json.Decoder(Line).decode, (msgspec.MsgspecError, ValueError))
