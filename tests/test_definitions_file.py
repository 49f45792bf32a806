"""Calculated attributes and audiences in YAML: what is read, and every fault (section 9)."""

from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings

from idsync_cli.core.codes import Calculation, Operator
from idsync_cli.core.config.definitions import (
    MAX_CONDITIONS,
    MAX_DEPTH,
    NO_DEFINITIONS,
    AllOf,
    AnyOf,
    AttributeCondition,
    Audience,
    AudienceCondition,
    CalculatedAttribute,
    Condition,
    Definitions,
    EventCondition,
    EventFilter,
    FirstSeenCondition,
    IdentityCondition,
    KnownCondition,
    Not,
    ValueComparison,
)
from idsync_cli.core.identity import IdentityType
from idsync_cli.file_faults import FileFault
from idsync_cli.files import rules_json, yaml_parser
from idsync_cli.files.config_file import load
from tests.audience_worlds import definitions
from tests.core.shorthand import rules
from tests.test_schemas import as_an_editor_reads, as_idsync_reads, is_valid

DAY = 86_400_000
SCOPE = """\
scopes:
  consumers:
    strategy: best_match
    priority: [email]
"""
EXAMPLE = """\
    calculated_attributes:
      lifetime_value: {calculation: sum, event_type: commerce_event, attribute: total_amount}
      orders_lately: {calculation: count, event: purchase, within: 30 days, where: [{attribute: currency_code, operator: equals, value: EUR}]}
    audiences:
      lapsed_buyers:
        id: 13775
        all:
          - {attribute: lifetime_value, operator: greater_than, value: 100}
          - not: {event: purchase, within: 90 days}
          - any: [{identity: email, operator: exists}, {identity: push_token, operator: exists}]
"""  # noqa: E501 - as section 9 has it


def read(folder: Path, text: str) -> Definitions:
    """What the scope `consumers` defines."""
    path = folder / "idsync.yaml"
    path.write_text(SCOPE + text, encoding="utf-8")
    return load(path).organization.scopes["consumers"].definitions


def is_valid_by_schema(folder: Path) -> bool:
    """Whether the schema takes what was read last, as idsync reads it or as editors do.

    Editors take 012 for a number.
    """
    path = folder / "idsync.yaml"
    readings = as_idsync_reads, as_an_editor_reads
    return any(is_valid("configuration", *read_as(path)) for read_as in readings)


def condition(folder: Path, text: str) -> Condition:
    """The condition of an audience, beside two that it may name."""
    others = "      b: {id: 2, known: true}\n"
    found = read(folder, f"    audiences:\n      a: {{id: 1, all: [{text}]}}\n{others}")
    assert is_valid_by_schema(folder)
    [inner] = found.audiences["a"].condition.parts()
    return inner


def faults(folder: Path, text: str) -> list[str]:
    """What is wrong, each with its line and column."""
    with pytest.raises(FileFault) as raised:
        read(folder, text)
    return [fault.partition("idsync.yaml:")[2] for fault in raised.value.faults]


def compared(operator: str, *values: str) -> ValueComparison:
    return ValueComparison(Operator(operator), values)


# What is read


def test_a_scope_without_any(tmp_path: Path) -> None:
    assert read(tmp_path, "") == NO_DEFINITIONS
    assert read(tmp_path, "    calculated_attributes:\n    audiences: null\n") == NO_DEFINITIONS
    assert read(tmp_path, "    calculated_attributes: {}\n    audiences: {}\n") == NO_DEFINITIONS


def test_the_example_of_the_specification(tmp_path: Path) -> None:
    euros = (AttributeCondition("currency_code", compared("equals", "EUR")),)
    lately = EventFilter("purchase", None, 30 * DAY, euros)
    of_commerce = EventFilter(None, "commerce_event")
    assert read(tmp_path, EXAMPLE) == Definitions(
        {
            "lifetime_value": CalculatedAttribute(Calculation.SUM, of_commerce, "total_amount"),
            "orders_lately": CalculatedAttribute(Calculation.COUNT, lately),
        },
        {
            "lapsed_buyers": Audience(
                13775,
                AllOf(
                    (
                        AttributeCondition("lifetime_value", compared("greater_than", "100")),
                        Not(EventCondition(EventFilter("purchase", None, 90 * DAY))),
                        AnyOf(
                            (
                                IdentityCondition(IdentityType.EMAIL, compared("exists")),
                                IdentityCondition(IdentityType.PUSH_TOKEN, compared("exists")),
                            )
                        ),
                    )
                ),
            )
        },
    )


@pytest.mark.parametrize("calculation", Calculation)
def test_every_calculation(tmp_path: Path, calculation: str) -> None:
    text = f"      x: {{calculation: {calculation}, event: e, attribute: a}}\n"
    found = read(tmp_path, f"    calculated_attributes:\n{text}").calculated_attributes["x"]
    assert found == CalculatedAttribute(Calculation(calculation), EventFilter("e", None), "a")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("operator: exists", compared("exists")),
        ("operator: not_exists", compared("not_exists")),
        ("operator: equals, value: 00123", compared("equals", "00123")),
        ("operator: equals, value: true", compared("equals", "true")),
        ("operator: equals, value: ''", compared("equals", "")),
        ("operator: not_equals, value: a b", compared("not_equals", "a b")),
        ("operator: contains, value: x", compared("contains", "x")),
        ("operator: not_contains, value: x", compared("not_contains", "x")),
        ("operator: in_list, values: [a, 5, false]", compared("in_list", "a", "5", "false")),
        ("operator: in_list, value: [a]", compared("in_list", "a")),
        ("operator: greater_than, value: 1.5", compared("greater_than", "1.5")),
        ("operator: greater_or_equal, value: -1", compared("greater_or_equal", "-1")),
        ("operator: less_than, value: 1e3", compared("less_than", "1e3")),
        ("operator: less_or_equal, value: 0", compared("less_or_equal", "0")),
        ("operator: before, value: 2024-03-01", compared("before", "2024-03-01")),
        ("operator: after, value: 1709294400000", compared("after", "1709294400000")),
        ("operator: between, values: [1, 2]", compared("between", "1", "2")),
        ("operator: between, value: [2, 2]", compared("between", "2", "2")),
        ("operator: between, min_value: 1, max_value: 2", compared("between", "1", "2")),
        (
            "operator: between, values: [2024-03-01, '2024-03-01T12:00:00Z']",
            compared("between", "2024-03-01", "2024-03-01T12:00:00Z"),
        ),
    ],
)
def test_every_operator(tmp_path: Path, text: str, expected: ValueComparison) -> None:
    assert condition(tmp_path, f"{{attribute: x, {text}}}") == AttributeCondition("x", expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{event: e}", EventCondition(EventFilter("e", None))),
        ("{event_type: t}", EventCondition(EventFilter(None, "t"))),
        (
            "{event: e, event_type: t, within: 36 hours, operator: exists}",
            EventCondition(EventFilter("e", "t", 36 * 3_600_000)),
        ),
        ("{event: e, operator: not_exists}", EventCondition(EventFilter("e", None), exists=False)),
        ("{identity: idfv, operator: exists}",
         IdentityCondition(IdentityType.IOS_IDFV, compared("exists"))),
        ("{identity: email, operator: contains, value: '@example.com'}",
         IdentityCondition(IdentityType.EMAIL, compared("contains", "@example.com"))),
        ("{known: true}", KnownCondition(True)),
        ("{known: false}", KnownCondition(False)),
        ("{first_seen: {within: 30 days}}", FirstSeenCondition(30 * DAY, None)),
        ("{first_seen: {operator: before, value: 2024-03-01}}",
         FirstSeenCondition(None, compared("before", "2024-03-01"))),
        ("{first_seen: {within: 1 week, operator: after, value: 2024-03-01}}",
         FirstSeenCondition(7 * DAY, compared("after", "2024-03-01"))),
        ("{audience: b}", AudienceCondition("b")),
        ("{not: {known: true}}", Not(KnownCondition(True))),
        ("{any: [{known: true}, {all: [{known: false}]}]}",
         AnyOf((KnownCondition(True), AllOf((KnownCondition(False),))))),
    ],
)  # fmt: skip
def test_every_kind_of_condition(tmp_path: Path, text: str, expected: Condition) -> None:
    assert condition(tmp_path, text) == expected


def test_an_audience_of_one_condition_needs_no_group(tmp_path: Path) -> None:
    found = read(tmp_path, "    audiences:\n      a: {id: 1, known: true}\n")
    assert found.audiences["a"] == Audience(1, KnownCondition(True))


# Faults

ONLY_THE_PROGRAM_REFUSES = {
    "calculation: count, event: e, within: 40000 days",
    "{attribute: x, operator: less_than, value: 012}",
    "{attribute: x, operator: between, values: [1, 2024-03-01]}",
    "{attribute: x, operator: between, values: [2, 1]}",
    "{attribute: x, operator: between, values: [2024-03-02, 2024-03-01]}",
    "{first_seen: {operator: between, values: [1, 2]}}",
    "{audience: a}",
    "{audience: bb}",
    "{audience: zzz}",
    "{id: 01, known: true}",
    "{id: 9007199254740992, known: true}",
}
"""What no schema can tell: what is compared with what, and names."""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("calculation: summ, event: e, attribute: a",
         "6:24: unknown calculation 'summ'; did you mean 'sum'?"),
        ("event: e", "6:10: no calculation; use one of count, sum, min, max"),
        ("calculation: sum, event: e",
         "6:10: no attribute; sum is calculated from an event's"),
        ("calculation: count", "6:10: the calculated attribute 'x' names no event"),
        ("calculation: count, evnt: e",
         "6:31: unknown key 'evnt' in the calculated attribute 'x'; did you mean 'event'?"),
        ("calculation: count, event: true", "6:38: event is 'true', but must be text"),
        ("calculation: count, event: [e]", "6:38: event is a list, but must be a name"),
        ("calculation: count, event: ''", "6:38: the name of event is empty"),
        ("calculation: count, event: e, within: 30 dayz",
         "6:49: within is '30 dayz', but must be a length of time such as 30 days; did you mean"),
        ("calculation: count, event: e, within: 2 months",
         "6:49: within is '2 months', but must be a length of time such as 30 days; a month has"),
        ("calculation: count, event: e, within: 1 year", "a year has no fixed length, so use days"),
        ("calculation: count, event: e, within: 40000 days", "and at most 100 years"),
        ("calculation: count, event: e, within: [1]", "within is a list, but must be a length of"),
        ("calculation: count, event: e, where: {a: 1}", "a mapping, but a list is expected"),
        ("calculation: count, event: e, where: [a]", "6:49: where is 'a', but must be a mapping"),
        ("calculation: count, event: e, where: [{operator: exists}]", "6:49: no attribute"),
        ("calculation: count, event: e, where: [{attribute: a, operator: equal, value: 1}]",
         "unknown operator 'equal'; did you mean 'equals'?"),
        ("calculation: count, event: e, where: [{known: true, attribute: a, operator: exists}]",
         "unknown key 'known' in where"),
    ],
)  # fmt: skip
def test_a_fault_of_a_calculated_attribute(tmp_path: Path, text: str, expected: str) -> None:
    found = faults(tmp_path, f"    calculated_attributes:\n      x: {{{text}}}\n")
    assert [each for each in found if expected in each]
    assert is_valid_by_schema(tmp_path) == (text in ONLY_THE_PROGRAM_REFUSES)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{attribute: x, operator: greater}",
         "unknown operator 'greater'; did you mean 'greater_than'"),
        ("{attribute: x, operator: more_than, value: 1}", "did you mean 'greater_than'?"),
        ("{attribute: x, operator: <=, value: 1}", "did you mean 'less_or_equal'?"),
        ("{attribute: x}", "6:24: no operator; use one of exists, not_exists"),
        ("{attribute: x, operator: equals}", "6:24: no value; equals takes value: A"),
        ("{attribute: x, operator: equals, value: [a]}",
         "6:64: a list is not a value to compare with"),
        ("{attribute: x, operator: equals, values: [a]}", "values given; equals takes value: A"),
        ("{attribute: x, operator: equals, value: a, min_value: 1}",
         "6:57: value and min_value given; equals takes value: A"),
        ("{attribute: x, operator: exists, value: a}",
         "6:57: exists compares with nothing; remove"),
        ("{attribute: x, operator: in_list}", "no values; in_list takes values: [A, B, …]"),
        ("{attribute: x, operator: in_list, values: a}", "values is 'a', but in_list takes a list"),
        ("{attribute: x, operator: in_list, values: []}", "values is empty; give at least one"),
        ("{attribute: x, operator: in_list, values: [a, {}]}",
         "a mapping is not a value to compare with"),
        ("{attribute: x, operator: greater_than, value: many}", "6:70: 'many' is not a number"),
        ("{attribute: x, operator: less_than, value: 012}", "'012' is not a number"),
        ("{attribute: x, operator: before, value: March}",
         "'March' is not a time such as 2024-03-01"),
        ("{attribute: x, operator: between, values: [1]}", "but between takes a list of two"),
        ("{attribute: x, operator: between, value: 1}", "value is '1', but between takes a list"),
        ("{attribute: x, operator: between, values: [1, 2024-03-01]}",
         "between '1' and '2024-03-01', but both must be numbers, or both a time"),
        ("{attribute: x, operator: between, values: [2, 1]}", "6:70: between ends with '1' before"),
        ("{attribute: x, operator: between, values: [2024-03-02, 2024-03-01]}", "before it begins"),
        ("{attribute: x, operator: between, min_value: 2}", "min_value given; between takes"),
        ("{attribute: x, operator: contains, value: ''}", "the value is empty, which every text"),
        ("{attribute: [x], operator: exists}", "attribute is a list, but must be a name"),
        ("{event: e, operator: equals}", "but an event exists or not_exists; count the events by"),
        ("{event: e, operator: is}",
         "operator is 'is', but an event exists or not_exists; use one"),
        ("{event: e, value: 3}", "6:35: value has no effect beside event; use event_type, within"),
        ("{identity: emial, operator: exists}",
         "unknown identity type 'emial'; did you mean 'email'"),
        ("{identity: [email], operator: exists}", "unknown identity type a list"),
        ("{identity: email, operator: before, value: 2024-03-01}",
         "6:52: identifiers are not compared by before; use one of exists, not_exists, equals"),
        ("{known: maybe}", "6:32: known is 'maybe', but must be true or false"),
        ("{known: true, operator: exists}", "operator has no effect beside known; remove it"),
        ("{first_seen: 2024}", "first_seen is '2024', but must be a mapping"),
        ("{first_seen: {}}", "no operator; use one of"),
        ("{first_seen: {operator: equals, value: 1}}",
         "a time is not compared by equals; use one of"),
        ("{first_seen: {operator: between, values: [1, 2]}}", "'1' is not a time such as"),
        ("{first_seen: {within: 1 dayss}}", "did you mean 'days'?"),
        ("{audience: bb}", "6:35: unknown audience 'bb'; did you mean 'b'?"),
        ("{audience: zzz}", "unknown audience 'zzz'; name an audience of the same scope"),
        ("{audience: [b]}", "audience is a list, but must be a name"),
        ("{audience: a}", "6:35: the audience 'a' names itself; remove one of the references"),
        ("{}", "6:24: the condition names nothing; use one of all, any, not, attribute"),
        ("{atribute: x, operator: exists}", "unknown key 'atribute' in a condition; did you mean"),
        ("x", "6:24: a condition is 'x', but must be a mapping"),
        ("{attribute: x, event: y, operator: exists}",
         "has attribute and event, but may have only one of them; conditions on the event's"),
        ("{all: [], any: []}",
         "has all and any, but may have only one of them; put them under all"),
        ("{all: []}", "6:30: all is empty; give at least one condition"),
        ("{any: {known: true}}", "6:30: any is a mapping, but must be a list of conditions"),
        ("{not: [{known: true}]}", "a condition is a list, but must be a mapping"),
    ],
)  # fmt: skip
def test_a_fault_of_a_condition(tmp_path: Path, text: str, expected: str) -> None:
    others = "      b: {id: 2, known: true}\n"
    found = faults(tmp_path, f"    audiences:\n      a: {{id: 1, all: [{text}]}}\n{others}")
    assert [each for each in found if expected in each], found
    assert is_valid_by_schema(tmp_path) == (text in ONLY_THE_PROGRAM_REFUSES)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{known: true}", "6:10: no id; give a positive integer that no other audience has"),
        ("{id: 0, known: true}", "6:15: id is '0', but must be a positive integer below 2^53"),
        ("{id: -1, known: true}", "id is '-1', but"),
        ("{id: 01, known: true}", "id is '01', but"),
        ("{id: 1.5, known: true}", "id is '1.5', but"),
        ("{id: 9007199254740992, known: true}", "id is '9007199254740992', but"),
        ("{id: ١, known: true}", "id is '١', but"),
        ("{id: 1}", "6:10: the audience 'a' names nothing"),
        ("{id: 1, known: true, name: x}", "unknown key 'name' in the audience 'a'"),
        ("everybody", "6:10: the audience 'a' is 'everybody', but must be a mapping"),
    ],
)
def test_a_fault_of_an_audience(tmp_path: Path, text: str, expected: str) -> None:
    found = faults(tmp_path, f"    audiences:\n      a: {text}\n")
    assert [each for each in found if expected in each], found
    assert is_valid_by_schema(tmp_path) == (text in ONLY_THE_PROGRAM_REFUSES)


def test_an_id_stands_once_in_a_configuration(tmp_path: Path) -> None:
    path = tmp_path / "idsync.yaml"
    scope = "{strategy: best_match, priority: [email], audiences: {a%s: {id: 7, known: true}}}"
    path.write_text(f"scopes:\n  one: {scope % 1}\n  two: {scope % 2}\n", encoding="utf-8")
    with pytest.raises(FileFault) as raised:
        load(path)
    [fault] = raised.value.faults
    assert fault.endswith(
        "3:71: the id 7 appears twice, first for the audience 'a1'; an id is unique in a "
        "configuration"
    )


def test_every_circle_is_told_at_the_reference_that_closes_it(tmp_path: Path) -> None:
    found = faults(
        tmp_path,
        """\
    audiences:
      a: {id: 1, audience: b}
      b: {id: 2, any: [{audience: c}, {audience: d}, {audience: b}]}
      c: {id: 3, not: {audience: a}}
      d: {id: 4, audience: e}
      e: {id: 5, audience: d}
      f: {id: 6, audience: a}
""",
    )
    remove = "remove one of the references"
    assert found == [
        f"7:65: the audience 'b' names itself; {remove}",
        f"8:34: the audience 'c' names itself in a circle: 'c' → 'a' → 'b' → 'c'; {remove}",
        f"10:28: the audience 'e' names itself in a circle: 'e' → 'd' → 'e'; {remove}",
    ]


def test_names_have_the_length_that_names_of_attributes_have(tmp_path: Path) -> None:
    long = "x" * 257
    found = faults(
        tmp_path,
        f"    calculated_attributes:\n      {long}: {{calculation: count, event: {long}}}\n"
        "    audiences:\n      '': {id: 1, known: true}\n",
    )
    assert found == [
        "6:7: the name of a calculated attribute has 257 characters; at most 256 are allowed",
        "6:294: the name of event has 257 characters; at most 256 are allowed",
        "8:7: the name of an audience is empty; give one",
    ]


def test_an_audience_has_no_more_conditions_than_it_may(tmp_path: Path) -> None:
    many = ", ".join(["{known: true}"] * (MAX_CONDITIONS - 1))
    text = "    audiences:\n      a: {id: 1, all: [%s]}\n"
    assert len(read(tmp_path, text % many).audiences) == 1
    [fault] = faults(tmp_path, text % f"{many}, {{known: false}}")
    assert fault.startswith("6:7: the audience 'a' has 501 conditions, including those of")


def test_conditions_lie_within_one_another_no_deeper_than_they_may(tmp_path: Path) -> None:
    text = "    audiences:\n      a: {id: 1, %sknown: true}%s\n"
    deep = MAX_DEPTH - 1
    assert len(read(tmp_path, text % ("not: {" * deep, "}" * deep)).audiences) == 1
    [fault] = faults(tmp_path, text % ("not: {" * (deep + 1), "}" * (deep + 1)))
    assert fault.startswith("6:7: the audience 'a' is nested more than 16 conditions deep")


def test_more_is_not_asked_of_an_event_than_it_has_attributes(tmp_path: Path) -> None:
    asked = ", ".join(["{attribute: a, operator: exists}"] * 101)
    text = (
        f"    calculated_attributes:\n      x: {{calculation: count, event: e, where: [{asked}]}}\n"
    )
    assert faults(tmp_path, text) == ["6:48: where has 101 conditions; at most 100 are allowed"]


def test_thousands_of_audiences_that_name_one_another_are_told_of_quickly(tmp_path: Path) -> None:
    """A chain is followed once, and not anew from each of its links."""
    links = 10_000
    chain = "".join(f"      a{n}: {{id: {n}, audience: a{n + 1}}}\n" for n in range(1, links))
    end = f"      a{links}: {{id: {links}, audience: a1}}\n"
    [fault] = faults(tmp_path, f"    audiences:\n{chain}{end}")
    assert fault.startswith(f"{links + 5}:")
    assert "names itself in a circle" in fault


def test_half_a_character_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The parser in C refuses it, the one in Python does not."""
    monkeypatch.setattr(yaml_parser, "_LOADER", yaml.SafeLoader)
    text = r'{id: 1, attribute: "\ud800", operator: equals, value: "\udfff"}'
    assert faults(tmp_path, f"    audiences:\n      a: {text}\n") == [
        "6:29: the name of attribute contains a lone surrogate, which is not a character",
        r"6:64: the value '\udfff' contains a lone surrogate, which is not a character",
    ]


# What a store remembers


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(definitions())
def test_what_a_store_remembers_is_what_was_defined(defined: Definitions) -> None:
    scope = rules("customer_id:lu email")._replace(definitions=defined)
    assert rules_json.decode(rules_json.encode(scope)) == scope
    assert rules_json.encode(scope) == rules_json.encode(
        rules_json.decode(rules_json.encode(scope))
    )


def test_rules_without_definitions_are_remembered_as_before() -> None:
    assert "defined" not in rules_json.encode(rules("email"))
