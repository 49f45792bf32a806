"""Stores to measure on: new ones, filled by the commands that people fill them with."""

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from benchmarks import workload
from benchmarks.measure import Bench, Run, run
from idsync_cli.cli.environment import now_ms
from idsync_cli.cli.opening import load_configuration, open_store
from idsync_cli.engine.engine import Engine

Profile = Mapping[str, list[str]]
SEED = 42
DONE = (0, 1)  # the exit status says whether lines were refused


def fresh(bench: Bench) -> Path:
    """A folder with no file in it."""
    folder = bench.folder / "fresh"
    folder.mkdir(exist_ok=True)
    for file in folder.iterdir():
        file.unlink()
    os.sync()  # what was written before is not to be waited for by who comes next
    return folder


def written(bench: Bench, config: str = workload.CONFIG) -> Path:
    """The file of a configuration."""
    file = bench.folder / "idsync.yaml"
    file.write_text(config, encoding="utf-8")
    return file


def requests_of(bench: Bench, size: int) -> Path:
    """A file of requests."""
    file = bench.folder / "requests.jsonl"
    workload.write_requests(file, workload.requests(size))
    return file


def replayed(
    bench: Bench, requests: Path, store: Path, *options: object, config: Path | None = None
) -> Run:
    """Replay a file into a store, without any summary."""
    target = ("--config", config or written(bench), "--store", store, "--seed", SEED, "--quiet")
    return run(bench.folder, "idsync", "replay", requests, *target, *options, fine=DONE)


def imported(bench: Bench, config: Path, profiles: Iterable[Profile]) -> Path:
    """A new store that has the profiles."""
    folder = fresh(bench)
    file, store = folder / "profiles.jsonl", folder / "store.db"
    with file.open("w", encoding="utf-8") as lines:
        for mpid, identities in enumerate(profiles, start=1):
            lines.write(json.dumps({"mpid": str(mpid), "identities": identities}) + "\n")
    target = ("--config", config, "--store", store, "--seed", SEED)
    run(bench.folder, "idsync", "import", file, *target)
    file.unlink()
    return store


@contextmanager
def engine_on(store: Path, config: Path) -> Iterator[Engine]:
    """An engine on a store that is there, opened as the commands open it."""
    organization = load_configuration(str(config)).organization
    opened = open_store(str(store), organization, write=True)
    assert opened is not None
    with opened:
        yield Engine(organization, opened, now=now_ms)
