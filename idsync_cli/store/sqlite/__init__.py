"""The store: one SQLite file that keeps profiles, identifiers and their history."""

from idsync_cli.store.sqlite.cache.records import TablesBehind
from idsync_cli.store.sqlite.lifecycle.header import OldStore
from idsync_cli.store.sqlite.lifecycle.opening import copy_of, create, memory, open_store, save
from idsync_cli.store.sqlite.rows.batch import Batch, MpidTaken
from idsync_cli.store.sqlite.session import Entry, Session
from idsync_cli.store.sqlite.store import Store

__all__ = [
    "Batch",
    "Entry",
    "MpidTaken",
    "OldStore",
    "Session",
    "Store",
    "TablesBehind",
    "copy_of",
    "create",
    "memory",
    "open_store",
    "save",
]
