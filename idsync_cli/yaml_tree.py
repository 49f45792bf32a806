"""YAML as written: every scalar keeps its text, every node its place (section 3).

Built from the parser's events rather than by a loader, which would turn `0123` into 83, drop the
first of two equal keys, and follow aliases.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from idsync_cli.errors import FileFault, nearest, printable, quoted

MAX_BYTES = 2**20
"""The largest configuration or scenario file that is read."""

MAX_DEPTH = 50
"""How deeply nodes may be nested."""

_NULLS = ("", "~", "null")
_BOOLEANS = {"true": True, "false": False}
# The C parser is ten times as fast, and not in every build of the library.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where something stands in a file, counted from 1."""

    line: int
    column: int


START = Place(1, 1)


@dataclass(frozen=True, slots=True)
class Node:
    """A value and where it stands.

    `value` is text, a boolean, None, a tuple of nodes, or a mapping of keys to nodes; `keys` tells
    where each key of a mapping stands.
    """

    value: "str | bool | tuple[Node, ...] | Mapping[str, Node] | None"
    place: Place
    keys: Mapping[str, Place]

    @property
    def mapping(self) -> "Mapping[str, Node] | None":
        """The entries of a mapping, or None for any other node."""
        return self.value if isinstance(self.value, dict) else None

    @property
    def sequence(self) -> "tuple[Node, ...] | None":
        """The items of a list, or None for any other node."""
        return self.value if isinstance(self.value, tuple) else None

    def plain(self) -> Any:
        """The value without places, as JSON would hold it."""
        if self.mapping is not None:
            return {key: node.plain() for key, node in self.mapping.items()}
        if self.sequence is not None:
            return [node.plain() for node in self.sequence]
        return self.value

    def described(self) -> str:
        """What stands here, for an error message."""
        if self.mapping is not None:
            return "a mapping"
        if self.sequence is not None:
            return "a list"
        if self.value is None:
            return "nothing"
        return quoted(str(self.value).lower() if isinstance(self.value, bool) else self.value)


class Faults:
    """Collects what is wrong with a file, to be told all at once, in the order of the file."""

    def __init__(self, path: Path) -> None:
        self._name = printable(path.as_posix())
        self._found: list[tuple[Place, str]] = []

    def add(self, place: Place, message: str) -> None:
        """Note a fault at a place."""
        self._found.append((place, message))

    def lines(self) -> list[str]:
        """What was found, each with its place."""
        return [
            f"{self._name}:{place.line}:{place.column}: {message}"
            for place, message in sorted(self._found)
        ]

    def raise_any(self) -> None:
        """Raise FileFault if there is any."""
        if self._found:
            raise FileFault(self.lines())

    def entries(self, node: Node, known: Sequence[str] | None, what: str) -> Mapping[str, Node]:
        """The entries of a mapping; adds a fault where `node` is none, or has a key not known.

        Where the keys are known, a null is as good as nothing and left out.
        """
        if node.mapping is None:
            self.add(node.place, f"{what} is {node.described()}, but must be a mapping")
            return {}
        if known is None:
            return node.mapping
        for key in node.mapping:
            if key not in known:
                hint = nearest(key, known) or f"; use one of {', '.join(known)}"
                self.add(node.keys[key], f"unknown key {quoted(key)} in {what}{hint}")
        return {
            key: each
            for key, each in node.mapping.items()
            if key in known and each.value is not None
        }


def read_documents(path: Path, faults: Faults) -> list[Node]:
    """Read all documents of a YAML file.

    What idsync does not take of YAML (aliases, tags, a key twice) is added to `faults`.

    Raises:
        FileFault: the file cannot be read at all, or is not YAML.
    """
    text = _read_text(path)
    try:
        return list(_Builder(faults).documents(text))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = ", ".join(filter(None, (error.context, error.problem)))
        faults.add(_place(mark) if mark else START, f"broken YAML: {what}")
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        faults.add(Place(line, 1), f"a character that YAML does not allow: {error.reason}")
    faults.raise_any()
    raise AssertionError("unreachable: the fault was just added")


def _read_text(path: Path) -> str:
    shown = printable(path.as_posix())
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise FileFault([f"{shown}: {error.strerror or error}"]) from None
    if len(data) > MAX_BYTES:
        raise FileFault([f"{shown}: larger than 1 MiB; split it into several files"])
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise FileFault([f"{shown}:{line}: not UTF-8; save the file as UTF-8"]) from None


class _Builder:
    """Makes nodes of the parser's events."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._depth = 0

    def documents(self, text: str) -> Iterator[Node]:
        events = yaml.parse(text, Loader=_LOADER)
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                yield self._node(next(events), events)

    def _node(self, event: Any, events: Iterator[Any]) -> Node:
        place = _place(event.start_mark)
        if isinstance(event, yaml.AliasEvent):
            self._faults.add(place, "an alias is not taken; write the value out")
            return Node(None, place, {})
        if event.anchor is not None:
            self._faults.add(place, f"the anchor {quoted(event.anchor)} is not taken; remove it")
        if event.tag is not None:
            self._faults.add(place, f"the tag {quoted(event.tag)} is not taken; remove it")
        if isinstance(event, yaml.ScalarEvent):
            return Node(_scalar(event), place, {})
        self._depth += 1
        if self._depth > MAX_DEPTH:
            self._faults.add(place, f"nested more than {MAX_DEPTH} deep")
            self._faults.raise_any()
        if isinstance(event, yaml.MappingStartEvent):
            node = self._mapping(place, events)
        else:
            items = []
            while not isinstance(event := next(events), yaml.SequenceEndEvent):
                items.append(self._node(event, events))
            node = Node(tuple(items), place, {})
        self._depth -= 1
        return node

    def _mapping(self, place: Place, events: Iterator[Any]) -> Node:
        entries: dict[str, Node] = {}
        keys: dict[str, Place] = {}
        while not isinstance(event := next(events), yaml.MappingEndEvent):
            at = _place(event.start_mark)
            self._node(event, events)
            node = self._node(next(events), events)
            if not isinstance(event, yaml.ScalarEvent):
                self._faults.add(at, "a key must be a word")
            elif event.value in entries:
                first = keys[event.value].line
                self._faults.add(
                    at, f"the key {quoted(event.value)} stands twice, first in line {first}"
                )
            else:
                keys[event.value] = at
                entries[event.value] = node
        return Node(entries, place, keys)


def _place(mark: Any) -> Place:
    return Place(mark.line + 1, mark.column + 1)


def _scalar(event: Any) -> str | bool | None:
    text: str = event.value
    if event.style in (None, ""):  # plain: neither quoted nor a block
        if text in _NULLS:
            return None
        return _BOOLEANS.get(text, text)
    return text
