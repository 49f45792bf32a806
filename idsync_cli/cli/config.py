"""Look at a configuration, before and while it is used."""

import sys
from enum import StrEnum
from typing import Annotated

import typer

from idsync_cli.cli.environment import (
    draw,
    now_ms,
    terminal_width,
    width_of_excerpts,
    write,
    write_json,
    write_lines,
)
from idsync_cli.cli.opening import existing_store, load_configuration
from idsync_cli.cli.options import (
    DEFAULT_CONFIG,
    DEFAULT_STORE,
    AsJson,
    CommandGroup,
    Config,
    NoExtensions,
    OnceEach,
    StorePath,
)
from idsync_cli.file_faults import FileFault

app = typer.Typer(cls=CommandGroup, no_args_is_help=True, rich_markup_mode=None)


class ConfigFormat(StrEnum):
    """Who the warnings are for."""

    TEXT = "text"
    GITHUB = "github"


@app.command("show", cls=OnceEach)
def show(config: Config = DEFAULT_CONFIG, as_json: AsJson = False) -> int:
    """Show every scope: its priority, strategy and workspaces.

    Example: idsync config show
    """
    from idsync_cli.render import config as render_config

    organization = load_configuration(config).organization
    if as_json:
        write_json(render_config.organization_json(organization))
    else:
        draw(*render_config.organization_tables(organization, terminal_width()))
    return 0


@app.command("lint", cls=OnceEach)
def lint(
    config: Config = DEFAULT_CONFIG,
    form: Annotated[
        ConfigFormat, typer.Option("--format", help="Text for people, or GitHub annotations.")
    ] = ConfigFormat.TEXT,
) -> int:
    """Warn about valid settings that are often a mistake.

    The exit status is 2 if the configuration has errors, and 0 otherwise.

    Example: idsync config lint --format github
    """
    from idsync_cli.cli.hints import with_hints
    from idsync_cli.render import ci as render_ci
    from idsync_cli.render import config as render_config

    try:
        warnings = load_configuration(config).warnings
    except FileFault as fault:
        if form is ConfigFormat.TEXT:
            raise
        write("\n".join(render_ci.faults_for_github(with_hints(fault))))
        return fault.exit_status
    if not warnings:
        from idsync_cli.render.theme import Look

        write_lines([[("no warnings", Look.OK)]])
    elif form is ConfigFormat.GITHUB:
        write("\n".join(render_config.warnings_for_github(warnings)))
    else:
        write_lines(render_config.warning_lines(warnings, width_of_excerpts(sys.stdout)))
    return 0


@app.command("plan", cls=OnceEach)
def plan(
    config: Config = DEFAULT_CONFIG,
    store: StorePath = DEFAULT_STORE,
    no_extensions: NoExtensions = False,
    as_json: AsJson = False,
) -> int:
    """Show what a configuration would change in a store.

    The configuration is compared with the rules under which the store was last changed. Nothing is
    written. The exit status is 1 if anything would change.

    Example: idsync config plan --config new.yaml
    """
    from idsync_cli.inspect import plan as planning
    from idsync_cli.render import plan as render_plan

    organization = load_configuration(config, no_extensions=no_extensions).organization
    with existing_store(store, organization) as opened, opened.reading() as transaction:
        limit = None if as_json else planning.SHOWN
        found = planning.plan(organization, transaction, now_ms=now_ms(), limit=limit)
    if as_json:
        write_json(render_plan.plan_json(found))
    else:
        draw(*render_plan.plan_text(found, terminal_width()))
    return found.exit_status
