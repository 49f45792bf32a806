"""What is read of a store for a graph, bounded: profiles, identifiers, and their links."""

from collections.abc import Iterable

from idsync_cli.core.config.rules import Organization
from idsync_cli.core.scoped_profile import scoped_view
from idsync_cli.graph.values import FoundIdentifier, Graph, LeftOut, ProfileNode, Tie, assembled
from idsync_cli.store.api import Transaction
from idsync_cli.store.links import LinkRow


class GraphCollector:
    """Collects the parts of a graph from one transaction, by their numbers in the store."""

    def __init__(self, transaction: Transaction, organization: Organization) -> None:
        self._transaction = transaction
        self.store_links = transaction.links()
        self._rules = organization.scopes
        self.profiles: dict[int, ProfileNode] = {}
        self.identifiers: dict[int, FoundIdentifier] = {}
        self._links: set[LinkRow] = set()

    def add_profile(self, number: int, *, is_asked: bool = False) -> None:
        """Add a profile to the graph."""
        found = self.store_links.profile(number)
        if number in self.profiles or found is None:  # there is none if it was erased
            return
        scope, view = found
        seen = scoped_view(view, scope, self._rules.get(scope))
        self.profiles[number] = ProfileNode(
            view.mpid,
            scope,
            seen.known,
            seen.orphaned,
            number,
            view.source_mpid,
            self.store_links.count_identifiers_of([number]),
            is_asked,
        )

    def add_identifier(self, number: int, *, is_asked: bool = False) -> None:
        """Add an identifier to the graph."""
        if number not in self.identifiers:
            scope, identifier = self.store_links.identifier(number)
            profiles = self.store_links.count_profiles_with([number])
            self.identifiers[number] = FoundIdentifier(scope, identifier, profiles, is_asked)

    def count_identifiers(self) -> int:
        """How many identifiers the profiles in the graph hold or once held, in all."""
        return self.store_links.count_identifiers_of(self.profiles)

    def add_links(self, rows: Iterable[LinkRow]) -> None:
        """Add links of which both ends are in the graph."""
        self._links.update(
            row
            for row in rows
            if row.created_seq in self.profiles and row.identifier_id in self.identifiers
        )

    def add_all_links(self) -> None:
        """Add every link between what is in the graph."""
        self.add_links(self.store_links.between(self.profiles, self.identifiers))

    def graph(self, left_out: LeftOut, tie: Tie | None = None) -> Graph:
        """What was taken, with the requests that it names."""
        named = {each for row in self._links for each in (row.added_seq, row.removed_seq)}
        named |= {*self.profiles}
        requests = {}
        for seq in sorted(each for each in named if each is not None):
            if (request := self._transaction.request(seq)) is not None:
                requests[seq] = request
        return assembled(
            {(None, number): node for number, node in self.profiles.items()},
            self.identifiers,
            [((None, row[0]), row[1], *row[2:]) for row in self._links],
            left_out,
            requests,
            tie,
        )
