"""What a store has beside profiles, piece by piece, told from all that ever came."""

import json
from collections.abc import Iterable, Sequence

from idsync_cli.core.data.values import Alias, BatchData, BatchDevice, Event
from idsync_cli.core.erasure import Erasure
from idsync_cli.core.identity import Identifier
from idsync_cli.core.records import (
    AttributeRecord,
    DeviceRecord,
    DigestRecord,
    EventRecord,
    NumberedRecord,
    StateRecord,
)
from tests.plain_data import Brought

NOTHING = "[]"  # unlike anything that is ever said of a device
KINDS = (AttributeRecord, DeviceRecord, StateRecord, EventRecord, Alias, DigestRecord, Erasure)


def pieces_of(mpid: int, everything: Sequence[Brought]) -> list[NumberedRecord]:
    """Attributes, devices and the state of a profile."""
    attributes: dict[str, AttributeRecord] = {}
    devices: dict[Identifier | None, DeviceRecord] = {}
    state = StateRecord(mpid, 0, None, False, None)
    its = sorted((each for each in everything if each.mpid == mpid), key=lambda each: each.seq)
    for each in its:
        data, seq = each.data or BatchData(), each.seq
        for name, value in (data.attributes or {}).items():
            if name not in attributes or attributes[name].value != value:
                attributes[name] = AttributeRecord(mpid, seq, name, value)
        for name in data.deleted:
            attributes.pop(name, None)
        if data.device is not None:
            of, info = data.device.identifier, data.device.info
            first = devices[of].first_seq if of in devices else seq
            if of not in devices or devices[of].info != info:
                devices[of] = DeviceRecord(mpid, seq, first, of, info)
        attribution = data.attribution
        if attribution is None and each.source and each.source.attribution is not None:
            attribution = json.dumps(each.source.attribution)
        said = state._replace(
            consent_state=data.consent_state or state.consent_state,
            is_opted_out=state.is_opted_out if data.is_opted_out is None else data.is_opted_out,
            attribution=attribution or state.attribution,
        )
        state = state if said == state else said._replace(seq=seq)
    found: list[NumberedRecord] = [*attributes.values(), *devices.values()]
    return [*found, state] if state.seq else found


def event_record(mpid: int, event: Event) -> EventRecord:
    seq, place, time_ms = event.seq, event.place, event.time_ms
    return EventRecord(mpid, seq, place, time_ms, event.event_type, event.name, event.text)


def as_brought(record: AttributeRecord | DeviceRecord | StateRecord) -> list[Brought]:
    """What would have brought a record of a profile, if it was no event."""
    if isinstance(record, AttributeRecord):
        data = BatchData(attributes={record.name: record.value})
        return [Brought(record.mpid, record.seq, None, data)]
    if isinstance(record, DeviceRecord):
        first, last = (BatchDevice(record.identifier, info) for info in (NOTHING, record.info))
        its = [] if record.first_seq == record.seq else [(record.first_seq, first)]
        return [
            Brought(record.mpid, seq, None, BatchData(device=device))
            for seq, device in [*its, (record.seq, last)]
        ]
    assert isinstance(record, StateRecord)
    _, seq, consent, opted_out, attribution = record
    data = BatchData(consent_state=consent, is_opted_out=opted_out, attribution=attribution)
    return [Brought(record.mpid, seq, None, data)]


def sorted_records(records: Iterable[NumberedRecord], ages: dict[int, int]) -> list[NumberedRecord]:
    def place(record: NumberedRecord) -> tuple[object, ...]:
        kind, age, within = KINDS.index(type(record)), 0, ""
        if isinstance(record, Alias):
            age = ages[record.source_mpid]
        elif not isinstance(record, Erasure) and record.mpid is not None:
            age = ages[record.mpid]
        if isinstance(record, AttributeRecord):
            within = record.name
        if isinstance(record, DeviceRecord) and record.identifier:
            within = f"{record.identifier.type}={record.identifier.value}"
        if isinstance(record, EventRecord):
            within = f"{record.place:09}"
        if isinstance(record, DigestRecord):
            age, within = 0, record.digest.hex()
        return record.seq, kind, age, within

    return sorted(records, key=place)


def name_of(record: NumberedRecord) -> object:
    """What tells it apart from others of its kind and profile."""
    if isinstance(record, AttributeRecord):
        return record.name
    return record.identifier if isinstance(record, DeviceRecord) else None


def named_by(record: NumberedRecord) -> set[int | None]:
    if isinstance(record, Alias):
        return {record.source_mpid, record.destination_mpid}
    return set() if isinstance(record, Erasure) else {record.mpid}
