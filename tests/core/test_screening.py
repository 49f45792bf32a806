"""Section 11: what `normalize` and `blocked` leave of a request."""

import pytest

from idsync_cli.core.codes import ErrorCode, Normalizer, Status
from idsync_cli.core.config.guard_rails import GuardRails
from idsync_cli.core.identity import Identifier, IdentityType
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
    tiers,
)

EMAIL, CUSTOMER, OTHER = IdentityType.EMAIL, IdentityType.CUSTOMER_ID, IdentityType.OTHER
ZEROS = "00000000-0000-0000-0000-000000000000"
NORMAL = GuardRails({EMAIL: (Normalizer.TRIM, Normalizer.LOWERCASE)})
BLOCKING = GuardRails(blocked={None: ("placeholders",), EMAIL: ("*@test",)})
BOTH = GuardRails(NORMAL.normalize, BLOCKING.blocked)
TYPES = "customer_id:lu email ios_idfv"
LOWERING, BLOCKED = rules(TYPES, rails=NORMAL), rules(TYPES, rails=BLOCKING)
GUARDED = rules(TYPES, rails=BOTH)


# ---- normalize


@pytest.mark.parametrize("kind", ["identify", "login", "logout"])
def test_a_value_is_looked_up_and_stored_in_its_normal_form(kind: str) -> None:
    known = Memory(profile(1, email="a@x", ios_idfv="d"))
    decision = ask(kind, rules(TYPES, "best_match", logins=True, rails=NORMAL), known, email=" A@X")
    if kind == "logout":
        return  # makes a profile of its own, see below
    assert (decision.status, held(decision.matched)) == (Status.MATCHED, "email:a@x")
    assert decision.changes == ()


def test_a_new_profile_gets_the_normal_form() -> None:
    decision = ask("logout", LOWERING, Memory(), email="\tA@X ", ios_idfv="D")
    assert changes(decision) == ["+new email a@x", "+new ios_idfv D"]
    assert notes(decision) == []


def test_the_tiers_tell_the_value_that_was_looked_up() -> None:
    decision = ask("search", LOWERING, Memory(profile(1, email="a")), email="A")
    assert [tier.value for tier in decision.tiers] == [None, "a", None]
    assert tiers(decision)[1] == "email decided 1/1>1"


def test_a_value_that_only_is_held_as_it_was_sent_is_meant_so() -> None:
    """Turning it on parts nobody from a profile."""
    known = Memory(profile(1, email="A@X"), profile(2, customer_id="c"))
    decision = ask("identify", LOWERING, known, email="A@X", ios_idfv="d")
    assert held(decision.matched) == "email:A@X"
    assert changes(decision) == ["+1 ios_idfv d"]
    added = ask("login", LOWERING, known, customer_id="c", email="A@X")
    assert changes(added) == ["+2 email A@X"]  # as it was sent, not in a form that nobody holds


def test_a_known_profile_holds_it_as_well_as_an_anonymous_one() -> None:
    for of in ({"customer_id": "c"}, {"ios_idfv": "d"}):
        known = Memory(profile(1, {**of, "email": "A"}))
        assert ask("search", LOWERING, known, email="A").tiers[1].value == "A"


def test_where_somebody_holds_the_normal_form_it_is_meant() -> None:
    known = Memory(profile(1, email="A"), profile(2, email="a"))
    assert ask("search", LOWERING, known, email="A").profile == known.profiles[2]
    gone = Memory(profile(1, email="A"), profile(2, email="a", was_known=True))
    assert ask("search", LOWERING, gone, email="A").status is Status.NOT_FOUND  # protected


def test_another_spelling_that_is_held_is_not_meant() -> None:
    known = Memory(profile(1, email="A@x"))
    decision = ask("identify", LOWERING, known, email="a@X")
    assert (decision.status, changes(decision)) == (Status.CREATED, ["+new email a@x"])


def test_it_is_held_outside_the_priority_too() -> None:
    scope = rules("customer_id:lu ios_idfv", rails=NORMAL)
    known = Memory(profile(1, customer_id="c", email="A"))
    assert changes(ask("login", scope, known, customer_id="c", email="A")) == []
    assert changes(ask("login", scope, known, customer_id="c", email=" A")) == ["+1 email a"]


def test_a_value_of_which_nothing_is_left_is_as_good_as_not_given() -> None:
    decision = ask("identify", LOWERING, Memory(), email=" \t", ios_idfv="d")
    assert (changes(decision), notes(decision)) == (["+new ios_idfv d"], [])
    assert tiers(decision)[1] == "email not_in_request"


def test_a_request_of_which_nothing_is_left_is_refused() -> None:
    for kind in ("identify", "login", "logout", "search"):
        with refused(ErrorCode.NO_IDENTITIES, "normalize leaves every value empty"):
            ask(kind, LOWERING, Memory(), email=" \n ")


def test_white_space_that_is_held_is_meant_as_it_was_sent() -> None:
    known = Memory(profile(1, email="  "))
    assert ask("search", LOWERING, known, email="  ").profile == known.profiles[1]
    with refused(ErrorCode.NO_IDENTITIES):
        ask("search", LOWERING, known, email=" ")


def test_a_type_that_is_not_normalized_is_asked_for_once() -> None:
    known = Memory(profile(1, ios_idfv="D"))
    ask("search", LOWERING, known, ios_idfv="D")
    assert set(known.sought) == {Identifier(IdentityType.IOS_IDFV, "D")}


# ---- blocked


def test_a_blocked_identifier_is_neither_looked_up_nor_stored() -> None:
    known = Memory(profile(1, ios_idfv=ZEROS), profile(2, email="a@x"))
    decision = ask("identify", BLOCKED, known, email="a@x", ios_idfv=ZEROS)
    assert held(decision.matched) == "email:a@x"
    assert (changes(decision), notes(decision)) == ([], ["blocked ios_idfv"])
    assert tiers(decision)[2] == "ios_idfv not_in_request"
    assert decision.tiers[2].value is None
    assert {each.type for each in known.sought} == {EMAIL}


@pytest.mark.parametrize("kind", ["identify", "login", "logout", "search"])
def test_a_request_that_holds_nothing_else_is_refused(kind: str) -> None:
    known = Memory(profile(1, ios_idfv=ZEROS, email="a@test"))
    with refused(ErrorCode.NO_IDENTITIES, "blocks the value of email, ios_idfv"):
        ask(kind, BLOCKED, known, ios_idfv=ZEROS, email="a@test")
    assert known.sought == []


def test_what_is_left_has_still_to_pass_step_1() -> None:
    with refused(ErrorCode.NO_LOOKUP_IDENTITY):
        ask("identify", BLOCKED, Memory(), email="a@test", yahoo="y")
    strict = rules("customer_id:lu email:lu ios_idfv", "profile_isolation", rails=BLOCKING)
    with refused(ErrorCode.LOGIN_ID_REQUIRED):
        ask("login", strict, Memory(), customer_id="guest", ios_idfv="d")
    found = ask("search", BLOCKED, Memory(), email="a@test", yahoo="y")
    assert (found.status, notes(found)) == (Status.NOT_FOUND, ["blocked email"])


def test_blocked_notes_come_first_in_the_order_of_section_2() -> None:
    scope = rules("ios_idfv other email customer_id:lu mobile_number:lu", rails=BLOCKING)
    known = Memory(profile(1, ios_idfv="d"), profile(2, ios_idfv="d"))
    decision = ask(
        "logout", rules("ios_idfv other email customer_id:lu mobile_number:lu", "profile_isolation",
        rails=BLOCKING), known,
        ios_idfv="d", other="null", email="none", customer_id="c", mobile_number="0",
    )  # fmt: skip
    assert notes(decision) == [
        *("blocked email", "blocked other", "blocked mobile_number"),
        *("set_aside_on_logout customer_id", "tie"),
    ]
    assert notes(ask("identify", scope, known, ios_idfv="d", customer_id="Guest"))[0] == (
        "blocked customer_id"
    )


def test_a_blocked_login_id_makes_nobody_known() -> None:
    decision = ask("login", BLOCKED, Memory(), customer_id="undefined", ios_idfv="d")
    assert (decision.is_logged_in, notes(decision)) == (False, ["blocked customer_id"])


def test_blocked_is_asked_of_the_normal_form_before_what_is_held() -> None:
    known = Memory(profile(1, email=" NULL"), profile(2, ios_idfv="d"))
    decision = ask("identify", GUARDED, known, email=" NULL", ios_idfv="d")
    assert (decision.profile, notes(decision)) == (known.profiles[2], ["blocked email"])


def test_the_source_of_a_new_known_user_is_not_found_by_what_is_blocked() -> None:
    link = rules(TYPES, "profile_link", rails=BLOCKING)
    known = Memory(profile(1, ios_idfv=ZEROS))
    decision = ask("login", link, known, customer_id="c", ios_idfv=ZEROS)
    assert decision.profile is not None
    assert decision.profile.source_mpid is None


# ---- modify, the set form


def test_a_modify_sets_the_normal_form() -> None:
    known = Memory(profile(1, email="b"))
    assert changes(set_form(LOWERING, known, 1, email=" A")) == ["-1 email b", "+1 email a"]


def test_a_modify_leaves_what_is_held_as_it_was_sent() -> None:
    known = Memory(profile(1, email="A"))
    assert changes(set_form(LOWERING, known, 1, email="A")) == []
    assert changes(set_form(LOWERING, known, 1, email="a")) == ["-1 email A", "+1 email a"]


@pytest.mark.parametrize(("value", "said"), [("null", ["blocked email"]), ("  ", [])])
def test_a_blocked_or_empty_value_is_set_aside_and_never_a_removal(
    value: str, said: list[str]
) -> None:
    known = Memory(profile(1, email="a", ios_idfv="d"))
    decision = set_form(GUARDED, known, 1, email=value, ios_idfv="e")
    assert changes(decision) == ["-1 ios_idfv d", "+1 ios_idfv e"]
    assert notes(decision) == said
    assert held(after(known, decision)) == "email:a ios_idfv:e"
    assert tiers(decision)[1] == "email not_in_request"
    nothing = set_form(GUARDED, known, 1, email=value)
    assert (nothing.status, nothing.changes, notes(nothing)) == (Status.MODIFIED, (), said)


def test_a_removal_is_not_looked_at() -> None:
    known = Memory(profile(1, email="null", ios_idfv="d"))
    assert changes(set_form(GUARDED, known, 1, email=None)) == ["-1 email null"]
    assert changes(set_form(GUARDED, known, 1, email="b")) == ["-1 email null", "+1 email b"]


def test_an_mpid_that_is_not_there_is_told_first() -> None:
    with refused(ErrorCode.MPID_NOT_FOUND):
        set_form(GUARDED, Memory(), 1, email="null")


# ---- modify, the changes


@pytest.mark.parametrize("old", [None, "a", "b"])
def test_a_change_whose_new_value_is_blocked_is_set_aside_whole(old: str | None) -> None:
    """The old value is neither removed nor looked for."""
    known = Memory(profile(1, email="a"))
    for new, said in (("null", ["blocked email"]), ("X@TEST ", ["blocked email"]), (" ", [])):
        decision = change_form(GUARDED, known, 1, ("email", old, new), ("other", None, "o"))
        assert changes(decision) == ["+1 other o"]
        assert notes(decision) == said
        nothing = change_form(GUARDED, known, 1, ("email", old, new))
        assert (nothing.status, nothing.changes) == (Status.MODIFIED, ())


def test_blocked_changes_have_a_note_a_type_in_the_order_of_section_2() -> None:
    decision = change_form(
        GUARDED,
        Memory(profile(1, email="a")),
        1,
        ("other", None, "null"),
        ("email", None, "null"),
        ("email", "a", "0"),
    )
    assert notes(decision) == ["blocked email", "blocked other"]


def test_an_old_value_is_never_blocked() -> None:
    known = Memory(profile(1, email="null", ios_idfv=ZEROS))
    decision = change_form(
        GUARDED, known, 1, ("email", "null", None), ("ios_idfv", ZEROS, "d"), ("other", None, "o")
    )
    assert changes(decision) == [
        *("-1 email null", f"-1 ios_idfv {ZEROS}", "+1 ios_idfv d", "+1 other o"),
    ]
    assert notes(decision) == []


def test_an_old_value_is_meant_in_its_normal_form_or_as_it_was_sent_where_only_that_is_held() -> (
    None
):
    known = Memory(profile(1, email=["a", "B"]))
    assert changes(change_form(LOWERING, known, 1, ("email", " A", None))) == ["-1 email a"]
    assert changes(change_form(LOWERING, known, 1, ("email", "B", "b"))) == [
        *("-1 email B", "+1 email b"),
    ]
    with refused(ErrorCode.OLD_VALUE_MISMATCH, "'b'"):
        change_form(LOWERING, known, 1, ("email", " B", None))


def test_what_is_held_is_asked_of_the_store_as_it_was_before_the_request() -> None:
    known = Memory(profile(1, email="B"))
    again = change_form(LOWERING, known, 1, ("email", "B", None), ("email", None, "B"))
    assert changes(again) == ["-1 email B", "+1 email B"]


def test_an_old_value_of_which_nothing_is_left_is_not_given() -> None:
    known = Memory(profile(1, email="a"))
    assert changes(change_form(LOWERING, known, 1, ("email", " ", "b"))) == ["+1 email b"]
    assert changes(change_form(LOWERING, known, 1, ("email", " ", None))) == []
    assert changes(change_form(LOWERING, known, 1, ("email", None, None))) == []


def test_white_space_that_a_profile_holds_can_be_removed() -> None:
    known = Memory(profile(1, email=["  ", "a"]))
    assert changes(change_form(LOWERING, known, 1, ("email", "  ", None))) == ["-1 email   "]
