"""Every calculation, in whatever order the values come (section 9)."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from idsync_cli.core.audiences.calculation import Occurred, accumulator
from idsync_cli.core.audiences.comparison import ABSENT
from idsync_cli.core.codes import Calculation

JUNE = 1_717_200_000_000


def calculated(calculation: str, *values: object) -> Any:
    """What comes of values, one a second from 2024-06-01 on."""
    found = accumulator(Calculation(calculation))
    for seq, value in enumerate(values, start=1):
        found.add(value, Occurred(JUNE + seq * 1000, seq, 1))
    return found.result()


@pytest.mark.parametrize(
    ("calculation", "values", "expected"),
    [
        ("count", ["a", None, 5], 3),
        ("sum", [1, "2.5", "many", True, None, {"a": 1}], 3.5),
        ("sum", [0.1] * 10, 1),
        ("sum", [0.1, 0.2], 0.3),
        ("sum", [10**20, -1], 10**20 - 1),
        ("sum", [[1, 2], 3], 6),
        ("min", [3, "-2", "x"], -2),
        ("max", [3, "20", [7, 21.5]], 21.5),
        ("average", [1, 2, 2], 5 / 3),
        ("average", ["1", "2"], 1.5),
        ("first_occurrence", ["b", "a"], "b"),
        ("first_occurrence", [None, "a"], None),
        ("last_occurrence", ["b", ["x", 1]], ["x", 1]),
        ("first_occurrence_timestamp", ["b", "a"], "2024-06-01T00:00:01.000Z"),
        ("last_occurrence_timestamp", ["b", "a"], "2024-06-01T00:00:02.000Z"),
        ("unique_list", ["b", "A", "a", "b", 10, 9], ["10", "9", "A", "a", "b"]),
        ("unique_list", ["x", True, None, {}], ["true", "x"]),
        ("unique_list", [["b", "c"], "a"], ["a", "b", "c"]),
        ("unique_values_count", ["b", "b", "B", 5, "5", 5.0], 3),
        ("most_frequent", ["b", "a", "b"], "b"),
        ("most_frequent", ["b", "C", "a", "C", "b"], "b"),
        ("most_frequent", [["x", "y"], "y"], "y"),
    ],
)  # fmt: skip
def test_a_calculation(calculation: str, values: list[Any], expected: Any) -> None:
    assert calculated(calculation, *values) == expected


@pytest.mark.parametrize("calculation", Calculation)
def test_a_calculation_of_nothing(calculation: Calculation) -> None:
    counts = calculation in (Calculation.COUNT, Calculation.UNIQUE_VALUES_COUNT)
    assert calculated(calculation) == 0 if counts else calculated(calculation) is ABSENT


@pytest.mark.parametrize(
    "calculation", ["sum", "min", "max", "average", "unique_list", "most_frequent"]
)
def test_values_of_which_none_counts_come_to_nothing(calculation: str) -> None:
    assert calculated(calculation, None, {}) is ABSENT


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=3),
    st.sampled_from(["1", "2.5", "1e3", "-0"]),
)
HAPPENED = st.lists(
    st.tuples(st.integers(JUNE, JUNE + 3), SCALARS | st.lists(SCALARS, max_size=3)), max_size=8
)


@settings(deadline=None)
@given(st.sampled_from(Calculation), HAPPENED, st.randoms())
def test_the_order_in_which_values_come_does_not_matter(
    calculation: Calculation, happened: list[tuple[int, Any]], chance: Any
) -> None:
    events = [(value, Occurred(time_ms, seq, 1)) for seq, (time_ms, value) in enumerate(happened)]
    shuffled = list(events)
    chance.shuffle(shuffled)
    results = []
    for each in (events, shuffled):
        found = accumulator(calculation)
        for value, occurred in each:
            found.add(value, occurred)
        results.append(found.result())
    assert repr(results[0]) == repr(results[1])
