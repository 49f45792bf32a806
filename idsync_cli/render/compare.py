"""What two configurations make of the same requests: as JSON, and as tables with examples."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from idsync_cli import wire
from idsync_cli.core.codes import TierOutcome
from idsync_cli.core.decision import Answer, Refusal
from idsync_cli.core.identity import IdentityType
from idsync_cli.core.tiers import Tier
from idsync_cli.errors import number_of
from idsync_cli.foresight.comparing.comparison import (
    Comparison,
    Difference,
    DifferingLine,
    Example,
    GroupCounts,
)
from idsync_cli.foresight.comparing.groups import Parting, Two
from idsync_cli.foresight.comparing.sides import LineResult, Way
from idsync_cli.render import answers
from idsync_cli.render.breaking import broken
from idsync_cli.render.tables import laid_out
from idsync_cli.render.theme import DIFFERING_MARK, Line, Look, text
from idsync_cli.visible import visible

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

SIDE_BY_SIDE = 120
"""From so many columns on, the explanations of both sides stand beside one another."""

_BETWEEN = 3
_NOTHING = "-"


def compare_json(found: Comparison) -> wire.Json:
    """A comparison (section 12)."""
    a, b = found.held
    several = found.several_files
    first = found.first_difference
    return {
        "requests": found.requests,
        "compared": found.compared,
        "profiles": {"a": a.profiles, "b": b and b.profiles},
        "known": {"a": a.known, "b": b and b.known},
        "orphaned": {"a": a.orphaned, "b": b and b.orphaned},
        "refused": found.refused._asdict(),
        "found": found.found._asdict(),
        "split": found.split._asdict(),
        "merged": found.merged._asdict(),
        "pairs": found.pairs._asdict(),
        "first_difference": None if first is None else _difference_json(first, several=several),
        "examples": [
            {
                "difference": each.part.value,
                "requests": each.requests,
                **_difference_json(each.at, several=several),
            }
            for each in found.examples
        ],
    }


def _difference_json(at: Difference, *, several: bool) -> wire.Json:
    file = at.file if several else None
    return {
        "file": at.file,
        "line": at.line,
        "a": wire.answer_json(at.a, explain=True, file=file),
        "b": at.b if isinstance(at.b, dict) else wire.answer_json(at.b, explain=True, file=file),
    }


def differing_line(line: DifferingLine) -> bytes:
    """A line that differs, as a line of a file."""
    value = {
        "file": line.file,
        "line": line.line,
        "a": _answer_json(line.a, line.mpid_a),
        "b": _answer_json(line.b, line.mpid_b),
    }
    return (wire.encode(value) + "\n").encode("ascii")


def _answer_json(way: Way, mpid: int | None) -> wire.Json:
    if way.kind is LineResult.REFUSED:
        return {"error": way.error}
    by = way.decided_by
    decided_by = {} if by is None else {"decided_by": wire.decider_json(by)}
    return {"mpid": None if mpid is None else str(mpid), **decided_by}


def comparison(found: Comparison, width: int) -> "list[RenderableType]":
    """A headline that says whether anything differs, the counts, and the examples."""
    first = found.first_difference
    pieces: list[RenderableType] = [
        broken(text((sentence(found), Look.HEADLINE)), width),
        text((_asked(found), Look.ASIDE)),
        text(""),
        _both_table(found, width),
    ]
    if first is None:
        return pieces
    pieces += [
        text(""),
        _parted_table(found, width),
        text(""),
        broken(text(*_pairs(found)), width, indent=2),
        text("first difference: ", (_where(first), Look.POSITION)),
    ]
    for number, example in enumerate(found.examples, start=1):
        pieces += [text(""), *_example(number, example, width)]
    if not found.examples:
        pieces += [text(""), *_sides(first, width)]
    return pieces


def sentence(found: Comparison) -> str:
    """Whether anything differs, and what, in one sentence."""
    if found.first_difference is None:
        return "Nothing differs."
    parts = []
    if found.split.groups:
        parts.append(f"{number_of(found.split.groups, 'profile')} of A split")
    if found.merged.groups:
        parts.append(f"{number_of(found.merged.groups, 'profile')} of B merged")
    if refused := sum(found.refused):
        parts.append(f"{number_of(refused, 'request')} rejected on one side only")
    if answered := sum(found.found):
        parts.append(f"{number_of(answered, 'request')} answered with a profile on one side only")
    return f"The two sides differ: {', '.join(parts)}."


def _asked(found: Comparison) -> str:
    told = f"{number_of(found.requests, 'request')}, {found.compared:,} answered by both"
    if found.elsewhere:
        told += f", {found.elsewhere:,} of scopes that only one side has"
    if found.unrecorded:
        told += f", {found.unrecorded:,} without a response"
    return told


def _both_table(found: Comparison, width: int) -> "Table":
    a, b = found.held
    rows: list[tuple[str, str, str]] = [
        ("profiles", *_held(a.profiles, b and b.profiles)),
        ("known", *_held(a.known, b and b.known)),
        ("orphaned", *_held(a.orphaned, b and b.orphaned)),
        ("rejected on this side only", *_two(found.refused)),
        ("found on this side only", *_two(found.found)),
    ]
    return laid_out(("At the end", "A", "Recorded" if b is None else "B"), rows, width)


def _held(a: int, b: int | None) -> tuple[str, str]:
    return f"{a:,}", _number(b)


def _two(counted: Two) -> tuple[str, str]:
    return f"{counted.only_a:,}", f"{counted.only_b:,}"


def _parted_table(found: Comparison, width: int) -> "Table":
    rows = [
        _parted("split: one profile of A is several of B", found.split),
        _parted("merged: one profile of B is several of A", found.merged),
    ]
    return laid_out(("What it means", "Profiles", "Requests", "Known"), rows, width)


def _parted(what: str, counted: GroupCounts) -> tuple[str, str, str, str]:
    return what, f"{counted.groups:,}", f"{counted.requests:,}", _number(counted.known)


def _number(known: int | None) -> str:
    return _NOTHING if known is None else f"{known:,}"


def _pairs(found: Comparison) -> Line:
    pairs = found.pairs
    told = f"{pairs.both:,} on both sides, {pairs.only_a:,} on A only, {pairs.only_b:,} on B only"
    return [f"pairs of requests with one profile: {told}"]


def _where(at: Difference) -> str:
    return f"{visible(at.file)}:{at.line}"


def _example(number: int, example: Example, width: int) -> "list[RenderableType]":
    whose = "a known profile" if example.is_known else "an anonymous profile"
    side, others = ("A", "B") if example.part is Parting.SPLIT else ("B", "A")
    if example.part is Parting.MERGED and isinstance(example.at.b, dict):
        whose = "a profile"
    told = (
        f" {number_of(example.requests, 'request')} of {whose} of {side} belong to several on "
        f"{others}, from "
    )
    heading: Line = [
        (f"{number}. {example.part}", Look.HEADING), told,
        (_where(example.at), Look.POSITION), " on",
    ]  # fmt: skip
    return [broken(text(*heading), width, indent=3), *_sides(example.at, width)]


def _sides(at: Difference, width: int) -> "list[RenderableType]":
    """Both explanations, beside one another where there is room."""
    marked = differing_tier(at.a, at.b)
    legend: list[RenderableType] = []
    if marked != (None, None):
        legend.append(text((f"{DIFFERING_MARK} the first tier that differs", Look.ASIDE)))
    if width < SIDE_BY_SIDE:
        pieces: list[RenderableType] = []
        for name, answer, mark in zip("AB", (at.a, at.b), marked, strict=True):
            pieces += [text((name, Look.HEADING)), *side(answer, width, mark), text("")]
        return [*legend, *pieces[:-1]]
    from rich.console import Group
    from rich.table import Table

    half = (width - _BETWEEN) // 2
    grid = Table.grid(padding=(0, _BETWEEN, 0, 0))
    for _ in "AB":
        grid.add_column(width=half)
    grid.add_row(
        *(
            Group(text((name, Look.HEADING)), *side(answer, half, mark))
            for name, answer, mark in zip("AB", (at.a, at.b), marked, strict=True)
        )
    )
    return [*legend, grid]


def side(
    answer: Answer | wire.Json, width: int, marked: IdentityType | None = None
) -> "list[RenderableType]":
    """One answer, explained, or what another system answered."""
    if isinstance(answer, dict):
        return [broken(text(*_recorded(answer)), width, indent=2)]
    outcome = answer.outcome
    if isinstance(outcome, Refusal):
        said = broken(text(*answers.refusal_line(answer, outcome)), width, indent=2)
        return [said, *answers.refused_explanation(outcome, width, marked)]
    return answers.explanation(answer, outcome, width, marked)


def _recorded(response: wire.Json) -> Line:
    """What another system answered."""
    mpid, error = response.get("mpid"), response.get("error")
    if mpid is not None:
        return ["Recorded: profile ", (visible(str(mpid)), Look.MPID)]
    if error:
        return ["Recorded: ", (visible(error), Look.FAILED)]
    return ["Recorded: no profile"]


def differing_tier(
    a: Answer, b: Answer | wire.Json
) -> tuple[IdentityType | None, IdentityType | None]:
    """The first tier of each side that is not as the other's, of those that the request carries."""
    if isinstance(b, dict):
        return None, None
    carried = [_carried(a.outcome.tiers), _carried(b.outcome.tiers)]
    for tier_a, tier_b in zip(*carried, strict=False):
        if _seen(tier_a) != _seen(tier_b):
            return tier_a.identity_type, tier_b.identity_type
    shorter = min(map(len, carried))
    rest = [tiers[shorter].identity_type if len(tiers) > shorter else None for tiers in carried]
    return rest[0], rest[1]


def _carried(tiers: Sequence[Tier]) -> list[Tier]:
    return [each for each in tiers if each.outcome is not TierOutcome.NOT_IN_REQUEST]


def _seen(tier: Tier) -> tuple[object, ...]:
    return tier.identity_type, tier.value, tier.outcome, tier.candidates, tier.eligible
