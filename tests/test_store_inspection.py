"""What looking into a store asks, of every kind of store: its queries and the definition agree.

`Inspection` defines the answers by what every store tells; a store may have queries for them.
"""

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from idsync_cli.core.identity import Identifier, IdentityType
from idsync_cli.core.profile import Profile
from idsync_cli.store.api import Store, Transaction
from idsync_cli.store.inspection import Inspection
from idsync_cli.store.memory import MemoryStore
from tests.comparison import answers_in
from tests.core.shorthand import identifiers, profile, rules
from tests.many import many
from tests.stores import Make, every_kind
from tests.worlds import World, random_world

pytestmark = every_kind

RULES = rules("customer_id:lui email:lu other:u ios_idfv")
HELD = identifiers(other="o", ios_idfv=["b", "a"])
WITHOUT_HISTORY = identifiers(other_id_2="whole", ios_idfv=["c"])


def world_of(number: int) -> World:
    return random_world(random.Random(f"inspection {number}"), crowd=number % 3 == 0)


def fill(store: Store, world: World, number: int) -> None:
    """Profiles that came in whole, with a history or without, and then a world of requests."""
    with store.writing() as transaction:
        for seq, time_ms, held in ((1, None, ()), (2, 7, HELD), (3, None, WITHOUT_HISTORY)):
            transaction.insert("whole", Profile(-seq, seq, None, False, held), RULES, time_ms)
        transaction.advance_to(3)
    list(answers_in(world, store, 5, one_shot=number % 2 == 1, explain=False))


def looked_at(transaction: Transaction, inspection: Inspection) -> Iterator[tuple[str, object]]:
    """Every question about everything that is there, and about some that is not."""
    yield "requests", [*transaction.requests()]
    everybody = [each for _, each in transaction.profiles({})]
    numbers = [each.seq for each in transaction.requests()]
    for seq in (*numbers, 10**9):
        yield f"request {seq}", transaction.request(seq)
    for number in (0, 1, 3, 10**6):
        yield f"newest {number}", inspection.newest(number)
    mpids = sorted(each.mpid for each in everybody)
    for least, most in ((mpids[0], mpids[-1]), (mpids[1], mpids[-2]), (5, 4)):
        yield f"between {least} {most}", inspection.mpids_between(least, most)
    for mpid in (*mpids, 12345, *(each.mpid for each in transaction.erasures())):
        yield f"view {mpid}", inspection.view(mpid)
        yield f"history of {mpid}", inspection.history_length(mpid)
        yield f"later {mpid}", inspection.created_later(mpid)
    limits = (None, 0, 1, 2)
    for mpid in mpids:
        found = inspection.view(mpid)
        assert found is not None
        its = found[1]
        yield f"held by {mpid}", inspection.count_held(its)
        yield f"acts of {mpid}", inspection.life_length(its)
        for limit in limits:
            yield f"arrivals {mpid} {limit}", inspection.arrivals(its, limit)
            yield f"life {mpid} {limit}", [*inspection.life(its, limit)]
        for each in identifiers_of(transaction, mpid):
            yield f"history {mpid} {each!r}", inspection.history_length(mpid, each)
    values = dict.fromkeys(each for whole in everybody for each in whole.identifiers)
    for scope in (*transaction.scopes(), "nowhere"):
        for identifier in (*values, Identifier(IdentityType.EMAIL, "nobody's")):
            asked = f"{scope} {identifier!r}"
            for limit in limits:
                yield f"holders {asked} {limit}", inspection.holders(scope, identifier, limit)
            yield f"number {asked}", inspection.count_holders(scope, identifier)
            if identifier not in WITHOUT_HISTORY:
                yield f"history {identifier!r}", inspection.history_length(None, identifier)
        for kind in {each.type for each in values}:
            those = ["", *(each.value for each in values)]
            yield f"among {scope} {kind}", inspection.held_among(scope, kind, those)


def identifiers_of(transaction: Transaction, mpid: int) -> tuple[Identifier, ...]:
    found = transaction.find(mpid)
    return () if found is None else found[1].identifiers


def told(store: Store, of: Callable[[Transaction], Inspection]) -> dict[str, object]:
    with store.reading() as transaction:
        return dict(looked_at(transaction, of(transaction)))


@pytest.mark.parametrize("number", many(range(12), share=2))
def test_queries_answer_as_it_is_defined(make: Make, tmp_path: Path, number: int) -> None:
    world = world_of(number)
    with make(tmp_path, world.seed) as store, MemoryStore(world.seed) as memory:
        fill(store, world, number)
        fill(memory, world, number)
        by_queries = told(store, lambda transaction: transaction.inspection())
        assert by_queries == told(store, Inspection)
        assert by_queries == told(memory, lambda transaction: transaction.inspection())


def test_what_was_done_in_the_transaction_is_seen(make: Make, tmp_path: Path) -> None:
    [email] = identifiers(email="e")
    with make(tmp_path, 1) as store, store.writing() as transaction:
        transaction.insert("s", profile(5, email="e"), RULES, 900)
        inspection = transaction.inspection()
        [(scope, view)] = inspection.newest(2)
        assert (scope, view.mpid, view.created_seq) == ("s", 5, 5)
        assert [each.seq for each in inspection.arrivals(view)] == [5]
        assert inspection.count_holders("s", email) == 1
        request = transaction.request(5)
        assert request is not None
        assert (request.scope, request.answer, request.cause.time_ms) == ("s", 5, 900)
