"""YAML changed in place: the text of a few values is replaced, and every other byte stays."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from idsync_cli.file_faults import Fault, FileFault
from idsync_cli.files.yaml_parser import parse_documents
from idsync_cli.files.yaml_tree import Faults, Node, text_of

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# What no reader of YAML takes for anything but text, and whole numbers, which idsync takes for it.
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_.@+/-]*|-?[1-9][0-9]{0,18}", re.ASCII)
_WORDS = ("null", "true", "false", "yes", "no", "on", "off", "y", "n")
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t"}
_COMMENT = re.compile(r"(^|\s)#")
_CONTENT = re.compile(r"\s*[^\s#]")

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Edit:
    """A value of a file, and what is to stand in its place: text, booleans, lists and mappings."""

    node: Node
    value: Any


def flow(value: Any) -> str:
    """A value on one line of YAML."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{flow(key)}: {flow(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(flow, value)) + "]"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    text = str(value)
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS:
        return text
    return '"' + "".join(map(_escaped, text)) + '"'


def _escaped(character: str) -> str:
    """A character between double quotes; JSON's escapes would halve those beyond 16 bits."""
    if character in _ESCAPES:
        return _ESCAPES[character]
    if character.isprintable():
        return character
    number = ord(character)
    return f"\\x{number:02x}" if number <= 0xFF else f"\\U{number:08x}"


def rewritten(path: Path, data: bytes, edits: Sequence[Edit]) -> bytes:
    """The bytes of a file with values replaced; that nothing else changed is checked by reading it.

    Raises:
        FileFault: what keeps the file from being rewritten exactly.
    """
    old = text = text_of(path, data)
    for edit in sorted(edits, key=lambda each: each.node.start, reverse=True):
        fault = _unsafe(edit.node, old)
        if fault:
            raise FileFault([Fault(path.as_posix(), fault, edit.node.position.line)])
        gap = _gap(edit.node, old)
        text = text[: edit.node.start] + gap + flow(edit.value) + text[edit.node.end :]
    mark = _BYTE_ORDER_MARK if data.startswith(_BYTE_ORDER_MARK) else b""
    new = mark + text.encode("utf-8")
    if not _reads_as(path, new, _documents(path, data, edits)):
        raise FileFault(
            [
                Fault(
                    path.as_posix(),
                    "its YAML layout cannot be updated automatically; edit it by hand",
                )
            ]
        )
    return new


def _reads_as(path: Path, data: bytes, wanted: list[Any]) -> bool:
    try:
        return _documents(path, data) == wanted
    except FileFault:
        return False


def _gap(node: Node, text: str) -> str:
    """What must stand before a value that is now on one line."""
    if node.start == node.end:
        return " "  # nothing at all stands right behind its colon
    *lines, before = text[: node.start].split("\n")
    above = [line for line in lines if _CONTENT.match(line)]
    indent = len(above[-1]) - len(above[-1].lstrip(" -")) if above else -1
    # A list of dashes may stand right below its key; in brackets it must stand further in.
    return "  " if not before.strip() and node.position.column - 1 <= indent else ""


def _unsafe(node: Node, text: str) -> str | None:
    """Say what would be lost with the text of a value, or None."""
    rest = list(text[node.start : node.end])
    for start, end in _scalars(node):
        if text[start:end][:1] in ("|", ">"):
            return "the value contains a block of text; put it between quotes first"
        rest[start - node.start : end - node.start] = "x" * (end - start)
    if _COMMENT.search("".join(rest)):
        return "a comment within the value would be lost; move it above the key first"
    return None


def _scalars(node: Node) -> Iterator[Span]:
    """Where the texts in a value stand."""
    for each in node.sequence or (node.mapping or {}).values():
        yield from _scalars(each)
    if node.sequence is None and node.mapping is None:
        yield node.start, node.end


def _documents(path: Path, data: bytes, edits: Sequence[Edit] = ()) -> list[Any]:
    """The plain values of a file, as they would be after the edits."""
    faults = Faults(path)
    documents = parse_documents(text_of(path, data), faults)
    faults.raise_any()
    values = {(edit.node.start, edit.node.end): edit.value for edit in edits}
    return [_plain(document, values) for document in documents]


def _plain(node: Node, values: Mapping[Span, Any]) -> Any:
    if (node.start, node.end) in values:
        return values[node.start, node.end]
    if node.mapping is not None:
        return {key: _plain(each, values) for key, each in node.mapping.items()}
    if node.sequence is not None:
        return [_plain(each, values) for each in node.sequence]
    return node.value
