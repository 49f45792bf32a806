"""Taking over the rows of the first version, where every row spelled its identifier out."""

from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from sqlite3 import IntegrityError
from typing import Any

from sqlite_utils import Database

from idsync_cli.store.sqlite.rows.checksums import checksum_of_request


def take_over(db: Database) -> None:
    """Fill the new tables from the old ones, and see that nothing is left behind.

    Raises:
        IntegrityError: a row refers to a profile that is not there.
    """
    for statement in _TAKE_OVER:
        db.execute(statement)
    _take_over_requests(db)
    _check_that_all_was_taken_over(db)


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
