"""What SQL asks of the core: comparisons, calculations and the attributes of events (section 9).

A query calls the very functions that the fold is made of, so that both come to the same. All take
and give JSON as text, as it is kept, or NULL for what is not there.
"""

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any
from weakref import WeakKeyDictionary

from idsync_cli.core.audiences.calculation import Occurred, accumulator
from idsync_cli.core.audiences.comparison import ABSENT, Comparer
from idsync_cli.core.audiences.fold import event_attribute
from idsync_cli.core.audiences.times import time_text
from idsync_cli.core.codes import Calculation
from idsync_cli.core.config.definitions import ValueComparison
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
_STEPS = 100_000
"""How many steps SQLite makes, some milliseconds, before it is seen whether it is to go on."""

_SOME_TIME = Occurred(0, 0, 0)


def aggregate_of(calculation: Calculation) -> str:
    """The name of the function that a calculation is."""
    return f"idsync_{calculation}"


class Functions:
    """The functions that one connection knows, and the comparisons that its queries make.

    A comparison is named to SQL by its number, for a list of values may be as long as a file.
    """

    def __init__(self) -> None:
        self._comparers: list[Comparer] = []
        self._numbers: dict[ValueComparison, int] = {}
        self.raised: BaseException | None = None

    def number_of(self, comparison: ValueComparison) -> int:
        """The number by which SQL names a comparison."""
        number = self._numbers.get(comparison)
        if number is None:
            number = self._numbers[comparison] = len(self._comparers)
            self._comparers.append(Comparer(comparison))
        return number

    def add_to(self, connection: sqlite3.Connection) -> None:
        """Make the functions known to a connection."""
        function = connection.create_function
        function("idsync_holds", 2, self._holds, deterministic=True)
        function("idsync_event_attribute", 2, self._event_attribute, deterministic=True)
        function("idsync_time", 1, _time, deterministic=True)
        for calculation in AGGREGATES:
            arguments = 4 if calculation in OCCURRENCES else 1
            made = self._aggregate(calculation)
            connection.create_aggregate(aggregate_of(calculation), arguments, made)

    def _holds(self, value: str | int | None, number: int) -> bool:
        try:
            return self._comparers[number].holds(_value(value))
        except BaseException as error:
            self.raised = error
            raise

    def _event_attribute(self, event: str, name: str) -> str | None:
        try:
            value = event_attribute(value_of(event).get("data") or {}, name)
        except BaseException as error:
            self.raised = error
            raise
        return None if value is ABSENT else json.dumps(value)

    def _aggregate(self, calculation: Calculation) -> Callable[[], Any]:
        functions = self

        class Aggregate:
            """A calculation as SQLite takes it: one value after another, and what it comes to."""

            def __init__(self) -> None:
                self._accumulator = accumulator(calculation)

            def step(self, text: str | None) -> None:
                """Take the value of an event; NULL is none."""
                if text is not None:
                    self._add(text, _value, _SOME_TIME)

            def _add(self, text: str, read: Callable[[str], Any], occurred: Occurred) -> None:
                try:
                    self._accumulator.add(read(text), occurred)
                except BaseException as error:
                    functions.raised = error
                    raise

            def finalize(self) -> str | None:
                """What it comes to."""
                result = self._accumulator.result()
                return None if result is ABSENT else json.dumps(result)

        class Occurrence(Aggregate):
            """A calculation that is told when each event happened; a value stands as it came."""

            def step(  # type: ignore[override]  # SQLite calls it with as many arguments as it has
                self, text: str | None, time_ms: int, seq: int, place: int
            ) -> None:
                """Take the value of an event; NULL is none."""
                if text is not None:
                    self._add(text, value_of, Occurred(time_ms, seq, place))

        return Occurrence if calculation in OCCURRENCES else Aggregate


_created: "WeakKeyDictionary[sqlite3.Connection, Functions]" = WeakKeyDictionary()
"""The functions of each connection: none can be made known anew while a query is under way."""


def functions_of(connection: sqlite3.Connection) -> Functions:
    """The functions that a connection knows, from the first time that it is asked for them."""
    found = _created.get(connection)
    if found is None:
        found = Functions()
        found.add_to(connection)
        _created[connection] = found
    return found


@contextmanager
def answering(connection: sqlite3.Connection) -> Iterator[None]:
    """A query that calls the functions, or takes long: whatever ends it comes out as itself.

    SQLite makes an error of its own of what is raised in a function; and it would finish before
    anybody heard of a Ctrl-C, which then comes at the beginning of whatever Python it calls.
    """
    functions = functions_of(connection)
    functions.raised = None
    connection.set_progress_handler(lambda: 0, _STEPS)
    try:
        yield
    except sqlite3.OperationalError as error:
        if functions.raised is not None:
            raise functions.raised from None
        is_interrupted = error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT
        if is_interrupted or str(error).startswith("user-defined"):
            raise KeyboardInterrupt from None
        raise
    finally:
        connection.set_progress_handler(None, 0)


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
