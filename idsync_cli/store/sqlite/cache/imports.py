"""What an import brings beside profiles: each record for the profile that it names."""

from collections.abc import Callable
from sqlite3 import Connection
from typing import Final

from idsync_cli.core.codes import Import, Status
from idsync_cli.core.data.values import Alias
from idsync_cli.core.records import (
    AttributeRecord,
    DataRecord,
    DeviceRecord,
    DigestRecord,
    EventRecord,
    StateRecord,
    TimesRecord,
)
from idsync_cli.store.sqlite.cache.aliases import Aliases
from idsync_cli.store.sqlite.cache.batch_ids import BatchIds
from idsync_cli.store.sqlite.cache.edits import Edits
from idsync_cli.store.sqlite.cache.pending_requests import PendingRequests
from idsync_cli.store.sqlite.cache.profile_cache import ProfileCache
from idsync_cli.store.sqlite.rows.records import RecordWriter

_BY: Final = Import.IMPORT


class RecordInserts:
    """Records on their way into one store, in one transaction."""

    __slots__ = (
        "_aliases", "_batch_ids", "_cache", "_edits", "_entered", "_is_taken", "_requests",
        "_time_ms", "writer",
    )  # fmt: skip

    def __init__(
        self,
        connection: Connection,
        seed: str,
        cache: ProfileCache,
        edits: Edits,
        batch_ids: BatchIds,
        aliases: Aliases,
        requests: PendingRequests,
        is_taken: Callable[[int], bool],
    ) -> None:
        self._cache = cache
        self._edits = edits
        self._batch_ids = batch_ids
        self._aliases = aliases
        self._requests = requests
        self._is_taken = is_taken
        self._entered = self._time_ms = 0
        self.writer: Final = RecordWriter(connection, seed, self.enter)

    def insert(self, record: TimesRecord | DataRecord, time_ms: int) -> bool:
        """Take in a record, unless there is one like it."""
        writer, cache = self.writer, self._cache
        self._time_ms = time_ms
        if isinstance(record, Alias):
            self._aliases.expect_more()
            source, destination = cache.of(record.source_mpid), cache.of(record.destination_mpid)
            return writer.alias(source.created_seq, destination.created_seq, record)
        if isinstance(record, DigestRecord):
            self._batch_ids.forget_all()
            its = None if record.mpid is None else cache.of(record.mpid).created_seq
            return writer.digest(its, record)
        profile = cache.of(record.mpid)
        created_seq = profile.created_seq
        if isinstance(record, EventRecord):
            return writer.event(created_seq, record)
        if isinstance(record, AttributeRecord):
            return writer.attribute(created_seq, record)
        if isinstance(record, DeviceRecord):
            return writer.device(created_seq, record)
        if isinstance(record, StateRecord):
            return writer.state(created_seq, record)
        if not writer.times(created_seq, record):
            return False
        self._edits.set_times(profile, record.first_seen_ms, record.last_stored_ms)
        return True

    def enter(self, seq: int, created_seq: int) -> None:
        """Enter an import about a profile under a number, unless the number is taken."""
        if seq == self._entered or self._is_taken(seq):
            return
        self._entered = seq
        scope = self._cache.at(created_seq).scope.number
        outcome = self._requests.outcome_id((scope, _BY, Status.MATCHED, _BY, None))
        self.writer.request(seq, self._time_ms, outcome, created_seq)
