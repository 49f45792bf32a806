"""What batches brought, as the rows of the tables of section 9.

Whether an attribute changes, or anything new is said of a device, is seen only when the rows are
written, by what the tables have then. So nobody who decides need know it, and the result is the
same however many requests are written at once.
"""

import sqlite3
from collections.abc import Sequence
from struct import Struct
from struct import error as StructError  # noqa: N812 - `error` says too little
from typing import Any, Final
from zlib import crc32

from idsync_cli.core.codes import AttributeOp
from idsync_cli.core.data.values import Alias, BatchData
from idsync_cli.store.sqlite.rows.checksums import NO_ROW_OF_OURS, checksum
from idsync_cli.store.sqlite.rows.inserts import Inserter

SET: Final = AttributeOp.SET.value
DELETE: Final = AttributeOp.DELETE.value

_NUMBERS: Final = Struct("<4q").pack
_THREE_NUMBERS: Final = Struct("<3q").pack
_NUMBER: Final = Struct("<q").pack
_NOBODY: Final = -1

OWN_KEY: Final = 0
"""Stands in `batch_ids` for the key that is made of the seed."""

_Event = tuple[int, int, int, int, str, str | None, str]
_State = tuple[str | None, int, str | None]


def checksum_of_event(
    event_id: int,
    created_seq: int,
    seq: int,
    place: int,
    time_ms: int,
    event_type: str,
    name: str | None,
    event: str,
) -> int:
    """The sum of a row of `events`."""
    try:
        content = _sum_of_content(created_seq, seq, place, time_ms, event_type, name, event)
        return crc32(_NUMBER(event_id), content)
    except StructError:
        return NO_ROW_OF_OURS


def _sum_of_content(
    created_seq: int,
    seq: int,
    place: int,
    time_ms: int,
    event_type: str,
    name: str | None,
    event: str,
) -> int:
    """The checksum of the content of an event, whose id is not known yet."""
    words = f"{event_type}\0{event}" if name is None else f"{event_type}\0{name}\0{event}"
    numbers = crc32(_NUMBERS(created_seq, seq, place, time_ms))
    return crc32(words.encode("utf-8", "backslashreplace"), numbers)


def checksum_of_batch_id(digest: bytes, seq: int, created_seq: int | None, key_id: int) -> int:
    """The sum of a row of `batch_ids`."""
    try:
        numbers = _THREE_NUMBERS(seq, _NOBODY if created_seq is None else created_seq, key_id)
        return crc32(digest, crc32(numbers))
    except StructError:
        return NO_ROW_OF_OURS


def attribution_of(connection: sqlite3.Connection, created_seq: int) -> str | None:
    """The install attribution that a profile has, as JSON, if it has one."""
    row = connection.execute(_STATE, (created_seq,)).fetchone()
    return None if row is None else row[2]


class DataRows:
    """What requests brought, in their order; it may be written by another process.

    An attribute without a value is deleted. Of a device there is its type, value and info, of a
    state what is new of it; None is what a batch did not say.
    """

    __slots__ = ("attributes", "batch_ids", "devices", "events", "states")

    def __init__(self) -> None:
        self.events: list[_Event] = []
        self.attributes: list[tuple[int, int, str, str | None]] = []
        self.devices: list[tuple[int, int, str, str, str]] = []
        self.states: list[tuple[int, int, str | None, bool | None, str | None]] = []
        self.batch_ids: list[tuple[bytes, int, int]] = []

    def add(self, created_seq: int, seq: int, time_ms: int, data: BatchData) -> None:
        """Add what a request brought to a profile; `time_ms` is the time of the request."""
        for place, event in enumerate(data.events, start=1):
            its_time = time_ms if event.time_ms is None else event.time_ms
            row = created_seq, seq, place, its_time, event.event_type, event.name, event.text
            self.events.append(row)
        if data.attributes:
            for name, value in data.attributes.items():
                self.attributes.append((created_seq, seq, name, value))
        for name in data.deleted:
            self.attributes.append((created_seq, seq, name, None))
        device = data.device
        if device is not None:
            of = device.identifier
            kind, identifying = ("", "") if of is None else (str(of.type), of.value)
            self.devices.append((created_seq, seq, kind, identifying, device.info))
        opted_out = data.is_opted_out
        if data.consent_state is not None or data.attribution is not None or opted_out is not None:
            state = created_seq, seq, data.consent_state, opted_out, data.attribution
            self.states.append(state)

    def copy(self, created_seq: int, seq: int, time_ms: int, data: BatchData, alias: Alias) -> None:
        """Add, for the destination of an alias, the events that are in its window."""
        for place, event in enumerate(data.events, start=1):
            its_time = time_ms if event.time_ms is None else event.time_ms
            if alias.covers(its_time):
                where = created_seq, seq, place, its_time
                self.events.append((*where, event.event_type, event.name, event.text))

    def as_values(self) -> tuple[Any, ...]:
        """All of it as a tuple, to be sent to another process."""
        return self.events, self.attributes, self.devices, self.states, self.batch_ids

    def put(self, values: Sequence[Any]) -> None:
        """Become what `as_values` gave."""
        self.events, self.attributes, self.devices, self.states, self.batch_ids = values

    @property
    def exist(self) -> bool:
        """Whether there are any."""
        return bool(self.events or self.attributes or self.devices or self.states or self.batch_ids)


class SummedDataRows:
    """The same with the checksums, which are made before the store is locked."""

    __slots__ = ("batch_ids", "event_sums", "rows")

    def __init__(self, rows: DataRows) -> None:
        self.rows = rows
        self.event_sums = [
            _sum_of_content(created_seq, seq, place, time_ms, event_type, name, event)
            for created_seq, seq, place, time_ms, event_type, name, event in rows.events
        ]
        self.batch_ids = [
            (
                *(digest, seq, created_seq, OWN_KEY),
                checksum_of_batch_id(digest, seq, created_seq, OWN_KEY),
            )
            for digest, seq, created_seq in rows.batch_ids
        ]
        self.batch_ids.sort()


class DataWriter:
    """Writes what batches brought to one store; the profiles it belongs to are written already."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._execute = connection.execute
        self._insert = Inserter(connection)

    def write(self, summed: SummedDataRows) -> None:
        """Bring the tables up to date."""
        rows = summed.rows
        if rows.events:
            self._write_events(summed)
        if rows.attributes:
            self._write_attributes(rows)
        if rows.devices:
            self._write_devices(rows)
        if rows.states:
            self._write_states(rows)
        if summed.batch_ids:
            self._insert.rows("batch_ids", 5, summed.batch_ids)

    def _write_events(self, summed: SummedDataRows) -> None:
        [last] = self._execute("SELECT max(event_id) FROM events").fetchone()
        number = 0 if last is None else int(last)
        come: list[tuple[object, ...]] = []
        events, sums = summed.rows.events, summed.event_sums
        for (created_seq, seq, place, time_ms, event_type, name, event), content in zip(
            events, sums, strict=True
        ):
            number += 1
            whole = crc32(_NUMBER(number), content)
            come.append((number, created_seq, seq, place, time_ms, event_type, name, event, whole))
        self._insert.rows("events", 9, come)

    def _write_attributes(self, rows: DataRows) -> None:
        before: dict[tuple[int, str], str | None] = {}
        by_now: dict[tuple[int, str], tuple[str | None, int]] = {}
        changes: list[tuple[int | str | None, ...]] = []
        last_seq = place = 0
        for created_seq, seq, name, value in rows.attributes:
            key = created_seq, name
            if key not in before:
                row = self._execute(_ATTRIBUTE, key).fetchone()
                before[key] = None if row is None else row[0]
                by_now[key] = before[key], 0
            if by_now[key][0] == value:
                continue
            by_now[key] = value, seq
            place = place + 1 if seq == last_seq else 1
            last_seq = seq
            change = seq, place, created_seq, name, DELETE if value is None else SET, value
            changes.append((*change, checksum(*change)))
        gone: list[tuple[int, str]] = []
        come: list[tuple[int | str, ...]] = []
        for key, (value, seq) in sorted(by_now.items()):
            if seq == 0:
                continue
            if before[key] is not None:
                gone.append(key)
            if value is not None:
                row = *key, value, seq
                come.append((*row, checksum(*row)))
        self._insert.each(_NO_ATTRIBUTE, gone)
        self._insert.rows("attributes", 5, come)
        self._insert.rows("attribute_changes", 7, changes)

    def _write_devices(self, rows: DataRows) -> None:
        current: dict[tuple[int, str, str], str | None] = {}
        come: list[tuple[int | str, ...]] = []
        for created_seq, seq, kind, value, info in rows.devices:
            key = created_seq, kind, value
            if key not in current:
                row = self._execute(_DEVICE, key).fetchone()
                current[key] = None if row is None else row[0]
            if current[key] != info:
                current[key] = info
                new = *key, seq, info
                come.append((*new, checksum(*new)))
        come.sort()
        self._insert.rows("devices", 6, come)

    def _write_states(self, rows: DataRows) -> None:
        current: dict[int, _State] = {}
        come: list[tuple[int | str | None, ...]] = []
        for created_seq, seq, consent_state, is_opted_out, attribution in rows.states:
            if created_seq not in current:
                row = self._execute(_STATE, (created_seq,)).fetchone()
                current[created_seq] = (None, 0, None) if row is None else row
            consent_before, opted_out_before, attribution_before = current[created_seq]
            state: _State = (
                consent_before if consent_state is None else consent_state,
                opted_out_before if is_opted_out is None else int(is_opted_out),
                attribution_before if attribution is None else attribution,
            )
            if state != current[created_seq]:
                current[created_seq] = state
                new = created_seq, seq, *state
                come.append((*new, checksum(*new)))
        self._insert.rows("profile_states", 6, come)


_ATTRIBUTE: Final = "SELECT value FROM attributes WHERE created_seq = ? AND name = ?"
_NO_ATTRIBUTE: Final = "DELETE FROM attributes WHERE created_seq = ? AND name = ?"
_DEVICE: Final = """
    SELECT info FROM devices WHERE created_seq = ? AND identity_type = ? AND value = ?
    ORDER BY seq DESC LIMIT 1
"""
_STATE: Final = """
    SELECT consent_state, is_opted_out, attribution FROM profile_states WHERE created_seq = ?
    ORDER BY seq DESC LIMIT 1
"""
