"""Check: scenarios through the engine, and what they expected against what was found."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter, itemgetter
from pathlib import Path
from typing import Any

from idsync_cli import wire
from idsync_cli.core.admission import violation
from idsync_cli.core.codes import Rule
from idsync_cli.core.config.rules import Organization
from idsync_cli.core.decision import Answer
from idsync_cli.core.identity import Identifier, derive_mpid
from idsync_cli.core.profile import Profile, types_of
from idsync_cli.engine.engine import Engine
from idsync_cli.engine.labels import Labels
from idsync_cli.errors import FileFault
from idsync_cli.files.config_file import load
from idsync_cli.files.scenario_file import Given, Load, Scenario, Step, find, read_scenarios
from idsync_cli.files.yaml_tree import Node
from idsync_cli.store.api import Store, Transaction
from idsync_cli.store.memory import MemoryStore

SEED = 0
"""The seed of every scenario's store, so that the same scenario has the same MPIDs."""

PASSED, FAILED, UNREADABLE = 0, 1, 2
"""The exit statuses; of several outcomes the highest counts."""


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Something that was expected otherwise; `step` and `answer` are None for a final profile.

    `node` is what the file says, and `labels` are the names of MPIDs at that moment.
    """

    what: str
    expected: object
    found: object
    node: Node = field(repr=False, compare=False)
    labels: Mapping[str, int] = field(repr=False, compare=False)
    step: Step | None = None
    answer: Answer | None = None

    @property
    def line(self) -> int:
        """The line of what was expected."""
        return self.node.place.line


@dataclass(frozen=True, slots=True)
class Result:
    """A scenario that was run; it passed if nothing was expected otherwise."""

    scenario: Scenario
    mismatches: tuple[Mismatch, ...]

    @property
    def path(self) -> Path:
        """The file of the scenario."""
        return self.scenario.path

    @property
    def passed(self) -> bool:
        """Whether all was as expected."""
        return not self.mismatches

    @property
    def exit_status(self) -> int:
        """1 if the scenario failed."""
        return PASSED if self.passed else FAILED


@dataclass(frozen=True, slots=True)
class Unreadable:
    """What was no scenario, or could not be run, with every fault of it."""

    path: Path
    fault: FileFault

    @property
    def exit_status(self) -> int:
        """2: it cannot be read."""
        return UNREADABLE


CheckOutcome = Result | Unreadable


def check_file(
    path: Path,
    wanted: Callable[[Scenario], bool] = lambda _: True,
    load: Load = load,
    rules: Organization | None = None,
) -> Iterator[CheckOutcome]:
    """Run the scenarios of one file that are wanted, as they come; with `rules`, under these."""
    try:
        scenarios = read_scenarios(path, load, rules)
    except FileFault as fault:
        yield Unreadable(path, fault)
        return
    for scenario in filter(wanted, scenarios):
        try:
            yield check(scenario)
        except FileFault as fault:
            yield Unreadable(path, fault)


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
    engine = Engine(scenario.organization, store, now=lambda: 0, explain=True)
    labels = Labels()
    for step in scenario.steps:
        [answer] = engine.batch([wire.Incoming(step.request, step.line)], labels)
        yield from _compare_step(step, answer, labels)
    with store.reading() as transaction:
        yield from _compare_profiles(scenario, transaction, labels)


def _give(scenario: Scenario, given: Given, transaction: Transaction, seed: int) -> None:
    rules = scenario.organization.scopes[given.scope]
    lookup = transaction.lookup(given.scope, rules)
    seq = transaction.last_seq + 1
    profile = Profile(
        mpid=given.mpid or derive_mpid(seed, seq, lookup.was_given_out),
        created_seq=seq,
        source_mpid=None,
        was_known=rules.holds_login_id(types_of(given.identifiers)),
        identifiers=given.identifiers,
    )
    broken = violation(profile, rules, lookup)
    if broken:
        message = f"the given profile breaks a rule: {broken.message}"
        raise FileFault([given.fault(message, broken.word)])
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
    decided_by = answer["decided_by"]
    return found | {
        "decided_by": decided_by.get("identity_type", decided_by["rule"]),
        "rule": decided_by["rule"],
        "matched": list(answer["matched_identities"]),
        "notes": [note["code"] for note in answer["notes"]],
        "tiers": {tier["identity_type"]: tier["outcome"] for tier in answer["tiers"]},
    }


def _resolved(wanted: Any, labels: Mapping[str, int]) -> Any:
    """Put MPIDs in the place of `@name`; a name without one stays, and is found nowhere."""
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
        if held != _by_type(expected):
            node = scenario.written[name]
            yield Mismatch(f"profile {name}", _by_type(expected), held, node, dict(labels))


def _by_type(identifiers: frozenset[Identifier]) -> dict[str, list[str]]:
    return wire.identities_json(sorted(identifiers, key=attrgetter("value")))
