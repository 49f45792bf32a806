"""Rules of a scope that cannot hold together, and rules that are often a mistake (section 3)."""

from collections.abc import Callable, Iterator, Sequence
from difflib import get_close_matches
from enum import StrEnum
from typing import Final, NamedTuple

from idsync_cli.core.codes import OnConflictingLogin, OnNewKnownUser, OnUniqueHeld
from idsync_cli.core.config.definitions import AttributeCondition, within
from idsync_cli.core.config.rules import ScopeRules
from idsync_cli.core.identity import DEVICE_TYPES, Identifier, IdentityType
from idsync_cli.errors import quoted

ADVERTISING_TYPES = (
    IdentityType.IOS_IDFA,
    IdentityType.ANDROID_AAID,
    IdentityType.FIRE_AID,
    IdentityType.ROKU_AID,
    IdentityType.MICROSOFT_AID,
)
"""The types that a device sends as zeros where its user refuses tracking."""

_ZEROS = "00000000-0000-0000-0000-000000000000"

_NEARLY: Final = 0.85
"""How alike two names are of which one may be a slip, from 0 to 1."""

Path = tuple[str, ...]
"""The keys that lead from a scope to a setting, such as `("identities", "email")`."""


class Contradiction(NamedTuple):
    """Something wrong with the rules, so that they cannot be used."""

    path: Path
    message: str


class LintCode(StrEnum):
    """What `config lint` warns about."""

    NO_LOGIN_TYPE = "no_login_type"
    WITHOUT_LOGINS = "without_logins"
    RANKED_LOW = "ranked_low"
    LOGIN_NOT_UNIQUE = "login_not_unique"
    UNIQUE_NOT_LOGIN = "unique_not_login"
    SEVERAL_LOGIN_TYPES = "several_login_types"
    DEVICE_ABOVE_USER = "device_above_user"
    IMMUTABLE_BESIDE_MUTABLE = "immutable_beside_mutable"
    NO_DEVICE_IDENTITY = "no_device_identity"
    JOINS_LOGINS = "joins_logins"
    NOTHING_TO_KEEP = "nothing_to_keep"
    UNGUARDED = "unguarded"
    NEARLY_CALCULATED = "nearly_calculated"


class LintWarning(NamedTuple):
    """Something that is valid, and often a mistake."""

    code: LintCode
    path: Path
    message: str


def contradictions(rules: ScopeRules) -> Iterator[Contradiction]:
    """Everything that is wrong with the rules, so that they cannot be used."""
    strategy = rules.strategy
    if strategy.links and strategy.on_new_known_user is not OnNewKnownUser.CREATE:
        yield Contradiction(
            ("strategy", "links"),
            "links: true needs on_new_known_user: create; set both or neither",
        )
    if strategy.name == "default" and rules.priority[:1] != (IdentityType.CUSTOMER_ID,):
        yield Contradiction(
            ("priority",),
            "the priority of the strategy default must begin with customer_id; put it first",
        )
    for kind, settings in rules.settings.items():
        path = ("identities", kind.value)
        if settings.names() and kind not in rules.priority:
            yield Contradiction(
                path, f"{kind} has settings but is not in the priority; add it there"
            )
        if settings.immutable and not (settings.login and settings.unique):
            yield Contradiction(
                path, f"an immutable {kind} must also have login: true and unique: true"
            )
    yield from _misplaced_immutables(rules)
    yield from _of_guard_rails(rules)


def _misplaced_immutables(rules: ScopeRules) -> Iterator[Contradiction]:
    mutable_above: IdentityType | None = None
    for kind in rules.priority:
        if kind not in rules.immutable_types:
            mutable_above = mutable_above or kind
        elif mutable_above:
            yield Contradiction(
                ("priority", kind.value),
                f"{kind} is immutable but ranks below {mutable_above}, which is not; move it up",
            )


def _of_guard_rails(rules: ScopeRules) -> Iterator[Contradiction]:
    """Types that cannot be limited, or cannot move (section 11)."""
    for kind, limit in rules.guard_rails.max_values.items():
        settings, path = rules.settings_of(kind), ("extensions", "max_values", kind.value)
        if settings.immutable:
            yield Contradiction(path, f"{kind} is immutable, so it needs no limit; remove it")
        elif settings.login and limit.replaces_oldest:
            yield Contradiction(
                path,
                f"{kind} is a login type, and replace_oldest would take a user's login ID away; "
                "give the limit alone",
            )
    for kind in rules.guard_rails.moving:
        settings, path = rules.settings_of(kind), ("extensions", "moving", kind.value)
        if kind not in DEVICE_TYPES:
            yield Contradiction(
                path, f"{kind} identifies a user, and only a device identity can move; remove it"
            )
        elif settings.login:  # every immutable type is a login type, too
            yield Contradiction(path, f"{kind} is a login type, which cannot move; remove it")
        elif not settings.unique:
            yield Contradiction(
                path, f"{kind} must be unique to move; give it unique: true under identities"
            )


def lint_warnings(rules: ScopeRules) -> Iterator[LintWarning]:
    """Everything about the rules that is valid, and often a mistake."""
    code = LintCode
    strategy = rules.strategy
    if strategy.logins and not rules.login_types:
        yield LintWarning(
            code.NO_LOGIN_TYPE,
            ("strategy",),
            f"{strategy.name} has logins, but no type has login: true, so nobody is ever known",
        )
    for kind, settings in rules.settings.items():
        if settings != rules.settings_of(kind):
            yield LintWarning(
                code.WITHOUT_LOGINS,
                ("identities", kind.value),
                f"{kind}: login and immutable have no effect under a strategy with logins: false",
            )
    yield from _warn_of_ranks(rules)
    for kind in rules.priority:
        settings = rules.settings_of(kind)
        if settings.login and not settings.unique:
            yield LintWarning(
                code.LOGIN_NOT_UNIQUE,
                ("identities", kind.value),
                f"{kind} is a login type but not unique: one login ID may belong to two users",
            )
        if settings.unique and not settings.login and not rules.guard_rails.moves(kind):
            yield LintWarning(
                code.UNIQUE_NOT_LOGIN,
                ("identities", kind.value),
                f"{kind} is unique but not a login type: an anonymous profile may get it",
            )
    if strategy.name in ("default", "profile_conversion") and len(rules.login_types) > 1:
        yield LintWarning(
            code.SEVERAL_LOGIN_TYPES,
            ("identities",),
            f"several login types ({', '.join(rules.login_types)}) under {strategy.name} "
            "can split one user into two profiles",
        )
    if rules.immutable_types:
        for kind in rules.login_types:
            if kind not in rules.immutable_types:
                yield LintWarning(
                    code.IMMUTABLE_BESIDE_MUTABLE,
                    ("identities", kind.value),
                    f"requests with {kind} alone never reach a profile that holds an immutable ID",
                )
    if not DEVICE_TYPES.intersection(rules.priority):
        yield LintWarning(
            code.NO_DEVICE_IDENTITY,
            ("priority",),
            "no device identity is in the priority: visitors who send nothing else are rejected",
        )
    yield from _warn_of_scope_keys(rules)
    yield from _warn_of_zeros(rules)
    yield from _warn_of_attributes(rules)


def _warn_of_attributes(rules: ScopeRules) -> Iterator[LintWarning]:
    """Warn of attributes whose names are nearly those of calculated ones."""
    calculated = rules.definitions.calculated_attributes
    for name, audience in rules.definitions.audiences.items() if calculated else ():
        conditions = within(audience.condition)
        named = [each.name for each in conditions if isinstance(each, AttributeCondition)]
        for attribute in dict.fromkeys(named):
            close = get_close_matches(attribute, calculated, n=1, cutoff=_NEARLY)
            if close and attribute not in calculated:
                yield LintWarning(
                    LintCode.NEARLY_CALCULATED,
                    ("audiences", name),
                    f"the attribute {quoted(attribute)} is not calculated, unlike "
                    f"{quoted(close[0])}",
                )


def _warn_of_scope_keys(rules: ScopeRules) -> Iterator[LintWarning]:
    if rules.on_conflicting_login is OnConflictingLogin.JOIN:
        yield LintWarning(
            LintCode.JOINS_LOGINS,
            ("on_conflicting_login",),
            "two users who share a login ID become one profile, which cannot be undone",
        )
    if rules.on_unique_held is OnUniqueHeld.KEEP and not rules.unique_types:
        yield LintWarning(
            LintCode.NOTHING_TO_KEEP,
            ("on_unique_held",),
            "no type is unique, so on_unique_held: keep has no effect; remove it",
        )


def _warn_of_zeros(rules: ScopeRules) -> Iterator[LintWarning]:
    for kind in rules.priority:
        if kind in ADVERTISING_TYPES and not rules.guard_rails.blocks(Identifier(kind, _ZEROS)):
            yield LintWarning(
                LintCode.UNGUARDED,
                ("priority", kind.value),
                f"everybody who refuses tracking sends the same zeros as {kind}, which are not "
                'blocked; add extensions: {blocked: {"*": [placeholders]}}',
            )


def _warn_of_ranks(rules: ScopeRules) -> Iterator[LintWarning]:
    plain = _first(rules.priority, lambda kind: not _is_trusted(rules, kind))
    device = _first(rules.priority, lambda kind: kind in DEVICE_TYPES)
    for rank, kind in enumerate(rules.priority):
        if _is_trusted(rules, kind) and plain < rank and not rules.guard_rails.moves(kind):
            yield LintWarning(
                LintCode.RANKED_LOW,
                ("priority", kind.value),
                f"{kind} is a login or unique type but ranks below {rules.priority[plain]}, "
                "which is neither: move it up",
            )
        if kind not in DEVICE_TYPES and device < rank:
            yield LintWarning(
                LintCode.DEVICE_ABOVE_USER,
                ("priority", kind.value),
                f"{kind} identifies a user but ranks below {rules.priority[device]}, "
                "which identifies a device: move it up",
            )


def _is_trusted(rules: ScopeRules, kind: IdentityType) -> bool:
    settings = rules.settings_of(kind)
    return settings.login or settings.unique


def _first(kinds: Sequence[IdentityType], wanted: Callable[[IdentityType], bool]) -> int:
    """The index of the first type that is wanted, or one past the last."""
    return next((index for index, kind in enumerate(kinds) if wanted(kind)), len(kinds))
