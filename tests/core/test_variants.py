"""Values that may be meant by another, and in what two of them differ."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idsync_cli.core.identity import MAX_VALUE_LENGTH, Identifier, IdentityType
from idsync_cli.core.variants import MOST_VARIANTS, Difference, differences, variants_of

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
    assert differences(asked, held) in ((Difference.PUNCTUATION,), (Difference.SPACES,))


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


def test_a_number_without_digits_is_a_value_as_any_other() -> None:
    assert "unknown" in variants_of(Identifier(PHONE, "Unknown "))


def test_hosts_and_names_are_tried_in_several_cases() -> None:
    found = variants_of(Identifier(EMAIL, "mia.lee@example.com"))
    assert {"Mia.Lee@example.com", "mia.lee@Example.Com", "MIA.LEE@EXAMPLE.COM"} <= set(found)


def test_none_is_too_long_to_be_a_value() -> None:
    longest = "a" * MAX_VALUE_LENGTH
    assert variants_of(Identifier(EMAIL, longest)) == [longest.upper(), longest.capitalize()]


@pytest.mark.parametrize(
    ("one", "other", "differs"),
    [
        ("a", "A", [Difference.CASE]),
        ("a b", "ab", [Difference.SPACES]),
        ("a\u200b", "a", [Difference.SPACES]),
        ("e\u0301", "é", [Difference.UNICODE]),
        ("a-b", "ab", [Difference.PUNCTUATION]),
        ("A b", "ab", [Difference.CASE, Difference.SPACES]),
        ("a", "b", []),
    ],
)
def test_two_values_differ_in_as_few_ways_as_tell_it(
    one: str, other: str, differs: list[Difference]
) -> None:
    assert list(differences(one, other)) == differs
