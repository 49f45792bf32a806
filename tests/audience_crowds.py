"""Crowds and definitions made for each other: every condition holds for some and not for others.

The random worlds of `audience_worlds.py` have the oddest values; most of what they ask for is
nowhere. Here few values stand everywhere, so that a condition which is asked wrongly shows.
"""

import json
from collections.abc import Sequence
from random import Random
from typing import Any

from idsync_cli.core.codes import Calculation, Operator
from idsync_cli.core.config.definitions import (
    AllOf,
    AnyOf,
    AttributeCondition,
    Audience,
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
from idsync_cli.core.identity import Identifier
from tests.audience_worlds import DAY, NOW, OF_IDENTITIES, TYPES, Happened, Person

NAMES = ("x", "y", 'q"t', "größe")
VALUES: Sequence[Any] = (
    "a", "A", "b", "ab", 1, "1", 2, 2.5, "2.5", -3, True, None, ["a", 2.5], ["b", None], [], {},
    "2024-05-31", "2024-06-01T00:00:00Z", NOW, NOW - DAY, str(NOW),
)  # fmt: skip
TEXTS = ("a", "B", "1", "2.5", "true", "ß")
NUMBERS = ("-3", "0", "1", "2", "2.5", "3.5", "5")
TIMES = ("2024-05-30", "2024-05-31", "2024-06-01", str(NOW - 1))
HELD = ("a", "A", "ab", "1")
AGES = (-1, 0, 1, DAY - 1, DAY, DAY + 1, 2 * DAY)


def comparison(chance: Random, operators: Sequence[Operator] = tuple(Operator)) -> ValueComparison:
    operator = chance.choice(operators)
    if operator in (Operator.EXISTS, Operator.NOT_EXISTS):
        return ValueComparison(operator)
    if operator in (Operator.BEFORE, Operator.AFTER):
        return ValueComparison(operator, (chance.choice(TIMES),))
    if operator is Operator.BETWEEN:
        ends = sorted(chance.choices(NUMBERS, k=2), key=float)
        return ValueComparison(operator, tuple(chance.choice([ends, TIMES[:2], TIMES[1:3]])))
    if operator is Operator.IN_LIST:
        return ValueComparison(operator, tuple(chance.choices((*TEXTS, *HELD), k=2)))
    if operator in (*OF_IDENTITIES,):
        return ValueComparison(operator, (chance.choice((*TEXTS, *HELD, *NUMBERS)),))
    return ValueComparison(operator, (chance.choice(NUMBERS),))


def events(chance: Random) -> EventFilter:
    name, event_type = chance.choice([("p", None), (None, "custom_event"), ("p", "custom_event")])
    where = [attribute(chance) for _ in range(chance.choice([0, 0, 0, 1, 1, 2]))]
    return EventFilter(name, event_type, chance.choice([None, DAY]), tuple(where))


def attribute(chance: Random) -> AttributeCondition:
    return AttributeCondition(chance.choice(NAMES), comparison(chance))


def leaf(chance: Random, audiences: Sequence[str]) -> Condition:
    match chance.randrange(6 if audiences else 5):
        case 0:
            return attribute(chance)
        case 1:
            return EventCondition(events(chance), chance.random() < 0.7)
        case 2:
            return IdentityCondition(chance.choice(TYPES), comparison(chance, OF_IDENTITIES))
        case 3:
            return KnownCondition(chance.random() < 0.5)
        case 4:
            asked = comparison(chance, (Operator.BEFORE, Operator.AFTER, Operator.BETWEEN))
            of_times = asked if asked.values[0] in TIMES else None
            return FirstSeenCondition(None if of_times else DAY, of_times)
    return AudienceCondition(chance.choice(audiences))


def joined(chance: Random, audiences: Sequence[str]) -> Condition:
    parts = tuple(leaf(chance, audiences) for _ in range(2))
    return chance.choice([AllOf(parts), AnyOf(parts), Not(AllOf(parts)), Not(parts[0])])


def definitions(chance: Random) -> Definitions:
    """Every calculation, asked for by several comparisons; conditions of every kind; and more."""
    calculated = {
        f"of {each}": CalculatedAttribute(each, events(chance), chance.choice(NAMES))
        for each in Calculation
    }
    calculated["events"] = CalculatedAttribute(Calculation.COUNT, events(chance))
    calculated["when"] = CalculatedAttribute(Calculation.LAST_OCCURRENCE_TIMESTAMP, events(chance))
    calculated["y"] = CalculatedAttribute(Calculation.MAX, events(chance), "x")  # hides what is set
    conditions: list[Condition] = [
        AttributeCondition(name, comparison(chance)) for name in calculated for _ in range(3)
    ]
    conditions += [leaf(chance, []) for _ in range(20)]
    audiences = {str(n): Audience(n, each) for n, each in enumerate(conditions, start=1)}
    for n in range(len(audiences) + 1, len(audiences) + 11):
        audiences[str(n)] = Audience(n, joined(chance, list(audiences)))
    return Definitions(calculated, audiences)


def person(chance: Random) -> Person:
    held = [
        Identifier(chance.choice(TYPES), chance.choice(HELD)) for _ in range(chance.randrange(4))
    ]
    return Person(
        tuple(dict.fromkeys(held)),
        chance.random() < 0.3,
        chance.choice([None, *(NOW - age for age in AGES)]),
        chance.random() < 0.2,
        _some(chance, NAMES),
        tuple(_event(chance) for _ in range(chance.randrange(7))),
    )


def _some(chance: Random, names: Sequence[str]) -> dict[str, Any]:
    return {name: chance.choice(VALUES) for name in names if chance.random() < 0.6}


def _event(chance: Random) -> Happened:
    data = _some(chance, NAMES[:2]) if chance.random() < 0.5 else {}
    for place in ("custom_attributes", "product_action"):
        if chance.random() < 0.6:
            data[place] = _some(chance, NAMES)
    event_type = chance.choice(["custom_event", "commerce_event"])
    text = json.dumps({"event_type": event_type, "data": data}, ensure_ascii=chance.random() < 0.3)
    name = chance.choice(["p", "p", "q", None])
    return Happened(NOW - chance.choice(AGES), event_type, name, text)
