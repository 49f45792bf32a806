"""The changes of one request: their order, who is orphaned, and who became known."""

import pytest

from idsync_cli.core.codes import Op
from idsync_cli.core.identity import Identifier, IdentityType
from idsync_cli.core.ledger import Ledger
from idsync_cli.core.profile import Profile
from tests.core.saying import held, identifiers, profile, rules

SCOPE = rules("customer_id:lu email:lu ios_idfv")
EMAIL, OTHER_EMAIL = identifiers(email=["e", "f"])
(DEVICE,) = identifiers(ios_idfv="d")
(TOKEN,) = identifiers(push_token="t")


@pytest.fixture
def ledger() -> Ledger:
    return Ledger(SCOPE)


def said(ledger: Ledger) -> list[tuple[str, int, str]]:
    return [(each.op.value, each.mpid, each.identifier.value) for each in ledger.changes]


def test_an_added_identifier_is_the_last_and_a_removed_one_leaves_the_others(
    ledger: Ledger,
) -> None:
    of = profile(1, email="e", ios_idfv="d")
    ledger.add(of, OTHER_EMAIL)
    ledger.remove(of, EMAIL)
    assert held(ledger.after(of)) == "ios_idfv:d email:f"
    assert said(ledger) == [("add", 1, "f"), ("remove", 1, "e")]
    assert [change.op for change in ledger.changes] == [Op.ADD, Op.REMOVE]


def test_a_profile_that_nothing_changed_is_as_it_was(ledger: Ledger) -> None:
    of = profile(-4, seq=9, source=3, was_known=True, email="e")
    assert ledger.after(of) == of
    assert (ledger.changes, ledger.orphaned(), ledger.became_known()) == ([], (), ())


def test_a_changed_profile_keeps_its_mpid_number_and_source(ledger: Ledger) -> None:
    of = profile(-4, seq=9, source=3, ios_idfv="d")
    ledger.add(of, TOKEN)
    assert ledger.after(of) == Profile(-4, 9, 3, False, (DEVICE, TOKEN))


def test_what_a_profile_holds_by_now_is_what_the_changes_so_far_left(ledger: Ledger) -> None:
    of = profile(1, email="e", ios_idfv="d")
    assert ledger.holds(of, EMAIL)
    assert not ledger.holds(of, OTHER_EMAIL)
    ledger.remove(of, EMAIL)
    ledger.add(of, OTHER_EMAIL)
    assert not ledger.holds(of, EMAIL)
    assert ledger.holds(of, OTHER_EMAIL)
    assert ledger.values(of, IdentityType.EMAIL) == ["f"]
    assert ledger.values(of, IdentityType.IOS_IDFV) == ["d"]
    assert held(of) == "email:e ios_idfv:d"


def test_values_of_an_untouched_profile_are_those_it_came_with(ledger: Ledger) -> None:
    assert ledger.values(profile(1, email=["f", "e"]), IdentityType.EMAIL) == ["f", "e"]


def test_profiles_do_not_share_changes(ledger: Ledger) -> None:
    one, two = profile(1, ios_idfv="d"), profile(2, ios_idfv="d")
    ledger.remove(one, DEVICE)
    assert held(ledger.after(two)) == "ios_idfv:d"
    assert held(ledger.after(one)) == ""


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
    assert ledger.orphaned() == (-7, 9, 10)


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
    assert ledger.became_known() == (-7, 9, 10)
    assert [ledger.after(each).was_known for each in (lost, gained, grown)] == [True, True, True]


def test_a_login_id_that_comes_and_goes_in_one_request_makes_nobody_known(ledger: Ledger) -> None:
    of = profile(1, ios_idfv="d")
    ledger.add(of, EMAIL)
    ledger.remove(of, EMAIL)
    assert ledger.became_known() == ()
    assert ledger.after(of).was_known is False
