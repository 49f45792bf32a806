"""Calculations: what is made of the values that an attribute has in events (section 9).

The order in which values come never matters: a sum is exact, and what was first or last goes by
the time of the event, then by the order in which events came. A list counts as each of its values.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from decimal import Context, Decimal
from typing import Any, Final, NamedTuple

from idsync_cli.core.audiences.comparison import ABSENT
from idsync_cli.core.audiences.scalars import (
    alphabetical,
    json_number,
    number_of,
    text_of,
    values_of,
)
from idsync_cli.core.audiences.times import time_text
from idsync_cli.core.codes import Calculation

_EXACT: Final = Context(prec=10_000)
"""Digits enough for the sum of any numbers that are taken for such (`scalars.number_of`)."""

_MEAN: Final = Context(prec=28)
_ONE: Final = Decimal(1)


class Occurred(NamedTuple):
    """When an event happened, and where it stands among those of the same time."""

    time_ms: int
    seq: int
    place: int


class Accumulator(ABC):
    """What a calculation has come to so far."""

    @abstractmethod
    def add(self, value: object, occurred: Occurred, /) -> None:
        """Take the value that an event has; it is there, and None where it is a null."""

    @abstractmethod
    def result(self) -> Any:
        """What it comes to, as a JSON value, or `ABSENT` where there was nothing to go by."""


class Moving(Accumulator):
    """A calculation that values can be taken out of again."""

    @abstractmethod
    def remove(self, value: object, /) -> None:
        """Take out a value that was added."""


class _Count(Moving):
    def __init__(self) -> None:
        self._events = 0

    def add(self, _value: object, _occurred: Occurred, /) -> None:
        self._events += 1

    def remove(self, _value: object, /) -> None:
        self._events -= 1

    def result(self) -> Any:
        return self._events


class _Sum(Accumulator):
    def __init__(self) -> None:
        self._total = Decimal(0)
        self._numbers = 0

    def add(self, value: object, _occurred: Occurred, /) -> None:
        for each in values_of(value):
            number = number_of(each)
            if number is not None:
                self._total = _EXACT.add(self._total, number)
                self._numbers += 1

    def take_out(self, value: object) -> None:
        """Take out the numbers of a value that was added."""
        for each in values_of(value):
            number = number_of(each)
            if number is not None:
                self._total = _EXACT.subtract(self._total, number)
                self._numbers -= 1

    def make_whole(self) -> None:
        """Forget the places behind the point, of which no number is left."""
        self._total = self._total.quantize(_ONE, context=_EXACT)

    def result(self) -> Any:
        return json_number(self._total) if self._numbers else ABSENT


class _Average(_Sum):
    def result(self) -> Any:
        if not self._numbers:
            return ABSENT
        return json_number(_MEAN.divide(self._total, Decimal(self._numbers)))


class _MovingSum(Moving):
    """A sum, or an average, that looks as if what was taken out had never been there."""

    def __init__(self, found: _Sum) -> None:
        self._found = found
        self._fractions = 0

    def add(self, value: object, occurred: Occurred, /) -> None:
        self._found.add(value, occurred)
        self._fractions += _fractions_in(value)

    def remove(self, value: object, /) -> None:
        self._found.take_out(value)
        self._fractions -= _fractions_in(value)
        if not self._fractions:
            self._found.make_whole()

    def result(self) -> Any:
        return self._found.result()


def _fractions_in(value: object) -> int:
    """How many numbers of a value are written with places behind the point."""
    count = 0
    for each in values_of(value):
        number = number_of(each)
        if number is not None:
            exponent = number.as_tuple().exponent
            count += isinstance(exponent, int) and exponent < 0
    return count


class _Extreme(Accumulator):
    """The smallest number or the largest."""

    def __init__(self, largest: bool) -> None:
        self._largest = largest
        self._found: Decimal | None = None

    def add(self, value: object, _occurred: Occurred, /) -> None:
        for each in values_of(value):
            number = number_of(each)
            if number is None:
                continue
            found = self._found
            if found is None or (number > found if self._largest else number < found):
                self._found = number

    def result(self) -> Any:
        if self._found is None:
            return ABSENT
        if self._found == self._found.to_integral_value():
            return int(self._found)  # however each of several that are equal is written
        return json_number(self._found)


class _Occurrence(Accumulator):
    """The value, or the time, of the first event or of the last."""

    def __init__(self, last: bool, timestamp: bool) -> None:
        self._last = last
        self._timestamp = timestamp
        self._found: Occurred | None = None
        self._value: object = None

    def add(self, value: object, occurred: Occurred, /) -> None:
        found = self._found
        if found is None or (occurred > found if self._last else occurred < found):
            self._found = occurred
            self._value = value

    def result(self) -> Any:
        if self._found is None:
            return ABSENT
        return time_text(self._found.time_ms) if self._timestamp else self._value


class _Texts(Moving):
    """How often each text occurred; numbers and booleans as text."""

    def __init__(self) -> None:
        self._times: dict[str, int] = {}

    def add(self, value: object, _occurred: Occurred, /) -> None:
        for each in values_of(value):
            text = text_of(each)
            if text is not None:
                self._times[text] = self._times.get(text, 0) + 1

    def remove(self, value: object, /) -> None:
        for each in values_of(value):
            text = text_of(each)
            if text is not None:
                times = self._times.pop(text) - 1
                if times:
                    self._times[text] = times


class _UniqueList(_Texts):
    def result(self) -> Any:
        return sorted(self._times, key=alphabetical) if self._times else ABSENT


class _UniqueValuesCount(_Texts):
    def result(self) -> Any:
        return len(self._times)


class _MostFrequent(_Texts):
    def result(self) -> Any:
        if not self._times:
            return ABSENT
        most = max(self._times.values())
        return min([text for text, times in self._times.items() if times == most], key=alphabetical)


def accumulator(calculation: Calculation) -> Accumulator:
    """The beginning of a calculation."""
    return _ACCUMULATORS[calculation]()


def moving(calculation: Calculation) -> Moving | None:
    """The beginning of a calculation that values can be taken out of; None where it is none."""
    begin = _MOVING.get(calculation)
    return None if begin is None else begin()


_MOVING: Final[dict[Calculation, Callable[[], Moving]]] = {
    Calculation.COUNT: _Count,
    Calculation.SUM: lambda: _MovingSum(_Sum()),
    Calculation.AVERAGE: lambda: _MovingSum(_Average()),
    Calculation.UNIQUE_LIST: _UniqueList,
    Calculation.UNIQUE_VALUES_COUNT: _UniqueValuesCount,
    Calculation.MOST_FREQUENT: _MostFrequent,
}

_ACCUMULATORS: Final[dict[Calculation, Callable[[], Accumulator]]] = {
    Calculation.COUNT: _Count,
    Calculation.SUM: _Sum,
    Calculation.MIN: lambda: _Extreme(largest=False),
    Calculation.MAX: lambda: _Extreme(largest=True),
    Calculation.AVERAGE: _Average,
    Calculation.FIRST_OCCURRENCE: lambda: _Occurrence(last=False, timestamp=False),
    Calculation.LAST_OCCURRENCE: lambda: _Occurrence(last=True, timestamp=False),
    Calculation.FIRST_OCCURRENCE_TIMESTAMP: lambda: _Occurrence(last=False, timestamp=True),
    Calculation.LAST_OCCURRENCE_TIMESTAMP: lambda: _Occurrence(last=True, timestamp=True),
    Calculation.UNIQUE_LIST: _UniqueList,
    Calculation.UNIQUE_VALUES_COUNT: _UniqueValuesCount,
    Calculation.MOST_FREQUENT: _MostFrequent,
}

NEEDS_NO_ATTRIBUTE: Final = frozenset(
    (
        Calculation.COUNT,
        Calculation.FIRST_OCCURRENCE_TIMESTAMP,
        Calculation.LAST_OCCURRENCE_TIMESTAMP,
    )
)
"""The calculations that can go by the events themselves, without an attribute of theirs."""
