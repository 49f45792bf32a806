"""The changes of one request: their order, who is orphaned, and who became known."""

import pytest

from idsync_cli.core.codes import Op
from idsync_cli.core.decision import Left
from idsync_cli.core.identity import TYPE_BITS, Identifier, IdentityType
from idsync_cli.core.profile import Profile, ProfileView
from idsync_cli.core.resolve.change_set import Ledger, Outcome
from tests.core.memory import Memory, MemoryLookup
from tests.core.saying import held, identifiers, profile, rules

SCOPE = rules("customer_id:lu email:lu ios_idfv")
EMAIL, OTHER_EMAIL = identifiers(email=["e", "f"])
(DEVICE,) = identifiers(ios_idfv="d")
(TOKEN,) = identifiers(push_token="t")


class Whole(MemoryLookup):
    """Look-ups of profiles that stand for themselves: what one holds, it holds."""

    def __init__(self) -> None:
        super().__init__(Memory(), SCOPE)

    def holds(self, profile: ProfileView, identifier: Identifier) -> bool:
        assert isinstance(profile, Profile)
        return identifier in profile.identifiers

    def values_of(self, profile: ProfileView, identity_type: IdentityType) -> tuple[str, ...]:
        assert isinstance(profile, Profile)
        return profile.values_of(identity_type)


@pytest.fixture
def ledger() -> Ledger:
    return Ledger(SCOPE, Whole())


def said(ledger: Ledger) -> list[tuple[str, int, str]]:
    return [(each.op.value, each.mpid, each.identifier.value) for each in ledger.changes]


def by_now(ledger: Ledger, of: Profile) -> str:
    """What a profile holds by now, type by type; its types must say the same."""
    kinds = [kind for kind in IdentityType if ledger.values(of, kind)]
    assert ledger.types_after(of) == sum(TYPE_BITS[kind] for kind in kinds)
    found = [Identifier(kind, value) for kind in kinds for value in ledger.values(of, kind)]
    assert all(ledger.holds(of, each) for each in found)
    return held(found)


def orphaned(ledger: Ledger) -> tuple[int, ...]:
    return ledger.outcome().orphaned


def became_known(ledger: Ledger) -> tuple[int, ...]:
    return tuple(
        left.profile.mpid
        for left in ledger.outcome().left
        if left.was_known and not left.profile.was_known
    )


def test_an_added_identifier_is_the_last_and_a_removed_one_leaves_the_others(
    ledger: Ledger,
) -> None:
    of = profile(1, email=["e", "g"], ios_idfv="d")
    ledger.add(of, OTHER_EMAIL)
    assert by_now(ledger, of) == "email:e email:g email:f ios_idfv:d"
    ledger.remove(of, EMAIL)
    assert by_now(ledger, of) == "email:g email:f ios_idfv:d"
    assert said(ledger) == [("add", 1, "f"), ("remove", 1, "e")]
    assert [change.op for change in ledger.changes] == [Op.ADD, Op.REMOVE]


def test_a_profile_that_nothing_changed_is_as_it_was(ledger: Ledger) -> None:
    of = profile(-4, seq=9, source=3, was_known=True, email="e")
    assert by_now(ledger, of) == "email:e"
    assert not ledger.holds(of, OTHER_EMAIL)
    assert (ledger.changes, ledger.outcome()) == ([], Outcome())
    assert (Outcome().left, Outcome().orphaned) == ((), ())


def test_profiles_that_change_are_told_as_they_were_with_the_types_that_they_then_hold(
    ledger: Ledger,
) -> None:
    one, two = profile(-4, seq=9, source=3, ios_idfv="d"), profile(-5, ios_idfv="d", push_token="t")
    ledger.add(one, TOKEN)
    ledger.remove(two, DEVICE)
    device, token = TYPE_BITS[DEVICE.type], TYPE_BITS[TOKEN.type]
    assert ledger.outcome().left == (Left(two, token, False), Left(one, device | token, False))


def test_what_a_profile_holds_by_now_is_what_the_changes_so_far_left(ledger: Ledger) -> None:
    of = profile(1, email="e", ios_idfv="d")
    assert ledger.holds(of, EMAIL)
    assert not ledger.holds(of, OTHER_EMAIL)
    ledger.remove(of, EMAIL)
    assert by_now(ledger, of) == "ios_idfv:d"
    ledger.add(of, OTHER_EMAIL)
    assert not ledger.holds(of, EMAIL)
    assert ledger.holds(of, OTHER_EMAIL)
    assert by_now(ledger, of) == "email:f ios_idfv:d"
    assert held(of) == "email:e ios_idfv:d"


def test_what_leaves_and_comes_again_is_the_last(ledger: Ledger) -> None:
    of = profile(1, email=["e", "f"])
    ledger.remove(of, EMAIL)
    ledger.add(of, EMAIL)
    assert by_now(ledger, of) == "email:f email:e"
    ledger.remove(of, EMAIL)
    assert not ledger.holds(of, EMAIL)
    assert by_now(ledger, of) == "email:f"
    assert said(ledger) == [("remove", 1, "e"), ("add", 1, "e"), ("remove", 1, "e")]


def test_what_comes_may_leave_again(ledger: Ledger) -> None:
    of = profile(1, ios_idfv="d")
    ledger.add(of, EMAIL)
    ledger.add(of, OTHER_EMAIL)
    ledger.remove(of, EMAIL)
    assert by_now(ledger, of) == "email:f ios_idfv:d"
    ledger.remove(of, OTHER_EMAIL)
    assert by_now(ledger, of) == "ios_idfv:d"
    assert not ledger.holds(of, EMAIL)


def test_a_value_of_one_type_is_not_that_of_another(ledger: Ledger) -> None:
    of = profile(1, email="x", ios_idfv="x")
    [email, device] = of.identifiers
    ledger.remove(of, email)
    assert by_now(ledger, of) == "ios_idfv:x"
    ledger.add(of, Identifier(IdentityType.YAHOO, "x"))
    ledger.remove(of, device)
    assert by_now(ledger, of) == "yahoo:x"


def test_values_of_an_untouched_profile_are_those_it_came_with(ledger: Ledger) -> None:
    assert ledger.values(profile(1, email=["f", "e"]), IdentityType.EMAIL) == ["f", "e"]


def test_profiles_do_not_share_changes(ledger: Ledger) -> None:
    one, two = profile(1, ios_idfv="d"), profile(2, ios_idfv="d")
    ledger.remove(one, DEVICE)
    assert by_now(ledger, two) == "ios_idfv:d"
    assert by_now(ledger, one) == ""
    assert [left.profile.mpid for left in ledger.outcome().left] == [1]


def test_an_identifier_is_taken_away_by_ascending_mpid_as_a_number(ledger: Ledger) -> None:
    mpids = (10, -7, 9, -80)
    ledger.take_away(EMAIL, [profile(mpid, seq=seq, email="e") for seq, mpid in enumerate(mpids)])
    assert said(ledger) == [("remove", mpid, "e") for mpid in (-80, -7, 9, 10)]


def test_an_identifier_is_taken_away_once_only(ledger: Ledger) -> None:
    holders = [profile(1, email="e"), profile(2, email="e")]
    ledger.take_away(EMAIL, holders)
    ledger.take_away(EMAIL, holders)
    assert said(ledger) == [("remove", 1, "e"), ("remove", 2, "e")]


def test_orphans_had_a_lookup_before_and_have_none_now_and_stand_by_ascending_mpid(
    ledger: Ledger,
) -> None:
    for mpid in (10, -7, 9):
        ledger.remove(profile(mpid, ios_idfv="d", push_token="t"), DEVICE)
    ledger.remove(profile(1, ios_idfv="d", email="e"), DEVICE)  # another lookup is left
    ledger.remove(profile(2, push_token="t"), TOKEN)  # had none before
    ledger.add(profile(3), DEVICE)
    assert orphaned(ledger) == (-7, 9, 10)


CUSTOMER = Identifier(IdentityType.CUSTOMER_ID, "a")


def test_who_was_found_or_left_with_a_login_id_becomes_known_by_ascending_mpid(
    ledger: Ledger,
) -> None:
    lost, gained, grown = (
        profile(10, email="e", ios_idfv="d"),
        profile(-7, ios_idfv="d"),
        profile(9, email="e"),
    )
    ledger.remove(lost, EMAIL)
    ledger.add(gained, CUSTOMER)
    ledger.add(grown, DEVICE)
    ledger.remove(profile(1, ios_idfv="d"), DEVICE)  # anonymous before and after
    ledger.add(profile(2, was_known=True, email="e"), DEVICE)  # that was known already
    assert became_known(ledger) == (-7, 9, 10)
    assert [(left.profile.mpid, left.was_known) for left in ledger.outcome().left] == [
        (-7, True),
        (1, False),
        (2, True),
        (9, True),
        (10, True),
    ]


def test_a_login_id_that_comes_and_goes_in_one_request_makes_nobody_known(ledger: Ledger) -> None:
    of = profile(1, ios_idfv="d")
    ledger.add(of, EMAIL)
    ledger.remove(of, EMAIL)
    assert became_known(ledger) == ()
    assert ledger.outcome().left == (Left(of, TYPE_BITS[DEVICE.type], False),)
