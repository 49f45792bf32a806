"""A store in memory, for small worlds: plain dictionaries, gone when the process ends.

A transaction works on a copy of all that there is, so that undoing it is dropping the
copy. That costs as much as the store is large; what may grow takes a temporary SQLite store.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from idsync_cli.errors import StoreFault
from idsync_cli.store.api import Store, Transaction
from idsync_cli.store.memory.transaction import MemoryTransaction
from idsync_cli.store.memory.world import World


class MemoryStore(Store):
    """A store in memory. It serves one thread, and one transaction at a time."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._world = World()
        self._is_busy = False
        self._is_closed = False

    @property
    def seed(self) -> int:
        """What the MPIDs of new profiles follow from (section 7)."""
        return self._seed

    def reading(self) -> AbstractContextManager[Transaction]:
        """A transaction that sees one state of the store; whatever is done in it is not kept.

        Raises:
            StoreFault: the store was closed, or is in another transaction.
        """
        return self._transaction(keep=False)

    def writing(
        self,
        *,
        trust_new_mpids: bool = False,  # noqa: ARG002 - to look costs nothing here
    ) -> AbstractContextManager[Transaction]:
        """A transaction whose changes are kept when the block ends, and not if it raises.

        Every new MPID is seen to be free, even with `trust_new_mpids`.

        Raises:
            StoreFault: the store was closed, or is in another transaction.
        """
        return self._transaction(keep=True)

    def close(self) -> None:
        """Drop all that is in it."""
        self._is_closed = True
        self._world = World()

    @contextmanager
    def _transaction(self, *, keep: bool) -> Iterator[Transaction]:
        if self._is_closed or self._is_busy:
            why = "it is closed" if self._is_closed else "it is in another transaction"
            raise StoreFault(f"the store in memory cannot be used: {why}")
        world = self._world.copy()
        self._is_busy = True
        try:
            yield MemoryTransaction(world, self._seed)
        finally:
            self._is_busy = False
        if keep and not self._is_closed:
            self._world = world
