"""Goal 13: event batches, against requests without events, and profiles with many events."""

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

from benchmarks import workload
from benchmarks.calls import compared
from benchmarks.measure import Bench, Numbered, Row, Run, Side, Spread, in_turns
from benchmarks.stores import engine_on, fresh, imported, replayed, requests_of, written
from idsync_cli.core.codes import Status
from idsync_cli.engine.engine import Engine

AS_STATED = 100_000
AN_EVENT, WITH_ID, MORE = 1.6, 1.8, 1.5


def replaying(bench: Bench) -> Iterator[Row]:
    """The processor time of a file of batches of one event, against the same requests."""
    size = bench.sizes.watched
    bench.say(f"goal 13: {size:,} batches")
    files = {"plain": bench.folder / "plain.jsonl", "an event": bench.folder / "batches.jsonl"}
    files["with ID"] = bench.folder / "with-ids.jsonl"
    requests_of(bench, size).replace(files["plain"])
    workload.write_requests(files["an event"], workload.with_events(size))
    workload.write_requests(files["with ID"], workload.with_events(size, with_ids=True))

    plain, *others = [
        Spread.of(each.processor_seconds for each in runs)
        for runs in in_turns(bench.rounds, *[_replaying(bench, each) for each in files.values()])
    ]
    for what, found, most in zip(("", " with IDs"), others, (AN_EVENT, WITH_ID), strict=True):
        name = f"replay {size:,} batches{what}, to requests"
        yield Row(13, name, "s", found, plain, most, size >= AS_STATED, "processor time")
    for file in files.values():
        file.unlink()


def _replaying(bench: Bench, file: Path) -> Numbered[Run]:
    return lambda _: replayed(bench, file, fresh(bench) / "store.db")


def gathered(bench: Bench) -> Iterator[Row]:
    """One more event for a profile that has many, against one that has none."""
    size = bench.sizes.gathered_events
    bench.say(f"goal 13: {size:,} events")
    config = written(bench)
    many = bench.rounds * bench.sizes.calls + 1
    fresh_ones = ({"customer_id": [f"fresh-{each}"]} for each in range(many))
    store = imported(bench, config, [{"customer_id": ["many"]}, *fresh_ones])
    lines = bench.folder / "events.jsonl"
    workload.write_requests(lines, (_batch("many", number) for number in range(size)))
    replayed(bench, lines, store)
    lines.unlink()
    with engine_on(store, config) as engine:
        numbers, others = count(size), count()
        to_many = _bringing(engine, lambda: _batch("many", next(numbers)))
        to_fresh = _bringing(engine, lambda: _batch(f"fresh-{next(others)}", next(numbers)))
        what = f"one more event, {size:,} to 0"
        yield compared(bench, 13, what, MORE, size >= AS_STATED, to_many, to_fresh)


def _bringing(engine: Engine, batch: Callable[[], dict[str, object]]) -> Side:
    """A call that brings an event to a profile that is there."""

    def bring() -> None:
        found = engine.one_shot(batch()).status
        if found != Status.MATCHED:
            raise RuntimeError(f"a batch was answered with {found}")

    return bring


def _batch(customer: str, number: int) -> dict[str, object]:
    event = workload.event(number)
    return {"type": "batch", "user_identities": {"customer_id": customer}, "events": [event]}
