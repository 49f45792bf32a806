"""Modify: change the identifiers of the profile that the request names (section 5)."""

from collections.abc import Mapping

from idsync_cli.core.codes import ErrorCode, Outcome, Rule, Status
from idsync_cli.core.config.rules import Rules
from idsync_cli.core.decision import DecidedBy, Decision, Refusal, Tier
from idsync_cli.core.identity import Identifier, IdentityType
from idsync_cli.core.lookup import Lookup, holders
from idsync_cli.core.profile import ProfileView
from idsync_cli.core.request import IdentityChange, ModifyRequest
from idsync_cli.core.resolve.change_set import Ledger
from idsync_cli.errors import Hint, quoted


def modify(
    request: ModifyRequest, rules: Rules, lookup: Lookup, *, explain: bool = False
) -> Decision:
    """Decide a modify against the store as it stands before it.

    With `explain`, the decision says of every tier that it was not consulted.

    Raises:
        Refusal: the scope has no such profile, an old value is not held, or an immutable
            identifier stands in the way. Then nothing at all is changed.
    """
    profile = lookup.profile(request.mpid)
    if profile is None:
        raise Refusal(
            ErrorCode.MPID_NOT_FOUND, f"no profile of the scope has the MPID {request.mpid}"
        )
    modification = _Modification(profile, rules, lookup)
    if request.known_identities is not None:
        modification.set(request.known_identities)
    else:
        for change in request.identity_changes:
            modification.make(change)
    ledger = modification.ledger
    outcome = ledger.outcome()
    return Decision(
        status=Status.MODIFIED,
        decided_by=DecidedBy(Rule.MPID),
        profile=profile,
        is_logged_in=rules.holds_login_id(ledger.types_after(profile)),
        changes=tuple(ledger.changes),
        orphaned=outcome.orphaned,
        left=outcome.left,
        tiers=_tiers(request, rules) if explain else (),
    )


class _Modification:
    """A modify on its way, change by change."""

    __slots__ = ("ledger", "lookup", "profile", "rules")

    def __init__(self, profile: ProfileView, rules: Rules, lookup: Lookup) -> None:
        self.profile = profile
        self.rules = rules
        self.lookup = lookup
        self.ledger = Ledger(rules, lookup)

    def set(self, identities: Mapping[IdentityType, str | None]) -> None:
        """The set form: each type given holds exactly the given value, or none."""
        for kind in self.rules.in_order(identities):
            wanted = identities[kind]
            for value in self.ledger.values(self.profile, kind):
                if value != wanted:
                    self._remove(Identifier(kind, value))
            if wanted is not None:
                self._add(Identifier(kind, wanted))

    def make(self, change: IdentityChange) -> None:
        """One entry of `identity_changes`: replace, add or remove."""
        kind, old, new = change.identity_type, change.old_value, change.new_value
        if old is not None:
            if not self.ledger.holds(self.profile, Identifier(kind, old)):
                raise Refusal(
                    ErrorCode.OLD_VALUE_MISMATCH,
                    f"the profile holds no {kind} {quoted(old)}",
                    Hint.SHOW_PROFILE,
                )
            if old != new:
                self._remove(Identifier(kind, old))
        if new is not None:
            self._add(Identifier(kind, new))

    def _remove(self, identifier: Identifier) -> None:
        if self.rules.settings_of(identifier.type).immutable:
            raise Refusal(
                ErrorCode.IMMUTABLE_IDENTITY,
                f"{identifier.type} is immutable here, and the profile holds "
                f"{quoted(identifier.value)}: it can be neither replaced nor removed",
            )
        self.ledger.remove(self.profile, identifier)

    def _add(self, identifier: Identifier) -> None:
        if self.ledger.holds(self.profile, identifier):
            return
        kind, value = identifier.type, identifier.value
        settings = self.rules.settings_of(kind)
        if settings.unique:  # every immutable type is unique, too
            everyone = holders(self.lookup, identifier)
            others = [each for each in everyone if each.mpid != self.profile.mpid]
            if settings.immutable:
                self._check_immutable(kind, value, others_hold_it=bool(others))
            self.ledger.take_away(identifier, others)
        self.ledger.add(self.profile, identifier)

    def _check_immutable(self, kind: IdentityType, value: str, *, others_hold_it: bool) -> None:
        held = self.ledger.values(self.profile, kind)
        if held:
            raise Refusal(
                ErrorCode.IMMUTABLE_IDENTITY,
                f"{kind} is immutable here, and the profile holds {quoted(held[0])}: "
                f"{quoted(value)} cannot join it",
            )
        if others_hold_it:
            raise Refusal(
                ErrorCode.IMMUTABLE_IDENTITY,
                f"{kind} is immutable here, and another profile holds {quoted(value)}: "
                "it cannot be taken away",
            )


def _tiers(request: ModifyRequest, rules: Rules) -> tuple[Tier, ...]:
    """A modify names its profile, so that no tier is consulted."""
    asked = request.known_identities or {}
    named = {*asked, *(change.identity_type for change in request.identity_changes)}
    return tuple(
        [
            Tier(
                rank=rank,
                identity_type=kind,
                settings=rules.settings_of(kind),
                outcome=Outcome.NOT_CONSULTED if kind in named else Outcome.NOT_IN_REQUEST,
                value=asked.get(kind),
            )
            for rank, kind in enumerate(rules.priority, start=1)
        ]
    )
