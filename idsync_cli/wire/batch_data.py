"""What an event batch brings: events, attributes, a device, consent (section 9)."""

from collections.abc import Sequence
from typing import Any, Final

from idsync_cli.core.data.values import (
    MAX_NAME_LENGTH,
    MAX_TEXT_LENGTH,
    BatchData,
    NamedDevice,
    NewEvent,
)
from idsync_cli.core.identity import Identifier
from idsync_cli.errors import quoted
from idsync_cli.wire.batch_identifiers import DEVICE_NAMES
from idsync_cli.wire.batch_values import (
    attributes_of,
    check_count,
    check_list,
    check_name,
    invalid_batch,
    is_plain_name,
    member_of,
)
from idsync_cli.wire.decoding import Json, json_text
from idsync_cli.wire.members import shown
from idsync_cli.wire.times import is_time, time_fault

_TIME: Final = "timestamp_unixtime_ms"
_OWN_TIME: Final = "request_timestamp_ms"
_OF_THE_DEVICE: Final = ("ip", "application_info", "environment")
_ATTRIBUTION: Final = "attribution"


def data_of(
    batch: Json, texts: Sequence[str] | None, device: Identifier | None, *, names_profile: bool
) -> BatchData:
    """What a batch brings, if nothing is wrong with it; `texts` are its events as they came.

    Where the batch `names_profile`, its identifiers are data like the rest of the device.

    Raises:
        Refusal: INVALID_BATCH, with the place.
    """
    its_time = own_time_of(batch)
    given = batch.get("user_attributes")
    attributes = attributes_of(given) if given else {}
    deleted: dict[str, None] = {}
    names = batch.get("deleted_user_attributes")
    if names:
        for place, name in enumerate(names):
            if name is not None:
                deleted[check_name(f"deleted_user_attributes[{place}]", name)] = None
    events: list[NewEvent] = []
    is_opted_out: bool | None = None
    info = batch.get("attribution_info")
    attribution = None if info is None else json_text(info)
    for place, event in enumerate(batch.get("events") or ()):
        if event is None:
            continue
        data = _checked(place, event)
        kind = event["event_type"]
        text = json_text(event) if texts is None else texts[place]
        event_time = data.get(_TIME)
        if event_time is None:
            event_time = its_time
        elif not is_time(event_time):
            raise invalid_batch(f"events[{place}].data.{_TIME}", time_fault(event_time), _TIME)
        name = _name_of(place, kind, data)
        events.append(NewEvent(event_time, kind, name, text))
        if kind == "opt_out":
            is_opted_out = data.get("is_opted_out") is not False
        elif kind == "user_attribute_change":
            gone = data.get("user_attribute_name")
            if data.get("deleted") is True and isinstance(gone, str) and gone not in attributes:
                where = f"events[{place}].data.user_attribute_name"
                deleted[check_name(where, gone)] = None
        elif kind == "custom_event" and name == _ATTRIBUTION:
            its_attributes = data.get("custom_attributes")
            if data.get("custom_event_type") == _ATTRIBUTION and isinstance(its_attributes, dict):
                attribution = json_text(its_attributes)
    consent = batch.get("consent_state")
    return BatchData(
        events,
        attributes,
        tuple(deleted),
        _device(batch, device, keeps_identifiers=names_profile),
        None if consent is None else json_text(consent),
        is_opted_out,
        attribution,
    )


def own_time_of(batch: Json) -> int | None:
    """The time of a batch: its `timestamp_unixtime_ms`, or else that of the request.

    Raises:
        Refusal: INVALID_BATCH.
    """
    found: int | None = None
    for name in (_OWN_TIME, _TIME):
        value = batch.get(name)
        if value is None or (name == _OWN_TIME and not _is_number(value)):
            continue
        if not is_time(value):
            raise invalid_batch(name, time_fault(value), name)
        found = value
    return found


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _checked(place: int, event: object) -> dict[str, Any]:
    """The `data` of an event, seen to be one."""
    if not isinstance(event, dict):
        raise invalid_batch(f"events[{place}]", f"is {quoted(shown(event))}, but must be an object")
    kind = event.get("event_type")
    if kind is None or kind == "":
        raise invalid_batch(
            f"events[{place}]", "has no event_type; give one, such as custom_event", "event_type"
        )
    if not (isinstance(kind, str) and is_plain_name(kind)):
        check_name(f"events[{place}].event_type", kind)
    data = event.get("data")
    if data is None:
        return {}
    if not isinstance(data, dict):
        where = f"events[{place}].data"
        raise invalid_batch(where, f"is {quoted(shown(data))}, but must be an object", "data")
    attributes = data.get("custom_attributes")
    if attributes and isinstance(attributes, dict):
        _check_attributes(place, attributes)
    return data


def _check_attributes(place: int, attributes: dict[str, Any]) -> None:
    """See whether the attributes of an event are few and short enough; no more is asked."""
    where = f"events[{place}].data.custom_attributes"
    check_count(where, len(attributes))
    for name, value in attributes.items():
        if len(name) > MAX_NAME_LENGTH:
            check_name(f"the name {quoted(name)} in {where}", name)
        if isinstance(value, str):
            if len(value) > MAX_TEXT_LENGTH:
                fault = f"has {len(value):,} characters; at most {MAX_TEXT_LENGTH:,} are kept"
                raise invalid_batch(member_of(where, name), fault, value)
        elif isinstance(value, list):
            check_list(member_of(where, name), value)


def _name_of(place: int, kind: str, data: dict[str, Any]) -> str | None:
    """The name of an event: a product action, a screen, or what its sender calls it."""
    member = "event_name"
    name: object = None
    if kind == "commerce_event":
        member = "product_action.action"
        action = data.get("product_action")
        if isinstance(action, dict):
            name = action.get("action")
    else:
        if kind == "screen_view":
            member = "screen_name"
        name = data.get(member)
    if not isinstance(name, str):
        return None
    if not is_plain_name(name):
        check_name(f"events[{place}].data.{member}", name)
    return name


def _device(
    batch: Json, identifier: Identifier | None, *, keeps_identifiers: bool
) -> NamedDevice | None:
    """What a batch says of its device; None if it neither names nor describes one."""
    said: Json = {}
    described = batch.get("device_info")
    if described and not keeps_identifiers:
        described = {name: described[name] for name in described if name not in DEVICE_NAMES}
    if described:
        said["device_info"] = described
    for name in _OF_THE_DEVICE:
        value = batch.get(name)
        if value is not None:
            said[name] = value
    if not said:
        return None if identifier is None else NamedDevice(identifier, None)
    return NamedDevice(identifier, json_text(said))
