"""The built-in list of values that stand for nobody (section 11).

Every value of every request may be compared with it, so that most are let go by a glance.
"""

from typing import Final

from idsync_cli.core.identity import TYPES_BY_NAME

PLACEHOLDERS: Final = "placeholders"
"""The word that stands for the list where values are blocked."""

WORDS: Final = frozenset(
    [
        *("null", "nil", "none", "undefined", "nan", "n/a", "unknown", "anonymous", "guest"),
        *("true", "false", "-1", "[object object]", "anonymousid", "distinct_id", "user_id"),
        *TYPES_BY_NAME,
    ]
)
"""Those of the list that are words, in lower case."""

LONGEST: Final = max(map(len, WORDS))
_MANY: Final = 8
_QUOTES: Final = "'\""


def is_placeholder(value: str) -> bool:
    """Whether a value is on the list, in any case, as it is or between quotes."""
    if not value:
        return False
    first = value[0]
    if "a" <= first <= "z" or "A" <= first <= "Z":
        return _is_word(value)
    if "0" <= first <= "9":
        return _is_nothing_but(value, first)
    if first in _QUOTES:
        return len(value) > 2 and value[-1] == first and _is_listed(value[1:-1])
    return _is_listed(value)


def _is_listed(value: str) -> bool:
    """The same without a glance at the first character, and without quotes."""
    if not value.strip("0-") or _is_word(value):
        return True
    digits = [each for each in value if "0" <= each <= "9"]
    return len(digits) >= _MANY and _is_nothing_but(value, digits[0])


def _is_word(value: str) -> bool:
    return len(value) <= LONGEST and value.lower() in WORDS and value.isascii()


def _is_nothing_but(value: str, digit: str) -> bool:
    """Whether it is zeros and dashes, or eight or more of a digit in any grouping."""
    if value.count(digit) < _MANY:
        return digit == "0" and not value.strip("0-")
    rest = value.replace(digit, "")
    return rest.isascii() and not any(each.isalnum() for each in rest)
