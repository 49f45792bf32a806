"""An export into a new store and out again is the same file, byte for byte (section 9)."""

import json
import random
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from io import BytesIO
from itertools import chain
from pathlib import Path

import pytest

from idsync_cli import wire
from idsync_cli.core.config.rules import Organization
from idsync_cli.core.scoped_profile import scoped
from idsync_cli.engine.engine import Engine
from idsync_cli.files.data_lines import KINDS as RECORD_KINDS
from idsync_cli.files.profile_lines import ProfileFile, read_jsonl
from idsync_cli.store.api import Store, Transaction
from idsync_cli.transfer.profile_export import RecordLines
from idsync_cli.transfer.profile_import import Imported, import_profiles
from tests.comparison import answer_all, data_in, exported, incoming, parts
from tests.many import many
from tests.stores import KINDS
from tests.test_schemas import assert_valid, is_valid
from tests.worlds import World, random_world

LINES = RecordLines(wire.record_line, wire.digest_key_line)


# Each world goes from a store of one kind into one of another, and so do all pairs of kinds.
PAIRS = [(one, other) for one in KINDS for other in KINDS]


def world_of(number: int) -> World:
    """A world under one configuration: what an earlier one let in, an import may refuse."""
    rng = random.Random(f"whole {number}")
    world = random_world(rng, crowd=number % 6 == 5, sizes=(5, 9))
    return replace(world, later_scopes=None, change_at=None)


def lived_in(store: Store, world: World, now_ms: int = 5) -> Organization:
    """The rules by which all requests of a world were answered last, in a store."""
    for rules, requests in parts(world):
        engine = Engine(rules, store, now=lambda: now_ms)
        for _ in answer_all(engine, requests, chunk_size=9):
            pass
    return rules


def written(store: Store, rules: Organization, scope: str | None = None) -> bytes:
    """An export of a store of any kind."""
    with store.reading() as transaction:
        return written_in(transaction, rules, scope)


def written_in(transaction: Transaction, rules: Organization, scope: str | None = None) -> bytes:
    """An export of what a transaction sees."""
    profiles = [
        wire.encode(wire.profile_json(scoped(profile, name, rules.scopes.get(name))))
        for name, profile in transaction.profiles(rules.scopes)
        if scope in (None, name)
    ]
    lines = [*profiles, *LINES.of(transaction.records(scope))]
    return b"".join(line.encode("ascii") + b"\n" for line in lines)


def taken_in(data: bytes, store: Store, rules: Organization, now_ms: int = 99) -> Imported:
    """Import a file into a store of any kind."""
    read = partial(read_jsonl, ProfileFile("-", BytesIO(data)), rules)
    with store.writing() as transaction:
        return import_profiles("-", read, rules, transaction, now_ms=now_ms)


@pytest.mark.parametrize("number", many(range(48), share=16))
def test_an_export_into_a_new_store_and_out_again_is_the_same_file(
    tmp_path: Path, number: int
) -> None:
    world, (kind, other_kind) = world_of(number), PAIRS[number % len(PAIRS)]
    with KINDS[kind](tmp_path, world.seed) as store:
        rules = lived_in(store, world)
        data, there = written(store, rules), everything(store, rules)
        with store.reading() as transaction:
            highest = max(numbers_in(data), default=0)
            assert highest <= transaction.last_seq
    for seed in (world.seed, 8):
        with KINDS[other_kind](tmp_path, seed) as other:
            came = taken_in(data, other, rules)
            of_file = came.profiles + came.records + came.erasures + data.count(KEY)
            assert of_file == len(data.splitlines())
            assert written(other, rules) == data
            assert everything(other, rules) == there
            with other.reading() as transaction:
                assert transaction.last_seq == highest


KEY = b'{"record": "digest_key"'


def everything(store: Store, rules: Organization) -> object:
    """Profiles and what they have; times only where an export has them."""
    data = data_in(store)
    for each in data:
        if not any(each[name] for name in HAVE_TIMES):
            del each["first_seen_ms"], each["last_stored_ms"]
    return exported(store, rules), data


HAVE_TIMES = ("attributes", "events", "devices", "consent_state", "status_messages")


def numbers_in(data: bytes) -> Iterator[int]:
    for line in data.splitlines():
        value = wire.decode_json(line)
        assert isinstance(value, dict)
        yield value.get("seq") or value.get("created_seq") or 0


@pytest.mark.parametrize("number", many(range(32), share=8))
def test_a_store_goes_on_as_if_all_had_been_answered_there(tmp_path: Path, number: int) -> None:
    """The requests that follow are answered alike, ids that came before are known as such."""
    world, (kind, other_kind) = world_of(100 + number), PAIRS[-1 - number % len(PAIRS)]
    half = len(world.requests) // 2
    with (
        KINDS[kind](tmp_path, world.seed) as store,
        KINDS[other_kind](tmp_path, world.seed) as other,
    ):
        rules = lived_in(store, replace(world, requests=world.requests[:half]))
        taken_in(written(store, rules), other, rules)
        with other.writing() as transaction:
            transaction.advance_to(half)
        answers, others = (goes_on(its, world, rules, half) for its in (store, other))
        assert answers == others
        assert without_times(written(store, rules)) == without_times(written(other, rules))


def goes_on(store: Store, world: World, rules: Organization, half: int) -> list[wire.Json]:
    """The answers to the second half of a world; an import has less history to erase."""
    engine = Engine(rules, store, now=lambda: 5)
    requests = incoming(world.requests[half:])
    found = chain.from_iterable(answer_all(engine, requests, chunk_size=4))
    answers = [wire.answer_json(each, explain=False) for each in found]
    for answer in answers:
        if answer["status"] == "erased":
            answer["taken_from"] = []
            answer["counts"] |= {"history": 0, "values": 0}
    return answers


def without_times(data: bytes) -> list[bytes]:
    """The lines of an export; of a profile that had no data there were no times to bring."""
    return [line for line in data.splitlines() if not line.startswith(b'{"record": "times"')]


@pytest.mark.parametrize("number", range(12))
def test_an_export_of_one_scope_has_what_is_in_it(tmp_path: Path, number: int) -> None:
    kind = [*KINDS][number % len(KINDS)]
    world = next(
        world
        for tried in range(100 * number, 100 * number + 99)
        if len((world := world_of(tried)).scopes) == 2
    )
    with KINDS[kind](tmp_path, world.seed) as store:
        rules = lived_in(store, world)
        parts_of_it = [written(store, rules, name) for name in rules.scopes]
        whole = written(store, rules)
    lines = [line for part in parts_of_it for line in part.splitlines()]
    assert {*lines} == {*whole.splitlines()}


def test_every_record_is_as_its_schema_says() -> None:
    kinds: set[str] = set()
    for number in range(30):
        world = world_of(number)
        with KINDS["memory"](Path(), world.seed) as store:
            data = written(store, lived_in(store, world))
        for line in data.splitlines():
            value = json.loads(line)
            if "record" in value:
                assert_valid("record", value)
                kinds.add(value["record"])
                assert not is_valid("record", value | {"more": 1})
                assert not is_valid("record", value | {"record": "other"})
    assert kinds == {*RECORD_KINDS, "erasure"}
