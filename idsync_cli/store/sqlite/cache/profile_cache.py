"""What is known of a store and was changed: profiles, and who holds which identifier.

Every lookup of a request goes through here. What was read is kept, for later transactions too as
long as nobody else writes; what is changed is kept with it, and all of that is written at once, in
the order of the tables. A batch reads beforehand what its requests name, in a few statements. A
question that what is in memory cannot answer is put to the tables, once they are up to date.
"""

import json
import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any

from idsync_cli.core.config.rules import ScopeRules
from idsync_cli.core.identity import TYPE_ORDER, Identifier, IdentityType
from idsync_cli.store.sqlite.cache.bloom_filter import BloomFilter
from idsync_cli.store.sqlite.cache.cached_profiles import (
    NOT_READ,
    TYPES,
    CachedIdentifier,
    CachedProfile,
    HolderRow,
    Scope,
    whole_crowd,
)
from idsync_cli.store.sqlite.cache.handed_over import HandedOver
from idsync_cli.store.sqlite.rows.batch import (
    NOW,
    NOWHERE,
    PLACE,
    SEQ,
    TYPE,
    Batch,
    IdentifierRow,
    Rows,
    Writer,
)
from idsync_cli.store.sqlite.rows.checksums import hash_behind, profile_numbers
from idsync_cli.store.sqlite.rows.packed_integers import PackedIntegers, pack_numbers

_NEWEST = 64
"""How many holders of an identifier are read beforehand, of the known and of the anonymous."""

_REMEMBERED = 300_000
"""How many profiles and identifiers are kept in memory before some of them are let go."""

_GENERATIONS = 8
"""Whenever so large a part of that has come, an era ends; what was not named lately goes first."""

_STEPS = 64
"""After so many steps through two crowds the rest is left to SQLite, which steps faster."""

_COLUMNS = "p.created_seq, p.mpid, p.scope_id, p.source_mpid, p.was_known, p.types"
_BY_MPID = f"SELECT {_COLUMNS} FROM profiles AS p WHERE mpid = ?"
_BY_SEQ = f"SELECT {_COLUMNS} FROM profiles AS p WHERE created_seq = ?"
_BY_MPIDS = f"""
    SELECT {_COLUMNS} FROM json_each(?) AS k CROSS JOIN profiles AS p ON p.mpid = k.value
"""
_IDENTIFIER = """
    SELECT identifier_id FROM identifier_hashes JOIN identifiers USING (identifier_id)
    WHERE hash = ? AND value = ? AND identity_type_id = ? AND scope_id = ?
"""
_IDENTIFIERS = """
    SELECT h.hash, i.scope_id, i.identity_type_id, i.value, i.identifier_id
    FROM json_each(?) AS k
    CROSS JOIN identifier_hashes AS h ON h.hash = k.value
    CROSS JOIN identifiers AS i ON i.identifier_id = h.identifier_id
"""
_HOLDERS = f"""
    SELECT {_COLUMNS} FROM holders AS h CROSS JOIN profiles AS p ON p.created_seq = h.created_seq
    WHERE h.identifier_id = ? AND h.known = ? ORDER BY h.created_seq DESC LIMIT ?
"""
_HOLDERS_OF_EACH = f"""
    SELECT k.value, {_COLUMNS}
    FROM json_each(?1) AS k
    CROSS JOIN holders AS h ON h.identifier_id = k.value AND h.known = ?2 AND h.created_seq >=
        coalesce((
            SELECT created_seq FROM holders AS newer
            WHERE newer.identifier_id = k.value AND newer.known = ?2
            ORDER BY newer.created_seq DESC LIMIT 1 OFFSET {_NEWEST - 1}
        ), 0)
    CROSS JOIN profiles AS p ON p.created_seq = h.created_seq
"""
_HELD = """
    SELECT identifier_id, identity_type_id, added_seq, place FROM holders
    WHERE created_seq = ? ORDER BY added_seq, place
"""
_HELD_BY_EACH = """
    SELECT created_seq, identifier_id, identity_type_id, added_seq, place
    FROM json_each(?) AS k
    CROSS JOIN holders AS h INDEXED BY holders_by_profile ON h.created_seq = k.value
    ORDER BY k.key, added_seq, place
"""
_HELD_VALUES = """
    SELECT identifiers.identity_type_id, value
    FROM holders JOIN identifiers USING (identifier_id)
    WHERE created_seq = ? ORDER BY added_seq, place
"""
_NEWEST_UP_TO = """
    SELECT created_seq FROM holders WHERE identifier_id = ? AND known = 0 AND created_seq <= ?
    ORDER BY created_seq DESC LIMIT 1
"""


class ProfileCache:
    """The profiles and identifiers of one store, in one transaction.

    With `new_mpids_are_free` it is not asked of every new MPID whether it was ever given out, which
    no two of 2**64 are likely to be: where one was, nothing can be written.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._execute = connection.execute
        self._scopes: dict[int, Scope] = {}
        self.new_mpids_are_free = False
        self._writer = Writer(connection)
        self._next_id = 0
        self._bloom_filter: BloomFilter | None = None
        self._profiles: dict[int, CachedProfile] = {}
        self._by_mpid: dict[int, CachedProfile] = {}
        self._entry_of: dict[int, CachedIdentifier] = {}
        self._kept = 0
        self._generation = self._generation_began = 0
        self._new_identifiers: list[IdentifierRow] = []
        self._changed: list[CachedProfile] = []
        self._moved_unread: set[int] = set()  # holders of what is not in memory have changed
        self._holdings = PackedIntegers()  # what becomes of rows of `holders`, as a `Batch` has it
        self._begin_of_holdings = 0  # how many were handed over before
        self._pending: dict[tuple[int, int], int] = {}  # where those are that no `HolderRow` tells
        self.handed_over = HandedOver()

    def forget(self) -> None:
        """Begin with nothing in memory; all that was changed must have been written."""
        self._profiles = {}
        self._by_mpid = {}
        for scope in self._scopes.values():
            scope.entries = [{} for _ in TYPES]
        self._entry_of = {}
        self._kept = self._generation_began = 0
        self._begin()

    def _begin(self) -> None:
        """Nothing has changed yet since the tables were written."""
        self._new_identifiers = []
        self._changed = []
        self._moved_unread = set()
        self._begin_of_holdings += self._holdings.count
        self._holdings = PackedIntegers()
        self._pending = {}

    @property
    def has_changes(self) -> bool:
        """Whether the tables are behind what is in memory."""
        return bool(self._changed) or self._holdings.count > 0

    def expect_many(self) -> None:
        """Prepare for many identifiers that the store has never seen."""
        if self._highest_id() == 0:
            self._bloom_filter = BloomFilter()

    def add_scope(self, number: int, login_bits: int) -> Scope:
        """Take in a scope that the store has, or is about to have."""
        scope = self._scopes[number] = Scope(number, login_bits)
        return scope

    # Looking things up.

    def profile(self, mpid: int) -> CachedProfile | None:
        """The profile of the store that has the MPID."""
        profile = self._by_mpid.get(mpid)
        if profile is None:
            row = self._execute(_BY_MPID, (mpid,)).fetchone()
            profile = self._profile(row) if row else None
        return profile

    def of(self, mpid: int) -> CachedProfile:
        """The profile that has the MPID, which is there."""
        profile = self._by_mpid.get(mpid) or self.profile(mpid)
        assert profile is not None
        return profile

    def at(self, created_seq: int) -> CachedProfile:
        """The profile made by a request, which is there."""
        profile = self._profiles.get(created_seq)
        return self._profile_at(created_seq) if profile is None else profile

    def has(self, created_seq: int) -> bool:
        """Whether the profile made by a request has been read, or made just now."""
        return created_seq in self._profiles

    def was_given_out(self, mpid: int) -> bool:
        """Whether any profile of the store has the MPID."""
        return mpid in self._by_mpid or (
            not self.new_mpids_are_free
            and (
                self._execute("SELECT 1 FROM profiles WHERE mpid = ?", (mpid,)).fetchone()
                is not None
            )
        )

    def known(self, scope: Scope, identifier: Identifier, limit: int | None) -> list[CachedProfile]:
        """Holders that `holders` has as known, newest last; the newest `limit`."""
        return self._newest(self._entry(scope, identifier), known=True, limit=limit)

    def anonymous(
        self, scope: Scope, identifier: Identifier, limit: int | None
    ) -> list[CachedProfile]:
        """Holders that `holders` has as anonymous, newest last; the newest `limit`."""
        return self._newest(self._entry(scope, identifier), known=False, limit=limit)

    def anonymous_with_all(
        self,
        scope: Scope,
        identifiers: Sequence[Identifier],
        limit: int | None,
        lacking: Identifier | None,
    ) -> list[CachedProfile]:
        """Those that hold all the identifiers and lack one: newest first, at most `limit`."""
        entries = [self._entry(scope, each) for each in identifiers]
        whole = [crowd for crowd in [whole_crowd(each) for each in entries] if crowd is not None]
        if not whole:
            unwanted = None if lacking is None else self._entry(scope, lacking)
            return self._seek(entries, limit, unwanted)
        smallest = whole[0]
        for crowd in whole:
            if len(crowd) < len(smallest):
                smallest = crowd
        found: list[CachedProfile] = []
        for place in range(len(smallest) - 1, -1, -1):
            profile = smallest[place]
            if lacking is not None and self.holds(profile, lacking):
                continue
            if self._holds_all(profile, identifiers):
                found.append(profile)
                if len(found) == limit:
                    break
        return found

    def holds(self, profile: CachedProfile, identifier: Identifier) -> bool:
        """Whether a profile holds an identifier."""
        entry = self._entry(profile.scope, identifier)
        number = entry.identifier_id
        if number is None:
            return False
        if entry.only is not None:
            return entry.only is profile
        crowd = entry.known if profile.known else entry.anonymous
        if crowd is None:
            if entry.is_whole:
                return False
        elif profile.created_seq >= crowd.floor:
            return crowd.has(profile)
        if profile.is_read:
            return profile.has(number)
        where = number, profile.created_seq
        begin = self._pending.get(where)
        if begin is not None:
            return self._holdings.at(begin + NOW) != NOWHERE
        now = self.handed_over.range_of(number, profile.created_seq)
        if now is not None:
            return now != NOWHERE
        if profile.is_new:
            return False
        row = self._execute(
            "SELECT 1 FROM holders WHERE identifier_id = ? AND known = ? AND created_seq = ?",
            (number, profile.stored_known, profile.created_seq),
        )
        return row.fetchone() is not None

    def _holds_all(self, profile: CachedProfile, identifiers: Sequence[Identifier]) -> bool:
        return all(self.holds(profile, each) for each in identifiers)

    def identifiers_of(self, profile: CachedProfile) -> tuple[Identifier, ...]:
        """The identifiers of a profile, in the order in which they were added."""
        if not profile.is_read and not self._is_unwritten(profile):
            rows: list[tuple[int, str]] = self._execute(
                _HELD_VALUES, (profile.created_seq,)
            ).fetchall()
            return tuple([Identifier(TYPES[type_id], value) for type_id, value in rows])
        return tuple([self._identifier(each.number) for each in self._held(profile)])

    def values_of(self, profile: CachedProfile, kind: IdentityType) -> tuple[str, ...]:
        """The values of a type that a profile holds, oldest first."""
        wanted = TYPE_ORDER[kind]
        numbers = [each.number for each in self._held(profile) if each.type_id == wanted]
        return tuple([self._identifier(number).value for number in numbers])

    def look_up(
        self,
        scope: Scope,
        identifiers: Iterable[Identifier],
        mpids: Iterable[int],
        rules: ScopeRules,
    ) -> None:
        """Read what requests name, all at once."""
        unread: dict[int, CachedIdentifier] = {}
        twins: list[CachedIdentifier] = []
        by_type = scope.entries
        for identifier in identifiers:
            if identifier.value in by_type[identifier.order]:
                continue
            entry = self._remember(scope, identifier)
            if not self._may_have(identifier):
                continue
            its_hash = hash_behind(scope.prefixes[identifier.order], identifier.value)
            if its_hash in unread:
                twins.append(entry)  # two of one hash: the second is read by itself
            else:
                unread[its_hash] = entry
        found: list[int] = []
        named: list[int] = []
        rows: Iterable[tuple[int, int, int, str, int]] = ()
        if unread:
            rows = self._execute(_IDENTIFIERS, (json.dumps(list(unread)),))
        for its_hash, its_scope, type_id, value, number in rows:
            entry = unread[its_hash]
            kind = TYPES[type_id]
            if its_scope == scope.number and entry.identifier == Identifier(kind, value):
                self._number(entry, number)
                found.append(number)
                settings = rules.settings_of(kind)
                if settings.login or settings.unique:
                    named.append(number)
        for entry in twins:
            self._find(scope, entry)
        asked_for = self._read_crowds(found, known=False) + self._read_crowds(named, known=True)
        wanted = [mpid for mpid in mpids if mpid not in self._by_mpid]
        if wanted:
            found_rows: list[Sequence[Any]] = self._execute(
                _BY_MPIDS, (json.dumps(wanted),)
            ).fetchall()
            asked_for += [self._profile(row) for row in found_rows]
        self._read_held(asked_for)

    def _read_crowds(self, numbers: list[int], *, known: bool) -> list[CachedProfile]:
        """Read the newest holders of each identifier, and give those that may soon be asked."""
        asked_for: list[CachedProfile] = []
        if not numbers:
            return asked_for
        self.handed_over.check_written(numbers)
        if not self._moved_unread.isdisjoint(numbers):
            self.write()
        crowds = {number: self._entry_of[number].crowd(known) for number in numbers}
        rows: Iterable[Sequence[Any]] = self._execute(
            _HOLDERS_OF_EACH, (json.dumps(numbers), known)
        )
        for row in rows:
            crowds[row[0]].holders.append(self._profile(row[1:]))
        for crowd in crowds.values():
            holders = crowd.holders
            crowd.floor = 0 if len(holders) < _NEWEST else holders[0].created_seq
            asked_for += holders[-2:]
        return asked_for

    def _read_held(self, cache: list[CachedProfile]) -> None:
        """Read the numbers of the identifiers of profiles, all at once."""
        unread = {
            each.created_seq: each
            for each in cache
            if not each.is_read and not self._is_unwritten(each)
        }
        if not unread:
            return
        for profile in unread.values():
            profile.is_read = True
        rows: Iterable[tuple[int, int, int, int, int]] = self._execute(
            _HELD_BY_EACH, (json.dumps(list(unread)),)
        )
        for seq, number, type_id, added_seq, place in rows:
            profile = unread[seq]
            profile.newest = HolderRow(number, type_id, added_seq, place, profile.newest)

    def _profile(self, row: Sequence[Any]) -> CachedProfile:
        created_seq: int = row[0]
        profile = self._profiles.get(created_seq)
        if profile is None:
            _, mpid, scope_id, source_mpid, was_known, types = row
            scope = self._scopes.get(scope_id) or self.add_scope(scope_id, 0)
            profile = CachedProfile(created_seq, mpid, scope, source_mpid, was_known == 1, types)
            self._profiles[created_seq] = self._by_mpid[mpid] = profile
        return profile

    def _entry(self, scope: Scope, identifier: Identifier) -> CachedIdentifier:
        entry = scope.entries[identifier.order].get(identifier.value)
        if entry is None:
            entry = self._remember(scope, identifier)
            self._find(scope, entry)
        entry.generation = self._generation
        return entry

    def _remember(self, scope: Scope, identifier: Identifier) -> CachedIdentifier:
        entry = CachedIdentifier(identifier, self._generation)
        scope.entries[identifier.order][identifier.value] = entry
        self._kept += 1
        return entry

    def _find(self, scope: Scope, entry: CachedIdentifier) -> None:
        """Ask the tables for the number of an identifier."""
        identifier = entry.identifier
        if not self._may_have(identifier):
            return
        type_id, value = identifier.order, identifier.value
        asked = hash_behind(scope.prefixes[type_id], value), value, type_id, scope.number
        row = self._execute(_IDENTIFIER, asked).fetchone()
        if row:
            self._number(entry, row[0])

    def _may_have(self, identifier: Identifier) -> bool:
        """Whether the tables may have an identifier; of most that are new it is known."""
        return self._bloom_filter is None or self._bloom_filter.may_have(identifier.value)

    def _number(self, entry: CachedIdentifier, number: int) -> None:
        """Let an identifier have the number that the tables have of it."""
        entry.identifier_id = number
        entry.is_whole = False
        self._entry_of[number] = entry

    def _newest(
        self, entry: CachedIdentifier, *, known: bool, limit: int | None
    ) -> list[CachedProfile]:
        if entry.only is not None:
            return [entry.only] if entry.only.known == known and limit != 0 else []
        crowd = entry.known if known else entry.anonymous
        if crowd is None:
            if entry.is_whole:
                return []
            crowd = entry.crowd(known)
        holders = crowd.holders
        if crowd.floor and (limit is None or len(holders) < limit):
            self.write()
            wanted = -1 if limit is None else max(limit, 2 * len(holders))
            rows: list[Sequence[Any]] = self._execute(
                _HOLDERS, (entry.identifier_id, known, wanted)
            ).fetchall()
            holders = [self._profile(row) for row in rows]
            holders.reverse()
            crowd.holders = holders
            crowd.floor = holders[0].created_seq if len(holders) == wanted else 0
        return holders if limit is None or len(holders) <= limit else holders[-limit:]

    def _seek(
        self,
        entries: Sequence[CachedIdentifier],
        limit: int | None,
        lacking: CachedIdentifier | None,
    ) -> list[CachedProfile]:
        """Ask the tables for the anonymous profiles that hold all of several identifiers."""
        self.write()
        numbers = [entry.identifier_id for entry in entries]
        if None in numbers:
            return []
        stepped, rest = self._step_down(numbers, limit) if lacking is None else ([], NOT_READ - 1)
        found = [self._profile_at(seq) for seq in stepped]
        if rest < 0 or len(found) == limit:
            return found
        first, *others = numbers
        has = "SELECT 1 FROM holders AS o WHERE o.created_seq = h.created_seq AND o.known = 0"
        conditions = f" AND EXISTS ({has} AND o.identifier_id = ?)" * len(others)
        values = [first, rest, *others]
        if lacking is not None:
            conditions += f" AND NOT EXISTS ({has} AND o.identifier_id = ?)"
            values.append(lacking.identifier_id)
        rows: list[Sequence[Any]] = self._execute(
            f"SELECT {_COLUMNS} FROM holders AS h"
            " CROSS JOIN profiles AS p ON p.created_seq = h.created_seq"
            f" WHERE h.identifier_id = ? AND h.known = 0 AND h.created_seq <= ? {conditions}"
            " ORDER BY h.created_seq DESC LIMIT ?",
            (*values, -1 if limit is None else limit - len(found)),
        ).fetchall()
        return found + [self._profile(row) for row in rows]

    def _step_down(self, numbers: Sequence[int | None], limit: int | None) -> tuple[list[int], int]:
        """The newest profiles that hold all of several identifiers, and where to look on.

        The crowds are walked down together, each from where another one ended: where one ends
        before another begins, a few steps tell that they have nobody more in common (then -1).
        """
        found: list[int] = []
        bound, agreeing = NOT_READ - 1, 0
        for step in range(_STEPS):
            row = self._execute(_NEWEST_UP_TO, (numbers[step % len(numbers)], bound)).fetchone()
            if row is None:
                return found, -1
            agreeing = agreeing + 1 if row[0] == bound else 1
            bound = row[0]
            if agreeing == len(numbers):
                found.append(bound)
                if len(found) == limit:
                    break
                bound, agreeing = bound - 1, 0
        return found, bound

    def _profile_at(self, created_seq: int) -> CachedProfile:
        profile = self._profiles.get(created_seq)
        if profile is None:
            profile = self._profile(self._execute(_BY_SEQ, (created_seq,)).fetchone())
        return profile

    def _held(self, profile: CachedProfile) -> list[HolderRow]:
        """What a profile holds, oldest first."""
        if not profile.is_read:
            if self._is_unwritten(profile):
                self.write()
            rows: list[tuple[int, int, int, int]] = self._execute(
                _HELD, (profile.created_seq,)
            ).fetchall()
            profile.is_read = True
            for number, type_id, seq, place in rows:
                profile.newest = HolderRow(number, type_id, seq, place, profile.newest)
        held: list[HolderRow] = []
        each = profile.newest
        while each is not None:
            held.append(each)
            each = each.older
        held.reverse()
        return held

    def _identifier(self, number: int) -> Identifier:
        entry = self._entry_of.get(number)
        if entry is not None:
            return entry.identifier
        kind, value = self._execute(
            "SELECT identity_type_id, value FROM identifiers WHERE identifier_id = ?", (number,)
        ).fetchone()
        return Identifier(TYPES[kind], value)

    # Changing them.

    def create(
        self,
        created_seq: int,
        mpid: int,
        scope: Scope,
        source_mpid: int | None,
    ) -> CachedProfile:
        """Make a profile that holds nothing yet."""
        profile = CachedProfile(created_seq, mpid, scope, source_mpid, False, 0)
        profile.is_read = profile.is_new = profile.is_changed = True
        self._profiles[created_seq] = self._by_mpid[mpid] = profile
        self._changed.append(profile)
        return profile

    def leave(self, profile: CachedProfile, types: int, was_known: bool) -> None:
        """Let a profile hold the types that it will after the changes that follow."""
        known = was_known or types & profile.scope.login_bits != 0
        if known != profile.known:
            self._move(profile, known)
        if not profile.is_changed:
            profile.is_changed = True
            self._changed.append(profile)
        profile.types = types
        profile.was_known = was_known

    def _move(self, profile: CachedProfile, known: bool) -> None:
        """Move a profile from the anonymous to the known holders of all that it holds."""
        for each in self._held(profile):
            entry = self._entry_of.get(each.number)
            if entry is None:
                self._moved_unread.add(each.number)
            elif entry.only is not profile:
                entry.crowd(profile.known).discard(profile)
                entry.crowd(known).add(profile)
            self._pend(profile, each, int(known))
        profile.known = known

    def add(self, profile: CachedProfile, identifier: Identifier, seq: int, place: int) -> int:
        """Let a profile hold an identifier as its last, and give the identifier's number."""
        entry = self._entry(profile.scope, identifier)
        number = entry.identifier_id
        type_id = identifier.order
        if number is None:
            number = entry.identifier_id = self._take_number()
            self._entry_of[number] = entry
            row = number, profile.scope.number, type_id, identifier.value
            self._new_identifiers.append(row)
            if self._bloom_filter is not None:
                self._bloom_filter.add(identifier.value)
        holding = HolderRow(number, type_id, seq, place, profile.newest)
        if profile.is_read:
            profile.newest = holding
        entry.add(profile)
        self._pend(profile, holding, int(profile.known), is_there=False)
        return number

    def remove(self, profile: CachedProfile, identifier: Identifier) -> int:
        """Take an identifier from a profile, and give the identifier's number."""
        entry = self._entry(profile.scope, identifier)
        number = entry.identifier_id
        assert number is not None
        holding = profile.lose(number) or HolderRow(number, 0, 0, 0, None)
        entry.discard(profile)
        self._pend(profile, holding, NOWHERE)
        return number

    def _pend(
        self, profile: CachedProfile, holding: HolderRow, now: int, *, is_there: bool = True
    ) -> None:
        """Let `holders` have a profile in another range; `is_there` says whether it is in one."""
        number, seq, holdings = holding.number, profile.created_seq, self._holdings
        begin = holding.begin - self._begin_of_holdings
        if begin < 0 and self._pending:
            begin = self._pending.get((number, seq), -1)
        if begin < 0:
            begin = holdings.count
            stored = int(profile.stored_known) if is_there and not profile.is_new else NOWHERE
            holdings.add((number, seq, stored, now, holding.type_id, holding.seq, holding.place))
        else:
            holdings.put(begin + NOW, now)
            holdings.put(begin + TYPE, holding.type_id)
            holdings.put(begin + SEQ, holding.seq)
            holdings.put(begin + PLACE, holding.place)
        holding.begin = begin + self._begin_of_holdings
        if now == NOWHERE or not profile.is_read:
            self._pending[number, seq] = begin

    def _take_number(self) -> int:
        if self._next_id == 0:
            self._next_id = self._highest_id() + 1
        number = self._next_id
        self._next_id += 1
        return number

    def _highest_id(self) -> int:
        [highest] = self._execute("SELECT max(identifier_id) FROM identifiers").fetchone()
        return int(highest or 0)

    def _is_unwritten(self, profile: CachedProfile) -> bool:
        """Whether the tables may have a profile otherwise than it is."""
        return profile.is_changed or profile.created_seq in self.handed_over.profiles

    def write(self) -> None:
        """Bring the tables up to date.

        Raises:
            TablesBehind: that is left to another process.
        """
        if self.handed_over.goes_on:
            self.handed_over.check_all_written(has_changes=self.has_changes)
        elif self.has_changes:
            batch = Batch()
            self.give_to(batch)
            self._writer.write(Rows(batch), "")

    def give_to(self, batch: Batch) -> None:
        """Hand over what was changed, to be written; from now on it counts as written."""
        batch.identifiers += self._new_identifiers
        batch.holdings = self._holdings.as_bytes()
        created: list[int] = []
        updated: list[int] = []
        for profile in self._changed:
            numbers = profile_numbers(
                profile.created_seq, profile.mpid, profile.scope.number, profile.source_mpid,
                int(profile.was_known), profile.types,
            )  # fmt: skip
            if profile.is_new:
                created += numbers
            else:
                updated += numbers
            profile.is_new = profile.is_changed = False
            profile.stored_known = profile.known
        batch.created, batch.updated = pack_numbers(created), pack_numbers(updated)
        self.handed_over.take(self._holdings, batch.holdings, self._pending, self._changed)
        self._begin()

    def trim(self) -> None:
        """Between two requests: let go of something, once there is too much of it in memory."""
        if self._kept - self._generation_began > _REMEMBERED // _GENERATIONS:
            self._generation += 1
            self._generation_began = self._kept
        if len(self._profiles) + self._kept <= _REMEMBERED:
            return
        if self.handed_over.goes_on:
            if not self.has_changes:  # else it has to wait for the next batch
                self._shed()
            return
        self.write()
        self._shed()
        if len(self._profiles) + self._kept > _REMEMBERED:
            self.forget()

    def _shed(self) -> None:
        """Let go of what was not named in this era or the last, unless it has yet to be written.

        Nothing must have changed since it was handed over. Profiles stay with those identifiers
        that stay, so that there is never a second record of one.
        """
        generation, under_way = self._generation - 1, self.handed_over.numbers
        everyone, self._profiles, self._by_mpid = self._profiles, {}, {}
        self._entry_of = {}
        self._kept = 0
        for scope in self._scopes.values():
            left: list[dict[str, CachedIdentifier]] = [{} for _ in TYPES]
            for place, by_value in enumerate(scope.entries):
                for value, entry in by_value.items():
                    number = entry.identifier_id
                    if entry.generation >= generation or (
                        number is not None and number in under_way
                    ):
                        left[place][value] = entry
                        self._stay(entry)
            scope.entries = left
        for seq in self.handed_over.profiles:
            profile = everyone[seq]
            self._profiles[seq] = self._by_mpid[profile.mpid] = profile
        self._generation_began = self._kept

    def _stay(self, entry: CachedIdentifier) -> None:
        self._kept += 1
        if entry.identifier_id is not None:
            self._entry_of[entry.identifier_id] = entry
        only = entry.only
        if only is not None:
            self._profiles[only.created_seq] = self._by_mpid[only.mpid] = only
        for crowd in (entry.known, entry.anonymous):
            if crowd is not None:
                for profile in crowd.holders:
                    self._profiles[profile.created_seq] = self._by_mpid[profile.mpid] = profile
