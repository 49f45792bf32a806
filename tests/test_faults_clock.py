"""The clock set back, between commands and between the parts of a replay: the same answers."""

import os
import sys
from pathlib import Path

import pytest

from tests.faults import day, export, history, text
from tests.program import CONFIG, Outcome, Program

_CLOCK = """
import os, time
back = int(os.environ["CLOCK_SET_BACK"])
for name, unit in (("time", 1), ("time_ns", 10**9)):
    setattr(time, name, lambda real=getattr(time, name), unit=unit: real() - back * unit)
"""
"""A module that every Python loads as it starts: it sets the clock back by some seconds."""

DAY = 86_400
HELD = {"customer_id": "C", "idfv": "phone 1", "email": "a"}


@pytest.fixture(name="pair")
def two_programs(tmp_path: Path) -> tuple[Program, Program]:
    """Two folders with the same configuration and the same day."""
    programs = Program(tmp_path / "steady"), Program(tmp_path / "back")
    for program in programs:
        program.write("idsync.yaml", CONFIG)
        program.write("day.jsonl", text(day(400)))
        program.write("clock/sitecustomize.py", _CLOCK)
    return programs


def run(program: Program, *arguments: str, back: int = 0) -> Outcome:
    path = os.pathsep.join([str(program.folder / "clock"), *filter(None, sys.path)])
    return program.process(
        *arguments, environment={"PYTHONPATH": path, "CLOCK_SET_BACK": str(back)}
    )


def times(program: Program) -> list[str]:
    shown = run(program, "history", "--identity", "idfv=phone 1", "--json").lines()
    return [line["time"] for line in shown]


def test_commands_answer_the_same_with_the_clock_set_back(pair: tuple[Program, Program]) -> None:
    commands = [
        ("init", "--seed", "1"),
        ("identify", "--idfv", "phone 1", "--json"),
        ("login", "--customer-id", "C", "--idfv", "phone 1", "--json"),
        ("identify", "--idfv", "phone 1", "--email", "a", "--json"),
        ("login", "--customer-id", "C", "--email", "a", "--json"),
        ("logout", "--idfv", "phone 1", "--json"),
        ("whois", "email=a", "--json"),
        ("export",),
    ]
    steady, back = pair
    for number, command in enumerate(commands):
        expected, found = run(steady, *command), run(back, *command, back=number * DAY)
        assert expected.status == 0, expected
        assert found == expected
    assert history(back) == history(steady)
    assert export(back) == export(steady)


def test_a_replay_goes_on_the_same_with_the_clock_set_back(pair: tuple[Program, Program]) -> None:
    steady, back = pair
    lines = text(day(400)).splitlines(keepends=True)
    options = ("--seed", "1", "--chunk-size", "30", "--output", "answers.jsonl", "--quiet")
    back.write("day.jsonl", "".join([*lines[:200], "{}\n"]))
    assert run(back, "replay", "day.jsonl", *options, "--stop-on-error").status == 1
    back.write("day.jsonl", "".join(lines))
    resumed = run(back, "replay", "day.jsonl", *options, "--resume", back=400 * DAY)
    assert (resumed.status, resumed.stderr) == (0, "")
    assert run(steady, "replay", "day.jsonl", *options).status == 0
    answers = [(each.folder / "answers.jsonl").read_bytes() for each in pair]
    assert answers[0] == answers[1]
    assert export(back) == export(steady)
    assert history(back) == history(steady)
