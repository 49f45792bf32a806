"""Changes of rows of `holders`: four integers each, in a layout that only this file knows.

They are the numbers of the identifier and of the profile, the request that added it, and what takes
few bits: the value of `known` before and now (NOWHERE if the row is not there), the identifier's
type, and the place among the changes of the request.
"""

from struct import Struct
from typing import Final

from idsync_cli.store.sqlite.rows.packed_integers import NUMBER_BYTES, PackedIntegers

NOWHERE: Final = -1
"""Stands for the value of `known` of a row that is not there."""

_WIDTH: Final = 4
_SEQ: Final = 2
_BITS: Final = 3
_BEFORE: Final = 2  # from which bit on each stands; that of now comes first
_TYPE: Final = 4
_PLACE: Final = 12
_KNOWN: Final = (1 << _TYPE - _BEFORE) - 1
_ANY_TYPE: Final = (1 << _PLACE - _TYPE) - 1
_LAYOUT: Final = Struct(f"<{_WIDTH}q")
_IDENTIFIER: Final = Struct(f"<q{(_WIDTH - 1) * NUMBER_BYTES}x")

GoneRow = tuple[int, int, int]
"""The key of a row of `holders`: the identifier, `known`, the profile."""

NewRow = tuple[int, int, int, int, int, int]
"""A row of `holders`."""


class HolderChanges:
    """Changes of `holders`, gathered to be written together."""

    __slots__ = ("_numbers",)

    def __init__(self) -> None:
        self._numbers = PackedIntegers()

    @property
    def count(self) -> int:
        """How many integers there are: where the next change will begin."""
        return self._numbers.count

    def add(
        self,
        number: int,
        created_seq: int,
        before: int,
        now: int,
        type_id: int,
        added_seq: int,
        place: int,
    ) -> int:
        """Add a change, and give where it begins."""
        begin = self._numbers.count
        bits = now - NOWHERE | before - NOWHERE << _BEFORE | type_id << _TYPE | place << _PLACE
        self._numbers.add((number, created_seq, added_seq, bits))
        return begin

    def replace(self, begin: int, now: int, type_id: int, added_seq: int, place: int) -> None:
        """Replace what the change that begins there leads to."""
        numbers = self._numbers
        before = numbers.at(begin + _BITS) >> _BEFORE & _KNOWN
        bits = now - NOWHERE | before << _BEFORE | type_id << _TYPE | place << _PLACE
        numbers.put(begin + _SEQ, added_seq)
        numbers.put(begin + _BITS, bits)

    def range_at(self, begin: int) -> int:
        """The value of `known` after the change that begins there."""
        return (self._numbers.at(begin + _BITS) & _KNOWN) + NOWHERE

    def added_at(self, begin: int) -> tuple[int, int]:
        """By which change the profile came to hold the identifier, as the change there says."""
        numbers = self._numbers
        return numbers.at(begin + _SEQ), numbers.at(begin + _BITS) >> _PLACE

    def as_bytes(self) -> bytes:
        """All of them, packed."""
        return self._numbers.as_bytes()


def identifiers_in(packed: bytes) -> set[int]:
    """The numbers of the identifiers in changes that were packed."""
    return {number for (number,) in _IDENTIFIER.iter_unpack(packed)}


def rows_of(packed: bytes) -> tuple[list[GoneRow], list[NewRow]]:
    """The rows to delete and the rows to insert for changes that were packed, each in order."""
    gone: list[GoneRow] = []
    come: list[NewRow] = []
    for number, seq, added_seq, packed_bits in _LAYOUT.iter_unpack(packed):
        bits: int = packed_bits
        before, now = (bits >> _BEFORE & _KNOWN) + NOWHERE, (bits & _KNOWN) + NOWHERE
        if before != NOWHERE:
            gone.append((number, before, seq))
        if now != NOWHERE:
            type_id = bits >> _TYPE & _ANY_TYPE
            come.append((number, now, seq, type_id, added_seq, bits >> _PLACE))
    gone.sort()
    come.sort()
    return gone, come
