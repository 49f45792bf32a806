"""How a condition compares a value (section 9): every operator, in one place.

A store that answers by SQL calls these very functions, so that both ways agree.
"""

from typing import Final

from idsync_cli.core.audiences.scalars import moment_of, number_of, text_of
from idsync_cli.core.codes import Operator
from idsync_cli.core.config.definitions import ValueComparison


class Absent:
    """What a profile or an event has of an attribute that it does not have."""

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = Absent()
"""The value of an attribute that is not there; None is that of a tag, which is."""

NEGATIVE: Final = {
    Operator.NOT_EXISTS: Operator.EXISTS,
    Operator.NOT_EQUALS: Operator.EQUALS,
    Operator.NOT_CONTAINS: Operator.CONTAINS,
}
"""The operators that deny another one, of each value."""

COMPARES_NUMBERS: Final = frozenset(
    (Operator.GREATER_THAN, Operator.GREATER_OR_EQUAL, Operator.LESS_THAN, Operator.LESS_OR_EQUAL)
)
"""The operators that compare numbers, and nothing else."""

COMPARES_TIMES: Final = frozenset((Operator.BEFORE, Operator.AFTER))
"""The operators that compare times, and nothing else."""

COMPARES_TEXTS: Final = frozenset(
    (
        Operator.EXISTS, Operator.NOT_EXISTS, Operator.EQUALS, Operator.NOT_EQUALS,
        Operator.CONTAINS, Operator.NOT_CONTAINS, Operator.IN_LIST,
    )
)  # fmt: skip
"""The operators that compare texts, and so the identifiers of a profile, too."""


class Comparer:
    """A comparison, ready to be made many times."""

    def __init__(self, comparison: ValueComparison) -> None:
        operator = comparison.operator
        self._asks_existence = operator in (Operator.EXISTS, Operator.NOT_EXISTS)
        self._is_negative = operator in NEGATIVE
        self._operator = NEGATIVE.get(operator, operator)
        self._texts = [each.casefold() for each in comparison.values]
        self._numbers = [number_of(each) for each in comparison.values]
        self._moments = [moment_of(each) for each in comparison.values]
        self._text_set = frozenset(self._texts)
        self._number_set = frozenset(each for each in self._numbers if each is not None)

    def holds(self, value: object) -> bool:
        """Whether it holds of a JSON value, or of `ABSENT`.

        A list fulfils it if one of its values does; a tag, which is None, exists and equals
        nothing. Of what is not there nothing holds but `not_exists`.
        """
        if self._asks_existence:
            return (value is ABSENT) == self._is_negative
        if value is ABSENT:
            return False
        if isinstance(value, list):
            return any(self._is_fulfilled(each) != self._is_negative for each in value)
        return self._is_fulfilled(value) != self._is_negative

    def _is_fulfilled(self, value: object) -> bool:
        """Whether one value is as the operator asks, which denies nothing here."""
        operator = self._operator
        if operator is Operator.EQUALS or operator is Operator.IN_LIST:
            return self._equals_any(value)
        if operator is Operator.CONTAINS:
            text = text_of(value)
            return text is not None and self._texts[0] in text.casefold()
        if operator in COMPARES_NUMBERS:
            return self._compares_as(operator, value)
        if operator is Operator.BETWEEN:
            return self._is_between(value)
        moment, bound = moment_of(value), self._moments[0]
        if moment is None or bound is None:
            return False
        return moment < bound if operator is Operator.BEFORE else moment >= bound

    def _equals_any(self, value: object) -> bool:
        number = number_of(value)
        if number is not None and number in self._number_set:
            return True
        text = text_of(value)
        return text is not None and text.casefold() in self._text_set

    def _compares_as(self, operator: Operator, value: object) -> bool:
        number, bound = number_of(value), self._numbers[0]
        if number is None or bound is None:
            return False
        if operator is Operator.GREATER_THAN:
            return number > bound
        if operator is Operator.GREATER_OR_EQUAL:
            return number >= bound
        if operator is Operator.LESS_THAN:
            return number < bound
        return number <= bound

    def _is_between(self, value: object) -> bool:
        """Between two numbers, or else between two times; both ends belong to it."""
        first, last = self._numbers
        if first is not None and last is not None:
            number = number_of(value)
            return number is not None and first <= number <= last
        begin, end = self._moments
        moment = moment_of(value)
        if moment is None or begin is None or end is None:
            return False
        return begin <= moment <= end


class ExactComparer:
    """A comparison of identifiers, which are the same text or not (section 1)."""

    def __init__(self, comparison: ValueComparison) -> None:
        operator = comparison.operator
        self._is_negative = operator in NEGATIVE
        self._operator = NEGATIVE.get(operator, operator)
        self._values = comparison.values

    def holds(self, values: "list[str]") -> bool:
        """Whether it holds of one of the values that a profile holds of a type."""
        if self._operator is Operator.EXISTS:
            return (not values) == self._is_negative
        return any((self._is_fulfilled(each) != self._is_negative) for each in values)

    def _is_fulfilled(self, value: str) -> bool:
        if self._operator is Operator.CONTAINS:
            return self._values[0] in value
        return value in self._values
