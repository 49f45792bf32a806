"""The store: one SQLite file that keeps profiles, identifiers and their history."""

from idsync_cli.store.sqlite.lifecycle.header import OldStore
from idsync_cli.store.sqlite.lifecycle.opening import (
    copy_of,
    create,
    discard_unused,
    open_store,
    save,
    temporary,
)
from idsync_cli.store.sqlite.store import SqliteStore
from idsync_cli.store.sqlite.transaction import SqliteTransaction

__all__ = [
    "OldStore",
    "SqliteStore",
    "SqliteTransaction",
    "copy_of",
    "create",
    "discard_unused",
    "open_store",
    "save",
    "temporary",
]
