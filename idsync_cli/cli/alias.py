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
        typer.Option(
            "--start", metavar="T", help="Start of the window (default: 90 days before its end)."
        ),
    ] = None,
    end: Annotated[
        str | None, typer.Option("--end", metavar="T", help="End of the window (default: now).")
    ] = None,
    scope: Scope = None,
    workspace: Workspace = None,
    config: Config = DEFAULT_CONFIG,
    store: StorePath = DEFAULT_STORE,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> int:
    """Copy one profile's events to another, within a window.

    The window is at most 90 days. Events of that time that arrive later are copied, too, and so
    is the install attribution. Identifiers, attributes, devices and consent are not. Write times
    like 2026-01-31T12:00:00Z, or in milliseconds since 1970.

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
