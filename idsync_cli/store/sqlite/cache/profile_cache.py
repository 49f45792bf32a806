"""The look-ups of requests, answered from memory, or else from the tables.

What was read stays in memory, also for later transactions, as long as nobody else writes. What was
changed is in memory before it is written. Before the tables are asked what memory cannot answer,
they are brought up to date.
"""

from collections.abc import Sequence

from idsync_cli.core.identity import TYPE_ORDER, Identifier, IdentityType
from idsync_cli.store.sqlite.cache.cached_profiles import (
    NOT_READ,
    TYPES,
    CachedIdentifier,
    CachedProfile,
    HolderRow,
    Scope,
    all_anonymous,
)
from idsync_cli.store.sqlite.cache.pending import PendingChanges
from idsync_cli.store.sqlite.cache.tables import Tables
from idsync_cli.store.sqlite.cache.working_set import WorkingSet
from idsync_cli.store.sqlite.rows.checksums import hash_behind
from idsync_cli.store.sqlite.rows.holder_changes import NOWHERE


class ProfileCache:
    """The profiles and identifiers of one store, in one transaction.

    With `new_mpids_are_free` the store is not asked whether a new MPID was ever given out, for no
    two of 2**64 are likely to be the same. Where one was, nothing can be written.
    """

    def __init__(self, tables: Tables, memory: WorkingSet, pending: PendingChanges) -> None:
        self._tables = tables
        self._memory = memory
        self._pending = pending
        self.new_mpids_are_free = False

    # Profiles.

    def profile(self, mpid: int) -> CachedProfile | None:
        """The profile of the store that has the MPID."""
        profile = self._memory.by_mpid.get(mpid)
        if profile is None:
            row = self._tables.profile(mpid)
            profile = self._memory.profile_of(row) if row else None
        return profile

    def of(self, mpid: int) -> CachedProfile:
        """The profile that has the MPID, which is there."""
        profile = self._memory.by_mpid.get(mpid) or self.profile(mpid)
        assert profile is not None
        return profile

    def at(self, created_seq: int) -> CachedProfile:
        """The profile created by a request, which is there."""
        profile = self._memory.profiles.get(created_seq)
        if profile is None:
            profile = self._memory.profile_of(self._tables.profile_at(created_seq))
        return profile

    def was_given_out(self, mpid: int) -> bool:
        """Whether any profile of the store has the MPID, or had it until it was erased."""
        if mpid in self._memory.by_mpid:
            return True
        if self.new_mpids_are_free or self._pending.is_in_memory:
            return False
        return self._tables.has_mpid(mpid)

    # Who holds an identifier.

    def known(self, scope: Scope, identifier: Identifier, limit: int | None) -> list[CachedProfile]:
        """Holders that `holders` has as known, newest last; the newest `limit`."""
        return self._newest(self.identifier(scope, identifier), known=True, limit=limit)

    def anonymous(
        self, scope: Scope, identifier: Identifier, limit: int | None
    ) -> list[CachedProfile]:
        """Holders that `holders` has as anonymous, newest last; the newest `limit`."""
        return self._newest(self.identifier(scope, identifier), known=False, limit=limit)

    def anonymous_with_all(
        self,
        scope: Scope,
        identifiers: Sequence[Identifier],
        limit: int | None,
        lacking: Identifier | None,
    ) -> list[CachedProfile]:
        """Those that hold all the identifiers and lack one: newest first, at most `limit`."""
        cached = [self.identifier(scope, each) for each in identifiers]
        lists = [all_anonymous(each) for each in cached]
        whole = [holders for holders in lists if holders is not None]
        if not whole:
            unwanted = None if lacking is None else self.identifier(scope, lacking)
            return self._seek(cached, limit, unwanted)
        smallest = whole[0]
        for holders in whole:
            if len(holders) < len(smallest):
                smallest = holders
        found: list[CachedProfile] = []
        for index in range(len(smallest) - 1, -1, -1):
            profile = smallest[index]
            if lacking is not None and self.holds(profile, lacking):
                continue
            if self._holds_all(profile, identifiers):
                found.append(profile)
                if len(found) == limit:
                    break
        return found

    def holds(self, profile: CachedProfile, identifier: Identifier) -> bool:
        """Whether a profile holds an identifier."""
        cached = self.identifier(profile.scope, identifier)
        number = cached.identifier_id
        if number is None:
            return False
        if cached.only is not None:
            return cached.only is profile
        holders = cached.known if profile.known else cached.anonymous
        if holders is None:
            if cached.is_whole:
                return False
        elif profile.created_seq >= holders.floor:
            return holders.has(profile)
        if profile.is_read:
            return profile.has(number)
        now = self._pending.range_of(number, profile.created_seq)
        if now is not None:
            return now != NOWHERE
        if profile.is_new:
            return False
        return self._tables.is_holder(number, profile.created_seq, known=profile.stored_known)

    # What a profile holds.

    def identifiers_of(self, profile: CachedProfile) -> tuple[Identifier, ...]:
        """The identifiers of a profile, in the order in which they were added."""
        if not profile.is_read and not self._pending.has_profile(profile):
            rows = self._tables.held_values(profile.created_seq)
            return tuple([Identifier(TYPES[type_id], value) for type_id, value in rows])
        return tuple([self._identifier_at(each.number) for each in self.held(profile)])

    def values_of(self, profile: CachedProfile, kind: IdentityType) -> tuple[str, ...]:
        """The values of a type that a profile holds, oldest first."""
        wanted = TYPE_ORDER[kind]
        numbers = [each.number for each in self.held(profile) if each.type_id == wanted]
        return tuple([self._identifier_at(number).value for number in numbers])

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

    # Identifiers.

    def identifier(self, scope: Scope, identifier: Identifier) -> CachedIdentifier:
        """An identifier of a scope, looked up if it is not in memory."""
        cached = scope.identifiers[identifier.order].get(identifier.value)
        if cached is None:
            cached = self._memory.add_identifier(scope, identifier)
            self.find_number(scope, cached)
        cached.generation = self._memory.generation
        return cached

    def find_number(self, scope: Scope, cached: CachedIdentifier) -> None:
        """Ask the tables for the number of an identifier that was not in memory."""
        identifier = cached.identifier
        if not self._memory.may_be_stored(identifier):
            return
        type_id, value = identifier.order, identifier.value
        its_hash = hash_behind(scope.prefixes[type_id], value)
        number = self._tables.identifier_number(its_hash, value, type_id, scope.number)
        if number is not None:
            self._memory.found_number(cached, number)

    def _identifier_at(self, number: int) -> Identifier:
        cached = self._memory.by_number.get(number)
        if cached is not None:
            return cached.identifier
        kind, value = self._tables.identifier(number)
        return Identifier(TYPES[kind], value)

    def _holds_all(self, profile: CachedProfile, identifiers: Sequence[Identifier]) -> bool:
        return all(self.holds(profile, each) for each in identifiers)

    def _newest(
        self, cached: CachedIdentifier, *, known: bool, limit: int | None
    ) -> list[CachedProfile]:
        if cached.only is not None:
            return [cached.only] if cached.only.known == known and limit != 0 else []
        holder_list = cached.known if known else cached.anonymous
        if holder_list is None:
            if cached.is_whole:
                return []
            holder_list = cached.holder_list(known)
        holders = holder_list.holders
        if holder_list.floor and (limit is None or len(holders) < limit):
            self._pending.write()
            wanted = -1 if limit is None else max(limit, 2 * len(holders))
            rows = self._tables.holders(cached.identifier_id, known=known, limit=wanted)
            holders = [self._memory.profile_of(row) for row in rows]
            holders.reverse()
            holder_list.holders = holders
            holder_list.floor = holders[0].created_seq if len(holders) == wanted else 0
        return holders if limit is None or len(holders) <= limit else holders[-limit:]

    def _seek(
        self,
        cached: Sequence[CachedIdentifier],
        limit: int | None,
        lacking: CachedIdentifier | None,
    ) -> list[CachedProfile]:
        """Ask the tables for the anonymous profiles that hold all of several identifiers."""
        self._pending.write()
        numbers: list[int] = []
        for each in cached:
            if each.identifier_id is None:
                return []
            numbers.append(each.identifier_id)
        stepped: list[int] = []
        bound, unwanted = NOT_READ - 1, None
        if lacking is None:
            stepped, bound = self._tables.step_down(numbers, bound, limit)
        else:
            unwanted = lacking.identifier_id
        found = [self.at(seq) for seq in stepped]
        if bound < 0 or len(found) == limit:
            return found
        wanted = -1 if limit is None else limit - len(found)
        rows = self._tables.anonymous_with_all(numbers, bound, wanted, unwanted)
        return found + [self._memory.profile_of(row) for row in rows]
