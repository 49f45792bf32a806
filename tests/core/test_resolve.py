"""Section 4, steps 1, 4 and 5: what is allowed, who is the answer, and what it comes to hold."""

import pytest

from idsync_cli.core.codes import ErrorCode, OnLogout, Rule, Status
from idsync_cli.core.config.rules import ScopeRules
from idsync_cli.core.decision import DecidedBy
from idsync_cli.core.identity import IdentityType, derive_mpid
from idsync_cli.core.profile import ProfileView
from tests.core.memory import Memory
from tests.core.shorthand import (
    NEW,
    after,
    ask,
    became_known,
    changes,
    held,
    notes,
    profile,
    refused,
    rules,
    set_form,
    tiers,
)

CONVERSION = rules("customer_id:lu email:lu other ios_idfv")
JOINING = rules("customer_id:lu email:lu other ios_idfv", join=True)
FIXED = rules("customer_id:lui email:lu other:u ios_idfv")
LINK = rules("customer_id:lu email:lu ios_idfv android_aaid", "profile_link")
ISOLATION = rules("customer_id:lu email:lu ios_idfv", "profile_isolation")
BEST = rules("customer_id email other ios_idfv", "best_match")
NEW_MPID = derive_mpid(7, NEW, lambda _: False)


# ---- Step 1


@pytest.mark.parametrize("kind", ["login", "logout"])
def test_a_strategy_without_logins_refuses_login_and_logout(kind: str) -> None:
    with refused(ErrorCode.UNSUPPORTED_BY_STRATEGY, "best_match", kind, "identify"):
        ask(kind, BEST, Memory(), email="e")


@pytest.mark.parametrize("kind", ["identify", "search"])
def test_a_strategy_without_logins_answers_the_others(kind: str) -> None:
    assert ask(kind, BEST, Memory(profile(1, email="e")), email="e").status is Status.MATCHED


def test_a_login_without_a_login_id_is_refused_where_the_strategy_wants_one() -> None:
    with refused(ErrorCode.LOGIN_ID_REQUIRED, "profile_isolation", "customer_id, email"):
        ask("login", ISOLATION, Memory(), ios_idfv="d")


def test_the_refusal_says_if_there_is_no_login_type_to_give() -> None:
    with refused(ErrorCode.LOGIN_ID_REQUIRED, "(the scope has no login type)"):
        ask("login", rules("ios_idfv", "profile_isolation"), Memory(), ios_idfv="d")


@pytest.mark.parametrize("kind", ["identify", "logout", "search"])
def test_no_other_kind_wants_a_login_id(kind: str) -> None:
    known = Memory(profile(1, ios_idfv="d"))
    assert ask(kind, ISOLATION, known, ios_idfv="d").status is Status.MATCHED


def test_a_login_without_a_login_id_is_answered_where_the_strategy_does_not_want_one() -> None:
    known = Memory(profile(1, ios_idfv="d"))
    assert ask("login", CONVERSION, known, ios_idfv="d").status is Status.MATCHED


def test_a_login_with_any_login_id_is_answered_where_the_strategy_wants_one() -> None:
    assert ask("login", ISOLATION, Memory(), email="e").status is Status.CREATED


def test_a_logout_sets_its_login_ids_aside_by_rank_and_keeps_none_of_them() -> None:
    decision = ask("logout", CONVERSION, Memory(), ios_idfv="d", email="e", customer_id="a")
    assert notes(decision) == ["set_aside_on_logout customer_id", "set_aside_on_logout email"]
    assert changes(decision) == ["+new ios_idfv d"]
    assert tiers(decision)[:2] == ["customer_id not_in_request", "email not_in_request"]


@pytest.mark.parametrize("kind", ["identify", "login", "search"])
def test_no_other_kind_sets_login_ids_aside(kind: str) -> None:
    decision = ask(kind, CONVERSION, Memory(profile(1, email="e")), email="e")
    assert (notes(decision), held(decision.matched)) == ([], "email:e")


@pytest.mark.parametrize("kind", ["identify", "login"])
def test_nothing_in_the_priority_is_refused_and_the_priority_named(kind: str) -> None:
    with refused(ErrorCode.NO_LOOKUP_IDENTITY, "customer_id, email, other, ios_idfv") as refusal:
        ask(kind, CONVERSION, Memory(), yahoo="y", push_token="t")
    assert "set aside" not in refusal.value.message


def test_a_logout_with_nothing_but_login_ids_is_refused_and_told_so() -> None:
    with refused(ErrorCode.NO_LOOKUP_IDENTITY, "a logout ignores login IDs") as refusal:
        ask("logout", CONVERSION, Memory(), email="e", push_token="t")
    assert "give one of: other, ios_idfv" in refusal.value.message


def test_a_logout_without_login_ids_is_not_told_that_they_were_set_aside() -> None:
    with refused(ErrorCode.NO_LOOKUP_IDENTITY, "priority; give one of: other, ios_idfv") as refusal:
        ask("logout", CONVERSION, Memory(), push_token="t")
    assert "set aside" not in refusal.value.message


def test_a_logout_is_told_if_the_scope_has_nothing_to_give() -> None:
    with refused(ErrorCode.NO_LOOKUP_IDENTITY, "give one of: (the scope has none)"):
        ask("logout", rules("email:lu"), Memory(), email="e")


def test_a_search_with_nothing_in_the_priority_finds_nobody() -> None:
    decision = ask("search", CONVERSION, Memory(profile(1, yahoo="y", email="e")), yahoo="y")
    assert decision.status is Status.NOT_FOUND
    assert decision.decided_by == DecidedBy(Rule.NO_MATCH)
    assert decision.profile is None
    assert tiers(decision) == [f"{kind} not_in_request" for kind in CONVERSION.priority]


def test_a_logout_makes_a_new_profile_at_once_where_the_strategy_says_create() -> None:
    known = Memory(profile(1, ios_idfv="d"))
    decision = ask("logout", CONVERSION, known, 1, ios_idfv="d")
    assert (decision.status, decision.decided_by) == (Status.CREATED, DecidedBy(Rule.LOGOUT))
    assert changes(decision) == ["+new ios_idfv d"]
    assert tiers(decision)[3] == "ios_idfv not_consulted"


def test_a_logout_asks_the_tiers_where_the_strategy_says_return_anonymous() -> None:
    known = Memory(profile(1, ios_idfv="d"), profile(2, email="e", ios_idfv="d"))
    decision = ask("logout", ISOLATION, known, email="e", ios_idfv="d")
    assert decision.profile == known.profiles[1]
    assert decision.decided_by == DecidedBy(Rule.IDENTIFIER, 3, IdentityType.IOS_IDFV)
    assert notes(decision) == ["set_aside_on_logout email"]


def test_a_logout_that_finds_nobody_makes_an_anonymous_profile() -> None:
    known = Memory(profile(2, email="e", ios_idfv="d"))
    decision = ask("logout", ISOLATION, known, email="e", ios_idfv="d")
    assert (decision.status, decision.decided_by) == (Status.CREATED, DecidedBy(Rule.NO_MATCH))
    assert (decision.is_logged_in, became_known(decision)) == (False, ())


def test_only_a_logout_makes_a_new_profile_at_once() -> None:
    known = Memory(profile(1, ios_idfv="d"))
    for kind in ("identify", "login"):
        assert ask(kind, CONVERSION, known, ios_idfv="d").status is Status.MATCHED


# ---- Step 4


def test_a_single_candidate_is_the_answer_and_its_tier_is_named() -> None:
    known = Memory(profile(1, email="e", ios_idfv="d"), profile(2, ios_idfv="d"))
    decision = ask("identify", BEST, known, 2, email="e", ios_idfv="d")
    assert decision.profile == known.profiles[1]
    assert decision.status is Status.MATCHED
    assert decision.decided_by == DecidedBy(Rule.IDENTIFIER, 2, IdentityType.EMAIL)
    assert decision.created is False
    assert not decision.changes_the_store


SHARED = (
    profile(30, seq=1, ios_idfv="d"),
    profile(10, seq=3, ios_idfv="d"),
    profile(20, seq=2, ios_idfv="d"),
    profile(40, seq=4, email="e"),
)


@pytest.mark.parametrize(
    ("previous", "answer", "rule", "said"),
    [
        (None, 10, Rule.NEWEST, ["tie"]),
        (30, 30, Rule.PREVIOUS_MPID, []),
        (20, 20, Rule.PREVIOUS_MPID, []),
        (10, 10, Rule.PREVIOUS_MPID, []),
        (40, 10, Rule.NEWEST, ["tie"]),
        (99, 10, Rule.NEWEST, ["tie"]),
    ],
)
@pytest.mark.parametrize("kind", ["identify", "search"])
def test_of_several_candidates_the_previous_mpid_is_taken_else_the_newest(
    kind: str, previous: int | None, answer: int, rule: Rule, said: list[str]
) -> None:
    decision = ask(kind, BEST, Memory(*SHARED), previous, ios_idfv="d")
    assert decision.profile is not None
    assert decision.profile.mpid == answer
    assert decision.decided_by == DecidedBy(rule)
    assert notes(decision) == said
    assert tiers(decision)[3] == "ios_idfv narrowed 3/3>3"


def test_a_tie_is_noted_before_what_step_5_has_to_say() -> None:
    known = Memory(
        profile(1, email="e", other="o"), profile(2, ios_idfv="d"), profile(3, ios_idfv="d")
    )
    scope = rules("other:u email:lu ios_idfv")
    decision = ask("identify", scope, known, other="o", ios_idfv="d")
    assert notes(decision) == ["tie", "held_elsewhere other"]


def test_who_is_not_found_gets_a_new_profile() -> None:
    known = Memory(profile(1, email="e"))
    decision = ask("identify", BEST, known, email="f", ios_idfv="d")
    assert (decision.status, decision.decided_by) == (Status.CREATED, DecidedBy(Rule.NO_MATCH))
    assert decision.created is True
    assert decision.profile is not None
    assert decision.profile == ProfileView(NEW_MPID, NEW, None, False, 0)
    assert held(after(known, decision)) == "email:f ios_idfv:d"
    assert (after(known, decision).was_known, became_known(decision)) == (False, ())
    assert decision.changes_the_store
    assert tiers(decision) == [
        "customer_id not_in_request",
        "email no_candidates 0/0>0",
        "other not_in_request",
        "ios_idfv no_candidates 0/0>0",
    ]


def test_a_new_profile_never_gets_an_mpid_that_was_given_out() -> None:
    decision = ask("identify", BEST, Memory(given_out={NEW_MPID}), email="e")
    assert decision.created is True
    assert decision.profile is not None
    assert decision.profile.mpid == derive_mpid(7, NEW, {NEW_MPID}.__contains__) != NEW_MPID


@pytest.mark.parametrize(
    ("scope", "kind", "asked", "rule"),
    [
        (LINK, "login", {"email": "e", "ios_idfv": "d"}, Rule.NEW_KNOWN_USER),
        (LINK, "identify", {"email": "e", "ios_idfv": "d"}, Rule.NEW_KNOWN_USER),
        (ISOLATION, "login", {"customer_id": "a"}, Rule.NEW_KNOWN_USER),
        (LINK, "login", {"ios_idfv": "x"}, Rule.NO_MATCH),
        (LINK, "logout", {"email": "e", "ios_idfv": "x"}, Rule.LOGOUT),
        (ISOLATION, "logout", {"email": "e", "ios_idfv": "x"}, Rule.NO_MATCH),
        (CONVERSION, "login", {"email": "e", "ios_idfv": "x"}, Rule.NO_MATCH),
    ],
)
def test_a_new_profile_says_by_which_rule_it_was_made(
    scope: ScopeRules, kind: str, asked: dict[str, str], rule: Rule
) -> None:
    decision = ask(kind, scope, Memory(profile(1, ios_idfv="d")), **asked)
    assert (decision.status, decision.decided_by) == (Status.CREATED, DecidedBy(rule))


def test_a_new_profile_with_a_login_id_is_known_from_the_beginning() -> None:
    decision = ask("login", LINK, Memory(), email="e")
    assert became_known(decision) == (NEW_MPID,)
    assert after(Memory(), decision).was_known is True


def test_a_search_that_finds_nobody_makes_nobody() -> None:
    decision = ask("search", LINK, Memory(profile(1, ios_idfv="d")), email="e", ios_idfv="d")
    assert (decision.status, decision.decided_by) == (Status.NOT_FOUND, DecidedBy(Rule.NO_MATCH))
    assert (decision.created, decision.profile, decision.changes) == (False, None, ())
    assert tiers(decision)[2] == "ios_idfv no_candidates 1/0>0 new_known_user_only=1"


def test_a_search_changes_nothing_of_the_profile_that_it_finds() -> None:
    known = Memory(profile(1, email="e"), profile(2, customer_id="a"))
    decision = ask("search", JOINING, known, email="e", customer_id="b", ios_idfv="d")
    assert decision.profile == known.profiles[1]
    assert (changes(decision), decision.orphaned, decision.updates) == ([], (), ())
    assert held(decision.identifiers) == "email:e"
    assert (decision.is_logged_in, notes(decision)) == (True, [])


@pytest.mark.parametrize("kind", ["identify", "search"])
def test_a_login_id_that_disagrees_is_noted_where_the_scope_joins(kind: str) -> None:
    known = Memory(profile(1, customer_id="a", email="e"))
    decision = ask(kind, JOINING, known, customer_id="b", email="e")
    assert notes(decision)[0] == "joined_conflicting_login customer_id"
    assert decision.profile is not None
    assert decision.profile.mpid == 1


def test_only_the_highest_login_id_that_disagrees_is_noted_and_after_a_tie() -> None:
    scope = rules("customer_id:l mobile_number:l email:l", join=True)
    held_alike = {"mobile_number": "1", "email": "e"}
    known = Memory(
        profile(1, {"customer_id": "a"} | held_alike), profile(2, {"customer_id": "b"} | held_alike)
    )
    decision = ask("login", scope, known, customer_id="c", mobile_number="2", email="e")
    assert notes(decision) == [
        "tie",
        "joined_conflicting_login customer_id",
        "second_login_id customer_id",
        "second_login_id mobile_number",
    ]


def test_a_login_id_that_agrees_is_not_noted_where_the_scope_joins() -> None:
    known = Memory(profile(1, customer_id="a", email="e"))
    decision = ask("login", JOINING, known, customer_id="a", email="f")
    assert notes(decision) == ["second_login_id email"]


# ---- The answer


def test_matched_are_the_identifiers_of_the_priority_that_were_held_before_by_rank() -> None:
    known = Memory(profile(1, push_token="t", ios_idfv="d", email="e"))
    asked = {"push_token": "t", "ios_idfv": "d", "other": "o", "email": "e"}
    assert held(ask("identify", BEST, known, **asked).matched) == "email:e ios_idfv:d"
    assert ask("logout", CONVERSION, known, ios_idfv="d").matched == ()


@pytest.mark.parametrize(
    ("asked", "logged_in"), [({"ios_idfv": "d"}, False), ({"ios_idfv": "d", "email": "e"}, True)]
)
def test_who_holds_a_login_id_afterwards_is_logged_in(
    asked: dict[str, str], logged_in: bool
) -> None:
    decision = ask("identify", CONVERSION, Memory(profile(1, ios_idfv="d")), **asked)
    assert decision.is_logged_in is logged_in
    assert became_known(decision) == ((1,) if logged_in else ())


# ---- Step 5


def test_identifiers_are_added_by_rank_and_then_as_in_section_2() -> None:
    known = Memory(profile(1, ios_idfv="d"))
    asked = {"push_token": "t", "yahoo": "y", "other": "o", "ios_idfv": "d", "email": "e"}
    decision = ask("identify", BEST, known, **asked)
    assert changes(decision) == ["+1 email e", "+1 other o", "+1 yahoo y", "+1 push_token t"]
    assert held(after(known, decision)) == "ios_idfv:d email:e other:o yahoo:y push_token:t"


def test_identifiers_accumulate_and_one_that_is_held_is_left_as_it_is() -> None:
    known = Memory(profile(1, ios_idfv=["c", "d"], other="p"))
    decision = ask("identify", BEST, known, ios_idfv="c", other="o")
    assert changes(decision) == ["+1 other o"]
    assert held(after(known, decision)) == "ios_idfv:c ios_idfv:d other:p other:o"


@pytest.mark.parametrize("other", ["b", "c"], ids=["held by another", "held by nobody"])
def test_another_value_of_an_immutable_type_is_not_added_and_nothing_more_is_asked(
    other: str,
) -> None:
    known = Memory(profile(1, customer_id="a", email="e"), profile(2, customer_id="b"))
    scope = rules("email:lui customer_id:lui ios_idfv")
    decision = ask("login", scope, known, email="e", customer_id=other)
    assert notes(decision) == ["kept_immutable customer_id"]
    assert changes(decision) == []


def test_a_first_value_of_an_immutable_type_is_added() -> None:
    decision = ask("login", FIXED, Memory(profile(1, email="e")), email="e", customer_id="a")
    assert changes(decision) == ["+1 customer_id a"]


def test_an_immutable_identifier_never_moves_even_from_one_that_is_eligible() -> None:
    known = Memory(profile(1, email="e"), profile(2, customer_id="a", other="o"))
    scope = rules("email:lui customer_id:lui other")
    decision = ask("login", scope, known, email="e", customer_id="a")
    assert notes(decision) == ["held_elsewhere customer_id"]
    assert changes(decision) == []


def test_a_unique_identifier_moves_from_every_holder_that_is_eligible_by_ascending_mpid() -> None:
    scope = rules("ios_idfv email:lu other:u")
    known = Memory(
        profile(5, ios_idfv="d"),
        profile(20, seq=1, other="o", push_token="t"),
        profile(-3, seq=2, other="o", email="e"),
        profile(4, seq=3, other="o", ios_idfv="x"),
    )
    decision = ask("identify", scope, known, ios_idfv="d", other="o", email="e")
    assert changes(decision) == [
        "--3 email e",
        "+5 email e",
        "--3 other o",
        "-4 other o",
        "-20 other o",
        "+5 other o",
    ]
    assert decision.orphaned == (-3, 20)
    assert became_known(decision) == (-3, 5)
    assert notes(decision) == []


def test_a_unique_identifier_does_not_move_if_one_holder_is_not_eligible() -> None:
    scope = rules("ios_idfv email:lu other:u")
    known = Memory(
        profile(1, ios_idfv="d"), profile(2, other="o"), profile(3, other="o", email="e")
    )
    decision = ask("identify", scope, known, ios_idfv="d", other="o")
    assert notes(decision) == ["held_elsewhere other"]
    assert changes(decision) == []


def test_holders_are_judged_before_anything_is_changed() -> None:
    """Once the email has moved, its former holder would be protected, and keep the other."""
    scope = rules("ios_idfv email:lu other:u")
    known = Memory(profile(1, ios_idfv="d"), profile(2, email="e", other="o"))
    decision = ask("login", scope, known, ios_idfv="d", email="e", other="o")
    assert changes(decision) == ["-2 email e", "+1 email e", "-2 other o", "+1 other o"]
    assert decision.orphaned == (2,)


def test_an_identifier_that_is_not_unique_may_be_held_by_many() -> None:
    known = Memory(profile(1, ios_idfv="d"), profile(2, email="e", other="o"))
    decision = ask("identify", CONVERSION, known, ios_idfv="d", other="o")
    assert decision.profile is not None
    assert (changes(decision), decision.profile.mpid) == (["+1 other o"], 1)


def test_a_further_value_of_a_login_type_is_noted_and_added() -> None:
    known = Memory(profile(1, customer_id="a", email="e", other="o"))
    asked = {"customer_id": "a", "email": "f", "other": "p"}
    decision = ask("login", CONVERSION, known, **asked)
    assert notes(decision) == ["second_login_id email"]
    assert changes(decision) == ["+1 email f", "+1 other p"]


def test_a_first_value_of_a_login_type_is_not_noted() -> None:
    known = Memory(profile(1, customer_id="a"), profile(2, ios_idfv="d"))
    assert notes(ask("login", CONVERSION, known, customer_id="a", email="e")) == []
    assert notes(ask("login", CONVERSION, known, ios_idfv="d", email="e")) == []


def test_the_notes_of_step_5_stand_in_the_order_of_its_identifiers() -> None:
    scope = rules("email:lui customer_id:lui mobile_number:l other:u ios_idfv")
    known = Memory(
        profile(1, email="e", customer_id="a", mobile_number="1"),
        profile(2, customer_id="z", other="o"),
    )
    asked = {"ios_idfv": "d", "other": "o", "mobile_number": "2", "customer_id": "b"}
    decision = ask("login", scope, known, email="e", **asked)
    assert notes(decision) == [
        "kept_immutable customer_id",
        "second_login_id mobile_number",
        "held_elsewhere other",
    ]
    assert changes(decision) == ["+1 mobile_number 2", "+1 ios_idfv d"]


def test_a_new_profile_without_a_lookup_of_its_own_is_refused() -> None:
    known = Memory(profile(1, customer_id="a", email="e"))
    with refused(ErrorCode.PROTECTED_IDENTITY, "immutable ID", "login ID", "nobody holds"):
        ask("login", FIXED, known, email="e", push_token="t")


def test_a_logout_may_be_refused_for_that_too() -> None:
    known = Memory(profile(1, email="e", other="o"))
    with refused(ErrorCode.PROTECTED_IDENTITY):
        ask("logout", FIXED, known, other="o")


def test_one_lookup_of_its_own_is_enough_for_a_new_profile() -> None:
    known = Memory(profile(1, customer_id="a", email="e"))
    decision = ask("login", FIXED, known, email="e", ios_idfv="d")
    assert changes(decision) == ["+new ios_idfv d"]
    assert notes(decision) == ["held_elsewhere email"]
    assert decision.is_logged_in is False


# ---- Source


def source(scope: ScopeRules, previous: int | None, known: Memory, **asked: str) -> int | None:
    decision = ask("login", scope, known, previous, **asked)
    assert decision.created is True
    assert decision.profile is not None
    return decision.profile.source_mpid


VISITORS = (
    profile(1, ios_idfv="d"),
    profile(2, android_aaid="g"),
    profile(3, email="k", ios_idfv="d"),
    profile(4, was_known=True, ios_idfv="d"),
)


@pytest.mark.parametrize(
    ("previous", "of"),
    [
        (None, 1),  # to whom the identifiers that are no login IDs resolve
        (1, 1),
        (2, 2),  # an anonymous profile of the scope, whatever it holds
        (3, 1),  # known
        (4, 1),  # was known
        (99, 1),  # nobody
    ],
)
def test_the_source_is_the_previous_mpid_if_anonymous_else_whom_the_rest_resolves_to(
    previous: int | None, of: int
) -> None:
    assert source(LINK, previous, Memory(*VISITORS), email="e", ios_idfv="d") == of


def test_the_source_of_several_is_the_newest_by_number() -> None:
    known = Memory(
        profile(9, seq=1, ios_idfv="d"), profile(7, seq=3, ios_idfv="d"), profile(8, seq=2)
    )
    assert source(LINK, None, known, email="e", ios_idfv="d") == 7


def test_there_is_no_source_if_the_rest_resolves_to_nobody() -> None:
    assert source(LINK, None, Memory(*VISITORS), email="e", ios_idfv="x") is None
    assert source(LINK, None, Memory(*VISITORS), email="e") is None
    assert source(LINK, 99, Memory(), email="e") is None


def test_the_source_is_resolved_on_the_store_as_it_stood_before() -> None:
    scope = rules("customer_id:lu email:lu other:u ios_idfv", "profile_link")
    known = Memory(profile(1, other="o", ios_idfv="d"), profile(2, ios_idfv="d"))
    assert source(scope, None, known, customer_id="a", other="o", ios_idfv="d") == 1


def test_only_a_new_known_user_where_the_strategy_links_has_a_source() -> None:
    isolated = Memory(profile(1, ios_idfv="d"))
    assert source(ISOLATION, 1, isolated, email="e", ios_idfv="d") is None
    for kind, rule in (("logout", Rule.LOGOUT), ("identify", Rule.NO_MATCH)):
        decision = ask(kind, LINK, Memory(profile(1, android_aaid="g")), 1, ios_idfv="d")
        assert decision.decided_by == DecidedBy(rule)
        assert decision.created is True
        assert decision.profile is not None
        assert decision.profile.source_mpid is None


def test_a_logout_without_create_gets_no_source_either() -> None:
    returning = LINK._replace(strategy=LINK.strategy._replace(on_logout=OnLogout.RETURN_ANONYMOUS))
    decision = ask("logout", returning, Memory(profile(1, android_aaid="g")), 1, ios_idfv="d")
    assert decision.created is True
    assert decision.profile == ProfileView(NEW_MPID, NEW, None, False, 0)


# ---- `on_unique_held: keep`

KEEPING = rules("customer_id:lu email:u other ios_idfv", keep=True)


def test_where_unique_identifiers_are_kept_a_request_takes_none() -> None:
    known = Memory(profile(1, customer_id="c"), profile(2, email="e"))
    decision = ask("login", KEEPING, known, customer_id="c", email="e", ios_idfv="d")
    assert decision.decided_by.identity_type is IdentityType.CUSTOMER_ID
    assert (changes(decision), notes(decision)) == (["+1 ios_idfv d"], ["held_elsewhere email"])


def test_where_unique_identifiers_are_kept_who_holds_none_may_add_one_that_nobody_holds() -> None:
    known = Memory(profile(1, customer_id="c"), profile(2, email="e"))
    decision = ask("login", KEEPING, known, customer_id="c", email="new")
    assert (changes(decision), notes(decision)) == (["+1 email new"], [])


def test_a_modify_takes_what_is_kept() -> None:
    known = Memory(profile(1, customer_id="c"), profile(2, email="e"))
    decision = set_form(KEEPING, known, 1, email="e")
    assert changes(decision) == ["-2 email e", "+1 email e"]
    assert decision.orphaned == (2,)
