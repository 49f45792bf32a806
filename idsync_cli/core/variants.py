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
from idsync_cli.core.telephone import digits_of, written

MOST_VARIANTS: Final = 1000
"""How many variants of a value are looked for at most."""

_PHONES: Final = (
    IdentityType.MOBILE_NUMBER,
    IdentityType.PHONE_NUMBER_2,
    IdentityType.PHONE_NUMBER_3,
)

_LONGEST_NAME: Final = 40


class ValueDifference(StrEnum):
    """How two values differ that are nearly the same."""

    CASE = "letter case"
    SPACES = "spaces"
    UNICODE = "Unicode form"
    PUNCTUATION = "punctuation"


_LEVELLED: Final[dict[ValueDifference, Callable[[str], str]]] = {
    ValueDifference.UNICODE: lambda value: normalize("NFKC", value),
    ValueDifference.CASE: str.casefold,
    ValueDifference.SPACES: lambda value: "".join(filter(_is_seen, value)),
    ValueDifference.PUNCTUATION: lambda value: "".join(filter(str.isalnum, value)),
}


def _is_seen(character: str) -> bool:
    return character.isprintable() and not character.isspace()


def variants_of(identifier: Identifier) -> list[str]:
    """Other values that may be meant, those with the fewest differences first."""
    value = identifier.value
    found = _phones(value) if identifier.type in _PHONES else _texts(value)
    others = (each for each in found if each != value and 0 < len(each) <= MAX_VALUE_LENGTH)
    return list(islice(dict.fromkeys(others), MOST_VARIANTS))


def differences(kind: IdentityType, one: str, other: str) -> tuple[ValueDifference, ...]:
    """In what two values of a type differ: as few ways as tell it; none where in more."""
    for number in range(1, len(_LEVELLED) + 1):
        for names in combinations(_LEVELLED, number):
            level = [_LEVELLED[name] for name in names]
            if _all(level, one) == _all(level, other):
                return names
    is_same_number = kind in _PHONES and digits_of(one) == digits_of(other)
    return (ValueDifference.PUNCTUATION,) if is_same_number else ()


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
            for its_host in (host.lower(), host.capitalize(), host.title(), host.upper(), host):
                yield f"{each}@{its_host}"
        yield from (f"{each}@{host}" for each in _of_two_words(name))


def _of_two_words(name: str) -> Iterator[str]:
    """A name with two capital letters in it, as of somebody's first and last name."""
    lower = name[:_LONGEST_NAME].lower()
    for end in range(1, len(lower)):
        if lower[end].isalpha():
            yield name[:1].upper() + name[1:end].lower() + name[end:].capitalize()


def _spaces(value: str) -> Iterator[str]:
    yield value.strip()
    yield f"{value} "
    yield f" {value}"
    yield " ".join(value.split())
    yield "".join(value.split())
    yield value.replace(" ", "\u00a0")
    for end in ("\n", "\r", "\t", "\u00a0", "\u200b", "\ufeff"):
        yield value + end
        yield end + value
        yield value.rstrip(end)


def _phones(value: str) -> Iterator[str]:
    """A telephone number with the same digits; without any, a value as any other."""
    if not digits_of(value):
        yield from _texts(value)
        return
    yield from _spaces(value)
    yield from written(value)
