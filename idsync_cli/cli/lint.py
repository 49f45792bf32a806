"""Lint of data: does what requests carry fit the strategy?"""

from enum import StrEnum
from typing import Annotated

import typer

from idsync_cli.cli.environment import draw, now_ms, say, terminal_width, write, write_json
from idsync_cli.cli.input_files import checked_target, readable, say_order
from idsync_cli.cli.opening import existing_store, load_configuration
from idsync_cli.cli.options import (
    DEFAULT_CONFIG,
    DEFAULT_STORE,
    AsJson,
    Config,
    NoExtensions,
    Scope,
    StorePath,
    Workspace,
)
from idsync_cli.cli.progress import files_progress
from idsync_cli.core.config.rules import Organization
from idsync_cli.errors import UsageFault
from idsync_cli.foresight.comparing.work import SideJob
from idsync_cli.foresight.linting.findings import Weight
from idsync_cli.foresight.linting.lint import Lint, lint_files, lint_store, tried


class LintFormat(StrEnum):
    """Who the findings are for."""

    TEXT = "text"
    GITHUB = "github"


def lint(
    files: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[FILE...]", help="Requests, one per line (.gz too); default: the store."
        ),
    ] = None,
    fail_on: Annotated[
        Weight | None,
        typer.Option(
            "--fail-on",
            metavar="WEIGHT",
            help="Fail on findings of at least this: high, medium or low.",
        ),
    ] = None,
    trying: Annotated[
        bool, typer.Option("--try", help="Compare each proposed priority with the current one.")
    ] = False,
    redact: Annotated[bool, typer.Option("--redact", help="Hide the values.")] = False,
    form: Annotated[
        LintFormat, typer.Option("--format", help="Text for people, or GitHub annotations.")
    ] = LintFormat.TEXT,
    scope: Scope = None,
    workspace: Workspace = None,
    config: Config = DEFAULT_CONFIG,
    store: StorePath = DEFAULT_STORE,
    no_extensions: NoExtensions = False,
    as_json: AsJson = False,
) -> int:
    """Report where requests or a store do not fit the strategy.

    It finds shared login IDs, placeholders, a priority that the data contradicts and values in
    several forms, and shows the evidence and the lines of YAML that help. Files are replayed into a
    temporary store; nothing is written. The exit status is 1 only with --fail-on.

    Example: idsync lint requests.jsonl
    """
    if as_json and form is not LintFormat.TEXT:
        raise UsageFault("--json and --format github cannot be combined; choose one")
    organization = load_configuration(config, no_extensions=no_extensions).organization
    if files:
        found = _of_files(files, organization, scope, workspace, trying=trying)
    else:
        if trying:
            raise UsageFault("--try needs requests to compare with; name a FILE of them")
        if scope is not None or workspace is not None:
            raise UsageFault(
                "--scope and --workspace are for requests; name a FILE of them, or omit both"
            )
        with existing_store(store, organization) as opened, opened.reading() as transaction:
            found = lint_store(transaction, organization)
    from idsync_cli.render import lint as render

    if as_json:
        write_json(render.lint_json(found, redact=redact))
    elif form is LintFormat.GITHUB:
        for line in render.lint_for_github(found, "idsync lint", redact=redact):
            write(line)
    else:
        draw(*render.lint_pieces(found, terminal_width(), redact=redact))
    return found.exit_status(fail_on)


def _of_files(
    files: list[str],
    organization: Organization,
    scope: str | None,
    workspace: str | None,
    *,
    trying: bool,
) -> Lint:
    target = checked_target(organization, scope, workspace)
    with readable(files) as found:
        say_order(found)
        job = SideJob(
            organization=organization,
            target=target,
            files=tuple(found),
            scopes=tuple(organization.scopes),
            seed=0,
            store=None,
            now_ms=now_ms(),
            folder="",
        )
        with files_progress([each.path for each in found]) as advance:
            linted = lint_files(job, advance)
        if not linted.requests:
            say("note: the files contain no requests")
        return linted._replace(tried=dict(tried(linted, job))) if trying else linted
