"""What an export has beside profiles, as lines of JSON (section 9).

Everything is ASCII: no value can act on a terminal. What is kept as JSON stands there as it is.
"""

import json
import re
from typing import Final

from idsync_cli.core.data.values import Alias
from idsync_cli.core.records import (
    AttributeRecord,
    DeviceRecord,
    DigestRecord,
    EventRecord,
    Record,
    StateRecord,
    TimesRecord,
)
from idsync_cli.wire.answers import encode, erasure_record_json

_RECORD: Final = "record"
"""The member that a record has, and a profile has not."""

_UNSAFE: Final = re.compile(r"[^\x00-\x7e]+")
"""What is no ASCII, and DEL: a terminal may act on it."""

_LINE_ENDS: Final = str.maketrans("\r\n", "  ")


def record_line(record: Record) -> str:
    """A line of an export; of a digest the key stands in a line before it."""
    if isinstance(record, EventRecord):
        mpid, seq, place, time_ms, _, _, text = record
        return (
            f'{{"record": "event", "mpid": "{mpid}", "seq": {seq}, "place": {place}, '
            f'"time_ms": {time_ms}, "event": {on_one_line(text)}}}'
        )
    if isinstance(record, AttributeRecord):
        return (
            f'{{"record": "attribute", "mpid": "{record.mpid}", "seq": {record.seq}, '
            f'"name": {json.dumps(record.name)}, "value": {on_one_line(record.value)}}}'
        )
    if isinstance(record, TimesRecord):
        mpid, first_seen_ms, last_stored_ms = record
        return (
            f'{{"record": "times", "mpid": "{mpid}", "first_seen_ms": {_number(first_seen_ms)}, '
            f'"last_stored_ms": {_number(last_stored_ms)}}}'
        )
    if isinstance(record, DeviceRecord):
        identifier = record.identifier
        named = ["null", "null"]
        if identifier is not None:
            named = [f'"{identifier.type}"', json.dumps(identifier.value)]
        return (
            f'{{"record": "device", "mpid": "{record.mpid}", "seq": {record.seq}, '
            f'"first_seq": {record.first_seq}, "identity_type": {named[0]}, "value": {named[1]}, '
            f'"info": {on_one_line(record.info)}}}'
        )
    if isinstance(record, StateRecord):
        opted_out = "true" if record.is_opted_out else "false"
        return (
            f'{{"record": "state", "mpid": "{record.mpid}", "seq": {record.seq}, '
            f'"consent_state": {on_one_line(record.consent_state)}, "is_opted_out": {opted_out}, '
            f'"attribution": {on_one_line(record.attribution)}}}'
        )
    if isinstance(record, Alias):
        return (
            f'{{"record": "alias", "source_mpid": "{record.source_mpid}", '
            f'"destination_mpid": "{record.destination_mpid}", "seq": {record.seq}, '
            f'"start_unixtime_ms": {record.start_ms}, "end_unixtime_ms": {record.end_ms}}}'
        )
    if isinstance(record, DigestRecord):
        whose = None if record.mpid is None else str(record.mpid)
        digest = record.digest.hex()
        return encode({_RECORD: "digest", "mpid": whose, "seq": record.seq, "digest": digest})
    return encode(erasure_record_json(record))


def _number(number: int | None) -> str:
    return "null" if number is None else str(number)


def digest_key_line(key: bytes) -> str:
    """The line that stands before digests, and says under which key they are, up to the next."""
    return encode({_RECORD: "digest_key", "key": key.hex()})


def on_one_line(text: str | None) -> str:
    """JSON that is kept as text; a line end in it, which is space between words, ends no line."""
    if text is None:
        return "null"
    text = _UNSAFE.sub(lambda found: json.dumps(found.group())[1:-1], text)
    return text.translate(_LINE_ENDS)
