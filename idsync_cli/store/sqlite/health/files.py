"""What is wrong with the files themselves: permissions, drafts, the header."""

import os
import time
from collections.abc import Iterator
from contextlib import suppress

from idsync_cli.store.file_values import FindingCode, Sign
from idsync_cli.store.sqlite.files.handles import reading
from idsync_cli.store.sqlite.files.leftovers import left_drafts
from idsync_cli.store.sqlite.files.location import StoreLocation
from idsync_cli.store.sqlite.files.lock import SUFFIX as LOCK_SUFFIX
from idsync_cli.store.sqlite.files.quick_check import free_pages_fault

_OWNER_ALONE = 0o600
_FIXED_BYTES = b"\0\x40\x20\x20" + b"\0\0\0\4" + bytes(11) + b"\1" + bytes(24)


def of_files(path: str) -> Iterator[Sign]:
    """What is wrong with the files: their permissions, drafts left behind, the header, the size.

    Ask before the store is opened, because that makes files.
    """
    location = StoreLocation(path)
    for suffix in ("", "-wal", "-shm", LOCK_SUFFIX):
        file = location.beside(suffix)
        with suppress(OSError):
            mode = file.stat().st_mode & 0o777
            if mode & ~_OWNER_ALONE:
                yield Sign(FindingCode.MODE, f"{file.name} has {mode:o}")
    with suppress(OSError):
        for file in left_drafts(location.path):
            yield Sign(FindingCode.DRAFT, file.name)
    for _ in range(3):  # another process may be copying its log into it
        found: list[Sign] = []
        with suppress(OSError):
            found = [] if location.logs() else list(of_header(location))
        if not found:
            break
        time.sleep(0.05)
    yield from found


def of_header(location: StoreLocation) -> Iterator[Sign]:
    """What is wrong with the header of the file; SQLite's own check misses some of it."""
    with reading(location.path) as file:
        header = file.read(100)
        size = os.fstat(file.fileno()).st_size
    if len(header) < 100:
        return  # opening it will say what it is

    def number(start: int, length: int = 4) -> int:
        return int.from_bytes(header[start : start + length], "big")

    page_size = 65536 if number(16, 2) == 1 else number(16, 2)
    if number(28) * page_size != size:
        yield Sign(
            FindingCode.SIZE, f"{number(28):,} pages of {page_size:,} bytes in {size:,} bytes"
        )
    elif fault := free_pages_fault(location.path):
        yield Sign(FindingCode.HEADER, fault)
    if header[18:20] not in {b"\1\1", b"\2\2"}:
        yield Sign(FindingCode.HEADER, "its read and write versions are invalid")
    if number(24) != number(92):
        yield Sign(FindingCode.HEADER, "its two change counters disagree")
    fixed = header[20:24] + header[44:60] + header[64:68] + header[72:92]
    if fixed != _FIXED_BYTES:
        yield Sign(FindingCode.HEADER, "a fixed part of the header has changed")
