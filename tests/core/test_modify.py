"""Section 5: modify, in its two forms."""

import pytest

from idsync_cli.core.codes import ErrorCode, Rule, Status, TierOutcome
from idsync_cli.core.config.rules import ScopeRules
from idsync_cli.core.decide import decide
from idsync_cli.core.decision import DecidedBy
from idsync_cli.core.identity import IdentityType
from idsync_cli.core.request import ModifyRequest
from tests.core.memory import Memory
from tests.core.shorthand import (
    NEW,
    after,
    became_known,
    change_form,
    changes,
    held,
    profile,
    refused,
    rules,
    set_form,
    tiers,
)

PLAIN = rules("customer_id email other ios_idfv", "best_match")
UNIQUE = rules("customer_id:lu email:lu other:u ios_idfv")
FIXED = rules("customer_id:lui email:lu other ios_idfv")

Entry = tuple[str, str | None, str | None]


def test_the_answer_is_the_profile_that_is_named_and_nothing_is_looked_up() -> None:
    known = Memory(profile(-5, seq=1, email="e"), profile(2, email="f"))
    decision = set_form(PLAIN, known, -5, email="f", push_token="t")
    assert (decision.status, decision.decided_by) == (Status.MODIFIED, DecidedBy(Rule.MPID))
    assert decision.profile is not None
    assert decision.profile.mpid == -5
    assert (decision.created, decision.matched, decision.notes) == (False, (), ())
    assert tiers(decision) == [
        "customer_id not_in_request",
        "email not_consulted",
        "other not_in_request",
        "ios_idfv not_in_request",
    ]


def test_the_tiers_tell_rank_settings_and_the_value_that_is_set() -> None:
    decision = set_form(FIXED, Memory(profile(1)), 1, email="e", other=None)
    assert [(tier.rank, tier.outcome, tier.value) for tier in decision.tiers] == [
        (1, TierOutcome.NOT_IN_REQUEST, None),
        (2, TierOutcome.NOT_CONSULTED, "e"),
        (3, TierOutcome.NOT_CONSULTED, None),
        (4, TierOutcome.NOT_IN_REQUEST, None),
    ]
    settings = [" ".join(tier.settings.names()) for tier in decision.tiers]
    assert settings == ["login unique immutable", "login unique", "", ""]
    changed = change_form(FIXED, Memory(profile(1)), 1, ("other", None, "o"), ("email", None, "e"))
    assert [(tier.outcome, tier.value) for tier in changed.tiers] == [
        (TierOutcome.NOT_IN_REQUEST, None),
        (TierOutcome.NOT_CONSULTED, None),
        (TierOutcome.NOT_CONSULTED, None),
        (TierOutcome.NOT_IN_REQUEST, None),
    ]


def test_an_mpid_that_the_scope_does_not_have_is_refused() -> None:
    with refused(ErrorCode.MPID_NOT_FOUND, "99"):
        set_form(PLAIN, Memory(profile(1), given_out={99}), 99, email="e")


# ---- The set form


@pytest.mark.parametrize(
    ("before", "asked", "said", "left"),
    [
        ({}, {"email": "e"}, ["+1 email e"], "email:e"),
        ({"email": "e"}, {"email": "e"}, [], "email:e"),
        ({"email": "e"}, {"email": None}, ["-1 email e"], ""),
        ({"other": "o"}, {"email": None}, [], "other:o"),
        ({"email": "f"}, {"email": "e"}, ["-1 email f", "+1 email e"], "email:e"),
        (
            {"email": ["f", "g"], "other": "o"},
            {"email": "e"},
            ["-1 email f", "-1 email g", "+1 email e"],
            "other:o email:e",
        ),
        (
            {"email": ["f", "e", "g"], "other": "o"},
            {"email": "e"},
            ["-1 email f", "-1 email g"],
            "email:e other:o",
        ),
        (
            {"email": ["f", "e"]},
            {"email": None},
            ["-1 email f", "-1 email e"],
            "",
        ),
    ],
)
def test_each_type_given_then_holds_exactly_the_given_value(
    before: dict[str, str | list[str]], asked: dict[str, str | None], said: list[str], left: str
) -> None:
    known = Memory(profile(1, before))
    decision = set_form(PLAIN, known, 1, **asked)
    assert changes(decision) == said
    assert held(after(known, decision)) == left
    assert decision.changes_the_store is bool(said)


def test_types_are_taken_by_rank_and_then_as_in_section_2() -> None:
    asked = {"push_token": "t", "ios_idfv": "d", "yahoo": "y", "customer_id": "a"}
    decision = set_form(PLAIN, Memory(profile(1, ios_idfv="c")), 1, **asked)
    assert changes(decision) == [
        "+1 customer_id a",
        "-1 ios_idfv c",
        "+1 ios_idfv d",
        "+1 yahoo y",
        "+1 push_token t",
    ]


# ---- The form of changes


@pytest.mark.parametrize(
    ("before", "entries", "said", "left"),
    [
        (["e"], [("email", "e", "f")], ["-1 email e", "+1 email f"], "f"),
        (["e", "x"], [("email", "e", "f")], ["-1 email e", "+1 email f"], "x f"),
        (["e"], [("email", None, "f")], ["+1 email f"], "e f"),
        (["e", "f"], [("email", "e", None)], ["-1 email e"], "f"),
        # old and new the same changes nothing
        (["e", "f"], [("email", "e", "e")], [], "e f"),
        # a new value that is held already keeps its place, and only the old one goes
        (["e", "x", "f"], [("email", "f", "e")], ["-1 email f"], "e x"),
        (["e"], [("email", None, "e")], [], "e"),
        # one after another
        (
            ["e"],
            [("email", "e", "f"), ("email", "f", "g")],
            ["-1 email e", "+1 email f", "-1 email f", "+1 email g"],
            "g",
        ),
        (
            ["e"],
            [("email", "e", None), ("email", None, "e")],
            ["-1 email e", "+1 email e"],
            "e",
        ),
        (["e"], [("email", None, "f"), ("email", None, "f")], ["+1 email f"], "e f"),
    ],
)
def test_changes_are_made_one_after_another(
    before: list[str], entries: list[Entry], said: list[str], left: str
) -> None:
    known = Memory(profile(1, email=before))
    decision = change_form(PLAIN, known, 1, *entries)
    assert changes(decision) == said
    assert held(after(known, decision)) == " ".join(f"email:{value}" for value in left.split())


def test_changes_are_made_in_their_own_order_not_by_rank() -> None:
    entries: list[Entry] = [("push_token", None, "t"), ("other", None, "o"), ("email", None, "e")]
    decision = change_form(PLAIN, Memory(profile(1)), 1, *entries)
    assert changes(decision) == ["+1 push_token t", "+1 other o", "+1 email e"]


@pytest.mark.parametrize(
    "entries",
    [
        [("email", "x", "f")],
        [("email", "x", None)],
        [("email", "x", "x")],
        [("other", "e", "f")],
        [("email", "e", None), ("email", "e", "f")],
        [("email", None, "f"), ("email", "f", None), ("email", "f", "g")],
    ],
)
def test_an_old_value_that_is_not_held_by_then_is_refused(entries: list[Entry]) -> None:
    kind, old, _ = entries[-1]
    with refused(ErrorCode.OLD_VALUE_MISMATCH, kind, f"'{old}'"):
        change_form(PLAIN, Memory(profile(1, email="e")), 1, *entries)


# ---- Immutable and unique identifiers, in both forms


@pytest.mark.parametrize("value", [None, "b"])
def test_an_immutable_value_is_neither_removed_nor_replaced_in_the_set_form(
    value: str | None,
) -> None:
    with refused(ErrorCode.IMMUTABLE_IDENTITY, "customer_id", "'a'", "removed"):
        set_form(FIXED, Memory(profile(1, customer_id="a")), 1, customer_id=value)


@pytest.mark.parametrize("new", [None, "b"])
def test_an_immutable_value_is_neither_removed_nor_replaced_by_a_change(new: str | None) -> None:
    with refused(ErrorCode.IMMUTABLE_IDENTITY, "customer_id", "'a'", "removed"):
        change_form(FIXED, Memory(profile(1, customer_id="a")), 1, ("customer_id", "a", new))


def test_an_immutable_value_is_not_joined_by_another() -> None:
    with refused(ErrorCode.IMMUTABLE_IDENTITY, "customer_id", "'a'", "'b' cannot be added"):
        change_form(FIXED, Memory(profile(1, customer_id="a")), 1, ("customer_id", None, "b"))


def test_an_immutable_value_is_not_taken_from_another_profile() -> None:
    known = Memory(profile(1, email="e"), profile(2, customer_id="b"))
    with refused(ErrorCode.IMMUTABLE_IDENTITY, "customer_id", "another profile holds 'b'"):
        set_form(FIXED, known, 1, customer_id="b")
    with refused(ErrorCode.IMMUTABLE_IDENTITY, "customer_id", "another profile holds 'b'"):
        change_form(FIXED, known, 1, ("customer_id", None, "b"))


def test_a_first_immutable_value_that_nobody_holds_is_added_once() -> None:
    known = Memory(profile(1, email="e"))
    assert changes(set_form(FIXED, known, 1, customer_id="a")) == ["+1 customer_id a"]
    with refused(ErrorCode.IMMUTABLE_IDENTITY, "'a'", "'b'"):
        change_form(FIXED, known, 1, ("customer_id", None, "a"), ("customer_id", None, "b"))


@pytest.mark.parametrize("entry", [("customer_id", "a", "a"), ("customer_id", None, "a")])
def test_an_immutable_value_that_stays_is_no_offence(entry: Entry) -> None:
    known = Memory(profile(1, customer_id="a"), profile(2, email="e"))
    assert changes(change_form(FIXED, known, 1, entry)) == []
    assert changes(set_form(FIXED, known, 1, customer_id="a", email=None)) == []


def test_several_values_of_a_type_that_became_immutable_can_only_stay() -> None:
    known = Memory(profile(1, customer_id=["a", "b"]))
    for value in (None, "a", "b", "c"):
        with refused(ErrorCode.IMMUTABLE_IDENTITY):
            set_form(FIXED, known, 1, customer_id=value)


def both_forms(
    scope: ScopeRules, known: Memory, mpid: int, kind: str, value: str
) -> list[list[str]]:
    return [
        changes(set_form(scope, known, mpid, **{kind: value})),
        changes(change_form(scope, known, mpid, (kind, None, value))),
    ]


def test_a_unique_identifier_is_taken_from_every_other_profile_by_ascending_mpid() -> None:
    known = Memory(
        profile(5, ios_idfv="d"),
        profile(10, email="e", customer_id="a"),
        profile(-9, seq=1, email="e"),
        profile(9, was_known=True, email="e", other="o"),
        profile(1, other="e"),
    )
    said = ["--9 email e", "-9 email e", "-10 email e", "+5 email e"]
    assert both_forms(UNIQUE, known, 5, "email", "e") == [said, said]


def test_an_identifier_that_is_not_unique_stays_with_the_others() -> None:
    known = Memory(profile(1, email="e"), profile(2, ios_idfv="d"))
    assert both_forms(UNIQUE, known, 1, "ios_idfv", "d") == [["+1 ios_idfv d"]] * 2


def test_a_unique_identifier_that_is_held_already_is_not_taken_from_the_others() -> None:
    """Duplicates of a type that has become unique stay until a request moves it."""
    known = Memory(profile(1, email="e"), profile(2, email="e"))
    assert both_forms(UNIQUE, known, 1, "email", "e") == [[], []]


def test_what_leaves_this_profile_comes_before_what_leaves_others() -> None:
    known = Memory(profile(1, email="f"), profile(-2, email="e"))
    said = ["-1 email f", "--2 email e", "+1 email e"]
    assert changes(set_form(UNIQUE, known, 1, email="e")) == said
    assert changes(change_form(UNIQUE, known, 1, ("email", "f", "e"))) == said


def test_a_unique_identifier_is_taken_away_once_however_often_it_is_added() -> None:
    known = Memory(profile(1), profile(2, email="e"))
    entries: list[Entry] = [("email", None, "e"), ("email", "e", None), ("email", None, "e")]
    assert changes(change_form(UNIQUE, known, 1, *entries)) == [
        "-2 email e",
        "+1 email e",
        "-1 email e",
        "+1 email e",
    ]


def test_a_refused_change_undoes_nothing_because_nothing_was_done() -> None:
    known = Memory(profile(1, email="e"), profile(2, email="f"))
    before = dict(known.profiles)
    with refused(ErrorCode.OLD_VALUE_MISMATCH):
        change_form(UNIQUE, known, 1, ("email", "e", "f"), ("email", "x", "y"))
    assert known.profiles == before


# ---- What follows


def test_to_take_away_the_last_lookup_orphans_the_profile() -> None:
    known = Memory(profile(1, email="e", push_token="t"))
    decision = set_form(PLAIN, known, 1, email=None)
    assert decision.orphaned == (1,)
    assert held(after(known, decision)) == "push_token:t"


def test_those_who_lose_their_last_lookup_to_it_are_orphaned_too() -> None:
    known = Memory(profile(1), profile(20, email="e"), profile(3, email="e"))
    assert set_form(UNIQUE, known, 1, email="e").orphaned == (3, 20)


def test_a_profile_becomes_known_by_gaining_or_by_losing_a_login_id() -> None:
    known = Memory(profile(10, ios_idfv="d"), profile(2, email="e", ios_idfv="d"))
    gained = set_form(UNIQUE, known, 10, email="e")
    assert became_known(gained) == (2, 10)
    assert gained.is_logged_in is True
    assert after(known, gained).was_known is True
    lost = set_form(UNIQUE, known, 2, email=None)
    assert (became_known(lost), lost.is_logged_in) == ((2,), False)


def test_a_modify_that_changes_nothing_makes_nobody_known() -> None:
    decision = set_form(UNIQUE, Memory(profile(1, email="e")), 1, email="e")
    assert (decision.updates, decision.is_logged_in) == ((), True)
    assert decision.profile == profile(1, email="e")


def test_a_modify_of_an_application_takes_nothing_from_a_known_profile() -> None:
    known = Memory(profile(1, customer_id="a"), profile(2, ios_idfv="d"), profile(3, email="e"))
    scope = rules("customer_id:lu email:u ios_idfv:u")
    look_up = known.under(scope)
    of_known = ModifyRequest(3, {IdentityType.CUSTOMER_ID: "a"}, spares_known=True)
    with refused(ErrorCode.PROTECTED_IDENTITY, "a known profile holds customer_id 'a'"):
        decide(of_known, scope, look_up, NEW, 7)
    of_anonymous = ModifyRequest(3, {IdentityType.IOS_IDFV: "d"}, spares_known=True)
    assert len(decide(of_anonymous, scope, look_up, NEW, 7).changes) == 2
