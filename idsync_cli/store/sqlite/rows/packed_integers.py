"""Integers of 64 bits as bytes, to be sent to another process and for checksums."""

from collections.abc import Sequence
from struct import pack, pack_into, unpack, unpack_from
from typing import Final

NUMBER_BYTES: Final = 8
_LOOSE: Final = 4096


def pack_numbers(numbers: Sequence[int]) -> bytes:
    """Integers as bytes."""
    return pack(f"<{len(numbers)}q", *numbers) if numbers else b""


def unpack_numbers(packed: bytes) -> tuple[int, ...]:
    """The integers that were packed."""
    return unpack(f"<{len(packed) // NUMBER_BYTES}q", packed)


class PackedIntegers:
    """A growing list of integers, packed except for the last ones: a fifth of the memory."""

    __slots__ = ("_loose", "_packed", "_packed_count")

    def __init__(self) -> None:
        self._packed = bytearray()
        self._packed_count = 0
        self._loose: list[int] = []

    @property
    def count(self) -> int:
        """How many there are."""
        return self._packed_count + len(self._loose)

    def add(self, numbers: Sequence[int]) -> None:
        """Add some at the end."""
        self._loose += numbers
        if len(self._loose) >= _LOOSE:
            self._pack()

    def at(self, index: int) -> int:
        """The integer at an index, from 0."""
        if index >= self._packed_count:
            return self._loose[index - self._packed_count]
        [number] = unpack_from("<q", self._packed, index * NUMBER_BYTES)
        return int(number)

    def put(self, index: int, number: int) -> None:
        """Replace the integer at an index."""
        if index >= self._packed_count:
            self._loose[index - self._packed_count] = number
        else:
            pack_into("<q", self._packed, index * NUMBER_BYTES, number)

    def as_bytes(self) -> bytes:
        """All of them."""
        self._pack()
        return bytes(self._packed)

    def _pack(self) -> None:
        self._packed += pack_numbers(self._loose)
        self._packed_count += len(self._loose)
        self._loose = []
