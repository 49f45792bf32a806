"""Event batches: whose the data is that they bring (section 9)."""

from collections.abc import Sequence
from typing import Final

from idsync_cli.core.codes import NoteCode, Rule, Status, TierOutcome
from idsync_cli.core.config.rules import ScopeRules
from idsync_cli.core.data.values import Alias, BatchData
from idsync_cli.core.decision import DecidedBy, Decision, Note
from idsync_cli.core.identity import device_among
from idsync_cli.core.lookup import Lookup
from idsync_cli.core.profile import ProfileView
from idsync_cli.core.request import BatchRequest, IdentityRequest
from idsync_cli.core.resolve.modify import profile_of
from idsync_cli.core.resolve.resolution import resolve
from idsync_cli.core.screening import screen
from idsync_cli.core.tiers import Tier

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
        for other in request.other_digests:
            before = before or lookup.carried_out(other)
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
    data = _screened(request.data, request.identity, rules, lookup)
    own = [Note(NoteCode.NO_IDENTIFIER, each) for each in request.passed_over]
    decision = resolve(
        request.identity, rules, lookup, seq, seed, explain=explain, near=near, own_notes=own
    )
    aliases: Sequence[Alias] = ()
    if not decision.created:
        assert decision.profile is not None
        aliases = _aliases(request, decision.profile, lookup)
    return decision.with_batch(data, digest, aliases)


def _screened(
    data: BatchData, identity: IdentityRequest, rules: ScopeRules, lookup: Lookup
) -> BatchData:
    """The data, where a device is named by an identifier that guard rails leave (section 11)."""
    rails = rules.guard_rails
    if data.device is None or data.device.identifier is None:
        return data
    if not rails.screens_values or rails.leave(identity.identifiers):
        return data
    return data.of_device(device_among(screen(identity.identifiers, rails, lookup).identifiers))


def _aliases(request: BatchRequest, profile: ProfileView, lookup: Lookup) -> Sequence[Alias]:
    """The aliases by which events of the batch may be another profile's, too."""
    return tuple(lookup.aliases_from(profile)) if request.data.events else ()


def _tiers(rules: ScopeRules) -> tuple[Tier, ...]:
    """The tiers of a batch that names its profile: none is consulted."""
    return tuple(
        [
            Tier(rank, kind, rules.settings_of(kind), TierOutcome.NOT_IN_REQUEST)
            for rank, kind in enumerate(rules.priority, start=1)
        ]
    )
