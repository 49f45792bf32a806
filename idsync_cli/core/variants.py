"""Values that a search may have meant: they differ from the given one only in how they are written.

A variant differs in the case of letters, in spaces, in its Unicode form or in the punctuation of a
telephone number. A bounded number of likely ones is made, for each of them costs a look-up.
"""

from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from itertools import combinations, islice
from typing import Final
from unicodedata import normalize

from idsync_cli.core.identity import MAX_VALUE_LENGTH, Identifier, IdentityType

MOST_VARIANTS: Final = 200
"""How many variants of a value are looked for at most."""

_PHONES: Final = (
    IdentityType.MOBILE_NUMBER,
    IdentityType.PHONE_NUMBER_2,
    IdentityType.PHONE_NUMBER_3,
)
_GROUPINGS: Final = (
    (3, 3, 4), (3, 3, 3), (3, 4), (1, 2, 2, 2, 2), (2, 2, 2, 2, 2), (2, 2, 2, 2), (3, 8), (3, 7),
    (4, 7), (4, 8), (5, 6), (4, 6), (4, 4), (2, 3, 4), (3, 4, 4), (2, 4, 4), (4, 3, 3), (5, 3, 3),
    (3, 4, 3), (4, 3, 4), (3, 3, 2, 2), (3, 2, 2), (3, 6), (5, 5), (2, 7), (2, 8),
    (3, 3, 3, 2), (4, 2, 2, 2),
)  # fmt: skip
"""How the digits of a telephone number behind its country's are grouped, by what people write."""

_LIKELY: Final = 2
"""Of so many groupings all ways of writing them are tried, of the others some."""

_OF_TWO_DIGITS: Final = frozenset(
    map(
        str,
        (
            20, 27, *range(30, 35), 36, 39, 40, 41, *range(43, 50), *range(51, 59), *range(60, 67),
            81, 82, 84, 86, *range(90, 96), 98,
        ),
    )
)  # fmt: skip
"""The numbers of countries that have two digits; those with 1 or 7 have one, all others three."""


class Difference(StrEnum):
    """How two values differ that are nearly the same."""

    CASE = "letter case"
    SPACES = "spaces"
    UNICODE = "Unicode form"
    PUNCTUATION = "punctuation"


_LEVELLED: Final[dict[Difference, Callable[[str], str]]] = {
    Difference.UNICODE: lambda value: normalize("NFKC", value),
    Difference.CASE: str.casefold,
    Difference.SPACES: lambda value: "".join(filter(_is_seen, value)),
    Difference.PUNCTUATION: lambda value: "".join(filter(str.isalnum, value)),
}


def _is_seen(character: str) -> bool:
    return character.isprintable() and not character.isspace()


def variants_of(identifier: Identifier) -> list[str]:
    """Other values that may be meant, those with the fewest differences first."""
    value = identifier.value
    found = _phones(value) if identifier.type in _PHONES else _texts(value)
    others = (each for each in found if each != value and 0 < len(each) <= MAX_VALUE_LENGTH)
    return list(islice(dict.fromkeys(others), MOST_VARIANTS))


def differences(one: str, other: str) -> tuple[Difference, ...]:
    """In what two values differ: as few ways as tell it; none where they differ in more."""
    for number in range(1, len(_LEVELLED) + 1):
        for names in combinations(_LEVELLED, number):
            level = [_LEVELLED[name] for name in names]
            if _all(level, one) == _all(level, other):
                return names
    return ()


def _all(level: Iterable[Callable[[str], str]], value: str) -> str:
    for each in level:
        value = each(value)
    return value


def _texts(value: str) -> Iterator[str]:
    """A value in other cases, with other spaces, in other forms; then in several of them."""
    yield from _cases(value)
    yield from _spaces(value)
    forms = [normalize(form, value) for form in ("NFC", "NFD", "NFKC", "NFKD")]
    yield from forms
    for form in dict.fromkeys((value, *forms)):
        for spaced in (form, *_spaces(form)):
            yield from _cases(spaced)


def _cases(value: str) -> Iterator[str]:
    yield value.lower()
    yield value.upper()
    yield value[:1].upper() + value[1:]
    yield value.capitalize()
    yield value.title()
    name, at, host = value.rpartition("@")
    if at:  # many write the case of a host as it comes, and mean the same
        for each in (name, name.lower(), name.capitalize(), name.title(), name.upper()):
            for its_host in (host.lower(), host.capitalize(), host.title(), host):
                yield f"{each}@{its_host}"


def _spaces(value: str) -> Iterator[str]:
    yield value.strip()
    yield f"{value} "
    yield f" {value}"
    yield " ".join(value.split())
    yield "".join(value.split())
    yield value.replace(" ", "\u00a0")
    for end in ("\n", "\r", "\t", "\u00a0", "\u200b"):
        yield value + end
        yield value.rstrip(end)


def _phones(value: str) -> Iterator[str]:
    """A telephone number with the same digits; then a value as any other.

    It is read with a country's number, unless it begins with a zero, and without.
    """
    digits = "".join(filter(str.isdecimal, normalize("NFKC", value)))
    if not digits:
        yield from _texts(value)
        return
    yield from (f"+{digits}", digits, *_spaces(value))
    abroad = [] if digits.startswith("0") else [*_from_abroad(digits)]
    at_home = [] if value.strip().startswith("+") else [*_at_home(digits)]
    for place in range(max(map(len, (abroad, at_home)))):
        for forms in (abroad, at_home):
            yield from forms[place : place + 1]


def _from_abroad(digits: str) -> Iterator[str]:
    """A number with that of its country before it; likely groups in all ways, others in some."""
    length = 1 if digits[0] in "17" else 2 if digits[:2] in _OF_TWO_DIGITS else 3
    country, rest = digits[:length], digits[length:]
    if not rest:
        return
    for mark in (" ", "-", "."):
        yield from (f"+{country}{mark}{rest}", f"{country}{mark}{rest}")
    for number, groups in enumerate(_groups(rest)):
        for before in (f"+{country}", country)[: 2 if number < _LIKELY else 1]:
            yield from (f"{before} {each}" for each in _written(groups))
            yield from (f"{before}{mark}{mark.join(groups)}" for mark in ("-", ".", "/"))
            if number < _LIKELY:
                first, others = groups[0], groups[1:]
                yield f"{before}({first}){'-'.join(others)}"
                yield f"{before}-({first})-{'-'.join(others)}"
                yield f"({before}) {'-'.join(groups)}"


def _at_home(digits: str) -> Iterator[str]:
    for groups in _groups(digits):
        yield from _written(groups)


def _groups(digits: str) -> Iterator[list[str]]:
    for lengths in _GROUPINGS:
        if sum(lengths) == len(digits):
            begin, groups = 0, []
            for length in lengths:
                groups.append(digits[begin : begin + length])
                begin += length
            yield groups


def _written(groups: list[str]) -> Iterator[str]:
    first, *others = groups
    for mark in ("-", " ", "."):
        yield mark.join(groups)
    for mark in ("-", " ", "."):
        yield f"({first}) {mark.join(others)}"
    yield f"({first}){'-'.join(others)}"
    yield f"({first})-{'-'.join(others)}"
    yield f"{first}/{'-'.join(others)}"
