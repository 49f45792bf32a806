"""The store as it was after a request: what the first requests alone would have made of it."""

import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from itertools import chain
from typing import Any

import pytest

from idsync_cli import wire
from idsync_cli.core.codes import Status
from idsync_cli.core.config.rules import Organization
from idsync_cli.core.decision import Answer, Decision
from idsync_cli.core.erasure import Erasure
from idsync_cli.core.scoped_profile import scoped
from idsync_cli.engine.engine import Engine
from idsync_cli.store import sqlite
from idsync_cli.store.sqlite import SqliteStore, SqliteTransaction
from idsync_cli.store.values import ProfileFilter
from idsync_cli.transfer.profile_export import RecordLines
from tests.comparison import answer_all, data_json, organization, parts
from tests.many import many
from tests.test_whole_exports import taken_in, written, written_in
from tests.worlds import World, random_world

Json = dict[str, Any]
LINES = RecordLines(wire.record_line, wire.digest_key_line)


def world_of(number: int) -> World:
    return random_world(random.Random(f"earlier {number}"), crowd=number % 8 == 7, sizes=(5, 9))


@contextmanager
def answered(world: World, first: int | None = None) -> Iterator[tuple[SqliteStore, list[Answer]]]:
    """A store after the first requests of a world, or all; time goes on as they come."""
    clock = iter(range(1, 10**9))
    with sqlite.temporary(world.seed) as store:
        answers: list[Answer] = []
        left = len(world.requests) if first is None else first
        for rules, requests in parts(world):
            engine = Engine(rules, store, now=lambda: next(clock))
            answers += chain(*answer_all(engine, requests[:left], chunk_size=1))
            left -= len(requests[:left])
        yield store, answers


def present_rules(world: World) -> Organization:
    return organization(world.later_scopes or world.scopes, world.workspaces)


def everything(transaction: SqliteTransaction, rules: Organization) -> Json:
    """All that may be asked of profiles, by each way of asking."""
    there = list(transaction.profiles(rules.scopes))
    mpids = [profile.mpid for _, profile in there]
    lists = {
        str(asked): [each.mpid for _, each in transaction.profiles(rules.scopes, asked)]
        for asked in (
            ProfileFilter(known=True), ProfileFilter(known=False), ProfileFilter(orphaned=True),
            ProfileFilter(orphaned=False), ProfileFilter(scope="scope-0"),
        )
    }  # fmt: skip
    assert [transaction.find(mpid) for mpid in mpids] == there
    assert transaction.count_profiles(rules.scopes) == len(there)
    known = ProfileFilter(known=True)
    assert transaction.count_profiles(rules.scopes, known) == len(lists[str(known)])
    return {
        "profiles": {
            profile.mpid: wire.profile_json(scoped(profile, scope, rules.scopes.get(scope)))
            for scope, profile in there
        },
        "data": {mpid: data_json(transaction.data_of(mpid)) for mpid in mpids},
        "latest": {mpid: data_json(transaction.data_of(mpid, 1))["events"] for mpid in mpids},
        "records": list(LINES.of(transaction.records())),
        "lists": lists,
    }


def after(store: SqliteStore, seq: int, rules: Organization) -> Json:
    with store.reading() as transaction:
        transaction.look_back(seq)
        return everything(transaction, rules)


@pytest.mark.parametrize("number", many(range(60), share=12))
def test_it_is_what_the_first_requests_alone_would_have_made(number: int) -> None:
    world = world_of(number)
    world = replace(world, requests=[each for each in world.requests if not is_erasure(each)])
    if world.change_at is not None:
        world.change_at = min(world.change_at, len(world.requests))
    rules = present_rules(world)
    rng = random.Random(number)
    with answered(world) as (store, _):
        with store.reading() as transaction:
            now, last = everything(transaction, rules), transaction.last_seq
        for seq in {last, *rng.sample(range(1, last + 1), k=min(4, last))}:
            with answered(world, seq) as (first, _), first.reading() as transaction:
                assert after(store, seq, rules) == everything(transaction, rules), seq
        with store.reading() as transaction:
            assert everything(transaction, rules) == now  # nothing of it is left


@pytest.mark.parametrize("number", many(range(32), share=8))
def test_an_export_of_what_was_comes_in_elsewhere_and_goes_out_the_same(number: int) -> None:
    world = replace(world_of(2000 + number), later_scopes=None, change_at=None)
    rules = present_rules(world)
    with answered(world) as (store, _), store.reading() as transaction:
        transaction.look_back(random.Random(number).randint(1, transaction.last_seq))
        data = written_in(transaction, rules)
    with sqlite.temporary(8) as other:
        taken_in(data, other, rules)
        assert written(other, rules) == data


def is_erasure(request: object) -> bool:
    return isinstance(request, dict) and request.get("type") == "erase"


@pytest.mark.parametrize("number", many(range(60), share=12))
def test_what_was_erased_stays_erased(number: int) -> None:
    """Of others, an identifier is missing only if it was the erased profile's and nobody's now."""
    world = world_of(1000 + number)
    rules = present_rules(world)
    rng = random.Random(number)
    with answered(world) as (store, answers):
        with store.reading() as transaction:
            erased = {each.mpid: each for each in transaction.erasures()}
            last = transaction.last_seq
        ever = {
            (change.identifier.type, change.identifier.value)
            for answer in answers
            if isinstance(answer.outcome, Decision)
            for change in answer.outcome.changes
            if change.mpid in erased
        }
        for seq in rng.sample(range(1, last + 1), k=min(6, last)):
            with answered(world, seq) as (first, _):
                erase_too(first, rules, erased)
                with first.reading() as transaction:
                    wanted = everything(transaction, rules)
            found = after(store, seq, rules)
            assert [*found["profiles"]] == [*wanted["profiles"]]
            assert not {*found["profiles"]} & {*erased}
            for mpid, its in found["profiles"].items():
                missing = held_in(wanted["profiles"][mpid]) - held_in(its)
                assert held_in(its) <= held_in(wanted["profiles"][mpid])
                assert missing <= ever
                if not missing:
                    assert its == wanted["profiles"][mpid]
            assert without_times(found) == without_times(wanted), seq


def erase_too(store: SqliteStore, rules: Organization, erased: Mapping[int, Erasure]) -> None:
    """Erase those who were erased later, as far as they are there by now."""
    for mpid, erasure in erased.items():
        with store.reading() as transaction:
            is_there = transaction.find(mpid) is not None
        if is_there:
            request = {"type": "erase", "scope": erasure.scope, "mpid": str(mpid)}
            answer = Engine(rules, store, now=lambda: 0).one_shot(request)
            assert answer.status is Status.ERASED


def held_in(profile: Json) -> set[tuple[str, str]]:
    return {(kind, value) for kind, values in profile["identities"].items() for value in values}


def without_times(found: Json) -> Json:
    """What profiles have; by an alias with one that was erased it may have been seen earlier."""
    times = ("first_seen_ms", "last_stored_ms")
    return {
        "data": {
            mpid: {name: value for name, value in data.items() if name not in times}
            for mpid, data in found["data"].items()
        },
        "latest": found["latest"],
        "records": [
            line
            for line in found["records"]
            if not line.startswith(('{"record": "times"', '{"record": "erasure"'))
        ],
    }
