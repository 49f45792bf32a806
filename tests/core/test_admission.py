"""Whether a profile that comes whole, by `given` or an import, keeps the rules of its scope."""

import pytest

from idsync_cli.core.admission import admitted, can_be_found, violation
from idsync_cli.core.codes import Normalizer
from idsync_cli.core.config.guard_rails import GuardRails, ValueLimit
from idsync_cli.core.identity import IdentityType
from tests.core.memory import Memory
from tests.core.shorthand import altered, check_message, held, identifiers, profile, rules

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
    ("held", "was_known", "found"),
    [
        ({"ios_idfv": "d"}, False, True),
        ({"ios_idfv": "d"}, True, False),
        ({"ios_idfv": "d", "email": "e"}, True, True),
        ({"push_token": "t"}, False, False),
        ({}, False, False),
    ],
)
def test_nobody_finds_a_known_profile_without_a_login_id_or_one_without_a_tier(
    held: dict[str, str | list[str]], was_known: bool, found: bool
) -> None:
    it = altered(profile(3, held), was_known=was_known)
    assert can_be_found(it, SCOPE) is found


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
    assert held(found.identifiers) == "email:a email:a"
    broken = violation(profile(1, email=["a", "a"]), GUARDED, lookup)
    assert broken == ("a value of email appears twice", ("identities", "email", 1))


def test_what_is_wrong_is_where_it_was_given() -> None:
    lookup = Memory(profile(1, email="a")).under(GUARDED)
    given = identifiers(ios_idfv=["d", "d"], email=["null", " ", "B", "b", "A"])
    found = admitted(given, GUARDED, lookup)
    assert (held(found.identifiers), found.blocked) == ("ios_idfv:d ios_idfv:d email:b email:a", 1)
    for left, place in ({"email": ["b", "a"]}, 4), ({"ios_idfv": ["d", "d"]}, 1):
        broken = violation(profile(2, dict[str, str | list[str]](left)), GUARDED, lookup)
        assert broken is not None
        assert found.as_given(broken) == (broken.message, ("identities", *left, place))


def test_a_value_at_fault_is_told_as_it_was_given() -> None:
    lookup = Memory(profile(1, email="a")).under(GUARDED)
    holds = "email is unique, but another profile holds"
    for given, told in (
        ([" A"], f"{holds} ' A' (normalized: 'a')"),
        (["a"], f"{holds} 'a'"),
        (["b", "b"], "a value of email appears twice"),
        (["B", "B"], "a value of email appears twice"),
    ):
        found = admitted(identifiers(email=given), GUARDED, lookup)
        left = [each.value for each in found.identifiers]
        broken = violation(profile(2, email=left), GUARDED, lookup)
        assert broken is not None
        assert found.told(broken) == told


def test_what_is_wrong_without_a_place_or_guard_rails_stays_where_it_is() -> None:
    lookup = Memory(profile(1, email="a")).under(GUARDED)
    found = admitted(identifiers(email="null"), GUARDED, lookup)
    broken = violation(profile(1), GUARDED, lookup)
    assert broken is not None
    assert found.as_given(broken) is broken
    plain = admitted(identifiers(email=["a"]), SCOPE, lookup)
    broken = violation(profile(2, email=["a"]), SCOPE, lookup)
    assert broken is not None
    assert plain.as_given(broken) is broken
    assert plain.told(broken) == broken.message


def test_without_guard_rails_all_is_left_as_it_is() -> None:
    found = admitted(identifiers(email=[" A", "null"]), SCOPE, Memory().under(SCOPE))
    assert (held(found.identifiers), found.blocked) == ("email: A email:null", 0)
