"""Lines of an export that tell of batches and aliases: each is a record of its kind (section 9)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from idsync_cli import wire
from idsync_cli.core.data.values import Alias
from idsync_cli.core.decision import WHOLE_REQUEST
from idsync_cli.core.identity import MPID_MAX, MPID_MIN, Identifier, parse_mpid, value_fault
from idsync_cli.core.records import (
    AttributeRecord,
    DataRecord,
    DeviceRecord,
    DigestRecord,
    EventRecord,
    StateRecord,
    TimesRecord,
)
from idsync_cli.errors import quoted
from idsync_cli.files.member_checks import (
    A_SEQ,
    AN_MPID,
    RECORD,
    ExcerptOf,
    Members,
    bad,
    checked,
    is_seq,
)

UNKNOWN_KEY: Final = b""
"""Stands in a digest for the key that a line before it tells."""


@dataclass(frozen=True, slots=True)
class DataLine:
    """Something that a profile has beside its identifiers, as a file says it."""

    line: int
    record: TimesRecord | DataRecord
    excerpt: ExcerptOf = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class DigestKeyLine:
    """The key of the digests that follow, up to the next such line."""

    line: int
    key: bytes
    excerpt: ExcerptOf = field(compare=False, repr=False)


def read_data(
    number: int, kind: str, value: Mapping[str, Any], line: bytes, excerpt: ExcerptOf
) -> DataLine | DigestKeyLine:
    """Read a record of one of KINDS, which is what a line holds.

    Raises:
        Refusal: something is wrong with it.
    """
    wire.check_depth(dict(value))
    if kind == _DIGEST_KEY:
        given = checked(value, _MEMBERS[kind], required=("key",))
        return DigestKeyLine(number, bytes.fromhex(given["key"]), excerpt)
    given = checked(value, _MEMBERS[kind], required=_REQUIRED[kind])
    if kind == _EVENT:
        return DataLine(number, _event(given, line), excerpt)
    return DataLine(number, _READERS[kind](given | _tag(value)), excerpt)


def _tag(value: Mapping[str, Any]) -> wire.Json:
    """Null says something where it is the value of an attribute."""
    return {"value": None} if value.get("value", ...) is None else {}


def _times(given: wire.Json) -> TimesRecord:
    first, last = given["first_seen_ms"], given["last_stored_ms"]
    if first > last:
        raise bad(
            f"first_seen_ms is {first}, after last_stored_ms, which is {last}", ("first_seen_ms",)
        )
    return TimesRecord(_mpid(given), first, last)


def _attribute(given: wire.Json) -> AttributeRecord:
    if "value" not in given:
        raise bad("no value; for a tag it is null", WHOLE_REQUEST)
    [(name, text)] = wire.attributes_of({given["name"]: given["value"]}).items()
    return AttributeRecord(_mpid(given), given["seq"], name, text)


def _device(given: wire.Json) -> DeviceRecord:
    seq: int = given["seq"]
    first: int = given.get("first_seq", seq)
    if first > seq:
        raise bad(f"first_seq is {first}, after seq, which is {seq}", ("first_seq",))
    kind, value = given.get("identity_type"), given.get("value")
    if (kind is None) != (value is None):
        what = "identity_type and value go together: give both, or neither"
        raise bad(what, WHOLE_REQUEST)
    identifier = None
    if kind is not None and value is not None:
        identifier = Identifier(wire.identity_type_of(kind), value)
        fault = "is empty" if value == "" else value_fault(value)
        if fault:
            raise bad(f"the value {quoted(value)} of {kind} {fault}", ("value",))
    return DeviceRecord(_mpid(given), seq, first, identifier, wire.json_text(given["info"]))


def _state(given: wire.Json) -> StateRecord:
    consent, attribution = given.get("consent_state"), given.get("attribution")
    return StateRecord(
        _mpid(given),
        given["seq"],
        None if consent is None else wire.json_text(consent),
        given["is_opted_out"],
        None if attribution is None else wire.json_text(attribution),
    )


def _event(given: wire.Json, line: bytes) -> EventRecord:
    time_ms, event = given["time_ms"], given["event"]
    new = wire.event_of((_EVENT,), event, wire.text_of_member(line, _EVENT), time_ms)
    if new.time_ms != time_ms:
        what = f"time_ms is {time_ms}, but the event itself says {new.time_ms}"
        raise bad(what, ("time_ms",))
    return EventRecord(
        _mpid(given), given["seq"], given["place"], time_ms, new.event_type, new.name, new.text
    )


def _alias(given: wire.Json) -> Alias:
    source, destination = parse_mpid(given["source_mpid"]), parse_mpid(given["destination_mpid"])
    assert source is not None
    assert destination is not None
    if source == destination:
        raise bad("source and destination are the same profile", ("destination_mpid",))
    start, end = given["start_unixtime_ms"], given["end_unixtime_ms"]
    if start > end:
        raise bad(f"the window ends at {end}, before it starts at {start}", ("end_unixtime_ms",))
    return Alias(given["seq"], source, destination, start, end)


def _digest(given: wire.Json) -> DigestRecord:
    mpid, digest = parse_mpid(given.get("mpid")), bytes.fromhex(given["digest"])
    return DigestRecord(mpid, given["seq"], digest, UNKNOWN_KEY)


def _mpid(given: wire.Json) -> int:
    mpid = parse_mpid(given["mpid"])
    assert mpid is not None
    return mpid


def _is_time(value: object) -> bool:
    """Whether it is a time that a request may have: -2^63 stands for none."""
    return isinstance(value, int) and not isinstance(value, bool) and MPID_MIN < value <= MPID_MAX


def _is_object(value: object) -> bool:
    return isinstance(value, dict)


def _is_boolean(value: object) -> bool:
    return isinstance(value, bool)


def _is_anything(_value: object) -> bool:
    return True


def _is_hexadecimal_of(size: int) -> Callable[[object], bool]:
    def is_it(value: object) -> bool:
        return (
            isinstance(value, str)
            and len(value) == 2 * size
            and all(each in "0123456789abcdef" for each in value)
        )

    return is_it


_A_TIME: Final = ("a time in milliseconds since 1970", _is_time)
_TEXT: Final = ("text", wire.is_text)
_AN_OBJECT: Final = ("an object", _is_object)
_DIGEST_KEY: Final = "digest_key"
_EVENT: Final = "event"
_OF_PROFILE: Final[Members] = {RECORD: _TEXT, "mpid": AN_MPID, "seq": A_SEQ}

_MEMBERS: Final[Mapping[str, Members]] = {
    "times": {
        RECORD: _TEXT,
        "mpid": AN_MPID,
        "first_seen_ms": _A_TIME,
        "last_stored_ms": _A_TIME,
    },
    "attribute": {**_OF_PROFILE, "name": _TEXT, "value": ("anything", _is_anything)},
    "device": {
        **_OF_PROFILE,
        "first_seq": A_SEQ,
        "identity_type": _TEXT,
        "value": _TEXT,
        "info": _AN_OBJECT,
    },
    "state": {
        **_OF_PROFILE,
        "consent_state": _AN_OBJECT,
        "is_opted_out": ("true or false", _is_boolean),
        "attribution": _AN_OBJECT,
    },
    _EVENT: {
        **_OF_PROFILE,
        "place": ("a number from 1 to 4611686018427387904", is_seq),
        "time_ms": _A_TIME,
        _EVENT: _AN_OBJECT,
    },
    "alias": {
        RECORD: _TEXT,
        "source_mpid": AN_MPID,
        "destination_mpid": AN_MPID,
        "seq": A_SEQ,
        "start_unixtime_ms": _A_TIME,
        "end_unixtime_ms": _A_TIME,
    },
    _DIGEST_KEY: {RECORD: _TEXT, "key": ("64 hexadecimal digits", _is_hexadecimal_of(32))},
    "digest": {**_OF_PROFILE, "digest": ("32 hexadecimal digits", _is_hexadecimal_of(16))},
}
"""Every member that a record of a kind may have, and what it must be."""

_OPTIONAL: Final = (
    RECORD, "first_seq", "identity_type", "value", "consent_state", "attribution",
)  # fmt: skip
_REQUIRED: Final = {
    kind: tuple(
        name for name in members if name not in _OPTIONAL and (kind, name) != ("digest", "mpid")
    )
    for kind, members in _MEMBERS.items()
}
_READERS: Final[Mapping[str, Callable[[wire.Json], TimesRecord | DataRecord]]] = {
    "times": _times,
    "attribute": _attribute,
    "device": _device,
    "state": _state,
    "alias": _alias,
    "digest": _digest,
}

KINDS: Final = tuple(_MEMBERS)
"""What a record may be that is no erasure."""
