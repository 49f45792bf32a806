"""What goes back over HTTP: answers and errors in the forms that the SDKs read (section 10)."""

import json
from typing import Any, Final
from uuid import uuid4

from starlette.responses import Response

from idsync_cli.core.codes import ErrorCode
from idsync_cli.core.decision import Answer, Decision, Refusal
from idsync_cli.core.identity import WIRE_NAMES, IdentityType
from idsync_cli.wire.answers import answer_json

Json = dict[str, Any]

BAD_REQUEST = "BAD_REQUEST"
LOOKUP_ERROR = "LOOKUP_ERROR"
NOT_FOUND_ERROR = "NOT_FOUND_ERROR"

_LOOKUP_ERRORS: Final = {
    ErrorCode.NO_IDENTITIES,
    ErrorCode.NO_LOOKUP_IDENTITY,
    ErrorCode.UNSUPPORTED_BY_STRATEGY,
    ErrorCode.LOGIN_ID_REQUIRED,
    ErrorCode.PROTECTED_IDENTITY,
}
# Our own messages may name what a profile holds, or the nearest right word. Over HTTP nothing is
# named that was not sent.
_SAID: Final = {
    ErrorCode.NO_LOOKUP_IDENTITY: "nobody can be looked up by the identity types that were sent",
    ErrorCode.UNKNOWN_IDENTITY_TYPE: "an identity type that was sent is not known",
    ErrorCode.MPID_NOT_FOUND: "no profile has this MPID",
    ErrorCode.OLD_VALUE_MISMATCH: "the profile does not hold an old value that was sent",
    ErrorCode.IMMUTABLE_IDENTITY: "an immutable identifier is in the way",
    ErrorCode.LIMIT_REACHED: "the profile may hold no further value of a type that was sent",
    ErrorCode.PROTECTED_IDENTITY: "an identifier that was sent belongs to another user",
    ErrorCode.UNKNOWN_SCOPE: "the workspace has no scope",
    ErrorCode.UNKNOWN_WORKSPACE: "the workspace is not known",
}


class Problem(Exception):
    """A request that cannot be answered: the status, a code, and what is wrong in words."""

    def __init__(
        self,
        status: int,
        message: str,
        code: str = BAD_REQUEST,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status: Final = status
        self.message: Final = message
        self.code: Final = code
        self.headers: Final = headers


def json_response(
    body: object, status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    """A response with a JSON body, in ASCII."""
    return Response(
        json.dumps(body).encode("ascii"), status, headers, "application/json; charset=utf-8"
    )


def error_response(
    status: int,
    code: str,
    message: str,
    headers: dict[str, str] | None = None,
    more: Json | None = None,
    *,
    of_subject_request: bool = False,
) -> Response:
    """An error in the form that every SDK finds what it reads in; a client of OpenDSR, too."""
    found = [{"code": code, "message": message}]
    if of_subject_request:
        found = [{**each, "domain": "Validation", "reason": code} for each in found]
        more = {"code": status, "message": message, "errors": found}
        more["error"] = dict(more)  # as the framework wraps it, and mParticle does not
    body = {
        "Errors": found, "errors": found, "ErrorCode": code, "StatusCode": status,
        "RequestId": str(uuid4()), **(more or {}),
    }  # fmt: skip
    return json_response(body, status, headers)


def refused(refusal: Refusal) -> tuple[str, str]:
    """The code and the message of a refusal, our own code at the head of the message."""
    code = LOOKUP_ERROR if refusal.code in _LOOKUP_ERRORS else BAD_REQUEST
    return code, f"{refusal.code.value}: {said_of(refusal)}"


def said_of(refusal: Refusal) -> str:
    """What is wrong, without anything that was not sent."""
    return _SAID.get(refusal.code, refusal.message)


def is_made(answer: Answer) -> bool:
    """Whether an answer is a profile that was made, or would be."""
    return isinstance(answer.outcome, Decision) and answer.outcome.created


def identity_body(answer: Answer, *, explain: bool) -> Json:
    """The body of an answer to an identity request; with `explain`, it has what every tier did."""
    decision = answer.outcome
    assert isinstance(decision, Decision)
    body: Json = {
        "context": None,
        "mpid": str(answer.mpid),
        "matched_identities": {wire_name(each.type): each.value for each in decision.matched},
        "is_ephemeral": False,
        "is_logged_in": decision.is_logged_in,
    }
    if explain:
        body["tiers"] = answer_json(answer, explain=True)["tiers"]
    return body


def modify_body(answer: Answer, *, explain: bool) -> Json:
    """The body of an answer to a modify: also which types changed on the profile it named."""
    decision = answer.outcome
    assert isinstance(decision, Decision)
    changed = {each.identifier.type for each in decision.changes if each.mpid == answer.mpid}
    in_order = sorted(changed, key=list(IdentityType).index)
    results = [
        {"identity_type": wire_name(each), "modified_mpid": str(answer.mpid)} for each in in_order
    ]
    return {**identity_body(answer, explain=explain), "change_results": results}


def wire_name(identity_type: IdentityType) -> str:
    """The name of a type in the HTTP API."""
    return WIRE_NAMES.get(identity_type, identity_type.value)
