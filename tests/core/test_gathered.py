"""Events that are gathered as they come, against the fold over all of them."""

import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from idsync_cli.core.audiences.fold import Fold, Folded, Subject
from idsync_cli.core.audiences.gathered import Gathered
from idsync_cli.core.codes import Calculation
from idsync_cli.core.config.definitions import (
    Audience,
    CalculatedAttribute,
    Definitions,
    EventCondition,
    EventFilter,
)
from idsync_cli.core.data.values import Event, ProfileData
from tests.audience_worlds import definitions

BEGINNING = 1_717_200_000_000
SECOND = 1000
WITHIN = EventFilter("buy", None, 3 * SECOND)
WINDOWS = Definitions(
    {each.value: CalculatedAttribute(each, WITHIN, "it") for each in Calculation}
    | {
        f"ever_{each}": CalculatedAttribute(each, EventFilter(None, "x"), "it")
        for each in Calculation
    },
    {
        "lately": Audience(1, EventCondition(WITHIN)),
        "never": Audience(2, EventCondition(EventFilter("buy", "x"), exists=False)),
    },
)
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from(["a", "A", "b", "2", "0.50", "1e3", "-0.0", "1e15", "1000000000000000.5"]),
    st.integers(-3, 3),
    st.sampled_from([0.5, 2.0, 1e15, -1e16, 10**15, 10**30]),
    st.lists(st.sampled_from(["a", 1, 0.25, True, "5.0"]), max_size=3),
)
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["buy", "look"]),
        st.sampled_from(["x", "y"]),
        st.integers(0, 12),  # when the event was, in seconds
        st.one_of(st.just({}), st.fixed_dictionaries({"it": VALUES})),
        st.integers(-1, 14),  # when it is asked what all of them come to
    ),
    max_size=12,
)


def event_of(seq: int, name: str, event_type: str, time_ms: int, data: dict[str, Any]) -> Event:
    return Event(seq, 1, time_ms, event_type, name, data, json.dumps(data))


def by_size(events: Sequence[Event]) -> tuple[Event, ...]:
    return tuple(sorted(events, key=lambda each: (each.time_ms, each.seq, each.place)))


def assert_same(found: Folded, expected: Folded) -> None:
    assert found == expected
    assert json.dumps(found.attributes) == json.dumps(expected.attributes)  # 1 is not 1.0 there


@settings(deadline=None, max_examples=300)
@given(STEPS)
def test_whatever_comes_and_whenever_it_is_asked(steps: list[Any]) -> None:
    check(WINDOWS, steps)


@settings(deadline=None, max_examples=100)
@given(definitions(), STEPS)
def test_whatever_is_defined(defined: Definitions, steps: list[Any]) -> None:
    check(defined, steps)


def check(defined: Definitions, steps: list[Any]) -> None:
    fold = Fold(defined)
    gathered, events = Gathered(fold), list[Event]()
    for seq, (name, event_type, second, data, asked) in enumerate(steps, start=1):
        events.append(event_of(seq, name, event_type, BEGINNING + second * SECOND, data))
        gathered.add(events[-1])
        now = gathered.now_ms = BEGINNING + asked * SECOND
        all_of_them = ProfileData({"set": 1}, by_size(events), len(events))
        expected = fold.of(Subject(all_of_them, (), False, now))
        assert_same(fold.of(Subject(ProfileData({"set": 1}), (), False, now), gathered), expected)


@pytest.mark.parametrize("within_ms", [None, 5 * SECOND])
def test_one_more_event_looks_at_no_other(within_ms: int | None) -> None:
    """What is looked at is counted: with ten times the events it is no more for each."""
    seen: list[int] = []
    for number in (100, 1000):
        looked_at = Counted()
        of = EventFilter("buy", None, within_ms)
        defined = Definitions({"sum": CalculatedAttribute(Calculation.SUM, of, "it")}, {})
        fold = Fold(defined)
        gathered = Gathered(fold)
        for seq in range(number):
            time_ms = BEGINNING + seq * SECOND
            looked_at.now = seq
            gathered.add(Event(seq, 1, time_ms, "x", "buy", looked_at, "{}"))
            gathered.now_ms = time_ms
            fold.of(Subject(ProfileData({}), (), False, time_ms), gathered)
        seen.append(looked_at.times // number)
    assert seen[0] == seen[1] > 0


class Counted(dict[str, Any]):
    """The data of events, which counts how often it is looked at."""

    times = now = 0

    def __contains__(self, name: object) -> bool:
        self.times += 1
        return name == "it"

    def __getitem__(self, name: str) -> Any:
        return self.now


def test_what_comes_late_is_in_the_window_that_was_asked_for_or_not() -> None:
    at = [(5, 8), (6, 8), (7, 8), (2, 8), (3, 8), (6, 8), (1, 9), (9, 9)]
    for order in (at, at[::-1]):
        steps = [("buy", "x", second, {"it": second}, asked) for second, asked in order]
        check(WINDOWS, steps)
