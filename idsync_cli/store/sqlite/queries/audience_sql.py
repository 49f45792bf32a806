"""Audiences as SQL, made of what the configuration defines; every value is bound (section 9).

What it comes to is what the core's fold says of each profile (`core/audiences/fold.py`): names,
types and times of events are for SQLite, what their attributes come to is for the core's functions.
"""

import json
from collections.abc import Sequence
from typing import Final, NamedTuple

from idsync_cli.core.audiences.calculation import accumulator
from idsync_cli.core.audiences.comparison import Comparer
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
)
from idsync_cli.core.config.rules import ScopeRules
from idsync_cli.core.identity import TYPE_BITS, TYPE_ORDER
from idsync_cli.store.sqlite.queries.functions import OCCURRENCES, Functions, aggregate_of

_TIMESTAMPS: Final = {
    Calculation.FIRST_OCCURRENCE_TIMESTAMP: "min",
    Calculation.LAST_OCCURRENCE_TIMESTAMP: "max",
}


class Sql(NamedTuple):
    """A piece of SQL, with the values that its question marks stand for."""

    text: str
    values: tuple[str | int, ...] = ()


class AudienceQuery:
    """The audiences of one scope as tables of a WITH, at one moment."""

    def __init__(
        self,
        scope_id: int,
        rules: ScopeRules,
        now_ms: int,
        functions: Functions,
        prefix: str = "",
    ) -> None:
        """Ask by the rules of the scope; `prefix` begins the names of the tables."""
        self._prefix = prefix
        self._number_of = functions.number_of
        self._scope_id = scope_id
        self._login_bits = rules.login_bits
        self._definitions = rules.definitions
        self._now_ms = now_ms
        self._tables: list[Sql] = []
        self._names: dict[tuple[str, str], str] = {}

    def members(self, audience: str) -> str:
        """The name of the table that has the `created_seq` of each member."""
        key = "audience", audience
        if key not in self._names:
            condition = self._condition(self._definitions.audiences[audience].condition)
            self._add(
                key,
                "created_seq",
                Sql(
                    "SELECT created_seq FROM profiles AS p WHERE scope_id = ? AND "
                    f"({condition.text})",
                    (self._scope_id, *condition.values),
                ),
            )
        return self._names[key]

    def asking(self, text: str, *others: "AudienceQuery") -> Sql:
        """A SELECT that asks of the tables, and of those of others."""
        tables = [table for each in (self, *others) for table in each._tables]  # noqa: SLF001 - of its own class
        listed = ", ".join([each.text for each in tables])
        bound = tuple([value for each in tables for value in each.values])
        return Sql(f"WITH {listed} {text}", bound)

    def _add(self, key: tuple[str, str], columns: str, select: Sql) -> None:
        name = f"{self._prefix}{key[0]}_{len(self._tables) + 1}"
        self._names[key] = name
        table = f"{name} ({columns}) AS MATERIALIZED ({select.text})"
        self._tables.append(Sql(table, select.values))

    def _condition(self, condition: Condition) -> Sql:
        """A condition on a row `p` of profiles; it is 0 or 1, and never NULL."""
        if isinstance(condition, AllOf):
            return _joined([self._condition(each) for each in condition.conditions], "AND")
        if isinstance(condition, AnyOf):
            return _joined([self._condition(each) for each in condition.conditions], "OR")
        if isinstance(condition, Not):
            inner = self._condition(condition.condition)
            return Sql(f"NOT ({inner.text})", inner.values)
        if isinstance(condition, AttributeCondition):
            if condition.name in self._definitions.calculated_attributes:
                return self._calculated(condition)
            return self._set_attribute(condition)
        if isinstance(condition, EventCondition):
            found = self._events(condition.events)
            is_in = "IN" if condition.exists else "NOT IN"
            return Sql(f"p.created_seq {is_in} (SELECT created_seq {found.text})", found.values)
        if isinstance(condition, IdentityCondition):
            return _identity(condition)
        if isinstance(condition, KnownCondition):
            known = Sql("(p.known_seq != 0 OR p.types & ? != 0)", (self._login_bits,))
            return known if condition.known else Sql(f"NOT {known.text}", known.values)
        if isinstance(condition, FirstSeenCondition):
            return self._first_seen(condition)
        assert isinstance(condition, AudienceCondition)
        return Sql(f"p.created_seq IN {self.members(condition.name)}")

    def _first_seen(self, condition: FirstSeenCondition) -> Sql:
        asked = []
        if condition.within_ms is not None:
            window = self._now_ms - condition.within_ms, self._now_ms
            asked.append(Sql("coalesce(p.first_seen_ms BETWEEN ? AND ?, 0)", window))
        if condition.comparison is not None:
            number = self._number_of(condition.comparison)
            asked.append(Sql("idsync_holds(p.first_seen_ms, ?)", (number,)))
        return _joined(asked, "AND")

    def _calculated(self, condition: AttributeCondition) -> Sql:
        """What a calculated attribute comes to; who has no such event has the value of none."""
        definition = self._definitions.calculated_attributes[condition.name]
        of_none = accumulator(definition.calculation).result()
        holds_of_none = Comparer(condition.comparison).holds(of_none)
        key = "calculated", condition.name
        if key not in self._names:
            self._calculate(condition.name, definition)
        is_in, is_not = ("NOT IN", "NOT ") if holds_of_none else ("IN", "")
        return Sql(
            f"p.created_seq {is_in} (SELECT created_seq FROM {self._names[key]}"
            f" WHERE {is_not}idsync_holds(value, ?))",
            (self._number_of(condition.comparison),),
        )

    def _calculate(self, name: str, definition: CalculatedAttribute) -> None:
        """Add the table of what the attribute comes to, for all profiles that have such events.

        What is needed of events is put together first: SQLite would sort whole events, or look each
        up by its profile.
        """
        found = self._events(definition.events)
        value, values = "1", tuple[str, ...]()
        if definition.attribute is not None:
            value, values = _event_attribute(definition.attribute)
        self._add(
            ("values", name),
            "created_seq, value, time_ms, seq, place",
            Sql(
                f"SELECT created_seq, {value}, time_ms, seq, place {found.text}",
                (*values, *found.values),
            ),
        )
        of_events = self._names["values", name]
        calculation = definition.calculation
        if calculation is Calculation.COUNT:
            made = "count(value)"
        elif calculation in _TIMESTAMPS:
            first_or_last = _TIMESTAMPS[calculation]
            made = f"idsync_time({first_or_last}(iif(value IS NULL, NULL, time_ms)))"
        elif calculation in OCCURRENCES:
            made = f"{aggregate_of(calculation)}(value, time_ms, seq, place)"
        else:
            made = f"{aggregate_of(calculation)}(value)"
        self._add(
            ("calculated", name),
            "created_seq, value",
            Sql(f"SELECT created_seq, {made} FROM {of_events} GROUP BY created_seq"),
        )

    def _events(self, events: EventFilter) -> Sql:
        """The FROM and WHERE of the events that are meant, read as they lie."""
        asked = []
        if events.name is not None:
            asked.append(Sql("name = ?", (events.name,)))
        if events.event_type is not None:
            asked.append(Sql("event_type = ?", (events.event_type,)))
        if events.within_ms is not None:
            window = self._now_ms - events.within_ms, self._now_ms
            asked.append(Sql("time_ms BETWEEN ? AND ?", window))
        asked += [self._event_condition(each) for each in events.where]
        where = _joined(asked, "AND")
        return Sql(f"FROM events NOT INDEXED WHERE {where.text}", where.values)

    def _set_attribute(self, condition: AttributeCondition) -> Sql:
        name, comparison = condition.name, condition.comparison
        there = "EXISTS (SELECT * FROM attributes WHERE created_seq = p.created_seq AND name = ?"
        if comparison.operator is Operator.EXISTS:
            return Sql(f"{there})", (name,))
        if comparison.operator is Operator.NOT_EXISTS:
            return Sql(f"NOT {there})", (name,))
        return Sql(f"{there} AND idsync_holds(value, ?))", (name, self._number_of(comparison)))

    def _event_condition(self, condition: AttributeCondition) -> Sql:
        value, values = _event_attribute(condition.name)
        return Sql(f"idsync_holds({value}, ?)", (*values, self._number_of(condition.comparison)))


def _event_attribute(name: str) -> tuple[str, tuple[str, ...]]:
    """An attribute of a row of events, as JSON, or NULL where there is none.

    SQLite compares names as they stand in the text, where a backslash may begin any character, and
    reads no JSON that is nested very deeply: then the core is asked.
    """
    function = "idsync_event_attribute(event, ?)"
    if '"' in name or "\\" in name or any(character < " " for character in name):
        return function, (name,)
    paths = tuple(
        f'$.data.{parent}"{name}"' for parent in ("custom_attributes.", "", "product_action.")
    )
    plain = "coalesce(event -> ?, event -> ?, event -> ?)"
    is_hard = "instr(event, ?) OR NOT json_valid(event)"
    return f"iif({is_hard}, {function}, {plain})", ("\\", name, *paths)


def _identity(condition: IdentityCondition) -> Sql:
    """What is held of a type, compared as it stands."""
    operator, values = condition.comparison.operator, condition.comparison.values
    bit, number = TYPE_BITS[condition.identity_type], TYPE_ORDER[condition.identity_type]
    if operator is Operator.EXISTS or operator is Operator.NOT_EXISTS:
        return Sql(f"p.types & ? {'!=' if operator is Operator.EXISTS else '='} 0", (bit,))
    asked = {
        Operator.EQUALS: "value = ?",
        Operator.NOT_EQUALS: "value != ?",
        Operator.CONTAINS: "instr(value, ?) > 0",
        Operator.NOT_CONTAINS: "instr(value, ?) = 0",
        Operator.IN_LIST: "value IN (SELECT value FROM json_each(?))",
    }[operator]
    bound = (json.dumps(values),) if operator is Operator.IN_LIST else values
    return Sql(
        "EXISTS (SELECT * FROM holders AS h JOIN identifiers USING (identifier_id)"
        f" WHERE h.created_seq = p.created_seq AND h.identity_type_id = ? AND {asked})",
        (number, *bound),
    )


def _joined(parts: Sequence[Sql], operator: str) -> Sql:
    """A chain of conditions, which are few enough for SQLite (`MAX_CONDITIONS`)."""
    if not parts:
        return Sql("TRUE")
    if len(parts) == 1:
        return parts[0]
    chain = f" {operator} ".join([part.text for part in parts])
    return Sql(f"({chain})", tuple([value for part in parts for value in part.values]))
