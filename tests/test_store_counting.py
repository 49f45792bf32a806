"""What statistics and plans ask of every kind of store: its queries and the definition agree."""

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from idsync_cli.core.config.rules import Organization
from idsync_cli.core.identity import IdentityType
from idsync_cli.engine.engine import Engine
from idsync_cli.store.api import Store, Transaction
from idsync_cli.store.counting import Counting
from idsync_cli.store.memory import MemoryStore
from idsync_cli.wire import Incoming, Json
from tests.comparison import answers_in
from tests.core.shorthand import rules
from tests.many import many
from tests.stores import Make, every_kind
from tests.worlds import World, random_world

pytestmark = every_kind


def world_of(number: int) -> World:
    return random_world(random.Random(f"counting {number}"), crowd=number % 3 == 0)


def counted(transaction: Transaction, counting: Counting) -> Iterator[tuple[str, object]]:
    yield "kinds", counting.profile_kinds()
    yield "held", counting.identifiers_held()
    yield "by type", counting.identifiers_by_type()
    yield "deciders", counting.deciders()
    yield "placeholders", counting.held_placeholders()
    for number in (0, 1, 3, 10**6):
        yield f"largest {number}", counting.largest_profiles(number)
    yield "types", counting.types_held()
    for scope in (*transaction.scopes(), "nowhere"):
        yield f"types {scope}", counting.types_held(scope)
        for kind in IdentityType:
            for number in (0, 1, 2, 10**30):
                asked = f"{scope} {kind} {number}"
                yield f"beyond {asked}", [*counting.profiles_beyond(scope, kind, number)]
            for number in (1, 2, 3):
                asked = f"{scope} {kind} {number}"
                yield f"holders {asked}", [*counting.holder_counts(scope, kind, number)]


def told(store: Store, of: Callable[[Transaction], Counting]) -> dict[str, object]:
    with store.reading() as transaction:
        return dict(counted(transaction, of(transaction)))


@pytest.mark.parametrize("number", many(range(12), share=2))
def test_queries_count_as_it_is_defined(make: Make, tmp_path: Path, number: int) -> None:
    world = world_of(number)
    with make(tmp_path, world.seed) as store, MemoryStore(world.seed) as memory:
        for each in (store, memory):
            list(answers_in(world, each, 5, one_shot=number % 2 == 1, explain=False))
        by_queries = told(store, lambda transaction: transaction.counting())
        assert by_queries == told(store, Counting)
        assert by_queries == told(memory, lambda transaction: transaction.counting())


PLACEHOLDERS = ("null", "00000000-0000-0000-0000-000000000000", "'none'", "nulls")


def asked_with(number: int, chance: random.Random) -> Json:
    """A request that names a value, which many people may have."""
    named = {"other": chance.choice(PLACEHOLDERS), "email": chance.choice(["null", f"{number}@x"])}
    kind = chance.choice(["login", "identify"])
    return {"type": kind, "known_identities": named}


@pytest.mark.parametrize("number", many(range(6), share=2))
def test_placeholders_count_the_requests_that_they_may_have_decided(
    make: Make, tmp_path: Path, number: int
) -> None:
    organization = Organization(None, {"s": rules("customer_id:l other email")}, {})
    chance = random.Random(number)
    requests = [Incoming(asked_with(each, chance)) for each in range(80)]
    with make(tmp_path, number) as store:
        engine = Engine(organization, store, now=lambda: 0)
        for request in requests:
            engine.batch([request])
        with store.reading() as transaction:
            found = transaction.counting().held_placeholders()
            assert found == Counting(transaction).held_placeholders()
    assert {each.identifier.value for each in found} <= {*PLACEHOLDERS[:3]}
    assert found[0].requests > 1
