"""Records: what an export has of a profile, piece by piece (section 9)."""

import pickle
from typing import get_args

import pytest

from idsync_cli.core import records
from idsync_cli.core.data.values import Alias
from idsync_cli.core.erasure import Erasure
from idsync_cli.core.identity import Identifier, IdentityType
from idsync_cli.core.records import Record

RECORDS: tuple[Record, ...] = (
    records.TimesRecord(5, 1, 2),
    records.AttributeRecord(5, 7, "plan", '"gold"'),
    records.DeviceRecord(5, 7, 3, Identifier(IdentityType.IOS_IDFV, "v"), "{}"),
    records.StateRecord(5, 7, None, False, None),
    records.EventRecord(5, 7, 1, 99, "custom_event", "cart", "{}"),
    Alias(7, 5, 6, 1, 2),
    records.DigestRecord(5, 7, b"digest", b"key"),
    Erasure(5, 7, "consumers", 99),
)


def test_there_is_one_of_every_record() -> None:
    assert {type(each) for each in RECORDS} == set(get_args(Record))


@pytest.mark.parametrize("record", RECORDS, ids=lambda each: type(each).__name__)
def test_a_record_is_a_value_and_all_but_times_have_a_number(record: Record) -> None:
    assert pickle.loads(pickle.dumps(record)) == record  # noqa: S301 - our own
    assert hash(record) == hash(pickle.loads(pickle.dumps(record)))  # noqa: S301 - our own
    assert getattr(record, "seq", None) == (None if isinstance(record, records.TimesRecord) else 7)
