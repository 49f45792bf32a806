"""What a store holds, as tables."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from idsync_cli.core.codes import Op
from idsync_cli.core.identity import Identifier
from idsync_cli.core.scoped_profile import ScopedProfile
from idsync_cli.errors import printable
from idsync_cli.inspect.profiles import ProfileDetails, Statistics, Whois
from idsync_cli.messages import PLACEHOLDERS_HELD, WHY_NOT
from idsync_cli.render.tables import broken, laid_out, shares
from idsync_cli.render.theme import Line, Look, text, words
from idsync_cli.render.theme import state as state_of
from idsync_cli.store.api import HistoryEntry
from idsync_cli.store.sqlite.queries.history import Cause

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table
    from rich.text import Text

PLACEHOLDERS_SHOWN = 20
"""How many values that look like placeholders `stats` names."""

IDENTIFIERS_SHOWN = 3
"""How many identifiers of each profile a table of profiles shows."""

_NOTHING = "-"


def profiles_table(profiles: Sequence[ScopedProfile], width: int) -> "Table":
    """Profiles, a row each, with their first identifiers."""
    headings = ("MPID", "Scope", "State", "Seq", "Ids", "First identifiers")
    return laid_out(headings, map(_profile_cells, profiles), width)


def _profile_cells(profile: ScopedProfile) -> "Sequence[Text | str]":
    held = _identifiers(profile)
    first = text("\n").join(text(*_identifier(each)) for each in held[:IDENTIFIERS_SHOWN])
    return (
        text((str(profile.profile.mpid), Look.MPID)),
        printable(profile.scope),
        text(*_state(profile)),
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
        made = ", ".join(_requester(made_by))
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
            by = [str(each.seq), time, "\n".join(_requester(each.cause))]
        told_of = each.seq
        rows.append([*by, *_type_and_value(each.identifier)])
    told = [broken(text(*line), width, indent=2) for line in lines]
    return [*told, laid_out(("Seq", "Added (UTC)", "By", "Type", "Value"), rows, width)]


def _requester(cause: Cause | None) -> list[str]:
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


def _type_and_value(identifier: Identifier) -> "tuple[Text, str]":
    return text((identifier.type.value, Look.TYPE)), printable(identifier.value)


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
    read_as: list[Line] = [
        [f"scope {printable(scope)} reads it as ", *_identifier(each)]
        for scope, each in found.read_as.items()
    ]
    return [
        broken(text("who holds ", *_identifier(found.identifier)), width, indent=2),
        *(broken(text(*line), width, indent=2) for line in read_as),
        laid_out(headings, rows, width),
        *(broken(text(*line), width, indent=2) for line in reasons),
    ]


def history_table(
    entries: Sequence[HistoryEntry],
    *,
    mpid: int | None,
    identifier: Identifier | None,
    width: int,
) -> "Table":
    """Changes, a row each; a column that the question has answered already is left out."""
    headings = ["Seq", "Time (UTC)", "By", "Change"]
    headings += ["MPID"] if mpid is None else []
    headings += ["Type", "Value"] if identifier is None else []
    rows = []
    for entry in entries:
        sign, look = ("+", Look.ADDED) if entry.op is Op.ADD else ("-", Look.REMOVED)
        row: list[Text | str] = [
            str(entry.seq),
            moment(entry.time_ms),
            "\n".join(_requester(_cause(entry))),
            text((f"{sign} {entry.op}", look)),
        ]
        row += [text((str(entry.mpid), Look.MPID))] if mpid is None else []
        row += _type_and_value(entry.identifier) if identifier is None else ()
        rows.append(row)
    return laid_out(headings, rows, width)


def _cause(entry: HistoryEntry) -> Cause:
    return Cause(
        entry.time_ms,
        entry.kind,
        entry.rule,
        entry.decided_by_type,
        entry.request_id,
        entry.request_timestamp_ms,
    )


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
    return pieces + (_placeholder_pieces(counted, width) if counted.placeholders else [])


def _placeholder_pieces(counted: Statistics, width: int) -> "list[RenderableType]":
    """The values that look like placeholders and decided most, and the way out."""
    found = counted.placeholders
    rows = [
        (
            printable(each.scope),
            *_type_and_value(each.identifier),
            f"{each.profiles:,}",
            f"{each.requests:,}",
        )
        for each in found[:PLACEHOLDERS_SHOWN]
    ]
    left = len(found) - len(rows)
    return [
        text(""),
        broken(text((PLACEHOLDERS_HELD, Look.WARNING)), width, indent=2),
        laid_out(("Scope", "Type", "Value", "Profiles", "Requests"), rows, width),
        *([text(f"and {left:,} more")] if left else []),
    ]


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


def moment(time_ms: int) -> str:
    """A time in UTC without its milliseconds, for people; one that no calendar has, as a number."""
    try:
        when = datetime.fromtimestamp(time_ms // 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return f"{time_ms} ms"
    return when.replace(tzinfo=None).isoformat(" ")
