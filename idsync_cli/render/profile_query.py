"""A queried profile: the JSON of mParticle's Profile API, and a page for people (section 9)."""

from collections.abc import Iterable
from itertools import islice
from typing import TYPE_CHECKING, Any

from idsync_cli import wire
from idsync_cli.core.identity import DEVICE_TYPES, TYPE_ORDER, Identifier
from idsync_cli.errors import number_of
from idsync_cli.inspect.query import MOST_EVENTS, Field, QueriedProfile
from idsync_cli.render.breaking import broken
from idsync_cli.render.profile_data import event_json, event_table, left_out, shown_value
from idsync_cli.render.store import state_shown
from idsync_cli.render.tables import laid_out
from idsync_cli.render.theme import Line, Look, text
from idsync_cli.render.times import moment
from idsync_cli.visible import visible

if TYPE_CHECKING:
    from rich.console import RenderableType

_ENCODING = "none"


def query_json(queried: QueriedProfile, fields: Iterable[Field]) -> wire.Json:
    """A profile as the Profile API tells of it, with the fields that were asked for."""
    data = queried.data
    identifiers = queried.profile.profile.identifiers
    asked = set(fields)
    told: wire.Json = {
        "mpid": str(queried.profile.profile.mpid),
        "created_timestamp_ms": data.first_seen_ms,
        "last_stored_timestamp_ms": data.last_stored_ms,
        "is_opted_out": data.is_opted_out,
    }
    parts: dict[Field, Any] = {
        Field.USER_IDENTITIES: _identities(identifiers, of_devices=False),
        Field.DEVICE_IDENTITIES: _identities(identifiers, of_devices=True),
        Field.USER_ATTRIBUTES: dict(queried.folded.attributes),
        Field.AUDIENCE_MEMBERSHIPS: [
            {"audience_id": number, "audience_name": name} for number, name in queried.audience_ids
        ],
        Field.ATTRIBUTION: data.attribution,
        Field.CONSENT_STATE: data.consent_state,
        Field.EVENTS: [event_json(each) for each in data.events[-MOST_EVENTS:]],
    }
    told |= {field.value: part for field, part in parts.items() if field in asked}
    return told | {"status_messages": list(data.status_messages)}


def _identities(identifiers: Iterable[Identifier], *, of_devices: bool) -> list[wire.Json]:
    """Identifiers by type, in the order of section 2; of a type the last added comes first."""
    last_first = [
        each for each in reversed([*identifiers]) if (each.type in DEVICE_TYPES) is of_devices
    ]
    last_first.sort(key=lambda each: TYPE_ORDER[each.type])
    return [
        {"type": each.type.value, "encoding": _ENCODING, "value": each.value} for each in last_first
    ]


def query_pieces(
    queried: QueriedProfile, fields: Iterable[Field], width: int, most: int
) -> "list[RenderableType]":
    """A profile as a page for people; at most so many rows of each table, and messages."""
    told, asked = query_json(queried, fields), set(fields)
    profile, data = queried.profile, queried.data
    mpid = (str(profile.profile.mpid), Look.MPID)
    head: list[Line] = [
        [
            ("profile ", Look.HEADLINE),
            mpid,
            f" in scope {visible(profile.scope)}: ",
            *state_shown(profile),
        ]
    ]
    if data.first_seen_ms is not None and data.last_stored_ms is not None:
        first, last = moment(data.first_seen_ms), moment(data.last_stored_ms)
        head.append([f"first seen {first} UTC, last stored {last} UTC"])
    if data.is_opted_out:
        head.append([("opted out", Look.WARNING)])
    head += [
        [f"{field.value}: {shown_value(told[field.value])}"]
        for field in (Field.ATTRIBUTION, Field.CONSENT_STATE)
        if field in asked and told[field.value] is not None
    ]
    head += [[visible(message)] for message in data.status_messages[:most]]
    head += [[told] for told in left_out("message", len(data.status_messages), most)]
    pieces: list[RenderableType] = [broken(text(*line), width, indent=2) for line in head]
    for field in (Field.USER_IDENTITIES, Field.DEVICE_IDENTITIES):
        if field in asked and told[field.value]:
            rows = [
                (text((each["type"], Look.TYPE)), visible(each["value"]))
                for each in told[field.value][:most]
            ]
            whose = "user" if field is Field.USER_IDENTITIES else "device"
            heading = f"{whose.capitalize()} identity"
            pieces += [text(""), laid_out((heading, "Value"), rows, width)]
            pieces += left_out(f"{whose} identifier", len(told[field.value]), most)
    if Field.USER_ATTRIBUTES in asked and queried.folded.attributes:
        attributes = queried.folded.attributes
        some = islice(attributes.items(), most)
        cells = [(visible(name), shown_value(value)) for name, value in some]
        pieces += [text(""), laid_out(("Attribute", "Value"), cells, width)]
        pieces += left_out("attribute", len(attributes), most)
    if Field.AUDIENCE_MEMBERSHIPS in asked and queried.audience_ids:
        members = [(str(number), visible(name)) for number, name in queried.audience_ids]
        pieces += [text(""), laid_out(("Id", "Audience"), members[:most], width)]
        pieces += left_out("audience", len(members), most)
    if Field.EVENTS in asked and data.events:
        events = data.events[-MOST_EVENTS:]
        pieces += [text(""), event_table(events[-most:], width)]
        if len(events) > most:
            pieces.append(f"the latest {most:,} of {number_of(len(events), 'event')}")
    return pieces
