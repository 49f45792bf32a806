"""What a store holds, as tables."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from idsync_cli.core.erasure import Erasure
from idsync_cli.core.identity import Identifier
from idsync_cli.core.scoped_profile import ScopedProfile, ScopedView
from idsync_cli.inspect.profiles import NewProfile, ProfileDetails
from idsync_cli.inspect.whois import Whois
from idsync_cli.messages import WHY_NOT
from idsync_cli.render.breaking import broken
from idsync_cli.render.identifiers import in_a_list, in_one_list, value_of
from idsync_cli.render.tables import laid_out
from idsync_cli.render.theme import Line, Look, text, words
from idsync_cli.render.theme import state as state_of
from idsync_cli.render.times import moment
from idsync_cli.store.causes import Cause
from idsync_cli.visible import visible

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table
    from rich.text import Text

IDENTIFIERS_SHOWN = 3
"""How many identifiers of each profile a table of profiles shows."""

_NOTHING = "-"
_PROFILE_COLUMNS = ("MPID", "Scope", "State", "Seq", "Ids", "First identifiers")


def profiles_table(
    profiles: Sequence[ScopedProfile], width: int, opted_out: Collection[int] = ()
) -> "Table":
    """Profiles, a row each, with their first identifiers; `opted_out` are MPIDs among them."""
    first = [each for profile in profiles for each in _identifiers(profile)[:IDENTIFIERS_SHOWN]]
    values = in_one_list(first)
    rows = (_profile_cells(each, values, each.profile.mpid in opted_out) for each in profiles)
    return laid_out(_PROFILE_COLUMNS, rows, width)


def newest_table(profiles: Sequence[NewProfile], width: int) -> "Table":
    """The newest profiles in the same table."""
    values = in_one_list([each for profile in profiles for each in profile.first])
    rows = [
        _cells(
            each.seen.view.mpid,
            each.seen,
            each.seen.view.created_seq,
            each.held,
            [(held, values[held]) for held in each.first],
        )
        for each in profiles
    ]
    return laid_out(_PROFILE_COLUMNS, rows, width)


def _profile_cells(
    profile: ScopedProfile, values: Mapping[Identifier, str], is_opted_out: bool
) -> "Sequence[Text | str]":
    held, its = _identifiers(profile), profile.profile
    first = [(each, values[each]) for each in held[:IDENTIFIERS_SHOWN]]
    return _cells(its.mpid, profile, its.created_seq, len(held), first, is_opted_out=is_opted_out)


def _cells(
    mpid: int,
    seen: ScopedView | ScopedProfile,
    seq: int,
    held: int,
    first: Sequence[tuple[Identifier, str]],
    *,
    is_opted_out: bool = False,
) -> "Sequence[Text | str]":
    listed = [text((each.type.value, Look.TYPE), f" {value}") for each, value in first]
    return (
        text((str(mpid), Look.MPID)),
        visible(seen.scope),
        text(*state_shown(seen), ", opted out" if is_opted_out else ""),
        str(seq),
        str(held),
        text("\n").join(listed) if listed else _NOTHING,
    )


def more_line(shown: int, of: int, what: str, way_out: str) -> str:
    """The line below a table that does not show everything."""
    return f"\n{first_of(shown, of, what)}; {way_out}"


def first_of(shown: int, of: int, what: str) -> str:
    """That a table does not show everything."""
    return f"the first {shown:,} of {of:,} {what}"


def profile_table(details: ProfileDetails, width: int) -> "list[RenderableType]":
    """A profile that is there, with where it and its first identifiers, or all, come from."""
    seen, made_by = details.seen, details.made_by
    assert seen is not None
    profile = seen.view
    mpid = (str(profile.mpid), Look.MPID)
    scope = visible(seen.scope)
    lines: list[Line] = [
        [("profile ", Look.HEADLINE), mpid, f" in scope {scope}: ", *state_shown(seen)]
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
        kind = text((each.identifier.type.value, Look.TYPE))
        rows.append([*by, kind, value_of(each.identifier)])
    told = [broken(text(*line), width, indent=2) for line in lines]
    return [*told, laid_out(("Seq", "Added (UTC)", "By", "Type", "Value"), rows, width)]


def requester(cause: Cause | None) -> list[str]:
    """What kind of request it was, what decided it, its sender's name for it, and its own time."""
    if cause is None:
        return [_NOTHING]
    decider = decider_of(cause)
    told = [cause.kind if decider == cause.kind else f"{cause.kind}: {decider}"]
    if cause.request_id is not None:
        told.append(visible(cause.request_id))
    if cause.request_timestamp_ms is not None:
        told.append(f"sent {moment(cause.request_timestamp_ms)}")
    return told


def decider_of(cause: Cause) -> str:
    """What decided: the tier of a type, or else a rule."""
    by = cause.decided_by_type
    return cause.rule if by is None else f"tier {by}"


def identifier_shown(identifier: Identifier) -> Line:
    """An identifier as the heading of what is known about it."""
    return [(identifier.type.value, Look.TYPE), f" {in_a_list(identifier)}"]


def erased_line(erasure: Erasure) -> Line:
    """That a profile was erased: by which request, and when."""
    by = f"erased by request {erasure.seq}, {moment(erasure.time_ms)} UTC"
    its_id = "" if erasure.request_id is None else f", request ID {visible(erasure.request_id)}"
    return ["profile ", (str(erasure.mpid), Look.MPID), f" was {by}{its_id}"]


def whois(found: Whois, width: int) -> "list[RenderableType]":
    """Who holds an identifier, and what a search with it alone comes to."""
    rows = [
        (
            text((str(each.seen.view.mpid), Look.MPID)),
            visible(each.seen.scope),
            text(*state_shown(each.seen)),
            str(each.seen.view.created_seq),
            text((each.why_not, Look.INELIGIBLE) if each.why_not else ("finds it", Look.OK)),
        )
        for each in found.holders
    ]
    headings = ("MPID", "Scope", "State", "Seq", "Search by it alone")
    why_not = dict.fromkeys(each.why_not for each in found.holders if each.why_not)
    reasons: list[Line] = [[(code, Look.INELIGIBLE), f": {WHY_NOT[code]}"] for code in why_not]
    read_as: list[Line] = [
        [f"scope {visible(scope)} reads it as ", *identifier_shown(each)]
        for scope, each in found.read_as.items()
    ]
    return [
        broken(text("who holds ", *identifier_shown(found.identifier)), width, indent=2),
        *(broken(text(*line), width, indent=2) for line in read_as),
        *(broken(text(*line), width, indent=2) for line in _not_shown(found)),
        laid_out(headings, rows, width),
        *(broken(text(*line), width, indent=2) for line in reasons),
    ]


def _not_shown(found: Whois) -> Iterator[Line]:
    """What the searches return that is not among the holders that are shown."""
    shown = {each.seen.view.mpid for each in found.holders}
    for answer in found.searches:
        if answer.mpid is not None and answer.mpid not in shown:
            mpid = (str(answer.mpid), Look.MPID)
            yield ["a search by it alone finds ", mpid, f" in scope {visible(answer.scope or '')}"]


def _identifiers(profile: ScopedProfile) -> list[Identifier]:
    return [
        Identifier(kind, value)
        for kind in profile.types
        for value in profile.profile.values_of(kind)
    ]


def state(profile: ScopedView | ScopedProfile) -> str:
    """Known or anonymous, and whether it is orphaned."""
    return words(state_shown(profile))


def state_shown(profile: ScopedView | ScopedProfile) -> Line:
    """The same, as it looks."""
    return state_of(known=profile.known, orphaned=profile.orphaned)
