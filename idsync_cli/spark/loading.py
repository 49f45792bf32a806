"""Loading: the decisions of a chain of jobs, into a new store (section 13).

A job keeps what it decided, and a decision is a value: applied in the order of their numbers, they
make the store that a serial replay of the same lines would have made.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from typing import Any, Final, NamedTuple

from idsync_cli.core.config.rules import Organization
from idsync_cli.core.identity import Identifier
from idsync_cli.errors import Hint, UsageFault, quoted
from idsync_cli.spark.decision_files import merged
from idsync_cli.spark.decisions import Applied, applied_in
from idsync_cli.spark.part_files import PARTS, check_part_files, part_files_in
from idsync_cli.spark.rules import JobRules, rules_in
from idsync_cli.store.api import Transaction
from idsync_cli.store.sqlite import SqliteStore
from idsync_cli.store.sqlite.lifecycle.beside import is_file

DECISIONS: Final = "decisions"
REPORT: Final = "report.json"
RULES: Final = "rules.json"
SUCCESS: Final = "_SUCCESS"

AT_ONCE: Final = 5000
"""How many decisions are applied in one transaction."""


class FinishedJob(NamedTuple):
    """The output of a job: where it is, and what it says of itself.

    `began_with` is the identity of the job whose state it began with, or the digest of an export,
    or None. `last_seq` is the number of its last line.
    """

    folder: Path
    identity: str
    began_with: str | None
    began_with_export: bool
    seed: int
    last_seq: int
    rules: JobRules

    @property
    def decisions(self) -> Iterator[bytes]:
        """What it decided, by number.

        Raises:
            UsageFault: a file cannot be read to its end.
        """
        return merged((self.folder / DECISIONS).glob(PARTS))


class Loaded(NamedTuple):
    """How many jobs were loaded, and decisions of theirs."""

    jobs: int
    decisions: int

    @property
    def exit_status(self) -> int:
        """0: whatever cannot be loaded is a fault."""
        return 0


def finished_job(name: str) -> FinishedJob:
    """The job that wrote a folder.

    Raises:
        UsageFault: none did, or it did not finish; or it is not as the job left it.
    """
    folder = Path(name)
    if not is_file(folder / REPORT):
        raise UsageFault(
            f"{quoted(name)} is no output of spark-replay: it has no {REPORT}",
            hint=Hint.NAME_OUTPUT_OF_JOB,
        )
    if not (folder / SUCCESS).exists():
        raise UsageFault(
            f"the job that wrote {quoted(name)} did not finish: there is no {SUCCESS}",
            hint=Hint.RUN_AGAIN,
        )
    try:
        report = json.loads((folder / REPORT).read_bytes())
        rules = json.loads((folder / RULES).read_bytes())
        return _finished(folder, report, rules)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise cannot_be_read(name, error) from None


def cannot_be_read(name: str, error: Exception) -> UsageFault:
    """What is told of an output whose report, or rules, are not what a job writes."""
    return UsageFault(f"what {quoted(name)} says of its job cannot be read: {error!r}")


def _finished(folder: Path, report: dict[str, Any], rules: dict[str, Any]) -> FinishedJob:
    state = report["state"] or {}
    check_part_files(str(folder), DECISIONS, part_files_in(folder / DECISIONS), report)
    return FinishedJob(
        folder,
        report["job"],
        state.get("job") or state.get("export"),
        "export" in state,
        int(report["seed"]),
        int(report["last_seq"]),
        rules_in(rules),
    )


def check_chain(jobs: Sequence[FinishedJob], export: str | None) -> None:
    """See whether each job began where the one before ended; the first, with an export or nothing.

    Raises:
        UsageFault: one did not.
    """
    before: str | None = None if export is None else digest_of(Path(export))
    for job in jobs:
        where = quoted(str(job.folder))
        if job.began_with == before:
            before = job.identity
            continue
        if job.began_with is None:
            raise UsageFault(f"the job {where} began with nothing, so it comes first")
        if job.began_with_export:
            raise UsageFault(
                f"the job {where} began with an export, with the digest {job.began_with}",
                hint=Hint.NAME_EXPORT,
            )
        raise UsageFault(
            f"the job {where} began with the state of another job, {job.began_with}; name the jobs "
            "of the whole chain, oldest first"
        )


def digest_of(path: Path) -> str:
    """The digest by which a job knows the export that it began with.

    Raises:
        UsageFault: it cannot be read.
    """
    digest = blake2b(digest_size=16)
    try:
        with path.open("rb") as file:
            while piece := file.read(2**20):
                digest.update(piece)
    except OSError as error:
        raise UsageFault(f"{quoted(str(path))} cannot be read: {error.strerror}") from None
    return digest.hexdigest()


def load(
    jobs: Iterable[FinishedJob],
    store: SqliteStore,
    *,
    advance: Callable[[int], None] = lambda _: None,
) -> Loaded:
    """Apply the decisions of jobs to a store that has what came before them; all or nothing.

    `advance` is told how many there were by then.
    """
    store.expect_many()
    count = done = 0
    for job in jobs:
        count += 1
        organization = job.rules.organization()
        lines = job.decisions
        while some := [applied_in(line) for line in islice(lines, AT_ONCE)]:
            with store.writing(trust_new_mpids=True) as transaction:
                transaction.align(organization.scopes)
                _apply(some, transaction, organization)
                if not transaction.remembers_rules:
                    transaction.remember_rules(job.rules.scopes)
                transaction.advance_to(some[-1].entry.seq)
            done += len(some)
            advance(done)
        with store.writing() as transaction:
            transaction.advance_to(max(transaction.last_seq, job.last_seq))
    return Loaded(count, done)


def _apply(some: list[Applied], transaction: Transaction, organization: Organization) -> None:
    by_scope: dict[str, tuple[list[Identifier], list[int]]] = {}
    for decision, scope, _ in some:
        identifiers, mpids = by_scope.setdefault(scope, ([], []))
        identifiers += [each.identifier for each in decision.changes]
        if decision.profile is not None and not decision.created:
            mpids.append(decision.profile.mpid)
        mpids += [each.profile.mpid for each in decision.updates]
    for scope, named in by_scope.items():
        transaction.prefetch(scope, organization.scopes[scope], *named)
    for decision, scope, entry in some:
        transaction.apply(decision, scope, organization.scopes[scope], entry)
