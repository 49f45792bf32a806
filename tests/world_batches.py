"""Random event batches and windows of aliases for random worlds, and ways to be wrong."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

Json = dict[str, Any]

TIMES = (1_700_000_000_000, 1_700_000_000_001, 1_600_000_000_000)
BAD_TIMES: tuple[object, ...] = (
    0,
    1_700_000_000,
    1_700_000_000_000_000,
    -1,
    "1700000000000",
    1.5,
    True,
    [],
)
BAD_ATTRIBUTES: tuple[object, ...] = (
    *({}, {"a": 1}, [{}], [[]], "x" * 4097, ["x" * 513], ["x"] * 1001, "\ud800", ["\ud800"]),
    [None, *["x"] * 1001],
)
BAD_NAMES = ("x" * 257, "a\0b", "\ud800")
BAD_EVENTS: tuple[object, ...] = (
    *("hello", 5, [], {}, {"event_type": None}, {"event_type": ""}, {"event_type": 5}),
    *({"data": {"event_name": "a"}}, {"event_type": "custom_event", "data": []}),
    *({"event_type": name} for name in BAD_NAMES),
    *({"event_type": "custom_event", "data": {"event_name": name}} for name in BAD_NAMES),
    {"event_type": "screen_view", "data": {"screen_name": "x" * 257}},
    {"event_type": "commerce_event", "data": {"product_action": {"action": "x" * 257}}},
    *(
        {"event_type": "custom_event", "data": {"custom_attributes": its}}
        for its in ({str(n): 1 for n in range(101)}, {"a": "x" * 4097}, {"x" * 257: 1})
    ),
    {"event_type": "custom_event", "data": {"custom_attributes": {"a": ["x" * 513]}}},
    *(
        {"event_type": "custom_event", "data": {"timestamp_unixtime_ms": time}}
        for time in BAD_TIMES
    ),
)


def event(rng: random.Random) -> object:
    kind = rng.choice(["custom_event", "screen_view", "commerce_event", "opt_out", "profile"])
    data: Json = {}
    if rng.random() < 0.6:
        data["timestamp_unixtime_ms"] = rng.choice(TIMES)
    if rng.random() < 0.3:
        data["custom_attributes"] = rng.choice([{"a": 1}, {"é": ["x", {}]}, {}, None, 5, "x"])
    if kind == "opt_out":
        data["is_opted_out"] = rng.choice([True, False, False, None, "no"])
    elif kind == "commerce_event":
        data["product_action"] = rng.choice([{"action": "purchase"}, {"action": 5}, {}, None, "x"])
    else:
        data[rng.choice(["event_name", "screen_name"])] = rng.choice(["a", "b", "é", None, 5])
    chance = rng.random()
    if chance < 0.1:
        name = rng.choice(["a", "b", "none", 5])
        data = {"user_attribute_name": name, "deleted": rng.choice([True, False, 1])}
        kind = "user_attribute_change"
    elif chance < 0.2:
        its = {"publisher": rng.choice("pq"), "campaign": None}
        data |= {"event_name": "attribution", "custom_event_type": "attribution"}
        data["custom_attributes"] = rng.choice([its, its, None])
        kind = "custom_event"
    found: Json = {"event_type": kind, "data": data}
    if rng.random() < 0.1:
        found = rng.choice([{"event_type": kind}, {"event_type": kind, "data": None}])
    return {**found, "more": [1.50, None]} if rng.random() < 0.1 else found


def identities(rng: random.Random, by_type: Json, devices: list[str], names: Any) -> Json:
    """The identifiers of a request as those of a batch; some are numbers, some stand elsewhere."""
    users: Json = {}
    info: Json = {}
    found: Json = {}
    for name, value in by_type.items():
        if rng.random() < 0.12:
            value = rng.choice([1, 7, 0, -3, True, False, 1.5, 10**24])  # noqa: PLW2901
        if names.get(name) in devices and rng.random() < 0.7:
            info[name] = value
            if rng.random() < 0.1:
                users[name] = value
        else:
            users[name] = value
    if rng.random() < 0.2:
        found["mp_deviceid"] = rng.choice(["a", "a", "b", "", None, 5, 0])
    if rng.random() < 0.2:
        info |= rng.choice([{"platform": "iOS"}, {"platform": "iOS", "brand": None}])
    if users or rng.random() < 0.2:
        found["user_identities"] = users
    if info or rng.random() < 0.1:
        found["device_info"] = info
    return found


def data(rng: random.Random) -> Json:
    found: Json = {}
    if rng.random() < 0.6:
        found["events"] = [event(rng) for _ in range(rng.randrange(4))]
        if rng.random() < 0.1:
            found["events"].insert(0, None)
    if rng.random() < 0.5:
        values = ["x", "x", 1, 2.50, None, True, ["x", None, 1], [], "é", "\n", 10**30]
        if rng.random() < 0.03:
            values = [[None, *["x"] * 1000], ["x"] * 1000 + [None] * 3]
        names = rng.sample(["a", "b", "c", "$city", "é"], rng.randrange(4))
        found["user_attributes"] = {name: rng.choice(values) for name in names}
    if rng.random() < 0.3:
        found["deleted_user_attributes"] = rng.choices(["a", "b", "none", None], k=rng.randrange(4))
    some: Json = {
        "timestamp_unixtime_ms": rng.choice(TIMES),
        "request_timestamp_ms": rng.choice([*TIMES, "1", None, True]),
        "request_id": rng.choice(["r1", 5, None]),
        "consent_state": rng.choice([{}, {"gdpr": {"a": {"consented": True}}}, None]),
        "attribution_info": rng.choice([{"publisher": "p"}, None]),
        "environment": rng.choice(["development", "production", 5]),
        "ip": rng.choice(["::1", None]),
        "application_info": rng.choice([{"os": 1}, {}]),
        "source_request_id": rng.choice(["s1", "s2", "s3", "", None]),
        "sdk_version": {"anything": ["goes", {}]},
        "known_identities": 5,
        "previous_mpid": "x",
    }
    for name in rng.sample(sorted(some), rng.choice([0, 1, 2, 3])):
        found[name] = some[name]
    return found


DAYS_90 = 90 * 24 * 60 * 60 * 1000


def window(rng: random.Random) -> Json:
    """The window of an alias: mostly one, and mostly with some of the times above in it."""
    start = rng.choice([None, 0, TIMES[0] - DAYS_90, TIMES[0], TIMES[1], TIMES[2]])
    end = rng.choice([None, None, 0, TIMES[0], TIMES[1], TIMES[2], TIMES[2] + DAYS_90])
    if rng.random() < 0.6:
        start, end = rng.choice(
            [
                (TIMES[1] - DAYS_90, TIMES[1]),
                (TIMES[2], TIMES[2]),
                (TIMES[1], None),
                (None, TIMES[0]),
            ]
        )
    return {"start_unixtime_ms": start, "end_unixtime_ms": end}


# ---- Ways to be wrong: each makes a batch, whatever it is given


def _batch(rng: random.Random, request: Json) -> Json:
    given = {name: request[name] for name in request if name != "mpid"} | {"type": "batch"}
    if "user_identities" not in given and rng.random() < 0.8:
        given["user_identities"] = {"email": "a"}
    return given


def bad_batch_member(rng: random.Random, request: Json) -> object:
    name = rng.choice(
        ["user_identities", "device_info", "user_attributes", "consent_state", "attribution_info"]
    )
    wrong: Json = {name: rng.choice(["x", 5, [], True])}
    name = rng.choice(["deleted_user_attributes", "events", "source_request_id"])
    wrong |= {name: rng.choice([5, {}, True])}
    return _batch(rng, request) | {name: wrong[name] for name in rng.sample(sorted(wrong), 1)}


def bad_event(rng: random.Random, request: Json) -> object:
    return _batch(rng, request) | {"events": [event(rng), rng.choice(BAD_EVENTS)]}


def bad_attribute(rng: random.Random, request: Json) -> object:
    bad: Json = {rng.choice("ab"): rng.choice(BAD_ATTRIBUTES)}
    if rng.random() < 0.3:
        bad = rng.choice([{rng.choice(BAD_NAMES): 1}, {str(n): 1 for n in range(101)}])
    return _batch(rng, request) | {"user_attributes": bad}


def bad_deleted_attribute(rng: random.Random, request: Json) -> object:
    bad = rng.choice([5, [], {}, True, *BAD_NAMES])
    return _batch(rng, request) | {"deleted_user_attributes": ["a", bad]}


def bad_batch_time(rng: random.Random, request: Json) -> object:
    name = rng.choice(["timestamp_unixtime_ms", "request_timestamp_ms"])
    return _batch(rng, request) | {name: rng.choice(BAD_TIMES)}


def bad_batch_id(rng: random.Random, request: Json) -> object:
    return _batch(rng, request) | {"source_request_id": "x" * 257}


def bad_batch_mpid(rng: random.Random, request: Json) -> object:
    bad = rng.choice(["x", "01", 2**63, 5.0, True, [], "@nobody", "77", 77])
    return _batch(rng, request) | {"mpid": bad}


def two_values(rng: random.Random, request: Json) -> object:
    info = {"idfv": rng.choice(["a", "b"]), "ios_vendor_id": rng.choice(["a", "b", None, 0])}
    return _batch(rng, request) | {"device_info": info}


def bad_batch_identity(rng: random.Random, request: Json) -> object:
    bad = rng.choice(["x" * 4097, "a\0b", "\ud800", [], {}, ["a"], 10**4100])
    name = rng.choice(["email", "email", "emial"])
    return _batch(rng, request) | {"user_identities": {name: bad}}


def no_batch_identities(rng: random.Random, request: Json) -> object:
    empty: list[Json] = [{}, {"email": None}, {"email": ""}, {"email": 0, "customerid": False}]
    given = {name: each for name, each in _batch(rng, request).items() if name != "mp_deviceid"}
    return given | {"user_identities": rng.choice(empty), "device_info": {"platform": "x"}}


def _alias(request: Json) -> Json:
    names = ("scope", "workspace", "label", "source_mpid", "destination_mpid")
    given = {name: request[name] for name in names if name in request}
    return {"type": "alias", "source_mpid": "@l1", "destination_mpid": "@l2"} | given


def bad_alias_time(rng: random.Random, request: Json) -> object:
    name = rng.choice(["start_unixtime_ms", "end_unixtime_ms"])
    return _alias(request) | {name: rng.choice([each for each in BAD_TIMES if each != 0])}


def bad_alias_mpid(rng: random.Random, request: Json) -> object:
    bad: object = rng.choice(["x", "01", 0, "", None, 5.0, True, [], "@nobody", "77", 77])
    return _alias(request) | {rng.choice(["source_mpid", "destination_mpid"]): bad}


def bad_alias_member(rng: random.Random, request: Json) -> object:
    name = rng.choice(["mpid", "known_identities", "previous_mpid", "events", "start_time"])
    return _alias(request) | {name: rng.choice([None, "5", {}])}


def bad_window(rng: random.Random, request: Json) -> object:
    start, end = rng.choice([(TIMES[1], TIMES[0]), (TIMES[0] - DAYS_90, TIMES[1])])
    return _alias(request) | {"start_unixtime_ms": start, "end_unixtime_ms": end}


BATCH_FAULTS: tuple[Callable[[random.Random, Json], object], ...] = (
    *(bad_batch_member, bad_event, bad_attribute, bad_deleted_attribute, bad_batch_time),
    *(bad_batch_id, bad_batch_mpid, two_values, bad_batch_identity, no_batch_identities),
    *(bad_alias_time, bad_alias_mpid, bad_alias_member, bad_window),
)
