"""Sums that tell a row which has changed on the disk: SQLite itself keeps none."""

from collections.abc import Sequence
from hashlib import blake2b
from itertools import chain
from struct import Struct, error, pack
from zlib import crc32

Value = int | str | None | tuple["Value", ...]


def checksum(*values: Value) -> int:
    """The sum that is kept with the values of a row: 32 bits, against accidents only."""
    return crc32(repr(values).encode("utf-8", "backslashreplace"))


_NONE = -1
"""The sum of what cannot be a row of ours."""


def checksum_of_profile(
    created_seq: int, mpid: int, scope_id: int, source_mpid: int | None, was_known: int, types: int
) -> int:
    """The sum of a row of `profiles`."""
    has_source = source_mpid is not None
    try:
        return crc32(
            _PROFILE(created_seq, mpid, scope_id, has_source, source_mpid or 0, was_known, types)
        )
    except error:
        return _NONE


def checksum_of_request(
    row: Sequence[int | str | None],
    texts: Sequence[int | str | None],
    changes: Sequence[tuple[int, int, int, int]],
) -> int:
    """The sum of a row of `requests` and of its changes, of each all but the number of the request.

    `texts` are what of the row came with the request itself, and `row` is all before them. Most
    requests bring none, so that numbers are enough.
    """
    count = len(changes)
    try:
        if count == 1:
            found = crc32(_OF_ONE_CHANGE(*row, *changes[0]))
        else:
            found = crc32(pack(f"<{4 + 4 * count}q", *row, *chain.from_iterable(changes)))
    except error:
        return _NONE
    if texts[0] is None and texts[1] is None:
        return found
    return crc32(repr(list(texts)).encode("utf-8", "replace"), found)


_OF_ONE_CHANGE = Struct("<8q").pack
_PROFILE = Struct("<7q").pack


def identifier_hash(scope_id: int, identity_type_id: int, value: str) -> int:
    """What an identifier is found by: 64 bits, signed, which nobody can aim at another's."""
    text = f"{scope_id}:{identity_type_id}:{value}".encode()
    return int.from_bytes(blake2b(text, digest_size=8).digest(), "big", signed=True)
