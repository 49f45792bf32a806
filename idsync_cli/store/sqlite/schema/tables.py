"""The tables of a store: profiles, their identifiers, and what requests changed of them.

What section 9 adds stands in `data_tables.py` and `erasure_tables.py`, how far replays got in
`replay_tables.py`.

Tables, columns and views have the names of the specification, for people who open the file with
sqlite-utils or Datasette. With any change here comes a migration that gives older stores exactly
the same (`migrations.py`), and another version in `lifecycle/header.py`.
"""

from sqlite3 import Connection

from idsync_cli.core.identity import TYPE_ORDER
from idsync_cli.store.sqlite.schema.data_tables import DATA_TABLES, DATA_VIEWS
from idsync_cli.store.sqlite.schema.erasure_tables import (
    ERASURE_TABLES,
    IS_APPENDED_ONLY,
    append_only,
)
from idsync_cli.store.sqlite.schema.replay_tables import RECORDED, REPLAY_OPTIONS, REPLAYS

MIGRATIONS = (
    *("m001_kernel", "m002_interned", "m003_alias", "m004_data", "m005_past_holders"),
    *("m006_recorded", "m007_replay_options", "m008_ids_of_workspaces"),
)
"""The migrations that led here, in their order; a new store counts as having gone through them."""


def make_schema(connection: Connection) -> None:
    """Create the tables in an empty file, within the transaction at hand."""
    for statement in (
        *(*_MIGRATIONS_TABLE, *TABLES, *RECORDED, *REPLAY_OPTIONS),
        *(*DATA_TABLES, *ERASURE_TABLES),
    ):
        connection.execute(statement)
    make_views(connection)
    for statement in DATA_VIEWS:
        connection.execute(statement)
    connection.executemany(
        # When it was is kept nowhere: no checksum could vouch for it, and nothing reads it.
        "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('idsync', ?, '')",
        [(name,) for name in MIGRATIONS],
    )
    fill_identity_types(connection)


def make_views(connection: Connection) -> None:
    """Create what depends on the tables: views for people, and triggers that guard the history."""
    for statement in (*_VIEWS, *_APPEND_ONLY):
        connection.execute(statement)


def drop_views(connection: Connection) -> None:
    """Take down what `make_views` makes, as far as it is there."""
    for statement in (*_VIEWS, *_APPEND_ONLY):
        _, kind, name, *_ = statement.split()
        connection.execute(f"DROP {kind} IF EXISTS {name}")


def fill_identity_types(connection: Connection) -> None:
    """Give each type that has none yet its number, which is its place in section 2."""
    connection.executemany(
        "INSERT OR IGNORE INTO identity_types VALUES (?, ?)",
        [(number, kind.value) for kind, number in TYPE_ORDER.items()],
    )


# As sqlite-utils writes it, which keeps there what was applied.
_MIGRATIONS_TABLE = (
    """CREATE TABLE "_sqlite_migrations" (
   "id" INTEGER PRIMARY KEY,
   "migration_set" TEXT,
   "name" TEXT,
   "applied_at" TEXT
)""",
    """CREATE UNIQUE INDEX "idx__sqlite_migrations_migration_set_name"
    ON "_sqlite_migrations" ("migration_set", "name")""",
)

PROFILES = """
    CREATE TABLE profiles (
        created_seq INTEGER PRIMARY KEY,
        mpid INTEGER NOT NULL UNIQUE,
        scope_id INTEGER NOT NULL REFERENCES scopes (scope_id),
        source_mpid INTEGER,
        known_seq INTEGER NOT NULL,    -- the request that first found or left it holding a login ID
        types INTEGER NOT NULL,        -- a bit for each identity_type_id of which it holds a value
        first_seen_ms INTEGER,         -- the earliest and the latest own time, or else the clock's,
        last_stored_ms INTEGER,        -- of the requests that were answered with it and changed it
        checksum INTEGER NOT NULL
    ) STRICT
    """

REQUESTS = """
    CREATE TABLE requests (            -- every request, or imported profile, that changed the store
        seq INTEGER PRIMARY KEY,
        time_ms INTEGER NOT NULL,      -- when it was answered, in milliseconds since 1970, UTC
        outcome_id INTEGER NOT NULL REFERENCES outcomes (outcome_id),
        created_seq INTEGER REFERENCES profiles (created_seq),  -- of the answer; none once erased
        request_id TEXT,
        request_timestamp_ms INTEGER,
        checksum INTEGER NOT NULL      -- of this row and of its changes
    ) STRICT
    """

PAST_HOLDERS = (
    """
    CREATE TABLE past_holders (        -- who once held an identifier: all but the change that took
        created_seq INTEGER NOT NULL REFERENCES profiles (created_seq),
        added_seq INTEGER NOT NULL,    -- it away could be read in `holders` before
        added_place INTEGER NOT NULL,
        identifier_id INTEGER NOT NULL REFERENCES identifiers (identifier_id),
        removed_seq INTEGER NOT NULL,
        removed_place INTEGER NOT NULL,
        PRIMARY KEY (created_seq, added_seq, added_place)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE INDEX past_holders_by_identifier
        ON past_holders (identifier_id, added_seq, added_place, removed_seq, removed_place)
    """,
)
"""The history of what is held no more: with it, `changes` needs no index by who or what."""

TABLES = (
    """
    CREATE TABLE store (            -- one row: what holds for the whole file
        id INTEGER PRIMARY KEY CHECK (id = 1),
        seed TEXT NOT NULL,         -- a decimal integer of any size; MPIDs follow from it
        last_seq INTEGER NOT NULL,  -- the highest sequence number that was taken
        checksum INTEGER NOT NULL   -- as in every table that has one: rows/checksums.py
    ) STRICT
    """,
    """
    CREATE TABLE identity_types (
        identity_type_id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE
    ) STRICT
    """,
    """
    CREATE TABLE scopes (
        scope_id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        login_types INTEGER NOT NULL,  -- a bit for each identity_type_id that makes known now
        checksum INTEGER NOT NULL
    ) STRICT
    """,
    PROFILES,
    """
    CREATE TABLE identifiers (         -- every identifier once, also those that nobody holds now
        identifier_id INTEGER PRIMARY KEY,
        scope_id INTEGER NOT NULL REFERENCES scopes (scope_id),
        identity_type_id INTEGER NOT NULL REFERENCES identity_types (identity_type_id),
        value TEXT NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE identifier_hashes (   -- vouches for the values, too
        hash INTEGER NOT NULL,
        identifier_id INTEGER NOT NULL REFERENCES identifiers (identifier_id),
        PRIMARY KEY (hash, identifier_id)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE holders (             -- who holds an identifier: a range for the known ones,
        identifier_id INTEGER NOT NULL REFERENCES identifiers (identifier_id),
        known INTEGER NOT NULL,        -- and one for the anonymous, each in order of creation
        created_seq INTEGER NOT NULL REFERENCES profiles (created_seq),
        identity_type_id INTEGER NOT NULL,
        added_seq INTEGER NOT NULL,    -- the request that added it, or the import
        place INTEGER NOT NULL,        -- and its place among what that one changed
        PRIMARY KEY (identifier_id, known, created_seq)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE INDEX holders_by_profile
        ON holders (created_seq, identity_type_id, added_seq, place)
    """,
    """
    CREATE TABLE outcomes (            -- every way in which a request was answered, once
        outcome_id INTEGER PRIMARY KEY,
        scope_id INTEGER NOT NULL REFERENCES scopes (scope_id),
        type TEXT NOT NULL,
        status TEXT NOT NULL,
        rule TEXT NOT NULL,
        identity_type TEXT,            -- the type that decided, for the rule identifier
        checksum INTEGER NOT NULL
    ) STRICT
    """,
    REQUESTS,
    """
    CREATE TABLE changes (             -- every change of an identity record
        seq INTEGER NOT NULL REFERENCES requests (seq),
        place INTEGER NOT NULL,        -- the order within the request, from 1
        op INTEGER NOT NULL,           -- 1 adds, -1 removes
        created_seq INTEGER NOT NULL REFERENCES profiles (created_seq),
        identifier_id INTEGER NOT NULL REFERENCES identifiers (identifier_id),
        PRIMARY KEY (seq, place)
    ) STRICT, WITHOUT ROWID
    """,
    *PAST_HOLDERS,
    """
    CREATE TABLE rules (               -- what each scope was configured to at the last change
        scope TEXT PRIMARY KEY,
        rules TEXT NOT NULL,           -- JSON; `config plan` sets a configuration against it
        checksum INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
    *REPLAYS,
)

_VIEWS = (
    """
    CREATE VIEW profile_identifiers AS
        SELECT mpid, scopes.name AS scope, identity_types.name AS identity_type, value, added_seq,
            known_seq != 0 AS was_known, created_seq, source_mpid
        FROM profiles
        JOIN holders USING (created_seq)
        JOIN identifiers USING (identifier_id)
        JOIN identity_types ON identity_types.identity_type_id = identifiers.identity_type_id
        JOIN scopes ON scopes.scope_id = profiles.scope_id
        ORDER BY created_seq, added_seq, place
    """,
    """
    CREATE VIEW history AS
        SELECT seq, strftime('%Y-%m-%dT%H:%M:%fZ', time_ms / 1000.0, 'unixepoch') AS time,
            outcomes.type, scopes.name AS scope, iif(op > 0, 'add', 'remove') AS op, mpid,
            identity_types.name AS identity_type, nullif(value, '') AS value, rule,
            outcomes.identity_type AS decided_by, request_id, request_timestamp_ms,
            value = '' AS erased
        FROM changes
        JOIN requests USING (seq)
        JOIN outcomes USING (outcome_id)
        JOIN scopes USING (scope_id)
        JOIN profiles ON profiles.created_seq = changes.created_seq
        JOIN identifiers USING (identifier_id)
        JOIN identity_types ON identity_types.identity_type_id = identifiers.identity_type_id
        ORDER BY seq, place
    """,
    """
    CREATE VIEW erasure_history AS
        SELECT seq, strftime('%Y-%m-%dT%H:%M:%fZ', time_ms / 1000.0, 'unixepoch') AS time,
            scope, mpid, request_id, finished
        FROM erasures ORDER BY seq
    """,
)
_APPEND_ONLY = (
    # Of a request that changed others, too, a part stays; changes stay or go as they are.
    *append_only("requests", "TRUE"),
    *append_only("changes", "created_seq = OLD.created_seq"),
    # REPLACE takes rows away without the trigger of a DELETE.
    f"""
    CREATE TRIGGER requests_are_not_replaced BEFORE INSERT ON requests
    WHEN EXISTS (SELECT * FROM requests WHERE seq = NEW.seq)
    BEGIN {IS_APPENDED_ONLY}; END
    """,
    f"""
    CREATE TRIGGER changes_are_not_replaced BEFORE INSERT ON changes
    WHEN EXISTS (SELECT * FROM changes WHERE seq = NEW.seq AND place = NEW.place)
    BEGIN {IS_APPENDED_ONLY}; END
    """,
)
