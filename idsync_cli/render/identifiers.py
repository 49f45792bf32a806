"""Identifiers in lists: every value in a way of its own, and a long push token on one line."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

from idsync_cli.core.erasure import ERASED_VALUE
from idsync_cli.core.identity import Identifier, IdentityType
from idsync_cli.visible import visible

LONGEST_TOKEN: Final = 32
"""How many characters of a push token a list shows: most have hundreds, which nobody reads."""

_HEAD: Final = 10
_TAIL: Final = 6


ERASED: Final = "(erased)"
"""Stands for a value that was erased: between parentheses, which no value needs."""


def value_of(identifier: Identifier) -> str:
    """The value of an identifier, which may have been erased."""
    return ERASED if identifier.value == ERASED_VALUE else visible(identifier.value)


def in_a_list(identifier: Identifier) -> str:
    """A value as a list shows it: of a long push token its beginning and its end."""
    value = identifier.value
    if identifier.type is not IdentityType.PUSH_TOKEN or len(value) <= LONGEST_TOKEN:
        return value_of(identifier)
    return f"{visible(value[:_HEAD])}…{visible(value[-_TAIL:])}"


def in_one_list(identifiers: Iterable[Identifier]) -> Mapping[Identifier, str]:
    """Values as one list shows them; tokens that would look alike in it are numbered."""
    shown = {each: in_a_list(each) for each in identifiers}
    times = Counter((each.type, value) for each, value in shown.items())
    seen = Counter[str]()
    for each, value in shown.items():
        if times[each.type, value] > 1:
            seen[value] += 1
            shown[each] = f"{value} ({seen[value]})"
    return shown
