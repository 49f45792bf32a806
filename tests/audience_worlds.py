"""Random definitions, and random profiles that they are asked of."""

import json
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from hypothesis import strategies as st

from idsync_cli.core.audiences.calculation import NEEDS_NO_ATTRIBUTE
from idsync_cli.core.codes import Calculation, Operator
from idsync_cli.core.config.definitions import (
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
from idsync_cli.core.identity import Identifier, IdentityType

NOW = 1_717_200_000_000  # 2024-06-01
DAY = 86_400_000

TYPES = (IdentityType.CUSTOMER_ID, IdentityType.EMAIL, IdentityType.PUSH_TOKEN)
NAMES = (
    "amount",
    "colour",
    "größe",
    'a"b',
    "a\\b",
    "a.b",
    "a\tb",
    "n[0]",
    "$",
    "it's",
    "data",
    "Ｋ",
)
"""Names of attributes; some are written in several ways, or mean something in a path of JSON."""

A_NAME = st.sampled_from((*NAMES, *("amount", "colour") * 6))

TEXTS = (
    "", "a", "A", "ab", "B", "ß", "SS", "ſs", "é", "É", "K", "K", "İ", "i̇", "1", "01", "1.0", "-0",
    "1e2", "100", "0.1", "0.30", "1e400", "true", "TRUE", "null", '"', "\\", "%", "a\u0000b", "😀",
    "9007199254740993", "9007199254740992.0", "123456789012345678901234567890", "NaN", "Infinity",
    "2024-05-31", "2024-06-01T00:00:00Z", "2024-05-31T23:00:00-01:00", "2024-05-32",
    "1717200000000",
)  # fmt: skip
NUMBERS = (
    0, 1, -1, 2, 100, 0.1, 0.2, 0.3, -0.0, 1e2, 1.5, 1e300, 1e-300, 2**53, 2**53 + 1, 2**63, 2**64,
    10**30, 1717200000000, 1717113600000.0, 12345678901234567890, 5e-324,
)  # fmt: skip
SCALARS = st.one_of(
    st.sampled_from(TEXTS),
    st.sampled_from(NUMBERS),
    st.booleans(),
    st.none(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=3),
)
VALUES: st.SearchStrategy[Any] = st.one_of(
    SCALARS,
    SCALARS,
    st.lists(SCALARS, max_size=3),
    st.dictionaries(A_NAME, SCALARS, max_size=1),
    st.lists(st.lists(SCALARS, max_size=1), max_size=1),
)
OPERANDS = st.one_of(
    st.sampled_from(TEXTS),
    st.sampled_from(NUMBERS).map(json.dumps),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=2),
)
A_NUMBER = st.sampled_from(
    ["0", "1", "2", "-0.5", "0.3", "100", "1e2", "1e300", "9007199254740993"]
)
A_TIME = st.sampled_from(
    ["2024-05-31", "2024-06-01", "2024-05-31T23:59:59.999Z", "1717200000000", "2024-05-31 12:00"]
)
EVENT_TYPES = ("commerce_event", "custom_event", "screen_view")
EVENT_NAMES = ("purchase", "Purchase", "größe")
WITHIN = st.none() | st.sampled_from([1000, DAY, 2 * DAY])


@st.composite
def comparisons(
    draw: st.DrawFn, operators: Sequence[Operator] = tuple(Operator)
) -> ValueComparison:
    operator = draw(st.sampled_from(operators))
    match operator:
        case Operator.EXISTS | Operator.NOT_EXISTS:
            return ValueComparison(operator)
        case Operator.IN_LIST:
            return ValueComparison(
                operator, tuple(draw(st.lists(OPERANDS, min_size=1, max_size=3)))
            )
        case Operator.BETWEEN:
            return ValueComparison(
                operator, draw(st.tuples(A_NUMBER, A_NUMBER) | st.tuples(A_TIME, A_TIME))
            )
        case Operator.BEFORE | Operator.AFTER:
            return ValueComparison(operator, (draw(A_TIME),))
        case Operator.EQUALS | Operator.NOT_EQUALS:
            return ValueComparison(operator, (draw(OPERANDS),))
        case Operator.CONTAINS | Operator.NOT_CONTAINS:
            return ValueComparison(operator, (draw(OPERANDS.filter(bool)),))
    return ValueComparison(operator, (draw(A_NUMBER),))


OF_IDENTITIES = (
    Operator.EXISTS, Operator.NOT_EXISTS, Operator.EQUALS, Operator.NOT_EQUALS, Operator.CONTAINS,
    Operator.NOT_CONTAINS, Operator.IN_LIST,
)  # fmt: skip
ATTRIBUTE_CONDITIONS = st.builds(
    AttributeCondition, A_NAME | st.sampled_from(("calculated 1", "calculated 2")), comparisons()
)
FILTERS = st.builds(
    EventFilter,
    st.none() | st.sampled_from(EVENT_NAMES),
    st.none() | st.sampled_from(EVENT_TYPES),
    WITHIN,
    st.lists(st.builds(AttributeCondition, A_NAME, comparisons()), max_size=2).map(tuple),
).filter(lambda events: events.name is not None or events.event_type is not None)


def conditions(audiences: Sequence[str]) -> st.SearchStrategy[Condition]:
    """Conditions of every kind; they may name these audiences."""
    leaves: list[st.SearchStrategy[Condition]] = [
        ATTRIBUTE_CONDITIONS,
        ATTRIBUTE_CONDITIONS,
        st.builds(EventCondition, FILTERS, st.booleans()),
        st.builds(IdentityCondition, st.sampled_from(TYPES), comparisons(OF_IDENTITIES)),
        st.builds(KnownCondition, st.booleans()),
        st.builds(
            FirstSeenCondition,
            WITHIN,
            comparisons([Operator.BEFORE, Operator.AFTER, Operator.BETWEEN]),
        ),
        st.builds(FirstSeenCondition, st.sampled_from([1000, DAY]), st.none()),
    ]
    if audiences:
        leaves.append(st.builds(AudienceCondition, st.sampled_from(audiences)))
    leaf: st.SearchStrategy[Condition] = st.one_of(leaves)
    return st.recursive(
        leaf,
        lambda inner: st.one_of(
            st.lists(inner, min_size=1, max_size=3).map(lambda each: AllOf(tuple(each))),
            st.lists(inner, min_size=1, max_size=3).map(lambda each: AnyOf(tuple(each))),
            inner.map(Not),
        ),
        max_leaves=5,
    )


@st.composite
def calculated_attributes(draw: st.DrawFn) -> CalculatedAttribute:
    calculation = draw(st.sampled_from(Calculation))
    of_what = A_NAME if calculation not in NEEDS_NO_ATTRIBUTE else st.none() | A_NAME
    return CalculatedAttribute(calculation, draw(FILTERS), draw(of_what))


@st.composite
def definitions(draw: st.DrawFn) -> Definitions:
    calculated = {f"calculated {number}": draw(calculated_attributes()) for number in (1, 2)}
    if draw(st.booleans()):
        calculated["colour"] = draw(calculated_attributes())  # hides what is set
    first = Audience(1, draw(conditions([])))
    second = Audience(2, draw(conditions(["first"])))
    return Definitions(calculated, {"second": second, "first": first})


class Happened(NamedTuple):
    """An event, whose text may be written in any way that JSON allows."""

    time_ms: int
    event_type: str
    name: str | None
    text: str


class Person(NamedTuple):
    """A profile, with all that definitions ask of it."""

    identifiers: tuple[Identifier, ...]
    was_known: bool
    first_seen_ms: int | None
    is_opted_out: bool
    attributes: dict[str, Any]
    events: tuple[Happened, ...]


def loosely(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1)


def with_escapes(text: str) -> str:
    """The same JSON with an escape for each `a` in it."""
    texts = re.compile(r'"(?:[^"\\]|\\.)*"')
    letters = re.compile(r"\\u....|\\.|a")
    return texts.sub(lambda text: letters.sub(_escaped, text[0]), text)


def _escaped(letter: re.Match[str]) -> str:
    return "\\u0061" if letter[0] == "a" else letter[0]


@st.composite
def happenings(draw: st.DrawFn) -> Happened:
    attributes = st.dictionaries(A_NAME, VALUES, max_size=3)
    data: dict[str, Any] = {**draw(attributes)}
    data.pop("data", None)
    for key in ("custom_attributes", "product_action"):
        if draw(st.booleans()):
            data[key] = draw(st.one_of(attributes, attributes, attributes, VALUES))
    event_type = draw(st.sampled_from(EVENT_TYPES))
    whole = {"event_type": event_type, "data": data}
    texts = json.dumps(whole), loosely(whole), with_escapes(loosely(whole))
    text = draw(st.sampled_from(texts))
    days = draw(st.sampled_from([0, 0.5, 1, 1.5, 2, 2.5, -1]))
    time_ms = NOW - int(days * DAY) + draw(st.sampled_from([-1, 0, 1]))
    return Happened(time_ms, event_type, draw(st.none() | st.sampled_from(EVENT_NAMES)), text)


PEOPLE = st.builds(
    Person,
    st.lists(
        st.builds(
            Identifier, st.sampled_from(TYPES), st.sampled_from(["a", "A", "1", "1.0", "ab", "%"])
        ),
        max_size=3,
        unique=True,
    ).map(tuple),
    st.booleans(),
    st.none() | st.sampled_from([NOW - DAY - 1, NOW - DAY, NOW - 1, NOW, NOW + 1]),
    st.booleans(),
    st.dictionaries(A_NAME, VALUES, max_size=3),
    st.lists(happenings(), max_size=4).map(tuple),
)
