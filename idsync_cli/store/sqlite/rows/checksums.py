"""Sums that tell a row which has changed on the disk: SQLite itself keeps none."""

from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b
from itertools import chain
from struct import Struct, error
from typing import Any, Final
from zlib import crc32

from idsync_cli.store.sqlite.rows.packed_integers import pack_numbers

Value = int | str | None | tuple["Value", ...]


def checksum(*values: Value) -> int:
    """The sum that is kept with the values of a row: 32 bits, against accidents only."""
    return crc32(repr(values).encode("utf-8", "backslashreplace"))


_NONE: Final = -1
"""The sum of what cannot be a row of ours."""


def profile_numbers(
    created_seq: int, mpid: int, scope_id: int, source_mpid: int | None, was_known: int, types: int
) -> tuple[int, int, int, int, int, int, int]:
    """A row of `profiles` as what its sum is over, once packed."""
    if source_mpid is None:
        return created_seq, mpid, scope_id, 0, 0, was_known, types
    return created_seq, mpid, scope_id, 1, source_mpid, was_known, types


def packed_profiles(
    packed: bytes,
) -> Iterator[tuple[bytes, tuple[int, int, int, int | None, int, int]]]:
    """Profiles that were packed one after another: each, and the row that it stands for."""
    begin = 0
    for seq, mpid, scope_id, has_source, source, was_known, types in _PROFILE.iter_unpack(packed):
        end = begin + _PROFILE.size
        source_mpid = source if has_source else None
        yield packed[begin:end], (seq, mpid, scope_id, source_mpid, was_known, types)
        begin = end


def checksum_of_profile(
    created_seq: int, mpid: int, scope_id: int, source_mpid: int | None, was_known: int, types: int
) -> int:
    """The sum of a row of `profiles`."""
    try:
        return crc32(
            pack_numbers(
                profile_numbers(created_seq, mpid, scope_id, source_mpid, was_known, types)
            )
        )
    except error:
        return _NONE


def checksum_of_packed_request(packed: bytes, texts: Sequence[int | str | None]) -> int:
    """The sum of a request and its changes that were packed, and of what came with it.

    Packed are the numbers of the row, from `seq` to `created_seq`, and of each change all but the
    number of its request. With most requests nothing comes, so that numbers are enough.
    """
    found = crc32(packed)
    if texts[0] is None and texts[1] is None:
        return found
    return crc32(repr(list(texts)).encode("utf-8", "replace"), found)


def checksum_of_request(row: Sequence[Any], changes: Iterable[tuple[int, int, int, int]]) -> int:
    """The sum of a row of `requests` and of its changes, of each all but the request's number.

    The row is as it was read, whatever that is by now. Without a profile it counts as that of 0.
    """
    try:
        packed = pack_numbers([*row[:3], row[3] or 0, *chain.from_iterable(changes)])
    except error:
        return _NONE
    return checksum_of_packed_request(packed, row[4:])


_PROFILE: Final = Struct("<7q")
_HASH: Final = Struct(">q")


def identifier_hash(scope_id: int, identity_type_id: int, value: str) -> int:
    """What an identifier is found by: 64 bits, signed, which nobody can aim at another's."""
    return hash_behind(hash_prefix(scope_id, identity_type_id), value)


def hash_prefix(scope_id: int, identity_type_id: int) -> bytes:
    """What the hash of every identifier of a type is over, before its value."""
    return f"{scope_id}:{identity_type_id}:".encode("ascii")


def hash_behind(prefix: bytes, value: str) -> int:
    """The hash of an identifier whose type has the prefix."""
    [found] = _HASH.unpack(blake2b(prefix + value.encode(), digest_size=8).digest())
    return int(found)
