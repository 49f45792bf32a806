"""What requests carry, type by type, and which profiles they are answered with (section 12).

There may be a million values. So of each only numbers are kept, packed, and of the profiles of a
value more than the first only where there are several.
"""

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby, repeat
from typing import NamedTuple

from idsync_cli.core.config.rules import ScopeRules
from idsync_cli.core.identity import Identifier, IdentityType

_NONE = -1

MOST_SHARED = 3
"""How many of the values with the most profiles are told."""


class FileLine(NamedTuple):
    """A line of a file; files are counted from 0."""

    file: int
    line: int


class Spread(NamedTuple):
    """How a count is spread over values, or over profiles."""

    median: int
    p99: int
    most: int


class SharedValue(NamedTuple):
    """A value with several profiles, and in how many requests it came."""

    value: str
    profiles: int
    requests: int


class MeasuredType(NamedTuple):
    """What was measured of one type in one scope.

    `carried` counts the requests that have it, and `values` its different values.
    """

    carried: int
    values: int
    profiles_per_value: Spread | None
    values_per_profile: Spread | None
    most_shared: tuple[SharedValue, ...]


class Values:
    """The values of one type in one scope; each is known by a number from 0."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}
        self.requests = array("L")
        self.profiles = array("L")
        self.carried = 0
        self._first_profile = array("q")
        self._more: dict[int, set[int]] = {}
        self._held = array("q")  # the profile of each pair of a value and a profile
        self._files = array("L")
        self._lines = array("L")

    def add(self, value: str, mpid: int, at: FileLine) -> int:
        """Let a request carry a value, and be answered with a profile; the value's number."""
        self.carried += 1
        number = self.numbers.get(value)
        if number is None:
            number = self.numbers[value] = len(self.numbers)
            self.requests.append(1)
            self.profiles.append(1)
            self._first_profile.append(mpid)
            self._files.append(at.file)
            self._lines.append(at.line)
        else:
            self.requests[number] += 1
            if self._first_profile[number] == mpid:
                return number
            more = self._more.get(number)
            if more is None:
                more = self._more[number] = set()
            if mpid in more:
                return number
            more.add(mpid)
            self.profiles[number] += 1
        self._held.append(mpid)
        return number

    def line_of(self, number: int) -> FileLine:
        """Where a value came first."""
        return FileLine(self._files[number], self._lines[number])

    def profiles_of(self, numbers: Iterable[int]) -> int:
        """How many profiles some values have together."""
        found: set[int] = set()
        for number in numbers:
            found.add(self._first_profile[number])
            found |= self._more.get(number, set())
        return len(found)

    @property
    def shared(self) -> list[int]:
        """The values with several profiles."""
        return [number for number, profiles in enumerate(self.profiles) if profiles > 1]

    @property
    def shared_share(self) -> float:
        """The share of values that have several profiles."""
        return len(self._more) / len(self.numbers) if self.numbers else 0.0

    def measured(self) -> MeasuredType:
        """What there is to say of them all."""
        return MeasuredType(
            self.carried,
            len(self.numbers),
            _spread(self.profiles),
            _spread(sum(1 for _ in each) for _, each in groupby(sorted(self._held))),
            tuple(self._most_shared()),
        )

    def _most_shared(self) -> list[SharedValue]:
        """The values with the most profiles, of those that have several."""
        first = sorted(self.shared, key=lambda number: (-self.profiles[number], number))
        named = dict.fromkeys(first[:MOST_SHARED], "")
        for value, number in self.numbers.items() if named else ():
            if number in named:
                named[number] = value
        return [
            SharedValue(value, self.profiles[number], self.requests[number])
            for number, value in named.items()
        ]


def _spread(counts: Iterable[int]) -> Spread | None:
    """The median and the 99th percentile by nearest rank, and the highest; None of no counts."""
    of = sorted(Counter(counts).items())
    total = sum(number for _, number in of)
    if not total:
        return None
    return Spread(_at(of, (total + 1) // 2), _at(of, -(-total * 99 // 100)), of[-1][0])


def _at(counted: Sequence[tuple[int, int]], rank: int) -> int:
    seen = 0
    for count, number in counted:
        seen += number
        if seen >= rank:
            return count
    return counted[-1][0]


class ScopeMeasures:
    """What the requests of one scope carry; `answered` of them had a profile for an answer."""

    def __init__(self, rules: ScopeRules) -> None:
        self.rules = rules
        self.answered = 0
        self.types: dict[IdentityType, Values] = {}
        self.ways: dict[int, int] = {}
        self.shared_logins: dict[IdentityType, set[int]] = {}
        self._higher: dict[tuple[IdentityType, IdentityType], array[int]] = {}

    def add(
        self, identifiers: Iterable[Identifier], mpid: int, at: FileLine, way: int | None = None
    ) -> None:
        """Take a request that was answered with a profile, in a certain way.

        The identifiers are those that guard rails leave.
        """
        self.answered += 1
        if way is not None:
            self.ways[way] = self.ways.get(way, 0) + 1
        logins: list[tuple[IdentityType, int]] = []
        kinds: set[IdentityType] = set()
        for identifier in identifiers:
            kind = identifier.type
            values = self.types.get(kind)
            if values is None:
                values = self.types[kind] = Values()
            number = values.add(identifier.value, mpid, at)
            if kind in kinds:
                values.carried -= 1  # a request carries a type once
            kinds.add(kind)
            if kind in self.rules.login_types:
                logins.append((kind, number))
        if len(logins) > 1:
            self._see_logins(logins)

    def measured(self) -> dict[IdentityType, MeasuredType]:
        """What there is to say of each type, in priority order."""
        return {kind: self.types[kind].measured() for kind in self.rules.in_order(self.types)}

    def _see_logins(self, logins: Sequence[tuple[IdentityType, int]]) -> None:
        """See which values of a higher login type come with a value of a lower one."""
        rank = self.rules.login_types.index
        for kind, number in logins:
            for higher, its_number in logins:
                if rank(higher) < rank(kind):
                    firsts = self._higher.setdefault((kind, higher), array("q"))
                    firsts.extend(repeat(_NONE, number + 1 - len(firsts)))
                    if firsts[number] == _NONE:
                        firsts[number] = its_number
                    elif firsts[number] != its_number:
                        self.shared_logins.setdefault(kind, set()).add(number)


def left_of(identifiers: Iterable[Identifier], rules: ScopeRules) -> Iterator[Identifier]:
    """Identifiers in their normal form, without those that are blocked or come to nothing."""
    rails = rules.guard_rails
    for identifier in identifiers:
        if rails.blocks(identifier):
            continue
        normal = rails.normal_form(identifier)
        if normal == identifier.value:
            yield identifier
        elif normal:
            yield Identifier(identifier.type, normal)


Measures = Mapping[str, ScopeMeasures]
"""The measures of each scope."""
