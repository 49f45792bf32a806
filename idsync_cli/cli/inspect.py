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
    OnceEach,
    StorePath,
)
from idsync_cli.core.decision import Refusal
from idsync_cli.core.identity import Identifier, IdentityType, parse_mpid, value_fault
from idsync_cli.errors import UsageFault, printable, quoted
from idsync_cli.inspect import profiles as inspection
from idsync_cli.store.api import ProfileFilter
from idsync_cli.store.sqlite.queries.history import history_length

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
        lines = inspection.profiles(transaction, organization, wanted)
        if as_json:
            for line in islice(lines, limit):
                write_json(line)
            return 0
        from idsync_cli.render import store as render_store

        shown = list(islice(lines, limit or ROWS_SHOWN))
        number = len(shown)
        if number == (limit or ROWS_SHOWN):  # else that is all there is
            number = inspection.count_profiles(transaction, organization, wanted)
    if not shown:
        write("no matching profiles")
        return 0
    draw(render_store.profiles_table(shown, terminal_width()))
    if number > len(shown):
        write(_more_line(len(shown), number, "profiles"))
    return 0


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
        write_json(found)
    if not found["profiles"]:
        say(f"idsync: no profile holds {asked.type} {quoted(asked.value)}")
        return 1
    if not as_json:
        from idsync_cli.render import store as render_store

        draw(*render_store.whois(found, terminal_width()))
    return 0


@profile_app.command("show", cls=OnceEach)
def profile_show(
    mpid: Annotated[str, typer.Option("--mpid", metavar="MPID", help="The profile to show.")],
    config: Config = DEFAULT_CONFIG,
    store: StorePath = DEFAULT_STORE,
    as_json: AsJson = False,
) -> int:
    """Show a profile and the request that added each identifier.

    The exit status is 1 if no profile has the MPID.

    Example: idsync profile show --mpid -5412
    """
    number = _mpid(mpid)
    organization = load_configuration(config).organization
    with existing_store(store, organization) as opened, opened.reading() as transaction:
        shown = inspection.profile(transaction, organization, number)
    if shown is None:
        say(f"idsync: no profile has the MPID {number}")
        return 1
    if as_json:
        write_json(shown)
    else:
        from idsync_cli.render import store as render_store

        draw(*render_store.profile_table(shown, terminal_width()))
    return 0


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
        found = transaction.history(mpid=number, identifier=asked, limit=most)
        entries = map(inspection.entry_json, found)
        if as_json:
            for entry in entries:
                write_json(entry)
        shown = list(entries)
        total = history_length(transaction, mpid=number, identifier=asked)
    whose = [] if asked is None else [f"{asked.type} {printable(asked.value)}"]
    whose += [] if number is None else [f"profile {number}"]
    what = " on ".join(whose)
    if not total:
        say(f"idsync: no history for {what}")
        return 1
    if shown:
        from idsync_cli.render import store as render_store

        draw(
            f"changes of {what}",
            render_store.history_table(
                shown, mpid=mpid, identifier=identifier, width=terminal_width()
            ),
        )
        if total > len(shown):
            write(_more_line(len(shown), total, "changes"))
    return 0


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
        write_json(counted)
    else:
        from idsync_cli.render import store as render_store

        draw(*render_store.stats(counted, terminal_width()))
    return 0


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
