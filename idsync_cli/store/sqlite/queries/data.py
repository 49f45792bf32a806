"""What a profile has beside its identifiers."""

from collections.abc import Container, Iterator
from typing import Any

from idsync_cli.core.data.values import Alias, Device, Event, ProfileData, status_message
from idsync_cli.core.identity import Identifier, IdentityType
from idsync_cli.store.kept_json import event_of, value_of
from idsync_cli.store.sqlite.connected import Connected

_PROFILE = "SELECT created_seq, first_seen_ms, last_stored_ms FROM profiles WHERE mpid = ?"
_EARLIER_PROFILE = "SELECT created_seq FROM profiles WHERE mpid = ?"
_EARLIER_TIMES = "SELECT * FROM profile_times WHERE created_seq = ?"
_ATTRIBUTES = "SELECT name, value FROM attributes WHERE created_seq = ? ORDER BY name"
_EVENTS = """
    SELECT seq, place, time_ms, event_type, name, event FROM events
    WHERE created_seq = ? ORDER BY time_ms DESC, seq DESC, place DESC LIMIT ?
"""
_EVENTS_SINCE = """
    SELECT event_id, created_seq, seq, place, time_ms, event_type, name, event FROM events
    WHERE event_id > ? ORDER BY event_id
"""
_LAST_EVENT = "SELECT max(event_id) FROM events"
_EVENT_COUNT = "SELECT count(*) FROM events WHERE created_seq = ?"
_DEVICES = """
    SELECT identity_type, value, info, max(seq) FROM devices AS device WHERE created_seq = ?
    GROUP BY identity_type, value
    ORDER BY (
        SELECT seq FROM devices AS first
        WHERE first.created_seq = device.created_seq
            AND first.identity_type = device.identity_type AND first.value = device.value
        ORDER BY seq LIMIT 1
    )
"""
_STATE = """
    SELECT consent_state, is_opted_out, attribution FROM profile_states
    WHERE created_seq = ? ORDER BY seq DESC LIMIT 1
"""
_ALIASES = """
    SELECT aliases.seq, source.mpid, destination.mpid, start_ms, end_ms FROM aliases
    JOIN profiles AS source ON source.created_seq = source_seq
    JOIN profiles AS destination ON destination.created_seq = destination_seq
    WHERE source_seq = ? OR destination_seq = ? ORDER BY aliases.seq
"""
_NO_STATE = None, 0, None


def data_of(
    transaction: Connected, mpid: int, events: int | None, *, is_counted: bool = True
) -> ProfileData | None:
    """What the profile has, with its latest `events`, or all; None without a profile.

    Counting the events takes longer the more there are. Without `is_counted` the count is 0.
    """
    execute = transaction.connection.execute
    is_earlier = transaction.as_of is not None
    found = execute(_EARLIER_PROFILE if is_earlier else _PROFILE, (mpid,)).fetchone()
    if found is None:
        return None
    if is_earlier:
        found = execute(_EARLIER_TIMES, found).fetchone() or (*found, None, None)
    seq, first_seen, last_stored = found
    consent_state, is_opted_out, attribution = execute(_STATE, (seq,)).fetchone() or _NO_STATE
    return ProfileData(
        {name: value_of(value) for name, value in execute(_ATTRIBUTES, (seq,))},
        _events(transaction, seq, events),
        execute(_EVENT_COUNT, (seq,)).fetchone()[0] if is_counted else 0,
        tuple([_device(*row) for row in execute(_DEVICES, (seq,))]),
        _value_or_none(consent_state),
        bool(is_opted_out),
        _value_or_none(attribution),
        first_seen,
        last_stored,
        tuple([status_message(Alias(*row), mpid) for row in execute(_ALIASES, (seq, seq))]),
    )


def last_event(transaction: Connected) -> int:
    """The id of the latest event of all; 0 where there is none."""
    return int(transaction.connection.execute(_LAST_EVENT).fetchone()[0] or 0)


def events_since(
    transaction: Connected, event_id: int, of: Container[int]
) -> Iterator[tuple[int, Event]]:
    """The events that came after one, of some profiles, each with its profile's `created_seq`."""
    for _, created_seq, *event in transaction.connection.execute(_EVENTS_SINCE, (event_id,)):
        if created_seq in of:
            yield created_seq, event_of(*event)


def _events(transaction: Connected, created_seq: int, limit: int | None) -> tuple[Event, ...]:
    rows = transaction.connection.execute(_EVENTS, (created_seq, -1 if limit is None else limit))
    latest_first = [event_of(*row) for row in rows]
    latest_first.reverse()
    return tuple(latest_first)


def _device(kind: str, value: str, info: str, seq: int) -> Device:
    return Device(Identifier(IdentityType(kind), value) if kind else None, value_of(info), seq)


def _value_or_none(text: str | None) -> Any:
    return None if text is None else value_of(text)
