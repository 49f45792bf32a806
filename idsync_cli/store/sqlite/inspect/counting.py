"""What statistics and plans ask, and the query for each."""

from collections.abc import Iterator

from idsync_cli.core.config.rules import ScopeRules
from idsync_cli.core.identity import Identifier, IdentityType
from idsync_cli.store.counting import Counting
from idsync_cli.store.counts import (
    AudienceMoves,
    DeciderCount,
    HeldCount,
    HeldPlaceholder,
    LargeProfile,
    ProfileKind,
)
from idsync_cli.store.sqlite.connected_transaction import ConnectedTransaction
from idsync_cli.store.sqlite.queries import placeholders, profiles, statistics


class SqliteCounting(Counting):
    """How many there are of what in a SQLite store."""

    def __init__(self, transaction: ConnectedTransaction) -> None:
        super().__init__(transaction)
        self._transaction = transaction

    def profile_kinds(self) -> list[ProfileKind]:
        """Every kind of profile that is there, with how many."""
        return statistics.profile_kinds(self._transaction)

    def types_held(self, scope: str | None = None) -> list[IdentityType]:
        """The identifier types that occur, in one scope or in all."""
        return profiles.types_held(self._transaction, scope)

    def identifiers_held(self) -> dict[str, HeldCount]:
        """How many identifiers are held in each scope where any is."""
        return statistics.identifiers_held(self._transaction)

    def identifiers_by_type(self) -> dict[str, dict[IdentityType, int]]:
        """How many identifiers of each type are held in each scope."""
        return statistics.identifiers_by_type(self._transaction)

    def holder_counts(
        self, scope: str, kind: IdentityType, least: int = 1
    ) -> Iterator[tuple[Identifier, int]]:
        """The identifiers of a type that at least so many profiles of a scope hold."""
        return statistics.holder_counts(self._transaction, scope, kind, least)

    def largest_profiles(self, most: int) -> list[LargeProfile]:
        """The profiles that hold the most identifiers."""
        return statistics.largest_profiles(self._transaction, most)

    def profiles_beyond(
        self, scope: str, kind: IdentityType, limit: int
    ) -> Iterator[tuple[int, int]]:
        """The profiles of a scope that hold more values of a type than a limit."""
        return statistics.profiles_beyond(self._transaction, scope, kind, limit)

    def deciders(self) -> list[DeciderCount]:
        """What decided the requests that changed the store."""
        return statistics.deciders(self._transaction)

    def held_placeholders(self) -> list[HeldPlaceholder]:
        """Values that look like placeholders, and may have decided a request."""
        return placeholders.held_placeholders(self._transaction)

    def count_moves(
        self, scope: str, before: ScopeRules, after: ScopeRules, audience: str, now_ms: int
    ) -> AudienceMoves:
        """How the members of an audience change with the rules."""
        from idsync_cli.store.sqlite.queries import audiences  # heavy, and for plans alone

        return audiences.count_moves(self._transaction, scope, before, after, audience, now_ms)
