"""Which of the batches that a replay has decided are kept, and which of those were given out."""

from contextlib import suppress

from idsync_cli.errors import IdsyncError
from idsync_cli.replay.kept import say_what_is_kept
from idsync_cli.replay.resumption import NOT_ENTERED, Start
from idsync_cli.replay.writers import Decided, Done
from idsync_cli.store.sqlite import SqliteStore
from idsync_cli.store.sqlite.queries.replays import replays


class ReplayProgress:
    """Follows each batch until its results are given out; `commits` is how many were kept."""

    def __init__(self) -> None:
        self.commits = 0
        self._decided: list[Decided] = []

    def decide(self, decided: Decided) -> None:
        """Note that a batch was decided. One that is decided again was not kept before."""
        end = decided.batch.end.bytes
        self._decided = [*[each for each in self._decided if each.batch.end.bytes < end], decided]

    def tell(self, done: Done) -> None:
        """Note that a batch was kept, and its results given out."""
        self.commits += 1
        self._decided = [each for each in self._decided if each.done is not done]

    def untold(self, store: SqliteStore, start: Start) -> list[Done]:
        """What was kept but not given out, because something else ended the replay.

        It may have been kept meanwhile: in a commit that was under way, or by another process.
        """
        decided, self._decided = self._decided, []
        if not decided:
            return []
        with suppress(IdsyncError), store.reading() as transaction:
            its_rows = [
                row
                for index, row in enumerate(replays(transaction))
                if row.replay_id == start.row.replay_id
                or (start.row.replay_id == NOT_ENTERED and index >= start.seen)
            ]
            ends = {(row.bytes, row.digest) for row in its_rows if row.name == start.row.name}
            reached = [(each.batch.end.bytes, each.batch.end.digest) in ends for each in decided]
            kept = len(reached) - reached[::-1].index(True) if True in reached else 0
            self.commits += kept
            return [each.done for each in decided[:kept]]
        return []

    def say_what_is_kept(self, fault: IdsyncError, store: SqliteStore) -> None:
        """Let a fault that ends the replay say what is known of all that was done so far."""
        has_file = store.location is not None  # else it is a copy that goes
        say_what_is_kept(fault, is_kept=self.commits > 0 and has_file)
