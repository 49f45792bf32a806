"""Identifier types, values and MPIDs: sections 1, 2, 4 and 7."""

from hashlib import blake2b

import pytest

from idsync_cli.core.identity import (
    DEVICE_TYPES,
    MAX_VALUE_LENGTH,
    TYPE_ORDER,
    TYPES_BY_NAME,
    WIRE_NAMES,
    IdentityType,
    derive_mpid,
    has_surrogate,
    is_plain_value,
    mpid_rule,
    names_of,
    parse_mpid,
    value_fault,
)
from tests import reference_model
from tests.core.shorthand import check_message

DEVICES = (
    "ios_idfa ios_idfv android_aaid android_uuid fire_aid roku_aid roku_publisher_id "
    "microsoft_aid microsoft_publisher_id amp_id push_token device_application_stamp"
)


def test_the_list_of_types_is_that_of_section_2_in_its_order() -> None:
    assert [*IdentityType] == reference_model.TYPES
    assert [*TYPE_ORDER] == reference_model.TYPES
    assert [*TYPE_ORDER.values()] == list(range(34))


def test_every_name_of_section_2_and_no_other_is_read_as_its_type() -> None:
    assert TYPES_BY_NAME == reference_model.CANONICAL


def test_the_names_of_a_type_are_the_canonical_one_then_the_wire_name_then_the_others() -> None:
    assert [*names_of(IdentityType.EMAIL)] == ["email"]
    assert [*names_of(IdentityType.OTHER_ID_2)] == ["other_id_2", "other2"]
    assert " ".join(names_of(IdentityType.CUSTOMER_ID)) == (
        "customer_id customerid controller_customer_id"
    )
    assert " ".join(names_of(IdentityType.ANDROID_AAID)) == (
        "android_aaid gaid google_advertising_id android_advertising_id"
    )


def test_device_identities_are_those_of_the_class_device() -> None:
    assert sorted(DEVICE_TYPES, key=TYPE_ORDER.__getitem__) == DEVICES.split()


def test_wire_names_are_given_where_the_http_api_has_its_own() -> None:
    others = {f"other_id_{n}": f"other{n}" for n in (2, 3, 4, 5, 6, 7, 8, 9, 10)}
    assert (
        others
        | {
            "customer_id": "customerid",
            "facebook_custom_audience_id": "facebookcustomaudienceid",
        }
        == WIRE_NAMES
    )


@pytest.mark.parametrize(
    "value",
    [*("a", "", " ", "null", "é", "e\u0301", "\x01", "\ud7ff\ue000"), "x" * 4096, "😀" * 4096],
)
def test_any_text_of_up_to_4096_characters_is_a_value(value: str) -> None:
    assert value_fault(value) is None


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        *(("a", True), (" ", True), ("\x01\x7f", True), ("x" * 4096, True)),
        *(("", False), ("x" * 4097, False), ("a\0b", False), ("é", False), ("\ud800", False)),
        *((5, False), (None, False), (True, False), (["a"], False), (b"a", False)),
    ],
)
def test_what_is_plainly_a_value_is_one(value: object, plain: bool) -> None:
    """The others may be values, too; an empty one is for others to judge."""
    assert is_plain_value(value) is plain
    assert not plain or value_fault(value) is None


@pytest.mark.parametrize(
    ("value", "named"),
    [
        (5, "not text"),
        (True, "not text"),
        (None, "not text"),
        (["a"], "a list, not text"),
        ({"a": "b"}, "an object, not text"),
        (1e3, "all its digits"),
        (1.5, "not text"),
        (b"a", "not text"),
        ("x" * 4097, "4,097 characters; at most 4,096"),
        ("a\0b", "NUL"),
        ("\0", "NUL"),
        ("\ud800", "lone surrogate"),
        ("a\udfff", "lone surrogate"),
        ("é\udc00b", "lone surrogate"),
    ],
)
def test_the_fault_of_a_value_that_is_none_is_named(value: object, named: str) -> None:
    check_message(value_fault(value) or "", named)


def test_the_longest_value_has_4096_characters() -> None:
    assert MAX_VALUE_LENGTH == 4096


@pytest.mark.parametrize(
    ("text", "has"),
    [
        *(("", False), ("abc", False), ("é😀", False), ("\ud7ff\ue000", False)),
        *(("\ud800", True), ("\udfff", True), ("a\udbffb", True), ("é\udc00", True)),
    ],
)
def test_a_surrogate_is_half_a_character_and_nothing_beside(text: str, has: bool) -> None:
    assert has_surrogate(text) is has


@pytest.mark.parametrize(
    ("text", "mpid"),
    [
        ("1", 1),
        ("9", 9),
        ("-1", -1),
        ("10", 10),
        ("7713214583320187041", 7713214583320187041),
        ("9223372036854775807", 2**63 - 1),
        ("-9223372036854775808", -(2**63)),
        (1, 1),
        (-5412, -5412),
        (2**63 - 1, 2**63 - 1),
        (-(2**63), -(2**63)),
    ],
)
def test_an_mpid_is_a_signed_64_bit_integer_other_than_0(text: object, mpid: int) -> None:
    assert parse_mpid(text) == mpid


@pytest.mark.parametrize(
    "text",
    [
        *("", "-", "--1", "-0", "0", "00", "01", "-01", "+1", " 1", "1 ", "1\n", "1_000", "0x1"),
        *("1.0", "1e3", "x", "@a", "٣", "²", "1٣", "9223372036854775808", "-9223372036854775809"),
        *("9" * 20, "9" * 5000, 0, 2**63, -(2**63) - 1, True, False, 1.0, None, [1], {"mpid": 1}),
    ],
)
def test_everything_else_is_no_mpid(text: object) -> None:
    assert parse_mpid(text) is None


def _digest(text: bytes) -> int:
    return int.from_bytes(blake2b(text, digest_size=8).digest(), "big", signed=True)


@pytest.mark.parametrize(
    ("seed", "seq", "mpid"),
    [
        (0, 1, -997663824475294132),
        (42, 1, 7003778869905922103),
        (42, 1000, -6798819803098747779),
        (-7, 2, -7651478908855658403),
        (2**130, 3, 7370296139589308662),
    ],
)
def test_the_mpid_of_a_seed_and_a_number_never_changes(seed: int, seq: int, mpid: int) -> None:
    assert derive_mpid(seed, seq, lambda _: False) == mpid == _digest(b"%d:%d" % (seed, seq))


def test_an_mpid_that_was_given_out_is_passed_over_for_the_next_attempt() -> None:
    attempts = [_digest(b"7:5"), _digest(b"7:5:1"), _digest(b"7:5:2")]
    given_out: set[int] = set()
    for mpid in attempts:
        assert derive_mpid(7, 5, given_out.__contains__) == mpid
        given_out.add(mpid)


@pytest.mark.parametrize(
    ("value", "rule"),
    [
        (0, "; 0 is none"),
        (2**63, " of 64 bits"),
        (True, ": digits"),
        (None, ": digits"),
        ("", ": digits"),
        ("12abc", ": digits"),
        ("\u0663", ": digits"),
        ("9223372036854775808", " of 64 bits"),
        ("-007", "; it has no leading zeros"),
        ("-0", "; 0 is none"),
    ],
)
def test_what_an_mpid_is_depends_on_what_a_value_lacks(value: object, rule: str) -> None:
    assert mpid_rule(value).startswith(rule)
