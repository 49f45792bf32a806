"""What a replay keeps beside the store's profiles: labels, and what recorded MPIDs stand for.

Both are kept in the transaction of the batch that set them, and undone if that is not committed.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby

from idsync_cli import wire
from idsync_cli.files.sorted_requests import file_and_line_of
from idsync_cli.replay.batches import LineBatch
from idsync_cli.replay.file_labels import LabelsByFile
from idsync_cli.replay.labels import ReplayLabels
from idsync_cli.replay.recorded import ReplayedMpids
from idsync_cli.replay.resumption import Start
from idsync_cli.replay.summary import MetTwice, Tally
from idsync_cli.store.api import Transaction
from idsync_cli.store.sqlite import SqliteTransaction
from idsync_cli.store.sqlite.queries.recorded import keep_recorded
from idsync_cli.store.sqlite.queries.replays import ReplayRow, keep_labels

LabelValues = dict[str, int | None]


class Changes:
    """What a batch has set: labels by now and as they were before, and pairs of MPIDs."""

    __slots__ = ("labels", "labels_before", "pairs")

    def __init__(
        self, labels: LabelValues, labels_before: LabelValues, pairs: dict[int, int | None]
    ) -> None:
        self.labels = labels
        self.labels_before = labels_before
        self.pairs = pairs


class ReplayState:
    """Labels of the files at hand, and recorded MPIDs where they are mapped."""

    def __init__(
        self, start: Start, recorded: ReplayedMpids | None, *, labels_by_file: bool
    ) -> None:
        self._recorded = recorded
        self._labels: ReplayLabels | LabelsByFile = (
            LabelsByFile(start.labels) if labels_by_file else ReplayLabels(start.labels)
        )

    def with_labels(
        self, batch: LineBatch
    ) -> Iterator[tuple[Iterable[Sequence[wire.Incoming]], ReplayLabels]]:
        """The lines of a batch with the labels that they are to be answered with."""
        labels = self._labels
        if not isinstance(labels, LabelsByFile):
            labels.recorded = self._recorded
            yield batch, labels
            return
        for file_index, lines in groupby(batch.lines, lambda each: file_and_line_of(each[0])[0]):
            its_labels = labels.of(file_index)
            its_labels.recorded = self._recorded
            yield replace(batch, lines=list(lines)), its_labels

    def begin(self, transaction: Transaction) -> None:
        """Another batch begins."""
        self._labels.begin()
        if self._recorded is not None:
            self._recorded.begin(transaction)

    def changes(self) -> Changes:
        """What the batch at hand has set."""
        pairs = {} if self._recorded is None else self._recorded.batch.pairs
        return Changes(self._labels.by_now(), self._labels.touched, dict(pairs))

    def undo(self, changes: Changes | None = None) -> None:
        """Go back to before the batch at hand, or before the latest one, which made `changes`."""
        self._labels.undo(None if changes is None else changes.labels_before)
        if self._recorded is not None:
            self._recorded.undo()

    def keep(self, transaction: SqliteTransaction, row: ReplayRow, changes: Changes) -> None:
        """Keep in the transaction of a batch what it has set."""
        if not row.finished:
            keep_labels(transaction, row.replay_id, changes.labels)
        if self._recorded is not None:
            keep_recorded(transaction, changes.pairs, anew=self._recorded.anew)

    def kept(self) -> None:
        """The transaction was committed."""
        if self._recorded is not None:
            self._recorded.anew = False

    def count(self, tally: Tally, file_and_line: Callable[[int], tuple[str, int]]) -> None:
        """Count the pairs of the batch at hand that met others before."""
        if self._recorded is not None:
            batch = self._recorded.batch
            tally.met_twice += batch.met
            tally.first_met_twice += [
                MetTwice(
                    *file_and_line(each.line), each.recorded, each.mpid, each.before, each.other
                )
                for each in batch.first_met
            ]
