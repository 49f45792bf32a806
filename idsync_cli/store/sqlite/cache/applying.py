"""Applying a decision to what is in memory of the store, and to the rows yet to be written."""

from sqlite3 import Connection
from typing import Final

from idsync_cli.core.codes import Op
from idsync_cli.core.data.values import Alias, BatchData
from idsync_cli.core.decision import Decision
from idsync_cli.store.sqlite.cache.aliases import Aliases
from idsync_cli.store.sqlite.cache.batch_ids import BatchIds
from idsync_cli.store.sqlite.cache.cached_profiles import Scope
from idsync_cli.store.sqlite.cache.edits import Edits
from idsync_cli.store.sqlite.cache.pending_requests import PendingRequests
from idsync_cli.store.sqlite.cache.profile_cache import ProfileCache
from idsync_cli.store.sqlite.cache.working_set import WorkingSet
from idsync_cli.store.sqlite.rows.checksums import NO_TIME
from idsync_cli.store.sqlite.rows.data import DataRows, attribution_of
from idsync_cli.store.values import RequestEntry

_ADD: Final = Op.ADD


class Applying:
    """Applies decisions that change something, all but erasures.

    `data` takes what batches bring. It is another whenever the rows so far are written, which an
    alias may need. Unless it `enters_all`, requests that do nothing but resolve enter no history.
    """

    def __init__(
        self,
        connection: Connection,
        memory: WorkingSet,
        cache: ProfileCache,
        edits: Edits,
        requests: PendingRequests,
        batch_ids: BatchIds,
        aliases: Aliases,
        data: DataRows,
    ) -> None:
        self._connection: Final = connection
        self._memory: Final = memory
        self._cache: Final = cache
        self._edits: Final = edits
        self._requests: Final = requests
        self._batch_ids: Final = batch_ids
        self._aliases: Final = aliases
        self.data = data
        self.enters_all = True

    def apply(self, decision: Decision, scope: Scope, entry: RequestEntry) -> None:
        """Apply a decision, and enter it in the history."""
        answered, seq = decision.profile, entry.seq
        cache, edits = self._cache, self._edits
        assert answered is not None
        mpid = answered.mpid
        if decision.created:
            its = edits.create(answered.created_seq, mpid, scope, answered.source_mpid)
        else:
            its = cache.at(answered.created_seq)
        for update in decision.updates:
            created_seq = update.profile.created_seq
            profile = its if created_seq == its.created_seq else cache.at(created_seq)
            edits.leave(profile, update.types, update.was_known, seq)
        time_ms = entry.own_time_ms
        edits.store(its, time_ms)
        if decision.data is not None:
            self.data.add(answered.created_seq, seq, time_ms, decision.data)
            for alias in decision.aliases:
                destination = cache.of(alias.destination_mpid).created_seq
                self.data.copy(destination, seq, time_ms, decision.data, alias)
        if decision.alias is not None:
            self._apply_alias(decision.alias)
        if decision.digest is not None:
            self._batch_ids.add(decision.digest, answered.created_seq)
            self.data.batch_ids.append((decision.digest, seq, answered.created_seq))
        enters = self.enters_all or decision.data is not None or decision.alias is not None
        numbers: list[int] = []
        if enters:
            by = decision.decided_by
            outcome = self._requests.outcome_id(
                (scope.number, entry.kind, decision.status, by.rule, by.identity_type)
            )
            numbers += (seq, entry.time_ms, outcome, answered.created_seq)
        for index, change in enumerate(decision.changes):  # without a start it compiles well
            place = index + 1
            profile = its if change.mpid == mpid else cache.of(change.mpid)
            if change.op is _ADD:
                its_number = edits.add(profile, change.identifier, seq, place)
                numbers += (place, 1, profile.created_seq, its_number)
            else:
                its_number = edits.remove(profile, change.identifier, seq, place)
                numbers += (place, -1, profile.created_seq, its_number)
        if enters:
            self._requests.add(numbers)
            self._requests.add_texts(entry)
        self._memory.trim()
        self._batch_ids.trim()

    def _apply_alias(self, alias: Alias) -> None:
        """Copy what the source has; the destination was seen as early as the source."""
        source = self._cache.of(alias.source_mpid)
        destination = self._cache.of(alias.destination_mpid)
        self._aliases.add(alias, source.created_seq, destination.created_seq)
        self._edits.see(destination, source.first_seen_ms)
        attribution = attribution_of(self._connection, source.created_seq)
        if attribution is not None:
            copied = BatchData(attribution=attribution)
            self.data.add(destination.created_seq, alias.seq, NO_TIME, copied)
