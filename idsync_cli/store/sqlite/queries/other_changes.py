"""What the history says beside identity records: of attributes, aliases and erasures."""

from collections.abc import Callable, Iterator
from heapq import merge

from idsync_cli.core.codes import AttributeOp, RequestKind
from idsync_cli.core.data.values import Alias, AttributeChange
from idsync_cli.core.erasure import Erasure
from idsync_cli.core.profile import ProfileView
from idsync_cli.store.kept_json import value_of
from idsync_cli.store.sqlite.connected import Connected
from idsync_cli.store.sqlite.queries.codes import deciding_type, entry_kind, entry_rule
from idsync_cli.store.values import HistoryChange, HistoryEntry

_CAUSE = "time_ms, type, request_id, request_timestamp_ms, rule, identity_type"
_OF_REQUESTS = "JOIN requests USING (seq) JOIN outcomes USING (outcome_id)"
_ATTRIBUTES = f"""
    SELECT seq, {_CAUSE}, op, mpid, change.name, value
    FROM attribute_changes AS change
    {_OF_REQUESTS}
    JOIN profiles ON profiles.created_seq = change.created_seq
    WHERE {{}} ORDER BY seq, place LIMIT ?
"""
_ALIASES = f"""
    SELECT seq, {_CAUSE}, seq, source.mpid, destination.mpid, start_ms, end_ms
    FROM aliases
    {_OF_REQUESTS}
    JOIN profiles AS source ON source.created_seq = source_seq
    JOIN profiles AS destination ON destination.created_seq = destination_seq
    WHERE {{}} ORDER BY seq LIMIT ?
"""
_ERASURES = "SELECT mpid, seq, scope, time_ms, request_id FROM erasures WHERE {} ORDER BY seq"
_REQUESTS = """
    SELECT seq FROM attribute_changes WHERE created_seq = ?1
    UNION SELECT seq FROM aliases WHERE source_seq = ?1
    UNION SELECT seq FROM aliases WHERE destination_seq = ?1
    ORDER BY seq
"""


def other_entries(
    transaction: Connected,
    mpid: int | None = None,
    limit: int | None = None,
    first_seq: int | None = None,
) -> Iterator[HistoryEntry]:
    """The entries that are about a profile, or all, by number; of each kind at most `limit`.

    With `first_seq` only those of requests from there on.
    """
    most = -1 if limit is None else limit

    def entries(
        query: str, condition: str, change_of: Callable[..., HistoryChange]
    ) -> Iterator[HistoryEntry]:
        if first_seq is not None:
            condition += f" AND seq >= {first_seq}"
        rows = transaction.connection.execute(query.format(condition), (most,))
        for seq, time_ms, kind, own_id, own_time, rule, decider, *change in rows:
            yield HistoryEntry(
                seq,
                time_ms,
                entry_kind(kind),
                own_id,
                own_time,
                change_of(*change),
                entry_rule(rule),
                deciding_type(decider),
            )

    return merge(
        entries(_ATTRIBUTES, _is_about(mpid, "change.created_seq"), _attribute_change),
        entries(_ALIASES, _is_about(mpid, "source_seq", "destination_seq"), Alias),
        _erasures(transaction, mpid, first_seq),
        key=number_of,
    )


def count_of_others(transaction: Connected, mpid: int) -> int:
    """How many entries there are that are about a profile."""
    tables = {
        "attribute_changes": _is_about(mpid, "created_seq"),
        "aliases": _is_about(mpid, "source_seq", "destination_seq"),
        "erasures": f"mpid = {mpid}",
    }
    count = "SELECT count(*) FROM {} WHERE {}"
    execute = transaction.connection.execute
    return sum(execute(count.format(*each)).fetchone()[0] for each in tables.items())


def requests_of_others(transaction: Connected, profile: ProfileView) -> Iterator[int]:
    """The numbers of the requests that made such changes of a profile, in order."""
    rows = transaction.connection.execute(_REQUESTS, (profile.created_seq,))
    return (seq for (seq,) in rows)


def number_of(entry: HistoryEntry) -> int:
    """The sequence number of an entry, by which they are in order."""
    return entry.seq


def _is_about(mpid: int | None, *columns: str) -> str:
    """That one of some columns names a profile, if one is asked for; nothing in it but numbers."""
    if mpid is None:
        return "TRUE"
    its = f"(SELECT created_seq FROM profiles WHERE mpid = {mpid})"
    return f"({' OR '.join(f'{column} = {its}' for column in columns)})"


def _attribute_change(op: str, mpid: int, name: str, value: str | None) -> AttributeChange:
    its_op = AttributeOp.SET if op == AttributeOp.SET else AttributeOp.DELETE
    return AttributeChange(its_op, mpid, name, None if value is None else value_of(value))


def _erasures(
    transaction: Connected, mpid: int | None, first_seq: int | None
) -> Iterator[HistoryEntry]:
    """The erasures; what decided them is not kept."""
    condition = "TRUE" if mpid is None else f"mpid = {mpid}"
    if first_seq is not None:
        condition += f" AND seq >= {first_seq}"
    for row in transaction.connection.execute(_ERASURES.format(condition)):
        erasure = Erasure(*row)
        seq, time_ms, own_id = erasure.seq, erasure.time_ms, erasure.request_id
        yield HistoryEntry(seq, time_ms, RequestKind.ERASE, own_id, None, erasure, None)
