"""Times for people."""

from datetime import UTC, datetime


def moment(time_ms: int) -> str:
    """A time in UTC without its milliseconds, for people; one that no calendar has, as a number."""
    try:
        when = datetime.fromtimestamp(time_ms // 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return f"{time_ms} ms"
    return when.replace(tzinfo=None).isoformat(" ")
