"""Lines of an export that are no profiles: records, each of the kind that it names (section 9)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from idsync_cli import wire
from idsync_cli.core.codes import ErrorCode
from idsync_cli.core.config.rules import Organization
from idsync_cli.core.decision import WHOLE_REQUEST, Refusal, Word
from idsync_cli.core.erasure import Erasure
from idsync_cli.core.identity import parse_mpid
from idsync_cli.errors import Excerpt, nearest, quoted

LAST_SEQ: Final = 2**62
"""The highest number that is imported: 64 bits leave as many again above it."""

RECORD: Final = "record"
"""The member that a record has, and a profile has not."""

_ERASURE: Final = "erasure"
_LAST_TIME: Final = 253_402_300_799_999
"""The end of the year 9999: no calendar goes further."""


ExcerptOf = Callable[[Word | None], Excerpt]
"""Shows a line of a file, with a caret under what is at fault in it."""


@dataclass(frozen=True, slots=True)
class ErasureLine:
    """An erasure as a file says it was."""

    line: int
    erasure: Erasure
    excerpt: ExcerptOf = field(compare=False, repr=False)


def read_record(
    number: int, value: Mapping[str, Any], organization: Organization, excerpt: ExcerptOf
) -> ErasureLine:
    """Read a record.

    Raises:
        Refusal: it is none that is known.
    """
    kind = value[RECORD]
    if kind != _ERASURE:
        hint = nearest(kind, [_ERASURE]) if isinstance(kind, str) else ""
        raise _bad(f"unknown record {quoted(wire.shown(kind))}{hint}", (RECORD,))
    given = checked(value, _ERASURE_MEMBERS, required=("mpid", "seq", "time_ms"))
    if "scope" not in given and len(organization.scopes) > 1:
        raise _bad(
            "no scope; the configuration has several, so the erasure must name one", WHOLE_REQUEST
        )
    mpid = parse_mpid(given["mpid"])
    assert mpid is not None
    scope = given.get("scope") or next(iter(organization.scopes))
    its_id = given.get("request_id")
    return ErasureLine(
        number, Erasure(mpid, given["seq"], scope, given["time_ms"], its_id), excerpt
    )


Members = Mapping[str, tuple[str, Callable[[object], bool]]]
"""The members that an object may have, and what each must be: in words, and as a check."""


def checked(value: Mapping[str, Any], members: Members, required: tuple[str, ...]) -> wire.Json:
    """The members of an object that are not null, each of which is known and what it must be.

    Raises:
        Refusal: one is not, or a required one is not there.
    """
    for name in value:
        if name not in members:
            raise _bad(f"unknown member {quoted(name)}{nearest(name, members)}", name)
    given = {name: each for name, each in value.items() if each is not None}
    for name, each in given.items():
        wanted, fits = members[name]
        if not fits(each):
            raise _bad(f"{name} is {quoted(wire.shown(each))}, but must be {wanted}", (name,))
    for name in required:
        if name not in given:
            raise _bad(f"no {name}", WHOLE_REQUEST)
    return given


def is_mpid(value: object) -> bool:
    """Whether it is an MPID."""
    return parse_mpid(value) is not None


def is_seq(value: object) -> bool:
    """Whether it is a sequence number."""
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= LAST_SEQ


def _is_time(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _LAST_TIME


def _bad(message: str, word: Word) -> Refusal:
    return Refusal(ErrorCode.INVALID_REQUEST, message, word=word)


_ERASURE_MEMBERS: Members = {
    RECORD: ("text", wire.is_text),
    "mpid": ("an MPID: digits, optionally with a leading minus", is_mpid),
    "seq": ("a number from 1 to 4611686018427387904", is_seq),
    "scope": ("text", wire.is_text),
    "time_ms": ("a time in milliseconds since 1970, before the year 10000", _is_time),
    "request_id": ("text", wire.is_text),
}
