"""What a profile is in the eyes of its scope."""

import pickle

import pytest

from idsync_cli.core.scoped_profile import scoped
from tests.core.shorthand import profile, rules

RULES = rules("customer_id:lu email")


@pytest.mark.parametrize(
    ("held", "was_known", "known", "orphaned", "types"),
    [
        ({"email": "e", "customer_id": "c"}, False, True, False, ["customer_id", "email"]),
        ({"ios_idfv": "v", "email": "e"}, False, False, False, ["email", "ios_idfv"]),
        ({"ios_idfv": "v"}, True, True, True, ["ios_idfv"]),
        ({}, False, False, True, []),
    ],
)
def test_a_profile_is_what_the_rules_of_its_scope_say(
    held: dict[str, str | list[str]], was_known: bool, known: bool, orphaned: bool, types: list[str]
) -> None:
    its = profile(1, held, was_known=was_known)
    found = scoped(its, "default", RULES)
    assert (found.scope, found.profile) == ("default", its)
    assert (found.known, found.orphaned, list(found.types)) == (known, orphaned, types)
    assert pickle.loads(pickle.dumps(found)) == found  # noqa: S301 - our own


@pytest.mark.parametrize(
    ("held", "was_known", "known", "orphaned", "types"),
    [
        ({"email": "e", "customer_id": "c"}, False, False, False, ["customer_id", "email"]),
        ({"ios_idfv": "v"}, True, True, False, ["ios_idfv"]),
        ({}, False, False, True, []),
    ],
)
def test_in_a_scope_that_nobody_names_it_is_known_if_it_ever_was(
    held: dict[str, str | list[str]], was_known: bool, known: bool, orphaned: bool, types: list[str]
) -> None:
    found = scoped(profile(1, held, was_known=was_known), "gone", None)
    assert (found.known, found.orphaned, list(found.types)) == (known, orphaned, types)
