"""Plan: what a configuration would change in a store, before it is used."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from idsync_cli.core.config.diff import (
    RulesChange,
    Shift,
    affected_audiences,
    compare,
    shifts,
)
from idsync_cli.core.config.guard_rails import NO_GUARD_RAILS
from idsync_cli.core.config.rules import Organization, ScopeRules
from idsync_cli.core.identity import Identifier
from idsync_cli.files import rules_json
from idsync_cli.inspect.kept_out import KeptOut, kept_out, nothing_kept_out
from idsync_cli.store.api import Transaction
from idsync_cli.store.counts import ProfileKind

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
class AudiencePlan:
    """How the members of an audience would change; None where there is no such audience.

    `joining` are those who are a member only after the change, `leaving` only before it.
    """

    name: str
    before: int | None
    after: int | None
    joining: int
    leaving: int


@dataclass(frozen=True, slots=True)
class ScopePlan:
    """What would change in a scope, and how many profiles it has.

    `reindexes` says that the store is brought up to date by the next request, for other types
    are login types than before (section 3). `audiences` are those that are new, gone or others than
    before, and those that name something of that kind. `kept_out` is what is there that new guard
    rails would not have let in; it stays.
    """

    scope: str
    fate: Fate
    profiles: int
    change: RulesChange = field(default_factory=RulesChange)
    shared: Shared = field(default_factory=Shared)
    shifts: Mapping[Shift, Affected] = field(default_factory=dict)
    reindexes: bool = False
    audiences: tuple[AudiencePlan, ...] = ()
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
    organization: Organization,
    transaction: Transaction,
    *,
    now_ms: int,
    limit: int | None = SHOWN,
) -> Plan:
    """Compare a configuration with the rules under which a store was last changed.

    With `limit`, no more identifiers are listed of those that several profiles hold, nor of what
    guard rails would have kept out. Audiences are those of the moment `now_ms`.

    Raises:
        StoreFault: those rules cannot be read.
    """
    before = {
        name: rules_json.decode(text) for name, text in transaction.remembered_rules().items()
    }
    kinds: dict[str, list[ProfileKind]] = {}
    for kind in transaction.counting().profile_kinds():
        kinds.setdefault(kind.scope, []).append(kind)
    if not before and not kinds:
        return Plan((), is_unused=True)
    scopes = [
        _scope_plan(name, before.get(name), rules, kinds.get(name, []), transaction, limit, now_ms)
        for name, rules in organization.scopes.items()
    ]
    gone = (name for name in before if name not in organization.scopes)
    scopes += [
        ScopePlan(
            name,
            Fate.VANISHES,
            _number(kinds.get(name, [])),
            audiences=tuple(
                _counted(transaction, name, each, before[name], None, now_ms)
                for each in before[name].definitions.audiences
            ),
        )
        for name in gone
    ]
    return Plan(tuple(scopes), is_unused=False)


def _scope_plan(
    name: str,
    before: ScopeRules | None,
    after: ScopeRules,
    kinds: list[ProfileKind],
    transaction: Transaction,
    limit: int | None,
    now_ms: int,
) -> ScopePlan:
    change = compare(before, after)
    counting, shared = transaction.counting(), Shared(limit=limit)
    for kind in change.newly_unique:
        for identifier, holders in counting.holder_counts(name, kind, least=2):
            shared.add(identifier, holders)
    affected: dict[Shift, Affected] = {}
    for each in kinds:
        for shift in shifts(each.example, before, after):
            affected.setdefault(shift, Affected()).add(each)
    fate = Fate.NEW if before is None else Fate.STAYS
    reindexes = name in transaction.stale_scopes({name: after})
    audiences = tuple(_audience_plans(transaction, name, before, after, change, now_ms))
    rails = NO_GUARD_RAILS if before is None else before.guard_rails
    left_out = kept_out(counting, name, rails, after.guard_rails, limit)
    return ScopePlan(
        name, fate, _number(kinds), change, shared, affected, reindexes, audiences, left_out
    )


def _audience_plans(
    transaction: Transaction,
    scope: str,
    before: ScopeRules | None,
    after: ScopeRules,
    change: RulesChange,
    now_ms: int,
) -> Iterator[AudiencePlan]:
    """First the audiences that are gone, then the others in the order of the new rules."""
    for name in change.audiences.removed:
        assert before is not None
        yield _counted(transaction, scope, name, before, None, now_ms)
    stay = affected_audiences(before, after) if before is not None else ()
    for name in after.definitions.audiences:
        if name in change.audiences.added:
            yield _counted(transaction, scope, name, None, after, now_ms)
        elif before is not None and (name in stay or name in change.audiences.changed):
            moves = transaction.counting().count_moves(scope, before, after, name, now_ms)
            yield AudiencePlan(name, moves.before, moves.after, moves.joining, moves.leaving)


def _counted(
    transaction: Transaction,
    scope: str,
    name: str,
    before: ScopeRules | None,
    after: ScopeRules | None,
    now_ms: int,
) -> AudiencePlan:
    """An audience that only one of the rules defines."""
    rules = before or after
    assert rules is not None
    members = transaction.count_members(scope, rules, name, now_ms).members
    if after is None:
        return AudiencePlan(name, members, None, 0, members)
    return AudiencePlan(name, None, members, members, 0)


def _number(kinds: list[ProfileKind]) -> int:
    return sum(kind.profiles for kind in kinds)
