"""Aliases as they come: members, checked as strictly as those of other requests (section 9)."""

from collections.abc import Callable
from typing import Any, Final

from idsync_cli.core.decision import WHOLE_REQUEST
from idsync_cli.core.value import Value
from idsync_cli.errors import nearest, quoted
from idsync_cli.wire.decoding import Json
from idsync_cli.wire.members import MEMBERS, invalid_request, wrong
from idsync_cli.wire.times import is_time, time_fault

_OWN: Final = ("source_mpid", "destination_mpid", "start_unixtime_ms", "end_unixtime_ms")
_SHARED: Final = (
    "type", "scope", "workspace", "label", "request_id", "source_request_id",
    "request_timestamp_ms", "environment", "client_sdk", "context", "response",
)  # fmt: skip


class NamedAlias(Value):
    """An alias as far as it can be read without knowing labels: an MPID that is text is a label."""

    __match_args__ = ("source", "destination", "start_ms", "end_ms")
    __slots__ = __match_args__

    def __init__(
        self,
        source: int | str,
        destination: int | str,
        start_ms: int | None,
        end_ms: int | None,
    ) -> None:
        self.source: Final = source
        self.destination: Final = destination
        self.start_ms: Final = start_ms
        self.end_ms: Final = end_ms

    def translated(self, here: Callable[[int], int]) -> "NamedAlias":
        """The alias between what these MPIDs stand for here (section 12)."""
        source, destination = self.source, self.destination
        return NamedAlias(
            source if isinstance(source, str) else here(source),
            destination if isinstance(destination, str) else here(destination),
            self.start_ms,
            self.end_ms,
        )


def members_of(alias: Json) -> Json:
    """The members of an alias that are not null, checked for what they hold.

    Raises:
        Refusal: INVALID_REQUEST.
    """
    found: Json = {}
    for name, value in alias.items():
        if name not in _OWN and name not in _SHARED:
            hint = nearest(name, (*_OWN, *_SHARED))
            raise invalid_request(f"unknown member {quoted(name)}{hint}", name)
        if value is None:
            continue
        kind = MEMBERS[name].kind if name in _SHARED else None
        if kind is not None and not kind.fits(value):
            raise invalid_request(wrong(name, value, kind.described), (name,))
        found[name] = value
    return found


def named_in(members: Json, name: str) -> Any:
    """What an alias names as source or destination.

    Raises:
        Refusal: INVALID_REQUEST; it names none.
    """
    if name not in members:
        what = f"no {name}; an alias names a source_mpid and a destination_mpid"
        raise invalid_request(what, WHOLE_REQUEST)
    return members[name]


def time_in(members: Json, name: str) -> int | None:
    """A time of the window; 0 is as good as absent.

    Raises:
        Refusal: INVALID_REQUEST.
    """
    value = members.get(name)
    if value is None or (value == 0 and isinstance(value, int) and value is not False):
        return None
    if not is_time(value):
        raise invalid_request(f"{name} {time_fault(value)}", (name,))
    return int(value)
