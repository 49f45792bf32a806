"""How a store is: what each scope holds, and what decided the requests that changed it."""

from collections.abc import Mapping
from dataclasses import dataclass

from idsync_cli.core.codes import EntryRule, Rule
from idsync_cli.core.config.rules import Organization
from idsync_cli.core.identity import IdentityType
from idsync_cli.core.scoped_profile import scoped
from idsync_cli.store.api import Transaction
from idsync_cli.store.counting import Counting
from idsync_cli.store.counts import DeciderCount, HeldPlaceholder, LargeProfile

LARGEST = 10
"""How many of the largest profiles are told."""


def _mean(number: int, of: int) -> float:
    return round(number / of, 2) if of else 0.0


@dataclass(frozen=True, slots=True)
class ScopeCounts:
    """What is in a scope: profiles of each kind, and identifiers of all and of one at most.

    `requests` are those to it that changed the store. `several_logins` says of each login type how
    many profiles hold several values of it; None where that was not asked for.
    """

    profiles: int
    known: int
    anonymous: int
    orphaned: int
    identifiers: int
    most_identifiers: int
    types: Mapping[IdentityType, int]
    requests: int
    several_logins: Mapping[IdentityType, int] | None = None

    @property
    def mean_identifiers(self) -> float:
        """How many identifiers a profile has on average, to two places."""
        return _mean(self.identifiers, self.profiles)

    @property
    def requests_per_profile(self) -> float:
        """How many requests that changed the store came to a profile, to two places."""
        return _mean(self.requests, self.profiles)


@dataclass(frozen=True, slots=True)
class Decider:
    """How many requests that changed the store a rule decided, with the type that decided."""

    rule: EntryRule
    identity_type: IdentityType | None
    requests: int


@dataclass(frozen=True, slots=True)
class Statistics:
    """What a store holds, scope by scope, and what decided the requests that changed it.

    `by_scope` counts them by what decided, the most frequent first; `ties` are those that the rule
    newest decided, and `placeholders` the values that look like placeholders and decided some.
    `largest` are the profiles with the most identifiers; None where that was not asked for.
    """

    last_seq: int
    scopes: Mapping[str, ScopeCounts]
    requests: int
    ties: int
    by_scope: tuple[DeciderCount, ...]
    placeholders: tuple[HeldPlaceholder, ...] = ()
    largest: tuple[LargeProfile, ...] | None = None

    @property
    def exit_status(self) -> int:
        """0: an empty store is an answer, too."""
        return 0

    @property
    def requests_per_profile(self) -> float:
        """How many requests that changed the store came to a profile, to two places."""
        return _mean(self.requests, sum(each.profiles for each in self.scopes.values()))

    @property
    def deciders(self) -> tuple[Decider, ...]:
        """What decided the requests of all scopes, the most frequent first."""
        counted: dict[tuple[EntryRule, IdentityType | None], int] = {}
        for each in self.by_scope:
            what = each.rule, each.identity_type
            counted[what] = counted.get(what, 0) + each.requests
        found = [Decider(rule, kind, requests) for (rule, kind), requests in counted.items()]
        return tuple(sorted(found, key=_order))


def _order(decider: Decider) -> tuple[int, str, str]:
    return -decider.requests, decider.rule, decider.identity_type or ""


def stats(
    transaction: Transaction, organization: Organization, *, deep: bool = False
) -> Statistics:
    """What a store holds, scope by scope, and what decided the requests that changed it.

    With `deep` also which profiles have several login IDs, and the largest, which reads them all.
    """
    counted: dict[str, _Counts] = {}
    counting = transaction.counting()
    for kind in counting.profile_kinds():
        seen = scoped(kind.example, kind.scope, organization.scopes.get(kind.scope))
        of_scope = counted.setdefault(kind.scope, _Counts())
        of_scope.profiles += kind.profiles
        of_scope.known += kind.profiles * seen.known
        of_scope.orphaned += kind.profiles * seen.orphaned
    held = counting.identifiers_held()
    types = counting.identifiers_by_type()
    decided = counting.deciders()
    return Statistics(
        last_seq=transaction.last_seq,
        scopes={
            name: ScopeCounts(
                profiles=each.profiles,
                known=each.known,
                anonymous=each.profiles - each.known,
                orphaned=each.orphaned,
                identifiers=held[name].identifiers if name in held else 0,
                most_identifiers=held[name].most if name in held else 0,
                types=types.get(name, {}),
                requests=sum(by.requests for by in decided if by.scope == name),
                several_logins=_several(counting, organization, name) if deep else None,
            )
            for name, each in counted.items()
        },
        requests=sum(each.requests for each in decided),
        ties=sum(each.requests for each in decided if each.rule == Rule.NEWEST),
        by_scope=tuple(decided),
        placeholders=tuple(counting.held_placeholders()),
        largest=tuple(counting.largest_profiles(LARGEST)) if deep else None,
    )


@dataclass(slots=True)
class _Counts:
    """The profiles of a scope, while they are counted."""

    profiles: int = 0
    known: int = 0
    orphaned: int = 0


def _several(counting: Counting, organization: Organization, scope: str) -> dict[IdentityType, int]:
    """How many profiles of a scope hold several values of each login type."""
    rules = organization.scopes.get(scope)
    login_types = () if rules is None else rules.login_types
    return {kind: sum(1 for _ in counting.profiles_beyond(scope, kind, 1)) for kind in login_types}
