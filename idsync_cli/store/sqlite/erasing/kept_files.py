"""Files that may hold what is in the store: their paths, for an erasure to name them."""

import os
import re
from collections.abc import Iterable
from pathlib import Path
from sqlite3 import Connection
from stat import S_ISREG

from idsync_cli.core.codes import FileKind
from idsync_cli.core.erasure import KeptFile
from idsync_cli.store.sqlite.connected import Connected
from idsync_cli.store.sqlite.queries.replays import BY_TIME
from idsync_cli.store.sqlite.rows.checksums import checksum

_SHORTEST = 4
"""A value of fewer characters says nothing about anybody where it stands in a path."""

_IN_ITS_PLACE = "[erased]"


def text_of(path: str) -> str:
    """The whole path of a file as text; what is none in its name is shown as an escape."""
    return os.fsencode(os.path.realpath(path)).decode("utf-8", "backslashreplace")


def may_hold_data(path: str) -> bool:
    """Whether what is written there stays: a pipe or a device keeps nothing.

    What is not there yet will be a file.
    """
    try:
        return S_ISREG(Path(path).stat().st_mode)
    except OSError:
        return True


def keep(transaction: Connected, file: KeptFile) -> None:
    """Keep the path of a file, unless that is done."""
    query = "SELECT 1 FROM kept_files WHERE path = ? AND kind = ?"
    if not transaction.connection.execute(query, (file.path, file.kind.value)).fetchone():
        put(transaction.connection, file)


def put(connection: Connection, file: KeptFile) -> None:
    """Keep the path of a file, within the transaction at hand."""
    row = file.path, file.kind.value
    connection.execute("INSERT OR REPLACE INTO kept_files VALUES (?, ?, ?)", (*row, checksum(*row)))


def kept_files(connection: Connection) -> list[KeptFile]:
    """The files whose paths are kept, and those that were replayed, in the order of the paths."""
    found = {
        path: FileKind.REQUESTS
        for (path,) in connection.execute("SELECT name FROM replays WHERE name LIKE '%/%'")
        if not path.startswith(BY_TIME)
    }
    for path, kind in connection.execute("SELECT path, kind FROM kept_files"):
        found[path] = FileKind(kind)
    return [KeptFile(found[path], path) for path in sorted(found)]


def take_out(connection: Connection, values: Iterable[str]) -> None:
    """Take values out of the paths, wherever one stands as a word of its own.

    Such a path leads nowhere from now on, and still tells that there is such a file.
    """
    words = [re.escape(each) for each in values if len(each) >= _SHORTEST]
    if not words:
        return
    pattern = re.compile(rf"(?<![^\W_])(?:{'|'.join(sorted(words, key=len)[::-1])})(?![^\W_])")
    for path, kind in connection.execute("SELECT path, kind FROM kept_files").fetchall():
        without = pattern.sub(_IN_ITS_PLACE, path)
        if without != path:
            connection.execute("DELETE FROM kept_files WHERE path = ?", (path,))
            put(connection, KeptFile(FileKind(kind), without))
    columns = "name, lines, bytes, digest, answers_bytes, answers_digest, finished"
    for number, path, *progress in connection.execute(
        f"SELECT replay_id, {columns} FROM replays"
    ).fetchall():
        without = pattern.sub(_IN_ITS_PLACE, path)
        if without != path:
            connection.execute(
                "UPDATE replays SET name = ?2, checksum = ?3 WHERE replay_id = ?1",
                (number, without, checksum(without, *progress)),
            )
