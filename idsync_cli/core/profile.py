"""What is known about one user, as far as resolution needs it (section 1)."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from idsync_cli.core.identity import TYPE_BITS, Identifier, IdentityType


class Holder(Protocol):
    """A profile as resolution sees it: of its identifiers, only what a request asks about is read.

    So a profile that has gathered thousands of identifiers costs no more than any other. `types`
    has the bit of every type of which it holds a value.
    """

    @property
    def mpid(self) -> int:
        """Its id (section 1)."""
        ...

    @property
    def created_seq(self) -> int:
        """The sequence number of the request that made it."""
        ...

    @property
    def source_mpid(self) -> int | None:
        """The anonymous profile that it came from, where the strategy links."""
        ...

    @property
    def was_known(self) -> bool:
        """Whether a request once found or left it holding a login ID."""
        ...

    @property
    def types(self) -> int:
        """The types of which it holds a value, one bit each."""
        ...

    @property
    def identifiers(self) -> tuple[Identifier, ...]:
        """All its identifiers, in the order in which they were added."""
        ...

    def holds(self, identifier: Identifier) -> bool:
        """Whether it holds exactly this identifier."""
        ...

    def values_of(self, identity_type: IdentityType) -> Sequence[str]:
        """The values that it holds of one type, oldest first."""
        ...


class Profile(NamedTuple):
    """A user profile with all its identifiers at hand, in the order in which they were added.

    `was_known` says that a request once found or left it holding a login ID; whether it is
    known today also depends on the rules of its scope.
    """

    mpid: int
    created_seq: int
    source_mpid: int | None
    was_known: bool
    identifiers: tuple[Identifier, ...]

    @property
    def types(self) -> int:
        """The bits of the types of which it holds a value."""
        return types_of(self.identifiers)

    def holds(self, identifier: Identifier) -> bool:
        """Whether it holds exactly this identifier."""
        return identifier in self.identifiers

    def values_of(self, identity_type: IdentityType) -> tuple[str, ...]:
        """The values that it holds of one type, oldest first."""
        return tuple(held.value for held in self.identifiers if held.type is identity_type)


def types_of(identifiers: Sequence[Identifier]) -> int:
    """The bits of the types among identifiers."""
    types = 0
    for kind, _ in identifiers:
        types |= TYPE_BITS[kind]
    return types
