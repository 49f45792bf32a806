"""What a replay came to, for people and for machines."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from idsync_cli import wire
from idsync_cli.core.codes import Rule, Status
from idsync_cli.core.decision import Refusal
from idsync_cli.core.identity import IdentityType
from idsync_cli.errors import number_of, printable
from idsync_cli.messages import placeholder_warning
from idsync_cli.render.breaking import broken
from idsync_cli.render.excerpts import excerpt_lines
from idsync_cli.render.shares import bar, shares
from idsync_cli.render.tables import laid_out
from idsync_cli.render.theme import Line, Look, text, warned
from idsync_cli.replay.summary import Enriched, MetTwice, RefusedLine, Summary
from idsync_cli.visible import visible

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text

    from idsync_cli.render.stacked import Stacked

_TYPES = frozenset(map(str, IdentityType))
_HOW_ANSWERED = {Status.ERROR: Look.FAILED, Status.NOT_FOUND: Look.WARNING}


def summary_text(
    summary: Summary, when_stopped: str, width: int, *, refused: bool = True
) -> "list[RenderableType]":
    """What a replay came to, its totals first; `when_stopped` says what to do where it stopped.

    The first rejected lines are among it, unless `refused` is False.
    """
    total = (
        f"{number_of(summary.requests, 'request')}, "
        f"{number_of(summary.created, 'profile')} created, {summary.orphaned:,} orphaned, "
    )
    look = Look.FAILED if summary.refused else Look.HEADLINE
    pieces: list[RenderableType] = [
        text((total, Look.HEADLINE), (number_of(summary.refused, "rejected line"), look))
    ]
    if summary.enriched is not None:
        pieces.append(broken(text(_enriched(summary.enriched)), width, indent=2))
    if summary.dry_run:
        pieces.append(text(("dry run", Look.NOTE), ": nothing was written to the store"))
    if summary.ended_by is not None:
        kept = "" if summary.dry_run else "; everything counted here is committed"
        pieces.append(text(("ended early", Look.FAILED), kept))
    if summary.stopped:
        pieces.append(text(("stopped before the rejected line", Look.FAILED), f"; {when_stopped}"))
    if summary.kinds:
        pieces += [text(""), _kinds_table(summary, width)]
    counted = {
        "Decided by": _named(summary.decided_by.items(), Look.PLAIN),
        "Note": _named(summary.notes.items(), Look.NOTE),
        "Rejected": _named(summary.errors.items(), Look.FAILED),
    }
    for heading, numbers in counted.items():
        if numbers:
            pieces += [text(""), shares(heading, numbers, summary.requests, width)]
    if summary.by_placeholders:
        pieces += [text(""), *_placeholder_pieces(summary, width)]
    if refused:
        pieces += _all_refused(summary, width)
    if summary.met_twice:
        pieces += [text(""), *_met_twice(summary, width)]
    return pieces


def _all_refused(summary: Summary, width: int) -> "Iterator[RenderableType]":
    """The first rejected lines, and how many more there are."""
    if summary.first_refused:
        yield text("")
    for each in summary.first_refused:
        yield from refused_pieces(each, width)
    more = summary.refused - len(summary.first_refused)
    if more:
        yield text(f"and {number_of(more, 'more rejected line')}")


def _enriched(counted: Enriched) -> str:
    """How many batches were written, and how many left out, and why."""
    left_out = {
        "rejected or duplicate": counted.without_profile,
        "of profiles that have opted out": counted.opted_out,
    }
    batches = "1 batch" if counted.written == 1 else f"{counted.written:,} batches"
    told = [f"{batches} enriched"]
    told += [f"{number:,} left out: {why}" for why, number in left_out.items() if number]
    return ", ".join(told)


def _placeholder_pieces(summary: Summary, width: int) -> "list[RenderableType]":
    """What looks like a placeholder and decided who somebody is, and the way out."""
    warning = text(*warned(placeholder_warning(summary.by_placeholders)))
    values: list[tuple[Line, int]] = [
        ([(each.type.value, Look.TYPE), f" {visible(each.value)}"], requests)
        for each, requests in summary.placeholders
    ]
    return [broken(warning, width, indent=2), shares("Value", values, summary.requests, width)]


def _kinds_table(summary: Summary, width: int) -> "Stacked":
    """How requests of each kind were answered."""
    rows = [
        (
            str(kind or "none"),
            text((status.value, _HOW_ANSWERED.get(status, Look.OK))),
            f"{number:,}",
            bar(number, summary.requests),
        )
        for kind, status, number in summary.kinds
    ]
    return laid_out(("Request", "Answer", "Number", "Share"), rows, width)


def _met_twice(summary: Summary, width: int) -> "Iterator[Text]":
    """The pairs of recorded MPIDs and ours that met others before."""
    pairs = number_of(summary.met_twice, "pair")
    verb = "contradicts" if summary.met_twice == 1 else "contradict"
    yield text((pairs, Look.NOTE), f" of a recorded MPID and one of ours {verb} earlier pairs")
    for file, line, recorded, mpid, before, other in summary.first_met_twice:
        met = [f"which was {before}"] if before is not None else []
        met += [f"as is {other}"] if other is not None else []
        what = f": {recorded} is {mpid} from here on, {', '.join(met)}"
        where = (f"{printable(file)}:{line}", Look.POSITION)
        yield broken(text(where, what), width, indent=2)
    more = summary.met_twice - len(summary.first_met_twice)
    if more:
        yield text(f"and {number_of(more, 'more pair')}")


def _named(counted: Iterable[tuple[str, int]], look: Look) -> list[tuple[Line, int]]:
    return [([(word, Look.TYPE if word in _TYPES else look)], number) for word, number in counted]


def refused_pieces(refused: RefusedLine, width: int, *, is_broken: bool = True) -> "list[Text]":
    """What is wrong with a line, in as many lines as it takes, and the line with a caret below."""
    file, answer, line = refused
    assert isinstance(answer.outcome, Refusal)
    assert answer.line is not None
    told = text(
        (f"{printable(file)}:{answer.line}", Look.POSITION),
        ": ",
        (str(answer.outcome.code), Look.FAILED),
        f": {printable(answer.outcome.message)}",
    )
    pieces = [broken(told, width, indent=2) if is_broken else told]
    if line is not None:
        excerpt = wire.excerpt_of(answer.line, line, answer.outcome.word)
        pieces += [text(*each) for each in excerpt_lines(excerpt, width)]
    return pieces


def summary_json(summary: Summary) -> wire.Json:
    """What a replay came to."""
    kinds: dict[str, dict[str, int]] = {}
    for kind, status, number in summary.kinds:
        kinds.setdefault(str(kind or "none"), {})[status.value] = number
    enriched = {} if summary.enriched is None else {"enriched": summary.enriched._asdict()}
    return {
        "requests": summary.requests,
        "types": kinds,
        "deciders": [
            {"decided_by": _decided_by_json(decider), "requests": number}
            for decider, number in summary.decided_by.items()
        ],
        "profiles_created": summary.created,
        "profiles_orphaned": summary.orphaned,
        "notes": dict(summary.notes),
        "placeholders": {
            "requests": summary.by_placeholders,
            "values": [
                {
                    "identity_type": identifier.type.value,
                    "value": identifier.value,
                    "requests": requests,
                }
                for identifier, requests in summary.placeholders
            ],
        },
        "refused": summary.refused,
        "stopped": summary.stopped,
        "ended_by": None if summary.ended_by is None else summary.ended_by._asdict(),
        "met_twice": summary.met_twice,
        "dry_run": summary.dry_run,
        "errors": dict(summary.errors),
        "first_refused": [
            {"file": file, **wire.answer_json(answer, explain=False)}
            for file, answer, _ in summary.first_refused
        ],
        "first_met_twice": [_met_json(met) for met in summary.first_met_twice],
        **enriched,
    }


def _met_json(met: MetTwice) -> wire.Json:
    mpids = {
        name: None if mpid is None else str(mpid)
        for name, mpid in zip(met._fields[2:], met[2:], strict=True)
    }
    return {"file": met.file, "line": met.line, **mpids}


def _decided_by_json(decider: str) -> wire.Json:
    """What decided: a type, or else a rule."""
    if decider in set(IdentityType):
        return wire.decided_by_json(Rule.IDENTIFIER, decider)
    return wire.decided_by_json(decider, None)
