"""Whether a profile that comes whole, by `given` or an import, keeps the rules of its scope."""

import pytest

from idsync_cli.core.admission import admitted, violation
from idsync_cli.core.codes import Normalizer
from idsync_cli.core.config.guard_rails import GuardRails, ValueLimit
from idsync_cli.core.identity import IdentityType
from tests.core.memory import Memory
from tests.core.shorthand import check_message, held, identifiers, profile, rules

SCOPE = rules("customer_id:lui email:lu other:u ios_idfv")
THERE = (profile(1, customer_id="a", email="e", ios_idfv="d"), profile(2, other=["o", "p"]))


@pytest.mark.parametrize(
    "held",
    [
        {},
        {"customer_id": "b", "email": ["f", "g"], "other": ["q", "r"]},
        {"ios_idfv": ["d", "x"], "push_token": ["t", "u"]},
        {"email": "o", "other": "e"},
    ],
)
def test_a_profile_may_hold_what_is_its_own_and_what_need_not_be(
    held: dict[str, str | list[str]],
) -> None:
    assert violation(profile(3, held), SCOPE, Memory(*THERE).under(SCOPE)) is None


@pytest.mark.parametrize(
    ("held", "words"),
    [
        ({"customer_id": ["b", "c"]}, "customer_id immutable 2"),
        ({"customer_id": ["b", "b"]}, "customer_id twice"),
        ({"customer_id": "a"}, "customer_id unique another"),
        ({"email": "e"}, "email unique another"),
        ({"other": ["q", "p"]}, "other unique another"),
        ({"ios_idfv": ["x", "y", "x"]}, "ios_idfv twice"),
        ({"push_token": ["x", "x"]}, "push_token twice"),
    ],
)
def test_a_profile_may_not_break_a_rule_of_its_scope(
    held: dict[str, str | list[str]], words: str
) -> None:
    check_message(
        violation(profile(3, held), SCOPE, Memory(*THERE).under(SCOPE)) or "", *words.split()
    )


def test_an_mpid_that_was_given_out_is_in_use() -> None:
    known = Memory(*THERE, given_out={-9})
    assert "-9" in (violation(profile(-9, seq=3), SCOPE, known.under(SCOPE)) or "")
    assert "MPID 1 is already in use" in (violation(profile(1), SCOPE, known.under(SCOPE)) or "")
    assert violation(profile(9), SCOPE, known.under(SCOPE)) is None


def test_of_several_faults_the_one_of_the_highest_rank_is_named() -> None:
    twice = profile(3, other=["y", "y"], email=["x", "x"])
    for types, first in (("email other", "email"), ("other email", "other")):
        scope = rules(types)
        assert first in (violation(twice, scope, Memory().under(scope)) or "")


# ---- Guard rails (section 11)

GUARDED = rules(
    "customer_id:lui email:lu ios_idfv",
    rails=GuardRails(
        {IdentityType.EMAIL: (Normalizer.TRIM, Normalizer.LOWERCASE)},
        {None: ("placeholders",)},
        {IdentityType.EMAIL: ValueLimit(1)},
    ),
)


@pytest.mark.parametrize(
    ("given", "left", "blocked"),
    [
        ({}, "", 0),
        ({"customer_id": "A", "email": "e"}, "customer_id:A email:e", 0),
        ({"email": [" B ", "A"]}, "email:b email:a", 0),  # of a limit nothing is asked
        ({"email": ["A", "b", "a"]}, "email:a email:b", 0),
        ({"email": ["  ", "a"]}, "email:a", 0),
        ({"customer_id": "guest", "email": "NULL", "ios_idfv": ["0", "d"]}, "ios_idfv:d", 3),
        ({"email": "O"}, "email:O", 0),  # which somebody holds so
        ({"email": ["O", "o"]}, "email:O email:o", 0),
    ],
)
def test_a_whole_profile_is_normalized_and_what_is_blocked_set_aside_and_counted(
    given: dict[str, str | list[str]], left: str, blocked: int
) -> None:
    known = Memory(profile(1, email="O"))
    found = admitted(identifiers(**given), GUARDED, known.under(GUARDED))
    assert (held(found.identifiers), found.blocked) == (left, blocked)


def test_a_value_that_is_given_twice_is_still_a_fault() -> None:
    lookup = Memory().under(GUARDED)
    found = admitted(identifiers(email=["A", "A"]), GUARDED, lookup)
    assert "twice" in (violation(profile(1, email=["a", "a"]), GUARDED, lookup) or "")
    assert held(found.identifiers) == "email:a email:a"


def test_without_guard_rails_all_is_left_as_it_is() -> None:
    found = admitted(identifiers(email=[" A", "null"]), SCOPE, Memory().under(SCOPE))
    assert (held(found.identifiers), found.blocked) == ("email: A email:null", 0)
