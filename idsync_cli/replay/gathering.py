"""The events of the profiles that a replay enriches, gathered as they come.

A batch for a profile with 100,000 events costs as much as for one without any: its events are read
once, and of all later ones only those that have come since.
"""

from typing import Final

from idsync_cli.core.audiences.fold import Fold
from idsync_cli.core.audiences.gathered import Gathered
from idsync_cli.store.sqlite import SqliteTransaction
from idsync_cli.store.sqlite.erasing.entries import last_erasure
from idsync_cli.store.sqlite.queries.data import data_of, events_since, last_event

_MOST_KEPT: Final = 400_000
"""How much of profiles is in memory at most, as `Gathered.kept` counts: some 120 MB.

A profile that has more is there alone.
"""


class Gathering:
    """What is known of profiles in one store, from transaction to transaction.

    An id of an event is given out again only if an erasure has removed the latest event.
    """

    def __init__(self) -> None:
        self._by_profile: dict[int, Gathered] = {}
        self._last_event = 0
        self._last_erasure = 0
        self._kept = 0
        self._is_committed = True

    def begin(self, transaction: SqliteTransaction) -> None:
        """A transaction has begun: forget what was not committed, and what may have been erased."""
        if not self._is_committed or last_erasure(transaction) != self._last_erasure:
            self.forget(transaction)
        self._is_committed = False

    def committed(self) -> None:
        """The transaction was committed."""
        self._is_committed = True

    def forget(self, transaction: SqliteTransaction) -> None:
        """Forget all, as after an erasure."""
        self._by_profile = {}
        self._kept = 0
        self._last_erasure = last_erasure(transaction)

    def of(
        self, transaction: SqliteTransaction, mpid: int, created_seq: int, fold: Fold
    ) -> Gathered:
        """The events of a profile as the transaction has them; all of it must have been written."""
        last = last_event(transaction)
        if self._by_profile and last > self._last_event:
            for its, event in events_since(transaction, self._last_event, self._by_profile):
                gathered = self._by_profile[its]
                before = gathered.kept
                gathered.add(event)
                self._kept += gathered.kept - before
        self._last_event = last
        found = self._by_profile.pop(created_seq, None)
        if found is not None:
            self._by_profile[created_seq] = found  # behind those that were asked for before it
            return found
        if self._kept > _MOST_KEPT:
            self._make_room()
        found = self._by_profile[created_seq] = Gathered(fold)
        data = data_of(transaction, mpid, None, is_counted=False)
        for event in () if data is None else data.events:
            found.add(event)
        self._kept += found.kept
        return found

    def _make_room(self) -> None:
        """Forget those that were not asked for lately."""
        for each in list(self._by_profile):
            if self._kept <= _MOST_KEPT // 2:
                return
            self._kept -= self._by_profile.pop(each).kept
