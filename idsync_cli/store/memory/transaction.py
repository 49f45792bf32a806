"""One transaction of a store in memory: questions, and applying what was decided."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from idsync_cli.core.codes import AttributeOp, Import, Op, Status
from idsync_cli.core.config.rules import ScopeRules
from idsync_cli.core.data.values import Alias, AttributeChange, ProfileData
from idsync_cli.core.decision import Change, Decision
from idsync_cli.core.erasure import Erasure, ErasureReport
from idsync_cli.core.identity import Identifier
from idsync_cli.core.lookup import Lookup
from idsync_cli.core.profile import Profile, ProfileView
from idsync_cli.core.records import (
    AttributeRecord,
    DataRecord,
    DeviceRecord,
    DigestRecord,
    EventRecord,
    NumberedRecord,
    Record,
    TimesRecord,
)
from idsync_cli.store.api import (
    EVERY_PROFILE,
    HistoryChange,
    HistoryEntry,
    ProfileFilter,
    RequestEntry,
    Transaction,
)
from idsync_cli.store.kept_json import value_of
from idsync_cli.store.memory.data import NO_DATA, KeptEvent
from idsync_cli.store.memory.lookup import MemoryLookup
from idsync_cli.store.memory.records import in_order, mpids_of
from idsync_cli.store.memory.world import KeptProfile, World, age_of


class MemoryTransaction(Transaction):
    """A transaction over a copy that is its own."""

    def __init__(self, world: World, batch_key: bytes) -> None:
        self._world = world
        self._key = batch_key
        self._remembers_rules = False

    @property
    def last_seq(self) -> int:
        """The highest sequence number that was taken; 0 in a new store (section 7)."""
        return self._world.last_seq

    def advance_to(self, seq: int) -> None:
        """Let a sequence number, not below `last_seq`, be the highest that was taken."""
        self._world.last_seq = seq

    def is_taken(self, seq: int) -> bool:
        """Whether a profile was created, or anything changed, under the sequence number."""
        return seq in self._world.taken

    def align(self, rules: Mapping[str, ScopeRules]) -> tuple[str, ...]:
        """Take note of the login types: who is known is judged again by every look-up."""
        there = self._world.login_bits
        stale = [
            name
            for name, its_rules in rules.items()
            if name in there and there[name] != its_rules.login_bits
        ]
        for name in stale:
            there[name] = rules[name].login_bits
        return tuple(stale)

    def prefetch(
        self,
        scope: str,
        rules: ScopeRules,
        identifiers: Iterable[Identifier],
        mpids: Iterable[int],
        digests: Iterable[bytes] = (),
    ) -> None:
        """Do nothing: all is at hand."""

    def lookup(self, scope: str, rules: ScopeRules) -> Lookup:
        """What is known about a scope under its rules; it need not have any profile."""
        return MemoryLookup(self._world, scope, rules)

    def apply(self, decision: Decision, scope: str, rules: ScopeRules, entry: RequestEntry) -> None:
        """Do what was decided, and enter it in the history."""
        world, answered = self._world, decision.profile
        assert answered is not None
        if decision.status is Status.ERASED:
            its_id, time_ms = entry.request_id, entry.time_ms
            world.erase(Erasure(answered.mpid, entry.seq, scope, time_ms, its_id))
            return
        world.taken.add(entry.seq)
        world.answers[entry.seq] = answered.mpid
        if decision.created:
            world.login_bits.setdefault(scope, rules.login_bits)
            world.put(KeptProfile(scope, answered, ()))
        for update in decision.updates:
            kept = world.profiles[update.profile.mpid]
            was = kept.view
            view = ProfileView(
                was.mpid, was.created_seq, was.source_mpid, update.was_known, update.types
            )
            held = _held_after(kept, decision.changes)
            world.put(KeptProfile(kept.scope, view, held))
        for change in decision.changes:
            if change.op is Op.ADD:
                world.hold(scope, change.identifier, change.mpid)
            else:
                world.lose(scope, change.identifier, change.mpid)
        self._enter(decision, answered.mpid, entry)
        self._take_in(decision, answered.mpid, entry)

    def _enter(self, decision: Decision, mpid: int, entry: RequestEntry) -> None:
        """Enter in the history what a request changes; what it brings is not taken in yet."""
        done: list[HistoryChange] = list(decision.changes)
        if decision.data is not None:
            done += self._world.data.get(mpid, NO_DATA).changes(decision.data, mpid)
        if decision.alias is not None:
            done.append(decision.alias)
        by = decision.decided_by
        self._world.history += [
            HistoryEntry(
                entry.seq, entry.time_ms, entry.kind, entry.request_id, entry.request_timestamp_ms,
                each, by.rule, by.identity_type,
            )
            for each in done
        ]  # fmt: skip

    def _take_in(self, decision: Decision, mpid: int, entry: RequestEntry) -> None:
        """What a batch brings, and when the profile was stored."""
        world, data, seq, time_ms = self._world, decision.data, entry.seq, entry.own_time_ms
        world.data[mpid] = world.data.get(mpid, NO_DATA).after(data, seq, time_ms)
        for place, event in enumerate(data.events if data is not None else (), start=1):
            its_time = time_ms if event.time_ms is None else event.time_ms
            kept = KeptEvent(seq, place, its_time, event.event_type, event.name, event.text)
            world.events.append((mpid, kept))
            world.events += [
                (alias.destination_mpid, kept)
                for alias in decision.aliases
                if alias.takes(its_time)
            ]
        if decision.alias is not None:
            self._take_in_alias(decision.alias)
        if decision.digest is not None:
            world.digests[decision.digest] = DigestRecord(mpid, seq, decision.digest, self._key)

    def _take_in_alias(self, alias: Alias) -> None:
        """Copy what the source has; the destination was seen as early as the source."""
        world, source, destination = self._world, alias.source_mpid, alias.destination_mpid
        world.aliases.append(alias)
        found = [
            each for mpid, each in world.events if mpid == source and alias.takes(each.time_ms)
        ]
        for place, each in enumerate(sorted(found, key=_when), start=1):
            world.events.append((destination, each._replace(seq=alias.seq, place=place)))
        before = world.data.get(source, NO_DATA)
        there = world.data.get(destination, NO_DATA)
        world.data[destination] = there.with_alias_of(before, alias.seq)

    def insert(self, scope: str, profile: Profile, rules: ScopeRules, time_ms: int | None) -> None:
        """Add a whole profile to a scope; with a time it is entered in the history."""
        world, mpid, seq = self._world, profile.mpid, profile.created_seq
        world.taken.add(seq)
        world.login_bits.setdefault(scope, rules.login_bits)
        view = ProfileView(mpid, seq, profile.source_mpid, profile.was_known, profile.types)
        world.put(KeptProfile(scope, view, profile.identifiers))
        if time_ms is not None:
            world.data[mpid] = NO_DATA.after(None, seq, time_ms)
        for identifier in profile.identifiers:
            world.hold(scope, identifier, mpid)
            if time_ms is not None:
                made, change = Import.IMPORT, Change(Op.ADD, mpid, identifier)
                world.history.append(HistoryEntry(seq, time_ms, made, None, None, change, made))

    def insert_erasure(self, erasure: Erasure) -> None:
        """Enter an erasure that was carried out elsewhere: its MPID stays taken."""
        self._world.enter(erasure)

    def insert_record(self, record: TimesRecord | DataRecord, time_ms: int) -> bool:
        """Add something that an export has of a profile; whether there was none like it."""
        world = self._world
        if isinstance(record, DigestRecord):
            if record.digest in world.digests:
                return False
            world.digests[record.digest] = record
            if record.key != self._key and record.key not in world.other_batch_keys:
                world.other_batch_keys.append(record.key)
        elif isinstance(record, EventRecord):
            _, seq, place, its_time, event_type, name, text = record
            kept = KeptEvent(seq, place, its_time, event_type, name, text)
            world.events.append((record.mpid, kept))
        elif isinstance(record, Alias):
            if any(each.seq == record.seq for each in world.aliases):
                return False
            world.aliases.append(record)
            self._enter_record(record, record.seq, time_ms)
        else:
            data = world.data.get(record.mpid, NO_DATA).with_record(record)
            if data is None or (record.mpid in world.timed and isinstance(record, TimesRecord)):
                return False
            world.data[record.mpid] = data
            if isinstance(record, AttributeRecord):
                mpid, seq, name, value = record
                change = AttributeChange(AttributeOp.SET, mpid, name, value_of(value))
                self._enter_record(change, seq, time_ms)
            if isinstance(record, DeviceRecord):
                self._take_number(record.first_seq, record.mpid)
        if isinstance(record, TimesRecord):
            world.timed.add(record.mpid)
        else:
            its = record.destination_mpid if isinstance(record, Alias) else record.mpid
            self._take_number(record.seq, its)
        return True

    def _take_number(self, seq: int, mpid: int | None) -> None:
        """Let a number be that of an import, of a profile that is there, unless it is taken."""
        if mpid is not None and seq not in self._world.taken:
            self._world.taken.add(seq)
            self._world.answers[seq] = mpid

    def _enter_record(self, change: HistoryChange, seq: int, time_ms: int) -> None:
        made = Import.IMPORT
        self._world.history.append(HistoryEntry(seq, time_ms, made, None, None, change, made))

    def survey(self, erasure: Erasure) -> ErasureReport:
        """What the erasure of a profile, which is there, would take away, and has to name."""
        return self._world.survey(erasure)

    def flush(self) -> None:
        """Do nothing: nothing can prevent the commit."""

    @property
    def remembers_rules(self) -> bool:
        """Whether `remember_rules` was called in this transaction."""
        return self._remembers_rules

    def remember_rules(self, rules: Mapping[str, str]) -> None:
        """Remember the rules of each scope, as text, that the store is changed under."""
        self._remembers_rules = True
        self._world.rules = dict(rules)

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

    def view(self, mpid: int) -> tuple[str, ProfileView] | None:
        """The profile that has the MPID, without what it holds, with its scope."""
        kept = self._world.profiles.get(mpid)
        return None if kept is None else (kept.scope, kept.view)

    @property
    def other_batch_keys(self) -> Sequence[bytes]:
        """Keys of other stores under which digests of batches' ids came from there."""
        return self._world.other_batch_keys

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
        its_events = sorted([each[1] for each in self._world.events if each[0] == mpid], key=_when)
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
            if asked.takes(kept.scope, kept.view, rules.get(kept.scope)):
                yield kept.scope, kept.whole()

    def count_profiles(
        self, rules: Mapping[str, ScopeRules], asked: ProfileFilter = EVERY_PROFILE
    ) -> int:
        """How many profiles are asked for."""
        return sum(
            asked.takes(kept.scope, kept.view, rules.get(kept.scope))
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

    def erasures(self, mpid: int | None = None) -> Iterator[Erasure]:
        """The erasures, or that of one profile, by sequence number."""
        found = [each for each in self._world.erasures.values() if mpid in (None, each.mpid)]
        found.sort(key=_seq_of_erasure)
        return iter(found)


def _held_after(kept: KeptProfile, changes: Sequence[Change]) -> tuple[Identifier, ...]:
    """What a profile holds after the changes of a request, in the order made."""
    mpid, held = kept.view.mpid, list(kept.held)
    for change in changes:
        if change.mpid == mpid:
            if change.op is Op.ADD:
                held.append(change.identifier)
            else:
                held.remove(change.identifier)
    return tuple(held)


def _when(event: KeptEvent) -> tuple[int, int, int]:
    return event.time_ms, event.seq, event.place


def _seq(entry: HistoryEntry) -> int:
    return entry.seq


def _seq_of_erasure(erasure: Erasure) -> int:
    return erasure.seq
