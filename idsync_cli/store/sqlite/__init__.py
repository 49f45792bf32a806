"""The store: one SQLite file that keeps profiles, identifiers and their history."""

from idsync_cli.store.sqlite.lifecycle.header import OldStore
from idsync_cli.store.sqlite.lifecycle.opening import copy_of, create, open_store, save, temporary
from idsync_cli.store.sqlite.session import Session
from idsync_cli.store.sqlite.store import SqliteStore

__all__ = [
    "OldStore",
    "Session",
    "SqliteStore",
    "copy_of",
    "create",
    "open_store",
    "save",
    "temporary",
]
