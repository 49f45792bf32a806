"""Stores of earlier schemas: those in fixtures/store-v1 and store-v3, and larger ones."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from idsync_cli.store.sqlite.lifecycle.header import APPLICATION_ID
from tests.program import Program, mpid_of

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures" / "store-v1"
OF_SCHEMA_3 = FIXTURES.parent / "store-v3"


def put_old_store(program: Program) -> None:
    """Put the store of fixtures/store-v1 there, with the configuration that it was made with."""
    program.write("idsync.yaml", (FIXTURES / "idsync.yaml").read_bytes())
    path = program.folder / "idsync.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.executescript((FIXTURES / "store.sql").read_text(encoding="utf-8"))
        _finish(connection)
    path.chmod(0o600)


def put_store_of_schema_3(program: Program) -> Path:
    """Put the store of fixtures/store-v3 there, with its configuration."""
    program.write("idsync.yaml", (OF_SCHEMA_3 / "idsync.yaml").read_bytes())
    path = program.folder / "idsync.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.executescript((OF_SCHEMA_3 / "store.sql").read_text(encoding="utf-8"))
        _finish(connection, version=3)
    path.chmod(0o600)
    return path


BATCHES: tuple[dict[str, object], ...] = (
    {
        "user_identities": {"email": "em-1"},
        "device_info": {"ios_idfv": "io-1", "platform": "iOS"},
        "user_attributes": {"city": "Bern", "plan": "gold", "tag": None},
        "events": [
            {"event_type": "screen_view", "data": {"screen_name": "cart"}},
            {"event_type": "opt_out", "data": {"timestamp_unixtime_ms": 1_700_000_000_000}},
        ],
        "source_request_id": "s-1",
        "consent_state": {"gdpr": {}},
    },
    {
        "user_identities": {"email": "em-1"},
        "ip": "::1",
        "user_attributes": {"city": "Ulm"},
        "deleted_user_attributes": ["plan"],
        "events": [{"event_type": "profile"}],
        "attribution_info": {"publisher": "p"},
        "source_request_id": "s-2",
    },
)
"""Two batches after which no table of section 9 is empty."""


def bring_data(program: Program, scope: str) -> None:
    """Replay the batches into the store of a program."""
    lines = [json.dumps({"type": "batch", "scope": scope, **each}) for each in BATCHES]
    program.write("batches.jsonl", "\n".join(lines))
    outcome = program("replay", "batches.jsonl")
    assert (outcome.status, outcome.stderr) == (0, "")


def put_large_old_store(program: Program, profiles: int) -> None:
    """Put a store there that takes its time to migrate; every profile holds two identifiers."""
    program.write("idsync.yaml", (FIXTURES / "idsync.yaml").read_bytes())
    path = program.folder / "idsync.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.executescript(_first_schema())
        connection.execute("BEGIN")
        connection.execute("INSERT INTO store VALUES (1, '1', ?)", (profiles,))
        connection.execute("INSERT INTO scopes VALUES (1, 'consumers')")
        many = connection.executemany
        numbers = range(1, profiles + 1)
        many(
            "INSERT INTO profiles VALUES (?, ?, 1, NULL, 0)",
            [(seq, int(mpid_of(1, seq))) for seq in numbers],
        )
        many(
            "INSERT INTO identifiers VALUES (NULL, ?, 1, ?, ?, ?)",
            [(seq, kind, value, seq) for seq in numbers for kind, value in _held(seq)],
        )
        many(
            "INSERT INTO requests VALUES"
            " (?, 0, 'identify', 1, ?, 'created', 'no_match', NULL, NULL, NULL)",
            [(seq, int(mpid_of(1, seq))) for seq in numbers],
        )
        many(
            "INSERT INTO changes VALUES (?, ?, 'add', ?, ?, ?)",
            [
                (seq, place, int(mpid_of(1, seq)), kind, value)
                for seq in numbers
                for place, (kind, value) in enumerate(_held(seq), start=1)
            ],
        )
        connection.execute("COMMIT")
        _finish(connection)
    path.chmod(0o600)


def _first_schema() -> str:
    """The statements of the store in fixtures/store-v1 that make tables and all else but rows."""
    kept = (FIXTURES / "store.sql").read_text(encoding="utf-8")
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(kept)
        made = connection.execute("SELECT sql || ';' FROM sqlite_schema WHERE sql IS NOT NULL")
        rows = connection.execute("SELECT migration_set, name, applied_at FROM _sqlite_migrations")
        values = ", ".join(f"(NULL, {', '.join(map(repr, row))})" for row in rows)
        statements = [text for (text,) in made]
        return "\n".join([*statements, f"INSERT INTO _sqlite_migrations VALUES {values};"])


def _held(seq: int) -> Iterator[tuple[str, str]]:
    yield "email", f"user{seq}@example.com"
    yield "ios_idfv", f"phone {seq}"


def _finish(connection: sqlite3.Connection, version: int = 1) -> None:
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {version}")
    connection.execute("PRAGMA journal_mode = WAL")
