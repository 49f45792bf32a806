"""What graphs ask of every kind of store: its queries and the definition agree.

Numbers of identifiers are the store's own, so identifiers stand in their place.
"""

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from idsync_cli.core.identity import Identifier, IdentityType
from idsync_cli.core.profile import Profile
from idsync_cli.store.api import Store, Transaction
from idsync_cli.store.links import LinkRow, Links
from idsync_cli.store.memory import MemoryStore
from tests.comparison import answers_in
from tests.core.shorthand import identifiers, rules
from tests.many import many
from tests.stores import Make, every_kind
from tests.worlds import World, random_world

pytestmark = every_kind

RULES = rules("customer_id:lui email:lu other:u ios_idfv")
SEVERAL = 12
"""How many profiles, or identifiers, are asked about together."""


def world_of(number: int) -> World:
    """A world in which nobody is erased: of what was held, the value has to be there."""
    world = random_world(random.Random(f"links {number}"), crowd=number % 3 == 0)
    for place, request in enumerate(world.requests):
        if isinstance(request, dict) and request.get("type") == "erase":
            world.requests[place] = {"type": "search"}
    return world


def fill(store: Store, world: World, number: int) -> None:
    """Profiles that came in whole, with a history or without, and then a world of requests."""
    held = identifiers(other="o", ios_idfv=["b", "a"])
    with store.writing() as transaction:
        for seq, time_ms in ((1, 7), (2, None)):
            transaction.insert("whole", Profile(-seq, seq, None, False, held), RULES, time_ms)
        transaction.advance_to(2)
    list(answers_in(world, store, 5, one_shot=number % 2 == 1, explain=False))


def linked(transaction: Transaction, links: Links, chance: random.Random) -> Iterator[object]:
    everybody = [(scope, each) for scope, each in transaction.profiles({})]
    profiles = [each.created_seq for _, each in everybody]
    held = dict.fromkeys((scope, i) for scope, each in everybody for i in each.identifiers)

    def shown(row: LinkRow) -> object:
        return row.created_seq, links.identifier(row.identifier_id), row[2:]

    for seq in (*profiles, 10**9):
        yield links.profile(seq), links.count_identifiers_of([seq])
        for most in (0, 1, 2, 5, 10**6):
            yield list(map(shown, links.of_profile(seq, most)))
    numbers = []
    for scope, identifier in held:
        [number] = links.numbers_of(identifier, scope)
        numbers.append(number)
        yield links.identifier(number), links.count_profiles_with([number])
        yield sorted(map(links.identifier, links.numbers_of(identifier)), key=repr)
        for most in (0, 1, 2, 5, 10**6):
            yield list(map(shown, links.of_identifier(number, most)))
    assert links.numbers_of(Identifier(IdentityType.EMAIL, "nobody's")) == []
    assert links.numbers_of(next(iter(held))[1], "nowhere") == []
    for scope in (*transaction.scopes(), "nowhere"):
        for most in (0, 1, 3, 10**6):
            yield links.newest_profiles(scope, most)
    for _ in range(30):
        some = chance.sample(profiles, min(SEVERAL, len(profiles)))
        these = chance.sample(numbers, min(SEVERAL, len(numbers)))
        yield sorted(map(repr, map(shown, links.between(some, these))))
        yield links.count_identifiers_of(some), links.count_profiles_with(these)


def told(store: Store, of: Callable[[Transaction], Links]) -> list[object]:
    with store.reading() as transaction:
        return [*linked(transaction, of(transaction), random.Random(5))]


@pytest.mark.parametrize("number", many(range(12), share=2))
def test_queries_find_the_links_as_they_are_defined(
    make: Make, tmp_path: Path, number: int
) -> None:
    world = world_of(number)
    with make(tmp_path, world.seed) as store, MemoryStore(world.seed) as memory:
        fill(store, world, number)
        fill(memory, world, number)
        by_queries = told(store, lambda transaction: transaction.links())
        assert by_queries == told(store, Links)
        assert by_queries == told(memory, lambda transaction: transaction.links())
