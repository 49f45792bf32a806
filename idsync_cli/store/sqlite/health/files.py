"""What is wrong with the files themselves, before SQLite opens any."""

import os
import re
import time
from collections.abc import Iterator
from contextlib import suppress

from idsync_cli.store.sqlite.files.handles import reading
from idsync_cli.store.sqlite.files.location import StoreLocation
from idsync_cli.store.sqlite.files.lock import SUFFIX as LOCK_SUFFIX
from idsync_cli.store.sqlite.files.quick_check import free_pages_fault
from idsync_cli.store.sqlite.health.findings import FindingCode, Sign
from idsync_cli.store.sqlite.lifecycle.drafts import is_over

_OWNER_ALONE = 0o600
_FIXED_BYTES = b"\0\x40\x20\x20" + b"\0\0\0\4" + bytes(11) + b"\1" + bytes(24)
_DRAFT = re.compile(r"(?:.*\.)?(\d+)\.new(?:-\w+)?")


def of_files(path: str) -> Iterator[Sign]:
    """What is wrong with the files themselves: who may read them, what was left, and the size.

    It is asked before the store is opened, which makes files, too.
    """
    place = StoreLocation(path)
    for suffix in ("", "-wal", "-shm", LOCK_SUFFIX):
        file = place.beside(suffix)
        with suppress(OSError):
            mode = file.stat().st_mode & 0o777
            if mode & ~_OWNER_ALONE:
                yield Sign(FindingCode.MODE, f"{file.name} has {mode:o}")
    with suppress(OSError):
        for file in sorted(place.path.parent.iterdir()):
            draft = _DRAFT.fullmatch(file.name.removeprefix(f".{place.path.name}."))
            if draft and file.name.startswith(".") and is_over(draft[1]):
                yield Sign(FindingCode.DRAFT, file.name)
    for _ in range(3):  # someone may be about to play the log into it
        found: list[Sign] = []
        with suppress(OSError):
            found = [] if place.logs() else list(_of_header(place))
        if not found:
            break
        time.sleep(0.05)
    yield from found


def _of_header(place: StoreLocation) -> Iterator[Sign]:
    """What the header says beside what is there; SQLite passes some of it over."""
    with reading(place.path) as file:
        header = file.read(100)
        size = os.fstat(file.fileno()).st_size
    if len(header) < 100:
        return  # whoever opens it will say what it is

    def number(start: int, length: int = 4) -> int:
        return int.from_bytes(header[start : start + length], "big")

    page_size = 65536 if number(16, 2) == 1 else number(16, 2)
    if number(28) * page_size != size:
        yield Sign(
            FindingCode.SIZE, f"{number(28):,} pages of {page_size:,} bytes in {size:,} bytes"
        )
    elif fault := free_pages_fault(place.path):
        yield Sign(FindingCode.HEADER, fault)
    if header[18:20] not in {b"\1\1", b"\2\2"}:
        yield Sign(FindingCode.HEADER, "its read and write versions are invalid")
    if number(24) != number(92):
        yield Sign(FindingCode.HEADER, "its two change counters disagree")
    fixed = header[20:24] + header[44:60] + header[64:68] + header[72:92]
    if fixed != _FIXED_BYTES:
        yield Sign(FindingCode.HEADER, "a fixed part of the header has changed")
