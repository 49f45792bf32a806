"""What another process was given to write, and may not be in the tables yet.

It is empty unless two processes share the work (store/sqlite/ahead.py).
"""

from collections.abc import Collection, Sequence

from idsync_cli.store.sqlite.cache.cached_profiles import CachedProfile
from idsync_cli.store.sqlite.rows.holder_changes import HolderChanges, identifiers_in


class TablesBehind(Exception):
    """The tables would have to be read, and lack what another process has yet to write."""


class HandedOver:
    """The rows of the last batch that was handed over: identifiers, profiles and holders.

    `goes_on` says that the next batches will be handed over, too.
    """

    __slots__ = ("_ranges", "goes_on", "numbers", "profiles")

    def __init__(self) -> None:
        self.goes_on = False
        self.numbers: set[int] = set()
        self.profiles: set[int] = set()
        self._ranges: dict[tuple[int, int], int] = {}

    def replace(
        self,
        holdings: HolderChanges,
        packed: bytes,
        unread: dict[tuple[int, int], int],
        changed: Sequence[CachedProfile],
    ) -> None:
        """Replace the batch before by the next one, if batches are handed over.

        `holdings` are the changes of holders, and `packed` the same as bytes. `unread` has the
        positions of those changes among them that no profile in memory shows.
        """
        if self.goes_on:
            self.numbers = identifiers_in(packed)
            self.profiles = {profile.created_seq for profile in changed}
            self._ranges = {key: holdings.range_at(begin) for key, begin in unread.items()}

    def range_of(self, number: int, created_seq: int) -> int | None:
        """The value of `known` in a row of `holders` after the batch; None if that is not in it."""
        return self._ranges.get((number, created_seq))

    def check_written(self, numbers: Collection[int]) -> None:
        """Check that the tables have all holders of some identifiers.

        Raises:
            TablesBehind: they may lack some.
        """
        if not self.numbers.isdisjoint(numbers):
            raise TablesBehind

    def check_all_written(self, *, has_changes: bool) -> None:
        """Check that the tables have everything that was decided.

        Raises:
            TablesBehind: they may lack some of it.
        """
        if has_changes or self.numbers or self.profiles:
            raise TablesBehind
