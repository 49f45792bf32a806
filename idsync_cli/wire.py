"""The JSON formats of section 8: requests in; answers and profiles out."""

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from idsync_cli.core.codes import ErrorCode, RequestKind
from idsync_cli.core.decision import Answer, Change, DecidedBy, Note, Refusal, Tier
from idsync_cli.core.identity import (
    MPID_MAX,
    MPID_MIN,
    TYPE_ORDER,
    TYPES_BY_NAME,
    Identifier,
    IdentityType,
    has_surrogate,
    parse_mpid,
    value_fault,
)
from idsync_cli.core.profile import Profile
from idsync_cli.core.request import IdentityChange, IdentityRequest, ModifyRequest, Request
from idsync_cli.core.rules import Organization, Rules
from idsync_cli.errors import nearest, printable, quoted
from idsync_cli.wording import note_message

Json = dict[str, Any]

MAX_LINE_BYTES = 2**20
"""The longest line of a request file, in bytes (section 8)."""

_CHANGE_MEMBERS = ("identity_type", "old_value", "new_value")


@dataclass(frozen=True, slots=True)
class Target:
    """The scope or workspace that the command line names, for requests that name neither."""

    scope: str | None = None
    workspace: str | None = None


def decode(line: bytes) -> object:
    """Read one line of JSON.

    Raises:
        Refusal: INVALID_JSON.
    """
    if len(line) > MAX_LINE_BYTES:
        raise _invalid_json("the line is longer than 1 MiB; send fewer identifiers in one request")
    try:
        return _DECODER.decode(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise _invalid_json(
            f"byte {error.start + 1} is not UTF-8; save the file as UTF-8"
        ) from None
    except json.JSONDecodeError as error:
        raise _invalid_json(f"not JSON at character {error.pos + 1}: {error.msg}") from None
    except RecursionError:
        raise _invalid_json("nested too deeply to read") from None


def _invalid_json(message: str) -> Refusal:
    return Refusal(ErrorCode.INVALID_JSON, message)


def _invalid_request(message: str) -> Refusal:
    return Refusal(ErrorCode.INVALID_REQUEST, message)


def _object(pairs: list[tuple[str, object]]) -> Json:
    members = dict(pairs)
    if len(members) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise _invalid_json(f"the key {quoted(twice)} stands twice in one object")
    return members


def _no_number(name: str) -> object:
    raise _invalid_json(f"{name} is no number of JSON")


def _float(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise _invalid_json(f"the number {quoted(digits)} is too large to read")
    return number


def _int(digits: str) -> int:
    # An integer that no member can hold is kept out of range: Python refuses to read thousands of
    # digits, and the request is to be refused for its member, not for its JSON.
    return int(digits) if len(digits) <= 20 else MPID_MAX + 1


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_constant=_no_number, parse_float=_float, parse_int=_int
)


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
            raise _invalid_request(f"{name} is {quoted(_shown(value))}, but must be {wanted}")
    if kind is None:
        named = given.get("type", "")
        hint = nearest(named, RequestKind) or f"; use one of {', '.join(RequestKind)}"
        raise _invalid_request((f"unknown type {quoted(named)}" if named else "no type") + hint)
    if kind is RequestKind.MODIFY:
        _check_modify(given)
    else:
        for name in ("mpid", "identity_changes"):
            if name in given:
                raise _invalid_request(f"{name} belongs to a modify; a {kind} takes none")
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


def _shown(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _is_text(value: object) -> bool:
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


_TEXT = ("text", _is_text)
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
    identities = _identities_of(given.get("known_identities", {}))
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


def _identities_of(names: Mapping[str, Any]) -> dict[IdentityType, Any]:
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
            f"the value {quoted(_shown(value))} of {identity_type} {fault}",
        )


def _no_identities() -> Refusal:
    return Refusal(ErrorCode.NO_IDENTITIES, "no identifier is given; name at least one")


def answer_json(answer: Answer, *, explain: bool) -> Json:
    """An answer as it is sent; with `explain`, with the account of every tier (section 8)."""
    heading: Json = {
        "seq": answer.seq,
        **({} if answer.line is None else {"line": answer.line}),
        "type": None if answer.kind is None else answer.kind.value,
        "scope": answer.scope,
        "status": answer.status.value,
    }
    outcome = answer.outcome
    if isinstance(outcome, Refusal):
        return {**heading, "errors": [{"code": outcome.code.value, "message": outcome.message}]}
    profile = outcome.profile
    found: Json = {}
    if answer.kind is RequestKind.SEARCH and profile is not None:
        found = {"identities": identities_json(profile.identifiers, answer.rules)}
    body: Json = {
        "mpid": None if profile is None else str(profile.mpid),
        "is_logged_in": outcome.is_logged_in,
        "matched_identities": {each.type.value: each.value for each in outcome.matched},
        **found,
        "decided_by": _decided_by_json(outcome.decided_by),
        "changes": [_change_json(change) for change in outcome.changes],
        "orphaned": [str(mpid) for mpid in outcome.orphaned],
        "source_mpid": None if profile is None else _mpid_text(profile.source_mpid),
        "notes": [_note_json(note) for note in outcome.notes],
    }
    if explain:
        body["tiers"] = [_tier_json(tier) for tier in outcome.tiers]
    return heading | body


def profile_json(profile: Profile, scope: str, rules: Rules | None) -> Json:
    """A line of an export; `rules` are None where the configuration no longer names the scope."""
    held = profile.identifiers
    return {
        "mpid": str(profile.mpid),
        "scope": scope,
        "created_seq": profile.created_seq,
        "source_mpid": _mpid_text(profile.source_mpid),
        "known": profile.was_known if rules is None else rules.is_known(profile),
        "orphaned": not held if rules is None else not rules.holds_lookup(held),
        "identities": identities_json(held, rules),
    }


def identities_json(identifiers: Iterable[Identifier], rules: Rules | None) -> dict[str, list[str]]:
    """All values by type: types in priority order, then that of section 2; values as added."""
    values: dict[IdentityType, list[str]] = {}
    for identity_type, value in identifiers:
        values.setdefault(identity_type, []).append(value)
    types = rules.in_order(values) if rules else sorted(values, key=TYPE_ORDER.__getitem__)
    return {identity_type.value: values[identity_type] for identity_type in types}


def encode(value: Json) -> str:
    """One line of JSON, in ASCII: no value of an identifier can act on a terminal."""
    return json.dumps(value)


def _decided_by_json(decided_by: DecidedBy) -> Json:
    if decided_by.identity_type is None:
        return {"rule": decided_by.rule.value}
    return {
        "rule": decided_by.rule.value,
        "rank": decided_by.rank,
        "identity_type": decided_by.identity_type.value,
    }


def _mpid_text(mpid: int | None) -> str | None:
    return None if mpid is None else str(mpid)


def _change_json(change: Change) -> Json:
    return {
        "op": change.op.value,
        "mpid": str(change.mpid),
        "identity_type": change.identifier.type.value,
        "value": change.identifier.value,
    }


def _note_json(note: Note) -> Json:
    return {
        "code": note.code.value,
        "identity_type": None if note.identity_type is None else note.identity_type.value,
        "message": note_message(note),
    }


def _tier_json(tier: Tier) -> Json:
    return {
        "rank": tier.rank,
        "identity_type": tier.identity_type.value,
        "value": tier.value,
        "settings": list(tier.settings.names()),
        "held_by": tier.held_by,
        "eligible": tier.eligible,
        "ineligible": {reason.value: count for reason, count in tier.ineligible.items()},
        "left": tier.left,
        "outcome": tier.outcome.value,
    }
