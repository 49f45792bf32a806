"""Identifiers of a request: names to types, and what their values may be (sections 2, 4 and 5)."""

from collections.abc import Mapping, Sequence
from typing import Any

from idsync_cli.core.codes import ErrorCode
from idsync_cli.core.decision import KNOWN_IDENTITIES, Refusal, Word
from idsync_cli.core.identity import (
    TYPES_BY_NAME,
    Identifier,
    IdentityType,
    is_plain_value,
    value_fault,
)
from idsync_cli.core.request import IdentityChange
from idsync_cli.errors import Hint, quoted
from idsync_cli.wire.as_written import shown
from idsync_cli.wire.members import Change, invalid_request


def identifiers_in(members: dict[str, Any]) -> Sequence[Identifier]:
    """The identifiers of an identify, login, logout or search; null and "" are not given.

    Raises:
        Refusal: UNKNOWN_IDENTITY_TYPE, INVALID_REQUEST (two names of one type),
            INVALID_IDENTITY_VALUE or NO_IDENTITIES.
    """
    plain = _plain_identifiers(members)
    if plain:
        return plain
    identities = _checked(members, empty_is_refused=False)
    found = [Identifier(each, value) for each, value in identities.items() if value]
    if not found:
        raise _no_identities()
    return found


def settings_in(members: dict[str, Any]) -> Mapping[IdentityType, str | None]:
    """What a modify in its set form sets: null removes a type.

    Raises:
        Refusal: as `identifiers_in`, but "" is an invalid value.
    """
    plain = _plain_identifiers(members)
    if plain:
        return {each.type: each.value for each in plain}
    identities = _checked(members, empty_is_refused=True)
    if not identities:
        raise _no_identities()
    return identities


def changes_in(changes: Sequence[Change]) -> tuple[IdentityChange, ...]:
    """The changes of a modify, one after another.

    Raises:
        Refusal: UNKNOWN_IDENTITY_TYPE, INVALID_IDENTITY_VALUE or NO_IDENTITIES.
    """
    if not changes:
        raise _no_identities(("identity_changes",))
    read = [
        (identity_type_of(name, ("identity_changes", index, "identity_type")), old, new)
        for index, (name, old, new) in enumerate(changes)
    ]
    for index, (identity_type, old, new) in enumerate(read):
        for member, value in (("old_value", old), ("new_value", new)):
            word = ("identity_changes", index, member)
            _check_value(identity_type, value, word, empty_is_refused=True)
    return tuple([IdentityChange(*each) for each in read])


def identity_type_of(name: str, word: Word | None = None) -> IdentityType:
    """The type that a name stands for (section 2); `word` is where the name is a value.

    Raises:
        Refusal: UNKNOWN_IDENTITY_TYPE.
    """
    if name not in TYPES_BY_NAME:
        from idsync_cli.core.everyday_names import type_hint

        hint = type_hint(name)
        raise Refusal(
            ErrorCode.UNKNOWN_IDENTITY_TYPE,
            f"unknown identity type {quoted(name)}{hint}",
            hint=None if hint else Hint.LIST_TYPES,
            word=name if word is None else word,
        )
    return TYPES_BY_NAME[name]


def identities_of(names: Mapping[str, Any]) -> dict[IdentityType, Any]:
    """Read the names of an object of identifiers, and leave what it holds as it is.

    Raises:
        Refusal: UNKNOWN_IDENTITY_TYPE, or INVALID_REQUEST for two names of one type.
    """
    identities: dict[IdentityType, Any] = {}
    read = [(name, identity_type_of(name)) for name in names]
    for name, identity_type in read:
        if identity_type in identities:
            first = next(other for other, each in read if each is identity_type)
            raise invalid_request(
                f"{first} and {name} are the same type; give only one of them", name
            )
        identities[identity_type] = names[name]
    return identities


def _plain_identifiers(members: dict[str, Any]) -> list[Identifier] | None:
    """Identifiers in which nothing is wrong; None if that is not plain to see."""
    found: list[Identifier] = []
    for name, value in members.items():
        identity_type = TYPES_BY_NAME.get(name)
        if identity_type is None or not is_plain_value(value):
            return None
        found.append(Identifier(identity_type, value))
    if len(found) > 1 and len({each.type for each in found}) < len(found):
        return None
    return found


def _checked(members: Mapping[str, Any], *, empty_is_refused: bool) -> dict[IdentityType, Any]:
    identities = identities_of(members)
    for identity_type, value in identities.items():
        word = ("known_identities", identity_type.value)
        _check_value(identity_type, value, word, empty_is_refused=empty_is_refused)
    return identities


def _check_value(
    identity_type: IdentityType, value: object, word: Word, *, empty_is_refused: bool
) -> None:
    if value is None or is_plain_value(value):
        return
    fault = value_fault(value)
    if value == "" and empty_is_refused:
        fault = "is empty, which is ambiguous; give null to remove the type"
    if fault:
        raise Refusal(
            ErrorCode.INVALID_IDENTITY_VALUE,
            f"the value {quoted(shown(value))} of {identity_type} {fault}",
            word=word,
        )


def _no_identities(word: Word = KNOWN_IDENTITIES) -> Refusal:
    return Refusal(ErrorCode.NO_IDENTITIES, "no identifiers given; name at least one", word=word)
