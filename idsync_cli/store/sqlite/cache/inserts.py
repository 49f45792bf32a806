"""Inserting whole profiles, and what an export has beside them."""

from collections.abc import Callable
from sqlite3 import Connection
from typing import TYPE_CHECKING, Final

from idsync_cli.core.codes import Import, Status
from idsync_cli.core.profile import Profile
from idsync_cli.store.sqlite.cache.aliases import Aliases
from idsync_cli.store.sqlite.cache.batch_ids import BatchIds
from idsync_cli.store.sqlite.cache.cached_profiles import Scope
from idsync_cli.store.sqlite.cache.edits import Edits
from idsync_cli.store.sqlite.cache.pending_requests import PendingRequests
from idsync_cli.store.sqlite.cache.profile_cache import ProfileCache
from idsync_cli.store.sqlite.cache.working_set import WorkingSet

if TYPE_CHECKING:
    from idsync_cli.store.sqlite.cache.imports import RecordInserts

_BY: Final = Import.IMPORT
_CREATED: Final = Status.CREATED


class Inserts:
    """Profiles and records on their way into one store, in one transaction."""

    __slots__ = (
        "_aliases", "_batch_ids", "_cache", "_connection", "_edits", "_memory", "_records",
        "_requests",
    )  # fmt: skip

    def __init__(
        self,
        connection: Connection,
        memory: WorkingSet,
        cache: ProfileCache,
        edits: Edits,
        requests: PendingRequests,
        batch_ids: BatchIds,
        aliases: Aliases,
    ) -> None:
        self._connection = connection
        self._memory = memory
        self._cache = cache
        self._edits = edits
        self._requests = requests
        self._batch_ids = batch_ids
        self._aliases = aliases
        self._records: RecordInserts | None = None  # is made when records come in

    def profile(self, scope: Scope, profile: Profile, time_ms: int | None) -> None:
        """Add a whole profile; with a time it is entered in the history."""
        seq, edits = profile.created_seq, self._edits
        cached = edits.create(seq, profile.mpid, scope, profile.source_mpid)
        edits.leave(cached, profile.types, profile.was_known, seq)
        if time_ms is not None:
            edits.store(cached, time_ms)
        numbers: list[int] = []
        for place, identifier in enumerate(profile.identifiers, start=1):
            numbers += (place, 1, seq, edits.add(cached, identifier, seq, place))
        if time_ms is not None:
            outcome = self._requests.outcome_id((scope.number, _BY, _CREATED, _BY, None))
            self._requests.add([seq, time_ms, outcome, seq, *numbers])
        self._memory.trim()

    def records(self, seed: str, is_taken: Callable[[int], bool]) -> "RecordInserts":
        """What takes in records, under the seed of the store and by which numbers are taken."""
        if self._records is None:
            from idsync_cli.store.sqlite.cache.imports import RecordInserts

            self._records = RecordInserts(
                self._connection,
                seed,
                self._cache,
                self._edits,
                self._batch_ids,
                self._aliases,
                self._requests,
                is_taken,
            )
        return self._records
