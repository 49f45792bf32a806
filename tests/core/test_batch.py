"""Section 9: whose the data of an event batch is."""

import pytest

from idsync_cli.core.codes import ErrorCode, NoteCode, RequestKind, Rule, Status, TierOutcome
from idsync_cli.core.config.rules import ScopeRules
from idsync_cli.core.data.batch_ids import digest_of, key_of
from idsync_cli.core.data.values import BatchData, BatchDevice, BatchId, NewEvent
from idsync_cli.core.decide import decide
from idsync_cli.core.decision import DecidedBy, Decision, Note, Refusal
from idsync_cli.core.identity import IdentityType
from idsync_cli.core.request import BatchRequest, IdentityRequest
from tests.core.memory import Memory
from tests.core.shorthand import NEW, altered, identifiers, profile, refused, rules, tiers

SCOPE = rules("customer_id:lui email:lu other:u ios_idfv")
EVENT = NewEvent(None, "custom_event", "hello", "{}")
DATA = BatchData([EVENT], {"city": '"Bern"'}, ("old",))
DIGEST = b"0123456789abcdef"


def identify(**identities: str) -> IdentityRequest:
    return IdentityRequest(RequestKind.IDENTIFY, identifiers(**identities))


def decided(
    request: BatchRequest, known: Memory, scope: ScopeRules = SCOPE, *, explain: bool = False
) -> Decision:
    return decide(request, scope, known.under(scope), NEW, 7, explain=explain)


@pytest.mark.parametrize(
    "asked", [{"email": "e"}, {"ios_idfv": "d"}, {"email": "f", "other": "o"}, {"ios_idfv": "x"}]
)
@pytest.mark.parametrize("explain", [False, True])
def test_a_batch_is_resolved_as_an_identify_and_brings_its_data(
    asked: dict[str, str], explain: bool
) -> None:
    known = Memory(
        profile(1, email="e", ios_idfv="d"),
        profile(2, ios_idfv="d"),
        profile(3, email="x", ios_idfv="x"),
    )
    same = decide(identify(**asked), SCOPE, known.under(SCOPE), NEW, 7, explain=explain)
    found = decided(BatchRequest(DATA, identify(**asked), digest=DIGEST), known, explain=explain)
    assert (found.data, found.digest) == (DATA, DIGEST)
    assert found == altered(same, data=DATA, digest=DIGEST)


def test_identifiers_that_were_passed_over_are_noted_before_all_else() -> None:
    known = Memory(profile(1, ios_idfv="d"), profile(2, ios_idfv="d"))
    passed_over = IdentityType.CUSTOMER_ID, IdentityType.OTHER
    request = BatchRequest(DATA, identify(ios_idfv="d"), passed_over=passed_over)
    assert decided(request, known).notes == (
        *(Note(NoteCode.NO_IDENTIFIER, each) for each in passed_over),
        Note(NoteCode.TIE),
    )


def test_a_batch_that_names_its_profile_changes_nothing_of_the_identity_record() -> None:
    known = Memory(profile(5, email="e"), profile(6, seq=9, ios_idfv="d", source=5))
    found = decided(BatchRequest(DATA, mpid=5, digest=DIGEST), known, explain=True)
    assert (found.status, found.decided_by) == (Status.MATCHED, DecidedBy(Rule.MPID))
    assert found.profile == known.profiles[5]
    assert (found.is_logged_in, found.changes, found.updates, found.matched) == (True, (), (), ())
    assert (found.data, found.digest) == (DATA, DIGEST)
    assert {tier.outcome for tier in found.tiers} == {TierOutcome.NOT_IN_REQUEST}
    assert [tier.identity_type for tier in found.tiers] == [*SCOPE.priority]
    assert [tier.rank for tier in found.tiers] == [1, 2, 3, 4]
    assert [tier.settings for tier in found.tiers] == [*map(SCOPE.settings_of, SCOPE.priority)]
    assert not known.sought
    plain = decided(BatchRequest(DATA, mpid=6), known)
    assert (plain.is_logged_in, tiers(plain)) == (False, [])


def test_an_mpid_that_the_scope_does_not_have_is_refused() -> None:
    with refused(ErrorCode.MPID_NOT_FOUND, "77"):
        decided(BatchRequest(DATA, mpid=77), Memory(profile(1)))


def test_a_batch_that_was_carried_out_before_does_nothing_whatever_else_it_says() -> None:
    known = Memory(profile(1, email="e"))
    known.batches[DIGEST] = known.profiles[1]
    fault = Refusal(ErrorCode.NO_IDENTITIES, "none")
    for request in (
        BatchRequest(DATA, identify(email="f"), digest=DIGEST),
        BatchRequest(DATA, identify(), digest=DIGEST, fault=fault),
        BatchRequest(DATA, mpid=77, digest=DIGEST),
    ):
        found = decided(request, known)
        assert (found.status, found.profile) == (Status.DUPLICATE, known.profiles[1])
        assert not found.changes_the_store
        assert found.data is None
    assert decided(BatchRequest(DATA, mpid=1, digest=b"another"), known).status == Status.MATCHED


def test_what_is_wrong_with_its_identifiers_refuses_it() -> None:
    fault = Refusal(ErrorCode.NO_IDENTITIES, "none")
    with pytest.raises(Refusal) as raised:
        decided(BatchRequest(DATA, identify(), fault=fault, digest=DIGEST), Memory())
    assert raised.value is fault


def test_a_refusal_of_step_5_is_accounted_for_with_all_its_notes() -> None:
    known = Memory(profile(1, customer_id="c", other="o"))
    request = BatchRequest(DATA, identify(other="o"), passed_over=(IdentityType.EMAIL,))
    with refused(ErrorCode.PROTECTED_IDENTITY) as raised:
        decided(request, known, explain=True)
    assert [each.code for each in raised.value.notes] == [
        NoteCode.NO_IDENTIFIER,
        NoteCode.HELD_ELSEWHERE,
    ]
    with refused(ErrorCode.PROTECTED_IDENTITY) as raised:
        decided(request, known)
    assert raised.value.notes == ()
    with refused(ErrorCode.NO_LOOKUP_IDENTITY) as raised:
        decided(BatchRequest(DATA, identify(push_token="t"), passed_over=()), known, explain=True)


@pytest.mark.parametrize(
    ("data", "changes"),
    [
        (BatchData(), False),
        (BatchData(attributes={}), False),
        (BatchData([EVENT]), True),
        (BatchData(attributes={"tag": "null"}), True),
        (BatchData(deleted=("a",)), True),
        (BatchData(device=BatchDevice(None, "{}")), True),
        (BatchData(consent_state="{}"), True),
        (BatchData(is_opted_out=False), True),
        (BatchData(attribution="{}"), True),
    ],
)
def test_a_batch_changes_the_store_if_it_brings_anything(data: BatchData, changes: bool) -> None:
    known = Memory(profile(1, email="e"))
    assert data.is_empty is not changes
    for request in (BatchRequest(data, identify(email="e")), BatchRequest(data, mpid=1)):
        assert decided(request, known).changes_the_store is changes
        assert decided(request._replace(digest=DIGEST), known).changes_the_store


def test_a_digest_is_of_the_workspace_or_else_of_the_scope_and_of_the_seed() -> None:
    ids = [
        BatchId("w", "s", "1"),
        BatchId(None, "w", "1"),
        BatchId(None, "s", "1"),
        BatchId("w1", "s", ""),
        BatchId("w", "s", "2"),
        BatchId("w", "s", "\ud800"),
    ]
    keys = [key_of(seed) for seed in (0, 1, -(2**130))]
    digests = {digest_of(each, key) for each in ids for key in keys}
    assert len(digests) == len(ids) * len(keys)
    assert {len(each) for each in digests} == {16}
    assert digest_of(BatchId("w", "s", "1"), keys[0]) == digest_of(BatchId("w", "t", "1"), keys[0])
    assert digest_of(BatchId("w", "s", "1"), key_of(0)).hex() == KNOWN


KNOWN = "f5346fe25088b709f600796da5e7353b"
"""What stores have kept of it: a digest must never become another."""
