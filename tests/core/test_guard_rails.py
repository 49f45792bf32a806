"""Section 11: what guard rails make of a value."""

import pickle

import pytest

from idsync_cli.core.codes import Normalizer
from idsync_cli.core.config.guard_rails import NO_GUARD_RAILS, GuardRails, ValueLimit
from idsync_cli.core.identity import Identifier, IdentityType

TRIM, LOWERCASE, DIGITS = Normalizer.TRIM, Normalizer.LOWERCASE, Normalizer.DIGITS
EMAIL, NUMBER, CUSTOMER = IdentityType.EMAIL, IdentityType.MOBILE_NUMBER, IdentityType.CUSTOMER_ID
ZEROS = "00000000-0000-0000-0000-000000000000"


def normal(value: str, *normalizers: Normalizer) -> str:
    return GuardRails({EMAIL: normalizers}).normal_form(Identifier(EMAIL, value))


@pytest.mark.parametrize(
    ("value", "trimmed"),
    [
        (" a ", "a"),
        ("\t\n a b \r", "a b"),
        ("\u00a0a\u3000\u2003", "a"),
        ("a", "a"),
        (" ", ""),
        ("\u200ba", "\u200ba"),  # a space without width is no white space
    ],
)
def test_trim_takes_white_space_from_both_ends(value: str, trimmed: str) -> None:
    assert normal(value, TRIM) == trimmed


@pytest.mark.parametrize(
    ("value", "lowered"),
    [
        ("Anna@Example.COM", "anna@example.com"),
        ("AZaz09", "azaz09"),
        ("ÄÉ İ\u212a", "ÄÉ İ\u212a"),
        ("ÄA", "Äa"),
        (" A ", " a "),
        ("[Z]@`{", "[z]@`{"),
    ],
)
def test_lowercase_changes_the_letters_from_a_to_z_alone(value: str, lowered: str) -> None:
    assert normal(value, LOWERCASE) == lowered


@pytest.mark.parametrize(
    ("value", "digits"),
    [
        ("+49 (170) 123-45.67/8", "+4917012345678"),
        ("0170 1234", "01701234"),
        ("(0170)", "0170"),
        ("12", "12"),
        ("-", ""),
        (" .-/()", ""),
        ("+", "+"),
        ("+-", "+"),
        # Any other character, and it is none of these values.
        ("+49 170 x12", "+49 170 x12"),
        ("49+170", "49+170"),
        ("++49", "++49"),
        (" +49", " +49"),
        ("(+49) 1", "(+49) 1"),
        ("0170\u00a01", "0170\u00a01"),
        ("0170\t1", "0170\t1"),
        ("٠١ 1", "٠١ 1"),
        ("²", "²"),
        ("1_2", "1_2"),
        ("a", "a"),
    ],
)
def test_digits_keeps_digits_and_a_leading_plus_of_a_number_that_is_grouped(
    value: str, digits: str
) -> None:
    assert normal(value, DIGITS) == digits


def test_normalizers_act_in_the_order_given_and_on_their_type_alone() -> None:
    assert normal(" +49 1 A", TRIM, DIGITS) == "+49 1 A"
    assert normal(" +49 1 ", TRIM, DIGITS) == "+491"
    assert normal(" +49 1 ", DIGITS, TRIM) == "+49 1"
    assert normal(" A ", LOWERCASE, TRIM) == "a"
    rails = GuardRails({EMAIL: (LOWERCASE,)})
    assert rails.normal_form(Identifier(NUMBER, "A")) == "A"
    assert NO_GUARD_RAILS.normal_form(Identifier(EMAIL, " A ")) == " A "


@pytest.mark.parametrize(
    ("pattern", "blocked", "let_in"),
    [
        ("test@example.com", ["test@example.com"], ["Test@example.com", "test@example.com "]),
        ("*@example.com", ["@example.com", "a@example.com"], ["a@example.comm", "a@example,com"]),
        ("test*", ["test", "test1"], ["atest", "tes"]),
        ("*", ["a", "*", "a\nb"], []),
        ("a?c", ["abc", "a?c", "a\nc"], ["ac", "abbc"]),
        ("??", ["ab", "é😀"], ["a", "abc"]),
        ("*a*b*", ["ab", "xaxbx", "aab"], ["ba", "a", "b"]),
        ("a*b*c", ["abc", "aXbXc", "abcbc"], ["abcb", "ac"]),
        ("*ab", ["ab", "aab", "abab"], ["aba"]),
        ("**", ["x"], []),
        ("*?", ["x", "xy"], []),
        ("a*?b", ["acb", "accb"], ["ab"]),
        ("[a-z]", ["[a-z]"], ["b"]),
        ("a.c", ["a.c"], ["abc"]),
    ],
)
def test_a_star_is_any_text_and_a_question_mark_one_character(
    pattern: str, blocked: list[str], let_in: list[str]
) -> None:
    rails = GuardRails(blocked={EMAIL: (pattern,)})
    for value in blocked:
        assert rails.blocks(Identifier(EMAIL, value)), value
        assert not rails.blocks(Identifier(CUSTOMER, value)), value
    for value in let_in:
        assert not rails.blocks(Identifier(EMAIL, value)), value


def test_a_pattern_that_nearly_fits_everywhere_takes_no_longer_than_others() -> None:
    rails = GuardRails(blocked={EMAIL: ("*a" * 50 + "*b",)})
    assert not rails.blocks(Identifier(EMAIL, "a" * 4096))


def test_what_is_blocked_for_all_types_and_what_for_one() -> None:
    rails = GuardRails(blocked={None: ("placeholders", "x*"), EMAIL: ("y",)})
    for kind in IdentityType:
        assert rails.blocks(Identifier(kind, ZEROS))
        assert rails.blocks(Identifier(kind, "xy"))
        assert rails.blocks(Identifier(kind, "y")) is (kind is EMAIL)
        assert not rails.blocks(Identifier(kind, "z"))


def test_placeholders_may_be_blocked_for_one_type_alone() -> None:
    rails = GuardRails(blocked={EMAIL: ("placeholders",)})
    assert rails.blocks(Identifier(EMAIL, "Null"))
    assert not rails.blocks(Identifier(CUSTOMER, "Null"))
    assert not rails.blocks(Identifier(EMAIL, "placeholders"))
    assert not NO_GUARD_RAILS.blocks(Identifier(EMAIL, ZEROS))


def test_blocked_is_compared_with_the_normal_form() -> None:
    rails = GuardRails({EMAIL: (TRIM, LOWERCASE)}, {EMAIL: ("test", "placeholders", "B")})
    for value in ("test", " TEST ", " null\n"):
        assert rails.blocks(Identifier(EMAIL, value))
        assert rails.forms(Identifier(EMAIL, value)) == ()
    assert not rails.blocks(Identifier(EMAIL, "B"))  # its normal form is another


def test_a_value_of_which_nothing_is_left_is_not_given_and_so_not_blocked() -> None:
    rails = GuardRails({EMAIL: (TRIM,)}, {EMAIL: ("*",)})
    assert not rails.blocks(Identifier(EMAIL, "  "))
    assert rails.blocks(Identifier(EMAIL, " a"))
    assert rails.forms(Identifier(EMAIL, "  ")) == (Identifier(EMAIL, "  "),)


def test_the_forms_of_a_value_are_all_that_may_be_meant() -> None:
    rails = GuardRails({EMAIL: (LOWERCASE,)})
    assert rails.forms(Identifier(EMAIL, "A")) == (
        Identifier(EMAIL, "a"),
        Identifier(EMAIL, "A"),
    )
    assert rails.forms(Identifier(EMAIL, "a")) == (Identifier(EMAIL, "a"),)
    assert rails.forms(Identifier(NUMBER, "A")) == (Identifier(NUMBER, "A"),)


@pytest.mark.parametrize(
    ("rails", "screens"),
    [
        (NO_GUARD_RAILS, False),
        (GuardRails({EMAIL: ()}, {None: (), EMAIL: ()}), False),
        (GuardRails(max_values={EMAIL: ValueLimit(3)}, moving=(IdentityType.PUSH_TOKEN,)), False),
        (GuardRails({EMAIL: (TRIM,)}), True),
        (GuardRails(blocked={None: ("x",)}), True),
        (GuardRails(blocked={EMAIL: ("x",)}), True),
    ],
)
def test_values_are_looked_at_only_where_one_may_be_changed_or_blocked(
    rails: GuardRails, screens: bool
) -> None:
    assert rails.screens_values is screens


def test_limits_and_moving_types_are_asked_by_type() -> None:
    rails = GuardRails(max_values={EMAIL: ValueLimit(3)}, moving=(IdentityType.PUSH_TOKEN,))
    assert rails.limit_of(EMAIL) == ValueLimit(3, replaces_oldest=False)
    assert rails.limit_of(NUMBER) is None
    assert rails.moves(IdentityType.PUSH_TOKEN)
    assert not rails.moves(EMAIL)


def test_guard_rails_are_a_value() -> None:
    rails = GuardRails(
        {EMAIL: (TRIM,)}, {None: ("x",)}, {NUMBER: ValueLimit(1, True)}, (IdentityType.PUSH_TOKEN,)
    )
    assert pickle.loads(pickle.dumps(rails)) == rails  # noqa: S301
    assert rails != NO_GUARD_RAILS
    assert GuardRails() == NO_GUARD_RAILS


@pytest.mark.parametrize(
    ("values", "left"),
    [
        ([], True),
        (["a", "b"], True),
        (["a", "B"], False),
        (["null"], False),
        (["x"], False),
        ([" "], False),
    ],
)
def test_whether_there_is_anything_to_do_is_seen_at_once(values: list[str], left: bool) -> None:
    rails = GuardRails({EMAIL: (TRIM, LOWERCASE)}, {EMAIL: ("placeholders", "x")})
    assert rails.leave([Identifier(EMAIL, value) for value in values]) is left
    assert rails.leave([Identifier(CUSTOMER, value) for value in values])
    assert NO_GUARD_RAILS.leave([Identifier(EMAIL, value) for value in values])
