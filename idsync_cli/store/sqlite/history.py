"""The changes of identity records, oldest first (section 9)."""

from collections.abc import Iterator
from sqlite3 import Connection

from idsync_cli.core.identity import TYPE_ORDER, Identifier
from idsync_cli.store.api import HistoryEntry
from idsync_cli.store.sqlite.cache.in_memory import TYPES

_CHANGES = """
    FROM changes
    JOIN requests USING (seq)
    JOIN outcomes USING (outcome_id)
    JOIN profiles ON profiles.created_seq = changes.created_seq
    JOIN identifiers USING (identifier_id)
"""
_ASKED = """
    WHERE (?1 IS NULL OR changes.created_seq = (SELECT created_seq FROM profiles WHERE mpid = ?1))
        AND (?2 IS NULL OR (identity_type_id = ?2 AND value = ?3))
"""
_HISTORY = f"""
    SELECT seq, time_ms, type, request_id, request_timestamp_ms, iif(op > 0, 'add', 'remove'), mpid,
        identity_type_id, value, rule
    {_CHANGES} {_ASKED} ORDER BY seq, place LIMIT ?4
"""


def history(
    connection: Connection,
    mpid: int | None = None,
    identifier: Identifier | None = None,
    limit: int | None = None,
) -> Iterator[HistoryEntry]:
    """The changes of a profile, of an identifier, or of both, oldest first; at most `limit`."""
    asked = _asked(mpid, identifier)
    rows = connection.execute(_HISTORY, (*asked, -1 if limit is None else limit))
    for seq, time_ms, kind, request_id, its_time, op, its_mpid, type_id, value, rule in rows:
        held = Identifier(TYPES[type_id], value)
        yield HistoryEntry(seq, time_ms, kind, request_id, its_time, op, its_mpid, held, rule)


def history_length(
    connection: Connection, *, mpid: int | None = None, identifier: Identifier | None = None
) -> int:
    """How many changes of a profile, of an identifier, or of both there are."""
    [number] = connection.execute(
        f"SELECT count(*) {_CHANGES} {_ASKED}",
        _asked(mpid, identifier),
    ).fetchone()
    return int(number)


def _asked(
    mpid: int | None, identifier: Identifier | None
) -> tuple[int | None, int | None, str | None]:
    return (
        (mpid, None, None)
        if identifier is None
        else (mpid, TYPE_ORDER[identifier.type], identifier.value)
    )
