"""What an organization configures: its scopes and their rules (section 3)."""

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any, Final, NamedTuple

from idsync_cli.core.codes import OnConflictingLogin, OnNewKnownUser, OnUniqueHeld
from idsync_cli.core.config.access import Access
from idsync_cli.core.config.definitions import NO_DEFINITIONS, Definitions
from idsync_cli.core.config.guard_rails import NO_GUARD_RAILS, GuardRails
from idsync_cli.core.config.strategy import NO_SETTINGS, Settings, Strategy
from idsync_cli.core.identity import TYPE_BITS, TYPE_ORDER, IdentityType
from idsync_cli.core.profile import ProfileView

OTHERS_MAY_KNOW = (
    IdentityType.EMAIL,
    IdentityType.MOBILE_NUMBER,
    IdentityType.PHONE_NUMBER_2,
    IdentityType.PHONE_NUMBER_3,
)
"""The types by which people reach one another."""

_NONE: Final[dict[Any, Any]] = {}


class _Configured(NamedTuple):
    """What the configuration says of one identity scope."""

    strategy: Strategy
    priority: tuple[IdentityType, ...]
    settings: Mapping[IdentityType, Settings] = _NONE
    on_conflicting_login: OnConflictingLogin = OnConflictingLogin.SEPARATE
    on_unique_held: OnUniqueHeld = OnUniqueHeld.TAKE
    definitions: Definitions = NO_DEFINITIONS
    guard_rails: GuardRails = NO_GUARD_RAILS


class ScopeRules(_Configured):
    """The rules of one identity scope, with what follows from them.

    Sets of types are integers here, with the bit of each type (`TYPE_BITS`).
    """

    def settings_of(self, identity_type: IdentityType) -> Settings:
        """The settings of a type as they work; a type that is not in the priority has none.

        Without logins there are no login types, nor immutable ones (section 3).
        """
        return self._settings.get(identity_type, NO_SETTINGS)

    @cached_property
    def _settings(self) -> dict[IdentityType, Settings]:
        if self.strategy.logins:
            return dict(self.settings)
        return {kind: Settings(unique=each.unique) for kind, each in self.settings.items()}

    @cached_property
    def login_types(self) -> tuple[IdentityType, ...]:
        """The login types, most trusted first."""
        return tuple(kind for kind in self.priority if self.settings_of(kind).login)

    @cached_property
    def login_types_others_may_know(self) -> tuple[IdentityType, ...]:
        """The login types that are no secret: whoever sends one is answered as that user."""
        return tuple(kind for kind in self.login_types if kind in OTHERS_MAY_KNOW)

    @cached_property
    def immutable_types(self) -> tuple[IdentityType, ...]:
        """The types whose values never change or move, most trusted first."""
        return tuple(kind for kind in self.priority if self.settings_of(kind).immutable)

    @cached_property
    def login_bits(self) -> int:
        """The set of the login types."""
        return _bits(self.login_types)

    @cached_property
    def immutable_bits(self) -> int:
        """The set of the immutable types."""
        return _bits(self.immutable_types)

    @cached_property
    def lookup_bits(self) -> int:
        """The set of the types in the priority, which make up the identity record."""
        return _bits(self.priority)

    @cached_property
    def separates_conflicting_logins(self) -> bool:
        """Whether two login IDs that disagree are two users."""
        return self.on_conflicting_login is OnConflictingLogin.SEPARATE

    @cached_property
    def unique_types(self) -> tuple[IdentityType, ...]:
        """The types of which one profile holds a value, most trusted first."""
        return tuple(kind for kind in self.priority if self.settings_of(kind).unique)

    @cached_property
    def takes_unique_ids(self) -> bool:
        """Whether a request that brings one takes it from its holders (section 4, step 5)."""
        return self.on_unique_held is OnUniqueHeld.TAKE

    @cached_property
    def new_known_users_get_a_new_record(self) -> bool:
        """Whether a login ID never leads to an anonymous profile."""
        return self.strategy.on_new_known_user is OnNewKnownUser.CREATE

    @cached_property
    def shapes(self) -> dict[str, dict[int, object]]:
        """The shapes of requests that were seen before, by kind and types (`RequestShape`)."""
        return {}

    def rank_of(self, identity_type: IdentityType) -> int | None:
        """The rank of a type in the priority, from 1; None outside it."""
        rank = self._ranks[identity_type]
        return rank if rank <= len(self.priority) else None

    def is_lookup(self, identity_type: IdentityType) -> bool:
        """Whether identifiers of the type belong to the identity record."""
        return self._ranks[identity_type] <= len(self.priority)

    def holds_login_id(self, types: int) -> bool:
        """Whether a login type is in a set of types."""
        return types & self.login_bits != 0

    def holds_lookup(self, types: int) -> bool:
        """Whether a type of the priority is in a set of types."""
        return types & self.lookup_bits != 0

    def is_known(self, profile: ProfileView) -> bool:
        """Whether the profile is a known one (section 1)."""
        return profile.was_known or profile.types & self.login_bits != 0

    def in_order(self, types: Iterable[IdentityType]) -> list[IdentityType]:
        """Sort types: those of the priority by rank, then the others as in section 2."""
        return sorted(types, key=self._ranks.__getitem__)

    def listed(self, types: int) -> tuple[IdentityType, ...]:
        """The types of a set, in the same order."""
        found = self._listed.get(types)
        if found is None:
            members = [each for each, bit in TYPE_BITS.items() if types & bit]
            found = self._listed[types] = tuple(self.in_order(members))
        return found

    @cached_property
    def _listed(self) -> dict[int, tuple[IdentityType, ...]]:
        """The types of each set that was asked for before, in order."""
        return {}

    @cached_property
    def _ranks(self) -> dict[IdentityType, int]:
        """The position of every type: its rank, or a number beyond all ranks."""
        ranked = {kind: rank for rank, kind in enumerate(self.priority, start=1)}
        behind = len(self.priority) + 1
        return {kind: ranked.get(kind, behind + order) for kind, order in TYPE_ORDER.items()}


def _bits(types: Iterable[IdentityType]) -> int:
    return sum(TYPE_BITS[kind] for kind in types)


class Organization(NamedTuple):
    """Everything that a configuration file says.

    Scopes by name, the scope of each workspace, the workspaces of each account, and the keys of
    those workspaces that have some.
    """

    name: str | None
    scopes: Mapping[str, ScopeRules]
    workspaces: Mapping[str, str]
    accounts: Mapping[str, tuple[str, ...]] = _NONE
    access: Mapping[str, Access] = _NONE

    def without_extensions(self) -> "Organization":
        """The same with no guard rails in any scope (section 11, `--no-extensions`)."""
        plain = {
            name: rules._replace(guard_rails=NO_GUARD_RAILS) for name, rules in self.scopes.items()
        }
        return self._replace(scopes=plain)
