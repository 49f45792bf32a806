"""Values to tables and text for people; foreign values go in as plain, printable text."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from idsync_cli.check.results import Mismatch, Result
from idsync_cli.core.codes import Op, RequestKind, Rule, Status
from idsync_cli.core.data.values import Alias, BatchData
from idsync_cli.core.decision import Answer, Decision, Note, Refusal
from idsync_cli.core.erasure import ErasureReport
from idsync_cli.core.identity import Identifier, IdentityType
from idsync_cli.errors import number_of, printable
from idsync_cli.messages import (
    DUPLICATE,
    RULES,
    near_message,
    note_message,
)
from idsync_cli.render.breaking import broken
from idsync_cli.render.identifiers import in_one_list
from idsync_cli.render.tables import grid
from idsync_cli.render.theme import Line, Look, Part, text
from idsync_cli.render.tiers import tiers_shown
from idsync_cli.render.times import moment
from idsync_cli.visible import visible

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text


def answer_lines(
    answer: Answer, decision: Decision, *, how_to_see_all: str, how_to_see_held: str
) -> list[Line]:
    """An answer without its explanation: the result, what decided it, and what followed.

    A near miss is told in one line, with how to see more; so are more identifiers than a few,
    with their MPID and number filled in.
    """
    if decision.status is Status.DUPLICATE:
        return [_duplicate(decision)]
    if decision.alias is not None:
        return _alias(decision.alias, decision.copied)
    lines: list[Line] = [_result(decision), ["decided by ", *_decider(decision)]]
    if answer.kind is RequestKind.SEARCH and decision.profile:
        lines += _held(decision.identifiers)
        if (number := len(decision.identifiers)) > MOST_HELD:
            how = how_to_see_held.format(mpid=decision.profile.mpid, number=number)
            lines.append([f"the first {MOST_HELD} of {number_of(number, 'identifier')}; {how}"])
    if decision.near:
        said, _, reasons = near_message(decision.near).rpartition("(")
        reasons = reasons.removesuffix(")")
        lines.append([f"{said}(", (reasons, Look.INELIGIBLE), f"); {how_to_see_all}"])
    return lines + _consequences(decision)


def _held(identifiers: Sequence[Identifier]) -> list[Line]:
    """The first identifiers of a profile that was found."""
    shown = in_one_list(identifiers[:MOST_HELD])
    return [["holds ", (each.type.value, Look.TYPE), f" {value}"] for each, value in shown.items()]


MOST_HELD = 50
"""How many identifiers of a profile that was found are named."""


def explanation(
    answer: Answer, decision: Decision, width: int, marked: IdentityType | None = None
) -> "list[RenderableType]":
    """The result as a headline, the table of the tiers with its reasons, and what followed.

    The tier of the type that is `marked` is the one that another explanation differs in.
    """
    headline = _headline(decision) if marked is None else broken(_headline(decision), width)
    pieces: list[RenderableType] = [headline, _heading(answer)]
    if decision.decided_by.rule is not Rule.MPID:  # which asks no tier
        pieces += tiers_shown(decision.tiers, decision.notes, width, marked)
    followed = [broken(text(*line), width, indent=2) for line in _consequences(decision)]
    return [*pieces, *([text("")] if len(pieces) > 2 and followed else []), *followed]


def refusal_headline(answer: Answer, refusal: Refusal) -> "list[RenderableType]":
    """What stands above the explanation of a refused request; the error itself is talk."""
    return [text((f"Rejected: {refusal.code}", Look.HEADLINE)), _heading(answer)]


def refused_explanation(
    refusal: Refusal, width: int, marked: IdentityType | None = None
) -> "list[RenderableType]":
    """What the tiers found for a request that step 5 refused, and why nothing was added."""
    if not refusal.tiers:
        return []
    notes = [broken(text(*line), width, indent=2) for line in _note_lines(refusal.notes)]
    tiers = tiers_shown(refusal.tiers, refusal.notes, width, marked)
    return [*tiers, *([text(""), *notes] if notes else [])]


def _heading(answer: Answer) -> "Text":
    """Which request it was."""
    heading = f"{answer.kind} in scope {visible(answer.scope or '')}, request {answer.seq}"
    if answer.line is not None:
        heading += f", line {answer.line}"
    return text((heading, Look.ASIDE))


def refusal_line(answer: Answer, refusal: Refusal) -> Line:
    """A refused request, with its line in a replay."""
    where = "" if answer.line is None else f"line {answer.line}: "
    return [where, (str(refusal.code), Look.FAILED), f": {printable(refusal.message)}"]


def _result(decision: Decision) -> Line:
    if decision.profile is None:
        return [("not found", Look.WARNING)]
    if decision.report is not None:
        return [(str(decision.status), Look.OK), " ", _mpid(decision.profile.mpid)]
    state = "logged in" if decision.is_logged_in else "not logged in"
    return [(str(decision.status), Look.OK), " ", _mpid(decision.profile.mpid), f" ({state})"]


def _alias(alias: Alias, copied: int) -> list[Line]:
    window = f"{moment(alias.start_ms)} to {moment(alias.end_ms)} UTC"
    return [
        [
            (str(Status.ALIASED), Look.OK), " ", _mpid(alias.destination_mpid), ": ",
            f"{number_of(copied, 'event')} copied from ", _mpid(alias.source_mpid),
        ],
        [f"window: {window}; events from that time that arrive later are copied, too"],
    ]  # fmt: skip


def _duplicate(decision: Decision) -> Line:
    whose: Line = () if decision.profile is None else (" ", _mpid(decision.profile.mpid))
    return [("duplicate", Look.WARNING), *whose, f": {DUPLICATE}"]


def _mpid(mpid: int) -> Part:
    return (str(mpid), Look.MPID)


def _decider(decision: Decision) -> Line:
    decided_by = decision.decided_by
    if decided_by.identity_type is not None:
        return [f"tier {decided_by.rank}, ", (decided_by.identity_type.value, Look.TYPE)]
    return [f"{decided_by.rule}: {RULES[decided_by.rule]}"]


def _headline(decision: Decision) -> "Text":
    sentence = text((_sentence(decision), Look.HEADLINE))
    if decision.profile is not None:
        sentence.highlight_words([str(decision.profile.mpid)], Look.MPID.value)
    return sentence


def _sentence(decision: Decision) -> str:
    decided_by = decision.decided_by
    rule = RULES[decided_by.rule].format(type=decided_by.identity_type, rank=decided_by.rank)
    if decision.status is Status.DUPLICATE:
        return f"Duplicate: {DUPLICATE}."
    if decision.alias is not None:
        count = number_of(decision.copied, "event")
        return f"Aliased: {count} copied from profile {decision.alias.source_mpid}."
    if decision.status is Status.NOT_FOUND:
        return f"No profile found: {rule}."
    assert decision.profile is not None
    if decision.status is Status.ERASED:
        return f"Profile {decision.profile.mpid} is erased: {rule}."
    did = {
        Status.MATCHED: "is the answer",
        Status.CREATED: "is created",
        Status.MODIFIED: "is changed" if decision.changes else "is unchanged",
    }[decision.status]
    state = "logged in" if decision.is_logged_in else "not logged in"
    return f"Profile {decision.profile.mpid} {did}, {state}: {rule}."


def _identifier(identifier: Identifier) -> list[str | Part]:
    return [(identifier.type.value, Look.TYPE), f" {visible(identifier.value)}"]


def _consequences(decision: Decision) -> list[Line]:
    """What changed, who was orphaned, where the profile comes from, and the notes."""
    lines: list[Line] = [] if decision.report is None else _removed(decision.report)
    for change in decision.changes:
        sign: Part = ("+", Look.ADDED) if change.op is Op.ADD else ("-", Look.REMOVED)
        whose: Line = () if _is_own(change.mpid, decision) else _of_profile(change.mpid)
        lines.append([sign, " ", *_identifier(change.identifier), *whose])
    lines += [
        [
            ("orphaned", Look.ORPHANED),
            ": ",
            _mpid(mpid),
            " can no longer be found by any identifier",
        ]
        for mpid in decision.orphaned
    ]
    profile = decision.profile
    if decision.created and profile is not None and profile.source_mpid is not None:
        lines.append(["source: the anonymous profile ", _mpid(profile.source_mpid)])
    if decision.data is not None:
        lines += _data_lines(decision.data)
    return lines + _note_lines(decision.notes)


def _removed(report: ErasureReport) -> list[Line]:
    """What an erasure takes away, and what stays elsewhere."""
    counts = report.counts
    removed = ", ".join(
        f"{number:,} {noun if number == 1 else nouns}"
        for number, noun, nouns in (
            (counts.identifiers, "identifier", "identifiers"),
            (counts.history, "history entry", "history entries"),
            (counts.attributes, "attribute", "attributes"),
            (counts.devices, "device", "devices"),
            (counts.events, "event", "events"),
        )
    )
    gone = number_of(counts.values, "value")
    lines: list[Line] = [
        [("-", Look.REMOVED), f" {removed}"],
        [
            ("-", Look.REMOVED),
            f" {gone} that no other profile holds, from the history of others, too",
        ],
    ]
    aliased = ", which was aliased with it"
    lines += [["stays: profile ", _mpid(mpid), aliased] for mpid in report.aliased_with]
    made = ", which was made from it"
    lines += [["stays: profile ", _mpid(mpid), made] for mpid in report.made_from_it]
    taken = ", from which it took an identifier"
    lines += [["stays: profile ", _mpid(mpid), taken] for mpid in report.taken_from]
    return lines + [
        [("may hold its data", Look.WARNING), f": {file.kind} {printable(file.path)}"]
        for file in report.files
    ]


def _data_lines(data: BatchData) -> list[Line]:
    """What a batch brought."""
    lines: list[Line] = []
    if data.events:
        names = [event.name or event.event_type for event in data.events[:MOST_NAMED]]
        more = len(data.events) - len(names)
        told = ", ".join(map(visible, names)) + (f" and {more:,} more" if more else "")
        lines.append([("+", Look.ADDED), f" {number_of(len(data.events), 'event')}: {told}"])
    for name, value in (data.attributes or {}).items():
        told = " (tag)" if value == "null" else f": {visible(value)}"
        lines.append([("+", Look.ADDED), f" attribute {visible(name)}{told}"])
    gone: list[Line] = [
        [("-", Look.REMOVED), f" attribute {printable(name)}"] for name in data.deleted
    ]
    return lines + gone


MOST_NAMED = 10
"""How many events of a batch are named."""


def _note_lines(notes: Sequence[Note]) -> list[Line]:
    return [[(f"note {note.code}", Look.NOTE), f": {note_message(note)}"] for note in notes]


def _of_profile(mpid: int) -> Line:
    return [" (of profile ", _mpid(mpid), ")"]


def _is_own(mpid: int, decision: Decision) -> bool:
    return decision.profile is not None and decision.profile.mpid == mpid


def mismatches(result: Result, width: int) -> "list[RenderableType]":
    """What a scenario expected and what was found, with the table of each step that differs."""
    pieces: list[RenderableType] = []
    for mismatch in result.mismatches:
        where = f"line {mismatch.step.line}, {mismatch.step.kind}: " if mismatch.step else ""
        pieces.append(text(f"  {where}{printable(mismatch.what)}"))
        pieces += _expected_and_found(mismatch, width)
    told: list[Answer] = []
    for answer in (mismatch.answer for mismatch in result.mismatches):
        if answer is None or answer in told:
            continue
        told.append(answer)
        if isinstance(answer.outcome, Refusal):
            pieces += [text(""), text(*refusal_line(answer, answer.outcome))]
        else:
            pieces += [text(""), *explanation(answer, answer.outcome, width)]
    return pieces


def _expected_and_found(mismatch: Mismatch, width: int) -> "list[Text]":
    rows: list[tuple[Line, Line]] = [
        (["expected"], [(json.dumps(mismatch.expected), Look.ADDED)]),
        (["found"], [(json.dumps(mismatch.found), Look.REMOVED)]),
    ]
    return grid(rows, width, indent=4)
