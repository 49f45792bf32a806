"""Audiences as tables, and as trees of conditions."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from idsync_cli.core.audiences.comparison import ABSENT
from idsync_cli.core.audiences.fold import ConditionResult, EventsSeen
from idsync_cli.core.config.definitions import (
    AttributeCondition,
    Condition,
    Definitions,
    EventCondition,
    FirstSeenCondition,
    IdentityCondition,
    KnownCondition,
    Not,
)
from idsync_cli.definition_words import (
    SHOWN_VALUES,
    calculation_words,
    condition_words,
    value_words,
)
from idsync_cli.errors import number_of, printable, quoted
from idsync_cli.inspect.audiences import (
    AudienceCounts,
    MemberListing,
    Membership,
    NamedAudience,
)
from idsync_cli.inspect.plan import AudiencePlan, ScopePlan
from idsync_cli.render.breaking import broken
from idsync_cli.render.store import profiles_table
from idsync_cli.render.tables import grid, laid_out
from idsync_cli.render.theme import Line, Look, Part, text
from idsync_cli.render.times import moment

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text

_MARKS = {True: ("✓ ", Look.OK), False: ("✗ ", Look.FAILED)}
"""What stands in front of a condition that holds, and of one that does not."""


# What is defined


def definitions_pieces(definitions: Definitions, width: int) -> "list[RenderableType]":
    """What a scope defines, in sentences: calculated attributes, then audiences as trees."""
    pieces: list[RenderableType] = []
    rows: list[tuple[Line, Line]] = [
        ([printable(name)], [calculation_words(each)])
        for name, each in definitions.calculated_attributes.items()
    ]
    if rows:
        heading = number_of(len(rows), "calculated attribute")
        pieces += [text((heading, Look.HEADING)), *grid(rows, width, indent=2), text("")]
    for name, audience in definitions.audiences.items():
        pieces.append(text((f"audience {printable(name)}", Look.HEADING), f", id {audience.id}"))
        pieces += _drawn(_condition_lines(audience.condition), width)
        pieces.append(text(""))
    return pieces


def _condition_lines(condition: Condition) -> Iterator[tuple[str, Line]]:
    """The lines of a condition, each behind what is drawn in front of it."""
    told, parts = _said(condition)
    yield "", [told]
    for number, part in enumerate(parts, start=1):
        yield from _branch(_condition_lines(part), is_last=number == len(parts))


def _said(condition: Condition) -> tuple[str, Sequence[Condition]]:
    """What a condition asks for, and the conditions that are told below it."""
    if isinstance(condition, Not) and not condition.condition.parts():
        return f"not: {condition_words(condition.condition)}", ()
    return condition_words(condition), condition.parts()


def _branch(lines: Iterable[tuple[str, Line]], *, is_last: bool) -> Iterator[tuple[str, Line]]:
    """The lines of a part as a branch of its tree."""
    front = "└─ " if is_last else "├─ "
    for drawn, line in lines:
        yield front + drawn, line
        front = "   " if is_last else "│  "


def _drawn(lines: Iterable[tuple[str, Line]], width: int) -> "list[Text]":
    """Lines of a tree; what does not fit goes on below itself, beside the branches."""
    pieces = []
    for drawn, line in lines:
        front = "  " + drawn
        goes_on = front.replace("├─", "│ ").replace("└─", "  ")
        room = max(20, width - len(front))
        for number, piece in enumerate(broken(text(*line), room).split("\n", allow_blank=True)):
            pieces.append(text((goes_on if number else front, Look.ASIDE)).append_text(piece))
    return pieces


# How many members there are, and who they are


def counts_table(found: AudienceCounts, width: int) -> "list[RenderableType]":
    """Every audience with how many members it has."""
    if not found.counts:
        return [text("the configuration defines no audiences")]
    rows = [
        (
            printable(audience.name),
            text(str(audience.id)),
            printable(audience.scope),
            f"{count.members:,}",
            f"{count.opted_out:,}",
        )
        for audience, count in found.counts
    ]
    headings = ("Audience", "Id", "Scope", "Members", "Opted out")
    return [laid_out(headings, rows, width)]


def members_pieces(found: MemberListing, width: int) -> "list[RenderableType]":
    """How many members an audience has, and the first of them."""
    count = found.count
    opted_out = f", {count.opted_out:,} of them opted out" if count.opted_out else ""
    heading = text(
        *_audience_parts(found.audience), f": {number_of(count.members, 'member')}{opted_out}"
    )
    if not found.members:
        return [heading]
    opted = {each.profile.profile.mpid for each in found.members if each.is_opted_out}
    return [heading, profiles_table([each.profile for each in found.members], width, opted)]


def _audience_parts(audience: NamedAudience) -> list[str | Part]:
    return [(f"audience {printable(audience.name)}", Look.HEADLINE), f", id {audience.id}"]


# Why a profile is a member, or not


def membership_pieces(found: Membership, width: int) -> "list[RenderableType]":
    """Whether a profile is in an audience, and what each condition saw."""
    audience = found.audience
    is_in = ("is in", Look.OK) if found.is_member else ("is not in", Look.FAILED)
    whose: Line = [("profile ", Look.HEADLINE), (str(found.mpid), Look.MPID), " "]
    named = f" the audience {printable(audience.name)}"
    heading = text(*whose, is_in, (named, Look.HEADLINE), f", as of {moment(found.now_ms)} UTC")
    pieces: list[RenderableType] = [broken(heading, width, indent=2)]
    if found.finding is not None:
        pieces += _drawn(_finding_lines(found.finding, found.definitions), width)
    elif found.profile is not None:
        scopes = printable(found.profile.scope), printable(audience.scope)
        pieces.append(text("  it is in the scope {}, and the audience in {}".format(*scopes)))
    return pieces


def _finding_lines(
    finding: ConditionResult, definitions: Definitions
) -> Iterator[tuple[str, Line]]:
    """The lines of a finding, each behind what is drawn in front of it."""
    told, conditions = _said(finding.condition)
    seen, parts = finding, finding.parts
    if isinstance(finding.condition, Not) and not conditions:
        [seen] = finding.parts  # which is told in the same line
        parts = seen.parts
    saw = _saw(seen)
    yield "", [_MARKS[finding.holds], told, (f": {saw}" if saw else "", Look.ASIDE)]
    definition = _definition_of(seen.condition, definitions)
    if definition:
        yield ("│    " if parts else "     "), [(f"{definition}", Look.ASIDE)]
    for number, part in enumerate(parts, start=1):
        yield from _branch(_finding_lines(part, definitions), is_last=number == len(parts))


def _definition_of(condition: Condition, definitions: Definitions) -> str:
    """What a calculated attribute is that a condition names."""
    if not isinstance(condition, AttributeCondition):
        return ""
    definition = definitions.calculated_attributes.get(condition.name)
    return "" if definition is None else calculation_words(definition)


def _saw(finding: ConditionResult) -> str:
    """What a condition saw of the profile; nothing where its parts tell."""
    condition, seen = finding.condition, finding.seen
    if isinstance(condition, AttributeCondition):
        return "there is none" if seen is ABSENT else f"it is {value_words(seen)}"
    if isinstance(condition, EventCondition) and isinstance(seen, EventsSeen):
        if seen.last_ms is None:
            return "there is none"
        last = "at" if seen.number == 1 else "the last at"
        return f"{number_of(seen.number, 'event')}, {last} {moment(seen.last_ms)}"
    if isinstance(condition, IdentityCondition) and isinstance(seen, tuple):
        shown = ", ".join(map(quoted, seen[:SHOWN_VALUES]))
        more = len(seen) - SHOWN_VALUES
        return f"{shown}{f' and {more:,} more' if more > 0 else ''}" or "it holds none"
    if isinstance(condition, KnownCondition):
        return "it is known" if seen else "it is anonymous"
    if isinstance(condition, FirstSeenCondition):
        return moment(seen) if isinstance(seen, int) else "not known when"
    return ""


# What a configuration would change


def plan_rows(scope: ScopePlan) -> list[tuple[Line, Line]]:
    """What becomes of the calculated attributes of a scope, and of the members of its audiences."""
    change = scope.change.calculated_attributes
    rows: list[tuple[Line, Line]] = []
    for names, what, look in (
        (change.added, "is new", Look.ADDED),
        (change.removed, "is removed", Look.REMOVED),
        (change.changed, "is defined differently", Look.WARNING),
    ):
        rows += [([f"calculated attribute {printable(name)}"], [(what, look)]) for name in names]
    return rows + [([f"audience {printable(each.name)}"], _moves(each)) for each in scope.audiences]


def _moves(audience: AudiencePlan) -> Line:
    """How the members of an audience change."""
    if audience.before is None:
        members = number_of(audience.joining, "member")
        return [("is new", Look.ADDED), f": {members}"]
    if audience.after is None:
        return [("is removed", Look.REMOVED), f": {number_of(audience.leaving, 'member')}"]
    joining, leaving = f"+{audience.joining:,}", f"-{audience.leaving:,}"
    members = number_of(audience.after, "member")
    if not audience.joining and not audience.leaving:
        return [f"keeps its {members}"]
    return [
        f"{audience.before:,} become {members}: ",
        (joining, Look.ADDED),
        ", ",
        (leaving, Look.REMOVED),
    ]
