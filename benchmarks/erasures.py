"""Goal 15: a hundred erasures from one store, against one."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

from benchmarks import workload
from benchmarks.measure import Bench, Numbered, Row, Run, Spread, in_turns
from benchmarks.stores import fresh, replayed, written

AS_STATED: Final = 1_000_000
MANY: Final = 100
MOST: Final = 10


def erasures(bench: Bench) -> Iterator[Row]:
    """A file of a hundred erasures, each of another profile, against a file with one."""
    profiles = bench.sizes.profiles
    bench.say(f"goal 15: a store of {profiles:,} profiles")
    store = _store_of(bench, profiles)
    one, many = (_erasing(bench, store, profiles, number) for number in (1, MANY))
    ones, hundreds = in_turns(bench.rounds, one, many)
    what = f"{MANY} erasures from {profiles:,} profiles, to one"
    ours = Spread.of(each.seconds for each in hundreds)
    yardstick = Spread.of(each.seconds for each in ones)
    yield Row(15, what, "s", ours, yardstick, MOST, profiles >= AS_STATED)
    store.unlink()


def _store_of(bench: Bench, profiles: int) -> Path:
    """A store in which so many users have a login ID, a device, an attribute and an event."""
    file, made = bench.folder / "users.jsonl", fresh(bench) / "store.db"
    workload.write_requests(file, (_batch(user) for user in range(profiles)))
    replayed(bench, file, made, config=written(bench))
    file.unlink()
    return made.rename(bench.folder / "erasures.db")


def _batch(user: int) -> dict[str, object]:
    return {
        "type": "batch",
        "user_identities": {"customer_id": workload.customer_id(user)},
        "device_info": {"ios_idfv": workload.device(user)},
        "user_attributes": {"number": str(user)},
        "events": [workload.event(user)],
    }


def _erasing(bench: Bench, store: Path, profiles: int, number: int) -> Numbered[Run]:
    """Erase so many profiles from a copy of the store, other ones in each round."""

    def once(turn: int) -> Run:
        apart = profiles // number
        lines = bench.folder / "erasures.jsonl"
        workload.write_requests(lines, (_erase(turn + each * apart) for each in range(number)))
        copy = fresh(bench) / "store.db"
        shutil.copyfile(store, copy)
        done = replayed(bench, lines, copy, config=written(bench))
        with closing(sqlite3.connect(copy)) as connection:
            [erased] = connection.execute("SELECT count(*) FROM erasures WHERE finished").fetchone()
        if erased != number:
            raise RuntimeError(f"{erased} of {number} profiles are erased")
        return done

    return once


def _erase(user: int) -> dict[str, object]:
    return {"type": "erase", "known_identities": {"customer_id": workload.customer_id(user)}}
