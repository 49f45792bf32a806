"""A graph: profiles, identifiers, and the links between them with the requests that made them.

It is always bounded, and says how much it left out. Its order follows from what is in it alone, so
that the same store gives the same picture.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import NamedTuple, TypeVar

from idsync_cli.core.identity import TYPE_ORDER, Identifier
from idsync_cli.store.causes import KeptRequest


class SideName(StrEnum):
    """Of which side of a comparison a profile is."""

    A = "a"
    B = "b"


class ProfileNode(NamedTuple):
    """A profile; `identifiers` is how many it holds or once held, and `is_asked` if it was named.

    `number` is its `created_seq`: the request that created it. `side` is that of a comparison,
    in which an MPID may stand for two profiles.
    """

    mpid: int
    scope: str
    known: bool
    orphaned: bool
    number: int
    source_mpid: int | None
    identifiers: int
    is_asked: bool = False
    side: SideName | None = None

    @property
    def id(self) -> str:
        """What links name it by."""
        return str(self.mpid) if self.side is None else f"{self.side}:{self.mpid}"


class IdentifierNode(NamedTuple):
    """An identifier of a scope; `profiles` is how many hold it or once held it.

    `number` is its number in the graph, from 1.
    """

    identifier: Identifier
    scope: str
    number: int
    profiles: int
    is_asked: bool = False

    @property
    def id(self) -> str:
        """What links name it by."""
        return f"i{self.number}"


class Link(NamedTuple):
    """That a profile came to hold an identifier, and no longer did after `removed_seq`.

    In a comparison, where no request is named, `added_seq` is 0.
    """

    profile: str
    identifier: str
    added_seq: int
    removed_seq: int | None


class Tie(StrEnum):
    """What is known of the tie between two identifiers that were asked about.

    It is `not_found` where there was more than could be looked at.
    """

    FOUND = "found"
    NONE = "none"
    NOT_FOUND = "not_found"


class LeftOut(NamedTuple):
    """How many profiles and identifiers would belong to a graph, and are not in it."""

    profiles: int = 0
    identifiers: int = 0


class Graph(NamedTuple):
    """Profiles by age, identifiers in the order of section 2 and by value, links by request.

    `requests` has each request that a link names, as far as the history knows it; of a comparison
    there are none, for its stores are thrown away. `tie` is None unless it was asked what ties two
    identifiers.
    """

    profiles: tuple[ProfileNode, ...]
    identifiers: tuple[IdentifierNode, ...]
    links: tuple[Link, ...]
    left_out: LeftOut
    requests: Mapping[int, KeptRequest]
    tie: Tie | None = None

    @property
    def nodes(self) -> "tuple[ProfileNode | IdentifierNode, ...]":
        """Profiles, then identifiers."""
        return (*self.profiles, *self.identifiers)

    @property
    def exit_status(self) -> int:
        """1 if there is nothing to draw, or nothing ties what was asked about."""
        return int(not self.profiles or self.tie not in (None, Tie.FOUND))


ProfileKey = tuple[SideName | None, int]
"""What a profile goes by while a graph is put together: its side, and its number."""


_Key = TypeVar("_Key")


class FoundIdentifier(NamedTuple):
    """An identifier of a graph that is put together."""

    scope: str
    identifier: Identifier
    profiles: int
    is_asked: bool


def assembled(
    profiles: Mapping[ProfileKey, ProfileNode],
    found: Mapping[_Key, FoundIdentifier],
    links: Iterable[tuple[ProfileKey, _Key, int, int | None]],
    left_out: LeftOut,
    requests: Mapping[int, KeptRequest],
    tie: Tie | None = None,
) -> Graph:
    """A graph of what was read, in its order.

    Profiles have keys of a side and a number, and identifiers any keys; `links` name both.
    """
    ordered = sorted(
        found.items(),
        key=lambda each: (
            each[1].scope,
            TYPE_ORDER[each[1].identifier.type],
            each[1].identifier.value,
        ),
    )
    nodes = {
        key: IdentifierNode(each.identifier, each.scope, number, each.profiles, each.is_asked)
        for number, (key, each) in enumerate(ordered, start=1)
    }
    made = sorted(
        (
            (added, profiles[profile], nodes[identifier], removed)
            for profile, identifier, added, removed in links
        ),
        key=lambda each: (
            each[0], each[1].side or "", each[1].number, each[2].number, each[3] or 0,
        ),
    )  # fmt: skip
    return Graph(
        tuple(sorted(profiles.values(), key=lambda each: (each.side or "", each.number))),
        tuple(nodes.values()),
        tuple(Link(profile.id, node.id, added, gone) for added, profile, node, gone in made),
        left_out,
        requests,
        tie,
    )
