"""Every kind of store there is, for tests that ask the same of all of them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from idsync_cli.store import sqlite
from idsync_cli.store.api import Store
from idsync_cli.store.memory import MemoryStore
from tests.plain_store import PlainStore

Make = Callable[[Path, int], Store]
"""Makes a new store with a seed; the folder is the test's own."""


def in_a_file(folder: Path, seed: int) -> Store:
    number = sum(1 for _ in folder.glob("store-*.db"))
    return sqlite.create(str(folder / f"store-{number}.db"), seed)


KINDS: dict[str, Make] = {
    "file": in_a_file,
    "temporary": lambda _folder, seed: sqlite.temporary(seed),
    "memory": lambda _folder, seed: MemoryStore(seed),
    "plain": lambda _folder, seed: PlainStore(seed),
}

every_kind = pytest.mark.parametrize("make", KINDS.values(), ids=KINDS)
