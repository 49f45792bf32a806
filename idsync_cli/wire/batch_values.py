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
from idsync_cli.wire.members import shown

_A_VALUE: Final = "text, a number, true, false, null or a list of texts, numbers and booleans"
_TOO_LARGE: Final = 10**MAX_TEXT_LENGTH
_SIMPLE: Final = str, int, float, bool


def invalid_batch(place: str, fault: str, word: str | None = None) -> Refusal:
    """A refusal of a batch for what stands at a place of it."""
    return Refusal(ErrorCode.INVALID_BATCH, f"{place} {fault}", word=word)


def member_of(place: str, name: str) -> str:
    """The place of a member, whose name may be anything."""
    return f"{place}.{printable(name)}" if len(name) <= MAX_NAME_LENGTH else place


def is_plain_name(name: str) -> bool:
    """Whether it is, at first sight, a name; of another, `check_name` has to say."""
    return len(name) <= MAX_NAME_LENGTH and name.isascii() and "\0" not in name


def check_name(place: str, name: object) -> str:
    """A name, if it is one.

    Raises:
        Refusal: INVALID_BATCH.
    """
    if not isinstance(name, str):
        raise invalid_batch(place, f"is {quoted(shown(name))}, but a name is text")
    if len(name) > MAX_NAME_LENGTH:
        fault = f"has {len(name):,} characters; a name has at most {MAX_NAME_LENGTH}"
        raise invalid_batch(place, fault, name)
    if not name.isascii() and has_surrogate(name):
        raise invalid_batch(place, "contains a lone surrogate, which is not a character")
    if "\0" in name:
        raise invalid_batch(place, "contains a NUL character")
    return name


def check_count(place: str, number: int) -> None:
    """See whether there are not too many attributes.

    Raises:
        Refusal: INVALID_BATCH.
    """
    if number > MAX_ATTRIBUTES:
        raise invalid_batch(place, f"has {number:,} attributes; at most {MAX_ATTRIBUTES} are kept")


def attributes_of(attributes: Mapping[str, Any]) -> dict[str, str]:
    """The attributes that a batch sets, each with its value as JSON.

    Raises:
        Refusal: INVALID_BATCH.
    """
    check_count("user_attributes", len(attributes))
    found: dict[str, str] = {}
    for name, value in attributes.items():
        if not is_plain_name(name):
            check_name(f"the name {quoted(name)} in user_attributes", name)
        found[name] = _text_of(name, value)
    return found


def _text_of(name: str, value: object) -> str:
    """The value of an attribute as JSON."""
    if isinstance(value, str):
        if len(value) > MAX_TEXT_LENGTH or not value.isascii():
            check_text(member_of("user_attributes", name), value, MAX_TEXT_LENGTH)
        return encode_basestring(value)
    if isinstance(value, list):
        place = member_of("user_attributes", name)
        check_list(place, value)
        entries = [each for each in value if each is not None]
        for each in entries:
            if not isinstance(each, _SIMPLE):
                raise invalid_batch(
                    place, f"has {shown(each)} in it, but a list has texts, numbers and booleans"
                )
            if isinstance(each, str) and not each.isascii():
                check_text(f"an entry of {place}", each, MAX_ENTRY_LENGTH)
            if isinstance(each, int) and not -_TOO_LARGE < each < _TOO_LARGE:
                raise invalid_batch(place, f"has a number of more than {MAX_TEXT_LENGTH:,} digits")
        return f"[{', '.join([_simple_text(each) for each in entries])}]"
    if isinstance(value, dict):
        raise invalid_batch(member_of("user_attributes", name), f"is an object, not {_A_VALUE}")
    if isinstance(value, int) and not -_TOO_LARGE < value < _TOO_LARGE:
        fault = f"has more than {MAX_TEXT_LENGTH:,} digits"
        raise invalid_batch(member_of("user_attributes", name), fault)
    return _simple_text(value)


def _simple_text(value: object) -> str:
    if isinstance(value, str):
        return encode_basestring(value)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value)


def check_text(place: str, text: str, limit: int) -> None:
    """See whether a text is one, and not too long.

    Raises:
        Refusal: INVALID_BATCH.
    """
    if len(text) > limit:
        fault = f"has {len(text):,} characters; at most {limit:,} are kept"
        raise invalid_batch(place, fault, text)
    if has_surrogate(text):
        raise invalid_batch(place, "contains a lone surrogate, which is not a character")


def check_list(place: str, entries: list[Any]) -> None:
    """See whether a list, and every text in it, is not too long.

    Raises:
        Refusal: INVALID_BATCH.
    """
    if len(entries) > MAX_LIST_LENGTH:
        fault = f"has {len(entries):,} entries; at most {MAX_LIST_LENGTH:,} are kept"
        raise invalid_batch(place, fault)
    for each in entries:
        if isinstance(each, str) and len(each) > MAX_ENTRY_LENGTH:
            fault = f"has {len(each):,} characters; at most {MAX_ENTRY_LENGTH} are kept"
            raise invalid_batch(f"an entry of {place}", fault, each)
