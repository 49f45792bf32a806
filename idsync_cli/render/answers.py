"""Values to tables and text for people; foreign values go in as plain, printable text."""

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from idsync_cli.check.run import Mismatch, Result
from idsync_cli.core.codes import Op, RequestKind, Status
from idsync_cli.core.decision import COUNTED_TO, Answer, Decision, Refusal, Tier
from idsync_cli.core.identity import Identifier
from idsync_cli.errors import number_of, printable
from idsync_cli.messages import OUTCOMES, REASONS, RULES, note_message
from idsync_cli.render.tables import new_table, plain

if TYPE_CHECKING:
    from rich.console import JustifyMethod, RenderableType
    from rich.table import Table

_NOTHING = "-"


def answer_lines(answer: Answer, decision: Decision) -> list[str]:
    """An answer without its explanation: the result, what decided it, and what followed."""
    lines = [_result(decision), f"decided by {_decider(decision)}"]
    if answer.kind is RequestKind.SEARCH and decision.profile:
        lines += [f"holds {_identifier(held)}" for held in decision.identifiers]
    return lines + _consequences(decision)


def explanation(answer: Answer, decision: Decision, width: int) -> "list[RenderableType]":
    """The table of the tiers, a sentence for the result, and what followed from it."""
    from rich.text import Text

    heading = f"{answer.kind} in scope {printable(answer.scope or '')}, request {answer.seq}"
    if answer.line is not None:
        heading += f", line {answer.line}"
    why_not = {reason: None for tier in decision.tiers for reason in tier.ineligible}
    reasons = [f"{reason}: {REASONS[reason]}" for reason in why_not]
    why = ["", *reasons] if reasons else []
    below = [*why, "", _sentence(decision), *_consequences(decision)]
    return [Text(heading), tier_table(decision.tiers, width), *map(Text, below)]


def tier_table(tiers: Sequence[Tier], width: int) -> "Table":
    """What each tier of the priority found, and what that left.

    The columns of types and values share what the others leave of `width`, and fold; outcomes
    stand on two lines where that would leave them too little. A reason's code is looked up in the
    rule book, and so is never broken to fit a column.
    """
    rows: list[tuple[str, ...]] = []
    widths: list[int] = []
    for outcome_lines in (1, 2):
        rows = [_tier_cells(tier, outcome_lines=outcome_lines) for tier in tiers]
        wanted, widths = _widths(rows, width)
        if all(widths[place] >= min(wanted[place], _NARROW) for place in _FOLDING):
            break
    table = new_table()
    table.width = sum(widths) + len(widths) - 1
    for (heading, justify), column_width in zip(_TIER_COLUMNS, widths, strict=True):
        table.add_column(heading, justify=justify, overflow="fold", width=column_width)
    for row in rows:
        table.add_row(*map(plain, row))
    return table


def _widths(rows: Sequence[tuple[str, ...]], width: int) -> tuple[list[int], list[int]]:
    """How wide each column would be, and is: those that fold share what others leave of `width`."""
    from rich.cells import cell_len

    wanted = [
        max(cell_len(line) for cell in (heading, *cells) for line in cell.split("\n"))
        for (heading, _), *cells in zip(_TIER_COLUMNS, *rows, strict=True)
    ]
    taken = sum(each for place, each in enumerate(wanted) if place not in _FOLDING)
    room = width - taken - (len(wanted) - 1)
    types, values = (wanted[place] for place in _FOLDING)
    widths = list(wanted)
    widths[_FOLDING[0]] = min(types, max(_NARROWEST, room // 2, room - values))
    widths[_FOLDING[1]] = min(values, max(_NARROWEST, room - widths[_FOLDING[0]]))
    return wanted, widths


_TIER_COLUMNS: tuple[tuple[str, "JustifyMethod"], ...] = (
    ("#", "right"),
    ("Type", "left"),
    ("Value", "left"),
    ("Settings", "left"),
    ("Held\nby", "right"),
    ("Eligible", "left"),
    ("Left", "right"),
    ("Outcome", "left"),
)
_FOLDING = (1, 2)
_NARROW, _NARROWEST = 12, 8


def _tier_cells(tier: Tier, *, outcome_lines: int) -> tuple[str, ...]:
    def shown(number: int | None) -> str:
        return _count(number, stopped=tier.stopped_counting)

    reasons = [f"{shown(count)} {reason}" for reason, count in tier.ineligible.items()]
    return (
        str(tier.rank),
        tier.identity_type.value,
        _NOTHING if tier.value is None else printable(tier.value),
        "\n".join(tier.settings.names()) or _NOTHING,
        shown(tier.held_by),
        "\n".join([shown(tier.eligible), *reasons]),
        shown(tier.candidates),
        OUTCOMES[tier.outcome].replace(" ", " " if outcome_lines == 1 else "\n", 1),
    )


def refusal_line(answer: Answer, refusal: Refusal) -> str:
    """A refused request, with its line in a replay."""
    where = "" if answer.line is None else f"line {answer.line}: "
    return f"{where}{refusal.code}: {printable(refusal.message)}"


def _count(number: int | None, *, stopped: bool) -> str:
    """A count; behind one that may stand for more there is a plus."""
    if number is None:
        return _NOTHING
    return f"{number}+" if stopped and number == COUNTED_TO else str(number)


def _result(decision: Decision) -> str:
    if decision.profile is None:
        return "not found"
    state = "logged in" if decision.is_logged_in else "not logged in"
    return f"{decision.status} {decision.profile.mpid} ({state})"


def _decider(decision: Decision) -> str:
    decided_by = decision.decided_by
    if decided_by.identity_type is not None:
        return f"tier {decided_by.rank}, {decided_by.identity_type}"
    return f"{decided_by.rule}: {RULES[decided_by.rule]}"


def _sentence(decision: Decision) -> str:
    decided_by = decision.decided_by
    rule = RULES[decided_by.rule].format(type=decided_by.identity_type, rank=decided_by.rank)
    if decision.status is Status.NOT_FOUND:
        return f"No profile found: {rule}."
    assert decision.profile is not None
    did = {
        Status.MATCHED: "is the answer",
        Status.CREATED: "is created",
        Status.MODIFIED: "is changed" if decision.changes else "is unchanged",
    }[decision.status]
    state = "logged in" if decision.is_logged_in else "not logged in"
    return f"Profile {decision.profile.mpid} {did}, {state}: {rule}."


def _identifier(identifier: Identifier) -> str:
    return f"{identifier.type} {printable(identifier.value)}"


def _consequences(decision: Decision) -> list[str]:
    """What changed, who was orphaned, where the profile comes from, and the notes."""
    lines = []
    for change in decision.changes:
        did = "+" if change.op is Op.ADD else "-"
        whose = "" if _is_own(change.mpid, decision) else f" (of profile {change.mpid})"
        lines.append(f"{did} {_identifier(change.identifier)}{whose}")
    lines += [
        f"orphaned: {mpid} can no longer be found by any identifier" for mpid in decision.orphaned
    ]
    profile = decision.profile
    if decision.created and profile is not None and profile.source_mpid is not None:
        lines.append(f"source: the anonymous profile {profile.source_mpid}")
    return lines + [f"note {note.code}: {note_message(note)}" for note in decision.notes]


def _is_own(mpid: int, decision: Decision) -> bool:
    return decision.profile is not None and decision.profile.mpid == mpid


def summary(counted: Mapping[str, Any], when_stopped: str) -> "list[RenderableType]":
    """What a replay came to; `when_stopped` says what to do where it stopped."""
    pieces: list[RenderableType] = []
    kinds = new_table("Request", "Answer", "Number")
    kinds.columns[2].justify = "right"
    for kind, statuses in counted["kinds"].items():
        for status, number in statuses.items():
            kinds.add_row(kind, status, f"{number:,}")
    pieces += [kinds, plain("")]
    for heading, key in (("Decided by", "decided_by"), ("Note", "notes"), ("Rejected", "errors")):
        if counted[key]:
            table = new_table(heading, "Number")
            table.columns[1].justify = "right"
            for word, number in counted[key].items():
                table.add_row(plain(word), f"{number:,}")
            pieces += [table, plain("")]
    for answer in counted["first_refused"]:
        error = answer["errors"][0]
        pieces.append(
            plain(
                f"{printable(answer['file'])}:{answer['line']}: {error['code']}: "
                f"{printable(error['message'])}"
            )
        )
    more = counted["refused"] - len(counted["first_refused"])
    if more:
        pieces.append(plain(f"and {number_of(more, 'more rejected line')}"))
    total = (
        f"{number_of(counted['requests'], 'request')}, "
        f"{number_of(counted['profiles_created'], 'profile')} created, "
        f"{counted['profiles_orphaned']:,} orphaned, "
        f"{number_of(counted['refused'], 'rejected line')}"
    )
    pieces.append(plain(total))
    if counted["dry_run"]:
        pieces.append(plain("dry run: nothing was written to the store"))
    if counted["stopped"]:
        pieces.append(plain(f"stopped before the rejected line; {when_stopped}"))
    return pieces


def mismatches(result: Result, width: int) -> "list[RenderableType]":
    """What a scenario expected and what was found, with the table of each step that differs."""
    pieces: list[RenderableType] = []
    for mismatch in result.mismatches:
        where = f"line {mismatch.step.line}, {mismatch.step.kind}: " if mismatch.step else ""
        pieces.append(plain(f"  {where}{printable(mismatch.what)}"))
        pieces.append(_expected_and_found(mismatch))
    told: list[Answer] = []
    for answer in (mismatch.answer for mismatch in result.mismatches):
        if answer is None or answer in told:
            continue
        told.append(answer)
        if isinstance(answer.outcome, Refusal):
            pieces.append(plain(refusal_line(answer, answer.outcome)))
        else:
            pieces += [plain(""), *explanation(answer, answer.outcome, width), plain("")]
    return pieces


def _expected_and_found(mismatch: Mismatch) -> "Table":
    from rich.table import Table

    grid = Table.grid(padding=(0, 1))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    grid.add_row("    expected", plain(json.dumps(mismatch.expected)))
    grid.add_row("    found", plain(json.dumps(mismatch.found)))
    return grid
