"""Sums that tell a row which has changed on the disk: SQLite itself keeps none."""

from collections.abc import Iterable, Sequence
from hashlib import blake2b
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
    row: Sequence[int | str | None], changes: Iterable[tuple[int, int, int, int]]
) -> int:
    """The sum of a row of `requests` and of its changes, of each all but the number of the request.

    Most requests bring no texts of their own, so that numbers are enough.
    """
    seq, time_ms, outcome_id, created_seq, *texts = row
    numbers = [seq, time_ms, outcome_id, created_seq]
    for change in changes:
        numbers += change
    try:
        found = crc32(pack(f"<{len(numbers)}q", *numbers))
    except error:
        return _NONE
    return found if texts == _NO_TEXTS else crc32(repr(texts).encode("utf-8", "replace"), found)


_PROFILE = Struct("<7q").pack
_NO_TEXTS = [None, None]


def identifier_hash(scope_id: int, identity_type_id: int, value: str) -> int:
    """What an identifier is found by: 64 bits, signed, which nobody can aim at another's."""
    text = f"{scope_id}:{identity_type_id}:{value}".encode()
    return int.from_bytes(blake2b(text, digest_size=8).digest(), "big", signed=True)
