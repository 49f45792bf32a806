"""The members of an audience, from event batches that came: the same in every kind of store."""

import json
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from idsync_cli.core.audiences.fold import Fold, Subject
from idsync_cli.core.config.definitions import (
    AnyOf,
    Audience,
    Definitions,
    KnownCondition,
    Not,
)
from idsync_cli.core.config.rules import Organization, ScopeRules
from idsync_cli.engine.engine import Engine
from idsync_cli.engine.labels import Labels
from idsync_cli.store.api import Store
from idsync_cli.store.counting import Counting
from idsync_cli.store.counts import AudienceMoves
from idsync_cli.store.values import AudienceMember, MemberCount
from idsync_cli.wire import LineReader, not_blank
from tests.audience_worlds import NOW, PEOPLE, Happened, Person, definitions
from tests.core.shorthand import profile, rules
from tests.stores import KINDS, Make, every_kind

RULES = rules("other customer_id:l email push_token", "profile_conversion")
NAME_OF = {
    "custom_event": ("event_name",),
    "screen_view": ("screen_name",),
    "commerce_event": ("product_action", "action"),
}


def lines_of(number: int, person: Person) -> list[bytes]:
    """The requests by which a person comes to be what it is, as far as requests can bring that."""
    known = {each.type.value: each.value for each in person.identifiers}
    requests: list[Any] = [
        {"type": "identify", "known_identities": {"other": str(number), **known}, "label": "me",
         "request_timestamp_ms": person.first_seen_ms},
        {"type": "batch", "mpid": "@me", "user_attributes": person.attributes},
    ]  # fmt: skip
    lines = list(map(json.dumps, requests))
    if person.is_opted_out:
        opt_out = {"event_type": "opt_out", "data": {"is_opted_out": True}}
        lines.append(json.dumps({"type": "batch", "mpid": "@me", "events": [opt_out]}))
    lines += [
        f'{{"type": "batch", "mpid": "@me", "events": [{named(each)}]}}' for each in person.events
    ]
    return [line.replace("\n", " ").encode() for line in lines]


def named(event: Happened) -> str:
    """The text of an event with its name and time put in, and all else as it is written."""
    members: dict[str, Any] = {"timestamp_unixtime_ms": event.time_ms}
    name = NAME_OF[event.event_type]
    if event.name is not None and len(name) == 1:
        members[name[0]] = event.name
    inside = json.dumps(members)[1:-1]
    text = event.text.replace('"d\\u0061t\\u0061"', '"data"', 1)
    empty = '"data": {}' in text
    return text.replace('"data": {', f'"data": {{{inside}{"" if empty else ","}', 1)


def filled(store: Store, people: list[Person], organization: Organization) -> None:
    engine = Engine(organization, store, now=lambda: NOW)
    reader, labels = LineReader(), Labels()
    for number, person in enumerate(people):
        engine.batch(reader.requests(not_blank(lines_of(number, person), 1)), labels)


def found_in(
    store: Store, scope: ScopeRules, audience: str
) -> tuple[list[AudienceMember], MemberCount]:
    with store.reading() as transaction:
        return (
            [*transaction.members("s", scope, audience, NOW)],
            transaction.count_members("s", scope, audience, NOW),
        )


def by_fold(store: Store, scope: ScopeRules, audience: str) -> list[AudienceMember]:
    fold, found = Fold(scope.definitions), []
    with store.reading() as transaction:
        for _, profile in transaction.profiles({"s": scope}):
            data = transaction.data_of(profile.mpid)
            assert data is not None
            subject = Subject(data, profile.identifiers, scope.is_known(profile), NOW)
            if audience in fold.of(subject).memberships:
                found.append(AudienceMember(profile, data.is_opted_out))
    return found


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(definitions(), st.lists(PEOPLE, min_size=2, max_size=4))
def test_every_kind_of_store_has_the_members_that_the_fold_says(
    defined: Definitions, people: list[Person]
) -> None:
    scope = ScopeRules(RULES.strategy, RULES.priority, RULES.settings, definitions=defined)
    organization = Organization(None, {"s": scope}, {})
    for kind in ("temporary", "memory", "plain"):
        with KINDS[kind](Path(), 1) as store:
            filled(store, people, organization)
            for audience in defined.audiences:
                expected = by_fold(store, scope, audience)
                count = MemberCount(len(expected), sum(each.is_opted_out for each in expected))
                assert found_in(store, scope, audience) == (expected, count), kind
                assert_moves(store, scope, audience, expected)


def assert_moves(
    store: Store, scope: ScopeRules, audience: str, members: list[AudienceMember]
) -> None:
    """From the audience to all who are known, and from those to it."""
    known = Definitions({}, {audience: Audience(1, KnownCondition(True))})
    other = scope._replace(definitions=known)
    here, there = (
        {each.profile.mpid for each in its} for its in (members, by_fold(store, other, audience))
    )
    with store.reading() as transaction:
        counting = transaction.counting()
        for was, will, its in ((here, there, (scope, other)), (there, here, (other, scope))):
            moves = AudienceMoves(len(was), len(will), len(will - was), len(was - will))
            assert counting.count_moves("s", *its, audience, NOW) == moves
            assert Counting(transaction).count_moves("s", *its, audience, NOW) == moves


EVERYBODY = Definitions(
    {}, {"everybody": Audience(1, AnyOf((KnownCondition(True), Not(KnownCondition(True)))))}
)


@every_kind
def test_a_scope_without_profiles_has_no_members(make: Make, tmp_path: Path) -> None:
    scope = RULES._replace(definitions=EVERYBODY)
    with make(tmp_path, 1) as store:
        assert found_in(store, scope, "everybody") == ([], MemberCount(0, 0))


@every_kind
def test_members_are_those_of_the_transaction_as_it_stands(make: Make, tmp_path: Path) -> None:
    scope = RULES._replace(definitions=EVERYBODY)
    one, other = profile(1, email="a"), profile(2, email="b")
    with make(tmp_path, 1) as store:
        with store.writing() as transaction:
            for each, name in ((one, "s"), (other, "another")):
                transaction.insert(name, each, scope, None)
            members = [*transaction.members("s", scope, "everybody", NOW)]
            assert members == [AudienceMember(one, False)]
            assert transaction.count_members("s", scope, "everybody", NOW) == MemberCount(1, 0)
        assert found_in(store, scope, "everybody") == (
            [AudienceMember(one, False)],
            MemberCount(1, 0),
        )
