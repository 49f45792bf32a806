"""A third store, in plain Python: that the contract of a store can be kept by anybody.

It looks at every profile for every question, as the tests of the core do (tests/core/memory.py),
and shares nothing with the stores of idsync. Compiled, too, idsync has to take it.
"""

import dataclasses
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from idsync_cli.core.codes import AttributeOp, Import, Op, RequestKind, Status
from idsync_cli.core.config.rules import ScopeRules
from idsync_cli.core.data.batch_ids import key_of
from idsync_cli.core.data.values import Alias, AttributeChange, BatchData, Event, ProfileData
from idsync_cli.core.decision import Change, Decision
from idsync_cli.core.erasure import Erasure, ErasureCounts, ErasureReport
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
from idsync_cli.errors import StoreFault
from idsync_cli.store.api import Store, Transaction
from idsync_cli.store.causes import Cause, KeptRequest
from idsync_cli.store.values import (
    EVERY_PROFILE,
    HistoryChange,
    HistoryEntry,
    ProfileFilter,
    RequestEntry,
)
from tests.core.memory import Memory
from tests.core.shorthand import altered, rules
from tests.plain_data import Brought, events_of, parsed, told
from tests.plain_records import (
    as_brought,
    event_record,
    name_of,
    named_by,
    pieces_of,
    sorted_records,
)


class PlainTransaction(Transaction):
    """All that there is, while it may still be given up."""

    def __init__(self, seed: int, before: "PlainTransaction | None" = None) -> None:
        self.number = seed
        self.key = key_of(seed)
        self.seq: int = before.seq if before else 0
        self.rules: dict[str, str] = dict(before.rules) if before else {}
        self.told_rules = False
        self.entries: list[HistoryEntry] = list(before.entries) if before else []
        self.taken: set[int] = set(before.taken) if before else set()
        self.login_bits: dict[str, int] = dict(before.login_bits) if before else {}
        self.given_out: set[int] = set(before.given_out) if before else set()
        self.asked: dict[int, KeptRequest] = dict(before.asked) if before else {}
        self.erased: list[Erasure] = list(before.erased) if before else []
        self.batches: dict[bytes, ProfileView | None] = dict(before.batches) if before else {}
        self.data: list[Brought] = list(before.data) if before else []
        self.timed: set[int] = set(before.timed) if before else set()
        self.digests: dict[bytes, DigestRecord] = dict(before.digests) if before else {}
        self.attributes: dict[tuple[int, str], str | None] = {}
        self.attributes |= before.attributes if before else {}
        self.aliases: list[Alias] = list(before.aliases) if before else []
        self.events: list[tuple[int, int]] = list(before.events) if before else []
        self.all_events: dict[int, list[Event]] = dict(before.all_events) if before else {}
        self.known: dict[str, Memory] = {}
        for scope, memory in before.known.items() if before else ():
            self.known[scope] = Memory(*memory.profiles.values(), **self.shared())

    def shared(self) -> dict[str, Any]:
        return {
            "given_out": self.given_out,
            "batches": self.batches,
            "aliases": self.aliases,
            "events": self.events,
        }

    @property
    def seed(self) -> int:
        return self.number

    @property
    def last_seq(self) -> int:
        return self.seq

    def advance_to(self, seq: int) -> None:
        assert seq >= self.seq
        self.seq = seq

    def is_taken(self, seq: int) -> bool:
        return seq in self.taken

    def stale_scopes(self, rules: Mapping[str, ScopeRules]) -> tuple[str, ...]:
        names = [name for name in rules if name in self.login_bits]
        return tuple(name for name in names if self.login_bits[name] != rules[name].login_bits)

    def align(self, rules: Mapping[str, ScopeRules]) -> tuple[str, ...]:
        stale = self.stale_scopes(rules)
        self.login_bits |= {name: rules[name].login_bits for name in stale}
        return stale

    def prefetch(
        self,
        scope: str,
        rules: ScopeRules,
        identifiers: Iterable[Identifier],
        mpids: Iterable[int],
        digests: Iterable[bytes] = (),
    ) -> None:
        assert all(isinstance(each, Identifier) for each in identifiers)
        assert all(isinstance(each, int) for each in mpids)
        assert all(isinstance(each, bytes) for each in digests)

    def lookup(self, scope: str, rules: ScopeRules) -> Lookup:
        return self._of(scope).under(rules)

    def _of(self, scope: str) -> Memory:
        return self.known.setdefault(scope, Memory(**self.shared()))

    def apply(self, decision: Decision, scope: str, rules: ScopeRules, entry: RequestEntry) -> None:
        if decision.status is Status.ERASED:
            assert decision.profile is not None
            its_mpid, its_id = decision.profile.mpid, entry.request_id
            self.erase(Erasure(its_mpid, entry.seq, scope, entry.time_ms, its_id))
            return
        self._of(scope).apply(decision)
        assert decision.profile is not None
        alias, source = decision.alias, None
        if alias is not None:
            source = self.data_of(alias.source_mpid)
        self.data.append(
            Brought(
                decision.profile.mpid,
                entry.seq,
                entry.own_time_ms,
                decision.data,
                decision.aliases,
                alias,
                source,
            )
        )
        before = dict(self.all_events)
        for mpid in {*self.given_out}:
            known = before.get(mpid, [])
            new = [each for each in events_of(mpid, self.data, before) if each.seq == entry.seq]
            every = sorted([*known, *new], key=lambda each: (each.time_ms, each.seq, each.place))
            self.all_events[mpid] = every
            self.events[:] = [each for each in self.events if each[0] != mpid]
            self.events += [(mpid, each.time_ms) for each in every]
        if decision.alias is not None:
            self.aliases.append(decision.alias)
        if decision.digest is not None:
            record = DigestRecord(decision.profile.mpid, entry.seq, decision.digest, self.key)
            self.digests[decision.digest] = record
        self.taken.add(entry.seq)
        self.keep_request(scope, decision, entry)
        self.login_bits.setdefault(scope, rules.login_bits)
        done: list[HistoryChange] = [*decision.changes]
        if decision.data is not None:
            done += self.changed(decision.profile.mpid, decision.data)
        done += [] if alias is None else [alias]
        self.entries += [
            HistoryEntry(
                entry.seq,
                entry.time_ms,
                entry.kind,
                entry.request_id,
                entry.request_timestamp_ms,
                change,
                decision.decided_by.rule,
                decision.decided_by.identity_type,
            )
            for change in done
        ]

    def changed(self, mpid: int, data: BatchData) -> Iterator[AttributeChange]:
        """What becomes of attributes, one after another."""
        steps = [*(data.attributes or {}).items(), *((name, None) for name in data.deleted)]
        for name, value in steps:
            if self.attributes.get((mpid, name)) == value:
                continue
            self.attributes[mpid, name] = value
            if value is None:
                yield AttributeChange(AttributeOp.DELETE, mpid, name)
            else:
                yield AttributeChange(AttributeOp.SET, mpid, name, json.loads(value))

    def insert(self, scope: str, profile: Profile, rules: ScopeRules, time_ms: int | None) -> None:
        self._of(scope).give(profile)
        self.taken.add(profile.created_seq)
        self.login_bits.setdefault(scope, rules.login_bits)
        if time_ms is not None:
            self.data.append(Brought(profile.mpid, profile.created_seq, time_ms, None))
            self.keep_import(profile.created_seq, profile.mpid, time_ms)
            how = profile.created_seq, time_ms, Import.IMPORT, None, None
            self.entries += [
                HistoryEntry(*how, Change(Op.ADD, profile.mpid, each), Import.IMPORT)
                for each in profile.identifiers
            ]

    def lost_with(self, scope: str, mpid: int) -> set[Identifier]:
        memory = self.known[scope]
        ever = {each.identifier for each in self.of_identities() if each.mpid == mpid}
        ever |= set(memory.profiles[mpid].identifiers)
        others = [each for each in memory.profiles.values() if each.mpid != mpid]
        return {
            one for one in ever if one.value and not any(one in each.identifiers for each in others)
        }

    def survey(self, erasure: Erasure) -> ErasureReport:
        mpid, memory = erasure.mpid, self.known[erasure.scope]
        everybody = [each for _, each in self.everybody()]
        data = self.data_of(mpid)
        assert data is not None
        taken = {
            each.mpid
            for each in self.entries
            if isinstance(each.change, Change) and each.change.op is Op.REMOVE
            if self.answer_of(each.seq) == mpid != each.mpid
        }
        return ErasureReport(
            erasure,
            ErasureCounts(
                identifiers=len(memory.profiles[mpid].identifiers),
                values=len(self.lost_with(erasure.scope, mpid)),
                history=sum(each.mpid == mpid for each in self.of_identities()),
                attributes=len(data.attributes),
                devices=len(data.devices),
                events=data.event_count,
            ),
            made_from_it=tuple(sorted(p.mpid for p in everybody if p.source_mpid == mpid)),
            taken_from=tuple(sorted(taken)),
            aliased_with=tuple(
                sorted(
                    {
                        each.source_mpid + each.destination_mpid - mpid
                        for each in self.aliases
                        if mpid in (each.source_mpid, each.destination_mpid)
                    }
                )
            ),
        )

    def erase(self, erasure: Erasure) -> None:
        mpid, scope = erasure.mpid, erasure.scope
        gone = self.lost_with(scope, mpid)
        profile = self.known[scope].profiles.pop(mpid)
        touched = {profile.created_seq}
        touched |= {each.seq for each in self.entries if each.mpid == mpid}
        touched |= {seq for seq in self.asked if self.answer_of(seq) == mpid}
        left = []
        for each in self.entries:
            if not each.concerns(mpid):
                its = each.change
                there = self.known[scope].profiles
                if isinstance(its, Change) and its.identifier in gone and its.mpid in there:
                    its = Change(its.op, its.mpid, Identifier(its.identifier.type, ""))
                its_id = None if self.answer_of(each.seq) == mpid else each.request_id
                left.append(altered(each, change=its, request_id=its_id))
        self.entries = left
        self.data = [each for each in self.data if each.mpid != mpid]
        self.data = [
            each._replace(alias=None)
            if each.alias and mpid in (each.alias.source_mpid, each.alias.destination_mpid)
            else each
            for each in self.data
        ]
        self.all_events.pop(mpid, None)
        self.events[:] = [each for each in self.events if each[0] != mpid]
        self.aliases[:] = [
            each for each in self.aliases if mpid not in (each.source_mpid, each.destination_mpid)
        ]
        for digest, answer in self.batches.items():
            if answer is not None and answer.mpid == mpid:
                self.batches[digest] = None
                self.digests[digest] = self.digests[digest]._replace(mpid=None)
        others = {each.seq for each in left if isinstance(each.change, Change)}
        for seq, asked in [*self.asked.items()]:
            if asked.answer in (mpid, None):
                del self.asked[seq]
                if seq in others:
                    cause = dataclasses.replace(asked.cause, request_id=None)
                    self.asked[seq] = KeptRequest(seq, asked.scope, cause, None)
        self.taken -= touched - {each.seq for each in left}
        self.insert_erasure(erasure)

    def insert_erasure(self, erasure: Erasure) -> None:
        self.erased = sorted([*self.erased, erasure], key=lambda each: each.seq)
        self.given_out.add(erasure.mpid)
        self.taken.add(erasure.seq)

    def erasures(self, mpid: int | None = None) -> Iterator[Erasure]:
        return iter([each for each in self.erased if mpid in (None, each.mpid)])

    def view(self, mpid: int) -> tuple[str, ProfileView] | None:
        found = self.find(mpid)
        if found is None:
            return None
        view = self._of(found[0]).under(rules("email")).profile(mpid)
        assert view is not None
        return found[0], view

    @property
    def other_batch_keys(self) -> Sequence[bytes]:
        return list(dict.fromkeys(e.key for e in self.digests.values() if e.key != self.key))

    def insert_record(self, record: TimesRecord | DataRecord, time_ms: int) -> bool:
        if isinstance(record, TimesRecord):
            return self.insert_times(record)
        if isinstance(record, DigestRecord):
            if record.digest in self.digests:
                return False
            self.digests[record.digest] = record
            there = None if record.mpid is None else self.view(record.mpid)
            self.batches[record.digest] = there and there[1]
            its = record.mpid
        elif isinstance(record, Alias):
            if any(each.seq == record.seq for each in self.aliases):
                return False
            self.aliases.append(record)
            its, nothing = record.destination_mpid, ProfileData({})
            self.data.append(Brought(its, record.seq, None, None, (), record, nothing))
            self.enter_import(record.seq, time_ms, record)
        elif isinstance(record, EventRecord):
            its, text = record.mpid, record.text
            data = parsed(text).get("data") or {}
            event = Event(*record[1:4], record.event_type, record.name, data, text)
            every = [*self.all_events.get(its, []), event]
            self.all_events[its] = sorted(every, key=lambda e: (e.time_ms, e.seq, e.place))
            self.events.append((its, event.time_ms))
        else:
            its = record.mpid
            alike = [each for each in pieces_of(its, self.data) if type(each) is type(record)]
            if any(name_of(each) == name_of(record) for each in alike):
                return False
            self.data += as_brought(record)
            if isinstance(record, AttributeRecord):
                change = AttributeChange(AttributeOp.SET, its, record.name, parsed(record.value))
                self.attributes[its, record.name] = record.value
                self.enter_import(record.seq, time_ms, change)
            if isinstance(record, DeviceRecord):
                self.take(record.first_seq, its, time_ms)
        if its is not None:
            self.take(record.seq, its, time_ms)
        return True

    def take(self, seq: int, mpid: int, time_ms: int) -> None:
        if seq not in self.taken:
            self.taken.add(seq)
            self.keep_import(seq, mpid, time_ms)

    def keep_import(self, seq: int, mpid: int, time_ms: int) -> None:
        found = self.find(mpid)
        assert found is not None
        cause = Cause(time_ms, Import.IMPORT, Import.IMPORT, None, None, None)
        self.asked[seq] = KeptRequest(seq, found[0], cause, mpid)

    def keep_request(self, scope: str, decision: Decision, entry: RequestEntry) -> None:
        assert decision.profile is not None
        by, its_own = decision.decided_by, entry.request_timestamp_ms
        how = by.rule, by.identity_type, entry.request_id, its_own
        cause = Cause(entry.time_ms, entry.kind, *how)
        self.asked[entry.seq] = KeptRequest(entry.seq, scope, cause, decision.profile.mpid)

    def answer_of(self, seq: int) -> int | None:
        return self.asked[seq].answer if seq in self.asked else None

    def requests(self, seq: int | None = None) -> Iterator[KeptRequest]:
        return iter([self.asked[each] for each in sorted(self.asked) if seq in (None, each)])

    def enter_import(self, seq: int, time_ms: int, change: HistoryChange) -> None:
        how = seq, time_ms, Import.IMPORT, None, None
        self.entries.append(HistoryEntry(*how, change, Import.IMPORT))

    def insert_times(self, record: TimesRecord) -> bool:
        """In place of the time of the import."""
        mpid = record.mpid
        if mpid in self.timed:
            return False
        self.timed.add(mpid)
        self.data = [each for each in self.data if each.mpid != mpid or each.time_ms is None]
        found = self.find(mpid)
        assert found is not None
        made = found[1].created_seq
        self.data += [Brought(mpid, made, time_ms, None) for time_ms in record[1:]]
        return True

    def records(self, scope: str | None = None) -> Iterator[Record]:
        there = [(name, each) for name, each in self.everybody() if scope in (None, name)]
        ages = {each.mpid: each.created_seq for _, each in there}
        found: list[NumberedRecord] = [e for e in self.erased if scope in (None, e.scope)]
        found += [e for e in self.digests.values() if e.mpid is None or e.mpid in ages]
        found += [each for each in self.aliases if each.source_mpid in ages]
        for mpid in ages:
            found += pieces_of(mpid, self.data)
            found += [event_record(mpid, each) for each in self.all_events.get(mpid, [])]
        for mpid in ages:
            data = self.data_of(mpid)
            assert data is not None
            first, last = data.first_seen_ms, data.last_stored_ms
            is_named = any(mpid in named_by(each) for each in found)
            if is_named and first is not None and last is not None:
                yield TimesRecord(mpid, first, last)
        yield from sorted_records(found, ages)

    def flush(self) -> None:
        pass

    @property
    def remembers_rules(self) -> bool:
        return self.told_rules

    def remember_rules(self, rules: Mapping[str, str]) -> None:
        self.rules = dict(rules)
        self.told_rules = True

    def remembered_rules(self) -> dict[str, str]:
        return self.rules

    def scopes(self) -> tuple[str, ...]:
        return tuple(sorted(scope for scope, memory in self.known.items() if memory.profiles))

    def find(self, mpid: int) -> tuple[str, Profile] | None:
        return next((pair for pair in self.everybody() if pair[1].mpid == mpid), None)

    def data_of(self, mpid: int, events: int | None = None) -> ProfileData | None:
        if not self.find(mpid):
            return None
        return told(mpid, self.data, events, list(self.all_events.get(mpid, [])))

    def everybody(self) -> list[tuple[str, Profile]]:
        pairs = [(name, each) for name in self.known for each in self.known[name].profiles.values()]
        return sorted(pairs, key=lambda pair: pair[1].created_seq)

    def profiles(
        self, rules: Mapping[str, ScopeRules], asked: ProfileFilter = EVERY_PROFILE
    ) -> Iterator[tuple[str, Profile]]:
        for name, profile in self.everybody():
            if asked.accepts(name, profile, rules.get(name)):
                yield name, profile

    def count_profiles(
        self, rules: Mapping[str, ScopeRules], asked: ProfileFilter = EVERY_PROFILE
    ) -> int:
        return len([*self.profiles(rules, asked)])

    def holding(self, scope: str, identifier: Identifier) -> list[Profile]:
        return [
            each
            for name, each in self.everybody()
            if name == scope and identifier in each.identifiers
        ]

    def history(
        self,
        mpid: int | None = None,
        identifier: Identifier | None = None,
        limit: int | None = None,
    ) -> Iterator[HistoryEntry]:
        erased = [
            HistoryEntry(e.seq, e.time_ms, RequestKind.ERASE, e.request_id, None, e, None)
            for e in self.erased
        ]
        asked = [
            each
            for each in sorted([*self.entries, *erased], key=lambda each: each.seq)
            if (mpid is None or each.concerns(mpid))
            and (identifier is None or each.is_about(identifier))
        ]
        return iter(asked[:limit])

    def of_identities(self) -> list[Change]:
        return [each.change for each in self.entries if isinstance(each.change, Change)]


class PlainStore(Store):
    """A store that is gone when nobody refers to it any more."""

    def __init__(self, seed: int) -> None:
        self.number = seed
        self.there = PlainTransaction(seed)
        self.is_usable = True

    @property
    def seed(self) -> int:
        return self.number

    @contextmanager
    def reading(self) -> Iterator[Transaction]:
        with self.begun() as transaction:
            yield transaction

    @contextmanager
    def writing(self, *, trust_new_mpids: bool = False) -> Iterator[Transaction]:
        with self.begun() as transaction:
            yield transaction
        self.there = transaction

    @contextmanager
    def begun(self) -> Iterator[PlainTransaction]:
        if not self.is_usable:
            raise StoreFault("the plain store is closed, or in another transaction")
        self.is_usable = False
        try:
            yield PlainTransaction(self.number, self.there)
        finally:
            self.is_usable = True

    def close(self) -> None:
        self.is_usable = False
