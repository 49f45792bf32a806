"""The tables of replays: how far each file got, and what is known beside the store until then.

They are no part of the contract of a store (`store/api.py`).
"""

REPLAYS = (
    """
    CREATE TABLE replays (             -- how far each replay of a file got
        replay_id INTEGER PRIMARY KEY,
        name TEXT NOT NULL,            -- the file, as it was found
        lines INTEGER NOT NULL,        -- what is done of it
        bytes INTEGER NOT NULL,
        digest TEXT NOT NULL,          -- BLAKE2b of those bytes
        answers_bytes INTEGER,         -- how long the file of answers is by then, if there is one
        answers_digest TEXT NOT NULL,
        finished INTEGER NOT NULL,
        checksum INTEGER NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE replay_labels (       -- what labels stand for while a replay is unfinished
        replay_id INTEGER NOT NULL REFERENCES replays (replay_id),
        label TEXT NOT NULL,
        mpid INTEGER NOT NULL,
        checksum INTEGER NOT NULL,
        PRIMARY KEY (replay_id, label)
    ) STRICT, WITHOUT ROWID
    """,
)

RECORDED = (
    """
    CREATE TABLE recorded_mpids (      -- what MPIDs that another system recorded stand for
        recorded INTEGER PRIMARY KEY,
        mpid INTEGER NOT NULL,
        checksum INTEGER NOT NULL
    ) STRICT
    """,
    """
    CREATE INDEX recorded_mpids_by_mpid ON recorded_mpids (mpid)
    """,
)
"""What the latest replay that maps MPIDs, resumptions included, has found (section 12)."""

REPLAY_OPTIONS = (
    """
    CREATE TABLE replay_options (      -- what a replay was started with, and has to go on with
        replay_id INTEGER NOT NULL REFERENCES replays (replay_id),
        name TEXT NOT NULL,            -- enrich, map_mpids
        checksum INTEGER NOT NULL,
        PRIMARY KEY (replay_id, name)
    ) STRICT, WITHOUT ROWID
    """,
)
