"""What a file holds, told by its first bytes and lines: names and suffixes tell nothing for sure.

Whoever reads a file says what it takes (`check`); of everything else it is said in one sentence
what it is and what makes it right. Of lines the first two that are not blank are looked at, and no
more: what comes live through a pipe is not waited for.
"""

import json
import re
from collections.abc import Collection
from enum import StrEnum
from typing import Any

from idsync_cli.core.codes import RequestKind
from idsync_cli.errors import FaultCode, Hint, UsageFault, quoted
from idsync_cli.files.table import cells_of, names_columns

LOOKED_AT = 2**20
"""How many bytes are looked at, at most."""

GZIP = b"\x1f\x8b"
"""What a file that gzip packed begins with."""

BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Contents(StrEnum):
    """What a file holds, in words that stand behind its name."""

    NOTHING = "is empty"
    OBJECTS = "holds JSON objects"
    REQUESTS = "holds requests"
    PROFILES = "holds profiles"
    ANSWERS = "holds answers"
    BATCHES = "holds event batches"
    TEXT = "holds text"
    CSV = "is CSV"
    ARRAY = "is a JSON array"
    LAID_OUT = "holds JSON objects that are laid out over several lines"
    COMMAS = "holds JSON objects with commas between them"
    ON_ONE_LINE = "holds several JSON objects on one line"
    HAR = "is a recording of a browser (HAR)"
    PREFIXED = "has text before the JSON object of each line, as a log has"
    CARRIAGE_RETURNS = "ends its lines with carriage returns alone"
    UTF_16 = "is UTF-16, not UTF-8"
    UTF_32 = "is UTF-32, not UTF-8"
    MARKUP = "is HTML or XML"
    YAML = "is YAML"
    NULS = "begins with NUL bytes, as a file that was never written to its end"
    POINTER = "is a pointer of Git LFS, not the file itself"
    PDF = "is a PDF document"
    PICTURE = "is a picture"
    PACKED_TWICE = "is packed by gzip twice"
    BZIP2 = "is packed by bzip2"
    XZ = "is packed by xz"
    ZSTD = "is packed by zstd"
    SEVEN_ZIP = "is packed by 7-Zip"
    ZIP = "is a zip archive, or a spreadsheet, which is one"
    TAR = "is a tar archive"
    SQLITE = "is an SQLite database"
    PARQUET = "is a Parquet file"


LINES = (Contents.NOTHING, Contents.OBJECTS, Contents.TEXT)
"""What may be a file of lines of JSON, whatever these are then said to be."""

ARCHIVES = (
    Contents.PACKED_TWICE,
    Contents.BZIP2,
    Contents.XZ,
    Contents.ZSTD,
    Contents.SEVEN_ZIP,
    Contents.ZIP,
    Contents.TAR,
)
"""What has to be unpacked before it can be read."""

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

_WAYS_OUT = {
    Contents.REQUESTS: Hint.REPLAY_FILE,
    Contents.PROFILES: Hint.IMPORT_FILE,
    Contents.ANSWERS: Hint.NAME_WHAT_WAS_ANSWERED,
    Contents.BATCHES: Hint.CONVERT_FILE,
    Contents.CSV: Hint.CONVERT_FILE,
    Contents.ARRAY: Hint.CONVERT_ARRAY,
    Contents.LAID_OUT: Hint.CONVERT_OBJECTS,
    Contents.COMMAS: Hint.CONVERT_FILE,
    Contents.ON_ONE_LINE: Hint.CONVERT_OBJECTS,
    Contents.HAR: Hint.CONVERT_FILE,
    Contents.PREFIXED: Hint.CUT_PREFIXES,
    Contents.CARRIAGE_RETURNS: Hint.MAKE_LINE_FEEDS,
    Contents.UTF_16: Hint.RECODE_UTF_16,
    Contents.UTF_32: Hint.RECODE_UTF_32,
    Contents.MARKUP: Hint.GET_FILE_ANEW,
    Contents.YAML: Hint.WRITE_AS_TEXT,
    Contents.NULS: Hint.GET_FILE_ANEW,
    Contents.POINTER: Hint.GET_BY_GIT_LFS,
    Contents.PDF: Hint.WRITE_AS_TEXT,
    Contents.PICTURE: Hint.GET_FILE_ANEW,
    Contents.PACKED_TWICE: Hint.UNPACK_GZIP,
    Contents.BZIP2: Hint.UNPACK_BZIP2,
    Contents.XZ: Hint.UNPACK_XZ,
    Contents.ZSTD: Hint.UNPACK_ZSTD,
    Contents.SEVEN_ZIP: Hint.UNPACK_7Z,
    Contents.ZIP: Hint.UNPACK_ZIP,
    Contents.TAR: Hint.UNPACK_TAR,
    Contents.SQLITE: Hint.WRITE_AS_TEXT,
    Contents.PARQUET: Hint.WRITE_AS_TEXT,
}

_HAR = re.compile(rb'\s*\{\s*"log"\s*:\s*\{')
_BEGINS_AN_OBJECT = re.compile(rb'\{\s*"')
_TWO_OBJECTS = re.compile(rb"\}[ \t]*\r[ \t\r]*\{")
_ARRAY_OF_OBJECTS = re.compile(rb"\[\s*[\[{]")
_YAML = re.compile(
    rb"---\s|(?:- +)?(?:type|scope|scopes|workspace|known_identities|identity_changes|mpid|version"
    rb"|given|steps|config|identify|login|search|modify|batch):(?:\s|$)"
)
_MARKUP = re.compile(rb"<[!?a-zA-Z]")
_BATCH = {"events", "user_identities", "device_info", "mp_deviceid", "batch_id"}
_REQUEST = {"known_identities", "identity_changes"}


def check(name: str, found: Contents, taken: Collection[Contents], wanted: str) -> None:
    """Check that a file is one that is taken; `wanted` says in words what is.

    Raises:
        UsageFault: it is something else.
    """
    if found not in taken:
        raise refusal(name, found, wanted)


def refusal(name: str, found: Contents, wanted: str) -> UsageFault:
    """What is said of a file that holds something else than is wanted."""
    return UsageFault(
        f"{quoted(name)} {found}, but {wanted}",
        FaultCode.WRONG_CONTENTS,
        hint=_WAYS_OUT.get(found),
        path=name,
    )


def is_packed(beginning: bytes) -> bool:
    """Whether gzip packed what begins so."""
    return beginning.startswith(GZIP)


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
    lines = [line for line in text.split(b"\n") if line.strip()][:2]
    before, carriage_return, _ = lines[0].rstrip().partition(b"\r")
    if carriage_return and before.count(b'"') % 2 == 0:  # else it stands in a cell
        return Contents.CARRIAGE_RETURNS
    if any(_is_whole(line.lstrip()) for line in lines):
        return Contents.TEXT  # of which the first line alone is wrong
    rows = cells_of([line.decode("utf-8", "replace") for line in lines])
    if names_columns(rows[0]):
        return Contents.CSV
    if any(line.lstrip().startswith(b"{") for line in lines):
        return Contents.TEXT
    if any(_holds_object(line) for line in lines):
        return Contents.PREFIXED
    is_table = len(rows) > 1 and len(rows[0]) == len(rows[1]) > 1
    return Contents.CSV if is_table else Contents.TEXT


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
