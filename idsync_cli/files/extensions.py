"""The `extensions` of a scope: YAML to guard rails, with every fault at its place (section 11)."""

import re
from collections.abc import Callable, Iterator
from difflib import get_close_matches
from typing import Final

from idsync_cli.core.codes import Beyond, Extension, Normalizer
from idsync_cli.core.config.guard_rails import NO_GUARD_RAILS, GuardRails, ValueLimit
from idsync_cli.core.config.placeholders import PLACEHOLDERS
from idsync_cli.core.identity import TYPE_ORDER, IdentityType, value_fault
from idsync_cli.errors import nearest, quoted
from idsync_cli.files.yaml_tree import Faults, Node, SourcePosition

ReadType = Callable[[object, SourcePosition, str], IdentityType | None]
"""Reads the name of a type, or notes what is wrong with it; the text is for the message."""

ALL_TYPES: Final = "*"
"""What stands for all types where values are blocked."""

_LIMIT: Final = ("limit", "beyond")
_POSITIVE: Final = re.compile(r"[1-9][0-9]{0,17}")
_NEARLY: Final = 0.85  # how alike a word is that is hardly meant as it stands


def read_extensions(node: Node | None, faults: Faults, read_type: ReadType) -> GuardRails:
    """Read the extensions of a scope; whatever is wrong in them is left out."""
    if node is None:
        return NO_GUARD_RAILS
    return _Reader(faults, read_type).guard_rails(node)


class _Reader:
    """Reads the entries of one scope's extensions, noting what is wrong with them."""

    def __init__(self, faults: Faults, read_type: ReadType) -> None:
        self._faults = faults
        self._read_type = read_type

    def guard_rails(self, node: Node) -> GuardRails:
        entries = self._faults.entries(node, tuple(Extension), "extensions")
        normalize, blocked, limits, moving = (entries.get(each) for each in Extension)
        limited = (
            (kind, self._limit(kind, each))
            for kind, each in self._by_type(Extension.MAX_VALUES, limits)
        )
        blocking: dict[IdentityType | None, tuple[str, ...]] = {}
        for_all = None if blocked is None or not blocked.mapping else blocked.mapping.get(ALL_TYPES)
        if for_all is not None:
            blocking[None] = self._blocked("what is blocked for all types", for_all)
        for kind, each in self._by_type(Extension.BLOCKED, blocked):
            blocking[kind] = self._blocked(f"what is blocked for {kind}", each)
        return GuardRails(
            {
                kind: self._normalizers(kind, each)
                for kind, each in self._by_type(Extension.NORMALIZE, normalize)
            },
            blocking,
            {kind: limit for kind, limit in limited if limit is not None},
            self._moving(moving),
        )

    def _by_type(
        self, extension: Extension, node: Node | None
    ) -> Iterator[tuple[IdentityType, Node]]:
        """The entries of an extension by type, under whatever name of it."""
        if node is None:
            return
        seen: set[IdentityType] = set()
        for name, entry in self._faults.entries(node, None, extension).items():
            if extension is Extension.BLOCKED and name == ALL_TYPES:
                continue
            position = node.keys[name]
            kind = self._read_type(name, position, quoted(name))
            if kind in seen:
                self._faults.add(position, f"{kind} appears twice under {extension}; keep one")
            elif kind is not None:
                seen.add(kind)
                yield kind, entry

    def _normalizers(self, kind: IdentityType, node: Node) -> tuple[Normalizer, ...]:
        found: list[Normalizer] = []
        wanted = f"a list, such as [{Normalizer.TRIM}, {Normalizer.LOWERCASE}]"
        for item in self._items(f"normalize of {kind}", node, wanted):
            value = item.value
            if not isinstance(value, str) or value not in set(Normalizer):
                near = nearest(value, Normalizer) if isinstance(value, str) else ""
                hint = near or f"; use one of {', '.join(Normalizer)}"
                self._faults.add(item.position, f"unknown normalizer {item.described()}{hint}")
            elif value in found:
                self._faults.add(item.position, f"{value} appears twice for {kind}; keep one")
            else:
                found.append(Normalizer(value))
        return tuple(found)

    def _blocked(self, whose: str, node: Node) -> tuple[str, ...]:
        found: list[str] = []
        wanted = f"a list, such as [{PLACEHOLDERS}]"
        for item in self._items(whose, node, wanted):
            fault = self._fault_of_blocked(item)
            if fault is None and item.value in found:
                fault = "appears twice; keep one"
            if fault is not None:
                self._faults.add(item.position, f"the blocked value {item.described()} {fault}")
            elif isinstance(item.value, str):
                found.append(item.value)
        return tuple(found)

    def _fault_of_blocked(self, item: Node) -> str | None:
        """What keeps an item from being a value or a pattern of values."""
        value = item.value
        if not isinstance(value, str):
            return "is not text; put it between quotes"
        if not value:
            return "is empty, which no value is; remove it"
        if value != PLACEHOLDERS and get_close_matches(
            value.casefold(), [PLACEHOLDERS], cutoff=_NEARLY
        ):
            return f"is nearly the word for the built-in list; write {PLACEHOLDERS}"
        return value_fault(value.replace("*", ""))

    def _limit(self, kind: IdentityType, node: Node) -> ValueLimit | None:
        limit, beyond = node, None
        if node.mapping is not None:
            entries = self._faults.entries(node, _LIMIT, f"the limit of {kind}")
            beyond = entries.get("beyond")
            if "limit" not in entries:
                self._faults.add(node.position, f"no limit of {kind}; give one, such as limit: 3")
                return None
            limit = entries["limit"]
        if beyond is not None and beyond.value != Beyond.REPLACE_OLDEST:
            self._faults.add(
                beyond.position,
                f"beyond is {beyond.described()}, but must be {Beyond.REPLACE_OLDEST}; without it "
                "no further value is added",
            )
        if not isinstance(limit.value, str) or not _POSITIVE.fullmatch(limit.value):
            self._faults.add(
                limit.position,
                f"the limit of {kind} is {limit.described()}, but must be a positive integer",
            )
            return None
        return ValueLimit(int(limit.value), replaces_oldest=beyond is not None)

    def _moving(self, node: Node | None) -> tuple[IdentityType, ...]:
        found: list[IdentityType] = []
        for item in () if node is None else self._items("moving", node, "a list of device types"):
            kind = self._read_type(item.value, item.position, item.described())
            if kind in found:
                self._faults.add(item.position, f"{kind} appears twice under moving; keep one")
            elif kind is not None:
                found.append(kind)
        return tuple(sorted(found, key=TYPE_ORDER.__getitem__))

    def _items(self, whose: str, node: Node, wanted: str) -> tuple[Node, ...]:
        if node.sequence is None:
            self._faults.add(node.position, f"{whose} is {node.described()}, but must be {wanted}")
        return node.sequence or ()
