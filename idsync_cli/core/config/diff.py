"""What changes when the rules of a scope do (section 3): the old rules set against the new."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from idsync_cli.core.codes import Extension
from idsync_cli.core.config.guard_rails import GuardRail, GuardRails
from idsync_cli.core.config.rules import ScopeRules
from idsync_cli.core.config.strategy import Settings
from idsync_cli.core.identity import IdentityType
from idsync_cli.core.profile import ProfileView

STRATEGY_RULES = (
    "on_new_known_user",
    "on_logout",
    "logins",
    "login_needs_login_id",
    "links",
    "aliasing",
)
"""The rules of a strategy, in the order of section 6."""


class Shift(StrEnum):
    """What a profile becomes by a change of the rules, without any request (section 1)."""

    KNOWN = "known"
    ANONYMOUS = "anonymous"
    ORPHANED = "orphaned"
    FOUND_AGAIN = "found_again"


@dataclass(frozen=True, slots=True)
class RuleChange:
    """A rule that is another; a value is None where it has no meaning."""

    rule: str
    before: str | bool | None
    after: str | bool | None


@dataclass(frozen=True, slots=True)
class SettingsChange:
    """A type that stays in the priority and is trusted with other things."""

    identity_type: IdentityType
    before: Settings
    after: Settings


@dataclass(frozen=True, slots=True)
class ExtensionChange:
    """A guard rail of a type, or of all types (None), that is another; None is one not there."""

    extension: Extension
    identity_type: IdentityType | None
    before: tuple[str, ...] | None
    after: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class RulesChange:
    """How the rules of a scope differ; types stand in the order of the priority they are in.

    `reordered` says that types which stay have another order. `newly_unique` lists the types
    that are unique by the new rules alone.
    """

    rules: tuple[RuleChange, ...] = ()
    entering: tuple[IdentityType, ...] = ()
    leaving: tuple[IdentityType, ...] = ()
    reordered: bool = False
    settings: tuple[SettingsChange, ...] = ()
    newly_unique: tuple[IdentityType, ...] = ()
    extensions: tuple[ExtensionChange, ...] = ()

    @property
    def is_none(self) -> bool:
        """Whether the rules are the same."""
        return self == RulesChange()


def compare(before: ScopeRules | None, after: ScopeRules) -> RulesChange:
    """Set new rules against the old ones; None where nobody knows what they were."""
    unique = after.unique_types
    if before is None:
        return RulesChange(newly_unique=unique)
    stayed = [kind for kind in before.priority if kind in after.priority]
    stay = [kind for kind in after.priority if kind in before.priority]
    settings = (
        SettingsChange(kind, before.settings_of(kind), after.settings_of(kind)) for kind in stay
    )
    return RulesChange(
        rules=tuple(
            RuleChange(rule, old, new)
            for rule, old in _rules_of(before).items()
            if old != (new := _rules_of(after)[rule])
        ),
        entering=tuple(kind for kind in after.priority if kind not in before.priority),
        leaving=tuple(kind for kind in before.priority if kind not in after.priority),
        reordered=stayed != stay,
        settings=tuple(each for each in settings if each.before != each.after),
        newly_unique=tuple(kind for kind in unique if not before.settings_of(kind).unique),
        extensions=tuple(_extensions(before.guard_rails, after.guard_rails)),
    )


def _extensions(before: GuardRails, after: GuardRails) -> Iterator[ExtensionChange]:
    """The guard rails that differ: first those that are there by the new rules."""
    old, new = _by_entry(before), _by_entry(after)
    for entry in [*new, *(each for each in old if each not in new)]:
        was, becomes = old.get(entry), new.get(entry)
        if not _is_same(entry[0], was, becomes):
            yield ExtensionChange(*entry, was, becomes)


def _is_same(
    extension: Extension, before: tuple[str, ...] | None, after: tuple[str, ...] | None
) -> bool:
    """Whether a guard rail stays as it is; what is blocked stands in no order."""
    if extension is Extension.BLOCKED and before is not None and after is not None:
        return set(before) == set(after)
    return before == after


def _by_entry(
    rails: GuardRails,
) -> dict[tuple[Extension, IdentityType | None], tuple[str, ...]]:
    def named(rail: GuardRail) -> tuple[Extension, IdentityType | None]:
        return rail.extension, rail.identity_type

    return {named(rail): rail.words for rail in rails.entries()}


def _rules_of(rules: ScopeRules) -> dict[str, str | bool | None]:
    of_strategy = {rule: getattr(rules.strategy, rule) for rule in STRATEGY_RULES}
    return {
        **of_strategy,
        "on_conflicting_login": rules.on_conflicting_login,
        "on_unique_held": rules.on_unique_held,
    }


def shifts(profile: ProfileView, before: ScopeRules | None, after: ScopeRules) -> tuple[Shift, ...]:
    """What a profile becomes under new rules.

    Where the old ones are not known it was known if it ever was, and an orphan only without any
    identifier.
    """
    held = profile.types
    was_known = profile.was_known if before is None else before.is_known(profile)
    was_found = held != 0 if before is None else before.holds_lookup(held)
    is_known, is_found = after.is_known(profile), after.holds_lookup(held)
    found = []
    if was_known != is_known:
        found.append(Shift.KNOWN if is_known else Shift.ANONYMOUS)
    if was_found != is_found:
        found.append(Shift.FOUND_AGAIN if is_found else Shift.ORPHANED)
    return tuple(found)
