"""Values of a type that are one but for how they are written (section 12)."""

from array import array
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from unicodedata import normalize

from idsync_cli.core.config.rules import OTHERS_MAY_KNOW
from idsync_cli.core.identity import IdentityType
from idsync_cli.foresight.linting.measures import Values

PHONES = tuple(kind for kind in OTHERS_MAY_KNOW if kind is not IdentityType.EMAIL)


def without_format(kind: IdentityType) -> Callable[[str], str]:
    """What levels values of a type that differ in format alone."""
    return _digits if kind in PHONES else _without_spaces


def _digits(value: str) -> str:
    """The digits of a telephone number; what has none stays as it is."""
    return "".join(filter(str.isdecimal, normalize("NFKC", value))) or _without_spaces(value)


def _without_spaces(value: str) -> str:
    return "".join(normalize("NFC", value).split())


def groups(values: Values, levelled: Callable[[str], str]) -> list[int]:
    """The values of which several are one, once they are levelled."""
    hashes = array("q", map(hash, map(levelled, values.numbers)))
    twice = {first for first, second in pairwise(sorted(hashes)) if first == second}
    if not twice:
        return []
    alike = {
        number: levelled(value)
        for (value, number), each in zip(values.numbers.items(), hashes, strict=True)
        if each in twice
    }
    times = Counter(alike.values())
    return [number for number, form in alike.items() if times[form] > 1]
