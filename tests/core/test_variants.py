"""Values that may be meant by another, and in what two of them differ."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idsync_cli.core.identity import MAX_VALUE_LENGTH, Identifier, IdentityType
from idsync_cli.core.variants import MOST_VARIANTS, ValueDifference, differences, variants_of

EMAIL, PHONE = IdentityType.EMAIL, IdentityType.MOBILE_NUMBER


@pytest.mark.parametrize(
    ("asked", "held"),
    [
        ("+15550109999", "+1 (555) 010-9999"),
        ("+1 (555) 010-9999", "15550109999"),
        ("15550109999", "+1-555-010-9999"),
        ("555-010-9999", "(555) 010-9999"),
        ("5550109999", "555.010.9999"),
        ("+49 151 23456789", "+4915123456789"),
        ("+4915123456789", "+49 151 23456789"),
        ("+33612345678", "+33 6 12 34 56 78"),
        ("+447700900123", "+44 7700 900123"),
    ],
)
def test_a_telephone_number_with_other_punctuation(asked: str, held: str) -> None:
    assert held in variants_of(Identifier(PHONE, asked))
    assert differences(PHONE, asked, held) in (
        (ValueDifference.PUNCTUATION,),
        (ValueDifference.SPACES,),
    )


WRITTEN = (
    """
    +15550100100|15550100100|+1 (555) 010-0100|1 (555) 010-0100|+1(555)010-0100|+1 555 010 0100
    +1 555-010-0100|+1-555-010-0100|1-555-010-0100|+1.555.010.0100|1.555.010.0100|+1 (555) 010 0100
    +1 (555)010-0100|1 555 010 0100|+1 555.010.0100|(1) 555-010-0100|+1-(555)-010-0100
    +1 5550100100|+1-5550100100|+1/555/010/0100
    """,
    """
    5550100100|(555) 010-0100|(555)010-0100|555-010-0100|555.010.0100|555 010 0100|(555) 010 0100
    555/010-0100|(555)-010-0100|(555) 010.0100
    """,
    "+4915123456789|+49 151 23456789|+49 151 2345 6789|+49-151-23456789|+49 1512 3456789",
    "0151 23456789|0151/23456789|0151-23456789|015123456789",
    "+33612345678|+33 6 12 34 56 78|+33 6.12.34.56.78|+33-6-12-34-56-78",
    "0612345678|06 12 34 56 78|06.12.34.56.78|06-12-34-56-78",
    "+447700900123|+44 7700 900123|+44 7700 900 123",
    "07700900123|07700 900123|07700 900 123",
    "+353861234567|+353 86 123 4567|+353-86-123-4567",
    """
    +4930123456|+49 30 123456|+49 (0)30 123456|+49 (0) 30 123456|0049 30 123456|+49-30-123456
    +49/30/123456|+49 30/123456|\u202a+4930123456\u202c|\u200e+49 30 123456|+49 30 12 34 56
    (+49) 30 123456|+49 (30) 123456|+49\u00a030\u00a0123456|tel:+4930123456|+49 30\u2013123456
    """,
    "030123456|030 123456|030/123456|(030) 123456|030-123456|030 / 123456|030 12 34 56",
    "+5511912345678|+55 11 91234-5678|+55 (11) 91234-5678",
    "+358401234567|+358 40 1234567|+358 40 123 4567|00358401234567",
)


@pytest.mark.parametrize("text", WRITTEN)
def test_each_common_way_of_writing_a_number_leads_to_every_other(text: str) -> None:
    ways = [each.strip() for line in text.strip().splitlines() for each in line.split("|")]
    for asked in ways:
        found = variants_of(Identifier(PHONE, asked))
        assert {*ways} - {asked} <= {*found}, asked


@given(st.sampled_from([EMAIL, PHONE, IdentityType.CUSTOMER_ID]), st.text(min_size=1, max_size=40))
def test_the_variants_are_few_and_none_is_the_value(kind: IdentityType, value: str) -> None:
    found = variants_of(Identifier(kind, value))
    assert value not in found
    assert len(set(found)) == len(found) <= MOST_VARIANTS
    assert all(found)


@pytest.mark.parametrize("asked", ["\uff0b\uff14\uff19\uff13\uff10123456", "00 49 30 123456"])
def test_a_number_that_is_written_as_few_do_leads_to_the_others(asked: str) -> None:
    found = variants_of(Identifier(PHONE, asked))
    assert {"+4930123456", "+49 30 123456", "030123456"} & {*found} == {
        "+4930123456",
        "+49 30 123456",
    }


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("0049 30 123456", "+4930123456", True),
        ("+49 (0)30 123456", "+49 30 123456", True),
        ("(0)30 123456", "30 123456", False),
        ("003012", "3012", False),
        ("030 123456", "+4930123456", False),
        ("001", "1", False),
    ],
)
def test_what_is_dialled_from_abroad_is_the_same(one: str, other: str, is_same: bool) -> None:
    assert differences(PHONE, one, other) == ((ValueDifference.PUNCTUATION,) if is_same else ())
    assert differences(EMAIL, one, other) == ()


def test_a_number_without_digits_is_a_value_as_any_other() -> None:
    assert "unknown" in variants_of(Identifier(PHONE, "Unknown "))


def test_hosts_and_names_are_tried_in_several_cases() -> None:
    found = variants_of(Identifier(EMAIL, "mia.lee@example.com"))
    assert {"Mia.Lee@example.com", "mia.lee@Example.Com", "MIA.LEE@EXAMPLE.COM"} <= set(found)
    assert "mia.lee@EXAMPLE.COM" in found
    assert "JohnSmith@example.com" in variants_of(Identifier(EMAIL, "johnsmith@example.com"))


def test_none_is_too_long_to_be_a_value() -> None:
    longest = "a" * MAX_VALUE_LENGTH
    assert variants_of(Identifier(EMAIL, longest)) == [longest.upper(), longest.capitalize()]


@pytest.mark.parametrize(
    ("one", "other", "differs"),
    [
        ("a", "A", [ValueDifference.CASE]),
        ("a b", "ab", [ValueDifference.SPACES]),
        ("a\u200b", "a", [ValueDifference.SPACES]),
        ("e\u0301", "é", [ValueDifference.UNICODE]),
        ("a-b", "ab", [ValueDifference.PUNCTUATION]),
        ("A b", "ab", [ValueDifference.CASE, ValueDifference.SPACES]),
        ("a", "b", []),
    ],
)
def test_two_values_differ_in_as_few_ways_as_tell_it(
    one: str, other: str, differs: list[ValueDifference]
) -> None:
    assert list(differences(EMAIL, one, other)) == differs
