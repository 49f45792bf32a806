"""How else a telephone number is written: the same digits, and what people put between them.

Groups are the same for all countries: few people write theirs as their own country recommends.
"""

from collections.abc import Iterable, Iterator
from itertools import chain, zip_longest
from re import compile as pattern
from typing import Final, NamedTuple
from unicodedata import normalize

FEWEST_DIGITS: Final = 7
MOST_DIGITS: Final = 15
"""How many digits a number has whose parts are guessed at."""

_TWO_TO_FOUR: Final = (4, 3, 2)
_LIKELY: Final = ((3, 3, 4), (3, 4), (2, 2, 2, 2, 2), (1, 2, 2, 2, 2), (4, 3, 3), (2, 5, 4))
_COMMON: Final = 40
"""How many ways of writing are also looked for with the marks of other programs."""

_ODD: Final = pattern(r"^00|[(./]")
_TRUNK: Final = pattern(r"\(\s*0\s*\)")
"""The zero that is dialled only at home, as many write it behind the number of their country."""

_ABROAD: Final = "00"
"""What is dialled in most countries for the plus."""

_MARKS: Final = ("-", " ", ".")
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


class _Number(NamedTuple):
    """The digits of a number behind its country's; which is "" where it is written as at home."""

    country: str
    rest: str


def digits_of(value: str) -> str:
    """The digits of a value, as they are dialled from abroad where it says how.

    `00` before a number means the plus, and a zero between brackets is not dialled.
    """
    return _dialled(value)[0]


def _dialled(value: str) -> tuple[str, bool]:
    """The digits, and whether those of the country are surely among them."""
    text = normalize("NFKC", value)
    digits = "".join(filter(str.isdecimal, text))
    before = text.partition(digits[0])[0] if digits else text
    has_plus, has_zeros = "+" in before, digits.startswith(_ABROAD)
    if len(digits) < FEWEST_DIGITS or not (has_plus or has_zeros):
        return digits, has_plus
    trunk = _TRUNK.search(text)
    if trunk is not None and trunk.start() > len(before):
        text = text[: trunk.start()] + text[trunk.end() :]
        digits = "".join(filter(str.isdecimal, text))
    return digits[len(_ABROAD) :] if has_zeros else digits, True


def written(value: str) -> Iterator[str]:
    """Other ways of writing a number, which has digits; more likely ones first."""
    digits, is_abroad = _dialled(value)
    yield from (f"+{digits}", digits)
    if not FEWEST_DIGITS <= len(digits) <= MOST_DIGITS:
        return
    if is_abroad:
        yield _ABROAD + digits
    readings = [] if digits.startswith("0") else [_from_abroad(_read(digits))]
    readings += [] if is_abroad else [_at_home(digits)]
    common = list(_in_turn(likely for likely, _ in readings))
    yield from common
    plain = [each for each in common if not _ODD.search(each)]
    yield from _marked((f"+{digits}", digits, *plain[:_COMMON]))
    yield from _in_turn(others for _, others in readings)


def _marked(forms: Iterable[str]) -> Iterator[str]:
    """The same with what other programs put in: marks that are not seen, longer hyphens."""
    for form in forms:
        yield from (f"\u202a{form}\u202c", f"\u200e{form}", f"tel:{form}")
        if " " in form:
            yield form.replace(" ", "\u00a0")
        if "-" in form:
            yield form.replace("-", "\u2011")
            yield form.replace("-", "\u2013")


def _in_turn(several: Iterable[Iterable[str]]) -> Iterator[str]:
    turns = zip_longest(*several)
    return (each for each in chain.from_iterable(turns) if each is not None)


def _read(digits: str) -> _Number:
    length = 1 if digits[0] in "17" else 2 if digits[:2] in _OF_TWO_DIGITS else 3
    return _Number(digits[:length], digits[length:])


def _from_abroad(number: _Number) -> tuple[Iterable[str], Iterable[str]]:
    """With the country's number before it: the likely ways, then the others."""
    country, rest = number
    befores = (f"+{country}", country, f"{_ABROAD}{country}")
    likely: list[str] = [
        f"{before}{mark}{rest}" for before in befores for mark in ("", *_MARKS) if before + mark
    ]
    likely += [f"+{country} (0){rest}", f"+{country} (0) {rest}", f"+{country}(0){rest}"]
    others: list[str] = []
    for groups in _groupings(rest):
        is_likely = tuple(map(len, groups)) in _LIKELY or len(groups) == 2
        into = likely if is_likely else others
        first, behind = groups[0], groups[1:]
        for before in befores if is_likely else befores[:1]:
            into += (f"{before} {each}" for each in _ways(groups))
            into += (f"{before}{mark}{mark.join(groups)}" for mark in ("-", ".", "/"))
        if is_likely:
            into += (f"({before}) {mark.join(groups)}" for before in befores for mark in "- ")
            into.append(f"+{country}({first}){'-'.join(behind)}")
            into.append(f"+{country}-({first})-{'-'.join(behind)}")
        for mark in "- ":
            into.append(f"+{country} (0){mark.join(groups)}")
            into.append(f"+{country} (0) {mark.join(groups)}")
    return likely, others


def _at_home(digits: str) -> tuple[Iterable[str], Iterable[str]]:
    likely: list[str] = []
    others: list[str] = []
    for groups in _groupings(digits):
        is_likely = tuple(map(len, groups)) in _LIKELY or len(groups) == 2
        (likely if is_likely else others).extend(_ways(groups))
    return likely, others


def _groupings(digits: str) -> Iterator[list[str]]:
    """The digits in groups of two to four, with a longer or shorter one at the begin or end."""
    for lengths in sorted(
        dict.fromkeys(_lengths(len(digits))), key=lambda each: (each not in _LIKELY, len(each))
    ):
        begin = 0
        groups: list[str] = []
        for length in lengths:
            groups.append(digits[begin : begin + length])
            begin += length
        yield groups


def _lengths(total: int) -> Iterator[tuple[int, ...]]:
    yield from (each for each in _LIKELY if sum(each) == total)
    for first in range(1, total - 1):
        yield (first, total - first)
    for first in (1, 2, 3, 4, 5):
        for rest in _parts(total - first):
            yield (first, *rest)


def _parts(total: int) -> Iterator[tuple[int, ...]]:
    if total == 0:
        yield ()
    for part in _TWO_TO_FOUR:
        if part <= total:
            for rest in _parts(total - part):
                yield (part, *rest)


def _ways(groups: list[str]) -> Iterator[str]:
    """The groups with marks between them; the first perhaps between brackets."""
    first, *behind = groups
    for mark in _MARKS:
        yield mark.join(groups)
    for mark in _MARKS:
        yield f"({first}) {mark.join(behind)}"
        if len(behind) > 1:
            yield f"{first}{'/' if mark == '-' else ' / '}{mark.join(behind)}"
    if len(behind) > 1:
        yield f"{first} {'-'.join(behind)}"
    yield f"({first}){'-'.join(behind)}"
    yield f"({first})-{'-'.join(behind)}"
    yield f"{first}/{'-'.join(behind)}"
    yield f"{first} / {' '.join(behind)}"
