"""Names and values of attributes in a batch: what they may be (section 9)."""

from collections.abc import Mapping
from json.encoder import encode_basestring
from typing import Any, Final

from idsync_cli.core.codes import ErrorCode
from idsync_cli.core.data.values import (
    MAX_ATTRIBUTES,
    MAX_ENTRY_LENGTH,
    MAX_LIST_LENGTH,
    MAX_NAME_LENGTH,
    MAX_TEXT_LENGTH,
)
from idsync_cli.core.decision import Refusal
from idsync_cli.core.identity import has_surrogate
from idsync_cli.errors import printable, quoted
from idsync_cli.wire.as_written import shown

_A_VALUE: Final = "text, a number, true, false, null or a list of texts, numbers and booleans"
_TOO_LARGE: Final = 10**MAX_TEXT_LENGTH


MemberPath = tuple[str | int, ...]
"""The names and the indices that lead to a value of a batch."""

_ATTRIBUTES: Final[MemberPath] = ("user_attributes",)


def invalid_batch(path: MemberPath, fault: str) -> Refusal:
    """A refusal of a batch for what stands at a place of it."""
    return Refusal(ErrorCode.INVALID_BATCH, f"{_written(path)} {fault}", word=path)


def _written(path: MemberPath) -> str:
    """A place for people; names in it may be anything."""
    text = ""
    for each in path:
        if isinstance(each, int):
            text += f"[{each}]"
        elif len(each) > MAX_NAME_LENGTH:
            text += f".{quoted(each)}"
        else:
            text += f".{printable(each)}" if text else printable(each)
    return text


def is_plain_name(name: str) -> bool:
    """Whether it is, at first sight, a name; of another, `check_name` has to say."""
    return len(name) <= MAX_NAME_LENGTH and name.isascii() and "\0" not in name


def check_name(path: MemberPath, name: object) -> str:
    """A name, if it is one.

    Raises:
        Refusal: INVALID_BATCH.
    """
    if not isinstance(name, str):
        raise invalid_batch(path, f"is {quoted(shown(name))}, but a name is text")
    fault = _name_fault(name)
    if fault:
        raise invalid_batch(path, fault)
    return name


def check_key(path: MemberPath, name: str) -> None:
    """See whether what an object calls one of its members is a name.

    Raises:
        Refusal: INVALID_BATCH.
    """
    fault = _name_fault(name)
    if fault:
        message = f"the name {quoted(name)} in {_written(path)} {fault}"
        raise Refusal(ErrorCode.INVALID_BATCH, message, word=name)


def _name_fault(name: str) -> str | None:
    if len(name) > MAX_NAME_LENGTH:
        return f"has {len(name):,} characters; a name has at most {MAX_NAME_LENGTH}"
    if not name.isascii() and has_surrogate(name):
        return "contains a lone surrogate, which is not a character"
    return "contains a NUL character" if "\0" in name else None


def check_count(path: MemberPath, number: int) -> None:
    """See whether there are not too many attributes.

    Raises:
        Refusal: INVALID_BATCH.
    """
    if number > MAX_ATTRIBUTES:
        raise invalid_batch(path, f"has {number:,} attributes; at most {MAX_ATTRIBUTES} are kept")


def attributes_of(attributes: Mapping[str, Any]) -> dict[str, str]:
    """The attributes that a batch sets, each with its value as JSON.

    Raises:
        Refusal: INVALID_BATCH.
    """
    check_count(_ATTRIBUTES, len(attributes))
    found: dict[str, str] = {}
    for name, value in attributes.items():
        if not is_plain_name(name):
            check_key(_ATTRIBUTES, name)
        found[name] = _text_of(name, value)
    return found


def _text_of(name: str, value: object) -> str:
    """The value of an attribute as JSON."""
    if isinstance(value, str):
        if len(value) > MAX_TEXT_LENGTH or not value.isascii():
            check_text((*_ATTRIBUTES, name), value, MAX_TEXT_LENGTH)
        return encode_basestring(value)
    if isinstance(value, list):
        path = (*_ATTRIBUTES, name)
        check_list(path, value, kept=len(value) - value.count(None))
        for index, each in enumerate(value):
            if isinstance(each, (list, dict)):
                fault = f"is {quoted(shown(each))}, but a list has texts, numbers and booleans"
                raise invalid_batch((*path, index), fault)
            if isinstance(each, str) and not each.isascii():
                check_text((*path, index), each, MAX_ENTRY_LENGTH)
            _check_number((*path, index), each)
        return f"[{', '.join([_simple_text(each) for each in value if each is not None])}]"
    path = (*_ATTRIBUTES, name)
    if isinstance(value, dict):
        raise invalid_batch(path, f"is an object, not {_A_VALUE}")
    _check_number(path, value)
    return _simple_text(value)


def _check_number(path: MemberPath, value: object) -> None:
    if isinstance(value, int) and not -_TOO_LARGE < value < _TOO_LARGE:
        raise invalid_batch(path, f"has more than {MAX_TEXT_LENGTH:,} digits")


def _simple_text(value: object) -> str:
    if isinstance(value, str):
        return encode_basestring(value)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value)


def check_text(path: MemberPath, text: str, limit: int) -> None:
    """See whether a text is one, and not too long.

    Raises:
        Refusal: INVALID_BATCH.
    """
    if len(text) > limit:
        fault = f"has {len(text):,} characters; at most {limit:,} are kept"
        raise invalid_batch(path, fault)
    if has_surrogate(text):
        raise invalid_batch(path, "contains a lone surrogate, which is not a character")


def check_list(path: MemberPath, entries: list[Any], *, kept: int) -> None:
    """See whether a list, of which so many entries are `kept`, and its texts are not too long.

    Raises:
        Refusal: INVALID_BATCH.
    """
    if kept > MAX_LIST_LENGTH:
        fault = f"has {kept:,} entries; at most {MAX_LIST_LENGTH:,} are kept"
        raise invalid_batch(path, fault)
    for index, each in enumerate(entries):
        if isinstance(each, str) and len(each) > MAX_ENTRY_LENGTH:
            fault = f"has {len(each):,} characters; at most {MAX_ENTRY_LENGTH} are kept"
            raise invalid_batch((*path, index), fault)
