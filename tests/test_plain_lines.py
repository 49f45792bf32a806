"""A line means the same however it was read: at once, where it is plain, or as any JSON is."""

import copy
import json
import random
from pathlib import Path

import pytest

from idsync_cli import wire
from idsync_cli.core.config.rules import Organization
from idsync_cli.core.decision import Refusal
from idsync_cli.wire.batches import Batch, BatchLine
from idsync_cli.wire.decoding import check_depth
from idsync_cli.wire.lines import LineReader, PlainLine
from tests.comparison import lines_of, organization
from tests.many import many
from tests.world_batches import BATCH_FAULTS
from tests.worlds import BAD_MEMBERS, BAD_MPIDS, FAULTS, random_scope, random_world

ROOT = Path(__file__).resolve().parent.parent
TWO_SCOPES = organization(
    {
        "s": {"strategy": "profile_conversion", "priority": ["customer_id", "email", "ios_idfv"]},
        "t": {"strategy": "best_match", "priority": ["email"]},
    },
    {"w": "s", "v": "t"},
)
PLAIN: list[dict[str, object]] = [
    {"type": "login", "scope": "s", "known_identities": {"email": "a", "idfv": "9"}, "label": "l"},
    {
        "type": "search",
        "workspace": "w",
        "previous_mpid": "-5412",
        "known_identities": {"das": "9"},
    },
    {"type": "identify", "scope": "t", "previous_mpid": "@l", "known_identities": {"email": "a"}},
    {"type": "logout", "scope": "s", "previous_mpid": 5, "known_identities": {"email": "a"}},
    {
        "client_sdk": {"platform": "web", "sdk_vendor": "mparticle", "sdk_version": "2.68.0"},
        "context": "c",
        "environment": "development",
        "request_id": "r",
        "source_request_id": "s",
        "request_timestamp_ms": 1_700_000_000_000,
        "type": "identify",
        "scope": "s",
        "previous_mpid": 0,
        "known_identities": {"device_application_stamp": "d"},
        "response": {"mpid": "5"},
    },
    {
        "type": "modify",
        "scope": "s",
        "mpid": "@l",
        "request_id": "r",
        "request_timestamp_ms": -5,
        "environment": "production",
        "identity_changes": [
            {"identity_type": "email", "old_value": "a", "new_value": "b"},
            {"identity_type": "customerid", "new_value": "b"},
            {"identity_type": "idfv", "old_value": "b"},
        ],
    },
]
MODIFY = {"type": "modify", "scope": "s", "mpid": "5"}
BATCH: dict[str, object] = {
    "type": "batch",
    "scope": "s",
    "user_identities": {"customerid": "A1", "email": "é@example.com"},
    "device_info": {"ios_idfv": "9", "platform": "iOS", "screen": {"width": 5, "scale": 1.50}},
    "mp_deviceid": "d",
    "user_attributes": {"city": "Bern", "n": 1, "f": 1.50, "tag": None, "l": ["x", 1, None, True]},
    "events": [
        {
            "event_type": "custom_event",
            "data": {"event_name": "e", "timestamp_unixtime_ms": 1.7e12},
        },
        {"event_type": "screen_view", "data": {"screen_name": "ü", "custom_attributes": {}}},
    ],
    "source_request_id": "s-1",
    "sdk_version": "2.68.0",
    "timestamp_unixtime_ms": 1_700_000_000_000,
}

A_BATCH = b'{"type": "batch", "user_identities": {"email": "a"}, '
ODD = [
    b"",
    b" ",
    b"null",
    b"[]",
    b'"login"',
    b"5",
    b"{",
    b"{}",
    b'{"type": "login"}',
    b'\xef\xbb\xbf{"type": "login", "scope": "s", "known_identities": {"email": "a"}}',
    b' {"type": "login" , "scope":"s","known_identities":{ "email" :"a"} } ',
    b'{"type": "login", "scope": "s", "known_identities": {"email": "a"}} {}',
    b'{"type": "login", "scope": "s", "known_identities": {"email": "a"}},',
    b'{"type": "login", "scope": "s", "known_identities": {"email": "a",}}',
    b"{'type': 'login'}",
    # a member twice, a key twice, with equal and other values
    b'{"type": "login", "type": "login", "scope": "s", "known_identities": {"email": "a"}}',
    b'{"type": "login", "scope": "s", "scope": "t", "known_identities": {"email": "a"}}',
    b'{"type": "login", "scope": "s", "known_identities": {"email": "a", "email": "a"}}',
    b'{"type": "login", "scope": "s", "known_identities": {"email": "a"}, "known_identities": {}}',
    b'{"type": "login", "scope": "s", "mpid": null, "known_identities": {"email": "a"}}',
    b'{"type": "login", "scope": "s", "known_identities": {"email": "a", "idfv": null}}',
    b'{"type": "login", "scope": "s", "known_identities": {"email": "a", "idfv": ""}}',
    b'{"type": "login", "scope": "s", "known_identities": {"idfv": "a", "ios_vendor_id": "a"}}',
    b'{"type": "login", "scope": "s", "known_identities": {"email": "\\u0061"}}',
    b'{"type": "login", "scope": "s", "known_identities": {"email": "\\ud800"}}',
    b'{"type": "login", "scope": "s", "known_identities": {"email": "\\u0000"}}',
    b'{"type": "login", "scope": "s", "known_identities": {"email": "a\tb"}}',
    b'{"type": "login", "scope": "s", "known_identities": {"email": "\x00"}}',
    b'{"type": "login", "scope": "s", "known_identities": {"email": "\x7f"}}',
    b'{"type": "login", "scope": "s", "known_identities": {"email": "\xff"}}',
    b'{"type": "login", "scope": "s", "known_identities": {"email": "\xed\xa0\x80"}}',
    b'{"type": "login", "scope": "s", "known_identities": {"email": "\xc3\xa9\xf0\x9f\x98\x80"}}',
    b'{"type": "login", "scope": "s", "known_identities": {"em\\u0061il": "a"}}',
    b'{"type": "login", "scope": "s", "label": "\xc3\xa9", "known_identities": {"email": "a"}}',
    b'{"type": "login", "scope": "s", "label": "", "known_identities": {"email": "a"}}',
    b'{"type": "login", "scope": "s", "context": {"a": "b"}, "known_identities": {"email": "a"}}',
    b'{"type": "login", "scope":"s", "request_timestamp_ms":1e3, "known_identities": {"das":"a"}}',
    b'{"type": "login", "scope":"s", "request_timestamp_ms":1.0, "known_identities": {"das":"a"}}',
    b'{"type": "login", "scope":"s", "request_timestamp_ms":-0, "known_identities": {"das":"a"}}',
    b'{"type": "login", "scope": "s", "previous_mpid": 1e0, "known_identities": {"das": "a"}}',
    b'{"type": "login", "scope": "s", "previous_mpid": 5.0, "known_identities": {"das": "a"}}',
    b'{"type": "login", "scope": "s", "previous_mpid": 01, "known_identities": {"das": "a"}}',
    b'{"type": "login", "scope": "s", "previous_mpid": "01", "known_identities": {"das": "a"}}',
    b'{"type": "login", "scope": "s", "previous_mpid": "@", "known_identities": {"das": "a"}}',
    b'{"type": "login", "scope": "s", "previous_mpid": -0, "known_identities": {"das": "a"}}',
    b'{"type": "login", "scope": "s", "previous_mpid": 0e0, "known_identities": {"das": "a"}}',
    b'{"type": "login", "scope": "s", "client_sdk": {"a": "b", "a": "b"}}',
    b'{"type": "login", "scope": "s", "client_sdk": {"a": {"b": "c"}}}',
    b'{"type": "login", "scope": "s", "response": {"mpid": null, "mpid": null}}',
    b'{"type": "login", "scope": "s", "response": {}, "known_identities": {"das": "a"}}',
    b'{"type": "login", "scope": "s", "known_identities": ' + b"[" * 5000 + b"]" * 5000 + b"}",
    b'{"type": "login", "scope": "s", "known_identities": {"email": "' + b"x" * 4097 + b'"}}',
    # event batches
    b'{"type": "batch"}',
    b'{"type": "batch", "events": [{"event_type": "x", "data": {"a": 1, "a": 1}}]}',
    A_BATCH + b'"user_identities": {"email": "a"}}',
    A_BATCH + b'"z": {"q": 1, "q": 2}}',
    A_BATCH + b'"events": [], "events": null}',
    b'{"type": "batch", "user_identities": {"email": 1e999}}',
    b'{"type": "batch", "user_identities": {"email": 12345678901234567890123456789}}',
    b'{"type": "batch", "user_identities": {"email": -1}, "user_attributes": {"a": 1E2, "b": -0}}',
    A_BATCH + b'"user_attributes": {"a": ' + b"9" * 500 + b"}}",
    A_BATCH + b'"user_attributes": {"a": ' + b"9" * 5000 + b"}}",
    A_BATCH + b'"user_attributes": {"a": -' + b"9" * 5000 + b"}}",
    b'{"type": "batch", "user_identities": {"email": ' + b"9" * 4096 + b"}}",
    b'{"type": "batch", "user_identities": {"email": ' + b"9" * 4097 + b"}}",
    A_BATCH + b'"user_attributes": {"a": NaN}}',
    A_BATCH + b'"user_attributes": {"a": "\\ud800"}}',
    A_BATCH + b'"user_attributes": {"a": "\xff"}}',
    A_BATCH + b'"events": [{"event_type": "\\u0061"}, null]}',
    A_BATCH + b'"events": [ { "event_type" : "a" } ] } ',
    b'{"type": "b\\u0061tch", "user_identities": {"email": "a"}, "events": [{"event_type": "a"}]}',
    A_BATCH + b'"z": ' + b"[" * 99 + b"]" * 99 + b"}",
    A_BATCH + b'"z": ' + b"[" * 100 + b"]" * 100 + b"}",
    A_BATCH + b'"z": ' + b"[" * 100 + b'"\\n"' + b"]" * 100 + b"}",
    A_BATCH + b'"z": ' + b"[" * 5000 + b"]" * 5000 + b"}",
    b'{"type": "login", "context": "batch", "scope": "s", "known_identities": {"email": "a"}}',
    b'{"type": "login", "context": {"type": "batch"}, "known_identities": {"email": "a"}}',
    b'{"type": "login", "scope": "s", "known_identities": {"email": "' + b"x" * 4096 + b'"}}',
]


ANYTHING: tuple[object, ...] = (None, "a", "", 5, 1.5, [], {}, True)


def in_all_orders_of_two(requests: list[dict[str, object]]) -> list[dict[str, object]]:
    """The requests, each also with every two of their members put together."""
    return [*requests, *(one | other for one in requests for other in requests)]


def lines() -> list[bytes]:
    """Plain lines, and every way we know for one to be not so plain."""
    found = [*ODD]
    requests: list[object] = [*in_all_orders_of_two(PLAIN)]
    for request in PLAIN:
        requests += [{**request, name: None} for name in (*request, "mpid", "context")]
        requests += [{n: v for n, v in request.items() if n != name} for name in request]
        requests += [{**request, n: bad} for n, each in BAD_MEMBERS.items() for bad in each]
        requests += [{**request, n: bad} for n in ("mpid", "previous_mpid") for bad in BAD_MPIDS]
        for fault in FAULTS:
            rng = random.Random(fault.__name__)
            requests += [fault(rng, copy.deepcopy(request)) for _ in range(20)]
    some = [None, "a", "", 5, "@l", "é", "x" * 4097]
    for old in some:
        for new in some:
            change = {"identity_type": "email", "old_value": old, "new_value": new}
            requests.append({**MODIFY, "identity_changes": [change]})
            requests.append({**MODIFY, "identity_changes": [change, change]})
            requests.append({**MODIFY, "known_identities": {"email": old, "idfv": new}})
    for name, value in BATCH.items():
        requests += [{**BATCH, name: bad} for bad in ANYTHING]
        requests.append({n: v for n, v in BATCH.items() if n != name} | {"z": [value, value]})
    for fault in BATCH_FAULTS:
        requests += [fault(random.Random(n), copy.deepcopy(BATCH)) for n in range(20)]
    for number in range(60):
        requests += random_world(random.Random(number)).requests
    for each in requests:
        found.append(json.dumps(each).encode())
        if not has_lone_surrogate(each):
            found.append(json.dumps(each, ensure_ascii=False).encode())
        found.append(json.dumps(each, separators=(",", ":")).encode() + b"\r")
    return found


def has_lone_surrogate(request: object) -> bool:
    try:
        json.dumps(request, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    return False


NOT_COMPARED = ("identities", "batch", "translate")  # `told` takes the first two apart
MEMBERS = [name for name in vars(wire.Reading) if name[0] != "_" and name not in NOT_COMPARED]

request_in = LineReader().request


def strictly(line: bytes) -> object:
    """What a line holds, read as any JSON is."""
    try:
        request = wire.decode(line.removesuffix(b"\r"))
        if isinstance(request, dict) and request.get("type") == "batch":
            check_depth(request)
    except Refusal as refusal:
        return refusal
    return request


def told(reading: wire.Reading) -> tuple[object, ...]:
    """A reading with its refusals in words; the identifiers in their order."""
    plain = [worded(getattr(reading, name)) for name in MEMBERS]
    return *plain, reading.identities and list(reading.identities.items()), brought(reading.batch)


def worded(value: object) -> object:
    return (value.code, value.message) if isinstance(value, Refusal) else value


def brought(batch: Batch | None) -> object:
    """What a batch brings, with its events as JSON: a line has them as they were written."""
    if batch is None:
        return None
    data = batch.data
    events = [
        (each.time_ms, each.event_type, each.name, json.loads(each.text)) for each in data.events
    ]
    kept = [getattr(data, name) for name in data.__match_args__ if name != "events"]
    return events, kept, list(batch.identifiers), batch.passed_over, worded(batch.fault)


@pytest.mark.parametrize("part", many(range(4)))
def test_a_line_means_the_same_however_it_was_read(part: int) -> None:
    for rules in (TWO_SCOPES, ONE_SCOPE):
        fast, strict = wire.Reader(rules), wire.Reader(rules)
        for _ in range(2):  # scopes are found at once only when they were found before
            for line in lines()[part::4]:
                found = told(fast.read(request_in(line)))
                assert found == told(strict.read(strictly(line))), line


ONE_SCOPE: Organization = organization(
    {"s": random_scope(random.Random(1), ["customer_id", "email", "ios_idfv"])}, {"w": "s"}
)


def test_plain_lines_are_read_at_once() -> None:
    for request in PLAIN:
        assert isinstance(request_in(json.dumps(request).encode()), PlainLine)
    day = (ROOT / "fixtures" / "requests.jsonl").read_bytes().splitlines()
    plain = [line for line in day if isinstance(request_in(line), PlainLine)]
    assert len(plain) > len(day) * 0.8
    assert lines_of(list(PLAIN)).count(b"\n") == len(PLAIN)


def test_the_events_of_a_batch_stay_as_they_were_written() -> None:
    texts = ['{"event_type":"a","data":{"n":1.50,"n2":-0}}', '{ "event_type" : "\\u0062" }', "null"]
    line = '{"type": "batch", "user_identities": {"email": "a"}, "events": [' + ", ".join(texts)
    for written in (f"{line}]}}", f'{line}], "z": "\\n"}}'):
        request = request_in(written.encode())
        assert isinstance(request, BatchLine)
        assert request.texts == texts
        assert request.as_json() == json.loads(written)
        reading = wire.Reader(TWO_SCOPES, wire.Target("s")).read(request)
        assert reading.batch is not None
        assert [each.text for each in reading.batch.data.events] == texts[:2]


def test_a_plain_line_is_the_json_value_that_it_holds() -> None:
    for line in lines():
        request = request_in(line)
        if isinstance(request, PlainLine):
            members = request.as_json()
            given = json.loads(line)
            assert {name: each for name, each in members.items() if each is not None} == {
                name: plain_changes(each) for name, each in given.items()
            }


def plain_changes(value: object) -> object:
    """`identity_changes`, with null for what a change leaves out."""
    if not isinstance(value, list):
        return value
    names = ("identity_type", "old_value", "new_value")
    return [{name: change.get(name) for name in names} for change in value]
