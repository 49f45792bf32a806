"""Where nothing is found: what is there that may have been meant.

For people at their own store alone. Over HTTP it would tell strangers who is there.
"""

from collections.abc import Iterable, Iterator, Mapping
from math import inf, nextafter
from typing import Any, NamedTuple

from idsync_cli.core.codes import RequestKind
from idsync_cli.core.config.rules import Organization
from idsync_cli.core.decision import Answer
from idsync_cli.core.identity import (
    MPID_MAX,
    MPID_MIN,
    TYPES_BY_NAME,
    Identifier,
    parse_mpid,
)
from idsync_cli.core.variants import ValueDifference, differences, variants_of
from idsync_cli.store.api import Transaction

_FEWEST_DIGITS = 17
"""From so many digits on, a number of JavaScript may have lost the last of them."""


class HeldVariant(NamedTuple):
    """An identifier that somebody holds, where nobody holds the one that was asked for."""

    asked: Identifier
    held: str
    differs_in: tuple[ValueDifference, ...]


class Meant(NamedTuple):
    """What is there that may have been meant."""

    variants: list[HeldVariant]
    mpids: list[int]


def meant_by(
    transaction: Transaction,
    organization: Organization,
    identifiers: Iterable[Identifier] = (),
    scopes: Iterable[str] = (),
    *,
    mpid: int | None = None,
) -> Meant:
    """What is there that may have been meant by identifiers in some scopes, or by an MPID."""
    asked = list(identifiers)
    variants = [
        each for scope in scopes for each in _held_variants(transaction, organization, asked, scope)
    ]
    mpids = [] if mpid is None else _rounded_mpids(transaction, mpid)
    return Meant(list(dict.fromkeys(variants)), mpids)


def meant_by_request(
    request: Mapping[str, Any],
    answer: Answer,
    organization: Organization,
    transaction: Transaction,
) -> Meant:
    """What is there that may have been meant by a request that found nothing."""
    if answer.kind is RequestKind.ALIAS:
        found = [
            meant_by(transaction, organization, mpid=parse_mpid(request.get(name))).mpids
            for name in ("source_mpid", "destination_mpid")
        ]
        return Meant([], [mpid for each in found for mpid in each])
    if answer.kind is not RequestKind.SEARCH:
        return meant_by(transaction, organization, mpid=parse_mpid(request.get("mpid")))
    assert answer.scope is not None
    known = request["known_identities"].items()
    asked = [Identifier(TYPES_BY_NAME[name], value) for name, value in known]
    return meant_by(transaction, organization, asked, [answer.scope])


def _held_variants(
    transaction: Transaction,
    organization: Organization,
    identifiers: Iterable[Identifier],
    scope: str,
) -> Iterator[HeldVariant]:
    """What profiles of a scope hold that differs only in its looks from what was asked for.

    Only of types that the scope can look up, and where nobody holds what was asked for as it is.
    Each variant costs one look-up by an index.
    """
    rules, inspection = organization.scopes.get(scope), transaction.inspection()
    for asked in identifiers:
        kind, value = asked.type, asked.value
        if rules is None or not rules.is_lookup(kind):
            continue
        normal = rules.guard_rails.normal_form(asked)
        if inspection.held_among(scope, kind, list(dict.fromkeys((value, normal or value)))):
            continue
        for held in inspection.held_among(scope, kind, variants_of(asked)):
            differs_in = differences(kind, value, held)
            if differs_in:
                yield HeldVariant(asked, held, differs_in)


def _rounded_mpids(transaction: Transaction, mpid: int) -> list[int]:
    """The MPIDs that JavaScript takes for the same number as one that no profile has."""
    inspection = transaction.inspection()
    if len(str(abs(mpid))) < _FEWEST_DIGITS or inspection.view(mpid) is not None:
        return []
    rounded = float(mpid)
    least = max(MPID_MIN, int(nextafter(rounded, -inf)))
    most = min(MPID_MAX, int(nextafter(rounded, inf)))
    return [each for each in inspection.mpids_between(least, most) if float(each) == rounded]
