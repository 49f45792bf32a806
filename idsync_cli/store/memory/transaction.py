"""One transaction of a store in memory: questions, and applying what was decided."""

from collections.abc import Iterable, Mapping, Sequence

from idsync_cli.core.codes import AttributeOp, Import, Op, Status
from idsync_cli.core.config.rules import ScopeRules
from idsync_cli.core.data.batch_ids import key_of
from idsync_cli.core.data.values import Alias, AttributeChange
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
    TimesRecord,
)
from idsync_cli.store.causes import Cause, KeptRequest
from idsync_cli.store.kept_json import value_of
from idsync_cli.store.memory.data import NO_DATA, KeptEvent, when
from idsync_cli.store.memory.lookup import MemoryLookup
from idsync_cli.store.memory.questions import MemoryQuestions
from idsync_cli.store.memory.world import KeptProfile, World
from idsync_cli.store.values import HistoryChange, HistoryEntry, RequestEntry


class MemoryTransaction(MemoryQuestions):
    """A transaction over a copy that is its own."""

    def __init__(self, world: World, seed: int) -> None:
        super().__init__(world)
        self._seed = seed
        self._key = key_of(seed)
        self._remembers_rules = False

    @property
    def seed(self) -> int:
        """That of the store."""
        return self._seed

    @property
    def last_seq(self) -> int:
        """The highest sequence number that was taken; 0 in a new store (section 7)."""
        return self._world.last_seq

    def advance_to(self, seq: int) -> None:
        """Set the highest sequence number that was taken; it is not below `last_seq`."""
        self._world.last_seq = seq

    def is_taken(self, seq: int) -> bool:
        """Whether a profile was created, or anything changed, under the sequence number."""
        return seq in self._world.taken

    def stale_scopes(self, rules: Mapping[str, ScopeRules]) -> tuple[str, ...]:
        """The scopes that have other login types under these rules than were last told."""
        there = self._world.login_bits
        return tuple(
            [
                name
                for name, its_rules in rules.items()
                if name in there and there[name] != its_rules.login_bits
            ]
        )

    def align(self, rules: Mapping[str, ScopeRules]) -> tuple[str, ...]:
        """Take note of the login types: who is known is judged again by every look-up."""
        stale = self.stale_scopes(rules)
        for name in stale:
            self._world.login_bits[name] = rules[name].login_bits
        return stale

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
        world.requests[entry.seq] = _kept(decision, answered.mpid, scope, entry)
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
        self._add_data(decision, answered.mpid, entry)

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

    def _add_data(self, decision: Decision, mpid: int, entry: RequestEntry) -> None:
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
                if alias.covers(its_time)
            ]
        if decision.alias is not None:
            self._add_alias(decision.alias)
        if decision.digest is not None:
            world.digests[decision.digest] = DigestRecord(mpid, seq, decision.digest, self._key)

    def _add_alias(self, alias: Alias) -> None:
        """Copy what the source has; the destination was seen as early as the source."""
        world, source, destination = self._world, alias.source_mpid, alias.destination_mpid
        world.aliases.append(alias)
        found = [
            each for mpid, each in world.events if mpid == source and alias.covers(each.time_ms)
        ]
        for place, each in enumerate(sorted(found, key=when), start=1):
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
            world.requests[seq] = KeptRequest(seq, scope, _imported(time_ms), mpid)
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
        """Add a record of an export; False if the store has the like already."""
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
                self._enter_import(record.first_seq, record.mpid, time_ms)
        if isinstance(record, TimesRecord):
            world.timed.add(record.mpid)
        else:
            its = record.destination_mpid if isinstance(record, Alias) else record.mpid
            self._enter_import(record.seq, its, time_ms)
        return True

    def _enter_import(self, seq: int, mpid: int | None, time_ms: int) -> None:
        """Enter an import about a profile in the history, if its number is not taken yet."""
        world = self._world
        if mpid is not None and seq not in world.taken:
            world.taken.add(seq)
            scope = world.profiles[mpid].scope
            world.requests[seq] = KeptRequest(seq, scope, _imported(time_ms), mpid)

    def _enter_record(self, change: HistoryChange, seq: int, time_ms: int) -> None:
        made = Import.IMPORT
        self._world.history.append(HistoryEntry(seq, time_ms, made, None, None, change, made))

    def survey(self, erasure: Erasure) -> ErasureReport:
        """What erasing a profile of the store would remove, and which files it has to name."""
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

    def view(self, mpid: int) -> tuple[str, ProfileView] | None:
        """The profile that has the MPID, without what it holds, with its scope."""
        kept = self._world.profiles.get(mpid)
        return None if kept is None else (kept.scope, kept.view)

    @property
    def other_batch_keys(self) -> Sequence[bytes]:
        """Keys of other stores under which digests of batches' ids came from there."""
        return self._world.other_batch_keys


def _kept(decision: Decision, mpid: int, scope: str, entry: RequestEntry) -> KeptRequest:
    by = decision.decided_by
    cause = Cause(
        entry.time_ms, entry.kind, by.rule, by.identity_type, entry.request_id,
        entry.request_timestamp_ms,
    )  # fmt: skip
    return KeptRequest(entry.seq, scope, cause, mpid)


def _imported(time_ms: int) -> Cause:
    return Cause(time_ms, Import.IMPORT, Import.IMPORT, None, None, None)


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
