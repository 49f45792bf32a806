"""The store: one SQLite file that keeps profiles, identifiers and their history."""

from idsync_cli.store.batch import Batch, MpidTaken
from idsync_cli.store.files import OldStore, copy_of, create, memory, open_store, save
from idsync_cli.store.records import TablesBehind
from idsync_cli.store.session import Entry, Session
from idsync_cli.store.store import Store

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
