"""The words of the specification: one code for one thing, wherever it is spoken of."""

from enum import StrEnum


class RequestKind(StrEnum):
    """The kinds of request (sections 8 and 9)."""

    IDENTIFY = "identify"
    LOGIN = "login"
    LOGOUT = "logout"
    SEARCH = "search"
    MODIFY = "modify"
    BATCH = "batch"
    ALIAS = "alias"
    ERASE = "erase"


class Status(StrEnum):
    """How a request was answered (sections 8 and 9)."""

    MATCHED = "matched"
    CREATED = "created"
    NOT_FOUND = "not_found"
    MODIFIED = "modified"
    ERROR = "error"
    DUPLICATE = "duplicate"
    ALIASED = "aliased"
    ERASED = "erased"


class Rule(StrEnum):
    """What decided an answer: `decided_by` (sections 4 and 5)."""

    IDENTIFIER = "identifier"
    PREVIOUS_MPID = "previous_mpid"
    NEWEST = "newest"
    NO_MATCH = "no_match"
    NEW_KNOWN_USER = "new_known_user"
    LOGOUT = "logout"
    MPID = "mpid"


class Reason(StrEnum):
    """Why a profile that a tier found is not eligible, in the order of section 4, step 2."""

    IMMUTABLE_SEARCH = "immutable_search"
    IMMUTABLE_PROTECTION = "immutable_protection"
    LOGIN_PROTECTION = "login_protection"
    CONFLICTING_LOGIN = "conflicting_login"
    NEW_KNOWN_USER_ONLY = "new_known_user_only"


class KeptBy(StrEnum):
    """Why a holder keeps an identifier whatever the request names: a setting says so (section 8).

    Else it is a `Reason` for which the request may not be answered with the holder.
    """

    IMMUTABLE = "immutable"
    ON_UNIQUE_HELD = "on_unique_held"


class TierOutcome(StrEnum):
    """What a tier of the priority did to the candidates (sections 4 and 8)."""

    DECIDED = "decided"
    NARROWED = "narrowed"
    NO_CANDIDATES = "no_candidates"
    NO_EFFECT = "no_effect"
    NOT_IN_REQUEST = "not_in_request"
    NOT_CONSULTED = "not_consulted"


class NoteCode(StrEnum):
    """What a request did otherwise than its sender may expect, in order (sections 8 and 11)."""

    BLOCKED = "blocked"
    NO_IDENTIFIER = "no_identifier"
    SET_ASIDE_ON_LOGOUT = "set_aside_on_logout"
    TIE = "tie"
    JOINED_CONFLICTING_LOGIN = "joined_conflicting_login"
    KEPT_IMMUTABLE = "kept_immutable"
    LIMIT_REACHED = "limit_reached"
    HELD_ELSEWHERE = "held_elsewhere"
    MOVED = "moved"
    REPLACED_OLDEST = "replaced_oldest"
    SECOND_LOGIN_ID = "second_login_id"


class ErrorCode(StrEnum):
    """Why a request is refused, in the order in which it is checked (sections 8 and 9)."""

    INVALID_JSON = "INVALID_JSON"
    INVALID_REQUEST = "INVALID_REQUEST"
    UNKNOWN_SCOPE = "UNKNOWN_SCOPE"
    UNKNOWN_WORKSPACE = "UNKNOWN_WORKSPACE"
    UNKNOWN_LABEL = "UNKNOWN_LABEL"
    INVALID_BATCH = "INVALID_BATCH"
    UNKNOWN_IDENTITY_TYPE = "UNKNOWN_IDENTITY_TYPE"
    INVALID_IDENTITY_VALUE = "INVALID_IDENTITY_VALUE"
    NO_IDENTITIES = "NO_IDENTITIES"
    UNSUPPORTED_BY_STRATEGY = "UNSUPPORTED_BY_STRATEGY"
    LOGIN_ID_REQUIRED = "LOGIN_ID_REQUIRED"
    NO_LOOKUP_IDENTITY = "NO_LOOKUP_IDENTITY"
    MPID_NOT_FOUND = "MPID_NOT_FOUND"
    INVALID_ALIAS = "INVALID_ALIAS"
    OLD_VALUE_MISMATCH = "OLD_VALUE_MISMATCH"
    IMMUTABLE_IDENTITY = "IMMUTABLE_IDENTITY"
    LIMIT_REACHED = "LIMIT_REACHED"
    AMBIGUOUS = "AMBIGUOUS"
    PROTECTED_IDENTITY = "PROTECTED_IDENTITY"


class Import(StrEnum):
    """The kind and the rule of a history entry that no request made: a profile came in whole."""

    IMPORT = "import"


EntryKind = RequestKind | Import
"""What made a history entry (section 9)."""

EntryRule = Rule | Import
"""What decided a history entry."""


class AliasFault(StrEnum):
    """Why an alias is refused (section 9), in the order in which it is looked at."""

    NO_ALIASING = "no_aliasing"
    SAME_PROFILE = "same_profile"
    UNKNOWN_PROFILE = "unknown_profile"
    KNOWN_SOURCE = "known_source"
    INVALID_WINDOW = "invalid_window"
    ALIASED_BEFORE = "aliased_before"


class FileKind(StrEnum):
    """What a file is that was written from a store, or read into it (section 9)."""

    BACKUP = "backup"
    OUTPUT = "output"
    RECORDING = "recording"
    RESULTS = "results"
    REQUESTS = "requests"


class SubjectRequestState(StrEnum):
    """How far a request of a data subject has come in a store (section 10)."""

    PENDING = "pending"
    DONE = "done"
    CANCELLED = "cancelled"


class Op(StrEnum):
    """One change of an identity record (section 8, `changes`)."""

    ADD = "add"
    REMOVE = "remove"


class AttributeOp(StrEnum):
    """One change of an attribute (section 9)."""

    SET = "set"
    DELETE = "delete"


class OnNewKnownUser(StrEnum):
    """What a strategy does with a login ID that nobody holds (section 6)."""

    KEEP = "keep"
    CREATE = "create"


class OnLogout(StrEnum):
    """What a strategy answers to a logout (section 6)."""

    CREATE = "create"
    RETURN_ANONYMOUS = "return_anonymous"


class OnConflictingLogin(StrEnum):
    """Whether two login IDs that disagree are two users or one (section 3)."""

    SEPARATE = "separate"
    JOIN = "join"


class OnUniqueHeld(StrEnum):
    """Whether a unique identifier is taken from its holders, but by a modify (section 3)."""

    TAKE = "take"
    KEEP = "keep"


class Extension(StrEnum):
    """The guard rails that a scope may have, in the order in which they act (section 11)."""

    NORMALIZE = "normalize"
    BLOCKED = "blocked"
    MAX_VALUES = "max_values"
    MOVING = "moving"


class Normalizer(StrEnum):
    """What may be done to a value before anything else (section 11)."""

    TRIM = "trim"
    LOWERCASE = "lowercase"
    DIGITS = "digits"


class Beyond(StrEnum):
    """What is done about one value more than a profile may hold, if it is not left out."""

    REPLACE_OLDEST = "replace_oldest"


class Calculation(StrEnum):
    """What a calculated attribute makes of events (section 9)."""

    COUNT = "count"
    SUM = "sum"
    MIN = "min"
    MAX = "max"
    AVERAGE = "average"
    FIRST_OCCURRENCE = "first_occurrence"
    LAST_OCCURRENCE = "last_occurrence"
    FIRST_OCCURRENCE_TIMESTAMP = "first_occurrence_timestamp"
    LAST_OCCURRENCE_TIMESTAMP = "last_occurrence_timestamp"
    UNIQUE_LIST = "unique_list"
    UNIQUE_VALUES_COUNT = "unique_values_count"
    MOST_FREQUENT = "most_frequent"


class Operator(StrEnum):
    """How a condition compares a value (section 9)."""

    EXISTS = "exists"
    NOT_EXISTS = "not_exists"
    EQUALS = "equals"
    NOT_EQUALS = "not_equals"
    CONTAINS = "contains"
    NOT_CONTAINS = "not_contains"
    IN_LIST = "in_list"
    GREATER_THAN = "greater_than"
    GREATER_OR_EQUAL = "greater_or_equal"
    LESS_THAN = "less_than"
    LESS_OR_EQUAL = "less_or_equal"
    BEFORE = "before"
    AFTER = "after"
    BETWEEN = "between"
