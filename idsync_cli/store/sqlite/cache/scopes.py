"""The scopes of a store, by their names."""

from collections.abc import Mapping
from typing import Final

from idsync_cli.core.config.rules import ScopeRules
from idsync_cli.store.sqlite.cache.cached_profiles import Scope
from idsync_cli.store.sqlite.cache.working_set import WorkingSet


class Scopes:
    """All scopes that have a row, or are about to get one with their first profile."""

    __slots__ = ("_memory", "_names", "by_name")

    def __init__(self, memory: WorkingSet) -> None:
        self._memory = memory
        self._names: dict[int, str] = {}  # by number, as far as asked for
        self.by_name: Final[dict[str, Scope]] = {}

    def read(self, number: int, name: str, login_bits: int) -> None:
        """Take in a scope that has a row."""
        self.by_name[name] = self._memory.add_scope(number, login_bits)

    def create(self, name: str, login_bits: int) -> Scope:
        """Take in a scope that gets its first profile."""
        number = max([each.number for each in self.by_name.values()], default=0) + 1
        scope = self.by_name[name] = self._memory.add_scope(number, login_bits)
        return scope

    def name_of(self, scope: Scope) -> str:
        """The name of a scope."""
        if scope.number not in self._names:
            self._names = {each.number: name for name, each in self.by_name.items()}
        return self._names[scope.number]

    def stale(self, rules: Mapping[str, ScopeRules]) -> tuple[str, ...]:
        """The scopes that were written under other login types than those of these rules."""
        there = self.by_name
        return tuple(
            [
                name
                for name, its_rules in rules.items()
                if name in there and there[name].login_bits != its_rules.login_bits
            ]
        )
