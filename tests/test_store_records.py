"""What an export has beside profiles, out of every kind of store and into every other."""

import random
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from idsync_cli.core.codes import AttributeOp, Import, RequestKind, Status
from idsync_cli.core.data.batch_ids import key_of
from idsync_cli.core.data.values import (
    Alias,
    AttributeChange,
    BatchData,
    BatchDevice,
    Device,
    ProfileData,
)
from idsync_cli.core.decision import Change, Refusal
from idsync_cli.core.erasure import Erasure
from idsync_cli.core.records import (
    AttributeRecord,
    DataRecord,
    DeviceRecord,
    DigestRecord,
    EventRecord,
    Record,
    StateRecord,
    TimesRecord,
)
from idsync_cli.store.api import Store, Transaction
from idsync_cli.store.values import RequestEntry
from tests.core.shorthand import profile
from tests.stores import KINDS, Make, every_kind
from tests.test_store_aliases import alias
from tests.test_store_data import (
    RULES,
    SEED,
    D,
    a_new_store,  # noqa: F401 - a fixture
    bring,
    data_of,
    event,
    kept,
    mpid_of,
    random_batch,
)

pytestmark = every_kind

KEY, OTHER_KEY = key_of(SEED), b"k" * 32
TEXT = '{"event_type": "custom_event", "data": {"number": 1}}'


def records(store: Store, scope: str | None = None) -> list[Record]:
    with store.reading() as transaction:
        return [*transaction.records(scope)]


def imported(transaction: Transaction, *profiles: tuple[int, int]) -> None:
    """Profiles by MPID and number, as an import brings them at the time 70."""
    for mpid, seq in profiles:
        transaction.insert("s", profile(mpid, seq=seq, other=f"o{mpid}"), RULES, 70)
        transaction.advance_to(max(seq, transaction.last_seq))


def test_a_store_with_profiles_alone_has_none(store: Store) -> None:
    with store.writing() as transaction:
        imported(transaction, (5, 1))
    assert records(store) == records(store, "s") == records(store, "t") == []


def test_they_come_by_number_and_times_before_all(store: Store) -> None:
    data = BatchData(
        [event(1, 15), event(2)],
        {"b": '"x"', "a": "null"},
        device=BatchDevice(D, '{"ip": "::1"}'),
        consent_state="{}",
    )
    with store.writing() as transaction:
        imported(transaction, (5, 1), (6, 2), (7, 3))
        bring(transaction, data, mpid=5, digest=b"d" * 16, own_time_ms=60)
        alias(transaction, 5, 6, 10, 20)
        said_again = BatchData([event(3, 20)], device=BatchDevice(D, '{"ip": "::2"}'))
        bring(transaction, said_again, mpid=5)
        bring(transaction, BatchData(attributes={"a": "1"}, deleted=["b"]), mpid=5)
    first, _ = data.events
    its = (15, "custom_event", "hello", first.text)
    found: list[Record] = [
        TimesRecord(5, 60, 1007),
        TimesRecord(6, 60, 1005),
        StateRecord(5, 4, "{}", False, None),
        EventRecord(5, 4, 1, *its),
        EventRecord(5, 4, 2, 60, "custom_event", "hello", data.events[1].text),
        DigestRecord(5, 4, b"d" * 16, KEY),
        EventRecord(6, 5, 1, *its),
        Alias(5, 5, 6, 10, 20),
        DeviceRecord(5, 6, 4, D, '{"ip": "::2"}'),
        EventRecord(5, 6, 1, 20, "custom_event", "hello", event(3).text),
        EventRecord(6, 6, 1, 20, "custom_event", "hello", event(3).text),
        AttributeRecord(5, 7, "a", "1"),
    ]
    assert records(store) == records(store, "s") == found
    assert records(store, "t") == []


def test_those_of_one_number_have_an_order(store: Store) -> None:
    """By their kinds, then by the age of the profile, then by what tells them apart."""
    of_one: list[DataRecord] = [
        AttributeRecord(6, 9, "a", "1"),
        AttributeRecord(6, 9, "é", "1"),
        AttributeRecord(5, 9, "a", "1"),
        DeviceRecord(6, 9, 9, None, "{}"),
        DeviceRecord(6, 9, 9, D, "{}"),
        StateRecord(5, 9, None, True, None),
        EventRecord(6, 9, 1, 0, "custom_event", None, TEXT),
        EventRecord(6, 9, 2, 0, "custom_event", None, TEXT),
        EventRecord(5, 9, 1, 0, "custom_event", None, TEXT),
        Alias(9, 5, 6, 1, 2),
        DigestRecord(5, 9, b"a" * 16, KEY),
        DigestRecord(None, 9, b"b" * 16, OTHER_KEY),
        DigestRecord(6, 9, b"c" * 16, KEY),
    ]
    shuffled = random.Random(1).sample(of_one, len(of_one))
    with store.writing() as transaction:
        imported(transaction, (6, 1), (5, 2))
        assert all(transaction.insert_record(each, 80) for each in shuffled)
        transaction.advance_to(9)
    assert records(store)[2:] == of_one


def test_what_comes_in_is_there_with_a_history_of_its_own(store: Store) -> None:
    came: list[TimesRecord | DataRecord] = [
        TimesRecord(5, 10, 20),
        AttributeRecord(5, 4, "a", '["x", 1]'),
        DeviceRecord(5, 6, 3, D, '{"ip": "::1"}'),
        StateRecord(5, 6, '{"gdpr": {}}', True, '{"publisher": "p"}'),
        EventRecord(5, 7, 2, 15, "custom_event", None, TEXT),
        Alias(8, 5, 6, 10, 20),
        DigestRecord(5, 9, b"d" * 16, KEY),
    ]
    with store.writing() as transaction:
        imported(transaction, (5, 1), (6, 2))
        for each in came:
            assert transaction.insert_record(each, 80)
        transaction.advance_to(9)
        assert transaction.other_batch_keys in ((), [])
    found = data_of(store, 5)
    assert found == ProfileData(
        {"a": ["x", 1]},
        (kept(7, 2, 15, event(1, name=None)),),
        1,
        (Device(D, {"ip": "::1"}, 6),),
        {"gdpr": {}},
        True,
        {"publisher": "p"},
        10,
        20,
        ("request 8: aliased to profile 6",),
    )
    assert data_of(store, 6).status_messages == ("request 8: aliased from profile 5",)
    with store.reading() as transaction:
        taken = [seq for seq in range(1, 11) if transaction.is_taken(seq)]
        entries = [*transaction.history()][2:]
        carried_out = transaction.lookup("s", RULES).carried_out(b"d" * 16)
    assert taken == [1, 2, 3, 4, 6, 7, 8, 9]
    assert carried_out is not None
    assert carried_out.profile is not None
    assert carried_out.profile.mpid == 5
    assert [each.change for each in entries] == [
        AttributeChange(AttributeOp.SET, 5, "a", ["x", 1]),
        Alias(8, 5, 6, 10, 20),
    ]
    for entry in entries:
        assert (entry.time_ms, entry.kind, entry.rule) == (80, Import.IMPORT, Import.IMPORT)
    assert records(store)[0] == TimesRecord(5, 10, 20)
    assert records(store)[2:] == came[1:]


def test_what_is_there_already_does_not_come_again(store: Store) -> None:
    came: list[TimesRecord | DataRecord] = [
        TimesRecord(5, 10, 20),
        AttributeRecord(5, 4, "a", "1"),
        DeviceRecord(5, 5, 5, None, "{}"),
        StateRecord(5, 6, None, True, None),
        Alias(8, 5, 6, 10, 20),
        DigestRecord(5, 9, b"d" * 16, KEY),
    ]
    again: list[TimesRecord | DataRecord] = [
        TimesRecord(5, 10, 20),
        AttributeRecord(5, 7, "a", "2"),
        DeviceRecord(5, 7, 7, None, '{"ip": "::1"}'),
        StateRecord(5, 7, "{}", False, None),
        Alias(8, 6, 5, 30, 40),
        DigestRecord(None, 10, b"d" * 16, OTHER_KEY),
    ]
    with store.writing() as transaction:
        imported(transaction, (5, 1), (6, 2))
        for each in came:
            assert transaction.insert_record(each, 80)
        before = [*transaction.records()]
        for each in again:
            assert not transaction.insert_record(each, 80)
        assert [*transaction.records()] == before


def test_requests_go_on_from_what_came_in(store: Store) -> None:
    came: list[TimesRecord | DataRecord] = [
        TimesRecord(5, 10, 20),
        AttributeRecord(5, 3, "a", "1"),
        DeviceRecord(5, 3, 3, D, '{"ip": "::1"}'),
        StateRecord(5, 3, '{"a": 1}', True, None),
        Alias(4, 5, 6, 10, 20),
    ]
    data = BatchData(
        [event(1, 12)],
        {"a": "1", "b": "2"},
        device=BatchDevice(D, '{"ip": "::1"}'),
        is_opted_out=False,
    )
    with store.writing() as transaction:
        imported(transaction, (5, 1), (6, 2))
        for each in came:
            assert transaction.insert_record(each, 80)
        transaction.advance_to(4)
        bring(transaction, data, mpid=5, own_time_ms=5)
    found = data_of(store, 5)
    assert (found.attributes, found.first_seen_ms, found.last_stored_ms) == (
        {"a": 1, "b": 2},
        5,
        20,
    )
    assert found.devices == (Device(D, {"ip": "::1"}, 3),)
    assert (found.consent_state, found.is_opted_out) == ({"a": 1}, False)
    assert data_of(store, 6).events == found.events == (kept(5, 1, 12, event(1)),)
    assert AttributeRecord(5, 3, "a", "1") in records(store)
    assert StateRecord(5, 5, '{"a": 1}', False, None) in records(store)


def test_ids_are_looked_up_under_the_keys_of_other_stores_too(store: Store) -> None:
    with store.writing() as transaction:
        assert [*transaction.other_batch_keys] == []
        imported(transaction, (5, 1))
        for number, key in enumerate((OTHER_KEY, b"l" * 32, KEY, OTHER_KEY), start=2):
            digest = bytes([number]) * 16
            assert transaction.insert_record(DigestRecord(5, number, digest, key), 80)
        transaction.advance_to(5)
    with store.reading() as transaction:
        assert [*transaction.other_batch_keys] == [OTHER_KEY, b"l" * 32]
        assert [each.key for each in transaction.records() if isinstance(each, DigestRecord)] == [
            OTHER_KEY, b"l" * 32, KEY, OTHER_KEY,
        ]  # fmt: skip


def test_an_import_that_is_not_kept_was_none(store: Store) -> None:
    with store.writing() as transaction:
        imported(transaction, (5, 1))
    with store.reading() as transaction:
        assert transaction.insert_record(DigestRecord(5, 2, b"d" * 16, OTHER_KEY), 80)
        assert transaction.insert_record(AttributeRecord(5, 2, "a", "1"), 80)
        assert transaction.insert_record(TimesRecord(5, 1, 2), 80)
    with store.reading() as transaction:
        assert [*transaction.other_batch_keys] == []
        assert [*transaction.records()] == []
        assert not transaction.is_taken(2)
    found = data_of(store, 5)
    assert (found.first_seen_ms, found.last_stored_ms) == (70, 70)


def test_nothing_of_it_is_left_when_the_profile_is_erased(store: Store) -> None:
    came: list[TimesRecord | DataRecord] = [
        TimesRecord(5, 10, 20),
        AttributeRecord(5, 3, "a", "1"),
        DeviceRecord(5, 5, 4, D, "{}"),
        EventRecord(5, 5, 1, 15, "custom_event", None, TEXT),
        Alias(6, 5, 6, 10, 20),
        DigestRecord(5, 7, b"d" * 16, OTHER_KEY),
    ]
    with store.writing() as transaction:
        imported(transaction, (5, 1), (6, 2))
        for each in came:
            assert transaction.insert_record(each, 80)
        transaction.advance_to(7)
        erase(transaction, 5)
    assert records(store) == [DigestRecord(None, 7, b"d" * 16, OTHER_KEY), erasure_of(5, 8)]
    with store.reading() as transaction:
        taken = [seq for seq in range(1, 10) if transaction.is_taken(seq)]
        assert [type(each.change) for each in transaction.history()] == [Change, Erasure]
    assert taken == [2, 6, 8]


def erase(transaction: Transaction, mpid: int) -> None:
    from tests.test_store_erasure import by_mpid

    seq = transaction.last_seq + 1
    decision = by_mpid(transaction, mpid, "s")
    report = transaction.survey(erasure_of(mpid, seq))
    transaction.advance_to(seq)
    entry = RequestEntry(seq, 1000 + seq, RequestKind.ERASE)
    transaction.apply(decision.reported(report), "s", RULES, entry)


def erasure_of(mpid: int, seq: int) -> Erasure:
    return Erasure(mpid, seq, "s", 1000 + seq)


@pytest.mark.parametrize("number", range(8))
def test_out_of_one_store_and_into_every_kind_they_are_the_same(
    make: Make, tmp_path: Path, number: int
) -> None:
    with make(tmp_path, SEED) as store:
        lived = random.Random(number)
        live(store, lived)
        with store.reading() as transaction:
            profiles = [*transaction.profiles({})]
            there = [*transaction.records()]
    assert len(there) > 20
    with ExitStack() as others:
        for name, its_make in KINDS.items():
            folder = tmp_path / name
            folder.mkdir()
            other = others.enter_context(its_make(folder, 5))
            with other.writing() as transaction:
                for scope, its in profiles:
                    transaction.insert(scope, its, RULES, 7)
                for each in there:
                    if isinstance(each, Erasure):
                        transaction.insert_erasure(each)
                    else:
                        assert transaction.insert_record(each, 7)
            assert records(other) == there, name


def live(store: Store, rng: random.Random) -> None:
    """Batches, aliases and erasures by chance."""
    mpids: set[int] = set()
    for number in range(60):
        with store.writing() as transaction:
            data, asked, own_time_ms = random_batch(rng)
            choice, some = rng.random(), sorted(mpids)
            if choice < 0.2 and len(some) > 1:
                source, destination = rng.sample(some, 2)
                start = rng.randrange(30)
                with suppress(Refusal):
                    alias(transaction, source, destination, start, start + 9, own_time_ms)
            elif choice < 0.25 and len(some) > 2:
                gone = rng.choice(some)
                mpids.discard(gone)
                erase(transaction, gone)
            else:
                digest = bytes([number]) * 16 if rng.random() < 0.4 else None
                decision = bring(transaction, data, asked, digest=digest, own_time_ms=own_time_ms)
                if decision.status in (Status.CREATED, Status.MATCHED):
                    mpids.add(mpid_of(decision))
