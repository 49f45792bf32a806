"""The configuration that a page shows."""

from typing import NamedTuple

from idsync_cli.core.config.rules import Organization
from idsync_cli.file_faults import Fault


class ShownRules(NamedTuple):
    """A configuration as it holds: its rules, what lint says of it, and its text."""

    organization: Organization
    warnings: tuple[Fault, ...] = ()
    text: str = ""


class CurrentRules:
    """The configuration that holds; `shown` is set anew when that changes."""

    def __init__(self, shown: ShownRules) -> None:
        self.shown = shown
