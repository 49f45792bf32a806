"""What changes when the rules of a scope do."""

import pytest

from idsync_cli.core.codes import Calculation, Normalizer, Operator
from idsync_cli.core.config.definitions import (
    AllOf,
    AttributeCondition,
    Audience,
    AudienceCondition,
    CalculatedAttribute,
    Condition,
    Definitions,
    EventFilter,
    KnownCondition,
    Not,
    ValueComparison,
)
from idsync_cli.core.config.diff import (
    NamesChange,
    RuleChange,
    RulesChange,
    SettingsChange,
    Shift,
    affected_audiences,
    compare,
    shifts,
)
from idsync_cli.core.config.guard_rails import NO_GUARD_RAILS, GuardRails, ValueLimit
from idsync_cli.core.config.rules import ScopeRules
from idsync_cli.core.config.strategy import PRESETS, Settings
from idsync_cli.core.identity import IdentityType
from tests.core.shorthand import profile, rules

EMAIL, IDFV, CUSTOMER = IdentityType.EMAIL, IdentityType.IOS_IDFV, IdentityType.CUSTOMER_ID
BEFORE = rules("customer_id:lu email ios_idfv")


@pytest.mark.parametrize("name", PRESETS)
def test_the_same_rules_change_nothing(name: str) -> None:
    same = rules("customer_id:lu email ios_idfv", name)
    assert compare(same, same).is_none
    assert compare(same, same) == RulesChange()


def test_another_name_of_the_strategy_is_no_change() -> None:
    assert compare(rules("email", "default"), rules("email", "profile_conversion")).is_none


def test_each_rule_of_the_strategy_that_is_another_is_told_in_their_order() -> None:
    change = compare(BEFORE, rules("customer_id:lu email ios_idfv", "profile_isolation"))
    assert change == RulesChange(
        rules=(
            RuleChange("on_new_known_user", "keep", "create"),
            RuleChange("on_logout", "create", "return_anonymous"),
            RuleChange("login_needs_login_id", False, True),
            RuleChange("aliasing", True, False),
        )
    )
    assert not change.is_none


def test_rules_without_logins_have_no_on_logout() -> None:
    change = compare(BEFORE, rules("customer_id:u email ios_idfv", "best_match"))
    assert RuleChange("on_logout", "create", None) in change.rules
    assert RuleChange("logins", True, False) in change.rules
    assert compare(
        rules("email", links=False, on_new_known_user="create"), rules("email", "profile_link")
    ).rules == (RuleChange("links", False, True),)


def test_joining_logins_is_a_rule_too() -> None:
    change = compare(BEFORE, rules("customer_id:lu email ios_idfv", join=True))
    assert change.rules == (RuleChange("on_conflicting_login", "separate", "join"),)


def test_keeping_unique_identifiers_is_a_rule_too() -> None:
    change = compare(BEFORE, rules("customer_id:lu email ios_idfv", keep=True))
    assert change.rules == (RuleChange("on_unique_held", "take", "keep"),)


def test_types_enter_and_leave_in_the_order_of_their_priority() -> None:
    change = compare(rules("other email yahoo"), rules("google email amp_id"))
    assert change.entering == (IdentityType.GOOGLE, IdentityType.AMP_ID)
    assert change.leaving == (IdentityType.OTHER, IdentityType.YAHOO)
    assert not change.reordered


def test_types_that_stay_in_another_order_are_told() -> None:
    assert compare(rules("email ios_idfv"), rules("ios_idfv amp_id email")).reordered


def test_settings_of_types_that_stay_are_compared() -> None:
    change = compare(BEFORE, rules("customer_id:lui email:u ios_idfv amp_id:u"))
    assert change.settings == (
        SettingsChange(CUSTOMER, Settings(True, True), Settings(True, True, True)),
        SettingsChange(EMAIL, Settings(), Settings(unique=True)),
    )
    assert change.newly_unique == (EMAIL, IdentityType.AMP_ID)


def test_what_is_unique_no_more_is_not_newly_unique() -> None:
    assert compare(BEFORE, rules("customer_id email ios_idfv")).newly_unique == ()


def test_of_rules_that_nobody_knows_all_that_is_unique_is_newly_so() -> None:
    assert compare(None, BEFORE) == RulesChange(newly_unique=(CUSTOMER,))


@pytest.mark.parametrize(
    ("holds", "was_known", "before", "after", "expected"),
    [
        ({"email": "e"}, False, BEFORE, BEFORE, ()),
        ({"email": "e"}, False, BEFORE, rules("email:l"), (Shift.KNOWN,)),
        ({"email": "e"}, True, BEFORE, rules("email:l"), ()),
        ({"email": "e"}, False, rules("email:l"), BEFORE, (Shift.ANONYMOUS,)),
        ({"email": "e"}, True, rules("email:l"), BEFORE, ()),
        ({"email": "e"}, False, BEFORE, rules("ios_idfv"), (Shift.ORPHANED,)),
        ({"email": "e"}, False, rules("ios_idfv"), BEFORE, (Shift.FOUND_AGAIN,)),
        (
            {"email": "e"},
            False,
            rules("email:l"),
            rules("ios_idfv"),
            (Shift.ANONYMOUS, Shift.ORPHANED),
        ),
        ({}, False, BEFORE, rules("ios_idfv"), ()),
        ({"customer_id": "c"}, False, None, BEFORE, (Shift.KNOWN,)),
        ({"customer_id": "c"}, True, None, BEFORE, ()),
        ({"yahoo": "y"}, False, None, BEFORE, (Shift.ORPHANED,)),
        ({}, False, None, BEFORE, ()),
    ],
)
def test_what_a_profile_becomes(
    holds: dict[str, str | list[str]],
    was_known: bool,
    before: ScopeRules | None,
    after: ScopeRules,
    expected: tuple[Shift, ...],
) -> None:
    assert shifts(profile(1, holds, was_known=was_known), before, after) == expected


# What is defined

COUNT = CalculatedAttribute(Calculation.COUNT, EventFilter("purchase", None))
SUM = CalculatedAttribute(Calculation.SUM, EventFilter("purchase", None), "total")
EXISTS = ValueComparison(Operator.EXISTS)


def defining(
    by: ScopeRules = BEFORE, /, *, x: CalculatedAttribute | None = None, **audiences: Condition
) -> ScopeRules:
    """Rules that define audiences, and perhaps the calculated attribute `x`."""
    numbered = {name: Audience(n, each) for n, (name, each) in enumerate(audiences.items(), 1)}
    return by._replace(definitions=Definitions({} if x is None else {"x": x}, numbered))


def test_definitions_that_are_new_gone_or_others() -> None:
    known, unknown = KnownCondition(True), KnownCondition(False)
    before = defining(x=COUNT, a=known, b=known)
    after = defining(x=SUM, a=unknown, c=known)
    change = compare(before, after)
    assert change == RulesChange(
        calculated_attributes=NamesChange(changed=("x",)),
        audiences=NamesChange(added=("c",), removed=("b",), changed=("a",)),
    )
    assert not change.is_none
    assert compare(before, before).is_none


def test_where_nobody_knows_what_was_defined_all_is_new() -> None:
    after = defining(x=SUM, a=KnownCondition(True))
    assert compare(None, after) == RulesChange(
        newly_unique=(CUSTOMER,),
        calculated_attributes=NamesChange(added=("x",)),
        audiences=NamesChange(added=("a",)),
    )


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (defining(a=KnownCondition(True)), defining(a=KnownCondition(True)), ()),
        (defining(a=KnownCondition(True)), defining(a=KnownCondition(False)), ("a",)),
        (defining(a=KnownCondition(True)), defining(b=KnownCondition(True)), ()),
        # An attribute that is calculated in another way, or no longer; one that nobody names.
        *(
            (defining(x=COUNT, a=asked, b=KnownCondition(True)), after, expected)
            for asked in (AttributeCondition("x", EXISTS),)
            for after, expected in (
                (defining(x=SUM, a=asked, b=KnownCondition(True)), ("a",)),
                (defining(a=asked, b=KnownCondition(True)), ("a",)),
            )
        ),
        # Another audience that it names, by however many others.
        (
            defining(
                a=KnownCondition(True), b=AudienceCondition("a"), c=Not(AudienceCondition("b"))
            ),
            defining(
                a=KnownCondition(False), b=AudienceCondition("a"), c=Not(AudienceCondition("b"))
            ),
            ("a", "b", "c"),
        ),
        # Who is known follows from the login types.
        (
            defining(a=KnownCondition(True), b=AttributeCondition("y", EXISTS)),
            defining(
                rules("customer_id:lu email:lu ios_idfv"),
                a=KnownCondition(True),
                b=AttributeCondition("y", EXISTS),
            ),
            ("a",),
        ),
        # One that is named twice is looked at once.
        (
            defining(
                a=KnownCondition(True), b=AllOf((AudienceCondition("a"), AudienceCondition("a")))
            ),
            defining(
                a=KnownCondition(True), b=AllOf((AudienceCondition("a"), AudienceCondition("a")))
            ),
            (),
        ),
    ],
)
def test_audiences_that_may_have_other_members(
    before: ScopeRules, after: ScopeRules, expected: tuple[str, ...]
) -> None:
    assert affected_audiences(before, after) == expected


# ---- Guard rails (section 11)

TRIM, LOWERCASE = Normalizer.TRIM, Normalizer.LOWERCASE


def extensions(before: GuardRails, after: GuardRails) -> list[str]:
    change = compare(rules("email", rails=before), rules("email", rails=after))
    assert change == RulesChange(extensions=change.extensions)
    return [
        f"{each.extension} {each.identity_type or '*'} {each.before} {each.after}"
        for each in change.extensions
    ]


def test_every_guard_rail_that_is_another_is_told_by_type() -> None:
    before = GuardRails(
        {EMAIL: (TRIM,), CUSTOMER: (TRIM,)},
        {None: ("x",), EMAIL: ("y", "z")},
        {EMAIL: ValueLimit(3), IDFV: ValueLimit(1)},
        (IDFV,),
    )
    after = GuardRails(
        {EMAIL: (TRIM, LOWERCASE), IDFV: (LOWERCASE,), CUSTOMER: (TRIM,)},
        {None: ("x", "placeholders"), EMAIL: ("z", "y")},
        {EMAIL: ValueLimit(3, replaces_oldest=True)},
        (IdentityType.PUSH_TOKEN,),
    )
    assert extensions(before, after) == [
        "normalize email ('trim',) ('trim', 'lowercase')",
        "normalize ios_idfv None ('lowercase',)",
        "blocked * ('x',) ('x', 'placeholders')",
        "max_values email ('3',) ('3', 'replace_oldest')",
        "moving push_token None ()",
        "max_values ios_idfv ('1',) None",
        "moving ios_idfv () None",
    ]
    assert extensions(before, before) == []


def test_normalizers_in_another_order_are_others_and_blocked_values_are_not() -> None:
    assert extensions(
        GuardRails({EMAIL: (TRIM, LOWERCASE)}), GuardRails({EMAIL: (LOWERCASE, TRIM)})
    )
    assert not extensions(
        GuardRails(blocked={EMAIL: ("a", "b")}), GuardRails(blocked={EMAIL: ("b", "a")})
    )


def test_guard_rails_without_anything_in_them_are_none() -> None:
    assert not extensions(GuardRails({EMAIL: ()}, {None: ()}), NO_GUARD_RAILS)


def test_of_rules_that_nobody_knows_guard_rails_are_not_compared() -> None:
    guarded = rules("email", rails=GuardRails({EMAIL: (TRIM,)}))
    assert compare(None, guarded) == RulesChange()
