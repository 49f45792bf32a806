"""All checks of a store's health, read only and row by row.

The store keeps checksums, because SQLite does not (`rows/checksums.py`). Besides, what is stored
twice must agree: the identifiers of a profile and its history, a value and its hash. The store may
be damaged in any way, so no value is trusted to have the type of its column.
"""

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from idsync_cli.core.config.rules import ScopeRules
from idsync_cli.store.file_values import Finding, FindingCode, Sign, summed_up
from idsync_cli.store.sqlite.files.location import StoreLocation
from idsync_cli.store.sqlite.health.checksums import of_sums
from idsync_cli.store.sqlite.health.data import of_attributes, of_events
from idsync_cli.store.sqlite.health.files import of_files, of_header
from idsync_cli.store.sqlite.health.history import of_history
from idsync_cli.store.sqlite.health.holders import of_holders
from idsync_cli.store.sqlite.health.identifiers import of_identifiers
from idsync_cli.store.sqlite.health.opening import Damaged, opened
from idsync_cli.store.sqlite.health.pages import of_schema, of_sqlite
from idsync_cli.store.sqlite.health.relations import (
    of_erasures,
    of_numbers,
    of_references,
    of_replays,
)
from idsync_cli.store.sqlite.health.rules import by_the_rules

Check = Callable[[sqlite3.Connection], Iterator[Sign]]

_BASIC = {FindingCode.SQLITE, FindingCode.SCHEMA, FindingCode.UNREADABLE}
"""If any of these is found, the rules are not checked."""


@dataclass(frozen=True, slots=True)
class Examination:
    """What was found in a store, and how much was checked.

    `counts` has the numbers of pages and of rows of each table, by name. It is empty if the store
    is too damaged to count them.
    """

    findings: tuple[Finding, ...]
    counts: Mapping[str, int] = field(default_factory=dict)


def examine(path: str, by_scope: Mapping[str, ScopeRules]) -> Examination:
    """Check all of a store, also by the rules of its scopes; nothing is written.

    Raises:
        StoreFault: there is none, or it may not be read.
    """
    before = list(of_files(path))
    try:
        with opened(path) as connection:
            found = summed_up(chain(before, of_content(connection)))
            if any(each.code in _BASIC for each in found):
                return Examination(tuple(found))
            found += by_the_rules(connection, by_scope)
            return Examination(tuple(found), _row_counts(connection))
    except Damaged as damaged:
        return Examination(tuple(summed_up([*before, Sign(FindingCode.SQLITE, str(damaged))])))


def first_fault(path: Path) -> Sign | None:
    """The first thing that is wrong with a store, apart from the rules of its scopes, or None.

    Nobody else may have the store open.
    """
    try:
        with opened(str(path)) as connection:
            signs = chain(of_header(StoreLocation(str(path))), of_content(connection))
            return next(signs, None)
    except Damaged as damaged:
        return Sign(FindingCode.SQLITE, str(damaged))


CHECKS: tuple[Check, ...] = (
    of_schema, of_sums, of_history, of_identifiers, of_holders, of_events, of_attributes,
    of_references, of_numbers, of_replays, of_erasures,
)  # fmt: skip
"""What is checked if SQLite finds nothing wrong with the file."""


def of_content(connection: sqlite3.Connection) -> Iterator[Sign]:
    """Everything that is wrong inside the file.

    If SQLite itself finds a fault, nothing else is checked: whatever is read could be anything.
    """
    is_sound = True
    for sign in carefully(of_sqlite, connection):
        is_sound = False
        yield sign
    if is_sound:
        for check in CHECKS:
            yield from carefully(check, connection)


def carefully(check: Check, connection: sqlite3.Connection) -> Iterator[Sign]:
    """What a check finds; if it fails on an impossible value, that is a finding, too."""
    try:
        yield from check(connection)
    except sqlite3.Error as error:
        yield Sign(FindingCode.SQLITE, str(error))
    except (TypeError, ValueError, ArithmeticError, LookupError, AttributeError) as error:
        yield Sign(FindingCode.UNREADABLE, f"{check.__name__}: {type(error).__name__}")


_COUNTED = (
    *("profiles", "identifiers", "holders", "requests", "changes", "events", "attributes"),
    *("devices", "replays"),
)


def _row_counts(connection: sqlite3.Connection) -> dict[str, int]:
    """The numbers of pages and of rows of each table."""
    counts = {"pages": int(connection.execute("PRAGMA page_count").fetchone()[0])}
    for name in _COUNTED:
        [counts[name]] = connection.execute(f"SELECT count(*) FROM {name}").fetchone()
    return counts
