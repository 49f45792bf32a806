"""The tables of section 9: what batches brought to profiles.

What a profile had after any earlier request can be told: attributes by their changes, and of each
device and each state the last row up to that request says how it was.
"""

from idsync_cli.store.sqlite.schema.erasure_tables import IS_APPENDED_ONLY, append_only

DATA_TABLES = (
    """
    CREATE TABLE events (
        event_id INTEGER PRIMARY KEY,
        created_seq INTEGER NOT NULL REFERENCES profiles (created_seq),  -- whose it is
        seq INTEGER NOT NULL,          -- the request that brought it to the profile
        place INTEGER NOT NULL,        -- its place in that one, from 1
        time_ms INTEGER NOT NULL,      -- when it happened, in milliseconds since 1970, UTC
        event_type TEXT NOT NULL,
        name TEXT,
        event TEXT NOT NULL,           -- all of it as JSON: {"event_type", "data"}
        checksum INTEGER NOT NULL
    ) STRICT
    """,
    """
    CREATE INDEX events_by_profile ON events (created_seq, time_ms)
    """,
    """
    CREATE TABLE attributes (          -- what profiles have by now
        created_seq INTEGER NOT NULL REFERENCES profiles (created_seq),
        name TEXT NOT NULL,
        value TEXT NOT NULL,           -- JSON; null is a tag
        seq INTEGER NOT NULL,          -- the request that set it
        checksum INTEGER NOT NULL,
        PRIMARY KEY (created_seq, name)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE attribute_changes (   -- every change; one that is set as it was has not changed
        seq INTEGER NOT NULL,
        place INTEGER NOT NULL,        -- the order within the request, from 1
        created_seq INTEGER NOT NULL REFERENCES profiles (created_seq),
        name TEXT NOT NULL,
        op TEXT NOT NULL,              -- set or delete
        value TEXT,                    -- JSON; of one that was deleted there is none
        checksum INTEGER NOT NULL,
        PRIMARY KEY (seq, place)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE devices (             -- what was said of a device, whenever that was something new
        created_seq INTEGER NOT NULL REFERENCES profiles (created_seq),
        identity_type TEXT NOT NULL,   -- what identifies it; both are empty where nothing does
        value TEXT NOT NULL,
        seq INTEGER NOT NULL,          -- the request that said so
        info TEXT NOT NULL,            -- a JSON object of device_info, ip and the like
        checksum INTEGER NOT NULL,
        PRIMARY KEY (created_seq, identity_type, value, seq)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE profile_states (      -- consent and the like, as they were from a request on
        created_seq INTEGER NOT NULL REFERENCES profiles (created_seq),
        seq INTEGER NOT NULL,
        consent_state TEXT,            -- a JSON object
        is_opted_out INTEGER NOT NULL,
        attribution TEXT,              -- a JSON object: where the app was installed from
        checksum INTEGER NOT NULL,
        PRIMARY KEY (created_seq, seq)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE aliases (             -- what a profile did in a window is another's, too
        seq INTEGER PRIMARY KEY,       -- the request that said so
        source_seq INTEGER NOT NULL REFERENCES profiles (created_seq),
        destination_seq INTEGER NOT NULL REFERENCES profiles (created_seq),
        start_ms INTEGER NOT NULL,     -- both ends belong to the window
        end_ms INTEGER NOT NULL,
        checksum INTEGER NOT NULL
    ) STRICT
    """,
    """
    CREATE INDEX aliases_by_source ON aliases (source_seq)
    """,
    """
    CREATE INDEX aliases_by_destination ON aliases (destination_seq)
    """,
    """
    CREATE TABLE batch_ids (           -- of batches that were carried out
        digest BLOB PRIMARY KEY,       -- of the source_request_id and the workspace, under a key
        seq INTEGER NOT NULL,
        created_seq INTEGER,           -- the profile of the answer, unless it was erased
        checksum INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
)

DATA_VIEWS = (
    """
    CREATE VIEW profile_events AS
        SELECT mpid, scopes.name AS scope,
            strftime('%Y-%m-%dT%H:%M:%fZ', time_ms / 1000.0, 'unixepoch') AS time,
            event_type, events.name, event, seq, place, created_seq
        FROM events
        JOIN profiles USING (created_seq)
        JOIN scopes USING (scope_id)
    """,
    """
    CREATE VIEW profile_attributes AS
        SELECT mpid, scopes.name AS scope, attributes.name, json_extract(value, '$') AS value, seq,
            created_seq
        FROM attributes
        JOIN profiles USING (created_seq)
        JOIN scopes USING (scope_id)
        ORDER BY created_seq, attributes.name
    """,
    """
    CREATE VIEW profile_devices AS
        SELECT mpid, scopes.name AS scope, nullif(identity_type, '') AS identity_type,
            nullif(value, '') AS value, info, seq, created_seq
        FROM devices AS device
        JOIN profiles USING (created_seq)
        JOIN scopes USING (scope_id)
        WHERE seq = (
            SELECT max(seq) FROM devices AS later
            WHERE later.created_seq = device.created_seq
                AND later.identity_type = device.identity_type AND later.value = device.value
        )
        ORDER BY created_seq, seq
    """,
    """
    CREATE VIEW profile_aliases AS
        SELECT seq, source.mpid AS source_mpid, destination.mpid AS destination_mpid,
            scopes.name AS scope,
            strftime('%Y-%m-%dT%H:%M:%fZ', start_ms / 1000.0, 'unixepoch') AS start,
            strftime('%Y-%m-%dT%H:%M:%fZ', end_ms / 1000.0, 'unixepoch') AS "end"
        FROM aliases
        JOIN profiles AS source ON source.created_seq = source_seq
        JOIN profiles AS destination ON destination.created_seq = destination_seq
        JOIN scopes ON scopes.scope_id = source.scope_id
        ORDER BY seq
    """,
    """
    CREATE VIEW attribute_history AS
        SELECT seq, strftime('%Y-%m-%dT%H:%M:%fZ', requests.time_ms / 1000.0, 'unixepoch') AS time,
            scopes.name AS scope, op, mpid, change.name, json_extract(value, '$') AS value,
            request_id, request_timestamp_ms
        FROM attribute_changes AS change
        JOIN profiles USING (created_seq)
        JOIN scopes USING (scope_id)
        LEFT JOIN requests USING (seq)
        ORDER BY seq, place
    """,
    *append_only("attribute_changes", "created_seq = OLD.created_seq"),
    # REPLACE takes rows away without the trigger of a DELETE.
    f"""
    CREATE TRIGGER attribute_changes_are_not_replaced BEFORE INSERT ON attribute_changes
    WHEN EXISTS (SELECT * FROM attribute_changes WHERE seq = NEW.seq AND place = NEW.place)
    BEGIN {IS_APPENDED_ONLY}; END
    """,
)
