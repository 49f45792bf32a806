"""What changes when the rules of a scope do (section 3): the old rules compared with the new."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from idsync_cli.core.codes import Extension
from idsync_cli.core.config.definitions import (
    AttributeCondition,
    AudienceCondition,
    CalculatedAttribute,
    Condition,
    KnownCondition,
    within,
)
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
    """A rule that differs. A value is None if the rule has no meaning under that strategy."""

    rule: str
    before: str | bool | None
    after: str | bool | None


@dataclass(frozen=True, slots=True)
class SettingsChange:
    """A type that stays in the priority, with other settings."""

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
class NamesChange:
    """Which definitions are new, are gone, or have changed, by name."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RulesChange:
    """How the rules of a scope differ. Types are in the order of the priority that has them.

    `reordered` says that the types in both priorities changed their order. `newly_unique` are the
    types that are unique under the new rules and were not under the old ones. The members of an
    audience that stays as it is written may change with what it names; see `affected_audiences`.
    """

    rules: tuple[RuleChange, ...] = ()
    entering: tuple[IdentityType, ...] = ()
    leaving: tuple[IdentityType, ...] = ()
    reordered: bool = False
    settings: tuple[SettingsChange, ...] = ()
    newly_unique: tuple[IdentityType, ...] = ()
    extensions: tuple[ExtensionChange, ...] = ()
    calculated_attributes: NamesChange = field(default_factory=NamesChange)
    audiences: NamesChange = field(default_factory=NamesChange)

    @property
    def is_none(self) -> bool:
        """Whether the rules are the same."""
        return self == RulesChange()


def compare(before: ScopeRules | None, after: ScopeRules) -> RulesChange:
    """How new rules differ from the old ones; `before` is None if nobody knows the old ones."""
    unique = after.unique_types
    defined = after.definitions
    if before is None:
        return RulesChange(
            newly_unique=unique,
            calculated_attributes=_names_change({}, defined.calculated_attributes),
            audiences=_names_change({}, defined.audiences),
        )
    was_defined = before.definitions
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
        calculated_attributes=_names_change(
            was_defined.calculated_attributes, defined.calculated_attributes
        ),
        audiences=_names_change(was_defined.audiences, defined.audiences),
    )


def affected_audiences(before: ScopeRules, after: ScopeRules) -> tuple[str, ...]:
    """The audiences of both rules that may have other members: what they say, or what they name.

    They stand in the order of the new rules.
    """
    return tuple(
        name
        for name in after.definitions.audiences
        if name in before.definitions.audiences and _meaning(name, before) != _meaning(name, after)
    )


def _meaning(name: str, rules: ScopeRules) -> object:
    """All that the members of an audience follow from but their data."""
    definitions = rules.definitions
    audiences: dict[str, Condition] = {}
    calculated: dict[str, CalculatedAttribute | None] = {}
    login_types: frozenset[IdentityType] = frozenset()
    ahead = [name]
    while ahead:
        named = ahead.pop()
        if named in audiences:
            continue
        audiences[named] = definitions.audiences[named].condition
        for each in within(audiences[named]):
            if isinstance(each, AudienceCondition):
                ahead.append(each.name)
            elif isinstance(each, AttributeCondition):
                calculated[each.name] = definitions.calculated_attributes.get(each.name)
            elif isinstance(each, KnownCondition):
                login_types = frozenset(rules.login_types)
    return audiences, calculated, login_types


def _names_change(before: Mapping[str, object], after: Mapping[str, object]) -> NamesChange:
    return NamesChange(
        added=tuple(name for name in after if name not in before),
        removed=tuple(name for name in before if name not in after),
        changed=tuple(name for name in after if name in before and before[name] != after[name]),
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

    If the old ones are not known, it counts as having been known if it ever was, and as having been
    orphaned if it holds nothing.
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
