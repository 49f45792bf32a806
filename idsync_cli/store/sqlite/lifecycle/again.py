"""What a store knows that must outlast a restore: who was erased, which files there are.

A backup may have whom the store has erased since. Before it takes the store's place it is made to
know of that, too: the erasures are carried out again in the copy, and its file is rewritten.
"""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final, NamedTuple

from idsync_cli.core.codes import SubjectRequestState
from idsync_cli.core.erasure import Erasure, KeptFile
from idsync_cli.store.sqlite.erasing import entries, kept_files, rewriting, subject_requests
from idsync_cli.store.sqlite.erasing.subject_requests import SubjectRequestRow
from idsync_cli.store.sqlite.files.handles import connect
from idsync_cli.store.sqlite.lifecycle.header import SCHEMA_VERSION, schema_version
from idsync_cli.store.sqlite.transaction import SqliteTransaction

_FIRST_WITH_ERASURES: Final = 4


class CarriedOutErasures(NamedTuple):
    """What a store has of erasures: by number, whether bytes of them are left, files, and ids used.

    `rewritings` is how often the store's file was rewritten. `is_readable` is false of a store
    that is too damaged to be asked.
    """

    erasures: tuple[Erasure, ...] = ()
    is_owed: bool = False
    files: tuple[KeptFile, ...] = ()
    requests: tuple[SubjectRequestRow, ...] = ()
    rewritings: int = 0
    is_readable: bool = True


def erasures_of(store: Path) -> CarriedOutErasures:
    """What the store in a file has of erasures; one of schema 3 has none."""
    try:
        with closing(connect(f"{store.as_uri()}?mode=ro", uri=True)) as connection:
            connection.execute("BEGIN")
            if not _FIRST_WITH_ERASURES <= schema_version(connection) <= SCHEMA_VERSION:
                return CarriedOutErasures()
            return CarriedOutErasures(
                tuple(entries.erasures(connection)),
                entries.is_owed(connection),
                tuple(kept_files.kept_files(connection)),
                tuple(subject_requests.all_of_them(connection)),
                entries.rewritings(connection),
            )
    except (sqlite3.Error, UnicodeDecodeError, ValueError):
        return CarriedOutErasures(is_readable=False)


def carry_out_again(copy: Path, past: CarriedOutErasures) -> int:
    """Carry out the same erasures in a copy of a store; gives how many profiles were erased in it.

    Erasures keep their numbers, unless the copy is beyond them: then they take the next ones.
    """
    with closing(connect(copy)) as connection:
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute("BEGIN IMMEDIATE")
        erased = _bring(connection, past)
        connection.execute("COMMIT")
        clean(connection)
        connection.execute("BEGIN IMMEDIATE")
        entries.keep_apart(connection, past.rewritings)
        if past.is_owed:
            entries.log_is_owed(connection, [each.mpid for each in past.erasures])
        connection.execute("COMMIT")
    return erased


def clean(connection: sqlite3.Connection) -> None:
    """Remove every byte of what was erased from a copy that nobody else uses."""
    if entries.is_owed(connection):
        connection.execute("PRAGMA secure_delete = ON")
        rewriting.rewrite(connection)
        rewriting.empty_log(connection, patiently=True)


def keep_path_in(copy: Path, file: KeptFile) -> None:
    """Keep the path of a file in a copy of a store."""
    with closing(connect(copy)) as connection:
        kept_files.put(connection, file)


def _bring(connection: sqlite3.Connection, past: CarriedOutErasures) -> int:
    transaction = SqliteTransaction(connection)
    transaction.begin()
    erased = 0
    for file in past.files:
        kept_files.keep(transaction, file)
    for was in past.erasures:
        if any(transaction.erasures(was.mpid)):
            continue
        seq = max(was.seq, transaction.last_seq + 1)
        erasure = Erasure(was.mpid, seq, was.scope, was.time_ms, was.request_id)
        transaction.advance_to(seq)
        if transaction.find(was.mpid) is None:
            transaction.insert_erasure(erasure)
        else:
            transaction.erase(erasure)
            erased += 1
    for row in past.requests:
        there = subject_requests.find(transaction, row.workspace, row.subject_request_id)
        if there is None or there.state == SubjectRequestState.PENDING:
            subject_requests.put(transaction, row)
    transaction.write()
    transaction.close()
    return erased
