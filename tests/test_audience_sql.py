"""Lists and counts by SQL are what the fold says of each profile (section 9)."""

import json
import signal
import sqlite3
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from idsync_cli.core.audiences.fold import Fold, Subject
from idsync_cli.core.codes import Calculation, Operator
from idsync_cli.core.config.definitions import (
    MAX_CONDITIONS,
    MAX_DEPTH,
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
    IdentityCondition,
    KnownCondition,
    Not,
    ValueComparison,
    is_too_deep,
)
from idsync_cli.core.data.values import ProfileData
from idsync_cli.core.identity import TYPE_ORDER, Identifier, IdentityType
from idsync_cli.core.profile import types_of
from idsync_cli.store.kept_json import event_of
from idsync_cli.store.sqlite.files.handles import connect
from idsync_cli.store.sqlite.queries.audience_sql import AudienceQuery
from idsync_cli.store.sqlite.queries.functions import Functions, answering, functions_of
from idsync_cli.store.sqlite.schema.tables import make_schema
from tests import audience_crowds
from tests.audience_worlds import NOW, PEOPLE, Person, definitions
from tests.core.shorthand import rules
from tests.many import many

RULES = rules("customer_id:lu email push_token")


class World:
    """Profiles in the tables of a store."""

    def __init__(self, people: Sequence[Person]) -> None:
        self.people = people
        self.connection = connect(":memory:")
        make_schema(self.connection)
        self.functions = functions_of(self.connection)
        self._put("INSERT INTO scopes VALUES (?, ?, 0, 0)", [(1, "it"), (2, "another")])
        for seq, person in enumerate(people, start=1):
            self._add(seq, person, 1)
        for seq, person in enumerate(people, start=1001):
            self._add(seq, person, 2)

    def close(self) -> None:
        self.connection.close()

    def _put(self, statement: str, rows: Sequence[tuple[Any, ...]]) -> None:
        self.connection.executemany(statement, rows)

    def _add(self, seq: int, person: Person, scope_id: int) -> None:
        types = types_of(person.identifiers)
        profile = (seq, seq, scope_id, None, person.was_known, types, person.first_seen_ms, None, 0)
        self._put(f"INSERT INTO profiles VALUES ({', '.join('?' * len(profile))})", [profile])
        for place, each in enumerate(person.identifiers):
            number = seq * 10 + place
            kind = TYPE_ORDER[each.type]
            self._put(
                "INSERT INTO identifiers VALUES (?, ?, ?, ?)",
                [(number, scope_id, kind, each.value)],
            )
            self._put("INSERT INTO holders VALUES (?, 0, ?, ?, ?, 1)", [(number, seq, kind, seq)])
        self._put(
            "INSERT INTO attributes VALUES (?, ?, ?, ?, 0)",
            [(seq, name, json.dumps(value), seq) for name, value in person.attributes.items()],
        )
        self._put(
            "INSERT INTO events VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, 0)",
            [(seq, *at(place), *each) for place, each in enumerate(person.events, start=1)],
        )

    def by_sql(self, defined: Definitions, audience: str, now_ms: int = NOW) -> list[int]:
        """The members of an audience, by number."""
        query = AudienceQuery(1, RULES._replace(definitions=defined), now_ms, self.functions)
        asked = query.asking(f"SELECT created_seq FROM {query.members(audience)}")
        return sorted(seq for (seq,) in self.connection.execute(*asked))

    def by_fold(self, defined: Definitions, audience: str, now_ms: int = NOW) -> list[int]:
        fold = Fold(defined)
        return [
            seq
            for seq, person in enumerate(self.people, start=1)
            if audience in fold.of(subject(person, now_ms)).memberships
        ]


def at(number: int) -> tuple[int, int]:
    """The request that brought an event, and its place there: not in the order of their times."""
    return 100 - number // 2, 2 * number % 3


def subject(person: Person, now_ms: int) -> Subject:
    events = [
        event_of(*at(place), each.time_ms, each.event_type, each.name, each.text)
        for place, each in enumerate(person.events, start=1)
    ]
    data = ProfileData(
        {name: json.loads(json.dumps(value)) for name, value in person.attributes.items()},
        events,
        len(events),
        first_seen_ms=person.first_seen_ms,
    )
    known = person.was_known or RULES.holds_login_id(types_of(person.identifiers))
    return Subject(data, person.identifiers, known, now_ms)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(definitions(), st.lists(PEOPLE, min_size=2, max_size=5))
def test_sql_and_the_fold_agree_about_random_profiles(
    defined: Definitions, people: list[Person]
) -> None:
    world = World(people)
    try:
        for audience in defined.audiences:
            assert world.by_sql(defined, audience) == world.by_fold(defined, audience)
    finally:
        world.close()


@pytest.mark.parametrize("seed", many(range(40), share=12))
def test_sql_and_the_fold_agree_about_a_crowd(seed: int) -> None:
    chance = Random(seed)
    defined = audience_crowds.definitions(chance)
    people = [audience_crowds.person(chance) for _ in range(15)]
    world, sizes = World(people), Counter[int]()
    try:
        for name, each in defined.audiences.items():
            expected = world.by_fold(defined, name)
            assert world.by_sql(defined, name) == expected, each
            sizes[len(expected)] += 1
    finally:
        world.close()
    of_some = sum(number for size, number in sizes.items() if 0 < size < len(people))
    assert of_some > len(defined.audiences) / 3, sizes


# As much as a configuration may say


def person(**attributes: Any) -> Person:
    return Person((), False, None, False, attributes, ())


def audience(condition: Condition) -> Definitions:
    return Definitions({}, {"it": Audience(1, condition)})


@pytest.fixture(name="two")
def two_people() -> Iterator[World]:
    world = World([person(n=5), person(n=5000)])
    yield world
    world.close()


@pytest.mark.parametrize("group", [AllOf, AnyOf])
def test_an_audience_of_as_many_conditions_as_there_may_be(
    two: World, group: type[AllOf | AnyOf]
) -> None:
    above = [
        AttributeCondition("n", ValueComparison(Operator.GREATER_THAN, (str(number),)))
        for number in range(MAX_CONDITIONS)
    ]
    events = [EventCondition(EventFilter("purchase", None), exists=False)] * MAX_CONDITIONS
    for conditions in (above, events):
        defined = audience(group(tuple(conditions)))
        found = two.by_sql(defined, "it")
        assert found == two.by_fold(defined, "it")
        assert found == ([2] if group is AllOf and conditions is above else [1, 2])


@pytest.mark.parametrize("group", [AllOf, AnyOf, Not])
def test_conditions_within_one_another_as_deep_as_they_may_be(
    two: World, group: type[AllOf | AnyOf | Not]
) -> None:
    where = (AttributeCondition("größe", ValueComparison(Operator.EQUALS, ("1",))),) * 3
    never = EventCondition(EventFilter("purchase", "custom_event", 1000, where))
    condition: Condition = AnyOf((never, AttributeCondition("n", ValueComparison(Operator.EXISTS))))
    for _ in range(MAX_DEPTH - 2):
        inner = Not(never), condition, Not(never)
        condition = Not(condition) if group is Not else AllOf(inner)
        condition = AnyOf(inner) if group is AnyOf else condition
    defined = audience(condition)
    assert not is_too_deep(defined, "it")
    assert is_too_deep(audience(Not(condition)), "it")
    assert two.by_sql(defined, "it") == two.by_fold(defined, "it") == [1, 2]


def test_audiences_that_name_one_another_as_far_as_they_may(two: World) -> None:
    audiences = {"0": Audience(1, KnownCondition(False))}
    for number in range(1, MAX_DEPTH):
        named = AudienceCondition(str(number - 1))
        audiences[str(number)] = Audience(number + 1, named)
    defined = Definitions({}, audiences)
    last = str(MAX_DEPTH - 1)
    assert not is_too_deep(defined, last)
    assert two.by_sql(defined, last) == two.by_fold(defined, last) == [1, 2]


def test_identifiers_are_compared_with_a_list_of_any_length() -> None:
    held = Identifier(IdentityType.EMAIL, "e99999")
    world = World([person()._replace(identifiers=(held,)), person()])
    wanted = ValueComparison(Operator.IN_LIST, tuple(f"e{number}" for number in range(100_000)))
    defined = audience(IdentityCondition(IdentityType.EMAIL, wanted))
    assert world.by_sql(defined, "it") == [1]
    world.close()


def test_every_value_of_a_definition_is_bound() -> None:
    hostile = "x'; DROP TABLE profiles; --"
    compared = ValueComparison(Operator.EQUALS, (hostile,))
    where = (AttributeCondition(hostile, compared),)
    condition = AllOf(
        (
            AttributeCondition(hostile, compared),
            EventCondition(EventFilter(hostile, hostile, None, where)),
            IdentityCondition(IdentityType.EMAIL, compared),
        )
    )
    calculated = {hostile: CalculatedAttribute(Calculation.COUNT, EventFilter(hostile, None))}
    for defined in (
        audience(condition),
        Definitions(calculated, {hostile: Audience(1, condition)}),
    ):
        rules = RULES._replace(definitions=defined)
        query = AudienceQuery(1, rules, NOW, Functions())
        [name] = defined.audiences
        asked = query.asking(f"SELECT created_seq FROM {query.members(name)}")
        assert "DROP" not in asked.text


# What happens while SQLite asks


def test_what_is_raised_in_a_function_comes_out_as_itself(two: World) -> None:
    deep = '{"data": ' + "[" * 100_000 + "]" * 100_000 + "}"
    with pytest.raises(RecursionError), answering(two.connection):
        two.connection.execute("SELECT idsync_event_attribute(?, 'a')", (deep,))
    with pytest.raises(IndexError), answering(two.connection):
        two.connection.execute("SELECT idsync_holds('1', 99)")
    with pytest.raises(ValueError, match="line 1"), answering(two.connection):
        two.connection.execute("SELECT idsync_sum('broken')").fetchone()


def test_what_is_wrong_with_a_query_is_told_by_sqlite(two: World) -> None:
    with pytest.raises(sqlite3.OperationalError, match="no such table"), answering(two.connection):
        two.connection.execute("SELECT * FROM nowhere")


@pytest.mark.skipif(
    threading.current_thread() is not threading.main_thread(), reason="signals come to the first"
)
@pytest.mark.parametrize("called", ["1", "idsync_holds('1', 0)"])
def test_a_long_query_ends_with_ctrl_c(two: World, called: str) -> None:
    assert two.functions.number_of(ValueComparison(Operator.EQUALS, ("1",))) == 0
    endless = f"WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + {called} FROM n)"
    timer = threading.Timer(0.2, signal.raise_signal, [signal.SIGINT])
    timer.start()
    with pytest.raises(KeyboardInterrupt), answering(two.connection):
        two.connection.execute(f"{endless} SELECT count(*) FROM n").fetchone()
    timer.join()
    assert two.connection.execute("SELECT 1").fetchone() == (1,)


def test_a_query_may_begin_while_another_one_is_read(two: World) -> None:
    defined = audience(AttributeCondition("n", ValueComparison(Operator.EXISTS)))
    query = AudienceQuery(1, RULES._replace(definitions=defined), NOW, two.functions)
    asked = query.asking(f"SELECT created_seq FROM {query.members('it')}")
    first = two.connection.execute(*asked)
    assert first.fetchone() == (1,)
    assert two.by_sql(audience(KnownCondition(False)), "it") == [1, 2]
    assert first.fetchone() == (2,)
