"""Times as text: ISO 8601, in UTC unless it says otherwise, and milliseconds since 1970.

`datetime` knows the clock and the zones of the machine, and is not for the core.
"""

import re
from typing import Final

DAY_MS: Final = 86_400_000

UNITS: Final = {
    "week": 7 * DAY_MS,
    "day": DAY_MS,
    "hour": 3_600_000,
    "minute": 60_000,
    "second": 1_000,
}
"""The units of a length of time, in milliseconds; a day is 24 hours (section 9)."""

_TOLD: Final = ("day", "hour", "minute")

LONGEST_MS: Final = 36_500 * DAY_MS
"""The longest `within`: about a hundred years."""

_TIME: Final = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})"
    r"(?:[T ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,9}))?)?(Z|[+-][0-9]{2}:?[0-9]{2})?)?"
)
_LENGTH: Final = re.compile(r"([0-9]{1,9}) +([a-z]+)")
_MONTHS: Final = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def time_of(text: str) -> int | None:
    """The moment that a text names, in milliseconds; a date alone is its first moment.

    None where it is no time: `2024-03-01`, `2024-03-01T12:00Z` and `2024-03-01 12:00:00.5+02:00`
    are some. Without a zone it is UTC.
    """
    found = _TIME.fullmatch(text)
    if found is None:
        return None
    year, month, day = int(found[1]), int(found[2]), int(found[3])
    if not 1 <= month <= 12 or not 1 <= day <= _days_in(year, month) or year == 0:
        return None
    hour, minute, second = int(found[4] or 0), int(found[5] or 0), int(found[6] or 0)
    if hour > 23 or minute > 59 or second > 59:
        return None
    thousandths = int(f"{found[7] or 0:0<3}"[:3])
    offset = _offset_ms(found[8] or "Z")
    if offset is None:
        return None
    seconds = (hour * 60 + minute) * 60 + second
    return _days_before(year, month, day) * DAY_MS + seconds * 1000 + thousandths - offset


def time_text(time_ms: int) -> str:
    """A moment of the years 1 to 9999 as text, such as `2024-03-01T12:00:00.000Z`."""
    days, rest = divmod(time_ms, DAY_MS)
    year, month, day = _date_of(days)
    seconds, thousandths = divmod(rest, 1000)
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    return f"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{thousandths:03}Z"


def length_of(text: str) -> int | None:
    """A length of time such as `30 days`, in milliseconds; None where it is none, or too long."""
    found = _LENGTH.fullmatch(text)
    if found is None:
        return None
    unit = UNITS.get(found[2].removesuffix("s"))
    length = 0 if unit is None else int(found[1]) * unit
    return length if 0 < length <= LONGEST_MS else None


def length_text(length_ms: int) -> str:
    """A length of time in the largest unit up to days that it is made of, such as `30 days`."""
    unit = next((each for each in _TOLD if length_ms % UNITS[each] == 0), "second")
    number = length_ms // UNITS[unit]
    return f"{number} {unit}{'' if number == 1 else 's'}"


def _offset_ms(zone: str) -> int | None:
    """How far a zone is ahead of UTC, in milliseconds; None where no zone is."""
    if zone == "Z":
        return 0
    hours, minutes = int(zone[1:3]), int(zone[-2:])
    if hours > 23 or minutes > 59:
        return None
    ahead = (hours * 60 + minutes) * 60_000
    return -ahead if zone[0] == "-" else ahead


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def _days_in(year: int, month: int) -> int:
    return 29 if month == 2 and _is_leap(year) else _MONTHS[month - 1]


def _days_before(year: int, month: int, day: int) -> int:
    """The days from 1970-01-01 to a date of the Gregorian calendar.

    Years are counted from March, so that the leap day is the last of its year.
    """
    if month <= 2:
        year, month = year - 1, month + 12
    of_year = (153 * (month - 3) + 2) // 5 + day - 1
    return year * 365 + year // 4 - year // 100 + year // 400 + of_year - 719_468


def _date_of(days: int) -> tuple[int, int, int]:
    """The date so many days after 1970-01-01: the other way round."""
    era, of_era = divmod(days + 719_468, 146_097)
    year = (of_era - of_era // 1_460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    month = (5 * of_year + 2) // 153
    day = of_year - (153 * month + 2) // 5 + 1
    if month >= 10:
        return year + era * 400 + 1, month - 9, day
    return year + era * 400, month + 3, day
