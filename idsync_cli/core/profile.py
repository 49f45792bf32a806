"""What is known about one user, as far as resolution needs it (section 1)."""

from collections.abc import Sequence
from typing import Final

from idsync_cli.core.identity import Identifier, IdentityType
from idsync_cli.core.value import Value


class ProfileView(Value):
    """A profile as resolution sees it, at the moment when it was looked up.

    It has the types of the profile's identifiers, but not their values, so a profile with thousands
    of identifiers costs no more than any other. Values are asked of the `Lookup` where they matter.

    `created_seq` is the number of the request that made the profile. `source_mpid` is the anonymous
    profile that it came from, if the strategy links. `was_known` says that a request once found or
    left it holding a login ID. `types` has the bit of each type of which it holds a value.
    """

    __match_args__ = ("mpid", "created_seq", "source_mpid", "was_known", "types")
    __slots__ = __match_args__

    def __init__(
        self, mpid: int, created_seq: int, source_mpid: int | None, was_known: bool, types: int
    ) -> None:
        self.mpid: Final = mpid
        self.created_seq: Final = created_seq
        self.source_mpid: Final = source_mpid
        self.was_known: Final = was_known
        self.types: Final = types


class Profile(ProfileView):
    """A profile with all that it holds, in the order in which it was added."""

    __match_args__ = ("mpid", "created_seq", "source_mpid", "was_known", "identifiers")
    __slots__ = ("identifiers",)

    def __init__(
        self,
        mpid: int,
        created_seq: int,
        source_mpid: int | None,
        was_known: bool,
        identifiers: tuple[Identifier, ...],
    ) -> None:
        super().__init__(mpid, created_seq, source_mpid, was_known, types_of(identifiers))
        self.identifiers: Final = identifiers

    def values_of(self, identity_type: IdentityType) -> tuple[str, ...]:
        """The values that it holds of one type, oldest first."""
        return tuple([held.value for held in self.identifiers if held.type is identity_type])


def types_of(identifiers: Sequence[Identifier]) -> int:
    """The bits of the types among identifiers."""
    types = 0
    for each in identifiers:
        types |= 1 << each.order
    return types
