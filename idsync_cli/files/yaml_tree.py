"""What a YAML file holds, as it is written: nodes with their places, and faults at them."""

import json
import re
import zlib
from collections.abc import Mapping, Sequence
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple

from idsync_cli.errors import Hint, nearest, quoted
from idsync_cli.file_faults import Excerpt, Fault, FileFault
from idsync_cli.files.gzip_mark import is_packed

MAX_BYTES = 2**20
"""The largest configuration or scenario file that is read."""

MOST_FAULTS = 100
"""How many faults of a file are told: a file with more of them was written by a program."""

# A number of JSON that is finite, and not so long that Python would refuse to read it.
_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,99})(\.[0-9]{1,99})?([eE][-+]?[0-9]{1,2})?")
# What a caret stands under: a text between quotes, or all up to what ends a plain key or item.
_PLAIN = r"(?:[^\s,:\[\]{}]|:(?=[^\s,\[\]{}]))"
_WORD = re.compile(
    rf"""\"(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s,:\[\]{{}}#'"]{_PLAIN}*(?: +(?!\#){_PLAIN}+)*"""
)


class SourcePosition(NamedTuple):
    """Where something stands in a file, counted from 1."""

    line: int
    column: int


START = SourcePosition(1, 1)


class Node(NamedTuple):
    """A value and where it stands.

    `value` is text, a boolean, None, a tuple of nodes, or a mapping of keys to nodes; `keys` tells
    where each key of a mapping stands. The characters from `start` to before `end` of the text
    are the node's, with what stands between its first and its last mark. Text that `is_bare` stands
    there without quotes.
    """

    value: "str | bool | tuple[Node, ...] | Mapping[str, Node] | None"
    position: SourcePosition
    keys: Mapping[str, SourcePosition]
    start: int = 0
    end: int = 0
    is_bare: bool = False

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

    def as_json(self) -> Any:
        """The value without places; text without quotes that is a number to JSON is that number."""
        if self.mapping is not None:
            return {key: node.as_json() for key, node in self.mapping.items()}
        if self.sequence is not None:
            return [node.as_json() for node in self.sequence]
        if self.is_bare and isinstance(self.value, str) and _NUMBER.fullmatch(self.value):
            return json.loads(self.value)
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
        self._text = ""
        self._shown: list[str] | None = None

    def show_lines_of(self, text: str) -> None:
        """Keep the text of the file, so that each fault comes with the line that it is in.

        Secrets of workspaces are not shown.
        """
        self._text, self._shown = text, None

    @property
    def _lines(self) -> list[str]:
        """The lines as they may be shown; most files have no fault, and need none."""
        if self._shown is None:
            from idsync_cli.files.hidden_secrets import without_secrets

            self._shown = without_secrets(self._text).split("\n")
        return self._shown

    def hide(self, node: Node) -> None:
        """Show nothing of a value, wherever a fault is."""
        from idsync_cli.files.hidden_secrets import without_value

        for each in (node.mapping or {}).values():
            self.hide(each)
        for each in node.sequence or ():
            self.hide(each)
        if (
            node.mapping is None
            and node.sequence is None
            and node.position.line <= len(self._lines)
        ):
            before = sum(len(line) + 1 for line in self._lines[: node.position.line - 1])
            text = without_value("\n".join(self._lines), before + node.position.column - 1)
            self._lines[:] = text.split("\n")

    def another(self) -> "Faults":
        """What collects as many as there are of the same file."""
        made = Faults(Path(self._path), most=None)
        made._text, made._shown = self._text, self._shown
        return made

    def add(
        self,
        position: SourcePosition,
        message: str,
        hint: Hint | None = None,
        excerpt: Excerpt | None = None,
    ) -> None:
        """Note a fault at a place, which is shown unless it has an excerpt of its own.

        Raises:
            FileFault: there are so many that nobody would read more of them.
        """
        self._found.append((position, message, hint, excerpt))
        if self._most is not None and len(self._found) > self._most:
            del self._found[self._most :]
            more = Fault(self._path, f"and more errors; fix these {self._most} first")
            raise FileFault([*self.in_order(), more])

    def in_order(self) -> list[Fault]:
        """What was found, in the order of the file."""
        return [self.fault(*each) for each in sorted(self._found, key=itemgetter(0, 1))]

    def fault(
        self,
        position: SourcePosition,
        message: str,
        hint: Hint | None = None,
        excerpt: Excerpt | None = None,
    ) -> Fault:
        """A fault at a place, with the line that it is in."""
        shown = excerpt or _excerpt(self._lines, position)
        return Fault(self._path, message, position.line, position.column, hint, shown)

    def raise_any(self) -> None:
        """Raise FileFault if there is any."""
        if self._found:
            raise FileFault(self.in_order())

    def items(self, node: Node) -> tuple[Node, ...]:
        """The items of a list; adds a fault where `node` is none."""
        if node.sequence is None:
            self.add(node.position, f"{node.described()}, but a list is expected")
        return node.sequence or ()

    def entries(self, node: Node, allowed: Sequence[str] | None, what: str) -> Mapping[str, Node]:
        """The entries of a mapping; adds a fault where `node` is none, or has a key not known.

        Where the keys are known, a null counts as absent and is left out.
        """
        if node.mapping is None:
            self.add(node.position, f"{what} is {node.described()}, but must be a mapping")
            return {}
        if allowed is None:
            return node.mapping
        for key in node.mapping:
            if key not in allowed:
                hint = nearest(key, allowed) or f"; use one of {', '.join(allowed)}"
                self.add(node.keys[key], f"unknown key {quoted(key)} in {what}{hint}")
        return {
            key: each
            for key, each in node.mapping.items()
            if key in allowed and each.value is not None
        }


def _excerpt(lines: Sequence[str], position: SourcePosition) -> Excerpt | None:
    if position.line > len(lines):
        return None
    line = lines[position.line - 1].removesuffix("\r")
    word = _WORD.match(line, position.column - 1)
    return Excerpt(position.line, line, position.column, len(word[0]) if word else 1)


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
        from idsync_cli.files.contents import ARCHIVES, DOCUMENTS
        from idsync_cli.files.looks import look

        found = look(data, is_all=True)
        if found in ARCHIVES:
            raise FileFault(
                [Fault(path.as_posix(), f"{found}; decompress or unpack it first")]
            ) from None
        if found in DOCUMENTS:
            raise FileFault([Fault(path.as_posix(), f"{found}, not YAML")]) from None
        start = data.rfind(b"\n", 0, error.start) + 1
        line = data[start:].partition(b"\n")[0].removesuffix(b"\r").decode("utf-8", "replace")
        number = data.count(b"\n", 0, start) + 1
        column = len(data[start : error.start].decode("utf-8-sig" if number == 1 else "utf-8")) + 1
        what = "not UTF-8; save the file as UTF-8"
        excerpt = Excerpt(number, line, column)
        raise FileFault([Fault(path.as_posix(), what, number, excerpt=excerpt)]) from None
