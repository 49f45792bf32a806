"""What the store knows, and applying what was decided, in one transaction after another."""

import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any, Final

from idsync_cli.core.codes import IMPORT, Op, RequestKind, Status
from idsync_cli.core.config.rules import Rules
from idsync_cli.core.decision import Decision
from idsync_cli.core.identity import Identifier
from idsync_cli.core.profile import Profile
from idsync_cli.core.value import Value
from idsync_cli.store.sqlite.cache.in_memory import Record, Scope
from idsync_cli.store.sqlite.cache.knowledge import ScopeKnowledge
from idsync_cli.store.sqlite.cache.records import Records
from idsync_cli.store.sqlite.rows.batch import Batch, Rows, Writer
from idsync_cli.store.sqlite.rows.checksums import checksum
from idsync_cli.store.sqlite.rows.packed_integers import Numbers

_ADD: Final = Op.ADD
_NO_TEXTS: Final = None, None
_BEGIN = "SELECT seed, last_seq, scope_id, name, login_types FROM store LEFT JOIN scopes"


class Entry(Value):
    """What history keeps of a request beside what it changed."""

    __match_args__ = ("seq", "time_ms", "kind", "request_id", "request_timestamp_ms")
    __slots__ = __match_args__

    def __init__(
        self,
        seq: int,
        time_ms: int,
        kind: RequestKind,
        request_id: str | None = None,
        request_timestamp_ms: int | None = None,
    ) -> None:
        self.seq: Final = seq
        self.time_ms: Final = time_ms
        self.kind: Final = kind
        self.request_id: Final = request_id
        self.request_timestamp_ms: Final = request_timestamp_ms


class Session:
    """The store in a transaction; `last_seq` may be advanced and is kept with the rest.

    What was read serves the transactions that follow, as long as nobody else writes and none is
    rolled back. `remembers_rules` says that the store was told in this transaction which rules it
    is used with.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self._scopes: dict[str, Scope] = {}
        self._records = Records(connection)
        self._seed = ""
        self._found_seq = 0
        rows: list[tuple[str, int, int | None, str | None, int | None]]
        rows = connection.execute(_BEGIN).fetchall()
        for self._seed, self._found_seq, number, name, bits in rows:
            if number is not None and name is not None and bits is not None:
                self._scopes[name] = self._records.add_scope(number, bits)
        self.last_seq = self._found_seq
        self.remembers_rules = False
        self._writer = Writer(connection)
        self._knowledge: dict[str, ScopeKnowledge] = {}
        self._outcomes: dict[tuple[int | str | None, ...], int] = {}
        self._batch = Batch()  # but for what the records hold back
        self._requests = Numbers()  # and for these

    def begin(self) -> None:
        """Another transaction begins, on the store as the last one left it."""
        self.remembers_rules = False
        self._records.new_mpids_are_free = False
        self._records.trim()

    def expect_many(self) -> None:
        """Prepare for many identifiers that the store has never seen."""
        self._records.expect_many()

    def go_ahead(self) -> None:
        """From now on others write what is taken from here.

        A question that only up-to-date tables could answer then raises TablesBehind.
        """
        self._records.is_ahead = True

    @property
    def has_changes(self) -> bool:
        """Whether there is anything that has yet to be written."""
        batch = self._batch
        held_back = self.last_seq != self._found_seq or self._records.has_changes
        return held_back or bool(batch.sizes or batch.scopes or batch.outcomes)

    def scope(self, name: str) -> ScopeKnowledge:
        """What the store knows about one scope; it need not have any profile."""
        knowledge = self._knowledge.get(name)
        if knowledge is None:
            scope = self._scopes.get(name)
            knowledge = ScopeKnowledge(self._records, scope)
            if scope is not None:
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
        """The names of the scopes that have profiles; a scope comes in with its first profile."""
        rows = self.connection.execute("SELECT name FROM scopes ORDER BY name")
        return tuple(name for (name,) in rows)

    def agree(self, rules: Mapping[str, Rules]) -> tuple[str, ...]:
        """Make `holders` tell known from anonymous by these rules, and say for which scopes.

        Nothing needs to be done unless a scope has other login types than when it was written.
        """
        stale = [
            name
            for name, its_rules in rules.items()
            if name in self._scopes and self._scopes[name].login_bits != its_rules.login_bits
        ]
        for name in stale:
            self._agree(self._scopes[name], name, rules[name].login_bits)
        return tuple(stale)

    def _agree(self, scope: Scope, name: str, bits: int) -> None:
        self.connection.execute(
            "UPDATE holders SET known = 1 - known WHERE created_seq IN ("
            " SELECT created_seq FROM profiles WHERE scope_id = ?1 AND was_known = 0"
            " AND (types & ?2 != 0) != (types & ?3 != 0))",
            (scope.number, scope.login_bits, bits),
        )
        self.connection.execute(
            "UPDATE scopes SET login_types = ?, checksum = ? WHERE scope_id = ?",
            (bits, checksum(scope.number, name, bits), scope.number),
        )
        scope.login_bits = bits
        self._knowledge.pop(name, None)
        self._records.forget()  # what it knows of who is known is no longer so

    def look_up(
        self,
        scope: str,
        rules: Rules,
        identifiers: Iterable[Identifier],
        mpids: Iterable[int],
    ) -> None:
        """Read beforehand what the requests of a batch name."""
        its = self._scopes.get(scope)
        if its is not None:
            self._records.look_up(its, identifiers, mpids, rules)

    def apply(self, decision: Decision, scope: str, rules: Rules, entry: Entry) -> None:
        """Keep what was decided, and that it was; all of it is written by `write`."""
        answered, seq, records = decision.profile, entry.seq, self._records
        assert answered is not None
        its = self._scope(scope, rules)
        if decision.created:
            records.create(answered.created_seq, answered.mpid, its, answered.source_mpid)
        for left in decision.left:
            profile = left.profile
            record = profile if isinstance(profile, Record) else records.at(profile.created_seq)
            records.leave(record, left.types, left.was_known)
        by = decision.decided_by
        how = its.number, entry.kind, decision.status, by.rule, by.identity_type
        numbers: list[int] = [seq, entry.time_ms, self._outcome_id(how), answered.created_seq]
        for place, change in enumerate(decision.changes, start=1):
            record = records.of(change.mpid)
            if change.op is _ADD:
                its_number = records.add(record, change.identifier, seq, place)
                numbers += (place, 1, record.created_seq, its_number)
            else:
                its_number = records.remove(record, change.identifier)
                numbers += (place, -1, record.created_seq, its_number)
        self._requests.add(numbers)
        self._batch.sizes.append(len(numbers))
        texts = entry.request_id, entry.request_timestamp_ms
        if texts != _NO_TEXTS:
            self._batch.texts[seq] = texts
        records.trim()

    def take_in(self, scope: str, profile: Profile, rules: Rules, time_ms: int) -> None:
        """Put a profile into the store as it is, and enter in the history that it came whole."""
        seq = profile.created_seq
        numbers = self.give(scope, profile, rules)
        outcome = self._outcome_id(
            (self._scopes[scope].number, IMPORT, Status.CREATED, IMPORT, None)
        )
        entered = [seq, time_ms, outcome, seq]
        for place, number in enumerate(numbers, start=1):
            entered += (place, 1, seq, number)
        self._requests.add(entered)
        self._batch.sizes.append(len(entered))
        self._records.trim()

    def give(self, scope: str, profile: Profile, rules: Rules) -> list[int]:
        """Put a profile into the store as it is, for the `given` of a scenario."""
        seq, identifiers = profile.created_seq, profile.identifiers
        records, its = self._records, self._scope(scope, rules)
        record = records.create(seq, profile.mpid, its, profile.source_mpid)
        records.leave(record, profile.types, profile.was_known)
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
        if self.has_changes:
            self._writer.write(Rows(self.take()), self._seed)

    def take(self) -> Batch:
        """All that was changed and has yet to be written; from now on it counts as written."""
        batch = self._batch
        self._records.give_to(batch)
        batch.requests, self._requests = self._requests.as_bytes(), Numbers()
        if self.last_seq != self._found_seq:
            batch.last_seq = self._found_seq = self.last_seq
        self._batch = Batch()
        return batch

    def write_of_others(self, rows: Rows) -> None:
        """Write what somebody else decided, and took from a session of the same store."""
        self._writer.write(rows, self._seed)

    def close(self) -> None:
        """Let go of all that was read, which refers to itself in circles."""
        self._records.forget()

    def _outcome_id(self, how: tuple[int, str, str, str, str | None]) -> int:
        number = self._outcomes.get(how)
        if number is None:
            if not self._outcomes:
                rows: list[tuple[Any, ...]] = self.connection.execute(
                    "SELECT outcome_id, scope_id, type, status, rule, identity_type FROM outcomes"
                ).fetchall()
                self._outcomes = {row[1:]: row[0] for row in rows}
                number = self._outcomes.get(how)
            if number is None:
                number = self._outcomes[how] = len(self._outcomes) + 1
                scope_id, kind, status, rule, by = how
                texts = str(kind), str(status), str(rule), None if by is None else str(by)
                self._batch.outcomes.append((number, scope_id, *texts))
        return number

    def _scope(self, name: str, rules: Rules) -> Scope:
        scope = self._scopes.get(name)
        if scope is None:
            number = max([each.number for each in self._scopes.values()], default=0) + 1
            scope = self._scopes[name] = self._records.add_scope(number, rules.login_bits)
            self._batch.scopes.append((number, name, scope.login_bits))
        return scope
