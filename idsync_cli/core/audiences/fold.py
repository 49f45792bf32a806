"""The fold: from what a profile has to its calculated attributes and audiences (section 9).

It says of each condition whether it holds, and what it saw. A store may count members in another
way (`store/sqlite/queries/audiences.py`), but must come to the same for each profile.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from mypy_extensions import mypyc_attr

from idsync_cli.core.audiences.calculation import Occurred, accumulator
from idsync_cli.core.audiences.comparison import ABSENT, Comparer, ExactComparer
from idsync_cli.core.config.definitions import (
    AllOf,
    AnyOf,
    AttributeCondition,
    AudienceCondition,
    CalculatedAttribute,
    Condition,
    Definitions,
    EventCondition,
    EventFilter,
    FirstSeenCondition,
    IdentityCondition,
    KnownCondition,
    Not,
    ValueComparison,
)
from idsync_cli.core.data.values import Event, ProfileData
from idsync_cli.core.identity import Identifier
from idsync_cli.core.value import Value


class Subject(NamedTuple):
    """A profile, as far as definitions ask of it, and the moment that `within` counts back from."""

    data: ProfileData
    identifiers: Sequence[Identifier]
    known: bool
    now_ms: int


class EventsSeen(NamedTuple):
    """How many events a condition found, and when the last of them was."""

    number: int
    last_ms: int | None


class ConditionResult(Value):
    """Whether a condition holds for a profile, what it saw there, and what became of its parts.

    `seen` is the value of an attribute (`ABSENT` where there is none), `EventsSeen`, the values of
    an identity type, whether the profile is known, or when it was first seen; None for the rest.
    The parts of a condition on another audience are what that one's condition came to.
    """

    __match_args__ = ("condition", "holds", "seen", "parts")
    __slots__ = __match_args__

    def __init__(
        self,
        condition: Condition,
        holds: bool,
        seen: object = None,
        parts: "tuple[ConditionResult, ...]" = (),
    ) -> None:
        self.condition: Final = condition
        self.holds: Final = holds
        self.seen: Final = seen
        self.parts: Final = parts


class Folded(Value):
    """What a profile comes to: attributes, calculated ones among them, and audiences.

    A calculated attribute hides a set one of its name, also where it has no value. `audiences` has
    a finding for every audience of the scope.
    """

    __match_args__ = ("attributes", "audiences")
    __slots__ = __match_args__

    def __init__(
        self, attributes: Mapping[str, Any], audiences: Mapping[str, ConditionResult]
    ) -> None:
        self.attributes: Final = attributes
        self.audiences: Final = audiences

    @property
    def memberships(self) -> tuple[str, ...]:
        """The audiences that the profile is in, as the scope has them in order."""
        return tuple([name for name, finding in self.audiences.items() if finding.holds])


@mypyc_attr(allow_interpreted_subclasses=True)
class EventsAsked(ABC):
    """The events of one profile, as definitions ask of them."""

    @abstractmethod
    def seen(self, events: EventFilter) -> EventsSeen:
        """How many such events there are, and when the last of them was."""

    @abstractmethod
    def calculated(self, name: str, definition: CalculatedAttribute, /) -> Any:
        """What the calculated attribute of a name comes to, or `ABSENT`."""


class Fold:
    """The definitions of a scope, ready to be asked of many profiles."""

    def __init__(self, definitions: Definitions) -> None:
        self.definitions: Final = definitions
        self._comparers: Final[dict[ValueComparison, Comparer]] = {}

    def of(self, subject: Subject, events: EventsAsked | None = None) -> Folded:
        """What a profile comes to; everything that is defined.

        Of the profile's events `events` tells, if given, and the subject else.
        """
        asked = _Asked(self, subject, events)
        attributes = {
            name: value
            for name, value in subject.data.attributes.items()
            if name not in self.definitions.calculated_attributes
        }
        for name in self.definitions.calculated_attributes:
            value = asked.attribute(name)
            if value is not ABSENT:
                attributes[name] = value
        return Folded(
            attributes, {name: asked.audience(name) for name in self.definitions.audiences}
        )

    def audience(self, name: str, subject: Subject) -> ConditionResult:
        """Whether a profile is in an audience, and why.

        Raises:
            KeyError: the scope has none of the name.
        """
        return _Asked(self, subject).audience(name)

    def means(self, events: EventFilter, event: Event) -> bool:
        """Whether an event is meant, whenever it happened."""
        if events.name is not None and event.name != events.name:
            return False
        if events.event_type is not None and event.event_type != events.event_type:
            return False
        for each in events.where:
            value = event_attribute(event.data, each.name)
            if not self.comparer(each.comparison).holds(value):
                return False
        return True

    def comparer(self, comparison: ValueComparison) -> Comparer:
        """The comparison, ready to be made."""
        found = self._comparers.get(comparison)
        if found is None:
            found = self._comparers[comparison] = Comparer(comparison)
        return found


def event_attribute(data: Mapping[str, Any], name: str) -> Any:
    """The attribute of an event: a custom one, one of its data, one of its product action.

    `ABSENT` where it has none (section 9).
    """
    custom = data.get("custom_attributes")
    if isinstance(custom, dict) and name in custom:
        return custom[name]
    if name in data:
        return data[name]
    action = data.get("product_action")
    if isinstance(action, dict) and name in action:
        return action[name]
    return ABSENT


class _Asked:
    """One profile, and what was found out about it so far."""

    def __init__(self, fold: Fold, subject: Subject, events: EventsAsked | None = None) -> None:
        self._fold = fold
        self._subject = subject
        self._events = _AllEvents(fold, subject) if events is None else events
        self._calculated: dict[str, Any] = {}
        self._audiences: dict[str, ConditionResult] = {}

    def audience(self, name: str) -> ConditionResult:
        """What an audience's condition comes to; audiences never go in a circle."""
        found = self._audiences.get(name)
        if found is None:
            condition = self._fold.definitions.audiences[name].condition
            found = self._audiences[name] = self._finding(condition)
        return found

    def attribute(self, name: str) -> Any:
        """The value of an attribute of the profile, calculated or else set; or `ABSENT`."""
        definition = self._fold.definitions.calculated_attributes.get(name)
        if definition is None:
            attributes = self._subject.data.attributes
            return attributes.get(name, ABSENT)
        if name not in self._calculated:
            self._calculated[name] = self._events.calculated(name, definition)
        return self._calculated[name]

    def _finding(self, condition: Condition) -> ConditionResult:
        if isinstance(condition, AllOf):
            parts = tuple([self._finding(each) for each in condition.conditions])
            return ConditionResult(condition, all(each.holds for each in parts), None, parts)
        if isinstance(condition, AnyOf):
            parts = tuple([self._finding(each) for each in condition.conditions])
            return ConditionResult(condition, any(each.holds for each in parts), None, parts)
        if isinstance(condition, Not):
            part = self._finding(condition.condition)
            return ConditionResult(condition, not part.holds, None, (part,))
        if isinstance(condition, AttributeCondition):
            value = self.attribute(condition.name)
            holds = self._fold.comparer(condition.comparison).holds(value)
            return ConditionResult(condition, holds, value)
        if isinstance(condition, EventCondition):
            seen = self._events.seen(condition.events)
            return ConditionResult(condition, (seen.number > 0) == condition.exists, seen)
        if isinstance(condition, IdentityCondition):
            held = [
                each.value
                for each in self._subject.identifiers
                if each.type is condition.identity_type
            ]
            holds = ExactComparer(condition.comparison).holds(held)
            return ConditionResult(condition, holds, tuple(held))
        if isinstance(condition, KnownCondition):
            known = self._subject.known
            return ConditionResult(condition, known == condition.known, known)
        if isinstance(condition, FirstSeenCondition):
            return self._of_first_seen(condition)
        assert isinstance(condition, AudienceCondition)
        part = self.audience(condition.name)
        return ConditionResult(condition, part.holds, None, (part,))

    def _of_first_seen(self, condition: FirstSeenCondition) -> ConditionResult:
        first_seen_ms, now_ms = self._subject.data.first_seen_ms, self._subject.now_ms
        holds = first_seen_ms is not None
        if first_seen_ms is not None:
            if condition.within_ms is not None:
                holds = now_ms - condition.within_ms <= first_seen_ms <= now_ms
            if condition.comparison is not None:
                holds = holds and self._fold.comparer(condition.comparison).holds(first_seen_ms)
        return ConditionResult(condition, holds, first_seen_ms)


class _AllEvents(EventsAsked):
    """The events that a subject has, each looked at for each question."""

    def __init__(self, fold: Fold, subject: Subject) -> None:
        self._fold = fold
        self._subject = subject

    def seen(self, events: EventFilter) -> EventsSeen:
        number, last_ms = 0, None
        for event in self._subject.data.events:
            if self._matches(events, event):
                number += 1
                last_ms = event.time_ms if last_ms is None else max(last_ms, event.time_ms)
        return EventsSeen(number, last_ms)

    def calculated(self, _name: str, definition: CalculatedAttribute, /) -> Any:
        found = accumulator(definition.calculation)
        attribute = definition.attribute
        for event in self._subject.data.events:
            if not self._matches(definition.events, event):
                continue
            value = None if attribute is None else event_attribute(event.data, attribute)
            if value is not ABSENT:
                found.add(value, Occurred(event.time_ms, event.seq, event.place))
        return found.result()

    def _matches(self, events: EventFilter, event: Event) -> bool:
        if events.within_ms is not None:
            now_ms = self._subject.now_ms
            if not now_ms - events.within_ms <= event.time_ms <= now_ms:
                return False
        return self._fold.means(events, event)
