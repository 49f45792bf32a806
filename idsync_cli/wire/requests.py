"""Requests: JSON to what is asked, checked in the order of section 8's table."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, NamedTuple, Protocol

from idsync_cli.core.codes import ErrorCode, RequestKind
from idsync_cli.core.config.rules import Organization, Rules
from idsync_cli.core.decision import Refusal
from idsync_cli.core.identity import (
    MPID_MAX,
    MPID_MIN,
    TYPES_BY_NAME,
    Identifier,
    IdentityType,
    has_surrogate,
    is_plain_value,
    parse_mpid,
    value_fault,
)
from idsync_cli.core.request import IdentityChange, IdentityRequest, ModifyRequest, Request
from idsync_cli.errors import nearest, printable, quoted
from idsync_cli.wire.decoding import Json
from idsync_cli.wire.lines import PlainLine
from idsync_cli.wire.plain import PlainChange

_NOTHING: Mapping[Any, Any] = MappingProxyType({})
_KINDS: Final = {kind.value: kind for kind in RequestKind}
_MODIFY: Final = RequestKind.MODIFY
_NAMING_NOTHING: Final = None, None
_CHANGE_MEMBERS = ("identity_type", "old_value", "new_value")


class Target(NamedTuple):
    """The scope or workspace that the command line names, for requests that name neither."""

    scope: str | None = None
    workspace: str | None = None


class Reading:
    """A request as far as it can be read without knowing what labels stand for.

    `refusal` says what is wrong with its members or its scope, and `late_refusal` what is wrong
    with its identifiers, which counts only if its labels are known (the order of section 8).
    `identities` are those of a modify in its set form. An MPID that is a text is a label.
    """

    __slots__ = (
        "changes", "identifiers", "identities", "kind", "label", "late_refusal", "mpid",
        "previous_mpid", "refusal", "request_id", "request_timestamp_ms", "rules", "scope",
    )  # fmt: skip

    def __init__(
        self,
        kind: RequestKind | None = None,
        label: str | None = None,
        refusal: Refusal | None = None,
    ) -> None:
        self.kind = kind
        self.scope: str | None = None
        self.rules: Rules | None = None
        self.label = label
        self.mpid: int | str | None = None
        self.previous_mpid: int | str | None = None
        self.identifiers: Sequence[Identifier] = ()
        self.identities: Mapping[IdentityType, str | None] | None = None
        self.changes: tuple[IdentityChange, ...] | None = None
        self.request_id: str | None = None
        self.request_timestamp_ms: int | None = None
        self.refusal = refusal
        self.late_refusal: Refusal | None = None


def _invalid_request(message: str) -> Refusal:
    return Refusal(ErrorCode.INVALID_REQUEST, message)


def kind_of(request: object) -> RequestKind | None:
    """The kind that a request names, if it is one of the kinds."""
    named = request.get("type") if isinstance(request, dict) else None
    return _KINDS.get(named) if isinstance(named, str) else None


def check_shape(request: object) -> Json:
    """Check the members of a request and what they hold, but not what that means.

    Returns:
        The members that are not null.

    Raises:
        Refusal: INVALID_REQUEST.
    """
    if not isinstance(request, dict):
        raise _invalid_request("a request is a JSON object, between { and }")
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


class Reader:
    """Reads requests for an organization; the target stands in for those that name no scope."""

    def __init__(self, organization: Organization, target: Target | None = None) -> None:
        self._organization = organization
        self._target = target or Target()
        self._scopes: dict[tuple[str | None, str | None], tuple[str, Rules]] = {}
        self._unnamed: tuple[str, Rules] | None = None  # what a request is for that names nothing

    def read(self, request: object) -> Reading:
        """Read a request, as far as it is one."""
        if isinstance(request, PlainLine):
            return self._read_plain(request) or self.read(request.as_json())
        if isinstance(request, Refusal):
            return Reading(refusal=request)
        if isinstance(request, dict):
            plain = self._read_plain_object(request)
            if plain is not None:
                return plain
        kind = kind_of(request)
        label = request.get("label") if isinstance(request, dict) else None
        if not is_text(label):
            label = None
        try:
            given = check_shape(request)
            kind = _KINDS[given["type"]]
            scope, rules = self._scope(given.get("scope"), given.get("workspace"))
        except Refusal as refusal:
            return Reading(kind, label=label, refusal=refusal)
        reading = Reading(kind, label)
        reading.scope, reading.rules = scope, rules
        reading.mpid = _mpid_or_label(given.get("mpid"))
        reading.previous_mpid = _mpid_or_label(given.get("previous_mpid"))
        reading.request_id = given.get("request_id")
        reading.request_timestamp_ms = given.get("request_timestamp_ms")
        try:
            if "identity_changes" in given:
                reading.changes = _changes_of(given["identity_changes"])
            else:
                found = _identities_in(given.get("known_identities", _NOTHING), kind)
                if kind is _MODIFY:
                    reading.identities = found
                else:
                    reading.identifiers = [Identifier(each, found[each]) for each in found]
        except Refusal as refusal:
            reading.late_refusal = refusal
        return reading

    def _read_plain(self, line: PlainLine) -> Reading | None:
        """Read a line in which nothing is wrong; None if that is not plain to see."""
        kind = _KINDS.get(line.type)
        named = line.scope is not None or line.workspace is not None
        where = self._scopes.get((line.scope, line.workspace)) if named else self._unnamed
        if kind is None or where is None:
            return None
        reading = Reading(kind, line.label)
        reading.scope, reading.rules = where
        reading.request_id = line.request_id
        reading.request_timestamp_ms = line.request_timestamp_ms
        previous, mpid, changes = line.previous_mpid, line.mpid, line.identity_changes
        if previous is not None:
            previous = _mpid_or_label(previous)
            if previous is None:
                return None
        if kind is _MODIFY:
            reading.mpid = _mpid_or_label(mpid)
            if reading.mpid is None or (changes is None) == (line.known_identities is None):
                return None
            if changes is not None:
                reading.changes = _plain_changes(changes)
                return reading if reading.changes else None
        elif mpid is None and changes is None:
            reading.previous_mpid = previous
        else:
            return None
        identifiers = _plain_identifiers(line.known_identities)
        if identifiers is None:
            return None
        if kind is _MODIFY:
            reading.identities = {each.type: each.value for each in identifiers}
        else:
            reading.identifiers = identifiers
        return reading

    def _read_plain_object(self, request: Json) -> Reading | None:
        """Read an object that names identifiers and nothing else; None if it is another one."""
        named, known = request.get("type"), request.get("known_identities")
        if len(request) > 2 or not (isinstance(named, str) and isinstance(known, dict)):
            return None
        kind, where = _KINDS.get(named), self._unnamed
        identifiers = _plain_identifiers(known)
        if kind is None or kind is _MODIFY or where is None or identifiers is None:
            return None
        reading = Reading(kind)
        reading.scope, reading.rules = where
        reading.identifiers = identifiers
        return reading

    def _scope(self, scope: str | None, workspace: str | None) -> tuple[str, Rules]:
        named = scope, workspace
        if named not in self._scopes:
            name = scope_of(scope, workspace, self._organization, self._target)
            self._scopes[named] = name, self._organization.scopes[name]
            self._unnamed = self._scopes.get(_NAMING_NOTHING)
        return self._scopes[named]


def scope_of(
    scope: str | None, workspace: str | None, organization: Organization, target: Target
) -> str:
    """The scope that a request is for; the target stands in where it names none (section 3).

    Raises:
        Refusal: INVALID_REQUEST, UNKNOWN_SCOPE or UNKNOWN_WORKSPACE.
    """
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


class KnownLabels(Protocol):
    """What labels stand for by now."""

    def get(self, label: str, /) -> int | None:
        """The MPID that a label stands for, if it stands for any."""


def request_of(reading: Reading, labels: KnownLabels) -> Request:
    """What is asked, now that the labels set so far are known.

    Raises:
        Refusal: what is wrong with the request: any code of section 8's table up to NO_IDENTITIES.
    """
    kind, mpid, previous = reading.kind, reading.mpid, reading.previous_mpid
    if reading.refusal:
        raise reading.refusal
    if isinstance(mpid, str):
        mpid = _mpid_of(mpid, labels)
    if isinstance(previous, str):
        previous = _mpid_of(previous, labels)
    if reading.late_refusal:
        raise reading.late_refusal
    if kind is _MODIFY:
        assert mpid is not None
        if reading.changes is not None:
            return ModifyRequest(mpid, identity_changes=reading.changes)
        return ModifyRequest(mpid, known_identities=reading.identities)
    assert kind is not None
    return IdentityRequest(kind, reading.identifiers, previous)


def _identities_in(names: Mapping[str, Any], kind: RequestKind) -> dict[IdentityType, Any]:
    """The identifiers of a request.

    Raises:
        Refusal: UNKNOWN_IDENTITY_TYPE, INVALID_REQUEST (two names of one type),
            INVALID_IDENTITY_VALUE or NO_IDENTITIES.
    """
    identities = identities_of(names)
    is_modify = kind is RequestKind.MODIFY
    for identity_type, value in identities.items():
        _check_value(identity_type, value, empty_is_refused=is_modify)
    if not is_modify:
        identities = {each: value for each, value in identities.items() if value}
    if not identities:
        raise _no_identities()
    return identities


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


def _mpid_or_label(value: object) -> int | str | None:
    """An MPID, or the label that stands for one."""
    if isinstance(value, str) and value.startswith("@"):
        return value[1:]
    return parse_mpid(value)


def _mpid_of(label: str, labels: KnownLabels) -> int:
    mpid = labels.get(label)
    if mpid is None:
        raise Refusal(
            ErrorCode.UNKNOWN_LABEL,
            f"no answer so far carries the label {quoted(label)}; set it in an earlier request",
        )
    return mpid


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


def _plain_identifiers(known: dict[str, Any] | None) -> list[Identifier] | None:
    """Identifiers in which nothing is wrong; None if that is not plain to see."""
    if not known:
        return None
    found: list[Identifier] = []
    for name, value in known.items():
        identity_type = TYPES_BY_NAME.get(name)
        if identity_type is None or not is_plain_value(value):
            return None
        found.append(Identifier(identity_type, value))
    if len(found) > 1 and len({each.type for each in found}) < len(found):
        return None
    return found


def _plain_changes(changes: Sequence[PlainChange]) -> tuple[IdentityChange, ...] | None:
    """Changes in which nothing is wrong; None if that is not plain to see."""
    found: list[IdentityChange] = []
    for change in changes:
        identity_type = TYPES_BY_NAME.get(change.identity_type)
        old, new = change.old_value, change.new_value
        if identity_type is None or (old is None and new is None):
            return None
        if not ((old is None or is_plain_value(old)) and (new is None or is_plain_value(new))):
            return None
        found.append(IdentityChange(identity_type, old, new))
    return tuple(found) or None


def _changes_of(changes: Sequence[Json]) -> tuple[IdentityChange, ...]:
    if not changes:
        raise _no_identities()
    read = [
        (identity_type_of(each["identity_type"]), each.get("old_value"), each.get("new_value"))
        for each in changes
    ]
    for identity_type, *values in read:
        for value in values:
            _check_value(identity_type, value, empty_is_refused=True)
    return tuple([IdentityChange(*each) for each in read])


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
