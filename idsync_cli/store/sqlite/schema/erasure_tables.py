"""The tables of erasures: what is kept of who was erased, and what an erasure has to name.

They are the only things here that speak of profiles that are gone (section 9, Erase).
"""

SUBJECT_REQUESTS = """
    CREATE TABLE subject_requests (    -- requests of OpenDSR; an id that was used stays used
        subject_request_id TEXT NOT NULL,
        type TEXT NOT NULL,            -- access, portability or erasure
        state TEXT NOT NULL,           -- pending, done or cancelled
        time_ms INTEGER NOT NULL,      -- when it came, in milliseconds since 1970, UTC
        due_ms INTEGER NOT NULL,       -- when it was carried out, or is to be
        mpid INTEGER,                  -- whose; of one that was erased there is none
        is_of_somebody INTEGER NOT NULL,  -- 0: when it came it fitted no profile
        workspace TEXT NOT NULL,       -- of one that came over HTTP; else ''
        group_id TEXT,
        checksum INTEGER NOT NULL,
        PRIMARY KEY (workspace, subject_request_id)
    ) STRICT, WITHOUT ROWID
    """

ERASURE_TABLES = (
    """
    CREATE TABLE erasures (            -- all that is kept of a profile that was erased
        mpid INTEGER PRIMARY KEY,      -- never given out again
        seq INTEGER NOT NULL UNIQUE,   -- the request that erased it
        scope TEXT NOT NULL,
        time_ms INTEGER NOT NULL,      -- when, in milliseconds since 1970, UTC
        request_id TEXT,
        last_replay INTEGER NOT NULL,  -- replays up to this one may hold lines from before it
        created_seq INTEGER,           -- the profile, only while its rows are being removed
        rewriting INTEGER NOT NULL,    -- the file was written anew so many times by then; 0: owed
        finished INTEGER NOT NULL,     -- 1 once the log is empty, too, so that no byte is left
        checksum INTEGER NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE kept_files (          -- files that may hold what is in the store
        path TEXT PRIMARY KEY,
        kind TEXT NOT NULL,            -- backup, output, recording or results
        checksum INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
    SUBJECT_REQUESTS,
    # Few strategies record a source, so that most profiles are not in it.
    """
    CREATE INDEX profiles_by_source ON profiles (source_mpid) WHERE source_mpid IS NOT NULL
    """,
)

IS_APPENDED_ONLY = "SELECT RAISE(ABORT, 'the history is only ever appended to')"


def append_only(table: str, condition: str) -> tuple[str, ...]:
    """The triggers that let nobody change what is in a table; an erasure may, where it has to.

    `condition` says of an erasure under way, a row of `erasures`, whether it is about the row OLD.
    """
    return tuple(
        f"""
        CREATE TRIGGER {table}_are_only_appended_{number} BEFORE {act} ON {table}
        WHEN NOT EXISTS (SELECT * FROM erasures WHERE created_seq NOT NULL AND ({condition}))
        BEGIN {IS_APPENDED_ONLY}; END
        """
        for number, act in enumerate(("UPDATE", "DELETE"), start=1)
    )
