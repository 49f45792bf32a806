"""The contract of a store, asked of every kind of store (idsync_cli/store/api.py).

Whoever adds a store names it in tests/stores.py, and is done when these pass, here and over the
compiled package. `test_store_stateful.py` has them all make the same moves.
"""

import random
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from idsync_cli.core.codes import AttributeOp, Import, Op, RequestKind, Rule, Status
from idsync_cli.core.config.rules import Organization, ScopeRules
from idsync_cli.core.data.values import Alias, AttributeChange, BatchData
from idsync_cli.core.decide import decide
from idsync_cli.core.decision import Change, DecidedBy, Decision
from idsync_cli.core.erasure import Erasure
from idsync_cli.core.identity import TYPE_BITS, Identifier, IdentityType, mpid_of
from idsync_cli.core.profile import Profile, ProfileView
from idsync_cli.core.request import IdentityRequest
from idsync_cli.engine.engine import Engine
from idsync_cli.errors import StoreFault
from idsync_cli.store.api import MpidTaken, Store, Transaction
from idsync_cli.store.sqlite import SqliteStore
from idsync_cli.store.values import HistoryChange, HistoryEntry, ProfileFilter, RequestEntry
from idsync_cli.wire import Incoming, Json
from tests.comparison import (
    Run,
    answers_in,
    data_in,
    erasures_in,
    exported,
    first_difference,
    organization,
    plain,
)
from tests.core.shorthand import identifiers, profile, rules
from tests.many import many
from tests.stores import Make, every_kind
from tests.worlds import World, random_world

pytestmark = every_kind

SEED = -7
RULES = rules("customer_id:lui email:lu other:u ios_idfv")
BY_DEVICE = rules("ios_idfv:l customer_id email other")
EMAIL, DEVICE = IdentityType.EMAIL, IdentityType.IOS_IDFV
E, F, D = identifiers(email=["e", "f"], ios_idfv="d")
SEVERAL = 1000
"""Of a crowd: more than any store reads of one at once."""


class Broken(Exception):
    """Something goes wrong in the middle of a transaction."""


@pytest.fixture(name="store")
def a_new_store(make: Make, tmp_path: Path) -> Iterator[Store]:
    with make(tmp_path, SEED) as store:
        yield store


def put(store: Store, *profiles: Profile, scope: str = "s", by: ScopeRules = RULES) -> None:
    """Put profiles in, in this order, without a history."""
    with store.writing() as transaction:
        for each in profiles:
            transaction.insert(scope, each, by, None)
            transaction.advance_to(max(transaction.last_seq, each.created_seq))


def do(
    transaction: Transaction, kind: RequestKind, *asked: Identifier, scope: str = "s"
) -> tuple[int, Decision]:
    """Decide a request by the next number, and do what was decided."""
    seq = transaction.last_seq + 1
    lookup = transaction.lookup(scope, RULES)
    decision = decide(IdentityRequest(kind, asked), RULES, lookup, seq, SEED)
    transaction.advance_to(seq)
    transaction.apply(decision, scope, RULES, RequestEntry(seq, 1000 + seq, kind, f"r{seq}", seq))
    return seq, decision


def everything(store: Store) -> object:
    """All that can be seen from outside."""
    with store.reading() as transaction:
        return seen(transaction)


def seen(transaction: Transaction) -> object:
    return (
        transaction.last_seq,
        transaction.scopes(),
        [*transaction.profiles({})],
        [*transaction.history()],
        transaction.remembered_rules(),
    )


def mpids(profiles: object) -> list[int]:
    assert isinstance(profiles, list | tuple)
    return [each.mpid for each in profiles]


# ---- Beginnings and ends


def test_a_new_store_has_its_seed_and_nothing_else(store: Store) -> None:
    assert store.seed == SEED
    assert everything(store) == (0, (), [], [], {})
    with store.reading() as transaction:
        assert transaction.seed == SEED
        assert not transaction.is_taken(1)
        assert not transaction.remembers_rules
        assert transaction.find(1) is None
        assert transaction.holding("s", E) == []
        lookup = transaction.lookup("s", RULES)
        assert (list(lookup.known(E)), list(lookup.anonymous((E,)))) == ([], [])
        assert lookup.profile(1) is None
        assert not lookup.was_given_out(1)


@pytest.mark.parametrize("seed", [0, 2**130, -(2**64)])
def test_a_seed_is_any_integer(make: Make, tmp_path: Path, seed: int) -> None:
    with make(tmp_path, seed) as store:
        assert store.seed == seed


def test_what_is_done_is_kept_when_the_block_ends(store: Store) -> None:
    with store.writing() as transaction:
        change_everything(transaction)
        changed = seen(transaction)
    assert everything(store) == changed


def change_everything(transaction: Transaction) -> None:
    """All that a transaction can do."""
    transaction.align({"s": BY_DEVICE})
    transaction.insert("z", profile(77, seq=transaction.last_seq + 1, email="z"), RULES, 5)
    transaction.advance_to(transaction.last_seq + 1)
    do(transaction, RequestKind.LOGIN, E, D)
    do(transaction, RequestKind.LOGOUT, D)
    transaction.remember_rules({"s": "these"})
    transaction.flush()


def change_everything_and_break(store: Store) -> None:
    with store.writing() as transaction:
        change_everything(transaction)
        raise Broken


def test_nothing_is_kept_of_a_block_that_raises(store: Store) -> None:
    put(store, profile(1, email="f"))
    before = everything(store)
    for _ in range(2):
        with pytest.raises(Broken):
            change_everything_and_break(store)
        assert everything(store) == before
    with store.writing() as transaction:
        assert not transaction.remembers_rules
        assert not transaction.is_taken(2)
        assert not transaction.lookup("z", RULES).was_given_out(77)
        change_everything(transaction)
    assert everything(store) != before


def test_nothing_is_kept_of_what_is_done_where_one_only_reads(store: Store) -> None:
    put(store, profile(1, email="f"))
    before = everything(store)
    with store.reading() as transaction:
        change_everything(transaction)
        assert transaction.find(77) is not None
    assert everything(store) == before


def test_a_store_is_in_one_transaction_at_a_time(store: Store) -> None:
    with store.writing() as transaction:
        transaction.insert("s", profile(5, seq=1), RULES, None)
        for begin in (store.reading, store.writing):
            with pytest.raises(StoreFault), begin():
                raise AssertionError("the store must not begin another")
        transaction.insert("s", profile(6, seq=2), RULES, None)
    with store.reading() as transaction:
        for begin in (store.reading, store.writing):
            with pytest.raises(StoreFault), begin():
                raise AssertionError("the store must not begin another")
        assert mpids([each for _, each in transaction.profiles({})]) == [5, 6]


def test_a_store_that_was_closed_cannot_be_used(make: Make, tmp_path: Path) -> None:
    with make(tmp_path, SEED) as store:
        put(store, profile(1))
    for begin in (store.reading, store.writing):
        with pytest.raises(StoreFault), begin():
            raise AssertionError("the store must not begin one")


# ---- What a transaction sees of its own


def test_a_transaction_sees_all_that_is_done_in_it(store: Store) -> None:
    with store.writing() as transaction:
        seq, made = do(transaction, RequestKind.LOGIN, E, D)
        assert made.profile is not None
        mpid = made.profile.mpid
        whole = Profile(mpid, seq, None, True, (E, D))
        assert (transaction.scopes(), transaction.last_seq) == (("s",), 1)
        assert transaction.find(mpid) == ("s", whole)
        assert [*transaction.profiles({})] == [("s", whole)]
        assert transaction.holding("s", E) == [whole]
        assert held_in(transaction.history()) == [E, D]
        assert transaction.is_taken(1)
        assert not transaction.is_taken(2)
        lookup = transaction.lookup("s", RULES)
        assert mpids(lookup.known(E)) == [mpid]
        assert lookup.was_given_out(mpid)
        do(transaction, RequestKind.LOGIN, E, *identifiers(other="o"))
        assert transaction.is_taken(2)  # it made no profile, and changed one
        assert [entry.seq for entry in transaction.history()] == [1, 1, 2]
        transaction.insert("t", profile(9, seq=3, other="o"), RULES, 9)
        assert transaction.scopes() == ("s", "t")
        assert transaction.is_taken(3)
        assert [each.mpid for _, each in transaction.profiles({})] == [mpid, 9]
        assert len([*transaction.history()]) == 4


def test_a_number_is_taken_by_a_profile_or_a_change_and_not_by_being_passed(store: Store) -> None:
    put(store, profile(5, seq=3))
    with store.writing() as transaction:
        transaction.advance_to(9)
    with store.reading() as transaction:
        assert transaction.last_seq == 9
        assert [seq for seq in range(12) if transaction.is_taken(seq)] == [3]


# ---- Whole profiles, and their order


def test_profiles_come_by_the_number_of_the_request_that_made_them(store: Store) -> None:
    third, first, second = profile(3, email="e"), profile(1), profile(2, ios_idfv="d")
    put(store, third, first)
    put(store, second, scope="a")
    with store.reading() as transaction:
        assert [*transaction.profiles({})] == [("s", first), ("a", second), ("s", third)]
        assert [*transaction.profiles({}, ProfileFilter("s"))] == [("s", first), ("s", third)]
        assert [*transaction.profiles({}, ProfileFilter(holding=DEVICE))] == [("a", second)]
        assert [*transaction.profiles({}, ProfileFilter("s", DEVICE))] == []
        assert [*transaction.profiles({}, ProfileFilter("nowhere"))] == []
        assert transaction.scopes() == ("a", "s")
        assert transaction.find(2) == ("a", second)


def test_profiles_are_chosen_by_what_they_are_under_the_rules_of_today(store: Store) -> None:
    put(store, profile(1, email="e"), profile(2, ios_idfv="d"), profile(3, push_token="p"))
    put(store, profile(4), Profile(5, 5, None, True, (D,)))
    put(store, profile(6, email="e"), profile(7), scope="t")
    chosen: list[tuple[Json, list[int], list[int]]] = [  # under rules, and without any
        ({}, [1, 2, 3, 4, 5, 6, 7], [1, 2, 3, 4, 5, 6, 7]),
        ({"known": True}, [1, 5, 6], [5]),
        ({"known": False}, [2, 3, 4, 7], [1, 2, 3, 4, 6, 7]),
        ({"orphaned": True}, [3, 4, 7], [4, 7]),
        ({"orphaned": False, "scope": "s"}, [1, 2, 5], [1, 2, 3, 5]),
        ({"holding": EMAIL, "known": True}, [1, 6], []),
    ]
    with store.reading() as transaction:
        for members, under_rules, without in chosen:
            asked = ProfileFilter(**members)
            for its_rules, expected in (({"s": RULES, "t": RULES}, under_rules), ({}, without)):
                found = [each for _, each in transaction.profiles(its_rules, asked)]
                assert mpids(found) == expected
                assert transaction.count_profiles(its_rules, asked) == len(expected)


def test_who_holds_an_identifier_is_told_oldest_first_in_its_scope_alone(store: Store) -> None:
    known = Profile(8, 4, None, True, (D,))
    third, second = profile(3, ios_idfv=["x", "d"]), profile(2, ios_idfv="d")
    put(store, known, third, second)
    put(store, profile(1, ios_idfv="d"), scope="t")
    with store.reading() as transaction:
        assert transaction.holding("s", D) == [second, third, known]
        assert transaction.holding("s", identifiers(ios_idfv="D")[0]) == []
        assert transaction.holding("s", identifiers(email="d")[0]) == []


def test_a_profile_stays_as_it_was_put_in(store: Store) -> None:
    whole = profile(
        -(2**63), seq=2**40, source=2**63 - 1, was_known=True, ios_idfv=["b", "a"], push_token="\n"
    )
    put(store, whole)
    with store.reading() as transaction:
        found = transaction.find(-(2**63))
        assert found == ("s", whole)
        view = transaction.lookup("s", RULES).profile(-(2**63))
        assert view is not None
        assert transaction.lookup("s", RULES).identifiers_of(view) == whole.identifiers


# ---- The history


def test_the_history_says_what_became_of_every_change(store: Store) -> None:
    with store.writing() as transaction:
        transaction.insert("s", profile(5, seq=4, other="o", ios_idfv="d"), RULES, 900)
        transaction.advance_to(4)
        transaction.insert("s", profile(6, seq=2, email="f", was_known=True), RULES, 901)
        do(transaction, RequestKind.LOGIN, F, *identifiers(other="o"))
        do(transaction, RequestKind.LOGOUT, E, D)
    [o] = identifiers(other="o")
    imported = Import.IMPORT, None, None
    login, logout = (5, 1005, RequestKind.LOGIN, "r5", 5), (6, 1006, RequestKind.LOGOUT, "r6", 6)
    its = mpid_of(SEED, 6, 0)
    entries = [
        HistoryEntry(2, 901, *imported, Change(Op.ADD, 6, F), Import.IMPORT),
        HistoryEntry(4, 900, *imported, Change(Op.ADD, 5, o), Import.IMPORT),
        HistoryEntry(4, 900, *imported, Change(Op.ADD, 5, D), Import.IMPORT),
        HistoryEntry(*login, Change(Op.REMOVE, 5, o), Rule.IDENTIFIER, EMAIL),
        HistoryEntry(*login, Change(Op.ADD, 6, o), Rule.IDENTIFIER, EMAIL),
        HistoryEntry(*logout, Change(Op.ADD, its, D), Rule.LOGOUT),
    ]
    with store.reading() as transaction:
        assert [*transaction.history()] == entries
        assert [*transaction.history(mpid=5)] == entries[1:4]
        assert [*transaction.history(identifier=o)] == [entries[1], *entries[3:5]]
        assert [*transaction.history(mpid=6, identifier=o)] == [entries[4]]
        assert [*transaction.history(mpid=77)] == []
        assert [*transaction.history(limit=2)] == entries[:2]
        assert [*transaction.history(limit=0)] == []
        assert [*transaction.history(5, o, 1)] == [entries[1]]
        assert {type(each.kind) for each in transaction.history()} == {Import, RequestKind}
        assert {type(each.rule) for each in transaction.history()} == {Import, Rule}


def test_the_history_has_attributes_aliases_and_erasures(store: Store) -> None:
    """An alias is an entry on its destination, and about its source, too."""
    first = BatchData(attributes={"a": "1", "b": "null"}, deleted=["b", "none"])
    second = BatchData(attributes={"a": "1", "c": '["x", 1]'}, deleted=["a"])
    alias = Alias(5, 5, 6, 10, 20)
    with store.writing() as transaction:
        transaction.insert("s", profile(5, seq=1, other="o"), RULES, 900)
        transaction.insert("s", profile(6, seq=2, other="p"), RULES, 900)
        transaction.advance_to(2)
        for seq, data in ((3, first), (4, second)):
            transaction.apply(matched(transaction, 5, data=data), "s", RULES, entry_of(seq))
        transaction.apply(matched(transaction, 6, alias=alias), "s", RULES, entry_of(5))
        transaction.advance_to(5)
    by = entry_of(3), entry_of(4), entry_of(5)
    done: list[tuple[int, HistoryChange]] = [
        (0, AttributeChange(AttributeOp.SET, 5, "a", 1)),
        (0, AttributeChange(AttributeOp.SET, 5, "b", None)),
        (0, AttributeChange(AttributeOp.DELETE, 5, "b")),
        (1, AttributeChange(AttributeOp.SET, 5, "c", ["x", 1])),
        (1, AttributeChange(AttributeOp.DELETE, 5, "a")),
        (2, alias),
    ]
    entries = [
        HistoryEntry(by[n].seq, by[n].time_ms, by[n].kind, by[n].request_id, 7, change, Rule.MPID)
        for n, change in done
    ]
    with store.reading() as transaction:
        assert [*transaction.history()][2:] == entries
        assert [*transaction.history(5)][1:] == entries
        assert [*transaction.history(6)][1:] == entries[-1:]
        assert [each.seq for each in transaction.history(limit=3)] == [1, 2, 3]
        assert [each.seq for each in transaction.history(5, limit=4)] == [1, 3, 3, 3]
        [o] = identifiers(other="o")
        assert [each.seq for each in transaction.history(identifier=o)] == [1]
    erasure = Erasure(5, 6, "s", 1006, "e")
    with store.writing() as transaction:
        its = transaction.lookup("s", RULES).profile(5)
        gone = Decision(Status.ERASED, DecidedBy(Rule.MPID), its)
        gone = gone.reported(transaction.survey(erasure))
        transaction.apply(gone, "s", RULES, RequestEntry(6, 1006, RequestKind.ERASE, "e", 7))
        transaction.advance_to(6)
    last = HistoryEntry(6, 1006, RequestKind.ERASE, "e", None, erasure, None)
    with store.reading() as transaction:
        assert [*transaction.history()][1:] == [last]
        assert [*transaction.history(5)] == [last]
        assert [each.seq for each in transaction.history(6)] == [2]


def matched(
    transaction: Transaction, mpid: int, data: BatchData | None = None, alias: Alias | None = None
) -> Decision:
    """What a batch, or an alias, that names its profile is answered with."""
    its = transaction.lookup("s", RULES).profile(mpid)
    status = Status.MATCHED if alias is None else Status.ALIASED
    return Decision(status, DecidedBy(Rule.MPID), its, data=data, alias=alias)


def entry_of(seq: int) -> RequestEntry:
    kind = RequestKind.BATCH if seq < 5 else RequestKind.ALIAS
    return RequestEntry(seq, 1000 + seq, kind, f"r{seq}", 7)


def held_in(entries: Iterable[HistoryEntry]) -> list[Identifier]:
    """The identifiers that entries are about."""
    return [each.change.identifier for each in entries if isinstance(each.change, Change)]


# ---- Look-ups


def crowd(number: int) -> list[Profile]:
    """Profiles that all hold D: every third is known, every fourth holds another device too."""
    found = []
    for seq in range(1, number + 1):
        held = [D, *identifiers(ios_idfv="x" if seq % 4 == 0 else f"own{seq}")]
        found.append(Profile(-seq, seq, None, seq % 3 == 0, tuple(held)))
    return found


@pytest.mark.parametrize("beforehand", [False, True])
def test_of_a_crowd_the_newest_are_found(store: Store, beforehand: bool) -> None:
    everyone = crowd(SEVERAL)
    put(store, *everyone)
    newest_first = everyone[::-1]
    known = [each for each in newest_first if each.was_known]
    anonymous = [each for each in newest_first if not each.was_known]
    [x] = identifiers(ios_idfv="x")
    with_x = [each for each in anonymous if x in each.identifiers]
    without_x = [each for each in anonymous if x not in each.identifiers]
    for limit in (1, 2, 70, SEVERAL, None):
        with store.reading() as transaction:
            if beforehand:
                transaction.prefetch("s", RULES, [D, x, E], [-1, -999, 5])
            lookup = transaction.lookup("s", RULES)
            assert set(mpids(lookup.known(D, limit))) == set(mpids(known[:limit]))
            assert mpids(lookup.anonymous((D,), limit)) == mpids(anonymous[:limit])
            assert mpids(lookup.anonymous((D, x), limit)) == mpids(with_x[:limit])
            assert mpids(lookup.anonymous((x, D), limit)) == mpids(with_x[:limit])
            assert mpids(lookup.anonymous((D,), limit, lacking=x)) == mpids(without_x[:limit])
            assert mpids(lookup.anonymous((D, E), limit)) == []
            assert mpids(lookup.anonymous((D,), limit, lacking=E)) == mpids(anonymous[:limit])


@pytest.mark.parametrize("by", [RULES, BY_DEVICE])
def test_those_that_hold_an_identifier_are_counted_as_they_are_found(
    store: Store, by: ScopeRules
) -> None:
    """By the rules that they were put in under, and by others that make other profiles known."""
    [x] = identifiers(ios_idfv="x")
    put(
        store,
        *crowd(70),
        *(
            profile(seq, seq=seq, ios_idfv="d", email=f"e{seq}", customer_id=str(seq))
            for seq in range(71, 99)
        ),
    )
    put(store, profile(99, seq=99, ios_idfv="d"), scope="t")
    types = [None, 0, TYPE_BITS[DEVICE], TYPE_BITS[EMAIL], TYPE_BITS[EMAIL] | TYPE_BITS[DEVICE]]
    with store.reading() as transaction:
        for scope in ("s", "t", "nowhere"):
            lookup = transaction.lookup(scope, by)
            for limit in (1, 2, 30, SEVERAL):
                for one in (D, x, E):
                    found = lookup.known(one, limit)
                    for bits in types:
                        wanted = [each for each in found if bits is None or each.types & bits]
                        assert lookup.count_known(one, limit, bits) == len(wanted)
                for some in ((D,), (x,), (D, x), (x, D), (D, E)):
                    found = lookup.anonymous(some, limit)
                    assert lookup.count_anonymous(some, limit) == len(found)


def test_a_scope_knows_nothing_of_another_but_the_mpids_that_are_gone(store: Store) -> None:
    put(store, profile(5, email="e", ios_idfv="d"))
    put(store, profile(6, seq=6, ios_idfv="d"), scope="t")
    with store.reading() as transaction:
        for scope, own, other in (("s", 5, 6), ("t", 6, 5), ("nowhere", None, 5)):
            lookup = transaction.lookup(scope, RULES)
            found = [*lookup.known(D), *lookup.anonymous((D,))]
            assert mpids(found) == ([] if own is None else [own])
            assert lookup.profile(other) is None
            assert lookup.was_given_out(other)
            assert own is None or lookup.was_given_out(own)
            assert not lookup.was_given_out(7)


def test_what_a_profile_holds_is_told_in_the_order_in_which_it_was_added(store: Store) -> None:
    held = identifiers(ios_idfv=["b", "a"], email="e") + identifiers(ios_idfv="c")
    put(store, Profile(5, 5, None, False, held))
    with store.reading() as transaction:
        lookup = transaction.lookup("s", RULES)
        [view] = lookup.known(E)
        assert type(view) is ProfileView or isinstance(view, Profile)
        assert lookup.identifiers_of(view) == held
        assert list(lookup.values_of(view, DEVICE)) == ["b", "a", "c"]
        assert list(lookup.values_of(view, IdentityType.OTHER)) == []
        assert [lookup.holds(view, each) for each in (*held, F, D)] == [True] * 4 + [False] * 2


def test_what_was_given_out_stays_as_it_was(store: Store) -> None:
    with store.writing() as transaction:
        _, made = do(transaction, RequestKind.LOGOUT, D)
        assert made.profile is not None
        view = transaction.lookup("s", RULES).profile(made.profile.mpid)
        whole = transaction.find(made.profile.mpid)
        assert view is not None
        was = view.types, view.was_known
        do(transaction, RequestKind.IDENTIFY, D, E)
        now = transaction.lookup("s", RULES).profile(made.profile.mpid)
        assert now is not None
        assert (view.types, view.was_known) == was != (now.types, now.was_known)
    assert whole == ("s", Profile(view.mpid, 1, None, False, (D,)))
    assert (view.types, view.was_known) == was


def look_ups(rng: random.Random, transaction: Transaction, scopes: dict[str, ScopeRules]) -> None:
    """A hundred questions of every kind, about what is there and what is not."""
    profiles = [each for _, each in transaction.profiles({})]
    held = [identifier for each in profiles for identifier in each.identifiers]
    asked = [*rng.sample(held, min(20, len(held))), E, D]
    numbers = [*(each.mpid for each in rng.sample(profiles, min(5, len(profiles)))), 5]
    for _ in range(100):
        scope, its_rules = rng.choice(list(scopes.items()))
        one, other = rng.choice(asked), rng.choice(asked)
        if rng.random() < 0.2:
            transaction.prefetch(scope, its_rules, [one, other], numbers)
        lookup = transaction.lookup(scope, its_rules)
        limit = rng.choice([None, 1, 2, 1001])
        found = [*lookup.known(one, limit), *lookup.anonymous((one,), limit)]
        found += lookup.anonymous((one, other), limit)
        found += lookup.anonymous((one,), limit, lacking=other)
        found += [each for each in map(lookup.profile, numbers) if each is not None]
        lookup.was_given_out(rng.choice(numbers))
        for each in found[:: max(1, len(found) // 5)]:
            lookup.holds(each, other)
            lookup.values_of(each, other.type)
            lookup.identifiers_of(each)


@pytest.mark.parametrize("number", many(range(9), share=2))
def test_a_look_up_changes_nothing_that_another_could_see(
    make: Make, tmp_path: Path, number: int
) -> None:
    world = of_world(number)
    with make(tmp_path, world.seed) as store:
        list(answers_in(world, store, 7, one_shot=False, explain=False))
        its_rules = organization(world.later_scopes or world.scopes, world.workspaces)
        scopes = {**its_rules.scopes, "nowhere": RULES}
        before = everything(store), exported(store, its_rules)
        files = bytes_of(tmp_path)
        written = store.connection.total_changes if isinstance(store, SqliteStore) else 0
        for begin in (store.writing, store.reading):
            with begin() as transaction:
                look_ups(random.Random(number), transaction, scopes)
                assert seen(transaction) == before[0]
        assert (everything(store), exported(store, its_rules)) == before
        assert bytes_of(tmp_path) == files
        assert not isinstance(store, SqliteStore) or store.connection.total_changes == written


def bytes_of(folder: Path) -> dict[str, bytes]:
    """What the files of a store hold, but for its lock and for what only its readers share."""
    kept = [each for each in folder.glob("*.db*") if not each.name.endswith(("-lock", "-shm"))]
    return {each.name: each.read_bytes() for each in kept}


# ---- Other rules than before


def test_the_store_says_which_scopes_have_other_login_types_than_before(store: Store) -> None:
    put(store, profile(1, email="e"), profile(2, ios_idfv="d"))
    put(store, profile(3, ios_idfv="d"), scope="t", by=BY_DEVICE)
    later = {"s": BY_DEVICE, "t": BY_DEVICE, "nowhere": RULES}
    with suppress(Broken), store.writing() as transaction:
        assert transaction.stale_scopes(later) == transaction.align(later) == ("s",)
        raise Broken
    for agreed in (("s",), ()):
        with store.writing() as transaction:
            assert transaction.stale_scopes(later) == transaction.align(later) == agreed
            assert transaction.stale_scopes(later) == transaction.align(later) == ()
    with store.writing() as transaction:
        assert set(transaction.align({"s": RULES, "t": RULES})) == {"s", "t"}


def test_who_is_known_follows_from_the_rules_of_the_look_up(store: Store) -> None:
    put(store, profile(1, email="e"), profile(2, ios_idfv="d"), profile(3, email="e", ios_idfv="d"))
    put(store, Profile(4, 4, None, True, (E, D)))
    [by_email, by_device] = [([1, 3, 4], [2], RULES), ([2, 3, 4], [1], BY_DEVICE)]
    for aligned in (False, True):
        for known, anonymous, its_rules in (by_email, by_device):
            with store.writing() as transaction:
                if aligned:
                    transaction.align({"s": its_rules})
                lookup = transaction.lookup("s", its_rules)
                found = {*mpids(lookup.known(E)), *mpids(lookup.known(D))}
                assert found == set(known)
                found = {*mpids(lookup.anonymous((E,))), *mpids(lookup.anonymous((D,)))}
                assert found == set(anonymous)
                assert mpids(lookup.known(D, 1)) in ([4], (4,))


def test_rules_are_remembered_as_the_last_ones_were_told(store: Store) -> None:
    for told in ({"s": "one", "t": "two"}, {"s": "other"}, {"s": "other"}):
        with store.writing() as transaction:
            before = transaction.remembers_rules
            transaction.remember_rules(told)
            assert (before, transaction.remembers_rules) == (False, True)
            assert transaction.remembered_rules() == told
        assert transaction.remembers_rules
        with store.reading() as transaction:
            assert transaction.remembered_rules() == told


# ---- Serving the engine


def test_a_new_mpid_that_is_taken_is_told_or_passed_over(store: Store) -> None:
    """With `trust_new_mpids` a store may only find out at the end, and keeps nothing then."""
    put(store, profile(mpid_of(SEED, 2, 0), seq=1, email="f"))
    before = everything(store)
    try:
        with store.writing(trust_new_mpids=True) as transaction:
            _, made = do(transaction, RequestKind.LOGIN, E)
            transaction.flush()
    except MpidTaken:
        assert everything(store) == before
    else:
        assert made.profile is not None
        assert made.profile.mpid == mpid_of(SEED, 2, 1)


def test_the_engine_gives_a_taken_mpid_to_nobody(store: Store) -> None:
    put(store, profile(mpid_of(SEED, 2, 0), seq=1, email="f"))
    organization = Organization(None, {"s": RULES}, {})
    request: Json = {"type": "login", "known_identities": {"email": "e"}}
    [answer] = Engine(organization, store, now=lambda: 0).batch([Incoming(request)])
    assert answer.mpid == mpid_of(SEED, 2, 1)


def of_world(number: int) -> World:
    return random_world(random.Random(number), crowd=number % 3 == 0)


@pytest.mark.parametrize("number", many(range(6), share=2))
@pytest.mark.parametrize("one_shot", [False, True])
def test_the_engine_answers_as_the_model_does(
    make: Make, tmp_path: Path, number: int, one_shot: bool
) -> None:
    def program(world: World, *, chunk_size: int, one_shot: bool, explain: bool) -> Run:
        with make(tmp_path, world.seed) as storage:
            found = [*answers_in(world, storage, chunk_size, one_shot=one_shot, explain=explain)]
            its_rules = organization(world.later_scopes or world.scopes, world.workspaces)
            left = exported(storage, its_rules) + data_in(storage) + erasures_in(storage)
            return list(map(plain, found)), left

    difference = first_difference(of_world(number), program=program, one_shot=one_shot)
    assert difference is None, difference
