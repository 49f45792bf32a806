"""`idsync alias`: what one profile did is another's, too (section 9)."""

from typing import Annotated

import typer

from idsync_cli import wire
from idsync_cli.cli.moments import moment_in
from idsync_cli.cli.options import (
    DEFAULT_CONFIG,
    DEFAULT_STORE,
    AsJson,
    Config,
    Scope,
    StorePath,
    Workspace,
)
from idsync_cli.cli.requests import DryRun, answer_and_show
from idsync_cli.core.codes import RequestKind


def alias(
    source: Annotated[
        str, typer.Option("--source", metavar="MPID", help="The profile whose events are copied.")
    ],
    destination: Annotated[
        str, typer.Option("--destination", metavar="MPID", help="The profile that gets them.")
    ],
    start: Annotated[
        str | None,
        typer.Option("--start", metavar="T", help="From when (default: 90 days before the end)."),
    ] = None,
    end: Annotated[
        str | None, typer.Option("--end", metavar="T", help="Until when (default: now).")
    ] = None,
    scope: Scope = None,
    workspace: Workspace = None,
    config: Config = DEFAULT_CONFIG,
    store: StorePath = DEFAULT_STORE,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> int:
    """Give one profile's events to another, within a window.

    The window is 90 days at most. The install attribution is given, too.
    Times are like 2026-01-31T12:00:00Z, or in milliseconds since 1970. Events of that time that
    come later are copied, too. Identifiers, attributes, devices and consent are not.

    Example: idsync alias --source -5412 --destination 771
    """
    request: wire.Json = {
        "type": RequestKind.ALIAS.value,
        "scope": scope,
        "workspace": workspace,
        "source_mpid": source,
        "destination_mpid": destination,
        "start_unixtime_ms": None if start is None else moment_in("--start", start),
        "end_unixtime_ms": None if end is None else moment_in("--end", end),
    }
    return answer_and_show(
        request, config, store, dry_run=dry_run, explain=False, as_json=as_json, keep_picture=None
    )
