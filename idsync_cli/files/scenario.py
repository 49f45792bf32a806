"""A scenario: a story with its rules, and what is expected of it (section 8)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from idsync_cli.core.config.rules import Organization
from idsync_cli.core.decision import Word
from idsync_cli.core.identity import Identifier
from idsync_cli.file_faults import Fault
from idsync_cli.files.scenario_data import ExpectedProfile
from idsync_cli.files.yaml_tree import Node
from idsync_cli.wire import Json


@dataclass(frozen=True, slots=True)
class Given:
    """A profile that is there before the first step; without an MPID, the store derives one."""

    scope: str
    mpid: int | None
    identifiers: tuple[Identifier, ...]
    line: int
    fault: "Callable[[str, Word], Fault]" = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Step:
    """One request, as a line of JSON would hold it, and what is expected of its answer.

    What `expect` leaves out is not checked; identifier types stand in it by canonical name.
    `written` has the nodes of the file that `expect` was read from.
    """

    kind: str
    request: Json
    expect: Mapping[str, Any]
    line: int
    written: Mapping[str, Node] = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Scenario:
    """A story with its rules; `profiles` says what each must have at the end.

    `now_ms` is what the clock says all the time, in milliseconds since 1970, UTC. `document` counts
    the scenarios of the file from 1, and `written` has the nodes of the file that `profiles` was
    read from.
    """

    name: str
    path: Path
    line: int
    organization: Organization
    given: tuple[Given, ...]
    steps: tuple[Step, ...]
    profiles: Mapping[str, ExpectedProfile]
    document: int = 1
    now_ms: int = 0
    written: Mapping[str, Node] = field(default_factory=dict, compare=False, repr=False)
