"""Section 11 for what section 9 adds: event batches and erasures under guard rails."""

from collections.abc import Mapping

import pytest

from idsync_cli.core.codes import ErrorCode, Normalizer, NoteCode, RequestKind, Status
from idsync_cli.core.config.guard_rails import NO_GUARD_RAILS, GuardRails
from idsync_cli.core.config.rules import ScopeRules
from idsync_cli.core.data.values import BatchData, BatchDevice, NewEvent
from idsync_cli.core.decide import decide
from idsync_cli.core.decision import Decision
from idsync_cli.core.identity import Identifier, IdentityType
from idsync_cli.core.request import BatchRequest, EraseRequest, IdentityRequest
from tests.core.memory import Memory
from tests.core.shorthand import NEW, altered, changes, identifiers, notes, profile, refused, rules

EMAIL, OTHER, IDFA, IDFV = (IdentityType(n) for n in ("email", "other", "ios_idfa", "ios_idfv"))
LOWER = (Normalizer.LOWERCASE,)
RAILS = GuardRails({EMAIL: LOWER, IDFV: LOWER, OTHER: LOWER}, {None: ("placeholders",)})
TYPES = "customer_id:lui email:lu other ios_idfv ios_idfa push_token:u"
GUARDED, OPEN = rules(TYPES, rails=RAILS), rules(TYPES)


def brought(
    known: Memory,
    asked: Mapping[str, str],
    scope: ScopeRules = GUARDED,
    *,
    passed_over: tuple[IdentityType, ...] = (),
    device: BatchDevice | None = None,
    explain: bool = False,
) -> Decision:
    """Decide a batch by its identifiers."""
    data = BatchData([NewEvent(None, "custom_event", "hello", "{}")], {"a": "1"}, device=device)
    identity = IdentityRequest(RequestKind.IDENTIFY, identifiers(**asked))
    request = BatchRequest(data, identity, passed_over=passed_over)
    return decide(request, scope, known.under(scope), NEW, 7, explain=explain)


# ---- Batches


def test_a_batch_is_resolved_by_what_guard_rails_leave() -> None:
    known = Memory(profile(1, email="e"))
    decision = brought(known, {"email": "E", "ios_idfv": "D", "customer_id": "Guest"})
    assert (decision.status, decision.profile) == (Status.MATCHED, known.profiles[1])
    assert changes(decision) == ["+1 ios_idfv d"]
    assert notes(decision) == ["blocked customer_id"]
    assert decision.data is not None
    assert len(decision.data.events) == 1
    assert changes(brought(known, {"ios_idfv": "D"}, OPEN)) == ["+new ios_idfv D"]


def test_what_is_blocked_and_what_is_none_stand_in_one_order() -> None:
    passed_over = (IdentityType.CUSTOMER_ID, IDFA, IdentityType.PUSH_TOKEN)
    known = Memory(profile(1, ios_idfv="d"), profile(2, ios_idfv="d"))
    asked = {"ios_idfa": "null", "email": "NULL", "ios_idfv": "d"}
    decision = brought(known, asked, passed_over=passed_over)
    assert notes(decision) == [
        "no_identifier customer_id",
        "blocked email",
        "blocked ios_idfa",
        "no_identifier ios_idfa",
        "no_identifier push_token",
        "tie",
    ]
    assert notes(brought(known, asked)) == ["blocked email", "blocked ios_idfa", "tie"]


def test_a_refusal_of_step_5_tells_them_too() -> None:
    scope = rules("email:lu push_token:u", keep=True, rails=RAILS)
    known = Memory(profile(1, email="e", push_token="t"))
    with refused(ErrorCode.PROTECTED_IDENTITY) as raised:
        asked = {"email": "nil", "push_token": "t"}
        brought(known, asked, scope, passed_over=(OTHER,), explain=True)
    assert [each.code for each in raised.value.notes] == [
        NoteCode.BLOCKED,
        NoteCode.NO_IDENTIFIER,
        NoteCode.HELD_ELSEWHERE,
    ]


@pytest.mark.parametrize("passed_over", [(), (OTHER,)])
def test_a_batch_of_which_nothing_is_left_is_refused(passed_over: tuple[IdentityType, ...]) -> None:
    with refused(ErrorCode.NO_IDENTITIES, "blocks", "email, ios_idfv") as raised:
        asked = {"ios_idfv": "0", "email": "Null"}
        brought(Memory(), asked, passed_over=passed_over, explain=True)
    assert raised.value.notes == ()


def test_a_batch_that_names_its_profile_is_not_asked() -> None:
    known = Memory(profile(1, email="e"))
    device = BatchDevice(Identifier(IDFA, "null"), "{}")
    request = BatchRequest(BatchData(device=device), mpid=1)
    decision = decide(request, GUARDED, known.under(GUARDED), NEW, 7)
    assert (decision.notes, decision.data) == ((), request.data)


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        ({"ios_idfa": "null", "ios_idfv": "D"}, Identifier(IDFV, "d")),
        ({"ios_idfa": "A", "ios_idfv": "D"}, Identifier(IDFA, "A")),
        ({"ios_idfa": "null", "email": "E"}, None),
        ({"ios_idfa": "null", "ios_idfv": "O"}, Identifier(IDFV, "O")),
        (
            {"ios_idfv": "D", "ios_idfa": "A", "device_application_stamp": "S"},
            Identifier(IdentityType.DEVICE_APPLICATION_STAMP, "S"),
        ),
    ],
)
def test_a_device_is_named_by_what_guard_rails_leave(
    asked: dict[str, str], named: Identifier | None
) -> None:
    known = Memory(profile(1, ios_idfv="O"))
    device = BatchDevice(Identifier(IDFA, "sent"), '{"ip": "1.2.3.4"}')
    data = brought(known, asked, device=device).data
    assert data is not None
    assert data == altered(data, device=BatchDevice(named, device.info))
    assert data.attributes == {"a": "1"}


@pytest.mark.parametrize(
    ("device", "scope", "asked"),
    [
        (BatchDevice(Identifier(IDFA, "0"), "{}"), OPEN, {"ios_idfa": "0"}),
        (BatchDevice(Identifier(IDFA, "A"), "{}"), GUARDED, {"ios_idfa": "A"}),
        (BatchDevice(None, "{}"), GUARDED, {"email": "E"}),
        (None, GUARDED, {"ios_idfa": "0", "email": "E"}),
    ],
)
def test_else_the_device_is_the_one_that_came(
    device: BatchDevice | None, scope: ScopeRules, asked: dict[str, str]
) -> None:
    data = brought(Memory(), asked, scope, device=device).data
    assert data is not None
    assert data.device is device


# ---- Erasures


def erase(known: Memory, *, explain: bool = False, **asked: str) -> Decision:
    request = EraseRequest(None, identifiers(**asked))
    return decide(request, GUARDED, known.under(GUARDED), NEW, 7, explain=explain)


def test_an_erase_finds_who_is_meant() -> None:
    known = Memory(profile(1, email="e"), profile(2, email="F"), profile(3, email="G"))
    for asked, found in (("E", 1), ("e", 1), ("F", 2)):
        decision = erase(known, email=asked)
        assert (decision.status, decision.profile) == (Status.ERASED, known.profiles[found])
        assert decision.notes == ()
    assert erase(known, email="g").status is Status.NOT_FOUND  # no other spelling is guessed


def test_where_both_forms_are_held_the_normal_one_is_meant() -> None:
    known = Memory(profile(1, other="O"), profile(2, other="o"))
    assert erase(known, other="O").profile == known.profiles[2]


def test_what_is_blocked_leads_an_erase_to_nobody() -> None:
    known = Memory(profile(1, ios_idfa="0"), profile(2, ios_idfv="d"))
    with refused(ErrorCode.NO_IDENTITIES, "blocks", "ios_idfa"):
        erase(known, ios_idfa="0")
    assert erase(known, ios_idfa="0", ios_idfv="d").profile == known.profiles[2]
    decision = erase(known, ios_idfa="0", ios_idfv="x", explain=True)
    assert (decision.status, notes(decision)) == (Status.NOT_FOUND, ["blocked ios_idfa"])
    assert [each.value for each in decision.tiers if each.value] == ["x"]


def test_without_guard_rails_all_is_as_it_was_sent() -> None:
    assert NO_GUARD_RAILS.screens_values is False
    assert changes(brought(Memory(), {"email": "NULL"}, OPEN)) == ["+new email NULL"]
