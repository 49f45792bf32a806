"""Ask the same world of the program and of the reference model, field by field."""

import atexit
import json
from collections.abc import Callable, Iterable, Iterator
from functools import cache, lru_cache
from io import BytesIO
from itertools import chain, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from idsync_cli import wire
from idsync_cli.core.config.rules import Organization
from idsync_cli.core.data.values import ProfileData
from idsync_cli.core.decision import Answer
from idsync_cli.core.scoped_profile import scoped
from idsync_cli.engine.engine import Engine
from idsync_cli.files import config_file
from idsync_cli.files.request_file import RequestFile, Source
from idsync_cli.replay.labels import ReplayLabels
from idsync_cli.store import sqlite as store
from idsync_cli.store.api import Store
from idsync_cli.wire.batches import BatchLine
from idsync_cli.wire.lines import PlainLine
from tests.reference_model import Model, without_account
from tests.worlds import World, config_yaml

Json = dict[str, Any]
Run = tuple[list[Json], list[Json]]
"""The answers to a world's requests, and the profile lines at its end."""

Program = Callable[..., Run]
"""Something that answers a world like `program_answers`."""


def organization(scopes: dict[str, Json], workspaces: dict[str, str]) -> Organization:
    """The rules of a world, read as a configuration file."""
    return _organization(config_yaml(scopes, workspaces))


@lru_cache(maxsize=64)
def _organization(configuration: str) -> Organization:
    path = _folder() / "idsync.yaml"
    path.write_text(configuration, encoding="utf-8")
    return config_file.load(path).organization


@cache
def _folder() -> Path:
    """A folder for as long as this process lives."""
    folder = TemporaryDirectory()
    atexit.register(folder.cleanup)
    return Path(folder.name)


def lines_of(requests: list[object]) -> bytes:
    """Requests as a file of JSON lines."""
    return b"".join(json.dumps(request).encode() + b"\n" for request in requests)


def json_of(request: object) -> object:
    """A request that was read from a line, as the JSON value that the line holds."""
    return request.as_json() if isinstance(request, (PlainLine, BatchLine)) else request


def incoming(requests: list[object]) -> list[wire.Incoming]:
    """Requests as a replay reads them; nobody changes what was read."""
    if _LAST_READ[0] is not requests:
        file = RequestFile(Source("world", BytesIO(lines_of(requests))))
        _LAST_READ[:] = requests, wire.LineReader().requests(file.next_lines(len(requests)))
    return list(_LAST_READ[1])


_LAST_READ: list[Any] = [None, None]
"""The requests that were read last, for a world is asked several times, and how they were read."""


def answer_all(
    engine: Engine,
    requests: Iterable[wire.Incoming],
    labels: ReplayLabels | None = None,
    *,
    chunk_size: int,
    block_size: int | None = None,
) -> Iterator[list[Answer]]:
    """Answer requests in batches, each of them read a block at a time."""
    requests = iter(requests)
    labels = ReplayLabels() if labels is None else labels
    while chunk := list(islice(requests, chunk_size)):
        size = block_size or chunk_size
        blocks = [chunk[first : first + size] for first in range(0, len(chunk), size)]
        answers: list[Answer] = []
        labels.begin()
        with engine.writing(trust_new_mpids=True) as transaction:
            engine.answer_blocks(blocks, labels, transaction, answers.extend)
        yield answers


def parts(world: World) -> Iterator[tuple[Organization, list[wire.Incoming]]]:
    """The requests of a world with the rules that hold for them."""
    requests = incoming(world.requests)
    if not world.later_scopes:
        yield organization(world.scopes, world.workspaces), requests
        return
    yield organization(world.scopes, world.workspaces), requests[: world.change_at]
    yield organization(world.later_scopes, world.workspaces), requests[world.change_at :]


def model_answers(world: World, *, one_shot: bool = False) -> Run:
    """The answers and the export of the reference model."""
    model = Model(world.scopes, world.seed, world.workspaces)
    answers = []
    for index, request in enumerate(world.requests):
        if world.later_scopes and index == world.change_at:
            model.reconfigure(world.later_scopes)
        line = None if one_shot else index + 1
        answers.append(plain(model.answer(request, line=line, explain=True)))
    return answers, model.export() + model.data() + model.erasures.lines()


def program_answers(
    world: World, *, chunk_size: int = 7, one_shot: bool = False, explain: bool = True
) -> Run:
    """The answers and the export of the program, over a store of its own."""
    with store.temporary(world.seed) as storage:
        told = answers_in(world, storage, chunk_size, one_shot=one_shot, explain=explain)
        answers = list(map(plain, told))
        rules = organization(world.later_scopes or world.scopes, world.workspaces)
        return answers, exported(storage, rules) + data_in(storage) + erasures_in(storage)


def exported(storage: Store, rules: Organization) -> list[Json]:
    """The profile lines of a store."""
    with storage.reading() as session:
        return [
            wire.profile_json(scoped(profile, scope, rules.scopes.get(scope)))
            for scope, profile in session.profiles(rules.scopes)
        ]


def erasures_in(storage: Store) -> list[Json]:
    """Who was erased from a store, as an export says it, but for the time."""
    with storage.reading() as session:
        lines = [wire.erasure_record_json(each) for each in session.erasures()]
    return [{name: each for name, each in line.items() if name != "time_ms"} for line in lines]


def data_in(storage: Store) -> list[Json]:
    """What each profile of a store has beside its identifiers."""
    with storage.reading() as session:
        mpids = [profile.mpid for _, profile in session.profiles({})]
        return [{"mpid": str(mpid)} | data_json(session.data_of(mpid)) for mpid in mpids]


def data_json(data: ProfileData | None) -> Json:
    assert data is not None
    return {
        "attributes": dict(data.attributes),
        "events": [
            {
                "seq": each.seq,
                "place": each.place,
                "time_ms": each.time_ms,
                "name": each.name,
                "event": json.loads(each.text),
            }
            for each in data.events
        ],
        "devices": [
            {
                "of": each.identifier and [each.identifier.type.value, each.identifier.value],
                "info": each.info,
                "seq": each.seq,
            }
            for each in data.devices
        ],
        "consent_state": data.consent_state,
        "is_opted_out": data.is_opted_out,
        "attribution": data.attribution,
        "first_seen_ms": data.first_seen_ms,
        "last_stored_ms": data.last_stored_ms,
        "status_messages": [each.rpartition(" ")[2] for each in data.status_messages],
    }


def answers_in(
    world: World, storage: Store, chunk_size: int, *, one_shot: bool, explain: bool
) -> Iterator[Json]:
    """The answers to the requests of a world, over a store."""
    labels = ReplayLabels()
    for rules, requests in parts(world):
        engine = Engine(rules, storage, now=lambda: 0, explain=explain)
        if one_shot:
            batches: Iterable[list[Answer]] = (
                [engine.one_shot(each.request, labels, near=True)] for each in requests
            )
        else:
            size = max(1, chunk_size // 2)  # a batch is read ahead in several parts, too
            batches = answer_all(engine, requests, labels, chunk_size=chunk_size, block_size=size)
        for answer in chain.from_iterable(batches):
            value = wire.answer_json(answer, explain=explain)
            line = wire.encode(value) + "\n"
            assert wire.answer_line(answer, explain=explain) == line.encode("ascii")
            yield value


def plain(answer: Json) -> Json:
    """An answer without its sentences, which are nobody's contract, and what no model knows."""
    kept = {name: each for name, each in answer.items() if name not in ("time", "files")}
    kept.pop("shown_by", None)
    if "errors" in kept:
        kept["errors"] = [error["code"] for error in kept["errors"]]
    if "notes" in kept:
        kept["notes"] = [
            {name: each for name, each in note.items() if name != "message"}
            for note in kept["notes"]
        ]
    return kept


def unexplained(answer: Json, *, one_shot: bool) -> Json:
    """What is left of an explained answer of the model without the explanation."""
    kept = without_account(answer)
    if not one_shot:
        kept.pop("near", None)
    return kept


def first_difference(
    world: World,
    *,
    program: Program = program_answers,
    chunk_size: int = 7,
    one_shot: bool = False,
    explain: bool = True,
    model: Run | None = None,
) -> str | None:
    """Where program and model disagree about a world, or None.

    Everything counts, the order of the members of every object, too. `model` is what the model
    says of the world, if it was asked before. Without `explain` the program has to give no account
    of the tiers, and looks up less.
    """
    model = model or model_answers(world, one_shot=one_shot)
    expected, text = _expected(model, one_shot=one_shot, explain=explain)
    expected_profiles = model[1]
    found, profiles = program(world, chunk_size=chunk_size, one_shot=one_shot, explain=explain)
    if text == json.dumps((found, profiles)):
        return None
    for index, (wanted, got) in enumerate(zip(expected, found, strict=True)):
        if json.dumps(wanted) != json.dumps(got):
            request = json.dumps(world.requests[index])
            return f"request {index + 1} {request}\n{_both(wanted, got)}"
    if len(expected_profiles) != len(profiles):
        return f"{len(expected_profiles)} profiles in the model, {len(profiles)} in the program"
    pairs = zip(expected_profiles, profiles, strict=True)
    wanted, got = next(pair for pair in pairs if json.dumps(pair[0]) != json.dumps(pair[1]))
    return f"profile\n{_both(wanted, got)}"


_EXPECTED: dict[tuple[int, bool, bool], tuple[Run, list[Json], str]] = {}


def _expected(model: Run, *, one_shot: bool, explain: bool) -> tuple[list[Json], str]:
    """The answers that are expected, and all that is as JSON; made once for several runs."""
    which = id(model), one_shot, explain
    if which not in _EXPECTED or _EXPECTED[which][0] is not model:
        if len(_EXPECTED) > 8:
            _EXPECTED.clear()
        answers = model[0]
        if not explain:
            answers = [unexplained(each, one_shot=one_shot) for each in answers]
        _EXPECTED[which] = model, answers, json.dumps((answers, model[1]))
    return _EXPECTED[which][1:]


def _both(wanted: Json, got: Json) -> str:
    """What differs, member by member where the members are the same."""
    if list(wanted) == list(got):
        names = [name for name in wanted if json.dumps(wanted[name]) != json.dumps(got[name])]
        wanted, got = ({name: each[name] for name in names} for each in (wanted, got))
    return f"model    {json.dumps(wanted)}\nprogram  {json.dumps(got)}"
