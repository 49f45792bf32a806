"""From what an SDK sends to a request of section 8; other members are passed over (section 10)."""

from collections.abc import Mapping
from typing import Any, Final

from idsync_cli.core.decision import WHOLE_REQUEST
from idsync_cli.core.identity import MPID_MAX, MPID_MIN, mpid_rule, parse_mpid
from idsync_cli.wire.members import invalid_request, is_text, wrong
from idsync_cli.wire.mpids import is_no_mpid

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
    check_mpid("previous_mpid", members.get("previous_mpid"))
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


def check_mpid(name: str, value: object, *, may_be_none: bool = True) -> None:
    """See that what stands for an MPID is one, and no label, which nobody can set over HTTP.

    Raises:
        Refusal: INVALID_REQUEST.
    """
    if value is None or (may_be_none and is_no_mpid(value)):
        return
    if parse_mpid(value) is None:
        raise invalid_request(wrong(name, value, f"an MPID{mpid_rule(value)}"), (name,))


def kept_for_history(members: Mapping[str, Any]) -> Json:
    """What of a request is kept for its history alone; what is of another kind is passed over."""
    kept: Json = {}
    its_id, its_time = members.get("request_id"), members.get("request_timestamp_ms")
    if is_text(its_id):
        kept["request_id"] = its_id
    if type(its_time) is int and MPID_MIN <= its_time <= MPID_MAX:
        kept["request_timestamp_ms"] = its_time
    return kept


def _begun(kind: str, workspace: str, members: Mapping[str, Any]) -> Json:
    return {"type": kind, "workspace": workspace, **kept_for_history(members)}


def _is_passed_over(change: object) -> bool:
    return isinstance(change, dict) and change.get("new_value") == ""


def _change_in(change: object) -> object:
    if not isinstance(change, dict):
        return change
    kept = {name: change.get(name) for name in ("identity_type", "old_value", "new_value")}
    return {**kept, "old_value": None} if kept["old_value"] == "" else kept
