"""What changed, and by which request."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from heapq import merge
from itertools import groupby, islice
from typing import Any

from idsync_cli.core.codes import AttributeOp, EntryKind, EntryRule, Op, RequestKind
from idsync_cli.core.data.values import Alias, AttributeChange
from idsync_cli.core.decision import Change
from idsync_cli.core.erasure import Erasure
from idsync_cli.core.identity import Identifier, IdentityType
from idsync_cli.store.api import HistoryChange, HistoryEntry
from idsync_cli.store.kept_json import value_of
from idsync_cli.store.sqlite.cache.cached_profiles import TYPES
from idsync_cli.store.sqlite.connected import Connected
from idsync_cli.store.sqlite.queries.codes import deciding_type, entry_kind, entry_rule
from idsync_cli.store.sqlite.queries.identifiers import identifier_ids

_CAUSE = "time_ms, type, request_id, request_timestamp_ms, rule, identity_type"
_OF_REQUESTS = "JOIN requests USING (seq) JOIN outcomes USING (outcome_id)"
_CHANGES = f"""
    SELECT seq, {_CAUSE}, op, mpid, identity_type_id, value
    FROM changes
    {_OF_REQUESTS}
    JOIN profiles ON profiles.created_seq = changes.created_seq
    JOIN identifiers USING (identifier_id)
    WHERE {{}} ORDER BY seq, place LIMIT ?
"""
_ATTRIBUTES = f"""
    SELECT seq, {_CAUSE}, op, mpid, change.name, value
    FROM attribute_changes AS change
    {_OF_REQUESTS}
    JOIN profiles ON profiles.created_seq = change.created_seq
    WHERE {{}} ORDER BY seq, place LIMIT ?
"""
_ALIASES = f"""
    SELECT seq, {_CAUSE}, source.mpid, destination.mpid, start_ms, end_ms
    FROM aliases
    {_OF_REQUESTS}
    JOIN profiles AS source ON source.created_seq = source_seq
    JOIN profiles AS destination ON destination.created_seq = destination_seq
    WHERE {{}} ORDER BY seq LIMIT ?
"""
_ARRIVALS = """
    SELECT held.identity_type_id, value, added_seq, time_ms, type, rule, identity_type, request_id,
        request_timestamp_ms
    FROM profiles
    JOIN holders AS held USING (created_seq)
    JOIN identifiers USING (identifier_id)
    LEFT JOIN requests ON requests.seq = added_seq
    LEFT JOIN outcomes USING (outcome_id)
    WHERE profiles.mpid = ? ORDER BY added_seq, place
"""


_LIFE = """
    SELECT requests.seq, time_ms, type, rule, identity_type, request_id, request_timestamp_ms,
        answer.mpid, op, changed.mpid, identity_type_id, value
    FROM requests
    JOIN outcomes USING (outcome_id)
    LEFT JOIN profiles AS answer ON answer.created_seq = requests.created_seq
    LEFT JOIN changes ON changes.seq = requests.seq
    LEFT JOIN profiles AS changed ON changed.created_seq = changes.created_seq
    LEFT JOIN identifiers USING (identifier_id)
    WHERE requests.seq IN (
        SELECT ?1
        UNION SELECT seq FROM changes WHERE created_seq = ?1
        UNION SELECT seq FROM attribute_changes WHERE created_seq = ?1
        UNION SELECT seq FROM aliases WHERE source_seq = ?1 OR destination_seq = ?1
    )
    ORDER BY requests.seq, place
"""


@dataclass(frozen=True, slots=True)
class Cause:
    """The request, or the import, that changed something, and what decided it.

    `time_ms` is when it was answered, and `request_timestamp_ms` its own time, in ms since 1970,
    UTC. `decided_by_type` is the type that decided, for the rule `identifier`; at which rank it
    stood then is not known.
    """

    time_ms: int
    kind: EntryKind
    rule: EntryRule
    decided_by_type: IdentityType | None
    request_id: str | None
    request_timestamp_ms: int | None


@dataclass(frozen=True, slots=True)
class Arrival:
    """By which request a profile got an identifier.

    The cause is None for a profile that no request and no import created.
    """

    identifier: Identifier
    seq: int
    cause: Cause | None


@dataclass(frozen=True, slots=True)
class Act:
    """One request of the life of a profile; `answer` is the MPID it was answered with.

    `changes` are those of identity records, of whichever profile, then those of attributes of this
    one, then an alias of it: each in the order made. The answer is None where that profile was
    erased; an identifier may have the value ERASED_VALUE.
    """

    seq: int
    cause: Cause
    answer: int | None
    changes: tuple[HistoryChange, ...]


def history(
    transaction: Connected,
    mpid: int | None = None,
    identifier: Identifier | None = None,
    limit: int | None = None,
) -> Iterator[HistoryEntry]:
    """The changes of a profile, of an identifier, or of both, oldest first; at most `limit`."""
    condition = _of_changes(transaction, mpid, identifier)
    of_identities = _entries(transaction, _CHANGES, condition, limit, _identifier_change)
    if identifier is not None:
        return of_identities
    others = _other_entries(transaction, mpid, limit)
    return islice(merge(of_identities, others, key=_number), limit)


def _other_entries(
    transaction: Connected, mpid: int | None, limit: int | None = None
) -> Iterator[HistoryEntry]:
    """The entries that are not about identity records."""
    condition = _of_profile("change.created_seq", mpid)
    of_attributes = _entries(transaction, _ATTRIBUTES, condition, limit, _attribute_change)
    condition = _of_profile("source_seq", mpid, "destination_seq")
    of_aliases = _entries(transaction, _ALIASES, condition, limit, _alias)
    of_erasures = _erasures(transaction, mpid)
    return merge(of_attributes, of_aliases, of_erasures, key=_number)


def history_length(
    transaction: Connected, *, mpid: int | None = None, identifier: Identifier | None = None
) -> int:
    """How many changes of a profile, of an identifier, or of both there are."""
    counts = [("changes", _of_changes(transaction, mpid, identifier))]
    if identifier is None:
        counts += [
            ("attribute_changes", _of_profile("created_seq", mpid)),
            ("aliases", _of_profile("source_seq", mpid, "destination_seq")),
            ("erasures", "TRUE" if mpid is None else f"mpid = {mpid}"),
        ]
    return sum(
        transaction.connection.execute(
            f"SELECT count(*) FROM {table} WHERE {condition}"
        ).fetchone()[0]
        for table, condition in counts
    )


def _of_changes(transaction: Connected, mpid: int | None, identifier: Identifier | None) -> str:
    """What is asked of a row of `changes`, as SQL; nothing in it but numbers."""
    condition = _of_profile("changes.created_seq", mpid)
    if identifier is not None:
        ids = ", ".join(map(str, identifier_ids(transaction, identifier)))
        condition += f" AND changes.identifier_id IN ({ids})"
    return condition


def _of_profile(column: str, mpid: int | None, other: str | None = None) -> str:
    """That a column, or another, is about a profile, if one is asked for."""
    if mpid is None:
        return "TRUE"
    its = f"(SELECT created_seq FROM profiles WHERE mpid = {mpid})"
    also = "" if other is None else f" OR {other} = {its}"
    return f"({column} = {its}{also})"


def _entries(
    transaction: Connected,
    query: str,
    condition: str,
    limit: int | None,
    change_of: Callable[..., HistoryChange],
) -> Iterator[HistoryEntry]:
    """The entries that a query gives, each of whose rows ends with what was changed."""
    rows = transaction.connection.execute(
        query.format(condition), (-1 if limit is None else limit,)
    )
    for seq, time_ms, kind, own_id, own_time, rule, decider, *change in rows:
        yield HistoryEntry(
            seq,
            time_ms,
            entry_kind(kind),
            own_id,
            own_time,
            change_of(seq, *change),
            entry_rule(rule),
            deciding_type(decider),
        )


def _identifier_change(_: int, op: int, mpid: int, type_id: int, value: str) -> Change:
    return Change(Op.ADD if op > 0 else Op.REMOVE, mpid, Identifier(TYPES[type_id], value))


def _attribute_change(_: int, op: str, mpid: int, name: str, value: str | None) -> AttributeChange:
    its_op = AttributeOp.SET if op == AttributeOp.SET else AttributeOp.DELETE
    return AttributeChange(its_op, mpid, name, None if value is None else value_of(value))


def _alias(seq: int, source: int, destination: int, start_ms: int, end_ms: int) -> Alias:
    return Alias(seq, source, destination, start_ms, end_ms)


def _erasures(transaction: Connected, mpid: int | None) -> Iterator[HistoryEntry]:
    """The erasures; what decided them is not kept."""
    condition = "TRUE" if mpid is None else f"mpid = {mpid}"
    for *row, request_id in transaction.connection.execute(
        f"SELECT mpid, seq, scope, time_ms, request_id FROM erasures WHERE {condition} ORDER BY seq"
    ):
        its_mpid, seq, scope, time_ms = row
        erasure = Erasure(its_mpid, seq, scope, time_ms, request_id)
        yield HistoryEntry(seq, time_ms, RequestKind.ERASE, request_id, None, erasure, None)


def _number(entry: HistoryEntry) -> int:
    return entry.seq


def arrivals(transaction: Connected, mpid: int) -> list[Arrival]:
    """How the identifiers that a profile holds came to it, in the order in which they did."""
    rows = transaction.connection.execute(_ARRIVALS, (mpid,))
    return [
        Arrival(
            Identifier(TYPES[type_id], value), seq, None if request[0] is None else _cause(*request)
        )
        for type_id, value, seq, *request in rows
    ]


def making(transaction: Connected, created_seq: int) -> Cause | None:
    """What created the profile of a sequence number; None if no request and no import did."""
    row = transaction.connection.execute(
        "SELECT time_ms, type, rule, identity_type, request_id, request_timestamp_ms"
        " FROM requests JOIN outcomes USING (outcome_id) WHERE seq = ?",
        (created_seq,),
    ).fetchone()
    return None if row is None else _cause(*row)


def life(transaction: Connected, mpid: int, created_seq: int) -> Iterator[Act]:
    """All requests that created or changed a profile, by number, with what they changed."""
    others = groupby(_other_entries(transaction, mpid), key=_number)
    of_others = next(others, _NONE)
    rows = transaction.connection.execute(_LIFE, (created_seq,))
    for (seq, *request, answer), of_one in groupby(rows, key=_request_of):
        changes: list[HistoryChange] = [
            _identifier_change(seq, op, mpid, type_id, value)
            for *_, op, mpid, type_id, value in of_one
            if op is not None
        ]
        if of_others[0] == seq:
            changes += [each.change for each in of_others[1]]
            of_others = next(others, _NONE)
        yield Act(seq, _cause(*request), answer, tuple(changes))


_NONE: tuple[int, Iterator[HistoryEntry]] = (-1, iter(()))


def _request_of(row: tuple[Any, ...]) -> tuple[Any, ...]:
    return row[:-4]


def _cause(
    time_ms: int,
    kind: str,
    rule: str,
    decider: str | None,
    request_id: str | None,
    request_timestamp_ms: int | None,
) -> Cause:
    return Cause(
        time_ms,
        entry_kind(kind),
        entry_rule(rule),
        deciding_type(decider),
        request_id,
        request_timestamp_ms,
    )
