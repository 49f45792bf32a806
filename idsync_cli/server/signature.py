"""Signed requests: what is signed, and how far a date may be off (section 10)."""

import hashlib
import hmac
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

MOST_OFF = timedelta(minutes=15)
"""How far the date of a signed request may be from the server's clock."""

_WESTMOST, _EASTMOST = timedelta(hours=-12), timedelta(hours=14)
_ISO: Final = re.compile(
    r"(\d{4})-?(\d\d)-?(\d\d)T(\d\d):?(\d\d):?(\d\d)(?:[.,]\d{1,9})?(Z|[+-]\d\d:?(?:\d\d)?)?",
    re.ASCII,
)
_RFC_1123: Final = re.compile(
    r"(?:[A-Za-z]{3}, *)?(\d{1,2})[ -]([A-Za-z]{3})[ -](\d{4}) (\d\d):(\d\d):(\d\d)(?: (.{1,40}))?",
    re.ASCII,
)
_OFFSET: Final = re.compile(r"(?:GMT|UTC)?([+-])(\d{1,2}):?(\d\d)?", re.ASCII)
_MONTHS: Final = [
    "jan",
    "feb",
    "mar",
    "apr",
    "may",
    "jun",
    "jul",
    "aug",
    "sep",
    "oct",
    "nov",
    "dec",
]


def is_signed(
    signature: str,
    secrets: Iterable[str],
    method: str,
    date: str,
    paths: Iterable[str],
    body: bytes,
) -> bool:
    """Whether a signature is right for one of the secrets and one of the paths.

    It is the hexadecimal HMAC-SHA256 of method, newline, date, newline, path and body. All are
    compared, whichever is right, so that the time that it takes says nothing.
    """
    sent = signature.strip().lower().encode("utf-8", "replace")
    right = False
    for secret in secrets:
        for path in paths:
            message = f"{method}\n{date}\n{path}".encode("utf-8", "surrogateescape") + body
            made = hmac.new(secret.encode(), message, hashlib.sha256).hexdigest().encode()
            right = hmac.compare_digest(made, sent) or right
    return right


def is_in_time(date: str, now: datetime) -> bool:
    """Whether a date as SDKs write it is within 15 minutes of now.

    ISO 8601, basic or extended, or RFC 1123. An Android device sends the name of its own zone,
    which may mean several: such a date is in time if it is for some offset from -12 to +14 hours.
    """
    for moment, offset in _readings(date.strip()):
        off = moment.replace(tzinfo=UTC) - now
        if offset is not None:  # taken from what is off: at an end of the calendar no date is left
            return -MOST_OFF <= off - offset <= MOST_OFF
        return _WESTMOST - MOST_OFF <= off <= _EASTMOST + MOST_OFF
    return False


def _readings(date: str) -> Iterator[tuple[datetime, timedelta | None]]:
    """The moment that a date names, by its own clock, and the offset of that from UTC."""
    found = _ISO.fullmatch(date)
    if found is not None:
        *numbers, zone = found.groups()
        offset = _offset(zone or "Z")
        year, month, day, hour, minute, second = map(int, numbers)
    else:
        found = _RFC_1123.fullmatch(date)
        if found is None or found[2].lower() not in _MONTHS:
            return
        day, year, hour, minute, second = (int(found[group]) for group in (1, 3, 4, 5, 6))
        month = _MONTHS.index(found[2].lower()) + 1
        offset = _offset(found[7] or "GMT")
    try:
        yield datetime(year, month, day, hour, minute, second), offset  # noqa: DTZ001 - see offset
    except ValueError:
        return


def _offset(zone: str) -> timedelta | None:
    """How far a zone is before UTC; None where its name does not say so."""
    if zone in ("Z", "GMT", "UTC", "UT"):
        return timedelta()
    found = _OFFSET.fullmatch(zone)
    if found is None:
        return None
    size = timedelta(hours=int(found[2]), minutes=int(found[3] or 0))
    return -size if found[1] == "-" else size
