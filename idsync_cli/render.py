"""Values to tables and text for people; foreign values go in as plain, printable text."""

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from idsync_cli.check import Result
from idsync_cli.core.codes import Op, RequestKind, Status
from idsync_cli.core.decision import Answer, Decision, Refusal, Tier
from idsync_cli.core.identity import Identifier
from idsync_cli.core.rules import Organization, Rules
from idsync_cli.errors import printable
from idsync_cli.wording import OUTCOMES, REASONS, RULES, note_message, strategy_rules

if TYPE_CHECKING:
    from rich.console import JustifyMethod, RenderableType
    from rich.table import Table

_NOTHING = "-"


def answer_lines(answer: Answer, decision: Decision) -> list[str]:
    """An answer without its explanation: the result, what decided it, and what followed."""
    lines = [_result(decision), f"decided by {_decider(decision)}"]
    if answer.kind is RequestKind.SEARCH and decision.profile:
        lines += [f"holds {_identifier(held)}" for held in decision.profile.identifiers]
    return lines + _consequences(decision)


def explanation(answer: Answer, decision: Decision, width: int) -> "list[RenderableType]":
    """The table of the tiers, a sentence for the result, and what followed from it."""
    from rich.text import Text

    heading = f"{answer.kind} in scope {printable(answer.scope or '')}, request {answer.seq}"
    why_not = {reason: None for tier in decision.tiers for reason in tier.ineligible}
    reasons = [f"{reason}: {REASONS[reason]}" for reason in why_not]
    below = [*reasons, *([""] if reasons else []), _sentence(decision), *_consequences(decision)]
    return [Text(heading), tier_table(decision.tiers, width), *map(Text, below)]


def tier_table(tiers: Sequence[Tier], width: int) -> "Table":
    """What each tier of the priority found, and what that left.

    The columns of types and values share what the others leave of `width`, and fold; a reason's
    code is looked up in the rule book, and so is never broken to fit a column.
    """
    cells = [_tier_cells(tier, narrow=width < _WIDE) for tier in tiers]
    table = _table()
    for place, (heading, justify) in enumerate(_TIER_COLUMNS):
        content = [heading, *(row[place] for row in cells)]
        widest = max(len(line) for cell in content for line in cell.split("\n"))
        table.add_column(heading, justify=justify, overflow="fold", width=widest)
    folding = [table.columns[place] for place in _FOLDING]
    taken = sum(column.width or 0 for column in table.columns if column not in folding)
    room = width - taken - (len(_TIER_COLUMNS) - 1)
    share = max(_NARROWEST, room // len(folding))
    spare = max(0, *(share - (column.width or 0) for column in folding))
    for column in folding:
        column.width = min(column.width or 0, share + spare)
    for row in cells:
        table.add_row(*map(_text, row))
    return table


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
_NARROWEST = 8
_WIDE = 100


def _tier_cells(tier: Tier, *, narrow: bool) -> tuple[str, ...]:
    reasons = [f"{count} {reason}" for reason, count in tier.ineligible.items()]
    return (
        str(tier.rank),
        tier.identity_type.value,
        _NOTHING if tier.value is None else printable(tier.value),
        "\n".join(tier.settings.names()) or _NOTHING,
        _count(tier.held_by),
        "\n".join([_count(tier.eligible), *reasons]),
        _count(tier.left),
        OUTCOMES[tier.outcome].replace(" ", "\n" if narrow else " ", 1),
    )


def refusal_line(answer: Answer, refusal: Refusal) -> str:
    """A refused request, with its line in a replay."""
    where = "" if answer.line is None else f"line {answer.line}: "
    return f"{where}{refusal.code}: {printable(refusal.message)}"


def _table(*columns: str) -> "Table":
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, padding=0, pad_edge=False, show_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _text(text: str) -> Any:
    """Text for a cell, in which nothing is taken for markup."""
    from rich.text import Text

    return Text(text)


def _count(number: int | None) -> str:
    return _NOTHING if number is None else str(number)


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
        return f"No profile is the answer: {rule}."
    assert decision.profile is not None
    did = {
        Status.MATCHED: "is the answer",
        Status.CREATED: "is made",
        Status.MODIFIED: "is changed" if decision.changes else "stays as it is",
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
    lines += [f"orphaned: {mpid} has no lookup left" for mpid in decision.orphaned]
    if decision.created and decision.created.source_mpid is not None:
        lines.append(f"source: the anonymous profile {decision.created.source_mpid}")
    return lines + [f"note {note.code}: {note_message(note)}" for note in decision.notes]


def _is_own(mpid: int, decision: Decision) -> bool:
    return decision.profile is not None and decision.profile.mpid == mpid


def profile_table(profile: Mapping[str, Any]) -> "list[RenderableType]":
    """A profile, as an export holds it."""
    state = ["known" if profile["known"] else "anonymous"]
    if profile["orphaned"]:
        state.append("orphaned")
    heading = (
        f"profile {profile['mpid']} in scope {printable(profile['scope'])}: {', '.join(state)}, "
        f"made by request {profile['created_seq']}"
    )
    if profile["source_mpid"] is not None:
        heading += f", from profile {profile['source_mpid']}"
    table = _table("Type", "Values, oldest first")
    for kind, values in profile["identities"].items():
        table.add_row(_text(kind), _text("\n".join(map(printable, values))))
    return [_text(heading), table]


def organization_tables(organization: Organization) -> "list[RenderableType]":
    """The rules of every scope, and the workspaces that each serves."""
    pieces: list[RenderableType] = []
    if organization.name is not None:
        pieces.append(_text(f"organization {printable(organization.name)}"))
    for name, rules in organization.scopes.items():
        served = [
            printable(each) for each, scope in organization.workspaces.items() if scope == name
        ]
        pieces.append(_text(f"\nscope {printable(name)}: strategy {rules.strategy.name}"))
        pieces.append(_text(f"workspaces: {', '.join(served) or 'none'}"))
        pieces += map(_text, _strategy_lines(rules))
        table = _table("#", "Type", "Settings")
        for rank, kind in enumerate(rules.priority, start=1):
            settings = ", ".join(rules.settings_of(kind).names())
            table.add_row(str(rank), _text(kind), _text(settings or _NOTHING))
        pieces.append(table)
    return pieces


def _strategy_lines(rules: Rules) -> list[str]:
    return [f"{key} {value}: {sentence}" for key, value, sentence in strategy_rules(rules)]


def organization_json(organization: Organization) -> dict[str, Any]:
    """The rules of every scope, for machines."""
    return {
        "organization": organization.name,
        "scopes": {
            name: {
                "strategy": rules.strategy.name,
                "rules": {key: value for key, value, _ in strategy_rules(rules)},
                "priority": [kind.value for kind in rules.priority],
                "identities": {
                    kind.value: list(rules.settings_of(kind).names()) for kind in rules.priority
                },
            }
            for name, rules in organization.scopes.items()
        },
        "workspaces": dict(organization.workspaces),
    }


def summary(counted: Mapping[str, Any]) -> "list[RenderableType]":
    """What a replay came to."""
    pieces: list[RenderableType] = []
    kinds = _table("Request", "Answer", "Number")
    kinds.columns[2].justify = "right"
    for kind, statuses in counted["kinds"].items():
        for status, number in statuses.items():
            kinds.add_row(kind, status, f"{number:,}")
    pieces += [kinds, _text("")]
    for heading, key in (("Decided by", "decided_by"), ("Note", "notes"), ("Refused", "errors")):
        if counted[key]:
            table = _table(heading, "Number")
            table.columns[1].justify = "right"
            for word, number in counted[key].items():
                table.add_row(_text(word), f"{number:,}")
            pieces += [table, _text("")]
    for answer in counted["first_refused"]:
        error = answer["errors"][0]
        pieces.append(
            _text(f"line {answer['line']}: {error['code']}: {printable(error['message'])}")
        )
    more = counted["refused"] - len(counted["first_refused"])
    if more:
        pieces.append(_text(f"and {more:,} more refused lines"))
    total = (
        f"{counted['requests']:,} requests, {counted['profiles_created']:,} profiles made, "
        f"{counted['profiles_orphaned']:,} orphaned, {counted['refused']:,} lines refused"
    )
    return [*pieces, _text(total)]


def mismatches(result: Result, width: int) -> "list[RenderableType]":
    """What a scenario expected and what was found, with the table of each step that differs."""
    pieces: list[RenderableType] = []
    for mismatch in result.mismatches:
        where = f"line {mismatch.step.line}, {mismatch.step.kind}: " if mismatch.step else ""
        pieces.append(_text(f"  {where}{printable(mismatch.what)}"))
        pieces.append(_text(f"    expected {_value(mismatch.expected)}"))
        pieces.append(_text(f"    found    {_value(mismatch.found)}"))
    told: list[Answer] = []
    for answer in (mismatch.answer for mismatch in result.mismatches):
        if answer is None or answer in told:
            continue
        told.append(answer)
        if isinstance(answer.outcome, Refusal):
            pieces.append(_text(refusal_line(answer, answer.outcome)))
        else:
            pieces += [_text(""), *explanation(answer, answer.outcome, width), _text("")]
    return pieces


def _value(value: object) -> str:
    return json.dumps(value)
