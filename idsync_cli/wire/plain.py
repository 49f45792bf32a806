"""Plain lines of a request file: what msgspec reads of them, where it is installed."""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol


class PlainChange(Protocol):
    """An entry of `identity_changes`."""

    identity_type: str
    old_value: str | None
    new_value: str | None


class Decoder(NamedTuple):
    """What reads the members of a line, in the order of `PlainLine`, and what it raises."""

    decode: Callable[[bytes], Any]
    members_of: Callable[[Any], tuple[Any, ...]]
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

    class Line(msgspec.Struct, forbid_unknown_fields=True, gc=False):
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

    from msgspec.structs import astuple

    faults = msgspec.MsgspecError, ValueError
    return Decoder(msgspec.json.Decoder(Line).decode, astuple, faults)
