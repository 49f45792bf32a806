"""Goal 14: 64 connections to the server, beside a replay into the same store."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from benchmarks import workload
from benchmarks.agreement import differences
from benchmarks.measure import PROGRAMS, Bench, Row, Spread, in_turns, run
from benchmarks.stores import fresh, requests_of, written

CONNECTIONS: Final = 64
MINUTE: Final = 60
REPLAYED: Final = 100_000
_CHECKED: Final = 10
"""How many seconds the round takes whose answers are compared."""

_FEW_USERS: Final = 1009
CONFIG: Final = (
    workload.CONFIG
    + """\
accounts:
  main:
    workspaces:
      load: {scope: consumers, api_key: load-key, key_only: true}
"""
)
_MIX: Final = Path(__file__).with_name("http_load.lua")
_OTHER: Final = Path(__file__).with_name("other_server.py")
_ADDRESS: Final = re.compile(rb"http://\S+")

Outcome = dict[str, Any]


def load(bench: Bench) -> Iterator[Row]:
    """Mixed requests, each durable, as many as can be answered; what one of them takes."""
    if shutil.which("wrk") is None or find_spec("uvicorn") is None:
        bench.say("goal 14 is left out: it needs wrk, and what idsync serve needs")
        return
    seconds = bench.sizes.seconds
    bench.say(f"goal 14: {CONNECTIONS} connections for {seconds} s")
    config = written(bench, CONFIG)
    replayed = requests_of(bench, REPLAYED if seconds >= MINUTE else 1_000)

    def busy(folder: Path, seconds: int, serving: list[str], mixing: list[str]) -> Outcome:
        store = folder / "store.db"
        target = ["--config", str(config), "--store", str(store), "--seed", "1"]
        serve = [str(PROGRAMS / "idsync"), "serve", "--port", "0", *target, *serving]
        replay = [str(PROGRAMS / "idsync"), "replay", str(replayed), "--quiet", *target]
        with _served(bench, serve) as address, subprocess.Popen(replay, cwd=bench.folder) as beside:
            outcome = _asked(address, seconds, *mixing)
            beside.wait()
        run(bench.folder, "idsync", "doctor", "--store", store)
        return outcome

    def ours(_number: int) -> Outcome:
        return busy(fresh(bench), seconds, [], [])

    def theirs(_number: int) -> Outcome:
        database = fresh(bench) / "other.db"
        with _served(bench, [sys.executable, str(_OTHER), str(database)]) as address:
            return _asked(address, seconds)

    mine, others = in_turns(bench.rounds, ours, theirs)
    for outcome in (*mine, *others):
        if outcome["lost"] or not outcome["requests"]:
            raise RuntimeError(f"requests were not answered: {outcome}")
    _check_answers(bench, config, busy)
    worst = max(each["p99_us"] for each in mine) / 1e3
    note = f"p99 {worst:.0f} ms at most"
    what = f"a request of {CONNECTIONS} connections, beside a replay"
    yield Row(14, what, "µs", _each(mine), _each(others), 1, seconds >= MINUTE, note)


def _check_answers(bench: Bench, config: Path, busy: Callable[..., Outcome]) -> None:
    """See that no answer under load is wrong, in a round of its own: to record takes its time.

    Raises:
        RuntimeError: one is, or the store is left with something else than it should.
    """
    folder = fresh(bench)
    record = folder / "record.jsonl"
    busy(folder, min(bench.sizes.seconds, _CHECKED), ["--record", str(record)], [str(_FEW_USERS)])
    export = folder / "export.jsonl"
    target = ("--config", config, "--store", folder / "store.db")
    run(bench.folder, "idsync", "export", *target, "--output", export)
    with record.open(encoding="utf-8") as asked, export.open(encoding="utf-8") as left:
        wrong = list(differences(workload.RULES, asked, left))
    if wrong:
        raise RuntimeError(f"{len(wrong)} differences from the reference model, first: {wrong[0]}")


def _each(outcomes: list[Outcome]) -> Spread:
    """How long the server took for each request that was answered, all connections together."""
    return Spread.of(each["us"] / each["requests"] for each in outcomes)


@contextmanager
def _served(bench: Bench, command: list[str]) -> Iterator[str]:
    environment = {name: each for name, each in os.environ.items() if name[:7] != "IDSYNC_"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=bench.folder,
        env=environment,
    ) as server:  # fmt: skip
        try:
            assert server.stdout is not None
            found = _ADDRESS.search(server.stdout.readline())
            if found is None:
                raise RuntimeError(f"{command[1]} does not serve")
            yield found[0].decode()
        finally:
            server.terminate()


def _asked(address: str, seconds: int, *mixing: str) -> Outcome:
    command = ["wrk", "-t2", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", str(_MIX), address]
    ended = subprocess.run([*command, "--", *mixing], check=True, capture_output=True, text=True)
    outcome: Outcome = json.loads(ended.stdout.splitlines()[-1])
    return outcome
