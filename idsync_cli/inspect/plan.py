"""Plan: what a configuration would change in a store, before it is used."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from idsync_cli.core.config.diff import RulesChange, Shift, compare, shifts
from idsync_cli.core.config.guard_rails import NO_GUARD_RAILS
from idsync_cli.core.config.rules import Organization, ScopeRules
from idsync_cli.core.identity import Identifier
from idsync_cli.files import rules_json
from idsync_cli.inspect.kept_out import KeptOut, kept_out, nothing_kept_out
from idsync_cli.store.sqlite import SqliteTransaction
from idsync_cli.store.sqlite.queries.statistics import (
    ProfileKind,
    login_types,
    profile_kinds,
    shared_identifiers,
)

SHOWN = 20
"""How many identifiers or profiles are listed of those that something happens to."""


class Fate(StrEnum):
    """What happens to a scope as a whole."""

    NEW = "new"
    STAYS = "stays"
    VANISHES = "vanishes"


@dataclass(slots=True)
class Affected:
    """How many profiles, of how many kinds, something happens to, and one of each kind."""

    profiles: int = 0
    kinds: int = 0
    examples: list[int] = field(default_factory=list)

    def add(self, kind: ProfileKind) -> None:
        """Count the profiles of a kind."""
        self.profiles += kind.profiles
        self.kinds += 1
        if len(self.examples) < SHOWN:
            self.examples.append(kind.example.mpid)


@dataclass(slots=True)
class Shared:
    """How many identifiers several profiles hold, and the first of them, `limit` at most."""

    identifiers: int = 0
    most_held: list[tuple[Identifier, int]] = field(default_factory=list)
    limit: int | None = SHOWN

    def add(self, identifier: Identifier, holders: int) -> None:
        """Count an identifier; those with the most holders come first."""
        self.identifiers += 1
        if self.limit is None or len(self.most_held) < self.limit:
            self.most_held.append((identifier, holders))


@dataclass(frozen=True, slots=True)
class ScopePlan:
    """What would change in a scope that has so many profiles.

    `reindexes` says that the store is brought up to date by the next request, for other types
    are login types than before (section 3). `kept_out` is what is there that new guard rails would
    not have let in; it stays.
    """

    scope: str
    fate: Fate
    profiles: int
    change: RulesChange = field(default_factory=RulesChange)
    shared: Shared = field(default_factory=Shared)
    shifts: Mapping[Shift, Affected] = field(default_factory=dict)
    reindexes: bool = False
    kept_out: KeptOut = field(default_factory=nothing_kept_out)

    @property
    def changes(self) -> bool:
        """Whether anything would."""
        return self.fate is not Fate.STAYS or not self.change.is_none


@dataclass(frozen=True, slots=True)
class Plan:
    """What would change in a store, scope by scope; `is_unused` says that it holds nothing."""

    scopes: tuple[ScopePlan, ...]
    is_unused: bool

    @property
    def changes(self) -> bool:
        """Whether anything would change."""
        return any(scope.changes for scope in self.scopes)

    @property
    def exit_status(self) -> int:
        """1 if anything would change."""
        return int(self.changes)


def plan(
    organization: Organization, transaction: SqliteTransaction, *, limit: int | None = SHOWN
) -> Plan:
    """Set a configuration against the rules under which a store was last changed.

    With `limit`, no more identifiers are listed of those that several profiles hold, nor of what
    guard rails would have kept out.

    Raises:
        StoreFault: those rules cannot be read.
    """
    before = {
        name: rules_json.decode(text) for name, text in transaction.remembered_rules().items()
    }
    kinds: dict[str, list[ProfileKind]] = {}
    for kind in profile_kinds(transaction):
        kinds.setdefault(kind.scope, []).append(kind)
    if not before and not kinds:
        return Plan((), is_unused=True)
    scopes = [
        _scope_plan(name, before.get(name), rules, kinds.get(name, []), transaction, limit)
        for name, rules in organization.scopes.items()
    ]
    gone = (name for name in before if name not in organization.scopes)
    scopes += [ScopePlan(name, Fate.VANISHES, _number(kinds.get(name, []))) for name in gone]
    return Plan(tuple(scopes), is_unused=False)


def _scope_plan(
    name: str,
    before: ScopeRules | None,
    after: ScopeRules,
    kinds: list[ProfileKind],
    transaction: SqliteTransaction,
    limit: int | None,
) -> ScopePlan:
    change = compare(before, after)
    shared = Shared(limit=limit)
    for kind in change.newly_unique:
        for identifier, holders in shared_identifiers(transaction, name, kind):
            shared.add(identifier, holders)
    affected: dict[Shift, Affected] = {}
    for each in kinds:
        for shift in shifts(each.example, before, after):
            affected.setdefault(shift, Affected()).add(each)
    fate = Fate.NEW if before is None else Fate.STAYS
    reindexes = login_types(transaction).get(name, after.login_bits) != after.login_bits
    rails = NO_GUARD_RAILS if before is None else before.guard_rails
    left_out = kept_out(transaction, name, rails, after.guard_rails, limit)
    return ScopePlan(name, fate, _number(kinds), change, shared, affected, reindexes, left_out)


def _number(kinds: list[ProfileKind]) -> int:
    return sum(kind.profiles for kind in kinds)
