"""Section 8, `near`: who holds what was asked for where nobody was the answer, and why not."""

import pytest

from idsync_cli.core.codes import KeptBy, NoteCode, Reason, RequestKind, Rule, Status
from idsync_cli.core.decision import Decision, Refusal
from idsync_cli.core.identity import Identifier, IdentityType
from idsync_cli.core.request import IdentityRequest
from idsync_cli.core.resolve.resolution import resolve
from idsync_cli.core.tiers import NEAR_COUNTED_TO
from tests.core.memory import Memory
from tests.core.shorthand import NEW, ask, identifiers, matcher, profile, rules

SHOP = rules("customer_id:lu email:lu other ios_idfv")
FIXED = rules("customer_id:lui email:lu other:u ios_idfv")
LINK = rules("customer_id:lu email:lu ios_idfv", "profile_link")
LOGIN, SEARCH = Reason.LOGIN_PROTECTION, Reason.IMMUTABLE_SEARCH


def near(decision: Decision) -> dict[str, tuple[int, dict[Reason, int]]]:
    """Each type that is near: by how many it is held, and why each of them does not count."""
    return {
        each.identifier.type.value: (each.held_by, dict(each.ineligible)) for each in decision.near
    }


def test_a_search_says_who_holds_what_it_named_and_why_that_did_not_count() -> None:
    known = Memory(profile(1, customer_id="c", email="e"))
    assert near(ask("search", FIXED, known, email="e")) == {"email": (1, {SEARCH: 1})}


def test_the_value_that_is_held_comes_with_it() -> None:
    [miss] = ask("search", FIXED, Memory(profile(1, customer_id="c", email="e")), email="e").near
    assert miss.identifier == Identifier(IdentityType.EMAIL, "e")


def test_a_new_profile_says_who_was_near_as_the_store_stood_before() -> None:
    known = Memory(profile(1, customer_id="c", ios_idfv="d"), profile(2, email="f", ios_idfv="d"))
    decision = ask("identify", SHOP, known, other="o", ios_idfv="d")
    assert decision.status is Status.CREATED
    assert near(decision) == {"ios_idfv": (2, {LOGIN: 2})}


def test_types_stand_in_the_order_of_the_priority_and_only_those_that_are_held() -> None:
    known = Memory(profile(1, customer_id="c", email="e", ios_idfv="d"))
    decision = ask("login", SHOP, known, ios_idfv="d", other="o", email="f")
    assert list(near(decision)) == ["ios_idfv"]
    known = Memory(profile(1, customer_id="c", other="o", ios_idfv="d"))
    decision = ask("login", SHOP, known, ios_idfv="d", other="o", email="f")
    assert list(near(decision)) == ["other", "ios_idfv"]


def test_a_type_behind_the_priority_is_never_near() -> None:
    known = Memory(profile(1, customer_id="c", push_token="p", ios_idfv="d"))
    assert list(near(ask("identify", SHOP, known, push_token="p", ios_idfv="d"))) == ["ios_idfv"]


def test_a_new_known_user_is_told_of_the_visitors() -> None:
    known = Memory(profile(1, ios_idfv="d"), profile(2, ios_idfv="d"))
    decision = ask("login", LINK, known, email="e", ios_idfv="d")
    assert decision.decided_by.rule is Rule.NEW_KNOWN_USER
    assert near(decision) == {"ios_idfv": (2, {Reason.NEW_KNOWN_USER_ONLY: 2})}


def test_a_logout_that_asks_no_tier_has_nobody_near() -> None:
    known = Memory(profile(1, email="e", ios_idfv="d"))
    decision = ask("logout", SHOP, known, ios_idfv="d")
    assert decision.decided_by.rule is Rule.LOGOUT
    assert near(decision) == {}


def test_where_there_is_an_answer_nobody_is_near() -> None:
    known = Memory(profile(1, email="e", ios_idfv="d"), profile(2, ios_idfv="d"))
    assert near(ask("search", SHOP, known, ios_idfv="d")) == {}


def test_a_reason_each_where_several_hold_it() -> None:
    known = Memory(profile(1, customer_id="c", ios_idfv="d"), profile(2, email="f", ios_idfv="d"))
    decision = ask("login", FIXED, known, email="e", ios_idfv="d")
    assert near(decision) == {"ios_idfv": (2, {Reason.IMMUTABLE_PROTECTION: 1, LOGIN: 1})}


@pytest.mark.parametrize("number", [9, 10, 11, 40])
def test_counts_stop_at_ten_and_no_more_are_read(number: int) -> None:
    known = Memory(
        *[profile(each, email=f"e{each}", ios_idfv="d") for each in range(1, number + 1)]
    )
    counted = min(number, NEAR_COUNTED_TO)
    assert near(ask("identify", SHOP, known, ios_idfv="d", other="o")) == {
        "ios_idfv": (counted, {LOGIN: counted})
    }


# ---- The account of what step 5 did not do


def held_elsewhere(decision: Decision) -> list[tuple[int | None, str | None]]:
    return [
        (each.mpid, each.reason) for each in decision.notes if each.code is NoteCode.HELD_ELSEWHERE
    ]


def test_the_holder_that_keeps_an_identifier_is_named_with_its_reason() -> None:
    known = Memory(profile(5, customer_id="c", other="o"))
    assert held_elsewhere(ask("identify", FIXED, known, other="o", ios_idfv="d")) == [
        (5, Reason.IMMUTABLE_PROTECTION)
    ]


def test_of_several_the_lowest_mpid_that_keeps_it_not_one_that_would_give_it() -> None:
    known = Memory(
        profile(9, customer_id="c"),
        profile(-3, other="o", seq=1),
        profile(4, email="f", other="o"),
        profile(2, email="g", other="o"),
    )
    decision = ask(
        "login", rules("customer_id:lu email:lu other:u"), known, customer_id="c", other="o"
    )
    assert held_elsewhere(decision) == [(2, LOGIN)]


def test_an_immutable_one_stays_for_that_alone() -> None:
    immutable = rules("customer_id:lu other:ui ios_idfv")
    known = Memory(profile(7, customer_id="c", other="o"))
    decision = ask("identify", immutable, known, other="o", ios_idfv="d")
    assert held_elsewhere(decision) == [(7, KeptBy.IMMUTABLE)]


def test_a_scope_that_keeps_them_says_so() -> None:
    keeping = rules("customer_id:lu email:u ios_idfv", keep=True)
    known = Memory(profile(7, customer_id="c", email="e"))
    decision = ask("login", keeping, known, customer_id="d", email="e")
    assert held_elsewhere(decision) == [(7, KeptBy.ON_UNIQUE_HELD)]


def test_a_refusal_of_step_5_has_the_account_that_was_asked_for() -> None:
    known = Memory(profile(5, customer_id="c", other="o"))
    request = IdentityRequest(RequestKind.IDENTIFY, identifiers(other="o"))
    for explain in (True, False):
        with pytest.raises(Refusal) as caught:
            resolve(request, FIXED, known.under(FIXED), NEW, 7, explain=explain)
        refusal = caught.value
        assert [each.mpid for each in refusal.notes] == [5] * explain
        assert [each.held_by for each in refusal.tiers] == [None, None, 1, None] * explain


def test_who_may_be_the_answer_is_no_near_miss() -> None:
    known = Memory(profile(1, email="e", ios_idfv="d"), profile(2, email="f", ios_idfv="d"))
    asking = matcher("identify", {"email": "e", "ios_idfv": "d"}, SHOP, known)
    [miss] = asking.near_misses()
    assert (miss.identifier.type, miss.ineligible) == (IdentityType.IOS_IDFV, {LOGIN: 1})
