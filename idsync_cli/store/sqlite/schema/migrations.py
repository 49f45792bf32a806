"""Bringing a store of an earlier version of the schema up to date.

No release has written version 1; fixtures/store-v1 has such a store. Its tables are made again
beside the old ones, which `_TAKE_OVER` empties into them.
"""

from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from sqlite3 import Connection, IntegrityError
from struct import error as StructError  # noqa: N812 - `error` says too little
from typing import Any
from zlib import crc32

from sqlite_utils import Database, Migrations

from idsync_cli.store.sqlite.rows.checksums import (
    NO_ROW_OF_OURS,
    checksum,
    checksum_of_profile,
    checksum_of_request,
    identifier_hash,
)
from idsync_cli.store.sqlite.rows.packed_integers import pack_numbers
from idsync_cli.store.sqlite.schema.data_tables import DATA_TABLES, DATA_VIEWS
from idsync_cli.store.sqlite.schema.erasure_tables import ERASURE_TABLES, SUBJECT_REQUESTS
from idsync_cli.store.sqlite.schema.tables import (
    PAST_HOLDERS,
    PROFILES,
    RECORDED,
    REPLAY_OPTIONS,
    REQUESTS,
    TABLES,
    drop_views,
    fill_identity_types,
    make_views,
)

migrations = Migrations("idsync")


def migrate(connection: Connection) -> None:
    """Apply the migrations that a store lacks, within the transaction at hand."""
    migrations.apply(Database(connection, execute_plugins=False, recursive_triggers=False))
    connection.execute("UPDATE _sqlite_migrations SET applied_at = ''")  # as in a new store


@migrations()
def m002_interned(db: Database) -> None:
    """Each identifier once, found by a hash; everything else refers to it by its number.

    Rows that nothing else could vouch for get a checksum. What was there is taken over.
    """
    old = ("profiles", "identifiers", "requests", "changes", "rules", "replays", "replay_labels")
    for view in ("profile_identifiers", "history"):
        db.execute(f"DROP VIEW {view}")
    for table in (*old, "store", "scopes"):
        db.execute(f"ALTER TABLE {table} RENAME TO old_{table}")
    for statement in TABLES:
        db.execute(_PROFILES_OF_2 if statement is PROFILES else statement)
    for name, number, function in (
        ("checksum", -1, checksum),
        ("checksum_of_profile", 6, _checksum_of_profile_of_2),
        ("identifier_hash", 3, identifier_hash),
    ):
        db.conn.create_function(name, number, function, deterministic=True)
    fill_identity_types(db.conn)
    for statement in _TAKE_OVER:
        db.execute(statement)
    _take_over_requests(db)
    _check_that_all_was_taken_over(db)
    for table in (*reversed(old), "store", "scopes"):
        db.execute(f"DROP TABLE old_{table}")
    make_views(db.conn)


@migrations()
def m003_alias(db: Database) -> None:
    """The list of identifier types has become longer: it ends with `alias` (section 2)."""
    fill_identity_types(db.conn)


@migrations()
def m004_data(db: Database) -> None:
    """Section 9: tables for what batches bring and for erasures, and more of each profile.

    That is when it was first seen and last stored, and since which request it is known. A request
    may have been answered with a profile that was erased.
    """
    drop_views(db.conn)
    db.execute("PRAGMA legacy_alter_table = ON")  # else others would refer to what is dropped
    for table in ("profiles", "requests"):
        db.execute(f"ALTER TABLE {table} RENAME TO old_{table}")
    db.execute("PRAGMA legacy_alter_table = OFF")
    db.execute(REQUESTS)
    db.execute("INSERT INTO requests SELECT * FROM old_requests")
    db.execute("DROP TABLE old_requests")
    db.execute(PROFILES)
    db.conn.create_function("new_checksum", 10, _new_checksum, deterministic=True)
    db.execute(_TAKE_OVER_PROFILES)
    db.execute("DROP TABLE old_profiles")
    for statement in (*DATA_TABLES, *ERASURE_TABLES):
        db.execute(statement)
    make_views(db.conn)
    for statement in DATA_VIEWS:
        db.execute(statement)


_PROFILES_OF_2 = """
    CREATE TABLE profiles (
        created_seq INTEGER PRIMARY KEY,
        mpid INTEGER NOT NULL UNIQUE,
        scope_id INTEGER NOT NULL REFERENCES scopes (scope_id),
        source_mpid INTEGER,
        was_known INTEGER NOT NULL,
        types INTEGER NOT NULL,
        checksum INTEGER NOT NULL
    ) STRICT
"""


def _checksum_of_profile_of_2(
    created_seq: int, mpid: int, scope_id: int, source_mpid: int | None, was_known: int, types: int
) -> int:
    """The sum of a row of `profiles` before schema 4."""
    source = (0, 0) if source_mpid is None else (1, source_mpid)
    try:
        return crc32(pack_numbers((created_seq, mpid, scope_id, *source, was_known, types)))
    except StructError:
        return NO_ROW_OF_OURS


def _new_checksum(old_sum: int, was_known: int, *row: Any) -> int:
    """The sum of a row of `profiles` that was taken over; a wrong one stays wrong, for doctor."""
    created_seq, mpid, scope_id, source_mpid, _, types, _, _ = row
    sum_of_it = _checksum_of_profile_of_2(
        created_seq, mpid, scope_id, source_mpid, was_known, types
    )
    return checksum_of_profile(*row) if old_sum == sum_of_it else NO_ROW_OF_OURS


# Since when a profile is known: the first request that left it holding a login ID by the rules that
# the store was last used with. If none did, or it was imported, it is taken to be known from its
# beginning: what was a known user's must not look like an anonymous one's.
_TAKE_OVER_PROFILES = """
    INSERT INTO profiles
    SELECT created_seq, mpid, scope_id, source_mpid, known_seq, types, first, last,
        new_checksum(
            checksum, was_known, created_seq, mpid, scope_id, source_mpid, known_seq, types, first,
            last
        )
    FROM (
        SELECT old_profiles.*,
            iif(was_known, coalesce(login_seq, old_profiles.created_seq), 0) AS known_seq
        FROM old_profiles
        LEFT JOIN (
            SELECT changes.created_seq AS holder,
                iif(outcomes.type = 'import', changes.created_seq, min(changes.seq)) AS login_seq
            FROM changes
            JOIN requests AS beginning ON beginning.seq = changes.created_seq
            JOIN outcomes USING (outcome_id)
            JOIN identifiers USING (identifier_id)
            JOIN scopes ON scopes.scope_id = identifiers.scope_id
            WHERE op > 0 AND login_types & (1 << identity_type_id)
            GROUP BY changes.created_seq
        ) ON holder = old_profiles.created_seq
    )
    LEFT JOIN (
        SELECT created_seq, min(time) AS first, max(time) AS last
        FROM (
            SELECT created_seq, coalesce(request_timestamp_ms, time_ms) AS time FROM requests
        )
        GROUP BY created_seq
    ) USING (created_seq)
    ORDER BY created_seq
"""


@migrations()
def m005_past_holders(db: Database) -> None:
    """Who once held an identifier is read of a table of its own, and not of all changes."""
    if "past_holders" not in db.table_names():  # else the second migration has just made it
        for statement in PAST_HOLDERS:
            db.execute(statement)
    db.execute(_PAST_HOLDERS)


_PAST_HOLDERS = """
    INSERT INTO past_holders
    SELECT created_seq, added_seq, added_place, identifier_id, seq, place
    FROM (SELECT *, lag(seq) OVER life AS added_seq, lag(place) OVER life AS added_place
        FROM changes
        WINDOW life AS (PARTITION BY created_seq, identifier_id ORDER BY seq, place))
    WHERE op < 0 AND added_seq IS NOT NULL
"""


@migrations()
def m006_recorded(db: Database) -> None:
    """A table for what recorded MPIDs stand for (section 12)."""
    for statement in RECORDED:
        db.execute(statement)


@migrations()
def m007_replay_options(db: Database) -> None:
    """A table for what replays were started with (section 12: a map holds over resumptions)."""
    for statement in REPLAY_OPTIONS:
        db.execute(statement)


@migrations()
def m008_ids_of_workspaces(db: Database) -> None:
    """Each workspace has its own ids of data subjects' requests; those of no workspace, one too."""
    db.conn.create_function("checksum", -1, checksum, deterministic=True)
    db.execute("ALTER TABLE subject_requests RENAME TO old_subject_requests")
    db.execute(SUBJECT_REQUESTS)
    db.execute(_SUBJECT_REQUESTS)
    db.execute("DROP TABLE old_subject_requests")


_SUBJECT_REQUEST = """
    subject_request_id, type, state, time_ms, due_ms, mpid, is_of_somebody, {workspace}, group_id
"""
_WAS, _IS = (
    _SUBJECT_REQUEST.format(workspace=each) for each in ("workspace", "coalesce(workspace, '')")
)
_SUBJECT_REQUESTS = f"""
    INSERT INTO subject_requests
    SELECT {_IS}, iif(checksum = checksum({_WAS}), checksum({_IS}), {NO_ROW_OF_OURS})
    FROM old_subject_requests
"""


_TYPE_ID = "(SELECT identity_type_id FROM identity_types WHERE name = {}.identity_type)"
_IDENTIFIER_ID = f"""(
    SELECT identifier_id FROM identifier_hashes JOIN identifiers USING (identifier_id)
    WHERE hash = identifier_hash(own.scope_id, {_TYPE_ID.format("was")}, was.value)
        AND identifiers.value = was.value
)"""

_TAKE_OVER = (
    "INSERT INTO store SELECT id, seed, last_seq, checksum(seed, last_seq) FROM old_store",
    # Which types make known is what the rules say that the store was last used with. If they are
    # others by now, the first request brings `holders` up to date.
    """
    INSERT INTO scopes
    SELECT scope_id, name, bits, checksum(scope_id, name, bits)
    FROM (SELECT *, coalesce((SELECT sum(1 << identity_type_id)
            FROM old_rules, json_each(rules, '$.identities') AS setting
            JOIN identity_types ON identity_types.name = setting.key
            WHERE scope = old_scopes.name AND json_extract(rules, '$.strategy.logins')
                AND EXISTS (SELECT * FROM json_each(setting.value) AS word
                    WHERE word.value = 'login')), 0) AS bits
        FROM old_scopes)
    """,
    f"""
    INSERT INTO profiles
    SELECT created_seq, mpid, scope_id, source_mpid, was_known, types,
        checksum_of_profile(created_seq, mpid, scope_id, source_mpid, was_known, types)
    FROM (SELECT *, coalesce((SELECT sum(DISTINCT 1 << {_TYPE_ID.format("held")})
            FROM old_identifiers AS held
            WHERE held.created_seq = old_profiles.created_seq), 0) AS types
        FROM old_profiles)
    """,
    f"""
    INSERT INTO identifiers
    SELECT row_number() OVER (ORDER BY min(seq), min(place)), scope_id, type_id, value
    FROM (
        SELECT seq, place, scope_id, {_TYPE_ID.format("was")} AS type_id, value
        FROM old_changes AS was JOIN old_profiles USING (mpid)
        UNION ALL
        SELECT added_seq, identifier_id, scope_id, {_TYPE_ID.format("was")}, value
        FROM old_identifiers AS was
    )
    GROUP BY scope_id, type_id, value
    """,
    """
    INSERT INTO identifier_hashes
    SELECT identifier_hash(scope_id, identity_type_id, value), identifier_id FROM identifiers
    """,
    f"""
    INSERT INTO holders
    SELECT {_IDENTIFIER_ID}, own.was_known OR own.types & login_types != 0, created_seq,
        {_TYPE_ID.format("was")}, added_seq,
        coalesce(
            (SELECT max(place) FROM old_changes AS change
                WHERE change.seq = was.added_seq AND change.mpid = own.mpid AND op = 'add'
                    AND change.identity_type = was.identity_type AND change.value = was.value),
            row_number() OVER (PARTITION BY created_seq, added_seq ORDER BY was.identifier_id)
        )
    FROM old_identifiers AS was
    JOIN profiles AS own USING (created_seq)
    JOIN scopes ON scopes.scope_id = own.scope_id
    """,
    f"""
    INSERT INTO changes
    SELECT seq, place, iif(op = 'add', 1, -1), own.created_seq, {_IDENTIFIER_ID}
    FROM old_changes AS was JOIN profiles AS own USING (mpid)
    """,
    """
    INSERT INTO outcomes
    SELECT row_number() OVER (ORDER BY min(seq)), scope_id, type, status, rule, identity_type, 0
    FROM old_requests GROUP BY scope_id, type, status, rule, identity_type
    """,
    """
    UPDATE outcomes
    SET checksum = checksum(outcome_id, scope_id, type, status, rule, identity_type)
    """,
    "INSERT INTO rules SELECT scope, rules, checksum(scope, rules) FROM old_rules",
    """
    INSERT INTO replays
    SELECT *, checksum(name, lines, bytes, digest, answers_bytes, answers_digest, finished)
    FROM old_replays
    """,
    """
    INSERT INTO replay_labels SELECT *, checksum(replay_id, label, mpid) FROM old_replay_labels
    """,
)


_OLD_REQUESTS = """
    SELECT seq, time_ms, outcome_id, profiles.created_seq, request_id, request_timestamp_ms
    FROM old_requests AS was
    CROSS JOIN profiles ON profiles.mpid = was.mpid
    CROSS JOIN outcomes ON outcomes.scope_id = was.scope_id AND outcomes.type = was.type
        AND outcomes.status = was.status AND outcomes.rule = was.rule
        AND outcomes.identity_type IS was.identity_type
    ORDER BY seq
"""


def _take_over_requests(db: Database) -> None:
    """Take over the requests, each with a checksum of itself and of its changes."""
    changes = groupby(
        db.execute(
            "SELECT seq, place, op, created_seq, identifier_id FROM changes ORDER BY seq, place"
        ),
        key=itemgetter(0),
    )
    seq_of_next, its_changes = next(changes, _NO_CHANGES)

    def summed_up(row: tuple[int | str | None, ...]) -> tuple[int | str | None, ...]:
        nonlocal seq_of_next, its_changes
        made: tuple[Any, ...] = ()
        if row[0] == seq_of_next:
            made = tuple(change[1:] for change in its_changes)
            seq_of_next, its_changes = next(changes, _NO_CHANGES)
        return *row, checksum_of_request(row, made)

    db.conn.executemany(
        "INSERT INTO requests VALUES (?, ?, ?, ?, ?, ?, ?)",
        map(summed_up, db.execute(_OLD_REQUESTS)),
    )


_NO_CHANGES: tuple[int, Iterator[tuple[int, ...]]] = (-1, iter(()))


def _check_that_all_was_taken_over(db: Database) -> None:
    """See whether as many rows came as there were: one without its profile would be left behind."""
    for new, old in (("holders", "identifiers"), ("requests", "requests"), ("changes", "changes")):
        [[came, were]] = db.execute(
            f"SELECT (SELECT count(*) FROM {new}), (SELECT count(*) FROM old_{old})"
        )
        if came != were:
            raise IntegrityError(f"of {were} rows of the table {old}, {came} refer to a profile")
