"""Look at one profile: what it holds and how that came, and its life as a story."""

from typing import Annotated

import typer

from idsync_cli.cli.environment import draw, say, say_line, terminal_width, write, write_json
from idsync_cli.cli.opening import existing_store, load_configuration
from idsync_cli.cli.options import (
    DEFAULT_CONFIG,
    DEFAULT_STORE,
    AsJson,
    CommandGroup,
    Config,
    OnceEach,
    StorePath,
)
from idsync_cli.cli.questions import (
    AsOf,
    Limit,
    look_back,
    most_rows,
    mpid_in,
    say_left_out,
    say_meant,
)
from idsync_cli.core.erasure import Erasure
from idsync_cli.errors import UsageFault
from idsync_cli.inspect import profiles as inspection
from idsync_cli.inspect.near import Meant, meant_by

profile_app = typer.Typer(cls=CommandGroup, no_args_is_help=True, rich_markup_mode=None)


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
    at: AsOf = None,
    config: Config = DEFAULT_CONFIG,
    store: StorePath = DEFAULT_STORE,
    as_json: AsJson = False,
) -> int:
    """Show a profile, what added each identifier, and its data.

    With --story: the request that created it and why, what joined it and by which tier, and what
    was taken from it and by whom. --limit counts identifiers, or the requests of a story.

    The exit status is 1 if no profile has the MPID, or with --at, if none had it by then.

    Example: idsync profile show --mpid -5412 --story
    """
    if markdown and (as_json or not story):
        raise UsageFault("--markdown needs --story, and cannot be combined with --json")
    if story and at is not None:
        raise UsageFault("--story covers every request; omit --at or --story")
    number = mpid_in("--mpid", mpid)
    most = most_rows(limit, as_json=as_json or markdown)
    if story:
        return _show_story(number, most, config, store, as_json=as_json, markdown=markdown)
    organization = load_configuration(config).organization
    with existing_store(store, organization) as opened, opened.reading() as transaction:
        look_back(transaction, at, number)
        found = inspection.profile(transaction, organization, number, most, whole=as_json)
        meant = None if found.seen else meant_by(transaction, organization, mpid=number)
    from idsync_cli.render import profile_data

    if found.created_later is not None:
        say(
            f"idsync: no profile had the MPID {number} after request {at}; request "
            f"{found.created_later} created it"
        )
    elif found.seen is None:
        _say_who_is_not_there(number, found.erasure, meant)
    elif as_json:
        from idsync_cli.render import store_json

        more = {} if found.data is None else profile_data.data_json(found.data)
        write_json(store_json.details_json(found) | more)
    else:
        from idsync_cli.render import store as render_store

        width = terminal_width()
        more_pieces = [] if found.data is None else profile_data.pieces(found.data, width, most)
        draw(*render_store.profile_table(found, width))
        say_left_out(len(found.arrivals), found.held, "identifiers")
        if more_pieces:
            draw(*more_pieces)
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
        _say_who_is_not_there(mpid, told.erasure, meant)
    elif as_json:
        from idsync_cli.render import store_json

        write_json(store_json.story_json(told))
    else:
        from idsync_cli.render import story as render_story
        from idsync_cli.render.breaking import broken
        from idsync_cli.render.theme import text

        if markdown:
            write("\n".join(render_story.story_markdown(told)))
        else:
            width = terminal_width()
            lines = render_story.story_lines(told, limit)
            draw(*(broken(text(*line), width, indent=4) for line in lines))
        say_left_out(len(told.chapters), told.requests, "requests")
    return told.exit_status


def _say_who_is_not_there(mpid: int, erasure: Erasure | None, meant: Meant | None) -> None:
    """Say that no profile has an MPID, and which may be meant, or that it was erased."""
    if erasure is None:
        from idsync_cli.render.near import nobody_has

        say(f"idsync: {nobody_has(mpid)}")
        say_meant(meant)
        return
    from idsync_cli.render import store as render_store

    say_line(["idsync: ", *render_store.erased_line(erasure)])
