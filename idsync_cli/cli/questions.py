"""What questions to a store share: how they name what they ask for, and how answers end.

How many rows are shown, what is said of those left out, and what may have been meant where nothing
is there.
"""

import re
from typing import Annotated

import typer

from idsync_cli import wire
from idsync_cli.cli import completion
from idsync_cli.cli.environment import say, write_lines
from idsync_cli.core.decision import Refusal
from idsync_cli.core.identity import (
    Identifier,
    IdentityType,
    mpid_rule,
    parse_mpid,
    value_fault,
)
from idsync_cli.errors import UsageFault, number_of, quoted
from idsync_cli.inspect.near import Meant
from idsync_cli.store.sqlite import SqliteTransaction

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
AsOf = Annotated[
    str | None,
    typer.Option(
        "--at",
        metavar="SEQ",
        help="As it was after request SEQ, without what was erased since.",
    ),
]


def look_back(transaction: SqliteTransaction, at: str | None, mpid: int | None = None) -> None:
    """See the store as it was after the request that an option names, if it was given.

    Of profiles, or of one, of which it is not known how they were then, it is said.

    Raises:
        UsageFault: no request has had that number.
    """
    if at is None:
        return
    from idsync_cli.store.sqlite.queries.earlier import count_imported_across

    last = transaction.last_seq
    seq = int(at) if _SEQ.fullmatch(at) else 0
    if not seq:
        raise UsageFault(
            f"--at {quoted(at)} is not a sequence number: give the number of a request, as idsync "
            "history shows it"
        )
    if not last:
        raise UsageFault(f"--at {seq} is beyond the last request: the store has no requests yet")
    if seq > last:
        raise UsageFault(
            f"--at {seq} is beyond the last request, {last}; give a number up to that, or omit "
            "--at to see the store as it is"
        )
    if seq == last:
        return
    imported = count_imported_across(transaction, seq, mpid)
    if imported:
        its = number_of(imported, "profile") if mpid is None else "the profile"
        say(
            f"note: {its} was imported with all its identifiers at once; an export does "
            f"not say which of them were there after request {seq}"
        )
    transaction.look_back(seq)


_SEQ = re.compile("[0-9]{1,40}")


def mpid_in(option: str, text: str) -> int:
    """Read the MPID that an option names.

    Raises:
        UsageFault: it is none.
    """
    number = parse_mpid(text)
    if number is None:
        raise UsageFault(f"{option} {quoted(text)} is not an MPID{mpid_rule(text)}")
    return number


def identity_type_in(name: str) -> IdentityType:
    """Read the name of an identifier type.

    Raises:
        UsageFault: it is none.
    """
    try:
        return wire.identity_type_of(name)
    except Refusal as refusal:
        raise UsageFault(refusal.message, hint=refusal.hint) from None


def identifier_in(text: str, *, for_an_mpid: str = "--mpid") -> Identifier:
    """Read TYPE=VALUE as a request would; `for_an_mpid` is what an MPID is asked about with.

    Raises:
        UsageFault: it is no identifier.
    """
    name, equals, value = text.partition("=")
    if not equals:
        way_out = f"; for an MPID, use {for_an_mpid}" if parse_mpid(text) is not None else ""
        raise UsageFault(f"{quoted(text)} is not TYPE=VALUE, such as email=a@example.com{way_out}")
    kind = identity_type_in(name)
    if not value:
        raise UsageFault(f"the value of {quoted(name)} is empty; give one")
    fault = value_fault(value)
    if fault:
        raise UsageFault(f"the value {quoted(value)} of {kind} {fault}")
    return Identifier(kind, value)


def most_rows(limit: int | None, *, as_json: bool) -> int | None:
    """How many rows are shown; None is all."""
    return limit if as_json else limit or ROWS_SHOWN


def say_left_out(shown: int, of: int, what: str) -> None:
    """Say below a table how much more there is, and how to see it."""
    from idsync_cli.cli import hints
    from idsync_cli.render import store as render_store

    if of > shown:
        way_out = hints.SHOW_MORE.format(of, of - shown)
        write_lines([[render_store.more_line(shown, of, what, way_out)]])


def say_meant(meant: Meant | None) -> None:
    """Point out what is there that may have been meant, where nothing was found."""
    if meant is None:
        return
    from idsync_cli.render.near import meant_sentences

    for sentence in meant_sentences(meant):
        say(f"note: {sentence}")
