"""What is known about one user, as far as resolution needs it (section 1)."""

from dataclasses import dataclass

from idsync_cli.core.identity import Identifier, IdentityType


@dataclass(frozen=True, slots=True)
class Profile:
    """A user profile.

    `was_known` says that a request once found or left it holding a login ID; whether it is
    known today also depends on the rules of its scope. `identifiers` stand in the order in
    which they were added.
    """

    mpid: int
    created_seq: int
    source_mpid: int | None
    was_known: bool
    identifiers: tuple[Identifier, ...]

    def values_of(self, identity_type: IdentityType) -> tuple[str, ...]:
        """The values that it holds of one type, oldest first."""
        return tuple(held.value for held in self.identifiers if held.type is identity_type)
