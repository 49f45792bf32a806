"""Thousands of random worlds, asked of the program and of the reference model.

IDSYNC_WORLDS says how many; a world that they disagree about is made small and written down.
"""

import json
import os
import random
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path

import pytest

from idsync_cli.check.run import check
from idsync_cli.core.codes import ErrorCode, NoteCode, Reason, Rule, Status, TierOutcome
from idsync_cli.files.config_file import load
from idsync_cli.files.scenario_file import read_scenarios
from tests.comparison import (
    Json,
    Run,
    first_difference,
    lines_of,
    model_answers,
    organization,
    plain,
    program_answers,
)
from tests.many import many
from tests.shrinking import Fault, report, shrunk, step_of, write
from tests.worlds import World, answered_world

WORLDS = int(os.environ.get("IDSYNC_WORLDS", "4000"))
BATCHES = 24
FOR_THE_SOURCES = 2
"""So many of the batches are asked of the sources, too, where idsync is compiled."""

CHUNK_SIZES = (1, 2, 7, 1000)
CROWD_EVERY = 60


def world_of(number: int) -> World:
    return answered_world_of(number)[0]


def answered_world_of(number: int) -> tuple[World, Run]:
    """A world, and what the model said of its lines while it was made."""
    crowd = number % CROWD_EVERY == 0
    world, answers, profiles = answered_world(random.Random(number), crowd)
    return world, ([plain(answer) for answer in answers], profiles)


def is_one_by_one(number: int) -> bool:
    return number % 5 == 4


def fault_of(number: int) -> partial[str | None]:
    """Every fifth world is asked one by one, the others in chunks of one of the sizes.

    Of half the worlds no explanation is asked for.
    """
    explain = number // 5 % 2 == 0
    if is_one_by_one(number):
        return partial(first_difference, one_shot=True, explain=explain)
    return partial(first_difference, chunk_size=CHUNK_SIZES[number % 5], explain=explain)


@pytest.mark.parametrize("batch", many(range(BATCHES), FOR_THE_SOURCES))
def test_program_and_model_agree_about_random_worlds(batch: int, tmp_path: Path) -> None:
    for number in range(batch, WORLDS, BATCHES):
        (world, model), fault = answered_world_of(number), fault_of(number)
        found = fault(world) if is_one_by_one(number) else fault(world, model=model)
        if found:
            report(world, fault, found, tmp_path, f"world-{number}")


def test_what_the_model_says_while_a_world_is_made_it_says_of_the_world() -> None:
    for number in range(0, 60, 6):
        world, said = answered_world_of(number)
        assert json.dumps(said) == json.dumps(model_answers(world))


def test_the_worlds_come_upon_every_rule_reason_outcome_note_and_error() -> None:
    """A world that never meets a rule cannot tell whether the program keeps it."""
    seen: set[str] = set()
    for number in range(1, 400):
        if number % CROWD_EVERY:
            answers, _ = model_answers(world_of(number))
            seen.update(*map(codes_of, answers))
    codes = [*Rule, *Status, *Reason, *TierOutcome, *NoteCode, *ErrorCode]
    assert [str(code) for code in codes if code not in seen] == []


def codes_of(answer: Json) -> list[str]:
    found = [answer["status"], *answer.get("errors", ())]
    if "decided_by" in answer:
        found += [answer["decided_by"]["rule"], *(note["code"] for note in answer["notes"])]
        for tier in answer["tiers"]:
            found += [tier["outcome"], *tier["ineligible"]]
    return found


def test_the_worlds_have_crowds_and_changes_of_the_configuration() -> None:
    worlds = [world_of(number) for number in range(0, 3 * CROWD_EVERY, 3)]
    assert any(world.later_scopes for world in worlds)
    assert any(len(world.scopes) == 2 for world in worlds)
    crowd = model_answers(world_of(0))[0]
    held_by = [tier["held_by"] or 0 for each in crowd for tier in each.get("tiers", ())]
    assert max(held_by) > 100


# ---- What becomes of a world that they disagree about


def with_conflicts_turned_around(scopes: dict[str, Json]) -> dict[str, Json]:
    """The rules of a program that joins where it should separate, and the reverse."""
    turned = {"join": "separate", "separate": "join"}
    return {
        name: scope
        | {"on_conflicting_login": turned[scope.get("on_conflicting_login", "separate")]}
        for name, scope in scopes.items()
    }


def wrong_program(
    world: World, *, chunk_size: int = 7, one_shot: bool = False, explain: bool = True
) -> Run:
    later = world.later_scopes and with_conflicts_turned_around(world.later_scopes)
    turned = replace(
        world, scopes=with_conflicts_turned_around(world.scopes), later_scopes=later or None
    )
    return program_answers(turned, chunk_size=chunk_size, one_shot=one_shot, explain=explain)


def program_that_never_looks_again(
    world: World, *, chunk_size: int = 7, one_shot: bool = False, explain: bool = True
) -> Run:
    """It passes over that the configuration changed."""
    unchanged = replace(world, later_scopes=None, change_at=None)
    answers, _ = program_answers(
        unchanged, chunk_size=chunk_size, one_shot=one_shot, explain=explain
    )
    return answers, model_answers(world, one_shot=one_shot)[1]


wrong = partial(first_difference, program=wrong_program)
blind = partial(first_difference, program=program_that_never_looks_again)


def worlds_with(fault: Fault, many: int) -> list[World]:
    numbers = (number for number in range(1, 1000) if number % CROWD_EVERY)
    worlds = (world_of(number) for number in numbers)
    return list(islice((world for world in worlds if fault(world)), many))


@pytest.mark.parametrize("fault", [wrong, blind], ids=["wrong", "blind"])
def test_a_world_is_made_so_small_that_nothing_more_can_be_left_out(fault: Fault) -> None:
    for world in worlds_with(fault, 3):
        small = shrunk(world, fault)
        assert fault(small)
        assert 1 <= len(small.requests) <= 5 < len(world.requests)
        for place, request in enumerate(small.requests):
            others = small.requests[:place] + small.requests[place + 1 :]
            change_at = small.change_at and small.change_at - (place < small.change_at)
            assert fault(replace(small, requests=others, change_at=change_at)) is None
            assert isinstance(request, dict)
            assert request.keys() <= {"type", "mpid", "label"} | FORMS | SCOPE | OF_BATCHES


FORMS = {"known_identities", "identity_changes"}
SCOPE = {"scope", "workspace"}
OF_BATCHES = {"user_identities", "device_info"}


def test_a_small_world_is_written_as_a_scenario_that_the_right_program_passes(
    tmp_path: Path,
) -> None:
    """And that the wrong one fails: the scenario holds what the two disagree about."""
    for place, world in enumerate(worlds_with(wrong, 5)):
        small = shrunk(world, wrong)
        path, config = write(small, tmp_path, f"found-{place}")
        [scenario] = read_scenarios(path)
        assert len(scenario.steps) == len(small.requests)
        assert all(step.expect for step in scenario.steps)
        assert check(scenario).mismatches == ()
        rules = organization(with_conflicts_turned_around(small.scopes), small.workspaces)
        assert not check(replace(scenario, organization=rules)).passed
        assert load(config).organization == scenario.organization


def test_every_request_that_a_scenario_can_say_stands_in_it_as_it_was(tmp_path: Path) -> None:
    """Whole worlds, made of the requests that scenarios have words for, pass as scenarios."""
    steps = 0
    for number in range(1, 120, 3):
        world = replace(world_of(number), seed=0, later_scopes=None, change_at=None)
        can_be_said = [request for request in world.requests if step_of(request)]
        path, _ = write(replace(world, requests=can_be_said), tmp_path, f"world-{number}")
        [scenario] = read_scenarios(path)
        assert check(scenario).mismatches == ()
        assert [step.kind for step in scenario.steps] == [
            request["type"] for request in can_be_said if isinstance(request, dict)
        ]
        steps += len(scenario.steps)
    assert steps > 400


def test_a_world_that_no_scenario_can_say_is_written_as_configurations_and_requests(
    tmp_path: Path,
) -> None:
    [world] = worlds_with(blind, 1)
    small = shrunk(world, blind)
    paths = write(small, tmp_path, "found")
    config, requests, later, later_requests, expected = paths
    lines = requests.read_bytes() + later_requests.read_bytes()
    assert lines == lines_of(small.requests)
    assert load(config).organization == organization(small.scopes, small.workspaces)
    assert small.later_scopes is not None
    assert load(later).organization == organization(small.later_scopes, small.workspaces)
    assert expected.read_bytes() == lines_of(list(model_answers(small)[0]))


def test_a_failing_test_names_the_request_and_the_files(tmp_path: Path) -> None:
    [world] = worlds_with(wrong, 1)
    found = wrong(world)
    assert found is not None
    folder = tmp_path / "failures"
    with pytest.raises(pytest.fail.Exception) as failure:
        report(world, wrong, found, folder, "world-7")
    said = str(failure.value)
    assert "world-7: request" in said
    assert str(folder / "world-7.yaml") in said
    assert f"of {len(world.requests)} requests are left" in said
    assert len(read_scenarios(folder / "world-7.yaml")) == 1
