"""Another process that uses a store while it is written, and notes how long it had to wait."""

import multiprocessing
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

from benchmarks.stores import engine_on
from idsync_cli.errors import StoreFault

PAUSE = 0.005  # between two tries, for the replay is to be watched and not to be held up
SHORT_PAUSE = 0.0005
PATIENCE = 60.0


class Waits(list[float]):
    """How long each try took, and how many of them were given up."""

    failed = 0


Goes = Callable[[], bool]
Watch = Callable[[Path, Path, Goes], Waits]


def held(store: Path, _config: Path, goes: Goes) -> Waits:
    """How long the store could not be written, asked again and again."""
    waits = Waits()
    connection = sqlite3.connect(store, timeout=0, isolation_level=None)
    since = 0.0
    while goes():
        now = time.perf_counter()
        try:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
            if since:
                waits.append(now - since)
            since = 0.0
        except sqlite3.OperationalError:
            since = since or now
        time.sleep(SHORT_PAUSE)
    connection.close()
    return waits


def for_the_store(store: Path, _config: Path, goes: Goes) -> Waits:
    """For a transaction of one's own, by SQLite's own means."""
    connection = sqlite3.connect(store, timeout=PATIENCE, isolation_level=None)

    def begin() -> None:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("ROLLBACK")

    waits = _tried(begin, goes)
    connection.close()
    return waits


def for_an_answer(store: Path, config: Path, goes: Goes) -> Waits:
    """For the answer to a request, which may queue for its turn before it begins."""
    with engine_on(store, config) as engine:
        request = {"type": "identify", "known_identities": {"email": "onlooker@example.com"}}
        return _tried(lambda: engine.one_shot(dict(request)), goes)


def _tried(step: Callable[[], object], goes: Goes) -> Waits:
    waits = Waits()
    while goes():
        started = time.perf_counter()
        try:
            step()
        except (sqlite3.OperationalError, StoreFault):
            waits.failed += 1
        waits.append(time.perf_counter() - started)
        time.sleep(PAUSE)
    return waits


WATCHES: dict[str, Watch] = {
    "time that it is held": held,
    "wait of BEGIN IMMEDIATE": for_the_store,
    "wait of a request": for_an_answer,
}


@contextmanager
def beside(watch: Watch, store: Path, config: Path) -> Iterator[Waits]:
    """Watch from another process until the block ends; what was seen is there by then."""
    seen = Waits()
    spawning = multiprocessing.get_context("spawn")
    ours, theirs = spawning.Pipe()
    process = spawning.Process(target=_watch, args=(watch, store, config, theirs))
    process.start()
    theirs.close()  # so that its end is noticed here, too
    try:
        ours.recv()  # it is ready
        yield seen
        ours.send(None)
        waits, seen.failed = ours.recv()
        seen.extend(waits)
    finally:
        process.join(PATIENCE)
        process.kill()


def _watch(watch: Watch, store: Path, config: Path, pipe: Connection) -> None:
    pipe.send(None)
    while not store.exists() and not pipe.poll():
        time.sleep(SHORT_PAUSE)
    waits = watch(store, config, lambda: not pipe.poll())
    pipe.send((list(waits), waits.failed))
