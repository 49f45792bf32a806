"""What requests changed, as the rows of the tables: put together in memory, written at once."""

import sqlite3
from collections.abc import Sequence
from typing import Any

from idsync_cli.store.checksums import checksum, checksum_of_profile, checksum_of_request
from idsync_cli.store.inserts import Inserter

ProfileRow = tuple[int, int, int, int | None, int, int]
"""A row of `profiles` without its checksum."""

RequestRow = tuple[int, int, int, int, str | None, int | None]
"""A row of `requests` without its checksum."""


IdentifierRow = tuple[int, int, int, str, int]
"""A row of `identifiers`, and the hash that it is found by."""

Holding = tuple[int, int, int, int, int, int, int]
"""An identifier and a profile, the ranges of `holders` that have had them and have them now
(0 or 1 as `known` says, -1 for none), then the identifier's type and the change that added it."""


class MpidTaken(Exception):
    """A new MPID that was taken to be free is not; what was done must be done anew."""


class Batch:
    """Rows to be written together; `holdings` says what becomes of those of `holders`.

    They are plain values, and what can be left to the writing is: it may be done elsewhere.
    """

    __slots__ = (
        "changes", "created", "holdings", "identifiers", "last_seq", "outcomes", "requests",
        "scopes", "updated",
    )  # fmt: skip

    def __init__(self) -> None:
        self.last_seq: int | None = None
        self.scopes: list[tuple[int, str, int]] = []
        self.outcomes: list[tuple[int, int, str, str, str, str | None]] = []
        self.identifiers: list[IdentifierRow] = []
        self.created: list[ProfileRow] = []
        self.updated: list[ProfileRow] = []
        self.holdings: list[Holding] = []
        self.requests: list[RequestRow] = []
        self.changes: list[tuple[int, int, int, int, int]] = []

    def as_values(self) -> tuple[Any, ...]:
        """All of it as a tuple, to be sent to another process."""
        return (
            self.last_seq, self.scopes, self.outcomes, self.identifiers, self.created,
            self.updated, self.holdings, self.requests, self.changes,
        )  # fmt: skip


def batch_of(values: Sequence[Any]) -> Batch:
    """The batch that `as_values` gave."""
    batch = Batch()
    (
        batch.last_seq, batch.scopes, batch.outcomes, batch.identifiers, batch.created,
        batch.updated, batch.holdings, batch.requests, batch.changes,
    ) = values  # fmt: skip
    return batch


class Writer:
    """Writes batches to one store, in the order of the tables."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._execute = connection.execute
        self._executemany = connection.executemany
        self._insert = Inserter(connection)

    def write(self, batch: Batch, seed: str) -> None:
        """Bring the tables up to date.

        Raises:
            MpidTaken: another profile has the MPID of a new one.
        """
        for number, name, bits in batch.scopes:
            row = number, name, bits, checksum(number, name, bits)
            self._execute("INSERT INTO scopes VALUES (?, ?, ?, ?)", row)
        for outcome in batch.outcomes:
            self._execute(
                "INSERT INTO outcomes VALUES (?, ?, ?, ?, ?, ?, ?)", (*outcome, checksum(*outcome))
            )
        self._write_identifiers(batch)
        self._write_profiles(batch)
        self._write_holders(batch)
        self._write_history(batch)
        if batch.last_seq is not None:
            self._execute(
                "UPDATE store SET last_seq = ?, checksum = ?",
                (batch.last_seq, checksum(seed, batch.last_seq)),
            )

    def _write_identifiers(self, batch: Batch) -> None:
        identifiers: list[tuple[int, int, int, str]] = []
        hashes: list[tuple[int, int]] = []
        for number, scope_id, type_id, value, its_hash in batch.identifiers:
            identifiers.append((number, scope_id, type_id, value))
            hashes.append((its_hash, number))
        hashes.sort()
        self._insert.rows("identifiers", 4, identifiers)
        self._insert.rows("identifier_hashes", 2, hashes)

    def _write_profiles(self, batch: Batch) -> None:
        created = [(*row, checksum_of_profile(*row)) for row in batch.created]
        try:
            self._insert.rows("profiles", 7, created)
        except sqlite3.IntegrityError:
            raise MpidTaken from None
        updated = [(row[0], row[4], row[5], checksum_of_profile(*row)) for row in batch.updated]
        updated.sort()
        self._executemany(
            "UPDATE profiles SET was_known = ?2, types = ?3, checksum = ?4 WHERE created_seq = ?1",
            updated,
        )

    def _write_holders(self, batch: Batch) -> None:
        gone: list[tuple[int, int, int]] = []
        come: list[tuple[int, int, int, int, int, int]] = []
        for number, seq, before, now, type_id, added_seq, place in batch.holdings:
            if before >= 0:
                gone.append((number, before, seq))
            if now >= 0:
                come.append((number, now, seq, type_id, added_seq, place))
        gone.sort()
        come.sort()
        self._executemany(
            "DELETE FROM holders WHERE identifier_id = ? AND known = ? AND created_seq = ?", gone
        )
        self._insert.rows("holders", 6, come)

    def _write_history(self, batch: Batch) -> None:
        changes = batch.changes
        requests: list[tuple[int | str | None, ...]] = []
        place = 0
        for row in batch.requests:
            made: list[tuple[int, int, int, int]] = []
            while place < len(changes) and changes[place][0] == row[0]:
                made.append(changes[place][1:])
                place += 1
            requests.append((*row, checksum_of_request(row[:4], row[4:], made)))
        self._insert.rows("requests", 7, requests)
        self._insert.rows("changes", 5, changes)
