"""The base of small immutable classes of which every request makes some."""

from typing import ClassVar


class Value:
    """Compares, hashes, prints and pickles by its members, which are those of `__match_args__`.

    They never change. A named tuple would take fewer lines, but once compiled it takes four times
    as long to make.
    """

    __slots__ = ()
    __match_args__: ClassVar[tuple[str, ...]] = ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Value) and self._members() == other._members()

    def __hash__(self) -> int:
        return hash(self._members())

    def __repr__(self) -> str:
        return f"{type(self).__name__}{self._members()[1:]!r}"

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), self._members()[1:]

    def _members(self) -> tuple[object, ...]:
        kind = type(self)
        return (kind, *[getattr(self, name) for name in kind.__match_args__])
