"""What is known of a store and was changed: profiles, and who holds which identifier.

Every lookup of a request goes through here. What was read is kept, for later transactions too as
long as nobody else writes; what is changed is kept with it, and all of that is written at once, in
the order of the tables. A batch reads beforehand what its requests name, in a few statements. A
question that what is in memory cannot answer is put to the tables, once they are up to date.
"""

from collections.abc import Iterable, Sequence

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
from idsync_cli.store.sqlite.cache.pending import PendingChanges
from idsync_cli.store.sqlite.cache.tables import NEWEST, Tables
from idsync_cli.store.sqlite.rows.checksums import NO_TIME, ProfileRow, hash_behind
from idsync_cli.store.sqlite.rows.holder_changes import NOWHERE

_REMEMBERED = 300_000
"""How many profiles and identifiers are kept in memory before some of them are let go."""

_GENERATIONS = 8
"""After so large a part of that a generation ends; what was not named lately goes first."""


class ProfileCache:
    """The profiles and identifiers of one store, in one transaction.

    With `new_mpids_are_free` it is not asked of every new MPID whether it was ever given out, which
    no two of 2**64 are likely to be: where one was, nothing can be written.
    """

    def __init__(self, tables: Tables, pending: PendingChanges) -> None:
        self._tables = tables
        self._pending = pending
        self._scopes: dict[int, Scope] = {}
        self.new_mpids_are_free = False
        self._bloom_filter: BloomFilter | None = None
        self._profiles: dict[int, CachedProfile] = {}
        self._by_mpid: dict[int, CachedProfile] = {}
        self._entry_of: dict[int, CachedIdentifier] = {}
        self._kept = 0
        self._generation = self._generation_began = 0

    def forget(self) -> None:
        """Begin with nothing in memory; all that was changed must have been written."""
        self._profiles = {}
        self._by_mpid = {}
        for scope in self._scopes.values():
            scope.entries = [{} for _ in TYPES]
        self._entry_of = {}
        self._kept = self._generation_began = 0
        self._pending.clear()

    def expect_many(self) -> None:
        """Prepare for many identifiers that the store has never seen."""
        if self.highest_identifier() == 0:
            self._bloom_filter = BloomFilter()

    def highest_identifier(self) -> int:
        """The highest number that an identifier has in the tables; 0 where there is none."""
        return self._tables.highest_identifier()

    def add_scope(self, number: int, login_bits: int) -> Scope:
        """Take in a scope that the store has, or is about to have."""
        scope = self._scopes[number] = Scope(number, login_bits)
        return scope

    # Looking things up.

    def profile(self, mpid: int) -> CachedProfile | None:
        """The profile of the store that has the MPID."""
        profile = self._by_mpid.get(mpid)
        if profile is None:
            row = self._tables.profile(mpid)
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
        """Whether any profile of the store has the MPID, or had it until it was erased."""
        if mpid in self._by_mpid:
            return True
        return not self.new_mpids_are_free and self._tables.has_mpid(mpid)

    def known(self, scope: Scope, identifier: Identifier, limit: int | None) -> list[CachedProfile]:
        """Holders that `holders` has as known, newest last; the newest `limit`."""
        return self._newest(self.entry(scope, identifier), known=True, limit=limit)

    def anonymous(
        self, scope: Scope, identifier: Identifier, limit: int | None
    ) -> list[CachedProfile]:
        """Holders that `holders` has as anonymous, newest last; the newest `limit`."""
        return self._newest(self.entry(scope, identifier), known=False, limit=limit)

    def anonymous_with_all(
        self,
        scope: Scope,
        identifiers: Sequence[Identifier],
        limit: int | None,
        lacking: Identifier | None,
    ) -> list[CachedProfile]:
        """Those that hold all the identifiers and lack one: newest first, at most `limit`."""
        entries = [self.entry(scope, each) for each in identifiers]
        whole = [crowd for crowd in [whole_crowd(each) for each in entries] if crowd is not None]
        if not whole:
            unwanted = None if lacking is None else self.entry(scope, lacking)
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
        entry = self.entry(profile.scope, identifier)
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
        now = self._pending.range_of(number, profile.created_seq)
        if now is not None:
            return now != NOWHERE
        if profile.is_new:
            return False
        return self._tables.is_holder(number, profile.created_seq, known=profile.stored_known)

    def _holds_all(self, profile: CachedProfile, identifiers: Sequence[Identifier]) -> bool:
        return all(self.holds(profile, each) for each in identifiers)

    def identifiers_of(self, profile: CachedProfile) -> tuple[Identifier, ...]:
        """The identifiers of a profile, in the order in which they were added."""
        if not profile.is_read and not self._pending.has_profile(profile):
            rows = self._tables.held_values(profile.created_seq)
            return tuple([Identifier(TYPES[type_id], value) for type_id, value in rows])
        return tuple([self._identifier(each.number) for each in self.held(profile)])

    def values_of(self, profile: CachedProfile, kind: IdentityType) -> tuple[str, ...]:
        """The values of a type that a profile holds, oldest first."""
        wanted = TYPE_ORDER[kind]
        numbers = [each.number for each in self.held(profile) if each.type_id == wanted]
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
            rows = self._tables.identifiers_by_hash(unread)
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
            asked_for += [self._profile(row) for row in self._tables.profiles(wanted)]
        self._read_held(asked_for)

    def _read_crowds(self, numbers: list[int], *, known: bool) -> list[CachedProfile]:
        """Read the newest holders of each identifier, and give those that may soon be asked."""
        asked_for: list[CachedProfile] = []
        if not numbers:
            return asked_for
        self._pending.handed_over.check_written(numbers)
        if not self._pending.moved_unread.isdisjoint(numbers):
            self._pending.write()
        crowds = {number: self._entry_of[number].crowd(known) for number in numbers}
        for number, row in self._tables.holders_of_each(numbers, known=known):
            crowds[number].holders.append(self._profile(row))
        for crowd in crowds.values():
            holders = crowd.holders
            crowd.floor = 0 if len(holders) < NEWEST else holders[0].created_seq
            asked_for += holders[-2:]
        return asked_for

    def _read_held(self, profiles: list[CachedProfile]) -> None:
        """Read the numbers of the identifiers of profiles, all at once."""
        unread = {
            each.created_seq: each
            for each in profiles
            if not each.is_read and not self._pending.has_profile(each)
        }
        if not unread:
            return
        for profile in unread.values():
            profile.is_read = True
        for seq, number, type_id, added_seq, place in self._tables.held_by_each(unread):
            profile = unread[seq]
            profile.newest = HolderRow(number, type_id, added_seq, place, profile.newest)

    def _profile(self, row: ProfileRow) -> CachedProfile:
        created_seq = row[0]
        profile = self._profiles.get(created_seq)
        if profile is None:
            _, mpid, scope_id, source_mpid, was_known, types, first, last = row
            scope = self._scopes.get(scope_id) or self.add_scope(scope_id, 0)
            profile = CachedProfile(
                created_seq, mpid, scope, source_mpid, was_known == 1, types,
                NO_TIME if first is None else first, NO_TIME if last is None else last,
            )  # fmt: skip
            self._profiles[created_seq] = self._by_mpid[mpid] = profile
        return profile

    def take_in(self, profile: CachedProfile) -> None:
        """Take in a profile that was made just now."""
        self._profiles[profile.created_seq] = self._by_mpid[profile.mpid] = profile

    def cached_identifier(self, number: int) -> CachedIdentifier | None:
        """The identifier that has a number, if it is in memory."""
        return self._entry_of.get(number)

    def number_new(self, entry: CachedIdentifier, number: int) -> None:
        """Let an identifier that no store has seen have a number."""
        entry.identifier_id = number
        self._entry_of[number] = entry
        if self._bloom_filter is not None:
            self._bloom_filter.add(entry.identifier.value)

    def entry(self, scope: Scope, identifier: Identifier) -> CachedIdentifier:
        """An identifier of a scope, looked up if it is not in memory."""
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
        its_hash = hash_behind(scope.prefixes[type_id], value)
        number = self._tables.identifier_number(its_hash, value, type_id, scope.number)
        if number is not None:
            self._number(entry, number)

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
            self._pending.write()
            wanted = -1 if limit is None else max(limit, 2 * len(holders))
            rows = self._tables.holders(entry.identifier_id, known=known, limit=wanted)
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
        self._pending.write()
        numbers: list[int] = []
        for entry in entries:
            if entry.identifier_id is None:
                return []
            numbers.append(entry.identifier_id)
        stepped: list[int] = []
        rest, unwanted = NOT_READ - 1, None
        if lacking is None:
            stepped, rest = self._tables.step_down(numbers, rest, limit)
        else:
            unwanted = lacking.identifier_id
        found = [self._profile_at(seq) for seq in stepped]
        if rest < 0 or len(found) == limit:
            return found
        wanted = -1 if limit is None else limit - len(found)
        rows = self._tables.anonymous_with_all(numbers, rest, wanted, unwanted)
        return found + [self._profile(row) for row in rows]

    def _profile_at(self, created_seq: int) -> CachedProfile:
        profile = self._profiles.get(created_seq)
        if profile is None:
            profile = self._profile(self._tables.profile_at(created_seq))
        return profile

    def held(self, profile: CachedProfile) -> list[HolderRow]:
        """What a profile holds, oldest first."""
        if not profile.is_read:
            if self._pending.has_profile(profile):
                self._pending.write()
            rows = self._tables.held(profile.created_seq)
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
        kind, value = self._tables.identifier(number)
        return Identifier(TYPES[kind], value)

    # Letting go.

    def trim(self) -> None:
        """Between two requests: let go of something, once there is too much of it in memory."""
        if self._kept - self._generation_began > _REMEMBERED // _GENERATIONS:
            self._generation += 1
            self._generation_began = self._kept
        if len(self._profiles) + self._kept <= _REMEMBERED:
            return
        if self._pending.handed_over.goes_on:
            if not self._pending.exist:  # else it has to wait for the next batch
                self._shed()
            return
        self._pending.write()
        self._shed()
        if len(self._profiles) + self._kept > _REMEMBERED:
            self.forget()

    def _shed(self) -> None:
        """Let go of what was not named in this generation or the last, and is written.

        Nothing must have changed since it was handed over. Profiles stay with those identifiers
        that stay, so that there are never two of one.
        """
        generation, under_way = self._generation - 1, self._pending.handed_over.numbers
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
        for seq in self._pending.handed_over.profiles:
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
