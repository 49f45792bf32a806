"""Audiences of a store: how many members each has, who they are, and why a profile is one or not.

Results are values, which `render.audiences` draws and `render.audiences_json` writes; each has the
exit status that its command ends with (section 8).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from idsync_cli.core.audiences.fold import ConditionResult, Fold, Subject
from idsync_cli.core.config.definitions import Definitions
from idsync_cli.core.config.rules import Organization
from idsync_cli.core.scoped_profile import ScopedProfile, scoped
from idsync_cli.errors import UsageFault, nearest, printable, quoted
from idsync_cli.store.api import Transaction
from idsync_cli.store.values import MemberCount


class NamedAudience(NamedTuple):
    """An audience by its name, with its scope and its id."""

    scope: str
    name: str
    id: int


class ShownMember(NamedTuple):
    """A member as the rules of its scope see it."""

    profile: ScopedProfile
    is_opted_out: bool


@dataclass(frozen=True, slots=True)
class AudienceCounts:
    """How many members each audience has at a moment, in the order of the configuration."""

    now_ms: int
    counts: tuple[tuple[NamedAudience, MemberCount], ...]

    @property
    def exit_status(self) -> int:
        """0: that there is none is an answer, too."""
        return 0


@dataclass(frozen=True, slots=True)
class MemberListing:
    """The first members of an audience at a moment, and how many there are in all."""

    audience: NamedAudience
    now_ms: int
    members: tuple[ShownMember, ...]
    count: MemberCount

    @property
    def exit_status(self) -> int:
        """0: that there is none is an answer, too."""
        return 0


@dataclass(frozen=True, slots=True)
class Membership:
    """Whether a profile is in an audience at a moment, and why.

    `profile` is None where none has the MPID. `finding` is None where it has no part in the
    audience at all, for it is in another scope. `definitions` are those of the audience's scope.
    """

    audience: NamedAudience
    now_ms: int
    mpid: int
    definitions: Definitions
    profile: ScopedProfile | None = None
    finding: ConditionResult | None = None

    @property
    def is_member(self) -> bool:
        """Whether it is in the audience."""
        return self.finding is not None and self.finding.holds

    @property
    def exit_status(self) -> int:
        """1 if it is not in the audience."""
        return int(not self.is_member)


def audiences(organization: Organization, scope: str | None = None) -> list[NamedAudience]:
    """The audiences of one scope, or of all, in the order of the configuration."""
    return [
        NamedAudience(its_scope, name, audience.id)
        for its_scope, rules in organization.scopes.items()
        if scope in (None, its_scope)
        for name, audience in rules.definitions.audiences.items()
    ]


def audience_called(
    organization: Organization, name: str, scope: str | None, profile_scope: str | None = None
) -> NamedAudience:
    """The audience of a name, in a scope if it is named, else in that of a profile, if it helps.

    Raises:
        UsageFault: there is none, or several scopes have one.
    """
    found = [each for each in audiences(organization, scope) if each.name == name]
    if not found:
        names = [each.name for each in audiences(organization, scope)]
        listed = ", ".join(map(printable, names)) or "none"
        hint = nearest(name, names) or f"; the audiences are: {listed}"
        raise UsageFault(f"unknown audience {quoted(name)}{hint}")
    if len(found) > 1:
        of_profile = [each for each in found if each.scope == profile_scope]
        if not of_profile:
            scopes = ", ".join(printable(each.scope) for each in found)
            raise UsageFault(
                f"several scopes have an audience {quoted(name)}: name one of the scopes {scopes}"
            )
        found = of_profile
    return found[0]


def counts(
    transaction: Transaction, organization: Organization, scope: str | None, now_ms: int
) -> AudienceCounts:
    """How many members each audience has."""
    return AudienceCounts(
        now_ms,
        tuple(
            (each, _count(transaction, organization, each, now_ms))
            for each in audiences(organization, scope)
        ),
    )


def members(
    transaction: Transaction,
    organization: Organization,
    audience: NamedAudience,
    now_ms: int,
) -> Iterator[ShownMember]:
    """The members of an audience, oldest first, read as they are taken."""
    rules = organization.scopes[audience.scope]
    for each in transaction.members(audience.scope, rules, audience.name, now_ms):
        yield ShownMember(scoped(each.profile, audience.scope, rules), each.is_opted_out)


def first_members(
    transaction: Transaction,
    organization: Organization,
    audience: NamedAudience,
    now_ms: int,
    limit: int,
) -> MemberListing:
    """The first members of an audience, at most `limit`."""
    first = tuple(islice(members(transaction, organization, audience, now_ms), limit))
    count = MemberCount(len(first), sum(each.is_opted_out for each in first))
    if len(first) == limit:  # else that is all there is
        count = _count(transaction, organization, audience, now_ms)
    return MemberListing(audience, now_ms, first, count)


def membership(
    transaction: Transaction,
    organization: Organization,
    name: str,
    scope: str | None,
    mpid: int,
    now_ms: int,
) -> Membership:
    """Whether a profile is in the audience of a name, and what each condition saw.

    Raises:
        UsageFault: there is no such audience, or several scopes have one.
    """
    found = transaction.find(mpid)
    audience = audience_called(organization, name, scope, None if found is None else found[0])
    rules = organization.scopes[audience.scope]
    defined = rules.definitions
    if found is None:
        return Membership(audience, now_ms, mpid, defined)
    its_scope, profile = found
    seen = scoped(profile, its_scope, organization.scopes.get(its_scope))
    if its_scope != audience.scope:
        return Membership(audience, now_ms, mpid, defined, seen)
    data = transaction.data_of(mpid)
    assert data is not None
    subject = Subject(data, profile.identifiers, seen.known, now_ms)
    finding = Fold(defined).audience(audience.name, subject)
    return Membership(audience, now_ms, mpid, defined, seen, finding)


def _count(
    transaction: Transaction,
    organization: Organization,
    audience: NamedAudience,
    now_ms: int,
) -> MemberCount:
    rules = organization.scopes[audience.scope]
    return transaction.count_members(audience.scope, rules, audience.name, now_ms)
