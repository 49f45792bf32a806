"""JSON whose values know how they are written, for messages about what is wrong with one.

It is read slowly, and only what was rejected is read so: `decode` forgets that 1e3 was not 1000.0,
how many digits a number had, and what stood in a list.
"""

import json
from collections.abc import Callable
from contextlib import suppress
from json import decoder, scanner
from typing import Any

from idsync_cli.core.decision import Refusal
from idsync_cli.errors import AsWritten
from idsync_cli.wire.decoding import no_number, number_of_digits, object_of, real_of_digits

LONGEST = 2**16
"""How many bytes of a line are read so: of longer ones nobody sees more than the beginning."""


class WrittenInteger(int):
    """An integer, and its digits as they stand in the line."""

    written: str


class WrittenReal(float):
    """Another number, and how it stands in the line."""

    written: str


class WrittenList(list[Any]):
    """A list, and its text in the line."""

    written: str


class WrittenObject(dict[str, Any]):
    """An object, and its text in the line."""

    written: str


def read_again(line: bytes) -> Any:
    """The JSON value of a line, as `decode` gives it, but that what is in it knows its text.

    None if the line is too long for that, or cannot be read so.
    """
    if len(line) <= LONGEST:
        with suppress(Refusal, ValueError, RecursionError):
            return _DECODER.decode(line.decode("utf-8"))
    return None


def shown(value: object) -> str:
    """A JSON value for an error message: text as it is, anything else as it is written."""
    if isinstance(value, str):
        return value
    written = getattr(value, "written", None)
    if isinstance(written, str):
        return AsWritten(written)
    try:
        return json.dumps(value, ensure_ascii=False)
    except (RecursionError, ValueError):  # too deep, or of too many digits
        return "a list" if isinstance(value, list) else "an object or number"


class _Decoder(json.JSONDecoder):
    """The standard library's, with the text of each list and object kept."""

    def __init__(self) -> None:
        super().__init__(
            parse_float=_real,
            parse_int=_integer,
            parse_constant=no_number,
            object_pairs_hook=object_of,
        )
        self.parse_array: Callable[..., Any] = _list
        self.parse_object: Callable[..., Any] = _object
        self.scan_once: Callable[..., Any] = scanner.py_make_scanner(self)  # type: ignore[attr-defined]  # not in typeshed


def _integer(digits: str) -> WrittenInteger:
    number = WrittenInteger(number_of_digits(digits))
    number.written = digits
    return number


def _real(digits: str) -> WrittenReal:
    number = WrittenReal(real_of_digits(digits))
    number.written = digits
    return number


def _list(where: tuple[str, int], *rest: Any) -> tuple[WrittenList, int]:
    values, end = decoder.JSONArray(where, *rest)  # type: ignore[attr-defined]  # not in typeshed
    found = WrittenList(values)
    found.written = where[0][where[1] - 1 : end]
    return found, end


def _object(where: tuple[str, int], *rest: Any) -> tuple[WrittenObject, int]:
    members, end = decoder.JSONObject(where, *rest)  # type: ignore[attr-defined]  # not in typeshed
    found = WrittenObject(members)
    found.written = where[0][where[1] - 1 : end]
    return found, end


_DECODER = _Decoder()
