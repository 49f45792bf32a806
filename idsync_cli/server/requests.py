"""From what an SDK sends to a request of section 8; other members are passed over (section 10)."""

from collections.abc import Mapping
from typing import Any, Final

from idsync_cli.core.decision import WHOLE_REQUEST
from idsync_cli.core.identity import MPID_MAX, MPID_MIN, has_surrogate
from idsync_cli.wire.members import invalid_request

Json = dict[str, Any]

_NO_CHANGE: Final = {"identity_type": "other", "old_value": None, "new_value": None}
"""What a modify is left with whose changes were all passed over: it changes nothing."""


def identity_request(kind: str, workspace: str, body: object) -> Json:
    """An identify, login, logout or search.

    Raises:
        Refusal: INVALID_REQUEST; it is no object, or names an MPID by a label.
    """
    members = object_in(body)
    request = _begun(kind, workspace, members)
    for name in ("known_identities", "previous_mpid"):
        if name in members:
            request[name] = members[name]
    check_no_label("previous_mpid", members.get("previous_mpid"))
    return request


def modify_request(workspace: str, mpid: int, body: object) -> Json:
    """A modify of the profile that the path names.

    SDKs send what a device knows of its user: a change to "" is passed over whole, and an old
    value of "" is as null.

    Raises:
        Refusal: INVALID_REQUEST; it is no object.
    """
    members = object_in(body)
    request = _begun("modify", workspace, members)
    request["mpid"] = str(mpid)
    if "known_identities" in members:
        request["known_identities"] = members["known_identities"]
    changes = members.get("identity_changes")
    if isinstance(changes, list) and changes:
        kept = [_change_in(each) for each in changes if not _is_passed_over(each)]
        request["identity_changes"] = kept or [_NO_CHANGE]
    elif changes is not None:
        request["identity_changes"] = changes
    return request


def object_in(body: object) -> Mapping[str, Any]:
    """The members of a body.

    Raises:
        Refusal: INVALID_REQUEST; it is no object.
    """
    if not isinstance(body, dict):
        raise invalid_request("the body must be a JSON object, between { and }", WHOLE_REQUEST)
    return body


def check_no_label(name: str, value: object) -> None:
    """See that an MPID is no label, which nobody can set over HTTP.

    Raises:
        Refusal: INVALID_REQUEST.
    """
    if isinstance(value, str) and value.startswith("@"):
        raise invalid_request(
            f"{name} is not an MPID: digits, optionally with a leading minus", (name,)
        )


def _begun(kind: str, workspace: str, members: Mapping[str, Any]) -> Json:
    """A request with what is kept for history alone; what is of another kind is passed over."""
    request: Json = {"type": kind, "workspace": workspace}
    its_id, its_time = members.get("request_id"), members.get("request_timestamp_ms")
    if isinstance(its_id, str) and not has_surrogate(its_id):
        request["request_id"] = its_id
    if type(its_time) is int and MPID_MIN <= its_time <= MPID_MAX:
        request["request_timestamp_ms"] = its_time
    return request


def _is_passed_over(change: object) -> bool:
    return isinstance(change, dict) and change.get("new_value") == ""


def _change_in(change: object) -> object:
    if not isinstance(change, dict):
        return change
    kept = {name: change.get(name) for name in ("identity_type", "old_value", "new_value")}
    return {**kept, "old_value": None} if kept["old_value"] == "" else kept
