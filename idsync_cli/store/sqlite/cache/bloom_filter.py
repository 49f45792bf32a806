"""Which values a store has surely never seen, told without looking them up."""

from typing import Final

from mypy_extensions import i64

_LINES: Final = 16
_LINE_BYTES: Final = 64
_FIRST: Final = _LINES
_SECOND: Final = _LINES + 9


class BloomFilter:
    """A Bloom filter of 4 MB. Both bits of a value are in one line of the processor's cache.

    It knows every value that was added. Of others it takes a few in 100 for known, once it has
    millions of values.
    """

    __slots__ = ("_bits",)

    def __init__(self) -> None:
        self._bits = bytearray(_LINE_BYTES << _LINES)

    def add(self, value: str | bytes) -> None:
        """Add a value."""
        bits = self._bits
        number: i64 = hash(value)
        line = (number & ((1 << _LINES) - 1)) * _LINE_BYTES
        index = line | (number >> (_FIRST + 3)) & (_LINE_BYTES - 1)
        bits[index] |= 1 << (number >> _FIRST & 7)
        index = line | (number >> (_SECOND + 3)) & (_LINE_BYTES - 1)
        bits[index] |= 1 << (number >> _SECOND & 7)

    def may_have(self, value: str | bytes) -> bool:
        """Whether the value may have been added; if not, it surely was not."""
        bits = self._bits
        number: i64 = hash(value)
        line = (number & ((1 << _LINES) - 1)) * _LINE_BYTES
        index = line | (number >> (_FIRST + 3)) & (_LINE_BYTES - 1)
        if not bits[index] & (1 << (number >> _FIRST & 7)):
            return False
        index = line | (number >> (_SECOND + 3)) & (_LINE_BYTES - 1)
        return bits[index] & (1 << (number >> _SECOND & 7)) != 0
