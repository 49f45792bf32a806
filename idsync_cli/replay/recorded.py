"""What recorded MPIDs stand for in a replay: kept in the store with its checkpoint (section 12).

Pairs of batches that may not be in the tables yet are here, a layer for each; so that a batch can
be decided while the one before is still being written, and undone. Of the others as many as were
lately asked for are in memory, and no more.
"""

from typing import NamedTuple

from idsync_cli.engine.labels import RecordedMpids
from idsync_cli.replay.summary import REFUSED_SHOWN
from idsync_cli.store.api import Transaction
from idsync_cli.store.sqlite import SqliteTransaction
from idsync_cli.store.sqlite.queries.recorded import mpid_of, recorded_as

_NOT_IN_TABLES = 2  # batches: the one at hand, and one that is being written
_IN_MEMORY = 100_000


class Meeting(NamedTuple):
    """A line by which a recorded MPID stands for a profile, and what either met before.

    `before` is what the recorded MPID stood for, `other` a recorded MPID that stands for the
    profile as well.
    """

    line: int
    recorded: int
    mpid: int
    before: int | None
    other: int | None


class Layer:
    """The pairs of one batch, both ways, and those of its lines that met others before.

    A recorded MPID that stands for None stands for nobody any more.
    """

    def __init__(self) -> None:
        self.pairs: dict[int, int | None] = {}
        self.recorded: dict[int, int] = {}
        self.met = 0
        self.first_met: list[Meeting] = []


class ReplayedMpids(RecordedMpids):
    """Recorded MPIDs of a call. With `anew`, those of an earlier call no longer count.

    Say `kept` when the first batch of a call is committed: the store has those of this call then.
    """

    def __init__(self, *, anew: bool) -> None:
        self.anew = anew
        self._transaction: SqliteTransaction | None = None
        self._layers: list[Layer] = []
        self._mpids: dict[int, int | None] = {}

    def begin(self, transaction: Transaction) -> None:
        """Another batch begins, in a transaction that sees all but the one before it at least."""
        assert isinstance(transaction, SqliteTransaction)
        self._transaction = transaction
        self._layers.append(Layer())
        for layer in self._layers[:-_NOT_IN_TABLES]:
            self._mpids.update(layer.pairs)
        del self._layers[:-_NOT_IN_TABLES]
        if len(self._mpids) > _IN_MEMORY:
            self._mpids.clear()

    def undo(self) -> None:
        """Undo the latest batch: it was not kept."""
        self._layers.pop()
        self._mpids.clear()

    @property
    def batch(self) -> Layer:
        """The pairs of the batch at hand."""
        return self._layers[-1]

    def here(self, mpid: int) -> int:
        """The MPID that a recorded one stands for by now: itself where nobody said otherwise."""
        found = self._of(mpid)
        return mpid if found is None else found

    def meets(self, recorded: int, mpid: int, line: int | None) -> None:
        """Note that a recorded MPID stands for that of an answer from here on."""
        before = self._of(recorded)
        if before == mpid:
            return
        batch = self._layers[-1]
        other = self._other(mpid, recorded)
        if before is not None or other is not None:
            batch.met += 1
            if len(batch.first_met) < REFUSED_SHOWN:
                batch.first_met.append(Meeting(line or 0, recorded, mpid, before, other))
        batch.pairs[recorded] = mpid
        batch.recorded[mpid] = recorded

    def unset(self, mpid: int) -> None:
        """Forget what stands for this MPID: its profile was erased."""
        assert self._transaction is not None
        its = {} if self.anew else dict.fromkeys(recorded_as(self._transaction, mpid))
        for layer in self._layers:
            its |= {recorded: None for recorded, of in layer.pairs.items() if of == mpid}
        self._layers[-1].pairs |= {each: None for each in its if self._of(each) == mpid}

    def _of(self, recorded: int) -> int | None:
        for layer in reversed(self._layers):
            if recorded in layer.pairs:
                return layer.pairs[recorded]
        if recorded not in self._mpids:
            assert self._transaction is not None
            found = None if self.anew else mpid_of(self._transaction, recorded)
            self._mpids[recorded] = found
        return self._mpids[recorded]

    def _other(self, mpid: int, recorded: int) -> int | None:
        """Another recorded MPID that stands for this one by now."""
        for layer in reversed(self._layers):
            other = layer.recorded.get(mpid)
            if other is not None and other != recorded and self._of(other) == mpid:
                return other
        if self.anew:
            return None
        assert self._transaction is not None
        for other in recorded_as(self._transaction, mpid):
            if other != recorded and self._of(other) == mpid:
                return other
        return None
