"""What every kind of store does with an erasure (idsync_cli/store/api.py, section 9)."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from idsync_cli.core.codes import RequestKind
from idsync_cli.core.config.rules import ScopeRules
from idsync_cli.core.decide import decide
from idsync_cli.core.decision import Change, Decision
from idsync_cli.core.erasure import ERASED_VALUE, Erasure, ErasureReport
from idsync_cli.core.identity import Identifier, mpid_of
from idsync_cli.core.request import (
    EraseRequest,
    IdentityChange,
    IdentityRequest,
    ModifyRequest,
    Request,
)
from idsync_cli.store.api import Store, Transaction
from idsync_cli.store.values import HistoryEntry, RequestEntry
from tests.core.shorthand import identifiers, profile, rules
from tests.stores import Make, every_kind

pytestmark = every_kind

SEED = -7
RULES = rules("customer_id:lui email:lu other:u ios_idfv")
LINKING = rules("email:lu other:u ios_idfv", "profile_link")
C, E, F, OTHER, D = identifiers(customer_id="c", email=["e", "f"], other="o", ios_idfv="d")
GONE_E, GONE_O, GONE_D = (Identifier(each.type, ERASED_VALUE) for each in (E, OTHER, D))


@pytest.fixture(name="store")
def a_new_store(make: Make, tmp_path: Path) -> Iterator[Store]:
    with make(tmp_path, SEED) as store:
        yield store


def ask(
    store: Store, kind: str, *asked: Identifier, scope: str = "s", by: ScopeRules = RULES
) -> int:
    """Answer a request and do what is decided; the MPID of the answer."""
    request = IdentityRequest(RequestKind(kind), asked)
    return done(store, request, RequestKind(kind), scope, by)


def modify(store: Store, mpid: int, *entries: tuple[Identifier | None, Identifier | None]) -> None:
    changes = []
    for old, new in entries:
        named = old or new
        assert named is not None
        values = old.value if old else None, new.value if new else None
        changes.append(IdentityChange(named.type, *values))
    done(
        store, ModifyRequest(mpid, identity_changes=tuple(changes)), RequestKind.MODIFY, "s", RULES
    )


def done(store: Store, request: Request, kind: RequestKind, scope: str, by: ScopeRules) -> int:
    with store.writing() as transaction:
        seq = transaction.last_seq + 1
        lookup = transaction.lookup(scope, by)
        decision = decide(request, by, lookup, seq, SEED)
        transaction.advance_to(seq)
        entry = RequestEntry(seq, 1000 + seq, kind, f"r{seq}", 7)
        if decision.changes_the_store:
            transaction.apply(decision, scope, by, entry)
    assert decision.profile is not None
    return decision.profile.mpid


def erase(store: Store, mpid: int, scope: str = "s") -> ErasureReport:
    """Erase a profile, and see that a survey said so before and changed nothing."""
    with store.writing() as transaction:
        seq = transaction.last_seq + 1
        report = surveyed(transaction, seq, mpid, scope)
        decision = by_mpid(transaction, mpid, scope)
        transaction.advance_to(seq)
        entry = RequestEntry(seq, 1000 + seq, RequestKind.ERASE, "erasing")
        transaction.apply(decision.reported(report), scope, RULES, entry)
    return report


def by_mpid(transaction: Transaction, mpid: int, scope: str) -> Decision:
    return decide(EraseRequest(mpid), RULES, transaction.lookup(scope, RULES), 1, SEED)


def surveyed(transaction: Transaction, seq: int, mpid: int, scope: str) -> ErasureReport:
    return transaction.survey(Erasure(mpid, seq, scope, 1000 + seq, "erasing"))


def history(store: Store) -> list[tuple[object, ...]]:
    with store.reading() as transaction:
        return [
            (each.seq, each.change.op.value, each.mpid, each.change.identifier, each.request_id)
            for each in transaction.history()
            if isinstance(each.change, Change)
        ]


def of_identities(entries: Iterable[HistoryEntry]) -> list[Identifier]:
    """The identifiers that entries are about."""
    return [each.change.identifier for each in entries if isinstance(each.change, Change)]


def taken(store: Store) -> list[int]:
    with store.reading() as transaction:
        return [seq for seq in range(transaction.last_seq + 2) if transaction.is_taken(seq)]


def test_nothing_is_left_of_a_profile_but_its_erasure(store: Store) -> None:
    mpid = ask(store, "login", C, E, D)
    modify(store, mpid, (E, F))
    report = erase(store, mpid)
    assert report.erasure == Erasure(mpid, 3, "s", 1003, "erasing")
    assert report.counts[:3] == (3, 4, 5)  # holds c, f, d; held e, too; came, went, and came
    assert (report.made_from_it, report.taken_from, report.files) == ((), (), ())
    with store.reading() as transaction:
        assert [*transaction.erasures()] == [*transaction.erasures(mpid)] == [report.erasure]
        assert [*transaction.erasures(mpid + 1)] == []
        assert transaction.find(mpid) is None
        assert [*transaction.profiles({})] == []
        entry = HistoryEntry(3, 1003, RequestKind.ERASE, "erasing", None, report.erasure, None)
        assert [*transaction.history()] == [*transaction.history(mpid)] == [entry]
        assert transaction.scopes() == ()
        lookup = transaction.lookup("s", RULES)
        assert lookup.profile(mpid) is None
        for each in (C, E, F, D):
            assert (list(lookup.known(each)), list(lookup.anonymous((each,)))) == ([], [])
            assert transaction.holding("s", each) == []
    assert taken(store) == [3]
    assert store.finish_erasures()


def test_its_mpid_is_never_given_out_again(make: Make, tmp_path: Path) -> None:
    with make(tmp_path, SEED) as store:
        with store.writing() as transaction:
            mpid = mpid_of(SEED, 3, 0)  # which request 3 would get
            transaction.insert("s", profile(mpid, seq=1, email="e"), RULES, None)
            transaction.advance_to(1)
        erase(store, mpid)
        with store.reading() as transaction:
            assert transaction.lookup("s", RULES).was_given_out(mpid)
            assert transaction.lookup("t", RULES).was_given_out(mpid)
        assert ask(store, "login", F) == mpid_of(SEED, 3, 1)


def test_what_another_profile_holds_too_stays_with_it(store: Store) -> None:
    one = ask(store, "logout", D)
    other = ask(store, "logout", D)
    assert erase(store, one).counts[:3] == (1, 0, 1)
    assert history(store) == [(2, "add", other, D, "r2")]
    with store.reading() as transaction:
        assert [each.mpid for each in transaction.holding("s", D)] == [other]
    assert erase(store, other).counts[:3] == (1, 1, 1)
    assert history(store) == []


def takes(store: Store) -> int:
    """A known profile that takes the identifier OTHER from the anonymous profile 5."""
    with store.writing() as transaction:
        transaction.insert("s", profile(5, seq=1, other="o", ios_idfv="d"), RULES, 6)
        transaction.advance_to(1)
    assert ask(store, "login", E) == ask(store, "login", E, OTHER)
    return ask(store, "login", E)


def test_a_value_of_its_own_is_gone_from_the_history_of_others_too(store: Store) -> None:
    report = erase(store, takes(store))
    assert report.counts[:3] == (2, 2, 2)
    assert report.taken_from == (5,)
    assert history(store) == [
        (1, "add", 5, GONE_O, None),
        (1, "add", 5, D, None),
        (3, "remove", 5, GONE_O, None),
    ]
    assert taken(store) == [1, 3, 5]
    with store.reading() as transaction:
        [entry] = transaction.history(5, D)
        assert (entry.time_ms, entry.kind, entry.rule) == (6, "import", "import")
        assert [*transaction.history(identifier=OTHER)] == []
        [last, _] = [*transaction.history()][-2:]
        assert (last.time_ms, last.kind, last.rule) == (1003, "login", "identifier")
        assert (last.request_timestamp_ms, last.decided_by_type) == (7, "email")


def test_what_was_taken_from_it_stays_with_who_took_it(store: Store) -> None:
    taker = takes(store)
    report = erase(store, 5)
    assert (report.counts[:3], report.taken_from) == ((1, 1, 3), ())
    assert history(store) == [(2, "add", taker, E, "r2"), (3, "add", taker, OTHER, "r3")]
    assert taken(store) == [2, 3, 5]
    with store.reading() as transaction:
        found = transaction.find(taker)
        assert found is not None
        assert found[1].identifiers == (E, OTHER)


def test_what_both_have_lost_is_gone_from_both(store: Store) -> None:
    with store.writing() as transaction:
        transaction.insert("s", profile(5, seq=1, other="o", ios_idfv="d"), RULES, 6)
        transaction.insert("s", profile(6, seq=2, ios_idfv="d2"), RULES, None)
        transaction.advance_to(2)
    modify(store, 6, (None, OTHER))  # from 5
    modify(store, 6, (OTHER, None))
    assert erase(store, 6).counts[:3] == (1, 2, 2)
    assert [each[1:] for each in history(store)] == [
        ("add", 5, GONE_O, None),
        ("add", 5, D, None),
        ("remove", 5, GONE_O, None),
    ]


def test_a_value_that_was_erased_counts_once_and_comes_again_as_another(store: Store) -> None:
    first = takes(store)
    erase(store, first)
    again = ask(store, "login", E, OTHER)
    assert again != first
    with store.reading() as transaction:
        assert of_identities(transaction.history(5)) == [GONE_O, D, GONE_O]
        assert [each.mpid for each in transaction.history(identifier=OTHER)] == [again]
    assert erase(store, 5).counts[:3] == (1, 1, 3)  # the other id is gone already
    assert [each[3] for each in history(store)] == [E, OTHER]


def test_the_same_value_in_another_scope_is_another_identifier(store: Store) -> None:
    one = ask(store, "login", E)
    other = ask(store, "login", E, scope="t")
    assert erase(store, one).counts[:3] == (1, 1, 1)
    assert history(store) == [(2, "add", other, E, "r2")]
    with store.reading() as transaction:
        assert transaction.scopes() == ("t",)
        assert [each.scope for each in transaction.erasures()] == ["s"]


def test_profiles_made_from_it_are_named(store: Store) -> None:
    source = ask(store, "identify", D, by=LINKING)
    known = [ask(store, "login", each, D, by=LINKING) for each in (E, F)]
    report = erase(store, source)
    assert report.made_from_it == tuple(sorted(known))
    with store.reading() as transaction:
        found = transaction.find(known[0])
        assert found is not None
        assert found[1].source_mpid == source


def test_one_that_came_without_a_history_is_erased_too(store: Store) -> None:
    with store.writing() as transaction:
        transaction.insert("s", profile(5, seq=1, email="e", ios_idfv="d"), RULES, None)
        transaction.insert("s", profile(6, seq=2), RULES, 9)
        transaction.advance_to(2)
    assert erase(store, 5).counts[:3] == (2, 2, 0)
    assert erase(store, 6).counts[:3] == (0, 0, 0)
    assert taken(store) == [3, 4]


def test_several_in_one_transaction_and_what_comes_between_them(store: Store) -> None:
    one, other = ask(store, "login", E), ask(store, "login", F)
    with store.writing() as transaction:
        for mpid in (one, other):
            seq = transaction.last_seq + 1
            decision = by_mpid(transaction, mpid, "s")
            transaction.advance_to(seq)
            transaction.apply(
                decision.reported(surveyed(transaction, seq, mpid, "s")),
                "s",
                RULES,
                RequestEntry(seq, 5, RequestKind.ERASE),
            )
            seq += 1
            lookup = transaction.lookup("s", RULES)
            asked = decide(IdentityRequest(RequestKind.LOGIN, (E,)), RULES, lookup, seq, SEED)
            transaction.advance_to(seq)
            assert asked.created is (mpid == one)
            if asked.changes_the_store:
                transaction.apply(asked, "s", RULES, RequestEntry(seq, 5, RequestKind.LOGIN))
        assert [each.mpid for each in transaction.erasures()] == [one, other]
        [again] = [each.mpid for _, each in transaction.profiles({})]
    assert again not in (one, other)
    with store.reading() as transaction:
        assert of_identities(transaction.history()) == [E]


def test_an_erasure_in_a_transaction_that_is_not_kept_was_none(store: Store) -> None:
    mpid = ask(store, "login", E, D)
    before = history(store)
    with store.reading() as transaction:
        decision = by_mpid(transaction, mpid, "s")
        report = surveyed(transaction, 2, mpid, "s")
        transaction.apply(
            decision.reported(report), "s", RULES, RequestEntry(2, 5, RequestKind.ERASE)
        )
        assert transaction.find(mpid) is None
    with store.reading() as transaction:
        assert transaction.find(mpid) is not None
        assert [*transaction.erasures()] == []
    assert history(store) == before
    assert ask(store, "login", E) == mpid


def test_an_erasure_that_was_carried_out_elsewhere_keeps_its_mpid(store: Store) -> None:
    ask(store, "login", E)
    elsewhere = [Erasure(-8, 9, "s", 1, "r"), Erasure(8, 4, "elsewhere", 2, None)]
    with store.writing() as transaction:
        for each in elsewhere:
            transaction.insert_erasure(each)
        transaction.advance_to(9)
    with store.reading() as transaction:
        assert [*transaction.erasures()] == [elsewhere[1], elsewhere[0]]
        assert transaction.lookup("s", RULES).was_given_out(-8)
        assert transaction.scopes() == ("s",)
    assert taken(store) == [1, 4, 9]
    assert store.finish_erasures()


def test_a_request_that_changed_two_profiles_is_gone_with_the_second(store: Store) -> None:
    erase(store, takes(store))
    assert [each[:3] for each in history(store)] == [
        (1, "add", 5), (1, "add", 5), (3, "remove", 5),
    ]  # fmt: skip
    erase(store, 5)
    assert history(store) == []
    assert taken(store) == [5, 6]
