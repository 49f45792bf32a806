"""The sentences of calculated attributes and audiences: what each definition means, in words.

They stand apart from `messages.py`, for few commands need them.
"""

from idsync_cli.core.audiences.calculation import NEEDS_NO_ATTRIBUTE
from idsync_cli.core.audiences.scalars import moment_of, number_of, text_of
from idsync_cli.core.audiences.times import length_text
from idsync_cli.core.codes import Calculation, Operator
from idsync_cli.core.config.definitions import (
    AllOf,
    AnyOf,
    AttributeCondition,
    AudienceCondition,
    CalculatedAttribute,
    Condition,
    EventCondition,
    EventFilter,
    FirstSeenCondition,
    IdentityCondition,
    KnownCondition,
    Not,
    ValueComparison,
)
from idsync_cli.errors import printable, quoted

OPERATORS = {
    Operator.EXISTS: "exists",
    Operator.NOT_EXISTS: "does not exist",
    Operator.EQUALS: "is {}",
    Operator.NOT_EQUALS: "is not {}",
    Operator.CONTAINS: "contains {}",
    Operator.NOT_CONTAINS: "does not contain {}",
    Operator.IN_LIST: "is one of {}",
    Operator.GREATER_THAN: "is greater than {}",
    Operator.GREATER_OR_EQUAL: "is at least {}",
    Operator.LESS_THAN: "is less than {}",
    Operator.LESS_OR_EQUAL: "is at most {}",
    Operator.BEFORE: "is before {}",
    Operator.AFTER: "is at or after {}",
    Operator.BETWEEN: "is between {}, both included",
}
"""What an operator says of whatever stands in front of it."""

CALCULATIONS = {
    Calculation.COUNT: "the number of {events}",
    Calculation.SUM: "the sum of {attribute} in {events}",
    Calculation.MIN: "the smallest {attribute} in {events}",
    Calculation.MAX: "the largest {attribute} in {events}",
    Calculation.AVERAGE: "the average of {attribute} in {events}",
    Calculation.FIRST_OCCURRENCE: "the first {attribute} in {events}",
    Calculation.LAST_OCCURRENCE: "the last {attribute} in {events}",
    Calculation.FIRST_OCCURRENCE_TIMESTAMP: "the time of the first {event}",
    Calculation.LAST_OCCURRENCE_TIMESTAMP: "the time of the last {event}",
    Calculation.UNIQUE_LIST: "every different {attribute} in {events}, in alphabetical order",
    Calculation.UNIQUE_VALUES_COUNT: "how many different {attribute} there are in {events}",
    Calculation.MOST_FREQUENT: "the most frequent {attribute} in {events}",
}

SHOWN_VALUES = 5
"""How many values of a list a sentence names."""


def calculation_words(definition: CalculatedAttribute) -> str:
    """What a calculated attribute is."""
    name, having = printable(definition.attribute or ""), ("", "")
    if definition.attribute is not None and definition.calculation in NEEDS_NO_ATTRIBUTE:
        having = f" that has {name}", f" that have {name}"
    return CALCULATIONS[definition.calculation].format(
        attribute=name,
        event=events_words(definition.events, several=False) + having[0],
        events=events_words(definition.events, several=True) + having[1],
    )


def condition_words(condition: Condition) -> str:
    """What a condition asks for; of one that is made of others, how they are joined."""
    if isinstance(condition, AllOf):
        return "all of these"
    if isinstance(condition, AnyOf):
        return "at least one of these"
    if isinstance(condition, Not):
        return "not"
    if isinstance(condition, AttributeCondition):
        return f"{printable(condition.name)} {comparison_words(condition.comparison)}"
    if isinstance(condition, EventCondition):
        events = events_words(condition.events, several=False)
        return f"there is {'an' if condition.exists else 'no'} {events}"
    if isinstance(condition, IdentityCondition):
        return f"the identity {condition.identity_type} {comparison_words(condition.comparison)}"
    if isinstance(condition, KnownCondition):
        return f"the profile is {'known' if condition.known else 'anonymous'}"
    if isinstance(condition, FirstSeenCondition):
        told = []
        if condition.within_ms is not None:
            told.append(f"is within the last {length_text(condition.within_ms)}")
        if condition.comparison is not None:
            told.append(comparison_words(condition.comparison))
        return f"first_seen {' and '.join(told)}"
    assert isinstance(condition, AudienceCondition)
    return f"it is in the audience {printable(condition.name)}"


def comparison_words(comparison: ValueComparison) -> str:
    """What a comparison says of whatever stands in front of it."""
    values = comparison.values
    if comparison.operator is Operator.BETWEEN:
        told = " and ".join(map(value_words, values))
    else:
        told = ", ".join(map(value_words, values[:SHOWN_VALUES]))
        if len(values) > SHOWN_VALUES:
            told += f" and {len(values) - SHOWN_VALUES:,} more"
    return OPERATORS[comparison.operator].format(told)


def events_words(events: EventFilter, *, several: bool) -> str:
    """Which events are meant."""
    told = "events" if several else "event"
    if events.name is not None:
        told += f" {quoted(events.name)}"
    if events.event_type is not None:
        told += f" of the type {printable(events.event_type)}"
    if events.within_ms is not None:
        told += f" within the last {length_text(events.within_ms)}"
    asked = [f"{printable(each.name)} {comparison_words(each.comparison)}" for each in events.where]
    return f"{told} whose {' and '.join(asked)}" if asked else told


def value_words(value: object) -> str:
    """A value as people read it: text between quotes, unless it is a number or a time."""
    if isinstance(value, str):
        is_plain = number_of(value) is not None or moment_of(value) is not None
        return printable(value) if is_plain else quoted(value)
    if isinstance(value, list):
        told = ", ".join(map(value_words, value[:SHOWN_VALUES]))
        more = len(value) - SHOWN_VALUES
        return f"[{told}{f' and {more:,} more' if more > 0 else ''}]"
    if value is None:
        return "a tag"
    return text_of(value) or "an object"
