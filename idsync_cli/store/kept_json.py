"""JSON that a store keeps as text, read again: it was checked when it came."""

import json
from typing import Any, Final

from idsync_cli.core.data.values import Event

_LONGEST: Final = 4000
"""Python reads no integer of more digits than some thousand; such a one stays text."""


def value_of(text: str) -> Any:
    """The value of some JSON."""
    return _DECODER.decode(text)


def event_of(
    seq: int, place: int, time_ms: int, event_type: str, name: str | None, text: str
) -> Event:
    """An event of which the whole is kept as JSON; without `data` it has none."""
    data = value_of(text).get("data") or {}
    return Event(seq, place, time_ms, event_type, name, data, text)


def _int(digits: str) -> int | str:
    return int(digits) if len(digits) <= _LONGEST else digits


_DECODER = json.JSONDecoder(parse_int=_int)
