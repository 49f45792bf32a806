"""A tiny store for the tests of the core: a plain dictionary of profiles, and nothing else."""

from collections.abc import Callable, Sequence

from idsync_cli.core.codes import Op, Status
from idsync_cli.core.config.rules import ScopeRules
from idsync_cli.core.data.values import Alias
from idsync_cli.core.decision import Decision
from idsync_cli.core.identity import Identifier, IdentityType
from idsync_cli.core.lookup import CarriedOut, Lookup
from idsync_cli.core.profile import Profile, ProfileView, types_of


class Memory:
    """What is known about one scope, by looking at every profile; `under` gives the look-ups.

    `given_out`, `batches`, `aliases` and `events` are shared by the scopes of one store; of an
    event there is whose it is, and its time. `sought` lists the identifiers looked up.
    """

    def __init__(
        self,
        *profiles: Profile,
        given_out: set[int] | None = None,
        batches: dict[bytes, ProfileView | None] | None = None,
        aliases: list[Alias] | None = None,
        events: list[tuple[int, int]] | None = None,
    ) -> None:
        self.profiles = {profile.mpid: profile for profile in profiles}
        self.given_out = set() if given_out is None else given_out
        self.given_out.update(self.profiles)
        self.batches = {} if batches is None else batches
        self.aliases = [] if aliases is None else aliases
        self.events = [] if events is None else events
        self.sought: list[Identifier] = []

    def under(self, rules: ScopeRules) -> "MemoryLookup":
        """The core's look-ups, by some rules."""
        return MemoryLookup(self, rules)

    def holders(self, identifier: Identifier) -> Sequence[Profile]:
        """Whoever holds it, known or not."""
        return self.newest_first(None, lambda each: identifier in each.identifiers)

    def give(self, profile: Profile) -> None:
        self.profiles[profile.mpid] = profile
        self.given_out.add(profile.mpid)

    def apply(self, decision: Decision) -> None:
        """Do what was decided, by its changes; what it says of the profiles left must be so."""
        if decision.digest is not None:
            assert decision.profile is not None
            self.batches[decision.digest] = decision.profile
        if decision.status is Status.ERASED:
            assert decision.profile is not None
            self.erase(decision.profile.mpid)
        if decision.created:
            new = decision.profile
            assert new is not None
            self.give(Profile(new.mpid, new.created_seq, new.source_mpid, False, ()))
        for change in decision.changes:
            profile = self.profiles[change.mpid]
            identifiers = list(profile.identifiers)
            if change.op is Op.ADD:
                identifiers.append(change.identifier)
            else:
                identifiers.remove(change.identifier)
            self.profiles[change.mpid] = _with(profile, identifiers, profile.was_known)
        changed = sorted({change.mpid for change in decision.changes})
        assert [each.profile.mpid for each in decision.updates] == changed
        for update in decision.updates:
            profile = self.profiles[update.profile.mpid]
            assert types_of(profile.identifiers) == update.types
            self.profiles[profile.mpid] = _with(profile, profile.identifiers, update.was_known)

    def erase(self, mpid: int) -> None:
        """Nothing is known of a profile any more, but that its MPID is taken."""
        del self.profiles[mpid]
        for digest, profile in self.batches.items():
            if profile is not None and profile.mpid == mpid:
                self.batches[digest] = None

    def newest_first(self, limit: int | None, fits: Callable[[Profile], bool]) -> list[Profile]:
        found = [profile for profile in self.profiles.values() if fits(profile)]
        return sorted(found, key=lambda profile: -profile.created_seq)[:limit]


class MemoryLookup(Lookup):
    """Look-ups over a `Memory`."""

    def __init__(self, memory: Memory, rules: ScopeRules) -> None:
        self.memory = memory
        self.rules = rules

    def known(self, identifier: Identifier, limit: int | None = None) -> Sequence[Profile]:
        """Newest first, unlike the SQLite store: the rules may not lean on an order."""
        self.memory.sought.append(identifier)
        return self.memory.newest_first(
            limit, lambda each: self.rules.is_known(each) and identifier in each.identifiers
        )

    def anonymous(
        self,
        identifiers: Sequence[Identifier],
        limit: int | None = None,
        lacking: Identifier | None = None,
    ) -> Sequence[Profile]:
        assert identifiers
        self.memory.sought += identifiers
        return self.memory.newest_first(
            limit,
            lambda each: (
                not self.rules.is_known(each)
                and set(identifiers) <= {*each.identifiers}
                and lacking not in each.identifiers
            ),
        )

    def profile(self, mpid: int) -> Profile | None:
        return self.memory.profiles.get(mpid)

    def holds(self, profile: ProfileView, identifier: Identifier) -> bool:
        return identifier in self.memory.profiles[profile.mpid].identifiers

    def values_of(self, profile: ProfileView, identity_type: IdentityType) -> Sequence[str]:
        return self.memory.profiles[profile.mpid].values_of(identity_type)

    def identifiers_of(self, profile: ProfileView) -> tuple[Identifier, ...]:
        return self.memory.profiles[profile.mpid].identifiers

    def was_given_out(self, mpid: int) -> bool:
        return mpid in self.memory.given_out

    def carried_out(self, digest: bytes) -> CarriedOut | None:
        found = self.memory.batches.get(digest)
        return None if found is None else CarriedOut(found)

    def aliases_from(self, profile: ProfileView) -> Sequence[Alias]:
        return [each for each in self.memory.aliases if each.source_mpid == profile.mpid]

    def aliases_to(self, profile: ProfileView) -> Sequence[Alias]:
        return [each for each in self.memory.aliases if each.destination_mpid == profile.mpid]

    def count_events(self, profile: ProfileView, start_ms: int, end_ms: int) -> int:
        times = [time_ms for mpid, time_ms in self.memory.events if mpid == profile.mpid]
        return len([time_ms for time_ms in times if start_ms <= time_ms <= end_ms])


def _with(profile: Profile, identifiers: Sequence[Identifier], was_known: bool) -> Profile:
    return Profile(
        profile.mpid, profile.created_seq, profile.source_mpid, was_known, tuple(identifiers)
    )
