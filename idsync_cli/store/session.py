"""One transaction: what the store knows, and applying what was decided."""

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from idsync_cli.core.codes import IMPORT, Op, RequestKind, Status
from idsync_cli.core.decision import Change, Decision
from idsync_cli.core.identity import Identifier, IdentityType
from idsync_cli.core.profile import Profile

Row = tuple[int, int, int | None, int, str | None, str | None]

_PROFILE = """
    SELECT profiles.created_seq, mpid, source_mpid, was_known, held.identity_type, held.value
    FROM profiles LEFT JOIN identifiers AS held USING (created_seq)
"""
_BY_MPID = f"{_PROFILE} WHERE mpid = ? AND profiles.scope_id = ? ORDER BY identifier_id"
_HOLDERS = """
    SELECT profiles.created_seq, mpid, source_mpid, was_known, held.identity_type, held.value
    FROM identifiers AS sought
    JOIN profiles ON profiles.created_seq = sought.created_seq
    JOIN identifiers AS held ON held.created_seq = sought.created_seq
    WHERE sought.value = ? AND sought.identity_type = ? AND sought.scope_id = ?
    ORDER BY sought.created_seq, held.identifier_id
"""
_EVERY = """
    SELECT profiles.created_seq, mpid, source_mpid, was_known, held.identity_type, held.value, name
    FROM profiles JOIN scopes USING (scope_id) LEFT JOIN identifiers AS held USING (created_seq)
    WHERE (?1 IS NULL OR name = ?1) AND (?2 IS NULL OR EXISTS (
        SELECT * FROM identifiers AS sought
        WHERE sought.created_seq = profiles.created_seq AND sought.identity_type = ?2
    ))
    ORDER BY profiles.created_seq, identifier_id
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """What history keeps of a request beside what it changed."""

    seq: int
    time_ms: int
    kind: RequestKind
    request_id: str | None = None
    request_timestamp_ms: int | None = None


class Session:
    """One transaction over the store; `last_seq` may be advanced and is kept with the rest.

    `remembers_rules` says that the store was told in it which rules it is used with.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self.last_seq: int = connection.execute("SELECT last_seq FROM store").fetchone()[0]
        self._found_seq = self.last_seq
        self.remembers_rules = False
        self._scopes: dict[str, int] = dict(connection.execute("SELECT name, scope_id FROM scopes"))

    def scope(self, name: str) -> "ScopeKnowledge":
        """What the store knows about one scope; it need not have any profile."""
        return ScopeKnowledge(self.connection, self._scopes.get(name))

    def scopes(self) -> tuple[str, ...]:
        """The names of the scopes that have profiles."""
        rows = self.connection.execute(
            "SELECT name FROM scopes WHERE EXISTS"
            " (SELECT * FROM profiles WHERE profiles.scope_id = scopes.scope_id) ORDER BY name"
        )
        return tuple(name for (name,) in rows)

    def profiles(
        self, scope: str | None = None, holding: IdentityType | None = None
    ) -> Iterator[tuple[str, Profile]]:
        """The profiles with the names of their scopes, in the order of their creation.

        With `scope` only those of one scope, with `holding` only those that hold the type.
        """
        found = self.connection.execute(_EVERY, (scope, holding and holding.value))
        for _, rows in groupby(found, key=lambda row: row[0]):
            first, *more = rows
            yield first[6], _profile([first, *more])

    def find(self, mpid: int) -> tuple[str, Profile] | None:
        """The profile that has the MPID, in whatever scope."""
        for name, scope_id in self._scopes.items():
            profile = ScopeKnowledge(self.connection, scope_id).profile(mpid)
            if profile:
                return name, profile
        return None

    def apply(self, decision: Decision, scope: str, entry: Entry) -> None:
        """Write what was decided, and that it was."""
        if not decision.changes_the_store:
            return
        assert decision.profile is not None
        scope_id = self._scope_id(scope)
        decided_by = decision.decided_by
        self._insert_request(
            entry.seq,
            entry.time_ms,
            entry.kind.value,
            scope_id,
            decision.profile.mpid,
            decision.status.value,
            decided_by.rule.value,
            decided_by.identity_type and decided_by.identity_type.value,
            entry.request_id,
            entry.request_timestamp_ms,
        )
        if decision.created:
            new = decision.created
            self._insert_profile(scope_id, new.mpid, new.created_seq, new.source_mpid, False)
        for place, change in enumerate(decision.changes, start=1):
            self._insert_change(entry.seq, place, change)
            created_seq = self._created_seq(change.mpid)
            if change.op is Op.ADD:
                self._insert_identifier(scope_id, created_seq, change.identifier, entry.seq)
            else:
                kind, value = change.identifier
                self.connection.execute(
                    "DELETE FROM identifiers WHERE value = ? AND identity_type = ?"
                    " AND scope_id = ? AND created_seq = ?",
                    (value, kind.value, scope_id, created_seq),
                )
        for mpid in decision.became_known:
            self.connection.execute("UPDATE profiles SET was_known = 1 WHERE mpid = ?", (mpid,))

    def take_in(self, scope: str, profile: Profile, time_ms: int) -> None:
        """Put a profile into the store as it is, and enter in the history that it came whole."""
        self.give(scope, profile)
        seq = profile.created_seq
        self._insert_request(
            seq,
            time_ms,
            IMPORT,
            self._scope_id(scope),
            profile.mpid,
            Status.CREATED.value,
            IMPORT,
            None,
            None,
            None,
        )
        for place, identifier in enumerate(profile.identifiers, start=1):
            self._insert_change(seq, place, Change(Op.ADD, profile.mpid, identifier))

    def give(self, scope: str, profile: Profile) -> None:
        """Put a profile into the store as it is, for the `given` of a scenario."""
        scope_id = self._scope_id(scope)
        seq = profile.created_seq
        self._insert_profile(scope_id, profile.mpid, seq, profile.source_mpid, profile.was_known)
        for identifier in profile.identifiers:
            self._insert_identifier(scope_id, seq, identifier, seq)

    def is_taken(self, seq: int) -> bool:
        """Whether a profile was made, or anything changed, under the sequence number."""
        [taken] = self.connection.execute(
            "SELECT EXISTS (SELECT * FROM requests WHERE seq = ?1)"
            " OR EXISTS (SELECT * FROM profiles WHERE created_seq = ?1)",
            (seq,),
        ).fetchone()
        return bool(taken)

    def keep_counter(self) -> None:
        """Write the sequence number reached, if it was advanced."""
        if self.last_seq != self._found_seq:
            self.connection.execute("UPDATE store SET last_seq = ?", (self.last_seq,))

    def _scope_id(self, name: str) -> int:
        if name not in self._scopes:
            cursor = self.connection.execute("INSERT INTO scopes (name) VALUES (?)", (name,))
            assert cursor.lastrowid is not None
            self._scopes[name] = cursor.lastrowid
        return self._scopes[name]

    def _created_seq(self, mpid: int) -> int:
        row = self.connection.execute("SELECT created_seq FROM profiles WHERE mpid = ?", (mpid,))
        return int(row.fetchone()[0])

    def _insert_profile(
        self, scope_id: int, mpid: int, seq: int, source_mpid: int | None, was_known: bool
    ) -> None:
        self.connection.execute(
            "INSERT INTO profiles (created_seq, mpid, scope_id, source_mpid, was_known)"
            " VALUES (?, ?, ?, ?, ?)",
            (seq, mpid, scope_id, source_mpid, was_known),
        )

    def _insert_identifier(
        self, scope_id: int, created_seq: int, identifier: Identifier, added_seq: int
    ) -> None:
        self.connection.execute(
            "INSERT INTO identifiers (created_seq, scope_id, identity_type, value, added_seq)"
            " VALUES (?, ?, ?, ?, ?)",
            (created_seq, scope_id, identifier.type.value, identifier.value, added_seq),
        )

    def _insert_request(self, *columns: int | str | None) -> None:
        self.connection.execute(
            "INSERT INTO requests VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", columns
        )

    def _insert_change(self, seq: int, place: int, change: Change) -> None:
        kind, value = change.identifier
        self.connection.execute(
            "INSERT INTO changes VALUES (?, ?, ?, ?, ?, ?)",
            (seq, place, change.op.value, change.mpid, kind.value, value),
        )


class ScopeKnowledge:
    """What the store knows about one scope: the core's `Knowledge`."""

    def __init__(self, connection: sqlite3.Connection, scope_id: int | None) -> None:
        self._execute = connection.execute
        self._scope_id = scope_id

    def holders(self, identifier: Identifier) -> Sequence[Profile]:
        """The profiles of the scope that hold exactly this identifier, oldest first."""
        kind, value = identifier
        rows = self._execute(_HOLDERS, (value, kind.value, self._scope_id))
        return [_profile(list(each)) for _, each in groupby(rows, key=lambda row: row[0])]

    def profile(self, mpid: int) -> Profile | None:
        """The profile of the scope that has the MPID."""
        rows = self._execute(_BY_MPID, (mpid, self._scope_id)).fetchall()
        return _profile(rows) if rows else None

    def was_given_out(self, mpid: int) -> bool:
        """Whether any profile of the store has the MPID."""
        row = self._execute("SELECT 1 FROM profiles WHERE mpid = ?", (mpid,)).fetchone()
        return row is not None


def _profile(rows: Sequence[Row]) -> Profile:
    """A profile of its rows, one for each identifier; a profile without any has one row."""
    created_seq, mpid, source_mpid, was_known = rows[0][:4]
    return Profile(
        mpid=mpid,
        created_seq=created_seq,
        source_mpid=source_mpid,
        was_known=bool(was_known),
        identifiers=tuple(
            Identifier(IdentityType(row[4]), row[5]) for row in rows if row[4] and row[5]
        ),
    )
