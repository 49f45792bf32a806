"""The rules of a scope: what each type is, and the order of types."""

import pytest

from idsync_cli.core.codes import OnConflictingLogin, OnUniqueHeld
from idsync_cli.core.config.guard_rails import GuardRails
from idsync_cli.core.config.rules import Organization, ScopeRules
from idsync_cli.core.config.strategy import LOGIN_AND_UNIQUE, NO_SETTINGS, PRESETS
from idsync_cli.core.identity import TYPE_BITS, IdentityType
from idsync_cli.core.profile import types_of
from tests.core.shorthand import identifiers, profile, rules

SCOPE = rules("ios_idfv email:l customer_id:lui other:u")


def test_a_type_has_the_settings_that_the_scope_gives_it_or_none() -> None:
    assert SCOPE.settings_of(IdentityType.EMAIL).names() == ("login",)
    assert SCOPE.settings_of(IdentityType.IOS_IDFV) == NO_SETTINGS
    assert SCOPE.settings_of(IdentityType.YAHOO) == NO_SETTINGS


def test_without_logins_there_are_neither_login_nor_immutable_types() -> None:
    scope = rules("customer_id:lui email:u", "best_match")
    assert scope.settings_of(IdentityType.CUSTOMER_ID).names() == ("unique",)
    assert scope.settings_of(IdentityType.EMAIL).names() == ("unique",)
    assert (scope.login_types, scope.immutable_types) == ((), ())
    assert (scope.login_bits, scope.immutable_bits) == (0, 0)
    assert not scope.is_known(profile(1, customer_id="a"))


def test_login_types_stand_by_rank() -> None:
    assert SCOPE.login_types == (IdentityType.EMAIL, IdentityType.CUSTOMER_ID)


def test_immutable_types_are_those_that_the_scope_says_by_rank() -> None:
    assert SCOPE.immutable_types == (IdentityType.CUSTOMER_ID,)
    scope = rules("mobile_number:lui customer_id:lui email:lu")
    assert scope.immutable_types == (IdentityType.MOBILE_NUMBER, IdentityType.CUSTOMER_ID)


def test_login_types_by_which_people_reach_one_another_are_no_secret() -> None:
    scope = rules("customer_id:lu mobile_number:l email:lu phone_number_2:u other:lu")
    assert scope.login_types_others_may_know == (IdentityType.MOBILE_NUMBER, IdentityType.EMAIL)
    assert rules("email:lu", "best_match").login_types_others_may_know == ()


def test_a_set_of_types_has_the_bit_of_each() -> None:
    email, customer = TYPE_BITS[IdentityType.EMAIL], TYPE_BITS[IdentityType.CUSTOMER_ID]
    assert SCOPE.login_bits == email | customer
    assert SCOPE.immutable_bits == customer
    lookups = email | customer | TYPE_BITS[IdentityType.OTHER] | TYPE_BITS[IdentityType.IOS_IDFV]
    assert SCOPE.lookup_bits == lookups
    assert len({*TYPE_BITS.values()}) == len(IdentityType)
    assert all(bits.bit_count() == 1 for bits in TYPE_BITS.values())


def test_what_is_in_the_priority_can_be_looked_up_and_nothing_else() -> None:
    lookups = " ".join(kind for kind in IdentityType if SCOPE.is_lookup(kind))
    assert lookups == "customer_id email other ios_idfv"


@pytest.mark.parametrize(
    ("held", "login_id", "lookup"),
    [
        ({}, False, False),
        ({"yahoo": "y"}, False, False),
        ({"ios_idfv": "d"}, False, True),
        ({"yahoo": "y", "other": "o"}, False, True),
        ({"ios_idfv": "d", "email": "e"}, True, True),
        ({"customer_id": "a"}, True, True),
    ],
)
def test_identifiers_are_searched_for_login_ids_and_for_lookups(
    held: dict[str, str], login_id: bool, lookup: bool
) -> None:
    types = types_of(identifiers(**held))
    assert SCOPE.holds_login_id(types) is login_id
    assert SCOPE.holds_lookup(types) is lookup
    assert profile(1, held).types == types


@pytest.mark.parametrize(
    ("was_known", "held", "known"),
    [
        (False, {"ios_idfv": "d"}, False),
        (False, {"email": "e"}, True),
        (True, {"ios_idfv": "d"}, True),
        (True, {}, True),
        (False, {}, False),
    ],
)
def test_a_profile_is_known_by_a_login_id_or_by_having_been_known(
    was_known: bool, held: dict[str, str], known: bool
) -> None:
    assert SCOPE.is_known(profile(1, held, was_known=was_known)) is known


def test_types_are_ordered_by_rank_and_those_without_one_as_in_section_2() -> None:
    words = "yahoo push_token email twitter customer_id facebook other"
    assert " ".join(SCOPE.in_order(map(IdentityType, words.split()))) == (
        "email customer_id other facebook twitter yahoo push_token"
    )


def test_a_type_without_a_rank_comes_after_the_last_rank() -> None:
    scope = rules("device_application_stamp push_token")
    kinds = [IdentityType.CUSTOMER_ID, IdentityType.PUSH_TOKEN]
    assert scope.in_order(kinds) == ["push_token", "customer_id"]


@pytest.mark.parametrize(
    ("strategy", "creates"),
    [("profile_link", True), ("profile_isolation", True), ("default", False)],
)
def test_new_known_users_get_a_new_record_where_the_strategy_says_create(
    strategy: str, creates: bool
) -> None:
    assert rules("customer_id:lu", strategy).new_known_users_get_a_new_record is creates


def test_login_ids_that_disagree_are_two_users_unless_the_scope_says_otherwise() -> None:
    scope = ScopeRules(PRESETS["default"].strategy, (IdentityType.CUSTOMER_ID,))
    assert scope.on_conflicting_login is OnConflictingLogin.SEPARATE
    assert scope.on_unique_held is OnUniqueHeld.TAKE
    assert scope.separates_conflicting_logins is True
    assert rules("customer_id:lu", join=True).separates_conflicting_logins is False
    assert scope.settings == {}
    kind = IdentityType.CUSTOMER_ID
    named = ScopeRules(scope.strategy, scope.priority, {kind: LOGIN_AND_UNIQUE})
    assert named.login_types == (kind,)


def test_an_organization_may_have_no_accounts() -> None:
    assert Organization(None, {"s": SCOPE}, {}).accounts == {}


def test_an_organization_without_extensions_has_the_same_rules_but_for_guard_rails() -> None:
    rails = GuardRails(moving=(IdentityType.PUSH_TOKEN,))
    guarded = rules("email:lu ios_idfv", "profile_link", keep=True, rails=rails)
    plain = rules("email:lu ios_idfv", "profile_link", keep=True)
    assert guarded != plain
    organization = Organization("o", {"a": guarded, "b": plain}, {"w": "a"}, {"n": ("w",)})
    assert organization.without_extensions() == Organization(
        "o", {"a": plain, "b": plain}, {"w": "a"}, {"n": ("w",)}
    )
