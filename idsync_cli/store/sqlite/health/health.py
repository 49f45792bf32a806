"""Everything that can be told of a store's health without its rules: read only, and row by row.

What SQLite keeps no sums of, the store does (see `checksums`). Beyond that, what is written twice
must agree: who holds an identifier, and the history that led to it; a value, and its hash. A store
may be damaged in any way here, so no value is trusted to be what its column says.
"""

import os
import re
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from itertools import chain
from typing import Any, NamedTuple

from idsync_cli.core.codes import IMPORT, Status
from idsync_cli.core.identity import (
    TYPE_ORDER,
    IdentityType,
    derive_mpid,
    is_plain_value,
    value_fault,
)
from idsync_cli.errors import StoreFault
from idsync_cli.store.sqlite.files.handles import connect, reading
from idsync_cli.store.sqlite.files.lock import SUFFIX as LOCK_SUFFIX
from idsync_cli.store.sqlite.files.place import Place
from idsync_cli.store.sqlite.files.quick_check import free_pages_fault
from idsync_cli.store.sqlite.lifecycle.drafts import is_over
from idsync_cli.store.sqlite.lifecycle.header import (
    SCHEMA_VERSION,
    check_version,
    is_there,
    old_store,
    schema_version,
)
from idsync_cli.store.sqlite.lifecycle.opening import temporary
from idsync_cli.store.sqlite.rows.checksums import (
    checksum,
    checksum_of_profile,
    checksum_of_request,
    identifier_hash,
)

EXAMPLES = 3
"""How many examples of each finding are kept."""

_OWNER_ALONE = 0o600
_FIXED_BYTES = b"\0\x40\x20\x20" + b"\0\0\0\4" + bytes(11) + b"\1" + bytes(24)
_CACHE_KIB = 32 * 1024
_SQLITE_SAYS = 10
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_DRAFT = re.compile(r"(?:.*\.)?(\d+)\.new(?:-\w+)?")
_PLACE_OF = 0


class Sign(NamedTuple):
    """Something that is wrong: what kind of fault it is, and where."""

    code: str
    where: str


class Finding(NamedTuple):
    """A kind of fault, how often it was found, and a few of the places."""

    code: str
    times: int
    examples: tuple[str, ...]


AnyRow = tuple[Any, ...]
"""A row as it was read, whatever is in it."""


class Damaged(Exception):
    """A store so damaged that SQLite does not even open it; the message is its own."""


Connection = sqlite3.Connection
"""What is asked, for those who need not know that it is SQLite."""

Check = Callable[[sqlite3.Connection], Iterator[Sign]]


@contextmanager
def opened(path: str) -> Iterator[sqlite3.Connection]:
    """One state of a store, however damaged it is; nothing is written, not even by its log.

    Raises:
        StoreFault: there is none, or it may not be read.
        Damaged: SQLite refuses it.
    """
    place = Place(path)
    if not is_there(place):
        raise StoreFault(f"there is no store at {place}")
    alone = not any(place.beside(suffix).exists() for suffix in ("-wal", "-shm"))
    try:
        with closing(_connected(place)) as connection:
            connection.text_factory = decoded
            connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
            connection.execute("BEGIN")
            version = schema_version(connection)
            check_version(place, version)
            if version < SCHEMA_VERSION:
                raise old_store(place, version)
            yield connection
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGED:
            raise Damaged(str(error)) from None
        raise StoreFault(f"the store {place} cannot be read: {error}") from None
    except UnicodeDecodeError:  # a name from a damaged schema, in a message of SQLite's
        raise Damaged("its schema is not text") from None
    finally:
        if alone:
            _tidy_up(place)


def _connected(place: Place) -> sqlite3.Connection:
    uri = place.path.as_uri()
    connection = connect(f"{uri}?mode=ro", uri=True)
    try:
        connection.execute("PRAGMA schema_version")
    except sqlite3.OperationalError:
        connection.close()
        if place.logs():
            raise
        connection = connect(f"{uri}?immutable=1", uri=True)  # as in files.py
    return connection


def decoded(text: bytes) -> str:
    """Text as it was read, even where it is none."""
    return text.decode("utf-8", "surrogateescape")


def _tidy_up(place: Place) -> None:
    """Let SQLite remove the empty log that reading has left; it does if nobody else is there."""
    if place.beside("-wal").exists() and not place.logs():
        with (
            suppress(sqlite3.Error),
            closing(connect(f"{place.path.as_uri()}?mode=rw", uri=True)) as it,
        ):
            it.execute("PRAGMA schema_version")


def summed_up(signs: Iterable[Sign], examples: int = EXAMPLES) -> list[Finding]:
    """The signs of each kind as one finding, in the order in which they were found first."""
    counts: Counter[str] = Counter()
    places: dict[str, list[str]] = {}
    for code, where in signs:
        counts[code] += 1
        if counts[code] <= examples:
            places.setdefault(code, []).append(where)
    return [Finding(code, count, tuple(places[code])) for code, count in counts.items()]


# The file


def of_files(path: str) -> Iterator[Sign]:
    """What is wrong with the files themselves: who may read them, what was left, and the size.

    It is asked before the store is opened, which makes files, too.
    """
    place = Place(path)
    for suffix in ("", "-wal", "-shm", LOCK_SUFFIX):
        file = place.beside(suffix)
        with suppress(OSError):
            mode = file.stat().st_mode & 0o777
            if mode & ~_OWNER_ALONE:
                yield Sign("mode", f"{file.name} has {mode:o}")
    with suppress(OSError):
        for file in sorted(place.path.parent.iterdir()):
            draft = _DRAFT.fullmatch(file.name.removeprefix(f".{place.path.name}."))
            if draft and file.name.startswith(".") and is_over(draft[1]):
                yield Sign("draft", file.name)
    for _ in range(3):  # somebody may be about to play the log into it
        found: list[Sign] = []
        with suppress(OSError):
            found = [] if place.logs() else list(_of_header(place))
        if not found:
            break
        time.sleep(0.05)
    yield from found


def _of_header(place: Place) -> Iterator[Sign]:
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
        yield Sign("size", f"{number(28):,} pages of {page_size:,} bytes in {size:,} bytes")
    elif fault := free_pages_fault(place.path):
        yield Sign("header", fault)
    if header[18:20] not in {b"\1\1", b"\2\2"}:
        yield Sign("header", "it may be read, and not written, or the other way round")
    if number(24) != number(92):
        yield Sign("header", "two counters of its changes disagree")
    fixed = header[20:24] + header[44:60] + header[64:68] + header[72:92]
    if fixed != _FIXED_BYTES:
        yield Sign("header", "something stands where it always is the same")


# What SQLite can tell


def of_sqlite(connection: sqlite3.Connection) -> Iterator[Sign]:
    """What SQLite's own check of pages, indexes and columns finds."""
    for (told,) in connection.execute(f"PRAGMA integrity_check({_SQLITE_SAYS})"):
        for line in str(told).split("\n"):
            if line != "ok" and not line.startswith("*** in database"):
                yield Sign("sqlite", line)


def of_schema(connection: sqlite3.Connection) -> Iterator[Sign]:
    """What is not as the migrations make it: tables, indexes, views, triggers, fixed rows."""
    with temporary(0) as template:
        for query in _FIXED:
            wanted, there = (
                dict[object, object]((tuple(row[:2]), tuple(row)) for row in each.execute(query))
                for each in (template.connection, connection)
            )
            for key in chain(wanted, there.keys() - wanted.keys()):
                if wanted.get(key) != there.get(key):
                    what = (
                        "is not there"
                        if key not in there
                        else ("is not ours" if key not in wanted else "is another")
                    )
                    yield Sign("schema", f"{' '.join(map(str, key))} {what}")  # type: ignore[call-overload]


_FIXED = (
    "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_stat%'",
    "SELECT 'type', name, identity_type_id FROM identity_types",
    "SELECT 'migration', name, id, migration_set, applied_at FROM _sqlite_migrations",
    "SELECT 'PRAGMA', 'encoding', encoding FROM pragma_encoding",
)


# What was written with a checksum


def of_sums(connection: sqlite3.Connection) -> Iterator[Sign]:
    """Rows that are not what was written."""
    for table, columns in _SUMMED.items():
        for its_sum, *values in connection.execute(f"SELECT checksum, {columns} FROM {table}"):
            sum_up = checksum_of_profile if table == "profiles" else checksum
            if its_sum != sum_up(*values):
                yield Sign("checksum", f"{table} {values[_PLACE_OF]}")
    if connection.execute("SELECT count(*), min(id) FROM store").fetchone() != (1, 1):
        yield Sign("store", "the table store has not one row")


_SUMMED = {
    "store": "seed, last_seq",
    "scopes": "scope_id, name, login_types",
    "profiles": "created_seq, mpid, scope_id, source_mpid, was_known, types",
    "outcomes": "outcome_id, scope_id, type, status, rule, identity_type",
    "rules": "scope, rules",
    "replays": "name, lines, bytes, digest, answers_bytes, answers_digest, finished",
    "replay_labels": "replay_id, label, mpid",
}


def of_history(connection: sqlite3.Connection) -> Iterator[Sign]:
    """Requests and changes that are not what was written, or do not fit together."""
    seed = int(connection.execute("SELECT seed FROM store").fetchone()[0])
    is_taken = "SELECT 1 FROM profiles WHERE mpid = ?"

    def was_given_out(mpid: int) -> bool:
        return mpid != its_mpid and bool(connection.execute(is_taken, (mpid,)).fetchone())

    requests = connection.execute(_REQUESTS)
    changes = connection.execute(
        "SELECT seq, place, op, created_seq, identifier_id FROM changes ORDER BY seq, place"
    )
    for seq, request, (made,) in _side_by_side(requests, changes):
        if request is None:
            yield Sign("history", f"changes of request {seq}, which is not there")
            continue
        *row, its_sum, kind, status, scope_id, its_mpid, its_scope_id = request
        if its_sum != checksum_of_request(row, [change[1:] for change in made]):
            yield Sign("checksum", f"requests {seq}, or its changes")
            continue
        if made and [each[1] for each in made] != [*range(1, len(made) + 1)]:
            yield Sign("history", f"request {seq} has not all of its changes")
        if its_scope_id != scope_id:
            yield Sign("history", f"request {seq} was answered with a profile of another scope")
        if (status == Status.CREATED) != (row[3] == seq):
            yield Sign("history", f"request {seq} made no profile, or made one unsaid")
        elif row[3] == seq and kind != IMPORT and derive_mpid(seed, seq, was_given_out) != its_mpid:
            yield Sign("mpid", f"the profile made by request {seq}")


_REQUESTS = """
    SELECT seq, time_ms, outcome_id, r.created_seq, request_id, request_timestamp_ms, r.checksum,
        o.type, o.status, o.scope_id, p.mpid, p.scope_id
    FROM requests AS r
    LEFT JOIN outcomes AS o USING (outcome_id)
    LEFT JOIN profiles AS p ON p.created_seq = r.created_seq
    ORDER BY seq
"""


def _side_by_side(
    left: Iterable[AnyRow], *right: Iterable[AnyRow]
) -> Iterator[tuple[int, AnyRow | None, tuple[list[AnyRow], ...]]]:
    """The rows of queries by their first column, by which all are sorted: one of the left or none.

    Of those on the right, only the rows of one number are in memory.
    """
    others = [iter(rows) for rows in right]
    heads = [next(rows, None) for rows in others]
    for row in chain(left, (None,)):
        key = None if row is None else row[0]
        for place, rows in enumerate(others):
            head = heads[place]
            while head is not None and (key is None or head[0] < key):
                strays: tuple[list[AnyRow], ...] = tuple([] for _ in others)
                strays[place].append(head)
                yield head[0], None, strays
                head = next(rows, None)
            heads[place] = head
        if row is None:
            return
        found: list[list[AnyRow]] = []
        for place, rows in enumerate(others):
            head, its_rows = heads[place], []
            while head is not None and head[0] == key:
                its_rows.append(head)
                head = next(rows, None)
            heads[place] = head
            found.append(its_rows)
        yield row[0], row, tuple(found)


# What stands there twice


def of_identifiers(connection: sqlite3.Connection) -> Iterator[Sign]:
    """Identifiers that are not what their hash was made of, or that a request could not find."""
    identifiers = connection.execute(
        "SELECT identifier_id, scope_id, identity_type_id, value FROM identifiers"
        " ORDER BY identifier_id"
    )
    hashes = connection.execute(
        "SELECT identifier_id, hash FROM identifier_hashes ORDER BY identifier_id"
    )
    for number, identifier, (its_hashes,) in _side_by_side(identifiers, hashes):
        if identifier is None:
            yield Sign("hash", f"a hash of identifier {number}, which is not there")
            continue
        _, scope_id, type_id, value = identifier
        try:
            its_hash = identifier_hash(scope_id, type_id, value)
        except (ValueError, AttributeError):
            its_hash = None
        if [each[1] for each in its_hashes] != [its_hash]:
            yield Sign("hash", f"identifier {number}")
        elif not is_plain_value(value) and (value == "" or value_fault(value)):
            yield Sign("value", f"identifier {number}")
    for (number,) in connection.execute(_TWICE):
        yield Sign("twice", f"identifier {number}")


_TWICE = """
    SELECT a.identifier_id
    FROM (SELECT hash FROM identifier_hashes GROUP BY hash HAVING count(*) > 1) AS many
    JOIN identifier_hashes AS one ON one.hash = many.hash
    JOIN identifiers AS a ON a.identifier_id = one.identifier_id
    JOIN identifier_hashes AS other ON other.hash = many.hash
    JOIN identifiers AS b ON b.identifier_id = other.identifier_id
        AND b.identifier_id < a.identifier_id
    WHERE a.scope_id = b.scope_id AND a.identity_type_id = b.identity_type_id
        AND a.value = b.value
"""


def of_holders(connection: sqlite3.Connection) -> Iterator[Sign]:
    """Profiles that hold another thing than their history says, or that lookups do not find so."""
    changes = connection.execute(
        "SELECT created_seq, identifier_id, seq, place, op FROM changes"
        " ORDER BY created_seq, seq, place"
    )
    holders = connection.execute(_HOLDERS)
    profiles = connection.execute(_PROFILES)
    for seq, profile, (its_changes, its_holders) in _side_by_side(profiles, changes, holders):
        if profile is None:
            yield Sign("holders", f"what the profile made by request {seq} holds; it is not there")
            continue
        _, scope_id, was_known, its_types, login_types, made = profile
        where = f"the profile made by request {seq}"
        if not made:
            yield Sign("history", f"no request made the profile {seq}")
        expected: dict[int, tuple[int, int]] = {}
        yield from _told(its_changes, expected)
        types, known = 0, bool(was_known or its_types & (login_types or 0))
        for (
            _,
            number,
            its_known,
            its_type,
            added_seq,
            place,
            scope_of_it,
            type_of_it,
        ) in its_holders:
            types |= 1 << its_type
            if expected.pop(number, None) != (added_seq, place):
                yield Sign("holders", f"identifier {number} and {where}")
            if its_type != type_of_it or scope_of_it != scope_id:
                yield Sign("type", f"identifier {number} and {where}")
            if its_known != known:
                yield Sign("known", f"identifier {number} and {where}")
        for number in expected:
            yield Sign("holders", f"identifier {number} and {where}")
        if types != its_types:
            yield Sign("types", where)


def _told(changes: Iterable[AnyRow], held: dict[int, tuple[int, int]]) -> Iterator[Sign]:
    """Tell the history of a profile from its beginning, and find what cannot have been."""
    for _, number, seq, place, op in changes:
        if (op == 1) == (number in held):
            yield Sign("history", f"change {place} of request {seq} cannot have been")
        if op == 1:
            held[number] = seq, place
        else:
            held.pop(number, None)


_HOLDERS = """
    SELECT h.created_seq, h.identifier_id, h.known, h.identity_type_id, added_seq, place,
        i.scope_id, i.identity_type_id
    FROM holders AS h LEFT JOIN identifiers AS i USING (identifier_id)
    ORDER BY h.created_seq
"""
_PROFILES = """
    SELECT created_seq, scope_id, was_known, types, login_types,
        EXISTS (SELECT * FROM requests AS r
            WHERE r.seq = p.created_seq AND r.created_seq = p.created_seq)
    FROM profiles AS p LEFT JOIN scopes USING (scope_id) ORDER BY created_seq
"""


def of_references(connection: sqlite3.Connection) -> Iterator[Sign]:
    """Rows that refer to others that are not there."""
    for table, row, parent, _ in connection.execute("PRAGMA foreign_key_check"):
        where = table if row is None else f"{table} {row}"
        yield Sign("reference", f"{where} refers to {parent}")


def of_numbers(connection: sqlite3.Connection) -> Iterator[Sign]:
    """Numbers that are beyond the counter, or that cannot be."""
    [last_seq] = connection.execute("SELECT last_seq FROM store").fetchone()
    for table, column in (
        ("requests", "seq"),
        ("profiles", "created_seq"),
        ("holders", "added_seq"),
    ):
        [highest] = connection.execute(f"SELECT max({column}) FROM {table}").fetchone()
        if highest is not None and highest > last_seq:
            yield Sign("counter", f"{highest} in {table}")
    for (seq,) in connection.execute(
        "SELECT created_seq FROM profiles WHERE mpid = 0 OR was_known NOT IN (0, 1)"
    ):
        yield Sign("profile", f"the profile made by request {seq}")


def of_replays(connection: sqlite3.Connection) -> Iterator[Sign]:
    """Replays whose progress cannot be, and labels that stand for nothing."""
    rows = connection.execute(
        "SELECT replay_id, lines, bytes, digest, answers_bytes, answers_digest, finished"
        " FROM replays ORDER BY replay_id"
    )
    for place, (number, lines, size, digest, written, written_digest, finished) in enumerate(
        rows, start=1
    ):
        if (
            number != place  # none is ever removed
            or not 0 <= lines <= size
            or (written is not None and (written < 0 or not written_digest))
            or not digest
            or finished not in (0, 1)
        ):
            yield Sign("replay", f"replay {number}")
    for number, label in connection.execute(
        "SELECT replay_id, label FROM replay_labels LEFT JOIN replays USING (replay_id)"
        " WHERE finished IS NOT 0 OR mpid NOT IN (SELECT mpid FROM profiles)"
    ):
        yield Sign("label", f"label {label} of replay {number}")


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
        yield Sign("sqlite", str(error))
    except (TypeError, ValueError, ArithmeticError, LookupError, AttributeError) as error:
        yield Sign("unreadable", f"{check.__name__}: {type(error).__name__}")


# What the rules are asked about, and how much there is


class Shared(NamedTuple):
    """An identifier and who holds it, or a profile and what it holds of a type: too many."""

    scope: str
    identity_type: IdentityType
    value: str
    mpids: tuple[int, ...]
    times: int


def shared_identifiers(
    connection: sqlite3.Connection, unique: "frozenset[tuple[str, IdentityType]]"
) -> Iterator[Shared]:
    """Identifiers that several profiles hold, of the types named with their scopes."""
    for number, type_id, count in connection.execute(
        f"SELECT identifier_id, identity_type_id, count(*) FROM holders"
        f" WHERE identity_type_id IN ({_numbers(unique)})"
        " GROUP BY identifier_id HAVING count(*) > 1"
    ):
        [(name, value)] = connection.execute(
            "SELECT name, value FROM identifiers JOIN scopes USING (scope_id)"
            " WHERE identifier_id = ?",
            (number,),
        )
        kind = _TYPES[type_id]
        if (name, kind) in unique:
            mpids = connection.execute(
                "SELECT mpid FROM holders JOIN profiles USING (created_seq)"
                " WHERE identifier_id = ? ORDER BY created_seq LIMIT ?",
                (number, EXAMPLES),
            )
            yield Shared(name, kind, value, tuple(mpid for (mpid,) in mpids), count)


def profiles_with_several(
    connection: sqlite3.Connection, immutable: "frozenset[tuple[str, IdentityType]]"
) -> Iterator[Shared]:
    """Profiles that hold several values of a type, of the types named with their scopes."""
    for seq, type_id, count in connection.execute(
        f"SELECT created_seq, identity_type_id, count(*) FROM holders"
        f" WHERE identity_type_id IN ({_numbers(immutable)})"
        " GROUP BY created_seq, identity_type_id HAVING count(*) > 1"
    ):
        [(name, mpid)] = connection.execute(
            "SELECT name, mpid FROM profiles JOIN scopes USING (scope_id) WHERE created_seq = ?",
            (seq,),
        )
        kind = _TYPES[type_id]
        if (name, kind) in immutable:
            yield Shared(name, kind, "", (mpid,), count)


def _numbers(named: "Iterable[tuple[str, IdentityType]]") -> str:
    return ", ".join(sorted({str(TYPE_ORDER[kind]) for _, kind in named}))


class ScopeCount(NamedTuple):
    """The profiles of a scope that hold the same types, and what makes known in `holders`."""

    scope: str
    login_types: int
    types: int
    profiles: int


def scope_counts(connection: sqlite3.Connection) -> list[ScopeCount]:
    """How many profiles of each scope hold which types."""
    rows = connection.execute(
        "SELECT name, login_types, types, count(*) FROM profiles JOIN scopes USING (scope_id)"
        " GROUP BY name, login_types, types ORDER BY name"
    )
    return [ScopeCount(*row) for row in rows]


def row_counts(connection: sqlite3.Connection) -> dict[str, int]:
    """How much there is: the pages of the file, and the rows of its tables."""
    counts = {"pages": int(connection.execute("PRAGMA page_count").fetchone()[0])}
    for name in ("profiles", "identifiers", "holders", "requests", "changes", "replays"):
        [counts[name]] = connection.execute(f"SELECT count(*) FROM {name}").fetchone()
    return counts


_TYPES = tuple(IdentityType)
