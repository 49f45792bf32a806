"""Bringing a store of an earlier version of the schema up to date.

No release has written version 1; fixtures/store-v1 has such a store. Its tables are made again
beside the old ones, which `version_1.py` empties into them.
"""

from sqlite3 import Connection
from struct import error as StructError  # noqa: N812 - `error` says too little
from typing import Any
from zlib import crc32

from sqlite_utils import Database, Migrations

from idsync_cli.store.sqlite.rows.checksums import (
    NO_ROW_OF_OURS,
    checksum,
    checksum_of_profile,
    identifier_hash,
)
from idsync_cli.store.sqlite.rows.packed_integers import pack_numbers
from idsync_cli.store.sqlite.schema.data_tables import DATA_TABLES, DATA_VIEWS
from idsync_cli.store.sqlite.schema.erasure_tables import ERASURE_TABLES, SUBJECT_REQUESTS
from idsync_cli.store.sqlite.schema.replay_tables import RECORDED, REPLAY_OPTIONS
from idsync_cli.store.sqlite.schema.tables import (
    PAST_HOLDERS,
    PROFILES,
    REQUESTS,
    TABLES,
    drop_views,
    fill_identity_types,
    make_views,
)
from idsync_cli.store.sqlite.schema.version_1 import take_over

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
    take_over(db)
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
