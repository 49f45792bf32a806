"""The changes of one request: their order, who is orphaned, and who became known."""

import pytest

from idsync_cli.core.codes import Op
from idsync_cli.core.decision import ProfileUpdate
from idsync_cli.core.identity import TYPE_BITS, Identifier, IdentityType
from idsync_cli.core.profile import Profile, ProfileView
from idsync_cli.core.resolve.change_set import ChangeSet, Consequences
from tests.core.memory import Memory, MemoryLookup
from tests.core.shorthand import held, identifiers, profile, rules

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
def change_set() -> ChangeSet:
    return ChangeSet(SCOPE.login_bits, SCOPE.lookup_bits, Whole())


def said(change_set: ChangeSet) -> list[tuple[str, int, str]]:
    return [(each.op.value, each.mpid, each.identifier.value) for each in change_set.changes]


def by_now(change_set: ChangeSet, of: Profile) -> str:
    """What a profile holds by now, type by type; its types must say the same."""
    kinds = [kind for kind in IdentityType if change_set.values(of, kind)]
    assert change_set.types_after(of) == sum(TYPE_BITS[kind] for kind in kinds)
    found = [Identifier(kind, value) for kind in kinds for value in change_set.values(of, kind)]
    assert all(change_set.holds(of, each) for each in found)
    return held(found)


def orphaned(change_set: ChangeSet) -> tuple[int, ...]:
    return change_set.consequences().orphaned


def became_known(change_set: ChangeSet) -> tuple[int, ...]:
    return tuple(
        update.profile.mpid
        for update in change_set.consequences().updates
        if update.was_known and not update.profile.was_known
    )


def test_an_added_identifier_is_the_last_and_a_removed_one_leaves_the_others(
    change_set: ChangeSet,
) -> None:
    of = profile(1, email=["e", "g"], ios_idfv="d")
    change_set.add(of, OTHER_EMAIL)
    assert by_now(change_set, of) == "email:e email:g email:f ios_idfv:d"
    change_set.remove(of, EMAIL)
    assert by_now(change_set, of) == "email:g email:f ios_idfv:d"
    assert said(change_set) == [("add", 1, "f"), ("remove", 1, "e")]
    assert [change.op for change in change_set.changes] == [Op.ADD, Op.REMOVE]


def test_a_profile_that_nothing_changed_is_as_it_was(change_set: ChangeSet) -> None:
    of = profile(-4, seq=9, source=3, was_known=True, email="e")
    assert by_now(change_set, of) == "email:e"
    assert not change_set.holds(of, OTHER_EMAIL)
    assert (change_set.changes, change_set.consequences()) == ([], Consequences())
    assert (Consequences().updates, Consequences().orphaned) == ((), ())


def test_profiles_that_change_are_told_as_they_were_with_the_types_that_they_then_hold(
    change_set: ChangeSet,
) -> None:
    one, two = profile(-4, seq=9, source=3, ios_idfv="d"), profile(-5, ios_idfv="d", push_token="t")
    change_set.add(one, TOKEN)
    change_set.remove(two, DEVICE)
    device, token = TYPE_BITS[DEVICE.type], TYPE_BITS[TOKEN.type]
    assert change_set.consequences().updates == (
        ProfileUpdate(two, token, False),
        ProfileUpdate(one, device | token, False),
    )


def test_what_a_profile_holds_by_now_is_what_the_changes_so_far_left(change_set: ChangeSet) -> None:
    of = profile(1, email="e", ios_idfv="d")
    assert change_set.holds(of, EMAIL)
    assert not change_set.holds(of, OTHER_EMAIL)
    change_set.remove(of, EMAIL)
    assert by_now(change_set, of) == "ios_idfv:d"
    change_set.add(of, OTHER_EMAIL)
    assert not change_set.holds(of, EMAIL)
    assert change_set.holds(of, OTHER_EMAIL)
    assert by_now(change_set, of) == "email:f ios_idfv:d"
    assert held(of) == "email:e ios_idfv:d"


def test_what_leaves_and_comes_again_is_the_last(change_set: ChangeSet) -> None:
    of = profile(1, email=["e", "f"])
    change_set.remove(of, EMAIL)
    change_set.add(of, EMAIL)
    assert by_now(change_set, of) == "email:f email:e"
    change_set.remove(of, EMAIL)
    assert not change_set.holds(of, EMAIL)
    assert by_now(change_set, of) == "email:f"
    assert said(change_set) == [("remove", 1, "e"), ("add", 1, "e"), ("remove", 1, "e")]


def test_what_comes_may_leave_again(change_set: ChangeSet) -> None:
    of = profile(1, ios_idfv="d")
    change_set.add(of, EMAIL)
    change_set.add(of, OTHER_EMAIL)
    change_set.remove(of, EMAIL)
    assert by_now(change_set, of) == "email:f ios_idfv:d"
    change_set.remove(of, OTHER_EMAIL)
    assert by_now(change_set, of) == "ios_idfv:d"
    assert not change_set.holds(of, EMAIL)


def test_a_value_of_one_type_is_not_that_of_another(change_set: ChangeSet) -> None:
    of = profile(1, email="x", ios_idfv="x")
    [email, device] = of.identifiers
    change_set.remove(of, email)
    assert by_now(change_set, of) == "ios_idfv:x"
    change_set.add(of, Identifier(IdentityType.YAHOO, "x"))
    change_set.remove(of, device)
    assert by_now(change_set, of) == "yahoo:x"


def test_values_of_an_untouched_profile_are_those_it_came_with(change_set: ChangeSet) -> None:
    assert change_set.values(profile(1, email=["f", "e"]), IdentityType.EMAIL) == ["f", "e"]


def test_profiles_do_not_share_changes(change_set: ChangeSet) -> None:
    one, two = profile(1, ios_idfv="d"), profile(2, ios_idfv="d")
    change_set.remove(one, DEVICE)
    assert by_now(change_set, two) == "ios_idfv:d"
    assert by_now(change_set, one) == ""
    assert [update.profile.mpid for update in change_set.consequences().updates] == [1]


def test_an_identifier_is_taken_away_by_ascending_mpid_as_a_number(change_set: ChangeSet) -> None:
    mpids = (10, -7, 9, -80)
    change_set.take_away(
        EMAIL, [profile(mpid, seq=seq, email="e") for seq, mpid in enumerate(mpids)]
    )
    assert said(change_set) == [("remove", mpid, "e") for mpid in (-80, -7, 9, 10)]


def test_an_identifier_is_taken_away_once_only(change_set: ChangeSet) -> None:
    holders = [profile(1, email="e"), profile(2, email="e")]
    change_set.take_away(EMAIL, holders)
    change_set.take_away(EMAIL, holders)
    assert said(change_set) == [("remove", 1, "e"), ("remove", 2, "e")]


def test_orphans_had_a_lookup_before_and_have_none_now_and_stand_by_ascending_mpid(
    change_set: ChangeSet,
) -> None:
    for mpid in (10, -7, 9):
        change_set.remove(profile(mpid, ios_idfv="d", push_token="t"), DEVICE)
    change_set.remove(profile(1, ios_idfv="d", email="e"), DEVICE)  # another lookup is left
    change_set.remove(profile(2, push_token="t"), TOKEN)  # had none before
    change_set.add(profile(3), DEVICE)
    assert orphaned(change_set) == (-7, 9, 10)


CUSTOMER = Identifier(IdentityType.CUSTOMER_ID, "a")


def test_who_was_found_or_left_with_a_login_id_becomes_known_by_ascending_mpid(
    change_set: ChangeSet,
) -> None:
    lost, gained, grown = (
        profile(10, email="e", ios_idfv="d"),
        profile(-7, ios_idfv="d"),
        profile(9, email="e"),
    )
    change_set.remove(lost, EMAIL)
    change_set.add(gained, CUSTOMER)
    change_set.add(grown, DEVICE)
    change_set.remove(profile(1, ios_idfv="d"), DEVICE)  # anonymous before and after
    change_set.add(profile(2, was_known=True, email="e"), DEVICE)  # that was known already
    assert became_known(change_set) == (-7, 9, 10)
    assert [
        (update.profile.mpid, update.was_known) for update in change_set.consequences().updates
    ] == [
        (-7, True),
        (1, False),
        (2, True),
        (9, True),
        (10, True),
    ]


def test_a_login_id_that_comes_and_goes_in_one_request_makes_nobody_known(
    change_set: ChangeSet,
) -> None:
    of = profile(1, ios_idfv="d")
    change_set.add(of, EMAIL)
    change_set.remove(of, EMAIL)
    assert became_known(change_set) == ()
    assert change_set.consequences().updates == (ProfileUpdate(of, TYPE_BITS[DEVICE.type], False),)
