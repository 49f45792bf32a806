"""Requests: JSON to what is asked, checked in the order of section 8's table."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from idsync_cli.core.codes import ErrorCode, RequestKind
from idsync_cli.core.decision import Refusal
from idsync_cli.core.identity import (
    MPID_MAX,
    MPID_MIN,
    TYPES_BY_NAME,
    IdentityType,
    has_surrogate,
    parse_mpid,
    value_fault,
)
from idsync_cli.core.request import IdentityChange, IdentityRequest, ModifyRequest, Request
from idsync_cli.core.rules import Organization
from idsync_cli.errors import nearest, printable, quoted
from idsync_cli.wire.decoding import Json

_CHANGE_MEMBERS = ("identity_type", "old_value", "new_value")


@dataclass(frozen=True, slots=True)
class Target:
    """The scope or workspace that the command line names, for requests that name neither."""

    scope: str | None = None
    workspace: str | None = None


@dataclass(frozen=True, slots=True)
class Incoming:
    """One request as it came: a JSON value, or why it is none; and its line in a replay."""

    request: object | Refusal
    line: int | None = None


def _invalid_request(message: str) -> Refusal:
    return Refusal(ErrorCode.INVALID_REQUEST, message)


def kind_of(request: object) -> RequestKind | None:
    """The kind that a request names, if it is one of the kinds."""
    named = request.get("type") if isinstance(request, dict) else None
    return RequestKind(named) if isinstance(named, str) and named in set(RequestKind) else None


def check_shape(request: object) -> Json:
    """Check the members of a request and what they hold, but not what that means.

    Returns:
        The members that are not null.

    Raises:
        Refusal: INVALID_REQUEST.
    """
    if not isinstance(request, dict):
        raise _invalid_request("a request is a JSON object")
    for name in request:
        if name not in _MEMBERS:
            raise _invalid_request(f"unknown member {quoted(name)}{nearest(name, _MEMBERS)}")
    given = {name: value for name, value in request.items() if value is not None}
    kind = kind_of(given)
    if kind is RequestKind.MODIFY:
        given.pop("previous_mpid", None)  # passed over unread
    for name, value in given.items():
        wanted, fits = _MEMBERS[name]
        if not fits(value):
            raise _invalid_request(f"{name} is {quoted(shown(value))}, but must be {wanted}")
    if kind is None:
        named = given.get("type", "")
        hint = nearest(named, RequestKind) or f"; use one of {', '.join(RequestKind)}"
        raise _invalid_request((f"unknown type {quoted(named)}" if named else "no type") + hint)
    if kind is RequestKind.MODIFY:
        _check_modify(given)
    else:
        for name in ("mpid", "identity_changes"):
            if name in given:
                raise _invalid_request(f"{name} belongs to a modify; {kind} takes none")
    return given


def _check_modify(given: Json) -> None:
    if "mpid" not in given:
        raise _invalid_request("a modify names its profile: give the mpid")
    if ("known_identities" in given) == ("identity_changes" in given):
        raise _invalid_request("a modify takes either known_identities or identity_changes")
    for place, change in enumerate(given.get("identity_changes", ()), start=1):
        for name in change:
            if name not in _CHANGE_MEMBERS:
                hint = nearest(name, _CHANGE_MEMBERS)
                raise _invalid_request(f"change {place}: unknown member {quoted(name)}{hint}")
        if not isinstance(change.get("identity_type"), str):
            raise _invalid_request(f"change {place}: give its identity_type, as text")
        if change.get("old_value") is None and change.get("new_value") is None:
            raise _invalid_request(f"change {place}: give an old_value, a new_value, or both")


def shown(value: object) -> str:
    """A JSON value for an error message: text as it is, a number or so as it is written."""
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "an object"
    return value if isinstance(value, str) else json.dumps(value)


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


def _is_mpid(value: object) -> bool:
    return parse_mpid(value) is not None or (isinstance(value, str) and value.startswith("@"))


_TEXT = ("text", is_text)
_OBJECT = ("an object", _is_object)
_MPID = ("an MPID: digits, perhaps behind a minus, or @ and a label", _is_mpid)

_MEMBERS: Mapping[str, tuple[str, Callable[[object], bool]]] = {
    "type": _TEXT,
    "scope": _TEXT,
    "workspace": _TEXT,
    "label": _TEXT,
    "known_identities": _OBJECT,
    "previous_mpid": _MPID,
    "mpid": _MPID,
    "identity_changes": ("a list of objects", _is_list_of_objects),
    "request_id": _TEXT,
    "request_timestamp_ms": ("an integer of at most 64 bits", _is_integer),
    "environment": _TEXT,
    "client_sdk": _OBJECT,
    "context": ("anything", lambda _: True),
}
"""Every member that a request may have, and what it must be (section 8)."""


def scope_of(given: Json, organization: Organization, target: Target) -> str:
    """The scope that a request is for; the target stands in where it names none (section 3).

    Raises:
        Refusal: INVALID_REQUEST, UNKNOWN_SCOPE or UNKNOWN_WORKSPACE.
    """
    scope, workspace = given.get("scope"), given.get("workspace")
    if scope is None and workspace is None:
        scope, workspace = target.scope, target.workspace
    if scope is None and workspace is None:
        if len(organization.scopes) > 1:
            raise _invalid_request(
                "name the scope or the workspace; the scopes are: " + _listed(organization.scopes)
            )
        return next(iter(organization.scopes))
    if scope is not None and scope not in organization.scopes:
        hint = nearest(scope, organization.scopes)
        hint = hint or f"; the scopes are: {_listed(organization.scopes)}"
        raise Refusal(ErrorCode.UNKNOWN_SCOPE, f"unknown scope {quoted(scope)}{hint}")
    if workspace is None:
        return str(scope)
    served = organization.workspaces.get(workspace)
    if served is None:
        hint = nearest(workspace, organization.workspaces)
        hint = hint or f"; the workspaces are: {_listed(organization.workspaces)}"
        raise Refusal(ErrorCode.UNKNOWN_WORKSPACE, f"unknown workspace {quoted(workspace)}{hint}")
    if scope is not None and scope != served:
        raise _invalid_request(
            f"the workspace {quoted(workspace)} belongs to the scope {quoted(served)}, "
            f"not to {quoted(scope)}; name one of them"
        )
    return served


def _listed(names: Iterable[str]) -> str:
    return ", ".join(map(printable, names)) or "(none)"


def request_of(given: Json, labels: Mapping[str, int]) -> Request:
    """Read a request whose shape has been checked; `labels` are those set so far.

    Raises:
        Refusal: UNKNOWN_LABEL, UNKNOWN_IDENTITY_TYPE, INVALID_REQUEST (two names of one type),
            INVALID_IDENTITY_VALUE or NO_IDENTITIES.
    """
    kind = RequestKind(given["type"])
    mpid, previous = (_mpid_of(given.get(name), labels) for name in ("mpid", "previous_mpid"))
    if "identity_changes" in given:
        assert mpid is not None
        return ModifyRequest(mpid, identity_changes=_changes_of(given["identity_changes"]))
    identities = identities_of(given.get("known_identities", {}))
    for identity_type, value in identities.items():
        _check_value(identity_type, value, empty_is_refused=kind is RequestKind.MODIFY)
    if kind is RequestKind.MODIFY:
        assert mpid is not None
        if not identities:
            raise _no_identities()
        return ModifyRequest(mpid, known_identities=identities)
    named = {each: value for each, value in identities.items() if value}
    if not named:
        raise _no_identities()
    return IdentityRequest(kind, named, previous)


def identity_type_of(name: str) -> IdentityType:
    """The type that a name stands for (section 2).

    Raises:
        Refusal: UNKNOWN_IDENTITY_TYPE.
    """
    if name not in TYPES_BY_NAME:
        raise Refusal(
            ErrorCode.UNKNOWN_IDENTITY_TYPE,
            f"unknown identity type {quoted(name)}{nearest(name, TYPES_BY_NAME)}",
        )
    return TYPES_BY_NAME[name]


def _mpid_of(value: object, labels: Mapping[str, int]) -> int | None:
    if not (isinstance(value, str) and value.startswith("@")):
        return parse_mpid(value)
    if value[1:] not in labels:
        raise Refusal(
            ErrorCode.UNKNOWN_LABEL,
            f"no answer so far carries the label {quoted(value[1:])}{nearest(value[1:], labels)}",
        )
    return labels[value[1:]]


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
            raise _invalid_request(f"{first} and {name} are one type; give one of them")
        identities[identity_type] = names[name]
    return identities


def _changes_of(changes: Sequence[Json]) -> tuple[IdentityChange, ...]:
    if not changes:
        raise _no_identities()
    read = tuple(
        IdentityChange(
            identity_type_of(change["identity_type"]),
            change.get("old_value"),
            change.get("new_value"),
        )
        for change in changes
    )
    for change in read:
        for value in (change.old_value, change.new_value):
            _check_value(change.identity_type, value, empty_is_refused=True)
    return read


def _check_value(identity_type: IdentityType, value: object, *, empty_is_refused: bool) -> None:
    if value is None:
        return
    fault = value_fault(value)
    if value == "" and empty_is_refused:
        fault = "is empty, which may mean two things; give null to remove the type"
    if fault:
        raise Refusal(
            ErrorCode.INVALID_IDENTITY_VALUE,
            f"the value {quoted(shown(value))} of {identity_type} {fault}",
        )


def _no_identities() -> Refusal:
    return Refusal(ErrorCode.NO_IDENTITIES, "no identifier is given; name at least one")
