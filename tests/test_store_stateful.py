"""Every kind of store against a plain dictionary: all make the same moves and must agree.

IDSYNC_EXAMPLES says how many stories of moves are tried.
"""

import os
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from idsync_cli import wire
from idsync_cli.core.admission import violation
from idsync_cli.core.codes import Op, RequestKind, Status
from idsync_cli.core.config.rules import Organization, ScopeRules
from idsync_cli.core.data.batch_ids import key_of
from idsync_cli.core.decide import decide
from idsync_cli.core.decision import Answer, Change, Decision, Refusal
from idsync_cli.core.erasure import Erasure
from idsync_cli.core.identity import Identifier, IdentityType
from idsync_cli.core.lookup import Lookup
from idsync_cli.core.profile import Profile, ProfileView
from idsync_cli.core.request import IdentityRequest
from idsync_cli.engine.engine import Engine
from idsync_cli.errors import StoreFault
from idsync_cli.store import sqlite as store
from idsync_cli.store.api import Store, Transaction
from idsync_cli.store.sqlite import SqliteStore
from idsync_cli.store.values import RequestEntry
from tests.core.memory import Memory
from tests.core.shorthand import altered, rules
from tests.plain_data import Brought
from tests.plain_data import told as what_it_has
from tests.stores import KINDS

CONFIGURATIONS: list[dict[str, ScopeRules]] = [
    {
        "consumers": rules("customer_id:lui email:lu other:u ios_idfv"),
        "it's couriers": rules("email:lu other ios_idfv", "profile_link"),
    },
    {  # the same, but for the login types of one scope and the order of the other
        "consumers": rules("customer_id:lui other:lu email:u ios_idfv"),
        "it's couriers": rules("email:lu ios_idfv other:u", "profile_link"),
    },
    {
        "consumers": rules("email other ios_idfv", "best_match"),
        "it's couriers": rules("ios_idfv:l email other", "profile_isolation"),
    },
]
SCOPES = sorted(CONFIGURATIONS[0])
TYPES = [*map(IdentityType, ("customer_id", "email", "other", "ios_idfv", "push_token"))]
VALUES = ["x", "y", "X", "1", "01", "é", "e\u0301", "😀", "a'b\"c;--", "%_\n\x01"]

scopes = st.sampled_from(SCOPES)
values = st.one_of(st.sampled_from(VALUES[:2]), st.sampled_from(VALUES))
identities = st.dictionaries(st.sampled_from(TYPES), values, min_size=1, max_size=3)
many_identifiers = st.lists(
    st.builds(Identifier, st.sampled_from(TYPES), values), max_size=4, unique=True
).map(tuple)
kinds = st.sampled_from(["identify", "identify", "login", "login", "logout", "search"])
openings = st.integers(0, 1)
attributes = st.dictionaries(
    st.sampled_from(["a", "b", "é'\""]), st.sampled_from(["x", 1, None, ["y", 2.5]]), max_size=3
)
events = st.lists(
    st.fixed_dictionaries(
        {"event_type": st.sampled_from(["custom_event", "opt_out"])},
        optional={
            "data": st.fixed_dictionaries(
                {},
                optional={
                    "timestamp_unixtime_ms": st.integers(1_700_000_000_000, 1_700_000_000_002)
                },
            )
        },
    ),
    max_size=3,
)


class Broken(Exception):
    """Something goes wrong in the middle of a transaction."""


def seen(profile: ProfileView) -> tuple[int, int | None, int, bool, int]:
    """All that the rules see of a profile, wherever it comes from."""
    return (
        profile.created_seq,
        profile.source_mpid,
        profile.mpid,
        profile.was_known,
        profile.types,
    )


def all_see(found: Iterable[ProfileView], expected: Iterable[ProfileView]) -> None:
    assert [*map(seen, found)] == [*map(seen, expected)]


def told(decision: Decision) -> tuple[object, ...]:
    """A decision, with the profiles by their MPIDs: they may have changed since."""
    left = [(update.profile.mpid, update.types, update.was_known) for update in decision.updates]
    plain = altered(decision, profile=None, updates=(), report=None)
    of = decision.profile
    return plain, of and (of.mpid, of.created_seq, of.source_mpid), left


class StoreAgainstDictionary(RuleBasedStateMachine):
    """Two programs have one SQLite store open, and take turns; a dictionary does what each does.

    So does a store of every other kind. The history is expected as the changes that the dictionary
    was told.
    """

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        self.path = str(Path(self.folder.name) / "store.db")
        self.known: dict[str, Memory] = {}
        self.given: list[Profile] = []
        self.changes: list[tuple[int, str, int, str, str | None]] = []
        self.kinds: dict[int, str] = {}
        self.erased: list[int] = []  # the numbers of erasures
        self.requests: list[tuple[int, str, int]] = []
        self.brought: list[Brought] = []
        self.last_seq = 0
        self.by_scope = CONFIGURATIONS[0]

    @initialize(seed=st.sampled_from([0, -7, 2**130]))
    def make_it(self, seed: int) -> None:
        given_out: set[int] = set()
        batches: dict[bytes, ProfileView | None] = {}
        self.known = {name: Memory(given_out=given_out, batches=batches) for name in SCOPES}
        self.seed = seed
        self.stores = [store.create(self.path, seed), self.opened(write=True)]
        folder = Path(self.folder.name)
        self.others = [make(folder, seed) for kind, make in KINDS.items() if kind != "file"]

    def teardown(self) -> None:
        for each in (*getattr(self, "stores", []), *getattr(self, "others", [])):
            each.close()
        self.folder.cleanup()

    def opened(self, *, write: bool) -> SqliteStore:
        opened = store.open_store(self.path, write=write)
        assert opened is not None
        return opened

    def all_at(self, at: int) -> list[Store]:
        """One of the openings, and the stores of every other kind."""
        return [self.stores[at], *self.others]

    def engines(self, at: int) -> list[tuple[Engine, list[str]]]:
        """An engine over each, and which scopes it says it brought up to date."""
        engines = []
        for each in self.all_at(at):
            aligned: list[str] = []
            organization = self.organization()
            engine = Engine(organization, each, now=lambda: 1000, on_aligned=aligned.append)
            engines.append((engine, aligned))
        return engines

    def organization(self) -> Organization:
        return Organization(None, self.by_scope, {})

    def every_profile(self) -> list[tuple[str, Profile]]:
        found = [(name, each) for name in SCOPES for each in self.known[name].profiles.values()]
        return sorted(found, key=lambda pair: pair[1].created_seq)

    def some_mpid(self, place: int) -> int:
        """One of those that are there, or nobody's."""
        mpids = [profile.mpid for _, profile in self.every_profile()]
        return [*mpids, 99][place % (len(mpids) + 1)]

    # ---- Moves

    @rule(
        at=openings,
        scope=scopes,
        mpid=st.integers(-6, 6).filter(bool),
        was_known=st.booleans(),
        identifiers=many_identifiers,
    )
    def give_a_profile(
        self,
        at: int,
        scope: str,
        mpid: int,
        was_known: bool,
        identifiers: tuple[Identifier, ...],
    ) -> None:
        profile = Profile(mpid, self.last_seq + 1, None, was_known, identifiers)
        rules = self.by_scope[scope]
        broken = violation(profile, rules, self.known[scope].under(rules))
        for each in self.all_at(at):
            with each.writing() as session:
                assert violation(profile, rules, session.lookup(scope, rules)) == broken
                if broken is None:
                    session.advance_to(profile.created_seq)
                    session.insert(scope, profile, rules, None)
        if broken is None:
            self.last_seq += 1
            self.known[scope].give(profile)
            self.given.append(profile)

    @rule(
        at=openings,
        scope=scopes,
        kind=kinds,
        known_identities=identities,
        previous=st.none() | st.integers(0, 20),
        dry_run=st.sampled_from([False, False, False, True]),
    )
    def ask(
        self,
        at: int,
        scope: str,
        kind: str,
        known_identities: dict[IdentityType, str],
        previous: int | None,
        dry_run: bool,
    ) -> None:
        request: wire.Json = {"type": kind, "scope": scope, "known_identities": known_identities}
        if previous is not None:
            request["previous_mpid"] = self.some_mpid(previous)
        self.one_shot(at, request, dry_run=dry_run)

    @rule(
        at=openings,
        scope=scopes,
        mpid=st.integers(0, 20),
        known_identities=st.dictionaries(
            st.sampled_from(TYPES), st.none() | values, min_size=1, max_size=3
        ),
    )
    def modify(
        self, at: int, scope: str, mpid: int, known_identities: dict[IdentityType, str | None]
    ) -> None:
        request = {"type": "modify", "scope": scope, "mpid": self.some_mpid(mpid)}
        self.one_shot(at, request | {"known_identities": known_identities}, dry_run=False)

    @rule(
        at=openings,
        scope=scopes,
        known_identities=identities,
        mpid=st.none() | st.none() | st.integers(0, 20),
        user_attributes=attributes,
        deleted=st.lists(st.sampled_from(["a", "b"]), max_size=1),
        events=events,
        batch_id=st.sampled_from([None, None, "1", "2", "3"]),
        ip=st.sampled_from([None, None, "::1", "::2"]),
        consent=st.sampled_from([None, None, {}, {"gdpr": {}}]),
    )
    def bring(
        self,
        at: int,
        scope: str,
        known_identities: dict[IdentityType, str],
        mpid: int | None,
        user_attributes: wire.Json,
        deleted: list[str],
        events: list[wire.Json],
        batch_id: str | None,
        ip: str | None,
        consent: wire.Json | None,
    ) -> None:
        batch: wire.Json = {"type": "batch", "scope": scope, "user_identities": known_identities}
        batch |= {"user_attributes": user_attributes, "deleted_user_attributes": deleted}
        batch |= {"events": events, "source_request_id": batch_id, "ip": ip}
        batch["consent_state"] = consent
        if mpid is not None:
            batch["mpid"] = self.some_mpid(mpid)
        self.one_shot(at, batch, dry_run=False)

    @precondition(lambda self: self.every_profile())
    @rule(
        at=openings,
        place=st.integers(0, 20),
        dry_run=st.sampled_from([False, False, False, True]),
        finish=st.booleans(),
    )
    def erase(self, at: int, place: int, dry_run: bool, finish: bool) -> None:
        everybody = self.every_profile()
        scope, profile = everybody[place % len(everybody)]
        request = {"type": "erase", "scope": scope, "mpid": profile.mpid}
        self.one_shot(at, request, dry_run=dry_run)
        for each in self.all_at(at) if finish else ():
            assert each.finish_erasures()

    @rule(at=openings, scope=scopes, known_identities=identities)
    def erase_by_identities(
        self, at: int, scope: str, known_identities: dict[IdentityType, str]
    ) -> None:
        request = {"type": "erase", "scope": scope, "known_identities": known_identities}
        self.one_shot(at, request, dry_run=False)

    def one_shot(self, at: int, request: wire.Json, *, dry_run: bool) -> None:
        expected = self.expected(request)
        if dry_run:
            with self.opened(write=False) as reader:
                engine = Engine(self.organization(), reader, now=lambda: 1000)
                self.compare(engine.one_shot(request, dry_run=True), expected)
        engines = self.engines(at)
        answers = [engine.one_shot(request, dry_run=dry_run) for engine, _ in engines]
        for answer in answers:
            self.compare(answer, expected)
        assert {wire.encode(wire.answer_json(each, explain=False)) for each in answers} == {
            wire.encode(wire.answer_json(answers[0], explain=False))
        }
        self.all_say_the_same(engines)
        if isinstance(expected, Decision) and expected.changes_the_store and not dry_run:
            self.do(request, expected)
            self.last_seq += 1

    @rule(
        at=openings,
        asked=st.lists(st.tuples(scopes, kinds, identities), min_size=1, max_size=4),
        breaks=st.sampled_from(["", "", "while it is read", "while it is kept"]),
    )
    def ask_several(
        self, at: int, asked: list[tuple[str, str, dict[IdentityType, str]]], breaks: str
    ) -> None:
        """In one transaction; if it breaks behind the last of them, nothing is kept."""
        requests: list[wire.Json] = [
            {"type": kind, "scope": scope, "known_identities": known_identities}
            for scope, kind, known_identities in asked
        ]

        def incoming() -> Iterator[wire.Incoming]:
            yield from map(wire.Incoming, requests)
            if breaks == "while it is read":
                raise Broken

        def keep(session: Transaction) -> None:
            assert session.last_seq == self.last_seq + len(requests)
            if breaks == "while it is kept":
                raise Broken

        engines = self.engines(at)
        if breaks:
            for engine, _ in engines:
                with pytest.raises(Broken):
                    engine.batch(incoming(), before_commit=keep)
            return
        answers = [engine.batch(incoming()) for engine, _ in engines]
        self.all_say_the_same(engines)
        for request, *answered in zip(requests, *answers, strict=True):
            expected = self.expected(request)
            for answer in answered:
                self.compare(answer, expected)
            if isinstance(expected, Decision) and expected.changes_the_store:
                self.do(request, expected)
            self.last_seq += 1

    def expected(self, request: wire.Json) -> Decision | Refusal:
        """What the core decides over the dictionary."""
        scope = request["scope"]
        rules = self.by_scope[scope]
        try:
            reader = wire.Reader(self.organization(), None, key_of(self.seed))
            asked = wire.request_of(reader.read(request), {})
            lookup = self.known[scope].under(rules)
            return decide(asked, rules, lookup, self.last_seq + 1, self.seed)
        except Refusal as refusal:
            return refusal

    def all_say_the_same(self, engines: list[tuple[Engine, list[str]]]) -> None:
        aligned = [scopes for _, scopes in engines]
        assert aligned == [aligned[0]] * len(aligned)

    def compare(self, answer: Answer, expected: Decision | Refusal) -> None:
        assert answer.seq == self.last_seq + 1
        found = answer.outcome
        if isinstance(expected, Refusal):
            assert isinstance(found, Refusal)
            assert (found.code, found.message) == (expected.code, expected.message)
        else:
            assert isinstance(found, Decision)
            assert told(found) == told(expected)

    def do(self, request: wire.Json, decision: Decision) -> None:
        assert decision.profile is not None
        if decision.status is Status.ERASED:
            self.forget(request["scope"], decision.profile.mpid)
            return
        self.known[request["scope"]].apply(decision)
        seq = self.last_seq + 1
        self.kinds[seq] = request["type"]
        self.requests.append((seq, request["type"], decision.profile.mpid))
        self.brought.append(Brought(decision.profile.mpid, seq, 1000, decision.data))
        for change in decision.changes:
            kind, value = change.identifier.type, change.identifier.value
            self.changes.append((seq, change.op.value, change.mpid, kind.value, value))

    def forget(self, scope: str, mpid: int) -> None:
        """Let nothing be left of a profile but the number of its erasure."""
        scope_of = {each.mpid: name for name, each in self.every_profile()}
        known = self.known[scope]
        profile = known.profiles.pop(mpid)
        held = {each for other in known.profiles.values() for each in other.identifiers}
        ever = {(each.type.value, each.value) for each in profile.identifiers}
        ever |= {(kind, value) for _, _, its, kind, value in self.changes if its == mpid and value}
        lost = ever - {(each.type.value, each.value) for each in held}
        self.changes = [
            (
                seq,
                op,
                its,
                kind,
                None if (kind, value) in lost and scope_of[its] == scope else value,
            )
            for seq, op, its, kind, value in self.changes
            if its != mpid
        ]
        self.requests = [each for each in self.requests if each[2] != mpid]
        self.brought = [each for each in self.brought if each.mpid != mpid]
        self.given = [each for each in self.given if each.mpid != mpid]
        for digest, answer in known.batches.items():
            if answer is not None and answer.mpid == mpid:
                known.batches[digest] = None
        self.erased.append(self.last_seq + 1)

    @rule(at=openings, scope=scopes, identifiers=many_identifiers)
    def write_and_break(self, at: int, scope: str, identifiers: tuple[Identifier, ...]) -> None:
        """Whatever was written in a transaction that breaks is gone."""
        for each in self.all_at(at):
            with pytest.raises(Broken):
                self.break_a_transaction(each, scope, identifiers)

    def break_a_transaction(
        self, each: Store, scope: str, identifiers: tuple[Identifier, ...]
    ) -> None:
        with each.writing() as session:
            self.scribble(session, scope, identifiers)
            raise Broken

    @rule(at=openings, scope=scopes, identifiers=many_identifiers)
    def write_while_reading(self, at: int, scope: str, identifiers: tuple[Identifier, ...]) -> None:
        for each in self.all_at(at):
            with each.reading() as session:
                self.scribble(session, scope, identifiers)

    @rule(scope=scopes, identifiers=many_identifiers)
    def write_into_a_store_that_was_opened_for_reading(
        self, scope: str, identifiers: tuple[Identifier, ...]
    ) -> None:
        with self.opened(write=False) as reader:
            with pytest.raises(StoreFault, match="readonly"), reader.writing() as session:
                self.scribble(session, scope, identifiers)
            with reader.reading() as session:
                assert list(session.profiles(self.by_scope)) == self.every_profile()

    def scribble(
        self, session: Transaction, scope: str, identifiers: tuple[Identifier, ...]
    ) -> None:
        """Everything that a transaction can do."""
        session.advance_to(session.last_seq + 5)
        rules = self.by_scope[scope]
        session.align(self.by_scope)
        session.insert(scope, Profile(77, session.last_seq, None, True, identifiers), rules, None)
        asked = IdentityRequest(
            RequestKind.IDENTIFY, [Identifier(IdentityType.IOS_IDFV, "scribbled")]
        )
        seq = session.last_seq + 1
        decision = decide(asked, rules, session.lookup(scope, rules), seq, self.seed)
        session.advance_to(seq)
        session.apply(decision, scope, rules, RequestEntry(seq, 1000, RequestKind.IDENTIFY))
        session.remember_rules({scope: "scribbled"})
        session.flush()
        assert session.is_taken(seq)

    @rule(number=st.integers(0, len(CONFIGURATIONS) - 1))
    def configure(self, number: int) -> None:
        """From now on by other rules; the store is told of them by the next request."""
        self.by_scope = CONFIGURATIONS[number]

    @rule(at=openings)
    def close_and_open_again(self, at: int) -> None:
        self.stores[at].close()
        self.stores[at] = self.opened(write=True)
        assert self.stores[at].seed == self.seed

    @precondition(lambda self: self.changes)
    @rule(
        at=openings,
        statement=st.sampled_from(
            [
                f"{act} {table} {rest}"
                for table in ("changes", "requests")
                for act, rest in (("UPDATE", "SET created_seq = 5"), ("DELETE FROM", ""))
            ]
        ),
        seq=st.none() | st.integers(0, 50),
    )
    def rewrite_the_history(self, at: int, statement: str, seq: int | None) -> None:
        there = sorted({change[0] for change in self.changes})
        where = "" if seq is None else f" WHERE seq = {there[seq % len(there)]}"
        with pytest.raises(sqlite3.IntegrityError, match="only ever appended to"):
            self.stores[at].connection.execute(statement + where)

    # ---- What both must agree about after every move

    @invariant()
    def all_profiles_are_the_same(self) -> None:
        remembered = []
        for each in (*self.stores, *self.others):
            with each.reading() as session:
                assert session.last_seq == self.last_seq
                assert list(session.profiles(self.by_scope)) == self.every_profile()
                named = sorted({name for name, _ in self.every_profile()})
                assert list(session.scopes()) == named
                remembered.append(session.remembered_rules())
                taken = {*(each.seq for each in self.brought), *self.numbers_of_profiles()}
                taken |= {*(each[0] for each in self.changes), *self.erased}
                assert [each.seq for each in session.erasures()] == self.erased
                for seq in range(self.last_seq + 2):
                    assert session.is_taken(seq) is (seq in taken)
        assert remembered == [remembered[0]] * len(remembered)

    @invariant()
    def everybody_has_the_same_data(self) -> None:
        mpids = [profile.mpid for _, profile in self.every_profile()]
        expected = {mpid: what_it_has(mpid, self.brought) for mpid in mpids}
        for each in (*self.stores, *self.others):
            with each.reading() as session:
                assert {mpid: session.data_of(mpid) for mpid in mpids} == expected

    def numbers_of_profiles(self) -> list[int]:
        return [profile.created_seq for _, profile in self.every_profile()]

    @invariant()
    def every_look_up_finds_the_same(self) -> None:
        for each in (*self.stores, *self.others):
            with each.reading() as session:
                for scope in SCOPES:
                    self.look_up_everything(session, scope)

    def look_up_everything(self, session: Transaction, scope: str) -> None:
        rules, known = self.by_scope[scope], self.known[scope]
        found, expected_of = session.lookup(scope, rules), known.under(rules)
        every = [Identifier(kind, value) for kind in TYPES for value in VALUES]
        held = {each for profile in known.profiles.values() for each in profile.identifiers}
        for identifier in every:
            holders = [*known.holders(identifier)]
            oldest_first = sorted(holders, key=lambda profile: profile.created_seq)
            assert session.holding(scope, identifier) == oldest_first
            self.look_up(found, expected_of, identifier, held)
        for mpid in [*known.given_out, 77, 99]:
            its, expected = found.profile(mpid), expected_of.profile(mpid)
            if its is None or expected is None:
                assert (its, expected) == (None, None)
            else:
                all_see([its], [expected])
                for identifier in held:
                    assert found.holds(its, identifier) is (identifier in expected.identifiers)
                for kind in TYPES:
                    assert list(found.values_of(its, kind)) == list(expected.values_of(kind))
                assert found.identifiers_of(its) == expected.identifiers
            assert found.was_given_out(mpid) is (mpid in known.given_out)
            home = [pair for pair in self.every_profile() if pair[1].mpid == mpid]
            assert session.find(mpid) == (home[0] if home else None)

    def look_up(
        self,
        found: Lookup,
        known: Lookup,
        identifier: Identifier,
        held: set[Identifier],
    ) -> None:
        """Who holds an identifier, known and anonymous, alone and together with others."""
        everybody = known.known(identifier)
        assert sorted(map(seen, found.known(identifier))) == sorted(map(seen, everybody))
        for few in (1, 2):
            newest = sorted(map(seen, found.known(identifier, few)))
            assert newest == sorted(map(seen, known.known(identifier, few)))
        one = (identifier,)
        in_order = sorted(held, key=lambda each: (each.type, each.value))
        others = [in_order[self.last_seq % len(held)]] if identifier in held else []
        for limit in (None, 1, 2):
            all_see(found.anonymous(one, limit), known.anonymous(one, limit))
            for other in others:
                both = identifier, other
                all_see(found.anonymous(both, limit), known.anonymous(both, limit))
                all_see(
                    found.anonymous(one, limit, lacking=other),
                    known.anonymous(one, limit, lacking=other),
                )

    @invariant()
    def the_history_adds_up_to_the_present(self) -> None:
        connection = self.stores[0].connection
        rows = connection.execute(
            "SELECT seq, op, mpid, identity_type, value FROM history"
        ).fetchall()
        assert rows == self.changes
        for each in (*self.stores, *self.others):
            with each.reading() as session:
                self.look_at_the_history(session)
        entries = connection.execute(
            "SELECT seq, type, mpid FROM requests JOIN outcomes USING (outcome_id)"
            " JOIN profiles USING (created_seq) ORDER BY seq"
        ).fetchall()
        assert entries == self.requests
        held = {profile.mpid: list(profile.identifiers) for profile in self.given}
        for _, op, mpid, kind, value in rows:
            if value is None:
                continue
            identifiers = held.setdefault(mpid, [])
            identifier = Identifier(IdentityType(kind), value)
            if op == Op.ADD:
                identifiers.append(identifier)
            else:
                identifiers.remove(identifier)
        present = {profile.mpid: list(profile.identifiers) for _, profile in self.every_profile()}
        assert held == present

    def look_at_the_history(self, session: Transaction) -> None:
        entries = [*session.history()]
        assert [
            (each.seq, its.op, its.mpid, its.identifier.type.value, its.identifier.value or None)
            for each in entries
            if isinstance(its := each.change, Change)
        ] == self.changes
        erased = [each.seq for each in entries if isinstance(each.change, Erasure)]
        assert erased == self.erased
        others = [each for each in entries if not isinstance(each.change, Erasure)]
        assert [each.kind for each in others] == [self.kinds[each.seq] for each in others]
        assert {each.time_ms for each in entries} <= {1000}
        for one in entries[:: max(1, len(entries) // 3)]:
            mpid, change = one.mpid, one.change
            of_it = [each for each in entries if each.concerns(mpid)]
            assert [*session.history(mpid)] == of_it
            if isinstance(change, Change):
                held = change.identifier
                of_both = [each for each in of_it if each.is_about(held)]
                assert [*session.history(mpid, held, 1)] == of_both[:1]


TestStoreAgainstDictionary = StoreAgainstDictionary.TestCase
TestStoreAgainstDictionary.settings = settings(
    max_examples=int(os.environ.get("IDSYNC_EXAMPLES", "50")),
    stateful_step_count=25,
    derandomize=True,
    database=None,
    deadline=None,
)
