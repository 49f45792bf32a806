"""Make a world in which something is wrong as small as can be, and write it down for people."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests import reference_model
from tests.comparison import lines_of, model_answers
from tests.reference_model import CANONICAL, Json, mpid_of
from tests.worlds import World, config_yaml

Fault = Callable[[World], str | None]
"""Says what is wrong with a world, or None."""

MOST_ATTEMPTS = 2000
"""How many smaller worlds are tried at most."""


def report(world: World, fault: Fault, found: str, folder: Path, name: str) -> None:
    """Fail a test for a world: make it small, write it down, and say where it is."""
    small = shrunk(world, fault)
    paths = write(small, folder, name)
    pytest.fail(
        f"{name}: {fault(small) or found}\n"
        f"{len(small.requests)} of {len(world.requests)} requests are left, written to\n  "
        + "\n  ".join(map(str, paths))
    )


def shrunk(world: World, fault: Fault) -> World:
    """A world with a fault that is gone if anything more is left out of it."""
    attempts = 0
    found = True
    while found:
        found = False
        for smaller in _smaller(world):
            attempts += 1
            if attempts > MOST_ATTEMPTS:
                return world
            if fault(smaller):
                world, found = smaller, True
                break
    return world


def _smaller(world: World) -> Iterator[World]:
    """Worlds with something left out, those that leave out most first."""
    if world.later_scopes:
        yield replace(world, later_scopes=None, change_at=None)
        yield replace(world, scopes=world.later_scopes, later_scopes=None, change_at=None)
    if world.seed != 0:
        yield _renumbered(replace(world, seed=0), world, range(len(world.requests)))
    size = len(world.requests)
    while size := size // 2:
        for start in range(0, len(world.requests), size):
            yield _without(world, range(start, min(start + size, len(world.requests))))
    for place, request in enumerate(world.requests):
        for shorter in _shorter(request):
            requests = [*world.requests[:place], shorter, *world.requests[place + 1 :]]
            yield replace(world, requests=requests)


def _without(world: World, gone: range) -> World:
    kept = [place for place in range(len(world.requests)) if place not in gone]
    change_at = world.change_at
    if change_at is not None:
        change_at = sum(place < change_at for place in kept)
    return _renumbered(replace(world, change_at=change_at), world, kept)


def _renumbered(smaller: World, world: World, kept: list[int] | range) -> World:
    """The requests that are kept, naming the MPIDs that the profiles they mean have then."""
    moved = {
        mpid_of(world.seed, old + 1): mpid_of(smaller.seed, new + 1) for new, old in enumerate(kept)
    }
    requests = [_renamed(world.requests[old], moved) for old in kept]
    return replace(smaller, requests=requests)


def _renamed(request: object, moved: Mapping[int, int]) -> object:
    if not isinstance(request, dict):
        return request
    renamed = dict(request)
    for member in ("mpid", "previous_mpid", "source_mpid", "destination_mpid"):
        value = renamed.get(member)
        for old, new in moved.items():
            if value in (old, str(old)):
                renamed[member] = new if isinstance(value, int) else str(new)
    return renamed


def _shorter(request: object) -> Iterator[object]:
    """The request without one of its members, identifiers or changes."""
    if not isinstance(request, dict):
        return
    for name, value in request.items():
        if name != "type":
            yield {other: each for other, each in request.items() if other != name}
        if name == "known_identities" and isinstance(value, dict) and len(value) > 1:
            for gone in value:
                kept = {other: each for other, each in value.items() if other != gone}
                yield request | {name: kept}
        if name == "identity_changes" and isinstance(value, list) and len(value) > 1:
            for place in range(len(value)):
                yield request | {name: value[:place] + value[place + 1 :]}


# ---- Writing


def write(world: World, folder: Path, name: str) -> list[Path]:
    """Write a world as a scenario that expects the model's answers.

    What no scenario can say (a change of the configuration, lines that are no requests) is written
    as configurations and files of requests, to be replayed one after another.
    """
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / f"{name}.config.yaml"
    config.write_text(config_yaml(world.scopes, world.workspaces), encoding="utf-8")
    steps = [step_of(request) for request in world.requests]
    if world.later_scopes is None and world.seed == 0 and None not in steps:
        scenario = folder / f"{name}.yaml"
        scenario.write_text(_scenario(world, config.name, steps), encoding="utf-8")
        return [scenario, config]
    change_at = len(world.requests) if world.change_at is None else world.change_at
    paths = [config, _lines(folder / f"{name}.jsonl", world.requests[:change_at])]
    if world.later_scopes is not None:
        later = folder / f"{name}.later.config.yaml"
        later.write_text(config_yaml(world.later_scopes, world.workspaces), encoding="utf-8")
        paths += [later, _lines(folder / f"{name}.later.jsonl", world.requests[change_at:])]
    answers, _ = model_answers(world)
    return [*paths, _lines(folder / f"{name}.expected.jsonl", list(answers))]


def _lines(path: Path, values: list[object]) -> Path:
    path.write_bytes(lines_of(values))
    return path


def _scenario(world: World, config: str, steps: list[Json | None]) -> str:
    answers, profiles = model_answers(world)
    told = [
        f"  - {_yaml((step or {}) | {'expect': _expect(answer)})}"
        for step, answer in zip(steps, answers, strict=True)
    ]
    its = [line for line in profiles if "identities" in line]
    held = [f"  {_yaml(line['mpid'])}: {_yaml(line['identities'])}" for line in its]
    return "\n".join(
        [
            "name: where program and model disagree",
            f"config: {config}",
            "steps:",
            *told,
            *(["profiles:", *held] if held else []),
            "",
        ]
    )


def _yaml(value: object) -> str:
    """JSON, which is YAML with all text quoted, but for characters behind the first 65,536."""
    return json.dumps(value, ensure_ascii=False)


_MEMBERS = {"type", "scope", "workspace", "mpid", "identity_changes"}


def step_of(request: object) -> Json | None:
    """A request as the step of a scenario; None where none can say it."""
    if not isinstance(request, dict):
        return None
    given = {name: value for name, value in request.items() if value is not None}
    kind = given.get("type")
    if kind in ("batch", "alias"):
        return _whole_line(request, str(kind))
    identities = given.get("known_identities", {})
    members = set(given) - {"known_identities", "label", "previous_mpid"}
    if not (
        kind in ("identify", "login", "logout", "search", "modify", "erase")
        and members <= _MEMBERS
        and request.keys() <= reference_model._MEMBERS.keys()  # null or not
        and isinstance(identities, dict)
        and not _MEMBERS & set(identities)
        and isinstance(given.get("label", ""), str)
        and (identities or "known_identities" not in given or kind != "modify")
        and all(_is_text(given[name], name) for name in given)
    ):
        return None
    if kind == "modify" and "known_identities" not in given and "identity_changes" not in given:
        return None
    if kind == "erase" and ("mpid" in given) == ("known_identities" in given):
        return None
    body = {name: given[name] for name in given if name in members - {"type"}}
    extras = {"label": "as", "previous_mpid": "previous_mpid"}
    return {kind: body | identities} | {
        key: given[name] for name, key in extras.items() if name in given
    }


def _whole_line(request: Json, kind: str) -> Json | None:
    """A step that is written as the line; a label only where it is one, for that is the `as`."""
    label = request.get("label")
    line = {name: value for name, value in request.items() if name not in ("type", "label")}
    if not (label is None or isinstance(label, str)) or not _can_be_written(request):
        return None
    return {kind: line} | ({} if label is None else {"as": label})


def _can_be_written(value: object) -> bool:
    """Whether YAML can say it at all: no lone surrogates."""
    if isinstance(value, dict):
        return all(map(_can_be_written, [*value, *value.values()]))
    if isinstance(value, list):
        return all(map(_can_be_written, value))
    return not isinstance(value, str) or _is_text(value, "")


def _is_text(value: Any, name: str) -> bool:
    """Whether YAML says the same; it takes scalars as text, and an MPID may be a number."""
    if isinstance(value, dict):
        return all(_is_text(each, "") for each in (*value, *value.values()))
    if isinstance(value, list):
        return all(_is_text(each, "") for each in value)
    if isinstance(value, str):
        return not any("\ud800" <= each <= "\udfff" for each in value)
    is_number = isinstance(value, int) and name in ("mpid", "previous_mpid")
    return is_number or value is None or isinstance(value, bool)


def _expect(answer: Json) -> Json:
    """What a scenario can expect of an answer."""
    if "errors" in answer:
        return {"status": "error", "error": answer["errors"][0]}
    if "decided_by" not in answer:
        members = ("status", "mpid", "events")
        return {name: answer[name] for name in members if name in answer}
    decided_by = answer["decided_by"]
    kept = ["status", "mpid", "orphaned", "source_mpid", "is_logged_in", "changes"]
    kept += [n for n in ("events", "attributes_set", "attributes_deleted") if n in answer]
    return {name: answer[name] for name in kept} | {
        "decided_by": decided_by.get("identity_type", decided_by["rule"]),
        "matched": list(answer["matched_identities"]),
        "notes": [note["code"] for note in answer["notes"]],
    }


assert not _MEMBERS & set(CANONICAL)
