"""Aliases: which profiles have their events copied, and copying them (section 9).

Aliases are rare. Each is written at once, after everything that came before it, so that the tables
always have all of them.
"""

import sqlite3
from collections.abc import Callable
from typing import Final

from idsync_cli.core.data.values import Alias
from idsync_cli.store.sqlite.rows.checksums import checksum
from idsync_cli.store.sqlite.rows.data import checksum_of_event

_REMEMBERED: Final = 10_000
_COLUMNS = (
    "SELECT aliases.seq, source.mpid, destination.mpid, start_ms, end_ms FROM aliases"
    " JOIN profiles AS source ON source.created_seq = source_seq"
    " JOIN profiles AS destination ON destination.created_seq = destination_seq"
)
_FROM = f"{_COLUMNS} WHERE source_seq = ? ORDER BY aliases.seq"
_TO = f"{_COLUMNS} WHERE destination_seq = ? ORDER BY aliases.seq"
_COUNT = "SELECT count(*) FROM events WHERE created_seq = ? AND time_ms BETWEEN ? AND ?"
_EVENTS = """
    SELECT time_ms, event_type, name, event FROM events
    WHERE created_seq = ? AND time_ms BETWEEN ? AND ? ORDER BY time_ms, seq, place
"""
_INSERT = "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"


class Aliases:
    """The aliases of one store; `bring_up_to_date` writes everything that was decided."""

    __slots__ = ("_any", "_bring_up_to_date", "_execute", "_from", "_insert_many")

    def __init__(
        self, connection: sqlite3.Connection, bring_up_to_date: Callable[[], None]
    ) -> None:
        self._execute = connection.execute
        self._insert_many = connection.executemany
        self._bring_up_to_date = bring_up_to_date
        self._any: bool | None = None  # not known yet
        self._from: dict[int, tuple[Alias, ...]] = {}

    def forget(self) -> None:
        """Forget what was read: aliases with a profile that was erased are gone."""
        self._any = None
        self._from = {}

    def expect_more(self) -> None:
        """Forget what was read, for others than `add` adds are about to come into the tables.

        They are read with their profiles, so these must be there.
        """
        self._bring_up_to_date()
        self.forget()

    def by_source(self, created_seq: int) -> tuple[Alias, ...]:
        """The aliases of which a profile is the source, oldest first."""
        if self._any is None:
            self._any = self._execute("SELECT 1 FROM aliases LIMIT 1").fetchone() is not None
        if not self._any:
            return ()
        found = self._from.get(created_seq)
        if found is None:
            if len(self._from) >= _REMEMBERED:
                self._from.clear()
            rows = self._execute(_FROM, (created_seq,))
            found = self._from[created_seq] = tuple([Alias(*row) for row in rows])
        return found

    def by_destination(self, created_seq: int) -> tuple[Alias, ...]:
        """The aliases of which a profile is the destination, oldest first."""
        return tuple([Alias(*row) for row in self._execute(_TO, (created_seq,))])

    def count_events(self, created_seq: int, start_ms: int, end_ms: int) -> int:
        """How many events a profile has from one time to another, both included."""
        self._bring_up_to_date()
        [count] = self._execute(_COUNT, (created_seq, start_ms, end_ms)).fetchone()
        return int(count)

    def add(self, alias: Alias, source_seq: int, destination_seq: int) -> None:
        """Write an alias, and copy the events that are there."""
        self._bring_up_to_date()
        row = alias.seq, source_seq, destination_seq, alias.start_ms, alias.end_ms
        self._execute("INSERT INTO aliases VALUES (?, ?, ?, ?, ?, ?)", (*row, checksum(*row)))
        found = self._execute(_EVENTS, row[1:2] + row[3:]).fetchall()
        [last] = self._execute("SELECT max(event_id) FROM events").fetchone()
        copies = [
            ((last or 0) + place, destination_seq, alias.seq, place, *event)
            for place, event in enumerate(found, start=1)
        ]
        self._insert_many(_INSERT, [(*copy, checksum_of_event(*copy)) for copy in copies])
        self._any = True
        self._from.pop(source_seq, None)
