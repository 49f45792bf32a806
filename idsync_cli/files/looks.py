"""What a file holds, told by its first bytes and lines: names and suffixes tell nothing for sure.

Of lines the first two that are not blank are looked at, and no more: what comes live through a pipe
is not waited for.
"""

import json
import re
from codecs import getincrementaldecoder
from typing import Any

from idsync_cli.core.codes import RequestKind
from idsync_cli.files.contents import BYTE_ORDER_MARK, Contents
from idsync_cli.files.gzip_mark import GZIP
from idsync_cli.files.table import cells_of, is_comment, names_columns, says_separator

LOOKED_AT = 2**20
"""How many bytes are looked at, at most."""

_BEGINNINGS = (
    (GZIP, Contents.PACKED_TWICE),
    (b"BZh", Contents.BZIP2),
    (b"\xfd7zXZ\0", Contents.XZ),
    (b"\x28\xb5\x2f\xfd", Contents.ZSTD),
    (b"7z\xbc\xaf\x27\x1c", Contents.SEVEN_ZIP),
    (b"PK\x03\x04", Contents.ZIP),
    (b"PK\x05\x06", Contents.ZIP),
    (b"SQLite format 3\0", Contents.SQLITE),
    (b"PAR1", Contents.PARQUET),
    (b"%PDF-", Contents.PDF),
    (b"\x89PNG", Contents.PICTURE),
    (b"\xff\xd8\xff", Contents.PICTURE),
    (b"GIF8", Contents.PICTURE),
    (b"version https://git-lfs.github.com/spec/", Contents.POINTER),
    (b"\0\0\0\0", Contents.NULS),
    (b"\xff\xfe\0\0", Contents.UTF_32),
    (b"\0\0\xfe\xff", Contents.UTF_32),
    (b"\xff\xfe", Contents.UTF_16),
    (b"\xfe\xff", Contents.UTF_16),
)
_TAR = slice(257, 262)

_HAR = re.compile(rb'\s*\{\s*"log"\s*:\s*\{')
_WRAPPED = re.compile(
    rb'\s*\{\s*"(?!events|user_identities|identity_changes|known_identities|identities|device_info'
    rb'|context|response|record)([^"\\]+)"\s*:\s*(?:\{\s*"([^"\\]+)"\s*:\s*)?\[\s*\{'
)
_BEGINS_AN_OBJECT = re.compile(rb'\{\s*"')
_TWO_OBJECTS = re.compile(rb"\}[ \t]*\r[ \t\r]*\{")
_ARRAY_OF_OBJECTS = re.compile(rb"\[\s*[\[{]")
_YAML = re.compile(
    rb"---\s|(?:- +)?(?:type|scope|scopes|workspace|known_identities|identity_changes|mpid|version"
    rb"|given|steps|config|identify|login|search|modify|batch):(?:\s|$)"
)
_NOT_IN_TEXT = re.compile(rb"[\0-\x08\x0e-\x19\x1c\x1d\x1f]")  # but for what ends or parts texts
_MARKUP = re.compile(rb"<[!?a-zA-Z]")
_BATCH = {"events", "user_identities", "device_info", "mp_deviceid", "batch_id"}
_REQUEST = {"known_identities", "identity_changes"}


def is_enough(head: bytes) -> bool:
    """Whether so much of a file tells what it holds, if there may be more of it."""
    if len(head) >= LOOKED_AT:
        return True
    first, end, rest = head.removeprefix(BYTE_ORDER_MARK).lstrip().partition(b"\n")
    if not end:
        return False
    return _is_whole(first) or b"\n" in rest.lstrip()


def look(head: bytes, *, is_all: bool = False) -> Contents:
    """What a file holds that begins so; `is_all` says that nothing follows."""
    for beginning, contents in _BEGINNINGS:
        if head.startswith(beginning):
            return contents
    if head[_TAR] == b"ustar":
        return Contents.TAR
    if (wide := _wide(head[:4])) is not None:
        return wide
    text = head.removeprefix(BYTE_ORDER_MARK).lstrip()
    if not text:
        return Contents.NOTHING if is_all else Contents.TEXT
    if text.startswith(b"{"):
        return _of_objects(text)
    if text.startswith(b"["):
        return _of_brackets(text, is_all=is_all)
    if _MARKUP.match(text):
        return Contents.MARKUP
    if _YAML.match(text):
        return Contents.YAML
    return _of_text(text)


def _wide(beginning: bytes) -> Contents | None:
    """Whether characters of two or four bytes begin, without a mark that says so."""
    empty = [byte == 0 for byte in beginning]
    if empty in ([False, True, True, True], [True, True, True, False]):
        return Contents.UTF_32
    if empty in ([False, True, False, True], [True, False, True, False]):
        return Contents.UTF_16
    return None


def _of_objects(text: bytes) -> Contents:
    if _HAR.match(text):
        return Contents.HAR
    first, _, rest = text.partition(b"\n")
    if path_of_list(text) and not (_is_whole(first) and rest.strip()):
        return Contents.WRAPPED
    if _TWO_OBJECTS.search(first):
        return Contents.CARRIAGE_RETURNS
    value, end = _decoded(first)
    behind = first.decode("utf-8", "replace")[end:].lstrip()
    if isinstance(value, dict) and behind.startswith(","):
        return Contents.COMMAS
    if isinstance(value, dict) and behind.startswith("{") and _is_whole(first):
        return Contents.ON_ONE_LINE
    if _is_whole(first):
        return _kind_of(value)
    return Contents.LAID_OUT if rest.strip() and _spans_lines(text, first) else Contents.OBJECTS


def path_of_list(text: bytes) -> list[str]:
    """The members that lead to the list that an object begins with; none if there is none."""
    found = _WRAPPED.match(text)
    return (
        []
        if found is None
        else [each.decode("utf-8", "replace") for each in found.groups() if each]
    )


def _is_whole(line: bytes) -> bool:
    """Whether a line looks like an object that begins and ends in it."""
    return line.startswith(b"{") and line.rstrip().endswith(b"}")


def _kind_of(value: object) -> Contents:
    """What the object of a first line is, by the members that tell."""
    if not isinstance(value, dict):
        return Contents.OBJECTS
    if {"seq", "status"} <= value.keys():
        return Contents.ANSWERS
    if value.get("type") in set(RequestKind) or _REQUEST & value.keys():
        return Contents.REQUESTS
    if "identities" in value or "record" in value:
        return Contents.PROFILES
    if "type" not in value and _BATCH & value.keys():
        return Contents.BATCHES
    return Contents.OBJECTS


def _spans_lines(text: bytes, first: bytes) -> bool:
    """Whether the JSON value that a text begins with goes on behind its first line.

    It does where it ends further on, or where nothing is wrong with it but that the text ends.
    """
    value, position = _decoded(text)
    if value is None and position < _characters(text.rstrip()):
        return False
    return position > _characters(first)


def _of_brackets(text: bytes, *, is_all: bool) -> Contents:
    """What a file holds that begins with a bracket: an array, or lines that begin so."""
    first, end, rest = text.partition(b"\n")
    value, position = _decoded(text)
    if value is not None:
        is_one = position > _characters(first) or (is_all and not rest.strip())
        return Contents.ARRAY if is_one else Contents.TEXT  # of which the first line alone is one
    if any(_holds_object(line) for line in text.split(b"\n")[:2]):
        return Contents.PREFIXED  # by a time between brackets
    line, holds_objects = first.rstrip(), _ARRAY_OF_OBJECTS.match(text) is not None
    if position >= (_characters(first) + 1 if end else _characters(text.rstrip())) or line == b"[":
        return Contents.ARRAY  # nothing is wrong with the first line, but that more follows
    is_ended = line.endswith(b"]")
    is_array = holds_objects and not is_ended if rest.strip() else holds_objects or is_ended
    return Contents.ARRAY if is_array else Contents.TEXT


def _decoded(text: bytes) -> tuple[Any, int]:
    """The JSON value that a text begins with, and where it ends; None, and where it is at fault.

    A text that was not ended is at fault where the rest of it would stand.
    """
    shown = text.decode("utf-8", "replace")
    try:
        return json.JSONDecoder().raw_decode(shown)
    except json.JSONDecodeError as error:
        ends_in_text = error.msg.startswith("Unterminated string")
        return None, len(shown.rstrip()) if ends_in_text else error.pos
    except (RecursionError, ValueError):
        return None, 0


def _characters(text: bytes) -> int:
    return len(text.decode("utf-8", "replace"))


def _of_text(text: bytes) -> Contents:
    lines = [line for line in text.split(b"\n") if line.strip() and not _is_before_header(line)][:2]
    if not lines:
        return Contents.TEXT
    if any(_is_whole(line.lstrip()) for line in lines):
        return Contents.TEXT  # of which the first line alone is wrong
    if _NOT_IN_TEXT.search(lines[0]) and not _is_utf_8(lines[0]):
        return Contents.BINARY
    before, carriage_return, _ = lines[0].rstrip().partition(b"\r")
    if carriage_return and before.count(b'"') % 2 == 0:  # else it stands in a cell
        return Contents.CARRIAGE_RETURNS
    quoted, _ = _decoded(lines[0])
    if isinstance(quoted, str) and quoted.lstrip().startswith("{"):
        return Contents.QUOTED
    rows = cells_of([line.decode("utf-8", "replace") for line in lines])
    if names_columns(rows[0]):
        return Contents.CSV
    if any(line.lstrip().startswith(b"{") for line in lines):
        return Contents.TEXT
    if any(_holds_object(line) for line in lines):
        return Contents.PREFIXED
    is_table = len(rows) > 1 and len(rows[0]) == len(rows[1]) > 1
    return Contents.CSV if is_table else Contents.TEXT


def _is_utf_8(line: bytes) -> bool:
    """Whether a line, or the beginning of one, is text of UTF-8; of text nothing is zero."""
    try:
        getincrementaldecoder("utf-8")().decode(line)
    except UnicodeDecodeError:
        return False
    return b"\0" not in line


def _is_before_header(line: bytes) -> bool:
    """Whether a line may stand before the header of a table: a comment, or `sep=;`."""
    shown = line.decode("utf-8", "replace")
    return is_comment(shown) or says_separator(shown)


def _holds_object(line: bytes) -> bool:
    """Whether a line ends with a JSON object, behind something that is no JSON around it."""
    begin = _BEGINS_AN_OBJECT.search(line)
    if begin is None or not line.rstrip().endswith(b"}"):
        return False
    before = line[: begin.start()]
    if not before.strip() or before.count(b"[") > before.count(b"]"):
        return False
    text = line[begin.start() :]
    value, end = _decoded(text)
    return isinstance(value, dict) and end == _characters(text.rstrip())
