"""What people ask of a SQLite store: each question is a query (`queries/`).

The queries are imported when they are asked, for no request needs them.
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from idsync_cli.core.config.rules import ScopeRules
from idsync_cli.core.data.values import ProfileData
from idsync_cli.core.erasure import Erasure
from idsync_cli.core.identity import Identifier
from idsync_cli.core.profile import Profile
from idsync_cli.store.sqlite.connected_transaction import ConnectedTransaction
from idsync_cli.store.sqlite.erasing import entries
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
    from idsync_cli.store.counting import Counting
    from idsync_cli.store.inspection import Inspection
    from idsync_cli.store.links import Links

_SCOPES = """
    SELECT name FROM scopes
    WHERE name NOT IN (SELECT scope FROM erasures)
        OR EXISTS (SELECT * FROM profiles WHERE profiles.scope_id = scopes.scope_id)
    ORDER BY name
"""


class SqliteQuestions(ConnectedTransaction):
    """A SQLite store that is asked; all that was decided is written before it answers."""

    def look_back(self, seq: int) -> None:
        """See the store as it was after a request, of what was not erased, until the end.

        Profiles, what they have, and records are seen so; look-ups are of no use any more. The
        transaction must be one that reads.
        """
        from idsync_cli.store.sqlite.queries import earlier

        earlier.look_back(self, seq)
        self.as_of = seq

    def scopes(self) -> tuple[str, ...]:
        """The names of the scopes that have profiles; a scope comes in with its first profile."""
        self.write()
        return tuple(name for (name,) in self.connection.execute(_SCOPES))

    def profiles(
        self, rules: Mapping[str, ScopeRules], asked: ProfileFilter = EVERY_PROFILE
    ) -> Iterator[tuple[str, Profile]]:
        """The profiles that are asked for, with their scopes, oldest first."""
        from idsync_cli.store.sqlite.queries import profiles

        self.write()
        return profiles.profiles(self, rules, asked)

    def count_profiles(
        self, rules: Mapping[str, ScopeRules], asked: ProfileFilter = EVERY_PROFILE
    ) -> int:
        """How many profiles are asked for."""
        from idsync_cli.store.sqlite.queries import profiles

        self.write()
        return profiles.count_profiles(self, rules, asked)

    def find(self, mpid: int) -> tuple[str, Profile] | None:
        """The profile that has the MPID, in whatever scope, with its scope."""
        from idsync_cli.store.sqlite.queries import profiles

        self.write()
        return profiles.profile_of(self, mpid)

    def data_of(self, mpid: int, events: int | None = None) -> ProfileData | None:
        """What the profile has beside its identifiers, with its latest `events`."""
        from idsync_cli.store.sqlite.queries import data

        self.write()
        return data.data_of(self, mpid, events)

    def members(
        self, scope: str, rules: ScopeRules, audience: str, now_ms: int
    ) -> Iterator[AudienceMember]:
        """The members of an audience that the rules define, oldest first."""
        from idsync_cli.store.sqlite.queries import audiences

        self.write()
        return audiences.members(self, scope, rules, audience, now_ms)

    def count_members(
        self, scope: str, rules: ScopeRules, audience: str, now_ms: int
    ) -> MemberCount:
        """How many members an audience has that the rules define, opted out or not."""
        from idsync_cli.store.sqlite.queries import audiences

        self.write()
        return audiences.count_members(self, scope, rules, audience, now_ms)

    def holding(self, scope: str, identifier: Identifier) -> list[Profile]:
        """The profiles of a scope that hold exactly this identifier, oldest first."""
        from idsync_cli.store.sqlite.queries import profiles

        self.write()
        return profiles.holders_of(self, scope, identifier)

    def records(self, scope: str | None = None) -> "Iterator[Record]":
        """What there is beside profiles: first their times, then all the rest by number."""
        from idsync_cli.store.sqlite.queries import records

        self.write()
        return records.records(self, scope)

    def requests(self, seq: int | None = None) -> "Iterator[KeptRequest]":
        """The requests and imports that changed the store, or that of a number, by number."""
        from idsync_cli.store.sqlite.queries import requests

        self.write()
        return requests.requests(self, seq)

    def erasures(self, mpid: int | None = None) -> Iterator[Erasure]:
        """The erasures, or that of one profile, by sequence number."""
        return entries.erasures(self.connection, mpid)

    def history(
        self,
        mpid: int | None = None,
        identifier: Identifier | None = None,
        limit: int | None = None,
    ) -> Iterator[HistoryEntry]:
        """The changes of a profile, of an identifier, of both or of all, oldest first."""
        from idsync_cli.store.sqlite.queries import history

        self.write()
        return history.history(self, mpid, identifier, limit)

    def inspection(self) -> "Inspection":
        """Questions about single profiles and identifiers, until something is changed."""
        from idsync_cli.store.sqlite.inspect.inspection import SqliteInspection

        self.write()
        return SqliteInspection(self)

    def counting(self) -> "Counting":
        """How many there are of what, until something is changed."""
        from idsync_cli.store.sqlite.inspect.counting import SqliteCounting

        self.write()
        return SqliteCounting(self)

    def links(self) -> "Links":
        """Which profiles hold, or once held, which identifiers, until something is changed."""
        from idsync_cli.store.sqlite.inspect.links import SqliteLinks

        self.write()
        return SqliteLinks(self)
