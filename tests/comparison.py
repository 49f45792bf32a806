"""Ask the same world of the program and of the reference model, field by field."""

import json
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from idsync_cli import config_file, store, wire
from idsync_cli.core.rules import Organization
from idsync_cli.engine import Engine
from idsync_cli.replay import read_requests, replay
from idsync_cli.store import Store
from tests.reference_model import Model
from tests.worlds import World, config_yaml

Json = dict[str, Any]


def organization(scopes: dict[str, Json], workspaces: dict[str, str]) -> Organization:
    """The rules of a world, read as a configuration file."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "idsync.yaml"
        path.write_text(config_yaml(scopes, workspaces), encoding="utf-8")
        return config_file.load(path).organization


def lines_of(world: World) -> bytes:
    """The requests of a world as a file of JSON lines."""
    return b"".join(json.dumps(request).encode() + b"\n" for request in world.requests)


def model_answers(world: World, *, one_shot: bool = False) -> tuple[list[Json], list[Json]]:
    """The answers and the export of the reference model."""
    model = Model(world.scopes, world.seed, world.workspaces)
    answers = []
    for index, request in enumerate(world.requests):
        if world.later_scopes and index == world.change_at:
            model.reconfigure(world.later_scopes)
        line = None if one_shot else index + 1
        answers.append(plain(model.answer(request, line=line, explain=True)))
    return answers, model.export()


def program_answers(
    world: World, *, chunk_size: int, one_shot: bool = False
) -> tuple[list[Json], list[Json]]:
    """The answers and the export of the program, over a store of its own."""
    with store.memory(world.seed) as storage:
        answers = [
            plain(wire.answer_json(answer, explain=True))
            for answer in _answers(world, storage, chunk_size, one_shot=one_shot)
        ]
        rules = organization(world.later_scopes or world.scopes, world.workspaces)
        return answers, exported(storage, rules)


def exported(storage: Store, rules: Organization) -> list[Json]:
    """The profile lines of a store."""
    with storage.reading() as session:
        return [
            wire.profile_json(profile, scope, rules.scopes.get(scope))
            for scope, profile in session.profiles()
        ]


def _answers(world: World, storage: Store, chunk_size: int, *, one_shot: bool) -> Iterator[Any]:
    change_at = len(world.requests) if world.change_at is None else world.change_at
    requests = list(read_requests(_stream(lines_of(world))))
    labels: dict[str, int] = {}
    for scopes, part in (
        (world.scopes, requests[:change_at]),
        (world.later_scopes or world.scopes, requests[change_at:]),
    ):
        engine = Engine(organization(scopes, world.workspaces), storage, now=lambda: 0)
        engine.labels = labels
        if one_shot:
            yield from (engine.one_shot(each.request) for each in part)
        else:
            for answers in replay(engine, part, chunk_size=chunk_size):
                yield from answers


def _stream(data: bytes) -> Any:
    from io import BytesIO

    return BytesIO(data)


def plain(answer: Json) -> Json:
    """An answer without its sentences, which are nobody's contract."""
    kept = dict(answer)
    if "errors" in kept:
        kept["errors"] = [error["code"] for error in kept["errors"]]
    if "notes" in kept:
        kept["notes"] = [[note["code"], note["identity_type"]] for note in kept["notes"]]
    return kept


def first_difference(world: World, *, chunk_size: int = 7, one_shot: bool = False) -> str | None:
    """Where program and model disagree about a world, or None."""
    expected, expected_profiles = model_answers(world, one_shot=one_shot)
    found, profiles = program_answers(world, chunk_size=chunk_size, one_shot=one_shot)
    for index, (wanted, got) in enumerate(zip(expected, found, strict=True)):
        if wanted != got or list(wanted) != list(got):
            return f"request {index + 1} {world.requests[index]}\nmodel   {wanted}\nprogram {got}"
    for wanted, got in zip(expected_profiles, profiles, strict=True):
        if wanted != got:
            return f"profile\nmodel   {wanted}\nprogram {got}"
    return None
