"""The one way to decide a request of any kind."""

from idsync_cli.core.config.rules import ScopeRules
from idsync_cli.core.decision import Decision
from idsync_cli.core.lookup import Lookup
from idsync_cli.core.request import (
    AliasRequest,
    BatchRequest,
    EraseRequest,
    ModifyRequest,
    Request,
)
from idsync_cli.core.resolve.alias import decide_alias
from idsync_cli.core.resolve.batch import decide_batch
from idsync_cli.core.resolve.erase import erase
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

    `seq` is the request's sequence number, and `seed` is the store's (section 7). `explain` adds
    what every tier found. `near`, and `explain` too, adds the near misses (section 8): who holds
    what was asked for, if no profile was the answer.

    Raises:
        Refusal: the request is rejected, and nothing changes.
    """
    if isinstance(request, ModifyRequest):
        return modify(request, rules, lookup, explain=explain)
    if isinstance(request, AliasRequest):
        return decide_alias(request, rules, lookup, seq)
    near = near or explain
    if isinstance(request, BatchRequest):
        return decide_batch(request, rules, lookup, seq, seed, explain=explain, near=near)
    if isinstance(request, EraseRequest):
        return erase(request, rules, lookup, explain=explain, near=near)
    return resolve(request, rules, lookup, seq, seed, explain=explain, near=near)
