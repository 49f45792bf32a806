"""Modify: change the identifiers of the profile that the request names (section 5)."""

from collections.abc import Mapping, Sequence

from idsync_cli.core.codes import ErrorCode, NoteCode, Rule, Status, TierOutcome
from idsync_cli.core.config.guard_rails import ValueLimit
from idsync_cli.core.config.rules import ScopeRules
from idsync_cli.core.decision import DecidedBy, Decision, Note, Refusal, Word
from idsync_cli.core.identity import Identifier, IdentityType
from idsync_cli.core.lookup import Lookup, holders
from idsync_cli.core.profile import ProfileView
from idsync_cli.core.request import IdentityChange, ModifyRequest
from idsync_cli.core.resolve.change_set import ChangeSet
from idsync_cli.core.screening import oldest_beyond, screen_modify
from idsync_cli.core.tiers import Tier
from idsync_cli.errors import Hint, number_of, quoted


def modify(
    request: ModifyRequest, rules: ScopeRules, lookup: Lookup, *, explain: bool = False
) -> Decision:
    """Decide a modify against the store as it is before it.

    With `explain`, the decision says of every tier that it was not consulted.

    Raises:
        Refusal: the scope has no such profile, an old value is not held, an immutable identifier
            stands in the way, the profile would hold more values of a type than it may, or the
            request would take from a known profile and must not. Then nothing at all is changed.
    """
    profile = profile_of(request.mpid, lookup)
    notes: list[Note] = []
    indices: Sequence[int] = range(len(request.identity_changes))
    if rules.guard_rails.screens_values:
        request, indices, notes = screen_modify(request, rules.guard_rails, lookup)
    modification = _Modification(profile, rules, lookup, notes, spares_known=request.spares_known)
    if request.known_identities is not None:
        modification.set(request.known_identities)
    else:
        for index, change in zip(indices, request.identity_changes, strict=True):
            modification.make(index, change)
    change_set = modification.change_set
    consequences = change_set.consequences()
    return Decision(
        status=Status.MODIFIED,
        decided_by=DecidedBy(Rule.MPID),
        profile=profile,
        is_logged_in=rules.holds_login_id(change_set.types_after(profile)),
        changes=tuple(change_set.changes),
        orphaned=consequences.orphaned,
        updates=consequences.updates,
        notes=tuple(notes),
        tiers=_tiers(request, rules) if explain else (),
    )


def profile_of(mpid: int, lookup: Lookup) -> ProfileView:
    """The profile that a request names.

    Raises:
        Refusal: the scope has none.
    """
    profile = lookup.profile(mpid)
    if profile is None:
        raise Refusal(
            ErrorCode.MPID_NOT_FOUND,
            f"no profile in the scope has the MPID {mpid}",
            word=("mpid",),
        )
    return profile


class _Modification:
    """A modify, change by change; `word` is the part of the request that is being worked on."""

    __slots__ = ("change_set", "lookup", "notes", "profile", "rules", "spares_known", "word")

    def __init__(
        self,
        profile: ProfileView,
        rules: ScopeRules,
        lookup: Lookup,
        notes: list[Note],
        *,
        spares_known: bool,
    ) -> None:
        self.profile = profile
        self.rules = rules
        self.lookup = lookup
        self.notes = notes
        self.spares_known = spares_known
        self.change_set = ChangeSet(rules.login_bits, rules.lookup_bits, lookup)
        self.word: Word = ()

    def set(self, identities: Mapping[IdentityType, str | None]) -> None:
        """The set form: each type given holds exactly the given value, or none."""
        for kind in self.rules.in_order(identities):
            wanted = identities[kind]
            self.word = ("known_identities", kind.value)
            for value in self.change_set.values(self.profile, kind):
                if value != wanted:
                    self._remove(Identifier(kind, value))
            if wanted is not None:
                self._add(Identifier(kind, wanted))

    def make(self, index: int, change: IdentityChange) -> None:
        """One entry of `identity_changes`: replace, add or remove."""
        kind, old, new = change.identity_type, change.old_value, change.new_value
        old_word: Word = ("identity_changes", index, "old_value")
        new_word: Word = ("identity_changes", index, "new_value")
        self.word = old_word
        if old is not None and not self.change_set.holds(self.profile, Identifier(kind, old)):
            raise Refusal(
                ErrorCode.OLD_VALUE_MISMATCH,
                f"the profile holds no {kind} {quoted(old)}",
                Hint.SHOW_PROFILE,
                word=self.word,
            )
        going = [] if old is None or old == new else [old]
        limit = self.rules.guard_rails.limit_of(kind)
        if limit is not None and new is not None:
            self.word = new_word
            going = self._within(limit, kind, going, new)
            self.word = old_word
        for value in going:
            self._remove(Identifier(kind, value))
        if new is not None:
            self.word = new_word
            self._add(Identifier(kind, new))

    def _within(
        self, limit: ValueLimit, kind: IdentityType, going: list[str], new: str
    ) -> list[str]:
        """What goes, in the order held, so that the new value is within the limit (section 11)."""
        held = self.change_set.values(self.profile, kind)
        if new in held:
            return going
        stay = [value for value in held if value not in going]
        beyond = oldest_beyond(limit, stay)
        if not beyond:
            return going
        if not limit.replaces_oldest:
            raise Refusal(
                ErrorCode.LIMIT_REACHED,
                f"a profile may hold {number_of(limit.limit, 'value')} of {kind} here, and this "
                f"one holds {len(held):,}: {quoted(new)} cannot be added; remove another first",
                Hint.SHOW_PROFILE,
                word=self.word,
            )
        self.notes.append(Note(NoteCode.REPLACED_OLDEST, kind))
        return [value for value in held if value in going or value in beyond]

    def _remove(self, identifier: Identifier) -> None:
        if self.rules.settings_of(identifier.type).immutable:
            raise Refusal(
                ErrorCode.IMMUTABLE_IDENTITY,
                f"{identifier.type} is immutable here, and the profile holds "
                f"{quoted(identifier.value)}: it cannot be replaced or removed",
                word=self.word,
            )
        self.change_set.remove(self.profile, identifier)

    def _add(self, identifier: Identifier) -> None:
        if self.change_set.holds(self.profile, identifier):
            return
        kind, value = identifier.type, identifier.value
        settings = self.rules.settings_of(kind)
        if settings.unique:  # every immutable type is unique, too
            everyone = holders(self.lookup, identifier)
            others = [each for each in everyone if each.mpid != self.profile.mpid]
            if settings.immutable:
                self._check_immutable(kind, value, others_hold_it=bool(others))
            if self.spares_known and any(map(self.rules.is_known, others)):
                raise Refusal(
                    ErrorCode.PROTECTED_IDENTITY,
                    f"a known profile holds {kind} {quoted(value)}, and an application may not "
                    "take it away",
                )
            self.change_set.take_away(identifier, others)
        self.change_set.add(self.profile, identifier)

    def _check_immutable(self, kind: IdentityType, value: str, *, others_hold_it: bool) -> None:
        held = self.change_set.values(self.profile, kind)
        if held:
            raise Refusal(
                ErrorCode.IMMUTABLE_IDENTITY,
                f"{kind} is immutable here, and the profile holds {quoted(held[0])}: "
                f"{quoted(value)} cannot be added",
                word=self.word,
            )
        if others_hold_it:
            raise Refusal(
                ErrorCode.IMMUTABLE_IDENTITY,
                f"{kind} is immutable here, and another profile holds {quoted(value)}: "
                "it cannot be taken away",
                word=self.word,
            )


def _tiers(request: ModifyRequest, rules: ScopeRules) -> tuple[Tier, ...]:
    """The tiers of a modify: it names its profile, so none is consulted."""
    asked = request.known_identities or {}
    named = {*asked, *(change.identity_type for change in request.identity_changes)}
    return tuple(
        [
            Tier(
                rank=rank,
                identity_type=kind,
                settings=rules.settings_of(kind),
                outcome=TierOutcome.NOT_CONSULTED if kind in named else TierOutcome.NOT_IN_REQUEST,
                value=asked.get(kind),
            )
            for rank, kind in enumerate(rules.priority, start=1)
        ]
    )
