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
    NoExtensions,
    OnceEach,
    StorePath,
)
from idsync_cli.core.decision import Refusal
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
    no_extensions: NoExtensions = False,
    as_json: AsJson = False,
) -> int:
    """Show who holds an identifier and whether a search finds them.

    Protected profiles are included, with the reason why a search does not return them.

    The exit status is 1 if nobody holds it.

    Example: idsync whois email=a@example.com
    """
    asked = _identifier(identifier)
    organization = load_configuration(config, no_extensions=no_extensions).organization
    with existing_store(store, organization) as opened, opened.reading() as transaction:
        check_scope(scope, organization, transaction)
        found = inspection.whois(transaction, organization, asked, seed=opened.seed, scope=scope)
    if as_json:
        from idsync_cli.render import store_json

        write_json(store_json.whois_json(found))
    if not found.holders:
        forms = dict.fromkeys(quoted(each.value) for each in found.read_as.values())
        read_as = f", read as {' or '.join(forms)}" if forms else ""
        say(f"idsync: no profile holds {asked.type} {quoted(asked.value)}{read_as}")
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
    """Show a profile and the request that added each identifier.

    With --story: what made it and why, what joined it by which tier, and what was taken by whom.

    The exit status is 1 if there is none with the MPID.

    Example: idsync profile show --mpid -5412 --story
    """
    if markdown and (as_json or not story):
        raise UsageFault("--markdown goes with --story, and without --json")
    number = _mpid(mpid)
    if story:
        return _show_story(number, config, store, as_json=as_json, markdown=markdown)
    organization = load_configuration(config).organization
    with existing_store(store, organization) as opened, opened.reading() as transaction:
        found = inspection.profile(transaction, organization, number)
    if found.profile is None:
        say(f"idsync: no profile has the MPID {number}")
    elif as_json:
        from idsync_cli.render import store_json

        write_json(store_json.details_json(found))
    else:
        from idsync_cli.render import store as render_store

        draw(*render_store.profile_table(found, terminal_width()))
    return found.exit_status


def _show_story(mpid: int, config: str, store: str, *, as_json: bool, markdown: bool) -> int:
    from idsync_cli.inspect.story import story as tell

    organization = load_configuration(config).organization
    with existing_store(store, organization) as opened, opened.reading() as transaction:
        told = tell(transaction, organization, mpid)
    if told.profile is None:
        say(f"idsync: no profile has the MPID {mpid}")
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
    if not found.total:
        say(f"idsync: no history for {what}")
    if shown:
        from idsync_cli.render import store as render_store

        draw(
            f"changes of {what}",
            render_store.history_table(
                shown, mpid=number, identifier=asked, width=terminal_width()
            ),
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
    number = parse_mpid(text)
    if number is None:
        raise UsageFault(
            f"--mpid {quoted(text)} is not an MPID: give digits, optionally with a leading minus"
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
