"""What batches bring to profiles, asked of every kind of store (idsync_cli/store/api.py)."""

import json
import random
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from idsync_cli.core.codes import RequestKind, Status
from idsync_cli.core.data.values import (
    BatchData,
    BatchDevice,
    Device,
    Event,
    NewEvent,
    ProfileData,
)
from idsync_cli.core.decide import decide
from idsync_cli.core.decision import Decision
from idsync_cli.core.identity import Identifier, IdentityType
from idsync_cli.core.request import BatchRequest, IdentityRequest
from idsync_cli.store.api import Store, Transaction
from idsync_cli.store.values import RequestEntry
from tests.core.shorthand import identifiers, profile, rules
from tests.plain_data import Brought, told
from tests.stores import Make, every_kind

pytestmark = every_kind

SEED = -7
RULES = rules("customer_id:lui email:lu other:u ios_idfv")
E, D = identifiers(email="e", ios_idfv="d")


class Broken(Exception):
    """Something goes wrong in the middle of a transaction."""


@pytest.fixture(name="store")
def a_new_store(make: Make, tmp_path: Path) -> Iterator[Store]:
    with make(tmp_path, SEED) as store:
        yield store


def bring(
    transaction: Transaction,
    data: BatchData,
    *asked: Identifier,
    mpid: int | None = None,
    digest: bytes | None = None,
    own_time_ms: int | None = None,
) -> Decision:
    """Decide a batch by the next number, and do what was decided; the clock says 1000 more."""
    seq = transaction.last_seq + 1
    identify = IdentityRequest(RequestKind.IDENTIFY, asked) if mpid is None else None
    request = BatchRequest(data, identify, mpid, digest)
    decision = decide(request, RULES, transaction.lookup("s", RULES), seq, SEED)
    if decision.changes_the_store:
        transaction.advance_to(seq)
        entry = RequestEntry(seq, 1000 + seq, RequestKind.BATCH, None, own_time_ms)
        transaction.apply(decision, "s", RULES, entry)
    return decision


def event(number: int, time_ms: int | None = None, name: str | None = "hello") -> NewEvent:
    text = json.dumps({"event_type": "custom_event", "data": {"number": number}})
    return NewEvent(time_ms, "custom_event", name, text)


def kept(seq: int, place: int, time_ms: int, new: NewEvent) -> Event:
    """An event of a batch as a profile has it."""
    data = json.loads(new.text)["data"]
    return Event(seq, place, time_ms, new.event_type, new.name, data, new.text)


def data_of(store: Store, mpid: int, events: int | None = None) -> ProfileData:
    with store.reading() as transaction:
        found = transaction.data_of(mpid, events)
    assert found is not None
    return found


def mpid_of(decision: Decision) -> int:
    assert decision.profile is not None
    return decision.profile.mpid


def test_a_profile_that_no_batch_was_for_has_nothing(store: Store) -> None:
    with store.writing() as transaction:
        assert transaction.data_of(5) is None
        transaction.insert("s", profile(5, seq=1, email="e"), RULES, None)
        transaction.advance_to(1)
        assert transaction.data_of(5) == ProfileData({})
    assert data_of(store, 5) == ProfileData({})
    with store.reading() as transaction:
        assert transaction.lookup("s", RULES).carried_out(b"0123456789abcdef") is None


def test_first_seen_and_last_stored_are_the_own_times_of_the_requests_it_answered(
    store: Store,
) -> None:
    with store.writing() as transaction:
        transaction.insert("s", profile(5, seq=1, email="e"), RULES, 70)
        transaction.insert("s", profile(6, seq=2, other="o"), RULES, None)
        transaction.advance_to(2)
        bring(transaction, BatchData([event(1)]), mpid=5, own_time_ms=60)
        bring(transaction, BatchData([event(1)]), mpid=5, own_time_ms=80)
        bring(transaction, BatchData([event(1)]), mpid=6)
        bring(transaction, BatchData([event(1)]), mpid=6, own_time_ms=-5)
        bring(transaction, BatchData(), mpid=6, own_time_ms=-9)  # it changes nothing
    for mpid, times in ((5, (60, 80)), (6, (-5, 1005))):
        found = data_of(store, mpid)
        assert (found.first_seen_ms, found.last_stored_ms) == times


def test_events_come_by_time_then_by_number_and_place(store: Store) -> None:
    first, second, third = event(1, 300), event(2, 100), event(3, None)
    with store.writing() as transaction:
        mpid = mpid_of(bring(transaction, BatchData([first, second, third]), E, own_time_ms=200))
        bring(transaction, BatchData([event(4, 100), event(5, 100)]), E)
        expected = [
            kept(1, 2, 100, second),
            kept(2, 1, 100, event(4)),
            kept(2, 2, 100, event(5)),
            kept(1, 3, 200, third),
            kept(1, 1, 300, first),
        ]
        for latest, there in ((None, expected), (2, expected[3:]), (9, expected), (0, [])):
            found = transaction.data_of(mpid, latest)
            assert found is not None
            assert (found.event_count, [*found.events]) == (5, there)
    assert [*data_of(store, mpid).events] == expected


def test_the_events_of_a_profile_are_its_own(store: Store) -> None:
    with store.writing() as transaction:
        one = mpid_of(bring(transaction, BatchData([event(1)]), E))
        other = mpid_of(bring(transaction, BatchData([event(2)]), D))
    assert [each.data for each in data_of(store, one).events] == [{"number": 1}]
    assert [each.data for each in data_of(store, other).events] == [{"number": 2}]


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ('{"event_type": "x"}', {}),
        ('{"event_type": "x", "data": null}', {}),
        ('{ "event_type":"x","data":{"a":1.10,"b":[null,{"c":"\\ud800"}]},"more":1}', None),
        ('{"event_type": "x", "data": {"n": ' + "9" * 5000 + "}}", {"n": "9" * 5000}),
        ('{"event_type": "x", "data": {"k\\u0000": "😀\u2028"}}', {"k\0": "😀\u2028"}),
    ],
)
def test_an_event_stays_as_it_came(store: Store, text: str, data: object) -> None:
    with store.writing() as transaction:
        mpid = mpid_of(bring(transaction, BatchData([NewEvent(1, "x", None, text)]), E))
    [found] = data_of(store, mpid).events
    assert (found.text, found.name) == (text, None)
    assert found.data == ({"a": 1.1, "b": [None, {"c": "\ud800"}]} if data is None else data)


def test_attributes_are_set_and_then_deleted(store: Store) -> None:
    values = {"b": '"Bern"', "a": "null", "n": "1.5", "l": '["x", 1, true]', "é'\"": "false"}
    with store.writing() as transaction:
        mpid = mpid_of(bring(transaction, BatchData(attributes=values), E))
        found = transaction.data_of(mpid)
        assert found is not None
        assert [*found.attributes.items()] == [
            *(("a", None), ("b", "Bern"), ("l", ["x", 1, True]), ("n", 1.5), ("é'\"", False)),
        ]
        bring(transaction, BatchData(attributes={"b": '"Ulm"', "c": "1"}, deleted=("c", "n")), E)
        bring(transaction, BatchData(deleted=("b", "none")), E)
        bring(transaction, BatchData(attributes={"b": "2"}), E)
    assert data_of(store, mpid).attributes == {
        "a": None, "b": 2, "l": ["x", 1, True], "é'\"": False,
    }  # fmt: skip


def test_of_each_device_the_last_that_was_said_counts(store: Store) -> None:
    stamp = Identifier(IdentityType.DEVICE_APPLICATION_STAMP, "d")
    with store.writing() as transaction:
        mpid = mpid_of(bring(transaction, BatchData(device=BatchDevice(D, '{"ip": "1"}')), E))
        bring(transaction, BatchData(device=BatchDevice(None, '{"ip": "2"}')), E)
        bring(transaction, BatchData(device=BatchDevice(stamp, "{}")), E)
        bring(transaction, BatchData(device=BatchDevice(D, '{"ip": "1"}')), E)
        bring(transaction, BatchData(device=BatchDevice(None, '{"ip": "2"}')), E)
        bring(transaction, BatchData(device=BatchDevice(D, '{"ip": "3"}')), E)
    assert [*data_of(store, mpid).devices] == [
        Device(D, {"ip": "3"}, 6),
        Device(None, {"ip": "2"}, 2),
        Device(stamp, {}, 3),
    ]


def test_consent_opt_out_and_attribution_stay_until_another_batch_says_otherwise(
    store: Store,
) -> None:
    with store.writing() as transaction:
        mpid = mpid_of(bring(transaction, BatchData(consent_state='{"gdpr": {}}'), E))
        bring(transaction, BatchData(is_opted_out=True), E)
        bring(transaction, BatchData(attribution='{"publisher": "p"}'), E)
        found = transaction.data_of(mpid)
        assert found is not None
        assert (found.consent_state, found.is_opted_out) == ({"gdpr": {}}, True)
        assert found.attribution == {"publisher": "p"}
        bring(transaction, BatchData(is_opted_out=False, consent_state='{"ccpa": {}}'), E)
    found = data_of(store, mpid)
    assert (found.consent_state, found.is_opted_out) == ({"ccpa": {}}, False)
    assert found.attribution == {"publisher": "p"}


def test_a_batch_with_an_id_is_carried_out_once(store: Store) -> None:
    digests = [bytes([number]) * 16 for number in range(3)]
    with store.writing() as transaction:
        transaction.prefetch("s", RULES, (), (), digests)
        first = bring(transaction, BatchData([event(1)]), E, digest=digests[0])
        again = bring(transaction, BatchData([event(2)]), D, digest=digests[0])
        assert (again.status, mpid_of(again)) == (Status.DUPLICATE, mpid_of(first))
        assert bring(transaction, BatchData(), E, digest=digests[1]).status == Status.MATCHED
    with suppress(Broken), store.writing() as transaction:
        assert bring(transaction, BatchData(), E, digest=digests[2]).status == Status.MATCHED
        raise Broken
    with store.writing() as transaction:
        for digest in digests[:2]:
            assert bring(transaction, BatchData(), D, digest=digest).status == Status.DUPLICATE
        lookup = transaction.lookup("elsewhere", RULES)
        seen = lookup.carried_out(digests[1])
        assert seen is not None
        assert seen.profile is not None
        assert seen.profile.mpid == mpid_of(first)
        assert lookup.carried_out(digests[2]) is None
        assert bring(transaction, BatchData(), D, digest=digests[2]).created
    assert data_of(store, mpid_of(first)).event_count == 1


def test_nothing_of_a_transaction_that_fails_is_kept(store: Store) -> None:
    data = BatchData([event(1)], {"a": "1"}, (), BatchDevice(D, "{}"), "{}", True, "{}")
    with store.writing() as transaction:
        mpid = mpid_of(bring(transaction, BatchData([event(0)]), E))
    before = data_of(store, mpid)
    with suppress(Broken), store.writing() as transaction:
        bring(transaction, data, E)
        assert transaction.data_of(mpid) != before
        raise Broken
    with store.reading() as transaction:
        bring(transaction, data, E)
    assert data_of(store, mpid) == before


@pytest.mark.parametrize("number", range(12))
def test_it_comes_to_the_same_however_many_requests_a_transaction_has(
    make: Make, tmp_path: Path, number: int
) -> None:
    everything: list[Brought] = []
    rng = random.Random(number)
    batches = [random_batch(rng) for _ in range(40)]
    found = []
    for size in (1, 3, 40):
        everything = []
        with make(tmp_path, SEED) as store:
            for begin in range(0, len(batches), size):
                with store.writing() as transaction:
                    for data, asked, own_time_ms in batches[begin : begin + size]:
                        decision = bring(transaction, data, asked, own_time_ms=own_time_ms)
                        if decision.changes_the_store:
                            seq = transaction.last_seq
                            when = 1000 + seq if own_time_ms is None else own_time_ms
                            everything.append(Brought(mpid_of(decision), seq, when, data))
            mpids = {each.mpid for each in everything}
            found.append({mpid: data_of(store, mpid) for mpid in mpids})
    assert found == [{mpid: told(mpid, everything) for mpid in mpids}] * 3


def random_batch(rng: random.Random) -> tuple[BatchData, Identifier, int | None]:
    asked = Identifier(rng.choice([IdentityType.EMAIL, IdentityType.IOS_IDFV]), rng.choice("xyz"))
    names = ["a", "b", "c"]
    values = ['"x"', "1", "null", '["x"]']
    device = rng.choice([None, BatchDevice(asked, '{"ip": "1"}')])
    if rng.random() < 0.3:
        device = BatchDevice(rng.choice([None, asked]), rng.choice(['{"ip": "2"}', "{}"]))
    data = BatchData(
        [event(rng.randrange(9), rng.choice([None, 5, 7])) for _ in range(rng.randrange(3))],
        {name: rng.choice(values) for name in rng.sample(names, rng.randrange(3))},
        tuple(rng.sample(names, rng.choice([0, 0, 1, 2]))),
        device,
        rng.choice([None, None, "{}", '{"gdpr": {}}']),
        rng.choice([None, None, True, False]),
        rng.choice([None, None, '{"publisher": "p"}']),
    )
    return data, asked, rng.choice([None, 10, 20, 30])
