"""A quick look at a store before anything is written to it, without reading all of it.

It takes a millisecond or two, however large the store is. It checks whether the file has all its
pages, and whether the tables that every write relies on are intact. `idsync doctor` checks all.
"""

import os
import sqlite3
from pathlib import Path

from idsync_cli.errors import FaultCode, Hint, Kept, StoreFault
from idsync_cli.store.sqlite.files.handles import reading
from idsync_cli.store.sqlite.files.location import StoreLocation
from idsync_cli.store.sqlite.rows.checksums import checksum

WHOLE_CHECK_PAGES = 64
"""A store with no more pages than this is checked as a whole, because that takes no longer."""

_ALL_SUMMED = {
    "store": "SELECT checksum, seed, last_seq FROM store",
    "scopes": "SELECT checksum, scope_id, name, login_types FROM scopes",
    "outcomes": "SELECT checksum, outcome_id, scope_id, type, status, rule, identity_type"
    " FROM outcomes",
}
"""The small tables that every write relies on: each checksum, then the columns that it covers."""

_HEADER, _LOG_HEADER, _FRAME_HEADER = 100, 32, 24


def look_at(connection: sqlite3.Connection, location: StoreLocation) -> None:
    """Check quickly whether a store is damaged.

    Raises:
        StoreFault: it is.
    """
    connection.execute("BEGIN")  # so that no log is replayed into the file meanwhile
    try:
        damage = _damage(connection, location)
    finally:
        connection.execute("ROLLBACK")
    if damage:
        raise StoreFault(
            f"the store {location} is damaged: {damage}",
            FaultCode.STORE_DAMAGED,
            hint=Hint.RUN_DOCTOR,
            kept=Kept.NOTHING_CHANGED,
            store=str(location),
        )


def _damage(connection: sqlite3.Connection, location: StoreLocation) -> str | None:
    for table, query in _ALL_SUMMED.items():
        for its_sum, *values in connection.execute(query):
            if its_sum != checksum(*values):
                return f"a row of the table {table} is not as it was written"
    page_size, pages = (
        int(connection.execute(f"PRAGMA {name}").fetchone()[0])
        for name in ("page_size", "page_count")
    )
    there = location.path.stat().st_size // page_size
    if there < pages and not set(range(there + 1, pages + 1)) <= _logged(location, page_size):
        return f"the file has {there:,} of {pages:,} pages"
    if not location.logs():
        fault = free_pages_fault(location.path)
        if fault:
            return fault
    if pages <= WHOLE_CHECK_PAGES:
        [found] = connection.execute("PRAGMA quick_check(1)").fetchone()
        return None if found == "ok" else str(found).replace("\n", " ")
    return None


def free_pages_fault(path: Path) -> str | None:
    """What is wrong with the list of free pages, in a file without a log; None if nothing is.

    SQLite's own check misses some of it. A page that is in it by mistake would be overwritten.
    """
    with reading(path) as file:
        header = file.read(_HEADER)

        def number(content: bytes, start: int) -> int:
            return int.from_bytes(content[start : start + 4], "big")

        page_size = int.from_bytes(header[16:18], "big")
        page_size = 65536 if page_size == 1 else page_size
        pages, trunk, left = (number(header, start) for start in (28, 32, 36))
        seen = set()
        while trunk:
            if trunk in seen or not 1 < trunk <= pages:
                return "its list of free pages is broken"
            seen.add(trunk)
            content = os.pread(file.fileno(), page_size, (trunk - 1) * page_size)
            trunk, leaves = number(content, 0), number(content, 4)
            free = {
                number(content, 8 + 4 * location) for location in range(min(leaves, page_size // 4))
            }
            left -= 1 + leaves
            if len(free) != leaves or not all(1 < page <= pages for page in free):
                return "its list of free pages names impossible pages"
        return f"its list of free pages is wrong by {abs(left):,}" if left else None


def _logged(location: StoreLocation, page_size: int) -> set[int]:
    """The numbers of the pages in the log: after a crash, some pages may be only there."""
    try:
        with location.beside("-wal").open("rb") as log:
            size = os.fstat(log.fileno()).st_size
            salts = log.read(_LOG_HEADER)[16:24]
            numbers = set()
            for start in range(_LOG_HEADER, size, _FRAME_HEADER + page_size):
                frame = os.pread(log.fileno(), _FRAME_HEADER, start)
                if frame[8:16] == salts:
                    numbers.add(int.from_bytes(frame[:4], "big"))
            return numbers
    except FileNotFoundError:
        return set()
