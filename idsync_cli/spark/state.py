"""The state between jobs and windows: the lines of an export, row by row (section 13)."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache, partial
from json.encoder import encode_basestring_ascii as quoted
from typing import Any, Final

from idsync_cli import wire
from idsync_cli.core.config.rules import Organization, ScopeRules
from idsync_cli.core.data.values import Alias
from idsync_cli.core.erasure import Erasure
from idsync_cli.core.identity import Identifier, IdentityType, parse_mpid
from idsync_cli.core.profile import Profile
from idsync_cli.core.records import (
    AttributeRecord,
    DeviceRecord,
    DigestRecord,
    EventRecord,
    NumberedRecord,
    StateRecord,
    TimesRecord,
)
from idsync_cli.core.scoped_profile import ScopedProfile, scoped
from idsync_cli.files.data_lines import DataLine, read_data
from idsync_cli.spark.rows import (
    RowKind,
    Section,
    TaskRow,
    batch_node,
    erasure_node,
    profile_node,
)
from idsync_cli.store.api import Transaction
from idsync_cli.store.sqlite import SqliteTransaction
from idsync_cli.store.sqlite.cache.everyone import ProfileWithTimes
from idsync_cli.store.sqlite.queries.records import created_seq_of, times_of_all

_RANKS: Final = {
    kind: rank
    for rank, kind in enumerate(
        (
            *(AttributeRecord, DeviceRecord, StateRecord, EventRecord, Alias, DigestRecord),
            Erasure,
        )
    )
}
"""Which records come first of one number (`core.records.NumberedRecord`)."""


_MADE_AT_HAND: Final = 10_000
"""Of how many profiles the numbers are kept at hand: not of all, of which there may be millions."""


def rows_of(transaction: SqliteTransaction, organization: Organization) -> Iterator[TaskRow]:
    """All that a store has: what an export says, and the times of profiles that it leaves out."""
    everyone = transaction.everyone()
    if everyone is not None:
        yield from _rows_of_profiles(everyone, organization)
        return
    for scope, profile in transaction.profiles(organization.scopes):
        yield profile_row(scope, profile, organization)
    made = lru_cache(_MADE_AT_HAND)(partial(created_seq_of, transaction))
    records = transaction.records()  # first times, in the order of those of all profiles
    record = next(records, None)
    for created_seq, times in times_of_all(transaction):
        if times == record:
            yield _times_row(Section.TIMES, times, created_seq)
            record = next(records, None)
        else:
            yield _times_row(Section.TIMES_ALONE, times, created_seq)
    while record is not None:
        assert not isinstance(record, TimesRecord)
        yield _record_row(record, made)
        record = next(records, None)


def _rows_of_profiles(
    everyone: Iterator[ProfileWithTimes], organization: Organization
) -> Iterator[TaskRow]:
    """The same of a store that has nothing but profiles."""
    times: list[TaskRow] = []
    for scope, profile, its in everyone:
        yield profile_row(scope, profile, organization)
        if its is not None:
            times.append(_times_row(Section.TIMES_ALONE, its, profile.created_seq))
    yield from times


def profile_row(scope: str, profile: Profile, organization: Organization) -> TaskRow:
    """A profile as the rules see it."""
    seq = profile.created_seq
    return TaskRow(
        RowKind.STATE,
        seq,
        _profile_line(scoped(profile, scope, organization.scopes.get(scope))).encode("ascii"),
        profile_node(seq),
        Section.PROFILE,
        age=seq,
        mpid=profile.mpid,
        was_known=profile.was_known,
    )


def _profile_line(seen: ScopedProfile) -> str:
    """`wire.profile_json`, put together as text: there are millions."""
    profile = seen.profile
    source = profile.source_mpid
    values: dict[str, list[str]] = {kind: [] for kind in seen.types}
    for each in profile.identifiers:
        values[each.type].append(quoted(each.value))
    identities = ", ".join([f'"{kind}": [{", ".join(its)}]' for kind, its in values.items()])
    return (
        f'{{"mpid": "{profile.mpid}", "scope": {quoted(seen.scope)}, "created_seq": '
        f'{profile.created_seq}, "source_mpid": {"null" if source is None else _text(source)}, '
        f'"known": {_WORDS[seen.known]}, "orphaned": {_WORDS[seen.orphaned]}, "identities": '
        f"{{{identities}}}}}"
    )


def _text(mpid: int) -> str:
    return f'"{mpid}"'


_WORDS: Final = ("false", "true")


def seen_by(row: TaskRow, organization: Organization) -> TaskRow:
    """The row of a profile as other rules see it; any other row as it is."""
    if row.section != Section.PROFILE:
        return row
    scope, profile = _profile_of(row)
    return profile_row(scope, profile, organization)


def _times_row(section: Section, record: TimesRecord, created_seq: int) -> TaskRow:
    return TaskRow(
        RowKind.STATE,
        created_seq,
        wire.record_line(record).encode("ascii"),
        profile_node(created_seq),
        section,
        age=created_seq,
        mpid=record.mpid,
    )


def _record_row(record: NumberedRecord, made: Callable[[int], int]) -> TaskRow:
    mpid = record.source_mpid if isinstance(record, Alias) else record.mpid
    other = record.destination_mpid if isinstance(record, Alias) else None
    key = record.key if isinstance(record, DigestRecord) else None
    age = 0
    if isinstance(record, Erasure):
        node = erasure_node(record.seq)
    elif mpid is None:
        node = batch_node(record.seq)
    else:
        node = profile_node(made(mpid))
        age = 0 if isinstance(record, DigestRecord) else made(mpid)  # sorted by themselves alone
    return TaskRow(
        RowKind.STATE,
        record.seq,
        wire.record_line(record).encode("ascii"),
        node,
        Section.RECORD,
        _RANKS[type(record)],
        age,
        _place_in(record),
        mpid,
        other,
        key,
    )


def _place_in(record: NumberedRecord) -> str:
    """What records of one number, kind and profile are sorted by."""
    if isinstance(record, AttributeRecord):
        return record.name
    if isinstance(record, DeviceRecord):
        held = record.identifier
        return "=" if held is None else f"{held.type}={held.value}"
    if isinstance(record, EventRecord):
        return f"{record.place:010}"
    return record.digest.hex() if isinstance(record, DigestRecord) else ""


def put(
    rows: Iterable[TaskRow], transaction: Transaction, organization: Organization, now_ms: int
) -> None:
    """Give a new store rows of the state, in the order of `place_of`.

    Profiles enter no history; records do, under their own numbers, which are those of before.
    """
    anyone = next(iter(organization.scopes.values()))
    for row in rows:
        if row.section == Section.PROFILE:
            scope, profile = _profile_of(row)
            rules: ScopeRules = organization.scopes.get(scope, anyone)
            transaction.insert(scope, profile, rules, None)
            continue
        value = json.loads(row.data)
        if value["record"] == "erasure":
            transaction.insert_erasure(_erasure_of(value))
            continue
        line = read_data(0, value["record"], value, row.data, partial(wire.excerpt_of, 0, row.data))
        assert isinstance(line, DataLine)
        record = line.record
        if isinstance(record, DigestRecord):
            assert row.key is not None
            record = record._replace(key=row.key)
        transaction.insert_record(record, now_ms)


def _profile_of(row: TaskRow) -> tuple[str, Profile]:
    value = json.loads(row.data)
    mpid = parse_mpid(value["mpid"])
    assert mpid is not None
    profile = Profile(
        mpid,
        value["created_seq"],
        parse_mpid(value["source_mpid"]),
        row.was_known,
        tuple(identifiers_in(value)),
    )
    return value["scope"], profile


def identifiers_in(profile: Mapping[str, Any]) -> list[Identifier]:
    """What a profile holds, of the line of an export."""
    return [
        Identifier(IdentityType(kind), value)
        for kind, values in profile["identities"].items()
        for value in values
    ]


def _erasure_of(value: Mapping[str, Any]) -> Erasure:
    mpid = parse_mpid(value["mpid"])
    assert mpid is not None
    return Erasure(mpid, value["seq"], value["scope"], value["time_ms"], value["request_id"])
