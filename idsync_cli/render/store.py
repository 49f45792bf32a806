"""What a store holds, as tables."""

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from idsync_cli.core.erasure import ERASED_VALUE, Erasure
from idsync_cli.core.identity import Identifier
from idsync_cli.core.scoped_profile import ScopedProfile
from idsync_cli.errors import printable
from idsync_cli.inspect.profiles import ProfileDetails, Statistics, Whois
from idsync_cli.messages import WHY_NOT
from idsync_cli.render.tables import broken, laid_out, shares
from idsync_cli.render.theme import Line, Look, text, words
from idsync_cli.render.theme import state as state_of
from idsync_cli.render.times import moment
from idsync_cli.store.sqlite.queries.history import Cause

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table
    from rich.text import Text

IDENTIFIERS_SHOWN = 3
"""How many identifiers of each profile a table of profiles shows."""

_NOTHING = "-"

ERASED = "(erased)"
"""Stands for a value that was erased: between parentheses, which no value needs."""


def profiles_table(
    profiles: Sequence[ScopedProfile], width: int, opted_out: Collection[int] = ()
) -> "Table":
    """Profiles, a row each, with their first identifiers; `opted_out` are MPIDs among them."""
    headings = ("MPID", "Scope", "State", "Seq", "Ids", "First identifiers")
    rows = (_profile_cells(each, each.profile.mpid in opted_out) for each in profiles)
    return laid_out(headings, rows, width)


def _profile_cells(profile: ScopedProfile, is_opted_out: bool) -> "Sequence[Text | str]":
    held = _identifiers(profile)
    first = text("\n").join(text(*_identifier(each)) for each in held[:IDENTIFIERS_SHOWN])
    return (
        text((str(profile.profile.mpid), Look.MPID)),
        printable(profile.scope),
        text(*_state(profile), ", opted out" if is_opted_out else ""),
        str(profile.profile.created_seq),
        str(len(held)),
        first if held else _NOTHING,
    )


def more_line(shown: int, of: int, what: str, way_out: str) -> str:
    """The line below a table that does not show everything."""
    return f"\nthe first {shown:,} of {of:,} {what}; {way_out}"


def profile_table(details: ProfileDetails, width: int) -> "list[RenderableType]":
    """A profile that is there, with where it and each of its identifiers come from."""
    shown, made_by = details.profile, details.made_by
    assert shown is not None
    profile = shown.profile
    mpid = (str(profile.mpid), Look.MPID)
    scope = printable(shown.scope)
    lines: list[Line] = [
        [("profile ", Look.HEADLINE), mpid, f" in scope {scope}: ", *_state(shown)]
    ]
    if made_by is not None:
        made = ", ".join(requester(made_by))
        when = moment(made_by.time_ms)
        lines.append([f"created by request {profile.created_seq}, {when} UTC: {made}"])
    if profile.source_mpid is not None:
        lines.append(["source: the anonymous profile ", (str(profile.source_mpid), Look.MPID)])
    rows: list[Sequence[Text | str]] = []
    told_of = None
    for each in details.arrivals:
        by = ["", "", ""]  # as above
        if each.seq != told_of:
            time = _NOTHING if each.cause is None else moment(each.cause.time_ms)
            by = [str(each.seq), time, "\n".join(requester(each.cause))]
        told_of = each.seq
        rows.append([*by, *type_and_value(each.identifier)])
    told = [broken(text(*line), width, indent=2) for line in lines]
    return [*told, laid_out(("Seq", "Added (UTC)", "By", "Type", "Value"), rows, width)]


def requester(cause: Cause | None) -> list[str]:
    """What kind of request it was, what decided it, its sender's name for it, and its own time."""
    if cause is None:
        return [_NOTHING]
    decider = decider_of(cause)
    told = [cause.kind if decider == cause.kind else f"{cause.kind}: {decider}"]
    if cause.request_id is not None:
        told.append(printable(cause.request_id))
    if cause.request_timestamp_ms is not None:
        told.append(f"sent {moment(cause.request_timestamp_ms)}")
    return told


def decider_of(cause: Cause) -> str:
    """What decided: the tier of a type, or else a rule."""
    by = cause.decided_by_type
    return cause.rule if by is None else f"tier {by}"


def _identifier(identifier: Identifier) -> Line:
    return [(identifier.type.value, Look.TYPE), f" {printable(identifier.value)}"]


def value_of(identifier: Identifier) -> str:
    """The value of an identifier, which may have been erased."""
    return ERASED if identifier.value == ERASED_VALUE else printable(identifier.value)


def erased_line(erasure: Erasure) -> Line:
    """That a profile was erased: by which request, and when."""
    by = f"erased by request {erasure.seq}, {moment(erasure.time_ms)} UTC"
    its_id = "" if erasure.request_id is None else f", request ID {printable(erasure.request_id)}"
    return ["profile ", (str(erasure.mpid), Look.MPID), f" was {by}{its_id}"]


def type_and_value(identifier: Identifier) -> "tuple[Text, str]":
    """An identifier as two cells of a table."""
    return text((identifier.type.value, Look.TYPE)), value_of(identifier)


def whois(found: Whois, width: int) -> "list[RenderableType]":
    """Who holds an identifier, and what a search with it alone comes to."""
    rows = [
        (
            text((str(each.profile.profile.mpid), Look.MPID)),
            printable(each.profile.scope),
            text(*_state(each.profile)),
            str(each.profile.profile.created_seq),
            text((each.why_not, Look.INELIGIBLE) if each.why_not else ("finds it", Look.OK)),
        )
        for each in found.holders
    ]
    headings = ("MPID", "Scope", "State", "Seq", "Search by it alone")
    why_not = dict.fromkeys(each.why_not for each in found.holders if each.why_not)
    reasons: list[Line] = [[(code, Look.INELIGIBLE), f": {WHY_NOT[code]}"] for code in why_not]
    return [
        broken(text("who holds ", *_identifier(found.identifier)), width, indent=2),
        laid_out(headings, rows, width),
        *(broken(text(*line), width, indent=2) for line in reasons),
    ]


def stats(counted: Statistics, width: int) -> "list[RenderableType]":
    """What a store holds, its totals first, and what decided the requests that changed it."""
    columns = ("Profiles", "Known", "Anonymous", "Orphaned", "Ids", "Mean", "Most")
    rows = [
        (
            printable(scope),
            f"{numbers.profiles:,}",
            text((f"{numbers.known:,}", Look.KNOWN)),
            text((f"{numbers.anonymous:,}", Look.ANONYMOUS)),
            text((f"{numbers.orphaned:,}", Look.ORPHANED if numbers.orphaned else Look.PLAIN)),
            f"{numbers.identifiers:,}",
            f"{numbers.mean_identifiers:,.2f}",
            f"{numbers.most_identifiers:,}",
        )
        for scope, numbers in counted.scopes.items()
    ]
    decided: list[tuple[Line, int]] = [
        (
            [(each.identity_type, Look.TYPE) if each.identity_type else str(each.rule)],
            each.requests,
        )
        for each in counted.deciders
    ]
    total = (
        f"{counted.requests:,} requests changed the store, {counted.ties:,} of them ties "
        f"(the rule newest); the last number is {counted.last_seq:,}"
    )
    pieces: list[RenderableType] = [
        text((total, Look.HEADLINE)),
        text(""),
        laid_out(("Scope", *columns), rows, width),
    ]
    if decided:
        pieces += [
            text(""),
            text("requests that changed the store:"),
            shares("Decided by", decided, counted.requests, width),
        ]
    return pieces


def _identifiers(profile: ScopedProfile) -> list[Identifier]:
    return [
        Identifier(kind, value)
        for kind in profile.types
        for value in profile.profile.values_of(kind)
    ]


def state(profile: ScopedProfile) -> str:
    """Known or anonymous, and whether it is orphaned."""
    return words(_state(profile))


def _state(profile: ScopedProfile) -> Line:
    return state_of(known=profile.known, orphaned=profile.orphaned)
