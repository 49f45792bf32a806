"""A graph of a comparison: profiles of both sides, and the identifiers that they share."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from idsync_cli.core.config.rules import Organization
from idsync_cli.core.identity import Identifier
from idsync_cli.graph.reading import GraphCollector
from idsync_cli.graph.values import (
    FoundIdentifier,
    Graph,
    LeftOut,
    ProfileKey,
    ProfileNode,
    SideName,
    assembled,
)
from idsync_cli.store.api import Transaction

MOST_OF_EACH = 24
"""How many identifiers are drawn of each profile."""

_Held = tuple[str, Identifier]
"""An identifier, with the scope in which it is one: the same on both sides."""


class SidePart(NamedTuple):
    """What one side has of a graph; a profile is known by its number there."""

    profiles: tuple[ProfileNode, ...]
    links: tuple[tuple[int, _Held], ...]
    identifiers_left: int


def read_side_part(
    transaction: Transaction, organization: Organization, side: SideName, mpids: Sequence[int]
) -> SidePart:
    """Some profiles of a side with what they hold at its end."""
    reading = GraphCollector(transaction, organization)
    held: list[tuple[int, int]] = []
    for mpid in mpids:
        found = transaction.inspection().view(mpid)
        if found is None:
            continue
        number = found[1].created_seq
        reading.add_profile(number)
        for row in reading.store_links.of_profile(number, MOST_OF_EACH):
            if row.removed_seq is None:
                reading.add_identifier(row.identifier_id)
                held.append((number, row.identifier_id))
    shown = {number: (each.scope, each.identifier) for number, each in reading.identifiers.items()}
    left = reading.count_identifiers() - len(shown)
    return SidePart(
        tuple(each._replace(side=side) for each in reading.profiles.values()),
        tuple((number, shown[identifier]) for number, identifier in held),
        max(0, left),
    )


def joined(parts: Iterable[SidePart], profiles_left: int) -> Graph:
    """Both sides as one graph, in which an identifier stands once.

    Its links name no request: both stores were thrown away.
    """
    profiles: dict[ProfileKey, ProfileNode] = {}
    links: list[tuple[ProfileKey, _Held, int, int | None]] = []
    holders: dict[_Held, int] = {}
    left = 0
    for part in parts:
        keys = {each.number: (each.side, each.number) for each in part.profiles}
        profiles |= {keys[each.number]: each for each in part.profiles}
        for number, held in part.links:
            links.append((keys[number], held, 0, None))
            holders[held] = holders.get(held, 0) + 1
        left += part.identifiers_left
    found = {
        held: FoundIdentifier(*held, number, is_asked=False) for held, number in holders.items()
    }
    return assembled(profiles, found, links, LeftOut(profiles_left, left), {})
