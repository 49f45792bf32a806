"""Section 11: how many values a profile may hold, and what moves to whoever brings it."""

import pytest

from idsync_cli.core.codes import ErrorCode, Status
from idsync_cli.core.config.guard_rails import GuardRails, ValueLimit
from idsync_cli.core.identity import IdentityType
from tests.core.memory import Memory
from tests.core.shorthand import (
    after,
    ask,
    change_form,
    changes,
    held,
    notes,
    profile,
    refused,
    rules,
    set_form,
    takings,
    tiers,
)

EMAIL, TOKEN, OTHER = IdentityType.EMAIL, IdentityType.PUSH_TOKEN, IdentityType.OTHER
TYPES = "customer_id:lu email:u other push_token:u ios_idfv"


def limited(limit: int, *, replaces: bool = False, kind: IdentityType = EMAIL) -> GuardRails:
    return GuardRails(max_values={kind: ValueLimit(limit, replaces)})


TWO, OLDEST = rules(TYPES, rails=limited(2)), rules(TYPES, rails=limited(2, replaces=True))
MOVING = rules(TYPES, rails=GuardRails(moving=(TOKEN,)))


# ---- max_values, step 5


@pytest.mark.parametrize(
    ("before", "change", "said"),
    [
        ([], ["+1 email x"], []),
        (["a"], ["+1 email x"], []),
        (["a", "b"], [], ["limit_reached email"]),
        (["a", "b", "c"], [], ["limit_reached email"]),
        (["a", "x", "c"], [], []),  # which it holds already
    ],
)
def test_no_further_value_is_added_beyond_the_limit(
    before: list[str], change: list[str], said: list[str]
) -> None:
    known = Memory(profile(1, customer_id="c", email=before))
    decision = ask("login", TWO, known, customer_id="c", email="x")
    assert (changes(decision), notes(decision)) == (change, said)


def test_other_types_are_added_all_the_same() -> None:
    known = Memory(profile(1, customer_id="c", email=["a", "b"]))
    decision = ask("login", TWO, known, customer_id="c", email="x", other="o")
    assert changes(decision) == ["+1 other o"]


def test_the_limit_is_looked_at_before_anything_is_taken() -> None:
    known = Memory(profile(1, customer_id="c", email=["a", "b"]), profile(2, email="x"))
    decision = ask("login", TWO, known, customer_id="c", email="x")
    assert (changes(decision), notes(decision)) == ([], ["limit_reached email"])
    protected = Memory(
        profile(1, customer_id="c", email=["a", "b"]), profile(2, customer_id="d", email="x")
    )
    assert notes(ask("login", TWO, protected, customer_id="c", email="x")) == [
        "limit_reached email"
    ]


def test_a_login_type_that_is_limited_gets_no_second_login_id() -> None:
    scope = rules("customer_id:lu email:lu", rails=limited(1))
    known = Memory(profile(1, customer_id="c", email="a"))
    decision = ask("login", scope, known, customer_id="c", email="x")
    assert (changes(decision), notes(decision)) == ([], ["limit_reached email"])
    more = rules("customer_id:lu email:lu", rails=limited(2))
    assert notes(ask("login", more, known, customer_id="c", email="x")) == ["second_login_id email"]


def test_a_new_profile_is_within_any_limit() -> None:
    scope = rules(TYPES, rails=limited(1))
    assert changes(ask("identify", scope, Memory(), email="x")) == ["+new email x"]


@pytest.mark.parametrize(
    ("before", "change", "said"),
    [
        (["a"], ["+1 email x"], []),
        (["a", "b"], ["-1 email a", "+1 email x"], ["replaced_oldest email"]),
        (
            ["a", "b", "c", "d"],
            ["-1 email a", "-1 email b", "-1 email c", "+1 email x"],
            ["replaced_oldest email"],
        ),
    ],
)
def test_the_oldest_go_until_the_limit_is_kept(
    before: list[str], change: list[str], said: list[str]
) -> None:
    known = Memory(profile(1, customer_id="c", email=before))
    decision = ask("login", OLDEST, known, customer_id="c", email="x")
    assert (changes(decision), notes(decision)) == (change, said)
    assert len(after(known, decision).values_of(EMAIL)) == min(2, len(before) + 1)


def test_outside_the_priority_there_may_be_a_limit_too() -> None:
    scope = rules("customer_id:lu", rails=limited(1, replaces=True, kind=TOKEN))
    known = Memory(profile(1, customer_id="c", push_token="t"))
    decision = ask("login", scope, known, customer_id="c", push_token="u")
    assert changes(decision) == ["-1 push_token t", "+1 push_token u"]


def test_what_is_held_elsewhere_replaces_nothing() -> None:
    known = Memory(
        profile(1, customer_id="c", email=["a", "b"]), profile(2, customer_id="d", email="x")
    )
    decision = ask("login", OLDEST, known, customer_id="c", email="x")
    assert (changes(decision), notes(decision)) == ([], ["held_elsewhere email"])


def test_what_leaves_the_profile_comes_before_what_leaves_others() -> None:
    known = Memory(profile(1, customer_id="c", email=["a", "b"]), profile(2, email="x"))
    decision = ask("login", OLDEST, known, customer_id="c", email="x")
    assert changes(decision) == ["-1 email a", "-2 email x", "+1 email x"]
    assert decision.orphaned == (2,)


# ---- max_values, modify


def test_a_modify_that_adds_beyond_the_limit_is_refused() -> None:
    known = Memory(profile(1, email=["a", "b"]))
    with refused(ErrorCode.LIMIT_REACHED, "2 values of email", "holds 2", "'x'"):
        change_form(TWO, known, 1, ("other", None, "o"), ("email", None, "x"))
    with refused(ErrorCode.LIMIT_REACHED):
        change_form(TWO, Memory(profile(1)), 1, *[("email", None, each) for each in "abc"])


def test_a_modify_may_replace_within_the_limit() -> None:
    known = Memory(profile(1, email=["a", "b"]))
    assert changes(change_form(TWO, known, 1, ("email", "b", "x"))) == ["-1 email b", "+1 email x"]
    assert changes(change_form(TWO, known, 1, ("email", None, "a"))) == []
    assert changes(change_form(TWO, known, 1, ("email", "a", "b"))) == ["-1 email a"]
    assert changes(change_form(TWO, known, 1, ("email", "a", None))) == ["-1 email a"]
    assert changes(change_form(TWO, known, 1, ("other", None, "o"))) == ["+1 other o"]


def test_changes_are_counted_one_after_another() -> None:
    known = Memory(profile(1, email=["a", "b"]))
    made = change_form(TWO, known, 1, ("email", "a", None), ("email", None, "x"))
    assert changes(made) == ["-1 email a", "+1 email x"]
    with refused(ErrorCode.LIMIT_REACHED):
        change_form(TWO, known, 1, ("email", None, "x"), ("email", "a", None))


def test_a_profile_that_holds_more_than_the_limit_gets_no_other_in_place_of_one() -> None:
    known = Memory(profile(1, email=["a", "b", "c"]))
    with refused(ErrorCode.LIMIT_REACHED, "holds 3"):
        change_form(TWO, known, 1, ("email", "a", "x"))


def test_the_set_form_leaves_one_value_and_so_is_within_any_limit() -> None:
    known = Memory(profile(1, email=["a", "b", "c"]))
    decision = set_form(TWO, known, 1, email="x")
    assert changes(decision) == ["-1 email a", "-1 email b", "-1 email c", "+1 email x"]


def test_in_a_modify_the_oldest_go_too() -> None:
    known = Memory(profile(1, email=["a", "b"]))
    decision = change_form(OLDEST, known, 1, ("email", None, "x"), ("email", None, "y"))
    assert changes(decision) == ["-1 email a", "+1 email x", "-1 email b", "+1 email y"]
    assert notes(decision) == ["replaced_oldest email", "replaced_oldest email"]
    assert held(after(known, decision)) == "email:x email:y"


def test_what_a_change_takes_away_leaves_in_the_order_held() -> None:
    known = Memory(profile(1, email=["a", "b", "c", "d"]), profile(2, email="x"))
    decision = change_form(OLDEST, known, 1, ("email", "c", "x"))
    assert changes(decision) == [
        *("-1 email a", "-1 email b", "-1 email c", "-2 email x", "+1 email x"),
    ]


# ---- moving


@pytest.mark.parametrize("kind", ["identify", "login", "logout"])
def test_a_type_that_moves_is_taken_from_whoever_holds_it(kind: str) -> None:
    known = Memory(profile(1, customer_id="c", push_token="t"), profile(2, ios_idfv="d"))
    decision = ask(kind, MOVING, known, push_token="t", ios_idfv="d")
    mine = "2" if kind != "logout" else "new"
    first = ["+new ios_idfv d"] if kind == "logout" else []
    assert changes(decision) == ["-1 push_token t", f"+{mine} push_token t", *first]
    assert takings(decision) == ["push_token from 1"]


def test_without_it_it_would_stay() -> None:
    known = Memory(profile(1, customer_id="c", push_token="t"), profile(2, ios_idfv="d"))
    decision = ask("identify", rules(TYPES), known, push_token="t", ios_idfv="d")
    assert (changes(decision), notes(decision)) == ([], ["held_elsewhere push_token"])


def test_on_unique_held_does_not_hold_for_what_moves() -> None:
    keeping = rules(TYPES, keep=True, rails=GuardRails(moving=(TOKEN,)))
    known = Memory(profile(1, push_token="t", email="e"), profile(2, customer_id="c"))
    decision = ask("login", keeping, known, customer_id="c", push_token="t", email="e")
    assert changes(decision) == ["-1 push_token t", "+2 push_token t"]
    assert notes(decision) == ["held_elsewhere email", "moved push_token"]


def test_what_nobody_holds_does_not_move() -> None:
    decision = ask(
        "identify", MOVING, Memory(profile(1, ios_idfv="d")), push_token="t", ios_idfv="d"
    )
    assert (changes(decision), notes(decision)) == (["+1 push_token t"], [])


def test_every_holder_is_told_by_ascending_mpid_and_may_be_orphaned() -> None:
    known = Memory(
        profile(3, push_token="t"),
        profile(-5, seq=1, push_token="t", other="o"),
        profile(9, push_token="t", was_known=True),
        profile(4, ios_idfv="d"),
    )
    decision = ask("identify", MOVING, known, push_token="t", ios_idfv="d", other="o")
    assert decision.profile == known.profiles[-5]
    moved = Memory(
        profile(3, push_token="t"), profile(-7, seq=2, push_token="t", customer_id="c"),
        profile(4, customer_id="d"),
    )  # fmt: skip
    decision = ask("login", MOVING, moved, customer_id="d", push_token="t")
    assert changes(decision) == ["--7 push_token t", "-3 push_token t", "+4 push_token t"]
    assert takings(decision) == ["push_token from -7", "push_token from 3"]
    assert decision.orphaned == (3,)


def test_a_search_moves_nothing() -> None:
    known = Memory(profile(1, customer_id="c", push_token="t"), profile(2, ios_idfv="d"))
    assert ask("search", MOVING, known, push_token="t", ios_idfv="d").changes == ()


def test_a_token_alone_leads_to_a_new_profile_and_not_to_a_protected_one() -> None:
    known = Memory(profile(1, customer_id="c", push_token="t"))
    decision = ask("identify", MOVING, known, push_token="t")
    assert decision.status is Status.CREATED
    assert tiers(decision)[3] == "push_token no_candidates 1/0>0 login_protection=1"
    assert changes(decision) == ["-1 push_token t", "+new push_token t"]


def test_a_limited_type_may_move_too_and_its_notes_have_their_order() -> None:
    rails = GuardRails(max_values={TOKEN: ValueLimit(1, True)}, moving=(TOKEN,))
    scope = rules(TYPES, rails=rails)
    known = Memory(profile(1, customer_id="c", push_token="t"), profile(2, ios_idfv="d"))
    known.give(profile(2, ios_idfv="d", push_token="u"))
    decision = ask("identify", scope, known, push_token="t", ios_idfv="d")
    assert changes(decision) == ["-2 push_token u", "-1 push_token t", "+2 push_token t"]
    assert notes(decision) == ["moved push_token", "replaced_oldest push_token"]
    refusing = rules(TYPES, rails=GuardRails(max_values={TOKEN: ValueLimit(1)}, moving=(TOKEN,)))
    kept = ask("identify", refusing, known, push_token="t", ios_idfv="d")
    assert (changes(kept), notes(kept)) == ([], ["limit_reached push_token"])


def test_a_modify_moves_without_a_note() -> None:
    known = Memory(profile(1, customer_id="c", push_token="t"), profile(2, ios_idfv="d"))
    decision = set_form(MOVING, known, 2, push_token="t")
    assert changes(decision) == ["-1 push_token t", "+2 push_token t"]
    assert notes(decision) == []
