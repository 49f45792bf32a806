"""Which values a store may have: none that was seen may ever be taken for new."""

from random import Random

import pytest

from idsync_cli.store.sqlite.cache.bloom_filter import BloomFilter

FEW, MANY = 1_000, 300_000


def values(begin: int, end: int) -> list[str]:
    return [f"user-{number}@example.com" for number in range(begin, end)]


def test_nothing_was_seen_at_first() -> None:
    assert not any(map(BloomFilter().may_have, ["", "a", "é", *values(0, FEW)]))


@pytest.mark.parametrize("most", [1, FEW, MANY])
def test_no_value_that_was_seen_is_forgotten_and_few_others_are_taken_for_seen(most: int) -> None:
    seen = BloomFilter()
    everything = values(0, most)
    Random(most).shuffle(everything)
    for value in everything:
        seen.add(value)
        seen.add(value)
    assert all(map(seen.may_have, everything))
    wrong = sum(map(seen.may_have, values(most, most + FEW)))
    assert wrong <= FEW // 100
