"""Which known words are nearest to one that is not known, for the hint behind an error's message.

Two words are as far apart as characters have to be taken out of them to make them equal, without
regard to case and to what is neither letter nor digit.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache

MOST_NAMED = 10
"""How many words are named; where more are as near, none of them is."""

_SHORTEST_PART = 3
"""How many characters a word has that is looked for as a part of others."""


def folded(word: str) -> str:
    """A word as it is compared: its letters and digits alone, in lower case."""
    return "".join(filter(str.isalnum, word.casefold()))


def nearest_words(word: str, words: Iterable[str]) -> Sequence[str]:
    """The known words that are nearest, all that are equally near, in the order given.

    A longer one never wins over one that the word begins with. Where none is near, those of which
    the word is a part.
    """
    return _nearest(word, tuple(dict.fromkeys(words)))


@lru_cache(maxsize=256)  # a file may have the same wrong word in every line
def _nearest(word: str, words: tuple[str, ...]) -> tuple[str, ...]:
    wanted = folded(word)
    if not wanted:
        return ()
    positions = _positions(wanted)
    near = []
    for each in words:
        form = folded(each)
        distance = _distance(positions, len(wanted), form)
        if 3 * distance < len(wanted) + len(form) + wanted.startswith(form):
            near.append((distance, each, form))
    begins = max((form for _, _, form in near if wanted.startswith(form)), key=len, default="")
    if begins:
        near = [
            each for each in near if len(each[2]) <= len(wanted) or not each[2].startswith(begins)
        ]
    least = min((distance for distance, _, _ in near), default=0)
    found = [each for distance, each, _ in near if distance == least]
    if len(found) > 1 and least:  # of two spellings of a name, the one that is more like the word
        positions = _positions(word.casefold())
        exact = [_distance(positions, len(word), each.casefold()) for each in found]
        found = _without_other_spellings(found, exact)
    if not found and len(wanted) >= _SHORTEST_PART:
        found = [each for each in words if wanted in map(folded, each.replace("-", "_").split("_"))]
    return tuple(found) if len(found) <= MOST_NAMED else ()


def _without_other_spellings(words: Sequence[str], distances: Sequence[int]) -> list[str]:
    """The words without those of which another spelling, of the same letters, is nearer."""
    best: dict[str, int] = {}
    for word, distance in zip(words, distances, strict=True):
        form = folded(word)
        best[form] = min(distance, best.get(form, distance))
    return [
        word
        for word, distance in zip(words, distances, strict=True)
        if distance == best[folded(word)]
    ]


def _positions(word: str) -> dict[str, int]:
    """Where each character of a word stands, a bit for each index."""
    positions: dict[str, int] = {}
    for index, character in enumerate(word):
        positions[character] = positions.get(character, 0) | 1 << index
    return positions


def _distance(positions: dict[str, int], length: int, other: str) -> int:
    """How many characters must go from two words for the same to be left of both.

    By the longest common subsequence, a row of the table in one integer (Hyyrö, 2004).
    """
    full = (1 << length) - 1
    row = full
    for character in other:
        matches = row & positions.get(character, 0)
        row = ((row + matches) | (row - matches)) & full
    return length + len(other) - 2 * (length - row.bit_count())
