"""Look into a store: profiles, who holds an identifier, how it came, and what is there."""

from itertools import islice
from typing import Annotated

import typer

from idsync_cli import wire
from idsync_cli.cli import completion
from idsync_cli.cli.environment import draw, say, terminal_width, write, write_json, write_lines
from idsync_cli.cli.opening import check_scope, existing_store, load_configuration
from idsync_cli.cli.options import (
    DEFAULT_CONFIG,
    DEFAULT_STORE,
    AsJson,
    Config,
    NoExtensions,
    StorePath,
)
from idsync_cli.cli.questions import (
    ROWS_SHOWN,
    AsOf,
    Limit,
    OneScope,
    identifier_in,
    identity_type_in,
    look_back,
    most_rows,
    mpid_in,
    say_left_out,
    say_meant,
)
from idsync_cli.core.erasure import Erasure
from idsync_cli.errors import UsageFault, quoted
from idsync_cli.inspect import profiles as inspection
from idsync_cli.inspect.near import meant_by
from idsync_cli.inspect.whois import whois as who_holds
from idsync_cli.store.values import ProfileFilter
from idsync_cli.visible import visible


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
    at: AsOf = None,
    config: Config = DEFAULT_CONFIG,
    store: StorePath = DEFAULT_STORE,
    as_json: AsJson = False,
) -> int:
    """List profiles, oldest first.

    With --json, profiles are written as by export. With --at, whether they are known follows from
    the present configuration, too.

    Example: idsync profiles --known --with email
    """
    if known and anonymous:
        raise UsageFault("no profile is both known and anonymous; omit one of the options")
    wanted = ProfileFilter(
        scope,
        None if holding is None else identity_type_in(holding),
        known=True if known else False if anonymous else None,
        orphaned=True if orphaned else None,
    )
    organization = load_configuration(config).organization
    with existing_store(store, organization) as opened, opened.reading() as transaction:
        check_scope(scope, organization, transaction)
        look_back(transaction, at)
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
        say_left_out(len(shown), found.total, "profiles")
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
    limit: Limit = None,
    config: Config = DEFAULT_CONFIG,
    store: StorePath = DEFAULT_STORE,
    no_extensions: NoExtensions = False,
    as_json: AsJson = False,
) -> int:
    """Show who holds an identifier, and if a search finds them.

    Protected profiles are included, with the reason why a search does not return them.

    The exit status is 1 if nobody holds it.

    Example: idsync whois email=a@example.com
    """
    asked = identifier_in(identifier, for_an_mpid="idsync profile show --mpid")
    organization = load_configuration(config, no_extensions=no_extensions).organization
    with existing_store(store, organization) as opened, opened.reading() as transaction:
        check_scope(scope, organization, transaction)
        found = who_holds(
            transaction,
            organization,
            asked,
            seed=opened.seed,
            scope=scope,
            limit=most_rows(limit, as_json=as_json),
            whole=as_json,
        )
        scopes = transaction.scopes() if scope is None else [scope]
        meant = None if found.held_by else meant_by(transaction, organization, [asked], scopes)
    if as_json:
        from idsync_cli.render import store_json

        write_json(store_json.whois_json(found))
    if not found.holders:
        forms = dict.fromkeys(quoted(each.value) for each in found.read_as.values())
        read_as = f", read as {' or '.join(forms)}" if forms else ""
        say(f"idsync: no profile holds {asked.type} {quoted(asked.value)}{read_as}")
        say_meant(meant)
    elif not as_json:
        from idsync_cli.render import store as render_store

        draw(*render_store.whois(found, terminal_width()))
        say_left_out(len(found.holders), found.held_by, "holders")
    return found.exit_status


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
    number = None if mpid is None else mpid_in("--mpid", mpid)
    asked = None if identifier is None else identifier_in(identifier)
    most = most_rows(limit, as_json=as_json)
    organization = load_configuration(config).organization
    with existing_store(store, organization) as opened, opened.reading() as transaction:
        found = inspection.history(transaction, mpid=number, identifier=asked, limit=most)
        if as_json:
            from idsync_cli.render import store_json

            for entry in found.entries:
                write_json(store_json.entry_json(entry))
        shown = list(found.entries)
        meant = None
        if not found.total:
            named, scopes = [] if asked is None else [asked], transaction.scopes()
            meant = meant_by(transaction, organization, named, scopes, mpid=number)
    whose = [] if asked is None else [f"{asked.type} {visible(asked.value)}"]
    whose += [] if number is None else [f"profile {number}"]
    what = " on ".join(whose)
    if found.exit_status:
        say(f"idsync: no history for {what}")
        say_meant(meant)
    if shown and isinstance(shown[-1].change, Erasure) and len(shown) == 1:
        from idsync_cli.render import store as render_store

        write_lines([render_store.erased_line(shown[-1].change)])
    elif shown:
        from idsync_cli.render.history import heading, history_table

        draw(
            heading(number, asked),
            history_table(shown, mpid=number, identifier=asked, width=terminal_width()),
        )
        say_left_out(len(shown), found.total, "changes")
    return found.exit_status
