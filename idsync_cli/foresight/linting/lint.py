"""Lint of data: real requests, or a store, against the strategy (section 12)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from idsync_cli import wire
from idsync_cli.core.codes import RequestKind
from idsync_cli.core.config.rules import Organization, ScopeRules
from idsync_cli.core.data.batch_ids import key_of
from idsync_cli.core.identity import Identifier, IdentityType
from idsync_cli.core.profile import types_of
from idsync_cli.core.resolve.request_shape import shape_of
from idsync_cli.foresight.comparing.compare import compare
from idsync_cli.foresight.comparing.comparison import Comparison
from idsync_cli.foresight.comparing.process import SideProcess, results
from idsync_cli.foresight.comparing.recorded import lines_of
from idsync_cli.foresight.comparing.sides import Following, Way
from idsync_cli.foresight.comparing.work import Advance, SideJob, SideReplay
from idsync_cli.foresight.linting.findings import TypeFinding, Weight, findings, remedies
from idsync_cli.foresight.linting.measures import (
    FileLine,
    MeasuredType,
    Measures,
    ScopeMeasures,
    left_of,
)
from idsync_cli.store.api import Transaction


class ScopeLint(NamedTuple):
    """What there is to say of one scope.

    `answered` requests had a profile for an answer. `decided` says how many answers each type
    decided; None of a store, which does not know it. `extensions` are those of the scope with all
    that the findings propose, and empty where they propose nothing.
    """

    answered: int
    types: Mapping[IdentityType, MeasuredType]
    decided: Mapping[IdentityType, int] | None
    findings: tuple[TypeFinding, ...]
    extensions: Mapping[str, Any]


class Lint(NamedTuple):
    """What there is to say of requests; of a store, `requests` is None.

    `tried` has what a proposed order would change, by scope and type that it moves.
    """

    requests: int | None
    files: tuple[str, ...]
    scopes: Mapping[str, ScopeLint]
    tried: Mapping[tuple[str, IdentityType], Comparison]

    def exit_status(self, fail_on: Weight | None) -> int:
        """1 if there is a finding of so much weight, or more."""
        if fail_on is None:
            return 0
        weights = list(Weight)
        heavy = weights[: weights.index(fail_on) + 1]
        found = (each for scope in self.scopes.values() for each in scope.findings)
        return int(any(each.weight in heavy for each in found))


def lint_files(job: SideJob, advance: Advance) -> Lint:
    """Replay files, and hold what their lines carry against what they are answered with.

    Another process replays, while this one reads the same lines.

    Raises:
        UsageFault: a file cannot be read.
        StoreFault: there is no room.
    """
    # The process that writes may still be at it when the one that replays is gone.
    with TemporaryDirectory(prefix="idsync-lint-", ignore_cleanup_errors=True) as folder:
        job = job._replace(folder=folder, writes_apart=True)
        with SideProcess(job) as side:
            reading = _Reading(job)

            def go_on(size: int, requests: int) -> None:
                reading.add(requests)
                advance(size, requests)

            [replayed] = results([side], go_on)
    return Lint(
        sum(replayed.lines),
        tuple(file.name for file in job.files),
        _scopes(reading.measures, replayed),
        {},
    )


def lint_store(transaction: Transaction, organization: Organization) -> Lint:
    """Measure what the profiles of a store hold: each is as a request that carries all of it."""
    measures = {name: ScopeMeasures(rules) for name, rules in organization.scopes.items()}
    nowhere = FileLine(0, 0)
    for scope, profile in transaction.profiles(organization.scopes):
        its = measures.get(scope)
        if its is not None:
            its.add(left_of(profile.identifiers, its.rules), profile.mpid, nowhere)
    return Lint(None, (), {name: _of_scope(each, None) for name, each in measures.items()}, {})


def tried(lint: Lint, job: SideJob) -> Iterator[tuple[tuple[str, IdentityType], Comparison]]:
    """What each order that is proposed would change, by comparing it with the present one.

    Raises:
        UsageFault: a file cannot be read.
        StoreFault: there is no room.
    """
    for name, scope in lint.scopes.items():
        for finding in scope.findings:
            if finding.order is not None:
                rules = job.organization.scopes[name]._replace(priority=finding.order)
                scopes = {**job.organization.scopes, name: rules}
                other = job._replace(organization=job.organization._replace(scopes=scopes))
                yield (name, finding.identity_type), compare(job, other, examples=0).comparison


def _scopes(measures: Measures, replayed: SideReplay) -> dict[str, ScopeLint]:
    return {
        name: _of_scope(each, _decided(each.ways, replayed.ways)) for name, each in measures.items()
    }


def _of_scope(measures: ScopeMeasures, decided: Mapping[IdentityType, int] | None) -> ScopeLint:
    found = findings(measures, decided)
    return ScopeLint(
        measures.answered,
        measures.measured(),
        decided,
        tuple(found),
        remedies(measures.rules, found),
    )


def _decided(ways: Mapping[int, int], numbered: Sequence[Way]) -> dict[IdentityType, int]:
    decided: dict[IdentityType, int] = {}
    for way, number in ways.items():
        by = numbered[way].decided_by
        if by is not None and by.identity_type is not None:
            decided[by.identity_type] = decided.get(by.identity_type, 0) + number
    return decided


class _Reading:
    """The lines of the files, read again beside what the other process says of them."""

    def __init__(self, job: SideJob) -> None:
        self._job = job
        self._reader = wire.Reader(job.organization, job.target, key_of(job.seed))
        self._lines = lines_of(job.files)
        self._answers = Following(Path(job.folder))
        self.measures = {
            name: ScopeMeasures(rules) for name, rules in job.organization.scopes.items()
        }

    def add(self, requests: int) -> None:
        """Take so many further lines with their answers."""
        for mpid, way in self._answers.next_answers(requests):
            file, line, request = next(self._lines)
            if not mpid:
                continue
            reading = self._reader.read(request)
            if reading.scope is not None and reading.rules is not None:
                carried = _carried(reading, reading.rules)
                self.measures[reading.scope].add(carried, mpid, FileLine(file, line), way)


def _carried(reading: wire.Reading, rules: ScopeRules) -> Iterable[Identifier]:
    """The identifiers that count in a request: those that guard rails and step 1 leave of it.

    Those that a modify sets are among them.
    """
    left = list(left_of(_given(reading), rules))
    if reading.kind is RequestKind.LOGOUT:
        return shape_of(reading.kind, types_of(left), rules).arranged(left)
    return left


def _given(reading: wire.Reading) -> Iterator[Identifier]:
    yield from reading.identifiers
    for kind, value in (reading.identities or {}).items():
        if value is not None:
            yield Identifier(kind, value)
    for change in reading.changes or ():
        if change.new_value is not None:
            yield Identifier(change.identity_type, change.new_value)
