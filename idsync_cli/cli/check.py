"""Check scenarios, for people and for CI."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from difflib import unified_diff
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from idsync_cli.check import run as checking
from idsync_cli.check.results import PASSED, CheckOutcome, Result, Unreadable, totals
from idsync_cli.check.update import Update, update_of
from idsync_cli.cli.check_shown import CheckFormat, Reports, Teller, complain_of
from idsync_cli.cli.environment import say, write, write_lines
from idsync_cli.cli.hints import with_hints
from idsync_cli.cli.opening import load_configuration
from idsync_cli.cli.options import NoExtensions, present_config, present_store
from idsync_cli.core.config.rules import Organization
from idsync_cli.errors import UsageFault, printable, quoted
from idsync_cli.file_faults import FileFault
from idsync_cli.files.config_file import load
from idsync_cli.files.scenario import Scenario
from idsync_cli.files.scenario_file import Load

if TYPE_CHECKING:
    from idsync_cli.files.outputs import Outputs


def check(
    paths: Annotated[
        list[str] | None,
        typer.Argument(metavar="PATH...", help="Scenario files, or folders of them."),
    ] = None,
    matching: Annotated[
        str | None,
        typer.Option(
            "-k",
            metavar="TEXT",
            help="Only scenarios with TEXT in their name or path.",
        ),
    ] = None,
    config: Annotated[
        str | None,
        typer.Option(
            "--config",
            "-c",
            metavar="FILE",
            help="Run them under this configuration instead of their own rules; where they "
            "spell out a scope, under its scope named 'scope' or its only one.",
        ),
    ] = None,
    no_extensions: NoExtensions = False,
    fail_fast: Annotated[
        bool, typer.Option("--fail-fast", help="Stop at the first scenario that does not pass.")
    ] = False,
    quiet: Annotated[
        bool,
        typer.Option("--quiet", help="Show only failures and the totals."),
    ] = False,
    form: Annotated[
        CheckFormat,
        typer.Option(
            "--format",
            metavar="FORMAT",
            help="text (the default), github, tap or junit.",
        ),
    ] = CheckFormat.TEXT,
    junit: Annotated[
        str | None,
        typer.Option("--junit", metavar="FILE", help="Also write a JUnit report to a file."),
    ] = None,
    html: Annotated[
        str | None,
        typer.Option("--html", metavar="FILE", help="Also write an HTML page to send."),
    ] = None,
    update: Annotated[
        bool,
        typer.Option("--update", help="Write the actual results into the scenarios."),
    ] = False,
    init: Annotated[
        bool,
        typer.Option("--init", help="Create a first scenario and a GitHub workflow."),
    ] = False,
) -> int:
    """Run scenarios and report mismatches.

    Each scenario runs in a store of its own. With --config, the mismatches show what the other
    configuration would change. The exit status is 1 if a scenario fails, and 2 if one cannot be
    read or there is none.

    Example: idsync check scenarios/ -k login --junit report.xml
    """
    if init:
        from idsync_cli.cli.check_init import write_starter

        return write_starter(paths or [], present_config() if config is None else config)
    if not paths or "" in paths:
        raise UsageFault(
            "name scenario files or folders, or create the first with: idsync check --init"
        )
    if matching == "":
        raise UsageFault("the text of -k is empty; give part of a name, or omit -k")
    reports = Reports(junit, html)
    if update:
        if fail_fast or reports != Reports() or form is not CheckFormat.TEXT:
            raise UsageFault(
                "--update cannot be combined with --fail-fast, --junit, --html or --format"
            )
        if config is not None or no_extensions:
            raise UsageFault(
                "--update writes what a scenario's own rules answer; omit --config and "
                "--no-extensions, or change the rules that the scenario names"
            )
    rules = None if config is None else load_configuration(config).organization
    files = list(checking.files(map(Path, paths)))
    named = [file.path if isinstance(file, Unreadable) else file for file in files]
    reports.check(lambda: _outputs([file.as_posix() for file in named], config))
    if update:  # a file that is named twice is written once
        for name in [*paths, *(file.as_posix() for file in named)]:
            if not Path(name).is_dir():
                _outputs().check("the scenario file", name)
        once = {
            file.path if isinstance(file, Unreadable) else file.resolve(): file for file in files
        }
        return _update(_Run(list(once.values()), matching), quiet=quiet)
    run = _Run(files, matching, rules, extensions=not no_extensions)
    teller = Teller(form, quiet=quiet)
    outcomes: list[CheckOutcome] = []
    for outcome in run.outcomes():
        outcomes.append(outcome)
        teller.tell(outcome, len(outcomes))
        if fail_fast and outcome.exit_status != PASSED:
            break
    found = totals(outcomes)
    reports.write(outcomes, found)
    teller.close(found, outcomes)
    run.ensure_any(outcomes)
    return found.exit_status


def _outputs(inputs: Sequence[str] = (), config: str | None = None) -> "Outputs":
    from idsync_cli.files.outputs import Outputs  # a check that writes nothing needs no store

    used = [*inputs, *([] if config is None else [config])]
    return Outputs(store=present_store(), configuration=present_config(), inputs=used)


class _Run:
    """The scenarios of some files, one after another; each configuration is read once.

    With `rules` they run under these, whatever their own are; without `extensions` the guard rails
    of either are passed over.
    """

    def __init__(
        self,
        files: Sequence[Path | Unreadable],
        matching: str | None,
        rules: Organization | None = None,
        *,
        extensions: bool = True,
    ) -> None:
        self._files = files
        self._matching = matching
        self._rules = rules
        self._extensions = extensions
        self.load: Load = cache(load)

    def outcomes(self) -> Iterator[CheckOutcome]:
        """Run what is wanted; faults of files come with their hints."""
        for file in self._files:
            if isinstance(file, Unreadable):
                yield _with_hints(file)
                continue
            for outcome in checking.check_file(
                file, self._is_wanted, self.load, self._rules, extensions=self._extensions
            ):
                yield _with_hints(outcome) if isinstance(outcome, Unreadable) else outcome

    def ensure_any(self, outcomes: Sequence[CheckOutcome]) -> None:
        """Raise FileFault if nothing was run."""
        if outcomes:
            return
        if self._matching is not None and self._files:
            raise FileFault([f"no scenario has {quoted(self._matching)} in its name or path"])
        raise FileFault(["the files and folders named contain no scenario"])

    def _is_wanted(self, scenario: Scenario) -> bool:
        text = f"{scenario.name}\n{scenario.path.as_posix()}".casefold()
        return self._matching is None or self._matching.casefold() in text


def _with_hints(file: Unreadable) -> Unreadable:
    return replace(file, fault=with_hints(file.fault))


def _update(run: _Run, *, quiet: bool) -> int:
    """Write what was found into the scenarios, a file at once or not at all."""
    from idsync_cli.render import ci as render_ci

    outcomes = list(run.outcomes())
    run.ensure_any(outcomes)
    teller = Teller(CheckFormat.TEXT, quiet=quiet)
    left: list[CheckOutcome] = []
    for path, group in groupby(outcomes, key=lambda outcome: outcome.path):
        told = list(group)
        results = [each for each in told if isinstance(each, Result)]
        updated = [each for each in results if not each.passed]
        try:
            if updated:
                _write_update(update_of(path, results, run.load))
        except FileFault as fault:
            updated = []
            complain_of(fault)
            say(f"{printable(path.as_posix())} was left unchanged")
        for outcome in told:
            if outcome in updated:
                write_lines([render_ci.verdict(outcome, updated=True)])
            else:
                left.append(outcome)
                teller.tell(outcome, len(left))
    found = totals(left)
    write_lines([[*render_ci.totals_line(found), f", {len(outcomes) - len(left)} updated"]])
    return found.exit_status


def _write_update(update: Update) -> None:
    """Show the difference, and then make it."""
    from idsync_cli.render.ci import inert

    name = printable(update.path.as_posix())
    old, new = (data.decode("utf-8-sig").split("\n") for data in (update.old, update.new))
    for line in unified_diff(old, new, name, name, lineterm="", n=1):
        write(inert(printable(line.removesuffix("\r"))))
    update.apply()
