"""Calls of mParticle's web SDK in what a browser recorded (HAR), with their answers (section 12).

Nothing is taken of a call but its body, the MPID of its path and its time, and nothing of its
answer but the MPID or the error: keys, cookies and all other calls stay behind.
"""

import base64
import binascii
import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from idsync_cli.convert.batches import batch_of
from idsync_cli.convert.lines import CannotUse, decoded, line_of, members_of
from idsync_cli.convert.objects import FoundRequest
from idsync_cli.core.identity import parse_mpid

_IDENTITY = re.compile(r"/v1/(?:(identify|login|logout|search)|(-?[0-9]+)/modify)/?")
_EVENTS = re.compile(r"/v3/JS/[^/]+/events/?")
_ALIAS = re.compile(r"/v1/identity/[^/]+/alias/?", re.IGNORECASE)
_MEMBERS = (
    "known_identities",
    "previous_mpid",
    "identity_changes",
    "request_id",
    "source_request_id",
    "request_timestamp_ms",
    "environment",
    "client_sdk",
    "context",
)
_ALIASED = ("source_mpid", "destination_mpid", "start_unixtime_ms", "end_unixtime_ms")


def request_of(text: str) -> FoundRequest | None:
    """The request of an entry; None where it is no call of the web SDK.

    Raises:
        CannotUse: it is one, and makes no request.
    """
    entry = decoded(text)
    request = entry.get("request") if isinstance(entry, dict) else None
    if not isinstance(entry, dict) or not isinstance(request, dict):
        raise CannotUse("not an entry of a HAR")
    url = request.get("url")
    if request.get("method") != "POST" or not isinstance(url, str):
        return None
    address = urlsplit(url)
    if found := _ending(_IDENTITY, address.path):
        return _identity(entry, found, address.query)
    if _ending(_EVENTS, address.path):
        body = _body(request)
        return FoundRequest(*batch_of(body, _object(body)))
    if _ending(_ALIAS, address.path):
        return _alias(entry)
    return None


def _ending(pattern: re.Pattern[str], path: str) -> re.Match[str] | None:
    """Where a path ends so; what stands before it is the prefix of somebody's own domain."""
    for start in (found.start() for found in re.finditer("/", path)):
        if found := pattern.fullmatch(path, start):
            return found
    return None


def _identity(entry: Mapping[str, Any], found: re.Match[str], query: str) -> FoundRequest | None:
    request = entry["request"]
    kind, mpid = found[1] or "modify", found[2]
    is_ours = any(
        isinstance(header, dict) and str(header.get("name")).lower() == "x-mp-key"
        for header in request.get("headers") or ()
    )
    try:
        text = _body(request)
        body = _object(text)
    except CannotUse:
        if is_ours:
            raise
        return None
    if not {"known_identities", "identity_changes"} & body.keys():
        if is_ours:
            raise CannotUse(f"the {kind} names no identities")
        return None  # somebody else's path happens to end so
    if parse_qs(query).get("read_only") == ["true"]:
        raise CannotUse(f"the {kind} was made with read_only, and changed nothing")
    members = members_of(text)
    line = {"type": f'"{kind}"', **{each: members[each] for each in _MEMBERS if each in members}}
    if kind == "modify":
        line["mpid"] = json.dumps(mpid)
        if "identity_changes" in body:
            line["identity_changes"] = json.dumps(_changes(body["identity_changes"]))
    if "request_timestamp_ms" not in line and (time := _time_of(entry)) is not None:
        line["request_timestamp_ms"] = str(time)
    if (response := _response(entry, kind, mpid)) is not None:
        line["response"] = json.dumps(response)
    return FoundRequest(line_of(line))


def _changes(changes: object) -> list[Any]:
    """Changes as the HTTP API takes them: a new value "" is none at all, an old one is null."""
    if not isinstance(changes, list) or not all(isinstance(each, dict) for each in changes):
        raise CannotUse("identity_changes is not a list of objects")
    made = [
        {**each, "old_value": each.get("old_value") or None}
        for each in changes
        if each.get("new_value") != ""
    ]
    if not made:
        raise CannotUse("the modify changes nothing")
    return made


def _alias(entry: Mapping[str, Any]) -> FoundRequest:
    data = _object(_body(entry["request"])).get("data")
    if not isinstance(data, dict):
        raise CannotUse("the alias has no data")
    line = {"type": '"alias"'}
    line |= {each: json.dumps(data[each]) for each in _ALIASED if data.get(each) is not None}
    if (time := _time_of(entry)) is not None:
        line["request_timestamp_ms"] = str(time)
    return FoundRequest(line_of(line))


def _body(request: Mapping[str, Any]) -> str:
    post = request.get("postData")
    text = post.get("text") if isinstance(post, dict) else None
    if not isinstance(text, str) or not text:
        raise CannotUse("the call was recorded without its body")
    return _unpacked(text, post)


def _unpacked(text: str, where: object) -> str:
    """A text that may have been recorded as base64."""
    if not isinstance(where, dict) or where.get("encoding") != "base64":
        return text
    try:
        return base64.b64decode(text, validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        raise CannotUse("the body is recorded as base64, and is not text") from None


def _object(text: str) -> dict[str, Any]:
    value = decoded(text)
    if not isinstance(value, dict):
        raise CannotUse("the body of the call is not a JSON object")
    return value


def _response(entry: Mapping[str, Any], kind: str, mpid: str | None) -> dict[str, Any] | None:
    """What was answered, as far as it was recorded."""
    response = entry.get("response")
    status = response.get("status") if isinstance(response, dict) else None
    if not isinstance(response, dict) or not isinstance(status, int) or status < 100:
        return None
    answer: dict[str, Any] = {}
    content = response.get("content")
    text = content.get("text") if isinstance(content, dict) else None
    if isinstance(text, str):
        try:
            answer = _object(_unpacked(text, content))
        except CannotUse:
            answer = {}
    if status == 200:
        found = mpid if kind == "modify" else answer.get("mpid")
        return None if parse_mpid(found) is None else {"mpid": str(found)}
    if status == 404 and kind == "search":
        return {"mpid": None}
    return {"error": _error_in(answer) or f"HTTP {status}"}


def _error_in(answer: Mapping[str, Any]) -> str | None:
    for name in ("Errors", "errors"):
        errors = answer.get(name)
        if isinstance(errors, list) and errors and isinstance(errors[0], dict):
            code = errors[0].get("code")
            if isinstance(code, str) and code:
                return code
    code = answer.get("ErrorCode") or answer.get("code")
    return code if isinstance(code, str) and code else None


def _time_of(entry: Mapping[str, Any]) -> int | None:
    """When a call was made, in milliseconds since 1970."""
    started = entry.get("startedDateTime")
    try:
        moment = datetime.fromisoformat(started) if isinstance(started, str) else None
        has_zone = moment is not None and moment.tzinfo is not None
        return round(moment.timestamp() * 1000) if moment is not None and has_zone else None
    except (ValueError, OverflowError):
        return None
