"""What a profile has by now, told from all that requests ever brought: no state is kept of it."""

import json
from collections.abc import Iterable
from typing import Any, NamedTuple

from idsync_cli.core.data.values import BatchData, Device, Event, ProfileData
from idsync_cli.core.identity import Identifier


class Brought(NamedTuple):
    """A request, or an import, that was answered with a profile, and what it brought to it."""

    mpid: int
    seq: int
    time_ms: int
    data: BatchData | None


def parsed(text: str) -> Any:
    """JSON; an integer that Python would not read is text."""
    return json.loads(text, parse_int=lambda digits: digits if len(digits) > 4000 else int(digits))


def told(mpid: int, everything: Iterable[Brought], latest: int | None = None) -> ProfileData:
    its = sorted((each for each in everything if each.mpid == mpid), key=lambda each: each.seq)
    attributes: dict[str, Any] = {}
    devices: dict[Identifier | None, Device] = {}
    events: list[Event] = []
    consent, opted_out, attribution = None, False, None
    for _, seq, time_ms, data in its:
        if data is None:
            continue
        attributes |= {name: json.loads(value) for name, value in (data.attributes or {}).items()}
        attributes = {name: attributes[name] for name in attributes if name not in data.deleted}
        for place, each in enumerate(data.events, start=1):
            when = time_ms if each.time_ms is None else each.time_ms
            its_data = parsed(each.text).get("data") or {}
            events.append(Event(seq, place, when, each.event_type, each.name, its_data, each.text))
        if data.device is not None:
            of, said = data.device.identifier, json.loads(data.device.info)
            there = devices.get(of)
            if there is None or there.info != said:
                devices[of] = Device(of, said, seq)
        consent = consent if data.consent_state is None else json.loads(data.consent_state)
        opted_out = opted_out if data.is_opted_out is None else data.is_opted_out
        attribution = attribution if data.attribution is None else json.loads(data.attribution)
    events.sort(key=lambda each: (each.time_ms, each.seq, each.place))
    times = [each.time_ms for each in its]
    return ProfileData(
        dict(sorted(attributes.items())),
        tuple(events if latest is None else events[len(events) - min(latest, len(events)) :]),
        len(events),
        tuple(devices.values()),
        consent,
        opted_out,
        attribution,
        min(times, default=None),
        max(times, default=None),
    )
