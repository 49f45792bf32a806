"""Section 3: what is refused of rules that do not fit together, and what `config lint` warns of."""

import pytest

from idsync_cli.core.codes import Calculation, Normalizer, OnNewKnownUser, Operator
from idsync_cli.core.config.definitions import (
    NO_DEFINITIONS,
    AllOf,
    AttributeCondition,
    Audience,
    CalculatedAttribute,
    Definitions,
    EventFilter,
    KnownCondition,
    Not,
    ValueComparison,
)
from idsync_cli.core.config.guard_rails import NO_GUARD_RAILS, GuardRails, ValueLimit
from idsync_cli.core.config.lint import (
    Contradiction,
    LintCode,
    LintWarning,
    contradictions,
    lint_warnings,
)
from idsync_cli.core.config.rules import ScopeRules
from idsync_cli.core.config.strategy import LOGIN_AND_UNIQUE, Settings
from idsync_cli.core.identity import IdentityType
from tests.core.shorthand import check_message, rules

SOUND = rules("customer_id:lui email:lu ios_idfv")


def with_settings(scope: ScopeRules, name: str, settings: Settings) -> ScopeRules:
    return scope._replace(settings={**scope.settings, IdentityType(name): settings})


def said(found: list[Contradiction] | list[LintWarning], path: str, *words: str) -> None:
    """Exactly one was found, at the path, and its message names the words."""
    assert [".".join(each.path) for each in found] == [path]
    check_message(found[0].message, *words)


@pytest.mark.parametrize(
    "scope",
    [
        SOUND,
        rules("customer_id:lui email:lui ios_idfv"),
        rules("customer_id", "default"),
        rules("customer_id:lui ios_idfv", "default"),
        rules("email:lu", "profile_link"),
        rules("email ios_idfv:u", "best_match"),
        rules("email", "profile_isolation", links=False),
        with_settings(SOUND, "yahoo", Settings()),
        rules("email other:lui ios_idfv", "best_match"),  # no login type there, nor an immutable
    ],
)
def test_rules_that_fit_together_do_not_contradict_themselves(scope: ScopeRules) -> None:
    assert list(contradictions(scope)) == []


def test_a_strategy_that_links_makes_new_records() -> None:
    scope = rules("email:lu", links=True, on_new_known_user=OnNewKnownUser.KEEP)
    said(list(contradictions(scope)), "strategy.links", "links: true", "on_new_known_user: create")


@pytest.mark.parametrize("types", ["email", "email customer_id", "ios_idfv email customer_id"])
def test_the_strategy_default_ranks_customer_id_first(types: str) -> None:
    said(list(contradictions(rules(types, "default"))), "priority", "default", "customer_id")


@pytest.mark.parametrize(
    "settings", [Settings(login=True), Settings(unique=True), LOGIN_AND_UNIQUE]
)
def test_a_type_that_is_not_in_the_priority_has_no_setting(settings: Settings) -> None:
    found = list(contradictions(with_settings(SOUND, "yahoo", settings)))
    said(found, "identities.yahoo", "yahoo", "priority")


@pytest.mark.parametrize(
    "settings",
    [
        Settings(immutable=True),
        Settings(immutable=True, login=True),
        Settings(immutable=True, unique=True),
    ],
)
def test_an_immutable_type_is_also_a_login_and_a_unique_type(settings: Settings) -> None:
    found = list(contradictions(with_settings(SOUND, "customer_id", settings)))
    said(found, "identities.customer_id", "customer_id", "login: true", "unique: true")


def test_an_immutable_type_does_not_rank_below_one_that_is_not() -> None:
    found = list(contradictions(rules("other email customer_id:lui ios_idfv")))
    said(found, "priority.customer_id", "customer_id", "below other", "move it up")
    both = list(contradictions(rules("yahoo:lui other email:lui google:lu customer_id:lui")))
    assert [each.path[1] for each in both] == ["email", "customer_id"]
    assert all("below other" in each.message for each in both)


def test_contradictions_are_all_told_from_first_to_last() -> None:
    scope = rules("ios_idfv email:li other:lui", links=True, name="default")
    scope = with_settings(scope, "yahoo", Settings(login=True, immutable=True))
    assert [".".join(each.path) for each in contradictions(scope)] == [
        "strategy.links",
        "priority",
        "identities.email",
        "identities.yahoo",
        "identities.yahoo",
        "priority.email",
        "priority.other",
    ]


# ---- Doubts


@pytest.mark.parametrize(
    "scope",
    [
        rules("customer_id:lui email:lui ios_idfv", "profile_link"),
        rules("customer_id:lu email:lu ios_idfv", "profile_isolation"),
        rules("customer_id email ios_idfv", "best_match"),
        rules("customer_id:lu ios_idfv", "default"),
        rules("customer_id:lui email ios_idfv push_token"),
    ],
)
def test_no_doubt_is_cast_on_rules_that_are_meant(scope: ScopeRules) -> None:
    assert codes(scope) == []


def warning(scope: ScopeRules, code: str, path: str, *words: str) -> None:
    """Exactly one doubt of the code is cast, at the path, and its message names the words."""
    said([each for each in lint_warnings(scope) if each.code == code], path, *words)


def codes(scope: ScopeRules) -> list[str]:
    return [f"{each.code} {'.'.join(each.path)}" for each in lint_warnings(scope)]


def test_logins_without_a_login_type_are_doubted() -> None:
    scope = rules("email other:u ios_idfv")
    warning(scope, "no_login_type", "strategy", "profile_conversion", "login: true")
    assert "no_login_type strategy" not in codes(rules("email other ios_idfv", "best_match"))
    assert "no_login_type strategy" not in codes(rules("email:l ios_idfv"))


def test_a_login_type_without_logins_is_doubted() -> None:
    scope = rules("customer_id:lui email:l other:u ios_idfv", "best_match")
    assert [code for code in codes(scope) if code.startswith("without")] == [
        "without_logins identities.customer_id",
        "without_logins identities.email",
    ]
    scope = rules("email:l ios_idfv", "best_match")
    warning(scope, "without_logins", "identities.email", "email", "logins: false")


@pytest.mark.parametrize("letters", ["l", "u", "lu"])
def test_a_login_or_unique_type_below_one_that_is_neither_is_doubted(letters: str) -> None:
    scope = rules(f"customer_id:lu yahoo other email:{letters} ios_idfv")
    warning(scope, "ranked_low", "priority.email", "email", "below yahoo", "move it up")
    above = rules(f"customer_id:lu email:{letters} yahoo other ios_idfv")
    assert "ranked_low" not in " ".join(codes(above))


def test_each_type_that_ranks_low_is_doubted() -> None:
    scope = rules("yahoo customer_id:lu other email:u ios_idfv")
    low = [code for code in codes(scope) if code.startswith("ranked_low")]
    assert low == ["ranked_low priority.customer_id", "ranked_low priority.email"]


def test_a_login_type_that_is_not_unique_is_doubted() -> None:
    scope = rules("customer_id:lu email:l ios_idfv")
    warning(scope, "login_not_unique", "identities.email", "email", "two users")


def test_a_unique_type_that_is_no_login_type_is_doubted() -> None:
    scope = rules("customer_id:lu other:u ios_idfv")
    warning(scope, "unique_not_login", "identities.other", "other", "anonymous")


@pytest.mark.parametrize("strategy", ["default", "profile_conversion"])
def test_several_login_types_are_doubted_where_new_known_users_are_kept(strategy: str) -> None:
    scope = rules("customer_id:lu email:lu ios_idfv", strategy)
    warning(scope, "several_login_types", "identities", "customer_id, email", strategy, "split")
    one = rules("customer_id:lu email ios_idfv", strategy)
    assert codes(one) == []


@pytest.mark.parametrize("strategy", ["profile_link", "profile_isolation"])
def test_several_login_types_are_not_doubted_elsewhere(strategy: str) -> None:
    assert codes(rules("customer_id:lu email:lu ios_idfv", strategy)) == []


def test_a_device_identity_above_a_user_identity_is_doubted() -> None:
    scope = rules("customer_id:lu ios_idfv push_token email other")
    assert codes(scope) == ["device_above_user priority.email", "device_above_user priority.other"]
    found = [each.message for each in lint_warnings(scope)]
    for message, kind in zip(found, ("email", "other"), strict=True):
        check_message(message, kind, "below ios_idfv", "move it up")


def test_an_immutable_type_beside_a_login_type_that_is_not_is_doubted() -> None:
    scope = rules("customer_id:lui email:lu mobile_number:lu other ios_idfv", "profile_link")
    assert codes(scope) == [
        "immutable_beside_mutable identities.email",
        "immutable_beside_mutable identities.mobile_number",
    ]
    warning(
        rules("customer_id:lui email:lu ios_idfv"),
        *("immutable_beside_mutable", "identities.email", "email alone", "immutable ID"),
    )


def test_a_priority_without_a_device_identity_is_doubted() -> None:
    scope = rules("customer_id:lu email")
    assert codes(scope) == ["no_device_identity priority"]
    warning(scope, "no_device_identity", "priority", "device")


def test_joining_logins_is_doubted() -> None:
    scope = rules("customer_id:lu ios_idfv", join=True)
    assert codes(scope) == ["joins_logins on_conflicting_login"]
    warning(scope, "joins_logins", "on_conflicting_login", "login ID", "undone")


def test_to_keep_unique_identifiers_where_none_is_unique_is_doubted() -> None:
    scope = rules("customer_id email ios_idfv", "best_match", keep=True)
    assert codes(scope) == ["nothing_to_keep on_unique_held"]
    warning(scope, "nothing_to_keep", "on_unique_held", "unique", "keep")
    assert codes(rules("customer_id email:u ios_idfv", "best_match", keep=True)) == codes(
        rules("customer_id email:u ios_idfv", "best_match")
    )


def test_doubts_are_all_told() -> None:
    scope = rules("ios_idfv customer_id:lui email:l other:u", join=True)
    assert codes(scope) == [
        "ranked_low priority.customer_id",
        "device_above_user priority.customer_id",
        "ranked_low priority.email",
        "device_above_user priority.email",
        "ranked_low priority.other",
        "device_above_user priority.other",
        "login_not_unique identities.email",
        "unique_not_login identities.other",
        "several_login_types identities",
        "immutable_beside_mutable identities.email",
        "joins_logins on_conflicting_login",
    ]


def defining(calculated: str, asked: str) -> ScopeRules:
    """Rules that calculate an attribute, and an audience that asks for one, twice."""
    condition = AttributeCondition(asked, ValueComparison(Operator.EXISTS))
    definition = CalculatedAttribute(Calculation.COUNT, EventFilter("purchase", None))
    audience = Audience(1, AllOf((condition, Not(condition), KnownCondition(True))))
    return SOUND._replace(definitions=Definitions({calculated: definition}, {"a": audience}))


def of_attributes(scope: ScopeRules) -> list[LintWarning]:
    return [each for each in lint_warnings(scope) if each.code is LintCode.NEARLY_CALCULATED]


def test_an_attribute_that_is_nearly_a_calculated_one() -> None:
    found = of_attributes(defining("lifetime_value", "lifetime_valu"))
    said(found, "audiences.a", "'lifetime_valu'", "'lifetime_value'")


@pytest.mark.parametrize("asked", ["lifetime_value", "value", "tier"])
def test_an_attribute_that_is_calculated_or_another(asked: str) -> None:
    assert of_attributes(defining("lifetime_value", asked)) == []
    assert of_attributes(SOUND._replace(definitions=NO_DEFINITIONS)) == []


# ---- Guard rails (section 11)

EMAIL, CUSTOMER, TOKEN = IdentityType.EMAIL, IdentityType.CUSTOMER_ID, IdentityType.PUSH_TOKEN
LIMIT, OLDEST = ValueLimit(2), ValueLimit(2, replaces_oldest=True)
GUARDED = "customer_id:lui email:lu push_token:u ios_idfv"


@pytest.mark.parametrize(
    "rails",
    [
        GuardRails(max_values={EMAIL: LIMIT, TOKEN: OLDEST, IdentityType.YAHOO: OLDEST}),
        GuardRails(moving=(TOKEN,)),
        GuardRails(max_values={TOKEN: LIMIT}, moving=(TOKEN,)),
        GuardRails({CUSTOMER: (Normalizer.TRIM,)}, {None: ("*",), CUSTOMER: ("x",)}),
    ],
)
def test_guard_rails_that_fit_do_not_contradict_the_rules(rails: GuardRails) -> None:
    assert list(contradictions(rules(GUARDED, rails=rails))) == []


@pytest.mark.parametrize("limit", [LIMIT, OLDEST])
def test_an_immutable_type_has_no_limit(limit: ValueLimit) -> None:
    scope = rules(GUARDED, rails=GuardRails(max_values={CUSTOMER: limit}))
    said(list(contradictions(scope)), "extensions.max_values.customer_id", "immutable", "remove it")


def test_of_a_login_type_the_oldest_are_not_replaced() -> None:
    scope = rules(GUARDED, rails=GuardRails(max_values={EMAIL: OLDEST}))
    said(list(contradictions(scope)), "extensions.max_values.email", "login type", "replace_oldest")
    without = rules("email:lu ios_idfv", "best_match", rails=GuardRails(max_values={EMAIL: OLDEST}))
    assert list(contradictions(without)) == []


@pytest.mark.parametrize(
    ("types", "moving", "words"),
    [
        ("customer_id:lu email:u", EMAIL, "email identifies a user, only a device identity"),
        ("customer_id:lu", IdentityType.ALIAS, "alias identifies a user, only a device identity"),
        ("push_token:lui", TOKEN, "push_token is a login type"),
        ("push_token:lu", TOKEN, "push_token is a login type"),
        ("push_token", TOKEN, "push_token must be unique, unique: true"),
        ("email", TOKEN, "push_token must be unique, unique: true"),
    ],
)
def test_only_a_device_type_that_is_unique_and_nothing_else_moves(
    types: str, moving: IdentityType, words: str
) -> None:
    scope = rules(types, rails=GuardRails(moving=(moving,)))
    said(list(contradictions(scope)), f"extensions.moving.{moving}", *words.split(", "))


@pytest.mark.parametrize(
    ("rails", "warned"),
    [
        (NO_GUARD_RAILS, "ios_idfa android_aaid fire_aid roku_aid microsoft_aid"),
        (GuardRails(blocked={None: ("placeholders",)}), ""),
        (GuardRails(blocked={None: ("x",), IdentityType.IOS_IDFA: ("placeholders",)}),
         "android_aaid fire_aid roku_aid microsoft_aid"),
        (GuardRails(blocked={None: ("00000000-0000-0000-0000-000000000000",)}), ""),
        (GuardRails(blocked={EMAIL: ("placeholders",)}),
         "ios_idfa android_aaid fire_aid roku_aid microsoft_aid"),
    ],
)  # fmt: skip
def test_an_advertising_identifier_whose_zeros_are_let_in_is_doubted(
    rails: GuardRails, warned: str
) -> None:
    scope = rules(
        "customer_id:lui ios_idfa ios_idfv android_aaid android_uuid fire_aid roku_aid "
        "roku_publisher_id microsoft_aid microsoft_publisher_id push_token",
        rails=rails,
    )
    assert codes(scope) == [f"unguarded priority.{kind}" for kind in warned.split()]


def test_the_warning_says_how_to_guard() -> None:
    scope = rules("customer_id:lui ios_idfa")
    warning(scope, "unguarded", "priority.ios_idfa", "zeros", "ios_idfa", '{"*": [placeholders]}')


def test_no_doubt_is_cast_on_what_a_type_needs_to_move() -> None:
    types = "customer_id:lui ios_idfv push_token:u"
    assert codes(rules(types)) == [
        "ranked_low priority.push_token",
        "unique_not_login identities.push_token",
    ]
    assert codes(rules(types, rails=GuardRails(moving=(TOKEN,)))) == []
