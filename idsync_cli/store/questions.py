"""What people ask of a store: the part of the contract that listings, exports and pages need."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from mypy_extensions import mypyc_attr

from idsync_cli.core.config.rules import ScopeRules
from idsync_cli.core.data.values import ProfileData
from idsync_cli.core.erasure import Erasure
from idsync_cli.core.identity import Identifier
from idsync_cli.core.profile import Profile
from idsync_cli.store.values import (
    EVERY_PROFILE,
    AudienceMember,
    HistoryEntry,
    MemberCount,
    ProfileFilter,
)

if TYPE_CHECKING:
    from idsync_cli.core.records import Record
    from idsync_cli.store.causes import KeptRequest


@mypyc_attr(allow_interpreted_subclasses=True)
class Questions(ABC):
    """What a store tells in a transaction; nothing is changed by it.

    What is given as an iterator may be read while the caller goes through it, so nothing may be
    changed meanwhile.
    """

    __slots__ = ()

    @abstractmethod
    def scopes(self) -> tuple[str, ...]:
        """The names of the scopes that have profiles, in alphabetical order."""

    @abstractmethod
    def find(self, mpid: int) -> tuple[str, Profile] | None:
        """The profile that has the MPID, with its scope."""

    @abstractmethod
    def data_of(self, mpid: int, events: int | None = None) -> ProfileData | None:
        """What the profile has beside its identifiers, with its latest `events`.

        None if there is no such profile. Events come by time, those of one time by sequence number
        and place.
        """

    @abstractmethod
    def profiles(
        self, rules: Mapping[str, ScopeRules], asked: ProfileFilter = EVERY_PROFILE
    ) -> Iterator[tuple[str, Profile]]:
        """The profiles that are asked for, with their scopes, in the order of creation.

        `rules` are those of each scope (see `ProfileFilter.accepts`).
        """

    @abstractmethod
    def count_profiles(
        self, rules: Mapping[str, ScopeRules], asked: ProfileFilter = EVERY_PROFILE
    ) -> int:
        """How many profiles are asked for."""

    def members(
        self, scope: str, rules: ScopeRules, audience: str, now_ms: int
    ) -> Iterator[AudienceMember]:
        """The members of an audience that the rules define, in the order of creation."""
        from idsync_cli.core.audiences.fold import Fold, Subject

        fold = Fold(rules.definitions)
        for _, profile in self.profiles({scope: rules}, ProfileFilter(scope)):
            data = self.data_of(profile.mpid)
            assert data is not None
            subject = Subject(data, profile.identifiers, rules.is_known(profile), now_ms)
            if fold.audience(audience, subject).holds:
                yield AudienceMember(profile, data.is_opted_out)

    def count_members(
        self, scope: str, rules: ScopeRules, audience: str, now_ms: int
    ) -> MemberCount:
        """How many members an audience has that the rules define, opted out or not."""
        members = [each.is_opted_out for each in self.members(scope, rules, audience, now_ms)]
        return MemberCount(len(members), sum(members))

    @abstractmethod
    def holding(self, scope: str, identifier: Identifier) -> list[Profile]:
        """The profiles of a scope that hold exactly this identifier, oldest first."""

    @abstractmethod
    def history(
        self,
        mpid: int | None = None,
        identifier: Identifier | None = None,
        limit: int | None = None,
    ) -> Iterator[HistoryEntry]:
        """The changes of a profile, of an identifier, of both or of all: at most `limit`.

        They come by sequence number; of one request first those of identity records, then those
        of attributes, each in the order made, then an alias.
        """

    @abstractmethod
    def requests(self, seq: int | None = None) -> "Iterator[KeptRequest]":
        """The requests and imports that changed the store, or that of a number, by number.

        With an erased profile go those that changed no other.
        """

    def request(self, seq: int) -> "KeptRequest | None":
        """The request or import of a number; None if it changed nothing, or went with a profile."""
        return next(self.requests(seq), None)

    @abstractmethod
    def erasures(self, mpid: int | None = None) -> Iterator[Erasure]:
        """The erasures, or that of one profile, by sequence number."""

    @abstractmethod
    def records(self, scope: str | None = None) -> "Iterator[Record]":
        """What profiles have beside their identifiers, and the erasures: of all scopes, or of one.

        First the times of each profile that has more than identifiers, by the age of the profiles;
        then all the rest by number. Of one number they come in the order of `NumberedRecord`, then
        by the age of the profile, then by name, device or place. A digest whose profile was erased
        is of every scope.
        """

    @abstractmethod
    def remembered_rules(self) -> dict[str, str]:
        """The rules remembered last; empty if there are none."""
