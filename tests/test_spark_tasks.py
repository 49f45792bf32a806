"""A replay in tasks and windows comes to what a serial one does, byte for byte (section 13)."""

import os
import random
from functools import lru_cache

import pytest

from idsync_cli.spark import task
from idsync_cli.spark.rows import RowKind, TaskRow
from idsync_cli.spark.rules import rules_of
from idsync_cli.spark.windows import may_be_halved
from idsync_cli.store import sqlite
from idsync_cli.store.sqlite.cache import working_set
from idsync_cli.store.sqlite.rows.batch import Rows, RowWriter
from tests.comparison import lines_of, organization
from tests.in_tasks import InTasks, Job, Result, serially
from tests.many import many
from tests.test_names_asked import sparse_world
from tests.worlds import World, random_world

WORLDS = range(int(os.environ.get("IDSYNC_SPARK_WORLDS", "1000")))
_OF_THE_SOURCES = 16


def jobs_of(world: World) -> list[Job]:
    """A world as jobs: one for the rules of each part, in one file or two."""
    rng = random.Random(f"jobs {world.seed}")
    parts = [(world.scopes, world.requests)]
    if world.later_scopes:
        parts = [
            (world.scopes, world.requests[: world.change_at]),
            (world.later_scopes, world.requests[world.change_at :]),
        ]
    jobs = []
    for scopes, requests in parts:
        lines = lines_of([each for each in requests if not _erases(each)]).split(b"\n")
        cut = rng.choice([0, 0, len(lines) // 3])
        files = [lines[:cut], lines[cut:]] if cut else [lines]
        jobs.append(Job(organization(scopes, world.workspaces), files))
    return jobs


def _erases(request: object) -> bool:
    return isinstance(request, dict) and request.get("type") == "erase"


def tasks_of(number: int) -> InTasks:
    """What spreads a world over 1 to 50 tasks, in windows of about 1 to 6 to a world."""
    world = of_world(number)
    rng = random.Random(f"tasks {number}")
    size = max(1, len(world.requests) // rng.randint(1, 6))
    return InTasks(world.seed, lambda: rng.randint(1, size * 2), rng.randint(1, 50), rng)


@lru_cache
def of_world(number: int) -> World:
    if number % 2:
        return sparse_world(number)
    return random_world(random.Random(f"tasks {number}"), crowd=number % 4 == 0)


def in_one(world: World) -> Result:
    with sqlite.temporary(world.seed) as store:
        return serially(store, jobs_of(world))


def test_there_is_something_to_spread() -> None:
    """Of the worlds of strangers, some have several components that matter."""
    several = 0
    for number in range(1, 25, 2):
        its = tasks_of(number)
        its.run(jobs_of(of_world(number)))
        several += sum(size > 2 for size in its.sizes) > 4
    assert several >= 2


@pytest.mark.parametrize("number", many(WORLDS, _OF_THE_SOURCES))
def test_tasks_and_windows_come_to_what_one_store_does(number: int) -> None:
    world = of_world(number)
    found, expected = tasks_of(number).run(jobs_of(world)), in_one(world)
    assert found.answers == expected.answers
    assert found.history == expected.history
    assert found.export == expected.export
    assert found.hidden == expected.hidden


@pytest.mark.parametrize("remembered", [4, 300_000])
@pytest.mark.parametrize("number", [*WORLDS][:6])
def test_tasks_come_to_the_same_whatever_memory_has_room_for(
    number: int, remembered: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(task, "LINES_AT_ONCE", 3)
    monkeypatch.setattr(task, "LINES_WITH_DATA", 4)
    monkeypatch.setattr(task, "LINES_IN_MEMORY", 5)
    monkeypatch.setattr(working_set, "_REMEMBERED", remembered)
    world = of_world(number)
    assert tasks_of(number).run(jobs_of(world)) == in_one(world)


def test_a_task_writes_nothing_that_memory_has_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[Rows] = []
    write = RowWriter.write

    def watched(self: RowWriter, rows: Rows, seed: str) -> None:
        written.append(rows)
        write(self, rows, seed)

    monkeypatch.setattr(RowWriter, "write", watched)
    scope = {"strategy": "profile_conversion", "priority": ["email", "ios_idfv"]}
    rules = rules_of(organization({"here": scope}, {}))
    data = b'{"type": "identify", "known_identities": {"ios_idfv": "%d"}}'
    lines = [TaskRow(RowKind.LINE, seq, data % (seq % 3)) for seq in range(1, 8)]
    found = [*task.run(task.TaskWork(rules, 1, 0, 0), lines)]
    assert len(found) == 7 + 3 * 2  # each profile has times, too
    assert not written
    monkeypatch.setattr(task, "LINES_IN_MEMORY", 6)
    assert [*task.run(task.TaskWork(rules, 1, 0, 0), lines)] == found
    assert written


@pytest.mark.parametrize("number", [2, 3])
def test_a_task_that_is_done_again_says_the_same(number: int) -> None:
    its = tasks_of(number)
    its.again = True
    its.run(jobs_of(of_world(number)))


def test_windows_are_halved_as_long_as_it_helps() -> None:
    assert may_be_halved(1_000_000, 0.9, None, 0.25)
    assert may_be_halved(500_000, 0.6, 0.9, 0.25)
    assert not may_be_halved(500_000, 0.85, 0.9, 0.25)
    assert not may_be_halved(500_000, 0.2, 0.9, 0.25)
    assert not may_be_halved(100_000, 0.9, None, 0.25)
