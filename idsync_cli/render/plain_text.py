"""Explanations as plain lines for files and logs, whatever the terminal is and can."""

from idsync_cli.check.results import CheckOutcome, Result
from idsync_cli.render import answers
from idsync_cli.render.paper import lines

WIDTH = 100
"""The columns of what is kept in reports, the same on every machine."""


def explained(outcome: CheckOutcome) -> list[str]:
    """What a scenario expected and found, with the table of each step that differs."""
    if not isinstance(outcome, Result) or outcome.passed:
        return []
    return lines(answers.mismatches(outcome, WIDTH), WIDTH)
