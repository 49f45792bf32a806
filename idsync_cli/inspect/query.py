"""Profile query: what mParticle's Profile API says of one profile (section 9)."""

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

from idsync_cli.core.audiences.fold import Fold, Folded, Subject
from idsync_cli.core.config.rules import Organization
from idsync_cli.core.data.values import ProfileData
from idsync_cli.core.identity import Identifier
from idsync_cli.core.scoped_profile import ScopedProfile, scoped
from idsync_cli.core.screening import as_meant
from idsync_cli.errors import UsageFault
from idsync_cli.store.api import Transaction

MOST_EVENTS = 1000
"""How many of the latest events are told."""


class Field(StrEnum):
    """What may be asked of a profile."""

    USER_IDENTITIES = "user_identities"
    DEVICE_IDENTITIES = "device_identities"
    USER_ATTRIBUTES = "user_attributes"
    AUDIENCE_MEMBERSHIPS = "audience_memberships"
    ATTRIBUTION = "attribution"
    CONSENT_STATE = "consent_state"
    EVENTS = "events"


DEFAULT_FIELDS = tuple(each for each in Field if each is not Field.EVENTS)
"""What is told unless fields are named: all but the events."""


class QueriedProfile(NamedTuple):
    """A profile with what it has and comes to; `now_ms` is the moment that this holds for."""

    profile: ScopedProfile
    data: ProfileData
    folded: Folded
    audience_ids: Sequence[tuple[int, str]]
    now_ms: int


class ProfileAnswer(NamedTuple):
    """The answer to a query; `found` is None where there is no such profile."""

    found: QueriedProfile | None
    fields: tuple[Field, ...]

    @property
    def exit_status(self) -> int:
        """1 where there is no such profile."""
        return 1 if self.found is None else 0


def by_mpid(
    transaction: Transaction,
    organization: Organization,
    mpid: int,
    fields: Sequence[Field],
    now_ms: int,
    scope: str | None = None,
) -> ProfileAnswer:
    """Query the profile that has the MPID, in one scope or in any."""
    found = transaction.find(mpid)
    if found is None or scope not in (None, found[0]):
        return ProfileAnswer(None, tuple(fields))
    name, profile = found
    rules = organization.scopes.get(name)
    seen = scoped(profile, name, rules)
    data = transaction.data_of(mpid)
    assert data is not None
    if rules is None:
        return ProfileAnswer(
            QueriedProfile(seen, data, Folded(data.attributes, {}), (), now_ms), tuple(fields)
        )
    subject = Subject(data, profile.identifiers, seen.known, now_ms)
    folded = Fold(rules.definitions).of(subject)
    ids = [(rules.definitions.audiences[each].id, each) for each in folded.memberships]
    return ProfileAnswer(QueriedProfile(seen, data, folded, sorted(ids), now_ms), tuple(fields))


def by_identifier(
    transaction: Transaction,
    organization: Organization,
    scope: str,
    identifier: Identifier,
    fields: Sequence[Field],
    now_ms: int,
) -> ProfileAnswer:
    """Query the profile of a scope that holds an immutable identifier.

    Raises:
        UsageFault: NOT_IMMUTABLE, the type is not immutable in the scope; AMBIGUOUS, several
            profiles hold the identifier.
    """
    rules = organization.scopes[scope]
    if not rules.settings_of(identifier.type).immutable:
        immutable = ", ".join(rules.immutable_types)
        others = f", or by: {immutable}" if immutable else "; the scope has no immutable type"
        raise UsageFault(
            f"NOT_IMMUTABLE: {identifier.type} is not immutable in the scope, so it need not stay "
            f"with one user; query by an MPID{others}"
        )
    meant = None
    if not rules.guard_rails.blocks(identifier):
        meant = as_meant(identifier, rules.guard_rails, transaction.lookup(scope, rules))
    held_by = [] if meant is None else transaction.holding(scope, meant)
    if len(held_by) > 1:
        raise UsageFault(
            f"AMBIGUOUS: {len(held_by)} profiles hold this {identifier.type}; query by an MPID"
        )
    if not held_by:
        return ProfileAnswer(None, tuple(fields))
    return by_mpid(transaction, organization, held_by[0].mpid, fields, now_ms, scope)
