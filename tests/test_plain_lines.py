"""A line means the same however it was read: at once, where it is plain, or as any JSON is."""

import copy
import json
import random
from pathlib import Path

import pytest

from idsync_cli import wire
from idsync_cli.core.config.rules import Organization
from idsync_cli.core.decision import Refusal
from idsync_cli.wire.lines import LineReader, PlainLine
from tests.comparison import lines_of, organization
from tests.many import many
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
    b'{"type": "login", "scope": "s", "known_identities": {"email": "' + b"x" * 4096 + b'"}}',
]


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


MEMBERS = [name for name in vars(wire.Reading) if name[0] != "_" and name != "identities"]

request_in = LineReader().request


def strictly(line: bytes) -> object:
    """What a line holds, read as any JSON is."""
    try:
        return wire.decode(line.removesuffix(b"\r"))
    except Refusal as refusal:
        return refusal


def told(reading: wire.Reading) -> tuple[object, ...]:
    """A reading with its refusals in words; the identifiers in their order."""
    plain = [
        (each.code, each.message) if isinstance(each, Refusal) else each
        for each in (getattr(reading, name) for name in MEMBERS)
    ]
    return *plain, reading.identities and list(reading.identities.items())


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
