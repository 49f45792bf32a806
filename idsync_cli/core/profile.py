"""What is known about one user, as far as resolution needs it (section 1)."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

from idsync_cli.core.identity import Identifier, IdentityType


class Holder(ABC):
    """A profile as resolution sees it: of its identifiers, only what a request asks about is read.

    So a profile that has gathered thousands of identifiers costs no more than any other.
    `created_seq` is the request that made it, `source_mpid` the anonymous profile that it came
    from, where the strategy links. `was_known` says that a request once found or left it holding
    a login ID, and `types` has the bit of every type of which it holds a value.
    """

    __slots__ = ("created_seq", "mpid", "source_mpid", "types", "was_known")

    def __init__(
        self, mpid: int, created_seq: int, source_mpid: int | None, was_known: bool, types: int
    ) -> None:
        self.mpid = mpid
        self.created_seq = created_seq
        self.source_mpid = source_mpid
        self.was_known = was_known
        self.types = types

    @property
    @abstractmethod
    def identifiers(self) -> tuple[Identifier, ...]:
        """All its identifiers, in the order in which they were added."""

    @abstractmethod
    def holds(self, identifier: Identifier) -> bool:
        """Whether it holds exactly this identifier."""

    @abstractmethod
    def values_of(self, identity_type: IdentityType) -> Sequence[str]:
        """The values that it holds of one type, oldest first."""


class Profile(Holder):
    """A user profile with all its identifiers at hand, in the order in which they were added.

    `was_known` says that a request once found or left it holding a login ID; whether it is
    known today also depends on the rules of its scope.
    """

    __slots__ = ("_identifiers",)

    def __init__(
        self,
        mpid: int,
        created_seq: int,
        source_mpid: int | None,
        was_known: bool,
        identifiers: tuple[Identifier, ...],
    ) -> None:
        super().__init__(mpid, created_seq, source_mpid, was_known, types_of(identifiers))
        self._identifiers = identifiers

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Profile) and self._members == other._members

    def __hash__(self) -> int:
        return hash(self._members)

    @property
    def _members(self) -> tuple[object, ...]:
        mine = self.mpid, self.created_seq, self.source_mpid, self.was_known
        return (*mine, self._identifiers)

    @property
    def identifiers(self) -> tuple[Identifier, ...]:
        """All its identifiers, in the order in which they were added."""
        return self._identifiers

    def holds(self, identifier: Identifier) -> bool:
        """Whether it holds exactly this identifier."""
        return identifier in self._identifiers

    def values_of(self, identity_type: IdentityType) -> Sequence[str]:
        """The values that it holds of one type, oldest first."""
        return tuple([held.value for held in self._identifiers if held.type is identity_type])


def types_of(identifiers: Sequence[Identifier]) -> int:
    """The bits of the types among identifiers."""
    types = 0
    for each in identifiers:
        types |= 1 << each.order
    return types
