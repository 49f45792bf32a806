"""What of a store new guard rails would have kept out, for `config plan` (section 11)."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from idsync_cli.core.config.guard_rails import GuardRails
from idsync_cli.core.identity import Identifier, IdentityType
from idsync_cli.store.counting import Counting

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class HeldValue:
    """An identifier that profiles hold; `normal` is what they would hold instead, if anything."""

    identifier: Identifier
    holders: int
    normal: str | None = None


@dataclass(frozen=True, slots=True)
class CrowdedProfile:
    """A profile that holds more values of a type than it might."""

    mpid: int
    identity_type: IdentityType
    values: int


@dataclass(slots=True)
class First(Generic[T]):
    """How many there are, and those with the most, `limit` of them or all."""

    limit: int | None
    number: int = 0
    most: list[T] = field(default_factory=list)

    def add_all(self, found: list[T], number: int, size: Callable[[T], int]) -> None:
        """Take in so many, of which some are listed."""
        self.number += number
        merged = sorted([*self.most, *found], key=size, reverse=True)
        self.most = merged[: self.limit]


@dataclass(slots=True)
class KeptOut:
    """Identifiers that are blocked, or stored in another form; and profiles beyond a limit."""

    blocked: First[HeldValue]
    reshaped: First[HeldValue]
    crowded: First[CrowdedProfile]

    @property
    def anything(self) -> bool:
        """Whether there is any of them."""
        return bool(self.blocked.number or self.reshaped.number or self.crowded.number)


def nothing_kept_out() -> KeptOut:
    """Nothing of a store."""
    return KeptOut(First(0), First(0), First(0))


def kept_out(
    counting: Counting,
    scope: str,
    before: GuardRails,
    after: GuardRails,
    limit: int | None,
) -> KeptOut:
    """What profiles of a scope hold that only the new guard rails would not have let in.

    All identifiers of the types whose guard rails are others are read; of each sort, at most
    `limit` are listed.
    """
    found = KeptOut(First(limit), First(limit), First(limit))
    for kind in IdentityType:
        if _screening(before, kind) != _screening(after, kind):
            _screen(counting, scope, kind, before, after, found)
        its, was = after.limit_of(kind), before.limit_of(kind)
        if its is not None and (was is None or its.limit < was.limit):
            crowded = [
                CrowdedProfile(mpid, kind, values)
                for mpid, values in counting.profiles_beyond(scope, kind, its.limit)
            ]
            found.crowded.add_all(crowded, len(crowded), _values)
    return found


def _screening(rails: GuardRails, kind: IdentityType) -> tuple[object, ...]:
    blocked = *rails.blocked.get(None, ()), *rails.blocked.get(kind, ())
    return rails.normalize.get(kind, ()), frozenset(blocked)


def _screen(
    counting: Counting,
    scope: str,
    kind: IdentityType,
    before: GuardRails,
    after: GuardRails,
    found: KeptOut,
) -> None:
    """Look at every identifier of a type that is held, those with the most holders first."""
    blocked: list[HeldValue] = []
    reshaped: list[HeldValue] = []
    numbers = [0, 0]
    for identifier, holders in counting.holder_counts(scope, kind):
        if after.blocks(identifier):
            if not before.blocks(identifier):
                numbers[0] += 1
                _list(blocked, HeldValue(identifier, holders), found.blocked.limit)
            continue
        normal = after.normal_form(identifier)
        if normal not in (identifier.value, before.normal_form(identifier)):
            numbers[1] += 1
            _list(reshaped, HeldValue(identifier, holders, normal), found.reshaped.limit)
    found.blocked.add_all(blocked, numbers[0], _holders)
    found.reshaped.add_all(reshaped, numbers[1], _holders)


def _list(listed: list[T], each: T, limit: int | None) -> None:
    if limit is None or len(listed) < limit:
        listed.append(each)


def _holders(each: HeldValue) -> int:
    return each.holders


def _values(each: CrowdedProfile) -> int:
    return each.values
