"""What came of scenarios: each with its mismatches, and all of them counted."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from idsync_cli.core.decision import Answer
from idsync_cli.file_faults import FileFault
from idsync_cli.files.scenario import Scenario, Step
from idsync_cli.files.yaml_tree import Node

PASSED, FAILED, UNREADABLE = 0, 1, 2
"""The exit statuses; of several outcomes the highest counts."""


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A mismatch; `step` and `answer` are None for a final profile.

    `node` is what the file says, and `labels` are the names of MPIDs at that moment. `part` says
    what of a final profile it is: its identities, attributes, events or status messages.
    """

    what: str
    expected: object
    found: object
    node: Node = field(repr=False, compare=False)
    labels: Mapping[str, int] = field(repr=False, compare=False)
    step: Step | None = None
    answer: Answer | None = None
    part: str = "identities"

    @property
    def line(self) -> int:
        """The line of what was expected."""
        return self.node.position.line


@dataclass(frozen=True, slots=True)
class Result:
    """A scenario that was run; it passed if there is no mismatch."""

    scenario: Scenario
    mismatches: tuple[Mismatch, ...]

    @property
    def path(self) -> Path:
        """The file of the scenario."""
        return self.scenario.path

    @property
    def passed(self) -> bool:
        """Whether it passed."""
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


@dataclass(frozen=True, slots=True)
class Totals:
    """How many scenarios passed and failed, and how many could not be read."""

    passed: int = 0
    failed: int = 0
    unreadable: int = 0

    @property
    def number(self) -> int:
        """How many there were."""
        return self.passed + self.failed + self.unreadable

    @property
    def exit_status(self) -> int:
        """The highest of all the scenarios: 2 if any cannot be read, else 1 if any failed."""
        if self.unreadable:
            return UNREADABLE
        return FAILED if self.failed else PASSED


def totals(outcomes: Iterable[CheckOutcome]) -> Totals:
    """What became of scenarios altogether."""
    counts = Counter(each.exit_status for each in outcomes)
    return Totals(counts[PASSED], counts[FAILED], counts[UNREADABLE])
