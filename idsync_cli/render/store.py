"""What a store holds, as tables; they are drawn from the JSON that machines get."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from idsync_cli.errors import number_of, printable
from idsync_cli.messages import WHY_NOT
from idsync_cli.render.tables import new_table, plain

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

IDENTIFIERS_SHOWN = 3
"""How many identifiers of each profile a table of profiles shows."""

_NOTHING = "-"
_WIDEST_BY = 16
_WIDE = 80

Line = Mapping[str, Any]


def profiles_table(profiles: Sequence[Line], width: int) -> "Table":
    """Profiles, a row each, with their first identifiers."""
    table = new_table("MPID", "Scope", "State", "Seq", "Ids", "First identifiers")
    for profile in profiles:
        held = _identifiers(profile)
        table.add_row(
            profile["mpid"],
            plain(printable(profile["scope"])),
            _state(profile).replace(", ", ",\n"),
            str(profile["created_seq"]),
            str(len(held)),
            plain("\n".join(held[:IDENTIFIERS_SHOWN]) or _NOTHING),
        )
    return _fitted(table, width, folding=("Scope", "First identifiers"), right=("Seq", "Ids"))


def more_line(shown: int, of: int, what: str, way_out: str) -> str:
    """The line below a table that does not show everything."""
    return f"\nthe first {shown:,} of {of:,} {what}; {way_out}"


def profile_table(profile: Line, width: int) -> "list[RenderableType]":
    """A profile, with where it and each of its identifiers come from."""
    heading = f"profile {profile['mpid']} in scope {printable(profile['scope'])}: {_state(profile)}"
    lines = [heading]
    if profile["made_by"] is not None:
        made_by = profile["made_by"]
        by = ", ".join(_requester(made_by))
        lines.append(f"created by request {made_by['seq']}, {_moment(made_by['time'])} UTC: {by}")
    if profile["source_mpid"] is not None:
        lines.append(f"source: the anonymous profile {profile['source_mpid']}")
    table = new_table("Seq", "Added (UTC)", "By", "Identifier")
    for each in profile["identifiers"]:
        table.add_row(
            str(each["seq"]),
            _NOTHING if each["time"] is None else _moment(each["time"]),
            plain("\n".join(_requester(each))),
            plain(_over_two_lines(each)),
        )
    return [*map(plain, lines), _fitted(table, width, folding=("By", "Identifier"), right=("Seq",))]


def _requester(entry: Line) -> list[str]:
    """What kind of request it was, by which rule it was decided, and its sender's name for it."""
    rule = f": {entry['rule']}" if entry.get("rule") not in (None, entry["kind"]) else ""
    named = [] if entry["request_id"] is None else [printable(entry["request_id"])]
    return [f"{entry['kind'] or _NOTHING}{rule}", *named]


def _over_two_lines(identifier: Line) -> str:
    return f"{identifier['identity_type']}\n{printable(identifier['value'])}"


def whois(found: Line, width: int) -> "list[RenderableType]":
    """Who holds an identifier, and what a search with it alone comes to."""
    identifier = f"{found['identity_type']} {printable(found['value'])}"
    table = new_table("MPID", "Scope", "State", "Seq", "Search by it alone")
    for profile in found["profiles"]:
        table.add_row(
            profile["mpid"],
            plain(printable(profile["scope"])),
            _state(profile).replace(", ", ",\n"),
            str(profile["created_seq"]),
            profile["why_not"] or "finds it",
        )
    why_not = dict.fromkeys(each["why_not"] for each in found["profiles"] if each["why_not"])
    pieces = [
        plain(f"holders of {identifier}"),
        _fitted(table, width, folding=("Scope",), right=("Seq",)),
    ]
    return [*pieces, *(plain(f"{code}: {WHY_NOT[code]}") for code in why_not)]


def history_table(
    entries: Sequence[Line], *, mpid: str | None, identifier: str | None, width: int
) -> "Table":
    """Changes, a row each; a column that the question has answered already is left out."""
    change = [name for name, known in (("MPID", mpid), ("Identifier", identifier)) if known is None]
    table = new_table("Seq", "Time (UTC)", "By", "Change", *change)
    for entry in entries:
        cells = {"MPID": entry["mpid"], "Identifier": _over_two_lines(entry)}
        table.add_row(
            str(entry["seq"]),
            _moment(entry["time"]),
            plain("\n".join(_requester(entry))),
            entry["op"],
            *(plain(cells[name]) for name in change),
        )
    return _fitted(table, width, folding=("By", "Identifier"), right=("Seq",))


def stats(counted: Line, width: int) -> "list[RenderableType]":
    """What a store holds, and what decided the requests that changed it."""
    columns = ("Profiles", "Known", "Anonymous", "Orphaned", "Identifiers", "Mean", "Most")
    table = new_table("Scope", *columns)
    for scope, numbers in counted["scopes"].items():
        table.add_row(
            plain(printable(scope)),
            *(f"{numbers[name.lower()]:,}" for name in columns[:5]),
            f"{numbers['mean_identifiers']:,.2f}",
            f"{numbers['most_identifiers']:,}",
        )
    decided = new_table("Decided by", "Requests")
    for decider, number in counted["decided_by"].items():
        decided.add_row(decider, f"{number:,}")
    total = (
        f"{number_of(counted['requests'], 'request')} changed the store, {counted['ties']:,} of "
        f"them ties (the rule newest); the last number is {counted['last_seq']:,}"
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


def _identifiers(profile: Line) -> list[str]:
    return [
        f"{kind} {printable(value)}"
        for kind, values in profile["identities"].items()
        for value in values
    ]


def _state(profile: Line) -> str:
    known = "known" if profile["known"] else "anonymous"
    return f"{known}, orphaned" if profile["orphaned"] else known


def _moment(time: str) -> str:
    """A time without its milliseconds, for people."""
    return time[:19].replace("T", " ")
