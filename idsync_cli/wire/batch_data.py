"""What an event batch brings: events, attributes, a device, consent (section 9)."""

from collections.abc import Sequence
from typing import Any, Final

from idsync_cli.core.data.values import (
    MAX_NAME_LENGTH,
    MAX_TEXT_LENGTH,
    BatchData,
    BatchDevice,
    NewEvent,
)
from idsync_cli.core.identity import Identifier
from idsync_cli.errors import quoted
from idsync_cli.wire.as_written import shown
from idsync_cli.wire.batch_identifiers import DEVICE_NAMES
from idsync_cli.wire.batch_members import BatchMembers
from idsync_cli.wire.batch_values import (
    MemberPath,
    attributes_of,
    check_count,
    check_key,
    check_list,
    check_name,
    invalid_batch,
    is_plain_name,
)
from idsync_cli.wire.decoding import Json, json_text
from idsync_cli.wire.times import is_time, time_fault

_TIME: Final = "timestamp_unixtime_ms"
_OWN_TIME: Final = "request_timestamp_ms"
_NO_ATTRIBUTES: Final[dict[str, str]] = {}
_ATTRIBUTION: Final = "attribution"
_ACTION: Final[MemberPath] = ("product_action", "action")
_SCREEN: Final[MemberPath] = ("screen_name",)
_NAME: Final[MemberPath] = ("event_name",)


def data_of(
    members: BatchMembers,
    texts: Sequence[str] | None,
    own_time_ms: int | None,
    device: Identifier | None,
    *,
    names_profile: bool,
) -> BatchData:
    """What a batch brings, if nothing is wrong with it; `texts` are its events as they came.

    Where the batch `names_profile`, its identifiers are data like the rest of the device.

    Raises:
        Refusal: INVALID_BATCH, with the place.
    """
    given, names, info = (
        members.user_attributes,
        members.deleted_user_attributes,
        members.attribution_info,
    )
    attributes = attributes_of(given) if given else _NO_ATTRIBUTES
    deleted: dict[str, None] = {}
    if names:
        for index, name in enumerate(names):
            if name is not None:
                deleted[check_name(("deleted_user_attributes", index), name)] = None
    events: list[NewEvent] = []
    is_opted_out: bool | None = None
    attribution = None if info is None else json_text(info)
    for index, event in enumerate(members.events or ()):
        if event is None:
            continue
        where: MemberPath = ("events", index)
        text = json_text(event) if texts is None else texts[index]
        data = checked_data(where, event)
        kind = event["event_type"]
        new = new_event(where, kind, data, text, own_time_ms)
        name = new.name
        events.append(new)
        if kind == "opt_out":
            is_opted_out = data.get("is_opted_out") is not False
        elif kind == "user_attribute_change":
            gone = data.get("user_attribute_name")
            if data.get("deleted") is True and isinstance(gone, str) and gone not in attributes:
                where = ("events", index, "data", "user_attribute_name")
                deleted[check_name(where, gone)] = None
        elif name == _ATTRIBUTION and kind == "custom_event":
            its_attributes = data.get("custom_attributes")
            if data.get("custom_event_type") == _ATTRIBUTION and isinstance(its_attributes, dict):
                attribution = json_text(its_attributes)
    consent = members.consent_state
    return BatchData(
        tuple(events),
        attributes,
        tuple(deleted),
        _device(members, device, keeps_identifiers=names_profile),
        None if consent is None else json_text(consent),
        is_opted_out,
        attribution,
    )


def event_of(where: MemberPath, event: object, text: str, own_time_ms: int) -> NewEvent:
    """An event that came by itself, with the time that it has if it says none.

    Raises:
        Refusal: INVALID_BATCH, with the place.
    """
    data = checked_data(where, event)
    assert isinstance(event, dict)
    return new_event(where, event["event_type"], data, text, own_time_ms)


def new_event(
    where: MemberPath, kind: str, data: Json, text: str, own_time_ms: int | None
) -> NewEvent:
    """An event of some type, whose data is sound; without a time it has that of its batch.

    Raises:
        Refusal: INVALID_BATCH, with the place.
    """
    event_time = data.get(_TIME)
    if event_time is None:
        event_time = own_time_ms
    elif not is_time(event_time):
        raise invalid_batch((*where, "data", _TIME), time_fault(event_time))
    return NewEvent(event_time, kind, _name_of(where, kind, data), text)


def own_time_of(members: BatchMembers) -> int | None:
    """The time of a batch: its `timestamp_unixtime_ms`, or else that of the request.

    Raises:
        Refusal: INVALID_BATCH.
    """
    own, of_the_batch = members.request_timestamp_ms, members.timestamp_unixtime_ms
    if own is not None:
        if not _is_number(own):
            own = None
        elif not is_time(own):
            raise invalid_batch((_OWN_TIME,), time_fault(own))
    if of_the_batch is None:
        return None if own is None else int(own)
    if not is_time(of_the_batch):
        raise invalid_batch((_TIME,), time_fault(of_the_batch))
    return int(of_the_batch)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def checked_data(where: MemberPath, event: object) -> Json:
    """The `data` of an event, seen to be one.

    Raises:
        Refusal: INVALID_BATCH, with the place.
    """
    if not isinstance(event, dict):
        fault = f"is {quoted(shown(event))}, but must be an object"
        raise invalid_batch(where, fault)
    kind = event.get("event_type")
    if kind is None or kind == "":
        fault = "has no event_type; give one, such as custom_event"
        raise invalid_batch(where, fault)
    if not (isinstance(kind, str) and is_plain_name(kind)):
        check_name((*where, "event_type"), kind)
    data = event.get("data")
    if data is None:
        return {}
    if not isinstance(data, dict):
        fault = f"is {quoted(shown(data))}, but must be an object"
        raise invalid_batch((*where, "data"), fault)
    attributes = data.get("custom_attributes")
    if attributes and isinstance(attributes, dict):
        _check_attributes((*where, "data", "custom_attributes"), attributes)
    return data


def _check_attributes(where: MemberPath, attributes: dict[str, Any]) -> None:
    """See whether the attributes of an event are few and short enough; no more is asked."""
    check_count(where, len(attributes))
    for name, value in attributes.items():
        if len(name) > MAX_NAME_LENGTH:
            check_key(where, name)
        if isinstance(value, str):
            if len(value) > MAX_TEXT_LENGTH:
                fault = f"has {len(value):,} characters; at most {MAX_TEXT_LENGTH:,} are kept"
                raise invalid_batch((*where, name), fault)
        elif isinstance(value, list):
            check_list((*where, name), value, kept=len(value))


def _name_of(where: MemberPath, kind: str, data: Json) -> str | None:
    """The name of an event: a product action, a screen, or what its sender calls it."""
    member: MemberPath
    if kind == "commerce_event":
        member = _ACTION
        action = data.get("product_action")
        name = action.get("action") if isinstance(action, dict) else None
    elif kind == "screen_view":
        member = _SCREEN
        name = data.get("screen_name")
    else:
        member = _NAME
        name = data.get("event_name")
    if not isinstance(name, str):
        return None
    if not is_plain_name(name):
        check_name((*where, "data", *member), name)
    return name


def _device(
    members: BatchMembers, identifier: Identifier | None, *, keeps_identifiers: bool
) -> BatchDevice | None:
    """What a batch says of its device; None if it says nothing."""
    said: Json = {}
    described = members.device_info
    if described and not keeps_identifiers:
        described = {name: described[name] for name in described if name not in DEVICE_NAMES}
    if described:
        said["device_info"] = described
    if members.ip is not None:
        said["ip"] = members.ip
    if members.application_info is not None:
        said["application_info"] = members.application_info
    if members.environment is not None:
        said["environment"] = members.environment
    return BatchDevice(identifier, json_text(said)) if said else None
