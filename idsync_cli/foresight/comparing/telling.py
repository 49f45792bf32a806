"""Which of the groups that part tell most: the examples of a comparison, and what is drawn."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from idsync_cli.foresight.comparing.groups import Grouped, Parting, ProfileGroup
from idsync_cli.foresight.comparing.sides import Side, Way

MOST_OF_A_CAUSE = 2
"""How many examples there may be of one cause."""

Known = frozenset[ProfileGroup]
"""The groups whose profile is known at the end on its side."""


def telling_groups(
    grouped: Grouped, known: Known, cause_at: Callable[[int], tuple[Way, Way]], most: int
) -> list[ProfileGroup]:
    """The most telling groups, few of one cause; `cause_at` tells what decided a line."""
    chosen: list[ProfileGroup] = []
    of_cause: Counter[tuple[Way, Way]] = Counter()
    for each in _by_weight(grouped, known):
        if len(chosen) == most:
            break
        cause = cause_at(each.parted_at)
        if of_cause[cause] < MOST_OF_A_CAUSE:
            of_cause[cause] += 1
            chosen.append(each)
    return chosen


def telling_profiles(
    grouped: Grouped, known: Known, sides: tuple[Side, Side], most: int
) -> tuple[tuple[list[int], list[int]], int]:
    """The profiles of each side to draw, by their MPIDs, and how many others are left out.

    Groups are taken whole until there are `most` profiles of a side, and one at least.
    """
    partners = _partners(grouped, sides)
    chosen: tuple[dict[int, None], dict[int, None]] = {}, {}
    left_out = 0
    for each in _by_weight(grouped, known):
        its_own, others = chosen if each.part is Parting.SPLIT else (chosen[1], chosen[0])
        its = partners[each]
        is_first = not its_own
        if not is_first and (len(its_own) >= most or len(others) + len(its) > most):
            left_out += each.mpid not in its_own
            continue
        its_own[each.mpid] = None
        others.update(dict.fromkeys(its[:most]))
        left_out += len(its[most:])
    of_a, of_b = chosen
    return (list(of_a), list(of_b)), left_out


def _partners(grouped: Grouped, sides: tuple[Side, Side]) -> Mapping[ProfileGroup, Sequence[int]]:
    """The profiles of the other side that each group parts into, in the order of their lines."""
    found: dict[ProfileGroup, dict[int, None]] = {
        each: {} for each in (*grouped.split, *grouped.merged)
    }
    of_a = {each.mpid: each for each in grouped.split}
    of_b = {each.mpid: each for each in grouped.merged}
    for mpid_a, mpid_b in zip(*(side.mpids for side in sides), strict=True):
        if mpid_a and mpid_b:
            if (parted := of_a.get(mpid_a)) is not None:
                found[parted][mpid_b] = None
            if (parted := of_b.get(mpid_b)) is not None:
                found[parted][mpid_a] = None
    return {each: list(mpids) for each, mpids in found.items()}


def _by_weight(grouped: Grouped, known: Known) -> list[ProfileGroup]:
    """Groups that part: of known profiles first, then by lines, then by first line."""
    return sorted(
        (*grouped.split, *grouped.merged),
        key=lambda each: (each not in known, -each.lines, each.first, each.part is Parting.MERGED),
    )
