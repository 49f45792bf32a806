"""Goal 11: requests of many threads at once, against the same in one batch."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from statistics import median
from threading import Barrier, Thread

from benchmarks import workload
from benchmarks.measure import Bench, Row, Spread, in_turns
from benchmarks.stores import SEED, fresh, written
from idsync_cli import wire
from idsync_cli.cli.environment import now_ms
from idsync_cli.cli.opening import load_configuration
from idsync_cli.core.config.rules import Organization
from idsync_cli.engine.engine import Engine
from idsync_cli.engine.service import Service
from idsync_cli.store import sqlite as store

THREADS, REQUESTS = 64, 20_000
MICROSECONDS = 1e6

Asked = tuple[wire.Json, bool]
"""A request, and whether it is a dry run."""


def threads(bench: Bench) -> Iterator[Row]:
    """What a request of one of many threads costs more than one of a batch, of processor time."""
    size = min(bench.sizes.stored, REQUESTS)
    rules = load_configuration(str(written(bench))).organization
    for what, is_mixed in (("nearly all change", False), ("two of five look", True)):
        bench.say(f"goal 11: {size:,} requests of {THREADS} threads, {what}")
        requests = list(_requests(size, is_mixed))
        together: list[float] = []
        batch, ours = in_turns(
            bench.rounds,
            _in_a_batch(bench, rules, requests),
            _at_once(bench, rules, requests, together),
        )
        more = [mine - its for mine, its in zip(ours, batch, strict=True)]
        note = f"{median(together):.0f} changing requests a commit"
        yield Row(
            11, f"one of {THREADS} threads more than in a batch, {what}", "µs",
            Spread.of(more).times(MICROSECONDS / size), None, 60, size >= REQUESTS, note,
        )  # fmt: skip


def _requests(size: int, is_mixed: bool) -> Iterator[Asked]:
    """Those of the workload, without labels; of mixed ones two of five are searches or dry runs."""
    for place, request in enumerate(workload.requests(size)):
        looks = is_mixed and place % 5 < 2
        is_dry = looks and place % 10 == 0
        kind = request["type"]
        if kind == "modify" or (looks and not is_dry):
            kind = "search"
        yield {"type": kind, "known_identities": request["known_identities"]}, is_dry


def _in_a_batch(bench: Bench, rules: Organization, requests: list[Asked]) -> Callable[[int], float]:
    def once(_round: int) -> float:
        with store.create(str(fresh(bench) / "store.db"), SEED) as opened:
            engine = Engine(rules, opened, now=now_ms)
            incoming = [wire.Incoming(request) for request, _ in requests]
            began = time.process_time()
            engine.batch(incoming)
            return time.process_time() - began

    return once


def _at_once(
    bench: Bench, rules: Organization, requests: list[Asked], together: list[float]
) -> Callable[[int], float]:
    """Each thread asks as soon as it has been answered; `together` gets requests by commits."""

    def once(_round: int) -> float:
        path = fresh(bench) / "store.db"
        store.create(str(path), SEED).close()
        counted = _Counted(path)
        begin = Barrier(THREADS + 1)

        def run(mine: list[Asked]) -> None:
            begin.wait()
            for request, is_dry in mine:
                service.submit(request, dry_run=is_dry).result()

        with Service(rules, counted.writing, counted.reading, now=now_ms) as service:
            clients = [Thread(target=run, args=(requests[at::THREADS],)) for at in range(THREADS)]
            for client in clients:
                client.start()
            began = time.process_time()
            begin.wait()
            for client in clients:
                client.join()
            taken = time.process_time() - began
        with closing(sqlite3.connect(path)) as connection:
            [changing] = connection.execute("SELECT count(*) FROM requests").fetchone()
        together.append(changing / counted.commits)
        return taken

    return once


class _Counted:
    """Opens a store, and counts the commits."""

    def __init__(self, path: Path) -> None:
        self._path = str(path)
        self.commits = 0

    def writing(self) -> store.SqliteStore:
        opened = self._opened(write=True)
        opened.connection.set_trace_callback(self._count)
        return opened

    def reading(self) -> store.SqliteStore:
        return self._opened(write=False)

    def _opened(self, *, write: bool) -> store.SqliteStore:
        opened = store.open_store(self._path, write=write)
        if opened is None:
            raise RuntimeError("the store is gone")
        return opened

    def _count(self, statement: str) -> None:
        self.commits += statement == "COMMIT"
