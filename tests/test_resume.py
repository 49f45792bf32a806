"""A replay that is killed and resumed gives what one that ran through gives, byte for byte."""

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.faults import timeless
from tests.worlds import World, config_yaml, random_world

KILLS = int(os.environ.get("IDSYNC_KILLS", "5"))
"""How often each of the three signals ends the replay."""


def _world() -> World:
    """A world without a change of configuration, whose lines name labels set long before."""
    rng = random.Random(20261122)
    while True:
        world = random_world(rng, crowd=True)
        if world.later_scopes is None:
            return world


def _prepare(folder: Path, world: World) -> None:
    (folder / "idsync.yaml").write_text(config_yaml(world.scopes, world.workspaces))
    lines = [json.dumps(request) for request in world.requests] * 10
    (folder / "requests.jsonl").write_text("\n".join(lines) + "\n")


def _start(folder: Path, *options: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "idsync_cli", "replay", "requests.jsonl", "--seed", "7"]
    command += ["--output", "answers.jsonl", "--chunk-size", "2", "--quiet", *options]
    return subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE)


def _finish(folder: Path, *options: str) -> None:
    process = _start(folder, *options)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 1, errors  # some lines are refused, and that is all


def _wait_for(process: subprocess.Popen[bytes], folder: Path, length: float) -> None:
    """Wait until so much of the answers is written, or the process is over."""
    answers = folder / "answers.jsonl"
    while process.poll() is None and not (answers.exists() and answers.stat().st_size >= length):
        time.sleep(0.001)


def _history(folder: Path) -> list[object]:
    with sqlite3.connect(folder / "idsync.db") as connection:
        requests = connection.execute(
            "SELECT seq, type, mpid, status, rule, identity_type FROM requests"
            " JOIN outcomes USING (outcome_id) JOIN profiles USING (created_seq) ORDER BY seq"
        )
        changes = connection.execute(
            "SELECT seq, place, op, mpid, identity_type_id, value FROM changes"
            " JOIN profiles USING (created_seq) JOIN identifiers USING (identifier_id)"
            " ORDER BY seq, place"
        )
        return [*requests, *changes]


def _export(folder: Path) -> bytes:
    command = [sys.executable, "-m", "idsync_cli", "export"]
    return timeless(subprocess.run(command, cwd=folder, capture_output=True, check=True).stdout)


def _answers(folder: Path) -> bytes:
    return timeless((folder / "answers.jsonl").read_bytes())


@pytest.mark.parametrize(
    "killed_by", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT], ids=lambda each: each.name
)
def test_killed_at_random_moments_and_resumed_it_is_as_if_it_ran_through(
    tmp_path: Path, killed_by: signal.Signals
) -> None:
    rng = random.Random(killed_by)
    world = _world()
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    for folder in (whole, broken):
        folder.mkdir()
        _prepare(folder, world)
    _finish(whole)
    length = (whole / "answers.jsonl").stat().st_size
    for number in range(KILLS):
        process = _start(broken, "--resume")
        _wait_for(process, broken, length * (number + rng.random()) / (KILLS + 1))
        process.send_signal(killed_by)
        process.communicate(timeout=60)
        assert process.returncode in (-killed_by, 128 + killed_by)
    _start(broken, "--resume").communicate(timeout=120)
    assert _answers(broken) == _answers(whole)
    assert _export(broken) == _export(whole)
    assert _history(broken) == _history(whole)


def _slow_replay(folder: Path) -> subprocess.Popen[bytes]:
    process = _start(folder)
    _wait_for(process, folder, 20_000)
    return process


def test_a_replay_that_is_going_on_is_not_disturbed_by_another_that_would_resume_it(
    tmp_path: Path,
) -> None:
    world = _world()
    whole, shared = tmp_path / "whole", tmp_path / "shared"
    for folder in (whole, shared):
        folder.mkdir()
        _prepare(folder, world)
    _finish(whole)
    first = _slow_replay(shared)
    second = _start(shared, "--resume")
    for process in (first, second):
        process.communicate(timeout=120)
        assert process.returncode in (0, 1, 2)
    _start(shared, "--resume").communicate(timeout=120)
    assert _answers(shared) == _answers(whole)
    assert _export(shared) == _export(whole)


def test_answers_are_never_written_behind_those_of_another_replay(tmp_path: Path) -> None:
    world = _world()
    _prepare(tmp_path, world)
    process = _slow_replay(tmp_path)
    process.kill()
    process.communicate()
    answers = tmp_path / "answers.jsonl"
    foreign = b"x" * (answers.stat().st_size + 10_000)
    answers.write_bytes(foreign)
    process = _start(tmp_path, "--resume")
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 2
    assert b"does not begin with the answers" in errors
    assert answers.read_bytes() == foreign
    answers.unlink()
    process = _start(tmp_path, "--resume")
    _, errors = process.communicate(timeout=60)
    assert b"does not exist" in errors
    assert not answers.exists()
