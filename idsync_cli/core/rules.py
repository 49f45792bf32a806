"""What an organization configures: its scopes and their rules (section 3)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from idsync_cli.core.codes import OnConflictingLogin, OnNewKnownUser
from idsync_cli.core.identity import TYPE_ORDER, Identifier, IdentityType
from idsync_cli.core.profile import Profile
from idsync_cli.core.strategy import NO_SETTINGS, Settings, Strategy


@dataclass(frozen=True)
class Rules:
    """The rules of one identity scope."""

    strategy: Strategy
    priority: tuple[IdentityType, ...]
    settings: Mapping[IdentityType, Settings] = field(default_factory=dict)
    on_conflicting_login: OnConflictingLogin = OnConflictingLogin.SEPARATE

    def settings_of(self, identity_type: IdentityType) -> Settings:
        """The settings of a type as they work; a type that is not in the priority has none.

        Without logins there are no login types, nor immutable ones (section 3).
        """
        settings = self.settings.get(identity_type, NO_SETTINGS)
        return settings if self.strategy.logins else Settings(unique=settings.unique)

    @cached_property
    def login_types(self) -> tuple[IdentityType, ...]:
        """The login types, most trusted first."""
        return tuple(kind for kind in self.priority if self.settings_of(kind).login)

    @cached_property
    def immutable_types(self) -> frozenset[IdentityType]:
        """The types whose values never change or move."""
        return frozenset(kind for kind in self.priority if self.settings_of(kind).immutable)

    @cached_property
    def _rank(self) -> dict[IdentityType, int]:
        return {kind: rank for rank, kind in enumerate(self.priority, start=1)}

    @property
    def new_known_users_get_a_new_record(self) -> bool:
        """Whether a login ID never leads to an anonymous profile."""
        return self.strategy.on_new_known_user is OnNewKnownUser.CREATE

    def is_lookup(self, identity_type: IdentityType) -> bool:
        """Whether identifiers of the type belong to the identity record."""
        return identity_type in self._rank

    def holds_login_id(self, identifiers: Iterable[Identifier]) -> bool:
        """Whether a login ID is among the identifiers."""
        return any(held.type in self.login_types for held in identifiers)

    def holds_lookup(self, identifiers: Iterable[Identifier]) -> bool:
        """Whether an identifier that is in the priority is among the identifiers."""
        return any(held.type in self._rank for held in identifiers)

    def is_known(self, profile: Profile) -> bool:
        """Whether the profile is a known one (section 1)."""
        return profile.was_known or self.holds_login_id(profile.identifiers)

    def in_order(self, types: Iterable[IdentityType]) -> list[IdentityType]:
        """Sort types: those of the priority by rank, then the others as in section 2."""
        last = len(self.priority) + 1
        return sorted(types, key=lambda kind: (self._rank.get(kind, last), TYPE_ORDER[kind]))


@dataclass(frozen=True)
class Organization:
    """Everything that a configuration file says: scopes by name, and whom each workspace serves."""

    name: str | None
    scopes: Mapping[str, Rules]
    workspaces: Mapping[str, str]
    accounts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
