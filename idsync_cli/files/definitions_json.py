"""Calculated attributes and audiences as JSON: what a store remembers, and `config show` writes."""

from collections.abc import Mapping
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
    ConditionGroup,
    Definitions,
    EventCondition,
    EventFilter,
    FirstSeenCondition,
    IdentityCondition,
    KnownCondition,
    Not,
    ValueComparison,
)
from idsync_cli.core.identity import IdentityType

Json = dict[str, Any]


def definitions_json(definitions: Definitions) -> Json:
    """What a scope defines, under the keys of a configuration; lengths of time in milliseconds."""
    return {
        "calculated_attributes": {
            name: _calculated_json(each) for name, each in definitions.calculated_attributes.items()
        },
        "audiences": {
            name: {"id": each.id, **condition_json(each.condition)}
            for name, each in definitions.audiences.items()
        },
    }


def read_definitions(value: Mapping[str, Any]) -> Definitions:
    """Read what `definitions_json` wrote.

    Raises:
        KeyError, TypeError, ValueError: it is nothing that this version knows.
    """
    calculated = {
        str(name): CalculatedAttribute(
            Calculation(each["calculation"]), _events(each), each.get("attribute")
        )
        for name, each in value["calculated_attributes"].items()
    }
    audiences = {
        str(name): Audience(int(each["id"]), _condition(each))
        for name, each in value["audiences"].items()
    }
    return Definitions(calculated, audiences)


def condition_json(condition: Condition) -> Json:
    """A condition under the keys of a configuration, as `definitions_json` has it."""
    if isinstance(condition, ConditionGroup):
        key = "all" if isinstance(condition, AllOf) else "any"
        return {key: [condition_json(each) for each in condition.conditions]}
    if isinstance(condition, Not):
        return {"not": condition_json(condition.condition)}
    if isinstance(condition, AttributeCondition):
        return _attribute_json(condition)
    if isinstance(condition, EventCondition):
        operator = Operator.EXISTS if condition.exists else Operator.NOT_EXISTS
        return {**_events_json(condition.events), "operator": operator}
    if isinstance(condition, IdentityCondition):
        return {"identity": condition.identity_type, **_comparison_json(condition.comparison)}
    if isinstance(condition, KnownCondition):
        return {"known": condition.known}
    if isinstance(condition, FirstSeenCondition):
        within = {} if condition.within_ms is None else {"within_ms": condition.within_ms}
        compared = condition.comparison
        return {"first_seen": {**within, **(_comparison_json(compared) if compared else {})}}
    assert isinstance(condition, AudienceCondition)
    return {"audience": condition.name}


def _calculated_json(definition: CalculatedAttribute) -> Json:
    of_what = {} if definition.attribute is None else {"attribute": definition.attribute}
    return {
        "calculation": definition.calculation,
        **_events_json(definition.events),
        **of_what,
    }


def _events_json(events: EventFilter) -> Json:
    told: Json = {
        "event": events.name,
        "event_type": events.event_type,
        "within_ms": events.within_ms,
        "where": [_attribute_json(each) for each in events.where] or None,
    }
    return {key: value for key, value in told.items() if value is not None}


def _attribute_json(condition: AttributeCondition) -> Json:
    return {"attribute": condition.name, **_comparison_json(condition.comparison)}


def _comparison_json(comparison: ValueComparison) -> Json:
    values = {"values": list(comparison.values)} if comparison.values else {}
    return {"operator": comparison.operator, **values}


def _condition(value: Mapping[str, Any]) -> Condition:
    if "all" in value:
        return AllOf(tuple(map(_condition, value["all"])))
    if "any" in value:
        return AnyOf(tuple(map(_condition, value["any"])))
    if "not" in value:
        return Not(_condition(value["not"]))
    if "attribute" in value:
        return _attribute(value)
    if "identity" in value:
        return IdentityCondition(IdentityType(value["identity"]), _comparison(value))
    if "known" in value:
        return KnownCondition(bool(value["known"]))
    if "first_seen" in value:
        asked = value["first_seen"]
        compared = _comparison(asked) if "operator" in asked else None
        return FirstSeenCondition(_length(asked), compared)
    if "audience" in value:
        return AudienceCondition(str(value["audience"]))
    return EventCondition(_events(value), Operator(value["operator"]) is Operator.EXISTS)


def _events(value: Mapping[str, Any]) -> EventFilter:
    return EventFilter(
        value.get("event"),
        value.get("event_type"),
        _length(value),
        tuple(map(_attribute, value.get("where", ()))),
    )


def _length(value: Mapping[str, Any]) -> int | None:
    return int(value["within_ms"]) if "within_ms" in value else None


def _attribute(value: Mapping[str, Any]) -> AttributeCondition:
    return AttributeCondition(str(value["attribute"]), _comparison(value))


def _comparison(value: Mapping[str, Any]) -> ValueComparison:
    return ValueComparison(Operator(value["operator"]), tuple(map(str, value.get("values", ()))))
