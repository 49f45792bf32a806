"""What a scope's rules say of a request by its kind and types alone."""

import pytest

from idsync_cli.core.codes import ErrorCode, NoteCode, Reason, RequestKind, Rule
from idsync_cli.core.config.rules import ScopeRules
from idsync_cli.core.decision import DecidedBy, Note
from idsync_cli.core.identity import TYPE_BITS, Identifier, IdentityType
from idsync_cli.core.resolve.request_shape import RequestShape, shape_of
from tests.core.shorthand import rules

SCOPE = rules("ios_idfv email:lu customer_id:lui other:u")
LINK = rules("customer_id:lu email:lu ios_idfv", "profile_link")
EMAIL, DEVICE, TOKEN = IdentityType.EMAIL, IdentityType.IOS_IDFV, IdentityType.PUSH_TOKEN


def shape(kind: str, words: str, scope: ScopeRules = SCOPE) -> RequestShape:
    return shape_of(
        RequestKind(kind), sum(TYPE_BITS[IdentityType(each)] for each in words.split()), scope
    )


@pytest.mark.parametrize(
    "words", ["push_token yahoo other ios_idfv email", "email ios_idfv other yahoo push_token"]
)
def test_types_stand_in_the_order_of_step_5_in_whatever_order_they_are_given(words: str) -> None:
    found = shape("identify", words)
    assert [(each.identity_type, each.rank) for each in found.requested_types] == [
        ("ios_idfv", 1),
        ("email", 2),
        ("other", 4),
        ("yahoo", None),
        ("push_token", None),
    ]
    given = [Identifier(IdentityType(word), word.upper()) for word in words.split()]
    assert found.arranged(given)[1:4] == [
        Identifier(EMAIL, "EMAIL"),
        Identifier(IdentityType.OTHER, "OTHER"),
        Identifier(IdentityType.YAHOO, "YAHOO"),
    ]


def test_each_place_tells_what_the_rules_say_of_its_type() -> None:
    email = shape("identify", "push_token email").requested_types[0]
    assert email.bit == TYPE_BITS[EMAIL]
    assert email.settings.names() == ("login", "unique")
    assert email.decided_by == DecidedBy(Rule.IDENTIFIER, 2, EMAIL)
    assert shape("identify", "email push_token").requested_types[1].settings.names() == ()


def test_the_forms_that_are_remembered_are_few_however_many_are_asked_for() -> None:
    scope = rules("ios_idfv email:lu customer_id:lui other:u")
    for types in range(1, 5_000):
        found = shape_of(RequestKind.IDENTIFY, types, scope)
        assert sum(place.bit for place in found.requested_types) == types
        assert shape_of(RequestKind.IDENTIFY, types, scope) is found
    assert len(scope.shapes[RequestKind.IDENTIFY]) <= 1_000


def test_a_form_belongs_to_one_kind_certain_types_and_one_scope() -> None:
    found = shape("identify", "ios_idfv email")
    assert shape("identify", "ios_idfv email") == found
    for other in (
        shape("search", "ios_idfv email"),
        shape("identify", "ios_idfv"),
        shape("identify", "ios_idfv email", LINK),
    ):
        assert other != found
    assert shape("identify", "ios_idfv email", LINK).rules is LINK


def test_login_and_immutable_types_are_those_that_the_request_carries() -> None:
    found = shape("login", "other customer_id ios_idfv")
    assert (found.login_types, found.immutable_types) == (("customer_id",), ("customer_id",))
    assert shape("login", "email").immutable_types == ()
    assert shape("login", "ios_idfv").login_types == ()


def test_a_logout_sets_its_login_types_aside_by_rank() -> None:
    found = shape("logout", "customer_id ios_idfv email")
    assert [each.identity_type for each in found.requested_types] == ["ios_idfv"]
    assert (found.login_types, found.immutable_types) == ((), ())
    assert found.notes == (
        Note(NoteCode.SET_ASIDE_ON_LOGOUT, EMAIL),
        Note(NoteCode.SET_ASIDE_ON_LOGOUT, IdentityType.CUSTOMER_ID),
    )
    assert shape("login", "customer_id ios_idfv email").notes == ()


@pytest.mark.parametrize(
    ("kind", "words", "has", "refused"),
    [
        ("identify", "push_token", False, ErrorCode.NO_LOOKUP_IDENTITY),
        ("search", "push_token", False, None),
        ("logout", "email", False, ErrorCode.NO_LOOKUP_IDENTITY),
        ("logout", "email ios_idfv", True, None),
        ("login", "email", True, None),
    ],
)
def test_a_request_has_a_lookup_if_one_of_the_priority_is_left(
    kind: str, words: str, has: bool, refused: ErrorCode | None
) -> None:
    found = shape(kind, words)
    assert found.has_lookup is has
    assert (found.refusal and found.refusal[0]) == refused


@pytest.mark.parametrize(
    ("strategy", "kind", "at_once"),
    [
        ("profile_conversion", "logout", True),
        ("profile_link", "logout", True),
        ("profile_isolation", "logout", False),
        ("profile_conversion", "login", False),
    ],
)
def test_a_logout_makes_a_profile_at_once_where_the_strategy_says_create(
    strategy: str, kind: str, at_once: bool
) -> None:
    assert shape(kind, "ios_idfv", rules("email:l ios_idfv", strategy)).makes_new_at_once is at_once


@pytest.mark.parametrize(
    ("scope", "kind", "words", "reason"),
    [
        (SCOPE, "search", "ios_idfv", Reason.IMMUTABLE_SEARCH),
        (SCOPE, "identify", "ios_idfv email", None),
        (LINK, "search", "ios_idfv", None),
        (LINK, "search", "ios_idfv email", Reason.NEW_KNOWN_USER_ONLY),
        (LINK, "identify", "ios_idfv email", Reason.NEW_KNOWN_USER_ONLY),
        (LINK, "identify", "ios_idfv push_token", None),
        (LINK, "logout", "ios_idfv email", None),
    ],
)
def test_all_who_are_anonymous_are_judged_by_the_form_alone(
    scope: ScopeRules, kind: str, words: str, reason: Reason | None
) -> None:
    found = shape(kind, words, scope)
    assert found.reason_of_the_anonymous is reason
    assert found.wants_immutable_id is (reason is Reason.IMMUTABLE_SEARCH)
