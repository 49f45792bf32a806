"""Goals 1 to 5: replays of whole files, against merely loading the same file."""

import re
from collections import Counter
from collections.abc import Iterator

from benchmarks import busy, onlooker
from benchmarks.measure import Bench, Row, Run, Spread, in_turns, run
from benchmarks.stores import fresh, replayed, requests_of, written

MANY, MOST = 1_000_000, 5_000_000
BASE = 100_000
ROUNDS_OF_MANY = 3
MEGABYTE = 1_000_000
PLAIN, ANSWERED = 0.9, 1.2  # what goals 1 and 2 allow
BUSY_PLAIN, BUSY_ANSWERED = 1.1, 1.5  # and a quarter more, beside other work
BESIDE = ", processors busy"
_STATUS = re.compile(rb'"status": ?"(\w+)"')


class _Sides:
    """A file of requests: replayed, replayed with every answer written, and merely loaded."""

    def __init__(self, bench: Bench, size: int) -> None:
        self._bench = bench
        self._requests = requests_of(bench, size)
        self.store_bytes = 0
        self.statuses: Counter[str] = Counter()

    def plain(self, _number: int) -> Run:
        store = fresh(self._bench) / "store.db"
        done = replayed(self._bench, self._requests, store)
        self.store_bytes = store.stat().st_size
        return done

    def with_answers(self, _number: int) -> Run:
        folder = fresh(self._bench)
        answers = folder / "answers.jsonl"
        store = folder / "store.db"
        done = replayed(self._bench, self._requests, store, "--output", answers)
        if not self.statuses:
            with answers.open("rb") as lines:
                found = (_STATUS.search(line) for line in lines)
                self.statuses.update(each[1].decode() for each in found if each)
        return done

    def loaded(self, _number: int) -> Run:
        target = (fresh(self._bench) / "new.db", "requests", self._requests, "--nl")
        return run(self._bench.folder, "sqlite-utils", "insert", *target)


def replaying(bench: Bench) -> Iterator[Row]:
    """Goals 1 to 4: time, memory and size at each number of requests."""
    seconds: dict[int, Spread] = {}
    peaks: dict[int, Spread] = {}
    for size in bench.sizes.requests:
        bench.say(f"goals 1 to 4: {size:,} requests")
        sides = _Sides(bench, size)
        turns = [sides.plain, sides.loaded]
        if bench.goals & {2, 4}:
            turns.append(sides.with_answers)
        rounds = min(bench.rounds, ROUNDS_OF_MANY) if size >= MANY else bench.rounds
        plain, loaded, *answered = in_turns(rounds, *turns)
        seconds[size] = _seconds(plain)
        peaks[size] = Spread.of(each.peak_bytes / MEGABYTE for each in plain)
        what, against = f"replay {size:,}", _seconds(loaded)
        large = size >= MOST
        goal, most = (3, 1.2) if large else (1, PLAIN)
        note = f"{size / seconds[size].median:,.0f} requests/s"
        yield Row(goal, what, "s", seconds[size], against, most, size in (MANY, MOST), note)
        for each in answered:
            done = _seconds(each)
            note = f"{sides.statuses['error']:,} of {size:,} refused"
            yield Row(2, f"{what} --output", "s", done, against, ANSWERED, size == MANY, note)
        yield Row(4, f"{what}, peak memory", "MB", peaks[size], None, 400, size == MANY)
        profiles = sides.statuses["created"]
        if profiles:
            store = Spread.of([sides.store_bytes / profiles])
            note = f"{profiles:,} profiles, {sides.store_bytes / MEGABYTE:,.1f} MB"
            yield Row(4, f"{what}, a profile", "bytes", store, None, 450, size == MANY, note)
    yield from _growth(seconds, peaks)


def replaying_beside_others(bench: Bench) -> Iterator[Row]:
    """Goals 1 and 2 where every processor has other work, too; so has the yardstick."""
    size = max([each for each in bench.sizes.requests if each <= MANY], default=MANY)
    bench.say(f"goals 1 and 2: {size:,} requests, each processor busy with something else")
    sides = _Sides(bench, size)
    rounds = min(bench.rounds, ROUNDS_OF_MANY) if size >= MANY else bench.rounds
    with busy.processors() as number:
        plain, loaded, answered = in_turns(rounds, sides.plain, sides.loaded, sides.with_answers)
    against, note = _seconds(loaded), f"{number} busy processes"
    what, stated = f"replay {size:,}", size == MANY
    yield Row(1, what + BESIDE, "s", _seconds(plain), against, BUSY_PLAIN, stated, note)
    what += " --output"
    yield Row(2, what + BESIDE, "s", _seconds(answered), against, BUSY_ANSWERED, stated, note)


def _growth(seconds: dict[int, Spread], peaks: dict[int, Spread]) -> Iterator[Row]:
    sizes = sorted(seconds)
    most = sizes[-1]
    base = BASE if BASE in sizes[:-1] else sizes[0]
    many = MANY if MANY in sizes[:-1] else sizes[0]
    if most > base:
        each, before = (seconds[size].times(1e6 / size) for size in (most, base))
        what = f"a request of {most:,}, of {base:,}"
        yield Row(3, what, "µs", each, before, 1.6, (base, most) == (BASE, MOST))
    if most > many:
        more = Spread.of([peaks[most].median - peaks[many].median])
        what = f"peak memory, {most:,} over {many:,}"
        yield Row(4, what, "MB", more, None, 100, (many, most) == (MANY, MOST))


def _seconds(runs: list[Run]) -> Spread:
    return Spread.of(each.seconds for each in runs)


def holding(bench: Bench) -> Iterator[Row]:
    """Goal 5: how long a replay holds the store, by who stands beside it."""
    yield from _held(bench, "")
    with busy.processors():
        yield from _held(bench, BESIDE)


def _held(bench: Bench, beside: str) -> Iterator[Row]:
    size = bench.sizes.watched
    requests, config = requests_of(bench, size), written(bench)
    for what, watch in onlooker.WATCHES.items():
        bench.say(f"goal 5: {what}, {size:,} requests{beside}")
        longest, tries, failed = [], 0, 0
        for _ in range(bench.rounds):
            store = fresh(bench) / "store.db"
            with onlooker.beside(watch, store, config) as seen:
                replayed(bench, requests, store)
            longest.append(max(seen, default=0.0))
            tries += len(seen)
            failed += seen.failed
        note = f"{tries:,} times" + (f", {failed:,} gave up" if failed else "")
        row = f"longest {what}{beside}"
        yield Row(5, row, "s", Spread.of(longest), None, 0.5, size >= MANY, note)
