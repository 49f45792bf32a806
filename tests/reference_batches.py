"""Section 9 of docs/specification.md as part of the brute-force model: event batches.

Written from the specification alone; importing nothing of the package. What a profile has is told
from all that batches ever brought to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]

_OBJECTS = "user_identities device_info user_attributes consent_state attribution_info response"
_LISTS = "deleted_user_attributes events"
_TEXTS = "scope workspace label source_request_id"
_DEVICE_MEMBERS = ("ip", "application_info", "environment")
FIRST, LAST = 946684800000, 4102444799999  # the beginning of 2000, the end of 2099


class RefusedError(Exception):
    """The request is answered with this code, and changes nothing."""

    def __init__(self, code: str, **account: list[Json]) -> None:
        super().__init__(code)
        self.account = account


def need(condition: object, code: str = "INVALID_REQUEST") -> None:
    if not condition:
        raise RefusedError(code)


def is_text(value: object) -> bool:
    return isinstance(value, str) and not any("\ud800" <= each <= "\udfff" for each in value)


def check_kinds(batch: Json) -> None:
    """Section 8: a member of another kind; those that nobody names are passed over."""
    for names, fits in (
        (_OBJECTS, lambda value: isinstance(value, dict)),
        (_LISTS, lambda value: isinstance(value, list)),
        (_TEXTS, is_text),
    ):
        need(all(batch.get(name) is None or fits(batch[name]) for name in names.split()))


# ---- The data of a batch


def sound(condition: object) -> None:
    need(condition, "INVALID_BATCH")


def check_name(name: object) -> None:
    sound(is_text(name) and len(str(name)) <= 256 and "\0" not in str(name))


def check_time(value: object) -> None:
    sound(type(value) is int and FIRST <= value <= LAST)


def check_attribute(value: object) -> None:
    simple = (str, int, float, bool, type(None))
    numbers = value if isinstance(value, list) else [value]
    sound(all(abs(each) < 10**4096 for each in numbers if isinstance(each, int)))
    if isinstance(value, list):
        value = [each for each in value if each is not None]
        sound(len(value) <= 1000 and all(isinstance(each, simple) for each in value))
        texts = [each for each in value if isinstance(each, str)]
        sound(all(is_text(each) and len(each) <= 512 for each in texts))
    else:
        sound(isinstance(value, simple))
        sound(not isinstance(value, str) or (is_text(value) and len(value) <= 4096))


def check_event(event: object) -> None:
    sound(isinstance(event, dict))
    assert isinstance(event, dict)
    sound(event.get("event_type") not in (None, ""))
    check_name(event["event_type"])
    data = event.get("data") or {}
    sound(isinstance(event.get("data"), (dict, type(None))))
    if data.get("timestamp_unixtime_ms") is not None:
        check_time(data["timestamp_unixtime_ms"])
    if name_of(event) is not None:
        check_name(name_of(event))
    attributes = data.get("custom_attributes")
    if isinstance(attributes, dict):
        sound(len(attributes) <= 100)
        for name, value in attributes.items():
            sound(len(name) <= 256)
            sound(not isinstance(value, str) or len(value) <= 4096)
            if isinstance(value, list):
                sound(len(value) <= 1000)
                sound(all(len(each) <= 512 for each in value if isinstance(each, str)))


def name_of(event: Json) -> str | None:
    data = event.get("data") or {}
    name = data.get("screen_name" if event["event_type"] == "screen_view" else "event_name")
    if event["event_type"] == "commerce_event":
        action = data.get("product_action")
        name = action.get("action") if isinstance(action, dict) else None
    return name if isinstance(name, str) else None


def own_time(batch: Json) -> Any:
    """Its `timestamp_unixtime_ms`, else the request's own time, where that is a number."""
    asked = batch.get("request_timestamp_ms")
    if isinstance(asked, (int, float)) and not isinstance(asked, bool):
        check_time(asked)
    else:
        asked = None
    if batch.get("timestamp_unixtime_ms") is not None:
        check_time(batch["timestamp_unixtime_ms"])
        asked = batch["timestamp_unixtime_ms"]
    return asked


def data_of(batch: Json, device: tuple[str, str] | None, of_device: list[str]) -> Json:
    """What the batch brings; `of_device` are names of `device_info` that are no identifiers."""
    found: Json = {"time": own_time(batch)}
    found["set"] = batch.get("user_attributes") or {}
    sound(len(found["set"]) <= 100)
    for name, value in found["set"].items():
        check_name(name)
        check_attribute(value)
    deleted = [name for name in batch.get("deleted_user_attributes") or [] if name is not None]
    events = [event for event in batch.get("events") or [] if event is not None]
    for event in events:
        check_event(event)
        data = event.get("data") or {}
        gone = data.get("user_attribute_name")
        if event["event_type"] == "user_attribute_change" and data.get("deleted") is True:
            deleted += [gone] if isinstance(gone, str) and gone not in found["set"] else []
        if event["event_type"] == "opt_out":
            found["is_opted_out"] = data.get("is_opted_out") is not False
    for name in deleted:
        check_name(name)
    found |= {"events": events, "deleted": list(dict.fromkeys(deleted))}
    sound(len(batch.get("source_request_id") or "") <= 256)
    said = {name: batch[name] for name in _DEVICE_MEMBERS if batch.get(name) is not None}
    described = batch.get("device_info") or {}
    described = {name: each for name, each in described.items() if name in of_device}
    said = ({"device_info": described} if described else {}) | said
    if said:
        found["device"] = device, said
    if batch.get("consent_state") is not None:
        found["consent_state"] = batch["consent_state"]
    attribution = batch.get("attribution_info")
    for event in events:
        data = event.get("data") or {}
        is_it = data.get("custom_event_type") == data.get("event_name") == "attribution"
        if event["event_type"] == "custom_event" and is_it:
            its = data.get("custom_attributes")
            attribution = its if isinstance(its, dict) else attribution
    if attribution is not None:
        found["attribution"] = attribution
    return found


def brings_something(data: Json) -> bool:
    return any(data[name] for name in ("set", "deleted", "events")) or any(
        name in data for name in ("device", "consent_state", "is_opted_out", "attribution")
    )


# ---- Its identifiers


def given_of(
    batch: Json, canonical: Mapping[str, str], devices: list[str]
) -> list[tuple[str, Any]]:
    """Every name that may be an identifier's, with its value."""
    info = batch.get("device_info") or {}
    given = [*(batch.get("user_identities") or {}).items()]
    given += [(name, each) for name, each in info.items() if canonical.get(name) in devices]
    given += [("device_application_stamp", batch.get("mp_deviceid"))]
    return [(name, value) for name, value in given if value is not None]


def is_passed_over(value: object) -> bool:
    return isinstance(value, (bool, float)) or value == 0


def text_of(value: Any) -> Any:
    return str(value) if isinstance(value, int) else value


def identifiers_of(
    given: list[tuple[str, Any]], canonical: Mapping[str, str], is_value: Any
) -> tuple[Json, list[str]]:
    """The identifiers by type, and the types of which a value was passed over."""
    need(all(name in canonical for name, _ in given), "UNKNOWN_IDENTITY_TYPE")
    found: Json = {}
    for name, value in given:
        if not is_passed_over(value) and value != "":
            need(found.setdefault(canonical[name], text_of(value)) == text_of(value))
    need(all(map(is_value, found.values())), "INVALID_IDENTITY_VALUE")
    return found, [canonical[name] for name, value in given if is_passed_over(value)]


def device_of(found: Json, order: list[str]) -> tuple[str, str] | None:
    """Its device application stamp, else its first device identifier."""
    first = sorted(found, key=lambda each: (each != "device_application_stamp", order.index(each)))
    return (first[0], found[first[0]]) if first else None


# ---- What a profile has


def events_of(seq: int, time: int, data: Json) -> list[Json]:
    """The events of a batch as its profile has them."""
    found = []
    for place, event in enumerate(data["events"], 1):
        when = (event.get("data") or {}).get("timestamp_unixtime_ms") or time
        what = {"seq": seq, "place": place, "time_ms": when, "name": name_of(event)}
        found.append(what | {"event": event})
    return found


def told(brought: list[tuple[int, int | None, Json]]) -> Json:
    """All that came to a profile, oldest first: number, own time, and what it brought.

    Without a time it was not the answer of the request, which brought it a copy of an event.
    """
    attributes: Json = {}
    events: list[Json] = []
    devices: dict[object, Json] = {}
    state: Json = {"consent_state": None, "is_opted_out": False, "attribution": None}
    first_seen: list[int] = []
    messages: list[str] = []
    for seq, time, data in brought:
        for name, value in data.get("set", {}).items():
            tidy = [e for e in value if e is not None] if isinstance(value, list) else value
            attributes[name] = tidy
        for name in data.get("deleted", []):
            attributes.pop(name, None)
        if time is not None and "events" in data:
            events += events_of(seq, time, data)
        events += data.get("copied", [])
        if "device" in data:
            key, said = data["device"]
            of = list(key) if isinstance(key, tuple) else None
            device = devices.setdefault(key, {"of": of, "info": said, "seq": seq})
            if said != device["info"]:
                device |= {"info": said, "seq": seq}
        state |= {name: data[name] for name in state if data.get(name) is not None}
        first_seen += data.get("first_seen", [])
        messages += data.get("aliased", [])
    times = [time for _, time, _ in brought if time is not None]
    return {
        "attributes": dict(sorted(attributes.items())),
        "events": sorted(events, key=lambda e: (e["time_ms"], e["seq"], e["place"])),
        "devices": [*devices.values()],
        **state,
        "first_seen_ms": min(times + first_seen, default=None),
        "last_stored_ms": max(times, default=None),
        "status_messages": messages,
    }
