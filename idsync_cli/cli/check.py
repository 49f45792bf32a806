"""Check scenarios."""

from pathlib import Path
from typing import Annotated

import typer

from idsync_cli import check as checking
from idsync_cli.cli.surroundings import draw, say, terminal_width, write
from idsync_cli.errors import FileFault, printable
from idsync_cli.scenario_file import find, read_scenarios


def check(
    paths: Annotated[
        list[str], typer.Argument(metavar="PATH...", help="Scenario files, or folders of them.")
    ],
) -> int:
    """Run scenarios, each in a store of its own, and say what was expected otherwise.

    The exit status is 1 if a scenario failed, and 2 if one cannot be read.

    Example: idsync check scenarios/
    """
    from idsync_cli import render

    passed = failed = unreadable = 0
    for path in find([Path(path) for path in paths]):
        try:
            for scenario in read_scenarios(path):
                result = checking.check(scenario)
                passed, failed = passed + result.passed, failed + (not result.passed)
                place = f"{path.as_posix()}:{scenario.line}"
                verdict = "ok    " if result.passed else "FAILED"
                write(printable(f"{verdict} {scenario.name} ({place})"))
                if not result.passed:
                    draw(*render.mismatches(result, terminal_width()))
        except FileFault as fault:
            unreadable += 1
            say(str(fault))
    if not passed + failed + unreadable:
        raise FileFault(["there is no scenario in what was named"])
    write(f"{passed} passed, {failed} failed" + (f", {unreadable} unreadable" * bool(unreadable)))
    return 2 if unreadable else int(failed > 0)
