"""The store as it was after an earlier request, of what was not erased (section 9, History).

While a transaction looks back, views stand before the tables: SQLite looks for a name among what is
temporary first. So the queries of this package need not know of it; only what would read the whole
store through a view is asked for otherwise. Views hold no data, and are gone with the transaction.

An import brought what profiles had at its end, under the numbers that they had elsewhere. Of an
identifier it does not say when it came: an imported profile has all of its from the first.
"""

from idsync_cli.core.erasure import ERASED_VALUE
from idsync_cli.store.sqlite.connected import Connected

_IMPORTED = "outcome_id IN (SELECT outcome_id FROM main.outcomes WHERE type = 'import')"

# What a profile `p` held: what it holds, and what was taken from it later. A value that was erased
# since is not known any more.
_HELD = f"""
    SELECT identifier_id, created_seq, identity_type_id, added_seq, place FROM main.holders
    WHERE added_seq <= {{seq}} {{of_profile}}
    UNION ALL
    SELECT identifier_id, created_seq, identity_type_id, added_seq, added_place
    FROM main.past_holders JOIN main.identifiers USING (identifier_id)
    WHERE added_seq <= {{seq}} AND removed_seq > {{seq}} {{of_profile}}
        AND value != '{ERASED_VALUE}'
"""
_OF_PROFILE = "AND created_seq = p.created_seq"

_PROFILES = f"""
    SELECT created_seq, mpid, scope_id, source_mpid,
        iif(known_seq <= {{seq}}, known_seq, 0) AS known_seq,
        (
            SELECT coalesce(sum(bit), 0)
            FROM (SELECT DISTINCT 1 << identity_type_id AS bit FROM ({_HELD}))
        ) AS types
    FROM main.profiles AS p WHERE created_seq <= {{seq}}
"""
_ATTRIBUTES = """
    SELECT created_seq, name, value, seq
    FROM (
        SELECT *,
            row_number() OVER (PARTITION BY created_seq, name ORDER BY seq DESC, place DESC) AS age
        FROM main.attribute_changes WHERE seq <= {seq}
    )
    WHERE age = 1 AND op = 'set'
"""
# The times of requests, and of the import where it brought no others. An alias gives its
# destination those that its source had by then; a source is nobody's destination.
_OWN_TIMES = f"""
    SELECT created_seq, seq, coalesce(request_timestamp_ms, time_ms) AS first_ms,
        coalesce(request_timestamp_ms, time_ms) AS last_ms
    FROM main.requests
    WHERE seq <= {{seq}} AND created_seq IS NOT NULL AND (
        NOT {_IMPORTED}
        OR seq = created_seq
            AND NOT EXISTS (SELECT * FROM main.imported_times AS t WHERE t.created_seq = seq)
    )
    UNION ALL
    SELECT created_seq, created_seq, first_seen_ms, last_stored_ms FROM main.imported_times
    WHERE created_seq <= {{seq}}
"""
_TIMES = f"""
    SELECT created_seq, min(first_ms) AS first_seen_ms, max(last_ms) AS last_stored_ms
    FROM (
        SELECT created_seq, first_ms, last_ms FROM ({_OWN_TIMES})
        UNION ALL
        SELECT destination_seq, first_ms, NULL
        FROM ({_OWN_TIMES}) AS own CROSS JOIN main.aliases
            ON source_seq = own.created_seq AND own.seq < aliases.seq
        WHERE aliases.seq <= {{seq}}
            AND NOT EXISTS (
                SELECT * FROM main.requests AS r WHERE r.seq = aliases.seq AND {_IMPORTED}
            )
    )
    GROUP BY created_seq
"""
_UP_TO = "SELECT * FROM main.{table} WHERE seq <= {seq}"

_VIEWS = {
    "profiles": _PROFILES.replace("{of_profile}", _OF_PROFILE),
    "holders": _HELD.replace("{of_profile}", ""),
    "profile_times": _TIMES,
    "attributes": _ATTRIBUTES,
    **{
        table: _UP_TO.replace("{table}", table)
        for table in ("events", "devices", "profile_states", "aliases", "batch_ids")
    },
}
"""What a query finds under the name of a table. Erasures are shown whenever they came."""


def held_in_order(seq: int) -> str:
    """What a profile `p` held, as SQL: a JSON list of the numbers of the identifiers, in order."""
    held = _HELD.format(seq=seq, of_profile=_OF_PROFILE)
    return f"""
        SELECT json_group_array(identifier_id)
        FROM (SELECT identifier_id FROM ({held}) ORDER BY added_seq, place)
    """


def look_back(transaction: Connected, seq: int) -> None:
    """Put views before the tables, in a transaction that reads, until it ends."""
    execute = transaction.connection.execute
    [is_read_only] = execute("PRAGMA query_only").fetchone()
    execute("PRAGMA query_only = OFF")  # which forbids temporary views, too
    try:
        for name, query in _VIEWS.items():
            execute(f"CREATE TEMP VIEW {name} AS {query.format(seq=seq)}")
    finally:
        execute(f"PRAGMA query_only = {is_read_only}")


def created_later(transaction: Connected, mpid: int) -> int | None:
    """The request that created a profile, if the store has it now, after the look back."""
    query = "SELECT created_seq FROM main.profiles WHERE mpid = ?"
    row = transaction.connection.execute(query, (mpid,)).fetchone()
    return None if row is None else int(row[0])


def count_imported_across(transaction: Connected, seq: int, mpid: int | None = None) -> int:
    """Of how many profiles, or of one, it is unknown what they held after a request.

    They came by an import that also brought something of later numbers.
    """
    of_profile = "TRUE" if mpid is None else f"mpid = {mpid}"
    [number] = transaction.connection.execute(
        f"""
        WITH came AS (SELECT seq, time_ms, created_seq FROM main.requests WHERE {_IMPORTED})
        SELECT count(*) FROM came JOIN main.profiles USING (created_seq)
        WHERE came.seq = created_seq AND came.seq <= ?1 AND {of_profile}
            AND time_ms IN (SELECT time_ms FROM came WHERE seq > ?1)
        """,
        (seq,),
    ).fetchone()
    return int(number)
