"""What a profile has by now, told from all that requests ever brought: no state is kept of it."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from idsync_cli.core.data.values import Alias, BatchData, Device, Event, ProfileData
from idsync_cli.core.identity import Identifier


class Brought(NamedTuple):
    """A request, or an import, that was answered with a profile, and what it brought to it."""

    mpid: int
    seq: int
    time_ms: int | None  # None where an import brought something of another time
    data: BatchData | None
    aliases: Sequence[Alias] = ()
    alias: Alias | None = None
    source: ProfileData | None = None  # what the source of the alias had then, if it is kept


def parsed(text: str) -> Any:
    """JSON; an integer that Python would not read is text."""
    return json.loads(text, parse_int=lambda digits: digits if len(digits) > 4000 else int(digits))


def events_of(
    mpid: int, everything: Sequence[Brought], kept: Mapping[int, Sequence[Event]] | None = None
) -> list[Event]:
    """All events that a profile has by now: its own, and those that aliases copied.

    `kept` is what sources have by now, if imports brought some of it.
    """
    events: list[Event] = []
    for each in sorted(everything, key=lambda each: each.seq):
        alias = each.alias
        if alias is not None and alias.destination_mpid == mpid:
            before = [one for one in everything if one.seq < each.seq]
            source = alias.source_mpid
            its = events_of(source, before) if kept is None else kept.get(source, ())
            there = [event for event in its if alias.start_ms <= event.time_ms <= alias.end_ms]
            events += [
                Event(each.seq, place, one.time_ms, one.event_type, one.name, one.data, one.text)
                for place, one in enumerate(there, start=1)
            ]
        windows = [one for one in each.aliases if one.destination_mpid == mpid]
        for place, new in enumerate(each.data.events if each.data else (), start=1):
            when = each.time_ms if new.time_ms is None else new.time_ms
            assert when is not None
            data = parsed(new.text).get("data") or {}
            event = Event(each.seq, place, when, new.event_type, new.name, data, new.text)
            events += [event] if each.mpid == mpid else []
            events += [event for one in windows if one.start_ms <= when <= one.end_ms]
    return sorted(events, key=lambda each: (each.time_ms, each.seq, each.place))


def told(
    mpid: int,
    everything: Sequence[Brought],
    latest: int | None = None,
    events: list[Event] | None = None,
) -> ProfileData:
    its = sorted((each for each in everything if each.mpid == mpid), key=lambda each: each.seq)
    attributes: dict[str, Any] = {}
    devices: dict[Identifier | None, Device] = {}
    events = events_of(mpid, everything) if events is None else events
    consent, opted_out, attribution = None, False, None
    first_seen = None
    for _, seq, time_ms, data, _, alias, kept in its:
        if time_ms is not None:
            first_seen = time_ms if first_seen is None else min(first_seen, time_ms)
        source = kept
        if source is None and alias is not None:
            source = told(alias.source_mpid, [one for one in everything if one.seq < seq])
        if source is not None:
            attribution = source.attribution or attribution
            if first_seen is not None:
                first_seen = min(first_seen, source.first_seen_ms or first_seen)
        if data is None:
            continue
        attributes |= {name: json.loads(value) for name, value in (data.attributes or {}).items()}
        attributes = {name: attributes[name] for name in attributes if name not in data.deleted}
        if data.device is not None:
            of, said = data.device.identifier, json.loads(data.device.info)
            there = devices.get(of)
            if there is None or there.info != said:
                devices[of] = Device(of, said, seq)
        consent = consent if data.consent_state is None else json.loads(data.consent_state)
        opted_out = opted_out if data.is_opted_out is None else data.is_opted_out
        attribution = attribution if data.attribution is None else json.loads(data.attribution)
    times = [each.time_ms for each in its if each.time_ms is not None]
    return ProfileData(
        dict(sorted(attributes.items())),
        tuple(events if latest is None else events[len(events) - min(latest, len(events)) :]),
        len(events),
        tuple(devices.values()),
        consent,
        opted_out,
        attribution,
        first_seen,
        max(times, default=None),
        tuple(
            f"request {each.alias.seq}: aliased "
            + (
                f"to profile {each.alias.destination_mpid}"
                if each.alias.source_mpid == mpid
                else f"from profile {each.alias.source_mpid}"
            )
            for each in everything
            if each.alias is not None
            and mpid in (each.alias.source_mpid, each.alias.destination_mpid)
        ),
    )
