"""The counts of a comparison are exact: brute force over two lists of answers says the same."""

import random
from array import array
from typing import Any

import pytest

from idsync_cli.core.codes import Rule
from idsync_cli.core.decision import DecidedBy
from idsync_cli.foresight.comparing.groups import NEVER, group
from idsync_cli.foresight.comparing.sides import LineResult, Side, Way
from tests.brute_comparison import compared, parted_at
from tests.many import many

Json = dict[str, Any]
WAYS = (
    Way(LineResult.PROFILE, DecidedBy(Rule.NO_MATCH)),
    Way(LineResult.NOT_FOUND, DecidedBy(Rule.NO_MATCH)),
    Way(LineResult.REFUSED, error="NO_IDENTITIES"),
)


def random_answers(rng: random.Random, lines: int) -> list[Json]:
    """Answers of a few profiles, so that groups meet; some are refused, some find nobody."""
    profiles = rng.randint(1, 6)
    answers: list[Json] = []
    for _ in range(lines):
        chance = rng.random()
        if chance < 0.1:
            answers.append({"errors": []})
        elif chance < 0.2:
            answers.append({"mpid": None})
        else:
            answers.append({"mpid": str(rng.choice([-1, 1]) * rng.randint(1, profiles))})
    return answers


def alike(rng: random.Random, answers: list[Json]) -> list[Json]:
    """The same under other MPIDs, but for a few lines."""
    made = [
        {"mpid": str(1000 + int(each["mpid"]))} if each.get("mpid") else dict(each)
        for each in answers
    ]
    for _ in range(rng.randint(0, 3)):
        if made:
            made[rng.randrange(len(made))] = random_answers(rng, 1)[0]
    return made


def side_of(answers: list[Json]) -> Side:
    mpids = array("q", [int(each.get("mpid") or 0) for each in answers])
    ways = [2 if "errors" in each else 0 if each["mpid"] else 1 for each in answers]
    return Side(mpids, array("H", ways), array("L", range(1, len(answers) + 1)), WAYS)


@pytest.mark.parametrize("seed", many(range(400), share=400))
def test_brute_force_counts_the_same(seed: int) -> None:
    rng = random.Random(seed)
    a = random_answers(rng, rng.randint(0, 25))
    b = alike(rng, a) if seed % 2 else random_answers(rng, len(a))
    found = group(side_of(a), side_of(b))
    expected = compared(a, b, (set(), set()))
    assert found.compared == expected["compared"]
    assert found.refused._asdict() == expected["refused"]
    assert found.found._asdict() == expected["found"]
    assert found.pairs._asdict() == expected["pairs"]
    assert (None if found.first == NEVER else found.first) == expected["first"]
    for name, parted in (("split", found.split), ("merged", found.merged)):
        assert len(parted) == expected[name]["groups"]
        assert sum(each.lines for each in parted) == expected[name]["requests"]
    told = [
        (str(each.mpid), each.part == "merged", each.lines, each.first, each.parted_at)
        for each in (*found.split, *found.merged)
    ]
    assert told == parted_at(a, b)
    assert found.elsewhere == 0


def test_a_side_compared_with_itself_under_other_names() -> None:
    a = random_answers(random.Random(1), 500)
    b = [{"mpid": str(-(2**62) + int(each["mpid"]))} if each.get("mpid") else each for each in a]
    found = group(side_of(a), side_of(b))
    assert (found.first, found.split, found.merged, len(found.differing)) == (NEVER, (), (), 0)
    assert (found.pairs.only_a, found.pairs.only_b) == (0, 0)


def test_lines_of_a_scope_that_one_side_lacks_are_not_compared() -> None:
    ways = (*WAYS, Way(LineResult.ELSEWHERE))
    a = Side(array("q", [1, 0, 1]), array("H", [0, 3, 0]), array("L", [1, 2, 3]), ways)
    b = Side(array("q", [5, 0, 5]), array("H", [0, 2, 0]), array("L", [1, 2, 3]), ways)
    found = group(a, b)
    assert (found.compared, found.elsewhere, found.refused, found.first) == (2, 1, (0, 0), NEVER)
