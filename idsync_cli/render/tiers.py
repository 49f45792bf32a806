"""The tiers of a request for people: a table of what each found, and what has no room in it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from idsync_cli.core.codes import TierOutcome
from idsync_cli.core.decision import Note
from idsync_cli.core.identity import Identifier, IdentityType
from idsync_cli.core.tiers import COUNTED_TO, Tier
from idsync_cli.messages import KEPT_BY, OUTCOMES
from idsync_cli.render.breaking import broken
from idsync_cli.render.identifiers import in_a_list
from idsync_cli.render.tables import WIDE, height, laid_out
from idsync_cli.render.theme import DECIDING_MARK, DIFFERING_MARK, Look, Part, text

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text

    from idsync_cli.render.stacked import Stacked

_NOTHING = "-"
_NOBODY: Mapping[IdentityType | None, int] = {}


def tiers_shown(
    tiers: Sequence[Tier],
    notes: Sequence[Note],
    width: int,
    marked: IdentityType | None = None,
) -> "list[RenderableType]":
    """The table, then in a line what the request does not carry, then what reasons mean.

    Who keeps an identifier is told in the table, or below it where it has no room.
    """
    carried = [tier for tier in tiers if tier.outcome is not TierOutcome.NOT_IN_REQUEST]
    absent = [tier.identity_type.value for tier in tiers if tier not in carried]
    pieces: list[RenderableType] = [text("")] if carried else []
    if carried:
        keepers = {note.identity_type: note.mpid for note in notes if note.mpid is not None}
        pieces += _table(carried, keepers, width, marked)
    if absent:
        listed = text((f"not in request: {', '.join(absent)}", Look.NOT_CONSULTED))
        pieces.append(broken(listed, width, indent=2))
    reasons = {reason.value: None for tier in carried for reason in tier.ineligible}
    reasons |= {note.reason.value: None for note in notes if note.reason is not None}
    for reason in reasons:
        meaning = text((reason, Look.INELIGIBLE), f": {KEPT_BY[reason]}")
        pieces.append(broken(meaning, width, indent=2))
    return pieces


def _table(
    tiers: Sequence[Tier],
    keepers: Mapping[IdentityType | None, int],
    width: int,
    marked: IdentityType | None,
) -> "Iterator[RenderableType]":
    """The table; what has no room in it, or makes it longer, stands below it."""
    whole = tier_table(tiers, WIDE, keepers, marked=marked)
    if (whole.width or 0) <= width:
        yield whole
        return
    reasons = [
        text(f"tier {tier.rank}: ", (f"{_shown(tier, count)} {reason}", Look.INELIGIBLE))
        for tier in tiers
        for reason, count in tier.ineligible.items()
    ]
    with_reasons = tier_table(tiers, width, marked=marked)
    narrow = tier_table(tiers, width, reasons=False, marked=marked)
    saved = height(with_reasons) - height(narrow) - len(reasons)
    if with_reasons.is_stacked or saved >= 0:
        yield narrow
        yield from reasons
    else:
        yield with_reasons
    for tier in tiers:
        if (keeper := keepers.get(tier.identity_type)) is not None:
            yield text(f"tier {tier.rank}: ", ("kept by ", Look.INELIGIBLE), _mpid(keeper))


def tier_table(
    tiers: Sequence[Tier],
    width: int,
    keepers: Mapping[IdentityType | None, int] = _NOBODY,
    *,
    reasons: bool = True,
    marked: IdentityType | None = None,
) -> "Stacked":
    """What each tier of the priority found, and what that left.

    Reasons need a wide terminal, and so do the profiles that keep an identifier of the request.
    """
    rows = [
        _tier_cells(
            tier,
            keepers.get(tier.identity_type),
            reasons=reasons,
            is_marked=tier.identity_type is marked,
        )
        for tier in tiers
    ]
    return laid_out(_TIER_COLUMNS, rows, width)


_TIER_COLUMNS = ("#", "Type", "Value", "Settings", "Held by", "Eligible", "Left", "Outcome")


def _shown(tier: Tier, number: int | None) -> str:
    return _count(number, stopped=tier.stopped_counting)


def _tier_cells(
    tier: Tier, keeper: int | None, *, reasons: bool, is_marked: bool = False
) -> "list[Text]":
    rank, eligible = str(tier.rank), text(_shown(tier, tier.eligible))
    outcome: Part = (OUTCOMES[tier.outcome], Look.PLAIN)
    for reason, count in tier.ineligible.items() if reasons else ():
        told = f"\n  {_shown(tier, count)} {reason}"
        eligible.append_text(text((told, Look.INELIGIBLE)))
    if keeper is not None:
        eligible.append_text(text(("\n  kept by ", Look.INELIGIBLE), _mpid(keeper)))
    if tier.outcome is TierOutcome.DECIDED:
        rank, outcome = f"{DECIDING_MARK} {rank}", (outcome[0], Look.DECIDED)
    if is_marked:
        rank = f"{DIFFERING_MARK}{rank if DECIDING_MARK in rank else f' {rank}'}"
    cells = [
        text(rank),
        text((tier.identity_type.value, Look.TYPE)),
        text(
            _NOTHING
            if tier.value is None
            else in_a_list(Identifier(tier.identity_type, tier.value))
        ),
        text(" ".join(tier.settings.names()) or _NOTHING),
        text(_shown(tier, tier.held_by)),
        eligible,
        text(_shown(tier, tier.candidates)),
        text(outcome),
    ]
    row_look = {
        TierOutcome.DECIDED: Look.DECIDED,
        TierOutcome.NOT_CONSULTED: Look.NOT_CONSULTED,
    }.get(tier.outcome)
    if row_look is not None:
        for cell in (each for each in cells if each is not eligible):
            cell.stylize(row_look.value)
        eligible.stylize(row_look.value, 0, len(_shown(tier, tier.eligible)))
    return cells


def _count(number: int | None, *, stopped: bool) -> str:
    """A count; behind one that may stand for more there is a plus."""
    if number is None:
        return _NOTHING
    return f"{number}+" if stopped and number == COUNTED_TO else str(number)


def _mpid(mpid: int) -> Part:
    return (str(mpid), Look.MPID)
