"""Every operator, of every kind of value (section 9)."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from idsync_cli.core.audiences.comparison import ABSENT, Comparer, ExactComparer
from idsync_cli.core.audiences.scalars import (
    json_number,
    moment_of,
    number_of,
    text_of,
    values_of,
)
from idsync_cli.core.codes import Operator
from idsync_cli.core.config.definitions import ValueComparison

NOON = "2024-03-01T12:00:00Z"
NOON_MS = 1_709_294_400_000


def holds(operator: str, values: str | list[str] | None, value: object) -> bool:
    given = [] if values is None else [values] if isinstance(values, str) else values
    return Comparer(ValueComparison(Operator(operator), tuple(given))).holds(value)


FULFILLED: list[tuple[str, str | list[str] | None, object]] = [
    ("exists", None, "a"),
    ("exists", None, ""),
    ("exists", None, None),
    ("exists", None, []),
    ("exists", None, {"a": 1}),
    ("exists", None, False),
    ("not_exists", None, ABSENT),
    ("equals", "EUR", "eur"),
    ("equals", "straße", "STRASSE"),
    ("equals", "ΣΊΣΥΦΟΣ", "σίσυφος"),
    ("equals", "", ""),
    ("equals", "100", 100),
    ("equals", "100", "100.0"),
    ("equals", "1e2", 100.0),
    ("equals", "0.1", 0.1),
    ("equals", "-0", 0),
    ("equals", "true", True),
    ("equals", "TRUE", True),
    ("equals", "false", "False"),
    ("equals", "b", ["a", "b"]),
    ("equals", "2", ["a", 2]),
    ("equals", "123456789012345678901", 123456789012345678901),
    ("not_equals", "EUR", "USD"),
    ("not_equals", "a", None),
    ("not_equals", "a", {"a": 1}),
    ("not_equals", "a", ["a", "b"]),
    ("not_equals", "1", True),
    ("contains", "UPP", "supper"),
    ("contains", "23", 1234),
    ("contains", ".5", 12.5),
    ("contains", "ru", True),
    ("contains", "x", ["abc", "xyz"]),
    ("not_contains", "x", "abc"),
    ("not_contains", "x", None),
    ("not_contains", "x", ["x", "abc"]),
    ("in_list", ["eur", "usd"], "USD"),
    ("in_list", ["1", "2"], 2.0),
    ("in_list", ["a"], ["b", "A"]),
    ("greater_than", "100", 100.01),
    ("greater_than", "100", "1000"),
    ("greater_than", "9007199254740992", 9007199254740993),
    ("greater_than", "5", [1, 6]),
    ("greater_or_equal", "100", "1e2"),
    ("less_than", "0", "-0.5"),
    ("less_or_equal", "0.3", 0.3),
    ("before", NOON, "2024-03-01T11:59:59.999Z"),
    ("before", NOON, NOON_MS - 1),
    ("before", NOON, str(NOON_MS - 1)),
    ("before", str(NOON_MS), "2024-03-01"),
    ("after", NOON, NOON),
    ("after", NOON, NOON_MS),
    ("after", "2024-03-01", "2024-03-01T02:00:00+02:00"),
    ("between", ["1", "10"], 1),
    ("between", ["1", "10"], "10.0"),
    ("between", ["2024-03-01", NOON], NOON_MS),
    ("between", ["2024-03-01", NOON], "2024-03-01"),
    ("between", ["1", "2"], [0, 1.5]),
]


@pytest.mark.parametrize(("operator", "values", "value"), FULFILLED)
def test_a_comparison_that_holds(operator: str, values: Any, value: object) -> None:
    assert holds(operator, values, value)


FAILED: list[tuple[str, str | list[str] | None, object]] = [
    ("exists", None, ABSENT),
    ("not_exists", None, None),
    ("not_exists", None, []),
    ("equals", "a", ABSENT),
    ("equals", "", None),
    ("equals", "null", None),
    ("equals", "{}", {}),
    ("equals", "a", []),
    ("equals", "100", "0100"),
    ("equals", "100", " 100"),
    ("equals", "100", "1OO"),
    ("equals", "1", True),
    ("equals", "12345678901234567890", 12345678901234567891),
    ("equals", "1", [[1]]),
    ("not_equals", "a", ABSENT),
    ("not_equals", "a", "A"),
    ("not_equals", "a", ["A"]),
    ("not_equals", "a", []),
    ("contains", "a", ABSENT),
    ("contains", "a", None),
    ("contains", "a", {"a": 1}),
    ("not_contains", "x", ABSENT),
    ("not_contains", "X", "xyz"),
    ("in_list", ["a"], ABSENT),
    ("in_list", ["a"], None),
    ("greater_than", "100", 100),
    ("greater_than", "100", "many"),
    ("greater_than", "100", "１０００"),
    ("greater_than", "0", True),
    ("greater_than", "0", None),
    ("greater_than", "0", ABSENT),
    ("greater_than", "0", "1e999999"),
    ("greater_or_equal", "100", 99.99),
    ("less_than", "0", 0),
    ("less_or_equal", "0", 0.001),
    ("before", NOON, NOON),
    ("before", NOON, "yesterday"),
    ("before", NOON, 0),
    ("before", NOON, None),
    ("after", NOON, NOON_MS - 1),
    ("between", ["1", "10"], 10.1),
    ("between", ["1", "10"], "a"),
    ("between", ["2024-03-01", NOON], NOON_MS + 1),
    ("between", ["2024-03-01", NOON], "x"),
]


@pytest.mark.parametrize(("operator", "values", "value"), FAILED)
def test_a_comparison_that_does_not_hold(operator: str, values: Any, value: object) -> None:
    assert not holds(operator, values, value)


@pytest.mark.parametrize("operator", ["greater_than", "before", "between"])
def test_what_no_configuration_says_holds_of_nothing(operator: str) -> None:
    """A store remembers the rules of another version."""
    assert not holds(operator, ["x", "y"], 5)
    assert not holds(operator, ["x", "y"], NOON)


@pytest.mark.parametrize(
    ("operator", "values", "held", "expected"),
    [
        ("exists", (), ["a"], True),
        ("exists", (), [], False),
        ("not_exists", (), [], True),
        ("not_exists", (), ["a"], False),
        ("equals", ("A",), ["a"], False),
        ("equals", ("A",), ["b", "A"], True),
        ("equals", ("1.0",), ["1"], False),
        ("not_equals", ("A",), ["A", "a"], True),
        ("not_equals", ("A",), ["A"], False),
        ("not_equals", ("A",), [], False),
        ("contains", ("@example.com",), ["a@example.com"], True),
        ("contains", ("@EXAMPLE.com",), ["a@example.com"], False),
        ("not_contains", ("@",), ["a@b"], False),
        ("in_list", ("a", "b"), ["b"], True),
        ("in_list", ("a", "b"), ["c"], False),
    ],
)
def test_identifiers_are_compared_exactly(
    operator: str, values: tuple[str, ...], held: list[str], expected: bool
) -> None:
    assert ExactComparer(ValueComparison(Operator(operator), values)).holds(held) is expected


def test_absent_says_so() -> None:
    assert repr(ABSENT) == "ABSENT"


# What a value is


@settings(deadline=None)
@given(st.integers() | st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_and_the_text_of_it_are_one_number(number: float) -> None:
    assert number_of(number) == number_of(repr(number))
    assert text_of(number) is not None


@settings(deadline=None)
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_is_what_was_written(number: float) -> None:
    found = number_of(number)
    assert found is not None
    assert float(found) == number
    assert json_number(found) == number


@pytest.mark.parametrize(
    "text", ["", "-", "01", "+1", ".5", "1.", "1e", "0x10", "1_000", "NaN", "Infinity", "1e401",
             "1e-401", "1e1000000", "1 ", "\n1", "١"],
)  # fmt: skip
def test_a_text_that_json_would_not_read_as_a_number(text: str) -> None:
    assert number_of(text) is None


def test_what_is_neither_a_number_nor_text() -> None:
    nothing: list[object] = [None, [], {}, ABSENT]
    for value in nothing:
        assert number_of(value) is None
        assert text_of(value) is None
        assert moment_of(value) is None
    assert number_of(True) is None


@pytest.mark.parametrize("text", ["0", "-0", "5", "5.0", "-0.50", "123456789012345", "0.0000001"])
def test_a_number_that_is_read_by_itself_is_the_one_that_json_has(text: str) -> None:
    number = Decimal(text)
    assert number_of(number) == number_of(json.loads(text))
    assert text_of(number) == text_of(json.loads(text))


def test_zero_in_every_way_is_zero() -> None:
    assert [number_of(each) for each in ("0", "-0", "0.00", "0e999999", -0.0)] == [Decimal(0)] * 5


def test_a_whole_number_has_no_point_as_text() -> None:
    values = (5, 5.0, -2.5, 1e15, 10**30, True, False)
    texts = ["5", "5", "-2.5", "1000000000000000.0", "1" + "0" * 30, "true", "false"]
    assert list(map(text_of, values)) == texts


def test_the_values_of_a_list_are_its_own() -> None:
    assert values_of([1, 2]) == [1, 2]
    assert values_of("a") == ("a",)


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        ("5", 5), ("5.0", 5), ("0.30", 0.3),
        ("1E+14", 10**14), ("1E+17", 1e17),
        ("100000000000000000000", 10**20), ("1E+309", 10**309), ("1E-400", 0.0), ("-1E-400", 0.0),
    ],
)  # fmt: skip
def test_a_number_as_json_holds_it(number: str, expected: float) -> None:
    found = json_number(Decimal(number))
    assert found == expected
    assert repr(found) == repr(expected)


def test_a_time_in_milliseconds_is_one_of_this_century() -> None:
    assert moment_of(946_684_800_000) == 946_684_800_000
    assert moment_of("946684800000.9") == 946_684_800_000
    assert moment_of(946_684_799_999) is None
    assert moment_of(1_709_294_400) is None
