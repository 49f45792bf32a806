"""JSON as it came: strict where the standard library is not (section 8, `INVALID_JSON`)."""

import json
import math
from collections import Counter
from typing import Any, Final, NamedTuple

from idsync_cli.core.codes import ErrorCode
from idsync_cli.core.decision import Refusal
from idsync_cli.core.identity import has_surrogate
from idsync_cli.errors import quoted

Json = dict[str, Any]

MAX_DEPTH = 100
"""How deeply what an event batch holds may be nested."""

MAX_LINE_BYTES = 2**20
"""The longest line of a request file, in bytes (section 8)."""


class WayOut(NamedTuple):
    """What is told to do about bytes that are not UTF-8, and about text that is not JSON."""

    not_utf8: str
    not_json: str


OF_FILE: Final = WayOut("save the file as UTF-8", "write one JSON object per line")
OF_BODY: Final = WayOut("send it as UTF-8", "send one JSON value")
OF_OBJECT: Final = WayOut("write it as UTF-8", "write one JSON object")
OF_CELL: Final = WayOut("save the file as UTF-8", 'write a list such as ["a", "b"]')


_WORDS: Final = (
    ("Expecting value", "a value is missing"),
    ("Expecting property name", "a key between double quotes is missing"),
    ("Expecting ':'", "a ':' is missing"),
    ("Expecting ','", "a ',' is missing"),
    ("Illegal trailing comma", "nothing follows the ','"),
    ("Extra data", "something follows the value"),
    ("Unterminated string", "the text that begins here has no closing quote"),
    ("Invalid control character", "a control character in a text must be an escape, such as \\t"),
    ("Invalid \\u", "\\u needs four hexadecimal digits"),
    ("Invalid \\", "there is no such escape"),
)
"""How the standard library begins to say what is wrong, and what is said here."""


class LineObject(dict[str, Any]):
    """An object, and the line that it was read from: what is wrong with it is told as it stands."""

    def __init__(self, members: Json, line: bytes) -> None:
        super().__init__(members)
        self.line = line


def decode(line: bytes) -> object:
    """Read one line of a request file; an object knows its line.

    Raises:
        Refusal: INVALID_JSON.
    """
    if len(line) > MAX_LINE_BYTES:
        raise _invalid_json("the line is longer than 1 MiB; send fewer identifiers in one request")
    value = decode_json(line)
    return LineObject(value, line) if isinstance(value, dict) else value


def decode_json(line: bytes, way_out: WayOut = OF_FILE) -> object:
    """Read one JSON value as strictly as a request: UTF-8, each key once, numbers that are finite.

    `way_out` is told of what is none, for it may stand in a file or come from elsewhere.

    Raises:
        Refusal: INVALID_JSON.
    """
    try:
        return _DECODER.decode(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise _invalid_json(
            f"byte {error.start + 1} is not UTF-8; {way_out.not_utf8}",
            len(line[: error.start].decode("utf-8")),
        ) from None
    except json.JSONDecodeError as error:
        raise _invalid_json(
            f"not JSON at character {error.pos + 1}: {_in_words(error.msg)}; {way_out.not_json}",
            error.pos,
        ) from None
    except RecursionError:
        raise _invalid_json("nested too deeply to read; flatten it") from None


def check_depth(value: object, left: int = MAX_DEPTH) -> None:
    """See whether a JSON value that is to be kept can be read again, wherever that is.

    Raises:
        Refusal: INVALID_JSON.
    """
    if isinstance(value, dict):
        value = [*value.values()]
    if isinstance(value, list):
        if left == 0:
            raise _invalid_json(f"nested more than {MAX_DEPTH} levels deep; flatten it")
        for each in value:
            check_depth(each, left - 1)


def json_text(value: object) -> str:
    """A JSON value as text, every character as it is; half a character, which is none, escaped."""
    text = json.dumps(value, ensure_ascii=False)
    return json.dumps(value) if has_surrogate(text) else text


def _in_words(told: str) -> str:
    """What the standard library says is wrong, in our words if it is known."""
    return next((words for begins, words in _WORDS if told.startswith(begins)), told)


def _invalid_json(message: str, word: str | int | None = None) -> Refusal:
    return Refusal(ErrorCode.INVALID_JSON, message, word=word)


def object_of(pairs: list[tuple[str, object]]) -> Json:
    """An object of its members.

    Raises:
        Refusal: a key is given twice.
    """
    members = dict(pairs)
    if len(members) < len(pairs):
        times = Counter(name for name, _ in pairs)
        twice = next(name for name in times if times[name] > 1)
        raise _invalid_json(
            f"the key {quoted(twice)} appears twice in one object; give it once", twice
        )
    return members


def no_number(name: str) -> object:
    """What stands for a number and is none, such as NaN.

    Raises:
        Refusal: always.
    """
    raise _invalid_json(f"{name} is not a JSON number; write null for none", name)


def real_of_digits(digits: str) -> float:
    """A number that is no integer.

    Raises:
        Refusal: it is too large.
    """
    number = float(digits)
    if math.isinf(number):
        raise _invalid_json(
            f"the number {quoted(digits)} is too large to read; put it between quotes", digits
        )
    return number


def number_of_digits(digits: str) -> int:
    """An integer, as far as Python reads it."""
    # Python refuses to read more digits, and the request is to be refused for its member, not for
    # its JSON: of an integer that no member can hold as many are left as Python reads.
    return int(digits[: _MOST_DIGITS + (digits[0] == "-")])


_MOST_DIGITS = 4300

_DECODER = json.JSONDecoder(
    object_pairs_hook=object_of,
    parse_constant=no_number,
    parse_float=real_of_digits,
    parse_int=number_of_digits,
)
