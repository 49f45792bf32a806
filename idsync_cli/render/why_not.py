"""Why a profile was not the answer: as JSON, and as a headline with its tables."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from idsync_cli import wire
from idsync_cli.core.codes import Rule, TierOutcome
from idsync_cli.core.decision import Decision, Refusal
from idsync_cli.core.identity import Identifier
from idsync_cli.core.tiers import Tier
from idsync_cli.errors import number_of, printable
from idsync_cli.foresight.flips import Add, CaseChange, Drop, Move, PreviousMpid, SetSetting
from idsync_cli.foresight.why_not import Flip, WhyNot
from idsync_cli.messages import OUTCOMES, REASONS, RULES
from idsync_cli.render.breaking import broken
from idsync_cli.render.identifiers import in_a_list
from idsync_cli.render.tables import laid_out
from idsync_cli.render.theme import DECIDING_MARK, Line, Look, Part, text
from idsync_cli.visible import visible

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table
    from rich.text import Text

_NOTHING = "-"


def why_not_json(told: WhyNot) -> wire.Json:
    """What is said of one profile (section 12)."""
    error, lost_at = told.error, told.lost_at
    refused = {} if error is None else {"error": _error_json(error)}
    return {
        "mpid": str(told.mpid),
        "answer": None if told.answer is None else str(told.answer),
        **refused,
        "found_by": [each.value for each in told.found_by],
        "ineligible": told.ineligible and told.ineligible.value,
        "lost_at": lost_at and {"rank": lost_at.rank, "identity_type": lost_at.identity_type},
        "lost_tie": told.lost_tie,
        "flips": [[_change_json(each) for each in flip] for flip in told.flips],
        "left_out": told.left_out,
    }


def _error_json(error: Refusal) -> wire.Json:
    return {"code": error.code.value, "message": error.message}


def _change_json(change: CaseChange) -> wire.Json:
    match change:
        case Drop():
            return {"change": "drop", "identity_type": change.identity_type.value}
        case Add():
            kind, value = change.identifier.type.value, change.identifier.value
            return {"change": "add", "identity_type": kind, "value": value}
        case PreviousMpid():
            return {"change": "previous_mpid"}
        case Move():
            kind = change.identity_type.value
            return {"change": "move", "identity_type": kind, "rank": change.rank}
        case SetSetting():
            named = {"identity_type": change.identity_type.value, "setting": change.setting}
            return {"change": "setting", **named, "value": change.value}
        case _:
            return {"change": "rule", "key": change.key, "value": change.value}


def why_not(told: WhyNot, width: int) -> "list[RenderableType]":
    """A headline with the reason, how far the profile came, and what would have changed that."""
    answer = told.explained
    sentence = text((f"{_headline(told)}.", Look.HEADLINE))
    sentence.highlight_words([str(told.mpid)], Look.MPID.value)
    where = f"{answer.kind} in scope {visible(answer.scope or '')}, request {answer.seq}"
    if answer.line is not None:
        where += f", line {answer.line}"
    asked: Line = [(where, Look.ASIDE), *_instead(told)]
    pieces: list[RenderableType] = [broken(sentence, width), broken(text(*asked), width, indent=2)]
    carried = [each for each in _tiers(told) if each.outcome is not TierOutcome.NOT_IN_REQUEST]
    if carried:
        pieces += [text(""), _how_far(told, carried, width)]
    if not told.is_the_answer:
        pieces += [text(""), *_flips(told, width)]
    return pieces


def _headline(told: WhyNot) -> str:
    subject = f"Profile {told.mpid}"
    if told.is_the_answer:
        return f"{subject} is the answer"
    return f"{subject} is not the answer: {_reason(told)}"


def _reason(told: WhyNot) -> str:
    """The first of the reasons that there are, in the order in which a request comes upon them."""
    outcome = told.explained.outcome
    if isinstance(outcome, Refusal) and not outcome.tiers:
        return f"the request is rejected, {outcome.code}"
    if isinstance(outcome, Decision) and outcome.decided_by.rule is Rule.LOGOUT:
        return RULES[Rule.LOGOUT]
    if not told.found_by:
        return "it holds no identifier in the request"
    if told.ineligible is not None:
        return f"{told.ineligible}: {REASONS[told.ineligible]}"
    if told.lost_at is not None:
        tier = f"tier {told.lost_at.rank}, {told.lost_at.identity_type}"
        return f"{tier}, found other profiles, but not this one"
    if told.lost_tie:
        assert isinstance(outcome, Decision)
        rule = outcome.decided_by.rule
        if rule is Rule.NEWEST:
            return "several candidates were left, and another is newer"
        return "several candidates were left, and the previous MPID is another of them"
    return "no tier is consulted"


def _instead(told: WhyNot) -> list[str | Part]:
    """What the request is answered with in its place."""
    error = told.error
    if error is not None:
        return ["; rejected: ", (error.code.value, Look.FAILED), f": {printable(error.message)}"]
    if told.is_the_answer:
        return []
    if told.answer is None:
        return ["; no profile is found"]
    outcome = told.explained.outcome
    assert isinstance(outcome, Decision)
    answer = (str(told.answer), Look.MPID)
    return ["; the answer is ", "a new profile, " if outcome.created else "profile ", answer]


def _tiers(told: WhyNot) -> tuple[Tier, ...]:
    return told.explained.outcome.tiers


_COLUMNS = ("#", "Type", "Value", "Settings", "Held", "Left", "Outcome")


def _how_far(told: WhyNot, tiers: Sequence[Tier], width: int) -> "Table":
    """Each tier of the request, with whether the profile holds what it looked for."""
    return laid_out(_COLUMNS, [_tier_cells(told, tier) for tier in tiers], width)


def _tier_cells(told: WhyNot, tier: Tier) -> "list[Text]":
    holds = tier.identity_type in told.found_by
    rank, outcome = str(tier.rank), text(OUTCOMES[tier.outcome])
    look = Look.PLAIN
    if tier.outcome is TierOutcome.DECIDED:
        rank, look = f"{DECIDING_MARK} {rank}", Look.DECIDED
    elif tier.outcome is TierOutcome.NOT_CONSULTED:
        look = Look.NOT_CONSULTED
    if told.lost_at is not None and told.lost_at.identity_type is tier.identity_type:
        outcome.append_text(text("\n  ", ("lost here", Look.INELIGIBLE)))
    assert tier.value is not None
    left = _NOTHING if tier.candidates is None else str(tier.candidates)
    cells = [
        text(rank),
        text((tier.identity_type.value, Look.TYPE)),
        text(in_a_list(Identifier(tier.identity_type, tier.value))),
        text(" ".join(tier.settings.names()) or _NOTHING),
        text(("yes", Look.OK) if holds else "no"),
        text(left),
        outcome,
    ]
    if look is not Look.PLAIN:
        for cell in (each for each in cells if each is not outcome):
            cell.stylize(look.value)
        outcome.stylize(look.value, 0, len(OUTCOMES[tier.outcome]))
    return cells


def _flips(told: WhyNot, width: int) -> "list[RenderableType]":
    if not told.flips:
        none = text(
            (
                "No single change, nor any two to the request, would make it the answer.",
                Look.HEADING,
            )
        )
        return [broken(none, width)]
    heading = text(("Any one of these would have made it the answer:", Look.HEADING))
    rows = [
        (str(number), "\n".join(_where(each) for each in flip), _sentences(flip))
        for number, flip in enumerate(told.flips, start=1)
    ]
    pieces: list[RenderableType] = [
        broken(heading, width), laid_out(("#", "Where", "Change"), rows, width)
    ]  # fmt: skip
    if told.left_out:
        pieces.append(text(f"and {number_of(told.left_out, 'change')} more"))
    return pieces


def _where(change: CaseChange) -> str:
    return "request" if isinstance(change, Drop | Add | PreviousMpid) else "rules"


def _sentences(flip: Flip) -> "Text":
    """A flip in words, a line for each of its changes."""
    said = text()
    for number, change in enumerate(flip):
        said.append_text(text("\nand " if number else "", *_sentence(change)))
    return said


def _sentence(change: CaseChange) -> Line:
    match change:
        case Drop():
            return ["send no ", (change.identity_type.value, Look.TYPE)]
        case Add():
            kind = (change.identifier.type.value, Look.TYPE)
            return ["send ", kind, f" {in_a_list(change.identifier)}"]
        case PreviousMpid():
            return ["send its MPID as previous_mpid"]
        case Move():
            kind = (change.identity_type.value, Look.TYPE)
            return [kind, f" at rank {change.rank} of the priority"]
        case SetSetting():
            kind = (change.identity_type.value, Look.TYPE)
            return [kind, f": {{{change.setting}: {str(change.value).lower()}}}"]
        case _:
            return [f"{change.key}: {str(change.value).lower()}"]
