"""Damage: cut files, scribbled bytes, single bits, and logs that end anywhere.

Whatever changes anything in a store, doctor finds; what it may pass over changes nothing, which a
dump of every table and of every index shows. `IDSYNC_DAMAGE=20` tries twenty times as much.
"""

import json
import os
import random
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from idsync_cli.store.file_values import Finding, FindingCode, summed_up
from idsync_cli.store.sqlite.health.examination import CHECKS, carefully, of_content
from idsync_cli.store.sqlite.health.opening import decoded
from idsync_cli.store.sqlite.health.pages import of_schema
from tests.old_store import FIXTURES, bring_data, put_old_store
from tests.program import (  # noqa: F401 - the fixture
    Program,
    assert_refused,
    ended,
    mpid_of,
    program_in_a_fresh_folder,
)

TIMES = int(os.environ.get("IDSYNC_DAMAGE", "1"))
FLIPS = 800 * TIMES
SCRIBBLES = 30 * TIMES
CUTS_OF_THE_LOG = 40 * TIMES

WRITE = ("identify", "--scope", "consumers", "--email", "new@example.com")
NOT_READ = {*range(40, 44), *range(96, 100)}
"""Bytes of the file's header that nothing reads: a counter of schemas, and SQLite's version."""


@cache
def store() -> bytes:
    """A store in which no table is empty, as requests have left it."""
    with TemporaryDirectory() as folder:
        program = Program(Path(folder))
        put_old_store(program)
        assert program("init").status == 0
        program.write("requests.jsonl", (FIXTURES / "requests.jsonl").read_bytes())
        assert program("replay", "requests.jsonl").status == 1
        asked = (
            b'{"type": "identify", "scope": "consumers", "known_identities": {"email": "%d"}, '
            b'"response": {"mpid": %d}}'
        )
        recorded = b"\n".join(asked % (n, n) for n in (5, 6, 7))
        assert program("replay", "-", "--map-mpids", stdin=recorded).status == 0
        bring_data(program, "visitors")
        alias_two(program)
        import_from_another(program)
        erase_one(program)
        return (program.folder / "idsync.db").read_bytes()


def alias_two(program: Program) -> None:
    """Two profiles of one scope become one person."""
    found = program("export", "--scope", "consumers").profiles()
    found.sort(key=lambda each: each["known"])
    mpids = found[0]["mpid"], found[-1]["mpid"]
    asked = ("alias", "--scope", "consumers", "--source", mpids[0], "--destination", mpids[1])
    assert program(*asked).status == 0


def import_from_another(program: Program) -> None:
    """What another store knows of one profile: its times, and digests under a key of its own."""
    batch = {"type": "batch", "scope": "visitors", "source_request_id": "theirs"}
    program.write("theirs.jsonl", json.dumps(batch | {"user_identities": {"email": "em-9"}}))
    asked = ("replay", "theirs.jsonl", "--store", "theirs.db", "--seed", "9")
    assert program(*asked).status == 0
    exported = program("export", "--store", "theirs.db").lines()
    for line in exported:
        line.pop("created_seq", None)
        line.update({"seq": 999} if "seq" in line else {})
    program.write("theirs.jsonl", "".join(json.dumps(line) + "\n" for line in exported))
    assert program("import", "theirs.jsonl").status == 0


def erase_one(program: Program) -> None:
    """Erase a profile that took an identifier from another, by a request of the data subject."""
    for profile in program("export", "--scope", "consumers").lines():
        mpid = profile["mpid"]
        asked = ("erase", "--mpid", mpid, "--scope", "consumers", "--dry-run", "--json")
        if program(*asked).json()["taken_from"]:
            break
    else:
        raise AssertionError("nobody took an identifier from another")
    request = {
        "regulation": "gdpr",
        "subject_request_id": "a7551968-d5d6-44b2-9831-815ac9017798",
        "subject_request_type": "erasure",
        "submitted_time": "2026-10-02T15:00:00Z",
        "subject_identities": {"mpid": {"value": mpid, "encoding": "raw"}},
    }
    program.write("request.json", json.dumps(request))
    assert program("erase", "--dsr", "request.json", "--scope", "consumers").status == 0


@cache
def dense_store() -> bytes:
    """The same in small pages, for most of a large page would be empty."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "store.db"
        path.write_bytes(store())
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("PRAGMA journal_mode = DELETE")
            connection.execute("PRAGMA page_size = 512")
            connection.execute("VACUUM")
        return path.read_bytes()


def put(program: Program, content: bytes) -> Path:
    for path in program.folder.glob("idsync.db*"):
        path.unlink()
    path = program.write("idsync.db", content)
    path.chmod(0o600)
    return path


@pytest.fixture(name="lived")
def program_with_a_store(idsync: Program) -> Program:
    shutil.copy(FIXTURES / "idsync.yaml", idsync.folder / "idsync.yaml")
    put(idsync, store())
    return idsync


@contextmanager
def in_memory(content: bytes) -> Iterator[sqlite3.Connection]:
    """The store without its file; in memory there is no log, as the header has to say."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.deserialize(content[:18] + b"\1\1" + content[20:])
        yield connection


def dump(content: bytes) -> list[object] | None:
    """Everything that can be read: every table, and every index by itself; None if it cannot be."""
    try:
        with in_memory(content) as connection:
            connection.text_factory = bytes
            execute = connection.execute
            read: list[object] = []
            for row in execute("SELECT type, name, tbl_name, sql FROM sqlite_schema").fetchall():
                read.append(row)
                kind, (name, table) = row[0], (text.decode("utf-8") for text in row[1:3])
                if kind == b"table":
                    read.append(execute(f'SELECT * FROM "{name}" NOT INDEXED').fetchall())
                if kind == b"index":
                    info = execute("SELECT name FROM pragma_index_info(?)", (name,))
                    columns = ", ".join(column.decode("utf-8") for (column,) in info)
                    _, is_partial, which = (row[3] or b"").decode("utf-8").partition(" WHERE ")
                    read.append(
                        execute(
                            f'SELECT {columns} FROM "{table}" INDEXED BY "{name}"'
                            f"{is_partial}{which} ORDER BY {columns}"
                        ).fetchall()
                    )
            return [*read, execute("PRAGMA user_version").fetchall()]
    except (sqlite3.Error, UnicodeDecodeError):
        return None


def found_in(content: bytes) -> list[Finding]:
    """What doctor finds inside the file."""
    try:
        with in_memory(content) as connection:
            connection.text_factory = decoded
            return summed_up(of_content(connection))
    except sqlite3.Error as error:
        return [Finding(FindingCode.SQLITE, 1, (str(error),))]


# One bit


@pytest.mark.parametrize(("content", "seed"), [(dense_store, 1), (store, 2)])
def test_every_bit_that_changes_anything_is_found(content: Callable[[], bytes], seed: int) -> None:
    whole = content()
    wanted, rng = dump(whole), random.Random(seed)
    assert wanted is not None
    assert found_in(whole) == []
    missed, found = [], 0
    for _ in range(FLIPS):
        place, bit = rng.randrange(100, len(whole)), rng.randrange(8)
        flipped = bytearray(whole)
        flipped[place] ^= 1 << bit
        if found_in(bytes(flipped)):
            found += 1
        elif dump(bytes(flipped)) != wanted:
            missed.append((place, bit))
    assert missed == []
    assert found > FLIPS / 10


def columns_of_all_tables() -> list[tuple[str, str]]:
    with in_memory(store()) as connection:
        return [
            (table, column)
            for (table,) in connection.execute(
                "SELECT name FROM sqlite_schema WHERE type = 'table'"
            ).fetchall()
            for (column,) in connection.execute("SELECT name FROM pragma_table_info(?)", (table,))
        ]


def turn_a_bit(connection: sqlite3.Connection, table: str, column: str, key: str, nth: int) -> None:
    """Turn one bit of a value; of an integer a higher one where a lower one makes two rows one."""
    for bit in (1, 64):
        try:
            connection.execute(
                f"UPDATE {table} SET {column} = CASE typeof({column})"
                f" WHEN 'integer' THEN ({column} | {bit}) - ({column} & {bit})"
                f" WHEN 'null' THEN 0 WHEN 'blob' THEN zeroblob(length({column}))"
                f" ELSE char(unicode({column} || '!') + 1) || substr({column}, 2) END"
                f" WHERE ({key}) = (SELECT {key} FROM {table} ORDER BY {key} LIMIT 1 OFFSET ?)",
                (nth,),
            )
        except sqlite3.IntegrityError:
            if bit > 1:
                raise
        else:
            return


@pytest.mark.parametrize(("table", "column"), columns_of_all_tables())
def test_a_bit_of_every_column_of_every_table_is_vouched_for(table: str, column: str) -> None:
    """Changed by SQL, so that SQLite has nothing to find: its own sums are all that can tell."""
    with in_memory(store()) as connection:
        [number] = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
        assert number
        key = ", ".join(
            name
            for (name,) in connection.execute(
                "SELECT name FROM pragma_table_info(?) WHERE pk", (table,)
            )
        )
    tried = 0
    for nth in {0, number // 2, number - 1}:
        with in_memory(store()) as connection:
            for (name,) in connection.execute(
                "SELECT name FROM sqlite_schema WHERE type = 'trigger'"
            ).fetchall():
                connection.execute(f"DROP TRIGGER {name}")
            connection.execute("PRAGMA ignore_check_constraints = ON")
            try:
                turn_a_bit(connection, table, column, key, nth)
            except sqlite3.IntegrityError:
                continue  # another row has that already
            tried += 1
            signs = [
                sign
                for check in CHECKS
                if check is not of_schema or table in {"identity_types", "_sqlite_migrations"}
                for sign in carefully(check, connection)
            ]
            assert [sign for sign in signs if "TRIGGER" not in sign.where] != []
    assert tried


def test_a_bit_of_the_header_is_found_or_is_read_by_nobody(lived: Program) -> None:
    whole, rng = store(), random.Random(3)
    missed = set()
    for place in range(100):
        flipped = bytearray(whole)
        flipped[place] ^= 1 << rng.randrange(8)
        put(lived, bytes(flipped))
        if lived("doctor").status == 0:
            missed.add(place)
    assert missed <= NOT_READ


# A cut file


@pytest.mark.parametrize("part", [0.1, 0.2, 0.3, 0.5, 0.7, 0.9, 0.95, 0.99, 0.999])
def test_nothing_is_written_to_a_file_that_was_cut_short(lived: Program, part: float) -> None:
    whole = store()
    cut = whole[: int(len(whole) * part)]
    path = put(lived, cut)
    assert_refused(lived(*WRITE), 3, "store idsync.db", "damaged")
    assert_refused(lived("replay", "-"), 3, "store idsync.db")
    assert path.read_bytes() == cut
    outcome = lived("doctor")
    assert outcome.status == 1
    assert "Traceback" not in outcome.stderr
    assert path.read_bytes() == cut


def test_a_large_store_that_was_cut_short_is_told_without_reading_it(lived: Program) -> None:
    lines = [
        {"type": "identify", "scope": "visitors", "known_identities": {"email": f"{n:04000}"}}
        for n in range(120)
    ]
    assert lived.replay(*lines).status == 0
    path = lived.folder / "idsync.db"
    whole = path.read_bytes()
    assert len(whole) > 64 * 4096
    for cut in (whole[:-1], whole[: len(whole) // 8192 * 4096]):
        put(lived, cut)
        assert_refused(lived(*WRITE), 3, "damaged", "idsync doctor")
        assert path.read_bytes() == cut


def test_pages_that_only_the_log_has_are_not_missed(lived: Program) -> None:
    """A crash may end a checkpoint in the middle, with the last pages still in the log alone."""
    lines = [
        {"type": "identify", "scope": "visitors", "known_identities": {"email": f"{n:04000}"}}
        for n in range(40)
    ]
    path = lived.folder / "idsync.db"
    before = path.stat().st_size
    with closing(sqlite3.connect(path)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM store").fetchall()
        assert lived.replay(*lines).status == 0
        log = (lived.folder / "idsync.db-wal").read_bytes()
    whole = path.read_bytes()
    assert len(whole) > before
    put(lived, whole[:before])
    lived.write("idsync.db-wal", log).chmod(0o600)
    assert lived("doctor").status == 0
    assert lived(*WRITE).status == 0
    assert len(lived("export", "--scope", "visitors").lines()) >= 40


# Scribbled bytes


def test_scribbled_bytes_are_found_and_nothing_is_written_over_them(lived: Program) -> None:
    whole, rng = store(), random.Random(4)
    wanted = dump(whole)
    found = 0
    for _ in range(SCRIBBLES):
        length = rng.choice([64, 256, 1024, 4096])
        start = rng.randrange(len(whole) - length)
        content = whole[:start] + rng.randbytes(length) + whole[start + length :]
        path = put(lived, content)
        outcome = lived("doctor")
        assert path.read_bytes() == content
        if outcome.status == 0:
            assert dump(content) == wanted
            continue
        found += 1
        assert "fault of idsync" not in outcome.stderr
        with closing(sqlite3.connect(f"{path.as_uri()}?immutable=1", uri=True)) as connection:
            try:
                can_be_told = connection.execute("PRAGMA quick_check(1)").fetchone() != ("ok",)
            except (sqlite3.Error, UnicodeDecodeError):
                can_be_told = True
        if can_be_told:
            assert_refused(lived(*WRITE), 3, "store")
            assert path.read_bytes() == content
    assert found > SCRIBBLES / 5


# A log that ends anywhere


def test_a_log_cut_anywhere_leaves_a_whole_prefix_of_the_history(lived: Program) -> None:
    """The log of real processes. That the present follows from the history is what doctor sees."""
    path, log = lived.folder / "idsync.db", lived.folder / "idsync.db-wal"
    lived.write("second.jsonl", (FIXTURES / "second.jsonl").read_bytes())
    begun = history_of(path)[0]
    with closing(sqlite3.connect(path)) as reader:
        reader.execute("BEGIN")  # so that the log is not played into the file
        reader.execute("SELECT * FROM store").fetchall()
        for arguments in (
            ("replay", "second.jsonl", "--again", "--force", "--chunk-size", "4"),
            WRITE,
            ("login", "--scope", "consumers", "--customer-id", "new", "--email", "new@example.com"),
        ):
            assert lived.process(*arguments).status in {0, 1}
        played, whole_log = path.read_bytes(), log.read_bytes()
        last, *rows = history_of(path)
    committed = {*range(begun, begun + 61, 4), begun + 61, begun + 62}
    assert last == max(committed)
    rng = random.Random(5)
    reached = set()
    for _ in range(CUTS_OF_THE_LOG):
        put(lived, played)
        cut = whole_log[: rng.randrange(len(whole_log) + 1)]
        lived.write("idsync.db-wal", cut).chmod(0o600)
        assert lived("doctor").status == 0
        assert log.read_bytes() == cut
        found = history_of(path)
        reached.add(found[0])
        assert found == [found[0], *(row for row in rows if row[0] <= found[0])]
        assert lived("doctor").status == 0
    assert reached <= committed
    assert len(reached) > 5


def history_of(path: Path) -> list[Any]:
    """The number of the last request that a store has taken, and every request with its changes."""
    with closing(sqlite3.connect(path)) as connection:
        [last] = connection.execute("SELECT last_seq FROM store").fetchone()
        rows = connection.execute(
            "SELECT * FROM requests LEFT JOIN changes USING (seq) ORDER BY seq, place"
        )
        return [last, *rows.fetchall()]


def test_a_value_that_is_no_text_any_more_is_not_shown(idsync: Program) -> None:
    idsync.make_store()
    assert idsync("identify", "--email", "secret-value@example.com").status == 0
    store = idsync.folder / "idsync.db"
    with closing(sqlite3.connect(store)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    store.write_bytes(store.read_bytes().replace(b"secret-value@", b"secret-\xff\xfelue@"))
    outcome = idsync("export")
    assert outcome.status == 3
    assert "secret" not in outcome.stderr
    assert "damaged" in outcome.stderr
    assert "idsync doctor" in outcome.stderr


@pytest.mark.parametrize("column", ["type", "rule", "identity_type"])
@pytest.mark.parametrize(
    "command",
    [
        ("history", "--mpid", mpid_of(1, 1)),
        ("profile", "show", "--mpid", mpid_of(1, 1)),
        ("stats",),
    ],
    ids=lambda it: it[0],
)
def test_a_word_in_the_history_that_no_idsync_wrote_is_damage(
    idsync: Program, column: str, command: tuple[str, ...]
) -> None:
    idsync.make_store()
    assert idsync("identify", "--email", "a@example.com").status == 0
    with closing(sqlite3.connect(idsync.folder / "idsync.db")) as connection, connection:
        connection.execute(f"UPDATE outcomes SET {column} = 'secret-word'")
    outcome = idsync(*command)
    if (command[0], column) == ("stats", "type"):  # it asks for no type
        assert outcome.status == 0
        return
    assert outcome.status == 3
    assert "secret" not in outcome.stderr
    assert "damaged" in outcome.stderr
    assert "idsync doctor" in outcome.stderr
