"""What people ask of a store in memory."""

from collections.abc import Iterator, Mapping

from idsync_cli.core.config.rules import ScopeRules
from idsync_cli.core.data.values import ProfileData
from idsync_cli.core.erasure import Erasure
from idsync_cli.core.identity import Identifier
from idsync_cli.core.profile import Profile
from idsync_cli.core.records import EventRecord, NumberedRecord, Record, TimesRecord
from idsync_cli.store.api import Transaction
from idsync_cli.store.causes import KeptRequest
from idsync_cli.store.memory.data import NO_DATA, when
from idsync_cli.store.memory.records import in_order, mpids_of
from idsync_cli.store.memory.world import World, age_of
from idsync_cli.store.values import EVERY_PROFILE, HistoryEntry, ProfileFilter


class MemoryQuestions(Transaction):
    """A store in memory that is asked."""

    def __init__(self, world: World) -> None:
        self._world = world

    def remembered_rules(self) -> dict[str, str]:
        """What was remembered last; empty where nothing was."""
        return dict(self._world.rules)

    def scopes(self) -> tuple[str, ...]:
        """The names of the scopes that have profiles, in alphabetical order."""
        return tuple(sorted({kept.scope for kept in self._world.profiles.values()}))

    def find(self, mpid: int) -> tuple[str, Profile] | None:
        """The profile that has the MPID, with its scope."""
        kept = self._world.profiles.get(mpid)
        return None if kept is None else (kept.scope, kept.whole())

    def records(self, scope: str | None = None) -> Iterator[Record]:
        """What there is beside profiles: first their times, then all the rest by number."""
        profiles = sorted(self._world.profiles.values(), key=age_of)
        ages = {each.view.mpid: each.view.created_seq for each in profiles}
        found: list[NumberedRecord] = [*self._world.digests.values(), *self._world.aliases]
        found += [each for each in self._world.erasures.values() if scope in (None, each.scope)]
        found += [EventRecord(mpid, *each) for mpid, each in self._world.events]
        for mpid, data in self._world.data.items():
            found += data.records(mpid)
        if scope is not None:
            its = {each.view.mpid for each in profiles if each.scope == scope}
            found = [each for each in found if mpids_of(each) <= its or isinstance(each, Erasure)]
        named = {mpid for each in found for mpid in mpids_of(each)}
        for mpid in ages:
            times = self._world.data.get(mpid, NO_DATA).times
            if mpid in named and times is not None:
                yield TimesRecord(mpid, *times)
        yield from in_order(found, ages)

    def data_of(self, mpid: int, events: int | None = None) -> ProfileData | None:
        """What the profile has beside its identifiers, with its latest `events`."""
        if mpid not in self._world.profiles:
            return None
        its_events = sorted([each[1] for each in self._world.events if each[0] == mpid], key=when)
        count = len(its_events)
        latest = its_events if events is None else its_events[max(0, count - events) :]
        aliases = [
            each
            for each in self._world.aliases
            if mpid in (each.source_mpid, each.destination_mpid)
        ]
        return self._world.data.get(mpid, NO_DATA).whole(latest, count, aliases, mpid)

    def profiles(
        self, rules: Mapping[str, ScopeRules], asked: ProfileFilter = EVERY_PROFILE
    ) -> Iterator[tuple[str, Profile]]:
        """The profiles that are asked for, with their scopes, oldest first."""
        for kept in sorted(self._world.profiles.values(), key=age_of):
            if asked.accepts(kept.scope, kept.view, rules.get(kept.scope)):
                yield kept.scope, kept.whole()

    def count_profiles(
        self, rules: Mapping[str, ScopeRules], asked: ProfileFilter = EVERY_PROFILE
    ) -> int:
        """How many profiles are asked for."""
        return sum(
            asked.accepts(kept.scope, kept.view, rules.get(kept.scope))
            for kept in self._world.profiles.values()
        )

    def holding(self, scope: str, identifier: Identifier) -> list[Profile]:
        """The profiles of a scope that hold exactly this identifier, oldest first."""
        return [kept.whole() for kept in self._world.holding(scope, identifier)]

    def history(
        self,
        mpid: int | None = None,
        identifier: Identifier | None = None,
        limit: int | None = None,
    ) -> Iterator[HistoryEntry]:
        """The changes of a profile, of an identifier, of both or of all, oldest first."""
        found = [
            entry
            for entry in self._world.entries()
            if (mpid is None or entry.concerns(mpid))
            and (identifier is None or entry.is_about(identifier))
        ]
        found.sort(key=_seq)  # a profile may have come in under a number that had been left free
        return iter(found if limit is None else found[:limit])

    def requests(self, seq: int | None = None) -> Iterator[KeptRequest]:
        """The requests and imports that changed the store, or that of a number, by number."""
        kept = self._world.requests
        numbers = sorted(kept) if seq is None else [each for each in (seq,) if each in kept]
        return iter([kept[each] for each in numbers])

    def erasures(self, mpid: int | None = None) -> Iterator[Erasure]:
        """The erasures, or that of one profile, by sequence number."""
        found = [each for each in self._world.erasures.values() if mpid in (None, each.mpid)]
        found.sort(key=_seq_of_erasure)
        return iter(found)


def _seq(entry: HistoryEntry) -> int:
    return entry.seq


def _seq_of_erasure(erasure: Erasure) -> int:
    return erasure.seq
