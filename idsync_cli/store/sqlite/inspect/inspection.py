"""Questions about single profiles: each has a query that reads no more than it needs."""

from collections.abc import Iterable, Iterator

from idsync_cli.core.identity import Identifier, IdentityType
from idsync_cli.core.profile import ProfileView
from idsync_cli.store.causes import Act, Arrival
from idsync_cli.store.inspection import Inspection
from idsync_cli.store.sqlite.connected_transaction import ConnectedTransaction
from idsync_cli.store.sqlite.queries import changes, earlier, history, identifiers, profiles


class SqliteInspection(Inspection):
    """Questions about single profiles and identifiers of a SQLite store."""

    def __init__(self, transaction: ConnectedTransaction) -> None:
        super().__init__(transaction)
        self._transaction = transaction

    def view(self, mpid: int) -> tuple[str, ProfileView] | None:
        """The profile that has the MPID, without what it holds, with its scope."""
        return profiles.view_of(self._transaction, mpid)

    def newest(self, limit: int) -> list[tuple[str, ProfileView]]:
        """The newest profiles with their scopes, the last first."""
        return profiles.newest_views(self._transaction, limit)

    def mpids_between(self, least: int, most: int) -> list[int]:
        """The MPIDs of profiles from one number to another, ascending."""
        return profiles.mpids_between(self._transaction, least, most)

    def holders(
        self, scope: str, identifier: Identifier, limit: int | None = None
    ) -> list[ProfileView]:
        """The profiles of a scope that hold exactly this identifier, oldest first."""
        return profiles.holder_views(self._transaction, scope, identifier, limit)

    def count_holders(self, scope: str, identifier: Identifier) -> int:
        """How many profiles of a scope hold exactly this identifier."""
        return profiles.count_holders(self._transaction, scope, identifier)

    def held_among(self, scope: str, kind: IdentityType, values: Iterable[str]) -> list[str]:
        """Those of some values of a type that a profile of the scope holds."""
        return identifiers.held_among(self._transaction, scope, kind, values)

    def count_held(self, profile: ProfileView) -> int:
        """How many identifiers a profile holds."""
        return changes.count_held(self._transaction, profile.created_seq)

    def arrivals(self, profile: ProfileView, limit: int | None = None) -> list[Arrival]:
        """How what a profile holds came to it, in the order in which it did."""
        return history.arrivals(self._transaction, profile, limit)

    def history_length(self, mpid: int | None = None, identifier: Identifier | None = None) -> int:
        """How many changes of a profile, of an identifier, or of both the history has."""
        return history.history_length(self._transaction, mpid=mpid, identifier=identifier)

    def life(self, profile: ProfileView, limit: int | None = None) -> Iterator[Act]:
        """The requests and imports that created or changed a profile, by number."""
        return history.life(self._transaction, profile, limit)

    def life_length(self, profile: ProfileView) -> int:
        """How many requests and imports created or changed a profile."""
        return history.life_length(self._transaction, profile)

    def created_later(self, mpid: int) -> int | None:
        """By which request a profile was created that is not there because one looks back."""
        if self._transaction.as_of is None:
            return None
        return earlier.created_later(self._transaction, mpid)
