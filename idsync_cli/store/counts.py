"""What is counted of a store, as values."""

from dataclasses import dataclass

from idsync_cli.core.codes import EntryRule
from idsync_cli.core.identity import Identifier, IdentityType
from idsync_cli.core.profile import Profile

MOST_PLACEHOLDERS = 500
"""Of how many values that look like placeholders it is told what they decided."""


@dataclass(frozen=True, slots=True)
class ProfileKind:
    """The profiles of a scope that the rules cannot tell apart; `example` is one of them.

    They hold identifiers of the same types, and were all known once, or none of them was.
    """

    scope: str
    example: Profile
    profiles: int


@dataclass(frozen=True, slots=True)
class HeldCount:
    """How many identifiers the profiles of a scope hold together, and one of them at most."""

    identifiers: int
    most: int


@dataclass(frozen=True, slots=True)
class DeciderCount:
    """How many requests to a scope, that changed the store, a rule decided, with the type."""

    scope: str
    rule: EntryRule
    identity_type: IdentityType | None
    requests: int


@dataclass(frozen=True, slots=True)
class LargeProfile:
    """A profile that holds many identifiers."""

    scope: str
    mpid: int
    identifiers: int


@dataclass(frozen=True, slots=True)
class HeldPlaceholder:
    """A value that looks like a placeholder: who holds it, and what it may have decided.

    `requests` counts those that changed the store, that the tier of its type decided, and that were
    answered with a profile which held it then. Which of several values of a profile decided is not
    kept.
    """

    scope: str
    identifier: Identifier
    profiles: int
    requests: int


@dataclass(frozen=True, slots=True)
class AudienceMoves:
    """How many members an audience has before and after a change, and who comes and goes."""

    before: int
    after: int
    joining: int
    leaving: int
