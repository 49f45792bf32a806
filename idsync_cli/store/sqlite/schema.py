"""The tables, by migrations. A store says which it is and how far it has been migrated.

Tables, columns and views bear the specification's words, for people who open the file with
sqlite-utils or Datasette.
"""

from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from sqlite3 import Connection, IntegrityError
from typing import Any

from sqlite_utils import Database, Migrations

from idsync_cli.core.identity import TYPE_ORDER
from idsync_cli.store.sqlite.rows.checksums import (
    checksum,
    checksum_of_profile,
    checksum_of_request,
    identifier_hash,
)

migrations = Migrations("idsync")


def migrate(connection: Connection) -> None:
    """Apply the migrations that a store lacks, within the transaction at hand."""
    migrations.apply(Database(connection, execute_plugins=False, recursive_triggers=False))
    # When it was is kept nowhere: no checksum could vouch for it, and nothing reads it.
    connection.execute("UPDATE _sqlite_migrations SET applied_at = ''")


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
    for statement in _INTERNED:
        db.execute(statement)
    for name, number, function in (
        ("checksum", -1, checksum),
        ("checksum_of_profile", 6, checksum_of_profile),
        ("identifier_hash", 3, identifier_hash),
    ):
        db.conn.create_function(name, number, function, deterministic=True)
    _name_identity_types(db)
    for statement in _TAKE_OVER:
        db.execute(statement)
    _take_over_requests(db)
    _check_that_all_was_taken_over(db)
    for table in (*reversed(old), "store", "scopes"):
        db.execute(f"DROP TABLE old_{table}")
    for statement in (*_VIEWS, *_APPEND_ONLY):
        db.execute(statement)


@migrations()
def m003_alias(db: Database) -> None:
    """The list of identifier types has become longer: it ends with `alias` (section 2)."""
    _name_identity_types(db)


def _name_identity_types(db: Database) -> None:
    """Name the identifier types that the store does not name yet; their numbers never change."""
    db.conn.executemany(
        "INSERT OR IGNORE INTO identity_types VALUES (?, ?)",
        [(place, kind.value) for kind, place in TYPE_ORDER.items()],
    )


_INTERNED = (
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
    """
    CREATE TABLE profiles (
        created_seq INTEGER PRIMARY KEY,
        mpid INTEGER NOT NULL UNIQUE,
        scope_id INTEGER NOT NULL REFERENCES scopes (scope_id),
        source_mpid INTEGER,
        was_known INTEGER NOT NULL,    -- 1 once a request found or left it holding a login ID
        types INTEGER NOT NULL,        -- a bit for each identity_type_id of which it holds a value
        checksum INTEGER NOT NULL
    ) STRICT
    """,
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
    """
    CREATE TABLE requests (            -- every request, or imported profile, that changed the store
        seq INTEGER PRIMARY KEY,
        time_ms INTEGER NOT NULL,      -- when it was answered, in milliseconds since 1970, UTC
        outcome_id INTEGER NOT NULL REFERENCES outcomes (outcome_id),
        created_seq INTEGER NOT NULL REFERENCES profiles (created_seq),  -- of the answer
        request_id TEXT,
        request_timestamp_ms INTEGER,
        checksum INTEGER NOT NULL      -- of this row and of its changes
    ) STRICT
    """,
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
    """
    CREATE TABLE rules (               -- what each scope was configured to at the last change
        scope TEXT PRIMARY KEY,
        rules TEXT NOT NULL,           -- JSON; `config plan` sets a configuration against it
        checksum INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
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


_VIEWS = (
    """
    CREATE VIEW profile_identifiers AS
        SELECT mpid, scopes.name AS scope, identity_types.name AS identity_type, value, added_seq,
            was_known, created_seq, source_mpid
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
            identity_types.name AS identity_type, value, rule,
            outcomes.identity_type AS decided_by, request_id, request_timestamp_ms
        FROM changes
        JOIN requests USING (seq)
        JOIN outcomes USING (outcome_id)
        JOIN scopes USING (scope_id)
        JOIN profiles ON profiles.created_seq = changes.created_seq
        JOIN identifiers USING (identifier_id)
        JOIN identity_types ON identity_types.identity_type_id = identifiers.identity_type_id
        ORDER BY seq, place
    """,
)
_APPEND_ONLY = (
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
