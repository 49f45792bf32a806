"""What SQL asks of the core: comparisons, calculations and the attributes of events (section 9).

A query calls the very functions that the fold is made of, so that both come to the same. All take
and give JSON as text, as it is kept, or NULL for what is not there.
"""

import json
from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache
from sqlite3 import Connection
from typing import Any

from idsync_cli.core.audiences.calculation import Occurred, accumulator
from idsync_cli.core.audiences.comparison import ABSENT, Comparer
from idsync_cli.core.audiences.fold import event_attribute
from idsync_cli.core.audiences.times import time_text
from idsync_cli.core.codes import Calculation, Operator
from idsync_cli.core.config.definitions import Comparison
from idsync_cli.store.kept_json import value_of

OCCURRENCES = (Calculation.FIRST_OCCURRENCE, Calculation.LAST_OCCURRENCE)
"""The calculations that go by when an event happened, and have to be told."""

AGGREGATES = (
    *(Calculation.SUM, Calculation.MIN, Calculation.MAX, Calculation.AVERAGE),
    *(Calculation.UNIQUE_LIST, Calculation.UNIQUE_VALUES_COUNT, Calculation.MOST_FREQUENT),
    *OCCURRENCES,
)
"""The calculations that SQL calls; the others it has of its own."""


_BEGINS_NUMBER = frozenset("-0123456789")
_FEW_DIGITS = 15


def register(connection: Connection) -> None:
    """Let a connection know the functions; to do so again changes nothing."""
    connection.create_function("idsync_holds", 2, _holds, deterministic=True)
    connection.create_function("idsync_event_attribute", 2, _event_attribute, deterministic=True)
    connection.create_function("idsync_time", 1, _time, deterministic=True)
    for calculation in AGGREGATES:
        arguments = 4 if calculation in OCCURRENCES else 1
        name = aggregate_of(calculation)
        connection.create_aggregate(name, arguments, _aggregate(calculation))


def aggregate_of(calculation: Calculation) -> str:
    """The name of the function that a calculation is."""
    return f"idsync_{calculation}"


def encoded(comparison: Comparison) -> str:
    """A comparison as SQL hands it over."""
    return json.dumps([comparison.operator, *comparison.values])


@lru_cache(maxsize=1024)
def _comparer(text: str) -> Comparer:
    operator, *values = json.loads(text)
    return Comparer(Comparison(Operator(operator), tuple(values)))


def _holds(value: str | int | None, comparison: str) -> bool:
    return _comparer(comparison).holds(_value(value))


def _event_attribute(event: str, name: str) -> str | None:
    value = event_attribute(value_of(event).get("data") or {}, name)
    return None if value is ABSENT else json.dumps(value)


def _time(time_ms: int | None) -> str | None:
    return None if time_ms is None else f'"{time_text(time_ms)}"'


def _value(text: str | int | None) -> Any:
    """A value of a query: a count is one itself, all else is JSON.

    Plain texts and numbers are most of all, and are read without a parser. A number of so few
    digits is the one that is written.
    """
    if text is None:
        return ABSENT
    if isinstance(text, int):
        return text
    first = text[:1]
    if first == '"' and "\\" not in text:
        return text[1:-1]
    if first in _BEGINS_NUMBER and len(text) <= _FEW_DIGITS and "e" not in text.lower():
        return Decimal(text)
    return value_of(text)


def _aggregate(calculation: Calculation) -> Callable[[], Any]:
    class Aggregate:
        """A calculation as SQLite takes it: one value after another, and then what it comes to."""

        def __init__(self) -> None:
            self._accumulator = accumulator(calculation)

        def step(self, text: str | None) -> None:
            """Take the value of an event; NULL is none."""
            if text is not None:
                self._accumulator.add(_value(text), _SOME_TIME)

        def finalize(self) -> str | None:
            """What it comes to."""
            result = self._accumulator.result()
            return None if result is ABSENT else json.dumps(result)

    class Occurrence(Aggregate):
        """A calculation that is told when each event happened; its value stands as it came."""

        def step(  # type: ignore[override]  # SQLite calls it with as many arguments as it has
            self, text: str | None, time_ms: int, seq: int, place: int
        ) -> None:
            """Take the value of an event; NULL is none."""
            if text is not None:
                self._accumulator.add(value_of(text), Occurred(time_ms, seq, place))

    return Occurrence if calculation in OCCURRENCES else Aggregate


_SOME_TIME = Occurred(0, 0, 0)
