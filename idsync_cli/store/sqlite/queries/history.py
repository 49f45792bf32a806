"""What changed, and by which request."""

from collections.abc import Iterator
from dataclasses import dataclass

from idsync_cli.core.codes import EntryKind, EntryRule, Op
from idsync_cli.core.decision import Change
from idsync_cli.core.identity import Identifier, IdentityType
from idsync_cli.store.api import HistoryEntry
from idsync_cli.store.sqlite.cache.cached_profiles import TYPES
from idsync_cli.store.sqlite.connected import Connected
from idsync_cli.store.sqlite.queries.codes import deciding_type, entry_kind, entry_rule
from idsync_cli.store.sqlite.queries.identifiers import identifier_ids

_COLUMNS = (
    "seq, time_ms, type, request_id, request_timestamp_ms, op, mpid, identity_type_id, value, rule,"
    " identity_type"
)
_CHANGES = """
    FROM changes
    JOIN requests USING (seq)
    JOIN outcomes USING (outcome_id)
    JOIN profiles ON profiles.created_seq = changes.created_seq
    JOIN identifiers USING (identifier_id)
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
    JOIN profiles AS answer ON answer.created_seq = requests.created_seq
    LEFT JOIN changes ON changes.seq = requests.seq
    LEFT JOIN profiles AS changed ON changed.created_seq = changes.created_seq
    LEFT JOIN identifiers USING (identifier_id)
    WHERE requests.seq IN (SELECT ?1 UNION SELECT seq FROM changes WHERE created_seq = ?1)
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

    The cause is None for a profile that no request and no import made.
    """

    identifier: Identifier
    seq: int
    cause: Cause | None


@dataclass(frozen=True, slots=True)
class Act:
    """One change by a request, of whichever profile; `answer` is the MPID it was answered with.

    `change` is None where an import put in a profile that holds nothing.
    """

    seq: int
    cause: Cause
    answer: int
    change: Change | None


def history(
    transaction: Connected,
    mpid: int | None = None,
    identifier: Identifier | None = None,
    limit: int | None = None,
) -> Iterator[HistoryEntry]:
    """The changes of a profile, of an identifier, or of both, oldest first; at most `limit`."""
    rows = transaction.connection.execute(
        f"SELECT {_COLUMNS} {_CHANGES} WHERE {_condition(transaction, mpid, identifier)}"
        " ORDER BY seq, place LIMIT ?",
        (-1 if limit is None else limit,),
    )
    for seq, time_ms, kind, own_id, own_time, op, its_mpid, type_id, value, rule, decider in rows:
        yield HistoryEntry(
            seq,
            time_ms,
            entry_kind(kind),
            own_id,
            own_time,
            Op.ADD if op > 0 else Op.REMOVE,
            its_mpid,
            Identifier(TYPES[type_id], value),
            entry_rule(rule),
            deciding_type(decider),
        )


def history_length(
    transaction: Connected, *, mpid: int | None = None, identifier: Identifier | None = None
) -> int:
    """How many changes of a profile, of an identifier, or of both there are."""
    [number] = transaction.connection.execute(
        f"SELECT count(*) FROM changes WHERE {_condition(transaction, mpid, identifier)}"
    ).fetchone()
    return int(number)


def _condition(transaction: Connected, mpid: int | None, identifier: Identifier | None) -> str:
    """What is asked of a row of `changes`, as SQL; nothing in it but numbers."""
    terms = ["TRUE"]
    if mpid is not None:
        its_profile = f"(SELECT created_seq FROM profiles WHERE mpid = {mpid})"
        terms.append(f"changes.created_seq = {its_profile}")
    if identifier is not None:
        ids = ", ".join(map(str, identifier_ids(transaction, identifier)))
        terms.append(f"changes.identifier_id IN ({ids})")
    return " AND ".join(terms)


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
    """What made the profile of a sequence number; None if no request and no import did."""
    row = transaction.connection.execute(
        "SELECT time_ms, type, rule, identity_type, request_id, request_timestamp_ms"
        " FROM requests JOIN outcomes USING (outcome_id) WHERE seq = ?",
        (created_seq,),
    ).fetchone()
    return None if row is None else _cause(*row)


def life(transaction: Connected, created_seq: int) -> Iterator[Act]:
    """All that was done by the requests that made or changed a profile, in order, by number."""
    rows = transaction.connection.execute(_LIFE, (created_seq,))
    for seq, *request, answer, op, mpid, type_id, value in rows:
        change = None
        if op is not None:
            held = Identifier(TYPES[type_id], value)
            change = Change(Op.ADD if op > 0 else Op.REMOVE, mpid, held)
        yield Act(seq, _cause(*request), answer, change)


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
