"""The rows that requests changed: gathered in memory, and written all at once."""

import sqlite3
from collections.abc import Sequence
from typing import Any, Final
from zlib import crc32

from idsync_cli.store.api import MpidTaken
from idsync_cli.store.sqlite.rows.checksums import (
    checksum,
    checksum_of_packed_request,
    identifier_hash,
    packed_profiles,
)
from idsync_cli.store.sqlite.rows.data import DataRows, DataWriter, SummedDataRows
from idsync_cli.store.sqlite.rows.holder_changes import rows_of
from idsync_cli.store.sqlite.rows.inserts import Inserter
from idsync_cli.store.sqlite.rows.packed_integers import NUMBER_BYTES, unpack_numbers

IdentifierRow = tuple[int, int, int, str]
"""A row of `identifiers`."""

PastRow = tuple[int, int, int, int, int, int]
"""A row of `past_holders`; of what came before the batch, the first change may be 0 and 0."""


class RowBatch:
    """Rows to be written together, packed; they may be written by another process.

    `created` and `updated` are profiles, as `checksums.profile_numbers` makes numbers of them.
    `requests` are the numbers of all requests, one request after another: the four of its row, and
    four for each change; `sizes` says how many each has. `texts` has the texts that some requests
    brought, by their numbers. `holdings` are the changes of rows of `holders` (`holder_changes`),
    and `past` those rows that become history. `rules` are the texts of the rules of each scope,
    None where they stay. `data` is what batches brought.
    """

    __slots__ = (
        "created", "data", "holdings", "identifiers", "last_seq", "outcomes", "past", "requests",
        "rules",
        "scopes", "sizes", "texts", "updated",
    )  # fmt: skip

    def __init__(self) -> None:
        self.last_seq: int | None = None
        self.rules: dict[str, str] | None = None
        self.scopes: list[tuple[int, str, int]] = []
        self.outcomes: list[tuple[int, int, str, str, str, str | None]] = []
        self.identifiers: list[IdentifierRow] = []
        self.created = self.updated = self.holdings = self.requests = b""
        self.past: list[PastRow] = []
        self.sizes: list[int] = []
        self.texts: dict[int, tuple[str | None, int | None]] = {}
        self.data = DataRows()

    def as_values(self) -> tuple[Any, ...]:
        """All of it as a tuple, to be sent to another process."""
        return (
            self.last_seq, self.rules, self.scopes, self.outcomes, self.identifiers, self.created,
            self.updated, self.holdings, self.past, self.requests, self.sizes, self.texts,
            self.data.as_values(),
        )  # fmt: skip


def batch_of(values: Sequence[Any]) -> RowBatch:
    """The batch that `as_values` gave."""
    batch = RowBatch()
    (
        batch.last_seq, batch.rules, batch.scopes, batch.outcomes, batch.identifiers, batch.created,
        batch.updated, batch.holdings, batch.past, batch.requests, batch.sizes, batch.texts, data,
    ) = values  # fmt: skip
    batch.data.put(data)
    return batch


_NO_TEXTS: Final = None, None


class Rows:
    """The rows of a batch for each table, in the order of its key, with checksums and hashes.

    Making them is most of the work, and needs no lock on the store.
    """

    __slots__ = (
        "changes", "created", "data", "holders_come", "holders_gone", "identifier_hashes",
        "identifiers", "last_seq", "outcomes", "past", "past_unread", "requests", "rules", "scopes",
        "updated",
    )  # fmt: skip

    def __init__(self, batch: RowBatch) -> None:
        self.last_seq = batch.last_seq
        self.rules: list[tuple[str, str, int]] | None = None
        if batch.rules is not None:
            self.rules = [(*rules, checksum(*rules)) for rules in batch.rules.items()]
        self.scopes = [(*scope, checksum(*scope)) for scope in batch.scopes]
        self.outcomes = [(*outcome, checksum(*outcome)) for outcome in batch.outcomes]
        self.identifiers = batch.identifiers
        self.identifier_hashes = [
            (identifier_hash(scope_id, type_id, value), number)
            for number, scope_id, type_id, value in batch.identifiers
        ]
        self.identifier_hashes.sort()
        self._unpack_profiles(batch)
        self.holders_gone, self.holders_come = rows_of(batch.holdings)
        self._unpack_history(batch)
        self.past: list[PastRow] = []
        self.past_unread: list[tuple[int, int, int, int]] = []
        for row in batch.past:
            created_seq, added_seq, _, number, seq, place = row
            if added_seq:
                self.past.append(row)
            else:
                self.past_unread.append((number, created_seq, seq, place))
        self.past.sort()
        self.data = SummedDataRows(batch.data) if batch.data.exist else None

    def _unpack_profiles(self, batch: RowBatch) -> None:
        self.created = [
            (*numbers, crc32(packed)) for packed, numbers in packed_profiles(batch.created)
        ]
        self.updated: list[tuple[int, int, int, int | None, int | None, int]] = []
        for packed, numbers in packed_profiles(batch.updated):
            seq, _, _, _, known_seq, types, first_seen, last_stored = numbers
            row = seq, known_seq, types, first_seen, last_stored, crc32(packed)
            self.updated.append(row)
        self.updated.sort()

    def _unpack_history(self, batch: RowBatch) -> None:
        requests: list[tuple[int | str | None, ...]] = []
        changes: list[tuple[int, ...]] = []
        everything = unpack_numbers(batch.requests)
        begin = 0
        for size in batch.sizes:
            end = begin + size
            seq = everything[begin]
            texts = batch.texts.get(seq, _NO_TEXTS)
            packed = batch.requests[begin * NUMBER_BYTES : end * NUMBER_BYTES]
            sum_of_it = checksum_of_packed_request(packed, texts)
            requests.append((*everything[begin : begin + 4], *texts, sum_of_it))
            starts = range(begin + 4, end, 4)
            changes += [(seq, *everything[start : start + 4]) for start in starts]
            begin = end
        self.requests, self.changes = requests, changes


_LEAVES: Final = """
    INSERT INTO past_holders
    SELECT created_seq, added_seq, place, identifier_id, ?3, ?4 FROM holders
    WHERE identifier_id = ?1 AND known IN (0, 1) AND created_seq = ?2
"""


class RowWriter:
    """Writes batches to one store, in the order of the tables."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._execute = connection.execute
        self._insert = Inserter(connection)
        self._data = DataWriter(connection)

    def write(self, rows: Rows, seed: str) -> None:
        """Bring the tables up to date.

        Raises:
            MpidTaken: another profile has the MPID of a new one.
        """
        insert = self._insert
        if rows.rules is not None:
            self._execute("DELETE FROM rules")
            insert.rows("rules", 3, rows.rules)
        insert.rows("scopes", 4, rows.scopes)
        insert.rows("outcomes", 7, rows.outcomes)
        insert.rows("identifiers", 4, rows.identifiers)
        insert.rows("identifier_hashes", 2, rows.identifier_hashes)
        try:
            insert.rows("profiles", 9, rows.created)
        except sqlite3.IntegrityError:
            raise MpidTaken from None
        self._check_not_erased(rows.created)
        insert.each(
            "UPDATE profiles SET known_seq = ?2, types = ?3, first_seen_ms = ?4,"
            " last_stored_ms = ?5, checksum = ?6 WHERE created_seq = ?1",
            rows.updated,
        )
        insert.each(_LEAVES, rows.past_unread)
        insert.rows("past_holders", 6, rows.past)
        insert.each(
            "DELETE FROM holders WHERE identifier_id = ? AND known = ? AND created_seq = ?",
            rows.holders_gone,
        )
        insert.rows("holders", 6, rows.holders_come)
        insert.rows("requests", 7, rows.requests)
        insert.rows("changes", 5, rows.changes)
        if rows.data is not None:
            self._data.write(rows.data)
        if rows.last_seq is not None:
            self._execute(
                "UPDATE store SET last_seq = ?, checksum = ?",
                (rows.last_seq, checksum(seed, rows.last_seq)),
            )

    def _check_not_erased(self, created: Sequence[tuple[Any, ...]]) -> None:
        """See whether a new profile has the MPID of one that was erased.

        Raises:
            MpidTaken: one has.
        """
        erased = self._execute("SELECT mpid FROM erasures").fetchall() if created else []
        if erased:
            new = {row[1] for row in created}
            if any(mpid in new for (mpid,) in erased):
                raise MpidTaken
