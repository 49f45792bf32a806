"""What requests changed, as the rows of the tables: put together in memory, written at once."""

import sqlite3
from collections.abc import Sequence
from struct import Struct
from typing import Any, Final
from zlib import crc32

from idsync_cli.store.checksums import (
    checksum,
    checksum_of_packed_request,
    unpack_profile,
    unpack_request,
)
from idsync_cli.store.inserts import Inserter

IdentifierRow = tuple[int, int, int, str, int]
"""A row of `identifiers`, and the hash that it is found by."""


class MpidTaken(Exception):
    """A new MPID that was taken to be free is not; what was done must be done anew."""


class Batch:
    """Rows to be written together, packed; they may be written by another process.

    `created` and `updated` are profiles (`pack_profile`), `requests` come with their changes
    (`pack_request`), and `texts` has what some of those brought themselves, by their number.
    `holdings` says what becomes of rows of `holders` (`pack_holding`).
    """

    __slots__ = (
        "created", "holdings", "identifiers", "last_seq", "outcomes", "requests", "scopes",
        "texts", "updated",
    )  # fmt: skip

    def __init__(self) -> None:
        self.last_seq: int | None = None
        self.scopes: list[tuple[int, str, int]] = []
        self.outcomes: list[tuple[int, int, str, str, str, str | None]] = []
        self.identifiers: list[IdentifierRow] = []
        self.created: list[bytes] = []
        self.updated: list[bytes] = []
        self.holdings: list[bytes] = []
        self.requests: list[bytes] = []
        self.texts: dict[int, tuple[str | None, int | None]] = {}

    def as_values(self) -> tuple[Any, ...]:
        """All of it as a tuple, to be sent to another process."""
        return (
            self.last_seq, self.scopes, self.outcomes, self.identifiers, b"".join(self.created),
            b"".join(self.updated), b"".join(self.holdings), self.requests, self.texts,
        )  # fmt: skip


def batch_of(values: Sequence[Any]) -> Batch:
    """The batch that `as_values` gave."""
    batch = Batch()
    (
        batch.last_seq, batch.scopes, batch.outcomes, batch.identifiers, created, updated, holdings,
        batch.requests, batch.texts,
    ) = values  # fmt: skip
    batch.created, batch.updated = _packed(created), _packed(updated)
    batch.holdings = _packed(holdings)
    return batch


def _packed(joined: bytes) -> list[bytes]:
    """Packed rows, one after another; those of profiles and of holdings are of one size."""
    size = _HOLDING.size
    return [joined[begin : begin + size] for begin in range(0, len(joined), size)]


NOWHERE: Final = -1
"""Stands for the range of `holders` that has a profile, where none has it."""

_HOLDING: Final = Struct("<7q")
_NO_TEXTS: Final = None, None


def pack_holding(
    identifier_id: int, created_seq: int, before: int, now: int, held: tuple[int, int, int]
) -> bytes:
    """What becomes of an identifier and a profile in `holders`.

    `before` and `now` are the ranges that have them: 0 or 1 as `known` says, or NOWHERE; `held` has
    the identifier's type and the change that added it.
    """
    return _HOLDING.pack(identifier_id, created_seq, before, now, held[0], held[1], held[2])


def ranges_of(holding: bytes) -> tuple[int, int]:
    """The ranges that had and have a holding that was packed."""
    _, _, before, now, _, _, _ = _HOLDING.unpack(holding)
    return before, now


class Writer:
    """Writes batches to one store, in the order of the tables."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._execute = connection.execute
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
        created = [(*unpack_profile(packed), crc32(packed)) for packed in batch.created]
        try:
            self._insert.rows("profiles", 7, created)
        except sqlite3.IntegrityError:
            raise MpidTaken from None
        updated: list[tuple[int, int, int, int]] = []
        for packed in batch.updated:
            seq, _, _, _, was_known, types = unpack_profile(packed)
            updated.append((seq, was_known, types, crc32(packed)))
        updated.sort()
        self._insert.each(
            "UPDATE profiles SET was_known = ?2, types = ?3, checksum = ?4 WHERE created_seq = ?1",
            updated,
        )

    def _write_holders(self, batch: Batch) -> None:
        gone: list[tuple[int, int, int]] = []
        come: list[tuple[int, int, int, int, int, int]] = []
        for packed in batch.holdings:
            number, seq, before, now, type_id, added_seq, place = _HOLDING.unpack(packed)
            if before != NOWHERE:
                gone.append((number, before, seq))
            if now != NOWHERE:
                come.append((number, now, seq, type_id, added_seq, place))
        gone.sort()
        come.sort()
        self._insert.each(
            "DELETE FROM holders WHERE identifier_id = ? AND known = ? AND created_seq = ?", gone
        )
        self._insert.rows("holders", 6, come)

    def _write_history(self, batch: Batch) -> None:
        requests: list[tuple[int | str | None, ...]] = []
        changes: list[tuple[int, ...]] = []
        for packed in batch.requests:
            numbers = unpack_request(packed)
            seq = numbers[0]
            texts = batch.texts.get(seq, _NO_TEXTS)
            sum_of_it = checksum_of_packed_request(packed, texts)
            requests.append((*numbers[:4], *texts, sum_of_it))
            for begin in range(4, len(numbers), 4):
                changes.append((seq, *numbers[begin : begin + 4]))  # noqa: PERF401 - by hundreds
        self._insert.rows("requests", 7, requests)
        self._insert.rows("changes", 5, changes)
