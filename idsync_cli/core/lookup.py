"""What the rules ask of a store: look-ups with values in and values out."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import NamedTuple

from mypy_extensions import mypyc_attr

from idsync_cli.core.data.values import Alias
from idsync_cli.core.identity import Identifier, IdentityType
from idsync_cli.core.profile import ProfileView


class CarriedOut(NamedTuple):
    """A batch that was carried out: the profile it was answered with, None if that was erased."""

    profile: ProfileView | None


@mypyc_attr(allow_interpreted_subclasses=True)
class Lookup(ABC):
    """What is known about one scope under its rules, as it stands before the request.

    A look-up changes nothing that anyone else could see. It may fail with whatever error the
    store has for that; the core catches none. The rules say which profiles are known
    (`ScopeRules.is_known`); the look-up was made for them.
    """

    __slots__ = ()

    @abstractmethod
    def known(self, identifier: Identifier, limit: int | None = None) -> Sequence[ProfileView]:
        """Known profiles of the scope that hold exactly this identifier, in no particular order.

        If there are more than `limit`, the newest of them.
        """

    @abstractmethod
    def anonymous(
        self,
        identifiers: Sequence[Identifier],
        limit: int | None = None,
        lacking: Identifier | None = None,
    ) -> Sequence[ProfileView]:
        """Anonymous profiles that hold all the identifiers; there is at least one identifier.

        Newest first, at most `limit`. With `lacking`, only those that do not hold that one.
        """

    def count_known(self, identifier: Identifier, limit: int, types: int | None = None) -> int:
        """How many `known` finds; with `types`, how many of them have a bit of these."""
        found = self.known(identifier, limit)
        return len(found if types is None else [each for each in found if each.types & types])

    def count_anonymous(self, identifiers: Sequence[Identifier], limit: int) -> int:
        """How many `anonymous` finds."""
        return len(self.anonymous(identifiers, limit))

    @abstractmethod
    def profile(self, mpid: int) -> ProfileView | None:
        """The profile of the scope that has the MPID."""

    @abstractmethod
    def holds(self, profile: ProfileView, identifier: Identifier) -> bool:
        """Whether a profile of the scope holds exactly this identifier."""

    @abstractmethod
    def values_of(self, profile: ProfileView, identity_type: IdentityType) -> Sequence[str]:
        """The values of one type that a profile of the scope holds, oldest first."""

    @abstractmethod
    def identifiers_of(self, profile: ProfileView) -> tuple[Identifier, ...]:
        """All that a profile of the scope holds, in the order in which it was added."""

    @abstractmethod
    def was_given_out(self, mpid: int) -> bool:
        """Whether any profile of the whole store has, or ever had, the MPID.

        A store may assume that an MPID it has not seen is free, if it checks that before anything
        is kept (`Store.writing`).
        """

    @abstractmethod
    def carried_out(self, digest: bytes) -> CarriedOut | None:
        """The batch whose id the digest stands for, if it was carried out (section 9).

        Digests are of the whole store: what an id is unique in is part of them.
        """

    @abstractmethod
    def aliases_from(self, profile: ProfileView) -> Sequence[Alias]:
        """The aliases of which a profile of the scope is the source, oldest first.

        Those to a profile that was erased are none.
        """

    @abstractmethod
    def aliases_to(self, profile: ProfileView) -> Sequence[Alias]:
        """The aliases of which a profile of the scope is the destination, oldest first."""

    @abstractmethod
    def count_events(self, profile: ProfileView, start_ms: int, end_ms: int) -> int:
        """How many events a profile of the scope has from one time to another, both included."""


def holders(lookup: Lookup, identifier: Identifier) -> list[ProfileView]:
    """Every profile of the scope that holds exactly this identifier."""
    return [*lookup.known(identifier), *lookup.anonymous((identifier,))]


def is_held(lookup: Lookup, identifier: Identifier) -> bool:
    """Whether any profile of the scope holds exactly this identifier."""
    return bool(lookup.known(identifier, 1) or lookup.anonymous((identifier,), 1))
