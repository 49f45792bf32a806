"""What was written with a checksum, but for requests and their changes (`history`)."""

import sqlite3
from collections.abc import Iterator

from idsync_cli.store.sqlite.health.findings import FindingCode, Sign
from idsync_cli.store.sqlite.rows.checksums import checksum, checksum_of_profile

_PLACE_OF = 0


def of_sums(connection: sqlite3.Connection) -> Iterator[Sign]:
    """Rows that are not what was written."""
    for table, columns in _SUMMED.items():
        for its_sum, *values in connection.execute(f"SELECT checksum, {columns} FROM {table}"):
            sum_up = checksum_of_profile if table == "profiles" else checksum
            if its_sum != sum_up(*values):
                yield Sign(FindingCode.CHECKSUM, f"{table} {values[_PLACE_OF]}")
    if connection.execute("SELECT count(*), min(id) FROM store").fetchone() != (1, 1):
        yield Sign(FindingCode.STORE, "the table store does not have exactly one row")


_SUMMED = {
    "store": "seed, last_seq",
    "scopes": "scope_id, name, login_types",
    "profiles": "created_seq, mpid, scope_id, source_mpid, was_known, types",
    "outcomes": "outcome_id, scope_id, type, status, rule, identity_type",
    "rules": "scope, rules",
    "replays": "name, lines, bytes, digest, answers_bytes, answers_digest, finished",
    "replay_labels": "replay_id, label, mpid",
    "recorded_mpids": "recorded, mpid",
}
