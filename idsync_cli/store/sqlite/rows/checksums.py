"""Checksums that show whether a row has changed on the disk. SQLite itself keeps none."""

from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b
from itertools import chain
from struct import Struct, error
from typing import Any, Final
from zlib import crc32

from idsync_cli.store.sqlite.rows.packed_integers import pack_numbers

Value = int | str | bytes | None | tuple["Value", ...]


def checksum(*values: Value) -> int:
    """The checksum of the values of a row: 32 bits, against accidents and not against intent."""
    return crc32(repr(values).encode("utf-8", "backslashreplace"))


NO_ROW_OF_OURS: Final = -1
"""Stands for the checksum of values that idsync cannot have written."""


NO_TIME: Final = -(2**63)
"""Stands among packed numbers for a time that nobody knows."""

ProfileRow = tuple[int, int, int, int | None, int, int, int | None, int | None]
"""A row of `profiles` without its checksum."""


def profile_numbers(
    created_seq: int,
    mpid: int,
    scope_id: int,
    source_mpid: int | None,
    known_seq: int,
    types: int,
    first_seen_ms: int,
    last_stored_ms: int,
) -> tuple[int, int, int, int, int, int, int, int, int]:
    """A row of `profiles` as what its sum is over, once packed; times may be NO_TIME."""
    has_source, source = (0, 0) if source_mpid is None else (1, source_mpid)
    return (
        created_seq, mpid, scope_id, has_source, source, known_seq, types, first_seen_ms,
        last_stored_ms,
    )  # fmt: skip


def packed_profiles(packed: bytes) -> Iterator[tuple[bytes, ProfileRow]]:
    """Profiles that were packed one after another: each, and the row that it stands for."""
    begin = 0
    for seq, mpid, scope_id, has_source, source, known, types, first, last in _PROFILE.iter_unpack(
        packed
    ):
        end = begin + _PROFILE.size
        source_mpid = source if has_source else None
        first_seen = None if first == NO_TIME else first
        last_stored = None if last == NO_TIME else last
        row = seq, mpid, scope_id, source_mpid, known, types, first_seen, last_stored
        yield packed[begin:end], row
        begin = end


def checksum_of_profile(
    created_seq: int,
    mpid: int,
    scope_id: int,
    source_mpid: int | None,
    known_seq: int,
    types: int,
    first_seen_ms: int | None,
    last_stored_ms: int | None,
) -> int:
    """The sum of a row of `profiles`."""
    first = NO_TIME if first_seen_ms is None else first_seen_ms
    last = NO_TIME if last_stored_ms is None else last_stored_ms
    try:
        return crc32(
            pack_numbers(
                profile_numbers(
                    created_seq, mpid, scope_id, source_mpid, known_seq, types, first, last
                )
            )
        )
    except error:
        return NO_ROW_OF_OURS


def checksum_of_packed_request(packed: bytes, texts: Sequence[int | str | None]) -> int:
    """The checksum of a request with its changes, packed, and of the texts that it brought itself.

    Packed are the numbers of its row, from `seq` to `created_seq`, and of each change all but the
    request's number. Most requests bring no texts.
    """
    found = crc32(packed)
    if texts[0] is None and texts[1] is None:
        return found
    return crc32(repr(list(texts)).encode("utf-8", "replace"), found)


def checksum_of_request(row: Sequence[Any], changes: Iterable[tuple[int, int, int, int]]) -> int:
    """The checksum of a row of `requests` and its changes, each without the request's number.

    The row may be damaged. Without a profile it counts as that of profile 0.
    """
    try:
        packed = pack_numbers([*row[:3], row[3] or 0, *chain.from_iterable(changes)])
    except error:
        return NO_ROW_OF_OURS
    return checksum_of_packed_request(packed, row[4:])


_PROFILE: Final = Struct("<9q")
_HASH: Final = Struct(">q")


def identifier_hash(scope_id: int, identity_type_id: int, value: str) -> int:
    """The hash that an identifier is found by: 64 bits, signed, of a cryptographic hash."""
    return hash_behind(hash_prefix(scope_id, identity_type_id), value)


def hash_prefix(scope_id: int, identity_type_id: int) -> bytes:
    """What precedes the value in the hash of every identifier of a type."""
    return f"{scope_id}:{identity_type_id}:".encode("ascii")


def hash_behind(prefix: bytes, value: str) -> int:
    """The hash of an identifier whose type has the prefix."""
    [found] = _HASH.unpack(blake2b(prefix + value.encode(), digest_size=8).digest())
    return int(found)
