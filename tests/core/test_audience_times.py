"""Times and lengths of time as text, held against the standard library's."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from idsync_cli.core.audiences.times import DAY_MS, length_of, length_text, time_of, time_text

FIRST, LAST = (datetime.fromisoformat(day) for day in ("0001-01-02", "9999-12-30"))
MOMENTS = st.datetimes(min_value=FIRST, max_value=LAST)
OFFSETS = st.integers(-23 * 60 - 59, 23 * 60 + 59)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def in_ms(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(milliseconds=1)


@settings(deadline=None)
@given(MOMENTS, OFFSETS, st.sampled_from(["T", " "]))
def test_a_time_is_read_as_the_standard_library_reads_it(
    moment: datetime, offset: int, between: str
) -> None:
    zoned = moment.replace(tzinfo=timezone(timedelta(minutes=offset)))
    text = zoned.isoformat(sep=between)
    assert time_of(text) == in_ms(zoned)
    utc = moment.replace(tzinfo=UTC)
    assert time_of(moment.isoformat()) == in_ms(utc)
    assert time_of(moment.isoformat() + "Z") == in_ms(utc)


@settings(deadline=None)
@given(MOMENTS)
def test_a_time_is_written_as_it_is_read(moment: datetime) -> None:
    time_ms = in_ms(moment.replace(tzinfo=UTC))
    text = time_text(time_ms)
    assert time_of(text) == time_ms
    assert text == moment.isoformat(timespec="milliseconds") + "Z"


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("2024-03-01", "2024-03-01T00:00:00.000Z"),
        ("2024-02-29T12:30", "2024-02-29T12:30:00.000Z"),
        ("2024-03-01T12:00:00.5", "2024-03-01T12:00:00.500Z"),
        ("2024-03-01T12:00:00.123456789Z", "2024-03-01T12:00:00.123Z"),
        ("2024-03-01T01:00+0200", "2024-02-29T23:00:00.000Z"),
        ("2000-02-29", "2000-02-29T00:00:00.000Z"),
    ],
)
def test_ways_to_write_a_time(text: str, same: str) -> None:
    time_ms = time_of(text)
    assert time_ms is not None
    assert time_text(time_ms) == same


@pytest.mark.parametrize(
    "text",
    [
        "", "2024", "2024-3-1", "2024-13-01", "2024-00-01", "2024-04-31", "2023-02-29",
        "1900-02-29", "0000-01-01", "2024-03-01T24:00", "2024-03-01T12:60", "2024-03-01T12:00:60",
        "2024-03-01T12:00+24:00", "2024-03-01T12:00+01:60", "2024-03-01T12", "2024-03-01Z",
        "2024-03-01T12:00:00,5", "２０２４-03-01", "2024-03-01\n", " 2024-03-01",
    ],
)  # fmt: skip
def test_what_is_no_time(text: str) -> None:
    assert time_of(text) is None


@pytest.mark.parametrize(
    ("text", "length_ms", "told"),
    [
        ("30 days", 30 * DAY_MS, "30 days"),
        ("1 day", DAY_MS, "1 day"),
        ("2 weeks", 14 * DAY_MS, "14 days"),
        ("36 hours", 36 * 3_600_000, "36 hours"),
        ("1 hour", 3_600_000, "1 hour"),
        ("90 minutes", 90 * 60_000, "90 minutes"),
        ("1 second", 1000, "1 second"),
        ("24 hours", DAY_MS, "1 day"),
    ],
)
def test_a_length_of_time(text: str, length_ms: int, told: str) -> None:
    assert length_of(text) == length_ms
    assert length_text(length_ms) == told


@pytest.mark.parametrize(
    "text",
    ["", "30", "days", "30days", "0 days", "-1 days", "1.5 days", "3 months", "36501 days",
     "9999999999 days", "30 DAYS", "30 dayss"],
)  # fmt: skip
def test_what_is_no_length_of_time(text: str) -> None:
    assert length_of(text) is None
