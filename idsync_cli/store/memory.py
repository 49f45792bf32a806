"""A store in memory, for small worlds: plain dictionaries, gone when the process ends.

A transaction works on a copy of all that there is, so that undoing it is dropping the
copy. That costs as much as the store is large; what may grow takes a temporary SQLite store.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Final

from idsync_cli.core.codes import AttributeOp, Import, Op, RequestKind, Status
from idsync_cli.core.config.rules import ScopeRules
from idsync_cli.core.data.batch_ids import key_of
from idsync_cli.core.data.values import Alias, AttributeChange, ProfileData
from idsync_cli.core.decision import Change, Decision
from idsync_cli.core.erasure import ERASED_VALUE, Erasure, ErasureCounts, ErasureReport
from idsync_cli.core.identity import Identifier, IdentityType
from idsync_cli.core.lookup import CarriedOut, Lookup
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
from idsync_cli.errors import StoreFault
from idsync_cli.store.api import (
    EVERY_PROFILE,
    HistoryChange,
    HistoryEntry,
    ProfileFilter,
    RequestEntry,
    Store,
    Transaction,
)
from idsync_cli.store.kept_data import NO_DATA, KeptData, KeptEvent
from idsync_cli.store.kept_json import value_of
from idsync_cli.store.kept_records import in_order, mpids_of


class _Kept:
    """A profile as it is kept: its scope, and what it holds, oldest first. It never changes."""

    __slots__ = ("held", "scope", "view")

    def __init__(self, scope: str, view: ProfileView, held: tuple[Identifier, ...]) -> None:
        self.scope: Final = scope
        self.view: Final = view
        self.held: Final = held

    def whole(self) -> Profile:
        """The profile with all that it holds."""
        view = self.view
        return Profile(view.mpid, view.created_seq, view.source_mpid, view.was_known, self.held)


class _World:
    """All that a store holds. What is in a dictionary here is replaced, and never changed."""

    __slots__ = (
        "aliases", "answers", "data", "digests", "erasures", "events", "history", "holders",
        "last_seq", "login_bits", "other_batch_keys", "profiles", "rules", "taken", "timed",
    )  # fmt: skip

    def __init__(self) -> None:
        self.last_seq = 0
        self.taken: set[int] = set()  # sequence numbers
        self.profiles: dict[int, _Kept] = {}  # by MPID
        self.holders: dict[tuple[str, Identifier], tuple[int, ...]] = {}  # MPIDs, by scope
        self.history: list[HistoryEntry] = []  # as it was entered
        self.answers: dict[int, int] = {}  # MPIDs, by the number of what changed something
        self.erasures: dict[int, Erasure] = {}  # by MPID
        self.data: dict[int, KeptData] = {}  # by MPID
        self.events: list[tuple[int, KeptEvent]] = []  # by MPID, as they came
        self.digests: dict[bytes, DigestRecord] = {}  # of batches' ids
        self.other_batch_keys: list[bytes] = []
        self.aliases: list[Alias] = []
        self.timed: set[int] = set()  # MPIDs of those whose times came with an import
        self.login_bits: dict[str, int] = {}  # of every scope that has profiles
        self.rules: dict[str, str] = {}

    def copy(self) -> "_World":
        """Another that has the same."""
        other = _World()
        other.last_seq = self.last_seq
        other.taken = set(self.taken)
        other.profiles = dict(self.profiles)
        other.holders = dict(self.holders)
        other.history = list(self.history)
        other.answers = dict(self.answers)
        other.erasures = dict(self.erasures)
        other.data = dict(self.data)
        other.events = list(self.events)
        other.digests = dict(self.digests)
        other.other_batch_keys = list(self.other_batch_keys)
        other.aliases = list(self.aliases)
        other.timed = set(self.timed)
        other.login_bits = dict(self.login_bits)
        other.rules = self.rules
        return other

    def holding(self, scope: str, identifier: Identifier) -> list[_Kept]:
        """The profiles of a scope that hold an identifier, oldest first."""
        profiles = self.profiles
        found = [profiles[mpid] for mpid in self.holders.get((scope, identifier), ())]
        if len(found) > 1:
            found.sort(key=_age)
        return found

    def put(self, kept: _Kept) -> None:
        """Let a profile, new or there already, be so; its holders are told by `hold` and `lose`."""
        self.profiles[kept.view.mpid] = kept

    def hold(self, scope: str, identifier: Identifier, mpid: int) -> None:
        """Let an identifier have a holder more."""
        where = scope, identifier
        self.holders[where] = (*self.holders.get(where, ()), mpid)

    def lose(self, scope: str, identifier: Identifier, mpid: int) -> None:
        """Let an identifier have a holder less."""
        where = scope, identifier
        self.holders[where] = tuple([each for each in self.holders[where] if each != mpid])

    def only_of(self, mpid: int) -> set[Identifier]:
        """What a profile holds, or ever held, and no other profile of its scope holds now."""
        kept = self.profiles[mpid]
        its = {*kept.held, *[each.identifier for each in self.changes_of_identities(mpid)]}
        return {
            each
            for each in its
            if each.value != ERASED_VALUE
            and not {*self.holders.get((kept.scope, each), ())} - {mpid}
        }

    def survey(self, erasure: Erasure) -> ErasureReport:
        """What the erasure of a profile takes away, and has to name."""
        mpid = erasure.mpid
        taken_from = {
            each.mpid
            for each in self.history
            if isinstance(each.change, Change)
            and each.change.op is Op.REMOVE
            and each.mpid != mpid
            and self.answers.get(each.seq) == mpid
        }
        made = [each.view.mpid for each in self.profiles.values() if each.view.source_mpid == mpid]
        data = self.data.get(mpid, NO_DATA)
        counts = ErasureCounts(
            identifiers=len(self.profiles[mpid].held),
            values=len(self.only_of(mpid)),
            history=len(self.changes_of_identities(mpid)),
            attributes=len(data.attributes),
            devices=len(data.devices),
            events=sum([its == mpid for its, _ in self.events]),
        )
        aliased = {each.source_mpid for each in self.aliases if each.destination_mpid == mpid}
        aliased |= {each.destination_mpid for each in self.aliases if each.source_mpid == mpid}
        return ErasureReport(
            erasure,
            counts,
            tuple(sorted(made)),
            tuple(sorted(taken_from)),
            aliased_with=tuple(sorted(aliased)),
        )

    def erase(self, erasure: Erasure) -> None:
        """Let nothing be left of a profile but its erasure."""
        mpid, gone = erasure.mpid, self.only_of(erasure.mpid)
        kept = self.profiles.pop(mpid)
        for identifier in kept.held:
            self.lose(kept.scope, identifier, mpid)
        touched = {each.seq for each in self.history if each.mpid == mpid}
        touched |= {seq for seq, answer in self.answers.items() if answer == mpid}
        left = [each for each in self.history if not each.concerns(mpid)]
        self.history = [self._without(each, gone, kept.scope, mpid) for each in left]
        self.answers = {seq: answer for seq, answer in self.answers.items() if answer != mpid}
        self.data.pop(mpid, None)
        self.events = [each for each in self.events if each[0] != mpid]
        self.aliases = [
            each for each in self.aliases if mpid not in (each.source_mpid, each.destination_mpid)
        ]
        self.digests = {
            digest: each._replace(mpid=None) if each.mpid == mpid else each
            for digest, each in self.digests.items()
        }
        self.taken -= touched | {kept.view.created_seq}
        self.taken |= {each.seq for each in self.history}
        self.enter(erasure)

    def enter(self, erasure: Erasure) -> None:
        """Keep an erasure."""
        self.erasures[erasure.mpid] = erasure
        self.taken.add(erasure.seq)

    def _without(
        self, entry: HistoryEntry, gone: set[Identifier], scope: str, mpid: int
    ) -> HistoryEntry:
        """An entry on another profile, as it is once one was erased."""
        change, request_id = entry.change, entry.request_id
        if (
            isinstance(change, Change)
            and change.identifier in gone
            and self.profiles[change.mpid].scope == scope
        ):
            value_is_gone = Identifier(change.identifier.type, ERASED_VALUE)
            change = Change(change.op, change.mpid, value_is_gone)
        if self.answers.get(entry.seq) == mpid:
            request_id = None
        return HistoryEntry(
            entry.seq, entry.time_ms, entry.kind, request_id, entry.request_timestamp_ms, change,
            entry.rule, entry.decided_by_type,
        )  # fmt: skip

    def entries(self) -> list[HistoryEntry]:
        """The history with its erasures."""
        kind = RequestKind.ERASE
        return self.history + [
            HistoryEntry(each.seq, each.time_ms, kind, each.request_id, None, each, None)
            for each in self.erasures.values()
        ]

    def changes_of_identities(self, mpid: int) -> list[Change]:
        """The changes of the identity record of a profile, as they were entered."""
        its = [each.change for each in self.history if each.mpid == mpid]
        return [each for each in its if isinstance(each, Change)]


class MemoryStore(Store):
    """A store in memory. It serves one thread, and one transaction at a time."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._world = _World()
        self._is_busy = False
        self._is_closed = False

    @property
    def seed(self) -> int:
        """What the MPIDs of new profiles follow from (section 7)."""
        return self._seed

    def reading(self) -> AbstractContextManager[Transaction]:
        """A transaction that sees one state of the store; whatever is done in it is not kept.

        Raises:
            StoreFault: the store was closed, or is in another transaction.
        """
        return self._transaction(keep=False)

    def writing(
        self,
        *,
        trust_new_mpids: bool = False,  # noqa: ARG002 - to look costs nothing here
    ) -> AbstractContextManager[Transaction]:
        """A transaction whose changes are kept when the block ends, and not if it raises.

        Every new MPID is seen to be free, even with `trust_new_mpids`.

        Raises:
            StoreFault: the store was closed, or is in another transaction.
        """
        return self._transaction(keep=True)

    def close(self) -> None:
        """Drop all that is in it."""
        self._is_closed = True
        self._world = _World()

    @contextmanager
    def _transaction(self, *, keep: bool) -> Iterator[Transaction]:
        if self._is_closed or self._is_busy:
            why = "it is closed" if self._is_closed else "it is in another transaction"
            raise StoreFault(f"the store in memory cannot be used: {why}")
        world = self._world.copy()
        self._is_busy = True
        try:
            yield _MemoryTransaction(world, key_of(self._seed))
        finally:
            self._is_busy = False
        if keep and not self._is_closed:
            self._world = world


class _MemoryTransaction(Transaction):
    """A transaction over a copy that is its own."""

    def __init__(self, world: _World, batch_key: bytes) -> None:
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
        return _MemoryLookup(self._world, scope, rules)

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
            world.put(_Kept(scope, answered, ()))
        for update in decision.updates:
            kept = world.profiles[update.profile.mpid]
            was = kept.view
            view = ProfileView(
                was.mpid, was.created_seq, was.source_mpid, update.was_known, update.types
            )
            held = _held_after(kept, decision.changes)
            world.put(_Kept(kept.scope, view, held))
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
        world.put(_Kept(scope, view, profile.identifiers))
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
        profiles = sorted(self._world.profiles.values(), key=_age)
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
        for kept in sorted(self._world.profiles.values(), key=_age):
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


class _MemoryLookup(Lookup):
    """What the rules ask about one scope; who is known is judged profile by profile."""

    __slots__ = ("_rules", "_scope", "_world")

    def __init__(self, world: _World, scope: str, rules: ScopeRules) -> None:
        self._world = world
        self._scope = scope
        self._rules = rules

    def known(self, identifier: Identifier, limit: int | None = None) -> Sequence[ProfileView]:
        """Known profiles of the scope that hold exactly this identifier; the newest `limit`."""
        rules = self._rules
        return self._newest(
            [each for each in self._holding(identifier) if rules.is_known(each.view)], limit
        )

    def anonymous(
        self,
        identifiers: Sequence[Identifier],
        limit: int | None = None,
        lacking: Identifier | None = None,
    ) -> Sequence[ProfileView]:
        """Anonymous profiles that hold all the identifiers: newest first, at most `limit`."""
        rules = self._rules
        found = [each for each in self._holding(identifiers[0]) if not rules.is_known(each.view)]
        for other in identifiers[1:]:
            found = [each for each in found if other in each.held]
        if lacking is not None:
            found = [each for each in found if lacking not in each.held]
        return self._newest(found, limit)

    def profile(self, mpid: int) -> ProfileView | None:
        """The profile of the scope that has the MPID."""
        kept = self._world.profiles.get(mpid)
        return kept.view if kept is not None and kept.scope == self._scope else None

    def holds(self, profile: ProfileView, identifier: Identifier) -> bool:
        """Whether a profile of the scope holds exactly this identifier."""
        return identifier in self.identifiers_of(profile)

    def values_of(self, profile: ProfileView, identity_type: IdentityType) -> Sequence[str]:
        """The values of one type that a profile of the scope holds, oldest first."""
        held = self.identifiers_of(profile)
        return [each.value for each in held if each.type is identity_type]

    def identifiers_of(self, profile: ProfileView) -> tuple[Identifier, ...]:
        """All that a profile of the scope holds, in the order in which it was added."""
        return self._world.profiles[profile.mpid].held

    def was_given_out(self, mpid: int) -> bool:
        """Whether any profile of the whole store has the MPID, or had it until it was erased."""
        return mpid in self._world.profiles or mpid in self._world.erasures

    def carried_out(self, digest: bytes) -> CarriedOut | None:
        """The batch whose id the digest stands for, if it was carried out."""
        found = self._world.digests.get(digest)
        if found is None:
            return None
        return CarriedOut(None if found.mpid is None else self._world.profiles[found.mpid].view)

    def aliases_from(self, profile: ProfileView) -> Sequence[Alias]:
        """The aliases of which a profile of the scope is the source, oldest first."""
        return [each for each in self._world.aliases if each.source_mpid == profile.mpid]

    def aliases_to(self, profile: ProfileView) -> Sequence[Alias]:
        """The aliases of which a profile of the scope is the destination, oldest first."""
        return [each for each in self._world.aliases if each.destination_mpid == profile.mpid]

    def count_events(self, profile: ProfileView, start_ms: int, end_ms: int) -> int:
        """How many events a profile of the scope has from one time to another, both included."""
        its = [each for mpid, each in self._world.events if mpid == profile.mpid]
        return sum([start_ms <= each.time_ms <= end_ms for each in its])

    def _holding(self, identifier: Identifier) -> list[_Kept]:
        return self._world.holding(self._scope, identifier)

    def _newest(self, oldest_first: list[_Kept], limit: int | None) -> list[ProfileView]:
        found = [each.view for each in reversed(oldest_first)]
        return found if limit is None else found[:limit]


def _held_after(kept: _Kept, changes: Sequence[Change]) -> tuple[Identifier, ...]:
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


def _age(kept: _Kept) -> int:
    return kept.view.created_seq


def _seq(entry: HistoryEntry) -> int:
    return entry.seq


def _seq_of_erasure(erasure: Erasure) -> int:
    return erasure.seq
