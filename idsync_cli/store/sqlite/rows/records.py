"""Writing what an import brings beside profiles, row by row, because it is no part of a request."""

import sqlite3
from collections.abc import Callable
from typing import Final

from idsync_cli.core.data.batch_ids import key_of
from idsync_cli.core.data.values import Alias
from idsync_cli.core.records import (
    AttributeRecord,
    DeviceRecord,
    DigestRecord,
    EventRecord,
    StateRecord,
    TimesRecord,
)
from idsync_cli.store.sqlite.rows.checksums import checksum, checksum_of_request
from idsync_cli.store.sqlite.rows.data import (
    OWN_KEY,
    SET,
    checksum_of_batch_id,
    checksum_of_event,
)

_NOTHING_SAID: Final = "{}"
"""What is known of a device since it was named first, where an export has only what was last."""


class RecordWriter:
    """Writes records of an import into one store, for profiles by their `created_seq`.

    Each gives False, and writes nothing, where there is one like it. `enter` is called with the
    number of each that belongs to a profile, and with the profile.
    """

    def __init__(
        self, connection: sqlite3.Connection, seed: str, enter: Callable[[int, int], None]
    ) -> None:
        self._execute = connection.execute
        self._enter = enter
        self._own_key = key_of(int(seed))
        self._keys: dict[bytes, int] = {self._own_key: OWN_KEY}
        rows = self._execute("SELECT key, key_id FROM batch_keys ORDER BY key_id")
        self._keys.update((bytes(key), number) for key, number in rows)
        self.other_batch_keys = self._others()
        self._last_event = -1
        self._seq_of_changes = self._changes = 0

    def times(self, created_seq: int, record: TimesRecord) -> bool:
        """Keep when a profile was first seen and last stored, to tell of any later moment."""
        row = created_seq, record.first_seen_ms, record.last_stored_ms
        return self._insert("imported_times", (*row, checksum(*row)))

    def attribute(self, created_seq: int, record: AttributeRecord) -> bool:
        """Write an attribute of a profile; its history begins with it."""
        _, seq, name, value = record
        row = created_seq, name, value, seq
        if not self._insert("attributes", (*row, checksum(*row))):
            return False
        if seq != self._seq_of_changes:
            self._seq_of_changes, self._changes = seq, self._count_changes(seq)
        self._changes += 1
        change = seq, self._changes, created_seq, name, SET, value
        self._insert("attribute_changes", (*change, checksum(*change)))
        self._enter(seq, created_seq)
        return True

    def device(self, created_seq: int, record: DeviceRecord) -> bool:
        """Write a device of a profile."""
        _, seq, first_seq, identifier, info = record
        kind, value = ("", "") if identifier is None else (str(identifier.type), identifier.value)
        its = created_seq, kind, value
        there = "SELECT 1 FROM devices WHERE created_seq = ? AND identity_type = ? AND value = ?"
        if self._execute(there, its).fetchone() is not None:
            return False
        said = [(first_seq, _NOTHING_SAID)] if first_seq < seq else []
        for its_seq, what in [*said, (seq, info)]:
            row = *its, its_seq, what
            self._insert("devices", (*row, checksum(*row)))
            self._enter(its_seq, created_seq)
        return True

    def state(self, created_seq: int, record: StateRecord) -> bool:
        """Write consent and the like of a profile."""
        there = "SELECT 1 FROM profile_states WHERE created_seq = ?"
        if self._execute(there, (created_seq,)).fetchone() is not None:
            return False
        _, seq, consent_state, is_opted_out, attribution = record
        row = created_seq, seq, consent_state, int(is_opted_out), attribution
        self._insert("profile_states", (*row, checksum(*row)))
        self._enter(seq, created_seq)
        return True

    def event(self, created_seq: int, record: EventRecord) -> bool:
        """Write an event of a profile."""
        if self._last_event < 0:
            [last] = self._execute("SELECT max(event_id) FROM events").fetchone()
            self._last_event = int(last or 0)
        self._last_event += 1
        _, seq, place, time_ms, event_type, name, text = record
        number = self._last_event
        row = number, created_seq, seq, place, time_ms, event_type, name, text
        self._insert("events", (*row, checksum_of_event(*row)))
        self._enter(seq, created_seq)
        return True

    def alias(self, source_seq: int, destination_seq: int, record: Alias) -> bool:
        """Write an alias; the events that it copied have records of their own."""
        row = record.seq, source_seq, destination_seq, record.start_ms, record.end_ms
        if not self._insert("aliases", (*row, checksum(*row))):
            return False
        self._enter(record.seq, destination_seq)
        return True

    def digest(self, created_seq: int | None, record: DigestRecord) -> bool:
        """Keep that a batch was carried out."""
        _, seq, digest, key = record
        number = self._keys.get(key)
        if number is None:
            number = self._keys[key] = len(self._keys)
            self._insert("batch_keys", (number, key, checksum(number, key)))
            self.other_batch_keys = self._others()
        row = digest, seq, created_seq, number
        if not self._insert("batch_ids", (*row, checksum_of_batch_id(*row))):
            return False
        if created_seq is not None:
            self._enter(seq, created_seq)
        return True

    def request(self, seq: int, time_ms: int, outcome_id: int, created_seq: int) -> None:
        """Enter an import as the request of a number."""
        row = seq, time_ms, outcome_id, created_seq, None, None
        self._insert("requests", (*row, checksum_of_request(row, ())))

    def _others(self) -> tuple[bytes, ...]:
        """The keys that came from other stores."""
        return tuple([key for key, number in self._keys.items() if number != OWN_KEY])

    def _insert(self, table: str, row: tuple[object, ...]) -> bool:
        try:
            self._execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", row)
        except sqlite3.IntegrityError:
            return False
        return True

    def _count_changes(self, seq: int) -> int:
        query = "SELECT max(place) FROM attribute_changes WHERE seq = ?"
        return int(self._execute(query, (seq,)).fetchone()[0] or 0)
