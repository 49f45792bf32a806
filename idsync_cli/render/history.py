"""Changes of profiles, for people: a table of the history, and the words for what it says."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from idsync_cli.core.codes import AttributeOp, Op
from idsync_cli.core.data.values import Alias, AttributeChange
from idsync_cli.core.decision import Change
from idsync_cli.core.identity import Identifier
from idsync_cli.render.identifiers import in_one_list
from idsync_cli.render.profile_data import shown_value
from idsync_cli.render.store import requester
from idsync_cli.render.tables import laid_out
from idsync_cli.render.theme import Look, Part, text
from idsync_cli.render.times import moment
from idsync_cli.store.causes import cause_of
from idsync_cli.store.values import HistoryChange, HistoryEntry
from idsync_cli.visible import visible

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text


def heading(mpid: int | None, identifier: Identifier | None) -> "Text":
    """Of what the changes are."""
    whose: list[str | Part] = ["changes of "]
    if identifier is not None:
        whose += [(identifier.type.value, Look.TYPE), f" {visible(identifier.value)}"]
    if mpid is not None:
        whose += ["profile " if identifier is None else " on profile ", (str(mpid), Look.MPID)]
    return text(*whose)


def history_table(
    entries: Sequence[HistoryEntry],
    *,
    mpid: int | None,
    identifier: Identifier | None,
    width: int,
) -> "Table":
    """Changes, a row each; a column that the question has answered already is left out.

    Who made several changes is told with the first of them.
    """
    only_identities = all(isinstance(each.change, Change) for each in entries)
    headings = ["Seq", "Time (UTC)", "By", "Change"]
    headings += ["MPID"] if mpid is None else []
    headings += ["Type" if only_identities else "What", "Value"] if identifier is None else []
    values = in_one_list(
        each.change.identifier for each in entries if isinstance(each.change, Change)
    )
    rows = []
    told_of = None
    for entry in entries:
        row: list[Text | str] = ["", "", ""]  # as above
        if entry.seq != told_of:
            by = requester(cause_of(entry)) if entry.rule else [str(entry.kind)]
            row = [str(entry.seq), moment(entry.time_ms), "\n".join(by)]
        told_of = entry.seq
        row += [text(_sign(entry.change))]
        row += [text((str(entry.mpid), Look.MPID))] if mpid is None else []
        row += _cells(entry.change, mpid, values) if identifier is None else ()
        rows.append(row)
    return laid_out(headings, rows, width)


def _sign(change: HistoryChange) -> Part:
    """Whether something came or went, and the word for it."""
    if isinstance(change, (Change, AttributeChange)):
        came = change.op in (Op.ADD, AttributeOp.SET)
        sign, look, word = "+" if came else "-", Look.ADDED if came else Look.REMOVED, change.op
        return f"{sign} {word}", look
    if isinstance(change, Alias):
        return "= alias", Look.NOTE
    return "- erase", Look.REMOVED


def _cells(
    change: HistoryChange, mpid: int | None, values: Mapping[Identifier, str]
) -> "tuple[Text | str, str]":
    """What was changed, and its value, as seen from a profile."""
    if isinstance(change, Change):
        kind = text((change.identifier.type.value, Look.TYPE))
        return kind, values[change.identifier]
    if isinstance(change, AttributeChange):
        value = "" if change.op is AttributeOp.DELETE else shown_value(change.value)
        return visible(change.name), value
    if isinstance(change, Alias):
        return "", aliased(change, mpid)
    return "", ""


def aliased(alias: Alias, mpid: int | None) -> str:
    """What an alias says, as seen from one of its profiles, or from its destination."""
    other = f"from profile {alias.source_mpid}"
    if mpid == alias.source_mpid:
        other = f"to profile {alias.destination_mpid}"
    return f"{other}, events from {moment(alias.start_ms)} to {moment(alias.end_ms)}"
