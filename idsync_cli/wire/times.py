"""Times as batches give them: milliseconds since 1970 (section 9)."""

from datetime import UTC, datetime
from typing import Final

from idsync_cli.core.data.values import FIRST_TIME_MS, LAST_TIME_MS
from idsync_cli.errors import quoted
from idsync_cli.wire.as_written import shown

_UNITS: Final = (
    ("seconds", 1, 1000),
    ("microseconds", 1000, 1),
    ("nanoseconds", 1_000_000, 1),
)
"""Other units, each by what it is divided, and multiplied, to be milliseconds."""


def is_time(value: object) -> bool:
    """Whether it is a moment from 2000 to the end of 2099, in milliseconds since 1970."""
    return (
        isinstance(value, int)
        and not isinstance(value, bool)
        and FIRST_TIME_MS <= value <= LAST_TIME_MS
    )


def moment_of(text: str) -> int | None:
    """A time as people write it, in milliseconds since 1970; None where it is none.

    ISO 8601, of UTC where it names no zone, or milliseconds.
    """
    if text.isascii() and text.isdigit() and len(text) <= 19:
        return int(text) if is_time(int(text)) else None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    found = round(moment.timestamp() * 1000)
    return found if is_time(found) else None


def time_fault(value: object) -> str:
    """Say what is wrong with a value that is no time; in which other unit it would be one."""
    written = f"is {quoted(shown(value))}"
    if not isinstance(value, int) or isinstance(value, bool):
        return f"{written}, but a time is an integer: milliseconds since 1970"
    for unit, by, times in _UNITS:
        if is_time(value // by * times):
            return f"{written}, which looks like {unit}; give milliseconds: {value // by * times}"
    return f"{written}, but a time is in milliseconds since 1970, from 2000 to the end of 2099"
