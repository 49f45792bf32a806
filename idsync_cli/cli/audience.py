"""Audiences: how many members each has, who they are, and why a profile is one or not."""

from typing import TYPE_CHECKING, Annotated

import typer

from idsync_cli.cli import completion, hints
from idsync_cli.cli.environment import draw, now_ms, say, terminal_width, write_json, write_lines
from idsync_cli.cli.moments import moment_in
from idsync_cli.cli.opening import check_scope, existing_store, load_configuration
from idsync_cli.cli.options import DEFAULT_CONFIG, DEFAULT_STORE, AsJson, Config, Force, StorePath
from idsync_cli.cli.output import check_output, writing_to
from idsync_cli.cli.questions import ROWS_SHOWN, Limit, OneScope, mpid_in
from idsync_cli.cli.transfer import FormOption, form_of, written_as
from idsync_cli.core.codes import FileKind
from idsync_cli.core.scoped_profile import ScopedProfile
from idsync_cli.errors import UsageFault, number_of, printable
from idsync_cli.files.outputs import is_standard_output
from idsync_cli.inspect import audiences as inspection
from idsync_cli.store.sqlite.lifecycle.keeping import keep_path
from idsync_cli.transfer.profile_export import give_out_profiles

if TYPE_CHECKING:
    from collections.abc import Iterator

    from idsync_cli.cli.transfer import ExportFormat
    from idsync_cli.core.config.rules import Organization
    from idsync_cli.store.api import Transaction


def audience(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[NAME]",
            help="An audience of the configuration; all are counted without one.",
            autocompletion=completion.audiences,
        ),
    ] = None,
    scope: OneScope = None,
    explain: Annotated[
        str | None,
        typer.Option(
            "--explain",
            metavar="MPID",
            help="Say whether the profile is a member, and what each condition found.",
        ),
    ] = None,
    now: Annotated[
        str | None,
        typer.Option(
            "--now",
            metavar="T",
            help="The moment from which within counts back, such as 2024-03-01T12:00:00Z, "
            "UTC unless it says otherwise (default: now)",
        ),
    ] = None,
    limit: Limit = None,
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            metavar="FILE",
            help="Write the members that have not opted out to a file, as export does; "
            "- for stdout.",
        ),
    ] = None,
    force: Force = False,
    form: FormOption = None,
    config: Config = DEFAULT_CONFIG,
    store: StorePath = DEFAULT_STORE,
    as_json: AsJson = False,
) -> int:
    """Count and list who is in an audience, and say why.

    Members come oldest first. With --json, each is a line, as export writes a profile. An export
    leaves out the members that have opted out, and says how many.

    The exit status is 1 if --explain names a profile that is not a member.

    Example: idsync audience lapsed_buyers --now 2024-03-01
    """
    if name is None and (explain is not None or output is not None or limit is not None):
        raise UsageFault("name an audience; without a name, audiences are only counted")
    if explain is not None and (output is not None or limit is not None):
        raise UsageFault("--explain is about one profile; omit --output and --limit")
    if output is None and form is not None:
        raise UsageFault("--format is for --output; give both, or omit it")
    if output is not None and (as_json or limit is not None):
        raise UsageFault("--output writes all members; omit --json and --limit")
    moment = now_ms() if now is None else moment_in("--now", now)
    organization = load_configuration(config).organization
    mpid = None if explain is None else mpid_in("--explain", explain)
    if name is not None and explain is None:  # which may have to see the profile first
        inspection.audience_called(organization, name, scope)
    if output is not None and check_output(output, store, config, force=force):
        keep_path(store, FileKind.OUTPUT, output)
    with existing_store(store, organization) as opened, opened.reading() as transaction:
        check_scope(scope, organization, transaction)
        if name is None:
            return _count_all(transaction, organization, scope, moment, as_json=as_json)
        if mpid is not None:
            found = inspection.membership(transaction, organization, name, scope, mpid, moment)
            return _show_membership(found, as_json=as_json)
        named = inspection.audience_called(organization, name, scope)
        if output is not None:
            its_form = form or form_of(output)
            return _export(transaction, organization, named, moment, output, its_form, force=force)
        if as_json:
            return _write_members(transaction, organization, named, moment, limit)
        most = limit or ROWS_SHOWN
        listing = inspection.first_members(transaction, organization, named, moment, most)
    from idsync_cli.render import audiences as render

    draw(*render.members_pieces(listing, terminal_width()))
    shown, of = len(listing.members), listing.count.members
    if of > shown:
        from idsync_cli.render.store import more_line

        more = more_line(shown, of, "members", hints.SHOW_MORE.format(of, of - shown))
        write_lines([[more]])
    return listing.exit_status


def _count_all(
    transaction: "Transaction",
    organization: "Organization",
    scope: str | None,
    moment: int,
    *,
    as_json: bool,
) -> int:
    from idsync_cli.render import audiences as render
    from idsync_cli.render.audiences_json import counts_json

    found = inspection.counts(transaction, organization, scope, moment)
    if as_json:
        for line in counts_json(found):
            write_json(line)
    else:
        draw(*render.counts_table(found, terminal_width()))
    return found.exit_status


def _write_members(
    transaction: "Transaction",
    organization: "Organization",
    audience: inspection.NamedAudience,
    moment: int,
    limit: int | None,
) -> int:
    from itertools import islice

    from idsync_cli.render.audiences_json import member_json

    found = inspection.members(transaction, organization, audience, moment)
    for member in islice(found, limit):
        write_json(member_json(member))
    return 0


def _show_membership(found: inspection.Membership, *, as_json: bool) -> int:
    from idsync_cli.render import audiences as render
    from idsync_cli.render.audiences_json import membership_json

    if as_json:
        write_json(membership_json(found))
    if found.profile is None:
        say(f"idsync: no profile has the MPID {found.mpid}")
    elif not as_json:
        draw(*render.membership_pieces(found, terminal_width()))
    return found.exit_status


def _export(
    transaction: "Transaction",
    organization: "Organization",
    audience: inspection.NamedAudience,
    moment: int,
    output: str,
    form: "ExportFormat",
    *,
    force: bool,
) -> int:
    left_out = 0

    def profiles() -> "Iterator[ScopedProfile]":
        nonlocal left_out
        for member in inspection.members(transaction, organization, audience, moment):
            if member.is_opted_out:
                left_out += 1
            else:
                yield member.profile

    header, line_of = written_as(form, transaction, audience.scope)
    with writing_to(output, force=force) as give_out:
        exported = give_out_profiles(profiles(), give_out, header=header, line_of=line_of)
    told = f"wrote {number_of(exported.profiles, 'member')} of {printable(audience.name)}"
    if left_out:
        told += f"; omitted {left_out:,} that opted out"
    if is_standard_output(output):
        say(f"note: {told}")
    else:
        write_lines([[told]])
    return exported.exit_status
