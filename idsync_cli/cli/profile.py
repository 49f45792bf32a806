"""Look at one profile: what it holds and how that came, and its life as a story."""

from typing import Annotated

import typer

from idsync_cli.cli.environment import (
    draw,
    existing_store,
    load_configuration,
    say,
    terminal_width,
    write,
    write_json,
)
from idsync_cli.cli.options import (
    DEFAULT_CONFIG,
    DEFAULT_STORE,
    AsJson,
    Config,
    Group,
    OnceEach,
    StorePath,
)
from idsync_cli.cli.questions import (
    Limit,
    most_rows,
    mpid_in,
    say_left_out,
    say_meant,
)
from idsync_cli.errors import UsageFault
from idsync_cli.inspect import profiles as inspection
from idsync_cli.inspect.near import meant_by

profile_app = typer.Typer(cls=Group, no_args_is_help=True, rich_markup_mode=None)


@profile_app.command("show", cls=OnceEach)
def profile_show(
    mpid: Annotated[str, typer.Option("--mpid", metavar="MPID", help="The profile to show.")],
    story: Annotated[
        bool,
        typer.Option(
            "--story", help="Its life in order: each request, why, and what it added or took."
        ),
    ] = False,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="The story as Markdown, for a ticket.")
    ] = False,
    limit: Limit = None,
    config: Config = DEFAULT_CONFIG,
    store: StorePath = DEFAULT_STORE,
    as_json: AsJson = False,
) -> int:
    """Show a profile and the request that added each identifier.

    With --story: what made it and why, what joined it by which tier, and what was taken by whom.
    --limit counts identifiers, or the requests of a story.

    The exit status is 1 if there is none with the MPID.

    Example: idsync profile show --mpid -5412 --story
    """
    if markdown and (as_json or not story):
        raise UsageFault("--markdown goes with --story, and without --json")
    number = mpid_in(mpid)
    most = most_rows(limit, as_json=as_json or markdown)
    if story:
        return _show_story(number, most, config, store, as_json=as_json, markdown=markdown)
    organization = load_configuration(config).organization
    with existing_store(store, organization) as opened, opened.reading() as transaction:
        found = inspection.profile(transaction, organization, number, most, whole=as_json)
        meant = None if found.seen else meant_by(transaction, organization, mpid=number)
    if found.seen is None:
        say(f"idsync: no profile has the MPID {number}")
        say_meant(meant)
    elif as_json:
        from idsync_cli.render import store_json

        write_json(store_json.details_json(found))
    else:
        from idsync_cli.render import store as render_store

        draw(*render_store.profile_table(found, terminal_width()))
        say_left_out(len(found.arrivals), found.held, "identifiers")
    return found.exit_status


def _show_story(
    mpid: int, limit: int | None, config: str, store: str, *, as_json: bool, markdown: bool
) -> int:
    from idsync_cli.inspect.story import story as tell

    organization = load_configuration(config).organization
    with existing_store(store, organization) as opened, opened.reading() as transaction:
        told = tell(transaction, organization, mpid, limit, whole=as_json)
        meant = None if told.seen else meant_by(transaction, organization, mpid=mpid)
    if told.seen is None:
        say(f"idsync: no profile has the MPID {mpid}")
        say_meant(meant)
    elif as_json:
        from idsync_cli.render import store_json

        write_json(store_json.story_json(told))
    else:
        from idsync_cli.render import story as render_story
        from idsync_cli.render.theme import text

        if markdown:
            write("\n".join(render_story.story_markdown(told)))
        else:
            draw(*(text(*line) for line in render_story.story_lines(told, limit)))
        say_left_out(len(told.chapters), told.requests, "requests")
    return told.exit_status
