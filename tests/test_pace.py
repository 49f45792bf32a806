"""When a replay is worth a second process: reckoned, for machines of every speed."""

import pytest

from idsync_cli.replay import batches
from idsync_cli.replay.batches import fitting_size
from idsync_cli.replay.pace import Pace, is_worth_a_process, lines_left, pause

MICROSECONDS = [5, 7, 10, 20, 50, 100, 200, 500]
"""What a line takes, to be decided and to be written."""

A_START_IN_LINES = 8_000
"""A process takes as long to start as so many lines: 0.1 s where a line takes 12 µs."""


def pace_of(microseconds: float, writing: float = 0.4) -> Pace:
    return Pace(microseconds * 1e-6 * (1 - writing), microseconds * 1e-6 * writing)


def worth(pace: Pace, left: int, to_start: float = 0.1, processors: int = 2) -> bool:
    return is_worth_a_process(pace, left, to_start=to_start, processors=processors)


@pytest.mark.parametrize("microseconds", MICROSECONDS)
def test_many_lines_are_worth_it_on_every_machine(microseconds: int) -> None:
    to_start = A_START_IN_LINES * microseconds * 1e-6
    for writing in (0.3, 0.5, 0.7):
        assert worth(pace_of(microseconds, writing), 200_000, to_start)
        assert worth(pace_of(microseconds, writing), 1_000_000, to_start)
        assert not worth(pace_of(microseconds, writing), 5_000, to_start)


@pytest.mark.parametrize("microseconds", MICROSECONDS)
def test_it_does_not_hang_on_how_fast_the_machine_is(microseconds: int) -> None:
    for lines in (100, 10_000, 30_000, 50_000, 100_000):
        here = worth(pace_of(microseconds), lines, A_START_IN_LINES * microseconds * 1e-6)
        assert here == worth(pace_of(10), lines, A_START_IN_LINES * 10e-6)


@pytest.mark.parametrize("microseconds", MICROSECONDS)
def test_where_it_is_worth_it_more_lines_are_too_and_slower_ones(microseconds: int) -> None:
    for lines in (1_000, 5_000, 20_000, 100_000):
        if worth(pace_of(microseconds), lines):
            assert worth(pace_of(microseconds), lines + 1)
            assert worth(pace_of(microseconds * 1.5), lines)


def test_it_saves_more_than_a_start_takes() -> None:
    """100,000 lines, of which 4 µs of 10 can be done elsewhere: 0.4 s."""
    assert worth(pace_of(10), 100_000, to_start=0.19)
    assert not worth(pace_of(10), 100_000, to_start=0.21)


def test_what_takes_no_time_to_write_is_not_worth_it() -> None:
    assert not worth(Pace(deciding=0.001, writing=0.0), 10**6)
    assert not worth(Pace(deciding=0.0, writing=0.001), 10**6)


def test_no_line_that_is_left_is_worth_nothing() -> None:
    assert not worth(pace_of(500), 0)


def test_on_one_processor_two_processes_save_nothing() -> None:
    assert not worth(pace_of(500), 10**6, processors=1)


def test_the_lines_left_are_as_long_as_those_before() -> None:
    assert lines_left(10, 1_000, 5_000) == 40
    assert lines_left(10, 5_000, 5_000) == 0
    assert lines_left(10, 6_000, 5_000) == 0  # somebody has made the file shorter
    assert lines_left(0, 0, 5_000) == 0


def test_of_a_stream_as_many_are_expected_as_have_come() -> None:
    assert lines_left(10, 1_000, None) == 10


# ---- All of a replay, on machines of every speed, reckoned


def replayed(lines: int, pace: Pace, to_start: float) -> tuple[float, float, int]:
    """The seconds it takes, the longest for which the store is held, and the lines done alone."""
    size, left, at, alone, longest = batches.FIRST, lines, 0.0, 0, 0.0
    ready: float | None = None
    while left and (ready is None or at < ready):
        count = min(size, left)
        left, alone = left - count, alone + count
        held = count * (pace.deciding + pace.writing)
        at, longest = at + held, max(longest, held)
        if ready is None and worth(pace, left, to_start):
            ready = at + to_start
        size = fitting_size(size, count, held)
    ended, held, spare = at, 0.0, 0.0
    while left:
        count = min(size, left)
        left -= count
        decided = at + count * pace.deciding
        spare += max(0.0, decided - ended)
        at = max(decided, ended)
        rest = pause(held, at - ended, spare)
        spare -= rest
        held = count * pace.writing
        ended, longest = at + rest + held, max(longest, held)
        size = fitting_size(size, count, held)
    return max(at, ended), longest, alone


@pytest.mark.parametrize("microseconds", MICROSECONDS)
@pytest.mark.parametrize("writing", [0.3, 0.5, 0.7])
def test_a_replay_takes_little_more_than_its_slower_half(microseconds: int, writing: float) -> None:
    pace = pace_of(microseconds, writing)
    for lines, most in ((200_000, 1.15), (1_000_000, 1.05)):
        to_start = A_START_IN_LINES * microseconds * 1e-6
        seconds, held, alone = replayed(lines, pace, to_start)
        assert seconds <= most * (lines * max(pace.deciding, pace.writing) + to_start)
        assert held <= 2 * batches.HOLD_SECONDS
        assert alone <= 4 * A_START_IN_LINES


# ---- Who waits for the store by SQLite's own means


ASKS = [0, 1, 3, 8, 18, 33, 53, 78, 103, 128, 178, 228, *range(328, 2_000, 100)]
"""When SQLite asks for the store again, in milliseconds since it first did (`busy_timeout`)."""


@pytest.mark.parametrize("held", range(5, 1_000, 5))
def test_whoever_came_while_the_store_was_held_asks_while_it_is_free(held: int) -> None:
    free = 1_000 * pause(held / 1_000, 0.0, 60.0)
    for came in range(held):
        assert any(held <= came + asks < held + free for asks in ASKS)


def test_no_longer_than_that_and_only_out_of_time_to_spare() -> None:
    assert pause(0.2, 0.0, 60.0) == pytest.approx(0.06)
    assert pause(0.2, 0.05, 60.0) == pytest.approx(0.01)
    assert pause(0.2, 0.07, 60.0) == 0
    assert pause(0.2, 0.0, 0.04) == pytest.approx(0.04)
    assert pause(0.2, 0.0, 0.0) == 0
