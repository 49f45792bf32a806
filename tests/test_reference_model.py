"""The tricky rules of sections 4, 5, 7 and 8, asked of the reference model itself."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from tests.reference_model import Json, Model, mpid_of
from tests.worlds import random_world

SETTINGS = {"login": True, "unique": True}
FIXED = SETTINGS | {"immutable": True}
BEST_MATCH = {"strategy": "best_match", "priority": ["customer_id", "email", "ios_idfv"]}


def conversion(**more: Any) -> Json:
    identities = {"customer_id": SETTINGS, "email": SETTINGS}
    priority = ["customer_id", "email", "other", "ios_idfv"]
    scope = {"strategy": "profile_conversion", "priority": priority, "identities": identities}
    return scope | more


def model_of(scope: Json, *given: Json) -> Model:
    """The given profiles have the MPIDs 1, 2, …"""
    model = Model({"s": scope}, seed=7)
    for mpid, identities in enumerate(given, 1):
        model.give("s", {t: v if isinstance(v, list) else [v] for t, v in identities.items()}, mpid)
    return model


def ask(model: Model, kind: str, members: Json | None = None, /, **identities: object) -> Json:
    request: Json = {"type": kind} | ({"known_identities": identities} if identities else {})
    return model.answer(request | (members or {}), line=None, explain=True)


def codes(answer: Json) -> list[str]:
    each: list[Json] = answer["errors" if answer["status"] == "error" else "notes"]
    return [one["code"] for one in each]


def held(model: Model) -> list[Json]:
    return [line["identities"] for line in model.export()]


def test_a_preset_type_that_is_configured_has_only_what_is_configured() -> None:
    link = {"strategy": "profile_link", "priority": ["customer_id", "email"]}
    answer = ask(model_of(link | {"identities": {"email": {}}}), "search", email="e")
    assert [tier["settings"] for tier in answer["tiers"]] == [["login", "unique"], []]


def test_a_profile_that_lost_its_last_login_id_stays_known() -> None:
    model = model_of(conversion(), {"email": "e", "ios_idfv": "d"})
    assert ask(model, "modify", {"mpid": 1}, email=None)["is_logged_in"] is False
    answer = ask(model, "identify", ios_idfv="d")
    assert answer["status"] == "created"
    assert answer["tiers"][3]["ineligible"] == {"login_protection": 1}
    assert [line["known"] for line in model.export()] == [True, False]


def test_a_profile_is_not_known_by_rules_under_which_nothing_changed_it() -> None:
    model = model_of(BEST_MATCH, {"email": "e", "ios_idfv": "d"})
    model.reconfigure({"s": conversion()})
    assert model.export()[0]["known"] is True
    assert ask(model, "identify", email="e")["changes"] == []
    model.reconfigure({"s": BEST_MATCH})
    assert ask(model, "identify", ios_idfv="d")["mpid"] == "1"


def test_logout_sets_login_ids_aside() -> None:
    model = model_of(conversion(), {"email": "e", "ios_idfv": "d"})
    answer = ask(model, "logout", email="e", ios_idfv="d")
    assert (answer["status"], answer["decided_by"]) == ("created", {"rule": "logout"})
    assert codes(answer) == ["set_aside_on_logout"]
    assert [t["outcome"] for t in answer["tiers"]] == ["not_in_request"] * 3 + ["not_consulted"]
    assert codes(ask(model, "logout", email="e")) == ["NO_LOOKUP_IDENTITY"]


def test_the_first_reason_is_the_one_that_counts() -> None:
    scope = conversion(identities={"customer_id": FIXED, "email": {"login": True}})
    profiles = [{"customer_id": "a", "email": "e"}, {"email": "e"}, {"ios_idfv": "d"}]
    model = model_of(scope, *profiles)
    search = ask(model, "search", email="e", ios_idfv="d")
    assert [tier["ineligible"] for tier in search["tiers"]] == [
        {},
        {"immutable_search": 2},
        {},
        {"immutable_search": 1},
    ]
    assert ask(model, "identify", email="e")["tiers"][1]["ineligible"] == {
        "immutable_protection": 1
    }


def test_of_several_login_types_the_highest_ranked_that_both_carry_decides() -> None:
    model = model_of(conversion(), {"customer_id": ["a", "b"], "email": "e"})
    assert ask(model, "search", customer_id="b", email="f")["mpid"] == "1"
    conflict = ask(model, "search", customer_id="c", email="e")
    assert conflict["tiers"][1]["ineligible"] == {"conflicting_login": 1}
    model.reconfigure({"s": conversion(on_conflicting_login="join")})
    assert codes(ask(model, "search", customer_id="c", email="e")) == ["joined_conflicting_login"]


def test_a_login_id_never_leads_to_an_anonymous_profile_where_new_known_users_are_new() -> None:
    link = {"strategy": "profile_link", "priority": ["ios_idfv", "email"]}
    model = model_of(link, {"ios_idfv": "d"})
    assert ask(model, "search", ios_idfv="d", email="e")["status"] == "not_found"
    answer = ask(model, "login", ios_idfv="d", email="e")
    assert answer["decided_by"] == {"rule": "new_known_user"}
    assert answer["source_mpid"] == "1"


def test_tiers_narrow_and_a_tier_without_any_of_the_candidates_changes_nothing() -> None:
    profiles = [{"email": "e", "ios_idfv": "x"}, {"email": "e"}, {"email": "e", "ios_idfv": "x"}]
    priority = ["email", "other", "ios_idfv", "android_aaid"]
    model = model_of(
        BEST_MATCH | {"priority": priority}, *profiles, {"other": "o", "android_aaid": "g"}
    )
    answer = ask(model, "search", email="e", other="o", ios_idfv="x", android_aaid="g")
    outcomes = [(tier["outcome"], tier["left"]) for tier in answer["tiers"]]
    assert outcomes == [("narrowed", 3), ("no_effect", 3), ("narrowed", 2), ("no_effect", 2)]
    assert (answer["mpid"], codes(answer)) == ("3", ["tie"])
    named = ask(model, "search", {"previous_mpid": 1}, email="e")
    assert (named["mpid"], named["decided_by"]) == ("1", {"rule": "previous_mpid"})
    assert ask(model, "search", {"previous_mpid": 4}, email="e")["mpid"] == "3"


def test_a_unique_identifier_moves_only_from_profiles_that_the_request_may_see() -> None:
    scope = conversion(identities={"email": {"login": True}, "other": {"unique": True}})
    login, anonymous = {"email": "e", "other": "o"}, {"other": "o", "ios_idfv": "d"}
    model = model_of(scope, anonymous, {"email": "f"})
    moved = ask(model, "login", email="f", other="o")
    assert [(c["op"], c["mpid"]) for c in moved["changes"]] == [("remove", "1"), ("add", "2")]
    assert moved["orphaned"] == []
    assert codes(ask(model_of(scope, login, {"email": "f"}), "login", email="f", other="o")) == [
        "held_elsewhere"
    ]


def test_what_a_request_may_see_it_may_take_even_from_a_known_profile() -> None:
    model = model_of(conversion(), {"customer_id": "a", "email": "e"}, {"email": "f"})
    answer = ask(model, "login", customer_id="a", email="f")
    assert (answer["mpid"], answer["orphaned"], codes(answer)) == ("1", ["2"], ["second_login_id"])


def test_an_immutable_identifier_is_kept_and_never_moves() -> None:
    scope = conversion(identities={"customer_id": FIXED, "email": FIXED})
    model = model_of(
        scope, {"customer_id": "a", "email": "e"}, {"email": "f"}, {"customer_id": "b"}
    )
    assert codes(ask(model, "login", customer_id="a", email="f")) == ["kept_immutable"]
    assert codes(ask(model, "login", customer_id="b", email="f")) == ["held_elsewhere"]
    assert codes(ask(model, "modify", {"mpid": 2}, customer_id="a")) == ["IMMUTABLE_IDENTITY"]
    assert codes(ask(model, "modify", {"mpid": 1}, customer_id="b")) == ["IMMUTABLE_IDENTITY"]
    assert codes(ask(model, "modify", {"mpid": 1}, customer_id=None)) == ["IMMUTABLE_IDENTITY"]
    assert ask(model, "modify", {"mpid": 1}, customer_id="a", email="e")["changes"] == []
    assert ask(model, "modify", {"mpid": 2}, customer_id="c")["status"] == "modified"


def test_duplicates_of_a_type_that_became_unique_stay_until_the_identifier_moves() -> None:
    model = model_of(BEST_MATCH, {"ios_idfv": "d"}, {"ios_idfv": "d"}, {"email": "e"})
    model.reconfigure({"s": conversion(identities={"ios_idfv": {"unique": True}})})
    assert ask(model, "modify", {"mpid": 1}, ios_idfv="d")["changes"] == []
    changes = ask(model, "modify", {"mpid": 3}, ios_idfv="d")["changes"]
    assert [(c["op"], c["mpid"]) for c in changes] == [
        ("remove", "1"),
        ("remove", "2"),
        ("add", "3"),
    ]


def test_a_new_profile_without_a_lookup_is_refused_and_leaves_nothing() -> None:
    scope = conversion(identities={"customer_id": FIXED, "email": SETTINGS})
    model = model_of(scope, {"customer_id": "a", "email": "e"})
    request = {"type": "login", "known_identities": {"email": "e", "push_token": "p"}, "label": "x"}
    assert codes(model.answer(request, line=1)) == ["PROTECTED_IDENTITY"]
    assert len(held(model)) == 1
    assert ask(model, "login", email="z")["seq"] == 3, "a replay's line takes its number"


def test_modify_sets_exactly_the_values_given_and_takes_unique_ones_from_anyone() -> None:
    model = model_of(
        conversion(), {"email": ["e", "f"]}, {"email": "g"}, {"email": "g", "other": "o"}
    )
    answer = ask(model, "modify", {"mpid": "1"}, ios_idfv="d", email="g", push_token=None)
    assert [(c["op"], c["mpid"], c["value"]) for c in answer["changes"]] == [
        ("remove", "1", "e"),
        ("remove", "1", "f"),
        ("remove", "2", "g"),
        ("remove", "3", "g"),
        ("add", "1", "g"),
        ("add", "1", "d"),
    ]
    assert answer["orphaned"] == ["2"]
    assert model.export()[1]["known"] is True


def test_identity_changes_see_those_before_them_and_fall_together() -> None:
    model = model_of(conversion(), {"other": ["a", "b"]})

    def change(*pairs: tuple[str | None, str | None]) -> Json:
        keys = ("identity_type", "old_value", "new_value")
        changes = [dict(zip(keys, ("other", *pair), strict=True)) for pair in pairs]
        return ask(model, "modify", {"mpid": 1, "identity_changes": changes})

    assert change(("a", "b"), (None, "c"), ("b", "b"), ("b", "a"))["status"] == "modified"
    assert held(model) == [{"other": ["c", "a"]}]
    assert codes(change(("c", None), ("c", "d"))) == ["OLD_VALUE_MISMATCH"]
    assert codes(change(("z", "z"))) == ["OLD_VALUE_MISMATCH"]
    assert held(model) == [{"other": ["c", "a"]}]
    assert change((None, "c"))["changes"] == []
    assert change(("c", None), ("a", None))["orphaned"] == ["1"]


def test_source_is_previous_mpid_only_if_that_is_anonymous() -> None:
    link = {"strategy": "profile_link", "priority": ["email", "ios_idfv"]}
    profiles = [{"ios_idfv": "x"}, {"email": "k"}, {"ios_idfv": "d"}]
    for previous, source in ((1, "1"), (2, "3"), (99, "3")):
        model = model_of(link, *profiles)
        answer = ask(model, "login", {"previous_mpid": previous}, email="e", ios_idfv="d")
        assert answer["source_mpid"] == source


def test_mpids_come_from_seed_and_number_and_are_never_given_twice() -> None:
    model = Model({"s": BEST_MATCH}, seed=7)
    model.give("s", {"email": ["e"]}, mpid_of(7, 2))
    assert ask(model, "search", email="z")["seq"] == 2
    assert ask(model, "identify", email="z")["mpid"] == str(mpid_of(7, 2, 1))
    assert ask(model, "identify", email="z")["seq"] == 3, "nothing changed, no number taken"
    assert ask(model, "identify", email="y")["mpid"] == str(mpid_of(7, 3))


def test_a_label_names_the_last_answer_that_had_it() -> None:
    model = model_of(BEST_MATCH)
    made = ask(model, "identify", {"label": "me"}, email="e")
    assert ask(model, "modify", {"mpid": "@me"}, ios_idfv="d")["mpid"] == made["mpid"]
    ask(model, "search", {"label": "me"}, email="nobody")
    assert codes(ask(model, "modify", {"mpid": "@me"}, ios_idfv="d")) == ["UNKNOWN_LABEL"]


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (Model.NOT_JSON, "INVALID_JSON"),
        (1.5, "INVALID_REQUEST"),
        ({"type": "login", "extra": None, "scope": "t"}, "INVALID_REQUEST"),
        ({"type": "login", "mpid": None, "scope": "t"}, "UNKNOWN_SCOPE"),
        ({"type": "login", "workspace": "w"}, "UNKNOWN_WORKSPACE"),
        ({"type": "login", "previous_mpid": "007"}, "INVALID_REQUEST"),
        ({"type": "modify", "mpid": "1"}, "INVALID_REQUEST"),
        ({"type": "modify", "mpid": "@x", "known_identities": {"emial": "e"}}, "UNKNOWN_LABEL"),
        ({"type": "login", "known_identities": {"emial": None}}, "UNKNOWN_IDENTITY_TYPE"),
        ({"type": "login", "known_identities": {"idfv": None, "ios_idfv": 5}}, "INVALID_REQUEST"),
        ({"type": "login", "known_identities": {"idfv": 5}}, "INVALID_IDENTITY_VALUE"),
        ({"type": "login", "known_identities": {"idfv": "\ud800"}}, "INVALID_IDENTITY_VALUE"),
        ({"type": "modify", "mpid": 5, "known_identities": {"idfv": ""}}, "INVALID_IDENTITY_VALUE"),
        ({"type": "login", "known_identities": {"idfv": "", "email": None}}, "NO_IDENTITIES"),
        ({"type": "modify", "mpid": 5, "identity_changes": []}, "NO_IDENTITIES"),
        ({"type": "login", "known_identities": {"das": "d"}}, "UNSUPPORTED_BY_STRATEGY"),
        ({"type": "identify", "known_identities": {"das": "d"}}, "NO_LOOKUP_IDENTITY"),
        ({"type": "modify", "mpid": 5, "known_identities": {"das": "d"}}, "MPID_NOT_FOUND"),
    ],
)
def test_faults_are_found_in_the_order_of_the_table(request_: object, code: str) -> None:
    answer = model_of(BEST_MATCH).answer(request_, line=3)
    assert codes(answer) == [code]
    assert list(answer) == ["seq", "line", "type", "scope", "status", "errors"]


@pytest.mark.parametrize("crowd", [False, True])
def test_random_worlds_hang_on_their_seed_alone(crowd: bool) -> None:
    worlds = [random_world(random.Random(5), crowd=crowd) for _ in range(2)]
    assert json.dumps(worlds[0].requests) == json.dumps(worlds[1].requests)
    assert worlds[0].scopes == worlds[1].scopes
