"""One event batch from options: `idsync track`."""

from collections.abc import Sequence
from typing import Annotated

import typer

from idsync_cli import wire
from idsync_cli.cli.options import (
    DEFAULT_CONFIG,
    DEFAULT_STORE,
    AsJson,
    Config,
    NoExtensions,
    Pairs,
    Scope,
    StorePath,
    Workspace,
    takes_identities,
)
from idsync_cli.cli.request_options import once_each
from idsync_cli.cli.requests import (
    DryRun,
    Explain,
    Force,
    Svg,
    answer_and_show,
    picture_in,
)
from idsync_cli.core.decision import Refusal
from idsync_cli.errors import UsageFault, quoted


@takes_identities
def track(
    identities: Pairs,
    event: Annotated[
        str | None, typer.Option("--event", metavar="NAME", help="The name of an event.")
    ] = None,
    event_type: Annotated[
        str | None,
        typer.Option(
            "--event-type", metavar="TYPE", help=f"Its type (default {wire.CUSTOM_EVENT})."
        ),
    ] = None,
    data: Annotated[
        str | None,
        typer.Option("--data", metavar="JSON", help="Further data of the event: a JSON object."),
    ] = None,
    attribute: Annotated[
        list[str] | None,
        typer.Option(
            "--attribute",
            metavar="NAME=VALUE",
            help="Set an attribute; NAME alone sets a tag. Repeatable.",
        ),
    ] = None,
    delete_attribute: Annotated[
        list[str] | None,
        typer.Option("--delete-attribute", metavar="NAME", help="Delete an attribute; repeatable."),
    ] = None,
    mpid: Annotated[
        str | None,
        typer.Option("--mpid", metavar="MPID", help="The profile, instead of identities."),
    ] = None,
    scope: Scope = None,
    workspace: Workspace = None,
    config: Config = DEFAULT_CONFIG,
    store: StorePath = DEFAULT_STORE,
    no_extensions: NoExtensions = False,
    dry_run: DryRun = False,
    explain: Explain = False,
    svg: Svg = None,
    force: Force = False,
    as_json: AsJson = False,
) -> int:
    """Record an event or attributes on the user's profile.

    Example: idsync track --email a@example.com --event signup
    """
    if mpid is not None and identities:
        raise UsageFault("--mpid cannot be combined with identity options; give one of them")
    batch = wire.tracked(
        once_each(identities),
        event=event,
        event_type=event_type,
        data=None if data is None else _object(data),
        attributes=_attributes(attribute or ()),
        deleted=delete_attribute,
    )
    batch |= {"mpid": mpid, "scope": scope, "workspace": workspace}
    return answer_and_show(
        batch,
        config,
        store,
        no_extensions=no_extensions,
        dry_run=dry_run,
        explain=explain,
        as_json=as_json,
        keep_picture=picture_in(svg, config, store, force=force, dry_run=dry_run),
    )


def _object(text: str) -> wire.Json:
    """A JSON object.

    Raises:
        UsageFault: it is none.
    """
    try:
        value = wire.decode_json(text.encode("utf-8", "surrogateescape"), wire.OF_OBJECT)
    except Refusal as refusal:
        raise UsageFault(f"--data: {refusal.message}") from None
    if not isinstance(value, dict):
        raise UsageFault(f"--data {quoted(text)} is not a JSON object, between {{ and }}")
    return value


def _attributes(given: Sequence[str]) -> dict[str, str | None]:
    """The attributes by their names.

    Raises:
        UsageFault: one is given twice.
    """
    found: dict[str, str | None] = {}
    for each in given:
        name, equals, value = each.partition("=")
        if name in found:
            raise UsageFault(f"the attribute {quoted(name)} is given twice; give it once")
        found[name] = value if equals else None
    return found
