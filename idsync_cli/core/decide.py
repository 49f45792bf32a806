"""The one way to decide a request of any kind."""

from idsync_cli.core.config.rules import ScopeRules
from idsync_cli.core.decision import Decision
from idsync_cli.core.lookup import Lookup
from idsync_cli.core.request import ModifyRequest, Request
from idsync_cli.core.resolve.modify import modify
from idsync_cli.core.resolve.resolution import resolve


def decide(
    request: Request,
    rules: ScopeRules,
    lookup: Lookup,
    seq: int,
    seed: int,
    *,
    explain: bool = False,
    near: bool = False,
) -> Decision:
    """Decide any request by the rules of its scope, against the store as it stands before it.

    `seq` is the request's sequence number and `seed` that of its store (section 7); both come from
    the caller. `explain` adds the details of every tier. `near`, or `explain`, adds who holds what
    was asked for, where none of them is the answer.

    Raises:
        Refusal: the request is refused, and nothing changes.
    """
    if isinstance(request, ModifyRequest):
        return modify(request, rules, lookup, explain=explain)
    return resolve(request, rules, lookup, seq, seed, explain=explain, near=near or explain)
