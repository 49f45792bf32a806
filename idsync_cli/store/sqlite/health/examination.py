"""Everything that can be checked about a store's health: read only, and row by row.

What SQLite keeps no sums of, the store does (see `rows/checksums.py`). Beyond that, what is written
twice must agree: who holds an identifier, and the history that led to it; a value, and its hash. A
store may be damaged in any way here, so no value is trusted to be what its column says.
"""

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain

from idsync_cli.core.config.rules import ScopeRules
from idsync_cli.store.sqlite.health.checksums import of_sums
from idsync_cli.store.sqlite.health.files import of_files
from idsync_cli.store.sqlite.health.findings import Finding, FindingCode, Sign, summed_up
from idsync_cli.store.sqlite.health.history import of_history
from idsync_cli.store.sqlite.health.holders import of_holders
from idsync_cli.store.sqlite.health.identifiers import of_identifiers
from idsync_cli.store.sqlite.health.opening import Damaged, opened
from idsync_cli.store.sqlite.health.pages import of_schema, of_sqlite
from idsync_cli.store.sqlite.health.relations import of_numbers, of_references, of_replays
from idsync_cli.store.sqlite.health.rules import by_the_rules

Check = Callable[[sqlite3.Connection], Iterator[Sign]]

_BASIC = {FindingCode.SQLITE, FindingCode.SCHEMA, FindingCode.UNREADABLE}
"""What is wrong where nothing can be said of the rules."""


@dataclass(frozen=True, slots=True)
class Examination:
    """What was found in a store, and how much was looked at.

    `counts` has the pages of the file and the rows of its tables by name; it is empty where the
    store is too damaged to be counted.
    """

    findings: tuple[Finding, ...]
    counts: Mapping[str, int] = field(default_factory=dict)


def examine(path: str, by_scope: Mapping[str, ScopeRules]) -> Examination:
    """Look at all of a store, also by the rules of its scopes; nothing is written.

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


CHECKS: tuple[Check, ...] = (
    of_schema, of_sums, of_history, of_identifiers, of_holders, of_references, of_numbers,
    of_replays,
)  # fmt: skip
"""What is checked once SQLite finds nothing wrong with the file."""


def of_content(connection: sqlite3.Connection) -> Iterator[Sign]:
    """Everything that is wrong inside the file.

    Where SQLite itself finds a fault, nothing else is looked at: what is read could be anything.
    """
    is_sound = True
    for sign in carefully(of_sqlite, connection):
        is_sound = False
        yield sign
    if is_sound:
        for check in CHECKS:
            yield from carefully(check, connection)


def carefully(check: Check, connection: sqlite3.Connection) -> Iterator[Sign]:
    """What a check finds; where it comes upon what cannot be, that is what it finds."""
    try:
        yield from check(connection)
    except sqlite3.Error as error:
        yield Sign(FindingCode.SQLITE, str(error))
    except (TypeError, ValueError, ArithmeticError, LookupError, AttributeError) as error:
        yield Sign(FindingCode.UNREADABLE, f"{check.__name__}: {type(error).__name__}")


def _row_counts(connection: sqlite3.Connection) -> dict[str, int]:
    """How much there is: the pages of the file, and the rows of its tables."""
    counts = {"pages": int(connection.execute("PRAGMA page_count").fetchone()[0])}
    for name in ("profiles", "identifiers", "holders", "requests", "changes", "replays"):
        [counts[name]] = connection.execute(f"SELECT count(*) FROM {name}").fetchone()
    return counts
