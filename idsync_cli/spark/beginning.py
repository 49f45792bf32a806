"""What a job begins with: the state of another, or an export, as if it had been imported."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

from idsync_cli.core.config.rules import Organization
from idsync_cli.files import profile_lines
from idsync_cli.spark import state
from idsync_cli.spark.loading import digest_of
from idsync_cli.spark.rows import TaskRow
from idsync_cli.store import sqlite
from idsync_cli.store.sqlite import SqliteStore
from idsync_cli.transfer.profile_import import import_profiles


class Export(NamedTuple):
    """An export by its digest, its last number, and its rows as a state."""

    digest: str
    last_seq: int
    rows: Iterator[TaskRow]


def import_into(store: SqliteStore, name: str, organization: Organization, now_ms: int) -> None:
    """Import an export whole.

    Raises:
        UsageFault: it cannot be read, or is none.
        FileFault: its bad lines.
    """
    with profile_lines.open_profiles(name) as source, store.writing() as transaction:
        read = partial(profile_lines.read_jsonl, source, organization)
        import_profiles(source.name, read, organization, transaction, now_ms=now_ms)


@contextmanager
def imported(name: str, organization: Organization, seed: int, now_ms: int) -> Iterator[Export]:
    """An export, imported into a temporary store.

    Raises:
        UsageFault: it cannot be read, or is none.
        FileFault: its bad lines.
    """
    with sqlite.temporary(seed) as store:
        import_into(store, name, organization, now_ms)
        with store.reading() as transaction:
            rows = state.rows_of(transaction, organization)
            yield Export(digest_of(Path(name)), transaction.last_seq, rows)
