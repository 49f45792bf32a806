"""What is common to the values of several members: identifiers, decisions, and others."""

import pytest

from idsync_cli.core.codes import (
    FileKind,
    NoteCode,
    Op,
    Reason,
    RequestKind,
    Rule,
    Status,
    TierOutcome,
)
from idsync_cli.core.config.strategy import NO_SETTINGS
from idsync_cli.core.data.values import (
    Alias,
    BatchData,
    BatchDevice,
    Device,
    Event,
    NewEvent,
    ProfileData,
)
from idsync_cli.core.decision import Answer, Change, DecidedBy, Decision, Note, ProfileUpdate
from idsync_cli.core.erasure import Erasure, ErasureCounts, ErasureReport, KeptFile
from idsync_cli.core.identity import TYPE_ORDER, Identifier, IdentityType
from idsync_cli.core.profile import ProfileView
from idsync_cli.core.request import IdentityRequest
from idsync_cli.core.resolve.change_set import Consequences
from idsync_cli.core.resolve.matcher import Match
from idsync_cli.core.tiers import NearMiss, Tier
from idsync_cli.core.value import Value
from idsync_cli.store.values import RequestEntry
from tests.core.shorthand import altered, profile

EMAIL, DEVICE = IdentityType.EMAIL, IdentityType.IOS_IDFV
E, D = Identifier(EMAIL, "e"), Identifier(DEVICE, "d")
ADDED, REMOVED = Change(Op.ADD, 1, E), Change(Op.REMOVE, 2, D)
FOUND, NOT_FOUND = DecidedBy(Rule.IDENTIFIER, 1, EMAIL), DecidedBy(Rule.NO_MATCH)
LEFT = ProfileUpdate(profile(1), 1, True)
TIER = Tier(1, EMAIL, NO_SETTINGS, TierOutcome.NOT_IN_REQUEST)
NOTE = Note(NoteCode.TIE)
ERASURE, OTHER_ERASURE = Erasure(1, 2, "s", 3), Erasure(2, 3, "t", 4, "r")
REPORT = ErasureReport(
    OTHER_ERASURE,
    ErasureCounts(1, 1, 1),
    (3,),
    (4,),
    (KeptFile(FileKind.BACKUP, "b"),),
    (5,),
)
ALIAS = Alias(1, 2, 3, 4, 5)
EVENT = Event(1, 2, 3, "custom_event", "hello", {}, '{"event_type": "custom_event"}')
BROUGHT = BatchData(
    [NewEvent(1, "custom_event", "hello", "{}")], {"city": '"Bern"'}, ("old",),
    BatchDevice(D, "{}"), "{}", True, "{}",
)  # fmt: skip
NOBODY = Decision(Status.NOT_FOUND, NOT_FOUND)
SOMEBODY = Decision(
    Status.CREATED, FOUND, profile(1), True, (E,), True, (ADDED,), (2,), (LEFT,), (NOTE,), (D,),
    (DEVICE,), (TIER,), (NearMiss(E, 1, {Reason.LOGIN_PROTECTION: 1}),),
    BROUGHT, b"digest", (ALIAS,), ALIAS, 1, REPORT,
)  # fmt: skip

PAIRS: list[tuple[Value, Value]] = [
    (E, D),
    (ADDED, REMOVED),
    (LEFT, ProfileUpdate(profile(2), 0, False)),
    (NOBODY, SOMEBODY),
    (
        Answer(1, None, None, None, NOBODY),
        Answer(2, 1, RequestKind.LOGIN, "s", SOMEBODY),
    ),
    (Match(), Match(profile(1), FOUND, (profile(1),), (E,), (TIER,))),
    (Consequences(), Consequences((LEFT,), (1,))),
    (ProfileView(1, 2, None, False, 0), ProfileView(2, 3, 1, True, 1)),
    (IdentityRequest(RequestKind.LOGIN, ()), IdentityRequest(RequestKind.LOGOUT, (E,), 1)),
    (ERASURE, OTHER_ERASURE),
    (ErasureReport(ERASURE, ErasureCounts()), REPORT),
    (EVENT, Event(2, 1, 4, "screen_view", None, {"a": 1}, "{}")),
    (NewEvent(1, "custom_event", "hello", "{}"), NewEvent(None, "screen_view", None, "null")),
    (BatchDevice(D, "{}"), BatchDevice(None, "[]")),
    (Device(D, {}, 1), Device(None, {"ip": "::1"}, 2)),
    (BatchData(), BROUGHT),
    (
        ProfileData({}),
        ProfileData(
            {"a": 1},
            [EVENT],
            1,
            [Device(D, {}, 1)],
            {"gdpr": {}},
            True,
            {"publisher": "p"},
            1,
            2,
            ("merged",),
        ),
    ),
    (RequestEntry(1, 2, RequestKind.LOGIN), RequestEntry(2, 3, RequestKind.LOGOUT, "r", 4)),
]
"""Two values of each class, alike in no member."""

each_pair = pytest.mark.parametrize(
    ("one", "other"), PAIRS, ids=[type(one).__name__ for one, _ in PAIRS]
)


@each_pair
def test_values_are_equal_if_all_their_members_are(one: Value, other: Value) -> None:
    assert one == altered(one)
    assert one is not altered(one)
    for name in one.__match_args__:
        assert one != altered(one, **{name: getattr(other, name)})


def test_values_of_two_classes_are_never_equal() -> None:
    change, outcome = ADDED, Consequences((), ())
    for other in ((), (Op.ADD, 1, E), (Change, Op.ADD, 1, E), None, Consequences, outcome):
        assert change != other
    assert outcome != ((), ())
    assert Change(Op.ADD, 1, E) != ProfileUpdate(profile(1), 1, True)
    assert E not in (("email", "e"), (EMAIL, "e"), "e")


def test_values_of_two_classes_with_the_same_members_differ() -> None:
    class Other(Value):
        __match_args__ = ("updates", "orphaned")
        updates, orphaned = (), ()

    assert Other() == Other()
    assert Consequences() != Other()
    assert Other() != Consequences()


@pytest.mark.parametrize("value", [E, ADDED, LEFT, NOBODY, Match(), Consequences((LEFT,), (1,))])
def test_equal_values_have_one_hash(value: Value) -> None:
    assert len({value, altered(value), E, D}) == 2 + (value is not E)


def test_a_value_is_shown_with_its_members() -> None:
    assert repr(Consequences((), (1,))) == "Consequences((), (1,))"


def test_values_can_be_taken_apart_by_the_places_of_their_members() -> None:
    match ADDED:
        case Change(Op.ADD, mpid, Identifier(kind, value)):
            assert (mpid, kind, value) == (1, EMAIL, "e")
        case _:
            pytest.fail("it is a change")


def test_an_identifier_knows_where_its_type_stands() -> None:
    assert [Identifier(each, "v").order for each in IdentityType] == list(TYPE_ORDER.values())
