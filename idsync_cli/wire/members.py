"""The members of a request: one table, from which both readers of a request are made (section 8).

`LineReader` makes of it what msgspec reads plain lines into; `members_in` checks any JSON value by
it, and says what is wrong. Both give the same: the values in the order of the table.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from idsync_cli.core.codes import ErrorCode, RequestKind
from idsync_cli.core.decision import WHOLE_REQUEST, Refusal, Word
from idsync_cli.core.identity import MPID_MAX, MPID_MIN, TYPES_BY_NAME, has_surrogate
from idsync_cli.core.value import Value
from idsync_cli.errors import nearest, quoted
from idsync_cli.wire.as_written import shown
from idsync_cli.wire.decoding import Json

Members = tuple[Any, ...]
"""The values of a request's members, in the order of `MEMBERS`; None for what is absent or null.

`identity_changes` is a list of `Change`.
"""

Change = tuple[str, Any, Any]
"""An entry of `identity_changes`: the name of its type, the old value and the new one."""


class MemberKind(Value):
    """What a member may hold: in words, as a check, and as the type of it in a plain line.

    In a plain line every text is a name or a value that is stored once, so that what msgspec
    read can be counted against the line's quotes. A valid value that is not of type `plain`
    makes a line that is not plain, and no more.
    """

    __match_args__ = ("described", "fits", "plain")
    __slots__ = __match_args__

    def __init__(self, described: str, fits: Callable[[object], bool], plain: object) -> None:
        self.described: Final = described
        self.fits: Final = fits
        self.plain: Final = plain


class Member(Value):
    """A member: its index in the table, and what it may hold."""

    __match_args__ = ("index", "kind")
    __slots__ = __match_args__

    def __init__(self, index: int, kind: MemberKind) -> None:
        self.index: Final = index
        self.kind: Final = kind


def is_text(value: object) -> bool:
    """Whether it is a string that UTF-8, and so the store, can hold."""
    return isinstance(value, str) and not has_surrogate(value)


def _is_object(value: object) -> bool:
    return isinstance(value, dict)


def _is_list_of_objects(value: object) -> bool:
    return isinstance(value, list) and all(map(_is_object, value))


def _is_integer(value: object) -> bool:
    return (
        isinstance(value, int)
        and not isinstance(value, bool)
        and MPID_MIN <= value <= MPID_MAX  # what the store can hold
    )


def _is_anything(_value: object) -> bool:
    return True


class PlainChanges:
    """Stands in the table for a list of objects, each with the members of `CHANGE_MEMBERS`."""


_TEXT: Final = MemberKind("text", is_text, str)
_INTEGER: Final = MemberKind("a 64-bit integer", _is_integer, int)
_OBJECT: Final = MemberKind("an object", _is_object, dict[str, str | None])
_CHANGES: Final = MemberKind("a list of objects", _is_list_of_objects, PlainChanges)
_ANYTHING: Final = MemberKind("anything", _is_anything, str)
# Whether it is an MPID is asked where the kind of the request is known: a modify passes its
# previous_mpid over unread.
_MPID: Final = MemberKind("an MPID", _is_anything, str | int)

_KINDS: Final = {
    "type": _TEXT,
    "scope": _TEXT,
    "workspace": _TEXT,
    "label": _TEXT,
    "known_identities": _OBJECT,
    "previous_mpid": _MPID,
    "mpid": _MPID,
    "identity_changes": _CHANGES,
    "request_id": _TEXT,
    "request_timestamp_ms": _INTEGER,
    "source_request_id": _TEXT,
    "environment": _TEXT,
    "client_sdk": _OBJECT,
    "context": _ANYTHING,
    "response": _OBJECT,
}

MEMBERS: Final[dict[str, Member]] = {
    name: Member(index, kind) for index, (name, kind) in enumerate(_KINDS.items())
}
"""Every member that a request may have, and what it must be (section 8)."""

CHANGE_MEMBERS: Final[Mapping[str, MemberKind]] = {
    "identity_type": _TEXT,
    "old_value": _ANYTHING,  # what a value may be is asked where its type is known
    "new_value": _ANYTHING,
}
"""Every member of an entry of `identity_changes`."""


def members_in(request: object) -> Members:
    """The members of a request, checked for what they hold, but not for what that means.

    Raises:
        Refusal: INVALID_REQUEST.
    """
    if not isinstance(request, dict):
        raise invalid_request("a request must be a JSON object, between { and }", WHOLE_REQUEST)
    found: list[Any] = [None] * len(MEMBERS)
    for name, value in request.items():
        member = MEMBERS.get(name)
        if member is None:
            raise unknown_member(name, MEMBERS, identifiers_in="known_identities")
        if value is None:
            continue
        kind = member.kind
        if not kind.fits(value):
            raise invalid_request(wrong(name, value, kind.described), (name,))
        found[member.index] = _changes_in(value) if kind is _CHANGES else value
    return tuple(found)


def _changes_in(changes: list[Json]) -> list[Change]:
    """The entries of `identity_changes`; null in them counts as absent."""
    found: list[Change] = []
    for number, change in enumerate(changes, start=1):
        for name in change:
            if name not in CHANGE_MEMBERS:
                hint = nearest(name, CHANGE_MEMBERS) or f"; use one of {', '.join(CHANGE_MEMBERS)}"
                raise invalid_request(f"change {number}: unknown member {quoted(name)}{hint}", name)
        named = change.get("identity_type")
        if not isinstance(named, str):
            raise invalid_request(
                f"change {number}: no identity_type; give it as text",
                ("identity_changes", number - 1),
            )
        found.append((named, change.get("old_value"), change.get("new_value")))
    return found


def kind_and_label_of(request: object) -> tuple[str | None, str | None]:
    """The type and the label of an invalid request, as far as they can be read."""
    if not isinstance(request, dict):
        return None, None
    named, label = request.get("type"), request.get("label")
    return named if isinstance(named, str) else None, label if is_text(label) else None


def invalid_request(message: str, word: Word) -> Refusal:
    """A refusal of something that is not a request."""
    return Refusal(ErrorCode.INVALID_REQUEST, message, word=word)


def wrong(name: str, value: object, described: str) -> str:
    """The message for a member with a wrong value."""
    return f"{name} is {quoted(shown(value))}, but must be {described}"


def unknown_member(name: str, allowed: Iterable[str], *, identifiers_in: str) -> Refusal:
    """A refusal of what has a member that is not known; identifiers are a member of their own."""
    from idsync_cli.core.everyday_names import is_meant

    close = "" if name in TYPES_BY_NAME else nearest(name, allowed)
    if not close and is_meant(name):
        close = f"; put identifiers into {identifiers_in}"
    listed = f"; use one of {', '.join(allowed)}"
    return invalid_request(f"unknown member {quoted(name)}{close or listed}", name)


def unknown_type(named: str | None) -> Refusal:
    """A refusal of a request of an unknown kind, or without one."""
    hint = nearest(named or "", RequestKind) or f"; use one of {', '.join(RequestKind)}"
    message = f"unknown type {quoted(named)}" if named else "no type"
    return invalid_request(message + hint, ("type",) if named else WHOLE_REQUEST)
