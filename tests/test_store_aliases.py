"""Aliases, asked of every kind of store (section 9)."""

import random
from contextlib import suppress
from pathlib import Path

import pytest

from idsync_cli.core.codes import AliasFault, RequestKind, Status
from idsync_cli.core.data.values import Alias, BatchData, ProfileData
from idsync_cli.core.decide import decide
from idsync_cli.core.decision import Decision, Refusal
from idsync_cli.core.request import AliasRequest
from idsync_cli.core.resolve.alias import LONGEST_WINDOW_MS
from idsync_cli.store.api import Store, Transaction
from idsync_cli.store.values import RequestEntry
from tests.core.shorthand import profile, rules
from tests.plain_data import Brought, told
from tests.stores import Make, every_kind
from tests.test_store_data import (
    RULES,
    SEED,
    a_new_store,  # noqa: F401 - a fixture
    bring,
    data_of,
    event,
    kept,
    mpid_of,
    random_batch,
)

pytestmark = every_kind

SOURCE, DESTINATION, KNOWN = 5, 6, 7


def alias(
    transaction: Transaction,
    source: int = SOURCE,
    destination: int = DESTINATION,
    start: int | None = None,
    end: int | None = None,
    own_time_ms: int | None = None,
) -> Decision:
    """Decide an alias by the next number, and do it; the clock says 1000 more than the number."""
    seq = transaction.last_seq + 1
    time_ms = 1000 + seq if own_time_ms is None else own_time_ms
    request = AliasRequest(source, destination, start, end, time_ms)
    decision = decide(request, RULES, transaction.lookup("s", RULES), seq, SEED)
    transaction.advance_to(seq)
    entry = RequestEntry(seq, 1000 + seq, RequestKind.ALIAS, None, own_time_ms)
    transaction.apply(decision, "s", RULES, entry)
    return decision


@pytest.fixture(name="there")
def a_store_with_three_profiles(store: Store) -> Store:
    with store.writing() as transaction:
        transaction.insert("s", profile(SOURCE, seq=1, ios_idfv="d"), RULES, 100)
        transaction.insert("s", profile(DESTINATION, seq=2, other="o"), RULES, 200)
        known = profile(KNOWN, seq=3, email="e", was_known=True)
        transaction.insert("s", known, RULES, 300)
        transaction.advance_to(3)
    return store


def test_the_events_of_the_window_are_copied_with_both_of_its_ends(there: Store) -> None:
    events = [event(number, time_ms) for number, time_ms in enumerate((9, 10, 15, 20, 21))]
    with there.writing() as transaction:
        bring(transaction, BatchData(events), mpid=SOURCE)
        decision = alias(transaction, start=10, end=20)
    assert (decision.status, decision.copied) == (Status.ALIASED, 3)
    assert decision.alias == Alias(5, SOURCE, DESTINATION, 10, 20)
    copies = [kept(5, place, 5 * place + 5, events[place]) for place in (1, 2, 3)]
    assert list(data_of(there, DESTINATION).events) == copies
    assert data_of(there, SOURCE).event_count == 5


def test_both_get_a_message_and_the_destination_was_seen_as_early(there: Store) -> None:
    attribution = BatchData(attribution='{"publisher": "p"}', attributes={"a": "1"})
    with there.writing() as transaction:
        bring(transaction, attribution, mpid=SOURCE, own_time_ms=50)
        alias(transaction, own_time_ms=400)
    source, destination = data_of(there, SOURCE), data_of(there, DESTINATION)
    assert source.status_messages == (f"request 5: aliased to profile {DESTINATION}",)
    assert destination.status_messages == (f"request 5: aliased from profile {SOURCE}",)
    assert destination.attribution == {"publisher": "p"}
    assert (destination.first_seen_ms, destination.last_stored_ms) == (50, 400)
    assert (destination.attributes, source.first_seen_ms) == ({}, 50)


def test_an_event_that_comes_later_is_copied_as_it_comes(there: Store) -> None:
    with there.writing() as transaction:
        alias(transaction, start=10, end=20)
    with there.writing() as transaction:
        events = [event(1, 5), event(2, 15), event(3)]
        bring(transaction, BatchData(events), mpid=SOURCE, own_time_ms=20)
        bring(transaction, BatchData([event(4, 15)]), mpid=DESTINATION)
    assert list(data_of(there, DESTINATION).events) == [
        kept(5, 2, 15, events[1]), kept(6, 1, 15, event(4)), kept(5, 3, 20, events[2]),
    ]  # fmt: skip
    assert data_of(there, SOURCE).event_count == 3


def test_a_window_begins_90_days_before_its_end_which_is_the_time_of_the_request(
    there: Store,
) -> None:
    now = LONGEST_WINDOW_MS + 500
    with there.writing() as transaction:
        times = (499, 500, now, now + 1)
        bring(transaction, BatchData([event(1, each) for each in times]), mpid=SOURCE)
        assert alias(transaction, own_time_ms=now).copied == 2


@pytest.mark.parametrize(
    ("source", "destination", "start", "end", "fault"),
    [
        (SOURCE, SOURCE, None, None, AliasFault.SAME_PROFILE),
        (99, DESTINATION, None, None, AliasFault.UNKNOWN_PROFILE),
        (SOURCE, 99, None, None, AliasFault.UNKNOWN_PROFILE),
        (KNOWN, SOURCE, None, None, AliasFault.KNOWN_SOURCE),
        (SOURCE, DESTINATION, 2, 1, AliasFault.INVALID_WINDOW),
        (SOURCE, DESTINATION, 0, LONGEST_WINDOW_MS + 1, AliasFault.INVALID_WINDOW),
    ],
)
def test_what_is_refused_and_why(
    there: Store,
    source: int,
    destination: int,
    start: int | None,
    end: int | None,
    fault: AliasFault,
) -> None:
    with there.writing() as transaction, pytest.raises(Refusal) as refused:
        alias(transaction, source, destination, start, end)
    assert refused.value.fault is fault


def test_a_strategy_without_aliasing_refuses_all(there: Store) -> None:
    isolation = rules("email other", "profile_isolation")
    request = AliasRequest(SOURCE, DESTINATION, None, None, 1)
    with there.reading() as transaction, pytest.raises(Refusal) as refused:
        decide(request, isolation, transaction.lookup("s", isolation), 9, SEED)
    assert refused.value.fault is AliasFault.NO_ALIASING


def test_what_was_aliased_before_is_in_the_way(there: Store) -> None:
    with there.writing() as transaction:
        transaction.insert("s", profile(8, seq=4, other="p"), RULES, 100)
        transaction.advance_to(4)
        alias(transaction, start=10, end=20)
        for source, destination, start, end in (
            (SOURCE, 8, 20, 30), (SOURCE, 8, 1, 10), (SOURCE, 8, 12, 13), (SOURCE, 8, 1, 99),
            (DESTINATION, 8, 100, 101), (8, SOURCE, 100, 101),
        ):  # fmt: skip
            with pytest.raises(Refusal) as refused:
                alias(transaction, source, destination, start, end)
            assert refused.value.fault is AliasFault.ALIASED_BEFORE
        alias(transaction, SOURCE, 8, 21, 30)
        alias(transaction, SOURCE, DESTINATION, 31, 40)


@pytest.mark.parametrize("number", range(12))
def test_it_comes_to_the_same_however_many_requests_a_transaction_has(
    make: Make, tmp_path: Path, number: int
) -> None:
    rng = random.Random(number)
    steps = [
        (random_batch(rng), rng.random() < 0.4, rng.random(), rng.random(), rng.randrange(30))
        for _ in range(40)
    ]
    found = []
    for size in (1, 3, 40):
        everything: list[Brought] = []
        with make(tmp_path, SEED) as store:
            for begin in range(0, len(steps), size):
                with store.writing() as transaction:
                    for (data, asked, own_time_ms), is_alias, one, two, start in steps[
                        begin : begin + size
                    ]:
                        mpids = sorted({each.mpid for each in everything})
                        if is_alias and len(mpids) > 1:
                            source, destination = (mpids[int(x * len(mpids))] for x in (one, two))
                            with suppress(Refusal):
                                decision = alias(
                                    transaction, source, destination, start, start + 7, own_time_ms
                                )
                                everything.append(brought(transaction, decision, own_time_ms))
                            continue
                        decision = bring(transaction, data, asked, own_time_ms=own_time_ms)
                        if decision.changes_the_store:
                            everything.append(brought(transaction, decision, own_time_ms))
            all_mpids = {each.mpid for each in everything}
            found.append({mpid: data_of(store, mpid) for mpid in all_mpids})
    expected: dict[int, ProfileData] = {mpid: told(mpid, everything) for mpid in all_mpids}
    assert found == [expected] * 3


def brought(transaction: Transaction, decision: Decision, own_time_ms: int | None) -> Brought:
    seq = transaction.last_seq
    when = 1000 + seq if own_time_ms is None else own_time_ms
    return Brought(mpid_of(decision), seq, when, decision.data, decision.aliases, decision.alias)
