"""One transaction: what the store knows, and applying what was decided."""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

from idsync_cli.core.codes import IMPORT, Op, RequestKind, Status
from idsync_cli.core.decision import Decision
from idsync_cli.core.identity import TYPE_ORDER, Identifier, IdentityType
from idsync_cli.core.profile import Profile, types_of
from idsync_cli.core.rules import Rules
from idsync_cli.store.checksums import checksum, checksum_of_request
from idsync_cli.store.records import TYPES, Record, Records

_BEGIN = "SELECT seed, last_seq, scope_id, name, login_types FROM store LEFT JOIN scopes"
_EVERY = """
    SELECT p.created_seq, mpid, source_mpid, was_known, identifiers.identity_type_id, value, name
    FROM profiles AS p
    JOIN scopes USING (scope_id)
    LEFT JOIN holders USING (created_seq)
    LEFT JOIN identifiers USING (identifier_id)
    WHERE (?1 IS NULL OR name = ?1) AND (?2 IS NULL OR (types >> ?2) & 1)
        AND (?3 IS NULL OR mpid = ?3)
    ORDER BY p.created_seq, added_seq, place
"""


class Entry(NamedTuple):
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
        self._scopes: dict[str, int] = {}
        self._login_bits: dict[int, int] = {}
        for self._seed, self._found_seq, number, name, bits in connection.execute(_BEGIN):
            if number is not None:
                self._scopes[name] = number
                self._login_bits[number] = bits
        self.last_seq: int = self._found_seq
        self.remembers_rules = False
        self._records = Records(connection, self._login_bits)
        self._knowledge: dict[str, ScopeKnowledge] = {}
        self._outcomes: dict[tuple[int | str | None, ...], int] | None = None
        self._requests: list[tuple[int | str | None, ...]] = []
        self._changes: list[tuple[int, int, int, int, int]] = []

    def scope(self, name: str) -> "ScopeKnowledge":
        """What the store knows about one scope; it need not have any profile."""
        knowledge = self._knowledge.get(name)
        if knowledge is None:
            number = self._scopes.get(name)
            knowledge = ScopeKnowledge(self._records, number, self._login_bits)
            if number is not None:
                self._knowledge[name] = knowledge
        return knowledge

    @property
    def new_mpids_are_free(self) -> bool:
        """Whether new MPIDs are taken to be free; else the store is asked (see `Records`)."""
        return self._records.new_mpids_are_free

    @new_mpids_are_free.setter
    def new_mpids_are_free(self, taken_to_be: bool) -> None:
        self._records.new_mpids_are_free = taken_to_be

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
        return self._every(scope, None if holding is None else TYPE_ORDER[holding], None)

    def holding(self, scope: str, identifier: Identifier) -> list[Profile]:
        """The profiles of a scope that hold exactly this identifier, oldest first."""
        knowledge = self.scope(scope)
        records = knowledge.holders(identifier)
        return [
            Profile(each.mpid, each.created_seq, each.source_mpid, each.was_known, each.identifiers)
            for each in sorted(records, key=lambda record: record.created_seq)
        ]

    def find(self, mpid: int) -> tuple[str, Profile] | None:
        """The profile that has the MPID, in whatever scope."""
        return next(self._every(None, None, mpid), None)

    def _every(
        self, scope: str | None, holding: int | None, mpid: int | None
    ) -> Iterator[tuple[str, Profile]]:
        found = self.connection.execute(_EVERY, (scope, holding, mpid))
        for (seq, its_mpid, source, was_known, name), rows in groupby(
            found, key=lambda row: (*row[:4], row[6])
        ):
            held = tuple(Identifier(TYPES[row[4]], row[5]) for row in rows if row[4] is not None)
            yield name, Profile(its_mpid, seq, source, bool(was_known), held)

    def agree(self, rules: Mapping[str, Rules]) -> tuple[str, ...]:
        """Make `holders` tell known from anonymous by these rules, and say for which scopes.

        Nothing needs to be done unless a scope has other login types than when it was written.
        """
        stale = [
            name
            for name, its_rules in rules.items()
            if name in self._scopes and self._login_bits[self._scopes[name]] != its_rules.login_bits
        ]
        for name in stale:
            self._agree(self._scopes[name], name, rules[name].login_bits)
        return tuple(stale)

    def _agree(self, number: int, name: str, bits: int) -> None:
        self.connection.execute(
            "UPDATE holders SET known = 1 - known WHERE created_seq IN ("
            " SELECT created_seq FROM profiles WHERE scope_id = ?1 AND was_known = 0"
            " AND (types & ?2 != 0) != (types & ?3 != 0))",
            (number, self._login_bits[number], bits),
        )
        self.connection.execute(
            "UPDATE scopes SET login_types = ?, checksum = ? WHERE scope_id = ?",
            (bits, checksum(number, name, bits), number),
        )
        self._login_bits[number] = bits

    def look_up(
        self, scope: str, rules: Rules, identifiers: Iterable[Identifier], mpids: Iterable[int]
    ) -> None:
        """Read beforehand what the requests of a batch name."""
        number = self._scopes.get(scope)
        if number is not None:
            self._records.look_up(number, identifiers, mpids, rules)

    def apply(self, decision: Decision, scope: str, rules: Rules, entry: Entry) -> None:
        """Keep what was decided, and that it was; all of it is written by `write`."""
        records, seq = self._records, entry.seq
        number = self._scope_id(scope, rules)
        if decision.created:
            new = decision.created
            records.create(new.created_seq, new.mpid, number, new.source_mpid)
        for profile, types, was_known in decision.left:
            records.leave(records.at(profile.created_seq), types, was_known=was_known)
        changes = []
        for place, (op, mpid, identifier) in enumerate(decision.changes, start=1):
            record = records.of(mpid)
            if op is _ADD:
                its_number = records.add(record, identifier, seq, place)
                changes.append((place, 1, record.created_seq, its_number))
            else:
                its_number = records.remove(record, identifier)
                changes.append((place, -1, record.created_seq, its_number))
        assert decision.profile is not None
        rule, _, decided_by = decision.decided_by
        self._enter(
            (seq, entry.time_ms),
            (number, entry.kind, decision.status, rule, decided_by),
            (decision.profile.created_seq, entry.request_id, entry.request_timestamp_ms),
            tuple(changes),
        )
        records.trim()

    def take_in(self, scope: str, profile: Profile, rules: Rules, time_ms: int) -> None:
        """Put a profile into the store as it is, and enter in the history that it came whole."""
        seq = profile.created_seq
        numbers = self.give(scope, profile, rules)
        self._enter(
            (seq, time_ms),
            (self._scopes[scope], IMPORT, Status.CREATED, IMPORT, None),
            (seq, None, None),
            tuple((place, 1, seq, number) for place, number in enumerate(numbers, start=1)),
        )
        self._records.trim()

    def give(self, scope: str, profile: Profile, rules: Rules) -> list[int]:
        """Put a profile into the store as it is, for the `given` of a scenario."""
        mpid, seq, source_mpid, was_known, identifiers = profile
        records = self._records
        record = records.create(seq, mpid, self._scope_id(scope, rules), source_mpid)
        records.leave(record, types_of(identifiers), was_known=was_known)
        return [
            records.add(record, identifier, seq, place)
            for place, identifier in enumerate(identifiers, start=1)
        ]

    def is_taken(self, seq: int) -> bool:
        """Whether a profile was made, or anything changed, under the sequence number."""
        [taken] = self.connection.execute(
            "SELECT EXISTS (SELECT * FROM requests WHERE seq = ?1)"
            " OR EXISTS (SELECT * FROM profiles WHERE created_seq = ?1)",
            (seq,),
        ).fetchone()
        return bool(taken) or self._records.has(seq)

    def write(self) -> None:
        """Write all that was changed, and the sequence number reached, if it was advanced."""
        self._records.write()
        many = self.connection.executemany
        if self._requests:
            many("INSERT INTO requests VALUES (?, ?, ?, ?, ?, ?, ?)", self._requests)
            many("INSERT INTO changes VALUES (?, ?, ?, ?, ?)", self._changes)
            self._requests, self._changes = [], []
        if self.last_seq != self._found_seq:
            self.connection.execute(
                "UPDATE store SET last_seq = ?, checksum = ?",
                (self.last_seq, checksum(self._seed, self.last_seq)),
            )
            self._found_seq = self.last_seq

    def close(self) -> None:
        """Let go of all that was read, which refers to itself in circles."""
        self._records.forget()

    def _enter(
        self,
        when: tuple[int, int],
        how: tuple[int, str, str, str, str | None],
        who: tuple[int, str | None, int | None],
        changes: tuple[tuple[int, int, int, int], ...],
    ) -> None:
        """Enter a request and its changes in the history."""
        row = (*when, self._outcome_id(how), *who)
        self._requests.append((*row, checksum_of_request(row, changes)))
        seq = when[0]
        self._changes += [(seq, *change) for change in changes]

    def _outcome_id(self, how: tuple[int, str, str, str, str | None]) -> int:
        if self._outcomes is None:
            self._outcomes = {
                tuple(row): number
                for number, *row in self.connection.execute(
                    "SELECT outcome_id, scope_id, type, status, rule, identity_type FROM outcomes"
                )
            }
        number = self._outcomes.get(how)
        if number is None:
            number = len(self._outcomes) + 1
            texts = [each if each is None else str(each) for each in how[1:]]
            self.connection.execute(
                "INSERT INTO outcomes VALUES (?, ?, ?, ?, ?, ?, ?)",
                (number, how[0], *texts, checksum(number, how[0], *texts)),
            )
            self._outcomes[how] = number
        return number

    def _scope_id(self, name: str, rules: Rules) -> int:
        number = self._scopes.get(name)
        if number is None:
            number = self._scopes[name] = max(self._scopes.values(), default=0) + 1
            bits = self._login_bits[number] = rules.login_bits
            self.connection.execute(
                "INSERT INTO scopes VALUES (?, ?, ?, ?)",
                (number, name, bits, checksum(number, name, bits)),
            )
        return number


class ScopeKnowledge:
    """What the store knows about one scope: the core's `Knowledge`."""

    def __init__(
        self, records: Records, scope_id: int | None, login_bits: Mapping[int, int]
    ) -> None:
        self._records = records
        self._scope_id = scope_id
        self._login_bits = login_bits
        self.was_given_out = records.was_given_out

    def known(
        self, identifier: Identifier, rules: Rules, limit: int | None = None
    ) -> Sequence[Record]:
        """Known profiles of the scope that hold exactly this identifier, at most `limit`."""
        if self._scope_id is None:
            return ()
        if self._login_bits[self._scope_id] == rules.login_bits:
            return self._records.known(self._scope_id, identifier, limit)
        return self._judged(identifier, rules, known=True)[:limit]

    def anonymous(
        self,
        identifiers: Sequence[Identifier],
        rules: Rules,
        limit: int | None = None,
        *,
        lacking: Identifier | None = None,
    ) -> Sequence[Record]:
        """Anonymous profiles that hold all the identifiers: newest first, at most `limit`."""
        scope_id = self._scope_id
        if scope_id is None:
            return ()
        if self._login_bits[scope_id] == rules.login_bits:
            if len(identifiers) > 1 or lacking is not None:
                return self._records.anonymous_with_all(scope_id, identifiers, limit, lacking)
            return self._records.anonymous(scope_id, identifiers[0], limit)[::-1]
        first, *others = identifiers
        found = [
            each
            for each in self._judged(first, rules, known=False)
            if all(map(each.holds, others)) and not (lacking and each.holds(lacking))
        ]
        return found[:limit]

    def profile(self, mpid: int) -> Record | None:
        """The profile of the scope that has the MPID."""
        record = self._records.profile(mpid)
        return record if record is not None and record.scope_id == self._scope_id else None

    def holders(self, identifier: Identifier) -> list[Record]:
        """Everybody in the scope who holds exactly this identifier, by whatever rules."""
        if self._scope_id is None:
            return []
        find = self._records.known, self._records.anonymous
        return [each for by in find for each in by(self._scope_id, identifier, None)]

    def _judged(self, identifier: Identifier, rules: Rules, *, known: bool) -> list[Record]:
        """Holders by rules that the store was not written by, newest first."""
        found = [each for each in self.holders(identifier) if rules.is_known(each) is known]
        return sorted(found, key=lambda record: -record.created_seq)


_ADD = Op.ADD
