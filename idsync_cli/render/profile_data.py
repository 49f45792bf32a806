"""What a profile has beside its identifiers, for people and for machines."""

import json
from itertools import islice
from typing import TYPE_CHECKING, Any

from idsync_cli import wire
from idsync_cli.core.data.values import Device, Event, ProfileData
from idsync_cli.errors import number_of
from idsync_cli.render.breaking import broken
from idsync_cli.render.tables import laid_out
from idsync_cli.render.theme import Line, Look, text
from idsync_cli.render.times import moment
from idsync_cli.visible import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType
    from rich.table import Table
    from rich.text import Text

_NOTHING = "-"


def pieces(data: ProfileData, width: int, most: int | None = None) -> "list[RenderableType]":
    """Times, consent and the like in lines; attributes, devices and the latest events as tables.

    At most so many attributes, devices and messages.
    """
    if data.is_empty:
        return []
    lines: list[Line] = [[""]]
    if data.first_seen_ms is not None and data.last_stored_ms is not None:
        first, last = moment(data.first_seen_ms), moment(data.last_stored_ms)
        lines.append([f"first seen {first} UTC, last stored {last} UTC"])
    if data.is_opted_out:
        lines.append([("opted out", Look.WARNING)])
    for name, value in (("consent", data.consent_state), ("attribution", data.attribution)):
        if value is not None:
            lines.append([f"{name}: {shown_value(value)}"])
    lines += [[visible(message)] for message in data.status_messages[:most]]
    lines += [[told] for told in left_out("message", len(data.status_messages), most)]
    found: list[RenderableType] = [broken(text(*line), width, indent=2) for line in lines]
    if data.attributes:
        some = islice(data.attributes.items(), most)
        rows = [(visible(name), shown_value(value)) for name, value in some]
        found += [text(""), laid_out(("Attribute", "Value"), rows, width)]
        found += left_out("attribute", len(data.attributes), most)
    if data.devices:
        devices = [
            (_device(each), shown_value(each.info), str(each.seq)) for each in data.devices[:most]
        ]
        found += [text(""), laid_out(("Device", "Details", "Seq"), devices, width)]
        found += left_out("device", len(data.devices), most)
    if data.events:
        found += [text(""), event_table(data.events, width)]
        if data.event_count > len(data.events):
            told = f"the latest {len(data.events):,} of {number_of(data.event_count, 'event')}"
            found.append(text((told, Look.ASIDE)))
    return found


def left_out(what: str, number: int, most: int | None) -> list[str]:
    """What is said of a table, or a list, that does not show everything."""
    if most is None or number <= most:
        return []
    return [f"the first {most:,} of {number_of(number, what)}"]


def event_table(events: "Sequence[Event]", width: int) -> "Table":
    """Events as a table, the latest first."""
    headings = ("Time (UTC)", "Event", "Name", "Seq")
    return laid_out(headings, [_event_cells(each) for each in reversed(events)], width)


def shown_value(value: Any) -> str:
    """The value of an attribute, or a JSON object: text as it is, and all else as JSON."""
    return visible(value_text(value))


def value_text(value: Any) -> str:
    """The same, with whatever stands in it."""
    if value is None:
        return "(tag)"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _device(device: Device) -> "Text | str":
    identifier = device.identifier
    if identifier is None:
        return _NOTHING
    return text((identifier.type.value, Look.TYPE), f" {visible(identifier.value)}")


def _event_cells(event: Event) -> tuple[str, str, str, str]:
    name = _NOTHING if event.name is None else visible(event.name)
    return moment(event.time_ms), visible(event.event_type), name, str(event.seq)


def data_json(data: ProfileData) -> wire.Json:
    """What a profile has, with the latest of its events, oldest first."""
    return {
        "attributes": dict(data.attributes),
        "devices": [_device_json(each) for each in data.devices],
        "consent_state": data.consent_state,
        "is_opted_out": data.is_opted_out,
        "attribution": data.attribution,
        "first_seen_ms": data.first_seen_ms,
        "last_stored_ms": data.last_stored_ms,
        "status_messages": list(data.status_messages),
        "event_count": data.event_count,
        "events": [event_json(each) for each in data.events],
    }


def _device_json(device: Device) -> wire.Json:
    identifier = device.identifier
    return {
        "identity_type": None if identifier is None else identifier.type.value,
        "value": None if identifier is None else identifier.value,
        "info": device.info,
        "seq": device.seq,
    }


def event_json(event: Event) -> wire.Json:
    """An event of a profile."""
    return {
        "seq": event.seq,
        "time": wire.time_text(event.time_ms),
        "event_type": event.event_type,
        "name": event.name,
        "data": event.data,
    }
