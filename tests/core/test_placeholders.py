"""Section 11, the built-in list: values that stand for nobody."""

import pytest

from idsync_cli.core.config.placeholders import is_placeholder
from idsync_cli.core.identity import TYPES_BY_NAME

WORDS = (
    *("null", "nil", "none", "undefined", "nan", "n/a", "unknown", "anonymous", "guest"),
    *("true", "false", "-1", "[object Object]", "anonymousId", "distinct_id", "user_id"),
)
ZEROS = ("0", "000", "-", "---", "0-0", "00000000-0000-0000-0000-000000000000")
ONE_DIGIT = (
    "11111111",
    "111111111111",
    "1111-1111",
    "22 22 22 22",
    "(999) 999-9999",
    "+1 111 111 1111",
    "+11111111",
    "11111111-1111-1111-1111-111111111111",
    "{00000000-0000-0000-0000-000000000000}",
    "0000.0000",
    "1_1_1_1_1_1_1_1",
)


def in_every_way(value: str) -> list[str]:
    """In any case, and between quotes."""
    cases = dict.fromkeys((value, value.upper(), value.lower(), value.capitalize(), value.title()))
    return [written for each in cases for written in (each, f"'{each}'", f'"{each}"')]


@pytest.mark.parametrize("value", [*WORDS, *ZEROS, *ONE_DIGIT, *TYPES_BY_NAME])
def test_the_list_is_known_in_any_case_and_between_quotes(value: str) -> None:
    for written in in_every_way(value):
        assert is_placeholder(written), written


@pytest.mark.parametrize(
    "value",
    [
        *("", "''", '""', "'", '"', "'null\"", '"null', "null'", "''null''"),
        *("nulls", "a null", "null ", " null", "n.a", "NaN0", "guest1", "the guest", "user", "id"),
        *("1", "-2", "+1", "1-1", "1111111", "111-1111", "0.0", "0x00000000", "0000000a"),
        *("11111112", "1111-1112", "21111111", "+1 222 222 2222", "12121212", "a11111111"),
        *("00000000-0000-0000-0000-000000000001", "1111111é", "é", "١١١١١١١١", "００００００００"),
        *("[object]", "[object Objects]", "email@example.com", "customer id", "C-10000000"),
        "push_to\u212aen",  # KELVIN SIGN, which is a k in lower case
        "anna.adams1@example.com",
        "3F2504E0-4F89-11D3-9A0C-0305E82C3301",
        "x" * 4096,
    ],
)
def test_what_may_be_somebody_is_not_on_the_list(value: str) -> None:
    assert not is_placeholder(value)


def test_a_quote_may_group_digits_like_any_other_sign() -> None:
    for value in ("1111'1111", "'11111111", "'11111111\"", "'00000000-0000"):
        assert is_placeholder(value)


def test_two_kinds_of_quotes_and_quotes_within_quotes_are_none() -> None:
    assert is_placeholder("'00000000'")
    assert not is_placeholder("\"'null'\"")
    assert not is_placeholder("'null\"")
    assert not is_placeholder("'1111111")
