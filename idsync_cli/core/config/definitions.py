"""Calculated attributes and audiences, as a scope defines them (section 9).

A definition says what is asked of a profile; `core/audiences` answers it. Names of attributes and
events are compared exactly, and values that a condition compares with stand as they were written.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from idsync_cli.core.codes import Calculation, Operator
from idsync_cli.core.identity import IdentityType
from idsync_cli.core.value import Value

MAX_CONDITIONS: Final = 500
"""The most conditions that one audience has, with those of the audiences that it names.

What is asked of events under `where` counts, also by the calculated attributes that it names.
"""

MAX_DEPTH: Final = 16
"""How many conditions may lie within one another, those of the audiences that they name counted."""

MAX_WHERE: Final = 100
"""The most that is asked of the attributes of an event, which has no more of them."""


class ValueComparison(Value):
    """An operator, and the values that it compares with: none, one, two or a list of them."""

    __match_args__ = ("operator", "values")
    __slots__ = __match_args__

    def __init__(self, operator: Operator, values: tuple[str, ...] = ()) -> None:
        self.operator: Final = operator
        self.values: Final = values


class Condition(Value):
    """Something that holds for a profile or not."""

    __slots__ = ()

    def parts(self) -> "tuple[Condition, ...]":
        """The conditions within this one."""
        return ()


class AttributeCondition(Condition):
    """An attribute of the profile is as compared; a calculated one hides a set one of its name."""

    __match_args__ = ("name", "comparison")
    __slots__ = __match_args__

    def __init__(self, name: str, comparison: ValueComparison) -> None:
        self.name: Final = name
        self.comparison: Final = comparison


class EventFilter(Value):
    """Which events are meant: by name, by type or by both.

    With `within_ms`, those of so many milliseconds up to now; and of these, those whose attributes
    pass every test of `where`.
    """

    __match_args__ = ("name", "event_type", "within_ms", "where")
    __slots__ = __match_args__

    def __init__(
        self,
        name: str | None,
        event_type: str | None,
        within_ms: int | None = None,
        where: tuple[AttributeCondition, ...] = (),
    ) -> None:
        self.name: Final = name
        self.event_type: Final = event_type
        self.within_ms: Final = within_ms
        self.where: Final = where


class CalculatedAttribute(Value):
    """What is made of events; `attribute` is theirs, and None where none is needed."""

    __match_args__ = ("calculation", "events", "attribute")
    __slots__ = __match_args__

    def __init__(
        self, calculation: Calculation, events: EventFilter, attribute: str | None = None
    ) -> None:
        self.calculation: Final = calculation
        self.events: Final = events
        self.attribute: Final = attribute


class EventCondition(Condition):
    """The profile has such an event, or, where `exists` says so, has none."""

    __match_args__ = ("events", "exists")
    __slots__ = __match_args__

    def __init__(self, events: EventFilter, exists: bool = True) -> None:
        self.events: Final = events
        self.exists: Final = exists


class IdentityCondition(Condition):
    """What the profile holds of an identifier type is as compared, and exactly (section 1)."""

    __match_args__ = ("identity_type", "comparison")
    __slots__ = __match_args__

    def __init__(self, identity_type: IdentityType, comparison: ValueComparison) -> None:
        self.identity_type: Final = identity_type
        self.comparison: Final = comparison


class KnownCondition(Condition):
    """The profile is known, or, where `known` says so, is not."""

    __match_args__ = ("known",)
    __slots__ = __match_args__

    def __init__(self, known: bool) -> None:
        self.known: Final = known


class FirstSeenCondition(Condition):
    """When the profile was first seen: within so many milliseconds up to now, or by a test."""

    __match_args__ = ("within_ms", "comparison")
    __slots__ = __match_args__

    def __init__(self, within_ms: int | None, comparison: ValueComparison | None) -> None:
        self.within_ms: Final = within_ms
        self.comparison: Final = comparison


class AudienceCondition(Condition):
    """The profile is in another audience of the scope."""

    __match_args__ = ("name",)
    __slots__ = __match_args__

    def __init__(self, name: str) -> None:
        self.name: Final = name


class ConditionGroup(Condition):
    """Conditions of which each must hold (`all`), or one at least (`any`)."""

    __match_args__ = ("conditions",)
    __slots__ = __match_args__

    def __init__(self, conditions: tuple[Condition, ...]) -> None:
        self.conditions: Final = conditions

    def parts(self) -> tuple[Condition, ...]:
        """The conditions within this one."""
        return self.conditions


class AllOf(ConditionGroup):
    """Each of the conditions holds."""

    __slots__ = ()


class AnyOf(ConditionGroup):
    """One at least of the conditions holds."""

    __slots__ = ()


class Not(Condition):
    """A condition does not hold."""

    __match_args__ = ("condition",)
    __slots__ = __match_args__

    def __init__(self, condition: Condition) -> None:
        self.condition: Final = condition

    def parts(self) -> tuple[Condition, ...]:
        """The condition within this one."""
        return (self.condition,)


class Audience(Value):
    """Whoever a condition holds for; the id is unique in a configuration."""

    __match_args__ = ("id", "condition")
    __slots__ = __match_args__

    def __init__(self, id: int, condition: Condition) -> None:  # noqa: A002 - as its member
        self.id: Final = id
        self.condition: Final = condition


class Definitions(Value):
    """What a scope defines, by name and in the order in which it is written."""

    __match_args__ = ("calculated_attributes", "audiences")
    __slots__ = __match_args__

    def __init__(
        self,
        calculated_attributes: Mapping[str, CalculatedAttribute],
        audiences: Mapping[str, Audience],
    ) -> None:
        self.calculated_attributes: Final = calculated_attributes
        self.audiences: Final = audiences


NO_DEFINITIONS: Final = Definitions({}, {})
"""What a scope defines that says nothing of attributes and audiences."""


def within(condition: Condition) -> Iterator[Condition]:
    """A condition and all the conditions within it, each before its own parts."""
    yield condition
    for part in condition.parts():
        yield from within(part)


def is_too_deep(definitions: Definitions, audience: str) -> bool:
    """Whether more than `MAX_DEPTH` conditions of an audience lie within one another.

    The audiences are there, and name each other in no circle.
    """
    return not _fits(definitions.audiences[audience].condition, MAX_DEPTH, definitions, {})


def _fits(
    condition: Condition, levels: int, definitions: Definitions, fitting: dict[str, int]
) -> bool:
    """Whether a condition takes no more levels than these.

    `fitting` has how many levels are known to be enough for each audience, by its name.
    """
    if levels == 0:
        return False
    if isinstance(condition, AudienceCondition):
        name = condition.name
        if fitting.get(name, MAX_DEPTH) < levels:
            return True
        if not _fits(definitions.audiences[name].condition, levels - 1, definitions, fitting):
            return False
        fitting[name] = min(levels - 1, fitting.get(name, MAX_DEPTH))
        return True
    return all(_fits(part, levels - 1, definitions, fitting) for part in condition.parts())


def size(definitions: Definitions, audience: str) -> int:
    """How many conditions an audience has; see `MAX_CONDITIONS`.

    Each audience and each calculated attribute counts once. The audiences are there.
    """
    audiences, calculated, found = [audience], set[str](), 0
    for name in audiences:  # which grows meanwhile
        for condition in within(definitions.audiences[name].condition):
            found += 1
            if isinstance(condition, EventCondition):
                found += len(condition.events.where)
            elif isinstance(condition, AudienceCondition):
                if condition.name not in audiences:
                    audiences.append(condition.name)
            elif isinstance(condition, AttributeCondition):
                calculated.add(condition.name)
    for name in calculated:
        if name in definitions.calculated_attributes:
            found += len(definitions.calculated_attributes[name].events.where)
    return found
