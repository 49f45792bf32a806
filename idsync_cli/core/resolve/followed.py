"""One profile on its way through the tiers: how far it came (sections 4 and 12)."""

from typing import NamedTuple

from idsync_cli.core.codes import Reason
from idsync_cli.core.config.rules import ScopeRules
from idsync_cli.core.decision import DecidedBy
from idsync_cli.core.identity import IdentityType
from idsync_cli.core.lookup import Lookup
from idsync_cli.core.profile import ProfileView, types_of
from idsync_cli.core.request import IdentityRequest
from idsync_cli.core.resolve.matcher import Matcher
from idsync_cli.core.resolve.request_shape import RequestShape, shape_of
from idsync_cli.core.screening import screen


class Followed(NamedTuple):
    """How far a profile came.

    `found_by` are the types of which its record holds exactly the request's value. `ineligible` is
    the reason why it may not be the answer, if there is one. `lost_at` is the first tier after
    which there are candidates and it is not among them. `is_left` says whether it is among the
    candidates that all tiers left.
    """

    found_by: tuple[IdentityType, ...]
    ineligible: Reason | None
    lost_at: DecidedBy | None
    is_left: bool


def follow(
    request: IdentityRequest, rules: ScopeRules, lookup: Lookup, profile: ProfileView
) -> Followed:
    """Follow a profile of the scope through steps 2 and 3, on the store as it stands.

    The identifiers are those that guard rails leave, as they are meant. Where the strategy consults
    no tier, or the request is rejected, it is lost at none.
    """
    identifiers = screen(request.identifiers, rules.guard_rails, lookup).identifiers
    shape = shape_of(request.kind, types_of(identifiers), rules)
    matcher = Matcher(shape, identifiers, lookup)
    found_by = [
        each.type
        for each in identifiers
        if rules.is_lookup(each.type) and lookup.holds(profile, each)
    ]
    ineligible = matcher.ineligibility(profile)
    lost_at, is_left = None, False
    if shape.refusal is None and not shape.makes_new_at_once:
        lost_at, is_left = _lost_at(matcher, shape, profile)
    return Followed(tuple(rules.in_order(found_by)), ineligible, lost_at, is_left)


def _lost_at(
    matcher: Matcher, shape: RequestShape, profile: ProfileView
) -> tuple[DecidedBy | None, bool]:
    for number, requested in enumerate(shape.requested_types, start=1):
        if requested.rank is None:
            break  # behind the priority
        match = matcher.consult(most=number)
        if match.newest is not None and not matcher.is_candidate(match, profile):
            return requested.decided_by, False
        if match.decided_by is not None:
            return None, True
    match = matcher.consult()
    return None, match.newest is not None and matcher.is_candidate(match, profile)
