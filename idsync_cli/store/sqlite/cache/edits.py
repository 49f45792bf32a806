"""Making decided changes in memory."""

from idsync_cli.core.identity import Identifier
from idsync_cli.store.sqlite.cache.cached_profiles import CachedProfile, HolderRow, Scope
from idsync_cli.store.sqlite.cache.pending import PendingChanges
from idsync_cli.store.sqlite.cache.profile_cache import ProfileCache
from idsync_cli.store.sqlite.cache.tables import Tables
from idsync_cli.store.sqlite.cache.working_set import WorkingSet
from idsync_cli.store.sqlite.rows.checksums import NO_TIME
from idsync_cli.store.sqlite.rows.holder_changes import NOWHERE


class Edits:
    """Changes profiles and their identifiers in memory, where they wait to be written."""

    __slots__ = ("_cache", "_memory", "_next_identifier", "_pending", "_tables")

    def __init__(
        self, tables: Tables, memory: WorkingSet, pending: PendingChanges, cache: ProfileCache
    ) -> None:
        self._tables = tables
        self._memory = memory
        self._pending = pending
        self._cache = cache
        self._next_identifier = 0

    def create(
        self, created_seq: int, mpid: int, scope: Scope, source_mpid: int | None
    ) -> CachedProfile:
        """Make a profile that holds nothing yet."""
        profile = CachedProfile(created_seq, mpid, scope, source_mpid, 0, 0)
        profile.is_read = profile.is_new = True
        self._memory.add_profile(profile)
        self._pending.add_profile(profile)
        return profile

    def leave(self, profile: CachedProfile, types: int, was_known: bool, seq: int) -> None:
        """Set the types of a profile to those after a request, whose changes follow."""
        known = was_known or types & profile.scope.login_bits != 0
        if known != profile.known:
            self._move(profile, known)
        if not profile.is_changed:
            self._pending.add_profile(profile)
        profile.types = types
        if was_known and profile.known_seq == 0:
            profile.known_seq = seq

    def store(self, profile: CachedProfile, time_ms: int) -> None:
        """Note that a profile was seen, and stored, at a time."""
        self.see(profile, time_ms)
        profile.last_stored_ms = max(profile.last_stored_ms, time_ms)  # NO_TIME is before all

    def see(self, profile: CachedProfile, time_ms: int) -> None:
        """Note that a profile was seen at a time, unless that is NO_TIME."""
        if not profile.is_changed:
            self._pending.add_profile(profile)
        if time_ms != NO_TIME and (
            profile.first_seen_ms == NO_TIME or time_ms < profile.first_seen_ms
        ):
            profile.first_seen_ms = time_ms

    def set_times(self, profile: CachedProfile, first_seen_ms: int, last_stored_ms: int) -> None:
        """Set when a profile was first seen and last stored, as an import says."""
        if not profile.is_changed:
            self._pending.add_profile(profile)
        profile.first_seen_ms, profile.last_stored_ms = first_seen_ms, last_stored_ms

    def _move(self, profile: CachedProfile, known: bool) -> None:
        """Move a profile, for all its identifiers, between the anonymous and the known holders."""
        for each in self._cache.held(profile):
            cached = self._memory.by_number.get(each.number)
            if cached is None:
                self._pending.moved_unread.add(each.number)
            elif cached.only is not profile:
                cached.holder_list(profile.known).discard(profile)
                cached.holder_list(known).add(profile)
            self._pending.put_holder(profile, each, int(known))
        profile.known = known

    def add(self, profile: CachedProfile, identifier: Identifier, seq: int, place: int) -> int:
        """Add an identifier to a profile, as its last, and give the identifier's number."""
        cached = self._cache.identifier(profile.scope, identifier)
        number = cached.identifier_id
        type_id = identifier.order
        if number is None:
            number = self._next_number()
            self._memory.give_number(cached, number)
            row = number, profile.scope.number, type_id, identifier.value
            self._pending.add_identifier(row)
        held = HolderRow(number, type_id, seq, place, profile.newest)
        if profile.is_read:
            profile.newest = held
        cached.add(profile)
        self._pending.put_holder(profile, held, int(profile.known), is_there=False)
        return number

    def remove(self, profile: CachedProfile, identifier: Identifier, seq: int, place: int) -> int:
        """Remove an identifier from a profile by a change, and give the identifier's number."""
        cached = self._cache.identifier(profile.scope, identifier)
        number = cached.identifier_id
        assert number is not None
        held = profile.lose(number) or HolderRow(number, 0, 0, 0, None)
        cached.discard(profile)
        self._pending.add_past(profile, held, seq, place)
        self._pending.put_holder(profile, held, NOWHERE)
        return number

    def _next_number(self) -> int:
        if self._next_identifier == 0:
            self._next_identifier = self._tables.highest_identifier() + 1
        number = self._next_identifier
        self._next_identifier += 1
        return number
