"""How large a definition is, and how deep."""

import pytest

from idsync_cli.core.codes import Calculation, Operator
from idsync_cli.core.config.definitions import (
    MAX_DEPTH,
    NO_DEFINITIONS,
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
    KnownCondition,
    Not,
    ValueComparison,
    is_too_deep,
    size,
    within,
)

KNOWN = KnownCondition(True)
EXISTS = ValueComparison(Operator.EXISTS)
ASKED = AttributeCondition("colour", EXISTS)
TWO_ASKED = EventFilter("purchase", None, None, (ASKED, ASKED))


def defined(**conditions: Condition) -> Definitions:
    audiences = {
        name: Audience(number, each) for number, (name, each) in enumerate(conditions.items(), 1)
    }
    calculated = {"orders": CalculatedAttribute(Calculation.COUNT, TWO_ASKED)}
    return Definitions(calculated, audiences)


def nested(levels: int, innermost: Condition = KNOWN) -> Condition:
    for _ in range(levels - 1):
        innermost = Not(innermost)
    return innermost


def test_a_scope_that_says_nothing_defines_nothing() -> None:
    assert Definitions({}, {}) == NO_DEFINITIONS


def test_all_that_a_condition_is_made_of() -> None:
    inner = AnyOf((KNOWN, ASKED))
    whole = AllOf((inner, Not(KNOWN)))
    assert list(within(whole)) == [whole, inner, KNOWN, ASKED, Not(KNOWN), KNOWN]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (KNOWN, 1),
        (ASKED, 1),
        (AllOf((KNOWN, Not(KNOWN))), 4),
        (EventCondition(TWO_ASKED), 3),
        (AllOf((AudienceCondition("two"), AudienceCondition("two"))), 5),
        (AttributeCondition("orders", EXISTS), 3),
        (AnyOf((AttributeCondition("orders", EXISTS),) * 2), 5),
    ],
)
def test_how_many_conditions_an_audience_has(condition: Condition, expected: int) -> None:
    assert size(defined(it=condition, two=Not(KNOWN)), "it") == expected


def test_what_lies_too_deep_counts_through_other_audiences() -> None:
    half = MAX_DEPTH // 2
    assert not is_too_deep(defined(it=nested(MAX_DEPTH)), "it")
    assert is_too_deep(defined(it=nested(MAX_DEPTH + 1)), "it")
    to_half = nested(half, AudienceCondition("half"))
    assert not is_too_deep(defined(it=to_half, half=nested(half)), "it")
    assert is_too_deep(defined(it=to_half, half=nested(half + 1)), "it")


def test_an_audience_that_is_named_at_several_depths_counts_at_the_deepest() -> None:
    half = MAX_DEPTH // 2
    near, far = AudienceCondition("half"), nested(half, AudienceCondition("half"))
    for parts in ((near, near, far), (near, far, near), (far, near, near)):
        inner = nested(half - 1)
        assert not is_too_deep(defined(it=AllOf(parts), half=inner), "it")
        assert is_too_deep(defined(it=AllOf(parts), half=Not(inner)), "it")


def test_audiences_that_name_one_another_in_every_way_are_looked_at_quickly() -> None:
    names = [str(number) for number in range(MAX_DEPTH)]
    everyone_behind = {
        name: AllOf(tuple(AudienceCondition(each) for each in names[place + 1 :]) or (KNOWN,))
        for place, name in enumerate(names)
    }
    assert is_too_deep(defined(**everyone_behind), "0")
    assert not is_too_deep(defined(**everyone_behind), str(MAX_DEPTH - 3))
