"""What a profile of the store in memory has beside its identifiers."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from idsync_cli.core.codes import AttributeOp
from idsync_cli.core.data.values import (
    Alias,
    AttributeChange,
    BatchData,
    Device,
    ProfileData,
    status_message,
)
from idsync_cli.core.identity import Identifier
from idsync_cli.core.records import (
    AttributeRecord,
    DeviceRecord,
    NumberedRecord,
    Record,
    StateRecord,
    TimesRecord,
)
from idsync_cli.store.kept_json import event_of, value_of


class KeptEvent(NamedTuple):
    """An event as it is kept."""

    seq: int
    place: int
    time_ms: int
    event_type: str
    name: str | None
    text: str


def when(event: KeptEvent) -> tuple[int, int, int]:
    """The order of events: by time, then as they came."""
    return event.time_ms, event.seq, event.place


class KeptDevice(NamedTuple):
    """What was said of a device last, as JSON, and by which request; and who named it first."""

    info: str
    seq: int
    first_seq: int


class KeptState(NamedTuple):
    """Consent and the like, and the request that changed any of it last; 0 where none did."""

    consent_state: str | None
    is_opted_out: bool
    attribution: str | None
    seq: int


class KeptData:
    """Everything but the events; it never changes.

    Attributes are JSON by their names, each with the request that set it. Devices are in the order
    in which they came. `times` are when the profile was first seen and last stored.
    """

    __slots__ = ("attributes", "devices", "state", "times")

    def __init__(
        self,
        attributes: Mapping[str, tuple[str, int]],
        devices: Mapping[Identifier | None, KeptDevice],
        state: KeptState,
        times: tuple[int, int] | None,
    ) -> None:
        self.attributes: Final = attributes
        self.devices: Final = devices
        self.state: Final = state
        self.times: Final = times

    def after(self, data: BatchData | None, seq: int, time_ms: int) -> "KeptData":
        """The same after a request that was answered with the profile."""
        first, last = self.times or (time_ms, time_ms)
        times = min(first, time_ms), max(last, time_ms)
        if data is None:
            return KeptData(self.attributes, self.devices, self.state, times)
        attributes = dict(self.attributes)
        for _, name, value in self._attribute_steps(data):
            if value is None:
                del attributes[name]
            else:
                attributes[name] = value, seq
        devices, opted_out = self._devices_after(data, seq), data.is_opted_out
        state = self._state_after(data.consent_state, opted_out, data.attribution, seq)
        return KeptData(attributes, devices, state, times)

    def changes(self, data: BatchData, mpid: int) -> Iterator[AttributeChange]:
        """What a batch changes of the attributes, in the order made."""
        for op, name, value in self._attribute_steps(data):
            yield AttributeChange(op, mpid, name, None if value is None else value_of(value))

    def _attribute_steps(self, data: BatchData) -> Iterator[tuple[AttributeOp, str, str | None]]:
        """What really changes: no attribute that is set as it was, or deleted and not there."""
        values = {name: value for name, (value, _) in self.attributes.items()}
        for name, value in (data.attributes or {}).items():
            if values.get(name) != value:
                values[name] = value
                yield AttributeOp.SET, name, value
        for name in data.deleted:
            if values.pop(name, None) is not None:
                yield AttributeOp.DELETE, name, None

    def with_alias_of(self, source: "KeptData", seq: int) -> "KeptData":
        """The same once what the source was and did is this one's, too."""
        times = self.times
        if times is not None and source.times is not None:
            times = min(times[0], source.times[0]), times[1]
        state = self._state_after(None, None, source.state.attribution, seq)
        return KeptData(self.attributes, self.devices, state, times)

    def with_record(self, record: Record) -> "KeptData | None":
        """The same with a record of an import; None where there is one like it already."""
        attributes, devices, state, times = self.attributes, self.devices, self.state, self.times
        if isinstance(record, TimesRecord):
            times = record.first_seen_ms, record.last_stored_ms
        elif isinstance(record, AttributeRecord):
            if record.name in attributes:
                return None
            attributes = {**attributes, record.name: (record.value, record.seq)}
        elif isinstance(record, DeviceRecord):
            if record.identifier in devices:
                return None
            device = KeptDevice(record.info, record.seq, record.first_seq)
            devices = {**devices, record.identifier: device}
        elif isinstance(record, StateRecord):
            if state.seq:
                return None
            state = KeptState(
                record.consent_state, record.is_opted_out, record.attribution, record.seq
            )
        return KeptData(attributes, devices, state, times)

    def records(self, mpid: int) -> Iterator[NumberedRecord]:
        """The same as the records of an export."""
        for name in sorted(self.attributes):
            value, seq = self.attributes[name]
            yield AttributeRecord(mpid, seq, name, value)
        for identifier, device in self.devices.items():
            yield DeviceRecord(mpid, device.seq, device.first_seq, identifier, device.info)
        if self.state.seq:
            consent_state, is_opted_out, attribution, seq = self.state
            yield StateRecord(mpid, seq, consent_state, is_opted_out, attribution)

    def _devices_after(self, data: BatchData, seq: int) -> Mapping[Identifier | None, KeptDevice]:
        named = data.device
        if named is None:
            return self.devices
        before = self.devices.get(named.identifier)
        if before is None:
            return {**self.devices, named.identifier: KeptDevice(named.info, seq, seq)}
        if named.info == before.info:
            return self.devices
        device = KeptDevice(named.info, seq, before.first_seq)
        return {**self.devices, named.identifier: device}

    def _state_after(
        self,
        consent_state: str | None,
        is_opted_out: bool | None,
        attribution: str | None,
        seq: int,
    ) -> KeptState:
        """The state after a batch; what is None in it stays as it was."""
        before = self.state
        consent = before.consent_state if consent_state is None else consent_state
        opted_out = before.is_opted_out if is_opted_out is None else is_opted_out
        its_attribution = before.attribution if attribution is None else attribution
        if (consent, opted_out, its_attribution) == before[:3]:
            return before
        return KeptState(consent, opted_out, its_attribution, seq)

    def whole(
        self,
        events: Sequence[KeptEvent],
        event_count: int,
        aliases: Iterable[Alias],
        mpid: int,
    ) -> ProfileData:
        """The profile's data as a value, with some events, and a status message for each alias."""
        first, last = self.times or (None, None)
        devices = self._in_order()
        return ProfileData(
            {name: value_of(self.attributes[name][0]) for name in sorted(self.attributes)},
            tuple([event_of(*each) for each in events]),
            event_count,
            tuple([Device(each, value_of(kept.info), kept.seq) for each, kept in devices]),
            _value_or_none(self.state.consent_state),
            self.state.is_opted_out,
            _value_or_none(self.state.attribution),
            first,
            last,
            tuple([status_message(each, mpid) for each in aliases]),
        )

    def _in_order(self) -> list[tuple[Identifier | None, KeptDevice]]:
        """The devices by the requests that named them first; an import may bring the later ones."""
        return sorted(self.devices.items(), key=_named_first)


def _named_first(item: tuple[Identifier | None, KeptDevice]) -> int:
    return item[1].first_seq


def _value_or_none(text: str | None) -> Any:
    return None if text is None else value_of(text)


NO_DATA: Final = KeptData({}, {}, KeptState(None, False, None, 0), None)
"""What a profile has that nothing is known of."""
