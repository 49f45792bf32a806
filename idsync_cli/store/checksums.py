"""Sums that tell a row which has changed on the disk: SQLite itself keeps none."""

from collections.abc import Iterable, Sequence
from hashlib import blake2b
from itertools import chain
from struct import Struct, error, pack, unpack
from typing import Final
from zlib import crc32

Value = int | str | None | tuple["Value", ...]


def checksum(*values: Value) -> int:
    """The sum that is kept with the values of a row: 32 bits, against accidents only."""
    return crc32(repr(values).encode("utf-8", "backslashreplace"))


_NONE: Final = -1
"""The sum of what cannot be a row of ours."""


def pack_profile(
    created_seq: int, mpid: int, scope_id: int, source_mpid: int | None, was_known: int, types: int
) -> bytes:
    """A row of `profiles` as what its sum is over."""
    source = 0 if source_mpid is None else source_mpid
    has_source = 0 if source_mpid is None else 1
    return _PROFILE.pack(created_seq, mpid, scope_id, has_source, source, was_known, types)


def unpack_profile(packed: bytes) -> tuple[int, int, int, int | None, int, int]:
    """The row that was packed."""
    created_seq, mpid, scope_id, has_source, source, was_known, types = _PROFILE.unpack(packed)
    return created_seq, mpid, scope_id, source if has_source else None, was_known, types


def checksum_of_profile(
    created_seq: int, mpid: int, scope_id: int, source_mpid: int | None, was_known: int, types: int
) -> int:
    """The sum of a row of `profiles`."""
    try:
        return crc32(pack_profile(created_seq, mpid, scope_id, source_mpid, was_known, types))
    except error:
        return _NONE


def pack_request(numbers: Sequence[int]) -> bytes:
    """A row of `requests` and its changes as what their sum is over.

    They are the numbers of the row, from `seq` to `created_seq`, and of each change all but the
    number of its request.
    """
    count = len(numbers)
    return _EIGHT.pack(*numbers) if count == 8 else pack(f"<{count}q", *numbers)


def unpack_request(packed: bytes) -> tuple[int, ...]:
    """The numbers that were packed."""
    size = len(packed) // 8
    return _EIGHT.unpack(packed) if size == 8 else unpack(f"<{size}q", packed)


def checksum_of_packed_request(packed: bytes, texts: Sequence[int | str | None]) -> int:
    """The sum of a request that was packed, and of what came with the request itself.

    Most requests bring nothing of the kind, so that numbers are enough.
    """
    found = crc32(packed)
    if texts[0] is None and texts[1] is None:
        return found
    return crc32(repr(list(texts)).encode("utf-8", "replace"), found)


def checksum_of_request(
    row: Sequence[int | str | None], changes: Iterable[tuple[int, int, int, int]]
) -> int:
    """The sum of a row of `requests` and of its changes, of each all but the request's number."""
    try:
        packed = pack_request([*row[:4], *chain.from_iterable(changes)])  # type: ignore[list-item]
    except error:
        return _NONE
    return checksum_of_packed_request(packed, row[4:])


_EIGHT: Final = Struct("<8q")  # one change, as most requests make
_PROFILE: Final = Struct("<7q")


def identifier_hash(scope_id: int, identity_type_id: int, value: str) -> int:
    """What an identifier is found by: 64 bits, signed, which nobody can aim at another's."""
    text = f"{scope_id}:{identity_type_id}:{value}".encode()
    return int.from_bytes(blake2b(text, digest_size=8).digest(), "big", signed=True)
