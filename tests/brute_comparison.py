"""A comparison by brute force over two files of answers: line by line, pair by pair."""

from itertools import combinations
from typing import Any

Json = dict[str, Any]
Answered = tuple[str, str | None]
"""What came of a line, and the profile if there was one."""


def answered(answer: Json) -> Answered:
    if "errors" in answer:
        return "refused", None
    mpid = answer.get("mpid")
    return ("found", mpid) if mpid is not None else ("not found", None)


def groups_of(answers: list[Answered], both: list[int]) -> dict[str, set[int]]:
    groups: dict[str, set[int]] = {}
    for line in both:
        mpid = answers[line][1]
        assert mpid is not None
        groups.setdefault(mpid, set()).add(line)
    return groups


def compared(a: list[Json], b: list[Json], known: tuple[set[str], set[str]]) -> Json:
    """The counts of two sides that answered the same lines; `known` are the MPIDs of each."""
    sides = [answered(each) for each in a], [answered(each) for each in b]
    lines = range(len(a))
    both = [line for line in lines if all(side[line][1] is not None for side in sides)]
    groups = groups_of(sides[0], both), groups_of(sides[1], both)
    parted = [
        {
            mpid: its
            for mpid, its in groups[side].items()
            if len({sides[1 - side][line][1] for line in its}) > 1
        }
        for side in (0, 1)
    ]
    pairs = [
        {pair for its in each.values() for pair in combinations(sorted(its), 2)} for each in groups
    ]
    return {
        "requests": len(a),
        "compared": len(both),
        "refused": _alone(sides, lambda mine, other: mine == "refused" != other),
        "found": _alone(sides, lambda mine, other: mine == "found" and other == "not found"),
        **{
            name: {
                "groups": len(its),
                "requests": sum(map(len, its.values())),
                "known": len(its.keys() & mine),
            }
            for name, its, mine in zip(("split", "merged"), parted, known, strict=True)
        },
        "pairs": {
            "both": len(pairs[0] & pairs[1]),
            "only_a": len(pairs[0] - pairs[1]),
            "only_b": len(pairs[1] - pairs[0]),
        },
        "first": next((line for line in lines if _differs_by(sides, line)), None),
    }


def _alone(sides: tuple[list[Answered], list[Answered]], is_it: Any) -> Json:
    return {
        name: sum(
            is_it(mine[0], other[0])
            for mine, other in zip(sides[side], sides[1 - side], strict=True)
        )
        for side, name in ((0, "only_a"), (1, "only_b"))
    }


def _differs_by(sides: tuple[list[Answered], list[Answered]], last: int) -> bool:
    """Whether up to a line the profiles no longer stand for one another, or it says otherwise."""
    if sides[0][last][0] != sides[1][last][0]:
        return True
    pairs = {
        (sides[0][line][1], sides[1][line][1])
        for line in range(last + 1)
        if sides[0][line][1] is not None and sides[1][line][1] is not None
    }
    return any(len({pair[side] for pair in pairs}) < len(pairs) for side in (0, 1))


def parted_at(a: list[Json], b: list[Json]) -> list[tuple[str, bool, int, int, int]]:
    """Each group that parts: its name, lines, first line, and the first line where it parts."""
    sides = [answered(each)[1] for each in a], [answered(each)[1] for each in b]
    both = [line for line in range(len(a)) if sides[0][line] and sides[1][line]]
    found = []
    for side in (0, 1):
        mine, other = sides[side], sides[1 - side]
        for mpid in dict.fromkeys(mine[line] for line in both):
            its = [line for line in both if mine[line] == mpid]
            at = next((line for line in its if other[line] != other[its[0]]), None)
            if at is not None:
                found.append((str(mpid), side == 1, len(its), its[0], at))
    return found
