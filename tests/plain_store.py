"""A third store, in plain Python: that the contract of a store can be kept by anybody.

It looks at every profile for every question, as the tests of the core do (tests/core/memory.py),
and shares nothing with the stores of idsync. Compiled, too, idsync has to take it.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from idsync_cli.core.codes import Import, Op
from idsync_cli.core.config.rules import ScopeRules
from idsync_cli.core.decision import Decision
from idsync_cli.core.identity import Identifier
from idsync_cli.core.lookup import Lookup
from idsync_cli.core.profile import Profile
from idsync_cli.errors import StoreFault
from idsync_cli.store.api import (
    EVERY_PROFILE,
    HistoryEntry,
    ProfileFilter,
    RequestEntry,
    Store,
    Transaction,
)
from tests.core.memory import Memory


class PlainTransaction(Transaction):
    """All that there is, while it may still be given up."""

    def __init__(self, before: "PlainTransaction | None" = None) -> None:
        self.seq: int = before.seq if before else 0
        self.rules: dict[str, str] = dict(before.rules) if before else {}
        self.told_rules = False
        self.entries: list[HistoryEntry] = list(before.entries) if before else []
        self.taken: set[int] = set(before.taken) if before else set()
        self.login_bits: dict[str, int] = dict(before.login_bits) if before else {}
        self.given_out: set[int] = set(before.given_out) if before else set()
        self.known: dict[str, Memory] = {}
        for scope, memory in before.known.items() if before else ():
            self.known[scope] = Memory(*memory.profiles.values(), given_out=self.given_out)

    @property
    def last_seq(self) -> int:
        return self.seq

    def advance_to(self, seq: int) -> None:
        assert seq >= self.seq
        self.seq = seq

    def is_taken(self, seq: int) -> bool:
        return seq in self.taken

    def align(self, rules: Mapping[str, ScopeRules]) -> tuple[str, ...]:
        names = [name for name in rules if name in self.login_bits]
        stale = [name for name in names if self.login_bits[name] != rules[name].login_bits]
        self.login_bits |= {name: rules[name].login_bits for name in stale}
        return tuple(stale)

    def prefetch(
        self, scope: str, rules: ScopeRules, identifiers: Iterable[Identifier], mpids: Iterable[int]
    ) -> None:
        assert all(isinstance(each, Identifier) for each in identifiers)
        assert all(isinstance(each, int) for each in mpids)

    def lookup(self, scope: str, rules: ScopeRules) -> Lookup:
        return self._of(scope).under(rules)

    def _of(self, scope: str) -> Memory:
        return self.known.setdefault(scope, Memory(given_out=self.given_out))

    def apply(self, decision: Decision, scope: str, rules: ScopeRules, entry: RequestEntry) -> None:
        self._of(scope).apply(decision)
        self.taken.add(entry.seq)
        self.login_bits.setdefault(scope, rules.login_bits)
        self.entries += [
            HistoryEntry(
                entry.seq,
                entry.time_ms,
                entry.kind,
                entry.request_id,
                entry.request_timestamp_ms,
                change.op,
                change.mpid,
                change.identifier,
                decision.decided_by.rule,
                decision.decided_by.identity_type,
            )
            for change in decision.changes
        ]

    def insert(self, scope: str, profile: Profile, rules: ScopeRules, time_ms: int | None) -> None:
        self._of(scope).give(profile)
        self.taken.add(profile.created_seq)
        self.login_bits.setdefault(scope, rules.login_bits)
        if time_ms is not None:
            how = profile.created_seq, time_ms, Import.IMPORT, None, None
            self.entries += [
                HistoryEntry(*how, Op.ADD, profile.mpid, each, Import.IMPORT)
                for each in profile.identifiers
            ]

    def flush(self) -> None:
        pass

    @property
    def remembers_rules(self) -> bool:
        return self.told_rules

    def remember_rules(self, rules: Mapping[str, str]) -> None:
        self.rules = dict(rules)
        self.told_rules = True

    def remembered_rules(self) -> dict[str, str]:
        return self.rules

    def scopes(self) -> tuple[str, ...]:
        return tuple(sorted(scope for scope, memory in self.known.items() if memory.profiles))

    def find(self, mpid: int) -> tuple[str, Profile] | None:
        return next((pair for pair in self.everybody() if pair[1].mpid == mpid), None)

    def everybody(self) -> list[tuple[str, Profile]]:
        pairs = [(name, each) for name in self.known for each in self.known[name].profiles.values()]
        return sorted(pairs, key=lambda pair: pair[1].created_seq)

    def profiles(
        self, rules: Mapping[str, ScopeRules], asked: ProfileFilter = EVERY_PROFILE
    ) -> Iterator[tuple[str, Profile]]:
        for name, profile in self.everybody():
            if asked.takes(name, profile, rules.get(name)):
                yield name, profile

    def count_profiles(
        self, rules: Mapping[str, ScopeRules], asked: ProfileFilter = EVERY_PROFILE
    ) -> int:
        return len([*self.profiles(rules, asked)])

    def holding(self, scope: str, identifier: Identifier) -> list[Profile]:
        return [
            each
            for name, each in self.everybody()
            if name == scope and identifier in each.identifiers
        ]

    def history(
        self,
        mpid: int | None = None,
        identifier: Identifier | None = None,
        limit: int | None = None,
    ) -> Iterator[HistoryEntry]:
        asked = [
            each
            for each in sorted(self.entries, key=lambda each: each.seq)
            if mpid in (None, each.mpid) and identifier in (None, each.identifier)
        ]
        return iter(asked[:limit])


class PlainStore(Store):
    """A store that is gone when nobody refers to it any more."""

    def __init__(self, seed: int) -> None:
        self.number = seed
        self.there = PlainTransaction()
        self.is_usable = True

    @property
    def seed(self) -> int:
        return self.number

    @contextmanager
    def reading(self) -> Iterator[Transaction]:
        with self.begun() as transaction:
            yield transaction

    @contextmanager
    def writing(self, *, trust_new_mpids: bool = False) -> Iterator[Transaction]:
        with self.begun() as transaction:
            yield transaction
        self.there = transaction

    @contextmanager
    def begun(self) -> Iterator[PlainTransaction]:
        if not self.is_usable:
            raise StoreFault("the plain store is closed, or in another transaction")
        self.is_usable = False
        try:
            yield PlainTransaction(self.there)
        finally:
            self.is_usable = True

    def close(self) -> None:
        self.is_usable = False
