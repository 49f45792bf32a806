"""What a step of a scenario expects of its answer (section 8)."""

from collections.abc import Callable, Iterable
from typing import Any

from idsync_cli.core.codes import ErrorCode, NoteCode, Op, Rule, Status, TierOutcome
from idsync_cli.core.everyday_names import type_hint, types_called
from idsync_cli.core.identity import TYPES_BY_NAME, IdentityType, mpid_rule, parse_mpid
from idsync_cli.errors import nearest
from idsync_cli.files.yaml_tree import Faults, Node
from idsync_cli.wire import Json

_CHANGE = ("op", "mpid", "identity_type", "value")


def read_expect(faults: Faults, node: Node) -> Json:
    """Read an `expect`; what it leaves out is left out, and types stand by canonical name."""
    return _Expectation(faults).read(node)


class _Expectation:
    """Reads the keys of an `expect`, noting words that no answer ever has."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults

    def read(self, node: Node) -> Json:
        readers: dict[str, Callable[[Node], Any]] = {
            "mpid": self._mpid,
            "status": lambda each: self._word(each, Status),
            "decided_by": self._decided_by,
            "matched": lambda each: [self._type(item) for item in self._faults.items(each)],
            "orphaned": lambda each: [self._some_mpid(item) for item in self._faults.items(each)],
            "source_mpid": self._mpid,
            "is_logged_in": self._flag,
            "notes": lambda each: [self._word(item, NoteCode) for item in self._faults.items(each)],
            "error": lambda each: self._word(each, ErrorCode),
            "changes": lambda each: [self._change(item) for item in self._faults.items(each)],
            "tiers": self._tiers,
            "events": self._number,
            "attributes_set": lambda each: [self._name(it) for it in self._faults.items(each)],
            "attributes_deleted": lambda each: [self._name(it) for it in self._faults.items(each)],
        }
        self._faults.entries(node, tuple(readers), "expect")
        return {
            key: readers[key](each) for key, each in (node.mapping or {}).items() if key in readers
        }

    def _change(self, node: Node) -> Json:
        entries = self._faults.entries(node, _CHANGE, "a change")
        missing = [key for key in _CHANGE if key not in entries]
        if missing:
            if node.mapping is not None:
                self._faults.add(node.position, f"the change has no {', '.join(missing)}")
            return {}
        value = entries["value"]
        if not isinstance(value.value, str):
            self._faults.add(
                value.position, f"the value {value.described()} is not text; put it between quotes"
            )
        return {
            "op": self._word(entries["op"], Op),
            "mpid": self._mpid(entries["mpid"]),
            "identity_type": self._type(entries["identity_type"]),
            "value": value.value,
        }

    def _tiers(self, node: Node) -> dict[str, str]:
        return {
            TYPES_BY_NAME[name].value: self._word(each, TierOutcome)
            for name, each in self._faults.entries(node, tuple(TYPES_BY_NAME), "tiers").items()
        }

    def _decided_by(self, node: Node) -> str:
        if isinstance(node.value, str) and node.value in TYPES_BY_NAME:
            return TYPES_BY_NAME[node.value].value
        return self._word(node, Rule, *TYPES_BY_NAME)

    def _type(self, node: Node) -> str:
        name = self._word(node, TYPES_BY_NAME)
        return TYPES_BY_NAME[name].value if name else ""

    def _mpid(self, node: Node) -> str | None:
        if node.value is None:
            return None
        if isinstance(node.value, str) and (node.value[:1] == "@" or parse_mpid(node.value)):
            return node.value
        self._faults.add(
            node.position, f"{node.described()} is neither @name nor an MPID{mpid_rule(node.value)}"
        )
        return None

    def _some_mpid(self, node: Node) -> str | None:
        if node.value is None:
            self._faults.add(node.position, "an empty value is neither an MPID nor @name")
        return self._mpid(node)

    def _flag(self, node: Node) -> bool:
        if not isinstance(node.value, bool):
            self._faults.add(
                node.position, f"{node.described()} is neither true nor false; write one of them"
            )
        return bool(node.value)

    def _number(self, node: Node) -> int:
        if isinstance(node.value, str) and node.value.isascii() and node.value.isdigit():
            return int(node.value[:19])
        self._faults.add(node.position, f"{node.described()} is not a number of events")
        return 0

    def _name(self, node: Node) -> str:
        if not isinstance(node.value, str):
            self._faults.add(
                node.position, f"the name {node.described()} is not text; put it between quotes"
            )
        return str(node.value)

    def _word(self, node: Node, allowed: Iterable[str], *also: str) -> str:
        words = [*map(str, allowed), *also]
        hint = ""
        if isinstance(node.value, str):
            if node.value in words:
                return node.value
            is_type = IdentityType.EMAIL in words and types_called(node.value)
            hint = type_hint(node.value) if is_type else nearest(node.value, words)
        hint = hint or f"; use one of {', '.join(words[:20])}"
        self._faults.add(node.position, f"{node.described()} is not known here{hint}")
        return ""
