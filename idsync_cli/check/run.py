"""Check: scenarios run through the engine, comparing what they expect with what is found."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import groupby
from operator import attrgetter, itemgetter
from pathlib import Path
from typing import Any

from idsync_cli import wire
from idsync_cli.check.folded import attributes_asked_for, folded, message_resolved
from idsync_cli.check.results import CheckOutcome, Mismatch, Result, Unreadable
from idsync_cli.core.admission import admitted, violation
from idsync_cli.core.audiences.fold import Folded
from idsync_cli.core.codes import Rule, Status
from idsync_cli.core.config.rules import Organization
from idsync_cli.core.data.values import ProfileData
from idsync_cli.core.decision import Answer
from idsync_cli.core.identity import Identifier, derive_mpid
from idsync_cli.core.profile import Profile, types_of
from idsync_cli.engine.engine import Engine
from idsync_cli.engine.labels import Labels
from idsync_cli.file_faults import FileFault
from idsync_cli.files.config_file import load
from idsync_cli.files.scenario import Given, Scenario, Step
from idsync_cli.files.scenario_data import ExpectedProfile
from idsync_cli.files.scenario_file import Load, read_scenarios
from idsync_cli.files.scenario_search import find
from idsync_cli.store.api import Store, Transaction
from idsync_cli.store.memory import MemoryStore

SEED = 0
"""The seed of every scenario's store, so that the same scenario has the same MPIDs."""


def check_file(
    path: Path,
    wanted: Callable[[Scenario], bool] = lambda _: True,
    load: Load = load,
    rules: Organization | None = None,
    *,
    extensions: bool = True,
) -> Iterator[CheckOutcome]:
    """Run the scenarios of one file that are wanted, as they come; with `rules`, under these.

    Without `extensions` the guard rails of the rules are passed over (section 11).
    """
    try:
        scenarios = read_scenarios(path, load, rules)
    except FileFault as fault:
        yield Unreadable(path, fault)
        return
    for scenario in filter(wanted, scenarios):
        try:
            yield check(scenario if extensions else _without_extensions(scenario))
        except FileFault as fault:
            yield Unreadable(path, fault)


def _without_extensions(scenario: Scenario) -> Scenario:
    return replace(scenario, organization=scenario.organization.without_extensions())


def files(paths: Iterable[Path]) -> Iterator[Path | Unreadable]:
    """The scenario files of what is named; what is not there is told in its place."""
    for named in paths:
        try:
            yield from find([named])
        except FileFault as fault:
            yield Unreadable(named, fault)


def check(scenario: Scenario) -> Result:
    """Run a scenario in a store of its own.

    Raises:
        FileFault: a given profile breaks a rule of its scope.
    """
    with MemoryStore(SEED) as store:
        return Result(scenario, tuple(_run(scenario, store)))


def _run(scenario: Scenario, store: Store) -> Iterator[Mismatch]:
    with store.writing() as transaction:
        for given in scenario.given:
            _give(scenario, given, transaction, store.seed)
    engine = Engine(scenario.organization, store, now=lambda: scenario.now_ms, explain=True)
    labels = Labels()
    for step in scenario.steps:
        before = dict(labels)
        [answer] = engine.batch([wire.Incoming(step.request, step.line)], labels)
        names = before | labels if answer.status is Status.ERASED else labels  # whom it erased
        yield from _compare_step(step, answer, names)
    with store.reading() as transaction:
        yield from _compare_profiles(scenario, transaction, labels)


def _give(scenario: Scenario, given: Given, transaction: Transaction, seed: int) -> None:
    rules = scenario.organization.scopes[given.scope]
    lookup = transaction.lookup(given.scope, rules)
    left = admitted(given.identifiers, rules, lookup)
    seq = transaction.last_seq + 1
    profile = Profile(
        mpid=given.mpid or derive_mpid(seed, seq, lookup.was_given_out),
        created_seq=seq,
        source_mpid=None,
        was_known=rules.holds_login_id(types_of(left.identifiers)),
        identifiers=left.identifiers,
    )
    broken = violation(profile, rules, lookup)
    if broken:
        message = f"the given profile breaks a rule: {left.told(broken)}"
        raise FileFault([given.fault(message, left.as_given(broken).word)])
    transaction.insert(given.scope, profile, rules, None)
    transaction.advance_to(seq)


def _compare_step(step: Step, answer: Answer, labels: Mapping[str, int]) -> Iterator[Mismatch]:
    """Compare what a step expects, key by key, with its answer as JSON."""
    found = _found(wire.answer_json(answer, explain=True))
    for key, wanted in step.expect.items():
        expected = _resolved(wanted, labels)
        shown = found.get(key)
        if expected == Rule.IDENTIFIER and key == "decided_by" and "matched" in found:
            shown = found["rule"]  # by whatever type
        if key == "tiers" and isinstance(shown, dict):
            shown = {kind: shown.get(kind) for kind in expected}
        if _comparable(key, expected) != _comparable(key, shown):
            yield Mismatch(key, expected, shown, step.written[key], dict(labels), step, answer)


def _found(answer: wire.Json) -> dict[str, Any]:
    """An answer under the keys of an `expect`."""
    found = {key: answer[key] for key in answer if key != "errors"}
    if "errors" in answer:
        return found | {"error": answer["errors"][0]["code"]}
    if "decided_by" not in answer:  # nothing was decided
        return found
    decided_by = answer["decided_by"]
    return found | {
        "decided_by": decided_by.get("identity_type", decided_by["rule"]),
        "rule": decided_by["rule"],
        "matched": list(answer["matched_identities"]),
        "notes": [note["code"] for note in answer["notes"]],
        "tiers": {tier["identity_type"]: tier["outcome"] for tier in answer["tiers"]},
    }


def _resolved(wanted: Any, labels: Mapping[str, int]) -> Any:
    """Put MPIDs in place of `@name`; a name without one stays, and is found nowhere."""
    if isinstance(wanted, list):
        return [_resolved(each, labels) for each in wanted]
    if isinstance(wanted, dict):
        return {**wanted, "mpid": _resolved(wanted["mpid"], labels)} if "mpid" in wanted else wanted
    if isinstance(wanted, str) and wanted.startswith("@") and wanted[1:] in labels:
        return str(labels[wanted[1:]])
    return wanted


def _comparable(key: str, value: Any) -> Any:
    """A value with the order left out that nobody can know who does not know the MPIDs."""
    if not isinstance(value, list):
        return value
    if key in ("orphaned", "matched"):
        return sorted(value, key=str)
    if key == "changes":  # what leaves other profiles does so by ascending MPID
        return _with_removals_sorted(value)
    return value


def _with_removals_sorted(changes: list[wire.Json]) -> list[wire.Json]:
    ordered: list[wire.Json] = []
    for _, run in groupby(changes, key=itemgetter("op", "identity_type", "value")):
        ordered.extend(sorted(run, key=lambda each: str(each["mpid"])))
    return ordered


def _compare_profiles(
    scenario: Scenario, transaction: Transaction, labels: Mapping[str, int]
) -> Iterator[Mismatch]:
    for name, expected in scenario.profiles.items():
        mpid = labels.get(name[1:]) if name.startswith("@") else int(name)
        found = transaction.find(mpid) if mpid is not None else None
        held = _by_type(frozenset(found[1].identifiers)) if found else None
        data = transaction.data_of(mpid) if mpid is not None else None
        comes_to = None
        if found is not None and data is not None:
            comes_to = folded(scenario.organization, *found, data, scenario.now_ms)
        for part, wanted, shown in _parts(expected, held, data, comes_to, labels):
            if not _alike(wanted, shown):
                what = f"profile {name}" + ("" if part == "identities" else f": {part}")
                node = expected.written.get(part, scenario.written[name])
                yield Mismatch(what, wanted, shown, node, dict(labels), part=part)


def _parts(
    expected: ExpectedProfile,
    held: Any,
    data: ProfileData | None,
    comes_to: Folded | None,
    labels: Mapping[str, int],
) -> Iterator[tuple[str, Any, Any]]:
    """What is asked of a profile: the part, what was expected of it, and what was found."""
    if expected.identifiers is not None:
        yield "identities", _by_type(expected.identifiers), held
    if expected.attributes is not None:
        found = None
        if data is not None and comes_to is not None:
            found = attributes_asked_for(comes_to, data, expected.attributes)
        yield "attributes", dict(expected.attributes), found
    if expected.events is not None:
        names = data and [event.name for event in data.events]
        yield "events", list(expected.events), names
    if expected.audiences is not None:
        members = None if comes_to is None else sorted(comes_to.memberships)
        yield "audiences", sorted(expected.audiences), members
    if expected.status_messages is not None:
        wanted = [message_resolved(each, labels) for each in expected.status_messages]
        yield "status_messages", wanted, data and [*data.status_messages]


def _alike(expected: Any, found: Any) -> bool:
    """Whether a value is as expected; text and the number that it says are alike."""
    if isinstance(expected, dict) and isinstance(found, dict):
        return expected.keys() == found.keys() and all(
            _alike(expected[key], found[key]) for key in expected
        )
    if isinstance(expected, list) and isinstance(found, list):
        return len(expected) == len(found) and all(map(_alike, expected, found))
    if _is_number(expected) and isinstance(found, str):
        return json.dumps(expected) == found
    if isinstance(expected, str) and _is_number(found):
        return expected == json.dumps(found)
    return bool(expected == found) and isinstance(expected, bool) == isinstance(found, bool)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _by_type(identifiers: frozenset[Identifier]) -> dict[str, list[str]]:
    return wire.identities_json(sorted(identifiers, key=attrgetter("value")))
