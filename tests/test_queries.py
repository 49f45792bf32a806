"""Questions of people to a store: each gives what it should, and reads no more than it must."""

import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice, product
from pathlib import Path

import pytest

from idsync_cli import wire
from idsync_cli.core.codes import Op, Status
from idsync_cli.core.config.rules import Organization, ScopeRules
from idsync_cli.core.config.strategy import PRESETS, Settings
from idsync_cli.core.decision import Change
from idsync_cli.core.identity import Identifier, IdentityType
from idsync_cli.core.profile import Profile
from idsync_cli.core.scoped_profile import scoped
from idsync_cli.engine.engine import Engine
from idsync_cli.store.sqlite import (
    SqliteStore,
    SqliteTransaction,
    create,
    open_store,
    temporary,
)
from idsync_cli.store.sqlite.health.holders import of_holders
from idsync_cli.store.sqlite.queries.history import arrivals, history_length
from idsync_cli.store.sqlite.queries.profiles import count_holders, holder_views, view_of
from idsync_cli.store.sqlite.queries.statistics import identifiers_held
from idsync_cli.store.values import EVERY_PROFILE, HistoryEntry, ProfileFilter

TYPES = (
    IdentityType.CUSTOMER_ID,
    IdentityType.EMAIL,
    IdentityType.IOS_IDFV,
    IdentityType.PUSH_TOKEN,
)
SCOPES = ("consumers", "couriers", "former", "guests")
YES_NO_ANY = (None, True, False)


def rules(priority: tuple[IdentityType, ...], *login_types: IdentityType) -> ScopeRules:
    settings = {kind: Settings(login=True) for kind in login_types}
    return ScopeRules(PRESETS["profile_conversion"].strategy, priority, settings)


BY_EMAIL = ScopeRules(
    PRESETS["profile_conversion"].strategy,
    TYPES[1:3],
    {IdentityType.EMAIL: Settings(login=True, unique=True)},
)
GUESTS = rules(TYPES[2:3])
BY_SCOPE = {
    "consumers": rules(TYPES[:3], IdentityType.CUSTOMER_ID),
    "couriers": rules(TYPES[1:3], IdentityType.EMAIL),
    "guests": GUESTS,
}  # and none for the scope former


def filled(number: int) -> SqliteStore:
    """A store with so many profiles, in all scopes, with any set of types."""
    rng = random.Random(7)
    store = temporary(1)
    with store.writing() as session:
        for seq in range(1, number + 1):
            scope = rng.choice(SCOPES)
            held = [
                Identifier(kind, f"{rng.choice((seq, 1))}{place}")
                for place in (1, 2)
                for kind in TYPES
                if rng.random() < 0.3
            ]
            identifiers = tuple(dict.fromkeys(held))
            profile = Profile(seq, seq, None, rng.random() < 0.2, identifiers)
            session.insert(scope, profile, BY_SCOPE.get(scope, BY_SCOPE["guests"]), None)
        session.advance_to(number)
    return store


@contextmanager
def reading(store: SqliteStore) -> Iterator[SqliteTransaction]:
    with store, store.reading() as session:
        yield session


@pytest.fixture(name="session", scope="module")
def a_store_of_four_scopes() -> Iterator[SqliteTransaction]:
    with reading(filled(300)) as session:
        yield session


@pytest.mark.parametrize("known", YES_NO_ANY)
@pytest.mark.parametrize("orphaned", YES_NO_ANY)
def test_sql_finds_the_profiles_that_the_rules_would_choose(
    session: SqliteTransaction, known: bool | None, orphaned: bool | None
) -> None:
    everybody = list(session.profiles(BY_SCOPE))
    assert [profile.created_seq for _, profile in everybody] == list(range(1, 301))
    for scope, holding in product((None, *SCOPES, "nowhere"), (None, *TYPES)):
        asked = ProfileFilter(scope, holding, known, orphaned)
        wanted = [
            (name, profile)
            for name, profile in everybody
            if is_asked_for(wire.profile_json(scoped(profile, name, BY_SCOPE.get(name))), asked)
        ]
        assert list(session.profiles(BY_SCOPE, asked)) == wanted
        assert session.count_profiles(BY_SCOPE, asked) == len(wanted)


def is_asked_for(line: Mapping[str, object], asked: ProfileFilter) -> bool:
    identities = line["identities"]
    assert isinstance(identities, dict)
    return (
        asked.scope in (None, line["scope"])
        and (asked.holding is None or asked.holding.value in identities)
        and asked.known in (None, line["known"])
        and asked.orphaned in (None, line["orphaned"])
    )


def test_every_identifier_leads_to_its_holders(session: SqliteTransaction) -> None:
    everybody = list(session.profiles(BY_SCOPE))
    for scope, number in product(SCOPES, (11, 12, 21, 32)):
        for identifier in (Identifier(kind, str(number)) for kind in TYPES):
            holders = [p for name, p in everybody if name == scope and identifier in p.identifiers]
            assert session.holding(scope, identifier) == holders
    assert session.find(5) == everybody[4]
    assert session.find(301) is None


def test_identifiers_are_counted_by_scope(session: SqliteTransaction) -> None:
    counted = identifiers_held(session)
    assert list(counted) == sorted(SCOPES)
    for scope, found in counted.items():
        numbers = [len(p.identifiers) for name, p in session.profiles(BY_SCOPE) if name == scope]
        assert (found.identifiers, found.most) == (sum(numbers), max(numbers))


def test_there_may_be_more_scopes_than_an_expression_has_room_for() -> None:
    store = temporary(1)
    by_scope = {
        f"scope {number}": rules(tuple(rng_types(number)), *rng_types(number // 7))
        for number in range(1, 1501)
    }
    with store.writing() as session:
        for seq, (name, its) in enumerate(by_scope.items(), start=1):
            identifier = Identifier(IdentityType.EMAIL, "a")
            session.insert(name, Profile(seq, seq, None, False, (identifier,)), its, None)
        session.advance_to(len(by_scope))
    with reading(store) as session:
        asked = ProfileFilter(orphaned=True)
        wanted = sum(not its.is_lookup(IdentityType.EMAIL) for its in by_scope.values())
        assert 0 < session.count_profiles(by_scope, asked) == wanted


def rng_types(number: int) -> list[IdentityType]:
    """A set of types for each number, another one for most."""
    kinds = list(IdentityType)
    return [kinds[place] for place in range(11) if number >> place & 1] or kinds[-1:]


# What a question costs: instructions of SQLite's machine, the same on every computer


def steps(session: SqliteTransaction, ask: Callable[[], object]) -> int:
    taken = 0

    def count() -> None:
        nonlocal taken
        taken += 1

    session.connection.set_progress_handler(count, 10)
    try:
        ask()
    finally:
        session.connection.set_progress_handler(None, 0)
    return taken


@pytest.mark.parametrize(
    "asked",
    [
        EVERY_PROFILE,
        ProfileFilter("consumers"),
        ProfileFilter(holding=IdentityType.EMAIL),
        ProfileFilter(known=True),
        ProfileFilter(orphaned=True),
    ],
)
def test_twenty_profiles_cost_the_same_in_a_large_store(asked: ProfileFilter) -> None:
    taken = []
    for number in (300, 3000):
        with reading(filled(number)) as session:
            found: list[object] = []
            listed = islice(session.profiles(BY_SCOPE, asked), 20)
            taken.append(steps(session, lambda listed=listed, found=found: found.extend(listed)))  # type: ignore[misc]
            assert len(found) == 20
    assert taken[1] <= 1.1 * taken[0]


def test_what_one_row_answers_does_not_grow_with_the_store() -> None:
    email = Identifier(IdentityType.EMAIL, "21")
    taken = []
    for number in (300, 3000):
        with reading(filled(number)) as session:
            questions: list[Callable[[], object]] = [
                lambda: session.find(5),
                lambda: session.holding("consumers", email),
                lambda: session.scopes(),  # noqa: PLW0108
                lambda: session.count_profiles(BY_SCOPE, EVERY_PROFILE),
            ]
            taken.append([steps(session, ask) for ask in questions])
    assert taken[1] == taken[0]


def test_a_crowd_costs_what_is_shown_of_it() -> None:
    kiosk = Identifier(IdentityType.IOS_IDFV, "kiosk")
    taken = []
    for number in (300, 3000):
        store = temporary(1)
        with store.writing() as session:
            for seq in range(1, number + 1):
                held = (kiosk, *(Identifier(TYPES[seq % 2], f"{seq}"),) * (seq % 3 != 0))
                session.insert("consumers", Profile(seq, seq, None, False, held), GUESTS, 5)
            more = [Identifier(kind, f"{n}") for kind in TYPES for n in range(number)]
            large = Profile(9999, number + 1, None, False, tuple(more))
            session.insert("consumers", large, GUESTS, 5)
            session.advance_to(number + 1)
        with reading(store) as session:
            view = view_of(session, 9999)
            assert view is not None
            questions: list[Callable[[], object]] = [
                lambda: holder_views(session, "consumers", kiosk, 20),
                lambda: list(session.history(identifier=kiosk, limit=20)),
                lambda: list(session.history(mpid=9999, limit=20)),
                lambda: list(session.history(mpid=5)),
                lambda view=view: arrivals(session, view[1], 20),  # type: ignore[misc]
                lambda: view_of(session, 9999),
            ]
            taken.append([steps(session, ask) for ask in questions])
            assert len(list(session.history(mpid=9999, limit=20))) == 20
            assert count_holders(session, "consumers", kiosk) == number
            assert history_length(session, mpid=9999) == len(more)
            assert history_length(session, identifier=kiosk) == number
            assert len(arrivals(session, view[1])) == len(more)
    assert all(more <= 1.1 * few for few, more in zip(*taken, strict=True)), taken


def test_the_history_of_one_is_that_of_all_sifted() -> None:
    """However things came and went: the places are put together from who holds what, and did."""
    rng = random.Random(3)
    emails = [Identifier(IdentityType.EMAIL, f"e{n}") for n in range(4)]
    phones = [Identifier(IdentityType.IOS_IDFV, f"p{n}") for n in range(3)]
    store = temporary(1)
    engine = Engine(Organization(None, {"guests": BY_EMAIL}, {}), store, now=lambda: 7)
    mpids: list[int] = []
    for _ in range(30):
        requests: list[object] = []
        for _ in range(rng.choice((1, 1, 8))):
            email, phone = rng.choice(emails), rng.choice(phones)
            request: dict[str, object] = {"type": "identify", "known_identities": {}}
            if mpids and rng.random() < 0.6:
                request = {"type": "modify", "mpid": str(rng.choice(mpids))}
            taken = rng.random() < 0.3 and "mpid" in request
            request["known_identities"] = {
                "email": None if taken else email.value,
                "ios_idfv": phone.value,
            }
            requests.append(request)
        answers = engine.batch([wire.Incoming(each) for each in requests])
        mpids += [each.mpid for each in answers if each.status is Status.CREATED and each.mpid]
    with reading(store) as session:
        everything = list(session.history())
        assert ops_of(everything).count(Op.REMOVE) > 20
        for mpid, identifier in product((None, 12345, *mpids), (None, *emails, *phones)):
            if mpid is None and identifier is None:
                continue
            wanted = [
                each
                for each in everything
                if (mpid is None or each.concerns(mpid))
                and (identifier is None or each.is_about(identifier))
            ]
            assert list(session.history(mpid, identifier)) == wanted
            assert list(session.history(mpid, identifier, 3)) == wanted[:3]
            assert history_length(session, mpid=mpid, identifier=identifier) == len(wanted)


def ops_of(entries: Iterable[HistoryEntry]) -> list[Op]:
    """What entries about identity records say was done."""
    return [each.change.op for each in entries if isinstance(each.change, Change)]


def test_what_a_crowd_loses_at_once_is_in_the_history_of_each(tmp_path: Path) -> None:
    """Of most of them nothing was read but that they hold it."""
    path, phone = str(tmp_path / "store.db"), Identifier(IdentityType.IOS_IDFV, "p")
    unique = ScopeRules(
        PRESETS["profile_conversion"].strategy, TYPES[2:3], {phone.type: Settings(unique=True)}
    )
    with create(path, 1) as store, store.writing() as session:
        for seq in range(1, 301):
            other = Identifier(IdentityType.EMAIL, f"{seq}")
            session.insert("guests", Profile(seq, seq, None, False, (other, phone)), GUESTS, 5)
        session.advance_to(300)
    opened = open_store(path, write=True)
    assert opened is not None
    with opened:
        engine = Engine(Organization(None, {"guests": unique}, {}), opened, now=lambda: 7)
        takes = {"type": "modify", "mpid": "7", "known_identities": {"ios_idfv": "q"}}
        back = {"type": "modify", "mpid": "7", "known_identities": {"ios_idfv": "p"}}
        answers = engine.batch([wire.Incoming(each) for each in (takes, back, takes)])
        assert {each.status for each in answers} == {Status.MODIFIED}
        with opened.reading() as session:
            assert list(of_holders(session.connection)) == []
            assert ops_of(session.history(250, phone)) == [Op.ADD, Op.REMOVE]
            assert "".join(op[0] for op in ops_of(session.history(7, phone))) == "arar"
            assert history_length(session, identifier=phone) == 2 * 300 + 2


def test_an_orphan_is_looked_for_in_one_table() -> None:
    with reading(filled(3000)) as session:
        nobody = ProfileFilter("guests", IdentityType.IOS_IDFV, orphaned=True)
        read = steps(session, lambda: list(session.profiles(BY_SCOPE, nobody)))
        assert list(session.profiles(BY_SCOPE, nobody)) == []
        assert read < 3000 * 15 / 10  # a few instructions for each profile
        assert history_length(session, mpid=5) == 0  # they were given, not made by requests
