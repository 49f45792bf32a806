"""Look at a configuration."""

import typer

from idsync_cli.cli.options import DEFAULT_CONFIG, AsJson, Config, OnceEach
from idsync_cli.cli.surroundings import draw, load_configuration, write, write_json

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@app.command("show", cls=OnceEach)
def show(config: Config = DEFAULT_CONFIG, as_json: AsJson = False) -> int:
    """Show every scope: its strategy in words, its priority, its workspaces.

    Example: idsync config show
    """
    from idsync_cli import render

    organization = load_configuration(config).organization
    if as_json:
        write_json(render.organization_json(organization))
    else:
        draw(*render.organization_tables(organization))
    return 0


@app.command("lint", cls=OnceEach)
def lint(config: Config = DEFAULT_CONFIG) -> int:
    """Warn of what is accepted and often not meant; faults give the exit status 2.

    Example: idsync config lint
    """
    warnings = load_configuration(config).lint
    for warning in warnings:
        write(warning)
    if not warnings:
        write("nothing to warn of")
    return 0
