"""What a JSON value is to a condition: a number, a text, a time, or several values (section 9)."""

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

from idsync_cli.core.audiences.times import time_of
from idsync_cli.core.data.values import FIRST_TIME_MS, LAST_TIME_MS

_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,6})?")
_STARTS_NUMBER: Final = frozenset("-0123456789")
_LARGEST_FLOAT: Final = Decimal("1.7976931348623157e308")
_ZERO: Final = Decimal(0)
_LARGEST: Final = 400
"""Ten to the power of this is more than any number that JSON readers hold; beyond it is text.

The first digit of a number stands for so many powers of ten at most, up or down.
"""


def number_of(value: object) -> Decimal | None:
    """The number that a JSON value is, or that a text is where JSON would read it as one.

    It is the decimal number that is written, so that sums of amounts are exact; who has read one of
    at most 15 digits by itself may give it. A boolean is none.
    """
    if isinstance(value, str):
        if value[:1] not in _STARTS_NUMBER or _NUMBER.fullmatch(value) is None:
            return None
        number = Decimal(value)
    elif isinstance(value, Decimal):
        return value
    elif isinstance(value, bool):
        return None
    elif isinstance(value, int):
        number = Decimal(value)
    elif isinstance(value, float):
        number = Decimal(repr(value))
    else:
        return None
    if not number:
        return _ZERO
    return number if -_LARGEST <= number.adjusted() <= _LARGEST else None


def text_of(value: object) -> str | None:
    """A text, number or boolean as text; a whole number has no point. None for all else."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(Decimal(value))  # str(int) refuses more than 4,300 digits
    if isinstance(value, Decimal):
        value = float(value)
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    return None


def moment_of(value: object) -> int | None:
    """The time that a value names, in milliseconds since 1970; None where it names none.

    It is a text as ISO 8601 has it, or milliseconds, of 2000 to 2099 as everywhere (section 9).
    """
    if isinstance(value, str):
        time = time_of(value)
        if time is not None:
            return time
    number = number_of(value)
    if number is not None and FIRST_TIME_MS <= number <= LAST_TIME_MS:
        return int(number)
    return None


def values_of(value: object) -> Sequence[Any]:
    """The values that a value stands for: those of a list, or itself."""
    return value if isinstance(value, list) else (value,)


def json_number(number: Decimal) -> int | float:
    """A number as JSON holds it: a whole one as such, else the nearest that 64 bits hold.

    A whole number with a point or an exponent stays one up to 15 digits, which 64 bits hold, too.
    """
    if number == number.to_integral_value():
        is_written_whole = number.as_tuple().exponent == 0
        if is_written_whole or number.adjusted() < 15 or abs(number) > _LARGEST_FLOAT:
            return int(number)
    return float(number) or 0.0  # what is too small to hold is no -0.0


def alphabetical(text: str) -> tuple[str, str]:
    """What texts are put into alphabetical order by: without case first."""
    return text.casefold(), text
