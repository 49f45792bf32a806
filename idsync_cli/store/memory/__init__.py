"""A store in memory, for small worlds."""

from idsync_cli.store.memory.store import MemoryStore

__all__ = ["MemoryStore"]
