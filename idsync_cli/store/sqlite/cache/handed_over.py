"""What another process was given to write, and may not be in the tables yet.

Empty as long as whoever decides writes, too (store/sqlite/ahead.py).
"""

from collections.abc import Collection, Sequence

from idsync_cli.store.sqlite.cache.cached_profiles import CachedProfile
from idsync_cli.store.sqlite.rows.holder_changes import HolderChanges, identifiers_in


class TablesBehind(Exception):
    """The tables would have to be read, and lack what another process has yet to write."""


class HandedOver:
    """Rows of the last batch that was handed over: identifiers, profiles, and who holds what.

    With `goes_on` what is decided from now on is handed over, too.
    """

    __slots__ = ("_ranges", "goes_on", "numbers", "profiles")

    def __init__(self) -> None:
        self.goes_on = False
        self.numbers: set[int] = set()
        self.profiles: set[int] = set()
        self._ranges: dict[tuple[int, int], int] = {}

    def take(
        self,
        holdings: HolderChanges,
        packed: bytes,
        unread: dict[tuple[int, int], int],
        changed: Sequence[CachedProfile],
    ) -> None:
        """Take the place of the batch before, if what is decided is handed over.

        `unread` says where among the holdings, which are `packed` too, those are of which no
        profile in memory tells.
        """
        if self.goes_on:
            self.numbers = identifiers_in(packed)
            self.profiles = {profile.created_seq for profile in changed}
            self._ranges = {key: holdings.range_at(begin) for key, begin in unread.items()}

    def range_of(self, number: int, created_seq: int) -> int | None:
        """The range of `holders` that has a profile by an identifier now, if the batch says so."""
        return self._ranges.get((number, created_seq))

    def check_written(self, numbers: Collection[int]) -> None:
        """See whether the tables have all holders of some identifiers.

        Raises:
            TablesBehind: they may not.
        """
        if not self.numbers.isdisjoint(numbers):
            raise TablesBehind

    def check_all_written(self, *, has_changes: bool) -> None:
        """See whether the tables have all that was decided.

        Raises:
            TablesBehind: they may not.
        """
        if has_changes or self.numbers or self.profiles:
            raise TablesBehind
