"""Goals 6 to 8: one request inside a running process."""

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from itertools import count, cycle

from benchmarks import workload
from benchmarks.measure import Bench, Row, Side, calls_in_turns
from benchmarks.stores import Profile, engine_on, fresh, imported, replayed, requests_of, written
from idsync_cli.engine.engine import Engine

Identities = Mapping[str, str]
MILLION, GATHERED = 1_000_000, 10_000
MICROSECONDS = 1e6
SHARED = ("ios_idfv", "device_application_stamp")
CROWD_CONFIG = workload.CONFIG.replace("ios_idfv]", "ios_idfv, device_application_stamp]")


def bare() -> dict[str, object]:
    """What a request has besides its type and its identifiers, if it has nothing."""
    return {}


def from_a_client() -> Callable[[], dict[str, object]]:
    """What the web SDK sends with each request: the members of mParticle's HTTP API."""
    numbers = count()

    def members() -> dict[str, object]:
        number = next(numbers)
        return {
            "client_sdk": {"platform": "web", "sdk_vendor": "mparticle", "sdk_version": "2.68.0"},
            "context": None,
            "environment": "development",
            "request_id": f"5b4e1a52-0a8f-4f0c-8f67-{number:012x}",
            "request_timestamp_ms": 1_790_000_000_000 + number,
            "previous_mpid": None,
        }

    return members


def asking(
    engine: Engine,
    kind: str,
    wanted: str,
    given: Callable[[], Identities],
    *,
    dry: bool = False,
    more: Callable[[], dict[str, object]] = bare,
) -> Side:
    """A call that puts a request through the engine; its answer must have the status wanted."""

    def ask() -> None:
        request = {"type": kind, **more(), "known_identities": dict(given())}
        found = engine.one_shot(request, dry_run=dry).status
        if found != wanted:
            raise RuntimeError(f"{request} was answered with {found}, not {wanted}")

    return ask


def compared(bench: Bench, goal: int, what: str, most: float, as_stated: bool, *sides: Side) -> Row:
    """The row of our call against the yardstick's."""
    ours, theirs = (each.times(MICROSECONDS) for each in calls_in_turns(bench, *sides))
    return Row(goal, what, "µs", ours, theirs, most, as_stated)


def single(bench: Bench) -> Iterator[Row]:
    """Goal 6: a search that hits and a durable create, against one statement of SQLite each."""
    size = bench.sizes.stored
    bench.say(f"goal 6: a store of {size:,} requests")
    config, folder = written(bench), fresh(bench)
    store = folder / "store.db"
    replayed(bench, requests_of(bench, size), store)
    customers = _customers(size)
    with closing(_connect(str(store))) as made:  # before the store is in use, whose tables stay
        made.execute("CREATE TABLE yardstick (value TEXT PRIMARY KEY, mpid INTEGER)")
        made.execute("BEGIN")
        made.executemany(
            "INSERT INTO yardstick VALUES (?, ?)", zip(customers, count(), strict=False)
        )
        made.execute("COMMIT")
    with (
        engine_on(store, config) as engine,
        closing(_connect(str(store))) as same_file,
        closing(_connect(str(folder / "plain.db"))) as same_disk,
    ):
        ours, theirs = cycle(customers), cycle(customers)
        sent = from_a_client()
        search = asking(engine, "search", "matched", lambda: {"customer_id": next(ours)}, more=sent)
        select = "SELECT mpid FROM yardstick WHERE value = ?"
        what = "search that hits, to SELECT"
        yield compared(
            bench, 6, what, 8, True,
            search, lambda: same_file.execute(select, (next(theirs),)).fetchone(),
        )  # fmt: skip
        same_disk.execute("PRAGMA journal_mode = WAL")
        same_disk.execute("CREATE TABLE plain (id INTEGER PRIMARY KEY, value TEXT NOT NULL)")
        new, number = _devices("new"), _devices("row")
        create = asking(engine, "identify", "created", lambda: {"ios_idfv": next(new)}, more=sent)
        insert = "INSERT INTO plain (value) VALUES (?)"
        what = "durable create, to INSERT"
        yield compared(
            bench, 6, what, 1.6, True,
            create, lambda: same_disk.execute(insert, (next(number),)),
        )  # fmt: skip


def _connect(path: str) -> sqlite3.Connection:
    """A connection with the settings of a store's; each statement is a transaction of its own."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA secure_delete = ON")
    return connection


def _customers(size: int) -> list[str]:
    """The customers of a file of requests, in no order that an index could profit from."""
    found: dict[str, None] = {}
    for request in workload.requests(size):
        identities = request["known_identities"]
        if request["type"] == "login" and isinstance(identities, dict):
            found[identities["customer_id"]] = None
    return sorted(found, key=lambda each: each[::-1])


def _devices(prefix: str) -> Iterator[str]:
    return (f"{prefix}-{number:08d}" for number in count())


@dataclass(frozen=True, slots=True)
class Crowd:
    """Profiles that share identifiers: which ones each holds, by its number and how many there are.

    `pair` is the smallest such crowd in which each shared identifier has two holders.
    """

    what: str
    known: bool
    types: tuple[str, ...]
    held: Callable[[int, int], tuple[str, ...]]
    pair: int = 2

    def shared(self, values: str) -> dict[str, str]:
        """The identifiers that its profiles share."""
        return {kind: f"{values} {kind}" for kind in self.types}

    def profiles(self, size: int, values: str) -> Iterator[Profile]:
        """The profiles of a crowd of some size."""
        shared = self.shared(values)
        for number in range(size):
            own = {"customer_id": [self.customer(number, values)]} if self.known else {}
            yield own | {kind: [shared[kind]] for kind in self.held(number, size)}

    def customer(self, number: int, values: str) -> str:
        """The login ID of one of a known crowd."""
        return f"{values} {number}"


_ONE, _BOTH = SHARED[:1], SHARED
CROWDS = (
    Crowd("all known", True, _ONE, lambda *_: _ONE),
    Crowd("all anonymous", False, _ONE, lambda *_: _ONE),
    Crowd("two IDs, same known", True, _BOTH, lambda *_: _BOTH),
    Crowd("two IDs, same anonymous", False, _BOTH, lambda *_: _BOTH),
    Crowd(
        "two IDs, a half each", False, _BOTH,
        lambda number, size: (_BOTH[number >= size // 2],), pair=4,
    ),
    Crowd(
        "two IDs, interleaved (worst case)", False, _BOTH,
        lambda number, _: (_BOTH[number % 2],), pair=4,
    ),
)  # fmt: skip


def crowds(bench: Bench) -> Iterator[Row]:
    """Goal 7: identifiers that a crowd holds, against such that two profiles hold."""
    size = bench.sizes.crowd
    config = written(bench, CROWD_CONFIG)
    for crowd in CROWDS:
        bench.say(f"goal 7: {crowd.what}, {size:,} profiles")

        def both(crowd: Crowd = crowd) -> Iterator[Profile]:
            yield from crowd.profiles(size, "crowd")
            yield from crowd.profiles(crowd.pair, "pair")

        with engine_on(imported(bench, config, both()), config) as engine:
            for request, ask in _requests(engine, crowd, size):
                sides = (ask("crowd"), ask("pair"))
                what = f"{request}, {size:,} to 2: {crowd.what}"
                yield compared(bench, 7, what, 1.2, size >= MILLION, *sides)


def _requests(
    engine: Engine, crowd: Crowd, size: int
) -> Iterator[tuple[str, Callable[[str], Side]]]:
    """The requests to put to a crowd; none of them makes a profile.

    To known profiles an identifier alone does not lead: a search finds none, an identify would
    make one, so that it is only decided, and one that names a customer is answered with it.
    """

    def search(values: str) -> Side:
        wanted = "not_found" if crowd.known else "matched"
        return asking(engine, "search", wanted, lambda: crowd.shared(values))

    def identify(values: str) -> Side:
        wanted = "created" if crowd.known else "matched"
        given = crowd.shared(values)
        return asking(engine, "identify", wanted, lambda: given, dry=crowd.known)

    def own(values: str) -> Side:
        number = size // 2 if values == "crowd" else 0
        given = {"customer_id": crowd.customer(number, values)} | crowd.shared(values)
        return asking(engine, "identify", "matched", lambda: given)

    yield "search", search
    yield "identify", identify
    if crowd.known:
        yield "identify one of them", own


def gathered(bench: Bench) -> Iterator[Row]:
    """Goal 8: one more identifier for a profile that has gathered many, against a fresh one."""
    size, calls = bench.sizes.gathered, bench.sizes.calls
    config = written(bench)
    for kind in ("ios_idfv", "email"):
        bench.say(f"goal 8: {size:,} of {kind}")

        def profiles(kind: str = kind) -> Iterator[Profile]:
            yield {"customer_id": ["many"], kind: [f"many-{each}" for each in range(size)]}
            for each in range(bench.rounds * calls + 1):
                yield {"customer_id": [f"fresh-{each}"], kind: [f"first-{each}"]}

        with engine_on(imported(bench, config, profiles()), config) as engine:
            new, fresh_ones = _devices("new"), count()

            def add_to_many(kind: str = kind, new: Iterator[str] = new) -> Identities:
                return {"customer_id": "many", kind: next(new)}

            def add_to_fresh(
                kind: str = kind, new: Iterator[str] = new, fresh_ones: Iterator[int] = fresh_ones
            ) -> Identities:
                return {"customer_id": f"fresh-{next(fresh_ones)}", kind: next(new)}

            sides = (
                asking(engine, "identify", "matched", each) for each in (add_to_many, add_to_fresh)
            )
            what = f"one more {kind}, {size:,} to 1"
            yield compared(bench, 8, what, 1.5, size >= GATHERED, *sides)
