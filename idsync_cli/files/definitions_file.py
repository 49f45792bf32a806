"""Calculated attributes and audiences of a configuration: YAML to definitions (section 9)."""

import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Final, TypeVar

from idsync_cli.core.audiences.calculation import NEEDS_NO_ATTRIBUTE
from idsync_cli.core.codes import Calculation
from idsync_cli.core.config.definitions import (
    MAX_CONDITIONS,
    MAX_DEPTH,
    AllOf,
    AnyOf,
    AttributeCondition,
    Audience,
    AudienceCondition,
    CalculatedAttribute,
    Condition,
    Definitions,
    EventCondition,
    FirstSeenCondition,
    IdentityCondition,
    KnownCondition,
    Not,
    is_too_deep,
    size,
)
from idsync_cli.core.identity import TYPES_BY_NAME
from idsync_cli.errors import Hint, nearest, quoted
from idsync_cli.files.audience_references import AudienceReferences
from idsync_cli.files.comparison_file import COMPARISON, ComparisonReader
from idsync_cli.files.yaml_tree import Faults, Node

MAX_ID: Final = 2**53 - 1
"""The largest id of an audience: it is a number in JSON, and some readers hold no larger ones."""

_EVENTS = ("event", "event_type", "within", "where")
_CALCULATED = ("calculation", *_EVENTS, "attribute")
_GROUPS = ("all", "any", "not")
_SUBJECTS = ("attribute", "event", "identity", "known", "first_seen", "audience")
_KEYS: Mapping[str, tuple[str, ...]] = {
    "attribute": ("attribute", *COMPARISON),
    "event": (*_EVENTS, "operator"),
    "identity": ("identity", *COMPARISON),
    **{key: (key,) for key in (*_GROUPS, "known", "first_seen", "audience")},
}
"""What a condition may say besides what it names."""

_CONDITION = tuple(dict.fromkeys((*_GROUPS, *_SUBJECTS, *_EVENTS, *COMPARISON)))
_ID = re.compile("[1-9][0-9]{0,15}")

Code = TypeVar("Code", bound=StrEnum)


class DefinitionReader:
    """Reads what the scopes of one file define, noting what is wrong with it."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._values = ComparisonReader(faults)
        self._ids: dict[int, str] = {}  # of the audiences of all scopes
        self._references = AudienceReferences(faults)  # those of the scope at hand
        self._owner = ""

    def definitions(self, entries: Mapping[str, Node]) -> Definitions:
        """What a scope defines; what is at fault is left out."""
        calculated = dict(self._calculated_attributes(entries.get("calculated_attributes")))
        self._references = AudienceReferences(self._faults)
        node = entries.get("audiences")
        definitions = Definitions(calculated, dict(self._audiences(node)))
        written = (node.mapping or {}) if node is not None else {}
        if self._references.are_right(written) and len(definitions.audiences) == len(written) > 0:
            assert node is not None
            self._check_extent(definitions, node)
        return definitions

    def _calculated_attributes(
        self, node: Node | None
    ) -> Iterator[tuple[str, CalculatedAttribute]]:
        if node is None:
            return
        for name, each in self._faults.entries(node, None, "calculated_attributes").items():
            self._values.check_name(name, node.keys[name], "a calculated attribute")
            what = f"the calculated attribute {quoted(name)}"
            entries = self._faults.entries(each, _CALCULATED, what)
            calculation = self._code(Calculation, entries.get("calculation"), each, "calculation")
            events = self._values.events(entries, each, what)
            attribute = self._values.text(entries, "attribute")
            if calculation is None:
                continue
            if "attribute" not in entries and calculation not in NEEDS_NO_ATTRIBUTE:
                self._faults.add(
                    each.position,
                    f"no attribute; {calculation} is calculated from an event's attribute, "
                    "so name one",
                )
            yield name, CalculatedAttribute(calculation, events, attribute)

    def _audiences(self, node: Node | None) -> Iterator[tuple[str, Audience]]:
        if node is None:
            return
        for name, each in self._faults.entries(node, None, "audiences").items():
            self._values.check_name(name, node.keys[name], "an audience")
            what = f"the audience {quoted(name)}"
            entries = self._faults.entries(each, ("id", *_CONDITION), what)
            if each.mapping is None:
                continue
            self._owner = name
            number = self._id(name, each, entries.get("id"))
            condition = self._one_of(
                each, {key: node for key, node in entries.items() if key != "id"}, what
            )
            if condition is None:
                continue
            yield name, Audience(number or 0, condition)

    def _id(self, name: str, audience: Node, node: Node | None) -> int | None:
        if node is None:
            self._faults.add(
                audience.position, "no id; give a positive integer that no other audience has"
            )
            return None
        text = node.value if isinstance(node.value, str) else ""
        number = int(text) if _ID.fullmatch(text) else 0
        if not 1 <= number <= MAX_ID:
            self._faults.add(
                node.position,
                f"id is {node.described()}, but must be a positive integer below 2^53",
            )
            return None
        if number in self._ids:
            self._faults.add(
                node.position,
                f"the id {number} appears twice, first for the audience {quoted(self._ids[number])}"
                "; an id is unique in a configuration",
            )
        self._ids.setdefault(number, name)
        return number

    def _condition(self, node: Node) -> Condition | None:
        entries = self._faults.entries(node, _CONDITION, "a condition")
        return None if node.mapping is None else self._one_of(node, entries, "the condition")

    def _one_of(self, node: Node, entries: Mapping[str, Node], what: str) -> Condition | None:
        """The one thing that a condition says."""
        kinds = list(
            dict.fromkeys(
                "event" if key == "event_type" else key
                for key in entries
                if key in (*_GROUPS, *_SUBJECTS, "event_type")
            )
        )
        if len(kinds) != 1:
            self._faults.add(node.position, f"{what} {_not_one(kinds)}")
            return None
        kind = kinds[0]
        for key in entries:
            if key not in _KEYS[kind]:
                others = [each for each in _KEYS[kind] if each != kind]
                fitting = f"use {', '.join(others)}" if others else "remove it"
                self._faults.add((node.keys)[key], f"{key} has no effect beside {kind}; {fitting}")
        return self._of_kind(kind, node, entries)

    def _of_kind(self, kind: str, node: Node, entries: Mapping[str, Node]) -> Condition | None:
        if kind in ("all", "any"):
            parts = self._parts(kind, entries[kind])
            return (AllOf(parts) if kind == "all" else AnyOf(parts)) if parts else None
        if kind == "not":
            inner = self._condition(entries["not"])
            return None if inner is None else Not(inner)
        if kind == "event":
            events = self._values.events(entries, node, "the condition")
            return EventCondition(events, self._values.is_there(entries))
        if kind == "attribute":
            name = self._values.text(entries, "attribute")
            comparison = self._values.comparison(entries, node)
            return AttributeCondition(name, comparison) if name and comparison else None
        if kind == "identity":
            return self._identity(node, entries)
        if kind == "known":
            known = entries["known"]
            if not isinstance(known.value, bool):
                self._faults.add(
                    known.position, f"known is {known.described()}, but must be true or false"
                )
            return KnownCondition(known.value is True)
        if kind == "first_seen":
            return self._first_seen(entries["first_seen"])
        named = self._values.text(entries, "audience")
        if named is None:
            return None
        self._references.add(self._owner, named, entries["audience"].position)
        return AudienceCondition(named)

    def _parts(self, kind: str, node: Node) -> tuple[Condition, ...]:
        if node.sequence is None:
            self._faults.add(
                node.position, f"{kind} is {node.described()}, but must be a list of conditions"
            )
        elif not node.sequence:
            self._faults.add(node.position, f"{kind} is empty; give at least one condition")
        read = [self._condition(each) for each in node.sequence or ()]
        return tuple(each for each in read if each is not None)

    def _identity(self, node: Node, entries: Mapping[str, Node]) -> Condition | None:
        name = entries["identity"]
        comparison = self._values.comparison(entries, node, of_identity=True)
        if isinstance(name.value, str) and name.value in TYPES_BY_NAME:
            kind = TYPES_BY_NAME[name.value]
            return None if comparison is None else IdentityCondition(kind, comparison)
        close = nearest(name.value, TYPES_BY_NAME) if isinstance(name.value, str) else ""
        hint = None if close else Hint.LIST_TYPES
        self._faults.add(name.position, f"unknown identity type {name.described()}{close}", hint)
        return None

    def _first_seen(self, node: Node) -> Condition | None:
        entries = self._faults.entries(node, ("within", *COMPARISON), "first_seen")
        if node.mapping is None:
            return None
        length = self._values.within(entries)
        comparison = None
        if "within" not in entries or len(entries) > 1:
            comparison = self._values.comparison(entries, node, of_time=True)
        return FirstSeenCondition(length, comparison)

    def _code(self, codes: type[Code], node: Node | None, parent: Node, key: str) -> Code | None:
        if node is None:
            if parent.mapping is not None:
                self._faults.add(parent.position, f"no {key}; use one of {', '.join(codes)}")
            return None
        return self._values.code(codes, node, key)

    def _check_extent(self, definitions: Definitions, node: Node) -> None:
        """Check that no audience is larger than a query, or a person, can take in."""
        for name in definitions.audiences:
            position, what = node.keys[name], f"the audience {quoted(name)}"
            if is_too_deep(definitions, name):
                self._faults.add(
                    position,
                    f"{what} is nested more than {MAX_DEPTH} conditions deep, including "
                    "those of the audiences that it names; flatten it",
                )
            elif (conditions := size(definitions, name)) > MAX_CONDITIONS:
                self._faults.add(
                    position,
                    f"{what} has {conditions:,} conditions, including those of the audiences that "
                    f"it names; at most {MAX_CONDITIONS} are allowed: compare with many values by "
                    "in_list",
                )


def _not_one(kinds: list[str]) -> str:
    """What is wrong with a condition that names nothing, or several things."""
    if not kinds:
        return f"names nothing; use one of {', '.join((*_GROUPS, *_SUBJECTS))}"
    told = f"has {' and '.join(kinds)}, but may have only one of them"
    if set(kinds) == {"attribute", "event"}:
        return f"{told}; conditions on the event's attributes go under where"
    return f"{told}; put them under all or any"
