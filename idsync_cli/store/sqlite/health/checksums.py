"""Rows with a checksum, except requests and their changes (see `history`), and events."""

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Mapping

from idsync_cli.store.file_values import FindingCode, Sign
from idsync_cli.store.sqlite.rows.checksums import checksum, checksum_of_profile
from idsync_cli.store.sqlite.rows.data import checksum_of_batch_id

_TOLD_BY = Counter({"batch_ids": 1})
"""Which column tells a row apart, for people: the first, but not a digest."""


def of_sums(connection: sqlite3.Connection) -> Iterator[Sign]:
    """Rows whose checksum is wrong."""
    for table, columns in _SUMMED.items():
        for its_sum, *values in connection.execute(f"SELECT checksum, {columns} FROM {table}"):
            sum_up = _SUMS.get(table, checksum)
            if its_sum != sum_up(*values):
                yield Sign(FindingCode.CHECKSUM, f"{table} {values[_TOLD_BY[table]]}")
    if connection.execute("SELECT count(*), min(id) FROM store").fetchone() != (1, 1):
        yield Sign(FindingCode.STORE, "the table store does not have exactly one row")


_SUMS: Mapping[str, Callable[..., int]] = {
    "profiles": checksum_of_profile,
    "batch_ids": checksum_of_batch_id,
}
_SUMMED = {
    "store": "seed, last_seq",
    "scopes": "scope_id, name, login_types",
    "profiles": (
        "created_seq, mpid, scope_id, source_mpid, known_seq, types, first_seen_ms, last_stored_ms"
    ),
    "aliases": "seq, source_seq, destination_seq, start_ms, end_ms",
    "outcomes": "outcome_id, scope_id, type, status, rule, identity_type",
    "rules": "scope, rules",
    "replays": "name, lines, bytes, digest, answers_bytes, answers_digest, finished",
    "replay_options": "replay_id, name",
    "replay_labels": "replay_id, label, mpid",
    "recorded_mpids": "recorded, mpid",
    "attributes": "created_seq, name, value, seq",
    "attribute_changes": "seq, place, created_seq, name, op, value",
    "devices": "created_seq, identity_type, value, seq, info",
    "profile_states": "created_seq, seq, consent_state, is_opted_out, attribution",
    "batch_ids": "digest, seq, created_seq, key_id",
    "batch_keys": "key_id, key",
    "imported_times": "created_seq, first_seen_ms, last_stored_ms",
    "erasures": (
        "mpid, seq, scope, time_ms, request_id, last_replay, created_seq, rewriting, finished"
    ),
    "kept_files": "path, kind",
    "subject_requests": (
        "subject_request_id, type, state, time_ms, due_ms, mpid, is_of_somebody, workspace,"
        " group_id"
    ),
}
