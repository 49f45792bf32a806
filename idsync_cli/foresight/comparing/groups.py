"""Which lines go to one profile on one side, and to several on the other: exact counts.

A group is the set of lines that are answered with one profile. Most groups have one counterpart, so
only the others that a group meets are kept one by one.
"""

from array import array
from enum import StrEnum
from typing import NamedTuple

from idsync_cli.foresight.comparing.sides import LineResult, Side

NEVER = -1
"""Stands for a line that does not come."""


class Parting(StrEnum):
    """How a group parts: a group of A is split by B, or B merges several groups of A."""

    SPLIT = "split"
    MERGED = "merged"


class ProfileGroup(NamedTuple):
    """A group that the other side answers with several profiles.

    `first` is its first line, and `parted_at` the first that the other side answers with another
    profile than an earlier one; lines are counted from 0 over all files.
    """

    part: Parting
    mpid: int
    lines: int
    first: int
    parted_at: int


class Two(NamedTuple):
    """A number for A alone, and one for B alone."""

    only_a: int
    only_b: int


class PairCounts(NamedTuple):
    """Pairs of lines in one group: on both sides, on A's alone, on B's alone."""

    both: int
    only_a: int
    only_b: int


class Grouped(NamedTuple):
    """What two sides come to, line by line.

    `elsewhere` are lines of scopes that only one side has, `unrecorded` those of which nobody
    recorded what was answered. `first` is the first line that differs,
    or NEVER, and `differing` are all of them.
    """

    compared: int
    elsewhere: int
    unrecorded: int
    refused: Two
    found: Two
    pairs: PairCounts
    split: tuple[ProfileGroup, ...]
    merged: tuple[ProfileGroup, ...]
    first: int
    differing: "array[int]"


class _Groups:
    """The groups of one side; each is known by a number from 0."""

    __slots__ = ("at_first_partner", "first", "lines", "numbers", "others", "parted_at", "partner")

    def __init__(self) -> None:
        self.numbers: dict[int, int] = {}
        self.lines = array("L")
        self.first = array("L")
        self.partner = array("L")
        self.parted_at = array("q")
        self.at_first_partner = array("L")

    def number_of(self, mpid: int, line: int) -> int:
        number = self.numbers.get(mpid)
        if number is None:
            number = self.numbers[mpid] = len(self.numbers)
            self.lines.append(0)
            self.first.append(line)
            self.partner.append(0)
            self.parted_at.append(NEVER)
            self.at_first_partner.append(0)
        return number

    def meets(self, number: int, other: int, line: int) -> bool:
        """Let a group have one more line, in a group of the other side; whether that is its first.

        The first group that it meets is the one of its first line.
        """
        if not self.lines[number]:
            self.partner[number] = other
        self.lines[number] += 1
        if self.partner[number] == other:
            self.at_first_partner[number] += 1
            return True
        if self.parted_at[number] == NEVER:
            self.parted_at[number] = line
        return False

    def pairs(self) -> int:
        return sum(_pairs_of(each) for each in self.lines)

    def parted(self, part: Parting) -> tuple[ProfileGroup, ...]:
        mpids = list(self.numbers) if any(each != NEVER for each in self.parted_at) else []
        return tuple(
            ProfileGroup(part, mpids[number], self.lines[number], self.first[number], at)
            for number, at in enumerate(self.parted_at)
            if at != NEVER
        )


def group(a: Side, b: Side) -> Grouped:
    """Set the answers of two sides to the same lines against one another."""
    kinds_a, kinds_b = ([way.kind for way in side.known_ways] for side in (a, b))
    groups_a, groups_b = _Groups(), _Groups()
    besides: dict[tuple[int, int], int] = {}
    compared = elsewhere = unrecorded = 0
    refused, found = [0, 0], [0, 0]
    differing = array("L")
    lines = zip(a.mpids, a.ways, b.mpids, b.ways, strict=True)
    for line, (mpid_a, way_a, mpid_b, way_b) in enumerate(lines):
        kind_a, kind_b = kinds_a[way_a], kinds_b[way_b]
        if kind_a is LineResult.PROFILE and kind_b is LineResult.PROFILE:
            compared += 1
            in_a, in_b = groups_a.number_of(mpid_a, line), groups_b.number_of(mpid_b, line)
            is_first_of_a = groups_a.meets(in_a, in_b, line)
            if not groups_b.meets(in_b, in_a, line) or not is_first_of_a:
                differing.append(line)
            if not is_first_of_a:
                besides[in_a, in_b] = besides.get((in_a, in_b), 0) + 1
        elif kind_a is LineResult.ELSEWHERE or kind_b is LineResult.ELSEWHERE:
            elsewhere += 1
        elif kind_b is LineResult.UNRECORDED:
            unrecorded += 1
        elif kind_a is not kind_b:
            differing.append(line)
            if kind_a is LineResult.REFUSED or kind_b is LineResult.REFUSED:
                refused[kind_b is LineResult.REFUSED] += 1
            else:
                found[kind_b is LineResult.PROFILE] += 1
    both = sum(map(_pairs_of, groups_a.at_first_partner)) + sum(map(_pairs_of, besides.values()))
    return Grouped(
        compared=compared,
        elsewhere=elsewhere,
        unrecorded=unrecorded,
        refused=Two(*refused),
        found=Two(*found),
        pairs=PairCounts(both, groups_a.pairs() - both, groups_b.pairs() - both),
        split=groups_a.parted(Parting.SPLIT),
        merged=groups_b.parted(Parting.MERGED),
        first=differing[0] if differing else NEVER,
        differing=differing,
    )


def _pairs_of(lines: int) -> int:
    return lines * (lines - 1) // 2
