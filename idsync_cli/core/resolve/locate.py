"""Whose profile do identifiers mean? One profile that is certain, or none (section 9)."""

from collections.abc import Sequence
from typing import Final

from idsync_cli.core.codes import ErrorCode, RequestKind, Rule, Status
from idsync_cli.core.config.rules import ScopeRules
from idsync_cli.core.decision import DecidedBy, Decision, Note, Refusal
from idsync_cli.core.identity import Identifier
from idsync_cli.core.lookup import Lookup
from idsync_cli.core.profile import types_of
from idsync_cli.core.resolve.matcher import Matcher
from idsync_cli.core.resolve.request_shape import shape_of
from idsync_cli.core.screening import nothing_left, screen

_NO_MATCH: Final = DecidedBy(Rule.NO_MATCH)


def locate(
    identifiers: Sequence[Identifier],
    rules: ScopeRules,
    lookup: Lookup,
    found_as: Status,
    *,
    explain: bool = False,
    near: bool = False,
) -> Decision:
    """The profile that a search finds, without the rule `immutable_search`; nothing changes.

    The decision has the status `found_as`, or `not_found`. If nobody is found, it has what every
    tier did with `explain`, and who holds what was asked for with `near`.

    Raises:
        Refusal: NO_IDENTITIES, where guard rails leave nothing; AMBIGUOUS, where the last tier
            leaves several.
    """
    rails = rules.guard_rails
    notes: list[Note] = []
    if rails.screens_values and not rails.leave(identifiers):
        screened = screen(identifiers, rails, lookup)
        identifiers, notes = screened.identifiers, screened.notes()
        if not identifiers:
            raise nothing_left(screened.blocked)
    shape = shape_of(RequestKind.ERASE, types_of(identifiers), rules)
    matcher = Matcher(shape, identifiers, lookup)
    match = matcher.consult(explain=explain)
    newest, decided_by = match.newest, match.decided_by
    if newest is None:
        misses = matcher.near_misses() if near else ()
        return Decision(
            Status.NOT_FOUND, _NO_MATCH, notes=tuple(notes), tiers=match.tiers, near=misses
        )
    if decided_by is None:
        raise Refusal(
            ErrorCode.AMBIGUOUS,
            "several profiles fit these identifiers; add one that only one of them holds, or name "
            "the MPID",
        )
    return Decision(found_as, decided_by, newest)
