"""Reading YAML as it is written: every scalar keeps its text, every node its place (section 3).

Nodes are built from the parser's events. A loader would turn `0123` into 83, drop the first of two
equal keys, and follow aliases.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import yaml

from idsync_cli.errors import printable, quoted
from idsync_cli.files.yaml_tree import START, Faults, Node, SourcePosition, read_bytes, text_of
from idsync_cli.files.yaml_words import words_for

MAX_DEPTH = 50
"""How deeply nodes may be nested."""

MOST_NODES = 150_000
"""How many values and keys a file may have: small ones take far more memory than their text."""

_NULLS = ("", "~", "null")
_BOOLEANS = {"true": True, "false": False}
# To YAML 1.1 these three end a line, a comment too; to JSON, YAML 1.2 and every editor they do not.
_LINE_ENDS_OF_OLD = re.compile("[\x85\u2028\u2029]")
# The C parser is ten times as fast, and not in every build of the library.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_documents(path: Path, faults: Faults) -> list[Node]:
    """Read all documents of a YAML file.

    What idsync does not accept of YAML (aliases, tags, a key twice) is added to `faults`.

    Raises:
        FileFault: the file cannot be read at all, or is not YAML.
    """
    return parse_documents(text_of(path, read_bytes(path)), faults)


def parse_documents(text: str, faults: Faults) -> list[Node]:
    """Read all documents of a YAML text, as `read_documents` does.

    Raises:
        FileFault: it is not YAML.
    """
    faults.show_lines_of(text)
    if found := _LINE_ENDS_OF_OLD.search(text):
        shown = printable(found[0])
        faults.add(
            _position_in(text, found.start()),
            f"the character {shown} would end a line; write it as "
            f'"\\u{ord(found[0]):04x}" between double quotes, or remove it',
        )
        faults.raise_any()
    try:
        return list(_Builder(faults).documents(text))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        if mark and error.context_mark and not text[mark.index :].strip():
            mark = error.context_mark  # what is not closed begins there
        position = _position_of(mark) if mark else START
        at = text[mark.index : mark.index + 1] if mark else ""
        follows_tab = mark is not None and _holds_tab_before(text, position)
        what = words_for(error.context, error.problem, at, follows_tab=follows_tab)
        faults.add(position, f"broken YAML: {what}")
    except yaml.reader.ReaderError:
        # The error counts bytes or characters, by which of the two parsers is there.
        found = yaml.reader.Reader.NON_PRINTABLE.search(text)
        what = f"the character {printable(found[0])}" if found else "a character"
        faults.add(
            _position_in(text, found.start() if found else 0),
            f"{what} is not allowed in YAML; write it as an escape between double quotes, "
            "or remove it",
        )
    faults.raise_any()
    raise AssertionError("unreachable: the fault was just added")


def _position_in(text: str, index: int) -> SourcePosition:
    line_start = text.rfind("\n", 0, index) + 1
    return SourcePosition(text.count("\n", 0, index) + 1, index - line_start + 1)


def _holds_tab_before(text: str, position: SourcePosition) -> bool:
    """Whether a tab stands among the white space that a line begins with, up to a place."""
    line = text.split("\n")[position.line - 1 : position.line]
    return bool(line) and "\t" in line[0][: len(line[0]) - len(line[0].lstrip())]


class _Builder:
    """Makes nodes of the parser's events."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._depth = 0
        self._nodes = 0

    def documents(self, text: str) -> Iterator[Node]:
        events = yaml.parse(text, Loader=_LOADER)
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                yield self._node(next(events), events)

    def _node(self, event: Any, events: Iterator[Any]) -> Node:
        position = _position_of(event.start_mark)
        self._nodes += 1
        if self._nodes > MOST_NODES:
            self._faults.add(
                position, f"more than {MOST_NODES:,} keys and values; split it into several files"
            )
            self._faults.raise_any()
        if isinstance(event, yaml.AliasEvent):
            self._faults.add(position, "aliases are not supported; write the value out")
            return Node(None, position, {})
        if event.anchor is not None:
            self._faults.add(
                position, f"anchors are not supported; remove the anchor {quoted(event.anchor)}"
            )
        if event.tag is not None:
            self._faults.add(
                position, f"tags are not supported; remove the tag {quoted(event.tag)}"
            )
        if isinstance(event, yaml.ScalarEvent):
            start, end = cast("Any", event.start_mark).index, cast("Any", event.end_mark).index
            return Node(_scalar(event), position, {}, start, end, event.style in (None, ""))
        self._depth += 1
        if self._depth > MAX_DEPTH:
            self._faults.add(
                position, f"nested more than {MAX_DEPTH} levels deep; no key needs that"
            )
            self._faults.raise_any()
        opening = event
        if isinstance(opening, yaml.MappingStartEvent):
            node = self._mapping(opening, events)
        else:
            items = []
            while not isinstance(event := next(events), yaml.SequenceEndEvent):
                items.append(self._node(event, events))
            end = _end(opening, event, items[-1] if items else None)
            node = Node(tuple(items), position, {}, opening.start_mark.index, end)
        self._depth -= 1
        return node

    def _mapping(self, opening: Any, events: Iterator[Any]) -> Node:
        entries: dict[str, Node] = {}
        keys: dict[str, SourcePosition] = {}
        node = None
        while not isinstance(event := next(events), yaml.MappingEndEvent):
            at = _position_of(event.start_mark)
            self._node(event, events)
            node = self._node(next(events), events)
            if not isinstance(event, yaml.ScalarEvent):
                self._faults.add(at, "a key must be a word, not a list or a mapping")
            elif event.value in entries:
                first = keys[event.value].line
                self._faults.add(
                    at,
                    f"the key {quoted(event.value)} appears twice, first in line {first}; keep one",
                )
            else:
                keys[event.value] = at
                entries[event.value] = node
        end = _end(opening, event, node)
        return Node(entries, _position_of(opening.start_mark), keys, opening.start_mark.index, end)


def _end(opening: Any, closing: Any, last: Node | None) -> int:
    """Where a list or mapping ends: at its bracket, or with the last node of one without."""
    if opening.flow_style or last is None:
        return int(closing.end_mark.index)
    return last.end


def _position_of(mark: Any) -> SourcePosition:
    return SourcePosition(mark.line + 1, mark.column + 1)


def _scalar(event: Any) -> str | bool | None:
    text: str = event.value
    if event.style in (None, ""):  # plain: neither quoted nor a block
        if text in _NULLS:
            return None
        return _BOOLEANS.get(text, text)
    return text
