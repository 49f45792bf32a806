"""Event batches: whose the data is that they bring (section 9)."""

from collections.abc import Sequence
from typing import Final

from idsync_cli.core.codes import NoteCode, Rule, Status, TierOutcome
from idsync_cli.core.config.rules import ScopeRules
from idsync_cli.core.data.values import Alias
from idsync_cli.core.decision import DecidedBy, Decision, Note, Refusal, Tier
from idsync_cli.core.lookup import Lookup
from idsync_cli.core.profile import ProfileView
from idsync_cli.core.request import BatchRequest
from idsync_cli.core.resolve.modify import profile_of
from idsync_cli.core.resolve.resolution import resolve

_BY_MPID: Final = DecidedBy(Rule.MPID)


def decide_batch(
    request: BatchRequest,
    rules: ScopeRules,
    lookup: Lookup,
    seq: int,
    seed: int,
    *,
    explain: bool = False,
    near: bool = False,
) -> Decision:
    """Decide a batch: for the profile that it names, or else as an identify.

    One that was carried out before does nothing, whatever else is wrong with it.

    Raises:
        Refusal: the scope has no profile with the MPID; what is wrong with the identifiers; or as
            of an identify.
    """
    digest = request.digest
    if digest is not None:
        before = lookup.carried_out(digest)
        if before is not None:
            return Decision(Status.DUPLICATE, _BY_MPID, before.profile)
    if request.mpid is not None:
        profile = profile_of(request.mpid, lookup)
        return Decision(
            Status.MATCHED,
            _BY_MPID,
            profile,
            rules.holds_login_id(profile.types),
            tiers=_tiers(rules) if explain else (),
            data=request.data,
            digest=digest,
            aliases=_aliases(request, profile, lookup),
        )
    if request.fault is not None:
        raise request.fault
    assert request.identity is not None
    notes = tuple([Note(NoteCode.NO_IDENTIFIER, each) for each in request.passed_over])
    try:
        decision = resolve(request.identity, rules, lookup, seq, seed, explain=explain, near=near)
    except Refusal as refusal:
        if refusal.tiers:  # the account of it was asked for, and it has one
            refusal.notes = notes + refusal.notes
        raise
    aliases: Sequence[Alias] = ()
    if not decision.created:
        assert decision.profile is not None
        aliases = _aliases(request, decision.profile, lookup)
    return decision.with_batch(request.data, digest, notes, aliases)


def _aliases(request: BatchRequest, profile: ProfileView, lookup: Lookup) -> Sequence[Alias]:
    """The aliases by which events of the batch may be another profile's, too."""
    return tuple(lookup.aliases_from(profile)) if request.data.events else ()


def _tiers(rules: ScopeRules) -> tuple[Tier, ...]:
    """Of a batch that names its profile no identifier counts."""
    return tuple(
        [
            Tier(rank, kind, rules.settings_of(kind), TierOutcome.NOT_IN_REQUEST)
            for rank, kind in enumerate(rules.priority, start=1)
        ]
    )
