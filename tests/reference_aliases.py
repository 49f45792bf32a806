"""Section 9 of docs/specification.md as part of the brute-force model: aliases.

Written from the specification alone; importing nothing of the package.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from tests.reference_batches import FIRST, LAST, Json, need

OWN_MEMBERS = ("source_mpid", "destination_mpid", "start_unixtime_ms", "end_unixtime_ms")
DAYS_90 = 90 * 24 * 60 * 60 * 1000


class Alias(NamedTuple):
    """What the source does in the window is the destination's, too; both ends belong to it."""

    seq: int
    source: int
    destination: int
    start: int
    end: int

    def takes(self, time: int) -> bool:
        return self.start <= time <= self.end


def check_times(members: Json) -> None:
    """A time of the window, if it is given; 0 is as good as absent."""
    for name in OWN_MEMBERS[2:]:
        time = members.get(name)
        if time is not None and not is_zero(time):
            need(type(time) is int and FIRST <= time <= LAST)


def is_zero(value: object) -> bool:
    return type(value) is int and value == 0


def window_of(members: Json, own_time: int) -> tuple[int, int]:
    """Without an end it ends at the request's time, without a start it begins 90 days before."""
    end: Any = members.get("end_unixtime_ms") or own_time
    return members.get("start_unixtime_ms") or end - DAYS_90, end


def check(earlier: list[Alias], source: int, destination: int, window: tuple[int, int]) -> None:
    """What was aliased before, and the window itself."""
    start, end = window
    refused = "INVALID_ALIAS"
    need(start <= end <= start + DAYS_90, refused)
    for alias in earlier:
        overlaps = alias.source == source and max(alias.start, start) <= min(alias.end, end)
        need(not overlaps and source != alias.destination and destination != alias.source, refused)


def copies(told: Json, alias: Alias) -> list[Json]:
    """The source's events of the window, as the destination gets them."""
    found = [event for event in told["events"] if alias.takes(event["time_ms"])]
    return [event | {"seq": alias.seq, "place": place} for place, event in enumerate(found, 1)]
