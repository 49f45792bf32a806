"""What a request names is all that a store is asked for it, and all that it changes.

So whoever has what came before of the same people can answer it alone (engine/names.py).
"""

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import pytest

from idsync_cli import wire
from idsync_cli.core.config.rules import Organization, ScopeRules
from idsync_cli.core.data.batch_ids import key_of
from idsync_cli.core.data.values import Alias, ProfileData
from idsync_cli.core.decision import Answer, Decision
from idsync_cli.core.erasure import Erasure, ErasureReport
from idsync_cli.core.identity import Identifier, IdentityType, mpid_of
from idsync_cli.core.lookup import CarriedOut, Lookup
from idsync_cli.core.profile import Profile, ProfileView
from idsync_cli.core.records import DataRecord, Record, TimesRecord
from idsync_cli.engine.answering import Answering
from idsync_cli.engine.labels import Labels
from idsync_cli.engine.names import Names, names_of
from idsync_cli.store.api import Store, Transaction
from idsync_cli.store.causes import KeptRequest
from idsync_cli.store.memory import MemoryStore
from idsync_cli.store.values import EVERY_PROFILE, HistoryEntry, ProfileFilter, RequestEntry
from idsync_cli.wire import Incoming, Reader, Reading
from tests.comparison import parts
from tests.many import many
from tests.reference_model import Json, Model
from tests.stores import KINDS, Make, every_kind
from tests.worlds import LABELS, Asker, World, random_scope, random_world

WORLDS = range(20)
SPARSE = range(40)


@lru_cache
def of_world(number: int) -> World:
    return random_world(random.Random(f"asked {number}"), crowd=number % 4 == 0)


# ---- The recorder


@dataclass
class Request:
    """One request, with all that may be asked and changed for it, so far.

    `led_to` has the MPIDs of the profiles that were found by what it names, or made by it;
    `held` what those of them hold that were asked what they hold.
    """

    reading: Reading
    names: Names
    named_mpids: set[int]
    new_mpids: set[int]
    led_to: set[int] = field(default_factory=set)
    held: set[tuple[int, Identifier]] = field(default_factory=set)

    def may_look_for(self, identifier: Identifier) -> None:
        assert identifier in self.names.identifiers

    def may_ask(self, profile: ProfileView) -> None:
        assert profile.mpid in self.led_to

    def may_ask_of_type(self, profile: ProfileView, kind: IdentityType) -> None:
        self.may_ask(profile)
        assert kind in self.named_types()

    def may_ask_whether_it_holds(self, profile: ProfileView, identifier: Identifier) -> None:
        self.may_ask(profile)
        its_own = profile.mpid in self.named_mpids and (profile.mpid, identifier) in self.held
        assert identifier in self.names.identifiers or its_own

    def may_change(self, mpid: int, identifier: Identifier) -> None:
        assert mpid in self.led_to
        its_own = mpid in self.named_mpids and (mpid, identifier) in self.held
        assert identifier in self.names.identifiers or its_own
        assert identifier.type in self.named_types()

    def named_types(self) -> set[IdentityType]:
        return {*(each.type for each in self.names.identifiers), *(self.reading.identities or ())}

    def found(self, profiles: Sequence[ProfileView]) -> Sequence[ProfileView]:
        self.led_to |= {each.mpid for each in profiles}
        return profiles


class RecordedLookup(Lookup):
    """Look-ups of another store, none of which may be about what the request does not name."""

    def __init__(self, lookup: Lookup, request: Request) -> None:
        self.lookup = lookup
        self.request = request

    def known(self, identifier: Identifier, limit: int | None = None) -> Sequence[ProfileView]:
        self.request.may_look_for(identifier)
        return self.request.found(self.lookup.known(identifier, limit))

    def anonymous(
        self,
        identifiers: Sequence[Identifier],
        limit: int | None = None,
        lacking: Identifier | None = None,
    ) -> Sequence[ProfileView]:
        for each in (*identifiers, *(() if lacking is None else (lacking,))):
            self.request.may_look_for(each)
        return self.request.found(self.lookup.anonymous(identifiers, limit, lacking))

    def profile(self, mpid: int) -> ProfileView | None:
        assert mpid in self.request.named_mpids
        found = self.lookup.profile(mpid)
        self.request.found(() if found is None else (found,))
        return found

    def holds(self, profile: ProfileView, identifier: Identifier) -> bool:
        self.request.may_ask_whether_it_holds(profile, identifier)
        return self.lookup.holds(profile, identifier)

    def values_of(self, profile: ProfileView, identity_type: IdentityType) -> Sequence[str]:
        self.request.may_ask_of_type(profile, identity_type)
        values = self.lookup.values_of(profile, identity_type)
        self.request.held |= {(profile.mpid, Identifier(identity_type, each)) for each in values}
        return values

    def identifiers_of(self, profile: ProfileView) -> tuple[Identifier, ...]:
        self.request.may_ask(profile)
        return self.lookup.identifiers_of(profile)

    def was_given_out(self, mpid: int) -> bool:
        assert mpid in self.request.new_mpids
        return self.lookup.was_given_out(mpid)

    def carried_out(self, digest: bytes) -> CarriedOut | None:
        assert digest in self.request.names.digests
        found = self.lookup.carried_out(digest)
        if found is not None and found.profile is not None:
            self.request.found((found.profile,))
        return found

    def aliases_from(self, profile: ProfileView) -> Sequence[Alias]:
        self.request.may_ask(profile)
        found = self.lookup.aliases_from(profile)
        self.request.led_to |= {each.destination_mpid for each in found}
        return found

    def aliases_to(self, profile: ProfileView) -> Sequence[Alias]:
        self.request.may_ask(profile)
        return self.lookup.aliases_to(profile)

    def count_events(self, profile: ProfileView, start_ms: int, end_ms: int) -> int:
        self.request.may_ask(profile)
        return self.lookup.count_events(profile, start_ms, end_ms)


class RecordedTransaction(Transaction):
    """A transaction of another store, in which nothing may change that the request does not name.

    What the engine does not need of a transaction to answer, it may not use.
    """

    def __init__(self, transaction: Transaction, request: Request) -> None:
        self.transaction = transaction
        self.named = request

    def prefetch(
        self,
        scope: str,
        rules: ScopeRules,
        identifiers: Iterable[Identifier],
        mpids: Iterable[int],
        digests: Iterable[bytes] = (),
    ) -> None:
        identifiers, mpids, digests = list(identifiers), list(mpids), list(digests)
        assert set(identifiers) == set(self.named.names.identifiers)
        assert set(mpids) == self.named.named_mpids
        assert set(digests) == set(self.named.names.digests)
        self.transaction.prefetch(scope, rules, identifiers, mpids, digests)

    def lookup(self, scope: str, rules: ScopeRules) -> Lookup:
        assert (scope, rules) == (self.named.reading.scope, self.named.reading.rules)
        return RecordedLookup(self.transaction.lookup(scope, rules), self.named)

    def apply(self, decision: Decision, scope: str, rules: ScopeRules, entry: RequestEntry) -> None:
        assert decision.profile is not None
        request = self.named
        if decision.created:
            assert decision.profile.mpid in request.new_mpids
            request.led_to.add(decision.profile.mpid)
        request.may_ask(decision.profile)
        for change in decision.changes:
            request.may_change(change.mpid, change.identifier)
        for update in decision.updates:
            request.may_ask(update.profile)
        self.transaction.apply(decision, scope, rules, entry)

    def survey(self, erasure: Erasure) -> ErasureReport:
        assert erasure.mpid in self.named.led_to
        return self.transaction.survey(erasure)

    @property
    def remembers_rules(self) -> bool:
        return True

    def remember_rules(self, rules: Mapping[str, str]) -> None:
        raise AssertionError("it is said that they are remembered")

    @property
    def last_seq(self) -> int:
        raise AssertionError("the caller gives the numbers")

    def advance_to(self, seq: int) -> None:
        raise AssertionError("the caller gives the numbers")

    def is_taken(self, seq: int) -> bool:
        raise AssertionError("the caller gives the numbers")

    @property
    def seed(self) -> int:
        raise AssertionError("the engine has it from the store")

    def stale_scopes(self, rules: Mapping[str, ScopeRules]) -> tuple[str, ...]:
        raise AssertionError("a transaction is prepared before")

    def align(self, rules: Mapping[str, ScopeRules]) -> tuple[str, ...]:
        raise AssertionError("a transaction is prepared before")

    def insert(self, scope: str, profile: Profile, rules: ScopeRules, time_ms: int | None) -> None:
        raise AssertionError("no request does it")

    def insert_erasure(self, erasure: Erasure) -> None:
        raise AssertionError("no request does it")

    def insert_record(self, record: TimesRecord | DataRecord, time_ms: int) -> bool:
        raise AssertionError("no request does it")

    def records(self, scope: str | None = None) -> Iterator[Record]:
        raise AssertionError("this is for exports")

    def view(self, mpid: int) -> tuple[str, ProfileView] | None:
        raise AssertionError("this is for imports")

    @property
    def other_batch_keys(self) -> Sequence[bytes]:
        return self.transaction.other_batch_keys

    def requests(self, seq: int | None = None) -> Iterator[KeptRequest]:
        raise AssertionError("this is for people")

    def erasures(self, mpid: int | None = None) -> Iterator[Erasure]:
        raise AssertionError("this is for people")

    def flush(self) -> None:
        raise AssertionError("a transaction is ended elsewhere")

    def remembered_rules(self) -> dict[str, str]:
        raise AssertionError("this is for people")

    def scopes(self) -> tuple[str, ...]:
        raise AssertionError("this is for people")

    def find(self, mpid: int) -> tuple[str, Profile] | None:
        raise AssertionError("this is for people")

    def profiles(
        self, rules: Mapping[str, ScopeRules], asked: ProfileFilter = EVERY_PROFILE
    ) -> Iterator[tuple[str, Profile]]:
        raise AssertionError("this is for people")

    def count_profiles(
        self, rules: Mapping[str, ScopeRules], asked: ProfileFilter = EVERY_PROFILE
    ) -> int:
        raise AssertionError("this is for people")

    def data_of(self, mpid: int, events: int | None = None) -> ProfileData | None:
        raise AssertionError("this is for people")

    def holding(self, scope: str, identifier: Identifier) -> list[Profile]:
        raise AssertionError("this is for people")

    def history(
        self,
        mpid: int | None = None,
        identifier: Identifier | None = None,
        limit: int | None = None,
    ) -> Iterator[HistoryEntry]:
        raise AssertionError("this is for people")


@contextmanager
def prepared(store: Store, organization: Organization) -> Iterator[Transaction]:
    with store.writing() as transaction:
        transaction.align(organization.scopes)
        yield transaction


def answering(organization: Organization, seed: int) -> Answering:
    return Answering(organization, seed, now=lambda: 0, explain=True)


def lines(answers: Iterable[Answer]) -> dict[int, bytes]:
    """Answers as lines, by their numbers."""
    return {each.seq: wire.answer_line(each, explain=True) for each in answers}


def whole(world: World, store: Store) -> dict[int, bytes]:
    """The answers to a world, one part in one transaction; numbers are those of the lines."""
    answers: list[Answer] = []
    labels = Labels()
    for organization, requests in parts(world):
        with prepared(store, organization) as transaction:
            first = len(answers) + 1
            seqs = range(first, first + len(requests))
            its = answering(organization, world.seed)
            answers += its.answer_all(requests, seqs, transaction, labels)
    return lines(answers)


@every_kind
@pytest.mark.parametrize("number", many(WORLDS, share=4))
def test_nothing_is_asked_or_changed_but_what_a_request_names(
    make: Make, tmp_path: Path, number: int
) -> None:
    world = of_world(number)
    answers: list[Answer] = []
    labels = Labels()
    with make(tmp_path, world.seed) as store:
        for organization, requests in parts(world):
            reader = Reader(organization, None, key_of(world.seed))
            its = answering(organization, world.seed)
            with prepared(store, organization) as transaction:
                for each in requests:
                    seq = len(answers) + 1
                    reading = reader.read(each.request)
                    names = names_of(reading)
                    mpids = {*names.mpids, *(labels[it] for it in names.labels if it in labels)}
                    new = {mpid_of(world.seed, seq, attempt) for attempt in range(3)}
                    request = Request(reading, names, mpids, new)
                    recorded = RecordedTransaction(transaction, request)
                    answers += its.answer_all([each], [seq], recorded, labels)
        assert len(answers) == len(world.requests)
        with MemoryStore(world.seed) as other:
            assert lines(answers) == whole(world, other)


# ---- Answered alone


class Strangers(Asker):
    """Asks for one of several who have little to do with one another."""

    somebody = 0

    def request(self) -> Json:
        self.somebody = self.rng.randrange(6)
        request = super().request()
        if request.get("label"):
            request["label"] += str(self.somebody)
        for name in ("source_request_id", "mp_deviceid"):
            if request.get(name):
                request[name] = f"{self.somebody}{request[name]}"
        return request

    def value(self) -> str:
        return f"{self.somebody}{self.rng.choice('aaabbcAB' if self.is_guarded else 'aaabbc')}"

    def mpid(self, scope: str) -> object:
        """A profile of the same person, if there is any, or none at all."""
        rng, its_own = self.rng, str(self.somebody)
        mpids = [
            each.mpid
            for each in self.model.profiles.values()
            if each.scope == scope and any(value.startswith(its_own) for _, value in each.held)
        ]
        mpid = rng.choice(mpids or [1, -1])
        names = [label for label, named in self.model.labels.items() if named == mpid]
        if self.chance(0.1):
            names = [LABELS[0] + its_own]
        return "@" + rng.choice(names) if names and self.chance(0.7) else str(mpid)


@lru_cache
def sparse_world(number: int) -> World:
    rng = random.Random(f"sparse {number}")
    names = ["scope-0", "scope-1"][: rng.choice([1, 2])]
    scopes: dict[str, Json] = {name: random_scope(rng) for name in names}
    seed = rng.getrandbits(64)
    asker = Strangers(rng, Model(scopes, seed, {}))
    world = World(scopes, {}, asker.requests, seed)
    length = 70
    if rng.random() < 0.5:
        world.change_at = length // 2
        world.later_scopes = {name: random_scope(rng) for name in names}
    for index in range(length):
        if world.later_scopes and index == world.change_at:
            asker.model.reconfigure(world.later_scopes)
        asker.ask_something()
    return world


def people(world: World) -> list[list[int]]:
    """The numbers of the requests, those together that are connected by what they name.

    A request also names the MPID that follows from its number, and the label that it gives.
    """
    leader: dict[object, object] = {}

    def leader_of(name: object) -> object:
        while leader.setdefault(name, name) != name:
            name = leader[name]
        return name

    seq = 0
    for organization, requests in parts(world):
        reader = Reader(organization, None, key_of(world.seed))
        for each in requests:
            seq += 1
            reading = reader.read(each.request)
            names = names_of(reading)
            tied: list[object] = [
                ("mpid", mpid_of(world.seed, seq, 0)),
                *((reading.scope, identifier) for identifier in names.identifiers),
                *(("mpid", mpid) for mpid in names.mpids),
                *(("batch", digest) for digest in names.digests),
                *(("label", label) for label in names.labels),
                *(("label", label) for label in [reading.label] if label is not None),
            ]
            for name in tied:
                leader[leader_of(name)] = leader_of(("seq", seq))
    groups: dict[object, list[int]] = {}
    for number in range(1, seq + 1):
        groups.setdefault(leader_of(("seq", number)), []).append(number)
    return list(groups.values())


def alone(world: World, store: Store, seqs: Sequence[int]) -> dict[int, bytes]:
    """The answers to some requests of a world, by their numbers, and by nothing but these."""
    answers: list[Answer] = []
    labels = Labels()
    before = 0
    for organization, requests in parts(world):
        mine = [seq for seq in seqs if before < seq <= before + len(requests)]
        wanted: list[Incoming] = [requests[seq - before - 1] for seq in mine]
        before += len(requests)
        with prepared(store, organization) as transaction:
            its = answering(organization, world.seed)
            answers += its.answer_all(wanted, mine, transaction, labels)
    return lines(answers)


Left = tuple[list[tuple[str, Profile, ProfileData | None]], list[HistoryEntry]]
"""The profiles of a store with what they have, and its history."""


def left_in(store: Store) -> Left:
    with store.reading() as transaction:
        found = [*transaction.profiles({})]
        profiles = [(scope, each, transaction.data_of(each.mpid)) for scope, each in found]
        return profiles, [*transaction.history()]


@pytest.mark.parametrize("kind", ["memory", "temporary"])
@pytest.mark.parametrize("number", many(SPARSE, share=8))
def test_a_request_is_answered_by_whoever_has_what_came_before_of_the_same_people(
    kind: str, tmp_path: Path, number: int
) -> None:
    world = sparse_world(number)
    with MemoryStore(world.seed) as store:
        expected = whole(world, store)
        expected_profiles, expected_history = left_in(store)
    found: dict[int, bytes] = {}
    profiles: list[tuple[str, Profile, ProfileData | None]] = []
    history: list[HistoryEntry] = []
    for seqs in people(world):
        with KINDS[kind](tmp_path, world.seed) as store:
            found |= alone(world, store, seqs)
            its_profiles, its_history = left_in(store)
            profiles += its_profiles
            history += its_history
    assert dict(sorted(found.items())) == expected
    assert sorted(profiles, key=lambda pair: pair[1].created_seq) == expected_profiles
    assert sorted(history, key=lambda entry: entry.seq) == expected_history


def test_there_are_several_people_who_have_something_to_do_with_one_another() -> None:
    groups = [people(sparse_world(number)) for number in SPARSE]
    large = [sum(len(group) > 2 for group in each) for each in groups]
    assert sum(count >= 3 for count in large) > len(SPARSE) // 2, large
