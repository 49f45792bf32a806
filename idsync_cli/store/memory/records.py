"""Records of a store that keeps them in no order, as an export has them."""

from collections.abc import Iterable, Iterator, Mapping

from idsync_cli.core.data.values import Alias
from idsync_cli.core.erasure import Erasure
from idsync_cli.core.records import (
    AttributeRecord,
    DeviceRecord,
    DigestRecord,
    EventRecord,
    NumberedRecord,
    StateRecord,
)

_ORDER = (*(AttributeRecord, DeviceRecord, StateRecord, EventRecord, Alias, DigestRecord, Erasure),)
"""The kinds of records in the order in which they stand where one number has several."""


def mpids_of(record: NumberedRecord) -> set[int]:
    """The profiles that are there, and that a record is about."""
    if isinstance(record, Alias):
        return {record.source_mpid, record.destination_mpid}
    if isinstance(record, Erasure) or record.mpid is None:
        return set()
    return {record.mpid}


def in_order(
    records: Iterable[NumberedRecord], ages: Mapping[int, int]
) -> Iterator[NumberedRecord]:
    """Records by number, by kind, by the age of their profiles, and by what tells them apart."""

    def order(record: NumberedRecord) -> tuple[int, int, int, str, int]:
        rank = next(index for index, kind in enumerate(_ORDER) if isinstance(record, kind))
        age = max([ages[mpid] for mpid in mpids_of(record)], default=0)
        text, number = "", 0
        if isinstance(record, AttributeRecord):
            text = record.name
        elif isinstance(record, DeviceRecord) and record.identifier is not None:
            text = f"{record.identifier.type}={record.identifier.value}"
        elif isinstance(record, DigestRecord):
            age, text = 0, record.digest.hex()
        elif isinstance(record, EventRecord):
            number = record.place
        return record.seq, rank, age, text, number

    return iter(sorted(records, key=order))
