"""Look into a store: profiles, who holds an identifier, how it came, and what is there."""

from itertools import islice
from typing import Annotated

import typer

from idsync_cli import wire
from idsync_cli.cli import completion
from idsync_cli.cli.environment import (
    check_scope,
    draw,
    existing_store,
    load_configuration,
    say,
    say_line,
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
from idsync_cli.core.decision import Refusal
from idsync_cli.core.erasure import Erasure
from idsync_cli.core.identity import Identifier, IdentityType, parse_mpid, value_fault
from idsync_cli.errors import UsageFault, printable, quoted
from idsync_cli.inspect import profiles as inspection
from idsync_cli.store.api import ProfileFilter

ROWS_SHOWN = 50
"""How many rows a table has, unless told otherwise."""

OneScope = Annotated[
    str | None,
    typer.Option(
        "--scope",
        metavar="NAME",
        help="Only this scope.",
        autocompletion=completion.scopes,
    ),
]
Limit = Annotated[
    int | None,
    typer.Option(
        "--limit",
        metavar="N",
        min=1,
        max=10**9,
        help=f"At most N rows (default: {ROWS_SHOWN} in a table, all with --json)",
    ),
]

profile_app = typer.Typer(cls=Group, no_args_is_help=True, rich_markup_mode=None)


def profiles(
    scope: OneScope = None,
    known: Annotated[bool, typer.Option("--known", help="Only known profiles.")] = False,
    anonymous: Annotated[
        bool, typer.Option("--anonymous", help="Only anonymous profiles.")
    ] = False,
    orphaned: Annotated[
        bool, typer.Option("--orphaned", help="Only profiles that no request can return.")
    ] = False,
    holding: Annotated[
        str | None,
        typer.Option(
            "--with",
            metavar="TYPE",
            help="Only profiles with an identifier of this type.",
            autocompletion=completion.types,
        ),
    ] = None,
    limit: Limit = None,
    config: Config = DEFAULT_CONFIG,
    store: StorePath = DEFAULT_STORE,
    as_json: AsJson = False,
) -> int:
    """List profiles, oldest first.

    With --json, profiles are written as by export.

    Example: idsync profiles --known --with email
    """
    if known and anonymous:
        raise UsageFault("no profile is both known and anonymous; omit one of the options")
    wanted = ProfileFilter(
        scope,
        None if holding is None else _identity_type(holding),
        known=True if known else False if anonymous else None,
        orphaned=True if orphaned else None,
    )
    organization = load_configuration(config).organization
    with existing_store(store, organization) as opened, opened.reading() as transaction:
        check_scope(scope, organization, transaction)
        if as_json:
            for each in islice(inspection.profiles(transaction, organization, wanted), limit):
                write_json(wire.profile_json(each))
            return 0
        most = limit or ROWS_SHOWN
        found = inspection.first_profiles(transaction, organization, wanted, most)
    shown = found.profiles
    if shown:
        from idsync_cli.render import store as render_store

        draw(render_store.profiles_table(shown, terminal_width()))
        if found.total > len(shown):
            write(_more_line(len(shown), found.total, "profiles"))
    else:
        write("no matching profiles")
    return found.exit_status


def whois(
    identifier: Annotated[
        str,
        typer.Argument(
            metavar="TYPE=VALUE",
            help="An identifier, such as idfv=9876.",
            autocompletion=completion.types_with_value,
        ),
    ],
    scope: OneScope = None,
    config: Config = DEFAULT_CONFIG,
    store: StorePath = DEFAULT_STORE,
    as_json: AsJson = False,
) -> int:
    """Show who holds an identifier and whether a search finds them.

    Protected profiles are included, with the reason why a search does not return them.

    The exit status is 1 if nobody holds it.

    Example: idsync whois email=a@example.com
    """
    asked = _identifier(identifier)
    organization = load_configuration(config).organization
    with existing_store(store, organization) as opened, opened.reading() as transaction:
        check_scope(scope, organization, transaction)
        found = inspection.whois(transaction, organization, asked, seed=opened.seed, scope=scope)
    if as_json:
        from idsync_cli.render import store_json

        write_json(store_json.whois_json(found))
    if not found.holders:
        say(f"idsync: no profile holds {asked.type} {quoted(asked.value)}")
    elif not as_json:
        from idsync_cli.render import store as render_store

        draw(*render_store.whois(found, terminal_width()))
    return found.exit_status


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
    config: Config = DEFAULT_CONFIG,
    store: StorePath = DEFAULT_STORE,
    as_json: AsJson = False,
) -> int:
    """Show a profile, the request that added each identifier, and its data.

    With --story: the request that created it and why, what joined it and by which tier, and what
    was taken from it and by whom.

    The exit status is 1 if no profile has the MPID.

    Example: idsync profile show --mpid -5412 --story
    """
    if markdown and (as_json or not story):
        raise UsageFault("--markdown needs --story, and cannot be combined with --json")
    number = _mpid(mpid)
    if story:
        return _show_story(number, config, store, as_json=as_json, markdown=markdown)
    organization = load_configuration(config).organization
    with existing_store(store, organization) as opened, opened.reading() as transaction:
        found = inspection.profile(transaction, organization, number)
    from idsync_cli.render import profile_data

    if found.profile is None:
        _say_who_is_not_there(number, found.erasure)
    elif as_json:
        from idsync_cli.render import store_json

        more = {} if found.data is None else profile_data.data_json(found.data)
        write_json(store_json.details_json(found) | more)
    else:
        from idsync_cli.render import store as render_store

        width = terminal_width()
        more_pieces = [] if found.data is None else profile_data.pieces(found.data, width)
        draw(*render_store.profile_table(found, width), *more_pieces)
    return found.exit_status


def _show_story(mpid: int, config: str, store: str, *, as_json: bool, markdown: bool) -> int:
    from idsync_cli.inspect.story import story as tell

    organization = load_configuration(config).organization
    with existing_store(store, organization) as opened, opened.reading() as transaction:
        told = tell(transaction, organization, mpid)
    if told.profile is None:
        _say_who_is_not_there(mpid, told.erasure)
    elif as_json:
        from idsync_cli.render import store_json

        write_json(store_json.story_json(told))
    else:
        from idsync_cli.render import story as render_story
        from idsync_cli.render.theme import text

        if markdown:
            write("\n".join(render_story.story_markdown(told)))
        else:
            draw(*(text(*line) for line in render_story.story_lines(told)))
    return told.exit_status


def _say_who_is_not_there(mpid: int, erasure: Erasure | None) -> None:
    """Say that no profile has an MPID, or that it was erased."""
    if erasure is None:
        say(f"idsync: no profile has the MPID {mpid}")
        return
    from idsync_cli.render import store as render_store

    say_line(["idsync: ", *render_store.erased_line(erasure)])


def history(
    identifier: Annotated[
        str | None,
        typer.Argument(
            metavar="TYPE=VALUE",
            help="An identifier, such as email=a@example.com.",
            autocompletion=completion.types_with_value,
        ),
    ] = None,
    mpid: Annotated[str | None, typer.Option("--mpid", metavar="MPID", help="A profile.")] = None,
    limit: Limit = None,
    config: Config = DEFAULT_CONFIG,
    store: StorePath = DEFAULT_STORE,
    as_json: AsJson = False,
) -> int:
    """Show every change to a profile or an identifier.

    The oldest change comes first. For an identifier, the changes of every profile that held it are
    shown; with a profile too, only those of that profile.

    The exit status is 1 if there is no history.

    Example: idsync history email=a@example.com
    """
    if identifier is None and mpid is None:
        raise UsageFault(
            "name a profile with --mpid, or an identifier, such as email=a@example.com"
        )
    number = None if mpid is None else _mpid(mpid)
    asked = None if identifier is None else _identifier(identifier)
    most = limit if as_json else limit or ROWS_SHOWN
    organization = load_configuration(config).organization
    with existing_store(store, organization) as opened, opened.reading() as transaction:
        found = inspection.history(transaction, mpid=number, identifier=asked, limit=most)
        if as_json:
            from idsync_cli.render import store_json

            for entry in found.entries:
                write_json(store_json.entry_json(entry))
        shown = list(found.entries)
    whose = [] if asked is None else [f"{asked.type} {printable(asked.value)}"]
    whose += [] if number is None else [f"profile {number}"]
    what = " on ".join(whose)
    if found.exit_status:
        say(f"idsync: no history for {what}")
    if shown:
        from idsync_cli.render.history import history_table

        draw(
            f"changes of {what}",
            history_table(shown, mpid=number, identifier=asked, width=terminal_width()),
        )
        if found.total > len(shown):
            write(_more_line(len(shown), found.total, "changes"))
    return found.exit_status


def stats(
    config: Config = DEFAULT_CONFIG, store: StorePath = DEFAULT_STORE, as_json: AsJson = False
) -> int:
    """Count profiles, identifiers and what decided changes.

    Only requests that changed the store are counted; others leave no trace in it. Orphaned
    profiles are also counted as known or anonymous.

    Example: idsync stats
    """
    organization = load_configuration(config).organization
    with existing_store(store, organization) as opened, opened.reading() as transaction:
        counted = inspection.stats(transaction, organization)
    if as_json:
        from idsync_cli.render import store_json

        write_json(store_json.statistics_json(counted))
    else:
        from idsync_cli.render import store as render_store

        draw(*render_store.stats(counted, terminal_width()))
    return counted.exit_status


def _mpid(text: str) -> int:
    return mpid_in("--mpid", text)


def mpid_in(option: str, text: str) -> int:
    """Read the MPID that an option names.

    Raises:
        UsageFault: it is none.
    """
    number = parse_mpid(text)
    if number is None:
        raise UsageFault(
            f"{option} {quoted(text)} is not an MPID: give digits, optionally with a leading minus"
        )
    return number


def _identity_type(name: str) -> IdentityType:
    try:
        return wire.identity_type_of(name)
    except Refusal as refusal:
        raise UsageFault(refusal.message) from None


def _identifier(text: str) -> Identifier:
    """Read TYPE=VALUE as a request would."""
    name, equals, value = text.partition("=")
    if not equals:
        raise UsageFault(f"{quoted(text)} is not TYPE=VALUE, such as email=a@example.com")
    kind = _identity_type(name)
    if not value:
        raise UsageFault(f"the value of {quoted(name)} is empty; give one")
    fault = value_fault(value)
    if fault:
        raise UsageFault(f"the value {quoted(value)} of {kind} {fault}")
    return Identifier(kind, value)


def _more_line(shown: int, of: int, what: str) -> str:
    from idsync_cli.cli import hints
    from idsync_cli.render import store as render_store

    return render_store.more_line(shown, of, what, hints.SHOW_MORE.format(of, of - shown))
