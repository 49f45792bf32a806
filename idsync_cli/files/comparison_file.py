"""What conditions compare, and which events they mean: YAML to values (section 9)."""

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from idsync_cli.core.audiences.comparison import COMPARES_NUMBERS, COMPARES_TEXTS, COMPARES_TIMES
from idsync_cli.core.audiences.scalars import moment_of, number_of
from idsync_cli.core.audiences.times import UNITS, length_of
from idsync_cli.core.codes import Operator
from idsync_cli.core.config.definitions import (
    MAX_WHERE,
    AttributeCondition,
    EventFilter,
    ValueComparison,
)
from idsync_cli.core.data.values import MAX_NAME_LENGTH
from idsync_cli.core.identity import has_surrogate
from idsync_cli.errors import nearest
from idsync_cli.files.yaml_tree import Faults, Node, SourcePosition

COMPARISON = ("operator", "value", "values", "min_value", "max_value")
"""The keys of a comparison."""

A_TIME = "a time such as 2024-03-01 or 2024-03-01T12:00:00Z"

_ALSO_SAID = {
    **dict.fromkeys(("more_than", "above", "gt", ">"), "greater_than"),
    **dict.fromkeys(("at_least", "gte", ">="), "greater_or_equal"),
    **dict.fromkeys(("below", "lt", "<"), "less_than"),
    **dict.fromkeys(("at_most", "lte", "<="), "less_or_equal"),
    **dict.fromkeys(("is", "eq", "=", "=="), "equals"),
    **dict.fromkeys(("is_not", "ne", "!="), "not_equals"),
    "in": "in_list",
    "avg": "average",
    "mean": "average",
}
"""Other words for operators and calculations, whose nearest right word is another one."""

_HALF = "contains a lone surrogate, which is not a character"
_ALONE = (Operator.EXISTS, Operator.NOT_EXISTS)
_TIMES = (*COMPARES_TIMES, Operator.BETWEEN)

Code = TypeVar("Code", bound=StrEnum)


class ComparisonReader:
    """Reads comparisons and filters of events, noting what is wrong with them."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults

    def check_name(self, name: str, position: SourcePosition, what: str) -> None:
        """Check that a name is none that nothing can have."""
        if not name:
            self._faults.add(position, f"the name of {what} is empty; give one")
        elif has_surrogate(name):
            self._faults.add(position, f"the name of {what} {_HALF}")
        elif len(name) > MAX_NAME_LENGTH:
            self._faults.add(
                position,
                f"the name of {what} has {len(name):,} characters; at most {MAX_NAME_LENGTH} "
                "are allowed",
            )

    def text(self, entries: Mapping[str, Node], key: str) -> str | None:
        """The name under a key; None where there is none, or it is at fault."""
        node = entries.get(key)
        if node is None:
            return None
        if not isinstance(node.value, str):
            self._faults.add(
                node.position,
                f"{key} is {node.described()}, but must be text between quotes"
                if isinstance(node.value, bool)
                else f"{key} is {node.described()}, but must be a name",
            )
            return None
        self.check_name(node.value, node.position, key)
        return node.value

    def code(self, codes: type[Code], node: Node, key: str) -> Code | None:
        """One of some words; None where it is none of them."""
        if isinstance(node.value, str) and node.value in set(codes):
            return codes(node.value)
        word = node.value if isinstance(node.value, str) else ""
        hint = nearest(_ALSO_SAID.get(word, word), codes) or f"; use one of {', '.join(codes)}"
        self._faults.add(node.position, f"unknown {key} {node.described()}{hint}")
        return None

    def events(self, entries: Mapping[str, Node], parent: Node, what: str) -> EventFilter:
        """Which events are meant."""
        if "event" not in entries and "event_type" not in entries and parent.mapping is not None:
            self._faults.add(parent.position, f"{what} names no event; give event or event_type")
        where = entries.get("where")
        items = self._faults.items(where) if where else ()
        if where is not None and len(items) > MAX_WHERE:
            self._faults.add(
                where.position,
                f"where has {len(items):,} conditions; at most {MAX_WHERE} are allowed",
            )
        tests = [self._where(each) for each in items]
        return EventFilter(
            self.text(entries, "event"),
            self.text(entries, "event_type"),
            self.within(entries),
            tuple(each for each in tests if each is not None),
        )

    def is_there(self, entries: Mapping[str, Node]) -> bool:
        """Whether a condition asks for an event that is there, or for none."""
        node = entries.get("operator")
        if node is None or node.value == Operator.EXISTS:
            return True
        if node.value != Operator.NOT_EXISTS:
            counts_events = isinstance(node.value, str) and node.value in set(Operator)
            way_out = (
                "count the events by a calculated attribute" if counts_events else "use one of them"
            )
            self._faults.add(
                node.position,
                f"operator is {node.described()}, but an event exists or not_exists; {way_out}",
            )
        return False

    def within(self, entries: Mapping[str, Node]) -> int | None:
        """The length of time under `within`, in milliseconds; None where there is none."""
        node = entries.get("within")
        if node is None:
            return None
        length = length_of(node.value) if isinstance(node.value, str) else None
        if length is None:
            self._faults.add(
                node.position,
                f"within is {node.described()}, but must be a length of time such as 30 days"
                f"{_way_to_a_length(node)}",
            )
        return length

    def _where(self, node: Node) -> AttributeCondition | None:
        entries = self._faults.entries(node, ("attribute", *COMPARISON), "where")
        if node.mapping is None:
            return None
        if "attribute" not in entries:
            self._faults.add(node.position, "no attribute; name one of the event")
        name, comparison = self.text(entries, "attribute"), self.comparison(entries, node)
        return AttributeCondition(name, comparison) if name and comparison else None

    def comparison(
        self,
        entries: Mapping[str, Node],
        parent: Node,
        *,
        of_identity: bool = False,
        of_time: bool = False,
    ) -> ValueComparison | None:
        """What is compared with what; None where that is at fault.

        Identifiers are compared as texts alone, and a time as a time.
        """
        node = entries.get("operator")
        if node is None:
            self._faults.add(parent.position, f"no operator; use one of {', '.join(Operator)}")
            return None
        operator = self.code(Operator, node, "operator")
        if operator is None:
            return None
        allowed = COMPARES_TEXTS if of_identity else frozenset(_TIMES if of_time else Operator)
        if operator not in allowed:
            what = "identifiers are not compared" if of_identity else "a time is not compared"
            words = ", ".join(each for each in Operator if each in allowed)
            self._faults.add(node.position, f"{what} by {operator}; use one of {words}")
            return None
        nodes = self._nodes(operator, entries, parent)
        if nodes is None:
            return None
        read = [self._value(each) for each in nodes]
        values = tuple(each for each in read if each is not None)
        if len(values) < len(nodes) or not self._fit(operator, nodes, values, of_time=of_time):
            return None
        return ValueComparison(operator, values)

    def _nodes(
        self, operator: Operator, entries: Mapping[str, Node], parent: Node
    ) -> tuple[Node, ...] | None:
        """What an operator compares with, as it stands there; None where that does not fit it."""
        given = [key for key in COMPARISON if key != "operator" and key in entries]
        if operator in _ALONE:
            for key in given:
                self._faults.add(
                    parent.keys[key], f"{operator} compares with nothing; remove {key}"
                )
            return None if given else ()
        if operator is Operator.BETWEEN and given == ["min_value", "max_value"]:
            return entries["min_value"], entries["max_value"]
        takes_list = operator in (Operator.IN_LIST, Operator.BETWEEN)
        wanted = ("values", "value") if takes_list else ("value",)
        if len(given) != 1 or given[0] not in wanted:
            form = {Operator.IN_LIST: "values: [A, B, …]", Operator.BETWEEN: "values: [A, B]"}
            found = f"{' and '.join(given)} given" if given else f"no {wanted[0]}"
            self._faults.add(
                parent.keys[given[0]] if given else parent.position,
                f"{found}; {operator} takes {form.get(operator, 'value: A')}",
            )
            return None
        node = entries[given[0]]
        if not takes_list:
            return (node,)
        if operator is Operator.BETWEEN and (node.sequence is None or len(node.sequence) != 2):
            self._faults.add(
                node.position, f"{given[0]} is {node.described()}, but between takes a list of two"
            )
            return None
        if not node.sequence:
            self._faults.add(
                node.position,
                f"{given[0]} is empty; give at least one value"
                if node.sequence == ()
                else f"{given[0]} is {node.described()}, but in_list takes a list",
            )
            return None
        return node.sequence

    def _value(self, node: Node) -> str | None:
        if isinstance(node.value, bool):
            return "true" if node.value else "false"
        if isinstance(node.value, str):
            if has_surrogate(node.value):
                self._faults.add(node.position, f"the value {node.described()} {_HALF}")
            return node.value
        self._faults.add(
            node.position,
            f"{node.described()} is not a value to compare with; give text or a number",
        )
        return None

    def _fit(
        self,
        operator: Operator,
        nodes: tuple[Node, ...],
        values: tuple[str, ...],
        *,
        of_time: bool,
    ) -> bool:
        """Whether the values are of the kind that the operator compares."""
        numbers = [number_of(each) for each in values]
        moments = [moment_of(each) for each in values]
        if operator is Operator.CONTAINS or operator is Operator.NOT_CONTAINS:
            if values[0]:
                return True
            self._faults.add(nodes[0].position, "the value is empty, which every text contains")
            return False
        if operator in COMPARES_NUMBERS:
            return self._each(nodes, [each is not None for each in numbers], operator, "a number")
        if operator in COMPARES_TIMES or (operator is Operator.BETWEEN and of_time):
            fitting = self._each(nodes, [each is not None for each in moments], operator, A_TIME)
            if not fitting or operator is not Operator.BETWEEN:
                return fitting
        if operator is not Operator.BETWEEN:
            return True
        (low, high), (begin, end) = numbers, moments
        if low is not None and high is not None and not of_time:
            is_in_order = low <= high
        elif begin is not None and end is not None:
            is_in_order = begin <= end
        else:
            self._faults.add(
                nodes[0].position,
                f"between {nodes[0].described()} and {nodes[1].described()}, but both must be "
                f"numbers, or both {A_TIME}",
            )
            return False
        if not is_in_order:
            self._faults.add(
                nodes[1].position,
                f"between ends with {nodes[1].described()} before it begins; swap the two",
            )
        return is_in_order

    def _each(
        self, nodes: tuple[Node, ...], fitting: list[bool], operator: Operator, what: str
    ) -> bool:
        for node, fits in zip(nodes, fitting, strict=True):
            if not fits:
                self._faults.add(
                    node.position, f"{node.described()} is not {what}, which {operator} needs"
                )
        return all(fitting)


def _way_to_a_length(node: Node) -> str:
    """How to say the length of time that is meant."""
    unit = node.value.rpartition(" ")[2] if isinstance(node.value, str) else ""
    if unit.removesuffix("s") in ("month", "year"):
        return f"; a {unit.removesuffix('s')} has no fixed length, so use days"
    units = [f"{each}s" for each in UNITS]
    close = "" if unit in UNITS else nearest(unit, [each for each in units if each != unit])
    return close or f"; use a number of {', '.join(units)}, and at most 100 years"
