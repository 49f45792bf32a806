"""The schemas of what is sent and answered, for `/openapi.json` (section 10)."""

from typing import Any, Final

from idsync_cli.core.identity import MAX_VALUE_LENGTH, MPID_MAX, MPID_MIN, TYPES_BY_NAME
from idsync_cli.files.subject_request import MOST_IDENTITIES, Regulation, SubjectRequestType
from idsync_cli.inspect.query import Field
from idsync_cli.server.native import NUMBER_OF_TYPES

Schema = dict[str, Any]

_MPID: Final[Schema] = {
    "type": "string", "pattern": "^-?[1-9][0-9]{0,18}$",
    "description": "The MPID: a number of 64 bits, as text.",
}  # fmt: skip
_SENT_MPID: Final[Schema] = {
    "type": ["string", "integer"], "pattern": _MPID["pattern"], "not": {"const": 0},
    "minimum": MPID_MIN, "maximum": MPID_MAX,
}  # fmt: skip
_ANY_MPID: Final[Schema] = {"anyOf": [_SENT_MPID, {"enum": ["", "0", 0, None]}]}
_TEXT: Final[Schema] = {"type": "string"}
_TIME_MS: Final[Schema] = {"type": "integer", "description": "Milliseconds since 1970, UTC."}
_VALUE: Final[Schema] = {
    "type": ["string", "null"], "maxLength": MAX_VALUE_LENGTH, "pattern": "^[^\\u0000]*$",
}  # fmt: skip


def _object(required: str = "", /, **members: Schema) -> Schema:
    made: Schema = {"type": "object", "properties": members}
    if required:
        made["required"] = required.split()
    return made


def _closed(schema: Schema) -> Schema:
    return {**schema, "additionalProperties": False}


def _list(items: Schema, **more: int) -> Schema:
    return {"type": "array", "items": items, **more}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _identities(schema: Schema, **more: object) -> Schema:
    return {
        "type": "object", "additionalProperties": schema,
        "propertyNames": {"enum": sorted(TYPES_BY_NAME)}, **more,
    }  # fmt: skip


def _one_of(**forms: str) -> Schema:
    """That exactly one of some members is given, which then is of its type; null gives none."""
    return {
        "oneOf": [
            {"required": [name], "properties": {name: {"type": kind}}}
            for name, kind in forms.items()
        ]
    }


def _or_null(schema: Schema) -> Schema:
    return {**schema, "type": [schema["type"], "null"]}


_CODED: Final = _object("code message", code=_TEXT, message=_TEXT)
_ERROR: Final = {
    "Errors": _list(_CODED), "errors": _list(_CODED), "ErrorCode": _TEXT,
    "StatusCode": {"type": "integer"}, "RequestId": {"type": "string", "format": "uuid"},
}  # fmt: skip
_ERROR_MEMBERS: Final = "Errors errors ErrorCode StatusCode RequestId"
_SENT_WITH_IDENTITIES: Final[dict[str, Schema]] = {
    "client_sdk": {}, "context": {}, "environment": {}, "request_id": {},
    "request_timestamp_ms": {},
}  # fmt: skip
_IDENTITY_MEMBERS: Final[dict[str, Schema]] = {
    "context": {"type": "null"}, "mpid": _MPID, "matched_identities": _identities(_TEXT),
    "is_ephemeral": {"const": False}, "is_logged_in": {"type": "boolean"},
    "tiers": {"type": "array", "description": "Only with explain=true, and only for servers."},
}  # fmt: skip
_ANSWERED: Final = "context mpid matched_identities is_ephemeral is_logged_in"
_BATCH: Final = _object(
    mpid=_ANY_MPID, mp_deviceid={}, source_request_id={}, environment={},
    user_identities={"type": ["object", "null"]}, device_info={"type": ["object", "null"]},
    user_attributes={"type": ["object", "null"]},
    deleted_user_attributes={"type": ["array", "null"]}, events={"type": ["array", "null"]},
)  # fmt: skip
_IDENTITY_OF_PROFILE: Final = _object(
    "type encoding value", type=_TEXT, encoding={"const": "none"}, value=_TEXT
)
_SUBJECT_IDENTITIES: Final = {
    "type": "object", "maxProperties": MOST_IDENTITIES,
    "additionalProperties": _object("value", value=_TEXT, encoding={"const": "raw"}),
}  # fmt: skip
_NULLABLE: Final[Schema] = {"type": ["string", "null"]}
_REQUEST_STATUS: Final[Schema] = {"enum": ["pending", "in_progress", "completed", "cancelled"]}

SCHEMAS: Final[dict[str, Schema]] = {
    "Anything": {"description": "Anything; ignored."},
    "AnyBatch": {"description": "A batch; JSON that is not one is skipped."},
    "IdentityRequest": _object(
        "known_identities",
        known_identities=_identities(_VALUE, minProperties=1),  # and one that is no null
        previous_mpid=_ANY_MPID,
        **_SENT_WITH_IDENTITIES,
    ),
    "ModifyRequest": {
        **_object(
            identity_changes=_or_null(
                _list(
                    _object(
                        "identity_type", identity_type={"enum": sorted(TYPES_BY_NAME)},
                        old_value=_VALUE, new_value=_VALUE,
                    ),
                    minItems=1,
                )
            ),
            known_identities=_or_null(_identities({**_VALUE, "minLength": 1}, minProperties=1)),
            **_SENT_WITH_IDENTITIES,
        ),
        **_one_of(identity_changes="array", known_identities="object"),
    },
    "Identity": _closed(_object(_ANSWERED, **_IDENTITY_MEMBERS)),
    "Modified": _closed(
        _object(
            f"{_ANSWERED} change_results",
            change_results=_list(
                _object("identity_type modified_mpid", identity_type=_TEXT, modified_mpid=_MPID)
            ),
            **_IDENTITY_MEMBERS,
        )
    ),
    "Error": _object(_ERROR_MEMBERS, **_ERROR),
    "ModifyError": _object(
        _ERROR_MEMBERS, mpid=_TEXT, is_logged_in={"type": "boolean"}, **_ERROR
    ),
    "AliasRequest": _object(
        "data", request_type={}, request_id={}, environment={}, api_key={},
        data=_object(
            "source_mpid destination_mpid", source_mpid=_SENT_MPID, destination_mpid=_SENT_MPID,
            start_unixtime_ms={"type": ["integer", "null"]},
            end_unixtime_ms={"type": ["integer", "null"]}, scope={}, device_application_stamp={},
        ),
    ),
    "AliasError": _object("code message", code=_TEXT, message=_TEXT),
    "Batch": _BATCH,
    "Batches": _list({}, maxItems=100),
    "NativeUpload": _object(
        dt={}, id={}, ct={}, mpid=_ANY_MPID, das={},
        ui=_or_null(_list(_object("n", n={"enum": list(range(NUMBER_OF_TYPES))}, i={}))),
        ua={"type": ["object", "null"]}, uad={"type": ["array", "null"]},
        di={"type": ["object", "null"]},
        msgs=_or_null(_list(_object("dt", dt={"type": "string", "minLength": 1}))),
    ),
    "NativeAnswer": _object(
        "dt id ct msgs", dt={"const": "rh"}, id=_TEXT, ct=_TIME_MS, msgs={"maxItems": 0}
    ),
    "NativeConfig": _object(
        "dt id ct flags", dt={"const": "ac"}, id=_TEXT, ct=_TIME_MS, flags={"type": "object"},
        amw={"type": "integer"},
    ),
    "WebConfig": _closed(_object()),
    "AudienceAnswer": _object(
        "dt id ct audience_memberships", dt={"const": "ar"}, id=_TEXT, ct=_TIME_MS,
        audience_memberships=_list(_object("audience_id", audience_id={"type": "integer"})),
    ),
    "TokenRequest": _object(
        "client_id client_secret", client_id=_TEXT, client_secret=_TEXT,
        grant_type={"const": "client_credentials"}, audience={},
    ),
    "Token": _object(
        "access_token expires_in token_type", access_token=_TEXT, expires_in={"type": "integer"},
        token_type={"const": "Bearer"},
    ),
    "ResolveRequest": _object(
        "identity", environment_type={},
        identity=_object("type value", type={"enum": sorted(TYPES_BY_NAME)}, value=_TEXT),
    ),
    "Profile": _object(
        "mpid created_timestamp_ms last_stored_timestamp_ms is_opted_out status_messages",
        mpid={"type": "integer"}, created_timestamp_ms={"type": ["integer", "null"]},
        last_stored_timestamp_ms={"type": ["integer", "null"]}, is_opted_out={"type": "boolean"},
        status_messages=_list(_TEXT), user_identities=_list(_IDENTITY_OF_PROFILE),
        device_identities=_list(_IDENTITY_OF_PROFILE), user_attributes={"type": "object"},
        audience_memberships=_list(
            _object("audience_id audience_name", audience_id={"type": "integer"},
                    audience_name=_TEXT)
        ),
        attribution={"type": ["object", "null"]}, consent_state={"type": ["object", "null"]},
        events={"type": "array"},
    ),
    "SubjectRequest": _object(
        "regulation subject_request_id subject_request_type submitted_time",
        regulation={"enum": [each.value for each in Regulation]},
        subject_request_id={"type": "string", "format": "uuid"},
        subject_request_type={"enum": [each.value for each in SubjectRequestType]},
        submitted_time={"type": "string", "format": "date-time"},
        subject_identities=_SUBJECT_IDENTITIES, api_version={"const": "3.0"},
        status_callback_urls={}, group_id=_NULLABLE, extensions={"type": ["object", "null"]},
    ),
    "SubjectRequestAccepted": _object(
        "controller_id subject_request_id received_time expected_completion_time encoded_request",
        controller_id=_TEXT, subject_request_id=_TEXT, received_time=_TEXT,
        expected_completion_time=_TEXT, encoded_request=_TEXT,
    ),
    "SubjectRequestStatus": _object(
        "controller_id subject_request_id request_status api_version expected_completion_time",
        controller_id=_TEXT, subject_request_id=_TEXT, group_id=_NULLABLE,
        request_status=_REQUEST_STATUS, expected_completion_time=_NULLABLE, api_version=_TEXT,
        results_url=_NULLABLE, extensions={"type": "null"},
    ),
    "SubjectRequestStatuses": _list(_ref("SubjectRequestStatus")),
    "SubjectRequestCancelled": _object(
        "controller_id subject_request_id received_time expected_completion_time",
        controller_id=_TEXT, subject_request_id=_TEXT, received_time=_TEXT,
        expected_completion_time={"type": "null"},
    ),
    "SubjectRequestError": _object(
        f"{_ERROR_MEMBERS} code message error", code={"type": "integer"}, message=_TEXT,
        error={"type": "object"}, **_ERROR
    ),
    "Discovery": _object(
        "api_version supported_identities supported_subject_request_types processor_certificate",
        api_version=_TEXT,
        supported_identities=_list(
            _object("identity_type identity_format", identity_type=_TEXT, identity_format=_TEXT)
        ),
        supported_subject_request_types=_list(_TEXT), processor_certificate=_TEXT,
    ),
    "Archive": {"contentMediaType": "application/zip"},
    "Health": _object("status", status={"const": "ok"}, refused={"type": "object"}),
    "Description": {"type": "object"},
}  # fmt: skip

QUERY: Final[dict[str, Schema]] = {
    "read_only": {"type": "boolean", "description": "Decide, but change nothing."},
    "explain": {"type": "boolean", "description": "Add what each tier found; only for servers."},
    "mpid": _MPID,
    "fields": {
        "type": "string",
        "description": f"Some of {', '.join(Field)}, with commas between them.",
    },
    "group_id": {"type": "string", "minLength": 1},
}
"""What a member of a query may be."""

PATH: Final[dict[str, Schema]] = {
    "mpid": _MPID,
    "key": {"type": "string", "description": "The API key of a workspace."},
    "id": {"type": "string", "format": "uuid"},
    "org": _TEXT,
    "account": _TEXT,
    "workspace": _TEXT,
}
"""What a part of a path may be."""
