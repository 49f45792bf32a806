"""What ties two identifiers: the shortest ways from one to the other, over profiles."""

from collections.abc import Iterable
from typing import NamedTuple

from idsync_cli.core.config.rules import Organization
from idsync_cli.core.identity import Identifier
from idsync_cli.graph.reading import GraphCollector
from idsync_cli.graph.values import Graph, LeftOut, Tie
from idsync_cli.store.api import Transaction
from idsync_cli.store.links import Links

MOST_LOOKED_AT = 5_000
"""After so many profiles and identifiers the search ends."""

MOST_FOLLOWED = 200
"""How many links of one profile or identifier are followed, the newest first."""


class _Node(NamedTuple):
    """A profile or an identifier, by its number in the store."""

    is_profile: bool
    number: int


class _Search:
    """All nodes that are reached from one identifier, with those before them."""

    def __init__(self, start: _Node) -> None:
        self.before: dict[_Node, list[_Node]] = {start: []}
        self.frontier = [start]

    def go_on(self, links: Links) -> bool:
        """Go one link further everywhere; whether every link was followed."""
        reached: dict[_Node, list[_Node]] = {}
        followed_all = True
        for node in self.frontier:
            links_of = links.of_profile if node.is_profile else links.of_identifier
            rows = links_of(node.number, MOST_FOLLOWED + 1)
            followed_all &= len(rows) <= MOST_FOLLOWED
            numbers = (
                row.identifier_id if node.is_profile else row.created_seq
                for row in rows[:MOST_FOLLOWED]
            )
            for number in dict.fromkeys(numbers):
                further = _Node(not node.is_profile, number)
                if further not in self.before:
                    reached.setdefault(further, []).append(node)
        self.before |= reached
        self.frontier = list(reached)
        return followed_all

    def ways_to(self, ends: Iterable[_Node]) -> set[_Node]:
        """All nodes on the shortest ways from the start to some ends."""
        on_the_way: set[_Node] = set()
        left = list(ends)
        while left:
            node = left.pop()
            if node not in on_the_way:
                on_the_way.add(node)
                left += self.before[node]
        return on_the_way


def ties(
    transaction: Transaction,
    organization: Organization,
    pair: tuple[Identifier, Identifier],
    limit: int,
    scope: str | None = None,
) -> Graph:
    """Two identifiers with the shortest ways between them, over what is held or once was.

    At most `limit` profiles are drawn, the newest. Where nothing ties them in a scope, they stand
    there alone.
    """
    reading = GraphCollector(transaction, organization)
    links = reading.store_links
    names = transaction.scopes() if scope is None else (scope,)
    nodes: set[_Node] = set()
    followed_all = True
    for name in names:
        one, other = (links.numbers_of(each, name) for each in pair)
        for number in {*one, *other}:
            reading.add_identifier(number, is_asked=True)
        if one and other:
            found, whole = _ways(links, _Node(False, one[0]), _Node(False, other[0]))
            nodes |= found
            followed_all &= whole
    profiles = sorted((each.number for each in nodes if each.is_profile), reverse=True)
    for number in profiles[:limit]:
        reading.add_profile(number)
    for node in sorted(nodes):
        if not node.is_profile:
            reading.add_identifier(node.number)
    reading.add_all_links()
    tie = Tie.FOUND if nodes else Tie.NONE if followed_all else Tie.NOT_FOUND
    return reading.graph(LeftOut(len(profiles) - len(reading.profiles)), tie)


def _ways(links: Links, one: _Node, other: _Node) -> tuple[set[_Node], bool]:
    """All nodes on the shortest ways, and whether all was looked at that could be one.

    The search goes on from both ends, each time from the one that has reached fewer nodes; as
    whole steps are made, the ways on which it meets first are all of the shortest.
    """
    searches = _Search(one), _Search(other)
    looked_at, followed_all = 0, True
    meeting: set[_Node] = {one} & {other}
    while not meeting:
        nearer, further = sorted(searches, key=lambda each: len(each.frontier))
        if not nearer.frontier:
            return set(), followed_all
        looked_at += len(nearer.frontier)
        if looked_at > MOST_LOOKED_AT:
            return set(), False
        followed_all &= nearer.go_on(links)
        meeting = {each for each in nearer.frontier if each in further.before}
    return searches[0].ways_to(meeting) | searches[1].ways_to(meeting), followed_all
