"""The sentences: what each code means, in words for people (rule 7 of the house: in one file)."""

from collections.abc import Sequence

from idsync_cli.core.codes import (
    ErrorCode,
    Extension,
    KeptBy,
    Normalizer,
    NoteCode,
    Reason,
    Rule,
    TierOutcome,
)
from idsync_cli.core.config.guard_rails import GuardRail
from idsync_cli.core.config.placeholders import PLACEHOLDERS
from idsync_cli.core.config.rules import ScopeRules
from idsync_cli.core.decision import Note
from idsync_cli.core.identity import IdentityType
from idsync_cli.core.tiers import NEAR_COUNTED_TO, NearMiss
from idsync_cli.errors import number_of
from idsync_cli.visible import visible

_NOTES = {
    NoteCode.BLOCKED: "the scope blocks the value of {type}: it was neither looked up nor stored",
    NoteCode.NO_IDENTIFIER: (
        "{type} was ignored: its value is a number or a boolean, which identifies nobody"
    ),
    NoteCode.SET_ASIDE_ON_LOGOUT: "{type} is a login ID, which a logout ignores",
    NoteCode.TIE: "several profiles were left after the last tier; the newest was chosen",
    NoteCode.JOINED_CONFLICTING_LOGIN: (
        "the profile holds another {type}, but is returned because the scope sets "
        "on_conflicting_login: join"
    ),
    NoteCode.KEPT_IMMUTABLE: "{type} is immutable, so the profile keeps its value",
    NoteCode.LIMIT_REACHED: (
        "{type} was not added: the profile holds as many values of it as the scope allows"
    ),
    NoteCode.HELD_ELSEWHERE: (
        "{type} was not added: it belongs to a profile that this request may not take it from"
    ),
    NoteCode.MOVED: "{type} was taken from profile {mpid}",
    NoteCode.REPLACED_OLDEST: (
        "the oldest {type} was removed: the scope limits how many a profile holds"
    ),
    NoteCode.SECOND_LOGIN_ID: "{type} is a login ID, and the profile now holds more than one",
}

REASONS = {
    Reason.IMMUTABLE_SEARCH: "a search must include an immutable ID of the profile",
    Reason.IMMUTABLE_PROTECTION: "holds an immutable ID that is not in the request",
    Reason.LOGIN_PROTECTION: "known, and the request has none of its login IDs",
    Reason.CONFLICTING_LOGIN: "known by a different value of a higher-ranked login ID",
    Reason.NEW_KNOWN_USER_ONLY: "anonymous, but the request has a login ID",
}

KEPT_BY = {
    **{reason.value: sentence for reason, sentence in REASONS.items()},
    KeptBy.IMMUTABLE.value: "an immutable identifier never moves",
    KeptBy.ON_UNIQUE_HELD.value: "the scope sets on_unique_held: keep; only a modify moves it",
}
"""Why a holder keeps an identifier from a request."""

_BUT = {
    Reason.IMMUTABLE_SEARCH: "a search needs {its} immutable ID",
    Reason.IMMUTABLE_PROTECTION: "the request does not name {its} immutable ID",
    Reason.LOGIN_PROTECTION: "the request does not name {its} login ID",
    Reason.CONFLICTING_LOGIN: "a login ID of the request disagrees with {it}",
    Reason.NEW_KNOWN_USER_ONLY: "a login ID never leads to an anonymous profile",
}
"""Why a holder of what was asked for is not the answer, after a "but"."""

WHY_NOT = {
    **{reason.value: sentence for reason, sentence in REASONS.items()},
    NoteCode.TIE.value: "eligible, but a newer profile is eligible too",
    NoteCode.BLOCKED.value: "the scope blocks the value",
    ErrorCode.NO_LOOKUP_IDENTITY.value: "the type is not in the scope's priority",
    ErrorCode.UNKNOWN_SCOPE.value: "the scope is no longer in the configuration",
}
"""Why a profile that holds an identifier is not returned to a search with it alone."""

OUTCOMES = {
    TierOutcome.DECIDED: "decided",
    TierOutcome.NARROWED: "narrowed",
    TierOutcome.NO_CANDIDATES: "no candidates",
    TierOutcome.NO_EFFECT: "no effect",
    TierOutcome.NOT_IN_REQUEST: "not in request",
    TierOutcome.NOT_CONSULTED: "not consulted",
}

RULES = {
    Rule.IDENTIFIER: "tier {rank}, {type}, left exactly one candidate",
    Rule.PREVIOUS_MPID: "several candidates were left, and the previous MPID is one of them",
    Rule.NEWEST: "several candidates were left, and this is the newest",
    Rule.NO_MATCH: "no tier found an eligible profile",
    Rule.NEW_KNOWN_USER: (
        "under this strategy, a login ID that finds no known profile creates a profile"
    ),
    Rule.LOGOUT: "under this strategy, a logout creates an anonymous profile; no tier is consulted",
    Rule.MPID: "the request names the profile by its MPID",
}


DUPLICATE = "a batch with this source_request_id was carried out before; nothing was done"


def note_message(note: Note) -> str:
    """What a note says, in a sentence without its end; who keeps an identifier, if it knows."""
    if note.reason is None:
        return _NOTES[note.code].format(type=note.identity_type, mpid=note.mpid)
    return f"{note.identity_type} was not added: profile {note.mpid} keeps it ({note.reason})"


def near_message(near: Sequence[NearMiss]) -> str:
    """Who holds the first of what was asked for, and why that did not count."""
    miss = near[0]
    holders = "1 profile holds"
    whose, whom = "its", "it"
    if miss.held_by > 1:
        more = " or more" if miss.held_by == NEAR_COUNTED_TO else ""
        holders = f"{miss.held_by}{more} profiles hold"
        whose, whom = "their", "them"
    if len(miss.ineligible) == 1:
        [reason] = miss.ineligible
        why = f"{_BUT[reason].format(its=whose, it=whom)} ({reason})"
    else:
        counts = ", ".join(f"{count} {reason}" for reason, count in miss.ineligible.items())
        why = f"none of them is eligible ({counts})"
    held = f"{miss.identifier.type} {visible(miss.identifier.value)}"
    return f"{holders} {held}, but {why}"


def strategy_rules(rules: ScopeRules) -> list[tuple[str, str, str]]:
    """Each rule of a scope's strategy: its key, its value, and what that means (section 6)."""
    strategy = rules.strategy
    values = {
        "on_new_known_user": strategy.on_new_known_user,
        "on_logout": strategy.on_logout,
        "logins": strategy.logins,
        "login_needs_login_id": strategy.login_needs_login_id if strategy.logins else None,
        "links": strategy.links,
        "aliasing": strategy.aliasing,
        "on_conflicting_login": rules.on_conflicting_login,
        "on_unique_held": rules.on_unique_held,
    }
    written = {key: str(value).lower() for key, value in values.items() if value is not None}
    return [(key, value, rule_sentence(key, value)) for key, value in written.items()]


def rule_sentence(key: str, value: str) -> str:
    """What a rule of a strategy means; nothing where it has no meaning."""
    return _STRATEGY_RULES.get((key, value), "")


def guard_rails(rules: ScopeRules) -> list[tuple[str, str, str, str]]:
    """Each guard rail of a scope: its extension, its type, what is set, and what that means."""
    return [
        (
            rail.extension.value,
            ALL_TYPES if rail.identity_type is None else rail.identity_type.value,
            words_of(rail.words),
            _guard_rail_sentence(rail),
        )
        for rail in rules.guard_rails.entries()
    ]


def words_of(words: Sequence[str]) -> str:
    """What a guard rail is set to; of a long list the first few."""
    shown = list(map(visible, words[:_WORDS_SHOWN]))
    if len(words) > _WORDS_SHOWN:
        shown.append(f"and {len(words) - _WORDS_SHOWN:,} more")
    return ", ".join(shown) or "yes"


_WORDS_SHOWN = 10

ALL_TYPES = "*"
"""What stands for all types where a guard rail is for all of them."""


def _guard_rail_sentence(rail: GuardRail) -> str:
    """What a guard rail means (section 11)."""
    if rail.extension is Extension.NORMALIZE:
        return ", then ".join(_NORMALIZERS[Normalizer(word)] for word in rail.words)
    if rail.extension is Extension.MAX_VALUES:
        limit, *beyond = rail.words
        holds = f"a profile holds at most {number_of(int(limit), 'value')}"
        more = "one more replaces the oldest" if beyond else "no more are added"
        return f"{holds}: {more}"
    if PLACEHOLDERS in rail.words:
        these = "values that stand for nobody (zeros, null, guest …)"
        these += ", and the others," if len(rail.words) > 1 else ""
        return f"{these} are set aside: neither looked up nor stored"
    return _GUARD_RAILS[rail.extension]


_NORMALIZERS = {
    Normalizer.TRIM: "white space at both ends is removed",
    Normalizer.LOWERCASE: "A to Z become lower case",
    Normalizer.DIGITS: "a telephone number keeps its digits and a leading plus",
}
_GUARD_RAILS = {
    Extension.BLOCKED: "these values are set aside: neither looked up nor stored",
    Extension.MOVING: "taken from any profile that holds it, protected or not",
}


_BLOCK_THEM = 'block them with extensions: {blocked: {"*": [placeholders]}}'


def placeholder_warning(requests: int) -> str:
    """What it means that values which look like placeholders decided something."""
    were = "request was" if requests == 1 else "requests were"
    return (
        f"{requests:,} {were} resolved by a value that looks like a placeholder, and may belong to "
        f"different people; {_BLOCK_THEM}"
    )


PLACEHOLDERS_HELD = (
    "values that look like placeholders, and how many requests their type decided for the profiles "
    f"that hold them; {_BLOCK_THEM}"
)


def login_warning(kind: IdentityType, rules: ScopeRules) -> str:
    """What it means that a login type is one that others may know."""
    unless = ""
    if rules.immutable_types and kind not in rules.immutable_types:
        unless = ", unless that profile holds an immutable ID"
    return (
        f"{kind} is a login type that others may know: whoever sends it is answered as that user, "
        f"logged in{unless}"
    )


SHIFTS = {
    "known": "known from now on, protected by their login IDs",
    "anonymous": "anonymous from now on, no longer protected",
    "orphaned": "orphaned, no longer found by any identifier",
    "found_again": "no longer orphaned, found by identifiers again",
}
"""What becomes of profiles, by `core.plan.Shift`, which only `config plan` needs to import."""


_STRATEGY_RULES = {
    (
        "on_new_known_user",
        "keep",
    ): "a new login ID is added to the profile that the other tiers find",
    (
        "on_new_known_user",
        "create",
    ): "a new login ID creates a new profile; anonymous profiles stay anonymous",
    ("on_logout", "create"): "every logout creates a new anonymous profile",
    ("on_logout", "return_anonymous"): "a logout returns the anonymous profile that the tiers find",
    ("logins", "true"): "login and logout are supported, and login IDs protect known profiles",
    ("logins", "false"): "login and logout are rejected, and no type is a login type",
    ("login_needs_login_id", "true"): "a login without a login ID is rejected",
    ("login_needs_login_id", "false"): "a login does not need a login ID",
    ("links", "true"): "a new known user's profile records the anonymous profile that it came from",
    ("links", "false"): "profiles record no source",
    ("aliasing", "true"): "an alias may copy data from one profile to another",
    ("aliasing", "false"): "aliases are not allowed",
    ("on_conflicting_login", "separate"): "two login IDs that disagree are two users",
    ("on_conflicting_login", "join"): "two login IDs that disagree may lead to one profile",
    (
        "on_unique_held",
        "take",
    ): "a request may take a unique identifier from others",
    (
        "on_unique_held",
        "keep",
    ): "only a modify moves a unique identifier",
}
