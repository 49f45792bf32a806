"""Events, attributes, devices and consent: what a batch brings, and what a profile has (section 9).

Times are milliseconds since 1970, UTC. JSON is kept as text where nobody looks into it: the core
reads none.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from idsync_cli.core.codes import AttributeOp
from idsync_cli.core.identity import Identifier
from idsync_cli.core.value import Value

MAX_NAME_LENGTH: Final = 256
"""The longest name of an attribute or an event, and the longest id of a batch, in characters."""

MAX_TEXT_LENGTH: Final = 4096
"""The longest value of an attribute, in characters."""

MAX_LIST_LENGTH: Final = 1000
"""The most entries that a list has as the value of an attribute."""

MAX_ENTRY_LENGTH: Final = 512
"""The longest text in such a list, in characters."""

MAX_ATTRIBUTES: Final = 100
"""The most attributes that a batch, or an event, has."""

FIRST_TIME_MS: Final = 946_684_800_000
"""The first moment that is taken for a time: the beginning of 2000."""

LAST_TIME_MS: Final = 4_102_444_799_999
"""The last moment that is taken for a time: the end of 2099."""


class Event(Value):
    """An event that a profile has.

    `seq` is the request that brought it, `place` its place there, from 1. `name` is None where its
    type has none. `data` is its member `data`, `text` the whole of it as JSON, as it came.
    """

    __match_args__ = ("seq", "place", "time_ms", "event_type", "name", "data", "text")
    __slots__ = __match_args__

    def __init__(
        self,
        seq: int,
        place: int,
        time_ms: int,
        event_type: str,
        name: str | None,
        data: Mapping[str, Any],
        text: str,
    ) -> None:
        self.seq: Final = seq
        self.place: Final = place
        self.time_ms: Final = time_ms
        self.event_type: Final = event_type
        self.name: Final = name
        self.data: Final = data
        self.text: Final = text


class Device(Value):
    """A device of a profile: what identifies it, if anything does, and what was said of it last.

    `info` has the members of the batch that speak of the device (`device_info`, `ip`,
    `application_info`, `environment`), `seq` is the request that said so.
    """

    __match_args__ = ("identifier", "info", "seq")
    __slots__ = __match_args__

    def __init__(self, identifier: Identifier | None, info: Mapping[str, Any], seq: int) -> None:
        self.identifier: Final = identifier
        self.info: Final = info
        self.seq: Final = seq


class ProfileData(Value):
    """What a profile has beside its identifiers.

    `attributes` are in the order of their names; a tag has the value None, a list is a list.
    `events` are in the order of their times, those of one time in the order in which they came;
    where only the latest were asked for, `event_count` says how many there are. `devices` are in
    the order in which anything was said of them first. `first_seen_ms` and `last_stored_ms` are the
    earliest and the latest own time of the requests that were answered with the profile, and
    changed it.
    """

    __match_args__ = (
        "attributes", "events", "event_count", "devices", "consent_state", "is_opted_out",
        "attribution", "first_seen_ms", "last_stored_ms", "status_messages",
    )  # fmt: skip
    __slots__ = __match_args__

    def __init__(
        self,
        attributes: Mapping[str, Any],
        events: Sequence[Event] = (),
        event_count: int = 0,
        devices: Sequence[Device] = (),
        consent_state: Mapping[str, Any] | None = None,
        is_opted_out: bool = False,
        attribution: Mapping[str, Any] | None = None,
        first_seen_ms: int | None = None,
        last_stored_ms: int | None = None,
        status_messages: Sequence[str] = (),
    ) -> None:
        self.attributes: Final = attributes
        self.events: Final = events
        self.event_count: Final = event_count
        self.devices: Final = devices
        self.consent_state: Final = consent_state
        self.is_opted_out: Final = is_opted_out
        self.attribution: Final = attribution
        self.first_seen_ms: Final = first_seen_ms
        self.last_stored_ms: Final = last_stored_ms
        self.status_messages: Final = status_messages

    @property
    def is_empty(self) -> bool:
        """Whether no batch and no alias ever brought anything."""
        return not (
            self.attributes
            or self.event_count
            or self.devices
            or self.consent_state is not None
            or self.is_opted_out
            or self.attribution is not None
            or self.status_messages
        )


class Alias(NamedTuple):
    """What a profile did within a window is another's, too: also what comes later (section 9).

    Times are milliseconds since 1970, UTC; both ends belong to the window. `seq` is the request
    that said so.
    """

    seq: int
    source_mpid: int
    destination_mpid: int
    start_ms: int
    end_ms: int

    def covers(self, time_ms: int) -> bool:
        """Whether an event of that time is copied."""
        return self.start_ms <= time_ms <= self.end_ms

    def overlaps(self, start_ms: int, end_ms: int) -> bool:
        """Whether another window has a moment in common with this one."""
        return start_ms <= self.end_ms and self.start_ms <= end_ms


def status_message(alias: Alias, mpid: int) -> str:
    """What an alias leaves on either of its profiles, naming the other (section 9)."""
    if mpid == alias.source_mpid:
        return f"request {alias.seq}: aliased to profile {alias.destination_mpid}"
    return f"request {alias.seq}: aliased from profile {alias.source_mpid}"


class AttributeChange(NamedTuple):
    """An attribute that a profile got, or got another value of, or lost: then it is None."""

    op: AttributeOp
    mpid: int
    name: str
    value: Any = None


class NewEvent(Value):
    """An event of a batch; without a time of its own it has that of the request.

    `text` is the whole of it as JSON.
    """

    __match_args__ = ("time_ms", "event_type", "name", "text")
    __slots__ = __match_args__

    def __init__(self, time_ms: int | None, event_type: str, name: str | None, text: str) -> None:
        self.time_ms: Final = time_ms
        self.event_type: Final = event_type
        self.name: Final = name
        self.text: Final = text


class BatchDevice(Value):
    """What a batch says of its device, a JSON object; one that is only named is not kept."""

    __match_args__ = ("identifier", "info")
    __slots__ = __match_args__

    def __init__(self, identifier: Identifier | None, info: str) -> None:
        self.identifier: Final = identifier
        self.info: Final = info


class BatchData(Value):
    """What a batch brings to the profile that it is answered with; None is what it does not say.

    First the attributes are set, each to a value as JSON, then the names are deleted.
    `consent_state` and `attribution` are JSON objects.
    """

    __match_args__ = (
        "events", "attributes", "deleted", "device", "consent_state", "is_opted_out", "attribution",
    )  # fmt: skip
    __slots__ = __match_args__

    def __init__(
        self,
        events: Sequence[NewEvent] = (),
        attributes: Mapping[str, str] | None = None,
        deleted: Sequence[str] = (),
        device: BatchDevice | None = None,
        consent_state: str | None = None,
        is_opted_out: bool | None = None,
        attribution: str | None = None,
    ) -> None:
        self.events: Final = events
        self.attributes: Final = attributes
        self.deleted: Final = deleted
        self.device: Final = device
        self.consent_state: Final = consent_state
        self.is_opted_out: Final = is_opted_out
        self.attribution: Final = attribution

    def of_device(self, identifier: Identifier | None) -> "BatchData":
        """The same, where another identifier stands for the device that it speaks of, or none."""
        assert self.device is not None
        return BatchData(
            self.events,
            self.attributes,
            self.deleted,
            BatchDevice(identifier, self.device.info),
            self.consent_state,
            self.is_opted_out,
            self.attribution,
        )

    @property
    def is_empty(self) -> bool:
        """Whether it says nothing at all."""
        return not (
            self.events
            or self.attributes
            or self.deleted
            or self.device is not None
            or self.consent_state is not None
            or self.is_opted_out is not None
            or self.attribution is not None
        )
