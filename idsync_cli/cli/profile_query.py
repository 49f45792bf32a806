"""`idsync profile query`: what mParticle's Profile API says of one profile (section 9)."""

from typing import Annotated

import typer

from idsync_cli import wire
from idsync_cli.cli.environment import draw, now_ms, say, terminal_width, write_json
from idsync_cli.cli.moments import moment_in
from idsync_cli.cli.opening import existing_store, load_configuration
from idsync_cli.cli.options import (
    DEFAULT_CONFIG,
    DEFAULT_STORE,
    AsJson,
    Config,
    NoExtensions,
    OnceEach,
    Pairs,
    Scope,
    StorePath,
    Workspace,
    takes_identities,
)
from idsync_cli.cli.profile import profile_app as app
from idsync_cli.cli.questions import ROWS_SHOWN, mpid_in, say_meant
from idsync_cli.core.decision import Refusal
from idsync_cli.core.identity import Identifier, value_fault
from idsync_cli.errors import UsageFault, nearest, printable, quoted
from idsync_cli.inspect.near import Meant, meant_by
from idsync_cli.inspect.query import (
    DEFAULT_FIELDS,
    Field,
    ProfileAnswer,
    by_identifier,
    by_mpid,
)

__all__ = ["app", "profile_query"]


@takes_identities
def profile_query(
    identities: Pairs,
    mpid: Annotated[
        str | None, typer.Option("--mpid", metavar="MPID", help="The profile to query.")
    ] = None,
    fields: Annotated[
        str | None,
        typer.Option(
            "--fields",
            metavar="NAME,…",
            help=f"Only these of: {', '.join(Field)} (default: all but events).",
        ),
    ] = None,
    now: Annotated[
        str | None,
        typer.Option("--now", metavar="T", help="When within counts back from (default: now)."),
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(
            "--limit",
            metavar="N",
            min=1,
            max=10**9,
            help=f"At most N rows in each table (default: {ROWS_SHOWN}); --json has all.",
        ),
    ] = None,
    scope: Scope = None,
    workspace: Workspace = None,
    config: Config = DEFAULT_CONFIG,
    store: StorePath = DEFAULT_STORE,
    no_extensions: NoExtensions = False,
    as_json: AsJson = False,
) -> int:
    """Show what mParticle's Profile API returns for a profile.

    The profile is named by its MPID, or by one identifier whose type is immutable in the scope.

    The exit status is 1 if there is no such profile.

    Example: idsync profile query --customer-id ABC123 --json
    """
    asked = _fields(fields)
    moment = now_ms() if now is None else moment_in("--now", now)
    if (mpid is None) == (len(identities) == 0) or len(identities) > 1:
        raise UsageFault("name the profile by --mpid, or by exactly one identity option")
    organization = load_configuration(config, no_extensions=no_extensions).organization
    answer: ProfileAnswer
    meant: Meant | None = None
    with existing_store(store, organization) as opened, opened.reading() as transaction:
        if mpid is not None:
            number = mpid_in("--mpid", mpid)
            answer = by_mpid(transaction, organization, number, asked, moment)
            if answer.found is None:
                meant = meant_by(transaction, organization, mpid=number)
        else:
            try:
                target = wire.scope_of(scope, workspace, organization, wire.Target())
                identifier = _identifier(*identities[0])
            except Refusal as refusal:
                raise UsageFault(refusal.message, hint=refusal.hint) from None
            answer = by_identifier(transaction, organization, target, identifier, asked, moment)
            if answer.found is None:
                meant = meant_by(transaction, organization, [identifier], [target])
    found = answer.found
    if found is None:
        what = f"the MPID {printable(mpid)}" if mpid is not None else f"that {identities[0][0]}"
        say(f"idsync: no profile has {what}")
        say_meant(meant)
    else:
        from idsync_cli.render import profile_query as render

        if as_json:
            write_json(render.query_json(found, answer.fields))
        else:
            most = limit or ROWS_SHOWN
            draw(*render.query_pieces(found, answer.fields, terminal_width(), most))
    return answer.exit_status


app.command("query", cls=OnceEach)(profile_query)


def _fields(text: str | None) -> tuple[Field, ...]:
    """The fields that are asked for.

    Raises:
        UsageFault: one of them is not known.
    """
    if text is None:
        return DEFAULT_FIELDS
    names = [name.strip() for name in text.split(",")]
    fields = [field.value for field in Field]
    for name in names:
        if name not in fields:
            hint = nearest(name, fields) or f"; use {', '.join(fields)}"
            raise UsageFault(f"unknown field {quoted(name)} in --fields{hint}")
    return tuple(field for field in Field if field.value in names)


def _identifier(name: str, value: str) -> Identifier:
    fault = value_fault(value)
    kind = wire.identity_type_of(name)
    if fault is not None:
        raise UsageFault(f"the value {quoted(value)} of {kind} {fault}")
    return Identifier(kind, value)
