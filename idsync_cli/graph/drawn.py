"""What a graph is drawn of: a profile with its neighbours, an identifier's holders, a scope."""

from collections import Counter
from collections.abc import Iterable

from idsync_cli.core.config.rules import Organization
from idsync_cli.core.identity import Identifier
from idsync_cli.graph.reading import GraphCollector
from idsync_cli.graph.values import Graph, LeftOut
from idsync_cli.store.api import Transaction
from idsync_cli.store.links import LinkRow
from idsync_cli.store.values import ProfileFilter

MOST_OF_ITS_OWN = 200
"""How many identifiers are drawn of the profile that was asked about."""

MOST_OF_EACH = 12
"""How many identifiers are drawn of each of many profiles."""


def around(
    transaction: Transaction, organization: Organization, mpid: int, limit: int
) -> Graph | None:
    """A profile with what it holds or once held, and with at most `limit` others that do so, too.

    Those that share most of it are drawn, and of those the newest. None if there is no such
    profile.
    """
    found = transaction.inspection().view(mpid)
    if found is None:
        return None
    number = found[1].created_seq
    reading = GraphCollector(transaction, organization)
    reading.add_profile(number, is_asked=True)
    for row in reading.store_links.of_profile(number, MOST_OF_ITS_OWN):
        reading.add_identifier(row.identifier_id)
    shared = Counter(
        neighbour
        for each in reading.identifiers
        for neighbour in _profiles(reading.store_links.of_identifier(each, limit + 1))
        if neighbour != number
    )
    for neighbour in sorted(shared, key=lambda each: (-shared[each], -each))[:limit]:
        reading.add_profile(neighbour)
    reading.add_all_links()
    profiles = reading.store_links.count_profiles_with(reading.identifiers)
    identifiers = reading.store_links.count_identifiers_of([number])
    return reading.graph(
        LeftOut(max(0, profiles - len(reading.profiles)), identifiers - len(reading.identifiers))
    )


def holders(
    transaction: Transaction,
    organization: Organization,
    identifier: Identifier,
    limit: int,
    scope: str | None = None,
) -> Graph:
    """An identifier with the newest profiles that hold it or once held it, and what they hold."""
    reading = GraphCollector(transaction, organization)
    numbers = reading.store_links.numbers_of(identifier, scope)
    rows = [row for each in numbers for row in reading.store_links.of_identifier(each, limit)]
    for each in numbers:
        reading.add_identifier(each, is_asked=True)
    newest = sorted(_profiles(rows), reverse=True)[:limit]
    _add_with_identifiers(reading, newest)
    left = max(0, reading.store_links.count_profiles_with(numbers) - len(reading.profiles))
    return reading.graph(LeftOut(left, reading.count_identifiers() - len(reading.identifiers)))


def scope_graph(
    transaction: Transaction, organization: Organization, scope: str, limit: int
) -> Graph:
    """The newest profiles of a scope, at most `limit`, with what they hold or once held."""
    reading = GraphCollector(transaction, organization)
    _add_with_identifiers(reading, reading.store_links.newest_profiles(scope, limit))
    of_scope = transaction.count_profiles(organization.scopes, ProfileFilter(scope))
    left = of_scope - len(reading.profiles)
    return reading.graph(LeftOut(left, reading.count_identifiers() - len(reading.identifiers)))


def _add_with_identifiers(reading: GraphCollector, profiles: Iterable[int]) -> None:
    for profile in profiles:
        reading.add_profile(profile)
        for row in reading.store_links.of_profile(profile, MOST_OF_EACH):
            reading.add_identifier(row.identifier_id)
    reading.add_all_links()


def _profiles(rows: Iterable[LinkRow]) -> set[int]:
    return {row.created_seq for row in rows}
