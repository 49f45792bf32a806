"""What an export has beside profiles, by number, read as it is taken.

Each kind is a query in its own order; what is sorted for it are numbers, and never the text of an
event, so that a million of them need little memory.
"""

from collections.abc import Callable, Iterator, Mapping
from heapq import merge
from typing import Any

from idsync_cli.core.data.batch_ids import key_of
from idsync_cli.core.data.values import Alias
from idsync_cli.core.erasure import Erasure
from idsync_cli.core.identity import Identifier, IdentityType
from idsync_cli.core.records import (
    AttributeRecord,
    DeviceRecord,
    DigestRecord,
    EventRecord,
    NumberedRecord,
    Record,
    StateRecord,
    TimesRecord,
)
from idsync_cli.store.sqlite.connected import Connected
from idsync_cli.store.sqlite.rows.data import OWN_KEY

_TIMES = """
    SELECT mpid, first_seen_ms, last_stored_ms FROM profiles
    WHERE created_seq IN (
            SELECT created_seq FROM attributes
            UNION SELECT created_seq FROM devices
            UNION SELECT created_seq FROM profile_states
            UNION SELECT DISTINCT created_seq FROM events
            UNION SELECT source_seq FROM aliases
            UNION SELECT destination_seq FROM aliases
            UNION SELECT created_seq FROM batch_ids WHERE created_seq IS NOT NULL
        )
        AND first_seen_ms IS NOT NULL AND {}
    ORDER BY created_seq
"""
_EARLIER_TIMES = _TIMES.replace(
    "FROM profiles\n", "FROM profiles JOIN profile_times USING (created_seq)\n"
)
_ALL_TIMES = """
    SELECT created_seq, mpid, first_seen_ms, last_stored_ms FROM profiles
    WHERE first_seen_ms IS NOT NULL ORDER BY created_seq
"""
_ATTRIBUTES = """
    SELECT mpid, seq, name, value FROM attributes JOIN profiles USING (created_seq)
    WHERE {} ORDER BY seq, created_seq, name
"""
_DEVICES = """
    SELECT mpid, seq, first_seq, identity_type, value, info
    FROM (
        SELECT created_seq, identity_type, value, max(seq) AS seq, min(seq) AS first_seq
        FROM devices GROUP BY created_seq, identity_type, value
    )
    JOIN devices USING (created_seq, identity_type, value, seq)
    JOIN profiles USING (created_seq)
    WHERE {} ORDER BY seq, created_seq, identity_type || '=' || value
"""
_STATES = """
    SELECT mpid, seq, consent_state, is_opted_out, attribution
    FROM (SELECT *, max(seq) FROM profile_states GROUP BY created_seq)
    JOIN profiles USING (created_seq)
    WHERE {} ORDER BY seq, created_seq
"""
# What is sorted are numbers. CROSS JOIN keeps SQLite to their order, and LIMIT to sorting at all.
_EVENTS = """
    WITH sorted AS MATERIALIZED (
        SELECT event_id FROM events JOIN profiles USING (created_seq)
        WHERE {} ORDER BY seq, created_seq, place LIMIT -1
    )
    SELECT mpid, seq, place, time_ms, event_type, name, event
    FROM sorted CROSS JOIN events USING (event_id) CROSS JOIN profiles USING (created_seq)
"""
_ALIASES = """
    SELECT seq, profiles.mpid, destination.mpid, start_ms, end_ms FROM aliases
    JOIN profiles ON profiles.created_seq = source_seq
    JOIN profiles AS destination ON destination.created_seq = destination_seq
    WHERE {} ORDER BY seq
"""
_DIGESTS = """
    SELECT mpid, seq, digest, key_id FROM batch_ids LEFT JOIN profiles USING (created_seq)
    WHERE {} OR created_seq IS NULL ORDER BY seq, digest
"""
_ERASURES = "SELECT mpid, seq, scope, time_ms, request_id FROM erasures WHERE {} ORDER BY seq"


def records(transaction: Connected, scope: str | None = None) -> Iterator[Record]:
    """The times of profiles, then all else by number; of one scope, or of all."""
    execute = transaction.connection.execute
    of_scope = "TRUE"
    if scope is not None:
        found = execute("SELECT scope_id FROM scopes WHERE name = ?", (scope,)).fetchone()
        of_scope = "FALSE" if found is None else f"profiles.scope_id = {found[0]}"
    times = _TIMES if transaction.as_of is None else _EARLIER_TIMES
    for row in execute(times.format(of_scope)):
        yield TimesRecord(*row)
    digest_of = _digest_reader(transaction)
    kinds: list[tuple[str, Callable[..., NumberedRecord]]] = [
        (_ATTRIBUTES, AttributeRecord),
        (_DEVICES, _device),
        (_STATES, _state),
        (_EVENTS, EventRecord),
        (_ALIASES, Alias),
        (_DIGESTS, digest_of),
    ]
    streams = [
        _stream(execute(query.format(of_scope)), rank, record_of)
        for rank, (query, record_of) in enumerate(kinds)
    ]
    its_scope = "?1 IS NULL OR scope = ?1"
    erasures = execute(_ERASURES.format(its_scope), (scope,))
    streams.append(_stream(erasures, len(streams), Erasure))
    for _, _, record in merge(*streams, key=_order):
        yield record


def times_of_all(transaction: Connected) -> Iterator[tuple[int, TimesRecord]]:
    """The times of every profile that has any, whatever else it has, behind its number."""
    for created_seq, *row in transaction.connection.execute(_ALL_TIMES):
        yield created_seq, TimesRecord(*row)


def created_seq_of(transaction: Connected, mpid: int) -> int:
    """The number of the line that made a profile, which is there."""
    query = "SELECT created_seq FROM profiles WHERE mpid = ?"
    [(created_seq,)] = transaction.connection.execute(query, (mpid,))
    assert isinstance(created_seq, int)
    return created_seq


_Ordered = tuple[int, int, NumberedRecord]


def _stream(
    rows: Iterator[tuple[Any, ...]], rank: int, record_of: Callable[..., NumberedRecord]
) -> Iterator[_Ordered]:
    """Records with their numbers, and which of one number come first."""
    for row in rows:
        record = record_of(*row)
        yield record.seq, rank, record


def _order(record: _Ordered) -> tuple[int, int]:
    return record[:2]


def _device(mpid: int, seq: int, first_seq: int, kind: str, value: str, info: str) -> DeviceRecord:
    identifier = Identifier(IdentityType(kind), value) if kind else None
    return DeviceRecord(mpid, seq, first_seq, identifier, info)


def _state(
    mpid: int, seq: int, consent_state: str | None, is_opted_out: int, attribution: str | None
) -> StateRecord:
    return StateRecord(mpid, seq, consent_state, bool(is_opted_out), attribution)


def _digest_reader(transaction: Connected) -> Callable[..., DigestRecord]:
    """What makes records of rows: it knows the keys by their numbers."""
    execute = transaction.connection.execute
    [seed] = execute("SELECT seed FROM store").fetchone()
    keys: Mapping[int, bytes] = {
        OWN_KEY: key_of(int(seed)),
        **dict(execute("SELECT key_id, key FROM batch_keys")),
    }

    def read(mpid: int | None, seq: int, digest: bytes, key_id: int) -> DigestRecord:
        return DigestRecord(mpid, seq, digest, keys[key_id])

    return read
