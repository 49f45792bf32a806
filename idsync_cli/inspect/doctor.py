"""Doctor: everything that can be wrong with a store, and how bad each of it is.

The store is examined by `store.sqlite.health`, also by the rules of its scopes. What each finding
means, and what to do, says `render.doctor`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from idsync_cli.core.config.rules import Organization
from idsync_cli.store.file_values import Finding, FindingCode
from idsync_cli.store.sqlite.health import examination


class Level(StrEnum):
    """How bad a finding is; with notes alone a store is sound."""

    FAULT = "fault"
    WARNING = "warning"
    NOTE = "note"


_NO_FAULTS = {
    FindingCode.MODE: Level.WARNING,
    FindingCode.DRAFT: Level.WARNING,
    FindingCode.UNFINISHED_ERASURE: Level.WARNING,
    FindingCode.SHARED_UNIQUE: Level.WARNING,
    FindingCode.SEVERAL_IMMUTABLE: Level.WARNING,
    FindingCode.LOGIN_TYPES: Level.NOTE,
    FindingCode.UNNAMED_SCOPE: Level.NOTE,
    FindingCode.ORPHAN: Level.NOTE,
}
"""How bad a finding is that is no fault."""


def level_of(code: FindingCode) -> Level:
    """How bad a finding is."""
    return _NO_FAULTS.get(code, Level.FAULT)


@dataclass(frozen=True, slots=True)
class HealthReport:
    """What was found in a store, and how much was looked at.

    `counts` has the pages of the file and the rows of its tables by name; it is empty where the
    store is too damaged to be counted.
    """

    store: str
    findings: tuple[Finding, ...]
    counts: Mapping[str, int]

    @property
    def sound(self) -> bool:
        """Whether there are no findings but notes."""
        return all(level_of(each.code) is Level.NOTE for each in self.findings)

    @property
    def exit_status(self) -> int:
        """1 if anything is wrong."""
        return int(not self.sound)


def examine(path: str, organization: Organization) -> HealthReport:
    """Look at all of a store, and say what is wrong with it; nothing is written.

    Raises:
        StoreFault: there is none, or it may not be read.
    """
    examined = examination.examine(path, organization.scopes)
    return HealthReport(path, examined.findings, examined.counts)
