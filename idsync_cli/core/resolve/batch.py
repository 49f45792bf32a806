"""Event batches: whose the data is that they bring (section 9)."""

from collections.abc import Sequence
from typing import Final

from idsync_cli.core.codes import NoteCode, Rule, Status, TierOutcome
from idsync_cli.core.config.rules import ScopeRules
from idsync_cli.core.data.values import Alias, BatchData
from idsync_cli.core.decision import DecidedBy, Decision, Note, Refusal, Tier
from idsync_cli.core.identity import TYPE_ORDER, device_among
from idsync_cli.core.lookup import Lookup
from idsync_cli.core.profile import ProfileView
from idsync_cli.core.request import BatchRequest, IdentityRequest
from idsync_cli.core.resolve.modify import profile_of
from idsync_cli.core.resolve.resolution import resolve
from idsync_cli.core.screening import screen

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
    try:
        decision = resolve(request.identity, rules, lookup, seq, seed, explain=explain, near=near)
    except Refusal as refusal:
        if refusal.tiers:  # the account of it was asked for, and it has one
            refusal.notes = _beside(own, refusal.notes)
        raise
    aliases: Sequence[Alias] = ()
    if not decision.created:
        assert decision.profile is not None
        aliases = _aliases(request, decision.profile, lookup)
    return decision.with_batch(data, digest, _beside(own, decision.notes), aliases)


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


def _beside(own: list[Note], notes: tuple[Note, ...]) -> tuple[Note, ...]:
    """A batch's own notes beside those on what is blocked, by section 2; the others after them."""
    if not own:
        return notes
    first = [each for each in notes if each.code is NoteCode.BLOCKED]
    return (*sorted([*first, *own], key=_order), *notes[len(first) :])


def _order(note: Note) -> int:
    assert note.identity_type is not None
    return TYPE_ORDER[note.identity_type]


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
