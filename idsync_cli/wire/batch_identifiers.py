"""The identifiers of an event batch, and which of them stands for its device (section 9)."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from idsync_cli.core.codes import ErrorCode
from idsync_cli.core.decision import KNOWN_IDENTITIES, WHOLE_REQUEST, Refusal
from idsync_cli.core.identity import (
    DEVICE_TYPES,
    TYPE_ORDER,
    TYPES_BY_NAME,
    Identifier,
    IdentityType,
    device_among,
    is_plain_value,
    value_fault,
)
from idsync_cli.errors import quoted
from idsync_cli.wire.as_written import shown
from idsync_cli.wire.batch_members import BatchMembers
from idsync_cli.wire.batch_values import MemberPath
from idsync_cli.wire.identifiers import identity_type_of
from idsync_cli.wire.members import invalid_request

DEVICE_NAMES: Final = {
    name: identity_type
    for name, identity_type in TYPES_BY_NAME.items()
    if identity_type in DEVICE_TYPES
}
"""The names of `device_info` that are identifiers; all others speak of the device."""

_STAMP: Final = IdentityType.DEVICE_APPLICATION_STAMP
_NONE: Final[dict[str, Any]] = {}
_USERS, _DEVICES, _STAMPS = "user_identities", "device_info", "mp_deviceid"


class BatchIdentifiers:
    """The identifiers of a batch; `passed_over` are types of which a value came that is none.

    `fault` is what is wrong with them, if anything is.
    """

    __slots__ = ("fault", "found", "passed_over")

    def __init__(self) -> None:
        self.found: Sequence[Identifier] = ()
        self.passed_over: tuple[IdentityType, ...] = ()
        self.fault: Refusal | None = None


def identifiers_of(members: BatchMembers) -> BatchIdentifiers:
    """The identifiers that a batch is resolved by, or what is wrong with them."""
    read = BatchIdentifiers()
    plain = _plain_identifiers(members)
    if plain:
        read.found = plain
        return read
    passed_over: set[IdentityType] = set()
    try:
        read.found = _identifiers(members, passed_over)
        if not read.found:
            read.fault = _no_identities(members)
    except Refusal as refusal:
        read.fault = refusal.with_traceback(None)
    if passed_over:
        read.passed_over = tuple(sorted(passed_over, key=TYPE_ORDER.__getitem__))
    return read


def device_identifier_of(members: BatchMembers) -> Identifier | None:
    """What stands for the device of a batch: its device application stamp, else its first ID.

    The first is so in the order of section 2. A value that is none counts for nothing.
    """
    found: list[Identifier] = []
    for _, name, value in _named(members):
        identity_type, text = TYPES_BY_NAME.get(name), _text_of(value)
        if identity_type is not None and text and value_fault(text) is None:
            found.append(Identifier(identity_type, text))
    return device_among(found)


def _plain_identifiers(members: BatchMembers) -> list[Identifier] | None:
    """Identifiers in which nothing is wrong or odd; None if that is not plain to see."""
    found: list[Identifier] = []
    for name, value in (members.user_identities or _NONE).items():
        identity_type = TYPES_BY_NAME.get(name)
        if identity_type is None or not is_plain_value(value):
            return None
        found.append(Identifier(identity_type, value))
    for name, value in (members.device_info or _NONE).items():
        identity_type = DEVICE_NAMES.get(name)
        if identity_type is not None:
            if not is_plain_value(value):
                return None
            found.append(Identifier(identity_type, value))
    stamp = members.mp_deviceid
    if stamp is not None:
        if not is_plain_value(stamp):
            return None
        found.append(Identifier(_STAMP, stamp))
    if len(found) > 1 and len({each.type for each in found}) < len(found):
        return None
    return found


def _named(members: BatchMembers) -> Iterator[tuple[MemberPath, str, Any]]:
    """Each name that may be an identifier's, behind its place, and with its value."""
    for name, value in (members.user_identities or _NONE).items():
        yield (_USERS, name), name, value
    for name, value in (members.device_info or _NONE).items():
        if name in DEVICE_NAMES:
            yield (_DEVICES, name), name, value
    if members.mp_deviceid is not None:
        yield (_STAMPS,), _STAMP.value, members.mp_deviceid


def _identifiers(members: BatchMembers, passed_over: set[IdentityType]) -> Sequence[Identifier]:
    """The identifiers; the names of all are known before any value is looked at.

    Raises:
        Refusal: UNKNOWN_IDENTITY_TYPE, INVALID_REQUEST (two values of one type) or
            INVALID_IDENTITY_VALUE.
    """
    for name in members.user_identities or _NONE:
        identity_type_of(name)
    texts: dict[IdentityType, tuple[MemberPath, Any]] = {}
    for path, name, value in _named(members):
        identity_type = TYPES_BY_NAME[name]
        text = _text_of(value)
        if text is None:
            if value is not None:
                passed_over.add(identity_type)
            continue
        if text == "":
            continue
        before = texts.get(identity_type)
        if before is not None and before[1] != text:
            first, second = before[0][0], path[0]
            have = f"{first} has" if first == second else f"{first} and {second} have"
            raise invalid_request(f"{have} two values of {identity_type}; give one", path)
        texts[identity_type] = path, text
    for identity_type, (path, text) in texts.items():
        _check_value(identity_type, text, path)
    return [Identifier(identity_type, text) for identity_type, (_, text) in texts.items()]


def _text_of(value: object) -> Any:
    """The text that a value is taken as; None for one that is none, such as 0 or true.

    What is neither text nor number is left, to be refused.
    """
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, (bool, float)) or value == 0:
        return None
    return str(value) if isinstance(value, int) else value


def _check_value(identity_type: IdentityType, value: object, path: MemberPath) -> None:
    if is_plain_value(value):
        return
    fault = value_fault(value)
    if fault:
        raise Refusal(
            ErrorCode.INVALID_IDENTITY_VALUE,
            f"the value {quoted(shown(value))} of {identity_type} {fault}",
            word=path,
        )


def _no_identities(members: BatchMembers) -> Refusal:
    hint = "name at least one in user_identities or device_info, or give the mpid"
    word = WHOLE_REQUEST
    if members.known_identities is not None:
        hint = "a batch has them in user_identities, not in known_identities"
        word = KNOWN_IDENTITIES
    return Refusal(ErrorCode.NO_IDENTITIES, f"no identifiers given; {hint}", word=word)
