"""Every scenario by every way into the program, with the same answers.

`idsync check` says whether they are the right ones. The core alone over a dictionary, the engine
by one-shot requests, the commands, and replays in pieces of any size must not differ from it.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from idsync_cli import wire
from idsync_cli.check.run import SEED, check
from idsync_cli.core.admission import admitted
from idsync_cli.core.codes import RequestKind, Status
from idsync_cli.core.config.rules import Organization, ScopeRules
from idsync_cli.core.config.strategy import PRESETS, Strategy
from idsync_cli.core.decide import decide
from idsync_cli.core.decision import Answer, Decision, Refusal
from idsync_cli.core.identity import TYPES_BY_NAME, derive_mpid
from idsync_cli.core.profile import Profile, types_of
from idsync_cli.engine.engine import Engine
from idsync_cli.engine.labels import Labels
from idsync_cli.files.scenario import Scenario, Step
from idsync_cli.files.scenario_file import read_scenarios
from idsync_cli.files.scenario_search import find
from idsync_cli.render.config import extensions_json
from idsync_cli.store import sqlite as store
from idsync_cli.store.sqlite import SqliteStore
from tests.comparison import answer_all, incoming, lines_of
from tests.core.memory import Memory
from tests.program import Program

FOLDER = Path(__file__).parent.parent / "fixtures" / "scenarios"
FILES = list(find([FOLDER]))
SCENARIOS = [scenario for path in FILES for scenario in read_scenarios(path)]

Json = dict[str, Any]


def name_of(scenario: Scenario) -> str:
    return f"{scenario.path.stem}:{scenario.line}"


every_scenario = pytest.mark.parametrize("scenario", SCENARIOS, ids=name_of)
one_scenario_of_each_file = pytest.mark.parametrize(
    "scenario", {each.path: each for each in SCENARIOS}.values(), ids=name_of
)


def has_aliases(scenario: Scenario) -> bool:
    """Whether it copies events: only a store has them, and by its clock."""
    return any(step.request["type"] == "alias" for step in scenario.steps)


NO_ALIASES = [each for each in SCENARIOS if not has_aliases(each)]
every_scenario_without_aliases = pytest.mark.parametrize("scenario", NO_ALIASES, ids=name_of)
one_without_aliases_of_each_file = pytest.mark.parametrize(
    "scenario", {each.path: each for each in NO_ALIASES}.values(), ids=name_of
)


def given(scenario: Scenario) -> Iterator[tuple[str, Profile]]:
    """The profiles that are there before the first step, with their scopes."""
    given_out: set[int] = set()
    there = {name: Memory(given_out=given_out) for name in scenario.organization.scopes}
    for seq, each in enumerate(scenario.given, start=1):
        mpid = each.mpid or derive_mpid(SEED, seq, given_out.__contains__)
        rules = scenario.organization.scopes[each.scope]
        held = admitted(each.identifiers, rules, there[each.scope].under(rules)).identifiers
        profile = Profile(mpid, seq, None, rules.holds_login_id(types_of(held)), held)
        there[each.scope].give(profile)
        yield each.scope, profile


def prepared(scenario: Scenario, storage: SqliteStore) -> SqliteStore:
    with storage.writing() as session:
        for scope, profile in given(scenario):
            session.advance_to(profile.created_seq)
            session.insert(scope, profile, scenario.organization.scopes[scope], None)
    return storage


def requests_of(scenario: Scenario) -> list[object]:
    return [step.request for step in scenario.steps]


def told(answers: list[Answer]) -> list[Json]:
    return [wire.answer_json(answer, explain=True) for answer in answers]


def in_one_batch(scenario: Scenario) -> list[Json]:
    with prepared(scenario, store.temporary(SEED)) as storage:
        engine = Engine(scenario.organization, storage, now=lambda: scenario.now_ms, explain=True)
        return told(engine.batch(incoming(requests_of(scenario))))


def one_by_one(scenario: Scenario) -> list[Json]:
    return told(each_alone(scenario))


def each_alone(scenario: Scenario) -> list[Answer]:
    with prepared(scenario, store.temporary(SEED)) as storage:
        engine = Engine(scenario.organization, storage, now=lambda: scenario.now_ms, explain=True)
        labels = Labels()
        return [engine.one_shot(step.request, labels) for step in scenario.steps]


# ---- (a) as its users check it


@every_scenario
def test_a_scenario_is_as_expected(scenario: Scenario) -> None:
    assert check(scenario).mismatches == ()


@every_scenario
def test_a_scenario_expects_something_of_its_steps(scenario: Scenario) -> None:
    assert any(step.expect for step in scenario.steps)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.stem))
def test_the_command_check_passes_every_file(path: Path, tmp_path: Path) -> None:
    outcome = Program(tmp_path)("check", str(path))
    many = len(read_scenarios(path))
    assert (outcome.status, outcome.stderr) == (0, "")
    assert f"{many} passed, 0 failed" in outcome.stdout


def test_the_command_check_finds_every_file_of_the_folder(tmp_path: Path) -> None:
    outcome = Program(tmp_path).process("check", str(FOLDER))
    assert outcome.status == 0
    assert f"{len(SCENARIOS)} passed, 0 failed" in outcome.stdout
    assert len(SCENARIOS) > 30


# ---- (b) the core alone


class Alone:
    """The core over dictionaries: no store, and no engine."""

    def __init__(self, scenario: Scenario) -> None:
        self.organization = scenario.organization
        self.reader = wire.Reader(self.organization)
        given_out: set[int] = set()
        self.known = {name: Memory(given_out=given_out) for name in self.organization.scopes}
        self.seq = 0
        self.labels: dict[str, int] = {}
        for scope, profile in given(scenario):
            self.known[scope].give(profile)
            self.seq += 1

    def answer(self, request: Json, line: int) -> Answer:
        self.seq += 1
        reading = self.reader.read(request)
        outcome: Decision | Refusal
        try:
            asked = wire.request_of(reading, self.labels)
            assert reading.scope is not None
            assert reading.rules is not None
            rules, known = reading.rules, self.known[reading.scope]
            outcome = decide(asked, rules, known.under(rules), self.seq, SEED, explain=True)
            self.known[reading.scope].apply(outcome)
        except Refusal as refusal:
            outcome = refusal
        answer = Answer(self.seq, line, reading.kind, reading.scope, outcome)
        if answer.status is Status.ERASED:
            self.labels = {name: each for name, each in self.labels.items() if each != answer.mpid}
        elif "label" in request:
            self.labels.pop(request["label"], None)
            if answer.mpid is not None:
                self.labels[request["label"]] = answer.mpid
        return answer


@every_scenario_without_aliases
def test_the_core_alone_over_a_dictionary_answers_the_same(scenario: Scenario) -> None:
    alone = Alone(scenario)
    answers = [alone.answer(step.request, line) for line, step in enumerate(scenario.steps, 1)]
    assert decided(told(answers)) == decided(in_one_batch(scenario))


def decided(answers: list[Json]) -> list[Json]:
    """What the core decides: of an erasure, who it is; how much that is a store counts."""
    told_by_core = {"seq", "line", "type", "scope", "status", "mpid"}
    return [
        {name: each for name, each in answer.items() if name in told_by_core}
        if answer["status"] == Status.ERASED
        else answer
        for answer in answers
    ]


# ---- (c) one-shot requests


def without_numbers(scenario: Scenario, answers: list[Json]) -> list[Json]:
    """Answers with profiles by the order in which they were made, in place of MPIDs.

    A one-shot request that changes nothing takes no number, so that those after it make profiles
    with other numbers and MPIDs; and what is done by ascending MPID is done in another order.
    """
    names = {str(profile.mpid): f"given {profile.created_seq}" for _, profile in given(scenario)}
    plain = []
    for place, answer in enumerate(answers):
        if answer["status"] == "created":
            names[answer["mpid"]] = f"made by step {place}"
        renamed = {name: value for name, value in answer.items() if name not in ("seq", "line")}
        for member in ("mpid", "source_mpid"):
            renamed[member] = names.get(renamed.get(member, ""), renamed.get(member))
        renamed["orphaned"] = sorted(names[mpid] for mpid in answer.get("orphaned", ()))
        if "notes" in answer:
            renamed["notes"] = [
                each | {"mpid": names.get(each.get("mpid")), "message": None}
                for each in answer["notes"]
            ]
        changes = [each | {"mpid": names[each["mpid"]]} for each in answer.get("changes", ())]
        renamed["changes"] = [
            change
            for _, run in groupby(changes, key=lambda each: (each["op"], each["value"]))
            for change in sorted(run, key=lambda each: str(each["mpid"]))
        ]
        plain.append(renamed)
    return plain


@every_scenario_without_aliases
def test_one_shot_requests_are_answered_the_same(scenario: Scenario) -> None:
    batch = without_numbers(scenario, in_one_batch(scenario))
    assert without_numbers(scenario, one_by_one(scenario)) == batch


@every_scenario
def test_one_shot_requests_take_a_number_only_if_they_change_the_store(scenario: Scenario) -> None:
    expected = len(scenario.given) + 1
    for answer in each_alone(scenario):
        assert answer.seq == expected
        assert answer.line is None
        outcome = answer.outcome
        expected += isinstance(outcome, Decision) and outcome.changes_the_store
        if answer.kind not in (RequestKind.BATCH, RequestKind.ALIAS, RequestKind.ERASE):
            assert not isinstance(outcome, Decision) or outcome.changes_the_store == bool(
                outcome.changes
            )


# ---- (d) the commands


def config_of(organization: Organization) -> str:
    """A configuration file that says what a scenario says in its own way; JSON is YAML."""
    workspaces = dict(organization.workspaces)
    scopes = {name: scope_of(rules) for name, rules in organization.scopes.items()}
    document: Json = {"version": 1, "scopes": scopes}
    if workspaces:
        document["accounts"] = {"main": {"workspaces": workspaces}}
    return json.dumps(document)


def scope_of(rules: ScopeRules) -> Json:
    scope: Json = {"strategy": strategy_of(rules.strategy), "priority": list(rules.priority)}
    scope["on_conflicting_login"] = rules.on_conflicting_login
    scope["on_unique_held"] = rules.on_unique_held
    scope["extensions"] = extensions_json(rules.guard_rails)
    if rules.strategy.name not in ("default", "best_match"):
        scope["identities"] = {
            kind: {name: name in settings.names() for name in ("login", "unique", "immutable")}
            for kind, settings in rules.settings.items()
        }
    return scope


def strategy_of(strategy: Strategy) -> Json | str:
    if strategy.name in PRESETS:
        return strategy.name
    names = ["on_new_known_user", "logins", "links", "aliasing"]
    names += ["on_logout", "login_needs_login_id"] if strategy.logins else []
    return {name: getattr(strategy, name) for name in names}


@dataclass
class ByHand:
    """Someone who types the requests of a scenario as commands, one after another."""

    idsync: Program
    labels: dict[str, str]

    def command(self, request: Mapping[str, Any]) -> list[str] | None:
        """What is typed for a request; None where there are no words for it."""
        if request["type"] == "batch":
            return self.track(request)
        is_modify = request["type"] == "modify"
        typed = [request["type"], "--json"]
        if request["type"] != "erase":
            typed.append("--explain")
        for name in ("scope", "workspace", "mpid", "previous_mpid"):
            value = request.get(name)
            if value is not None and not (is_modify and name == "previous_mpid"):
                typed += [option(name), self.resolved(str(value))]
        identities = request.get("known_identities", {})
        for name, value in identities.items():
            if value is None and is_modify:
                typed += ["--remove", name]
            elif value and name in TYPES_BY_NAME:
                typed += [option(name), value]
            elif value:
                typed += ["--identity", f"{name}={value}"]
            elif is_modify or len({TYPES_BY_NAME.get(name) for name in identities}) == 1:
                return None
        changes = request.get("identity_changes", ())
        for change in changes:
            parts = [change.get(name) for name in ("identity_type", "old_value", "new_value")]
            if "" in parts or parts[0] is None:
                return None
            if parts[1:] != [None, None]:  # there are no words for what changes nothing
                typed += ["--change", ":".join(map(escaped, parts))]
        return None if changes and "--change" not in typed else typed

    def track(self, batch: Mapping[str, Any]) -> list[str] | None:
        """What is typed for a batch of one event at most, as `track` makes it."""
        known = ("user_identities", "user_attributes", "deleted_user_attributes", "events")
        members = ("scope", "workspace", "mpid")
        events = batch.get("events", [])
        if not batch.keys() <= {"type", "label", *known, *members} or len(events) > 1:
            return None
        typed = ["track", "--json", "--explain"]
        for name in members:
            typed += [option(name), self.resolved(str(batch[name]))] if name in batch else []
        for name, value in batch.get("user_identities", {}).items():
            typed += [option(name), value]
        for event in events:
            typed += ["--event-type", event["event_type"], "--data", json.dumps(event["data"])]
        for name, value in batch.get("user_attributes", {}).items():
            typed += ["--attribute", name if value is None else f"{name}={value}"]
        for name in batch.get("deleted_user_attributes", ()):
            typed += ["--delete-attribute", name]
        return typed

    def resolved(self, mpid: str) -> str:
        return self.labels.get(mpid[1:], mpid) if mpid.startswith("@") else mpid


def option(name: str) -> str:
    return "--" + name.replace("_", "-")


def escaped(value: str | None) -> str:
    return (value or "").replace("\\", "\\\\").replace(":", "\\:")


@one_without_aliases_of_each_file
def test_the_commands_answer_as_the_engine(scenario: Scenario, tmp_path: Path) -> None:
    idsync = Program(tmp_path)
    idsync.write("idsync.yaml", config_of(scenario.organization))
    prepared(scenario, store.create(str(tmp_path / "idsync.db"), SEED)).close()
    by_hand = ByHand(idsync, {})
    for step, expected in zip(scenario.steps, one_by_one(scenario), strict=True):
        typed = by_hand.command(step.request)
        if typed is None:
            assert expected["status"] == "error" or not expected["changes"]
            continue
        outcome = idsync(*typed)
        label = step.request.get("label")
        if label is not None:
            by_hand.labels.pop(label, None)
        if expected["status"] == "error":
            assert outcome.status in (1, 2)
            assert outcome.stderr != ""
            if outcome.stdout:  # the command line refuses some of it before it is a request
                codes = [error["code"] for error in outcome.json()["errors"]]
                assert codes == [error["code"] for error in expected["errors"]]
            continue
        answers = decided([outcome.json()])
        assert answers == decided([json.loads(json.dumps(without_tiers(step, expected)))])
        assert outcome.status == (1 if expected["status"] == "not_found" else 0)
        assert outcome.stderr == ""
        if expected["status"] == "erased":
            kept = {name: each for name, each in by_hand.labels.items() if each != expected["mpid"]}
            by_hand.labels = kept
        elif label is not None and expected["mpid"]:
            by_hand.labels[label] = expected["mpid"]


def without_tiers(step: Step, answer: Json) -> Json:
    """The answer as the command gives it: `erase` explains nothing."""
    if step.request["type"] != "erase":
        return answer
    return {name: each for name, each in answer.items() if name != "tiers"}


# ---- (e) replays


@every_scenario
def test_a_replay_in_chunks_of_any_size_answers_the_same(scenario: Scenario) -> None:
    expected = in_one_batch(scenario)
    for size in (1, 2, 7, 1000):
        with prepared(scenario, store.temporary(SEED)) as storage:
            engine = Engine(
                scenario.organization, storage, now=lambda: scenario.now_ms, explain=True
            )
            requests = incoming(requests_of(scenario))
            chunks = list(answer_all(engine, requests, chunk_size=size))
        assert all(len(chunk) == size for chunk in chunks[:-1])
        assert told([answer for chunk in chunks for answer in chunk]) == expected


@one_without_aliases_of_each_file
def test_the_command_replay_answers_the_same(scenario: Scenario, tmp_path: Path) -> None:
    idsync = Program(tmp_path)
    idsync.write("idsync.yaml", config_of(scenario.organization))
    idsync.write("requests.jsonl", lines_of(requests_of(scenario)))
    prepared(scenario, store.create(str(tmp_path / "idsync.db"), SEED)).close()
    arguments = ("--output", "answers.jsonl", "--explain", "--chunk-size", "2")
    outcome = idsync("replay", "requests.jsonl", *arguments)
    expected = in_one_batch(scenario)
    refused = any(answer["status"] == "error" for answer in expected)
    assert outcome.status == int(refused)
    answers = (tmp_path / "answers.jsonl").read_text(encoding="ascii").splitlines()
    told_of = decided([json.loads(answer) for answer in answers])
    assert told_of == json.loads(json.dumps(decided(expected)))
    if not any(answer["status"] == "erased" for answer in expected):
        assert answers == [json.dumps(answer) for answer in expected]
