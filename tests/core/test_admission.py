"""Whether a profile that comes whole, by `given` or an import, keeps the rules of its scope."""

import pytest

from idsync_cli.core.admission import violation
from tests.core.memory import Memory
from tests.core.shorthand import check_message, profile, rules

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
    broken = violation(profile(3, held), SCOPE, Memory(*THERE).under(SCOPE))
    assert broken is not None
    check_message(broken.message, *words.split())
    assert broken.word[:2] == ("identities", words.split(maxsplit=1)[0])


def test_an_mpid_that_was_given_out_is_in_use() -> None:
    known = Memory(*THERE, given_out={-9})
    for mpid in (-9, 1):
        broken = violation(profile(mpid, seq=3), SCOPE, known.under(SCOPE))
        assert broken == (f"the MPID {mpid} is already in use", ("mpid",))
    assert violation(profile(9), SCOPE, known.under(SCOPE)) is None


def test_of_several_faults_the_one_of_the_highest_rank_is_named() -> None:
    twice = profile(3, other=["y", "y"], email=["x", "x"])
    for types, first in (("email other", "email"), ("other email", "other")):
        scope = rules(types)
        broken = violation(twice, scope, Memory().under(scope))
        assert broken == (f"a value of {first} appears twice", ("identities", first, 1))
