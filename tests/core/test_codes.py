"""The words of the specification, spelled as other programs read them, in its order."""

from enum import StrEnum

import pytest

from idsync_cli.core import codes

CODES: dict[type[StrEnum], str] = {
    codes.RequestKind: "identify login logout search modify batch alias erase",
    codes.Status: "matched created not_found modified error duplicate aliased erased",
    codes.Rule: "identifier previous_mpid newest no_match new_known_user logout mpid",
    codes.Reason: """
        immutable_search immutable_protection login_protection conflicting_login
        new_known_user_only
    """,
    codes.TierOutcome: "decided narrowed no_candidates no_effect not_in_request not_consulted",
    codes.NoteCode: """
        no_identifier set_aside_on_logout tie joined_conflicting_login kept_immutable held_elsewhere
        second_login_id
    """,
    codes.ErrorCode: """
        INVALID_JSON INVALID_REQUEST UNKNOWN_SCOPE UNKNOWN_WORKSPACE UNKNOWN_LABEL
        INVALID_BATCH UNKNOWN_IDENTITY_TYPE INVALID_IDENTITY_VALUE NO_IDENTITIES
        UNSUPPORTED_BY_STRATEGY LOGIN_ID_REQUIRED NO_LOOKUP_IDENTITY MPID_NOT_FOUND
        INVALID_ALIAS OLD_VALUE_MISMATCH IMMUTABLE_IDENTITY AMBIGUOUS PROTECTED_IDENTITY
    """,
    codes.FileKind: "backup output recording results requests",
    codes.AliasFault: """
        no_aliasing same_profile unknown_profile known_source invalid_window aliased_before
    """,
    codes.Op: "add remove",
    codes.OnNewKnownUser: "keep create",
    codes.OnLogout: "create return_anonymous",
    codes.OnConflictingLogin: "separate join",
    codes.OnUniqueHeld: "take keep",
}


@pytest.mark.parametrize("kind", CODES, ids=lambda kind: str(kind.__name__))
def test_codes_are_spelled_as_in_the_specification(kind: type[StrEnum]) -> None:
    assert [*kind] == CODES[kind].split()
