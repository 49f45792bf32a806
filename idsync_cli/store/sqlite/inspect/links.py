"""What graphs ask, and the query for each."""

from collections.abc import Collection

from idsync_cli.core.identity import Identifier
from idsync_cli.core.profile import ProfileView
from idsync_cli.store.links import LinkRow, Links
from idsync_cli.store.sqlite.connected_transaction import ConnectedTransaction
from idsync_cli.store.sqlite.queries import identifiers as identifier_rows
from idsync_cli.store.sqlite.queries import links


class SqliteLinks(Links):
    """Who holds what, and held it, in a SQLite store; the number of an identifier is its row's."""

    def __init__(self, transaction: ConnectedTransaction) -> None:
        self._transaction = transaction  # nothing is read before it is asked for

    def of_profile(self, created_seq: int, most: int) -> list[LinkRow]:
        """What a profile holds, then what it once held."""
        return links.links_of_profile(self._transaction, created_seq, most)

    def of_identifier(self, number: int, most: int) -> list[LinkRow]:
        """Who holds an identifier, then who once held it."""
        return links.links_of_identifier(self._transaction, number, most)

    def between(self, profiles: Collection[int], identifiers: Collection[int]) -> list[LinkRow]:
        """Which of some profiles hold, or once held, which of some identifiers."""
        return links.links_between(self._transaction, profiles, identifiers)

    def count_identifiers_of(self, profiles: Collection[int]) -> int:
        """How many identifiers some profiles hold or once held."""
        return links.count_identifiers_of(self._transaction, profiles)

    def count_profiles_with(self, identifiers: Collection[int]) -> int:
        """How many profiles hold or once held one of some identifiers."""
        return links.count_profiles_with(self._transaction, identifiers)

    def newest_profiles(self, scope: str, most: int) -> list[int]:
        """The newest profiles of a scope, the oldest of them first."""
        return links.newest_profiles(self._transaction, scope, most)

    def profile(self, created_seq: int) -> tuple[str, ProfileView] | None:
        """A profile without what it holds, with its scope."""
        return links.profile_numbered(self._transaction, created_seq)

    def identifier(self, number: int) -> tuple[str, Identifier]:
        """The identifier of a number, with the scope in which it is one."""
        return links.identifier_numbered(self._transaction, number)

    def numbers_of(self, identifier: Identifier, scope: str | None = None) -> list[int]:
        """The numbers of an identifier, in one scope or in all."""
        return identifier_rows.identifier_ids(self._transaction, identifier, scope)
