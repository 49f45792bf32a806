"""What a store holds, as tables."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from idsync_cli.core.identity import Identifier
from idsync_cli.core.scoped_profile import ScopedProfile
from idsync_cli.errors import printable
from idsync_cli.inspect.profiles import ProfileDetails, Statistics, Whois
from idsync_cli.messages import WHY_NOT
from idsync_cli.render.tables import new_table, plain
from idsync_cli.store.api import HistoryEntry
from idsync_cli.store.sqlite.queries.history import Cause

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

IDENTIFIERS_SHOWN = 3
"""How many identifiers of each profile a table of profiles shows."""

_NOTHING = "-"
_WIDEST_BY = 24
_WIDE = 80


def profiles_table(profiles: Sequence[ScopedProfile], width: int) -> "Table":
    """Profiles, a row each, with their first identifiers."""
    table = new_table("MPID", "Scope", "State", "Seq", "Ids", "First identifiers")
    for profile in profiles:
        held = _identifiers(profile)
        table.add_row(
            str(profile.profile.mpid),
            plain(printable(profile.scope)),
            state(profile).replace(", ", ",\n"),
            str(profile.profile.created_seq),
            str(len(held)),
            plain("\n".join(held[:IDENTIFIERS_SHOWN]) or _NOTHING),
        )
    return _fitted(table, width, folding=("Scope", "First identifiers"), right=("Seq", "Ids"))


def more_line(shown: int, of: int, what: str, way_out: str) -> str:
    """The line below a table that does not show everything."""
    return f"\nthe first {shown:,} of {of:,} {what}; {way_out}"


def profile_table(details: ProfileDetails, width: int) -> "list[RenderableType]":
    """A profile that is there, with where it and each of its identifiers come from."""
    shown, made_by = details.profile, details.made_by
    assert shown is not None
    profile = shown.profile
    lines = [f"profile {profile.mpid} in scope {printable(shown.scope)}: {state(shown)}"]
    if made_by is not None:
        made = ", ".join(_requester(made_by))
        when = moment(made_by.time_ms)
        lines.append(f"made by request {profile.created_seq}, {when} UTC: {made}")
    if profile.source_mpid is not None:
        lines.append(f"source: the anonymous profile {profile.source_mpid}")
    table = new_table("Seq", "Added (UTC)", "By", "Identifier")
    told = None
    for each in details.arrivals:
        by = ["", "", ""]  # as above
        if each.seq != told:
            time = _NOTHING if each.cause is None else moment(each.cause.time_ms)
            by = [str(each.seq), time, "\n".join(_requester(each.cause))]
        told = each.seq
        table.add_row(*map(plain, by), plain(_over_two_lines(each.identifier)))
    return [*map(plain, lines), _fitted(table, width, folding=("By", "Identifier"), right=("Seq",))]


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


def _over_two_lines(identifier: Identifier) -> str:
    return f"{identifier.type}\n{printable(identifier.value)}"


def whois(found: Whois, width: int) -> "list[RenderableType]":
    """Who holds an identifier, and what a search with it alone comes to."""
    identifier = f"{found.identifier.type} {printable(found.identifier.value)}"
    table = new_table("MPID", "Scope", "State", "Seq", "A search with it alone")
    for each in found.holders:
        table.add_row(
            str(each.profile.profile.mpid),
            plain(printable(each.profile.scope)),
            state(each.profile).replace(", ", ",\n"),
            str(each.profile.profile.created_seq),
            each.why_not or "returns it",
        )
    why_not = dict.fromkeys(each.why_not for each in found.holders if each.why_not)
    pieces = [
        plain(f"who holds {identifier}"),
        _fitted(table, width, folding=("Scope",), right=("Seq",)),
    ]
    return [*pieces, *(plain(f"{code}: {WHY_NOT[code]}") for code in why_not)]


def history_table(
    entries: Sequence[HistoryEntry],
    *,
    mpid: int | None,
    identifier: Identifier | None,
    width: int,
) -> "Table":
    """Changes, a row each; a column that the question has answered already is left out."""
    change = [name for name, known in (("MPID", mpid), ("Identifier", identifier)) if known is None]
    table = new_table("Seq", "Time (UTC)", "By", "Change", *change)
    for entry in entries:
        cells = {"MPID": str(entry.mpid), "Identifier": _over_two_lines(entry.identifier)}
        table.add_row(
            str(entry.seq),
            moment(entry.time_ms),
            plain("\n".join(_requester(_cause(entry)))),
            entry.op.value,
            *(plain(cells[name]) for name in change),
        )
    return _fitted(table, width, folding=("By", "Identifier"), right=("Seq",))


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
    """What a store holds, and what decided the requests that changed it."""
    columns = ("Profiles", "Known", "Anonymous", "Orphaned", "Identifiers", "Mean", "Most")
    table = new_table("Scope", *columns)
    for scope, numbers in counted.scopes.items():
        table.add_row(
            plain(printable(scope)),
            f"{numbers.profiles:,}",
            f"{numbers.known:,}",
            f"{numbers.anonymous:,}",
            f"{numbers.orphaned:,}",
            f"{numbers.identifiers:,}",
            f"{numbers.mean_identifiers:,.2f}",
            f"{numbers.most_identifiers:,}",
        )
    decided = new_table("Decided by", "Requests")
    for each in counted.deciders:
        decided.add_row(each.identity_type or each.rule, f"{each.requests:,}")
    total = (
        f"{counted.requests:,} requests changed the store, {counted.ties:,} of them ties "
        f"(the rule newest); the last number is {counted.last_seq:,}"
    )
    return [
        _fitted(table, width, folding=("Scope",), right=columns),
        plain(""),
        plain("requests that changed the store:"),
        _fitted(decided, width, right=("Requests",)),
        plain(""),
        plain(total),
    ]


def _fitted(
    table: "Table", width: int, *, folding: Sequence[str] = (), right: Sequence[str] = ()
) -> "Table":
    """Let the columns named fold to what the others leave; on a narrow terminal every one folds."""
    for column in table.columns:
        column.no_wrap = column.header not in folding and width >= _WIDE
        if column.header == "By":
            column.max_width = _WIDEST_BY
        if column.header in right:
            column.justify = "right"
    return table


def _identifiers(profile: ScopedProfile) -> list[str]:
    return [
        f"{kind} {printable(value)}"
        for kind in profile.types
        for value in profile.profile.values_of(kind)
    ]


def state(profile: ScopedProfile) -> str:
    """Known or anonymous, and whether it is orphaned."""
    known = "known" if profile.known else "anonymous"
    return f"{known}, orphaned" if profile.orphaned else known


def moment(time_ms: int) -> str:
    """A time in UTC without its milliseconds, for people; one that no calendar has, as a number."""
    try:
        when = datetime.fromtimestamp(time_ms // 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return f"{time_ms} ms"
    return when.replace(tzinfo=None).isoformat(" ")
