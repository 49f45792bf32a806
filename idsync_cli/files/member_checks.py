"""What the members of a line of an export must be: in words, and as a check."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from idsync_cli import wire
from idsync_cli.core.codes import ErrorCode
from idsync_cli.core.decision import WHOLE_REQUEST, Refusal, Word
from idsync_cli.core.identity import mpid_rule, parse_mpid
from idsync_cli.errors import nearest, quoted
from idsync_cli.file_faults import Excerpt

LAST_SEQ: Final = 2**62
"""The highest number that is imported: 64 bits leave as many again above it."""

RECORD: Final = "record"
"""The member that a record has, and a profile has not."""

_LAST_TIME: Final = 253_402_300_799_999
"""The end of the year 9999: no calendar goes further."""

ExcerptOf = Callable[[Word | None], Excerpt]
"""Shows a line of a file, with a caret under what is at fault in it."""

Member = tuple[str, Callable[[object], bool]]
Members = Mapping[str, Member]
"""The members that an object may have, and what each must be: in words, and as a check."""


def checked(value: Mapping[str, Any], members: Members, required: tuple[str, ...]) -> wire.Json:
    """The members of an object that are not null, each of which is known and what it must be.

    Raises:
        Refusal: one is not, or a required one is not there.
    """
    for name in value:
        if name not in members:
            raise bad(f"unknown member {quoted(name)}{nearest(name, members)}", name)
    given = {name: each for name, each in value.items() if each is not None}
    for name, each in given.items():
        if not members[name][1](each):
            raise bad(told_wrong(name, each, members), (name,))
    for name in required:
        if name not in given:
            raise bad(f"no {name}", WHOLE_REQUEST)
    return given


def told_wrong(name: str, value: object, members: Members) -> str:
    """The message for a member that is not what it must be."""
    wanted, fits = members[name]
    rule = mpid_rule(value) if fits is is_mpid else ""
    return f"{name} is {quoted(wire.shown(value))}, but must be {wanted}{rule}"


def is_mpid(value: object) -> bool:
    """Whether it is an MPID."""
    return parse_mpid(value) is not None


def is_seq(value: object) -> bool:
    """Whether it is a sequence number."""
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= LAST_SEQ


def is_clock_time(value: object) -> bool:
    """Whether it is a time that a clock may say, in milliseconds since 1970."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _LAST_TIME


def bad(message: str, word: Word) -> Refusal:
    """What is wrong with a line, and where."""
    return Refusal(ErrorCode.INVALID_REQUEST, message, word=word)


AN_MPID: Final[Member] = ("an MPID", is_mpid)
A_SEQ: Final[Member] = ("a number from 1 to 4611686018427387904", is_seq)
