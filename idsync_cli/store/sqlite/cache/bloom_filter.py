"""Which values a store may have: most that it has never seen need not be looked up in it."""

from typing import Final

_LINES: Final = 16
_LINE_BYTES: Final = 64
_FIRST: Final = _LINES
_SECOND: Final = _LINES + 9
_SMALL: Final = (1 << 61) - 1  # reckoned with faster than all 64 bits are


class BloomFilter:
    """Values that were seen; it forgets none, and takes few for seen that were not.

    Of millions these are some in 100. It is a Bloom filter of 4 MB, in which both bits of a value
    stand in one line of the processor's cache.
    """

    __slots__ = ("_bits",)

    def __init__(self) -> None:
        self._bits = bytearray(_LINE_BYTES << _LINES)

    def add(self, value: str | bytes) -> None:
        """Take in a value."""
        bits, number = self._bits, hash(value) & _SMALL
        line = (number & ((1 << _LINES) - 1)) * _LINE_BYTES
        place = line | (number >> (_FIRST + 3)) & (_LINE_BYTES - 1)
        bits[place] |= 1 << (number >> _FIRST & 7)
        place = line | (number >> (_SECOND + 3)) & (_LINE_BYTES - 1)
        bits[place] |= 1 << (number >> _SECOND & 7)

    def may_have(self, value: str | bytes) -> bool:
        """Whether the value may have been taken in; if not, it never was."""
        bits, number = self._bits, hash(value) & _SMALL
        line = (number & ((1 << _LINES) - 1)) * _LINE_BYTES
        place = line | (number >> (_FIRST + 3)) & (_LINE_BYTES - 1)
        if not bits[place] & (1 << (number >> _FIRST & 7)):
            return False
        place = line | (number >> (_SECOND + 3)) & (_LINE_BYTES - 1)
        return bits[place] & (1 << (number >> _SECOND & 7)) != 0
