"""The tables, by migrations. A store says which it is and how far it has been migrated.

Tables, columns and views bear the specification's words, for people who open the file with
sqlite-utils or Datasette.
"""

from sqlite_utils import Database, Migrations

migrations = Migrations("idsync")


@migrations()
def m001_kernel(db: Database) -> None:
    """Profiles, their identifiers, and what every request changed."""
    for statement in _KERNEL:
        db.execute(statement)


_KERNEL = (
    """
    CREATE TABLE store (            -- one row: what holds for the whole file
        id INTEGER PRIMARY KEY CHECK (id = 1),
        seed TEXT NOT NULL,         -- a decimal integer of any size; MPIDs follow from it
        last_seq INTEGER NOT NULL   -- the highest sequence number that was taken
    ) STRICT
    """,
    """
    CREATE TABLE scopes (
        scope_id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE
    ) STRICT
    """,
    """
    CREATE TABLE profiles (
        created_seq INTEGER PRIMARY KEY,
        mpid INTEGER NOT NULL UNIQUE,
        scope_id INTEGER NOT NULL REFERENCES scopes (scope_id),
        source_mpid INTEGER,
        was_known INTEGER NOT NULL  -- 1 once a request found or left it holding a login ID
    ) STRICT
    """,
    """
    CREATE TABLE identifiers (
        identifier_id INTEGER PRIMARY KEY,  -- ascending in the order in which they were added
        created_seq INTEGER NOT NULL REFERENCES profiles (created_seq),
        scope_id INTEGER NOT NULL REFERENCES scopes (scope_id),
        identity_type TEXT NOT NULL,
        value TEXT NOT NULL,
        added_seq INTEGER NOT NULL  -- the request that added it
    ) STRICT
    """,
    """
    CREATE UNIQUE INDEX identifiers_by_value
        ON identifiers (value, identity_type, scope_id, created_seq)
    """,
    "CREATE INDEX identifiers_by_profile ON identifiers (created_seq)",
    """
    CREATE TABLE requests (         -- every request, or imported profile, that changed the store
        seq INTEGER PRIMARY KEY,
        time_ms INTEGER NOT NULL,   -- when it was answered, in milliseconds since 1970, UTC
        type TEXT NOT NULL,
        scope_id INTEGER NOT NULL REFERENCES scopes (scope_id),
        mpid INTEGER NOT NULL,
        status TEXT NOT NULL,
        rule TEXT NOT NULL,
        identity_type TEXT,         -- the type that decided, for the rule identifier
        request_id TEXT,
        request_timestamp_ms INTEGER
    ) STRICT
    """,
    """
    CREATE TABLE changes (          -- every change of an identity record
        seq INTEGER NOT NULL REFERENCES requests (seq),
        place INTEGER NOT NULL,     -- the order within the request, from 1
        op TEXT NOT NULL,
        mpid INTEGER NOT NULL,
        identity_type TEXT NOT NULL,
        value TEXT NOT NULL,
        PRIMARY KEY (seq, place)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE rules (            -- what each scope was configured to when the store last changed
        scope TEXT PRIMARY KEY,
        rules TEXT NOT NULL         -- JSON; `config plan` sets a configuration against it
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE replays (          -- how far each replay of a file got
        replay_id INTEGER PRIMARY KEY,
        name TEXT NOT NULL,         -- the file, as it was found
        lines INTEGER NOT NULL,     -- what is done of it
        bytes INTEGER NOT NULL,
        digest TEXT NOT NULL,       -- BLAKE2b of those bytes
        answers_bytes INTEGER,      -- how long the file of answers is by then, if there is one
        answers_digest TEXT NOT NULL,
        finished INTEGER NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE replay_labels (    -- what labels stand for while a replay is unfinished
        replay_id INTEGER NOT NULL REFERENCES replays (replay_id),
        label TEXT NOT NULL,
        mpid INTEGER NOT NULL,
        PRIMARY KEY (replay_id, label)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE VIEW profile_identifiers AS
        SELECT mpid, name AS scope, identity_type, value, added_seq, was_known, created_seq,
            source_mpid
        FROM identifiers
        JOIN profiles USING (created_seq)
        JOIN scopes ON scopes.scope_id = profiles.scope_id
        ORDER BY created_seq, identifier_id
    """,
    """
    CREATE VIEW history AS
        SELECT seq, strftime('%Y-%m-%dT%H:%M:%fZ', time_ms / 1000.0, 'unixepoch') AS time,
            requests.type, name AS scope, op, changes.mpid, changes.identity_type, value,
            rule, requests.identity_type AS decided_by, request_id, request_timestamp_ms
        FROM changes
        JOIN requests USING (seq)
        JOIN scopes USING (scope_id)
        ORDER BY seq, place
    """,
    *(
        f"""
        CREATE TRIGGER {table}_are_only_appended_{number} BEFORE {act} ON {table}
        BEGIN SELECT RAISE(ABORT, 'the history is only ever appended to'); END
        """
        for table in ("requests", "changes")
        for number, act in enumerate(("UPDATE", "DELETE"), start=1)
    ),
    # REPLACE takes rows away without the trigger of a DELETE.
    """
    CREATE TRIGGER requests_are_not_replaced BEFORE INSERT ON requests
    WHEN EXISTS (SELECT * FROM requests WHERE seq = NEW.seq)
    BEGIN SELECT RAISE(ABORT, 'the history is only ever appended to'); END
    """,
    """
    CREATE TRIGGER changes_are_not_replaced BEFORE INSERT ON changes
    WHEN EXISTS (SELECT * FROM changes WHERE seq = NEW.seq AND place = NEW.place)
    BEGIN SELECT RAISE(ABORT, 'the history is only ever appended to'); END
    """,
)
