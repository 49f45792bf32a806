"""YAML as written: every scalar keeps its text, every node its place (section 3).

Built from the parser's events rather than by a loader, which would turn `0123` into 83, drop the
first of two equal keys, and follow aliases.
"""

import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import Any, cast

import yaml

from idsync_cli.errors import Excerpt, Fault, FileFault, Hint, nearest, printable, quoted
from idsync_cli.files.contents import ARCHIVES, is_packed, look

MAX_BYTES = 2**20
"""The largest configuration or scenario file that is read."""

MAX_DEPTH = 50
"""How deeply nodes may be nested."""

MOST_NODES = 150_000
"""How many values and keys a file may have: small ones take far more memory than their text."""

MOST_FAULTS = 100
"""How many faults of a file are told: whoever made more of them made the file by a program."""

_NULLS = ("", "~", "null")
_BOOLEANS = {"true": True, "false": False}
# To YAML 1.1 these three end a line, a comment too; to JSON, YAML 1.2 and every editor they do not.
_LINE_ENDS_OF_OLD = re.compile("[\x85\u2028\u2029]")
# What a caret stands under: a text between quotes, or all up to what ends a plain word of a key or
# an item.
_WORD = re.compile(r""""(?:[^"\\]|\\.)*"|'[^']*'|[^\s,:\[\]{}#'"][^\s,:\[\]{}]*""")
# The C parser is ten times as fast, and not in every build of the library.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True, order=True)
class SourcePosition:
    """Where something stands in a file, counted from 1."""

    line: int
    column: int


START = SourcePosition(1, 1)


@dataclass(frozen=True, slots=True)
class Node:
    """A value and where it stands.

    `value` is text, a boolean, None, a tuple of nodes, or a mapping of keys to nodes; `keys` tells
    where each key of a mapping stands. The characters from `start` to before `end` of the text
    are the node's, with what stands between its first and its last mark.
    """

    value: "str | bool | tuple[Node, ...] | Mapping[str, Node] | None"
    place: SourcePosition
    keys: Mapping[str, SourcePosition]
    start: int = 0
    end: int = 0

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

    def __init__(self, path: Path, most: int | None = MOST_FAULTS) -> None:
        self._path = path.as_posix()
        self._most = most
        self._found: list[tuple[SourcePosition, str, Hint | None, Excerpt | None]] = []
        self._lines: list[str] = []

    def show_lines_of(self, text: str) -> None:
        """Keep the text of the file, so that each fault comes with the line that it is in."""
        self._lines = text.split("\n")

    def another(self) -> "Faults":
        """What collects as many as there are of the same file."""
        made = Faults(Path(self._path), most=None)
        made._lines = self._lines
        return made

    def add(
        self,
        place: SourcePosition,
        message: str,
        hint: Hint | None = None,
        excerpt: Excerpt | None = None,
    ) -> None:
        """Note a fault at a place, which is shown unless it has an excerpt of its own.

        Raises:
            FileFault: there are so many that nobody would read more of them.
        """
        self._found.append((place, message, hint, excerpt))
        if self._most is not None and len(self._found) > self._most:
            del self._found[self._most :]
            more = Fault(self._path, f"and more errors; fix these {self._most} first")
            raise FileFault([*self.in_order(), more])

    def in_order(self) -> list[Fault]:
        """What was found, in the order of the file."""
        return [self.fault(*each) for each in sorted(self._found, key=itemgetter(0, 1))]

    def fault(
        self,
        place: SourcePosition,
        message: str,
        hint: Hint | None = None,
        excerpt: Excerpt | None = None,
    ) -> Fault:
        """A fault at a place, with the line that it is in."""
        shown = excerpt or _excerpt(self._lines, place)
        return Fault(self._path, message, place.line, place.column, hint, shown)

    def raise_any(self) -> None:
        """Raise FileFault if there is any."""
        if self._found:
            raise FileFault(self.in_order())

    def items(self, node: Node) -> tuple[Node, ...]:
        """The items of a list; adds a fault where `node` is none."""
        if node.sequence is None:
            self.add(node.place, f"{node.described()}, but a list is expected")
        return node.sequence or ()

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


def _excerpt(lines: Sequence[str], place: SourcePosition) -> Excerpt | None:
    if place.line > len(lines):
        return None
    line = lines[place.line - 1].removesuffix("\r")
    word = _WORD.match(line, place.column - 1)
    return Excerpt(place.line, line, place.column, len(word[0]) if word else 1)


def read_documents(path: Path, faults: Faults) -> list[Node]:
    """Read all documents of a YAML file.

    What idsync does not take of YAML (aliases, tags, a key twice) is added to `faults`.

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
            _place_in(text, found.start()),
            f"the character {shown} would end a line; write it as "
            f'"\\u{ord(found[0]):04x}" between double quotes, or remove it',
        )
        faults.raise_any()
    try:
        return list(_Builder(faults).documents(text))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = ", ".join(filter(None, (error.context, error.problem)))
        place = _place(mark) if mark else START
        tab = mark is not None and _holds_tab_before(text, place)
        starts_none = "cannot start any token" in (error.problem or "")
        unquoted = "; put a value that begins with it between quotes" if starts_none else ""
        way_out = "; indent with spaces, not tabs" if tab else unquoted
        faults.add(place, f"broken YAML: {printable(what)}{way_out}")
    except yaml.reader.ReaderError:
        # The error counts bytes or characters, by which of the two parsers is there.
        found = yaml.reader.Reader.NON_PRINTABLE.search(text)
        what = f"the character {printable(found[0])}" if found else "a character"
        faults.add(
            _place_in(text, found.start() if found else 0),
            f"{what} is not allowed in YAML; write it as an escape between double quotes, "
            "or remove it",
        )
    faults.raise_any()
    raise AssertionError("unreachable: the fault was just added")


def _place_in(text: str, index: int) -> SourcePosition:
    line_start = text.rfind("\n", 0, index) + 1
    return SourcePosition(text.count("\n", 0, index) + 1, index - line_start + 1)


def _holds_tab_before(text: str, place: SourcePosition) -> bool:
    """Whether a tab stands among the white space that a line begins with, up to a place."""
    line = text.split("\n")[place.line - 1 : place.line]
    return bool(line) and "\t" in line[0][: len(line[0]) - len(line[0].lstrip())]


def read_bytes(path: Path) -> bytes:
    """What a file holds; one that gzip packed, unpacked.

    Raises:
        FileFault: it cannot be read, or is larger than a configuration or scenario file may be.
    """
    name = path.as_posix()
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        if is_packed(data):
            import gzip

            with gzip.open(path, "rb") as file:
                data = file.read(MAX_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        cause = getattr(error, "strerror", None) or str(error)
        raise FileFault([Fault(name, cause)]) from None
    if len(data) > MAX_BYTES:
        raise FileFault([Fault(name, "larger than 1 MiB; split it into several files")])
    return data


def text_of(path: Path, data: bytes) -> str:
    """The text of a file, without its byte-order mark.

    Raises:
        FileFault: it is not UTF-8.
    """
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        found = look(data, is_all=True)
        if found in ARCHIVES:
            raise FileFault([Fault(path.as_posix(), f"{found}; unpack it first")]) from None
        start = data.rfind(b"\n", 0, error.start) + 1
        line = data[start:].partition(b"\n")[0].removesuffix(b"\r").decode("utf-8", "replace")
        number = data.count(b"\n", 0, start) + 1
        column = len(data[start : error.start].decode("utf-8-sig" if number == 1 else "utf-8")) + 1
        what = "not UTF-8; save the file as UTF-8"
        excerpt = Excerpt(number, line, column)
        raise FileFault([Fault(path.as_posix(), what, number, excerpt=excerpt)]) from None


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
        place = _place(event.start_mark)
        self._nodes += 1
        if self._nodes > MOST_NODES:
            self._faults.add(
                place, f"more than {MOST_NODES:,} keys and values; split it into several files"
            )
            self._faults.raise_any()
        if isinstance(event, yaml.AliasEvent):
            self._faults.add(place, "aliases are not supported; write the value out")
            return Node(None, place, {})
        if event.anchor is not None:
            self._faults.add(
                place, f"anchors are not supported; remove the anchor {quoted(event.anchor)}"
            )
        if event.tag is not None:
            self._faults.add(place, f"tags are not supported; remove the tag {quoted(event.tag)}")
        if isinstance(event, yaml.ScalarEvent):
            start, end = cast("Any", event.start_mark).index, cast("Any", event.end_mark).index
            return Node(_scalar(event), place, {}, start, end)
        self._depth += 1
        if self._depth > MAX_DEPTH:
            self._faults.add(place, f"nested more than {MAX_DEPTH} levels deep; no key needs that")
            self._faults.raise_any()
        opening = event
        if isinstance(opening, yaml.MappingStartEvent):
            node = self._mapping(opening, events)
        else:
            items = []
            while not isinstance(event := next(events), yaml.SequenceEndEvent):
                items.append(self._node(event, events))
            end = _end(opening, event, items[-1] if items else None)
            node = Node(tuple(items), place, {}, opening.start_mark.index, end)
        self._depth -= 1
        return node

    def _mapping(self, opening: Any, events: Iterator[Any]) -> Node:
        entries: dict[str, Node] = {}
        keys: dict[str, SourcePosition] = {}
        node = None
        while not isinstance(event := next(events), yaml.MappingEndEvent):
            at = _place(event.start_mark)
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
        return Node(entries, _place(opening.start_mark), keys, opening.start_mark.index, end)


def _end(opening: Any, closing: Any, last: Node | None) -> int:
    """Where a list or mapping ends: at its bracket, or with the last node of one without."""
    if opening.flow_style or last is None:
        return int(closing.end_mark.index)
    return last.end


def _place(mark: Any) -> SourcePosition:
    return SourcePosition(mark.line + 1, mark.column + 1)


def _scalar(event: Any) -> str | bool | None:
    text: str = event.value
    if event.style in (None, ""):  # plain: neither quoted nor a block
        if text in _NULLS:
            return None
        return _BOOLEANS.get(text, text)
    return text
