"""The fold: what a profile comes to, and what each condition saw (section 9)."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from idsync_cli.core.audiences.comparison import ABSENT
from idsync_cli.core.audiences.fold import (
    ConditionResult,
    EventsSeen,
    Fold,
    Folded,
    Subject,
    event_attribute,
)
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
from idsync_cli.core.data.values import Event, ProfileData
from idsync_cli.core.identity import Identifier, IdentityType
from tests.core.shorthand import identifiers

NOW = 1_717_200_000_000  # 2024-06-01
DAY = 86_400_000


def event(
    name: str | None = "purchase",
    days_ago: float = 1,
    event_type: str = "commerce_event",
    /,
    *,
    data: Mapping[str, Any] | None = None,
    seq: int = 1,
    **custom: Any,
) -> Event:
    """An event, by name, age and its custom attributes."""
    whole = {"custom_attributes": custom, **(data or {})}
    return Event(seq, 1, NOW - int(days_ago * DAY), event_type, name, whole, "")


def compared(operator: str, *values: str) -> ValueComparison:
    return ValueComparison(Operator(operator), values)


def fold(
    condition: Condition,
    *events: Event,
    attributes: Mapping[str, Any] | None = None,
    held: Sequence[Identifier] = (),
    known: bool = False,
    first_seen_ms: int | None = None,
    calculated: Mapping[str, CalculatedAttribute] | None = None,
    others: Mapping[str, Condition] | None = None,
) -> ConditionResult:
    """What an audience's condition comes to."""
    audiences = {"it": condition, **(others or {})}
    definitions = Definitions(
        calculated or {},
        {name: Audience(number, each) for number, (name, each) in enumerate(audiences.items(), 1)},
    )
    data = ProfileData(attributes or {}, events, len(events), first_seen_ms=first_seen_ms)
    subject = Subject(data, held, known, NOW)
    found = Fold(definitions).audience("it", subject)
    folded = Fold(definitions).of(subject)
    assert folded.audiences["it"] == found
    assert ("it" in folded.memberships) is found.holds
    return found


PURCHASE = EventFilter("purchase", None)


# What is asked of an attribute


def test_a_set_attribute() -> None:
    vip = AttributeCondition("tier", compared("equals", "gold"))
    assert fold(vip, attributes={"tier": "Gold"}) == ConditionResult(vip, True, "Gold")
    assert fold(vip, attributes={"tier": "silver"}) == ConditionResult(vip, False, "silver")
    assert fold(vip, attributes={"Tier": "gold"}) == ConditionResult(vip, False, ABSENT)
    assert fold(vip, attributes={"tier": None}) == ConditionResult(vip, False, None)


def test_a_calculated_attribute_hides_a_set_one_of_its_name_even_without_a_value() -> None:
    value = {"value": CalculatedAttribute(Calculation.SUM, PURCHASE, "total")}
    exists = AttributeCondition("value", compared("exists"))
    assert not fold(exists, attributes={"value": 500}, calculated=value).holds
    found = fold(exists, event(total=5), event(total="2.5"), calculated=value)
    assert found == ConditionResult(exists, True, 7.5)


def test_what_a_profile_comes_to() -> None:
    definitions = Definitions(
        {
            "orders": CalculatedAttribute(Calculation.COUNT, PURCHASE),
            "value": CalculatedAttribute(Calculation.SUM, PURCHASE, "total"),
        },
        {"known": Audience(1, KnownCondition(True)), "unknown": Audience(2, KnownCondition(False))},
    )
    data = ProfileData({"a": [1, "x"], "tag": None, "value": "hidden"})
    found = Fold(definitions).of(Subject(data, (), False, NOW))
    assert found == Folded(
        {"a": [1, "x"], "tag": None, "orders": 0},
        {
            "known": ConditionResult(KnownCondition(True), False, False),
            "unknown": ConditionResult(KnownCondition(False), True, False),
        },
    )
    assert found.memberships == ("unknown",)


# Which events are meant


@pytest.mark.parametrize(
    ("events", "taken"),
    [
        (EventFilter("purchase", None), [1, 2, 4]),
        (EventFilter(None, "commerce_event"), [1, 2, 3]),
        (EventFilter("purchase", "commerce_event"), [1, 2]),
        (EventFilter("Purchase", None), []),
        (EventFilter("purchase", None, 2 * DAY), [1, 4]),
        (
            EventFilter(
                "purchase", None, None, (AttributeCondition("c", compared("equals", "EUR")),)
            ),
            [2],
        ),
        (
            EventFilter(
                None, "commerce_event", None,
                (
                    AttributeCondition("c", compared("exists")),
                    AttributeCondition("n", compared("greater_than", "1")),
                ),
            ),
            [3],
        ),
    ],
)  # fmt: skip
def test_which_events_are_meant(events: EventFilter, taken: list[int]) -> None:
    there = [
        event("purchase", 2, seq=1, c="USD"),
        event("purchase", 2.00001, seq=2, c="eur", n=1),
        event("refund", 1, seq=3, c=None, n=2),
        event("purchase", 0, "custom_event", seq=4),
    ]
    which = {"which": CalculatedAttribute(Calculation.UNIQUE_LIST, events, "seq")}
    numbered = [
        event(each.name, (NOW - each.time_ms) / DAY, each.event_type, seq=each.seq,
              **each.data["custom_attributes"], data=None) for each in there
    ]  # fmt: skip
    for each in numbered:
        each.data["custom_attributes"]["seq"] = each.seq
    condition = AttributeCondition("which", compared("exists"))
    found = fold(condition, *numbered, calculated=which)
    assert found.seen == (list(map(str, taken)) if taken else ABSENT)


def test_within_counts_back_from_now_and_leaves_out_what_is_yet_to_come() -> None:
    lately = EventCondition(EventFilter("purchase", None, DAY))
    assert fold(lately, event("purchase", 1)).holds
    assert fold(lately, event("purchase", 0)).holds
    assert not fold(lately, event("purchase", 1.0001)).holds
    assert not fold(lately, event("purchase", -0.0001)).holds


def test_an_event_that_is_there_and_one_that_is_not() -> None:
    bought = EventCondition(PURCHASE)
    found = fold(bought, event("purchase", 3), event("purchase", 2), event("refund", 1))
    assert found == ConditionResult(bought, True, EventsSeen(2, NOW - 2 * DAY))
    assert fold(bought) == ConditionResult(bought, False, EventsSeen(0, None))
    never = EventCondition(PURCHASE, exists=False)
    assert fold(never) == ConditionResult(never, True, EventsSeen(0, None))
    assert not fold(never, event()).holds


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"custom_attributes": {"a": 1}, "a": 2, "product_action": {"a": 3}}, 1),
        ({"custom_attributes": {"a": None}, "a": 2}, None),
        ({"custom_attributes": {}, "a": 2, "product_action": {"a": 3}}, 2),
        ({"custom_attributes": None, "product_action": {"a": 3}}, 3),
        ({"custom_attributes": ["a"], "product_action": "a"}, ABSENT),
        ({}, ABSENT),
    ],
)
def test_where_an_attribute_of_an_event_is_looked_for(data: Any, expected: object) -> None:
    assert event_attribute(data, "a") == expected


@pytest.mark.parametrize(
    ("calculation", "expected"),
    [("first_occurrence", "a"), ("last_occurrence", "c"), ("count", 3)],
)
def test_only_events_that_have_the_attribute_are_calculated_with(
    calculation: str, expected: object
) -> None:
    definition = CalculatedAttribute(Calculation(calculation), PURCHASE, "x")
    events = [
        event("purchase", 1, seq=3, x="c"),
        event("purchase", 1, seq=2, x="b"),
        event("purchase", 9, seq=9, x="a"),
        event("purchase", 10, seq=1),
        event("purchase", 0, seq=4),
    ]
    condition = AttributeCondition("it", compared("exists"))
    assert fold(condition, *events, calculated={"it": definition}).seen == expected


# What is asked of the profile itself


def test_what_a_profile_holds_of_a_type() -> None:
    held = identifiers(email=["a@example.com", "b@example.com"], customer_id="C")
    has = IdentityCondition(IdentityType.EMAIL, compared("equals", "b@example.com"))
    assert fold(has, held=held) == ConditionResult(has, True, ("a@example.com", "b@example.com"))
    assert fold(has) == ConditionResult(has, False, ())


def test_known_and_anonymous() -> None:
    for known in (True, False):
        for asked in (True, False):
            condition = KnownCondition(asked)
            assert fold(condition, known=known) == ConditionResult(condition, known is asked, known)


@pytest.mark.parametrize(
    ("condition", "days_ago", "expected"),
    [
        (FirstSeenCondition(DAY, None), 1, True),
        (FirstSeenCondition(DAY, None), 1.1, False),
        (FirstSeenCondition(DAY, None), -1, False),
        (FirstSeenCondition(None, compared("before", "2024-05-01")), 40, True),
        (FirstSeenCondition(None, compared("before", "2024-05-01")), 1, False),
        (FirstSeenCondition(None, compared("after", "2024-06-01")), 0, True),
        (FirstSeenCondition(None, compared("between", "2024-05-31", "2024-06-01")), 1, True),
        (FirstSeenCondition(5 * DAY, compared("before", "2024-05-31")), 2, True),
        (FirstSeenCondition(5 * DAY, compared("before", "2024-05-31")), 6, False),
        (FirstSeenCondition(5 * DAY, compared("before", "2024-05-31")), 0, False),
    ],
)
def test_when_it_was_first_seen(
    condition: FirstSeenCondition, days_ago: float, expected: bool
) -> None:
    moment = NOW - int(days_ago * DAY)
    assert fold(condition, first_seen_ms=moment) == ConditionResult(condition, expected, moment)
    assert fold(condition) == ConditionResult(condition, False, None)


# Conditions of conditions


def test_all_any_and_not() -> None:
    yes, no = KnownCondition(True), KnownCondition(False)
    for condition, expected in [
        (AllOf((yes, yes)), True),
        (AllOf((yes, no)), False),
        (AnyOf((no, yes)), True),
        (AnyOf((no, no)), False),
        (Not(no), True),
        (Not(yes), False),
        (AllOf((yes, Not(AnyOf((no, no))))), True),
    ]:
        found = fold(condition, known=True)
        assert found.holds is expected
        assert [each.condition for each in found.parts] == list(condition.parts())


def test_another_audience_tells_what_its_condition_came_to() -> None:
    other, both = KnownCondition(True), AllOf((AudienceCondition("b"), AudienceCondition("b")))
    found = fold(both, known=True, others={"b": other})
    part = ConditionResult(
        AudienceCondition("b"), True, None, (ConditionResult(other, True, True),)
    )
    assert found == ConditionResult(both, True, None, (part, part))
