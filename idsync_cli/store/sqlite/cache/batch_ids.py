"""Which event batches were carried out: whether the store has the digest of an id."""

from collections.abc import Iterable
from typing import Final

from idsync_cli.store.sqlite.cache.bloom_filter import BloomFilter
from idsync_cli.store.sqlite.cache.tables import Tables

_REMEMBERED: Final = 100_000
"""How many digests are kept in memory where none of them waits to be written."""

UNKNOWN: Final = -1
"""Stands for the profile of a batch that was not carried out; ERASED for one that is gone."""

ERASED: Final = 0


class BatchIds:
    """Digests of ids with the profiles that their batches were answered with, by `created_seq`.

    Those of what is decided stay in memory until it is certain that the tables have them: while one
    batch of requests is decided, another process may be writing the one before.
    """

    __slots__ = ("_before", "_bloom_filter", "_latest", "_new", "_tables")

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._latest: dict[bytes, int] = {}
        self._before: dict[bytes, int] = {}
        self._new = 0  # how many of the latest are not written
        self._bloom_filter: BloomFilter | None = None

    def expect_many(self) -> None:
        """Prepare for many that the store has never seen."""
        if not self._tables.has_batch_ids():
            self._bloom_filter = BloomFilter()

    def look_up(self, digests: Iterable[bytes]) -> None:
        """Read those that will soon be asked for, all at once."""
        unread = [each for each in digests if self._in_memory(each) is None]
        if unread:
            for each in unread:
                self._latest[each] = UNKNOWN
            for digest, created_seq in self._tables.batches(unread):
                self._latest[digest] = ERASED if created_seq is None else created_seq

    def profile_of(self, digest: bytes) -> int:
        """By which profile a batch was answered: its `created_seq`, UNKNOWN or ERASED."""
        found = self._in_memory(digest)
        if found is None:
            self.look_up((digest,))
            found = self._latest[digest]
        return found

    def add(self, digest: bytes, created_seq: int) -> None:
        """Take in a batch that is carried out."""
        self._latest[digest] = created_seq
        self._new += 1
        if self._bloom_filter is not None:
            self._bloom_filter.add(digest)

    def hand_over(self) -> None:
        """Note that all that was added is written, or was given to whoever writes it."""
        self._before, self._latest, self._new = self._latest, {}, 0

    def forget(self) -> None:
        """Begin with nothing in memory; all that was added must have been written."""
        self._before, self._latest, self._new = {}, {}, 0

    def forget_all(self) -> None:
        """The same, where others than those that were added have come into the tables."""
        self.forget()
        self._bloom_filter = None

    def trim(self) -> None:
        """Between two requests: let go of what can be read again, once there is much."""
        if self._new == 0 and len(self._latest) > _REMEMBERED:
            self._latest = {}

    def _in_memory(self, digest: bytes) -> int | None:
        if self._bloom_filter is not None and not self._bloom_filter.may_have(digest):
            return UNKNOWN
        found = self._latest.get(digest)
        return self._before.get(digest) if found is None else found
