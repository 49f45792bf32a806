"""Erase: whose profile is to be erased (section 9)."""

from typing import Final

from idsync_cli.core.codes import ErrorCode, Rule, Status
from idsync_cli.core.config.rules import ScopeRules
from idsync_cli.core.decision import DecidedBy, Decision, Refusal
from idsync_cli.core.lookup import Lookup
from idsync_cli.core.request import EraseRequest
from idsync_cli.core.resolve.locate import locate

_BY_MPID: Final = DecidedBy(Rule.MPID)


def erase(
    request: EraseRequest,
    rules: ScopeRules,
    lookup: Lookup,
    *,
    explain: bool = False,
    near: bool = False,
) -> Decision:
    """Decide an erase against the store as it stands before it; what it removes the store knows.

    Raises:
        Refusal: the scope has no profile of that MPID, or several fit the identifiers.
    """
    if request.mpid is None:
        its = request.identifiers
        return locate(its, rules, lookup, Status.ERASED, explain=explain, near=near)
    profile = lookup.profile(request.mpid)
    if profile is None:
        raise Refusal(
            ErrorCode.MPID_NOT_FOUND,
            f"no profile in the scope has the MPID {request.mpid}",
            word=str(request.mpid),
        )
    return Decision(Status.ERASED, _BY_MPID, profile)
